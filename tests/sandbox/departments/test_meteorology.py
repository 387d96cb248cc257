"""Meteorology: forecasts come true, the clock moves it, an app's changes do not, another base does."""

from datetime import date, timedelta
from pathlib import Path

from sandbox.city.base import FILE, CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.departments.meteorology.climate import warnings_on
from sandbox.city.population import personas
from sandbox.city.population.generate import generate
from sandbox.city.residents import CITIZEN
from sandbox.city.state import States
from tests.sandbox.conftest import DOCS_URL, Client
from tests.sandbox.departments.changing import change


def day_with_warnings() -> str:
    days = (date(2026, 7, 1) + timedelta(days=step) for step in range(365))
    return next(f"{day}T12:00:00+08:00" for day in days if len(warnings_on(day)) > 2)


async def test_what_is_forecast_is_recorded(app: Client) -> None:
    forecast = (await app("weather/getForecast", clock="2026-02-10T08:00:00+08:00")).body["items"]
    records = (await app("weather/listDailyRecords", clock="2026-03-01T08:00:00+08:00")).body["items"]
    known = {day["day"]: day["high_c"] for day in records}
    assert len(records) == 28
    assert [known[day["day"]] for day in forecast] == [day["high_c"] for day in forecast]


async def test_hours_stay_between_lowest_and_highest_and_follow_the_clock(app: Client) -> None:
    hours = (await app("weather/listObservations", hours=72)).body["items"]
    assert [hour["at"] for hour in hours] == sorted((hour["at"] for hour in hours), reverse=True)
    assert hours[0]["at"] == "2026-06-30T12:00:00+08:00"
    day = (await app("weather/getForecast")).body["items"][0]
    of_today = [hour["temperature_c"] for hour in hours if hour["at"].startswith("2026-06-30")]
    assert day["low_c"] <= min(of_today) <= max(of_today) <= day["high_c"]


async def test_the_hill_is_cooler(app: Client) -> None:
    hill = (await app("weather/getClimateNormals", station="Q9906")).body["items"]
    town = (await app("weather/getClimateNormals", station="Q9901")).body["items"]
    assert all(one["high_c"] < other["high_c"] for one, other in zip(hill, town, strict=True))


async def test_warnings_count_the_residents_of_the_base_city(
    app: Client, stores: object, tmp_path: Path
) -> None:
    clock = day_with_warnings()
    here = (await app("weather/listWarnings", clock=clock)).body["items"]
    await change(app, CITIZEN, personas.number_of("lin-xi"), died_on="2026-06-01")
    assert (await app("weather/listWarnings", clock=clock)).body["items"] == here  # files know no app
    generate(tmp_path / FILE, 900, 150, 8)
    side = CitySide(DEPARTMENTS, CityFile(tmp_path), States("sandbox"), DOCS_URL)
    try:
        there = (await Client(side)("weather/listWarnings", clock=clock)).body["items"]
    finally:
        await side.close()
    assert [one["warning"] for one in there] == [one["warning"] for one in here]
    assert [one["residents"] for one in there] != [one["residents"] for one in here]
