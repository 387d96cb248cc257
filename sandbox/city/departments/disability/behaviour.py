"""What the disabled persons' federation does: cards, their assessment, and subsidies.

Who somebody is and whether he lives is asked of public security, whether he has a job of social security; the
assessment is made in a hospital of health.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.disability.records import (
    APPLICATION,
    CARD,
    FIRST_APPLICATION,
    FIRST_GRANT,
    GRANT,
    SUBSIDIES,
    assessed_grade,
    card_of,
    new_card,
)
from sandbox.city.departments.health.records import BY_CODE as HOSPITALS
from sandbox.city.departments.public_security.records import PERSON, brief, living, named
from sandbox.city.departments.social_security.records import job_of, month_after, month_of
from sandbox.city.numbering import number_for
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "disability", "残疾人联合会", "Disabled Persons' Federation", Path(__file__).parent, protocol="http"
)

_DECIDED_AFTER = timedelta(days=20)


# --- cards ------------------------------------------------------------------------------------
@department.operation("getCard")
def get_card(call: Call) -> Answer:
    number, world = call.body["id_number"], call.world
    person, card = world.get(PERSON, number), _card(world, number)
    if person is None:
        raise Refused("disability-person-not-found")
    if card is None:
        raise Refused("disability-no-card")
    return Answer(_shown_card(person, card))


def _card(world: World, number: str) -> dict[str, Any] | None:
    """The card, also one that an application of this app has brought by now."""
    known = card_of(world, number)
    if known is not None:
        return known
    for one in _applications(world):
        if one["id_number"] == number and _status(world, one) == "issued":
            issued = (date.fromisoformat(one["applied_on"]) + _DECIDED_AFTER).isoformat()
            return {**new_card(number, one["category"], one["grade"], issued), "status": "valid",
                    "expires_on": f"{int(issued[:4]) + 10}{issued[4:]}"}  # fmt: skip
    return None


def _shown_card(person: Record, card: dict[str, Any]) -> dict[str, Any]:
    return {
        **brief(person),
        "card_number": card["number"],
        **{key: card[key] for key in ("category", "grade", "status", "issued_on", "expires_on")},
    }


@department.operation("verifyCard")
def verify_card(call: Call) -> Answer:
    number, world = call.body["card_number"], call.world
    person, card = world.get(PERSON, number[:18]), _card(world, number[:18])
    if person is None or card is None or card["number"] != number or person["name"] != call.body["name"]:
        return Answer({"result": "unknown"})
    return Answer({"result": card["status"]})


def _applications(world: World) -> list[Record]:
    found = {FIRST_APPLICATION: world.get(APPLICATION, FIRST_APPLICATION)} | dict(world.changed(APPLICATION))
    return [one for one in found.values() if one is not None]


def _status(world: World, application: Record) -> str:
    """reviewing, issued or refused, as of the world's day."""
    if world.today < date.fromisoformat(application["applied_on"]) + _DECIDED_AFTER:
        return "reviewing"
    return "issued" if application["grade"] and living(world, application["id_number"]) else "refused"


@department.operation("applyCard")
def apply_card(call: Call) -> Answer:
    body, world = call.body, call.world
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("disability-person-unknown")
    hospital = HOSPITALS.get(body["hospital_code"])
    if hospital is None or "rehabilitation" not in hospital.sections:
        raise Refused("disability-hospital-not-designated", hospital_code=body["hospital_code"])
    card = _card(world, person["number"])
    if card is not None and card["status"] == "valid":
        raise Refused("disability-has-card")
    if any(
        one["id_number"] == person["number"] and _status(world, one) == "reviewing"
        for one in _applications(world)
    ):
        raise Refused("disability-under-review")
    application = {
        "number": number_for(world, APPLICATION, "CJ", person["number"], body["category"], world.today),
        "id_number": person["number"],
        "category": body["category"],
        "grade": assessed_grade(person["number"], body["category"]),
        "hospital_code": hospital.code,
        "applied_on": world.today.isoformat(),
    }
    world.put(APPLICATION, application["number"], application)
    place = f"/api/{call.context.service.replace('@', '/')}/card-applications/{application['number']}"
    return Answer(_shown_application(world, application), 201, [(b"location", place.encode())])


def _shown_application(world: World, application: Record) -> dict[str, Any]:
    decided = date.fromisoformat(application["applied_on"]) + _DECIDED_AFTER
    status = _status(world, application)
    shown = {
        "number": application["number"],
        "status": status,
        "category": application["category"],
        "hospital_code": application["hospital_code"],
        "applied_on": application["applied_on"],
        "decision_on": decided.isoformat(),
    }
    return {**shown, "grade": application["grade"]} if status == "issued" else shown


@department.operation("getCardApplication")
def get_card_application(call: Call) -> Answer:
    number = str(call.path["number"])
    application = call.world.get(APPLICATION, number)
    if application is None:
        raise Refused("disability-application-not-found", number=number)
    return Answer(_shown_application(call.world, application))


@department.operation("replaceCard")
def replace_card(call: Call) -> Answer:
    """A new card for one that is lost, damaged or has expired: same number, ten more years."""
    body, world = call.body, call.world
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("disability-person-unknown")
    card = _card(world, person["number"])
    if card is None:
        raise Refused("disability-no-card-held")
    if body["reason"] == "expired" and card["status"] != "expired":
        raise Refused("disability-card-valid", expires_on=card["expires_on"])
    today = world.today
    new = new_card(person["number"], card["category"], card["grade"], today.isoformat())
    world.put(CARD, person["number"], new)
    return Answer(_shown_card(person, card_of(world, person["number"]) or new), 201)


# --- subsidies --------------------------------------------------------------------------------
@department.operation("listSubsidies")
def list_subsidies(call: Call) -> Answer:
    grade, limit = call.number("grade", 0), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), "disability-cursor-invalid", str(grade)) or 0)
    found = [one for one in SUBSIDIES if grade <= one[4]]
    items = [
        {
            "code": code,
            "name": zh,
            "english_name": en,
            "monthly_yuan": yuan,
            "grade_up_to": most,
            "is_for_jobless": jobless,
        }
        for code, zh, en, yuan, most, jobless in found[after : after + limit]
    ]
    answer: dict[str, Any] = {"items": items}
    if len(found) > after + limit:
        answer["next"] = make_cursor(str(after + limit), str(grade))
    return Answer(answer)


@department.operation("applySubsidy")
def apply_subsidy(call: Call) -> Answer:
    body, world = call.body, call.world
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("disability-person-unknown")
    code, _, _, _, most, is_for_jobless = next(one for one in SUBSIDIES if one[0] == body["subsidy"])
    card = _card(world, person["number"])
    if card is None or card["status"] != "valid":
        raise Refused("disability-no-card-held")
    if card["grade"] > most:
        raise Refused("disability-grade", subsidy=code)
    if is_for_jobless and job_of(world, person["number"]) is not None:
        raise Refused("disability-has-income", subsidy=code)
    grants = {FIRST_GRANT: world.get(GRANT, FIRST_GRANT)} | dict(world.changed(GRANT))
    for one in grants.values():
        if one is not None and (one["id_number"], one["subsidy"]) == (person["number"], code):
            raise Refused("disability-granted-already", number=one["number"])
    grant = {
        "number": number_for(world, GRANT, "BT", person["number"], code),
        "id_number": person["number"],
        "subsidy": code,
        "from": month_after(month_of(world.today)),
    }
    world.put(GRANT, grant["number"], grant)
    place = f"/api/{call.context.service.replace('@', '/')}/subsidy-grants/{grant['number']}"
    return Answer(_shown_grant(world, grant), 201, [(b"location", place.encode())])


def _shown_grant(world: World, grant: Record) -> dict[str, Any]:
    _, _, _, yuan, _, is_for_jobless = next(one for one in SUBSIDIES if one[0] == grant["subsidy"])
    card = _card(world, grant["id_number"])
    status = "paid"
    if card is None or card["status"] != "valid":
        status = "ended"
    elif is_for_jobless and job_of(world, grant["id_number"]) is not None:
        status = "suspended"
    return {
        "number": grant["number"],
        "status": status,
        "subsidy": grant["subsidy"],
        "from_month": grant["from"],
        "monthly_yuan": yuan if status == "paid" else 0,
    }


@department.operation("getSubsidyGrant")
def get_subsidy_grant(call: Call) -> Answer:
    number = str(call.path["number"])
    grant = call.world.get(GRANT, number)
    if grant is None:
        raise Refused("disability-grant-not-found", number=number)
    return Answer(_shown_grant(call.world, grant))
