"""Asking: the text for a subject, made from what the app asks, who decides, and under which mandate.

It writes nothing but the mandates that the register says, and decides nothing.
"""

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from api.catalogue import outside
from api.core import clock
from api.core.problem_types_consent import (
    CONSENT_NOT_READY,
    CONSENT_TEXT_CHANGED,
    GUARDIAN_REQUIRED,
    ORGANISATION_REQUIRED,
)
from api.core.problems import Refusal, Text
from api.identity.consents import published
from api.identity.consents.choices import Situation
from api.identity.consents.details import Detail
from api.identity.consents.mandate_rows import LEADS
from api.identity.consents.mandates import check_can_speak_for, covers, mandates_of, speaks_for_none
from api.identity.consents.published import ConsentedService
from api.identity.consents.subjects import Subject
from api.identity.consents.text import Asker, ConsentText, compose_text
from api.identity.inputs import refuse_input
from api.identity.installation import current
from api.identity.models import App, Mandate, Organisation


class Prepared(Struct, frozen=True):
    """Details completed by who decides, and the text for them."""

    details: list[Detail]
    services: dict[str, ConsentedService]
    text: ConsentText


async def organisations_for(subject: Subject, details: list[Detail]) -> list[Mandate]:
    """The mandates among which the subject chooses the organisation; [] where the data are the subject's own."""
    scopes = await _organisation_scopes(details)
    if scopes is None:
        return []
    named = {one.organisation for one in details if one.organisation}
    by_organisation: dict[str, Mandate] = {}
    for row in await mandates_of(subject):
        if covers(row.scope, scopes) and (not named or row.organisation in named):
            best = by_organisation.get(row.organisation)
            if best is None or row.role == LEADS:
                by_organisation[row.organisation] = row
    return list(by_organisation.values())


async def offer(
    app: App,
    subject: Subject,
    details: list[Detail],
    locale: str = "zh",
    *,
    guardian: Subject | None = None,
    organisation: str = "",
) -> ConsentText:
    """What the page shows before anyone decides. `locale` is how it will be shown; the text holds both languages.

    `guardian` decides for a child below 14. `organisation` is the one chosen, "" takes the only one that there is.
    Raises guardian-required, organisation-required, mandate-refused, consent-not-ready (live).
    """
    return (await prepare(app, subject, details, guardian, organisation)).text


async def prepare(
    app: App, subject: Subject, details: list[Detail], guardian: Subject | None, organisation: str
) -> Prepared:
    """What `offer` shows and `give` grants, from the same look-ups. Raises what `offer` raises."""
    if not details:
        raise ValueError("nothing is asked for that needs consent")
    is_child = await _check_guardian(subject, guardian)
    services = await _services(app, details)
    mandate = await _mandate(subject, details, organisation)
    if mandate is not None:
        details = [
            replace(
                one,
                organisation=mandate.organisation,
                mandate=mandate.id,
                until=_earlier(one.until, mandate.until),
            )
            for one in details
        ]
    situation = Situation(
        is_child=is_child,
        organisation=mandate.organisation if mandate else "",
        organisation_name=await _name_of(mandate) if mandate else Text("", ""),
        role=mandate.role if mandate else "",
    )
    text = compose_text(
        await asker_of(app),
        details,
        services,
        await _departments(services),
        situation,
        withdraw_at=f"{current().settings.issuer_of(app.environment)}/consents",
    )
    return Prepared(details, services, text)


async def _check_guardian(subject: Subject, guardian: Subject | None) -> bool:
    """Whether a guardian decides for a child. Raises guardian-required where one should and does not, or may not."""
    is_child = subject.is_child_on(clock.now().date())
    if guardian is None:
        if is_child:
            raise Refusal(GUARDIAN_REQUIRED)
        return False
    if not is_child or guardian.id not in {one.id for one in await current().subjects.guardians_of(subject)}:
        raise Refusal(GUARDIAN_REQUIRED, rule="not-a-guardian")
    return True


async def _services(app: App, details: list[Detail]) -> dict[str, ConsentedService]:
    found = {}
    for one in details:
        service = await published.service(one.service, app.environment)
        if service is None or not service.operations.keys() >= set(one.operations):
            raise Refusal(CONSENT_TEXT_CHANGED, rule="service-changed", service=one.service)
        found[one.service] = service
    return found


async def _organisation_scopes(details: list[Detail]) -> tuple[str, ...] | None:
    """The scopes for which a mandate is needed; None where the data are the person's own."""
    if not any(one.is_about_organisation for one in details):
        return None
    scopes: dict[str, None] = {}
    for one in details:
        service = await published.service(one.service, current().settings.environment)
        for id_ in one.operations if service is not None else ():
            operation = service.operations.get(id_) if service is not None else None
            scopes |= dict.fromkeys(operation.scopes if operation is not None else ())
    return tuple(scopes)


async def _mandate(subject: Subject, details: list[Detail], chosen: str) -> Mandate | None:
    """The mandate under which the subject decides; None for the subject's own data."""
    scopes = await _organisation_scopes(details)
    if scopes is None:
        return None
    named = next((one.organisation for one in details if one.organisation), "")
    if named and chosen and named != chosen:
        raise refuse_input(
            "/organisation", "应用请求的是另一个组织。", "The app asks about another organisation."
        )
    if not named and not chosen:
        able = await organisations_for(subject, details)
        if not able:
            raise speaks_for_none()
        if len(able) > 1:
            raise Refusal(
                ORGANISATION_REQUIRED, count=len(able), organisations=[one.organisation for one in able]
            )
        chosen = able[0].organisation
    return await check_can_speak_for(subject, named or chosen, scopes)


async def _name_of(mandate: Mandate) -> Text:
    """The organisation's name, in both languages where the register has both."""
    registered = await current().register.organisation(mandate.organisation)
    english = registered.english_name if registered is not None else ""
    return Text(mandate.organisation_name, english or mandate.organisation_name)


def _earlier(until: str, other: datetime | None) -> str:
    if other is None or datetime.fromisoformat(until) <= other:
        return until
    return clock.to_text(other)


async def asker_of(app: App) -> Asker:
    """What the app says of itself. Raises consent-not-ready for a live app that has not said enough."""
    missing = [
        text
        for value, text in (
            (app.contact, Text("联系方式", "its contact")),
            (app.retention, Text("保存期限", "its retention")),
        )
        if not value
    ]
    if missing and app.environment == "live":
        raise Refusal(CONSENT_NOT_READY, missing=missing[0])
    owner = await Organisation.get(id=app.organisation_id)
    return Asker(
        name=app.name,
        recipient=Text(owner.name_zh, owner.name_en),
        contact=app.contact,
        retention=app.retention,
    )


async def _departments(services: dict[str, ConsentedService]) -> dict[str, Text]:
    slugs = {one.service.department for one in services.values() if one.service.department}
    found = {}
    for slug in slugs:
        row = await outside.ask().organisation(slug)
        if row is not None:
            found[slug] = Text(row.name_zh, row.name_en)
    return found
