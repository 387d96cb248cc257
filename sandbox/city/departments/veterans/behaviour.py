"""What veterans affairs does: certificates of veterans, their treatment, benefits.

Who somebody is and whether he lives is asked of public security; insurance of medical insurance, the job of social
security.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.medical_insurance.records import enrolment_of
from sandbox.city.departments.public_security.records import PERSON, brief, living, named, years_between
from sandbox.city.departments.social_security.records import job_of
from sandbox.city.departments.veterans.records import (
    APPLICATION,
    BENEFITS,
    CERTIFICATE,
    CLAIM,
    FIRST_APPLICATION,
    FIRST_CLAIM,
    HOLDER,
)
from sandbox.city.numbering import digits_of, number_for
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "veterans", "退役军人事务局", "Veterans Affairs Bureau", Path(__file__).parent, protocol="http"
)

_REVIEW = timedelta(days=20)
_LEAST_AGE = 17  # Source: 《中华人民共和国兵役法》 article 20
_LEAST_SERVICE_DAYS = 365
_YUAN_A_YEAR = 4500  # of service, paid once to who found work for himself
_MONTHLY_YUAN = {"self-employed": 0, "assigned": 0, "retired": 5200}


# --- certificates -----------------------------------------------------------------------------
def _certificate(world: World, number: str) -> Record | None:
    """The certificate, also one that an application of this app has brought by now."""
    known = world.get(CERTIFICATE, number)
    if known is not None:
        return known
    for one in _applications(world):
        if one["id_number"] == number and _status(world, one) == "issued":
            return {
                "number": _new_number(one),
                "served_from": one["served_from"],
                "served_until": one["served_until"],
                "placement": "self-employed",
            }
    return None


def _new_number(application: Record) -> str:
    return "VT" + digits_of(application["number"])


def _applications(world: World) -> list[Record]:
    found = {FIRST_APPLICATION: world.get(APPLICATION, FIRST_APPLICATION)} | dict(world.changed(APPLICATION))
    return [one for one in found.values() if one is not None]


def _status(world: World, application: Record) -> str:
    """reviewing, issued or refused, as of the world's day."""
    if world.today < date.fromisoformat(application["applied_on"]) + _REVIEW:
        return "reviewing"
    return "issued" if living(world, application["id_number"]) else "refused"


@department.operation("verifyCertificate")
def verify_certificate(call: Call) -> Answer:
    number, world = call.body["certificate_number"], call.world
    holder = world.get(HOLDER, number) or next(
        (
            one
            for one in _applications(world)
            if _new_number(one) == number and _status(world, one) == "issued"
        ),
        None,
    )
    person = world.get(PERSON, holder["id_number"]) if holder else None
    if person is None or person["name"] != call.body["name"]:
        return Answer({"result": "unknown"})
    return Answer({"result": "valid" if living(world, person["number"]) else "ended"})


@department.operation("applyCertificate")
def apply_certificate(call: Call) -> Answer:
    body, world = call.body, call.world
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("veterans-person-unknown")
    if _certificate(world, person["number"]) is not None:
        raise Refused("veterans-has-certificate")
    first, last = date.fromisoformat(body["served_from"]), date.fromisoformat(body["served_until"])
    if not first + timedelta(days=_LEAST_SERVICE_DAYS) <= last + timedelta(days=1) or last > world.today:
        raise Refused("veterans-service-invalid")
    if years_between(person["born_on"], first) < _LEAST_AGE:
        raise Refused("veterans-too-young")
    for one in _applications(world):
        if one["id_number"] == person["number"] and _status(world, one) == "reviewing":
            raise Refused("veterans-under-review", number=one["number"])
    application = {
        "number": number_for(world, APPLICATION, "TY", person["number"], world.today),
        "id_number": person["number"],
        "served_from": body["served_from"],
        "served_until": body["served_until"],
        "applied_on": world.today.isoformat(),
    }
    world.put(APPLICATION, application["number"], application)
    place = _location(call, f"certificate-applications/{application['number']}")
    return Answer(_shown_application(world, application), 201, place)


def _location(call: Call, rest: str) -> list[tuple[bytes, bytes]]:
    return [(b"location", f"/api/{call.context.service.replace('@', '/')}/{rest}".encode())]


def _shown_application(world: World, application: Record) -> dict[str, Any]:
    status = _status(world, application)
    shown = {
        "number": application["number"],
        "status": status,
        "served_from": application["served_from"],
        "served_until": application["served_until"],
        "applied_on": application["applied_on"],
        "decision_on": (date.fromisoformat(application["applied_on"]) + _REVIEW).isoformat(),
    }
    return {**shown, "certificate_number": _new_number(application)} if status == "issued" else shown


@department.operation("getCertificateApplication")
def get_certificate_application(call: Call) -> Answer:
    number = str(call.path["number"])
    application = call.world.get(APPLICATION, number)
    if application is None:
        raise Refused("veterans-application-not-found", number=number)
    return Answer(_shown_application(call.world, application))


@department.operation("getTreatment")
def get_treatment(call: Call) -> Answer:
    person, world = living(call.world, call.body["id_number"]), call.world
    if person is None:
        raise Refused("veterans-person-not-found")
    certificate = _certificate(world, person["number"])
    if certificate is None:
        raise Refused("veterans-not-a-veteran")
    years = years_between(
        certificate["served_from"], date.fromisoformat(certificate["served_until"]) + timedelta(days=1)
    )
    placement = certificate["placement"]
    return Answer(
        {
            **brief(person),
            "certificate_number": certificate["number"],
            "served_from": certificate["served_from"],
            "served_until": certificate["served_until"],
            "years": years,
            "placement": placement,
            "once_yuan": years * _YUAN_A_YEAR if placement == "self-employed" else 0,
            "monthly_yuan": _MONTHLY_YUAN[placement],
        }
    )


# --- benefits ---------------------------------------------------------------------------------
@department.operation("listBenefits")
def list_benefits(call: Call) -> Answer:
    limit = call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), "veterans-cursor-invalid") or 0)
    items = [
        {"code": code, "name": zh, "english_name": en, "condition": condition or "none"}
        for code, zh, en, condition in BENEFITS[after : after + limit]
    ]
    answer: dict[str, Any] = {"items": items}
    if len(BENEFITS) > after + limit:
        answer["next"] = make_cursor(str(after + limit))
    return Answer(answer)


def _meets(world: World, number: str, condition: str) -> bool:
    if condition == "insured":
        enrolment = enrolment_of(world, number)
        return enrolment is not None and enrolment["status"] == "active"
    return condition != "employed" or job_of(world, number) is not None


@department.operation("claimBenefit")
def claim_benefit(call: Call) -> Answer:
    body, world = call.body, call.world
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("veterans-person-unknown")
    if _certificate(world, person["number"]) is None:
        raise Refused("veterans-no-certificate")
    code, _, _, condition = next(one for one in BENEFITS if one[0] == body["benefit"])
    if not _meets(world, person["number"], condition):
        raise Refused("veterans-condition", benefit=code)
    claims = {FIRST_CLAIM: world.get(CLAIM, FIRST_CLAIM)} | dict(world.changed(CLAIM))
    for one in claims.values():
        is_same = one is not None and (one["id_number"], one["benefit"]) == (person["number"], code)
        if one is not None and is_same and "ended_on" not in one:
            raise Refused("veterans-claimed-already", number=one["number"])
    claim = {
        "number": number_for(world, CLAIM, "YF", person["number"], code, world.today),
        "id_number": person["number"],
        "benefit": code,
        "since": world.today.isoformat(),
    }
    world.put(CLAIM, claim["number"], claim)
    return Answer(_shown_claim(world, claim), 201, _location(call, f"benefit-claims/{claim['number']}"))


def _shown_claim(world: World, claim: Record) -> dict[str, Any]:
    code, zh, en, condition = next(one for one in BENEFITS if one[0] == claim["benefit"])
    status = "drawn"
    if "ended_on" in claim or living(world, claim["id_number"]) is None:
        status = "ended"
    elif not _meets(world, claim["id_number"], condition):
        status = "suspended"
    shown = {
        "number": claim["number"],
        "status": status,
        "benefit": code,
        "name": zh,
        "english_name": en,
        "since": claim["since"],
    }
    job = job_of(world, claim["id_number"]) if code == "tax-relief" else None
    return shown if job is None else {**shown, "company_code": job["company_code"]}


def _claim(call: Call) -> Record:
    number = str(call.path["number"])
    claim = call.world.get(CLAIM, number)
    if claim is None:
        raise Refused("veterans-claim-not-found", number=number)
    return claim


@department.operation("getBenefitClaim")
def get_benefit_claim(call: Call) -> Answer:
    return Answer(_shown_claim(call.world, _claim(call)))


@department.operation("endBenefitClaim")
def end_benefit_claim(call: Call) -> Answer:
    claim, world = _claim(call), call.world
    if "ended_on" not in claim:
        claim = {**(world.kept(CLAIM, claim["number"]) or claim), "ended_on": world.today.isoformat()}
        world.put(CLAIM, claim["number"], claim)
    return Answer(_shown_claim(world, claim))
