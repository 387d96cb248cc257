"""Records of emergency management: incidents and volunteers by number. Shelters stand in a list, alerts follow the weather."""

from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.departments.meteorology.climate import LEVELS, warnings_on
from sandbox.city.population import personas
from sandbox.city.state import Record
from sandbox.city.world import Kind, World

DEPARTMENT = "emergency"


class Shelter(Struct, frozen=True):
    id: str
    zh: str
    en: str
    district: str
    capacity: int
    opens_for: tuple[str, ...]  # kinds of warnings


SHELTERS = (
    Shelter("BN01", "东样体育馆", "East Sample Gymnasium", "990101", 1800, ("rainstorm", "gale", "cold")),
    Shelter("BN02", "西样公园应急广场", "West Sample Park", "990102", 5000, ()),
    Shelter("BN03", "南样中学", "South Sample School", "990103", 1200, ("rainstorm", "gale")),
    Shelter("BN04", "北样文化馆（纳凉点）", "North Sample Hall (cool room)", "990104", 300, ("heat",)),
    Shelter("BN05", "样湖会展中心", "Sample Lake Fair", "990105", 3000, ("rainstorm", "gale", "heat")),
    Shelter("BN06", "样山县第一中学", "Sample Hill School", "990106", 900, ("rainstorm", "cold")),
)
BROKEN_PHONE = "10000000502"  # whoever calls from it is cut off in the middle of the answer
BUSY_PHONE = "10000000503"  # whoever calls from it meets a system under load
_STEPS = (
    (timedelta(), "received"), (timedelta(minutes=2), "dispatched"), (timedelta(minutes=14), "on-scene"),
    (timedelta(hours=3), "closed"),
)  # fmt: skip
_KNOWN: dict[str, Record] = {
    "SG0000000001": {
        "number": "SG0000000001",
        "kind": "flood",
        "district_code": "990106",
        "place": "样山隧道东口",
        "description": "隧道口积水约半米",
        "reported_at": "2026-06-30T08:55:00+08:00",
    }
}
_VOLUNTEERS: dict[str, Record] = {
    "ZY0000000001": {
        "number": "ZY0000000001",
        "person": {"name": "郭卫", "number": personas.number_of("guo-wei")},
        "district_code": "990106",
        "skills": ["driving", "rescue"],
        "registered_on": "2025-09-15",
    }
}


def _read_incident(city: City, number: str) -> Record | None:
    return _KNOWN.get(number)


def _read_volunteer(city: City, number: str) -> Record | None:
    return _VOLUNTEERS.get(number)


INCIDENT = Kind("incident", DEPARTMENT, _read_incident)
VOLUNTEER = Kind("volunteer", DEPARTMENT, _read_volunteer)


def plan_of(incident: Record) -> list[tuple[datetime, str]]:
    """When the incident reaches which status."""
    begun = datetime.fromisoformat(incident["reported_at"])
    return [(begun + after, status) for after, status in _STEPS]


def status_of(world: World, incident: Record) -> str:
    """received, dispatched, on-scene or closed, as of the clock."""
    return [status for moment, status in plan_of(incident) if moment <= world.now][-1]


def incidents_of(world: World) -> list[Record]:
    """What this app sees, by number."""
    found = {number: world.get(INCIDENT, number) for number in _KNOWN} | dict(world.changed(INCIDENT))
    return [one for _, one in sorted(found.items()) if one is not None]


def volunteers_of(world: World) -> list[Record]:
    """Those who are registered, by number."""
    found = {number: world.get(VOLUNTEER, number) for number in _VOLUNTEERS} | dict(world.changed(VOLUNTEER))
    return [one for _, one in sorted(found.items()) if one is not None and "left_on" not in one]


def alerts_of(world: World) -> list[dict[str, Any]]:
    """The responses in force: they follow the warnings of meteorology from orange on, one grade for each level."""
    found = []
    for warning in warnings_on(world.today):
        grade = 4 - LEVELS.index(warning["level"])
        found.append(
            {
                "alert": "XY" + warning["warning"][2:],
                "warning": warning["warning"],
                "kind": warning["kind"],
                "grade": grade,
                "district_code": warning["district_code"],
                "is_shelter_open": grade <= 3,
                "day": warning["day"],
            }
        )
    return found


def is_open(world: World, shelter: Shelter) -> bool:
    """Whether a shelter takes people today: where an alert of its kinds is in force in its district."""
    return any(
        alert["district_code"] == shelter.district
        and alert["kind"] in shelter.opens_for
        and alert["is_shelter_open"]
        for alert in alerts_of(world)
    )
