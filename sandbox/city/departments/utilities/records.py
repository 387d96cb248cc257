"""Records of the utilities: accounts, payments, readings, outages. An account belongs to a home of the real estate register.

Usage and bills follow from the account and the calendar, so an account has bills for every month that the clock
reaches; only what somebody does with them is kept.
"""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.clock import ZONE, local_text
from sandbox.city.population import personas, places
from sandbox.city.population.named_people import HOMES
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "utilities"
FIRST_MONTH = (2025, 1)  # of the bills that are still shown
ISSUED_ON, DUE_ON = 5, 25  # days of the month after the month billed


class Supply(Struct, frozen=True):
    letter: str
    zh: str
    unit: str
    price_fen: int  # for one unit
    usage: tuple[int, int]  # of an ordinary month
    seasons: tuple[float, ...]  # by month, January first


SUPPLIES = {
    "electricity": Supply("E", "电", "kWh", 56, (140, 320), (1.3, 1.2, 1, .8, .8, 1.1, 1.6, 1.7, 1.2, .8, .9, 1.2)),
    "water": Supply("W", "水", "m3", 385, (6, 18), (1, 1, 1, 1, 1.1, 1.2, 1.3, 1.3, 1.1, 1, 1, 1)),
    "gas": Supply("G", "燃气", "m3", 298, (10, 30), (1.6, 1.5, 1.2, 1, .9, .8, .7, .7, .8, 1, 1.2, 1.5)),
    "heating": Supply("H", "供热", "GJ", 4600, (3, 7), (1.5, 1.3, .8, 0, 0, 0, 0, 0, 0, 0, .8, 1.4)),
}  # fmt: skip
BY_LETTER = {supply.letter: kind for kind, supply in SUPPLIES.items()}


def account_number(kind: str, home: int) -> str:
    """`E0000000001`: the letter of the supply and the home."""
    return f"{SUPPLIES[kind].letter}{home:010d}"


def _read_account(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT e.unit, e.registered_on, h.district, h.address, p.name, p.number FROM home e "
        "JOIN household h ON h.id = e.id JOIN ownership o ON o.home = e.id AND o.place = 0 "
        "JOIN citizen p ON p.id = o.citizen WHERE e.id = ?",
        int(number[1:]),
    )
    if row is None:
        return None
    name, id_number = row[4], row[5]
    is_late = number == _NEVER_TRANSFERRED
    if is_late:
        name, id_number = city.one("SELECT name, number FROM citizen WHERE number = ?", _FORMER_OWNER) or (
            name,
            id_number,
        )
    return {
        "account": number,
        "kind": BY_LETTER[number[0]],
        "unit_number": row[0],
        "district_code": row[2],
        "address": row[3],
        "holder": {"name": name, "number": id_number},
        "opened_on": row[1],
        "is_auto_paid": is_late
        or (Random(f"auto:{number}").random() < 0.6 and int(number[1:]) > _HOMES_OF_PERSONAS),
    }


_HOMES_OF_PERSONAS = len(HOMES)  # their bills wait for whoever follows their stories
_NEVER_TRANSFERRED = "E0000000012"  # maierdan bought the home in 2018; the account is still the seller's
_FORMER_OWNER = personas.number_of("zhou-ming")


def _read_nothing(city: City, key: str) -> Record | None:
    return None


def _read_outage(city: City, number: str) -> Record | None:
    return _KNOWN_OUTAGE if number == _KNOWN_OUTAGE["number"] else None


_KNOWN_OUTAGE: Record = {
    "number": "TX0000000001",
    "kind": "water",
    "district_code": "990103",
    "place": "开门市南样区回声巷31号",
    "description": "小区全部楼栋停水",
    "reported_at": "2026-06-30T07:40:00+08:00",
}
ACCOUNT = Kind("account", DEPARTMENT, _read_account)
PAYMENT = Kind("payment", DEPARTMENT, _read_nothing)  # key: account/month
READING = Kind("reading", DEPARTMENT, _read_nothing)  # key: account; the last one that was told
OUTAGE = Kind("outage", DEPARTMENT, _read_outage)
_DISPATCHED, _RESTORED = timedelta(minutes=30), timedelta(hours=4)


def months_until(today: date) -> list[str]:
    """The months billed until this day, oldest first: `2026-05` is billed on the fifth of June."""
    year, month = FIRST_MONTH
    found = []
    while (issue := _day_after(year, month, ISSUED_ON)) <= today and issue.year < 2100:
        found.append(f"{year}-{month:02d}")
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found


def _day_after(year: int, month: int, day: int) -> date:
    return date(year + 1, 1, day) if month == 12 else date(year, month + 1, day)


def usage_of(number: str, month: str) -> int:
    """What was used in a month, in units of the supply."""
    supply = SUPPLIES[BY_LETTER[number[0]]]
    ordinary = Random(f"ordinary:{number}").uniform(*supply.usage)
    return round(
        ordinary * supply.seasons[int(month[5:]) - 1] * Random(f"{number}:{month}").uniform(0.85, 1.15)
    )


def bill_of(world: World, account: Record, month: str) -> dict[str, Any]:
    """The bill of a month and what became of it by the clock."""
    number, supply = account["account"], SUPPLIES[account["kind"]]
    usage = usage_of(number, month)
    due = _day_after(int(month[:4]), int(month[5:]), DUE_ON)
    bill: dict[str, Any] = {
        "month": month,
        "usage": usage,
        "unit": supply.unit,
        "amount_yuan": usage * supply.price_fen / 100,
        "issued_on": due.replace(day=ISSUED_ON).isoformat(),
        "due_on": due.isoformat(),
    }
    payment = world.get(PAYMENT, f"{number}/{month}")
    if payment is not None:
        return bill | {"status": "paid", "paid_at": payment["paid_at"]}
    is_former_holders = bill["due_on"] <= account["opened_on"]
    paid_by_habit = account["is_auto_paid"] or month <= "2026-04" or usage == 0 or is_former_holders
    if paid_by_habit and due <= world.today:
        moment = datetime(due.year, due.month, due.day, 9, tzinfo=ZONE)
        return bill | {"status": "paid", "paid_at": local_text(moment)}
    return bill | {"status": "overdue" if due < world.today else "due"}


def bills_of(world: World, account: Record) -> list[dict[str, Any]]:
    """All bills until today, the latest first; a month without use has none."""
    months = months_until(world.today)
    found = [bill_of(world, account, month) for month in reversed(months)]
    return [bill for bill in found if bill["usage"]]


def due_yuan(world: World, account: Record) -> float:
    """What is still to be paid."""
    owed: float = sum(bill["amount_yuan"] for bill in bills_of(world, account) if bill["status"] != "paid")
    return round(owed, 2)


def reading_of(world: World, account: Record) -> int:
    """What the meter shows: what was told last, else what was billed until now."""
    told = world.get(READING, account["account"])
    number = account["account"]
    billed = Random(f"meter:{number}").randint(200, 4000)
    billed += sum(usage_of(number, month) for month in months_until(world.today))
    return max(billed, told["reading"] if told is not None else 0)


def outage_status(world: World, outage: Record) -> str:
    """reported, dispatched or restored, as of the clock."""
    if "starts_at" in outage:
        return "planned" if outage["starts_at"] > local_text(world.now) else "dispatched"
    age = world.now - datetime.fromisoformat(outage["reported_at"])
    return "restored" if age >= _RESTORED else "dispatched" if age >= _DISPATCHED else "reported"


def restored_at(outage: Record) -> datetime:
    """When an outage that was reported will be over."""
    return datetime.fromisoformat(outage["reported_at"]) + _RESTORED


def planned_outages(today: date) -> list[Record]:
    """The work announced for the week of this day: one or two districts each week, on Wednesday night."""
    monday = today - timedelta(days=today.weekday())
    random = Random(f"works:{monday}")
    day = monday + timedelta(days=2)
    found = []
    for place in sorted(random.sample(range(len(places.DISTRICTS)), random.randint(1, 2))):
        district, street = places.DISTRICTS[place], random.choice(places.STREETS)
        starts = datetime(day.year, day.month, day.day, 22, tzinfo=ZONE)
        found.append(
            {
                "number": f"JH{day:%Y%m%d}{place + 1:02d}",
                "kind": random.choice(("electricity", "water", "gas")),
                "district_code": district.code,
                "place": f"{places.CITY[0]}{district.zh}{street[0]}",
                "description": "计划检修",
                "starts_at": local_text(starts),
                "ends_at": local_text(starts + timedelta(hours=7)),
            }
        )
    return found
