"""Newcomers: people from another city who have registered an address here, and the residence permits they hold."""

from datetime import date, timedelta
from random import Random

from sandbox.city.population import identifiers, names, places
from sandbox.city.population.chapter import Town, Writer

TABLES = """
CREATE TABLE newcomer (
    number TEXT PRIMARY KEY, name TEXT NOT NULL, latin_name TEXT NOT NULL, sex TEXT NOT NULL, born TEXT NOT NULL,
    origin TEXT NOT NULL, registered_on TEXT NOT NULL, district TEXT NOT NULL, address TEXT NOT NULL,
    english_address TEXT NOT NULL, reason TEXT NOT NULL, permit TEXT, issued_on TEXT, expires_on TEXT
) WITHOUT ROWID;
"""
INDEXES = ""

ORIGIN = "990201"  # another city that is as invented as this one
_REASONS = ("work", "work", "work", "study", "family", "business")
# name, sex, born, registered, permit issued, expires: one for each thing that may become of an application
_NAMED = (
    ("梁远", "Liang Yuan", "M", date(1996, 3, 8), date(2025, 9, 1), None, None),
    ("贺新", "He Xin", "F", date(2001, 11, 20), date(2026, 4, 10), None, None),
    ("马桂兰", "Ma Guilan", "F", date(1975, 5, 15), date(2021, 3, 2), date(2025, 7, 20), date(2026, 7, 19)),
    ("罗启明", "Luo Qiming", "M", date(1988, 12, 3), date(2022, 2, 15), date(2025, 4, 1), date(2026, 3, 31)),
)


def number_of(latin_name: str) -> str:
    """The identity number of one of the newcomers who are in every city."""
    _, _, sex, born, *_ = next(one for one in _NAMED if one[1] == latin_name)
    return identifiers.citizen_number(ORIGIN, born, 1 if sex == "M" else 2)


def permit_number(registered_on: date, place: int) -> str:
    """The number of a residence permit: the city, the year of registration, a serial number."""
    return f"{places.DIVISION}{registered_on.year}{place:08d}"


def fill(town: Town, write: Writer) -> None:
    """One newcomer for 25 citizens, and the four of every city."""
    random = town.random("newcomers")
    homes = Random("the named newcomers' homes")  # the same in every city
    rows: list[tuple[object, ...]] = []
    for place, (zh, latin, sex, born, registered, issued, expires) in enumerate(_NAMED, start=1):
        home = places.home_address(homes)
        number = identifiers.citizen_number(ORIGIN, born, 1 if sex == "M" else 2)
        permit = permit_number(registered, place) if issued else None
        rows.append((number, zh, latin, sex, born.isoformat(), ORIGIN, registered.isoformat(), home.district, home.zh,
                     home.en, "work", permit, issued and issued.isoformat(), expires and expires.isoformat()))  # fmt: skip
    homes = town.random("newcomers' homes")
    for place in range(len(_NAMED) + 1, len(_NAMED) + 1 + len(town.people.citizens) // 25):
        sex = random.choice("MF")
        born = town.as_of - timedelta(days=random.randint(18 * 366, 60 * 365))
        registered = town.as_of - timedelta(days=random.randint(5, 2500))
        name = names.pick_name(random, sex, born.year, names.pick_ethnicity(random))
        home = places.home_address(homes)
        issued = registered + timedelta(days=184 + random.randint(0, 60))
        has_permit = issued <= town.as_of and random.random() < 0.8
        issued += timedelta(days=max(0, (town.as_of - issued).days // 365) * 365)
        number = identifiers.citizen_number(ORIGIN, born, 2 * (place % 400) + (101 if sex == "M" else 102))
        permit = permit_number(registered, place) if has_permit else None
        until = issued + timedelta(days=364)
        rows.append((number, name.zh, name.latin, sex, born.isoformat(), ORIGIN, registered.isoformat(), home.district, home.zh,
                     home.en, random.choice(_REASONS), permit, issued.isoformat() if permit else None,
                     until.isoformat() if permit else None))  # fmt: skip
    write.insert("newcomer", {row[0]: row for row in rows}.values())
