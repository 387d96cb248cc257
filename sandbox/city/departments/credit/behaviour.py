"""What the credit platform does: it gathers what market regulation, tax, courts and authorities say of a company.

It keeps penalties and their repair of its own; everything else is asked of those who keep it, at each call.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.credit.records import (
    PENALTY,
    REPAIR,
    company_of,
    factors_of,
    grade_of,
    is_repaired,
    owed_yuan,
    penalties_of,
    score_of,
    tax_grade,
)
from sandbox.city.departments.justice.records import is_dishonest
from sandbox.city.departments.market_regulation.records import check_code
from sandbox.city.numbering import location, next_serial
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population.chapters.standing import REASONS
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "credit", "社会信用中心", "Social Credit Centre", Path(__file__).parent, protocol="http"
)

_CURSOR_INVALID = "credit-cursor-invalid"
_SHOWN_DAYS = 90  # at least. Source: 《失信行为纠正后的信用信息修复管理办法（试行）》 article 13
_DAYS_TO_DECIDE = 10


def _company(call: Call, code: str) -> Record:
    check_code(code, "credit-code-invalid")
    company = company_of(call.world, code)
    if company is None:
        raise Refused("credit-company-not-found", code=code)
    return company


def _public(world: World, company: Record) -> Record:
    code = company["code"]
    return {
        "code": code,
        "name": company["name"],
        "status": company["status"],
        "is_abnormal": company["is_abnormal"],
        "is_dishonest": is_dishonest(world, code),
        "is_a_grade_taxpayer": tax_grade(world, code) == "A",
        "penalties": len(penalties_of(world, code)),
    }


@department.operation("getPublicCredit")
def get_public_credit(call: Call) -> Answer:
    return Answer(_public(call.world, _company(call, str(call.path["code"]))))


@department.operation("listCreditByCode")
def list_credit_by_code(call: Call) -> Answer:
    items, missing = [], []
    for code in dict.fromkeys(call.texts("codes")):
        check_code(code, "credit-code-invalid")
        company = company_of(call.world, code)
        if company is None:
            missing.append(code)
        else:
            items.append(_public(call.world, company))
    return Answer({"items": items, "missing": missing})


@department.operation("getCreditReport")
def get_credit_report(call: Call) -> Answer:
    company, world = _company(call, str(call.path["code"])), call.world
    factors = factors_of(world, company)
    score = score_of(company, factors)
    return Answer(
        {
            "code": company["code"],
            "name": company["name"],
            "as_of": world.today.isoformat(),
            "score": score,
            "grade": grade_of(score),
            "factors": factors,
            "tax_owed_yuan": owed_yuan(world, company["code"]),
            "penalties": [_penalty_shown(world, one) for one in penalties_of(world, company["code"])],
        }
    )


def _penalty_shown(world: World, penalty: Record) -> Record:
    shown = {name: value for name, value in penalty.items() if name != "repaired_on"}
    return {**shown, "status": "repaired" if is_repaired(world, penalty) else "shown"}


@department.operation("listPenalties")
def list_penalties(call: Call) -> Answer:
    company, limit = _company(call, str(call.path["code"])), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, company["code"]) or 0)
    found = [_penalty_shown(call.world, one) for one in penalties_of(call.world, company["code"])]
    answer: dict[str, Any] = {"code": company["code"], "items": found[after : after + limit]}
    if len(found) > after + limit:
        answer["next"] = make_cursor(str(after + limit), company["code"])
    return Answer(answer)


@department.operation("listBlacklist")
def list_blacklist(call: Call) -> Answer:
    """Companies on the list of dishonest debtors, in the order of their cases."""
    limit, world = call.number("limit", 20), call.world
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID) or 0)
    rows = world.city.all(
        "SELECT e.id, c.code, c.name, e.case_number, e.filed_on FROM enforcement e JOIN company c ON c.id = e.company "
        "WHERE e.is_dishonest AND e.id > ? ORDER BY e.id LIMIT ?",
        after,
        limit + 1,
    )
    answer: dict[str, Any] = {}
    if len(rows) > limit:
        rows = rows[:limit]
        answer["next"] = make_cursor(str(rows[-1][0]))
    answer["items"] = [
        {"code": code, "name": name, "reason": "dishonest-debtor", "case_number": case, "since": since}
        for _, code, name, case, since in rows
        if is_dishonest(world, code)
    ]
    return Answer(answer)


@department.operation("reportPenalty")
def report_penalty(call: Call) -> Answer:
    """An authority tells of a penalty; it is shown from then on."""
    body, world = call.body, call.world
    company = _company(call, body["code"])
    if body["decided_on"] > world.today.isoformat():
        raise Refused("credit-date-in-future", day=body["decided_on"])
    penalty: Record = {
        "number": next_serial(world, PENALTY, "CF"),
        "code": company["code"],
        "authority": REASONS[body["reason"]],
        "reason": body["reason"],
        "amount_yuan": body["amount_yuan"],
        "decided_on": body["decided_on"],
    }
    world.put(PENALTY, penalty["number"], penalty)
    where = location(call.context.service, f"/companies/{company['code']}/penalties")
    return Answer(_penalty_shown(world, penalty), 201, [where])


@department.operation("applyRepair")
def apply_repair(call: Call) -> Answer:
    body, world = call.body, call.world
    penalty = world.get(PENALTY, body["penalty_number"])
    if penalty is None:
        raise Refused("credit-penalty-not-found", number=body["penalty_number"])
    if is_repaired(world, penalty):
        raise Refused("credit-repaired-already", number=penalty["number"])
    number = penalty["number"].replace("CF", "XF", 1)
    known = world.get(REPAIR, number)
    if known is not None and "withdrawn_at" not in known:
        raise Refused("credit-repair-under-way", number=number)
    first = date.fromisoformat(penalty["decided_on"]) + timedelta(days=_SHOWN_DAYS)
    if world.today < first:
        raise Refused("credit-too-early", day=first.isoformat())
    if not body["is_fine_paid"]:
        raise Refused("credit-fine-unpaid", number=penalty["number"])
    repair: Record = {
        "number": number,
        "penalty_number": penalty["number"],
        "code": penalty["code"],
        "applied_at": local_text(world.now),
        "decides_at": local_text(world.now + timedelta(days=_DAYS_TO_DECIDE)),
    }
    world.put(REPAIR, number, repair)
    where = location(call.context.service, f"/repairs/{number}")
    return Answer(_repair_shown(world, repair), 201, [where])


def _repair(call: Call) -> Record:
    number = str(call.path["number"])
    repair = call.world.get(REPAIR, number)
    if repair is None:
        raise Refused("credit-repair-not-found", number=number)
    return repair


def _repair_shown(world: World, repair: Record) -> Record:
    if "withdrawn_at" in repair:
        return {**repair, "status": "withdrawn"}
    is_decided = datetime.fromisoformat(repair["decides_at"]) <= world.now
    return {**repair, "status": "granted" if is_decided else "accepted"}


@department.operation("getRepair")
def get_repair(call: Call) -> Answer:
    return Answer(_repair_shown(call.world, _repair(call)))


@department.operation("withdrawRepair")
def withdraw_repair(call: Call) -> Answer:
    repair, world = _repair(call), call.world
    shown = _repair_shown(world, repair)
    if shown["status"] == "granted":
        raise Refused("credit-repair-decided", number=repair["number"])
    if shown["status"] == "withdrawn":
        return Answer(shown)
    kept = world.kept(REPAIR, repair["number"]) or repair
    withdrawn = {**kept, "withdrawn_at": local_text(world.now)}
    world.put(REPAIR, repair["number"], withdrawn)
    return Answer(_repair_shown(world, withdrawn))
