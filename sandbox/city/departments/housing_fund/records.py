"""Records of the housing fund: accounts by identity number, loans by their numbers.

Employers in business pay month by month, on the 15th, without being asked; the sums follow from the clock.
"""

from datetime import date, datetime
from typing import Any

from sandbox.city.base import City
from sandbox.city.departments.housing.records import SALE_CONTRACT, sale_status
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "housing-fund"
RATE_PERCENT = 24  # employee and employer twelve each. Source: 《住房公积金管理条例》 article 18
FIRST_MONTH = (2024, 7)  # of those that are listed one by one


def _read_account(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT a.citizen, p.name, c.code, a.base_yuan, a.opened_on, a.carried_yuan FROM fund_account a "
        "JOIN citizen p ON p.id = a.citizen JOIN company c ON c.id = a.company WHERE p.number = ? AND p.died IS NULL",
        number,
    )
    if row is None:
        return None
    return {
        "account_number": f"GJJ{row[0]:09d}",
        "id_number": number,
        "name": row[1],
        "code": row[2],
        "base_yuan": row[3],
        "opened_on": row[4],
        "carried_yuan": row[5],
        "is_paid_monthly": True,
        "deposits": [],
        "withdrawals": [],
    }


def _read_loan(city: City, number: str) -> Record | None:
    """The one loan of the base: of Zhao Lei, for the home that he and his wife bought."""
    if number != "DK20230601000001":
        return None
    return {
        "number": number,
        "id_number": "990101199402110010",
        "contract_number": "HT20230520000001",
        "amount_yuan": 600_000,
        "years": 30,
        "applied_at": "2023-06-01T10:00:00+08:00",
        "decides_at": "2023-06-06T10:00:00+08:00",
        "granted_on": "2023-07-14",
    }


ACCOUNT = Kind("fund-account", DEPARTMENT, _read_account)
LOAN = Kind("fund-loan", DEPARTMENT, _read_loan)


def _months(first: tuple[int, int], last: tuple[int, int]) -> list[str]:
    """`2024-07`, … up to and with `last`."""
    start, end = first[0] * 12 + first[1] - 1, last[0] * 12 + last[1] - 1
    return [f"{month // 12}-{month % 12 + 1:02d}" for month in range(start, end + 1)]


def deposits_of(world: World, account: Record) -> list[dict[str, Any]]:
    """The deposits month by month, oldest first, as of the world's day."""
    found = [dict(one) for one in account["deposits"]]
    if account["is_paid_monthly"]:
        opened = date.fromisoformat(account["opened_on"])
        company = world.get(COMPANY_BRIEF, account["code"])
        today = world.today
        last = (today.year, today.month - (today.day < 15))
        if company is not None and company["status"] == "active":
            amount = account["base_yuan"] * RATE_PERCENT // 100
            paid = {one["month"] for one in found}
            found += [
                {"month": month, "amount_yuan": amount, "code": account["code"]}
                for month in _months(max(FIRST_MONTH, (opened.year, opened.month)), last)
                if month not in paid
            ]
    return sorted(found, key=lambda one: str(one["month"]))


def balance_of(world: World, account: Record) -> int:
    """What is on the account, whole yuan."""
    saved = account["carried_yuan"] + sum(one["amount_yuan"] for one in deposits_of(world, account))
    return int(saved - sum(one["amount_yuan"] for one in account["withdrawals"]))


def loan_status(world: World, loan: Record) -> str:
    """accepted, approved once it is decided, granted once the home is registered, or cancelled."""
    if "cancelled_at" in loan:
        return "cancelled"
    if "granted_on" in loan:
        return "granted"
    sale = world.get(SALE_CONTRACT, loan["contract_number"])
    if sale is not None and sale_status(world, sale) == "completed":
        return "granted"
    is_decided = datetime.fromisoformat(loan["decides_at"]) <= world.now
    return "approved" if is_decided else "accepted"
