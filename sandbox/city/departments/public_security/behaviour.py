"""What public security does: the register of people and households, births, deaths, moves, and residence permits.

Who is married is asked of civil affairs, and a birth is registered only with a certificate of a hospital.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.civil_affairs.records import marital_status, marriage_of
from sandbox.city.departments.health.records import CERTIFICATE
from sandbox.city.departments.public_security.records import (
    AGE_OF_MAJORITY,
    BIRTH,
    DEATH,
    HOUSEHOLD,
    MOVE,
    NEWCOMER,
    PERMIT,
    PERSON,
    brief,
    check_number,
    is_dead,
    living,
    members_of,
    parents_of,
    years_between,
)
from sandbox.city.numbering import digits_of, number_for
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import identifiers, places
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "public-security", "公安局", "Public Security Bureau", Path(__file__).parent, protocol="soap"
)

_NUMBER_INVALID = "household-number-invalid"
_FIRST_SEQUENCE = 801  # of children registered in the sandbox, out of the way of those of the base city
_HALF_A_YEAR = timedelta(days=183)


def _person(call: Call, number: str) -> Record:
    """Somebody in the register, dead or alive. Refuses what is no number and nobody's."""
    check_number(number, _NUMBER_INVALID)
    person = call.world.get(PERSON, number)
    if person is None or person["born_on"] > call.world.today.isoformat():
        raise Refused("household-person-not-found")
    return person


def _alive(call: Call, number: str) -> Record:
    person = _person(call, number)
    if is_dead(call.world, person):
        raise Refused("household-person-dead")
    return person


@department.operation("verifyIdentity")
def verify_identity(call: Call) -> Answer:
    number, world = call.body["id_number"], call.world
    check_number(number, _NUMBER_INVALID)
    person = world.get(PERSON, number) or world.get(NEWCOMER, number)
    if person is None:
        result = "unknown"
    elif person["name"] != call.body["name"]:
        result = "mismatch"
    else:
        result = "dead" if is_dead(world, person) else "match"
    return Answer({"result": result, "checked_at": local_text(world.now)})


@department.operation("getPerson")
def get_person(call: Call) -> Answer:
    person, world = _person(call, call.body["id_number"]), call.world
    shown = {
        "id_number": person["number"],
        **{key: person[key] for key in ("name", "latin_name", "sex", "ethnicity", "born_on", "district_code", "address",
                                        "english_address", "household_number")},
        "marital_status": marital_status(world, person["number"]),
        "is_alive": not is_dead(world, person),
    }  # fmt: skip
    if not shown["is_alive"]:
        shown["died_on"] = person["died_on"]
    return Answer(shown)


@department.operation("getHousehold")
def get_household(call: Call) -> Answer:
    person = _alive(call, call.body["id_number"])
    household = call.world.get(HOUSEHOLD, person["household_number"])
    if household is None:
        raise Refused("household-not-found")
    return Answer(_shown_household(call.world, household))


def _shown_household(world: World, household: Record) -> dict[str, Any]:
    members = members_of(world, household)
    head = members[0] if members else None
    return {
        "number": household["number"],
        "district_code": household["district_code"],
        "address": household["address"],
        "english_address": household["english_address"],
        "members": [
            {
                **brief(one),
                "sex": one["sex"],
                "born_on": one["born_on"],
                "relation": _relation(world, head, one),
            }
            for one in members
        ],
    }


def _relation(world: World, head: Record | None, member: Record) -> str:
    """head, spouse, child, parent or other: what the member is to the head of the household."""
    if head is None or head["number"] == member["number"]:
        return "head"
    marriage = marriage_of(world, head["number"])
    if marriage["status"] == "married" and marriage["spouse"] == member["number"]:
        return "spouse"
    if head["number"] in parents_of(member):
        return "child"
    return "parent" if member["number"] in parents_of(head) else "other"


@department.operation("registerBirth")
def register_birth(call: Call) -> Answer:
    body, world = call.body, call.world
    certificate = world.get(CERTIFICATE, body["certificate_number"])
    if certificate is None or certificate["born_at"] > local_text(world.now):
        raise Refused("household-certificate-unknown", certificate_number=body["certificate_number"])
    if world.get(BIRTH, certificate["number"]) is not None:
        raise Refused("household-birth-registered", certificate_number=certificate["number"])
    applicant = _alive(call, body["applicant_number"])
    if applicant["number"] not in {certificate["mother"], certificate.get("father")}:
        raise Refused("household-applicant-not-parent")
    household = world.get(HOUSEHOLD, applicant["household_number"])
    if household is None:
        raise Refused("household-not-found")
    child = _child(call, certificate, household, applicant)
    registration = {
        "number": certificate["number"],
        "id_number": child["number"],
        "name": child["name"],
        "household_number": household["number"],
        "registered_on": world.today.isoformat(),
    }
    world.put(PERSON, child["number"], child)
    world.put(
        HOUSEHOLD, household["number"], {**household, "members": [*household["members"], child["number"]]}
    )
    world.put(BIRTH, certificate["number"], registration)
    return Answer(
        _shown_birth(registration), 201, _location(call, f"birth-registrations/{certificate['number']}")
    )


def _child(call: Call, certificate: Record, household: Record, applicant: Record) -> Record:
    born_on = certificate["born_at"][:10]
    child: Record = {
        "number": _new_number(call.world, household["district_code"], born_on, certificate["sex"]),
        "name": call.body.get("name", certificate["child_name"]),
        "latin_name": "",
        "sex": certificate["sex"],
        "ethnicity": applicant["ethnicity"],
        "born_on": born_on,
        "district_code": household["district_code"],
        "address": household["address"],
        "english_address": household["english_address"],
        "household_number": household["number"],
        "mother": certificate["mother"],
    }
    if "father" in certificate:
        child["father"] = certificate["father"]
    return child


def _new_number(world: World, district: str, born_on: str, sex: str) -> str:
    """The next free identity number of that district, day and sex."""
    sequence = _FIRST_SEQUENCE if sex == "M" else _FIRST_SEQUENCE + 1
    while True:
        number = identifiers.citizen_number(district, date.fromisoformat(born_on), sequence)
        if world.get(PERSON, number) is None:
            return number
        sequence += 2


def _shown_birth(registration: Record) -> dict[str, Any]:
    return {
        "certificate_number": registration["number"],
        **{key: registration[key] for key in ("id_number", "name", "household_number", "registered_on")},
    }


def _location(call: Call, rest: str) -> list[tuple[bytes, bytes]]:
    return [(b"location", f"/api/{call.context.service.replace('@', '/')}/{rest}".encode())]


@department.operation("getBirthRegistration")
def get_birth_registration(call: Call) -> Answer:
    number, world = str(call.path["number"]), call.world
    birth = world.get(BIRTH, number)
    person = None if birth is None else world.get(PERSON, birth["id_number"])
    if birth is None or person is None:
        raise Refused("household-birth-not-found", number=number)
    registration = {"name": person["name"], "household_number": person["household_number"], **birth}
    return Answer(_shown_birth({**registration, "number": number}))


@department.operation("registerDeath")
def register_death(call: Call) -> Answer:
    body, world = call.body, call.world
    person = _person(call, body["id_number"])
    if "died_on" in person:
        raise Refused("household-person-dead")
    if not person["born_on"] <= body["died_on"] <= world.today.isoformat():
        raise Refused("household-death-date", died_on=body["died_on"])
    applicant = _alive(call, body["applicant_number"])
    marriage = marriage_of(world, person["number"])
    is_kin = (
        applicant["household_number"] == person["household_number"]
        or person["number"] in parents_of(applicant)
        or applicant["number"] in {*parents_of(person), marriage.get("spouse")}
    )
    if not is_kin or applicant["number"] == person["number"]:
        raise Refused("household-applicant-not-kin")
    kept = world.kept(PERSON, person["number"]) or person
    world.put(PERSON, person["number"], {**kept, "died_on": body["died_on"]})
    number = "SW" + digits_of(person["number"])
    registration = {"number": number, **brief(person), "died_on": body["died_on"],
                    "registered_on": world.today.isoformat()}  # fmt: skip
    world.put(DEATH, number, registration)
    return Answer(registration, 201)


@department.operation("moveResidence")
def move_residence(call: Call) -> Answer:
    body, world = call.body, call.world
    person = _alive(call, body["id_number"])
    if years_between(person["born_on"], world.today) < AGE_OF_MAJORITY:
        raise Refused("household-minor-alone")
    if body["district_code"] not in places.BY_CODE:
        raise Refused("household-area-not-ours", district_code=body["district_code"])
    if body["address"] == person["address"]:
        raise Refused("household-same-address")
    old = world.kept(HOUSEHOLD, person["household_number"])
    number = _new_household(world, body["district_code"], body["address"])
    home = {"district_code": body["district_code"], "address": body["address"],
            "english_address": body.get("english_address", "")}  # fmt: skip
    movers = [person["number"]]
    if body.get("with_children", True):
        movers += [
            one["number"] for one in (members_of(world, old) if old else [])
            if person["number"] in parents_of(one) and years_between(one["born_on"], world.today) < AGE_OF_MAJORITY
        ]  # fmt: skip
    for one in movers:
        kept = world.kept(PERSON, one)
        if kept is not None:
            world.put(PERSON, one, {**kept, **home, "household_number": number})
    world.put(HOUSEHOLD, number, {"number": number, **home, "members": movers})
    if old is not None:
        left = [one for one in old["members"] if one not in movers]
        world.put(HOUSEHOLD, old["number"], {**old, "members": left})
    move = {
        "number": number_for(world, MOVE, "QY", person["number"], body["address"]),
        "id_number": person["number"],
        "moved_on": world.today.isoformat(),
        "from_address": person["address"],
        "to_address": body["address"],
        "district_code": body["district_code"],
        "household_number": number,
        "people": len(movers),
    }
    world.put(MOVE, move["number"], move)
    return Answer(move, 201)


def _new_household(world: World, district: str, address: str) -> str:
    turn = 0
    while True:
        number = district + digits_of(district, address, turn, places=8)
        if world.get(HOUSEHOLD, number) is None:
            return number
        turn += 1


@department.operation("listResidenceMoves")
def list_residence_moves(call: Call) -> Answer:
    limit = call.number("limit", 20)
    after = read_cursor(call.text("cursor"), "household-cursor-invalid", form="QY[0-9]{10}")
    moves = [move for number, move in call.world.changed(MOVE) if move is not None and number > after]
    answer: dict[str, Any] = {"items": moves[:limit]}
    if len(moves) > limit:
        answer["next"] = make_cursor(moves[limit - 1]["number"])
    return Answer(answer)


@department.operation("applyResidencePermit")
def apply_residence_permit(call: Call) -> Answer:
    body, world = call.body, call.world
    check_number(body["id_number"], _NUMBER_INVALID)
    if living(world, body["id_number"]) is not None:
        raise Refused("household-is-local")
    newcomer = world.get(NEWCOMER, body["id_number"])
    if newcomer is None or newcomer["name"] != body["name"]:
        raise Refused("household-newcomer-unknown")
    known = world.get(PERMIT, newcomer["number"])
    if known is not None and known["expires_on"] >= world.today.isoformat():
        raise Refused("household-permit-valid", expires_on=known["expires_on"])
    since = date.fromisoformat(newcomer["registered_on"])
    if since + _HALF_A_YEAR > world.today:
        raise Refused("household-too-early", possible_on=(since + _HALF_A_YEAR).isoformat())
    number = known["number"] if known else places.DIVISION + digits_of(newcomer["number"], places=12)
    permit = {
        "number": number,
        "issued_on": world.today.isoformat(),
        "expires_on": (world.today + timedelta(days=364)).isoformat(),
    }
    world.put(PERMIT, newcomer["number"], permit)
    return Answer(_shown_permit(world, newcomer, permit), 201)


def _shown_permit(world: World, newcomer: Record, permit: Record) -> dict[str, Any]:
    return {
        **brief(newcomer),
        "permit_number": permit["number"],
        "status": "valid" if permit["expires_on"] >= world.today.isoformat() else "expired",
        "issued_on": permit["issued_on"],
        "expires_on": permit["expires_on"],
        "district_code": newcomer["district_code"],
        "address": newcomer["address"],
    }


@department.operation("getResidencePermit")
def get_residence_permit(call: Call) -> Answer:
    number = call.body["id_number"]
    check_number(number, _NUMBER_INVALID)
    newcomer, permit = call.world.get(NEWCOMER, number), call.world.get(PERMIT, number)
    if newcomer is None or permit is None:
        raise Refused("household-permit-not-found")
    return Answer(_shown_permit(call.world, newcomer, permit))
