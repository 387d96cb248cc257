"""The personas as documentation, portal and command line show them. Who they are stands in population.personas."""

from datetime import date

from api.core import clock
from api.identity.consents.mandate_rows import SPEAKING
from api.identity.consents.subjects import AGE_OF_OWN_CONSENT, STANDS
from sandbox.city.clock import local_day
from sandbox.city.population import industries, personas
from sandbox.city.population.identifiers import mail_number
from sandbox.city.schemas import Persona, Standing, Trial


def cast() -> list[Persona]:
    """Companies first, then people; the same in every city."""
    return [_company(sketch) for sketch in personas.COMPANIES] + [_person(one) for one in personas.PEOPLE]


def _company(sketch: personas.CompanySketch) -> Persona:
    code = personas.code_of(sketch.slug)
    name = industries.compose_name(
        sketch.trade_zh, sketch.trade_en, industries.BY_CODE[sketch.industry], sketch.kind
    )
    trials = [
        Trial(f"{operation}", {"code": code})
        for operation in (
            "company@v1/getCompany",
            "company@v1/getLicence",
            "tax@v1/getTaxpayer",
            "tax@v1/getRating",
            "company@v1/listReportDuties",
            "licence@v1/listCompanyLicences",
            "credit@v1/getPublicCredit",
            "procurement@v1/checkSupplier",
            "social@v1/getCompanyStatus",
        )
    ]
    trials += [
        Trial("post@v1/getOrder", {"number": mail_number(order.serial)})
        for order in personas.DELIVERIES
        if order.company == sketch.slug
    ]
    return Persona(
        id=sketch.slug,
        kind="organisation",
        code=code,
        name=name.zh,
        english_name=name.en,
        status=sketch.status,
        story={"zh": sketch.story_zh, "en": sketch.story_en},
        try_it=trials,
    )


def _person(sketch: personas.PersonSketch) -> Persona:
    number = personas.number_of(sketch.slug)
    return Persona(
        id=sketch.slug,
        kind="person",
        code=number,
        name=sketch.name,
        english_name=sketch.latin_name,
        status="alive",
        story={"zh": sketch.story_zh, "en": sketch.story_en},
        try_it=[Trial(operation, {"person": number}) for operation in sketch.try_it],
        standing=_standing(sketch.slug),
        guardians=list(sketch.parents) if sketch.parents and _is_child(sketch) else [],
    )


def _is_child(sketch: personas.PersonSketch) -> bool:
    today = local_day(clock.now())
    age = today.year - sketch.born.year - ((today.month, today.day) < (sketch.born.month, sketch.born.day))
    return age < AGE_OF_OWN_CONSENT


def _standing(person: str) -> list[Standing]:
    """What the register says of a person, by company; the same as subjects.CitySubjects reads from the file."""
    today = local_day(clock.now())
    found = []
    for company in personas.COMPANIES:
        is_struck_off = company.status != STANDS
        roles: list[tuple[str, date | None]] = []
        if company.leader == person:
            roles.append(("legal-representative", None))
        roles += [
            (one.role, one.until) for one in personas.POWERS
            if (one.company, one.person) == (company.slug, person)
        ]  # fmt: skip
        roles += [
            ("former-representative", one.until) for one in personas.FORMER
            if (one.company, one.person) == (company.slug, person)
        ]  # fmt: skip
        if any(owner == person for owner, _ in company.owners):
            roles.append(("shareholder", None))
        for role, until in roles:
            why_not = ""
            if role not in SPEAKING:
                why_not = (
                    "former-representative" if role == "former-representative" else "not-a-representative"
                )
            elif until is not None and until < today:
                why_not = "agent-expired"
            if is_struck_off:
                why_not = "organisation-struck-off"
            found.append(
                Standing(
                    organisation=company.slug,
                    code=personas.code_of(company.slug),
                    role=role,
                    can_speak=not why_not,
                    why_not=why_not,
                    until=until.isoformat() if until else None,
                )
            )
    return found
