"""Records of the disabled persons' federation: cards, applications for cards, subsidies."""

from datetime import date
from typing import Any

from sandbox.city.base import City
from sandbox.city.departments.public_security.records import living
from sandbox.city.numbering import share_of
from sandbox.city.population.citizens import years_after
from sandbox.city.population.personas import number_of
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "disability"
CATEGORIES = {  # Source: GB/T 26341-2010
    "visual": 1, "hearing": 2, "speech": 3, "limb": 4, "intellectual": 5, "mental": 6, "multiple": 7,
}  # fmt: skip
_NAMES = {number: name for name, number in CATEGORIES.items()}
VALID_YEARS = 10
FIRST_APPLICATION = "CJ1000000001"
FIRST_GRANT = "BT1000000001"

# code, names, yuan a month, highest grade number, whether only for those without a job
SUBSIDIES = (
    ("nursing", "重度残疾人护理补贴", "Nursing subsidy for severe disability", 150, 2, False),
    ("living", "困难残疾人生活补贴", "Living subsidy for disabled people in need", 120, 4, True),
    ("travel", "残疾人交通补贴", "Travel subsidy", 50, 4, False),
)


def _read_card(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT d.category, d.grade, d.issued_on FROM disability_card d JOIN citizen c ON c.id = d.citizen WHERE c.number = ?",
        number,
    )
    return None if row is None else new_card(number, _NAMES[row[0]], row[1], row[2])


def new_card(number: str, category: str, grade: int, issued_on: str) -> Record:
    """A card: its number is the identity number, the category and the grade."""
    return {
        "number": f"{number}{CATEGORIES[category]}{grade}",
        "category": category,
        "grade": grade,
        "issued_on": issued_on,
    }


def _read_application(city: City, number: str) -> Record | None:
    """One application that is in every city; all others are made by apps."""
    if number != FIRST_APPLICATION:
        return None
    return {"number": number, "id_number": number_of("sun-xiuying"), "category": "hearing", "grade": 3,
            "hospital_code": "H990103001", "applied_on": "2026-06-20"}  # fmt: skip


def _read_grant(city: City, number: str) -> Record | None:
    """One subsidy that is in every city; all others are granted to apps."""
    if number != FIRST_GRANT:
        return None
    return {"number": number, "id_number": number_of("feng-ting"), "subsidy": "travel", "from": "2018-06"}


CARD = Kind("disability-card", DEPARTMENT, _read_card)  # key: identity number
APPLICATION = Kind("card-application", DEPARTMENT, _read_application)  # key: number of the application
GRANT = Kind("subsidy-grant", DEPARTMENT, _read_grant)  # key: number of the grant


def card_of(world: World, number: str) -> dict[str, Any] | None:
    """Somebody's card with `expires_on` and `status`: valid, expired or cancelled by death."""
    card = world.get(CARD, number)
    if card is None or card["issued_on"] > world.today.isoformat():
        return None
    expires = (
        card.get("expires_on") or years_after(date.fromisoformat(card["issued_on"]), VALID_YEARS).isoformat()
    )
    status = "valid" if world.today.isoformat() < expires else "expired"
    return {**card, "expires_on": expires, "status": status if living(world, number) else "cancelled"}


def assessed_grade(number: str, category: str) -> int:
    """The grade that a hospital's assessment finds, 0 for none."""
    return share_of(number, category, "assessment", of=5)
