"""Homes, funds, trade and standing agree with the people, jobs and companies of the core, whatever the seed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.city.base import City
from sandbox.city.population.generate import generate

FALSE = {
    "an account names another employer than the register of jobs": (
        "SELECT a.citizen FROM fund_account a LEFT JOIN employment e ON e.citizen = a.citizen AND e.company = a.company "
        "WHERE e.citizen IS NULL"
    ),
    "somebody employed has no account": (
        "SELECT citizen FROM employment WHERE citizen NOT IN (SELECT citizen FROM fund_account)"
    ),
    "a home has no owners, or owners of more or less than the whole": (
        "SELECT h.id FROM household h LEFT JOIN ownership o ON o.home = h.id GROUP BY h.id "
        "HAVING COALESCE(SUM(o.share_basis_points), 0) <> 10000"
    ),
    "a home was registered before it was built": (
        "SELECT id FROM home WHERE CAST(substr(registered_on, 1, 4) AS INTEGER) < built"
    ),
    "a mortgage is younger than its release": (
        "SELECT home FROM mortgage WHERE released_on IS NOT NULL AND released_on < since"
    ),
    "a sale names a home, a seller or a buyer that is not there": (
        "SELECT number FROM sale_contract WHERE home NOT IN (SELECT id FROM home) "
        "OR seller NOT IN (SELECT id FROM citizen) OR buyer NOT IN (SELECT id FROM citizen)"
    ),
    "a home rests on a sale contract of another home": (
        "SELECT e.id FROM home e LEFT JOIN sale_contract s ON s.number = e.contract AND s.home = e.id "
        "WHERE e.contract IS NOT NULL AND s.number IS NULL"
    ),
    "a home is let by somebody who does not own it": (
        "SELECT l.number FROM lease l LEFT JOIN ownership o ON o.home = l.home AND o.citizen = l.landlord "
        "WHERE o.home IS NULL"
    ),
    "a home is frozen for a case that is none, or is not its owner's": (
        "SELECT f.home FROM freeze f LEFT JOIN enforcement e ON e.case_number = f.case_number "
        "LEFT JOIN ownership o ON o.home = f.home AND o.citizen = e.citizen WHERE o.home IS NULL"
    ),
    "a company exported before it was founded or after it ended": (
        "SELECT x.company FROM exporter x JOIN company c ON c.id = x.company "
        "WHERE x.since < c.established_on OR (c.ended_on IS NOT NULL AND x.since >= c.ended_on)"
    ),
    "a penalty or a case is against nobody, or against both": (
        "SELECT number FROM penalty WHERE company NOT IN (SELECT id FROM company) "
        "UNION SELECT case_number FROM enforcement WHERE (company IS NULL) = (citizen IS NULL)"
    ),
    "something happened after the city was counted": (
        "SELECT number FROM penalty WHERE decided_on > '2026-06-30' "
        "UNION SELECT unit FROM home WHERE registered_on > '2026-06-30' "
        "UNION SELECT case_number FROM enforcement WHERE filed_on > '2026-06-30'"
    ),
}


@pytest.fixture(scope="module", params=[7, 20260701])
def town(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    path: Path = tmp_path_factory.mktemp("property") / "city.sqlite3"
    generate(path, 600, 150, request.param)
    opened = City(path)
    yield opened
    opened.close()


@pytest.mark.parametrize("claim", FALSE)
def test_nothing_contradicts(town: City, claim: str) -> None:
    assert town.all(FALSE[claim]) == [], claim


def test_there_is_something_of_everything(town: City) -> None:
    for table in ("home", "ownership", "mortgage", "sale_contract", "lease", "freeze", "fund_account", "exporter",
                  "penalty", "enforcement"):  # fmt: skip
        assert town.one(f"SELECT COUNT(*) FROM {table}") != (0,), table
