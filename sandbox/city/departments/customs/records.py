"""Records of customs: exporters by unified social credit code, declarations by number.

A small declaration is released two hours after it was accepted, a large one a day after its inspection was booked.
"""

from datetime import datetime

from sandbox.city.base import City
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "customs"


def _read_exporter(city: City, code: str) -> Record | None:
    row = city.one(
        "SELECT e.number, e.since, e.grade FROM exporter e JOIN company c ON c.id = e.company WHERE c.code = ?",
        code,
    )
    return None if row is None else {"code": code, "number": row[0], "since": row[1], "grade": row[2]}


_DECLARED = {
    one["number"]: one
    for one in (
        {
            "number": "BG20260610000001",
            "code": "91990105MA00000231",
            "tariff_code": "8466939000",
            "quantity": 4200,
            "value_yuan": 680_000,
            "destination": "DEU",
            "accepted_at": "2026-06-10T09:30:00+08:00",
            "releases_at": "2026-06-10T11:30:00+08:00",
        },
        {
            "number": "BG20260629000001",
            "code": "91990105MA00000231",
            "tariff_code": "8413709990",
            "quantity": 350,
            "value_yuan": 2_450_000,
            "destination": "BRA",
            "accepted_at": "2026-06-29T15:00:00+08:00",
        },
    )
}


def _read_declaration(city: City, number: str) -> Record | None:
    return _DECLARED.get(number)


EXPORTER = Kind("exporter", DEPARTMENT, _read_exporter)
DECLARATION = Kind("declaration", DEPARTMENT, _read_declaration)


def exporter_status(world: World, exporter: Record) -> str:
    """active, or cancelled with the company."""
    company = world.get(COMPANY_BRIEF, exporter["code"])
    return "active" if company is not None and company["status"] == "active" else "cancelled"


def declaration_status(world: World, declaration: Record) -> str:
    """accepted, inspection, released or withdrawn, by the app's clock."""
    if "withdrawn_at" in declaration:
        return "withdrawn"
    if "releases_at" not in declaration:
        return "inspection"
    is_released = datetime.fromisoformat(declaration["releases_at"]) <= world.now
    return "released" if is_released else "accepted"
