"""The personas as documentation, portal and command line show them. Who they are stands in population.personas."""

from sandbox.city.population import industries, personas
from sandbox.city.population.identifiers import mail_number
from sandbox.city.schemas import Persona, Trial


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
    return Persona(
        id=sketch.slug,
        kind="person",
        code=personas.number_of(sketch.slug),
        name=sketch.name,
        english_name=sketch.latin_name,
        status="alive",
        story={"zh": sketch.story_zh, "en": sketch.story_en},
        try_it=[],
    )
