"""Records of education: schools and their catchment areas, applications for places, degrees.

Schools are the same in every city, so they stand here; which school a street belongs to follows from its name.
"""

from datetime import date
from typing import Any

from msgspec import Struct

from sandbox.city.base import City
from sandbox.city.numbering import share_of
from sandbox.city.population import places
from sandbox.city.population.personas import number_of
from sandbox.city.state import Record
from sandbox.city.world import Kind

DEPARTMENT = "education"
AGES = {"primary": (6, 11), "junior": (12, 14), "senior": (15, 17)}  # in full years on 31 August
_STAGES = {
    "primary": ("小学", "Primary School"),
    "junior": ("初级中学", "Junior Middle School"),
    "senior": ("高级中学", "Senior Middle School"),
}
_LEVELS = ("associate", "bachelor", "bachelor", "master")
_SUBJECTS = ("计算机科学与技术", "会计学", "机械工程", "护理学", "汉语言文学", "茶学")
FIRST_APPLICATION = "RX1000000001"


class School(Struct, frozen=True):
    code: str
    zh: str
    en: str
    stage: str
    district: str
    places: int  # that are given each year


def _schools() -> tuple[School, ...]:
    """Two primary schools, one junior and one senior middle school for each district."""
    found = []
    for district in places.DISTRICTS:
        for place, stage in enumerate(("primary", "primary", "junior", "senior"), start=1):
            zh, en = _STAGES[stage]
            number = "一二"[place - 1] if stage == "primary" else ""
            ordinal = ("First ", "Second ")[place - 1] if stage == "primary" else ""
            found.append(
                School(
                    f"S{district.code}{place:03d}",
                    f"{district.zh}{'第' + number if number else ''}{zh}（样例）",
                    f"{district.en} {ordinal}{en} (Sample)",
                    stage,
                    district.code,
                    120 + 30 * place,
                )
            )
    return tuple(found)


SCHOOLS = _schools()
BY_CODE = {school.code: school for school in SCHOOLS}


def school_for(district: str, street: str, stage: str) -> School | None:
    """The school in whose catchment area a street lies; None outside the city."""
    near = [one for one in SCHOOLS if (one.district, one.stage) == (district, stage)]
    return near[share_of(street, "catchment", of=len(near))] if near else None


def street_of(address: str) -> str:
    """The street in an address of the city, "" where there is none of them."""
    return next((zh for zh, _ in places.STREETS if zh in address), "")


def age_at_enrolment(born_on: str, day: date) -> int:
    """Full years on the 31 August of the year of `day`."""
    born = date.fromisoformat(born_on)
    return day.year - born.year - ((born.month, born.day) > (8, 31))


def _read_application(city: City, number: str) -> Record | None:
    """One application that is in every city; all others are made by apps."""
    if number != FIRST_APPLICATION:
        return None
    return {"number": number, "school_code": "S990104004", "child": number_of("he-yu"), "applied_on": "2026-06-12",
            "kind": "transfer"}  # fmt: skip


def _read_degrees(city: City, number: str) -> Record | None:
    row = city.one("SELECT id, born FROM citizen WHERE number = ?", number)
    if row is None:
        return None
    year = int(row[1][:4]) + 22
    items: list[dict[str, Any]] = []
    is_graduate = number in _GRADUATES or share_of(number, "degree") < 38
    if is_graduate and year < int(city.meta["as_of"][:4]):
        level = _LEVELS[share_of(number, "level", of=4)]
        items.append({"certificate_number": f"990101{year}05{row[0] % 1_000_000:06d}", "level": level,
                      "subject": _SUBJECTS[share_of(number, "subject", of=6)], "institution": "开门大学（样例）",
                      "awarded_on": f"{year}-07-01"})  # fmt: skip
    return {"items": items}


_GRADUATES = frozenset({number_of("lin-xi"), number_of("zhao-lei")})
APPLICATION = Kind("school-application", DEPARTMENT, _read_application)  # key: number of the application
DEGREES = Kind("degrees", DEPARTMENT, _read_degrees)  # key: identity number; {"items": oldest first}
