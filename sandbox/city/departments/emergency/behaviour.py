"""What emergency management does: shelters and alerts that follow the weather, incidents, volunteers.

Alerts answer to the warnings of meteorology; who a volunteer is, public security says. Its system is the one that
fails on purpose: under load it says busy, and whoever comes again a little later is served; from one number it
breaks the connection off in the middle of its answer, and has done nothing.
"""

from datetime import date
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, BrokenOff, Call, Department, Event, Refused
from sandbox.city.departments.emergency.records import (
    BROKEN_PHONE,
    BUSY_PHONE,
    INCIDENT,
    SHELTERS,
    VOLUNTEER,
    alerts_of,
    incidents_of,
    is_open,
    plan_of,
    status_of,
    volunteers_of,
)
from sandbox.city.departments.public_security.records import named
from sandbox.city.numbering import created, next_number
from sandbox.city.population import places
from sandbox.city.state import Record

department = Department(
    "emergency", "应急管理局", "Emergency Management Bureau", Path(__file__).parent, protocol="http"
)

_LEAST_AGE, _MOST_AGE = 18, 65


@department.operation("listShelters")
def list_shelters(call: Call) -> Answer:
    district = call.text("district")
    items = [
        {
            "shelter": one.id,
            "name": one.zh,
            "english_name": one.en,
            "district_code": one.district,
            "capacity": one.capacity,
            "is_open": is_open(call.world, one),
        }
        for one in SHELTERS
        if district in {"", one.district}
    ]
    return Answer({"items": items})


@department.operation("listAlerts")
def list_alerts(call: Call) -> Answer:
    district = call.text("district")
    items = [one for one in alerts_of(call.world) if district in {"", one["district_code"]}]
    return Answer({"day": call.world.today.isoformat(), "items": items})


# --- incidents --------------------------------------------------------------------------------------
def _shown(call: Call, incident: Record) -> dict[str, Any]:
    names = ("number", "kind", "district_code", "place", "description", "reported_at")
    shown = {name: incident[name] for name in names}
    shown["status"] = status_of(call.world, incident)
    shown["steps"] = [
        {"status": status, "at": local_text(moment)}
        for moment, status in plan_of(incident)
        if moment <= call.world.now
    ]
    return shown


@department.operation("reportIncident")
def report_incident(call: Call) -> Answer:
    body, world = call.body, call.world
    if body["phone"] == BROKEN_PHONE:
        raise BrokenOff
    if body["phone"] == BUSY_PHONE:
        raise Refused("emergency-busy")
    if body["district_code"] not in places.BY_CODE:
        raise Refused("emergency-not-our-city", district_code=body["district_code"])
    for other in incidents_of(world):
        same = (other["kind"], other["district_code"], other["place"])
        if (
            same == (body["kind"], body["district_code"], body["place"])
            and status_of(world, other) != "closed"
        ):
            raise Refused("emergency-known", incident=other["number"])
    number = next_number(call, INCIDENT, "SG")
    incident = {**body, "number": number, "reported_at": local_text(world.now)}
    world.put(INCIDENT, number, incident)
    events = [
        Event(
            f"emergency.incident.{status}",
            number,
            {"number": number, "kind": incident["kind"], "status": status, "at": local_text(moment)},
            moment,
        )
        for moment, status in plan_of(incident)
        if status != "received"
    ]
    return created(call, f"incidents/{number}", _shown(call, incident), events)


@department.operation("getIncident")
def get_incident(call: Call) -> Answer:
    number = str(call.path["number"])
    incident = call.world.get(INCIDENT, number)
    if incident is None:
        raise Refused("emergency-incident-not-found", number=number)
    return Answer(_shown(call, incident))


# --- volunteers -------------------------------------------------------------------------------------
def _volunteer(call: Call) -> Record:
    number = str(call.path["number"])
    volunteer = call.world.get(VOLUNTEER, number)
    if volunteer is None:
        raise Refused("emergency-volunteer-not-found", number=number)
    return volunteer


def _shown_volunteer(call: Call, volunteer: Record) -> dict[str, Any]:
    shown = {name: volunteer[name] for name in ("number", "district_code", "skills", "registered_on")}
    person = volunteer["person"]
    shown["name"] = person["name"]
    is_known = named(call.world, person["number"], person["name"]) is not None
    shown["status"] = "left" if "left_on" in volunteer else "active" if is_known else "suspended"
    return shown


@department.operation("registerVolunteer")
def register_volunteer(call: Call) -> Answer:
    body, world = call.body, call.world
    person = named(world, body["person"]["number"], body["person"]["name"])
    if person is None:
        raise Refused("emergency-person-unknown")
    born, today = date.fromisoformat(person["born_on"]), world.today
    age = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    if not _LEAST_AGE <= age <= _MOST_AGE:
        raise Refused("emergency-age", least=_LEAST_AGE, most=_MOST_AGE)
    for other in volunteers_of(world):
        if other["person"]["number"] == body["person"]["number"]:
            raise Refused("emergency-registered", volunteer=other["number"])
    number = next_number(call, VOLUNTEER, "ZY")
    volunteer = {**body, "number": number, "registered_on": today.isoformat()}
    world.put(VOLUNTEER, number, volunteer)
    return created(call, f"volunteers/{number}", _shown_volunteer(call, volunteer))


@department.operation("getVolunteer")
def get_volunteer(call: Call) -> Answer:
    return Answer(_shown_volunteer(call, _volunteer(call)))


@department.operation("leaveVolunteers")
def leave_volunteers(call: Call) -> Answer:
    volunteer, world = _volunteer(call), call.world
    if "left_on" not in volunteer:
        kept = world.kept(VOLUNTEER, volunteer["number"]) or volunteer
        left = {"left_on": world.today.isoformat()}
        world.put(VOLUNTEER, volunteer["number"], {**kept, **left})
        volunteer = {**volunteer, **left}
    return Answer(_shown_volunteer(call, volunteer))
