"""What transport does: buses of this minute, vehicles, driving licences, inspections.

Who a person is, public security says; whether a company is alive, market regulation.
"""

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sandbox.city.clock import ZONE, local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF
from sandbox.city.departments.transport import network
from sandbox.city.departments.transport.records import (
    DRIVING_LICENCE,
    INSPECTION,
    MOST_POINTS,
    RENEWABLE_DAYS,
    STATIONS,
    VEHICLE,
    inspected_until,
    inspection_status,
    inspections_of,
    licence_status,
    shown_vehicle,
    vehicles_of,
)
from sandbox.city.numbering import created, next_number
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import identifiers
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record

department = Department("transport", "交通运输局", "Transport Bureau", Path(__file__).parent, protocol="http")

_CURSOR_INVALID = "transport-cursor-invalid"
_BOOKABLE_DAYS = 30
_CHECK_GOOD_DAYS = 180  # how old a health check may be
_YEARLY_CHECK_AGE = 70


# --- buses ------------------------------------------------------------------------------------------
def _line(call: Call) -> network.Line:
    line = network.BY_ID.get(str(call.path["line"]))
    if line is None:
        raise Refused("transport-line-not-found", line=call.path["line"])
    return line


@department.operation("listBusLines")
def list_bus_lines(call: Call) -> Answer:
    district, limit = call.text("district"), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, district) or 0)
    lines = [line for line in network.LINES if district in {"", *line.districts}]
    answer: dict[str, Any] = {"items": [network.brief(line) for line in lines[after : after + limit]]}
    if len(lines) > after + limit:
        answer["next"] = make_cursor(str(after + limit), district)
    return Answer(answer)


@department.operation("getBusLine")
def get_bus_line(call: Call) -> Answer:
    return Answer(network.whole(_line(call)))


@department.operation("listLiveBuses")
def list_live_buses(call: Call) -> Answer:
    line, way = _line(call), call.text("direction")
    buses = [bus for bus in network.buses_at(line, call.world.now) if way in {"", bus["direction"]}]
    return Answer({"line": line.id, "as_of": local_text(call.world.now), "items": buses})


# --- vehicles ---------------------------------------------------------------------------------------
def _vehicle(call: Call, plate: str) -> Record:
    vehicle = call.world.get(VEHICLE, plate)
    if vehicle is None:
        raise Refused("transport-vehicle-not-found", plate=plate)
    return vehicle


def _person(call: Call, number: str) -> Record:
    """Who has this identity number, among the living. Raises Refused."""
    person = call.world.get(CITIZEN, number) if identifiers.is_citizen_number(number) else None
    if person is None or "died_on" in person:
        raise Refused("transport-person-unknown")
    return person


@department.operation("getVehicle")
def get_vehicle(call: Call) -> Answer:
    return Answer(shown_vehicle(call.world, _vehicle(call, str(call.path["plate"]))))


@department.operation("listVehicles")
def list_vehicles(call: Call) -> Answer:
    number = str(call.path["person"])
    _person(call, number)
    return Answer({"items": [shown_vehicle(call.world, one) for one in vehicles_of(call.world, number)]})


@department.operation("transferVehicle")
def transfer_vehicle(call: Call) -> Answer:
    body, world = call.body, call.world
    vehicle = _vehicle(call, str(call.path["plate"]))
    plate, owner = vehicle["plate"], vehicle["owner"]
    if owner["number"] != body["seller_number"]:
        raise Refused("transport-not-the-owner", plate=plate)
    if owner["kind"] == "company":
        company = world.get(COMPANY_BRIEF, owner["number"])
        if company is None or company["status"] != "active":
            raise Refused("transport-company-not-active", code=owner["number"])
    else:
        _person(call, owner["number"])
    buyer = _person(call, body["buyer"]["number"])
    if buyer["name"] != body["buyer"]["name"]:
        raise Refused("transport-person-unknown")
    if buyer["number"] == owner["number"]:
        raise Refused("transport-same-owner", plate=plate)
    until = inspected_until(world, vehicle)
    if until < world.today.isoformat():
        raise Refused("transport-inspection-overdue", plate=plate, until=until)
    kept = world.kept(VEHICLE, plate) or vehicle
    new = {"kind": "person", "number": buyer["number"], "name": buyer["name"]}
    world.put(VEHICLE, plate, {**kept, "owner": new})
    return created(
        call,
        f"vehicles/{quote(plate)}",
        {
            "plate": plate,
            "transferred_at": local_text(world.now),
            "price_yuan": body["price_yuan"],
            "vehicle": shown_vehicle(world, {**vehicle, "owner": new}),
        },
    )


# --- driving licences -------------------------------------------------------------------------------
def _licence(call: Call, number: str) -> Record:
    licence = call.world.get(DRIVING_LICENCE, number)
    if licence is None:
        raise Refused("transport-licence-not-found")
    return licence


def _shown_licence(call: Call, licence: Record) -> dict[str, Any]:
    shown = {name: licence[name] for name in ("number", "name", "class", "first_on", "issued_on", "points")}
    if "expires_on" in licence:
        shown["expires_on"] = licence["expires_on"]
    shown["status"] = licence_status(call.world, licence)
    return shown


@department.operation("verifyDrivingLicence")
def verify_driving_licence(call: Call) -> Answer:
    body = call.body
    if not identifiers.is_citizen_number(body["number"]):
        raise Refused("transport-person-unknown")
    licence = call.world.get(DRIVING_LICENCE, body["number"])
    if licence is None or licence["name"] != body["name"]:
        return Answer({"is_valid": False, "reason": "no-match"})
    status = licence_status(call.world, licence)
    if status != "valid":
        return Answer({"is_valid": False, "reason": status})
    if "class" in body and body["class"] not in _covered_by(licence["class"]):
        return Answer({"is_valid": False, "reason": "class-not-covered"})
    return Answer({"is_valid": True, "class": licence["class"]})


def _covered_by(kind: str) -> tuple[str, ...]:
    """The classes that a class allows too. Source: 《机动车驾驶证申领和使用规定》 annex 1, in part."""
    return {"B2": ("B2", "C1", "C2"), "C1": ("C1", "C2")}.get(kind, (kind,))


@department.operation("getDrivingLicence")
def get_driving_licence(call: Call) -> Answer:
    return Answer(_shown_licence(call, _licence(call, str(call.path["person"]))))


@department.operation("renewDrivingLicence")
def renew_driving_licence(call: Call) -> Answer:
    world, number = call.world, str(call.path["person"])
    licence, holder = _licence(call, number), _person(call, number)
    status, expires = licence_status(world, licence), licence.get("expires_on")
    if expires is None:
        raise Refused("transport-licence-long-term")
    if licence["points"] >= MOST_POINTS:
        raise Refused("transport-licence-not-renewable", found="suspended")
    checked = date.fromisoformat(call.body["health_check_on"])
    if not timedelta() <= world.today - checked <= timedelta(days=_CHECK_GOOD_DAYS):
        raise Refused("transport-health-check-outdated", health_check_on=checked.isoformat())
    if status == "cancelled":
        raise Refused("transport-licence-not-renewable", found=status)
    last = date.fromisoformat(expires)
    opens = last - timedelta(days=RENEWABLE_DAYS)
    if world.today < opens:
        raise Refused("transport-renewal-too-early", opens_on=opens.isoformat(), expires_on=expires)
    kept = dict(world.kept(DRIVING_LICENCE, number) or licence)
    kept["issued_on"] = world.today.isoformat()
    born = date.fromisoformat(holder["born_on"])
    if (last.year - date.fromisoformat(licence["issued_on"]).year) < 10:
        kept["expires_on"] = last.replace(year=last.year + 10).isoformat()
    elif world.today.year - born.year >= _YEARLY_CHECK_AGE:
        kept["expires_on"] = last.replace(year=last.year + 1).isoformat()
    else:
        kept.pop("expires_on", None)
    world.put(DRIVING_LICENCE, number, kept)
    return created(call, f"people/{number}/driving-licence", _shown_licence(call, kept))


# --- inspections ------------------------------------------------------------------------------------
def _inspection(call: Call) -> Record:
    number = str(call.path["number"])
    inspection = call.world.get(INSPECTION, number)
    if inspection is None:
        raise Refused("transport-inspection-not-found", number=number)
    return inspection


def _shown_inspection(call: Call, inspection: Record) -> dict[str, Any]:
    station = STATIONS[inspection["station"]]
    shown = {name: inspection[name] for name in ("number", "plate", "station", "day", "hour", "booked_at")}
    shown |= {"station_name": station[0], "status": inspection_status(call.world, inspection)}
    return shown


@department.operation("bookInspection")
def book_inspection(call: Call) -> Answer:
    body, world = call.body, call.world
    vehicle = _vehicle(call, body["plate"])
    if body["station"] not in STATIONS:
        raise Refused("transport-station-unknown", station=body["station"])
    booked = next(
        (one for one in inspections_of(world, vehicle["plate"]) if inspection_status(world, one) == "booked"),
        None,
    )
    if booked is not None:
        raise Refused("transport-already-booked", number=booked["number"])
    day = date.fromisoformat(body["day"])
    if not timedelta(days=1) <= day - world.today <= timedelta(days=_BOOKABLE_DAYS) or day.weekday() == 6:
        raise Refused("transport-day-not-bookable", day=body["day"])
    number = next_number(call, INSPECTION, "JC")
    inspection = {
        "number": number,
        "plate": vehicle["plate"],
        "station": body["station"],
        "day": body["day"],
        "hour": body["hour"],
        "booked_at": local_text(world.now),
    }
    world.put(INSPECTION, number, inspection)
    shown = _shown_inspection(call, inspection)
    return created(call, f"inspections/{number}", shown, [_passed(inspection, day)])


def _passed(inspection: Record, day: date) -> Event:
    moment = datetime.combine(day + timedelta(days=1), time(0), ZONE)
    data = {"number": inspection["number"], "plate": inspection["plate"], "passed_on": day.isoformat()}
    return Event("transport.inspection.passed", inspection["number"], data, moment)


@department.operation("getInspection")
def get_inspection(call: Call) -> Answer:
    return Answer(_shown_inspection(call, _inspection(call)))


@department.operation("cancelInspection")
def cancel_inspection(call: Call) -> Answer:
    world, inspection = call.world, _inspection(call)
    status = inspection_status(world, inspection)
    if status == "passed":
        raise Refused("transport-inspection-over", number=inspection["number"], day=inspection["day"])
    if status == "booked":
        kept = world.kept(INSPECTION, inspection["number"]) or inspection
        world.put(INSPECTION, inspection["number"], {**kept, "is_cancelled": True})
        inspection = {**inspection, "is_cancelled": True}
    return Answer(_shown_inspection(call, inspection))
