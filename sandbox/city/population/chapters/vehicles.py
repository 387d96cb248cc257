"""Vehicles and driving licences. A plate begins with 样, which is no province's character, so it is nobody's."""

from datetime import date, timedelta
from random import Random

from sandbox.city.population.chapter import Town, Writer
from sandbox.city.population.citizens import Citizen

TABLES = """
CREATE TABLE vehicle (
    plate TEXT PRIMARY KEY, citizen INTEGER, company INTEGER, kind TEXT NOT NULL, brand TEXT NOT NULL,
    energy TEXT NOT NULL, registered_on TEXT NOT NULL, inspected_until TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE driving_licence (
    citizen INTEGER PRIMARY KEY, class TEXT NOT NULL, first_on TEXT NOT NULL, issued_on TEXT NOT NULL,
    expires_on TEXT, points INTEGER NOT NULL
);
"""
INDEXES = """
CREATE INDEX vehicle_citizen ON vehicle (citizen);
CREATE INDEX vehicle_company ON vehicle (company);
"""
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"  # no I and no O
_BRANDS = ("样驰", "开鹿", "启程", "门捷", "远样")
NAMED_LICENCES = (
    # (persona, class, first issued, issued, expires or None for long-term, points of this year)
    ("lin-xi", "C1", date(2008, 7, 15), date(2024, 7, 15), None, 3),
    ("chen-hang", "C1", date(2006, 5, 30), date(2022, 5, 30), None, 0),
    ("wang-jianguo", "B2", date(1994, 8, 20), date(2016, 8, 20), date(2026, 8, 20), 0),
    ("zhou-ming", "C1", date(2010, 9, 1), date(2016, 9, 1), date(2026, 9, 1), 12),
    ("guo-wei", "B2", date(2002, 3, 18), date(2018, 3, 18), None, 6),
    ("tang-yue", "C2", date(2009, 4, 2), date(2015, 4, 2), date(2025, 4, 2), 0),
    ("shen-ruohan", "C1", date(2026, 6, 8), date(2026, 6, 8), date(2032, 6, 8), 0),
)
NAMED_VEHICLES = (
    # (plate, persona or None, company persona or None, kind, brand, energy, registered, inspected until)
    ("样A00001", "lin-xi", None, "car", "样驰", "electric", date(2022, 5, 16), date(2028, 5, 31)),
    ("样F00002", "guo-wei", None, "van", "开鹿", "diesel", date(2017, 3, 9), date(2026, 9, 30)),
    ("样C00003", "wang-jianguo", None, "car", "远样", "petrol", date(2011, 11, 4), date(2025, 11, 30)),
    ("样F00004", None, "manshan-tea", "van", "开鹿", "diesel", date(2020, 8, 24), date(2026, 8, 31)),
    ("样B00005", None, "liuyun-trading", "car", "门捷", "petrol", date(2015, 1, 20), date(2025, 1, 31)),
)  # fmt: skip


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return date(day.year + years, 2, 28)


def plate_of(district: str, serial: int) -> str:
    """A plate: the letter follows the district, then a letter and four digits that follow the serial number."""
    letter, rest = divmod(serial, 10_000)
    second, letter = divmod(letter, len(_LETTERS))
    return f"样{'ABCDEF'[int(district[-1]) - 1]}{_LETTERS[letter]}{'0123456789ABCDEF'[second]}{rest:04d}"


def _licence(one: Citizen, random: Random, as_of: date) -> tuple[object, ...]:
    """Valid six years, then ten, then without end; who is 70 renews every year all the same, by health check."""
    age = random.randint(18, min(34, one.age_on(as_of)))
    first = _years_after(one.born, age) + timedelta(days=random.randint(30, 330))
    first = min(first, as_of)
    issued, expires = first, _years_after(first, 6)
    if expires <= as_of and random.random() < 0.985:
        issued, expires = expires, _years_after(expires, 10)
        if expires <= as_of and random.random() < 0.985:
            issued, expires = expires, date.max
    points = 0 if random.random() < 0.7 else random.choice((1, 1, 3, 3, 6, 9, 12))
    kind = "B2" if random.random() < 0.06 else "C2" if random.random() < 0.3 else "C1"
    until = None if expires == date.max else expires.isoformat()
    return one.id, kind, first.isoformat(), issued.isoformat(), until, points


def _inspected_until(registered: date, as_of: date, random: Random) -> date:
    """Six years from registration, then every second year, from the tenth every year; some owners are late."""
    until = _years_after(registered, 6)
    while until <= as_of:
        until = _years_after(until, 2 if until.year - registered.year < 10 else 1)
    if random.random() < 0.03 and as_of > _years_after(registered, 7):
        until = as_of - timedelta(days=random.randint(5, 200))
    return until


def fill(town: Town, write: Writer) -> None:
    """Licences of half the grown-ups, cars of a third of the drivers, vans of a third of the companies."""
    random = town.random("vehicles")
    households = town.people.households
    licences: list[tuple[object, ...]] = [
        (town.named[who], kind, first.isoformat(), issued.isoformat(), until and until.isoformat(), points)
        for who, kind, first, issued, until, points in NAMED_LICENCES
    ]
    vehicles: list[tuple[object, ...]] = [
        (
            plate, town.named[who] if who else None, town.company(firm).id if firm else None, kind, brand, energy,
            registered.isoformat(), until.isoformat(),
        )
        for plate, who, firm, kind, brand, energy, registered, until in NAMED_VEHICLES
    ]  # fmt: skip
    for one in town.unnamed():
        age = one.age_on(town.as_of)
        if not one.is_alive or not 19 <= age <= 75 or random.random() > 0.5:
            continue
        licences.append(_licence(one, random, town.as_of))
        if random.random() < 0.36:
            district = households[one.household - 1].address.district
            vehicles.append(_vehicle(town, random, plate_of(district, one.id), one.id, None))
    for firm in town.companies:
        if not firm.is_named and firm.status == "active" and random.random() < 0.34:
            plate = plate_of(firm.address.district, 2_000_000 + firm.id)
            vehicles.append(_vehicle(town, random, plate, None, firm.id))
    write.insert("driving_licence", licences)
    write.insert("vehicle", vehicles)


def _vehicle(
    town: Town, random: Random, plate: str, citizen: int | None, company: int | None
) -> tuple[object, ...]:
    registered = town.as_of - timedelta(days=random.randint(20, 5000))
    energy = random.choices(
        ("petrol", "electric", "diesel"), (60, 34, 6) if company is None else (30, 30, 40)
    )[0]
    kind = "car" if company is None else random.choice(("car", "van", "van", "truck"))
    until = _inspected_until(registered, town.as_of, random)
    return (
        plate,
        citizen,
        company,
        kind,
        random.choice(_BRANDS),
        energy,
        registered.isoformat(),
        until.isoformat(),
    )
