"""What real estate registration does: certificates, transfers and mortgages of homes.

Before a home changes hands it asks three others: housing for the contract, tax for the deed tax, justice for a
freeze. A transfer takes three days by the app's clock.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.housing.records import SALE_CONTRACT, sale_status
from sandbox.city.departments.justice.records import freeze_of
from sandbox.city.departments.real_estate.records import (
    CERTIFICATE,
    HOME,
    MORTGAGE,
    TRANSFER,
    certificate_number,
    homes_of,
    mortgage_number,
    mortgages_of,
    settled,
    value_of,
)
from sandbox.city.departments.tax.records import DEED_TAX
from sandbox.city.numbering import location, next_serial
from sandbox.city.population.chapters.homes import BANKS
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

department = Department(
    "real-estate", "不动产登记中心", "Real Estate Registration Centre", Path(__file__).parent, protocol="soap"
)

_DAYS_TO_REGISTER = 3
_OWN_SERIALS = 8_000_001  # of what apps register; those of the base are the ids of homes
_MOST_PER_CENT = 80  # of a home's value may be borrowed on it


def _home(call: Call, unit: str, slug: str = "realestate-unit-not-found") -> Record:
    home = settled(call.world, unit)
    if home is None:
        raise Refused(slug, unit_number=unit)
    return home


def _certificate(call: Call) -> tuple[Record, Record]:
    """The certificate of the path with its status, and its home."""
    number = str(call.path["number"])
    certificate = call.world.get(CERTIFICATE, number)
    home = None if certificate is None else settled(call.world, certificate["unit_number"])
    is_future = home is not None and home.get("transfer", {}).get("certificate_number") == number
    if certificate is None or home is None or is_future:
        raise Refused("realestate-certificate-not-found", number=number)
    status = "valid" if home["certificate_number"] == number else "cancelled"
    return {**certificate, "status": certificate.get("status", status)}, home


@department.operation("getCertificate")
def get_certificate(call: Call) -> Answer:
    certificate, home = _certificate(call)
    if certificate["status"] == "cancelled":
        raise Refused("realestate-certificate-cancelled", number=certificate["number"])
    return Answer(
        {
            "number": certificate["number"],
            "status": certificate["status"],
            "unit_number": home["unit_number"],
            "owners": home["owners"],
            "district_code": home["district_code"],
            "address": home["address"],
            "usage": "residential",
            "area_m2": home["area_m2"],
            "built": home["built"],
            "acquired": home["acquired"],
            "registered_on": home["registered_on"],
            **_burdens(call.world, home["unit_number"]),
        }
    )


def _burdens(world: World, unit: str) -> dict[str, bool]:
    return {
        "is_mortgaged": bool(mortgages_of(world, unit)),
        "is_frozen": freeze_of(world, unit) is not None,
    }


@department.operation("verifyCertificate")
def verify_certificate(call: Call) -> Answer:
    certificate, home = _certificate(call)
    holders = {owner["name"] for owner in home["owners"]}
    is_holder = call.text("holder") in holders
    is_valid = certificate["status"] == "valid"
    return Answer(
        {
            "number": certificate["number"],
            "matches": is_holder and is_valid,
            "status": certificate["status"],
            **_burdens(call.world, home["unit_number"]),
        }
    )


@department.operation("getUnit")
def get_unit(call: Call) -> Answer:
    home = _home(call, str(call.path["unit_number"]))
    answer = {
        "unit_number": home["unit_number"],
        "certificate_number": home["certificate_number"],
        "district_code": home["district_code"],
        "usage": "residential",
        "area_m2": home["area_m2"],
        "built": home["built"],
        "assessed_value_yuan": value_of(home),
        "owner_count": len(home["owners"]),
        **_burdens(call.world, home["unit_number"]),
        "is_being_transferred": "transfer" in home,
    }
    return Answer(answer)


@department.operation("listHoldings")
def list_holdings(call: Call) -> Answer:
    id_number = call.body["id_number"]
    if call.world.get(CITIZEN, id_number) is None:
        raise Refused("realestate-person-unknown")
    items = []
    for home in homes_of(call.world, id_number):
        share = next(owner for owner in home["owners"] if owner["id_number"] == id_number)
        items.append(
            {
                "certificate_number": home["certificate_number"],
                "unit_number": home["unit_number"],
                "address": home["address"],
                "area_m2": home["area_m2"],
                "share_percent": share["share_percent"],
                "registered_on": home["registered_on"],
                **_burdens(call.world, home["unit_number"]),
            }
        )
    return Answer({"id_number": id_number, "items": items})


def _next_own(world: World, kind: Kind) -> int:
    return _OWN_SERIALS + sum(1 for _ in world.changed(kind))


@department.operation("applyTransfer")
def apply_transfer(call: Call) -> Answer:
    world, contract_number = call.world, call.body["contract_number"]
    sale = world.get(SALE_CONTRACT, contract_number)
    if sale is None:
        raise Refused("realestate-contract-not-filed", contract_number=contract_number)
    status = sale_status(world, sale)
    if status != "filed":
        raise Refused("realestate-contract-not-valid", contract_number=contract_number, state=status)
    unit = sale["unit_number"]
    home = _home(call, unit)
    if "transfer" in home:
        raise Refused("realestate-transfer-under-way", number=home["transfer"]["number"])
    if {one["id_number"] for one in home["owners"]} != {one["id_number"] for one in sale["sellers"]}:
        raise Refused("realestate-seller-not-owner", unit_number=unit)
    _check_burdens(world, unit)
    if world.get(DEED_TAX, contract_number) is None:
        raise Refused("realestate-deed-tax-unpaid", contract_number=contract_number)
    moment = world.now + timedelta(days=_DAYS_TO_REGISTER)
    number = next_serial(world, TRANSFER, "BD")
    transfer: Record = {
        "number": number,
        "unit_number": unit,
        "contract_number": contract_number,
        "applied_at": local_text(world.now),
        "registers_at": local_text(moment),
        "certificate_number": certificate_number(moment.year, _next_own(world, CERTIFICATE)),
    }
    world.put(TRANSFER, number, transfer)
    kept = world.kept(HOME, unit) or home
    world.put(HOME, unit, {**_carried_out(kept, home), "transfer": {**transfer, "owners": sale["buyers"]}})
    certificate = {"number": transfer["certificate_number"], "unit_number": unit}
    world.put(CERTIFICATE, certificate["number"], certificate)
    told = {
        name: transfer[name] for name in ("number", "unit_number", "contract_number", "certificate_number")
    }
    event = Event(
        "realestate.transfer.registered", number, {**told, "registered_at": local_text(moment)}, moment
    )
    where = location(call.context.service, f"/transfers/{number}")
    return Answer(_shown(world, transfer), 201, [where], [event])


def _carried_out(kept: Record, home: Record) -> Record:
    """The home as it is kept, an earlier transfer that has taken effect carried out in it."""
    return home if "transfer" in kept else kept


def _check_burdens(world: World, unit: str) -> None:
    freeze = freeze_of(world, unit)
    if freeze is not None:
        raise Refused("realestate-frozen", unit_number=unit, until=freeze["until"])
    if mortgages_of(world, unit):
        raise Refused("realestate-mortgaged", unit_number=unit)


def _shown(world: World, transfer: Record) -> Record:
    is_done = transfer["registers_at"] <= local_text(world.now)
    shown = {
        name: transfer[name]
        for name in ("number", "unit_number", "contract_number", "applied_at", "registers_at")
    }
    shown["status"] = "registered" if is_done else "accepted"
    if is_done:
        shown["certificate_number"] = transfer["certificate_number"]
    return shown


@department.operation("getTransfer")
def get_transfer(call: Call) -> Answer:
    number = str(call.path["number"])
    transfer = call.world.get(TRANSFER, number)
    if transfer is None:
        raise Refused("realestate-transfer-not-found", number=number)
    return Answer(_shown(call.world, transfer))


@department.operation("registerMortgage")
def register_mortgage(call: Call) -> Answer:
    body, world = call.body, call.world
    unit, bank, amount = body["unit_number"], body["bank_code"], body["amount_yuan"]
    if bank not in BANKS:
        raise Refused("realestate-bank-unknown", bank_code=bank)
    home = _home(call, unit)
    if "transfer" in home:
        raise Refused("realestate-transfer-under-way", number=home["transfer"]["number"])
    freeze = freeze_of(world, unit)
    if freeze is not None:
        raise Refused("realestate-frozen", unit_number=unit, until=freeze["until"])
    owed = sum(one["amount_yuan"] for one in mortgages_of(world, unit))
    most = value_of(home) * _MOST_PER_CENT // 100
    if owed + amount > most:
        raise Refused("realestate-mortgage-exceeds-value", most_yuan=max(0, most - owed))
    number = mortgage_number(world.today.year, _next_own(world, MORTGAGE))
    mortgage: Record = {
        "number": number,
        "unit_number": unit,
        "bank_code": bank,
        "bank": BANKS[bank][0],
        "amount_yuan": amount,
        "since": world.today.isoformat(),
    }
    world.put(MORTGAGE, number, mortgage)
    return Answer(_mortgage_shown(mortgage), 201, [location(call.context.service, "/mortgages")])


def _mortgage_shown(mortgage: Record) -> dict[str, Any]:
    return {**mortgage, "status": "released" if "released_on" in mortgage else "registered"}


def _mortgage(call: Call) -> Record:
    number = str(call.path["number"])
    mortgage = call.world.get(MORTGAGE, number)
    if mortgage is None:
        raise Refused("realestate-mortgage-not-found", number=number)
    return mortgage


@department.operation("getMortgage")
def get_mortgage(call: Call) -> Answer:
    return Answer(_mortgage_shown(_mortgage(call)))


@department.operation("releaseMortgage")
def release_mortgage(call: Call) -> Answer:
    mortgage, world = _mortgage(call), call.world
    if mortgage["bank_code"] != call.body["bank_code"]:
        raise Refused("realestate-mortgage-other-bank", number=mortgage["number"], bank=mortgage["bank"])
    if "released_on" in mortgage:
        raise Refused("realestate-mortgage-released", number=mortgage["number"], day=mortgage["released_on"])
    kept = world.kept(MORTGAGE, mortgage["number"]) or mortgage
    released = {**kept, "released_on": world.today.isoformat()}
    world.put(MORTGAGE, mortgage["number"], released)
    return Answer(_mortgage_shown({**mortgage, "released_on": released["released_on"]}))
