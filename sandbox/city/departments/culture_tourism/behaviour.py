"""What culture and tourism does: museums and their slots, visits under one's real name, what is on, library cards.

Who a visitor is, public security says.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.culture_tourism.records import (
    BOOKABLE_DAYS,
    BOOKING,
    BY_ID,
    CARD,
    MUSEUMS,
    Museum,
    begins_at,
    booking_status,
    bookings_of,
    events_from,
    left_of,
    slots_of,
)
from sandbox.city.departments.public_security.records import named
from sandbox.city.numbering import created, next_number
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record

department = Department(
    "culture-tourism", "文化和旅游局", "Culture and Tourism Bureau", Path(__file__).parent, protocol="http"
)

_CURSOR_INVALID = "culture-cursor-invalid"
_CARD_YEARS = 5
_LEAST_AGE_OF_CARD = 6


def _museum(museum: str) -> Museum:
    found = BY_ID.get(museum)
    if found is None:
        raise Refused("culture-museum-not-found", museum=museum)
    return found


@department.operation("listMuseums")
def list_museums(call: Call) -> Answer:
    district = call.text("district")
    weekday = call.world.today.weekday()
    return Answer(
        {
            "items": [
                {
                    "museum": one.id,
                    "name": one.zh,
                    "english_name": one.en,
                    "district_code": one.district,
                    "fee_yuan": one.fee_yuan,
                    "is_open_today": one.closed_on != weekday,
                }
                for one in MUSEUMS
                if district in {"", one.district}
            ]
        }
    )


@department.operation("listSlots")
def list_slots(call: Call) -> Answer:
    museum = _museum(str(call.path["museum"]))
    day = date.fromisoformat(call.text("day"))
    if not 0 <= (day - call.world.today).days <= 60:
        raise Refused("culture-day-not-bookable", day=day.isoformat())
    return Answer({"museum": museum.id, "day": day.isoformat(), "items": slots_of(call.world, museum, day)})


@department.operation("listEvents")
def list_events(call: Call) -> Answer:
    district, limit = call.text("district"), call.number("limit", 20)
    after = read_cursor(call.text("cursor"), _CURSOR_INVALID, district, form="[0-9T:+-]{25}WH[0-9]{10}")
    events = [one for one in events_from(call.world.today) if district in {"", one["district_code"]}]
    events = [one for one in events if one["begins_at"] + one["event"] > after]
    answer: dict[str, Any] = {"items": events[:limit]}
    if len(events) > limit:
        last = events[limit - 1]
        answer["next"] = make_cursor(last["begins_at"] + last["event"], district)
    return Answer(answer)


# --- visits -----------------------------------------------------------------------------------------
def _shown(call: Call, booking: Record) -> dict[str, Any]:
    museum = BY_ID[booking["museum"]]
    shown = {name: booking[name] for name in ("number", "museum", "day", "slot", "booked_at")}
    shown |= {
        "museum_name": museum.zh,
        "visitor_name": booking["visitor"]["name"],
        "fee_yuan": museum.fee_yuan,
        "status": booking_status(call.world, booking),
    }
    return shown


@department.operation("bookVisit")
def book_visit(call: Call) -> Answer:
    body, world = call.body, call.world
    museum, day, visitor = _museum(body["museum"]), date.fromisoformat(body["day"]), body["visitor"]
    if named(world, visitor["number"], visitor["name"]) is None:
        raise Refused("culture-visitor-unknown")
    for other in bookings_of(world):
        same = (other["museum"], other["day"], other["visitor"]["number"])
        if same == (museum.id, body["day"], visitor["number"]):
            raise Refused("culture-visit-twice", booking=other["number"])
    is_ahead = begins_at(body["day"], body["slot"]) > world.now
    if not is_ahead or (day - world.today).days > BOOKABLE_DAYS:
        raise Refused("culture-day-not-bookable", day=body["day"])
    if day.weekday() == museum.closed_on:
        raise Refused("culture-museum-closed", museum=museum.zh, day=body["day"])
    if not left_of(world, museum, day, body["slot"]):
        raise Refused("culture-slot-full", day=body["day"], slot=body["slot"])
    number = next_number(call, BOOKING, "CG")
    booking = {
        "number": number,
        "museum": museum.id,
        "day": body["day"],
        "slot": body["slot"],
        "visitor": dict(visitor),
        "booked_at": local_text(world.now),
    }
    world.put(BOOKING, number, booking)
    begins = begins_at(body["day"], body["slot"])
    data = {"number": number, "museum": museum.id, "begins_at": local_text(begins)}
    remind = Event("culture.visit.reminded", number, data, begins - timedelta(hours=12))
    return created(call, f"bookings/{number}", _shown(call, booking), [remind])


def _booking(call: Call) -> Record:
    number = str(call.path["number"])
    booking = call.world.get(BOOKING, number)
    if booking is None:
        raise Refused("culture-booking-not-found", number=number)
    return booking


@department.operation("getBooking")
def get_booking(call: Call) -> Answer:
    return Answer(_shown(call, _booking(call)))


@department.operation("cancelBooking")
def cancel_booking(call: Call) -> Answer:
    booking, world = _booking(call), call.world
    status = booking_status(world, booking)
    if status == "visited":
        raise Refused("culture-visit-over", number=booking["number"])
    if status == "booked":
        kept = world.kept(BOOKING, booking["number"]) or booking
        moment = local_text(world.now)
        world.put(BOOKING, booking["number"], {**kept, "cancelled_at": moment})
        booking = {**booking, "cancelled_at": moment}
    return Answer(_shown(call, booking), calls_off=[booking["number"]])


# --- library cards ----------------------------------------------------------------------------------
def _card(call: Call, card: Record) -> dict[str, Any]:
    expires = card["expires_on"]
    return {
        "number": card["number"],
        "holder_name": card["holder"]["name"],
        "issued_on": card["issued_on"],
        "expires_on": expires,
        "status": "valid" if expires >= call.world.today.isoformat() else "expired",
    }


@department.operation("getLibraryCard")
def get_library_card(call: Call) -> Answer:
    card = call.world.get(CARD, str(call.path["person"]))
    if card is None:
        raise Refused("culture-card-not-found")
    return Answer(_card(call, card))


@department.operation("applyLibraryCard")
def apply_library_card(call: Call) -> Answer:
    body, world = call.body, call.world
    person = named(world, body["number"], body["name"])
    if person is None:
        raise Refused("culture-visitor-unknown")
    born, today = date.fromisoformat(person["born_on"]), world.today
    if today.year - born.year - ((today.month, today.day) < (born.month, born.day)) < _LEAST_AGE_OF_CARD:
        raise Refused("culture-card-too-young", age=_LEAST_AGE_OF_CARD)
    known = world.get(CARD, body["number"])
    if known is not None and known["expires_on"] >= today.isoformat():
        raise Refused("culture-card-valid", card=known["number"], expires_on=known["expires_on"])
    card = {
        "number": next_number(call, CARD, "TS"),
        "holder": {"name": body["name"], "number": body["number"]},
        "issued_on": today.isoformat(),
        "expires_on": (today + timedelta(days=365 * _CARD_YEARS)).isoformat(),
    }
    world.put(CARD, body["number"], card)
    return created(call, f"people/{body['number']}/library-card", _card(call, card))
