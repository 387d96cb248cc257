"""What the tax bureau does: taxpayers, their credit rating, what they paid and what they owe.

Whether a company is alive is asked of market regulation, each time: a revoked company is an abnormal
taxpayer of grade D, wherever that came from.
"""

import re
from datetime import date
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF, check_code
from sandbox.city.departments.tax import payments
from sandbox.city.departments.tax.records import ARREARS, RATINGS, TAX_YEARS, TAXPAYER
from sandbox.city.population.accounts import grade_of
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department("tax", "税务局", "Tax Bureau", Path(__file__).parent)

_STATUS_OF_COMPANY = {"revoked": "abnormal", "deregistered": "deregistered"}
_LATE_FEE_PER_DAY = (5, 10_000)  # Source: 《中华人民共和国税收征收管理法》 article 32
_ABNORMAL_POINTS = 61
_CASE_NUMBERS = {  # 虚 stands where a court or notary has its short name: it is none's
    "court-enforcement": re.compile(r"[（(]\d{4}[）)]虚\d{2,4}(民初|民终|执|执保|破)\d{1,6}号"),
    "notarisation": re.compile(r"[（(]\d{4}[）)]虚证(民|经)?字第\d{1,6}号"),
}


def _taxpayer(call: Call) -> tuple[Record, Record]:
    """The company and the taxpayer of the path. Refuses what is no code, no company or no taxpayer."""
    code = str(call.path["code"])
    check_code(code, "tax-code-invalid")
    company, taxpayer = call.world.get(COMPANY_BRIEF, code), call.world.get(TAXPAYER, code)
    if company is None or taxpayer is None:
        raise Refused("tax-payer-not-found", code=code)
    return company, taxpayer


@department.operation("getTaxpayer")
def get_taxpayer(call: Call) -> Answer:
    company, taxpayer = _taxpayer(call)
    status = _STATUS_OF_COMPANY.get(company["status"], taxpayer["status"])
    return Answer({**taxpayer, "name": company["name"], "status": status})


def _rating(world: World, code: str, company: Record, year: int | None) -> Record | None:
    """The rating of a year, the newest for None; None where there is none."""
    found = world.get(RATINGS, code)
    items: list[Record] = found["items"] if found else []
    rating = next((item for item in items if year is None or item["year"] == year), None)
    if rating is None or company["status"] != "revoked" or rating["grade"] == "D":
        return rating
    if rating["year"] != items[0]["year"]:
        return rating
    deductions = [*rating["deductions"], {"reason": "abnormal-taxpayer", "points": _ABNORMAL_POINTS}]
    score = max(0, min(39, rating.get("score", 100) - _ABNORMAL_POINTS))
    return {**rating, "grade": grade_of(score), "score": score, "deductions": deductions}


@department.operation("getRating")
def get_rating(call: Call) -> Answer:
    company, _ = _taxpayer(call)
    wanted = call.request.query.get("year")
    rating = _rating(call.world, company["code"], company, None if wanted is None else int(wanted))
    if rating is None:
        raise Refused("tax-rating-none", code=company["code"], year=wanted if wanted is not None else "…")
    return Answer(rating)


@department.operation("listRatingsByCode")
def list_ratings_by_code(call: Call) -> Answer:
    items, missing = [], []
    for code in dict.fromkeys(call.texts("codes")):
        check_code(code, "tax-code-invalid")
        company = call.world.get(COMPANY_BRIEF, code)
        rating = None if company is None else _rating(call.world, code, company, None)
        if rating is None:
            missing.append(code)
        else:
            items.append(rating)
    return Answer({"items": items, "missing": missing})


@department.operation("getTaxPaid")
def get_tax_paid(call: Call) -> Answer:
    company, _ = _taxpayer(call)
    last = call.world.today.year - 1
    first_year = call.number("from_year", last - 2)
    last_year = call.number("to_year", last)
    if first_year > last_year:
        raise Refused("tax-period-invalid", from_year=first_year, to_year=last_year)
    found = call.world.get(TAX_YEARS, company["code"]) or {"items": []}
    years = [item for item in found["items"] if first_year <= item["year"] <= last_year]
    return Answer(
        {
            "code": company["code"],
            "name": company["name"],
            "from_year": first_year,
            "to_year": last_year,
            "years": years,
            "total_paid_yuan": sum(item["paid_yuan"] for item in years),
            "total_unpaid_yuan": sum(item["unpaid_yuan"] for item in years),
        }
    )


@department.operation("listArrears")
def list_arrears(call: Call) -> Answer:
    company, _ = _taxpayer(call)
    case_number = call.text("case_number")
    patterns = (
        [_CASE_NUMBERS[call.context.purpose]]
        if call.context.purpose in _CASE_NUMBERS
        else _CASE_NUMBERS.values()
    )
    if not any(pattern.fullmatch(case_number) for pattern in patterns):
        raise Refused("tax-case-number-invalid")
    today = call.world.today
    found = call.world.get(ARREARS, company["code"]) or {"items": []}
    items = [_with_late_fee(item, today) for item in found["items"]]
    return Answer(
        {
            "code": company["code"],
            "name": company["name"],
            "case_number": case_number,
            "as_of": today.isoformat(),
            "items": items,
            "total_yuan": sum(item["amount_yuan"] for item in items),
            "total_late_fee_yuan": sum(item["late_fee_yuan"] for item in items),
        }
    )


def _with_late_fee(item: dict[str, Any], today: date) -> dict[str, Any]:
    days = max(0, (today - date.fromisoformat(item["due_on"])).days)
    per, of = _LATE_FEE_PER_DAY
    return {**item, "days_overdue": days, "late_fee_yuan": item["amount_yuan"] * days * per // of}


for _name, _handler in {
    "registerTaxpayer": payments.register_taxpayer,
    "fileVat": payments.file_vat,
    "getVatReturn": payments.get_vat_return,
    "payArrears": payments.pay_arrears,
    "payDeedTax": payments.pay_deed_tax,
    "getDeedTax": payments.get_deed_tax,
    "applyInvoices": payments.apply_invoices,
}.items():
    department.operation(_name)(_handler)
