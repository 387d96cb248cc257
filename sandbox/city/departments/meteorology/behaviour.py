"""What meteorology does: stations, forecasts, observations, warnings, normals. Its system drops files, and has one
interface beside them, for companies; nothing is written.

How many people a warning concerns, it counts from the register of public security as the base city has it: a file
in a drop folder is the same for every app. Where a company is, it asks market regulation, for each app.
"""

from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.city.department import Answer, Call, Department, Refused
from sandbox.city.departments.market_regulation.records import COMPANY, check_code
from sandbox.city.departments.meteorology.climate import (
    BY_DISTRICT,
    BY_ID,
    LEVELS,
    STATIONS,
    Station,
    day_of,
    hours_until,
    warnings_on,
)

department = Department(
    "meteorology", "气象局", "Meteorological Bureau", Path(__file__).parent, protocol="files"
)

_NORMAL_YEARS = (2016, 2025)


def _shown(station: Station) -> dict[str, Any]:
    return {
        "station": station.id,
        "name": station.zh,
        "english_name": station.en,
        "district_code": station.district,
        "altitude_m": station.altitude_m,
        "since_year": station.since,
    }


def _station(call: Call) -> Station:
    station = BY_ID.get(str(call.path["station"]))
    if station is None:
        raise Refused("weather-station-not-found", station=call.path["station"])
    return station


@department.operation("listStations")
def list_stations(call: Call) -> Answer:
    return Answer({"items": [_shown(station) for station in STATIONS]})


@department.operation("getForecast")
def get_forecast(call: Call) -> Answer:
    district = str(call.path["district"])
    station = BY_DISTRICT.get(district)
    if station is None:
        raise Refused("weather-district-unknown", district=district)
    today = call.world.today
    days = [day_of(station, today + timedelta(days=step)) for step in range(7)]
    return Answer({"district_code": district, "issued_on": today.isoformat(), "items": days})


@department.operation("listObservations")
def list_observations(call: Call) -> Answer:
    station = _station(call)
    hours = hours_until(station, call.world.now, call.number("hours", 24))
    return Answer({"station": station.id, "items": hours})


@department.operation("listDailyRecords")
def list_daily_records(call: Call) -> Answer:
    station = _station(call)
    month = str(call.path["month"])
    first = date(int(month[:4]), int(month[5:]), 1)
    if first > call.world.today or first.year < station.since:
        raise Refused("weather-month-unknown", month=month)
    days, day = [], first
    while day.month == first.month and day < call.world.today:
        whole = day_of(station, day)
        days.append({name: whole[name] for name in ("day", "high_c", "low_c", "rain_mm", "wind_ms")})
        day += timedelta(days=1)
    if not days:
        raise Refused("weather-month-unknown", month=month)
    return Answer({"station": station.id, "month": month, "items": days})


@department.operation("listWarnings")
def list_warnings(call: Call) -> Answer:
    least = LEVELS.index(call.text("level", LEVELS[0]))
    residents = dict(
        call.world.city.all(
            "SELECT h.district, COUNT(*) FROM citizen c JOIN household h ON h.id = c.household "
            "WHERE c.died IS NULL GROUP BY h.district"
        )
    )
    items = [
        {**one, "residents": residents.get(one["district_code"], 0)}
        for one in warnings_on(call.world.today)
        if LEVELS.index(one["level"]) >= least
    ]
    return Answer({"items": items})


@department.operation("getCompanyWeather")
def get_company_weather(call: Call) -> Answer:
    code = str(call.path["code"])
    check_code(code, "weather-code-invalid")
    company = call.world.get(COMPANY, code)
    if company is None or company["status"] != "active":
        raise Refused("weather-company-unknown", code=code)
    district, today = company["district_code"], call.world.today
    warnings = [
        {name: one[name] for name in ("warning", "kind", "level", "text")}
        for one in warnings_on(today)
        if one["district_code"] == district
    ]
    station = BY_DISTRICT[district]
    return Answer(
        {
            "code": code,
            "name": company["name"],
            "district_code": district,
            "station": station.id,
            "today": day_of(station, today),
            "warnings": warnings,
        }
    )


@department.operation("getClimateNormals")
def get_climate_normals(call: Call) -> Answer:
    station = _station(call)
    return Answer({"station": station.id, "period": "2016-2025", "items": _normals(station)})


@cache
def _normals(station: Station) -> list[dict[str, Any]]:
    """Means of the months over ten years, from every fifth day."""
    found = []
    for month in range(1, 13):
        days = [
            day_of(station, date(year, month, day))
            for year in range(_NORMAL_YEARS[0], _NORMAL_YEARS[1] + 1)
            for day in range(1, 29, 5)
        ]
        count = len(days)
        found.append(
            {
                "month": month,
                "high_c": round(sum(day["high_c"] for day in days) / count, 1),
                "low_c": round(sum(day["low_c"] for day in days) / count, 1),
                "rain_mm": round(sum(day["rain_mm"] for day in days) / count * 30, 1),
            }
        )
    return found
