"""What civil affairs does: marriages and divorces, the allowance and the services for the elderly.

Who the parties are, how old, and whether they live is asked of public security each time.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.civil_affairs.records import (
    ALLOWANCE,
    APPLICATION,
    BOOKING,
    FIRST_APPLICATION,
    FIRST_BOOKING,
    MARRIAGE,
    SERVICE,
    is_married,
    marriage_of,
    service_key,
)
from sandbox.city.departments.public_security.records import (
    HOUSEHOLD,
    PERSON,
    brief,
    is_dead,
    living,
    members_of,
    named,
    parents_of,
    years_between,
)
from sandbox.city.numbering import digits_of, number_for
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import places
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "civil-affairs", "民政局", "Civil Affairs Bureau", Path(__file__).parent, protocol="soap"
)

_MARRIAGE_YEARS = {"husband": 22, "wife": 20}  # Source: 《中华人民共和国民法典》 article 1047
_SEX = {"husband": "M", "wife": "F"}
_COOLING_OFF = timedelta(days=30)  # Source: 《中华人民共和国民法典》 article 1077
_LATEST_BOOKING = timedelta(days=60)
_SUNDAY = 6
_MONTHLY_YUAN = ((100, 600), (90, 300), (80, 100))  # from that age

# code, names, least age, whether only for those who live alone, price
SERVICES = (
    ("meal", "助餐服务", "Meals on wheels", 60, False, 8),
    ("day-care", "日间照料", "Day care", 60, False, 30),
    ("emergency-call", "一键呼叫", "Emergency call", 60, True, 0),
    ("home-care", "居家护理", "Home care", 70, False, 50),
)


# --- marriages --------------------------------------------------------------------------------
@department.operation("getMarriage")
def get_marriage(call: Call) -> Answer:
    person = living(call.world, call.body["id_number"])
    if person is None:
        raise Refused("civil-person-not-found")
    marriage = marriage_of(call.world, person["number"])
    shown = {**brief(person), "status": marriage["status"]}
    if marriage["status"] != "single":
        spouse = call.world.get(PERSON, marriage["spouse"])
        shown |= {"spouse_name": spouse["name"] if spouse else "", "since": marriage["since"],
                  "certificate_number": marriage["certificate_number"]}  # fmt: skip
    if "divorced_on" in marriage:
        shown["divorced_on"] = marriage["divorced_on"]
    return Answer(shown)


def _party(world: World, role: str, number: str, name: str | None = None) -> Record:
    """Somebody who may marry. Raises Refused."""
    person = living(world, number) if name is None else named(world, number, name)
    if person is None or person["sex"] != _SEX[role]:
        raise Refused("civil-party-unknown")
    if years_between(person["born_on"], world.today) < _MARRIAGE_YEARS[role]:
        raise Refused("civil-under-age")
    if is_married(world, person["number"]):
        raise Refused("civil-married-already")
    return person


def _check_kin(world: World, husband: Record, wife: Record) -> None:
    """No ancestors and descendants, no siblings, no cousins. Source: 《中华人民共和国民法典》 article 1048."""
    his, hers = _ancestors(world, husband), _ancestors(world, wife)
    if husband["number"] in hers or wife["number"] in his or his & hers:
        raise Refused("civil-close-kin")


def _ancestors(world: World, person: Record) -> set[str]:
    """Parents and grandparents."""
    found = parents_of(person)
    for number in tuple(found):
        parent = world.get(PERSON, number)
        found |= parents_of(parent) if parent else set()
    return found


def _bookings(world: World) -> list[Record]:
    found = {FIRST_BOOKING: world.get(BOOKING, FIRST_BOOKING)} | dict(world.changed(BOOKING))
    return [one for one in found.values() if one is not None]


@department.operation("bookMarriageRegistration")
def book_marriage_registration(call: Call) -> Answer:
    body, world = call.body, call.world
    day = date.fromisoformat(body["date"])
    if not world.today <= day <= world.today + _LATEST_BOOKING or day.weekday() == _SUNDAY:
        raise Refused("civil-day-closed", date=body["date"])
    if body["district_code"] not in places.BY_CODE:
        raise Refused("civil-area-not-ours", district_code=body["district_code"])
    husband = _party(world, "husband", body["husband_number"], body["husband_name"])
    wife = _party(world, "wife", body["wife_number"], body["wife_name"])
    _check_kin(world, husband, wife)
    couple = {husband["number"], wife["number"]}
    for one in _bookings(world):
        if couple & {one["husband"], one["wife"]} and one["date"] >= world.today.isoformat():
            raise Refused("civil-booked-already", number=one["number"])
    booking = {
        "number": number_for(world, BOOKING, "JH", husband["number"], wife["number"], body["date"]),
        "husband": husband["number"],
        "wife": wife["number"],
        "district_code": body["district_code"],
        "date": body["date"],
        "booked_on": world.today.isoformat(),
    }
    world.put(BOOKING, booking["number"], booking)
    return Answer(
        _shown_booking(world, booking), 201, _location(call, f"marriage-bookings/{booking['number']}")
    )


def _location(call: Call, rest: str) -> list[tuple[bytes, bytes]]:
    return [(b"location", f"/api/{call.context.service.replace('@', '/')}/{rest}".encode())]


def _shown_booking(world: World, booking: Record) -> dict[str, Any]:
    husband, wife = world.get(PERSON, booking["husband"]), world.get(PERSON, booking["wife"])
    status = (
        "used" if "used_on" in booking else "open" if booking["date"] >= world.today.isoformat() else "missed"
    )
    return {
        "number": booking["number"],
        "status": status,
        "husband_name": husband["name"] if husband else "",
        "wife_name": wife["name"] if wife else "",
        "district_code": booking["district_code"],
        "date": booking["date"],
        "booked_on": booking["booked_on"],
    }


@department.operation("getMarriageBooking")
def get_marriage_booking(call: Call) -> Answer:
    number = str(call.path["number"])
    booking = call.world.get(BOOKING, number)
    if booking is None:
        raise Refused("civil-booking-not-found", number=number)
    return Answer(_shown_booking(call.world, booking))


@department.operation("registerMarriage")
def register_marriage(call: Call) -> Answer:
    world, number = call.world, call.body["booking_number"]
    booking = world.get(BOOKING, number)
    if booking is None:
        raise Refused("civil-booking-unknown", booking_number=number)
    if booking["date"] != world.today.isoformat():
        raise Refused("civil-not-the-day", date=booking["date"])
    husband, wife = _party(world, "husband", booking["husband"]), _party(world, "wife", booking["wife"])
    _check_kin(world, husband, wife)
    serial = digits_of(husband["number"], wife["number"], world.today, places=6)
    certificate = f"J{booking['district_code']}-{world.today.year}-{serial}"
    since = world.today.isoformat()
    for one, other in ((husband, wife), (wife, husband)):
        world.put(MARRIAGE, one["number"], {"id_number": one["number"], "spouse": other["number"], "since": since,
                                            "certificate_number": certificate})  # fmt: skip
    world.put(BOOKING, number, {**(world.kept(BOOKING, number) or booking), "used_on": since})
    answer = {"certificate_number": certificate, "husband_name": husband["name"], "wife_name": wife["name"],
              "registered_on": since, "district_code": booking["district_code"]}  # fmt: skip
    told = {
        "certificate_number": certificate,
        "registered_on": since,
        "district_code": booking["district_code"],
    }
    return Answer(answer, 201, events=[Event("civil.marriage.registered", certificate, told)])


# --- divorces ---------------------------------------------------------------------------------
@department.operation("applyDivorce")
def apply_divorce(call: Call) -> Answer:
    body, world = call.body, call.world
    husband, wife = living(world, body["husband_number"]), living(world, body["wife_number"])
    if husband is None or wife is None:
        raise Refused("civil-party-unknown")
    marriage = marriage_of(world, husband["number"])
    if marriage["status"] != "married" or marriage["spouse"] != wife["number"]:
        raise Refused("civil-not-married")
    under_way = _application_of(world, husband["number"])
    if under_way is not None:
        raise Refused("civil-divorce-under-way", number=under_way["number"])
    application: Record = {
        "number": number_for(world, APPLICATION, f"LH{world.today.year}", husband["number"], wife["number"], world.today,
                              places=6),
        "applied_on": world.today.isoformat(),
        "parties": [husband["number"], wife["number"]],
        "status": "open",
    }  # fmt: skip
    world.put(APPLICATION, application["number"], application)
    place = _location(call, f"divorce-applications/{application['number']}")
    return Answer(_shown_application(world, application), 201, place)


def _application_of(world: World, number: str) -> Record | None:
    """The application that is still open, of the base city or of the app."""
    known = world.city.all(
        "SELECT d.number FROM divorce_application d JOIN citizen c ON c.id = d.husband WHERE c.number = ?",
        number,
    )
    numbers = [key for (key,) in known] or [FIRST_APPLICATION]
    found = {key: world.get(APPLICATION, key) for key in numbers} | dict(world.changed(APPLICATION))
    for one in found.values():
        if one is not None and number in one["parties"] and _status(world, one) in {"cooling-off", "ready"}:
            return one
    return None


def _terms(application: Record) -> tuple[date, date]:
    """Until when the parties may withdraw, and until when they have to appear."""
    applied = date.fromisoformat(application["applied_on"])
    return applied + _COOLING_OFF, applied + 2 * _COOLING_OFF


def _status(world: World, application: Record) -> str:
    """cooling-off, ready, lapsed, withdrawn or divorced, as of the world's day."""
    if application["status"] != "open":
        return str(application["status"])
    cooling, latest = _terms(application)
    if world.today <= cooling:
        return "cooling-off"
    return "ready" if world.today <= latest else "lapsed"


def _shown_application(world: World, application: Record) -> dict[str, Any]:
    cooling, latest = _terms(application)
    return {
        "number": application["number"],
        "status": _status(world, application),
        "applied_on": application["applied_on"],
        "cooling_off_ends_on": cooling.isoformat(),
        "lapses_on": latest.isoformat(),
    }


def _application(call: Call) -> Record:
    number = str(call.path["number"])
    application = call.world.get(APPLICATION, number)
    if application is None:
        raise Refused("civil-application-not-found", number=number)
    return application


@department.operation("getDivorceApplication")
def get_divorce_application(call: Call) -> Answer:
    return Answer(_shown_application(call.world, _application(call)))


@department.operation("withdrawDivorceApplication")
def withdraw_divorce_application(call: Call) -> Answer:
    application, world = _application(call), call.world
    status = _status(world, application)
    if status not in {"cooling-off", "ready", "withdrawn"}:
        raise Refused("civil-application-closed", number=application["number"], status=status)
    if status != "withdrawn":
        application = {
            **(world.kept(APPLICATION, application["number"]) or application),
            "status": "withdrawn",
        }
        world.put(APPLICATION, application["number"], application)
    return Answer(_shown_application(world, application))


@department.operation("registerDivorce")
def register_divorce(call: Call) -> Answer:
    world, number = call.world, call.body["application_number"]
    application = world.get(APPLICATION, number)
    if application is None:
        raise Refused("civil-application-unknown", application_number=number)
    status = _status(world, application)
    if status == "cooling-off":
        raise Refused("civil-cooling-off", ends_on=_terms(application)[0].isoformat())
    if status != "ready":
        raise Refused("civil-application-closed", number=number, status=status)
    one, other = application["parties"]
    marriage = marriage_of(world, one)
    if marriage["status"] != "married" or marriage["spouse"] != other:
        raise Refused("civil-not-married")
    today = world.today.isoformat()
    for party in (one, other):
        kept = world.kept(MARRIAGE, party)
        if kept is not None:
            world.put(MARRIAGE, party, {**kept, "divorced_on": today})
    world.put(APPLICATION, number, {**(world.kept(APPLICATION, number) or application), "status": "divorced"})
    certificate = f"L{marriage['certificate_number'][1:7]}-{today[:4]}-{digits_of(number, places=6)}"
    return Answer(
        {"certificate_number": certificate, "application_number": number, "registered_on": today}, 201
    )


# --- the elderly ------------------------------------------------------------------------------
@department.operation("getElderlyAllowance")
def get_elderly_allowance(call: Call) -> Answer:
    number, world = call.body["id_number"], call.world
    person, allowance = world.get(PERSON, number), world.get(ALLOWANCE, number)
    if person is None:
        raise Refused("civil-person-not-found")
    if allowance is None or allowance["since"] > world.today.isoformat():
        raise Refused("civil-allowance-none")
    age = years_between(person["born_on"], world.today)
    is_paid = not is_dead(world, person)
    shown = {
        **brief(person),
        "number": allowance["number"],
        "status": "paid" if is_paid else "stopped",
        "since": allowance["since"],
        "monthly_yuan": next(yuan for least, yuan in _MONTHLY_YUAN if age >= least) if is_paid else 0,
    }
    if not is_paid:
        shown["stopped_on"] = person["died_on"]
    return Answer(shown)


@department.operation("listElderlyServices")
def list_elderly_services(call: Call) -> Answer:
    age, limit = call.number("age", 200), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), "civil-cursor-invalid", str(age)) or 0)
    found = [one for one in SERVICES if one[3] <= age]
    items = [
        {
            "code": code,
            "name": zh,
            "english_name": en,
            "least_age": least,
            "is_for_living_alone": alone,
            "price_yuan": price,
        }
        for code, zh, en, least, alone, price in found[after : after + limit]
    ]
    answer: dict[str, Any] = {"items": items}
    if len(found) > after + limit:
        answer["next"] = make_cursor(str(after + limit), str(age))
    return Answer(answer)


@department.operation("applyElderlyService")
def apply_elderly_service(call: Call) -> Answer:
    body, world = call.body, call.world
    code, zh, en, least, is_alone, price = next(one for one in SERVICES if one[0] == body["service"])
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("civil-person-not-found")
    if years_between(person["born_on"], world.today) < least:
        raise Refused("civil-too-young", service=code)
    household = world.get(HOUSEHOLD, person["household_number"])
    if is_alone and household is not None and len(members_of(world, household)) > 1:
        raise Refused("civil-not-alone", service=code)
    key = service_key(code, person["number"])
    if world.get(SERVICE, key) is not None:
        raise Refused("civil-service-granted", service=code)
    grant = {
        "number": "YL" + digits_of(key),
        "service": code,
        "from": (world.today + timedelta(days=1)).isoformat(),
    }
    world.put(SERVICE, key, grant)
    return Answer(
        {
            **grant,
            "name": zh,
            "english_name": en,
            "price_yuan": price,
            "district_code": person["district_code"],
        },
        201,
    )
