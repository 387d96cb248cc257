"""Records of transport: vehicles by plate, driving licences by identity number, inspections by number."""

from datetime import date, timedelta
from typing import Any

from sandbox.city.base import City
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "transport"
MOST_POINTS = 12  # of a year; Source: 《道路交通安全违法行为记分管理办法》 article 7
RENEWABLE_DAYS = 90  # before it expires
LOST_DAYS = 365  # after it expired: then only an examination helps
STATIONS = {
    "JC01": ("东样机动车检测站", "East Sample Inspection Station", "990101"),
    "JC02": ("西样机动车检测站", "West Sample Inspection Station", "990102"),
    "JC03": ("样湖机动车检测站", "Sample Lake Inspection Station", "990105"),
}


def _read_vehicle(city: City, plate: str) -> Record | None:
    row = city.one(
        "SELECT v.kind, v.brand, v.energy, v.registered_on, v.inspected_until, p.number, p.name, c.code, c.name "
        "FROM vehicle v LEFT JOIN citizen p ON p.id = v.citizen LEFT JOIN company c ON c.id = v.company WHERE v.plate = ?",
        plate,
    )
    if row is None:
        return None
    is_person = row[5] is not None
    return {
        "plate": plate,
        "kind": row[0],
        "brand": row[1],
        "energy": row[2],
        "registered_on": row[3],
        "inspected_until": row[4],
        "owner": {
            "kind": "person" if is_person else "company",
            "number": row[5] if is_person else row[7],
            "name": row[6] if is_person else row[8],
        },
    }


def _read_licence(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT p.name, d.class, d.first_on, d.issued_on, d.expires_on, d.points FROM driving_licence d "
        "JOIN citizen p ON p.id = d.citizen WHERE p.number = ?",
        number,
    )
    if row is None:
        return None
    record: Record = {
        "number": number,
        "name": row[0],
        "class": row[1],
        "first_on": row[2],
        "issued_on": row[3],
        "points": row[5],
    }
    if row[4] is not None:
        record["expires_on"] = row[4]
    return record


# Booked before the city was counted: the van of Manshan Tea, whose inspection is about to run out.
_BOOKED: dict[str, Record] = {
    "JC0000000001": {
        "number": "JC0000000001",
        "plate": "样F00004",
        "station": "JC01",
        "day": "2026-07-08",
        "hour": 10,
        "booked_at": "2026-06-24T15:20:00+08:00",
    }
}


def _read_inspection(city: City, number: str) -> Record | None:
    return _BOOKED.get(number)


VEHICLE = Kind("vehicle", DEPARTMENT, _read_vehicle)
DRIVING_LICENCE = Kind("driving-licence", DEPARTMENT, _read_licence)
INSPECTION = Kind("inspection", DEPARTMENT, _read_inspection)


def licence_status(world: World, licence: Record) -> str:
    """valid, suspended (all points are gone), expired or cancelled, as of the world's day.

    It is cancelled when its holder has died (public security), or a year after it expired.
    """
    holder = world.get(CITIZEN, licence["number"])
    if holder is None or "died_on" in holder:
        return "cancelled"
    expires = licence.get("expires_on")
    if expires is not None:
        days = (world.today - date.fromisoformat(expires)).days
        if days > 0:
            return "cancelled" if days > LOST_DAYS else "expired"
    return "suspended" if licence["points"] >= MOST_POINTS else "valid"


def inspections_of(world: World, plate: str) -> list[Record]:
    """The bookings of a vehicle, by number."""
    found = {number: world.get(INSPECTION, number) for number in _BOOKED} | dict(world.changed(INSPECTION))
    return [one for _, one in sorted(found.items()) if one is not None and one["plate"] == plate]


def inspection_status(world: World, inspection: Record) -> str:
    """booked, passed or cancelled: a vehicle that was booked passes on the day."""
    if inspection.get("is_cancelled"):
        return "cancelled"
    return "passed" if inspection["day"] < world.today.isoformat() else "booked"


def inspected_until(world: World, vehicle: Record) -> str:
    """Until when the vehicle is inspected, with the inspections that have passed by the clock."""
    until: str = vehicle["inspected_until"]
    registered = date.fromisoformat(vehicle["registered_on"])
    for one in inspections_of(world, vehicle["plate"]):
        if inspection_status(world, one) == "passed":
            day = date.fromisoformat(one["day"])
            years = 2 if day.year - registered.year < 10 else 1
            until = max(until, (day + timedelta(days=365 * years)).isoformat())
    return until


def vehicles_of(world: World, number: str) -> list[Record]:
    """The vehicles of a person (identity number) or company (credit code), by plate, as this app sees them."""
    known = world.city.all(
        "SELECT v.plate FROM vehicle v JOIN citizen p ON p.id = v.citizen WHERE p.number = ? "
        "UNION SELECT v.plate FROM vehicle v JOIN company c ON c.id = v.company WHERE c.code = ?",
        number,
        number,
    )
    found: dict[str, Record | None] = {plate: world.get(VEHICLE, plate) for (plate,) in known}
    found |= dict(world.changed(VEHICLE))
    return [one for _, one in sorted(found.items()) if one is not None and one["owner"]["number"] == number]


def shown_vehicle(world: World, vehicle: Record) -> dict[str, Any]:
    """What anyone entitled may know of a vehicle; its owner is named only where it is a company."""
    until = inspected_until(world, vehicle)
    shown = {name: vehicle[name] for name in ("plate", "kind", "brand", "energy", "registered_on")}
    shown["inspected_until"] = until
    shown["is_inspected"] = until >= world.today.isoformat()
    shown["owner_kind"] = vehicle["owner"]["kind"]
    if vehicle["owner"]["kind"] == "company":
        shown["company_code"] = vehicle["owner"]["number"]
    return shown
