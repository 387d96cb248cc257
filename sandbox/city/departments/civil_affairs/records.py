"""Records of civil affairs: who is married to whom, divorces under way, allowances of the elderly.

Keys of marriages and allowances are citizen identity numbers; a marriage stands under both spouses.
"""

from typing import Any

from sandbox.city.base import City
from sandbox.city.departments.public_security.records import living
from sandbox.city.population.personas import number_of
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "civil-affairs"

_MARRIAGE = """
SELECT m.certificate, m.registered_on, m.ended_on, m.ended_by, s.number FROM citizen c JOIN marriage m ON m.id = (
    SELECT id FROM (SELECT id, registered_on FROM marriage WHERE husband = c.id
        UNION ALL SELECT id, registered_on FROM marriage WHERE wife = c.id) ORDER BY registered_on DESC LIMIT 1)
JOIN citizen s ON s.id = m.husband + m.wife - c.id WHERE c.number = ?
"""


def _read_marriage(city: City, number: str) -> Record | None:
    """The last marriage of somebody; a marriage that death ended reads as one that stands: see `marriage_of`."""
    row = city.one(_MARRIAGE, number)
    if row is None:
        return None
    record = {"id_number": number, "spouse": row[4], "since": row[1], "certificate_number": row[0]}
    return {**record, "divorced_on": row[2]} if row[3] == "divorce" else record


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


def _read_booking(city: City, number: str) -> Record | None:
    """One booking that is in every city; all others are made by apps."""
    if number != FIRST_BOOKING:
        return None
    return {"number": number, "husband": number_of("maierdan"), "wife": number_of("aynur"), "district_code": "990102",
            "date": "2026-06-30", "booked_on": "2026-06-15"}  # fmt: skip


def _read_service(city: City, key: str) -> Record | None:
    """One of the personas has his meals brought."""
    if key != service_key("meal", number_of("qian-shouyi")):
        return None
    return {"number": "YL1000000001", "service": "meal", "from": "2023-03-01"}


def service_key(service: str, number: str) -> str:
    """The key of a service that somebody has been granted."""
    return f"{service}-{number}"


FIRST_BOOKING = "JH1000000001"
FIRST_APPLICATION = "LH2026000001"  # of every city
SERVICE = Kind("elderly-service", DEPARTMENT, _read_service)  # key: see `service_key`
MARRIAGE = Kind("marriage", DEPARTMENT, _read_marriage)
BOOKING = Kind("marriage-booking", DEPARTMENT, _read_booking)  # key: number of the booking
APPLICATION = Kind("divorce-application", DEPARTMENT, _read_application)  # key: number of the application
ALLOWANCE = Kind("elderly-allowance", DEPARTMENT, _read_allowance)  # key: identity number


def marital_status(world: World, number: str) -> str:
    """single, married, divorced or widowed: widowed follows from the register of people."""
    return str(marriage_of(world, number)["status"])


def marriage_of(world: World, number: str) -> dict[str, Any]:
    """The last marriage of somebody, with `status`; for a single person the status alone."""
    record = world.get(MARRIAGE, number)
    if record is None:
        return {"status": "single"}
    if "divorced_on" in record:
        return {**record, "status": "divorced"}
    return {**record, "status": "married" if living(world, record["spouse"]) else "widowed"}


def is_married(world: World, number: str) -> bool:
    """Whether somebody has a living spouse."""
    return marital_status(world, number) == "married"
