"""Emergency: alerts follow the weather, volunteers the register, incidents the clock; busy is said and passes."""

from datetime import date, timedelta

from sandbox.city.departments.meteorology.climate import warnings_on
from sandbox.city.population import personas
from sandbox.city.residents import CITIZEN
from tests.sandbox.conftest import Client
from tests.sandbox.departments.changing import change
from tests.sandbox.departments.test_meteorology import day_with_warnings

GUO = personas.number_of("guo-wei")


async def test_alerts_and_shelters_follow_the_warnings_of_meteorology(app: Client) -> None:
    clock = day_with_warnings()
    warnings = (await app("weather/listWarnings", clock=clock)).body["items"]
    alerts = (await app("emergency/listAlerts", clock=clock)).body["items"]
    assert [one["warning"] for one in alerts] == [one["warning"] for one in warnings]
    grades = {"red": 1, "orange": 2, "yellow": 3, "blue": 4}
    assert [one["grade"] for one in alerts] == [grades[one["level"]] for one in warnings]
    opened = {one["district_code"] for one in alerts if one["is_shelter_open"]}
    for shelter in (await app("emergency/listShelters", clock=clock)).body["items"]:
        assert not shelter["is_open"] or shelter["district_code"] in opened


async def test_shelters_are_closed_where_there_is_no_warning(app: Client) -> None:
    days = (date(2026, 10, 1) + timedelta(days=step) for step in range(100))
    quiet = next(day for day in days if not warnings_on(day))
    shelters = (await app("emergency/listShelters", clock=f"{quiet}T12:00:00+08:00")).body["items"]
    assert not any(shelter["is_open"] for shelter in shelters)


async def test_a_volunteer_who_died_is_suspended(app: Client, other_app: Client) -> None:
    assert (await app("emergency/getVolunteer")).body["status"] == "active"
    await change(app, CITIZEN, GUO, died_on="2026-06-29")
    assert (await app("emergency/getVolunteer")).body["status"] == "suspended"
    assert (await other_app("emergency/getVolunteer")).body["status"] == "active"


async def test_a_volunteer_registers_once_and_may_come_back(app: Client) -> None:
    volunteer = (await app("emergency/registerVolunteer")).body
    assert (await app("emergency/registerVolunteer")).body["rule"] == "emergency-registered"
    assert (await app("emergency/leaveVolunteers", number=volunteer["number"])).body["status"] == "left"
    assert (await app("emergency/registerVolunteer")).status == 201


async def test_busy_is_retryable_and_does_nothing(app: Client) -> None:
    busy = await app("emergency/reportIncident", body={"phone": "10000000503"})
    assert (busy.status, busy.body["rule"]) == (503, "emergency-busy")
    taken = await app("emergency/reportIncident")
    assert taken.status == 201
    assert (await app("emergency/reportIncident")).body["rule"] == "emergency-known"
    seen = [
        (
            await app("emergency/getIncident", number=taken.body["number"], clock=f"2026-06-30T{at}:00+08:00")
        ).body["status"]
        for at in ("12:01", "12:05", "12:20", "15:01")
    ]
    assert seen == ["received", "dispatched", "on-scene", "closed"]
