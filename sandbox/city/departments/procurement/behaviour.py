"""What public procurement does: tenders and awards in public, bids, and whether a company may supply at all.

Market regulation, tax, credit and justice are asked of every supplier. Source: 《中华人民共和国政府采购法》 article 22.
"""

from datetime import date
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.credit.records import company_of, owed_yuan, penalties_of
from sandbox.city.departments.justice.records import is_dishonest
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF, check_code
from sandbox.city.departments.procurement.records import (
    BID,
    SUBJECTS,
    TENDER,
    award_of,
    bids_for,
    number_of,
    tender_status,
)
from sandbox.city.numbering import location, next_serial
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "procurement", "公共资源交易中心", "Public Procurement Centre", Path(__file__).parent, protocol="http"
)

_CURSOR_INVALID = "procurement-cursor-invalid"
_MONTHS_LISTED = 6


def _months(today: date) -> list[date]:
    """The first days of the last months, the newest first."""
    month = today.replace(day=1)
    months = []
    for _ in range(_MONTHS_LISTED):
        months.append(month)
        month = date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)
    return months


def _recent(world: World) -> list[Record]:
    found = [
        world.get(TENDER, number_of(month, place))
        for month in _months(world.today)
        for place in range(1, len(SUBJECTS) + 1)
    ]
    return [one for one in found if one is not None]


def _shown(world: World, tender: Record) -> Record:
    shown = {name: value for name, value in tender.items() if name != "supplier_code"}
    return {**shown, "status": tender_status(world, tender)}


def _page(call: Call, found: list[Any], *filters: str) -> Answer:
    limit = call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, *filters) or 0)
    answer: dict[str, Any] = {"items": found[after : after + limit]}
    if len(found) > after + limit:
        answer["next"] = make_cursor(str(after + limit), *filters)
    return Answer(answer)


@department.operation("listTenders")
def list_tenders(call: Call) -> Answer:
    status, industry = call.text("status"), call.text("industry")
    found = [_shown(call.world, one) for one in _recent(call.world)]
    found = [one for one in found if status in {"", one["status"]} and industry in {"", one["industry"]}]
    return _page(call, found, status, industry)


def _tender(world: World, number: str) -> Record:
    tender = world.get(TENDER, number)
    if tender is None or tender["published_on"] > world.today.isoformat():
        raise Refused("procurement-tender-not-found", number=number)
    return tender


@department.operation("getTender")
def get_tender(call: Call) -> Answer:
    return Answer(_shown(call.world, _tender(call.world, str(call.path["number"]))))


@department.operation("listAwards")
def list_awards(call: Call) -> Answer:
    """The awards of the last months, the newest first; an app's own bid may have won."""
    world = call.world
    awards = []
    for tender in _recent(world):
        if tender_status(world, tender) != "awarded":
            continue
        code, price = award_of(world, tender)
        company = world.get(COMPANY_BRIEF, code) or {"name": ""}
        awards.append(
            {
                "tender_number": tender["number"],
                "name": tender["name"],
                "code": code,
                "supplier": company["name"],
                "price_yuan": price,
                "awarded_on": tender["awarded_on"],
            }
        )
    return _page(call, awards)


def obstacles_of(world: World, company: Record) -> list[str]:
    """Why the company may not supply the public; [] when nothing is in the way."""
    code, found = company["code"], []
    if company["status"] != "active":
        found.append("not-in-business")
    if company["is_abnormal"]:
        found.append("abnormal-operations-list")
    if is_dishonest(world, code):
        found.append("dishonest-debtor")
    if owed_yuan(world, code):
        found.append("tax-arrears")
    if any(one["amount_yuan"] >= 50_000 for one in penalties_of(world, code)):
        found.append("serious-penalty")
    return found


def _company(world: World, code: str) -> Record:
    check_code(code, "procurement-code-invalid")
    company = company_of(world, code)
    if company is None:
        raise Refused("procurement-supplier-unknown", code=code)
    return company


@department.operation("checkSupplier")
def check_supplier(call: Call) -> Answer:
    company, world = _company(call.world, str(call.path["code"])), call.world
    obstacles = obstacles_of(world, company)
    answer = {
        "code": company["code"],
        "name": company["name"],
        "is_eligible": not obstacles,
        "obstacles": obstacles,
    }
    return Answer({**answer, "checked_on": world.today.isoformat()})


@department.operation("submitBid")
def submit_bid(call: Call) -> Answer:
    body, world = call.body, call.world
    tender = _tender(world, body["tender_number"])
    company = _company(world, body["code"])
    if tender_status(world, tender) != "open":
        raise Refused("procurement-tender-closed", tender_number=tender["number"], closed=tender["closes_at"])
    obstacles = obstacles_of(world, company)
    if obstacles:
        raise Refused(
            "procurement-supplier-not-eligible", code=company["code"], obstacles=", ".join(obstacles)
        )
    if body["price_yuan"] > tender["ceiling_yuan"]:
        raise Refused("procurement-price-too-high", most_yuan=tender["ceiling_yuan"])
    known = next((one for one in bids_for(world, tender["number"]) if one["code"] == company["code"]), None)
    if known is not None:
        raise Refused("procurement-bid-submitted", number=known["number"])
    bid: Record = {
        "number": next_serial(world, BID, "TB"),
        **{name: body[name] for name in ("tender_number", "code", "price_yuan", "delivery_days")},
        "submitted_at": local_text(world.now),
    }
    world.put(BID, bid["number"], bid)
    where = location(call.context.service, f"/bids/{bid['number']}")
    return Answer(_bid_shown(world, bid), 201, [where])


def _bid(call: Call) -> Record:
    number = str(call.path["number"])
    bid = call.world.get(BID, number)
    if bid is None:
        raise Refused("procurement-bid-not-found", number=number)
    return bid


def _bid_shown(world: World, bid: Record) -> Record:
    if "withdrawn_at" in bid:
        return {**bid, "status": "withdrawn"}
    tender = world.get(TENDER, bid["tender_number"])
    if tender is None or tender_status(world, tender) != "awarded":
        return {**bid, "status": "submitted"}
    has_won = award_of(world, tender) == (bid["code"], bid["price_yuan"])
    return {**bid, "status": "won" if has_won else "lost"}


@department.operation("getBid")
def get_bid(call: Call) -> Answer:
    return Answer(_bid_shown(call.world, _bid(call)))


@department.operation("withdrawBid")
def withdraw_bid(call: Call) -> Answer:
    bid, world = _bid(call), call.world
    if "withdrawn_at" in bid:
        return Answer(_bid_shown(world, bid))
    tender = _tender(world, bid["tender_number"])
    if tender_status(world, tender) != "open":
        raise Refused("procurement-tender-closed", tender_number=tender["number"], closed=tender["closes_at"])
    kept = world.kept(BID, bid["number"]) or bid
    withdrawn = {**kept, "withdrawn_at": local_text(world.now)}
    world.put(BID, bid["number"], withdrawn)
    return Answer(_bid_shown(world, withdrawn))
