"""What a consent is asked for: `authorization_details` (RFC 9396) of type `kaimen-service`, read and checked.

    {"type": "kaimen-service", "service": "tax@v1", "fields": ["total_paid_yuan"], "purpose": "bank-credit",
     "until": "2027-01-31", "organisation": "91…", "pass_on": [{"name": …, "contact": …, "purpose": …}]}

`service` and `purpose` are required. Without `fields` all of them are asked for; `years` stands for everything
below it. `until` is 90 days ahead where it is left out, and a year at most. A client that knows scopes only gets
the details that its scopes and subscriptions amount to. Nothing is agreed to here.
"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import Struct

from api.core import clock
from api.identity.consents import published
from api.identity.consents.published import ConsentedService
from api.identity.inputs import is_clean
from api.identity.models import App

TYPE = "kaimen-service"
CHINA = timezone(timedelta(hours=8))
DEFAULT_DAYS = 90
MAX_DAYS = 366
MAX_DETAILS = 10
MAX_RECIPIENTS = 5
MAX_BYTES = 20_000  # of the parameter as sent
MAX_GRANTED_BYTES = 4000  # of fields, agreed and refused: they travel in the access token
_MEMBERS = ("type", "service", "fields", "purpose", "until", "organisation", "operations", "pass_on")
_PURPOSE = re.compile(r"[a-z][a-z0-9-]{0,63}")
_RECIPIENT = ("name", "contact", "purpose")


class DetailsError(ValueError):
    """`invalid_authorization_details` (RFC 9396 §5). `reason` is ASCII: what is wrong and what to do."""

    error = "invalid_authorization_details"

    def __init__(self, reason: str) -> None:
        self.reason = "".join(one if " " <= one <= "~" and one not in '"\\' else "?" for one in reason[:1000])
        super().__init__(self.reason)


class Recipient(Struct, frozen=True):
    """Somebody to whom the app would pass data on. The words are the app's."""

    name: str
    contact: str
    purpose: str


class Detail(Struct, frozen=True, kw_only=True):
    """One checked detail. Of every field of `operations` it says whether it is asked for or left out.

    Asked: `fields` are wanted, `refused` are not asked for, `organisation` may still be open ("").
    Granted (Grant.details): `fields` were agreed to, `refused` were not or were not asked for; `mandate` is under
    which the organisation spoke, `pass_on` whether passing on was agreed to, `pass_on_to` to whom.
    """

    service: str
    operations: tuple[str, ...]
    fields: tuple[str, ...]
    purpose: str
    until: str  # RFC 3339, UTC
    type: str = TYPE
    refused: tuple[str, ...] = ()
    organisation: str = ""
    mandate: str = ""
    pass_on: bool = False
    pass_on_to: tuple[Recipient, ...] = ()
    is_about_organisation: bool = False
    person: str = (
        ""  # granted: subjects.person_mark of whose data it is, "" of organisations and where unknown
    )

    @property
    def until_moment(self) -> datetime:
        """`until` as an instant."""
        return datetime.fromisoformat(self.until)

    def as_json(self) -> dict[str, Any]:
        """The object as it is stored and put into tokens."""
        made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return made


def read_granted(details: Any) -> list[Detail]:
    """The details of a Grant."""
    return msgspec.convert(details, list[Detail])


def parse(text: str) -> list[dict[str, Any]]:
    """The JSON array of the parameter `authorization_details`, its form checked. Raises DetailsError."""
    if len(text) > MAX_BYTES:
        raise DetailsError(f"authorization_details has more than {MAX_BYTES} characters; ask for less.")
    try:
        value = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        raise DetailsError("authorization_details is no JSON.") from None
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value) or not value:
        raise DetailsError("authorization_details is a JSON array of objects (RFC 9396, section 2).")
    if len(value) > MAX_DETAILS:
        raise DetailsError(f"There are at most {MAX_DETAILS} authorization details in one request.")
    for place, one in enumerate(value):
        _check_form(place, one)
    return value


def _check_form(place: int, detail: dict[str, Any]) -> None:
    """Types and members alone, no look-up."""
    where = f"authorization_details[{place}]"
    if detail.get("type") != TYPE:
        raise DetailsError(f"{where}.type is {_shown(detail.get('type'))}; this server knows {TYPE}.")
    unknown = [name for name in detail if name not in _MEMBERS]
    if unknown:
        raise DetailsError(
            f"{where} has the unknown member {_shown(unknown[0])}; known are {', '.join(_MEMBERS)}."
        )
    _check_words(where, detail)
    for name in ("fields", "operations"):
        value = detail.get(name, ["-"])
        if not isinstance(value, list) or not value or not all(isinstance(one, str) and one for one in value):
            raise DetailsError(
                f"{where}.{name} is a list of one or more strings; leave it out to ask for all."
            )
        if len(set(value)) != len(value):
            raise DetailsError(f"{where}.{name} names something twice.")
    _recipients(where, detail.get("pass_on", []))


def _check_words(where: str, detail: dict[str, Any]) -> None:
    for name in ("service", "purpose"):
        if not isinstance(detail.get(name), str) or not detail[name]:
            raise DetailsError(f"{where}.{name} is required and a string.")
    for name in ("service", "purpose", "until", "organisation"):
        value = detail.get(name, "")
        if not isinstance(value, str) or len(value) > 200 or not is_clean(value):
            raise DetailsError(f"{where}.{name} is a string of at most 200 printable characters.")
    if not _PURPOSE.fullmatch(detail["purpose"]):  # people read it: it is a name, no sentence of the app's
        raise DetailsError(f"{where}.purpose is a name such as bank-credit: a-z, 0-9 and hyphens.")


def _recipients(where: str, value: Any) -> tuple[Recipient, ...]:
    if not isinstance(value, list) or len(value) > MAX_RECIPIENTS:
        raise DetailsError(f"{where}.pass_on is a list of at most {MAX_RECIPIENTS} recipients.")
    made = []
    for number, one in enumerate(value):
        if not isinstance(one, dict) or set(one) != set(_RECIPIENT):
            raise DetailsError(f"{where}.pass_on[{number}] is an object with {', '.join(_RECIPIENT)}.")
        for name in _RECIPIENT:
            text = one[name]
            if not isinstance(text, str) or not text.strip() or len(text) > 200 or not is_clean(text):
                raise DetailsError(f"{where}.pass_on[{number}].{name} is a text of 1 to 200 characters.")
        made.append(Recipient(*(one[name].strip() for name in _RECIPIENT)))
    if len({one.name for one in made}) != len(made):
        raise DetailsError(f"{where}.pass_on names a recipient twice.")
    return tuple(made)


async def read_details(app: App, given: str | list[dict[str, Any]], scope: str = "") -> list[Detail]:
    """What an app asks a subject for: its authorization_details, and what its scopes need beside them.

    `given` is the parameter as sent, or parsed by `parse`, "" for none; `scope` is the scope that the request was
    allowed: without scopes of services the details alone decide. [] where nothing needs consent.
    Raises DetailsError with the reason.
    """
    raw = parse(given) if isinstance(given, str) and given else given or []
    opened = await published.opened_to(app.id, app.environment)
    scopes = frozenset(one for one in scope.split() if ":" in one)  # openid and its like have none
    details = []
    for place, one in enumerate(raw):
        assert isinstance(one, dict)  # parse has seen to it
        if isinstance(given, list):
            _check_form(place, one)
        details.append(await _checked(f"authorization_details[{place}]", one, app, opened, scopes))
    named = [(one.service, one.purpose) for one in details]
    if len(set(named)) != len(named):
        raise DetailsError("Two authorization details name the same service and purpose; make them one.")
    details += await _implied(
        app, opened, scopes, {operation for one in details for operation in one.operations}
    )
    if len({one.organisation for one in details if one.organisation}) > 1:
        raise DetailsError("One request is about one organisation; ask for each in a request of its own.")
    if len({one.is_about_organisation for one in details}) > 1:
        raise DetailsError(
            "A request is about a person or about an organisation; ask for each in one of its own."
        )
    _check_size(details)
    return details


def _check_size(details: list[Detail]) -> None:
    size = sum(len(msgspec.json.encode((one.fields, one.refused))) for one in details)
    if size > MAX_GRANTED_BYTES:
        raise DetailsError(
            "The fields would not fit into an access token; name fewer operations, or ask in several requests."
        )


Opened = dict[str, dict[str, frozenset[str]]]


async def _checked(
    where: str, one: dict[str, Any], app: App, opened: Opened, scopes: frozenset[str]
) -> Detail:
    """One detail against the contract as published and the app's subscriptions."""
    service = await published.service(one["service"], app.environment) if _is_key(one["service"]) else None
    if service is None:
        raise DetailsError(
            f"{where}.service {_shown(one['service'])} is not published in this environment; see the catalogue."
        )
    if not service.operations:
        raise DetailsError(f"{where}: no operation of {service.key} needs consent; leave the detail out.")
    purpose = one["purpose"]
    operations = _operations(where, one, service, opened.get(service.key, {}), scopes)
    fields, refused = _fields(where, one.get("fields"), service, operations)
    organisation = one.get("organisation", "")
    about = {service.operations[id_].subject == "organisation" for id_ in operations}
    if len(about) > 1:
        raise DetailsError(
            f"{where} mixes data of persons and of organisations; name the operations of one kind."
        )
    if organisation and about == {False}:
        raise DetailsError(f"{where}.organisation: these operations are about persons; leave it out.")
    return Detail(
        service=service.key,
        operations=operations,
        fields=fields,
        refused=refused,
        purpose=purpose,
        until=read_until(one.get("until", ""), where),
        organisation=organisation,
        pass_on_to=_recipients(where, one.get("pass_on", [])),
        is_about_organisation=about == {True},
    )


def _is_key(text: str) -> bool:
    name, at, version = text.partition("@")
    return bool(name and at and version) and len(text) <= 80 and text.isascii() and "/" not in text


def _operations(
    where: str, one: dict[str, Any], service: ConsentedService, opened: dict[str, frozenset[str]],
    scopes: frozenset[str],
) -> tuple[str, ...]:  # fmt: skip
    """The operations that this detail is about: need consent, fit the purpose, are open to the app, and are asked for."""
    purpose = one["purpose"]
    fitting = [
        id_ for id_, each in service.operations.items() if not each.purposes or purpose in each.purposes
    ]
    if not fitting:
        allowed = sorted({each for operation in service.operations.values() for each in operation.purposes})
        raise DetailsError(f"{where}.purpose {_shown(purpose)}: {service.key} allows {', '.join(allowed)}.")
    mine = opened.get(purpose, frozenset())
    if not any(service.operations[id_].purposes for id_ in fitting):
        mine |= opened.get("", frozenset())  # a contract that names no purposes takes any
    open_ = [id_ for id_ in fitting if id_ in mine]
    if not open_:
        raise DetailsError(
            f"{where}: the app has no active subscription {service.key}:{purpose}; subscribe it and have that approved."
        )
    wanted = one.get("operations")
    if wanted is not None:
        unknown = [id_ for id_ in wanted if id_ not in open_]
        if unknown:
            raise DetailsError(
                f"{where}.operations: {_shown(unknown[0])} is none that needs consent and is open for this purpose;"
                f" those are {', '.join(open_)}."
            )
        open_ = [id_ for id_ in open_ if id_ in wanted]
    within = [id_ for id_ in open_ if not scopes or scopes.issuperset(service.operations[id_].scopes)]
    if not within:
        needed = sorted({scope for id_ in open_ for scope in service.operations[id_].scopes})
        raise DetailsError(
            f"{where}: the scope of the request opens none of its operations; add {' '.join(needed)}."
        )
    return tuple(within)


def _fields(
    where: str, wanted: list[str] | None, service: ConsentedService, operations: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which fields are asked for, and which are left out, of all that the operations answer."""
    known = dict.fromkeys(name for id_ in operations for name in service.fields[id_])
    if wanted is None:
        return tuple(known), ()
    asked: set[str] = set()
    for name in wanted:
        below = {one for one in known if one == name or one.startswith(f"{name}.")}
        if not below:
            raise DetailsError(
                f"{where}.fields: {service.key} has no field {_shown(name)}; it has {', '.join(known)}."
            )
        asked |= below
    return tuple(name for name in known if name in asked), tuple(name for name in known if name not in asked)


def read_until(text: str, where: str = "until", now: datetime | None = None) -> str:
    """The instant until which consent is asked, RFC 3339 in UTC; a date means its end in China. Raises DetailsError."""
    moment = now or clock.now()
    if (
        not text
    ):  # a day, so that the same request has the same text when it is shown and when it is agreed to
        text = (moment.astimezone(CHINA) + timedelta(days=DEFAULT_DAYS)).date().isoformat()
    until = _read_moment(text)
    if until is None:
        raise DetailsError(f"{where}.until is a date, or an instant of RFC 3339 with its time zone.")
    if until <= moment:
        raise DetailsError(f"{where}.until lies in the past.")
    if until > moment + timedelta(days=MAX_DAYS):
        raise DetailsError(f"{where}.until is at most {MAX_DAYS} days ahead.")
    return clock.to_text(until)


def _read_moment(text: str) -> datetime | None:
    try:
        if len(text) == len("2027-01-31"):
            text = f"{text}T23:59:59+08:00"
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None


async def _implied(app: App, opened: Opened, scopes: frozenset[str], covered: set[str]) -> list[Detail]:
    """Details for scopes that need consent and that no detail speaks of: one where there is one purpose to it."""
    made = []
    for key, purposes in sorted(opened.items()):
        service = await published.service(key, app.environment)
        if service is None:
            continue
        open_ = frozenset().union(*purposes.values())
        needed = [
            id_
            for id_, one in service.operations.items()
            if one.scopes and scopes.issuperset(one.scopes) and id_ in open_ and id_ not in covered
        ]
        if not needed:
            continue
        fitting = sorted(purpose for purpose, ids in purposes.items() if purpose and ids.intersection(needed))
        if len(fitting) != 1:
            raise DetailsError(
                f"The scope opens {', '.join(needed)} of {key}, which needs consent for one purpose; "
                f"name it in authorization_details{': ' + ', '.join(fitting) if fitting else ''}."
            )
        one = {"type": TYPE, "service": key, "purpose": fitting[0], "operations": needed}
        made.append(await _checked(f"the scope of {key}", one, app, opened, scopes))
    return made


def _shown(value: Any) -> str:
    return str(value)[:60]
