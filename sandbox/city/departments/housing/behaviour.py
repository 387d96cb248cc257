"""What housing does: contracts for second-hand homes and leases are filed here, and pre-sale permits are public.

Whose home it is, and what it is worth, is asked of real estate registration; whether it is frozen, of justice.
"""

from datetime import date
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.housing.projects import PROJECTS, project_shown
from sandbox.city.departments.housing.records import (
    LEASE,
    SALE_CONTRACT,
    lease_status,
    leases_of,
    sale_status,
    sales_of,
)
from sandbox.city.departments.justice.records import freeze_of
from sandbox.city.departments.real_estate.records import homes_of, settled, value_of
from sandbox.city.departments.tax.records import DEED_TAX
from sandbox.city.numbering import location, next_serial
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "housing", "住房和城乡建设局", "Housing and Construction Bureau", Path(__file__).parent, protocol="http"
)

_CURSOR_INVALID = "housing-cursor-invalid"
_LEAST_PER_CENT = 70  # of the assessed value: a price below is taken for a false one
_MOST_HOMES = 2  # that a buyer may own before he buys another
_LONGEST_LEASE_YEARS = 20  # Source: 《中华人民共和国民法典》 article 705


def _check_person(world: World, person: dict[str, Any]) -> Record:
    """The living citizen of that name and number."""
    citizen = world.get(CITIZEN, person["id_number"])
    if citizen is None or citizen["name"] != person["name"] or "died_on" in citizen:
        raise Refused("housing-person-unknown", name=person["name"])
    return citizen


def _home(world: World, unit: str) -> Record:
    home = settled(world, unit)
    if home is None:
        raise Refused("housing-unit-unknown", unit_number=unit)
    return home


def _check_owners(home: Record, people: list[dict[str, Any]]) -> None:
    """All owners together sell: who is missing has not agreed. Source: 《中华人民共和国民法典》 article 301."""
    if {one["id_number"] for one in people} != {one["id_number"] for one in home["owners"]}:
        raise Refused("housing-seller-not-owner", unit_number=home["unit_number"], owners=len(home["owners"]))


def _check_buyers(world: World, buyers: list[dict[str, Any]]) -> None:
    for buyer in buyers:
        citizen = _check_person(world, buyer)
        born = date.fromisoformat(citizen["born_on"])
        if (world.today.year - born.year) - (
            (world.today.month, world.today.day) < (born.month, born.day)
        ) < 18:
            raise Refused("housing-buyer-minor")
        if len(homes_of(world, buyer["id_number"])) >= _MOST_HOMES:
            raise Refused("housing-purchase-limit", most=_MOST_HOMES)


@department.operation("fileSaleContract")
def file_sale_contract(call: Call) -> Answer:
    body, world = call.body, call.world
    home = _home(world, body["unit_number"])
    for seller in body["sellers"]:
        _check_person(world, seller)
    _check_owners(home, body["sellers"])
    freeze = freeze_of(world, home["unit_number"])
    if freeze is not None:
        raise Refused("housing-home-frozen", unit_number=home["unit_number"], until=freeze["until"])
    under_way = next(
        (one for one in sales_of(world, home["unit_number"]) if sale_status(world, one) == "filed"), None
    )
    if under_way is not None:
        raise Refused("housing-contract-under-way", number=under_way["number"])
    _check_buyers(world, body["buyers"])
    least = value_of(home) * _LEAST_PER_CENT // 100
    if body["price_yuan"] < least:
        raise Refused("housing-price-too-low", least_yuan=least)
    if body["signed_on"] > world.today.isoformat():
        raise Refused("housing-date-in-future", day=body["signed_on"])
    share = 100 // len(body["buyers"])
    sale: Record = {
        "number": next_serial(world, SALE_CONTRACT, "HT"),
        "unit_number": home["unit_number"],
        "sellers": [{"name": one["name"], "id_number": one["id_number"]} for one in body["sellers"]],
        "buyers": [
            {"name": one["name"], "id_number": one["id_number"], "share_percent": share}
            for one in body["buyers"]
        ],
        "price_yuan": body["price_yuan"],
        "signed_on": body["signed_on"],
        "filed_at": local_text(world.now),
    }
    world.put(SALE_CONTRACT, sale["number"], sale)
    where = location(call.context.service, f"/sale-contracts/{sale['number']}")
    return Answer({**sale, "status": "filed"}, 201, [where])


def _sale(call: Call) -> Record:
    number = str(call.path["number"])
    sale = call.world.get(SALE_CONTRACT, number)
    if sale is None:
        raise Refused("housing-contract-not-found", number=number)
    return sale


@department.operation("getSaleContract")
def get_sale_contract(call: Call) -> Answer:
    sale = _sale(call)
    return Answer({**sale, "status": sale_status(call.world, sale)})


@department.operation("cancelSaleContract")
def cancel_sale_contract(call: Call) -> Answer:
    sale, world = _sale(call), call.world
    status = sale_status(world, sale)
    if status == "cancelled":
        return Answer({**sale, "status": status})
    home = settled(world, sale["unit_number"]) or {}
    is_in_transfer = home.get("transfer", {}).get("contract_number") == sale["number"]
    if status == "completed" or is_in_transfer:
        raise Refused("housing-contract-in-transfer", number=sale["number"])
    if world.get(DEED_TAX, sale["number"]) is not None:
        raise Refused("housing-contract-taxed", number=sale["number"])
    kept = world.kept(SALE_CONTRACT, sale["number"]) or sale
    cancelled = {"cancelled_at": local_text(world.now), "reason": call.body["reason"]}
    world.put(SALE_CONTRACT, sale["number"], {**kept, **cancelled})
    return Answer({**sale, **cancelled, "status": "cancelled"})


@department.operation("fileLease")
def file_lease(call: Call) -> Answer:
    body, world = call.body, call.world
    home = _home(world, body["unit_number"])
    _check_person(world, body["landlord"])
    _check_person(world, body["tenant"])
    if body["landlord"]["id_number"] not in {one["id_number"] for one in home["owners"]}:
        raise Refused("housing-landlord-not-owner", unit_number=home["unit_number"])
    starts, ends = date.fromisoformat(body["starts_on"]), date.fromisoformat(body["ends_on"])
    if not starts < ends <= date(starts.year + _LONGEST_LEASE_YEARS, starts.month, min(starts.day, 28)):
        raise Refused("housing-lease-period", years=_LONGEST_LEASE_YEARS)
    for other in leases_of(world, unit=home["unit_number"]):
        if other["starts_on"] <= body["ends_on"] and body["starts_on"] <= other["ends_on"]:
            raise Refused("housing-lease-overlap", number=other["number"], until=other["ends_on"])
    lease: Record = {
        "number": next_serial(world, LEASE, "ZL"),
        "unit_number": home["unit_number"],
        "landlord": body["landlord"],
        "tenant": body["tenant"],
        "rent_yuan": body["rent_yuan"],
        "starts_on": body["starts_on"],
        "ends_on": body["ends_on"],
    }
    world.put(LEASE, lease["number"], lease)
    where = location(call.context.service, f"/leases/{lease['number']}")
    return Answer({**lease, "status": lease_status(world, lease)}, 201, [where])


@department.operation("getLease")
def get_lease(call: Call) -> Answer:
    number = str(call.path["number"])
    lease = call.world.get(LEASE, number)
    if lease is None:
        raise Refused("housing-lease-not-found", number=number)
    return Answer({**lease, "status": lease_status(call.world, lease)})


@department.operation("listProjects")
def list_projects(call: Call) -> Answer:
    district, limit = call.text("district_code"), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, district) or 0)
    known = [
        one
        for one in PROJECTS
        if district in {"", one.district_code} and one.permitted_on <= call.world.today
    ]
    answer: dict[str, Any] = {
        "items": [project_shown(one, call.world.today) for one in known[after : after + limit]]
    }
    if len(known) > after + limit:
        answer["next"] = make_cursor(str(after + limit), district)
    return Answer(answer)


@department.operation("getProject")
def get_project(call: Call) -> Answer:
    permit = str(call.path["permit"])
    project = next((one for one in PROJECTS if one.permit == permit), None)
    if project is None or project.permitted_on > call.world.today:
        raise Refused("housing-project-not-found", permit=permit)
    return Answer(project_shown(project, call.world.today))
