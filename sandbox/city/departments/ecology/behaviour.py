"""What ecology does: stations, readings of air and water, reports of pollution, emission permits.

A permit belongs to a company that market regulation has as active; the air follows the weather of meteorology.
"""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sandbox.city.clock import local_text
from sandbox.city.department import Answer, Call, Department, Event, Refused
from sandbox.city.departments.ecology.records import (
    BY_ID,
    PERMIT,
    REPORT,
    STATIONS,
    Station,
    air_at,
    full_hour,
    permit_of,
    permit_status,
    report_status,
    report_steps,
    water_in,
)
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF
from sandbox.city.numbering import created, next_number
from sandbox.city.population import places
from sandbox.city.state import Record

department = Department("ecology", "生态环境局", "Ecology Bureau", Path(__file__).parent, protocol="sql")

_RENEWABLE_DAYS = 60


def _station(call: Call, kind: str) -> Station:
    name = str(call.path["station"])
    station = BY_ID.get(name)
    if station is None:
        raise Refused("air-station-not-found", station=name)
    if station.kind != kind:
        raise Refused("air-station-other-kind", station=name)
    return station


@department.operation("listStations")
def list_stations(call: Call) -> Answer:
    kind = call.text("kind")
    items = [
        {
            "station": one.id,
            "kind": one.kind,
            "name": one.zh,
            "english_name": one.en,
            "district_code": one.district,
        }
        for one in STATIONS
        if kind in {"", one.kind}
    ]
    return Answer({"items": items})


@department.operation("getAirQuality")
def get_air_quality(call: Call) -> Answer:
    station = _station(call, "air")
    reading = air_at(station, full_hour(call.world.now))
    return Answer({"station": station.id, "district_code": station.district, **reading})


@department.operation("listHourly")
def list_hourly(call: Call) -> Answer:
    station, last = _station(call, "air"), full_hour(call.world.now)
    hours = call.number("hours", 24)
    items = [air_at(station, last - timedelta(hours=step)) for step in range(hours)]
    return Answer({"station": station.id, "items": items})


@department.operation("getWaterQuality")
def get_water_quality(call: Call) -> Answer:
    station = _station(call, "water")
    month = (call.world.today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return Answer({"station": station.id, **water_in(station, month)})


# --- reports ----------------------------------------------------------------------------------------
def _shown(call: Call, report: Record) -> dict[str, Any]:
    return {**report, "status": report_status(call.world, report)}


@department.operation("reportPollution")
def report_pollution(call: Call) -> Answer:
    body, world = call.body, call.world
    if body["district_code"] not in places.BY_CODE:
        raise Refused("air-not-our-city", district_code=body["district_code"])
    if "company_code" in body and world.get(COMPANY_BRIEF, body["company_code"]) is None:
        raise Refused("air-company-unknown", code=body["company_code"])
    number = next_number(call, REPORT, "HB")
    report = {"number": number, **body, "reported_at": local_text(world.now)}
    world.put(REPORT, number, report)
    events = [
        Event(
            f"air.report.{status}",
            number,
            {"number": number, "kind": report["kind"], "status": status, "at": local_text(moment)},
            moment,
        )
        for moment, status in report_steps(report)
        if status != "received"
    ]
    return created(call, f"reports/{number}", _shown(call, report), events)


@department.operation("getReport")
def get_report(call: Call) -> Answer:
    number = str(call.path["number"])
    report = call.world.get(REPORT, number)
    if report is None:
        raise Refused("air-report-not-found", number=number)
    return Answer(_shown(call, report))


# --- permits ----------------------------------------------------------------------------------------
def _permit(call: Call) -> Record:
    code = str(call.path["code"])
    permit = call.world.get(PERMIT, code)
    if permit is None:
        raise Refused("air-permit-none", code=code)
    return permit


def _shown_permit(call: Call, permit: Record) -> dict[str, Any]:
    return {**permit, "status": permit_status(call.world, permit)}


@department.operation("getEmissionPermit")
def get_emission_permit(call: Call) -> Answer:
    return Answer(_shown_permit(call, _permit(call)))


@department.operation("renewEmissionPermit")
def renew_emission_permit(call: Call) -> Answer:
    permit, world = _permit(call), call.world
    if permit_status(world, permit) == "cancelled":
        raise Refused("air-company-not-active", code=permit["code"])
    until = date.fromisoformat(permit["expires_on"])
    opens = until - timedelta(days=_RENEWABLE_DAYS)
    if world.today < opens:
        raise Refused("air-renewal-too-early", opens_on=opens.isoformat(), expires_on=until.isoformat())
    renewed = permit_of(permit["code"], max(world.today, until + timedelta(days=1)))
    world.put(PERMIT, permit["code"], renewed)
    return created(call, f"permits/{permit['code']}", _shown_permit(call, renewed))
