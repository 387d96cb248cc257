"""Records of public security that other departments read too: people, households, moves, permits.

Keys of people are citizen identity numbers. PERSON holds all that the register knows of a citizen; `residents.CITIZEN`
reads the same records more briefly.
"""

from datetime import date
from typing import Any

from sandbox.city.base import City
from sandbox.city.department import Refused
from sandbox.city.population import identifiers
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "public-security"
AGE_OF_MAJORITY = 18

_PERSON = """
SELECT c.number, c.name, c.latin_name, c.sex, c.ethnicity, c.born, c.died, h.district, h.address, h.english_address,
    h.id, f.number, m.number
FROM citizen c JOIN household h ON h.id = c.household LEFT JOIN citizen f ON f.id = c.father
LEFT JOIN citizen m ON m.id = c.mother WHERE c.number = ?
"""
_PERSON_NAMES = (
    "number", "name", "latin_name", "sex", "ethnicity", "born_on", "died_on", "district_code", "address", "english_address",
    "household_number", "father", "mother",
)  # fmt: skip


def household_number(district: str, household: int) -> str:
    """The number of a household book: the division where it was opened, and a serial number."""
    return f"{district}{household:06d}"


def _read_person(city: City, number: str) -> Record | None:
    row = city.one(_PERSON, number)
    if row is None:
        return None
    record = {name: value for name, value in zip(_PERSON_NAMES, row, strict=True) if value is not None}
    record["household_number"] = household_number(row[7], row[10])
    return record


def _read_household(city: City, number: str) -> Record | None:
    if not (len(number) >= 12 and number.isascii() and number.isdigit()):
        return None
    row = city.one(
        "SELECT district, address, english_address FROM household WHERE id = ? AND district = ?",
        int(number[6:]),
        number[:6],
    )
    if row is None:
        return None
    members = city.all("SELECT number FROM citizen WHERE household = ? ORDER BY id", int(number[6:]))
    return {
        "number": number,
        "district_code": row[0],
        "address": row[1],
        "english_address": row[2],
        "members": [member for (member,) in members],
    }


def _read_newcomer(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT number, name, latin_name, sex, born, origin, registered_on, district, address, reason "
        "FROM newcomer WHERE number = ?",
        number,
    )
    names = ("number", "name", "latin_name", "sex", "born_on", "origin_code", "registered_on", "district_code",
             "address", "reason")  # fmt: skip
    return None if row is None else dict(zip(names, row, strict=True))


def _read_permit(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT permit, issued_on, expires_on FROM newcomer WHERE number = ? AND permit IS NOT NULL", number
    )
    return None if row is None else {"number": row[0], "issued_on": row[1], "expires_on": row[2]}


def _read_birth(city: City, certificate: str) -> Record | None:
    """Everybody whom the city's hospitals have seen born and who is in the register was registered."""
    citizen = citizen_of_certificate(certificate)
    row = city.one("SELECT number, born FROM citizen WHERE id = ?", citizen) if citizen else None
    return None if row is None else {"id_number": row[0], "registered_on": row[1]}


def citizen_of_certificate(number: str) -> int:
    """The citizen id in the number of a birth certificate of the base city, 0 for a number of another form."""
    is_ours = len(number) == 10 and number.startswith("K99") and number[3:].isdigit()
    return int(number[3:]) if is_ours and number.isascii() else 0


def _read_nothing(city: City, key: str) -> Record | None:
    return None


PERSON = Kind("citizen", DEPARTMENT, _read_person)
HOUSEHOLD = Kind("household", DEPARTMENT, _read_household)  # key: household number
NEWCOMER = Kind("newcomer", DEPARTMENT, _read_newcomer)  # who came from another city; key: identity number
PERMIT = Kind("residence-permit", DEPARTMENT, _read_permit)  # key: identity number
BIRTH = Kind("birth-registration", DEPARTMENT, _read_birth)  # key: number of the birth certificate
DEATH = Kind("death-registration", DEPARTMENT, _read_nothing)  # key: number of the registration
MOVE = Kind("residence-move", DEPARTMENT, _read_nothing)  # key: number of the move


def check_number(number: str, slug: str) -> None:
    """Refuse an identity number whose date or check character is wrong. Raises Refused(slug)."""
    if not identifiers.is_citizen_number(number):
        raise Refused(slug)


def living(world: World, number: str) -> Record | None:
    """The citizen, None for nobody, somebody not born yet or somebody dead."""
    person = world.get(PERSON, number) if identifiers.is_citizen_number(number) else None
    if person is None or is_dead(world, person) or person["born_on"] > world.today.isoformat():
        return None
    return person


def named(world: World, number: str, name: str) -> Record | None:
    """The living citizen of that number, where the name is his."""
    person = living(world, number)
    return person if person is not None and person["name"] == name else None


def is_dead(world: World, person: Record) -> bool:
    """Whether the citizen has died by the world's day."""
    died = person.get("died_on")
    return died is not None and str(died) <= world.today.isoformat()


def years_between(earlier: str | date, day: date) -> int:
    """Full years from an ISO date to a day: an age."""
    start = date.fromisoformat(earlier) if isinstance(earlier, str) else earlier
    return day.year - start.year - ((day.month, day.day) < (start.month, start.day))


def parents_of(person: Record) -> set[str]:
    """The identity numbers of the parents, as far as the register knows them."""
    return {str(person[role]) for role in ("father", "mother") if role in person}


def members_of(world: World, household: Record) -> list[Record]:
    """The living members of a household, in the order in which they came to it."""
    found = (living(world, number) for number in household["members"])
    return [person for person in found if person is not None]


def brief(person: Record) -> dict[str, Any]:
    """Number and name, as other departments show a citizen."""
    return {"id_number": person["number"], "name": person["name"]}
