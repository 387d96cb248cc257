"""Records of ecology: reports of pollution and emission permits; readings of air and water follow from place and hour."""

from datetime import date, datetime, timedelta
from itertools import pairwise
from math import cos, pi
from random import Random
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.clock import ZONE, local_text
from sandbox.city.departments.market_regulation.records import COMPANY_BRIEF
from sandbox.city.departments.meteorology.climate import BY_DISTRICT, day_of
from sandbox.city.population import personas
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "ecology"
INDUSTRIES = frozenset({"15", "30", "34"})  # those that need an emission permit
_PERMIT_YEARS = 5


class Station(Struct, frozen=True):
    id: str
    kind: str  # air or water
    zh: str
    en: str
    district: str


STATIONS = (
    Station("A9901", "air", "样本路空气站", "Sample Road (air)", "990101"),
    Station("A9902", "air", "西样公园空气站", "West Sample Park (air)", "990102"),
    Station("A9903", "air", "南样空气站", "South Sample (air)", "990103"),
    Station("A9905", "air", "样湖空气站", "Sample Lake (air)", "990105"),
    Station("A9906", "air", "样山空气站", "Sample Hill (air)", "990106"),
    Station("W9901", "water", "样湖湖心断面", "Sample Lake, middle", "990105"),
    Station("W9902", "water", "南样河入湖口断面", "South Sample River, mouth", "990103"),
    Station("W9903", "water", "样山水库断面", "Sample Hill Reservoir", "990106"),
)
BY_ID = {station.id: station for station in STATIONS}
# upper ends of PM2.5 in µg/m³ for the individual index 50, 100, 150, 200, 300, 500. Source: HJ 633-2012 table 1
_PM25 = ((0, 0), (35, 50), (75, 100), (115, 150), (150, 200), (250, 300), (500, 500))
GRADES = ("excellent", "good", "light", "moderate", "heavy", "severe")
_ENDS = (50, 100, 150, 200, 300)


def index_of(pm25: float) -> int:
    """The individual air quality index of a PM2.5 concentration, rounded up. Source: HJ 633-2012 §4.2."""
    for (low, low_index), (high, high_index) in pairwise(_PM25):
        if pm25 <= high:
            return -int(-((pm25 - low) * (high_index - low_index) / (high - low) + low_index) // 1)
    return 500


def grade_of(index: int) -> str:
    """The class of an index. Source: HJ 633-2012 table 2."""
    return GRADES[sum(index > end for end in _ENDS)]


def air_at(station: Station, moment: datetime) -> dict[str, Any]:
    """The reading of a full hour: winter is worse, rain washes the air, wind clears it."""
    day = moment.astimezone(ZONE).date()
    whole = day_of(BY_DISTRICT[station.district], day)
    season = 38 + 26 * cos((day.timetuple().tm_yday - 15) / 365 * 2 * pi)
    factor = (0.55 if whole["rain_mm"] else 1) * (1.35 if whole["wind_ms"] < 2 else 0.85)
    luck = Random(f"air:{station.id}:{moment:%Y%m%d%H}")
    pm25 = round(season * factor * (0.7 if station.district == "990106" else 1) * luck.uniform(0.7, 1.3))
    index = index_of(pm25)
    return {
        "at": local_text(moment.astimezone(ZONE)),
        "aqi": index,
        "grade": grade_of(index),
        "pm25": pm25,
        "pm10": round(pm25 * luck.uniform(1.3, 1.9)),
        "o3": round(luck.uniform(0.6, 1.2) * (60 + 3 * whole["high_c"])) if whole["high_c"] > 0 else 40,
        "no2": luck.randint(12, 58),
    }


def full_hour(now: datetime) -> datetime:
    """The last full hour."""
    return now.astimezone(ZONE).replace(minute=0, second=0, microsecond=0)


def water_in(station: Station, month: date) -> dict[str, Any]:
    """The reading of a month, class I to V. Source of the classes: GB 3838-2002 table 1, in part."""
    luck = Random(f"water:{station.id}:{month:%Y%m}")
    oxygen = round(luck.uniform(4.2, 8.8), 1)
    ammonia = round(luck.uniform(0.08, 1.4), 2)
    by_oxygen = sum(oxygen < end for end in (7.5, 6, 5, 3))
    by_ammonia = sum(ammonia > end for end in (0.15, 0.5, 1.0, 1.5))
    return {
        "month": f"{month:%Y-%m}",
        "class": ("I", "II", "III", "IV", "V")[max(by_oxygen, by_ammonia)],
        "dissolved_oxygen": oxygen,
        "ammonia_nitrogen": ammonia,
        "ph": round(luck.uniform(6.6, 8.4), 1),
    }


_ISSUED = {personas.code_of("qianshou-materials"): date(2021, 7, 11)}  # so it is about to expire


# --- permits and reports ----------------------------------------------------------------------------
def _read_permit(city: City, code: str) -> Record | None:
    row = city.one("SELECT industry, established_on, id FROM company WHERE code = ?", code)
    if row is None or row[0] not in INDUSTRIES:
        return None
    issued = _ISSUED.get(code) or date.fromisoformat(row[1]) + timedelta(days=60)
    while issued.year + _PERMIT_YEARS < 2026:
        issued = issued.replace(year=issued.year + _PERMIT_YEARS, day=min(issued.day, 28))
    return permit_of(code, issued)


def permit_of(code: str, issued: date) -> Record:
    """A permit that was issued on this day."""
    until = issued.replace(year=issued.year + _PERMIT_YEARS, day=min(issued.day, 28)) - timedelta(days=1)
    tons = Random(f"permit:{code}").randint(2, 60)
    return {
        "code": code,
        "number": f"{code}001P",
        "issued_on": issued.isoformat(),
        "expires_on": until.isoformat(),
        "limits": [
            {"pollutant": "cod", "tons_a_year": tons},
            {"pollutant": "nox", "tons_a_year": tons // 2 + 1},
        ],
    }


_KNOWN: dict[str, Record] = {
    "HB0000000001": {
        "number": "HB0000000001",
        "kind": "water",
        "district_code": "990103",
        "place": "南样河回声巷段",
        "description": "河面有大片油污",
        "reported_at": "2026-06-29T17:30:00+08:00",
    }
}


def _read_report(city: City, number: str) -> Record | None:
    return _KNOWN.get(number)


PERMIT = Kind("emission-permit", DEPARTMENT, _read_permit)  # key: credit code
REPORT = Kind("pollution-report", DEPARTMENT, _read_report)
_STEPS = ((timedelta(), "received"), (timedelta(hours=24), "inspected"), (timedelta(days=7), "closed"))


def permit_status(world: World, permit: Record) -> str:
    """valid, expired, or cancelled where market regulation no longer has the company as active."""
    company = world.get(COMPANY_BRIEF, permit["code"])
    if company is None or company["status"] != "active":
        return "cancelled"
    return "expired" if permit["expires_on"] < world.today.isoformat() else "valid"


def report_steps(report: Record) -> list[tuple[datetime, str]]:
    """When the report reaches which status."""
    begun = datetime.fromisoformat(report["reported_at"])
    return [(begun + after, status) for after, status in _STEPS]


def report_status(world: World, report: Record) -> str:
    """received, inspected or closed, as of the clock."""
    return [status for moment, status in report_steps(report) if moment <= world.now][-1]
