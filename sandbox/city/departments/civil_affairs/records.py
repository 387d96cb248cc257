"""Records of civil affairs: who is married to whom, divorces under way, allowances of the elderly.

Keys of marriages and allowances are citizen identity numbers; a marriage stands under both spouses.
"""

from typing import Any

from sandbox.city.base import City
from sandbox.city.departments.public_security.records import living
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "civil-affairs"

_MARRIAGE = """
SELECT c.id, c.married_on, s.number, s.id FROM citizen c LEFT JOIN citizen s ON s.id = c.spouse WHERE c.number = ?
"""


def marriage_certificate(year: str, couple: int) -> str:
    """The number of a marriage certificate: J, the registry, the year, a serial number."""
    return f"J990100-{year}-{couple:06d}"


def _read_marriage(city: City, number: str) -> Record | None:
    row = city.one(_MARRIAGE, number)
    if row is None:
        return None
    if row[2] is None or row[1] is None:
        return {"id_number": number, "is_married": False}
    return {
        "id_number": number,
        "is_married": True,
        "spouse": row[2],
        "since": row[1],
        "certificate_number": marriage_certificate(row[1][:4], min(row[0], row[3])),
    }


def _read_application(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT d.applied_on, h.number, w.number FROM divorce_application d JOIN citizen h ON h.id = d.husband "
        "JOIN citizen w ON w.id = d.wife WHERE d.number = ?",
        number,
    )
    if row is None:
        return None
    return {"number": number, "applied_on": row[0], "parties": [row[1], row[2]], "status": "open"}


def _read_allowance(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT a.number, a.since FROM elderly_allowance a JOIN citizen c ON c.id = a.citizen WHERE c.number = ?",
        number,
    )
    return None if row is None else {"number": row[0], "since": row[1]}


def _read_nothing(city: City, key: str) -> Record | None:
    return None


MARRIAGE = Kind("marriage", DEPARTMENT, _read_marriage)
BOOKING = Kind("marriage-booking", DEPARTMENT, _read_nothing)  # key: number of the booking
APPLICATION = Kind("divorce-application", DEPARTMENT, _read_application)  # key: number of the application
ALLOWANCE = Kind("elderly-allowance", DEPARTMENT, _read_allowance)  # key: identity number


def marital_status(world: World, number: str) -> str:
    """single, married, divorced or widowed: widowed follows from the register of people."""
    return str(marriage_of(world, number)["status"])


def marriage_of(world: World, number: str) -> dict[str, Any]:
    """What the register says of somebody's marriage, with `status`."""
    record = world.get(MARRIAGE, number) or {"id_number": number, "is_married": False}
    if record["is_married"]:
        return {**record, "status": "married" if living(world, record["spouse"]) else "widowed"}
    return {**record, "status": "divorced" if "divorced_on" in record else "single"}
