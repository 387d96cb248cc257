"""Records of social security: who worked where, for which months contributions were paid, unemployment benefit.

An employer pays for as long as it exists: when market regulation strikes it off, its contributions end.
Months are ISO text, `2026-05`.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sandbox.city.base import City
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.numbering import share_of
from sandbox.city.population.personas import code_of, number_of
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "social-security"
_WAGES = {  # yuan a month, and how much more at most
    "manager": (12_000, 9000), "engineer": (10_000, 8000), "accountant": (8000, 4000), "salesperson": (6000, 4000),
    "clerk": (5500, 2500), "driver": (6000, 2000), "worker": (5000, 2500),
}  # fmt: skip
_PAST = {  # jobs that ended, of personas who have none now
    number_of("zhou-ming"): (code_of("hengzhu-machinery"), "2021-04-01", "2026-05-31", "engineer", 11_000),
    number_of("tang-yue"): (code_of("hengzhu-machinery"), "2014-03-03", "2026-02-28", "clerk", 7200),
}
FIRST_CLAIM = "SY1000000001"


def _read_jobs(city: City, number: str) -> Record | None:
    row = city.one(
        "SELECT k.code, e.since, e.position, c.id FROM citizen c JOIN employment e ON e.citizen = c.id "
        "JOIN company k ON k.id = e.company WHERE c.number = ?",
        number,
    )
    if row is not None:
        least, more = _WAGES[row[2]]
        wage = least + more * share_of(number, "wage", of=101) // 10_000 * 100
        return {"items": [_job(row[0], row[1], row[2], wage)]}
    past = _PAST.get(number)
    if past is None:
        return None
    code, since, until, position, wage = past
    return {"items": [{**_job(code, since, position, wage), "ended_on": until, "reason": "contract-ended"}]}


def _job(code: str, since: str, position: str, wage: int) -> dict[str, Any]:
    return {"company_code": code, "since": since, "position": position, "monthly_wage_yuan": wage}


def _read_claim(city: City, number: str) -> Record | None:
    """One claim that is in every city; all others are made by apps."""
    if number != FIRST_CLAIM:
        return None
    return {
        "number": number,
        "id_number": number_of("tang-yue"),
        "from": "2026-03",
        "months": 24,
        "monthly_yuan": 1980,
    }


JOBS = Kind("jobs", DEPARTMENT, _read_jobs)  # key: identity number; {"items": oldest first}
CLAIM = Kind("unemployment-claim", DEPARTMENT, _read_claim)  # key: number of the claim


def month_of(day: date) -> str:
    """The month of a day."""
    return f"{day.year}-{day.month:02d}"


def month_after(month: str, count: int = 1) -> str:
    """The month so many months later; `count` may be negative."""
    place = int(month[:4]) * 12 + int(month[5:]) - 1 + count
    return f"{place // 12}-{place % 12 + 1:02d}"


def months_between(first: str, last: str) -> Iterator[str]:
    """The months from `first` to `last`, both included."""
    while first <= last:
        yield first
        first = month_after(first)


def jobs_of(world: World, number: str) -> list[dict[str, Any]]:
    """Somebody's jobs, oldest first; one whose employer was struck off ended with it."""
    record = world.get(JOBS, number)
    found = []
    for job in record["items"] if record else []:
        company = world.get(COMPANY, job["company_code"])
        ended = job.get("ended_on")
        if company is not None and company["status"] != "active":
            last = company.get("ended_on", world.today.isoformat())
            if ended is None or last < ended:
                found.append({**job, "ended_on": last, "reason": "employer-closed"})
                continue
        found.append(job)
    return found


def job_of(world: World, number: str) -> dict[str, Any] | None:
    """The present job of somebody, None for who has none."""
    today = world.today.isoformat()
    jobs = (job for job in jobs_of(world, number) if job["since"] <= today <= job.get("ended_on", today))
    return next(jobs, None)


def months_of(world: World, number: str, first: str, last: str) -> list[dict[str, Any]]:
    """The months for which contributions were paid: one entry each, oldest first, never of this month or later."""
    last = min(last, month_after(month_of(world.today), -1))
    jobs = jobs_of(world, number)
    found = []
    for month in months_between(first, last):
        job = next(
            (job for job in jobs if job["since"][:7] <= month <= job.get("ended_on", "9999-12")[:7]), None
        )
        if job is not None:
            base = job["monthly_wage_yuan"]
            found.append({"month": month, "company_code": job["company_code"], "base_yuan": base,
                          "personal_yuan": base * 105 // 1000, "employer_yuan": base * 265 // 1000})  # fmt: skip
    return found


def months_paid(world: World, number: str) -> int:
    """For how many months contributions were paid in all."""
    jobs = jobs_of(world, number)
    return len(months_of(world, number, min(job["since"] for job in jobs)[:7], "9999-12")) if jobs else 0


def _read_card(city: City, number: str) -> Record | None:
    """One card that is in every city; all others are issued to apps."""
    if number != FIRST_CARD:
        return None
    return {"number": number, "id_number": number_of("lin-xi"), "issued_on": "2015-03-02"}


FIRST_CARD = "SK1000000001"
CARD = Kind("card", DEPARTMENT, _read_card)  # key: number of the card
