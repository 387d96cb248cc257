"""The figures of the statistical bureau: counted from the registers of the other departments, as the base city has them.

A count is made once for an edition of the city and remembered.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.population import places

FIRST_YEAR, LAST_YEAR = 2019, 2025
PUBLISHED = "02-20"  # the day of the next year on which a year's figures are published


class Indicator(Struct, frozen=True):
    id: str
    zh: str
    en: str
    unit: str
    source: str  # the department whose register is counted
    statement: str  # year and value, of all years


INDICATORS = (
    Indicator("births", "出生人口", "Births", "person", "public-security",
              "SELECT CAST(substr(born, 1, 4) AS INTEGER), COUNT(*) FROM citizen GROUP BY 1"),
    Indicator("deaths", "死亡人口", "Deaths", "person", "public-security",
              "SELECT CAST(substr(died, 1, 4) AS INTEGER), COUNT(*) FROM citizen WHERE died IS NOT NULL GROUP BY 1"),
    Indicator("companies-founded", "新设企业", "Companies founded", "company", "market-regulation",
              "SELECT CAST(substr(established_on, 1, 4) AS INTEGER), COUNT(*) FROM company GROUP BY 1"),
    Indicator("companies-ended", "退出企业", "Companies that ended", "company", "market-regulation",
              "SELECT CAST(substr(ended_on, 1, 4) AS INTEGER), COUNT(*) FROM company WHERE ended_on IS NOT NULL GROUP BY 1"),
    Indicator("revenue", "企业营业收入", "Revenue of companies", "yuan", "market-regulation",
              "SELECT year, SUM(revenue_yuan) FROM annual_report GROUP BY 1"),
    Indicator("tax-paid", "入库税收", "Tax paid", "yuan", "tax",
              "SELECT year, SUM(paid_yuan) FROM tax_year GROUP BY 1"),
)  # fmt: skip
BY_ID = {indicator.id: indicator for indicator in INDICATORS}
_MOST_KNOWN = 200
_counted: dict[tuple[str, str], Any] = {}


def _once(city: City, name: str, count: Callable[[], Any]) -> Any:
    """What was counted of this edition of the city, else count it."""
    key = (city.version, name)
    if key not in _counted:
        if len(_counted) >= _MOST_KNOWN:
            _counted.clear()
        _counted[key] = count()
    return _counted[key]


def series_of(city: City, indicator: Indicator) -> list[dict[str, Any]]:
    """Year and value, the earliest first; a year without any is 0."""

    def count() -> list[dict[str, Any]]:
        found = dict(city.all(indicator.statement))
        return [{"year": year, "value": found.get(year, 0)} for year in range(FIRST_YEAR, LAST_YEAR + 1)]

    made: list[dict[str, Any]] = _once(city, f"series {indicator.id}", count)
    return made


def profile_of(city: City, district: str) -> dict[str, Any]:
    """People, households, companies and jobs of a district on the day of the count."""

    def count() -> dict[str, Any]:
        people = city.one(
            "SELECT COUNT(*), SUM(c.born > date(?, '-15 years')), SUM(c.born <= date(?, '-65 years')) FROM citizen c "
            "JOIN household h ON h.id = c.household WHERE c.died IS NULL AND h.district = ?",
            *[city.meta["as_of"]] * 2,
            district,
        ) or (0, 0, 0)
        homes = city.one("SELECT COUNT(*) FROM household WHERE district = ?", district) or (0,)
        firms = city.one(
            "SELECT COUNT(*), COALESCE(SUM(registered_capital_yuan), 0) FROM company WHERE district = ? AND status = 'active'",
            district,
        ) or (0, 0)
        jobs = city.one(
            "SELECT COUNT(*) FROM employment e JOIN company c ON c.id = e.company WHERE c.district = ?",
            district,
        ) or (0,)
        place = places.BY_CODE[district]
        return {
            "district_code": district,
            "name": place.zh,
            "english_name": place.en,
            "as_of": city.meta["as_of"],
            "residents": people[0],
            "children": people[1] or 0,
            "elderly": people[2] or 0,
            "households": homes[0],
            "active_companies": firms[0],
            "registered_capital_yuan": firms[1],
            "jobs": jobs[0],
        }

    made: dict[str, Any] = _once(city, f"profile {district}", count)
    return made


def companies_by_industry(city: City) -> list[tuple[str, str, int, int]]:
    """(industry, status, companies, jobs)."""

    def count() -> list[tuple[Any, ...]]:
        return city.all(
            "SELECT c.industry, c.status, COUNT(DISTINCT c.id), COUNT(e.citizen) FROM company c "
            "LEFT JOIN employment e ON e.company = c.id GROUP BY 1, 2 ORDER BY 1, 2"
        )

    made: list[tuple[str, str, int, int]] = _once(city, "industries", count)
    return made
