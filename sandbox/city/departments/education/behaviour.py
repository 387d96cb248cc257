"""What education does: schools and catchment areas, applications for places, checks of degrees.

Whose child somebody is and where the household lives is asked of public security; a child's vaccinations of health.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.education.records import (
    AGES,
    APPLICATION,
    BY_CODE,
    DEGREES,
    FIRST_APPLICATION,
    SCHOOLS,
    School,
    age_at_enrolment,
    school_for,
    street_of,
)
from sandbox.city.departments.health.records import VACCINATIONS
from sandbox.city.departments.public_security.records import PERSON, brief, living, parents_of
from sandbox.city.numbering import number_for
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department("education", "教育局", "Education Bureau", Path(__file__).parent, protocol="sql")

_SEASON = ((6, 1), (7, 31))  # when places are applied for
_DECIDED_AFTER = timedelta(days=15)
_CONFIRM_WITHIN = timedelta(days=10)
_ASKED_FOR = ("BCG", "HepB", "MMR")  # of which a school wants to see one dose at least


# --- schools ----------------------------------------------------------------------------------
def _shown_school(school: School) -> dict[str, Any]:
    return {
        "code": school.code,
        "name": school.zh,
        "english_name": school.en,
        "stage": school.stage,
        "district_code": school.district,
        "places": school.places,
    }


@department.operation("listSchools")
def list_schools(call: Call) -> Answer:
    district, stage, limit = call.text("district_code"), call.text("stage"), call.number("limit", 20)
    after = read_cursor(call.text("cursor"), "education-cursor-invalid", district, stage, form="S[0-9]{9}")
    found = [
        one for one in SCHOOLS
        if one.code > after and district in {"", one.district} and stage in {"", one.stage}
    ]  # fmt: skip
    answer: dict[str, Any] = {"items": [_shown_school(one) for one in found[:limit]]}
    if len(found) > limit:
        answer["next"] = make_cursor(found[limit - 1].code, district, stage)
    return Answer(answer)


@department.operation("getSchool")
def get_school(call: Call) -> Answer:
    code = str(call.path["code"])
    if code not in BY_CODE:
        raise Refused("education-school-not-found", code=code)
    return Answer(_shown_school(BY_CODE[code]))


@department.operation("findSchool")
def find_school(call: Call) -> Answer:
    district, street = call.text("district_code"), street_of(call.text("street"))
    school = school_for(district, street, call.text("stage")) if street else None
    if school is None:
        raise Refused("education-no-catchment", street=call.text("street"), district_code=district)
    return Answer({**_shown_school(school), "street": street})


# --- applications -----------------------------------------------------------------------------
@department.operation("applySchoolPlace")
def apply_school_place(call: Call) -> Answer:
    body, world = call.body, call.world
    school = BY_CODE.get(body["school_code"])
    if school is None:
        raise Refused("education-school-unknown", school_code=body["school_code"])
    if not _SEASON[0] <= (world.today.month, world.today.day) <= _SEASON[1]:
        raise Refused("education-season-closed")
    child = living(world, body["child_number"])
    if child is None:
        raise Refused("education-child-unknown")
    guardian = living(world, body["guardian_number"])
    if guardian is None or guardian["number"] not in parents_of(child):
        raise Refused("education-guardian-not-parent")
    youngest, oldest = AGES[school.stage]
    age = age_at_enrolment(child["born_on"], world.today)
    if not youngest <= age <= oldest:
        raise Refused("education-age", stage=school.stage)
    if school_for(child["district_code"], street_of(child["address"]), school.stage) != school:
        raise Refused("education-not-in-catchment", school_code=school.code)
    record = world.get(VACCINATIONS, child["number"]) or {"items": []}
    if not set(_ASKED_FOR) <= {one["vaccine"] for one in record["items"]}:
        raise Refused("education-vaccination-missing")
    for one in _applications(world):
        if one["child"] == child["number"] and _status(world, one) not in {"withdrawn", "refused", "lapsed"}:
            raise Refused("education-applied-already", number=one["number"])
    application = {
        "number": number_for(world, APPLICATION, "RX", child["number"], school.code, world.today),
        "school_code": school.code,
        "child": child["number"],
        "applied_on": world.today.isoformat(),
        "kind": "enrolment" if age == youngest else "transfer",
    }
    world.put(APPLICATION, application["number"], application)
    place = f"/api/{call.context.service.replace('@', '/')}/applications/{application['number']}"
    return Answer(_shown_application(world, application), 201, [(b"location", place.encode())])


def _applications(world: World) -> list[Record]:
    found = {FIRST_APPLICATION: world.get(APPLICATION, FIRST_APPLICATION)} | dict(world.changed(APPLICATION))
    return [one for one in found.values() if one is not None]


def _status(world: World, application: Record) -> str:
    """received, accepted, refused, confirmed, lapsed or withdrawn, as of the world's day."""
    for mark in ("withdrawn", "confirmed"):
        if f"{mark}_on" in application:
            return mark
    decided = date.fromisoformat(application["applied_on"]) + _DECIDED_AFTER
    if world.today < decided:
        return "received"
    school, child = BY_CODE[application["school_code"]], living(world, application["child"])
    if (
        child is None
        or school_for(child["district_code"], street_of(child["address"]), school.stage) != school
    ):
        return "refused"
    return "accepted" if world.today <= decided + _CONFIRM_WITHIN else "lapsed"


def _shown_application(world: World, application: Record) -> dict[str, Any]:
    child = world.get(PERSON, application["child"])
    decided = date.fromisoformat(application["applied_on"]) + _DECIDED_AFTER
    return {
        "number": application["number"],
        "status": _status(world, application),
        "kind": application["kind"],
        "school_code": application["school_code"],
        "school_name": BY_CODE[application["school_code"]].zh,
        "child_name": child["name"] if child else "",
        "applied_on": application["applied_on"],
        "decision_on": decided.isoformat(),
        "confirm_until": (decided + _CONFIRM_WITHIN).isoformat(),
    }


def _application(call: Call) -> Record:
    number = str(call.path["number"])
    application = call.world.get(APPLICATION, number)
    if application is None:
        raise Refused("education-application-not-found", number=number)
    return application


@department.operation("getApplication")
def get_application(call: Call) -> Answer:
    return Answer(_shown_application(call.world, _application(call)))


def _mark(call: Call, allowed: tuple[str, ...], mark: str) -> Answer:
    """Mark an application that is in one of the states `allowed`; one marked before answers as it is."""
    application, world = _application(call), call.world
    status = _status(world, application)
    if status != mark:
        if status not in allowed:
            raise Refused("education-application-state", number=application["number"], status=status)
        kept = world.kept(APPLICATION, application["number"]) or application
        application = {**kept, f"{mark}_on": world.today.isoformat()}
        world.put(APPLICATION, application["number"], application)
    return Answer(_shown_application(world, application))


@department.operation("withdrawApplication")
def withdraw_application(call: Call) -> Answer:
    return _mark(call, ("received", "accepted"), "withdrawn")


@department.operation("confirmPlace")
def confirm_place(call: Call) -> Answer:
    return _mark(call, ("accepted",), "confirmed")


# --- degrees ----------------------------------------------------------------------------------
@department.operation("verifyDegree")
def verify_degree(call: Call) -> Answer:
    body, world = call.body, call.world
    person = living(world, body["id_number"])
    if person is None or person["name"] != body["name"]:
        raise Refused("education-person-unknown")
    record = world.get(DEGREES, person["number"]) or {"items": []}
    found = next(
        (one for one in record["items"] if one["certificate_number"] == body["certificate_number"]), None
    )
    if found is None:
        return Answer({"result": "unknown"})
    return Answer({"result": "match", "level": found["level"], "awarded_on": found["awarded_on"]})


@department.operation("listDegrees")
def list_degrees(call: Call) -> Answer:
    person = living(call.world, call.body["id_number"])
    if person is None:
        raise Refused("education-person-not-found")
    record = call.world.get(DEGREES, person["number"]) or {"items": []}
    return Answer({**brief(person), "items": record["items"]})
