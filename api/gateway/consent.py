"""What a consent covers of one call: which detail of the token, whose data, which fields; and cutting the rest.

Part of `authorise`, for operations whose basis is consent. The citizen was shown fields by name; the answer holds
those that were agreed to and nothing else, also nothing that the contract does not know. It gives no consent
(api.identity.consents) and reads no store.
"""

import time
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from api.contract.answer_fields import WHOLE
from api.core.problem_types import (
    ASSURANCE_TOO_LOW,
    CONSENT_OUTDATED,
    CONSENT_REQUIRED,
    MANDATE_REFUSED,
    RESPONSE_INVALID,
)
from api.core.problems import Failure, Refusal, Text
from api.gateway.backing import Backing, Detail
from api.gateway.compiled import CompiledOperation, is_json
from api.gateway.exchange import Decision, Exchange
from api.gateway.plane import Gateway
from api.gateway.rights import Standing
from api.identity.consents.subjects import SubjectIds, person_mark
from api.identity.installation import current, vault

MAX_CUT_BYTES = 16 * 1024 * 1024
_ASSURANCES = ("low", "substantial", "high")  # weakest first
_SHOWN_FIELDS = 10
_KEPT_COVERAGES = 256  # of one detail
Tree = dict[str, Any]  # property -> True: keep whole; False: leave out; a tree: go on inside

_EXPIRED = Text("同意的期限已过。", "The term of the consent has passed.")
_NO_SERVICE = Text("同意不涉及此接口。", "The consent is not about this operation.")
_ALL_REFUSED = Text(
    "数据主体拒绝提供此接口的全部字段。", "The data subject refused every field of this operation."
)
_NO_ORGANISATION = Text(
    "此数据属于某个组织,而同意不是代表组织作出的。",
    "These are data of an organisation, and the consent was not given in an organisation's name.",
)
_OTHER_ORGANISATION = Text("请求的是另一个组织的数据。", "The data asked for are another organisation's.")
_OTHER_PERSON = Text(
    "请求的不是同意者本人的数据。", "The data asked for are not those of the person who consented."
)
_ENDED = Text(
    "作出同意时所依据的代表授权已经终止。", "The mandate under which the consent was given has ended."
)
_UNNAMED = Text(
    "契约没有说明哪个参数指明组织;部门须为它标注 x-element: GB 32100-2015。",
    "The contract does not say which parameter names the organisation; its department marks it x-element: GB 32100-2015.",
)
_UNCUT = "the subject refused some of its fields, and they cannot be cut out of what is no JSON"


class Coverage(Struct, frozen=True):
    """What one consent opens of one operation.

    `added` are fields that it knows nothing of; `tree` says what an answer may hold: True all, False nothing;
    `withheld` names the refused ones for a header.
    """

    added: tuple[str, ...]
    tree: Tree | bool
    withheld: bytes


def check_assurance(exchange: Exchange, required: str) -> None:
    """Raises Refusal: assurance-too-low, with the challenge that asks for a stronger sign-in. Source: RFC 9470 §3."""
    backing: Backing | None = exchange.holding.backing if exchange.holding is not None else None
    acr = backing.acr if backing is not None else ""
    if acr == required:
        return
    if required in _ASSURANCES and acr in _ASSURANCES[_ASSURANCES.index(required) :]:
        return
    scheme = "DPoP" if backing is not None and backing.jkt else "Bearer"
    challenge = (
        f'{scheme} realm="kaimen", error="insufficient_user_authentication", '
        f'error_description="the person has to sign in more strongly", acr_values="{required}"'
    )
    raise Refusal(
        ASSURANCE_TOO_LOW,
        headers={"WWW-Authenticate": challenge},
        operation=exchange.compiled.operation.id,
        required=required,
        presented=acr or "—",
    )


def decide(exchange: Exchange, gateway: Gateway, standing: Standing, wanted: str) -> Decision:
    """The ground of a consented call: the detail of the token that covers it.

    `wanted` is the purpose that the caller names, "" for none. Leaves the coverage in the exchange.
    Raises Refusal: consent-required, consent-outdated, mandate-refused.
    """
    compiled: CompiledOperation = exchange.compiled
    holding = exchange.holding
    if holding is None or not holding.backing.grant:
        raise Refusal(CONSENT_REQUIRED, operation=compiled.operation.id)
    backing: Backing = holding.backing
    detail, subscription = _fitting(backing, compiled, standing, wanted)
    if detail.until and detail.until <= time.time():
        raise Refusal(CONSENT_OUTDATED, rule="consent-expired", reason=_EXPIRED)
    coverage = coverage_of(detail, compiled)
    if coverage.added:
        raise _fields_added(coverage.added)
    if coverage.tree is False:
        raise Refusal(CONSENT_OUTDATED, rule="fields-refused", reason=_ALL_REFUSED)
    if compiled.operation.subject == "organisation":
        if not detail.organisation:
            raise Refusal(MANDATE_REFUSED, rule="not-a-representative", reason=_NO_ORGANISATION)
        if detail.mandate in gateway.withdrawals.mandates:
            raise Refusal(MANDATE_REFUSED, rule="mandate-ended", reason=_ENDED)
        holding.organisation = detail.organisation
    elif compiled.person_parameters:
        holding.person = detail.person
    holding.coverage = coverage
    return Decision(
        subscription, detail.purpose, backing.grant, backing.subject, backing.consent, detail.mandate
    )


def _fitting(
    backing: Backing, compiled: CompiledOperation, standing: Standing, wanted: str
) -> tuple[Detail, str]:
    """The detail for this operation whose purpose the app's subscription has too, and that subscription."""
    operation = compiled.operation.id
    about = [
        one
        for one in backing.details.get(compiled.entry.key, ())
        if (not one.operations or operation in one.operations) and (not wanted or one.purpose == wanted)
    ]
    for one in about:
        known = standing.purposes.get(one.purpose)
        if known is None and not compiled.purposes:  # a contract that names no purposes takes any
            known = standing.purposes.get("")
        is_allowed = not compiled.purposes or one.purpose in compiled.purposes
        if known is not None and is_allowed and compiled.level <= known[0]:
            return one, known[1].subscription
    if not about:
        raise Refusal(CONSENT_OUTDATED, rule="operation-not-covered", reason=_NO_SERVICE, operation=operation)
    purposes = ", ".join(sorted({one.purpose for one in about}))
    reason = Text(
        f"同意的用途是 {purposes},应用没有以此用途订阅此接口。",
        f"The consent is for {purposes}; the app has no subscription for that purpose that opens this operation.",
    )
    raise Refusal(CONSENT_OUTDATED, rule="purpose-not-covered", reason=reason, operation=operation)


def _fields_added(added: tuple[str, ...]) -> Refusal:
    shown = ", ".join(added[:_SHOWN_FIELDS]) + (" …" if len(added) > _SHOWN_FIELDS else "")
    reason = Text(
        f"同意之后契约新增了字段:{shown}。",
        f"The contract has added fields since the consent was given: {shown}.",
    )
    return Refusal(CONSENT_OUTDATED, rule="fields-added", reason=reason, fields=list(added[:_SHOWN_FIELDS]))


# --- whose data -------------------------------------------------------------------------------------
def check_subject(exchange: Exchange) -> None:
    """Once the parameters are read: the organisation, or the person, asked about is the one that consented.

    Raises Refusal: mandate-refused, consent-outdated.
    """
    holding = exchange.holding
    if holding is not None and holding.person is not None:
        _check_person(exchange, holding.person)
    if holding is None or not holding.organisation:
        return
    named = list(_named(exchange, exchange.compiled.organisation_parameters))
    if not named:
        raise Refusal(MANDATE_REFUSED, rule="organisation-unnamed", reason=_UNNAMED)
    if any(one.upper() != holding.organisation.upper() for one in named):
        raise Refusal(MANDATE_REFUSED, rule="other-organisation", reason=_OTHER_ORGANISATION)


def _check_person(exchange: Exchange, mark: str) -> None:
    """Raises Refusal: consent-outdated, for an identity number that is not that of who consented."""
    marks = SubjectIds(vault(), current().settings.environment)
    for number in _named(exchange, exchange.compiled.person_parameters):
        if not mark or person_mark(marks, number) != mark:
            raise Refusal(CONSENT_OUTDATED, rule="other-person", reason=_OTHER_PERSON)


def _named(exchange: Exchange, parameters: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """What the call says of whom it is about; a member that is left out says nothing."""
    for location, name in parameters:
        match location:
            case "path":
                values: Any = exchange.path_values
            case "query":
                values = exchange.query_values
            case "header":
                values = exchange.header_values
            case _:
                values = exchange.json if isinstance(exchange.json, dict) else {}
        value = values.get(name)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield str(one)


# --- which fields -----------------------------------------------------------------------------------
def coverage_of(detail: Detail, compiled: CompiledOperation) -> Coverage:
    """What the detail opens of the operation; worked out once for the contract as it is."""
    key = (compiled.operation.id, compiled.entry.service.digest)
    known: Coverage | None = detail.coverages.get(key)
    if known is None:
        if len(detail.coverages) >= _KEPT_COVERAGES:
            detail.coverages.clear()
        known = detail.coverages[key] = _cover(compiled.field_names, detail.fields, detail.refused)
    return known


def _cover(names: tuple[str, ...], agreed: frozenset[str], refused: frozenset[str]) -> Coverage:
    added = tuple(name for name in names if name not in agreed and name not in refused)
    kept = {name: name in agreed for name in names}
    withheld = quote(", ".join(name for name in names if name in refused and name not in agreed), safe=" ,.*")
    return Coverage(added, tree_of(kept), withheld.encode()[:1000])


def tree_of(fields: dict[str, bool]) -> Tree | bool:
    """What to keep of an answer, from its fields by name; True where there are none (no body), or it is all one."""
    if not fields or fields.keys() == {WHOLE}:
        return fields.get(WHOLE, True)
    tree: Tree = {}
    for name, keep in fields.items():
        place = tree
        *above, last = (_unescaped(step) for step in name.split("."))
        for step in above:
            below = place.get(step)
            if not isinstance(
                below, dict
            ):  # the same place is a value in one answer and an object in another
                below = place[step] = {} if below is None else {WHOLE: below}
            place = below
        if isinstance(place.get(last), dict):
            place[last][WHOLE] = keep
        else:
            place[last] = keep
    return _pruned(tree)


def _pruned(tree: Tree) -> Tree | bool:
    """Without branches of which nothing is kept."""
    made = {name: _pruned(below) if isinstance(below, dict) else below for name, below in tree.items()}
    return made if any(below is not False for below in made.values()) else False


def _unescaped(step: str) -> str:
    return step.replace("~1", ".").replace("~0", "~")


def cut(value: Any, tree: Tree | bool) -> Any:
    """The value with what the tree keeps: undeclared members go, unless the tree keeps them under `*`."""
    if tree is True:
        return value
    if isinstance(value, list):
        return [cut(one, tree) for one in value]
    if not isinstance(tree, dict):
        return None
    if not isinstance(value, dict):
        return value if value is None or tree.get(WHOLE) is True else None
    rest: Tree | bool = tree.get(WHOLE, False)
    kept = {}
    for name, member in value.items():
        below = tree.get(name, rest)
        if below is not False:
            kept[name] = member if below is True else cut(member, below)
    return kept


async def cut_answer(exchange: Exchange) -> None:
    """Leave in a 2xx answer what was agreed to. Raises Failure: response-invalid, when that cannot be done."""
    holding = exchange.holding
    result = exchange.result
    if holding is None or holding.coverage is None or result is None or not 200 <= result.status < 300:
        return
    coverage: Coverage = holding.coverage
    if coverage.tree is True or exchange.method == "HEAD":
        return
    headers = dict(result.headers)
    body = result.body if isinstance(result.body, bytes) else await _whole(exchange, result.body)
    if body:
        media_type = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
        if not is_json(media_type) and coverage.tree is not False and coverage.tree.get(WHOLE) is True:
            result.body = body  # a text or a file, agreed to as a whole
            return
        if not is_json(media_type) or headers.get(b"content-encoding", b"identity") != b"identity":
            raise _uncut(exchange)
        try:
            value = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _uncut(exchange) from None
        body = msgspec.json.encode(cut(value, coverage.tree))
    result.body = body
    # of the whole answer these were true
    kept = [pair for pair in result.headers if pair[0] not in _OF_THE_WHOLE]
    if coverage.withheld:
        kept.append((b"kaimen-withheld", coverage.withheld))
    result.headers = kept


_OF_THE_WHOLE = frozenset(
    {b"content-length", b"etag", b"content-digest", b"repr-digest", b"digest", b"accept-ranges"}
)


async def _whole(exchange: Exchange, stream: AsyncIterator[bytes]) -> bytes:
    parts = []
    size = 0
    async for part in stream:
        parts.append(part)
        size += len(part)
        if size > MAX_CUT_BYTES:
            raise _uncut(exchange)
    return b"".join(parts)


def _uncut(exchange: Exchange) -> Failure:
    errors = ({"pointer": "", "message": _UNCUT},)
    return Failure(
        RESPONSE_INVALID, rule="fields-uncut", errors=errors, service=exchange.compiled.entry.key, count=1
    )
