"""The weather of the city: it follows from place and day, so every app sees the same and tomorrow's is known today."""

from datetime import date, datetime, timedelta
from math import cos, pi
from random import Random
from typing import Any

from msgspec import Struct

from sandbox.city.clock import ZONE, local_text
from sandbox.city.population import places

DEPARTMENT = "meteorology"


class Station(Struct, frozen=True):
    id: str
    zh: str
    en: str
    district: str
    altitude_m: int
    since: int


STATIONS = (
    Station("Q9901", "东样站", "East Sample", "990101", 24, 1952),
    Station("Q9902", "西样站", "West Sample", "990102", 31, 1958),
    Station("Q9903", "南样站", "South Sample", "990103", 19, 1961),
    Station("Q9904", "北样站", "North Sample", "990104", 42, 1960),
    Station("Q9905", "样湖站", "Sample Lake", "990105", 12, 1987),
    Station("Q9906", "样山站", "Sample Hill", "990106", 486, 1955),
)
BY_ID = {station.id: station for station in STATIONS}
BY_DISTRICT = {station.district: station for station in STATIONS}
_SKIES = (("sunny", "晴"), ("cloudy", "多云"), ("overcast", "阴"), ("rain", "雨"), ("heavy-rain", "暴雨"))
# kind -> (Chinese, level from which measure, in order of severity)
LEVELS = ("blue", "yellow", "orange", "red")


def _mean(station: Station, day: date) -> float:
    """The ordinary mean temperature of a day in °C; the hill is cooler."""
    season = cos((day.timetuple().tm_yday - 200) / 365 * 2 * pi)
    return 16.5 + 12.5 * season - station.altitude_m / 165


def day_of(station: Station, day: date) -> dict[str, Any]:
    """A whole day at a station: temperatures in °C, rain in mm, wind in m/s."""
    over_all, here = Random(f"weather:{day}"), Random(f"weather:{station.id}:{day}")
    anomaly = over_all.gauss(0, 3.2)
    wet = over_all.random()
    rain = 0.0
    if wet < 0.34:
        rain = round(over_all.expovariate(1 / (26 if 5 <= day.month <= 9 else 8)) * here.uniform(0.6, 1.4), 1)
    sky = 4 if rain >= 50 else 3 if rain > 0 else min(2, int(here.random() * 3))
    mean = _mean(station, day) + anomaly - (2 if rain else 0)
    spread = 3.2 if rain else 5.6
    wind = round(abs(over_all.gauss(3.5, 3.2)) + here.uniform(0, 1.5), 1)
    return {
        "day": day.isoformat(),
        "sky": _SKIES[sky][0],
        "sky_text": _SKIES[sky][1],
        "high_c": round(mean + spread, 1),
        "low_c": round(mean - spread, 1),
        "rain_mm": rain,
        "wind_ms": wind,
    }


def hour_of(station: Station, moment: datetime) -> dict[str, Any]:
    """What was observed at a full hour."""
    whole = day_of(station, moment.date())
    share = (1 - cos((moment.hour - 3) / 24 * 2 * pi)) / 2
    luck = Random(f"weather:{station.id}:{moment:%Y%m%d%H}")
    wet_from = Random(f"wet:{moment.date()}").randint(0, 16)
    is_wet = wet_from <= moment.hour < wet_from + 8
    return {
        "at": local_text(moment),
        "temperature_c": round(whole["low_c"] + (whole["high_c"] - whole["low_c"]) * share, 1),
        "humidity_percent": max(20, min(99, round(88 - 40 * share + (8 if whole["rain_mm"] else -6)))),
        "rain_mm": round(whole["rain_mm"] / 8, 1) if is_wet else 0.0,
        "wind_ms": round(max(0.0, whole["wind_ms"] * luck.uniform(0.5, 1.1)), 1),
    }


def hours_until(station: Station, now: datetime, count: int) -> list[dict[str, Any]]:
    """The last full hours until now, the latest first."""
    full = now.astimezone(ZONE).replace(minute=0, second=0, microsecond=0)
    return [hour_of(station, full - timedelta(hours=step)) for step in range(count)]


def _warning(kind: str, text: str, value: float, steps: tuple[float, ...]) -> tuple[str, str, str] | None:
    reached = sum(value >= step for step in steps)
    return None if not reached else (kind, text, LEVELS[4 - len(steps) + reached - 1])


def warnings_on(day: date) -> list[dict[str, Any]]:
    """The warnings in force on a day, by district and kind: they follow from what the day will bring."""
    found = []
    for district in places.DISTRICTS:
        whole = day_of(BY_DISTRICT[district.code], day)
        for one in (
            _warning("heat", "高温", whole["high_c"], (35, 37, 40)),
            _warning("rainstorm", "暴雨", whole["rain_mm"], (50, 70, 100, 150)),
            _warning("gale", "大风", whole["wind_ms"], (10.8, 13.9, 17.2, 20.8)),
            _warning("cold", "低温", -whole["low_c"], (4, 7, 10)),
        ):
            if one is not None:
                kind, text, level = one
                found.append(
                    {
                        "warning": f"YJ{day:%Y%m%d}{district.code[-2:]}{kind[:2].upper()}",
                        "kind": kind,
                        "level": level,
                        "district_code": district.code,
                        "text": f"{district.zh}{text}预警",
                        "day": day.isoformat(),
                    }
                )
    return found
