"""Records of culture and tourism: visits that were booked and library cards; museums and events follow from the calendar."""

from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.clock import ZONE, local_text
from sandbox.city.population import personas
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "culture-tourism"
SLOTS = ("09:00", "11:00", "14:00", "16:00")
BOOKABLE_DAYS = 7


class Museum(Struct, frozen=True):
    id: str
    zh: str
    en: str
    district: str
    closed_on: int  # weekday, Monday is 0
    capacity: int  # of a slot
    fee_yuan: int = 0


MUSEUMS = (
    Museum("M01", "开门博物馆", "Kaimen Museum", "990101", 0, 400),
    Museum("M02", "开门美术馆", "Kaimen Art Gallery", "990102", 0, 250, 20),
    Museum("M03", "样湖科技馆", "Sample Lake Science Centre", "990105", 1, 600, 30),
    Museum("M04", "样山茶文化馆", "Sample Hill Tea Museum", "990106", 2, 60),
)
BY_ID = {museum.id: museum for museum in MUSEUMS}
_SHOWS = (
    ("折子戏专场", "Opera highlights"), ("室内乐音乐会", "Chamber music"), ("儿童剧", "A play for children"),
    ("样湖龙舟展演", "Dragon boats on Sample Lake"), ("茶艺体验", "Tea ceremony"), ("古籍讲座", "A talk on old books"),
)  # fmt: skip
_STAGES = (
    ("开门大剧院", "990101"),
    ("西样文化馆", "990102"),
    ("样湖广场", "990105"),
    ("样山茶文化馆", "990106"),
)

_BOOKED: dict[str, Record] = {
    "CG0000000001": {
        "number": "CG0000000001",
        "museum": "M01",
        "day": "2026-07-05",
        "slot": "09:00",
        "visitor": {"name": "沈若涵", "number": personas.number_of("shen-ruohan")},
        "booked_at": "2026-06-29T20:10:00+08:00",
    }
}
_CARDS: dict[str, Record] = {
    personas.number_of("lin-xi"): {
        "number": "TS0000000001",
        "holder": {"name": "林溪", "number": personas.number_of("lin-xi")},
        "issued_on": "2024-03-02",
        "expires_on": "2029-03-01",
    }
}


def _read_booking(city: City, number: str) -> Record | None:
    return _BOOKED.get(number)


def _read_card(city: City, number: str) -> Record | None:
    return _CARDS.get(number)


BOOKING = Kind("booking", DEPARTMENT, _read_booking)
CARD = Kind("library-card", DEPARTMENT, _read_card)  # key: the identity number of its holder


def bookings_of(world: World) -> list[Record]:
    """All bookings that this app sees and that were not cancelled, by number."""
    found = {number: world.get(BOOKING, number) for number in _BOOKED} | dict(world.changed(BOOKING))
    return [one for _, one in sorted(found.items()) if one is not None and "cancelled_at" not in one]


def begins_at(day: str, slot: str) -> datetime:
    """When a slot begins."""
    return datetime.combine(date.fromisoformat(day), time.fromisoformat(slot), ZONE)


def left_of(world: World, museum: Museum, day: date, slot: str) -> int:
    """Places still free in a slot: other visitors take theirs too, the app's bookings come off that."""
    taken = Random(f"{museum.id}:{day}:{slot}").randint(0, museum.capacity)
    if Random(f"full:{museum.id}:{day}").random() < 0.1 and slot == "14:00":
        taken = museum.capacity
    wanted = (museum.id, day.isoformat(), slot)
    own = sum(1 for one in bookings_of(world) if (one["museum"], one["day"], one["slot"]) == wanted)
    return max(0, museum.capacity - taken - own)


def slots_of(world: World, museum: Museum, day: date) -> list[dict[str, Any]]:
    """The slots of a day and what is left of them; none on the day of rest."""
    if day.weekday() == museum.closed_on:
        return []
    return [
        {
            "slot": slot,
            "left": left_of(world, museum, day, slot),
            "is_open": begins_at(day.isoformat(), slot) > world.now
            and (day - world.today).days <= BOOKABLE_DAYS,
        }
        for slot in SLOTS
    ]


def booking_status(world: World, booking: Record) -> str:
    """booked, visited or cancelled, as of the clock."""
    if "cancelled_at" in booking:
        return "cancelled"
    return "visited" if begins_at(booking["day"], booking["slot"]) <= world.now else "booked"


def events_from(today: date, days: int = 14) -> list[dict[str, Any]]:
    """What is on in the next days, the earliest first."""
    found = []
    for offset in range(days):
        day = today + timedelta(days=offset)
        random = Random(f"stage:{day}")
        for place in sorted(random.sample(range(len(_STAGES)), random.randint(0, 2))):
            show = random.choice(_SHOWS)
            begins = datetime.combine(day, time(random.choice((10, 14, 19)), 30), ZONE)
            found.append(
                {
                    "event": f"WH{day:%Y%m%d}{place + 1:02d}",
                    "title": show[0],
                    "english_title": show[1],
                    "venue": _STAGES[place][0],
                    "district_code": _STAGES[place][1],
                    "begins_at": local_text(begins),
                    "fee_yuan": random.choice((0, 0, 20, 60)),
                }
            )
    return sorted(found, key=lambda one: (one["begins_at"], one["event"]))
