"""What statistics does: indicators, profiles, counts, and microdata for the clean room. Its system drops CSV files.

Every figure is counted from another department's register, as the base city has it: what an app changes in its
sandbox is in no statistics. The directory of units has an interface beside the files, and follows the register of
companies for each app. Microdata leave through no face; the clean room runs these behaviours.
"""

import hashlib
from pathlib import Path
from typing import Any

from sandbox.city.base import City
from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.market_regulation.records import ANNUAL_REPORTS, COMPANY, check_code
from sandbox.city.departments.social_security.records import JOBS
from sandbox.city.departments.statistics.figures import (
    BY_ID,
    INDICATORS,
    PUBLISHED,
    companies_by_industry,
    profile_of,
    series_of,
)
from sandbox.city.paging import make_cursor, read_cursor
from sandbox.city.population import industries, places

department = Department(
    "statistics", "统计局", "Bureau of Statistics", Path(__file__).parent, protocol="files"
)

_SIZES = ((300, "large"), (100, "medium"), (10, "small"), (0, "micro"))
_CURSOR_INVALID = "statistics-cursor-invalid"
_SALT = "microdata-1"  # of the pseudonyms of this release; another release has others


@department.operation("listIndicators")
def list_indicators(call: Call) -> Answer:
    items = [
        {"indicator": one.id, "name": one.zh, "english_name": one.en, "unit": one.unit, "source": one.source}
        for one in INDICATORS
    ]
    return Answer({"items": items})


@department.operation("getSeries")
def get_series(call: Call) -> Answer:
    name = str(call.path["indicator"])
    indicator = BY_ID.get(name)
    if indicator is None:
        raise Refused("statistics-indicator-unknown", indicator=name)
    today = call.world.today.isoformat()
    items = [
        one for one in series_of(call.world.city, indicator) if f"{one['year'] + 1}-{PUBLISHED}" <= today
    ]
    if not items:
        raise Refused("statistics-not-published", indicator=name)
    return Answer(
        {"indicator": indicator.id, "unit": indicator.unit, "source": indicator.source, "items": items}
    )


@department.operation("getDistrictProfile")
def get_district_profile(call: Call) -> Answer:
    district = str(call.path["district"])
    if district not in places.BY_CODE:
        raise Refused("statistics-district-unknown", district=district)
    return Answer(profile_of(call.world.city, district))


@department.operation("getReportingUnit")
def get_reporting_unit(call: Call) -> Answer:
    """Sizes by people employed. Source: 国统字〔2017〕213 号, the row of industries that are not listed."""
    code = str(call.path["code"])
    check_code(code, "statistics-code-invalid")
    company = call.world.get(COMPANY, code)
    if company is None:
        raise Refused("statistics-unit-not-found", code=code)
    unit = {
        "code": code,
        "name": company["name"],
        "district_code": company["district_code"],
        "status": "reporting" if company["status"] == "active" else "ceased",
    }
    reports = (call.world.get(ANNUAL_REPORTS, code) or {"items": []})["items"]
    if reports:
        people = reports[0]["employees"]
        unit["employees"] = people
        unit["size"] = next(size for least, size in _SIZES if people >= least)
        unit["based_on_year"] = reports[0]["year"]
    return Answer(unit)


@department.operation("listCompanyCounts")
def list_company_counts(call: Call) -> Answer:
    status = call.text("status", "active")
    items = [
        {
            "industry": code,
            "name": industries.BY_CODE[code].zh,
            "english_name": industries.BY_CODE[code].en,
            "companies": companies,
            "jobs": jobs,
        }
        for code, kept, companies, jobs in companies_by_industry(call.world.city)
        if kept == status
    ]
    return Answer({"as_of": call.world.city.meta["as_of"], "status": status, "items": items})


# --- microdata: of the clean room alone -------------------------------------------------------------
def _pseudonym(kind: str, number: int) -> str:
    """Always the same for one row of this release; the letter before keeps it from being read as a number."""
    return kind[0] + hashlib.sha256(f"{_SALT}:{kind}:{number}".encode()).hexdigest()[:15]


def _page(call: Call, rows: list[tuple[Any, ...]], limit: int, district: str) -> dict[str, Any]:
    """`next` of a list of rows whose first column is the id."""
    return {"next": make_cursor(str(rows[limit - 1][0]), district)} if len(rows) > limit else {}


@department.operation("listHouseholdMicrodata")
def list_household_microdata(call: Call) -> Answer:
    district, limit = call.text("district"), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, district) or 0)
    if district and district not in places.BY_CODE:
        raise Refused("statistics-district-unknown", district=district)
    day = call.world.city.meta["as_of"]
    rows = call.world.city.all(
        "SELECT h.id, h.district, COUNT(c.id), SUM(c.born > date(?, '-15 years')), SUM(c.born <= date(?, '-65 years')), "
        "COUNT(e.citizen) FROM household h JOIN citizen c ON c.household = h.id AND c.died IS NULL "
        "LEFT JOIN employment e ON e.citizen = c.id WHERE h.id > ? AND (? = '' OR h.district = ?) "
        "GROUP BY h.id ORDER BY h.id LIMIT ?",
        day, day, after, district, district, limit + 1,
    )  # fmt: skip
    names = ("district_code", "people", "children", "elderly", "employed")
    items = [
        {"household": _pseudonym("household", row[0]), **dict(zip(names, row[1:], strict=True))}
        for row in rows[:limit]
    ]
    return Answer({"items": items, **_page(call, rows, limit, district)})


def _income(city: City, number: str) -> int:
    """What social security has as the wage of a year; 0 for nobody employed."""
    jobs = JOBS.read(city, number)
    wage: int = jobs["items"][-1]["monthly_wage_yuan"] if jobs else 0
    return wage * 12


@department.operation("listIncomeMicrodata")
def list_income_microdata(call: Call) -> Answer:
    district, limit = call.text("district"), call.number("limit", 20)
    after = int(read_cursor(call.text("cursor"), _CURSOR_INVALID, district) or 0)
    if district and district not in places.BY_CODE:
        raise Refused("statistics-district-unknown", district=district)
    day = call.world.city.meta["as_of"]
    rows = call.world.city.all(
        "SELECT c.id, h.district, c.sex, (CAST(substr(?, 1, 4) AS INTEGER) - CAST(substr(c.born, 1, 4) AS INTEGER)) / 10 * 10, "
        "f.industry, c.number FROM citizen c JOIN household h ON h.id = c.household JOIN employment e ON e.citizen = c.id JOIN company f ON f.id = e.company "
        "WHERE c.id > ? AND c.died IS NULL AND (? = '' OR h.district = ?) ORDER BY c.id LIMIT ?",
        day, after, district, district, limit + 1,
    )  # fmt: skip
    names = ("district_code", "sex", "age_from", "industry")
    items = [
        {
            "person": _pseudonym("person", row[0]),
            **dict(zip(names, row[1:5], strict=True)),
            "income_yuan": _income(call.world.city, row[5]),
        }
        for row in rows[:limit]
    ]
    return Answer({"items": items, **_page(call, rows, limit, district)})
