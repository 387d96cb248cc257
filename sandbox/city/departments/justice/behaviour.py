"""What justice does: enforcement debtors in public, freezes of homes by law, notaries, legal aid.

A freeze is seen at once by real estate registration and housing; whose the home is, is asked of the former.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.justice.records import (
    BOOKING,
    CASE,
    CASE_COLUMNS,
    DAYS_TO_ISSUE,
    FREEZE,
    LEGAL_AID,
    NOTARY_CERTIFICATE,
    case_of,
    freeze_of,
)
from sandbox.city.departments.real_estate.records import settled
from sandbox.city.numbering import location, next_serial
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department("justice", "司法局", "Justice Bureau", Path(__file__).parent, protocol="soap")

_CURSOR_INVALID = "justice-cursor-invalid"
_DAYS_AHEAD = 30
_MOST_A_DAY = 20
_INCOME_YUAN = 3000  # a month; above it only matters that are free of the means test
_FREE_OF_MEANS = frozenset({"unpaid-wages", "work-injury", "domestic-violence"})
_DAYS_TO_DECIDE = 7  # Source: 《中华人民共和国法律援助法》 article 43
_LONGEST_FREEZE = timedelta(days=3 * 366)  # Source: 《最高人民法院关于适用〈民事诉讼法〉的解释》 article 485


def _person(world: World, person: dict[str, Any]) -> Record:
    citizen = world.get(CITIZEN, person["id_number"])
    if citizen is None or citizen["name"] != person["name"] or "died_on" in citizen:
        raise Refused("justice-person-unknown")
    return citizen


@department.operation("listEnforcementDebtors")
def list_enforcement_debtors(call: Call) -> Answer:
    kind, limit = call.text("kind"), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, kind) or 0)
    joined = {"company": "AND e.company IS NOT NULL ", "person": "AND e.citizen IS NOT NULL "}.get(kind, "")
    rows = call.world.city.all(
        f"{CASE_COLUMNS} WHERE e.is_dishonest AND e.id > ? {joined}ORDER BY e.id LIMIT ?", after, limit + 1
    )
    answer: dict[str, Any] = {"items": []}
    if len(rows) > limit:
        rows = rows[:limit]
        answer["next"] = make_cursor(str(rows[-1][0]), kind)
    for row in rows:
        case = call.world.get(CASE, row[1]) or case_of(row)
        if case["is_dishonest"]:
            answer["items"].append({name: value for name, value in case.items() if name != "id_number"})
    return Answer(answer)


@department.operation("freezeHolding")
def freeze_holding(call: Call) -> Answer:
    body, world = call.body, call.world
    unit, number = body["unit_number"], body["case_number"]
    case = world.get(CASE, number)
    if case is None:
        raise Refused("justice-case-unknown", case_number=number)
    home = settled(world, unit)
    if home is None:
        raise Refused("justice-unit-unknown", unit_number=unit)
    if case.get("id_number") not in {owner["id_number"] for owner in home["owners"]}:
        raise Refused("justice-not-the-debtors", unit_number=unit, case_number=number)
    known = freeze_of(world, unit)
    if known is not None:
        raise Refused("justice-frozen-already", unit_number=unit, case_number=known["case_number"])
    until = date.fromisoformat(body["until"])
    if not world.today < until <= world.today + _LONGEST_FREEZE:
        raise Refused("justice-freeze-period", until=body["until"])
    freeze: Record = {
        "unit_number": unit,
        "case_number": number,
        "court": case["court"],
        "since": world.today.isoformat(),
        "until": body["until"],
    }
    world.put(FREEZE, unit, freeze)
    return Answer({**freeze, "status": "in-force"}, 201, [location(call.context.service, f"/freezes/{unit}")])


@department.operation("liftFreeze")
def lift_freeze(call: Call) -> Answer:
    unit, world = str(call.path["unit_number"]), call.world
    freeze = freeze_of(world, unit)
    if freeze is None:
        raise Refused("justice-not-frozen", unit_number=unit)
    if freeze["case_number"] != call.body["case_number"]:
        raise Refused("justice-other-case", unit_number=unit)
    kept = world.kept(FREEZE, unit) or freeze
    world.put(FREEZE, unit, {**kept, "lifted_on": world.today.isoformat()})
    return Answer({**freeze, "lifted_on": world.today.isoformat(), "status": "lifted"})


@department.operation("bookNotary")
def book_notary(call: Call) -> Answer:
    body, world = call.body, call.world
    applicant = _person(world, body["applicant"])
    day = date.fromisoformat(body["date"])
    if day.weekday() >= 5:
        raise Refused("justice-office-closed", day=body["date"])
    if not world.today < day <= world.today + timedelta(days=_DAYS_AHEAD):
        raise Refused("justice-date-out-of-range", days=_DAYS_AHEAD)
    same = [
        one
        for _, one in world.changed(BOOKING)
        if one
        and one["date"] == body["date"]
        and one["office"] == body["office"]
        and "cancelled_at" not in one
    ]
    if len(same) >= _MOST_A_DAY:
        raise Refused("justice-day-full", day=body["date"])
    number = next_serial(world, BOOKING, "GZ")
    certificate = f"（{day.year}）虚证字第{number[-6:]}号"
    booking: Record = {
        "number": number,
        "kind": body["kind"],
        "applicant": {"name": applicant["name"], "id_number": applicant["number"]},
        "office": body["office"],
        "date": body["date"],
        "certificate_number": certificate,
    }
    world.put(BOOKING, number, booking)
    issued = {name: booking[name] for name in ("kind", "applicant")}
    issued_on = (day + timedelta(days=DAYS_TO_ISSUE)).isoformat()
    world.put(NOTARY_CERTIFICATE, certificate, {"number": certificate, **issued, "issued_on": issued_on})
    where = location(call.context.service, f"/notary-bookings/{number}")
    return Answer(_booking_shown(world, booking), 201, [where])


def _booking_shown(world: World, booking: Record) -> Record:
    shown = {name: value for name, value in booking.items() if name != "certificate_number"}
    issued_on = date.fromisoformat(booking["date"]) + timedelta(days=DAYS_TO_ISSUE)
    if "cancelled_at" in booking:
        shown["status"] = "cancelled"
    elif world.today < date.fromisoformat(booking["date"]):
        shown["status"] = "booked"
    elif world.today < issued_on:
        shown["status"] = "in-progress"
    else:
        shown["status"] = "issued"
        shown["certificate_number"] = booking["certificate_number"]
    return shown


def _booking(call: Call) -> Record:
    number = str(call.path["number"])
    booking = call.world.get(BOOKING, number)
    if booking is None:
        raise Refused("justice-booking-not-found", number=number)
    return booking


@department.operation("getNotaryBooking")
def get_notary_booking(call: Call) -> Answer:
    return Answer(_booking_shown(call.world, _booking(call)))


@department.operation("cancelNotaryBooking")
def cancel_notary_booking(call: Call) -> Answer:
    booking, world = _booking(call), call.world
    shown = _booking_shown(world, booking)
    if shown["status"] == "cancelled":
        return Answer(shown)
    if shown["status"] != "booked":
        raise Refused("justice-booking-begun", number=booking["number"], state=shown["status"])
    kept = world.kept(BOOKING, booking["number"]) or booking
    cancelled = {**kept, "cancelled_at": local_text(world.now)}
    world.put(BOOKING, booking["number"], cancelled)
    world.remove(NOTARY_CERTIFICATE, booking["certificate_number"])
    return Answer(_booking_shown(world, cancelled))


def _certificate(call: Call) -> Record:
    number = str(call.path["number"])
    certificate = call.world.get(NOTARY_CERTIFICATE, number)
    if certificate is None or certificate["issued_on"] > call.world.today.isoformat():
        raise Refused("justice-certificate-not-found", number=number)
    return {**certificate, "status": "revoked" if "revoked_on" in certificate else "valid"}


@department.operation("getNotaryCertificate")
def get_notary_certificate(call: Call) -> Answer:
    return Answer(_certificate(call))


@department.operation("verifyNotaryCertificate")
def verify_notary_certificate(call: Call) -> Answer:
    certificate = _certificate(call)
    is_right = certificate["applicant"]["name"] == call.text("applicant")
    matches = is_right and certificate["status"] == "valid"
    return Answer({"number": certificate["number"], "matches": matches, "status": certificate["status"]})


@department.operation("applyLegalAid")
def apply_legal_aid(call: Call) -> Answer:
    body, world = call.body, call.world
    applicant = _person(world, body["applicant"])
    if body["matter"] not in _FREE_OF_MEANS and body["monthly_income_yuan"] > _INCOME_YUAN:
        raise Refused("justice-income-too-high", most_yuan=_INCOME_YUAN)
    for _, other in world.changed(LEGAL_AID):
        if other and (other["applicant"]["id_number"], other["matter"]) == (
            applicant["number"],
            body["matter"],
        ):
            raise Refused("justice-aid-applied-already", number=other["number"])
    number = next_serial(world, LEGAL_AID, "FY")
    aid: Record = {
        "number": number,
        "applicant": {"name": applicant["name"], "id_number": applicant["number"]},
        "matter": body["matter"],
        "applied_at": local_text(world.now),
        "decides_at": local_text(world.now + timedelta(days=_DAYS_TO_DECIDE)),
    }
    world.put(LEGAL_AID, number, aid)
    where = location(call.context.service, f"/legal-aid-applications/{number}")
    return Answer(_aid_shown(world, aid), 201, [where])


def _aid_shown(world: World, aid: Record) -> Record:
    is_decided = datetime.fromisoformat(aid["decides_at"]) <= world.now
    return {**aid, "status": "granted" if is_decided else "accepted"}


@department.operation("getLegalAid")
def get_legal_aid(call: Call) -> Answer:
    number = str(call.path["number"])
    aid = call.world.get(LEGAL_AID, number)
    if aid is None:
        raise Refused("justice-aid-not-found", number=number)
    return Answer(_aid_shown(call.world, aid))
