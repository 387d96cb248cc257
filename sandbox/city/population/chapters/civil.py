"""Civil affairs: divorces that are applied for, and allowances of the elderly."""

from collections.abc import Iterator
from datetime import date, timedelta

from sandbox.city.population.chapter import Town, Writer
from sandbox.city.population.citizens import Citizen, years_after

TABLES = """
CREATE TABLE divorce_application (
    number TEXT PRIMARY KEY, applied_on TEXT NOT NULL, husband INTEGER NOT NULL, wife INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE elderly_allowance (citizen INTEGER PRIMARY KEY, number TEXT NOT NULL, since TEXT NOT NULL);
"""
INDEXES = ""

AGE_OF_ALLOWANCE = 80
# The first applications of every city: one may be completed, one is in its cooling-off period, one has lapsed.
_FILED = (date(2026, 5, 25), date(2026, 6, 20), date(2026, 4, 1))


def application_number(year: int, place: int) -> str:
    """The number of an application for divorce: `LH2026000001`."""
    return f"LH{year}{place:06d}"


def allowance_number(citizen: int) -> str:
    """The number of an allowance: `GL990100` and the citizen's serial number."""
    return f"GL990100{citizen:07d}"


def fill(town: Town, write: Writer) -> None:
    """One couple in 150 has applied; most of those above eighty draw the allowance, one persona among them."""
    random = town.random("civil")
    couples = _couples(town)
    rows = []
    for place, filed in enumerate(_FILED, start=1):
        couple = next(couples, None)
        if couple is not None:
            rows.append(
                (application_number(filed.year, place), filed.isoformat(), couple[0].id, couple[1].id)
            )
    for husband, wife in couples:
        if random.random() < 1 / 150:
            filed = town.as_of - timedelta(days=random.randint(0, 70))
            number = application_number(filed.year, len(rows) + 1)
            rows.append((number, filed.isoformat(), husband.id, wife.id))
    write.insert("divorce_application", rows)
    old = [one for one in town.unnamed() if _is_entitled(one, town.as_of) and random.random() < 0.85]
    write.insert("elderly_allowance", (_allowance(one) for one in [town.persona("qian-shouyi"), *old]))


def _couples(town: Town) -> Iterator[tuple[Citizen, Citizen]]:
    for one in town.unnamed():
        if one.sex == "M" and one.spouse and one.is_alive and town.people.get(one.spouse).is_alive:
            yield one, town.people.get(one.spouse)


def _is_entitled(citizen: Citizen, day: date) -> bool:
    return citizen.is_alive and citizen.age_on(day) > AGE_OF_ALLOWANCE


def _allowance(citizen: Citizen) -> tuple[object, ...]:
    turned = years_after(citizen.born, AGE_OF_ALLOWANCE)
    since = date(turned.year + turned.month // 12, turned.month % 12 + 1, 1)
    return citizen.id, allowance_number(citizen.id), since.isoformat()
