"""Records of public procurement: tenders by number, bids of apps.

Tenders are not stored: every month brings the same four anew. They are published on the 1st, close on the 10th of
the next month at 17:00, and are awarded on the 20th, so there is one to bid for on any day of the app's clock.
"""

import re
from datetime import date, datetime

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.clock import ZONE, local_text
from sandbox.city.population import personas
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "procurement"
FIRST_MONTH = date(2025, 1, 1)
_NUMBER = re.compile(r"ZB(\d{4})(0[1-9]|1[0-2])0([1-4])")


class Subject(Struct, frozen=True):
    """What is bought every month: who buys, in which industry the supplier is, the most it may cost, who supplied it last."""

    name: str
    english_name: str
    buyer: str
    industry: str
    ceiling_yuan: int
    supplier: str  # a persona


SUBJECTS = (
    Subject("政务云资源扩容", "Extension of the government cloud", "开门市政务服务数据管理局", "65", 1_200_000, "chuchen-software"),
    Subject("机关接待用茶", "Tea for official receptions", "开门市机关事务管理局", "15", 90_000, "manshan-tea"),
    Subject("水泵检修与更换", "Repair and replacement of pumps", "开门市水务局", "34", 2_600_000, "hengzhu-machinery"),
    Subject("办公用品框架采购", "Framework for office supplies", "开门市财政局", "51", 300_000, "manshan-tea"),
)  # fmt: skip


def number_of(month: date, place: int) -> str:
    """`ZB20260601`: year, month, and which of the four."""
    return f"ZB{month:%Y%m}{place:02d}"


def next_month(month: date) -> date:
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _read_tender(city: City, number: str) -> Record | None:
    found = _NUMBER.fullmatch(number)
    if found is None:
        return None
    month, subject = date(int(found[1]), int(found[2]), 1), SUBJECTS[int(found[3]) - 1]
    if month < FIRST_MONTH:
        return None
    after = next_month(month)
    return {
        "number": number,
        "name": subject.name,
        "english_name": subject.english_name,
        "buyer": subject.buyer,
        "industry": subject.industry,
        "ceiling_yuan": subject.ceiling_yuan,
        "published_on": month.isoformat(),
        "closes_at": local_text(datetime(after.year, after.month, 10, 17, tzinfo=ZONE)),
        "awarded_on": after.replace(day=20).isoformat(),
        "supplier_code": personas.code_of(subject.supplier),
    }


def _read_bid(city: City, number: str) -> Record | None:
    """One bid of the base: of Manshan Tea, for the tea of May 2026, which it won."""
    if number != "TB20260520000001":
        return None
    return {
        "number": number,
        "tender_number": "ZB20260502",
        "code": personas.code_of("manshan-tea"),
        "price_yuan": 72_000,
        "delivery_days": 10,
        "submitted_at": "2026-05-20T11:00:00+08:00",
    }


TENDER = Kind("tender", DEPARTMENT, _read_tender)
BID = Kind("bid", DEPARTMENT, _read_bid)


def tender_status(world: World, tender: Record) -> str:
    """open, evaluating or awarded, by the app's clock."""
    if world.now < datetime.fromisoformat(tender["closes_at"]):
        return "open"
    return "awarded" if tender["awarded_on"] <= world.today.isoformat() else "evaluating"


def usual_price(tender: Record) -> int:
    """What the supplier of the last time asks: 88 % of the ceiling."""
    return int(tender["ceiling_yuan"]) * 88 // 100


def bids_for(world: World, number: str) -> list[Record]:
    """The bids for a tender that are not withdrawn, the lowest first."""
    base = world.get(BID, "TB20260520000001")
    found = {key: one for key, one in world.changed(BID) if one is not None}
    if base is not None:
        found.setdefault(base["number"], base)
    bids = [one for one in found.values() if one["tender_number"] == number and "withdrawn_at" not in one]
    return sorted(bids, key=lambda one: (one["price_yuan"], one["number"]))


def award_of(world: World, tender: Record) -> tuple[str, int]:
    """Code and price of who wins: the lowest bid, where it is lower than what the last supplier asks."""
    bids = bids_for(world, tender["number"])
    if bids and bids[0]["price_yuan"] < usual_price(tender):
        return bids[0]["code"], bids[0]["price_yuan"]
    return tender["supplier_code"], usual_price(tender)
