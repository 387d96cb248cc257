"""Records of credit: penalties and repairs by their numbers; how the score of a company is put together."""

from datetime import date, datetime

from sandbox.city.base import City
from sandbox.city.departments.justice.records import is_dishonest
from sandbox.city.departments.market_regulation.records import COMPANY, abnormal_by_clock, duties_of
from sandbox.city.departments.tax.records import ARREARS, RATINGS
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "credit"
_BY_GRADE = {"A": 100, "B": 50, "M": 0, "C": -50, "D": -150}
_COLUMNS = (
    "SELECT p.number, c.code, p.authority, p.reason, p.amount_yuan, p.decided_on, p.repaired_on FROM penalty p "
    "JOIN company c ON c.id = p.company"
)


def _read_penalty(city: City, number: str) -> Record | None:
    row = city.one(f"{_COLUMNS} WHERE p.number = ?", number)
    if row is None:
        return None
    names = ("number", "code", "authority", "reason", "amount_yuan", "decided_on", "repaired_on")
    return {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _read_repair(city: City, number: str) -> Record | None:
    """Of the base, the repairs that were carried out: decided on the day of the repair, applied for ten days before."""
    penalty = _read_penalty(city, number.replace("XF", "CF", 1))
    if penalty is None or "repaired_on" not in penalty:
        return None
    return {
        "number": number,
        "penalty_number": penalty["number"],
        "code": penalty["code"],
        "applied_at": f"{penalty['decided_on'][:4]}-12-01T10:00:00+08:00",
        "decides_at": f"{penalty['repaired_on']}T10:00:00+08:00",
    }


PENALTY = Kind("penalty", DEPARTMENT, _read_penalty)
REPAIR = Kind("repair", DEPARTMENT, _read_repair)


def is_repaired(world: World, penalty: Record) -> bool:
    """Whether the penalty is no longer shown: its repair was decided on, by the app's clock."""
    if "repaired_on" in penalty:
        return bool(penalty["repaired_on"] <= world.today.isoformat())
    repair = world.get(REPAIR, penalty["number"].replace("CF", "XF", 1))
    if repair is None or "withdrawn_at" in repair:
        return False
    return datetime.fromisoformat(repair["decides_at"]) <= world.now


def penalties_of(world: World, code: str) -> list[Record]:
    """The penalties on a company that are shown, newest first."""
    known = world.city.all(
        "SELECT p.number FROM penalty p JOIN company c ON c.id = p.company WHERE c.code = ?", code
    )
    numbers = {number for (number,) in known}
    numbers |= {number for number, one in world.changed(PENALTY) if one and one["code"] == code}
    found = [world.get(PENALTY, number) for number in sorted(numbers)]
    shown = [one for one in found if one is not None and not is_repaired(world, one)]
    return sorted(shown, key=lambda one: str(one["decided_on"]), reverse=True)


def company_of(world: World, code: str) -> Record | None:
    """The company with its standing at market regulation, as of the app's clock."""
    company = world.get(COMPANY, code)
    if company is None or company.get("is_abnormal"):
        return company
    return {**company, "is_abnormal": abnormal_by_clock(world, company) is not None}


def owed_yuan(world: World, code: str) -> int:
    """The tax that the company owes, late fees left out."""
    return sum(int(one["amount_yuan"]) for one in (world.get(ARREARS, code) or {"items": []})["items"])


def tax_grade(world: World, code: str) -> str | None:
    """The newest tax credit grade, None where there is none."""
    items = (world.get(RATINGS, code) or {"items": []})["items"]
    return str(items[0]["grade"]) if items else None


def factors_of(world: World, company: Record) -> list[Record]:
    """What counts for and against a company, each with its points; 700 and their sum make the score."""
    code = company["code"]
    factors: list[Record] = []

    def count(factor: str, points: int) -> None:
        factors.append({"factor": factor, "points": points})

    grade = tax_grade(world, code)
    if grade is not None:
        count(f"tax-grade-{grade.lower()}", _BY_GRADE[grade])
    if company["is_abnormal"]:
        count("abnormal-operations-list", -150)
    for _ in penalties_of(world, code):
        count("penalty", -60)
    if is_dishonest(world, code):
        count("dishonest-debtor", -250)
    if owed_yuan(world, code):
        count("tax-arrears", -100)
    for duty in duties_of(world, company):
        if duty["status"] == "overdue":
            count("report-overdue", -40)
    age = world.today.year - date.fromisoformat(company["established_on"]).year
    if age >= 10:
        count("ten-years-in-business", 60)
    return factors


def score_of(company: Record, factors: list[Record]) -> int:
    """0 to 1000; nothing for a company that is revoked or deregistered."""
    if company["status"] != "active":
        return 0
    return max(0, min(1000, 700 + sum(int(one["points"]) for one in factors)))


def grade_of(score: int) -> str:
    """AAA from 850, AA from 750, A from 650, B from 500, C from 300, else D."""
    steps = ((850, "AAA"), (750, "AA"), (650, "A"), (500, "B"), (300, "C"))
    return next((grade for least, grade in steps if score >= least), "D")
