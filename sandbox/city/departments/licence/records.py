"""Records of electronic licences: what each issuing department keeps, shown in one form; permits, revocations, codes.

A licence is made of the record of the department that issued it, at each call: when that changes, so does the licence.
"""

import hashlib
from collections.abc import Iterator

import msgspec

from sandbox.city.base import City
from sandbox.city.departments.disability.records import card_of
from sandbox.city.departments.market_regulation.records import COMPANY, LICENCE, licence_status
from sandbox.city.departments.real_estate.records import CERTIFICATE, homes_of, settled
from sandbox.city.departments.transport.records import DRIVING_LICENCE
from sandbox.city.departments.transport.records import licence_status as driving_status
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "licence"
TYPES = (  # type, names, holder, who issues it, what a bank or carrier checks it for
    ("business-licence", "营业执照", "Business licence", "company", "market-regulation"),
    ("food-permit", "食品经营许可证", "Food business permit", "company", "licence"),
    ("driving-licence", "机动车驾驶证", "Driving licence", "person", "transport"),
    ("property-certificate", "不动产权证书", "Real estate certificate", "person", "real-estate"),
    ("disability-card", "残疾人证", "Disability card", "person", "disability"),
)
PERSONAL = tuple(one[0] for one in TYPES if one[3] == "person")


def _read_permit(city: City, code: str) -> Record | None:
    """Food permits of the base: those who cook, sell or make food have one of five years."""
    row = city.one(
        "SELECT id, established_on, district FROM company WHERE code = ? AND industry IN ('13', '15', '61', '62')",
        code,
    )
    if row is None:
        return None
    year = max(2023, int(row[1][:4]))
    return {
        "number": f"JY{row[2]}{row[0]:08d}",
        "code": code,
        "issued_on": f"{year}-{row[1][5:7]}-28",
        "expires_on": f"{year + 5}-{row[1][5:7]}-27",
    }


def _read_nothing(city: City, key: str) -> Record | None:
    return None


def _read_presentation(city: City, code: str) -> Record | None:
    """The one code of the base, long expired: Lin Xi showed her driving licence."""
    if code != "EL0000000001":
        return None
    return {
        "code": code,
        "type": "driving-licence",
        "number": "990101198603140027",
        "expires_at": "2026-06-29T10:05:00+08:00",
    }


PERMIT = Kind("permit", DEPARTMENT, _read_permit)  # key: unified social credit code
REVOCATION = Kind("revocation", DEPARTMENT, _read_nothing)  # key: type and number
PRESENTATION = Kind("presentation", DEPARTMENT, _read_presentation)  # key: the one-time code


def digest_of(licence: Record) -> str:
    """32 hexadecimal digits over what the licence says, its status left out: a forged copy has another."""
    told = {name: value for name, value in licence.items() if name not in {"status", "digest"}}
    return hashlib.sha256(msgspec.json.encode(told, order="sorted")).hexdigest()[:32]


def _finished(world: World, licence: Record) -> Record:
    """The licence with its digest, and revoked where this department was told so."""
    revocation = world.get(REVOCATION, f"{licence['type']} {licence['number']}")
    if revocation is not None:
        licence["status"] = "revoked"
    licence["digest"] = digest_of(licence)
    return licence


def _of_company(world: World, code: str) -> Iterator[Record]:
    company, licence, permit = world.get(COMPANY, code), world.get(LICENCE, code), world.get(PERMIT, code)
    if company is None:
        return
    if licence is not None:
        yield _made("business-licence", licence, company["name"], code, company["registration_authority"],
                    str(licence.get("status") or licence_status(world, company, licence)))  # fmt: skip
    if permit is not None:
        status = "valid" if permit["expires_on"] >= world.today.isoformat() else "expired"
        status = status if company["status"] == "active" else "cancelled"
        yield _made("food-permit", permit, company["name"], code, company["registration_authority"], status)


def _made(kind: str, record: Record, holder: str, key: str, authority: str, status: str) -> Record:
    licence = {
        "type": kind,
        "number": record["number"],
        "holder": holder,
        "holder_code": key,
        "authority": authority,
        "issued_on": record["issued_on"],
        "status": status,
    }
    if "expires_on" in record:
        licence["expires_on"] = record["expires_on"]
    return licence


def _of_person(world: World, number: str) -> Iterator[Record]:
    citizen = world.get(CITIZEN, number)
    if citizen is None:
        return
    name = citizen["name"]
    driving = world.get(DRIVING_LICENCE, number)
    if driving is not None:
        yield _made(
            "driving-licence",
            driving,
            name,
            number,
            "开门市公安局交通警察支队",
            driving_status(world, driving),
        )
    for home in homes_of(world, number):
        record = {"number": home["certificate_number"], "issued_on": home["registered_on"]}
        yield _made("property-certificate", record, name, number, "开门市不动产登记中心", "valid")
    card = card_of(world, number)
    if card is not None:
        yield _made("disability-card", card, name, number, "开门市残疾人联合会", card["status"])


def licences_of_company(world: World, code: str) -> list[Record]:
    """The licences of a company, finished; [] where there is no such company."""
    return [_finished(world, one) for one in _of_company(world, code)]


def licences_of_person(world: World, number: str) -> list[Record]:
    """The licences of a citizen, finished; [] where there is nobody."""
    return [_finished(world, one) for one in _of_person(world, number)]


def find(world: World, kind: str, number: str) -> Record | None:
    """The licence of a type by its number, or None."""
    holders: list[str] = []
    if kind == "business-licence":
        row = world.city.one(
            "SELECT c.code FROM licence l JOIN company c ON c.id = l.company WHERE l.number = ?", number
        )
        holders = [row[0]] if row else []
        holders += [code for code, one in world.changed(LICENCE) if one and one["number"] == number]
    elif kind == "food-permit":
        serial = number[8:] if number[:2] == "JY" and number[2:].isdigit() else ""
        row = world.city.one("SELECT code FROM company WHERE id = ?", int(serial)) if serial else None
        holders = [row[0]] if row else []
        holders += [code for code, one in world.changed(PERMIT) if one and one["number"] == number]
    elif kind == "property-certificate":
        certificate = world.get(CERTIFICATE, number)
        home = settled(world, certificate["unit_number"]) if certificate else None
        holders = [owner["id_number"] for owner in home["owners"]] if home else []
    else:
        holders = [number[:18]]
    of = licences_of_person if kind in PERSONAL else licences_of_company
    found = [one for holder in holders for one in of(world, holder)]
    return next((one for one in found if (one["type"], one["number"]) == (kind, number)), None)
