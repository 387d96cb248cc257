"""Records of veterans affairs: certificates, applications for them, benefits that are drawn."""

from sandbox.city.base import City
from sandbox.city.population.personas import number_of
from sandbox.city.state import Record
from sandbox.city.world import Kind

DEPARTMENT = "veterans"
FIRST_APPLICATION = "TY1000000001"
FIRST_CLAIM = "YF1000000001"

# code, names, what it takes: "", insured or employed
BENEFITS = (
    ("bus-pass", "免费乘坐公共汽车", "Free bus rides", ""),
    ("museum-pass", "免费参观博物馆与景区", "Free museums and sights", ""),
    ("health-check", "每年一次免费体检", "A free health check each year", "insured"),
    ("tax-relief", "招用退役士兵税收扣减", "Tax relief for the employer", "employed"),
)


def _read_certificate(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT v.certificate, v.served_from, v.served_until, v.placement FROM veteran v "
        "JOIN citizen c ON c.id = v.citizen WHERE c.number = ?",
        number,
    )
    if row is None:
        return None
    return {"number": row[0], "served_from": row[1], "served_until": row[2], "placement": row[3]}


def _read_holder(city: City, certificate: str) -> Record | None:
    row = city.one(
        "SELECT c.number FROM veteran v JOIN citizen c ON c.id = v.citizen WHERE v.certificate = ?",
        certificate,
    )
    return None if row is None else {"id_number": row[0]}


def _read_application(city: City, number: str) -> Record | None:
    """One application that is in every city; all others are made by apps."""
    if number != FIRST_APPLICATION:
        return None
    return {"number": number, "id_number": number_of("zhou-ming"), "served_from": "1992-12-01", "served_until": "1996-11-30",
            "applied_on": "2026-06-18"}  # fmt: skip


def _read_claim(city: City, number: str) -> Record | None:
    """One benefit that is drawn in every city; all others are claimed by apps."""
    if number != FIRST_CLAIM:
        return None
    return {"number": number, "id_number": number_of("guo-wei"), "benefit": "bus-pass", "since": "2024-08-01"}


CERTIFICATE = Kind("veteran-certificate", DEPARTMENT, _read_certificate)  # key: identity number
HOLDER = Kind("veteran-holder", DEPARTMENT, _read_holder)  # key: number of the certificate
APPLICATION = Kind("veteran-application", DEPARTMENT, _read_application)  # key: number of the application
CLAIM = Kind("benefit-claim", DEPARTMENT, _read_claim)  # key: number of the claim
