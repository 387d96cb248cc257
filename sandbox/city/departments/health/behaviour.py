"""What health does: hospitals and their hours, appointments, birth certificates, vaccinations.

Patients, mothers and children are people of the register of public security; whether a birth has been registered is
asked there too.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import ZONE, local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.health.records import (
    APPOINTMENT,
    BY_CODE,
    CERTIFICATE,
    FIRST_APPOINTMENT,
    HOSPITALS,
    LEAST_INTERVAL_DAYS,
    SCHEDULE,
    SECTIONS,
    VACCINATIONS,
    Hospital,
)
from sandbox.city.departments.public_security.records import BIRTH, PERSON, living, named
from sandbox.city.numbering import number_for, share_of
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "health", "卫生健康委员会", "Health Commission", Path(__file__).parent, protocol="http"
)

PERIODS = ("08:00", "10:00", "14:00", "16:00")
_PLACES = {"3A": 6, "2A": 4, "community": 2}  # for each section and period
_OPEN_DAYS = 14
_SUNDAY = 6
_LATEST_CERTIFICATE_DAYS = 90
_BETWEEN_BIRTHS_DAYS = 200
_AGES = {(code, dose): age for code, dose, age, _, _ in SCHEDULE}
_NAMES = {code: (zh, en) for code, _, _, zh, en in SCHEDULE}


# --- hospitals --------------------------------------------------------------------------------
def _hospital(code: str, slug: str = "health-hospital-not-found") -> Hospital:
    if code not in BY_CODE:
        raise Refused(slug, code=code, hospital_code=code)
    return BY_CODE[code]


def _shown_hospital(hospital: Hospital) -> dict[str, Any]:
    return {
        "code": hospital.code,
        "name": hospital.zh,
        "english_name": hospital.en,
        "grade": hospital.grade,
        "district_code": hospital.district,
        "address": hospital.address,
        "sections": [
            {"code": code, "name": SECTIONS[code][0], "english_name": SECTIONS[code][1]}
            for code in hospital.sections
        ],
    }


@department.operation("listHospitals")
def list_hospitals(call: Call) -> Answer:
    district, grade, limit = call.text("district_code"), call.text("grade"), call.number("limit", 20)
    after = read_cursor(call.text("cursor"), "health-cursor-invalid", district, grade, form="H[0-9]{9}")
    found = [
        one for one in HOSPITALS
        if district in {"", one.district} and grade in {"", one.grade} and one.code > after
    ]  # fmt: skip
    answer: dict[str, Any] = {"items": [_shown_hospital(one) for one in found[:limit]]}
    if len(found) > limit:
        answer["next"] = make_cursor(found[limit - 1].code, district, grade)
    return Answer(answer)


@department.operation("getHospital")
def get_hospital(call: Call) -> Answer:
    return Answer(_shown_hospital(_hospital(str(call.path["code"]))))


def _appointments(world: World) -> list[Record]:
    """The appointments that are not cancelled: the one of the base, and those of the app."""
    found = {FIRST_APPOINTMENT: world.get(APPOINTMENT, FIRST_APPOINTMENT)} | dict(world.changed(APPOINTMENT))
    return [one for one in found.values() if one is not None and "cancelled_on" not in one]


def _free(world: World, hospital: Hospital, section: str, day: str, period: str) -> int:
    """Places that are left: some are taken by others, some by this app."""
    places = _PLACES[hospital.grade]
    taken = share_of(hospital.code, section, day, period, of=places + 1)
    own = sum(
        (one["hospital_code"], one["section"], one["date"], one["period"])
        == (hospital.code, section, day, period)
        for one in _appointments(world)
    )
    return max(0, places - taken - own)


def _check_open(world: World, day: str) -> None:
    moment = date.fromisoformat(day)
    if not world.today <= moment <= world.today + timedelta(days=_OPEN_DAYS) or moment.weekday() == _SUNDAY:
        raise Refused("health-day-closed", date=day)


@department.operation("listSlots")
def list_slots(call: Call) -> Answer:
    hospital = _hospital(str(call.path["code"]))
    section, day = call.text("section"), call.text("date")
    if section not in hospital.sections:
        raise Refused("health-section-unknown", section=section)
    _check_open(call.world, day)
    items = [{"period": one, "free": _free(call.world, hospital, section, day, one)} for one in PERIODS]
    return Answer({"hospital_code": hospital.code, "section": section, "date": day, "items": items})


# --- appointments -----------------------------------------------------------------------------
@department.operation("bookAppointment")
def book_appointment(call: Call) -> Answer:
    body, world = call.body, call.world
    hospital = _hospital(body["hospital_code"], "health-hospital-unknown")
    section, day, period = body["section"], body["date"], body["period"]
    if section not in hospital.sections:
        raise Refused("health-section-unknown", section=section)
    _check_open(world, day)
    patient = named(world, body["id_number"], body["name"])
    if patient is None:
        raise Refused("health-patient-unknown")
    same = next(
        (one for one in _appointments(world)
         if one["patient"] == patient["number"] and (one["section"], one["date"]) == (section, day)),
        None,
    )  # fmt: skip
    if same is not None:
        raise Refused("health-booked-already", number=same["number"])
    if not _free(world, hospital, section, day, period):
        raise Refused("health-slot-full", date=day, period=period)
    appointment = {
        "number": number_for(
            world, APPOINTMENT, "YY", patient["number"], hospital.code, section, day, period
        ),
        "hospital_code": hospital.code,
        "section": section,
        "date": day,
        "period": period,
        "patient": patient["number"],
        "booked_on": world.today.isoformat(),
    }
    world.put(APPOINTMENT, appointment["number"], appointment)
    return Answer(
        _shown_appointment(world, appointment), 201, _location(call, f"appointments/{appointment['number']}")
    )


def _location(call: Call, rest: str) -> list[tuple[bytes, bytes]]:
    return [(b"location", f"/api/{call.context.service.replace('@', '/')}/{rest}".encode())]


def _shown_appointment(world: World, appointment: Record) -> dict[str, Any]:
    patient = world.get(PERSON, appointment["patient"])
    status = "booked" if appointment["date"] >= world.today.isoformat() else "past"
    return {
        "number": appointment["number"],
        "status": "cancelled" if "cancelled_on" in appointment else status,
        "hospital_code": appointment["hospital_code"],
        "hospital_name": BY_CODE[appointment["hospital_code"]].zh,
        "section": appointment["section"],
        "date": appointment["date"],
        "period": appointment["period"],
        "patient_name": patient["name"] if patient else "",
        "booked_on": appointment["booked_on"],
    }


def _appointment(call: Call) -> Record:
    number = str(call.path["number"])
    appointment = call.world.get(APPOINTMENT, number)
    if appointment is None:
        raise Refused("health-appointment-not-found", number=number)
    return appointment


@department.operation("getAppointment")
def get_appointment(call: Call) -> Answer:
    return Answer(_shown_appointment(call.world, _appointment(call)))


@department.operation("cancelAppointment")
def cancel_appointment(call: Call) -> Answer:
    appointment, world = _appointment(call), call.world
    if "cancelled_on" not in appointment:
        if appointment["date"] <= world.today.isoformat():
            raise Refused("health-too-late", number=appointment["number"])
        kept = world.kept(APPOINTMENT, appointment["number"]) or appointment
        appointment = {**kept, "cancelled_on": world.today.isoformat()}
        world.put(APPOINTMENT, appointment["number"], appointment)
    return Answer(_shown_appointment(world, appointment))


# --- birth certificates -----------------------------------------------------------------------
@department.operation("issueBirthCertificate")
def issue_birth_certificate(call: Call) -> Answer:
    body, world = call.body, call.world
    hospital = _hospital(body["hospital_code"], "health-hospital-unknown")
    if "obstetrics" not in hospital.sections:
        raise Refused("health-section-unknown", section="obstetrics")
    born_at = datetime.fromisoformat(body["born_at"]).astimezone(ZONE)
    if not world.now - timedelta(days=_LATEST_CERTIFICATE_DAYS) <= born_at <= world.now:
        raise Refused("health-birth-time", born_at=body["born_at"])
    mother = named(world, body["mother_number"], body["mother_name"])
    if mother is None or mother["sex"] != "F":
        raise Refused("health-mother-unknown")
    record: Record = {
        "child_name": body["child_name"],
        "sex": body["sex"],
        "born_at": local_text(born_at),
        "weight_grams": body["weight_grams"],
        "hospital_code": hospital.code,
        "mother": mother["number"],
        "issued_on": world.today.isoformat(),
    }
    if "father_number" in body:
        father = living(world, body["father_number"])
        if father is None or father["sex"] != "M":
            raise Refused("health-father-unknown")
        record["father"] = father["number"]
    _check_new(world, record)
    number = number_for(
        world, CERTIFICATE, "K1", mother["number"], record["born_at"], record["child_name"], places=8
    )
    record = {"number": number, **record}
    world.put(CERTIFICATE, number, record)
    event = Event(
        "health.birth-certificate.issued",
        number,
        {"number": number, "hospital_code": hospital.code, "issued_on": record["issued_on"]},
    )
    return Answer(
        _shown_certificate(world, record), 201, _location(call, f"birth-certificates/{number}"), [event]
    )


def _check_new(world: World, record: Record) -> None:
    """Refuse a second certificate for one birth, and births closer than nature allows; twins are born on one day."""
    known = [
        (str(name), str(born))
        for name, born in world.city.all(
            "SELECT c.name, c.born FROM citizen c JOIN citizen m ON m.id = c.mother WHERE m.number = ?",
            record["mother"],
        )
    ]
    known += [
        (one["child_name"], one["born_at"][:10])
        for _, one in world.changed(CERTIFICATE)
        if one is not None and one["mother"] == record["mother"]
    ]
    born = date.fromisoformat(record["born_at"][:10])
    for name, day in known:
        apart = abs((born - date.fromisoformat(day)).days)
        if apart < _BETWEEN_BIRTHS_DAYS and (apart > 1 or name == record["child_name"]):
            raise Refused("health-certificate-issued")


def _shown_certificate(world: World, record: Record) -> dict[str, Any]:
    mother, father = world.get(PERSON, record["mother"]), world.get(PERSON, record.get("father", ""))
    shown = {
        "number": record["number"],
        "child_name": record["child_name"],
        "sex": record["sex"],
        "born_at": record["born_at"],
        "weight_grams": record["weight_grams"],
        "hospital_code": record["hospital_code"],
        "hospital_name": BY_CODE[record["hospital_code"]].zh,
        "mother_name": mother["name"] if mother else "",
        "issued_on": record["issued_on"],
        "is_registered": world.get(BIRTH, record["number"]) is not None,
    }
    if father is not None:
        shown["father_name"] = father["name"]
    return shown


@department.operation("getBirthCertificate")
def get_birth_certificate(call: Call) -> Answer:
    number = str(call.path["number"])
    record = call.world.get(CERTIFICATE, number)
    if record is None or record["born_at"] > local_text(call.world.now):
        raise Refused("health-certificate-not-found", number=number)
    return Answer(_shown_certificate(call.world, record))


# --- vaccinations -----------------------------------------------------------------------------
def _child(call: Call) -> tuple[Record, list[dict[str, Any]]]:
    """The person and what he has been given, oldest first."""
    person = living(call.world, call.body["id_number"])
    if person is None:
        raise Refused("health-child-unknown")
    record = call.world.get(VACCINATIONS, person["number"]) or {"items": []}
    today = call.world.today.isoformat()
    return person, [one for one in record["items"] if one["given_on"] <= today]


def _dose(item: dict[str, Any]) -> dict[str, Any]:
    zh, en = _NAMES[item["vaccine"]]
    return {**item, "name": zh, "english_name": en}


@department.operation("listVaccinations")
def list_vaccinations(call: Call) -> Answer:
    person, given = _child(call)
    born, today = date.fromisoformat(person["born_on"]), call.world.today
    done = {(one["vaccine"], one["dose"]) for one in given}
    due = [
        _dose({"vaccine": code, "dose": dose}) | {"due_on": (born + timedelta(days=age)).isoformat(),
                                                  "is_overdue": born + timedelta(days=age + 30) < today}
        for code, dose, age, _, _ in SCHEDULE if (code, dose) not in done
    ]  # fmt: skip
    return Answer(
        {
            "name": person["name"],
            "born_on": person["born_on"],
            "items": [_dose(one) for one in given],
            "due": due,
        }
    )


@department.operation("recordVaccination")
def record_vaccination(call: Call) -> Answer:
    body, world = call.body, call.world
    hospital = _hospital(body["hospital_code"], "health-hospital-unknown")
    person, given = _child(call)
    vaccine, dose = body["vaccine"], body["dose"]
    if (vaccine, dose) not in _AGES:
        raise Refused("health-dose-unknown", vaccine=vaccine, dose=dose)
    days = {one["dose"]: date.fromisoformat(one["given_on"]) for one in given if one["vaccine"] == vaccine}
    if dose in days:
        raise Refused("health-dose-given", vaccine=vaccine, dose=dose)
    possible = date.fromisoformat(person["born_on"]) + timedelta(days=_AGES[vaccine, dose])
    if dose > 1:
        if dose - 1 not in days:
            raise Refused("health-dose-order", vaccine=vaccine, dose=dose)
        possible = max(possible, days[dose - 1] + timedelta(days=LEAST_INTERVAL_DAYS))
    if world.today < possible:
        raise Refused("health-dose-early", vaccine=vaccine, dose=dose, possible_on=possible.isoformat())
    item = {
        "vaccine": vaccine,
        "dose": dose,
        "given_on": world.today.isoformat(),
        "hospital_code": hospital.code,
    }
    kept = world.kept(VACCINATIONS, person["number"]) or {"items": []}
    world.put(VACCINATIONS, person["number"], {"items": [*kept["items"], item]})
    return Answer(_dose(item), 201)
