"""Records of real estate registration: homes by unit number, certificates and mortgages by their numbers.

A transfer that was applied for is kept with the home and takes effect when its time has come: `settled` tells
who owns a home now, by the clock of the app.
"""

import re
from datetime import datetime
from typing import Any

from sandbox.city.base import City
from sandbox.city.population.chapters.homes import BANKS
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "real-estate"
VALUES_YUAN = {  # what a square metre is taxed at, by district; invented
    "990101": 16_800, "990102": 15_400, "990103": 14_200, "990104": 13_600, "990105": 17_500, "990106": 8_900,
}  # fmt: skip
_CERTIFICATE = re.compile(r"虚（\d{4}）开门市不动产权第(\d{7})号")
_MORTGAGE = re.compile(r"虚（\d{4}）开门市不动产证明第(\d{7})号")
_HOME = (
    "SELECT e.id, e.unit, h.district, h.address, h.english_address, e.area_dm2, e.built, e.registered_on, e.acquired, "
    "e.contract FROM home e JOIN household h ON h.id = e.id WHERE e.unit = ?"
)


def certificate_number(year: int, serial: int) -> str:
    """`虚（2014）开门市不动产权第0000001号`: 虚 stands where a province has its short name."""
    return f"虚（{year}）开门市不动产权第{serial:07d}号"


def mortgage_number(year: int, serial: int) -> str:
    """`虚（2014）开门市不动产证明第0000001号`."""
    return f"虚（{year}）开门市不动产证明第{serial:07d}号"


def _read_home(city: City, unit: str) -> Record | None:
    row = city.one(_HOME, unit)
    if row is None:
        return None
    owners = city.all(
        "SELECT p.name, p.number, o.share_basis_points FROM ownership o JOIN citizen p ON p.id = o.citizen "
        "WHERE o.home = ? ORDER BY o.place",
        row[0],
    )
    home: Record = {
        "unit_number": row[1],
        "district_code": row[2],
        "address": row[3],
        "english_address": row[4],
        "area_m2": row[5] / 100,
        "built": row[6],
        "registered_on": row[7],
        "acquired": row[8],
        "certificate_number": certificate_number(int(row[7][:4]), row[0]),
        "owners": [
            {"name": name, "id_number": number, "share_percent": share / 100}
            for name, number, share in owners
        ],
    }
    if row[9] is not None:
        home["contract_number"] = row[9]
    return home


def _read_certificate(city: City, number: str) -> Record | None:
    found = _CERTIFICATE.fullmatch(number)
    row = city.one("SELECT unit, registered_on FROM home WHERE id = ?", int(found[1])) if found else None
    if row is None or certificate_number(int(row[1][:4]), int(found[1] if found else 0)) != number:
        return None
    return {"number": number, "unit_number": row[0]}


_MORTGAGE_COLUMNS = "SELECT m.home, e.unit, m.bank, m.amount_yuan, m.since, m.released_on FROM mortgage m JOIN home e ON e.id = m.home"


def _mortgage(row: tuple[Any, ...]) -> Record:
    record = {
        "number": mortgage_number(int(row[4][:4]), row[0]),
        "unit_number": row[1],
        "bank_code": row[2],
        "bank": BANKS[row[2]][0],
        "amount_yuan": row[3],
        "since": row[4],
    }
    if row[5] is not None:
        record["released_on"] = row[5]
    return record


def _read_mortgage(city: City, number: str) -> Record | None:
    found = _MORTGAGE.fullmatch(number)
    row = city.one(f"{_MORTGAGE_COLUMNS} WHERE m.home = ?", int(found[1])) if found else None
    record = None if row is None else _mortgage(row)
    return record if record is not None and record["number"] == number else None


def _read_transfer(city: City, number: str) -> Record | None:
    """Of the base, the transfers that stand in a sale contract: one to three days after it was signed."""
    contract = number.replace("BD", "HT", 1)
    row = city.one(
        "SELECT e.unit, e.registered_on, e.id, s.signed_on FROM home e JOIN sale_contract s ON s.number = e.contract "
        "WHERE e.contract = ?",
        contract,
    )
    if row is None:
        return None
    return {
        "number": number,
        "unit_number": row[0],
        "contract_number": contract,
        "applied_at": f"{row[3]}T10:00:00+08:00",
        "registers_at": f"{row[1]}T10:00:00+08:00",
        "certificate_number": certificate_number(int(row[1][:4]), row[2]),
    }


HOME = Kind("home", DEPARTMENT, _read_home)
CERTIFICATE = Kind("certificate", DEPARTMENT, _read_certificate)  # {number, unit_number, status where set}
MORTGAGE = Kind("mortgage", DEPARTMENT, _read_mortgage)
TRANSFER = Kind("transfer", DEPARTMENT, _read_transfer)


def settled(world: World, unit: str) -> Record | None:
    """The home as it is registered now: a transfer whose time has come is carried out. None for no such home."""
    home = world.get(HOME, unit)
    transfer = None if home is None else home.get("transfer")
    if home is None or transfer is None or datetime.fromisoformat(transfer["registers_at"]) > world.now:
        return home
    after = {**home, **{name: transfer[name] for name in ("owners", "certificate_number", "contract_number")}}
    after["registered_on"] = transfer["registers_at"][:10]
    after["acquired"] = "purchase"
    del after["transfer"]
    return after


def mortgages_of(world: World, unit: str) -> list[Record]:
    """The mortgages on a home that are not released, oldest first."""
    row = world.city.one(f"{_MORTGAGE_COLUMNS} WHERE e.unit = ?", unit)
    numbers = [] if row is None else [_mortgage(row)["number"]]
    found = [world.get(MORTGAGE, number) for number in numbers]
    found += [one for number, one in world.changed(MORTGAGE) if number not in numbers]
    return [
        one for one in found if one is not None and one["unit_number"] == unit and "released_on" not in one
    ]


def homes_of(world: World, id_number: str) -> list[Record]:
    """The homes that a citizen owns, alone or with others, in order of unit number."""
    units = {
        unit
        for (unit,) in world.city.all(
            "SELECT e.unit FROM citizen p JOIN ownership o ON o.citizen = p.id JOIN home e ON e.id = o.home "
            "WHERE p.number = ?",
            id_number,
        )
    }
    units |= {unit for unit, _ in world.changed(HOME)}
    homes = [settled(world, unit) for unit in sorted(units)]
    return [one for one in homes if one and any(owner["id_number"] == id_number for owner in one["owners"])]


def value_of(home: Record) -> int:
    """The assessed value in yuan, a multiple of a thousand."""
    return int(home["area_m2"] * VALUES_YUAN[home["district_code"]]) // 1000 * 1000
