"""What is filed with the tax bureau and paid to it: registration, VAT returns, arrears, the deed tax of a home, invoices.

`behaviour` declares these as operations. The tax rules are simplified and no advice.
"""

from datetime import date, timedelta
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Refused
from sandbox.city.departments.housing.records import SALE_CONTRACT, sale_status
from sandbox.city.departments.market_regulation.records import COMPANY, COMPANY_BRIEF, check_code
from sandbox.city.departments.real_estate.records import homes_of, settled
from sandbox.city.departments.tax.records import (
    ARREARS,
    DEED_TAX,
    INVOICES,
    OFFICES,
    RATINGS,
    TAX_YEARS,
    TAXPAYER,
    VAT_RETURNS,
)
from sandbox.city.numbering import location, next_serial
from sandbox.city.state import Record
from sandbox.city.world import World

_LATE_PER_DAY = (5, 10_000)  # Source: 《中华人民共和国税收征收管理法》 article 32
_INVOICES_A_MONTH = {"A": 200, "B": 100, "M": 25, "C": 25}  # by the newest rating; none for D
_SMALL_EXEMPT_YUAN = 100_000  # sales of a month below are exempt for small-scale payers


def late_fee(amount: int, due_on: str, today: date) -> int:
    """Five ten-thousandths a day from the day after it was due, whole yuan."""
    days = max(0, (today - date.fromisoformat(due_on)).days)
    return amount * days * _LATE_PER_DAY[0] // _LATE_PER_DAY[1]


def register_taxpayer(call: Call) -> Answer:
    """A company that is registered and alive becomes a taxpayer."""
    body, world = call.body, call.world
    code = body["code"]
    check_code(code, "tax-code-invalid")
    company = world.get(COMPANY, code)
    if company is None:
        raise Refused("tax-company-unknown", code=code)
    if company["status"] != "active":
        raise Refused("tax-company-not-active", code=code, state=company["status"])
    if world.get(TAXPAYER, code) is not None:
        raise Refused("tax-payer-registered", code=code)
    taxpayer = {
        "code": code,
        "kind": body["kind"],
        "status": "normal",
        "registered_on": world.today.isoformat(),
        "authority": OFFICES[company["district_code"]],
    }
    world.put(TAXPAYER, code, taxpayer)
    where = location(call.context.service, f"/taxpayers/{code}")
    return Answer({**taxpayer, "name": company["name"]}, 201, [where])


def _payer(call: Call) -> tuple[str, Record]:
    """Code and record of the taxpayer of the path, who must be in good standing."""
    code = str(call.path["code"])
    check_code(code, "tax-code-invalid")
    company, taxpayer = call.world.get(COMPANY_BRIEF, code), call.world.get(TAXPAYER, code)
    if company is None or taxpayer is None:
        raise Refused("tax-payer-not-found", code=code)
    return code, {**taxpayer, "company_status": company["status"]}


def _check_normal(code: str, taxpayer: Record) -> None:
    if taxpayer["company_status"] != "active" or taxpayer["status"] != "normal":
        raise Refused("tax-payer-not-normal", code=code)


def _month_after(period: str) -> date:
    year, month = int(period[:4]), int(period[5:7])
    return date(year + month // 12, month % 12 + 1, 1)


def file_vat(call: Call) -> Answer:
    """The return of a month, due on the 15th of the next, with the late fee where it is late."""
    body, world = call.body, call.world
    code, taxpayer = _payer(call)
    _check_normal(code, taxpayer)
    period = body["period"]
    begins = _month_after(period)
    if world.today < begins:
        raise Refused("tax-period-not-over", period=period)
    kept = world.kept(VAT_RETURNS, code) or {"items": []}
    if any(item["period"] == period for item in kept["items"]):
        raise Refused("tax-vat-filed", period=period)
    sales, credited = body["sales_yuan"], body.get("input_tax_yuan", 0)
    if taxpayer["kind"] == "general":
        tax = max(0, sales * 13 // 100 - credited)
    else:
        tax = sales // 100 if sales > _SMALL_EXEMPT_YUAN else 0
    due_on = (begins + timedelta(days=14)).isoformat()
    item: Record = {
        "code": code,
        "period": period,
        "sales_yuan": sales,
        "tax_yuan": tax,
        "due_on": due_on,
        "is_late": world.today.isoformat() > due_on,
        "late_fee_yuan": late_fee(tax, due_on, world.today),
        "filed_at": local_text(world.now),
    }
    items = sorted([*kept["items"], item], key=lambda one: str(one["period"]))
    world.put(VAT_RETURNS, code, {"items": items})
    return Answer(item, 201, [location(call.context.service, f"/taxpayers/{code}/vat-returns/{period}")])


def get_vat_return(call: Call) -> Answer:
    code, _ = _payer(call)
    period = str(call.path["period"])
    found = call.world.get(VAT_RETURNS, code) or {"items": []}
    item = next((one for one in found["items"] if one["period"] == period), None)
    if item is None:
        raise Refused("tax-vat-not-filed", code=code, period=period)
    return Answer(item)


def pay_arrears(call: Call) -> Answer:
    """Tax of a year that is owed, and the late fee on what is paid; the year's sum of what was paid grows by it."""
    body, world = call.body, call.world
    code, _ = _payer(call)
    arrears = world.kept(ARREARS, code) or {"items": []}
    year, tax, amount = body["year"], body["tax"], body["amount_yuan"]
    owed = next((one for one in arrears["items"] if (one["year"], one["tax"]) == (year, tax)), None)
    if owed is None:
        raise Refused("tax-arrear-none", code=code, year=year)
    if amount > owed["amount_yuan"]:
        raise Refused("tax-amount-too-high", most_yuan=owed["amount_yuan"])
    left = owed["amount_yuan"] - amount
    others = [one for one in arrears["items"] if one is not owed]
    items = [*others, {**owed, "amount_yuan": left}] if left else others
    items.sort(key=lambda one: (one["year"], one["tax"]))
    world.put(ARREARS, code, {"items": items})
    years = world.kept(TAX_YEARS, code) or {"items": []}
    world.put(TAX_YEARS, code, {"items": [_paid(one, year, amount) for one in years["items"]]})
    return Answer(
        {
            "code": code,
            "year": year,
            "tax": tax,
            "paid_yuan": amount,
            "late_fee_yuan": late_fee(amount, owed["due_on"], world.today),
            "left_yuan": left,
            "paid_at": local_text(world.now),
        },
        201,
        [location(call.context.service, f"/taxpayers/{code}/arrears")],
    )


def _paid(one: dict[str, Any], year: int, amount: int) -> dict[str, Any]:
    if one["year"] != year:
        return one
    return {
        **one,
        "paid_yuan": one["paid_yuan"] + amount,
        "unpaid_yuan": one["unpaid_yuan"] - amount,
    }


def _deed_rate(world: World, sale: Record) -> float:
    """In per cent, by the buyer's homes and the floor area. Source: 财政部公告 2024 年第 16 号."""
    home = settled(world, sale["unit_number"]) or {"area_m2": 0}
    owned = max(len(homes_of(world, buyer["id_number"])) for buyer in sale["buyers"])
    is_large = home["area_m2"] > 140
    if owned == 0:
        return 1.5 if is_large else 1.0
    return (2.0 if is_large else 1.0) if owned == 1 else 3.0


def pay_deed_tax(call: Call) -> Answer:
    """The deed tax on a sale contract that housing has filed."""
    world, contract = call.world, call.body["contract_number"]
    sale = world.get(SALE_CONTRACT, contract)
    if sale is None:
        raise Refused("tax-contract-unknown", contract_number=contract)
    if world.get(DEED_TAX, contract) is not None:
        raise Refused("tax-deed-tax-paid", contract_number=contract)
    status = sale_status(world, sale)
    if status != "filed":
        raise Refused("tax-contract-not-filed", contract_number=contract, state=status)
    rate = _deed_rate(world, sale)
    receipt: Record = {
        "number": next_serial(world, DEED_TAX, "QS"),
        "contract_number": contract,
        "price_yuan": sale["price_yuan"],
        "rate_percent": rate,
        "amount_yuan": int(sale["price_yuan"] * rate / 100),
        "paid_at": local_text(world.now),
    }
    world.put(DEED_TAX, contract, receipt)
    where = location(call.context.service, f"/deed-tax-payments/{contract}")
    return Answer(receipt, 201, [where])


def get_deed_tax(call: Call) -> Answer:
    contract = str(call.path["contract_number"])
    receipt = call.world.get(DEED_TAX, contract)
    if receipt is None:
        raise Refused("tax-deed-tax-unpaid", contract_number=contract)
    return Answer(receipt)


def apply_invoices(call: Call) -> Answer:
    """Invoices for a month, as many as the tax credit rating allows; none while tax is owed."""
    body, world = call.body, call.world
    code, taxpayer = _payer(call)
    _check_normal(code, taxpayer)
    owed = sum(one["amount_yuan"] for one in (world.get(ARREARS, code) or {"items": []})["items"])
    if owed:
        raise Refused("tax-arrears-unpaid", owed_yuan=owed)
    ratings = (world.get(RATINGS, code) or {"items": []})["items"]
    grade = ratings[0]["grade"] if ratings else "M"
    most = _INVOICES_A_MONTH.get(grade, 0)
    if body["quantity"] > most:
        raise Refused("tax-invoices-too-many", grade=grade, most=most)
    grant: Record = {
        "number": next_serial(world, INVOICES, "FP"),
        "code": code,
        "kind": body["kind"],
        "quantity": body["quantity"],
        "grade": grade,
        "granted_at": local_text(world.now),
        "expires_on": (_month_after(world.today.isoformat()) - timedelta(days=1)).isoformat(),
    }
    world.put(INVOICES, grant["number"], grant)
    return Answer(grant, 201, [location(call.context.service, f"/taxpayers/{code}/invoice-grants")])
