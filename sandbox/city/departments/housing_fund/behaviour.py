"""What the housing fund does: accounts, deposits, withdrawals and loans for a home.

Housing says whether there is a contract or a lease, real estate registration whether the home was bought, and
market regulation whether the employer is still in business.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.housing.records import LEASE, SALE_CONTRACT, lease_status, sale_status
from sandbox.city.departments.housing_fund.records import (
    ACCOUNT,
    LOAN,
    RATE_PERCENT,
    balance_of,
    deposits_of,
    loan_status,
)
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF, check_code
from sandbox.city.numbering import location, next_serial
from sandbox.city.residents import CITIZEN
from sandbox.city.state import Record
from sandbox.city.world import World

department = Department(
    "housing-fund", "住房公积金管理中心", "Housing Fund Centre", Path(__file__).parent, protocol="http"
)

_LEAST_BASE, _MOST_BASE = 2_490, 36_000
_RENT_A_YEAR = 24_000
_RETIRED_AGE = {"M": 60, "F": 55}
_MONTHS_FOR_LOAN = 6
_TIMES_BALANCE, _MOST_LOAN = 20, 800_000
_MOST_PER_CENT = 70  # of the price
_DAYS_TO_DECIDE = 5


def _account(call: Call) -> Record:
    account = call.world.get(ACCOUNT, call.body["id_number"])
    if account is None:
        raise Refused("fund-account-none")
    return account


def _shown(world: World, account: Record) -> Record:
    deposits = deposits_of(world, account)
    company = world.get(COMPANY_BRIEF, account["code"])
    is_active = company is not None and company["status"] == "active"
    shown = {
        name: account[name]
        for name in ("account_number", "id_number", "name", "code", "base_yuan", "opened_on")
    }
    shown["status"] = "active" if is_active else "sealed"
    shown["balance_yuan"] = balance_of(world, account)
    shown["months_paid"] = len(deposits)
    if deposits:
        shown["last_month"] = deposits[-1]["month"]
    return shown


@department.operation("getAccount")
def get_account(call: Call) -> Answer:
    return Answer(_shown(call.world, _account(call)))


@department.operation("listDeposits")
def list_deposits(call: Call) -> Answer:
    account = _account(call)
    items = deposits_of(call.world, account)[::-1][:24]
    return Answer({"account_number": account["account_number"], "items": items})


@department.operation("depositForEmployees")
def deposit_for_employees(call: Call) -> Answer:
    """An employer pays a month for people; who has no account yet gets one."""
    body, world = call.body, call.world
    code, month = body["code"], body["month"]
    check_code(code, "fund-code-invalid")
    company = world.get(COMPANY_BRIEF, code)
    if company is None or company["status"] != "active":
        raise Refused("fund-company-not-active", code=code)
    if month > world.today.isoformat()[:7]:
        raise Refused("fund-month-in-future", month=month)
    accounts = [_paid(world, code, month, one) for one in body["employees"]]
    for account in accounts:
        world.put(ACCOUNT, account["id_number"], account)
    total = sum(account["deposits"][-1]["amount_yuan"] for account in accounts)
    answer = {"code": code, "month": month, "employees": len(accounts), "total_yuan": total}
    return Answer(
        {**answer, "paid_at": local_text(world.now)}, 201, [location(call.context.service, "/deposits")]
    )


def _paid(world: World, code: str, month: str, one: dict[str, Any]) -> Record:
    """The account with the month's deposit added."""
    citizen = world.get(CITIZEN, one["id_number"])
    if citizen is None or citizen["name"] != one["name"] or "died_on" in citizen:
        raise Refused("fund-person-unknown", name=one["name"])
    base = one["base_yuan"]
    if not _LEAST_BASE <= base <= _MOST_BASE:
        raise Refused("fund-base-out-of-range", least=_LEAST_BASE, most=_MOST_BASE)
    account = world.kept(ACCOUNT, one["id_number"])
    if account is None:
        serial = 900_000_001 + sum(1 for _ in world.changed(ACCOUNT))
        account = {
            "account_number": f"GJJ{serial}",
            "id_number": one["id_number"],
            "name": one["name"],
            "code": code,
            "base_yuan": base,
            "opened_on": world.today.isoformat(),
            "carried_yuan": 0,
            "is_paid_monthly": False,
            "deposits": [],
            "withdrawals": [],
        }
    if account["code"] != code:
        raise Refused("fund-other-employer", name=one["name"])
    if any(deposit["month"] == month for deposit in deposits_of(world, account)):
        raise Refused("fund-deposit-made", name=one["name"], month=month)
    deposit = {"month": month, "amount_yuan": base * RATE_PERCENT // 100, "code": code}
    return {**account, "base_yuan": base, "deposits": [*account["deposits"], deposit]}


@department.operation("withdraw")
def withdraw_savings(call: Call) -> Answer:
    body, world = call.body, call.world
    account = _account(call)
    _check_reason(world, account, body)
    balance = balance_of(world, account)
    if body["amount_yuan"] > balance:
        raise Refused("fund-balance-insufficient", balance_yuan=balance)
    kept = world.kept(ACCOUNT, account["id_number"]) or account
    withdrawal = {
        "reason": body["reason"],
        "reference": body.get("reference", ""),
        "amount_yuan": body["amount_yuan"],
        "at": local_text(world.now),
    }
    world.put(ACCOUNT, account["id_number"], {**kept, "withdrawals": [*kept["withdrawals"], withdrawal]})
    answer = {
        "account_number": account["account_number"],
        "reason": body["reason"],
        "amount_yuan": body["amount_yuan"],
        "balance_yuan": balance - body["amount_yuan"],
        "withdrawn_at": withdrawal["at"],
    }
    return Answer(answer, 201, [location(call.context.service, "/withdrawals")])


def _check_reason(world: World, account: Record, body: dict[str, Any]) -> None:
    """The reason is a true one: a home bought, a home rented, or retirement. Source: 《住房公积金管理条例》 article 24."""
    number, reference = account["id_number"], body.get("reference", "")
    if body["reason"] == "purchase":
        sale = world.get(SALE_CONTRACT, reference)
        is_buyer = sale is not None and number in {one["id_number"] for one in sale["buyers"]}
        if sale is None or not is_buyer or sale_status(world, sale) == "cancelled":
            raise Refused("fund-reason-not-met", reason="purchase")
    elif body["reason"] == "rent":
        lease = world.get(LEASE, reference)
        if lease is None or lease["tenant"]["id_number"] != number or lease_status(world, lease) != "running":
            raise Refused("fund-reason-not-met", reason="rent")
        drawn = sum(one["amount_yuan"] for one in account["withdrawals"] if one["reference"] == reference)
        if drawn + body["amount_yuan"] > _RENT_A_YEAR:
            raise Refused("fund-rent-limit", most_yuan=_RENT_A_YEAR)
    else:
        citizen = world.get(CITIZEN, number) or {}
        born = date.fromisoformat(citizen["born_on"])
        age = world.today.year - born.year - ((world.today.month, world.today.day) < (born.month, born.day))
        if age < _RETIRED_AGE[citizen["sex"]]:
            raise Refused("fund-reason-not-met", reason="retirement")


@department.operation("applyLoan")
def apply_loan(call: Call) -> Answer:
    body, world = call.body, call.world
    account = _account(call)
    number = account["id_number"]
    months = len(deposits_of(world, account))
    if months < _MONTHS_FOR_LOAN:
        raise Refused("fund-months-too-few", months=months, least=_MONTHS_FOR_LOAN)
    sale = world.get(SALE_CONTRACT, body["contract_number"])
    is_buyer = sale is not None and number in {one["id_number"] for one in sale["buyers"]}
    if sale is None or not is_buyer or sale_status(world, sale) != "filed":
        raise Refused("fund-contract-not-filed", contract_number=body["contract_number"])
    running = next((one for one in _loans_of(world, number) if loan_status(world, one) != "cancelled"), None)
    if running is not None:
        raise Refused("fund-loan-running", number=running["number"])
    most = min(
        _MOST_LOAN, balance_of(world, account) * _TIMES_BALANCE, sale["price_yuan"] * _MOST_PER_CENT // 100
    )
    if body["amount_yuan"] > most:
        raise Refused("fund-loan-too-high", most_yuan=most)
    loan: Record = {
        "number": next_serial(world, LOAN, "DK"),
        "id_number": number,
        "contract_number": body["contract_number"],
        "amount_yuan": body["amount_yuan"],
        "years": body["years"],
        "applied_at": local_text(world.now),
        "decides_at": local_text(world.now + timedelta(days=_DAYS_TO_DECIDE)),
    }
    world.put(LOAN, loan["number"], loan)
    return Answer(_loan_shown(world, loan), 201, [location(call.context.service, f"/loans/{loan['number']}")])


def _loans_of(world: World, number: str) -> list[Record]:
    base = world.get(LOAN, "DK20230601000001")
    found = [one for _, one in world.changed(LOAN) if one is not None]
    if base is not None and all(one["number"] != base["number"] for one in found):
        found.append(base)
    return [one for one in found if one["id_number"] == number]


def _loan_shown(world: World, loan: Record) -> Record:
    shown = {name: value for name, value in loan.items() if name not in {"id_number", "granted_on"}}
    return {**shown, "status": loan_status(world, loan)}


def _loan(call: Call) -> Record:
    number = str(call.path["number"])
    loan = call.world.get(LOAN, number)
    if loan is None:
        raise Refused("fund-loan-not-found", number=number)
    return loan


@department.operation("getLoan")
def get_loan(call: Call) -> Answer:
    return Answer(_loan_shown(call.world, _loan(call)))


@department.operation("cancelLoan")
def cancel_loan(call: Call) -> Answer:
    loan, world = _loan(call), call.world
    status = loan_status(world, loan)
    if status == "granted":
        raise Refused("fund-loan-granted", number=loan["number"])
    if status == "cancelled":
        return Answer(_loan_shown(world, loan))
    kept = world.kept(LOAN, loan["number"]) or loan
    cancelled = {**kept, "cancelled_at": local_text(world.now)}
    world.put(LOAN, loan["number"], cancelled)
    return Answer(_loan_shown(world, cancelled))
