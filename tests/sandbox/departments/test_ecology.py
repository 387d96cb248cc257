"""Ecology: a permit goes with its company, the air with weather and hour, a report with the clock."""

import pytest

from sandbox.city.departments.ecology.records import grade_of, index_of
from sandbox.city.departments.market_regulation.records import COMPANY
from sandbox.city.population import personas
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change

TEA = personas.code_of("manshan-tea")


async def test_a_permit_ends_with_its_company(app: Client, other_app: Client) -> None:
    assert (await app("air/getEmissionPermit", code=TEA)).body["status"] == "valid"
    await change(app, COMPANY, TEA, status="deregistered")
    assert (await app("air/getEmissionPermit", code=TEA)).body["status"] == "cancelled"
    assert (await app("air/renewEmissionPermit", code=TEA)).body["rule"] == "air-company-not-active"
    assert (await other_app("air/getEmissionPermit", code=TEA)).body["status"] == "valid"


async def test_a_permit_is_renewed_in_its_last_days(app: Client) -> None:
    old = (await app("air/getEmissionPermit", code=TEA)).body["expires_on"]
    early = await app("air/renewEmissionPermit", code=TEA)
    assert early.body["rule"] == "air-renewal-too-early"
    clock = f"{early.body['opens_on']}T09:00:00+08:00"
    renewed = await app("air/renewEmissionPermit", code=TEA, clock=clock)
    assert renewed.status == 201
    assert renewed.body["issued_on"] > old
    assert int(renewed.body["expires_on"][:4]) >= int(old[:4]) + 5


@pytest.mark.parametrize(("pm25", "index", "grade"), [(0, 0, "excellent"), (35, 50, "excellent"), (36, 52, "good"),
                                                      (75, 100, "good"), (150, 200, "moderate"), (600, 500, "severe")])  # fmt: skip
def test_the_index_is_that_of_the_standard(pm25: int, index: int, grade: str) -> None:
    assert (index_of(pm25), grade_of(index)) == (index, grade)


async def test_the_hours_hold_what_was_read_then(app: Client) -> None:
    hours = (await app("air/listHourly", hours=30)).body["items"]
    assert len({hour["at"] for hour in hours}) == 30
    for hour in hours[::7]:
        then = (await app("air/getAirQuality", clock=hour["at"])).body
        assert {name: then[name] for name in hour} == hour


async def test_a_report_is_inspected_and_closed(app: Client) -> None:
    number = (await app("air/reportPollution")).body["number"]
    seen = [
        (await app("air/getReport", number=number, clock=f"2026-07-{day}T13:00:00+08:00")).body["status"]
        for day in ("01", "08")
    ]
    assert seen == ["inspected", "closed"]
