"""Records of justice: freezes of homes by unit number, enforcement cases, notarial certificates, bookings, legal aid."""

from datetime import date, timedelta
from typing import Any

from sandbox.city.base import City
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "justice"


def _read_freeze(city: City, unit: str) -> Record | None:
    row = city.one(
        "SELECT f.case_number, f.court, f.since, f.until FROM freeze f JOIN home h ON h.id = f.home WHERE h.unit = ?",
        unit,
    )
    if row is None:
        return None
    return {"unit_number": unit, "case_number": row[0], "court": row[1], "since": row[2], "until": row[3]}


CASE_COLUMNS = (
    "SELECT e.id, e.case_number, e.court, e.amount_yuan, e.filed_on, e.is_dishonest, c.code, c.name, p.number, p.name "
    "FROM enforcement e LEFT JOIN company c ON c.id = e.company LEFT JOIN citizen p ON p.id = e.citizen"
)


def case_of(row: tuple[Any, ...]) -> Record:
    """The record of a row of CASE_COLUMNS."""
    record: Record = {
        "case_number": row[1],
        "court": row[2],
        "amount_yuan": row[3],
        "filed_on": row[4],
        "is_dishonest": bool(row[5]),
        "kind": "company" if row[6] is not None else "person",
        "debtor": row[7] or row[9],
    }
    if row[6] is not None:
        record["code"] = row[6]
    else:
        record["id_number"] = row[8]
    return record


def _read_case(city: City, number: str) -> Record | None:
    row = city.one(f"{CASE_COLUMNS} WHERE e.case_number = ?", number)
    return None if row is None else case_of(row)


def _certificate(number: str, slug: str, name: str, kind: str, booked: date) -> Record:
    return {
        "number": number,
        "kind": kind,
        "applicant": {"name": name, "id_number": slug},
        "issued_on": (booked + timedelta(days=DAYS_TO_ISSUE)).isoformat(),
    }


DAYS_TO_ISSUE = 5
_CERTIFICATES = {
    one["number"]: one
    for one in (
        _certificate(
            "（2025）虚证字第88号", "990101198603140027", "林溪", "power-of-attorney", date(2025, 11, 15)
        ),
        _certificate("（2026）虚证字第12号", "990101200410100029", "沈若涵", "degree", date(2026, 4, 7)),
    )
}


def _read_certificate(city: City, number: str) -> Record | None:
    return _CERTIFICATES.get(number)


def _read_booking(city: City, number: str) -> Record | None:
    """The one booking of the base: what the degree of Shen Ruohan was notarised by."""
    certificate = _CERTIFICATES["（2026）虚证字第12号"]
    if number != "GZ20260401000001":
        return None
    return {
        "number": number,
        "kind": certificate["kind"],
        "applicant": certificate["applicant"],
        "office": "east",
        "date": "2026-04-07",
        "certificate_number": certificate["number"],
    }


def _read_aid(city: City, number: str) -> Record | None:
    """The one application of the base: unpaid wages of Guo Wei."""
    if number != "FY20260610000001":
        return None
    return {
        "number": number,
        "applicant": {"name": "郭卫", "id_number": "990106197808010012"},
        "matter": "unpaid-wages",
        "applied_at": "2026-06-10T14:10:00+08:00",
        "decides_at": "2026-06-17T14:10:00+08:00",
    }


FREEZE = Kind("freeze", DEPARTMENT, _read_freeze)  # key: the unit number of the home
CASE = Kind("case", DEPARTMENT, _read_case)  # key: the case number
NOTARY_CERTIFICATE = Kind("notary-certificate", DEPARTMENT, _read_certificate)
BOOKING = Kind("notary-booking", DEPARTMENT, _read_booking)
LEGAL_AID = Kind("legal-aid", DEPARTMENT, _read_aid)


def freeze_of(world: World, unit: str) -> Record | None:
    """The freeze that binds the home today, or None: it may have been lifted, or have run out."""
    freeze = world.get(FREEZE, unit)
    if freeze is None or "lifted_on" in freeze or freeze["until"] < world.today.isoformat():
        return None
    return freeze


def is_dishonest(world: World, code: str) -> bool:
    """Whether the company stands on the list of dishonest debtors."""
    row = world.city.one(
        "SELECT e.case_number FROM enforcement e JOIN company c ON c.id = e.company WHERE c.code = ? ORDER BY e.id",
        code,
    )
    case = None if row is None else world.get(CASE, row[0])
    return case is not None and bool(case["is_dishonest"])
