"""Statistics: every figure is another department's register counted; apps change none, another base does."""

from pathlib import Path
from typing import Any

from sandbox.city.base import FILE, City, CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.departments.statistics.figures import INDICATORS
from sandbox.city.population import personas, places
from sandbox.city.population.generate import generate
from sandbox.city.state import States
from tests.sandbox.conftest import DOCS_URL, Client
from tests.sandbox.departments.changing import change


async def profiles(app: Client) -> list[dict[str, Any]]:
    return [(await app("statistics/getDistrictProfile", district=one.code)).body for one in places.DISTRICTS]


async def test_profiles_add_up_to_the_registers(app: Client, city: City) -> None:
    found = await profiles(app)
    for name, statement in (
        ("residents", "SELECT COUNT(*) FROM citizen WHERE died IS NULL"),
        ("households", "SELECT COUNT(*) FROM household"),
        ("active_companies", "SELECT COUNT(*) FROM company WHERE status = 'active'"),
        ("jobs", "SELECT COUNT(*) FROM employment"),
    ):
        assert (sum(one[name] for one in found),) == city.one(statement)


async def test_series_agree_with_the_companies_and_their_taxes(app: Client, city: City) -> None:
    paid: dict[int, int] = {}
    for (code,) in city.all("SELECT code FROM company"):
        answer = await app("tax/getTaxPaid", code=code, from_year=2024, to_year=2025)
        for year in answer.body.get("years", []):
            paid[year["year"]] = paid.get(year["year"], 0) + year["paid_yuan"]
    series = (await app("statistics/getSeries", indicator="tax-paid")).body["items"]
    assert {one["year"]: one["value"] for one in series if one["year"] >= 2024} == paid


async def test_what_an_app_changes_is_in_no_statistics_but_another_base_is(
    app: Client, stores: object, tmp_path: Path
) -> None:
    here = (await app("statistics/listCompanyCounts")).body["items"]
    await change(app, COMPANY, personas.code_of("manshan-tea"), status="revoked")
    assert (await app("statistics/listCompanyCounts")).body["items"] == here
    generate(tmp_path / FILE, 900, 300, 8)
    side = CitySide(DEPARTMENTS, CityFile(tmp_path), States("sandbox"), DOCS_URL)
    try:
        there = (await Client(side)("statistics/listCompanyCounts")).body["items"]
    finally:
        await side.close()
    assert sum(one["companies"] for one in there) > sum(one["companies"] for one in here)


async def test_last_year_is_published_in_february(app: Client) -> None:
    for indicator in INDICATORS:
        before = await app("statistics/getSeries", indicator=indicator.id, clock="2026-02-19T23:00:00+08:00")
        after = await app("statistics/getSeries", indicator=indicator.id, clock="2026-02-20T01:00:00+08:00")
        assert [one["year"] for one in after.body["items"]][-2:] == [2024, 2025]
        assert after.body["items"][:-1] == before.body["items"]


async def test_microdata_hold_everybody_once_and_nobody_by_name(app: Client, city: City) -> None:
    seen: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    for _ in range(60):
        page = (await app("statistics/listHouseholdMicrodata", limit=100, **cursor)).body
        seen += page["items"]
        if "next" not in page:
            break
        cursor = {"cursor": page["next"]}
    assert len({row["household"] for row in seen}) == len(seen)
    assert (sum(row["people"] for row in seen),) == city.one(
        "SELECT COUNT(*) FROM citizen WHERE died IS NULL"
    )
    incomes = (await app("statistics/listIncomeMicrodata", limit=100)).body["items"]
    assert all(
        set(row) == {"person", "district_code", "sex", "age_from", "industry", "income_yuan"}
        for row in incomes
    )
    assert all(row["income_yuan"] > 0 for row in incomes)
