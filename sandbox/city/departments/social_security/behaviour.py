"""What social security does: contributions, the registration of jobs, unemployment benefit, pension estimates.

Employers are companies of market regulation; what they owe is asked of the tax bureau, which collects contributions.
"""

from datetime import date
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF, check_code
from sandbox.city.departments.public_security.records import (
    PERSON,
    brief,
    living,
    named,
    parents_of,
    years_between,
)
from sandbox.city.departments.social_security.records import (
    CARD,
    CLAIM,
    FIRST_CARD,
    FIRST_CLAIM,
    JOBS,
    job_of,
    jobs_of,
    month_after,
    month_of,
    months_between,
    months_of,
    months_paid,
)
from sandbox.city.departments.tax.records import ARREARS
from sandbox.city.numbering import number_for
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "social-security",
    "人力资源和社会保障局",
    "Human Resources and Social Security Bureau",
    Path(__file__).parent,
    protocol="http",
)

_LEAST_AGE = 16  # Source: 《中华人民共和国劳动法》 article 15
_LEAST_WAGE_YUAN = 2200
_BENEFIT_YUAN = _LEAST_WAGE_YUAN * 9 // 10
_BENEFIT_MONTHS = ((120, 24), (60, 18), (12, 12))  # Source: 《中华人民共和国社会保险法》 article 46
_AVERAGE_WAGE_YUAN = 9000
_PENSION_MONTHS = {50: 195, 55: 170, 60: 139, 65: 101}  # Source: 国发〔2005〕38号, annex
_LEAST_PENSION_MONTHS = 180


# --- contributions ----------------------------------------------------------------------------
def _person(call: Call) -> Record:
    person = living(call.world, call.body["id_number"])
    if person is None:
        raise Refused("social-person-not-found")
    return person


@department.operation("getContributions")
def get_contributions(call: Call) -> Answer:
    body, world = call.body, call.world
    person = _person(call)
    last = body.get("to_month", month_after(month_of(world.today), -1))
    first = body.get("from_month", month_after(last, -11))
    if first > last or len(list(months_between(first, last))) > 120:
        raise Refused("social-period-invalid", from_month=first, to_month=last)
    months = months_of(world, person["number"], first, last)
    for one in months:
        one["company_name"] = _company_name(world, one["company_code"])
    job = job_of(world, person["number"])
    answer = {
        **brief(person),
        "from_month": first,
        "to_month": last,
        "is_insured": job is not None,
        "months": months,
        "months_in_all": months_paid(world, person["number"]),
    }
    if job is not None:
        answer["company_name"] = _company_name(world, job["company_code"])
    return Answer(answer)


def _company_name(world: World, code: str) -> str:
    company = world.get(COMPANY_BRIEF, code)
    return company["name"] if company else ""


@department.operation("estimatePension")
def estimate_pension(call: Call) -> Answer:
    """Basic pension and personal account, by the rules of 国发〔2005〕38号, wages and rates staying as they are."""
    world, retire_at = call.world, call.body.get("retire_at", 60)
    person = _person(call)
    age = years_between(person["born_on"], world.today)
    jobs, paid = jobs_of(world, person["number"]), months_paid(world, person["number"])
    if not jobs:
        raise Refused("social-never-insured")
    months = paid + max(0, retire_at - age) * 12 * (job_of(world, person["number"]) is not None)
    wage = jobs[-1]["monthly_wage_yuan"]
    account = wage * 8 // 100 * months
    basic = (_AVERAGE_WAGE_YUAN + wage) // 2 * months // 1200
    return Answer(
        {
            **brief(person),
            "retire_at": retire_at,
            "months_paid": paid,
            "months_at_retirement": months,
            "is_entitled": months >= _LEAST_PENSION_MONTHS,
            "basic_yuan": basic,
            "account_yuan": account // _PENSION_MONTHS[retire_at],
            "monthly_yuan": basic + account // _PENSION_MONTHS[retire_at],
        }
    )


# --- jobs -------------------------------------------------------------------------------------
@department.operation("registerEmployment")
def register_employment(call: Call) -> Answer:
    body, world = call.body, call.world
    company = _employer(world, body["company_code"])
    if company["status"] != "active":
        raise Refused("social-company-not-active", company_code=company["code"])
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("social-person-unknown")
    since = date.fromisoformat(body["since"])
    if years_between(person["born_on"], since) < _LEAST_AGE:
        raise Refused("social-under-age")
    if body["monthly_wage_yuan"] < _LEAST_WAGE_YUAN:
        raise Refused("social-wage-too-low", least=_LEAST_WAGE_YUAN)
    if since > world.today:
        raise Refused("social-date-invalid", since=body["since"])
    job = job_of(world, person["number"])
    if job is not None:
        raise Refused("social-employed-already")
    kept = world.kept(JOBS, person["number"]) or {"items": []}
    new = {key: body[key] for key in ("company_code", "since", "position", "monthly_wage_yuan")}
    world.put(JOBS, person["number"], {"items": [*kept["items"], new]})
    return Answer(_shown_job(world, person, new), 201)


def _employer(world: World, code: str) -> Record:
    check_code(code, "social-company-unknown")
    company = world.get(COMPANY_BRIEF, code)
    if company is None:
        raise Refused("social-company-unknown", company_code=code)
    return company


def _shown_job(world: World, person: Record, job: dict[str, Any]) -> dict[str, Any]:
    shown = {**brief(person), "company_name": _company_name(world, job["company_code"])}
    return shown | {
        key: job[key] for key in ("company_code", "position", "since", "ended_on", "reason") if key in job
    }


@department.operation("endEmployment")
def end_employment(call: Call) -> Answer:
    body, world = call.body, call.world
    company = _employer(world, body["company_code"])
    person = _person(call)
    job = job_of(world, person["number"])
    kept = world.kept(JOBS, person["number"])
    if job is None or kept is None or job["company_code"] != company["code"]:
        raise Refused("social-not-employed", company_code=company["code"])
    if not job["since"] <= body["ended_on"] <= world.today.isoformat():
        raise Refused("social-date-invalid", ended_on=body["ended_on"])
    ended = {**job, "ended_on": body["ended_on"], "reason": body["reason"]}
    others = [one for one in kept["items"] if one["since"] != job["since"]]
    world.put(JOBS, person["number"], {"items": [*others, ended]})
    return Answer(_shown_job(world, person, ended), 201)


@department.operation("listEmployees")
def list_employees(call: Call) -> Answer:
    world, code, limit = call.world, str(call.path["code"]), call.number("limit", 20)
    check_code(code, "social-company-not-found")
    if world.get(COMPANY_BRIEF, code) is None:
        raise Refused("social-company-not-found", code=code)
    after = read_cursor(call.text("cursor"), "social-cursor-invalid", code, form="[0-9]{17}[0-9X]")
    items: list[dict[str, Any]] = []
    last = ""
    for number in _staff(world, code):
        job = job_of(world, number)
        person = world.get(PERSON, number)
        if number <= after or job is None or person is None or job["company_code"] != code:
            continue
        if len(items) == limit:
            return Answer({"code": code, "items": items, "next": make_cursor(last, code)})
        items.append({**brief(person), "position": job["position"], "since": job["since"]})
        last = number
    return Answer({"code": code, "items": items})


def _staff(world: World, code: str) -> list[str]:
    """Identity numbers of those who may work there, in order."""
    known = world.city.all(
        "SELECT c.number FROM employment e JOIN citizen c ON c.id = e.citizen JOIN company k ON k.id = e.company "
        "WHERE k.code = ?",
        code,
    )
    return sorted({number for (number,) in known} | {number for number, _ in world.changed(JOBS)})


# --- companies --------------------------------------------------------------------------------
def _company_status(world: World, code: str) -> dict[str, Any] | None:
    company = world.get(COMPANY_BRIEF, code)
    if company is None:
        return None
    arrears = world.get(ARREARS, code)
    staff = 0
    if company["status"] == "active":
        for number in _staff(world, code):
            job = job_of(world, number)
            staff += job is not None and job["company_code"] == code
    return {
        "code": code,
        "name": company["name"],
        "status": "insured" if company["status"] == "active" else "closed",
        "insured_employees": staff,
        "is_paid_up": not (arrears and arrears["items"]),
    }


@department.operation("getCompanyStatus")
def get_company_status(call: Call) -> Answer:
    code = str(call.path["code"])
    check_code(code, "social-company-not-found")
    status = _company_status(call.world, code)
    if status is None:
        raise Refused("social-company-not-found", code=code)
    return Answer(status)


@department.operation("listCompanyStatuses")
def list_company_statuses(call: Call) -> Answer:
    items, missing = [], []
    for code in dict.fromkeys(call.texts("codes")):
        check_code(code, "social-code-invalid")
        status = _company_status(call.world, code)
        if status is None:
            missing.append(code)
        else:
            items.append(status)
    return Answer({"items": items, "missing": missing})


# --- unemployment -----------------------------------------------------------------------------
@department.operation("claimUnemployment")
def claim_unemployment(call: Call) -> Answer:
    body, world = call.body, call.world
    person = named(world, body["id_number"], body["name"])
    if person is None:
        raise Refused("social-person-unknown")
    if job_of(world, person["number"]) is not None:
        raise Refused("social-still-employed")
    claims = {FIRST_CLAIM: world.get(CLAIM, FIRST_CLAIM)} | dict(world.changed(CLAIM))
    for claim in claims.values():
        if claim is not None and claim["id_number"] == person["number"]:
            raise Refused("social-claimed-already", number=claim["number"])
    jobs, paid = jobs_of(world, person["number"]), months_paid(world, person["number"])
    months = next((months for least, months in _BENEFIT_MONTHS if paid >= least), 0)
    if not months:
        raise Refused("social-too-few-months", months=paid)
    if jobs[-1].get("reason") == "resigned":
        raise Refused("social-resigned")
    claim = {
        "number": number_for(world, CLAIM, "SY", person["number"], world.today),
        "id_number": person["number"],
        "from": month_after(month_of(world.today)),
        "months": months,
        "monthly_yuan": _BENEFIT_YUAN,
    }
    world.put(CLAIM, claim["number"], claim)
    place = f"/api/{call.context.service.replace('@', '/')}/unemployment-claims/{claim['number']}"
    return Answer(_shown_claim(world, claim), 201, [(b"location", place.encode())])


def _shown_claim(world: World, claim: Record) -> dict[str, Any]:
    last = month_after(claim["from"], claim["months"] - 1)
    status = "paid"
    if living(world, claim["id_number"]) is None:
        status = "ended-by-death"
    elif job_of(world, claim["id_number"]) is not None:
        status = "ended-by-employment"
    elif month_of(world.today) > last:
        status = "used-up"
    return {
        "number": claim["number"],
        "status": status,
        "from_month": claim["from"],
        "to_month": last,
        "monthly_yuan": claim["monthly_yuan"],
    }


@department.operation("getUnemploymentClaim")
def get_unemployment_claim(call: Call) -> Answer:
    number = str(call.path["number"])
    claim = call.world.get(CLAIM, number)
    if claim is None:
        raise Refused("social-claim-not-found", number=number)
    return Answer(_shown_claim(call.world, claim))


# --- cards ------------------------------------------------------------------------------------
def _cards(world: World) -> list[Record]:
    found = {FIRST_CARD: world.get(CARD, FIRST_CARD)} | dict(world.changed(CARD))
    return [one for one in found.values() if one is not None]


def _shown_card(world: World, card: Record) -> dict[str, Any]:
    person = world.get(PERSON, card["id_number"]) or {"number": card["id_number"], "name": ""}
    status = "active" if living(world, card["id_number"]) is not None else "ended"
    if "cancelled_on" in card:
        status = "cancelled"
    return {
        "number": card["number"],
        **brief(person),
        "status": status,
        "issued_on": card["issued_on"],
    }


@department.operation("issueCard")
def issue_card(call: Call) -> Answer:
    body, world = call.body, call.world
    person = living(world, body["id_number"])
    if person is None:
        raise Refused("social-person-unknown")
    for one in _cards(world):
        if one["id_number"] == person["number"] and "cancelled_on" not in one:
            raise Refused("social-card-issued-already", number=one["number"])
    if years_between(person["born_on"], world.today) < _LEAST_AGE:
        guardian = living(world, body.get("guardian_number", ""))
        if guardian is None or guardian["number"] not in parents_of(person):
            raise Refused("social-card-guardian-missing")
    number = number_for(world, CARD, "SK", person["number"])
    card = {"number": number, "id_number": person["number"], "issued_on": world.today.isoformat()}
    world.put(CARD, number, card)
    return Answer(_shown_card(world, card), 201)


def _card(call: Call) -> Record:
    number = str(call.path["number"])
    card = call.world.get(CARD, number)
    if card is None:
        raise Refused("social-card-not-found", number=number)
    return card


@department.operation("getCard")
def get_card(call: Call) -> Answer:
    return Answer(_shown_card(call.world, _card(call)))


@department.operation("cancelCard")
def cancel_card(call: Call) -> Answer:
    card, world = _card(call), call.world
    if "cancelled_on" not in card:
        kept = world.kept(CARD, card["number"]) or card
        card = {**kept, "cancelled_on": world.today.isoformat()}
        world.put(CARD, card["number"], card)
    return Answer(_shown_card(world, card))
