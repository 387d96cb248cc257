"""Cards that entitle: disability cards, and certificates of veterans."""

from datetime import date, timedelta

from sandbox.city.population.chapter import Town, Writer
from sandbox.city.population.citizens import years_after

TABLES = """
CREATE TABLE disability_card (
    citizen INTEGER PRIMARY KEY, category INTEGER NOT NULL, grade INTEGER NOT NULL, issued_on TEXT NOT NULL
);
CREATE TABLE veteran (
    citizen INTEGER PRIMARY KEY, certificate TEXT NOT NULL, served_from TEXT NOT NULL, served_until TEXT NOT NULL,
    placement TEXT NOT NULL
);
"""
INDEXES = "CREATE UNIQUE INDEX veteran_certificate ON veteran (certificate);"

_CATEGORIES, _SHARES = range(1, 8), (14, 24, 2, 30, 7, 8, 15)
_PLACEMENTS = ("self-employed", "self-employed", "self-employed", "assigned", "retired")


def certificate_of(citizen: int) -> str:
    """The number of a veteran's certificate in the base city."""
    return f"VT99{citizen:08d}"


def fill(town: Town, write: Writer) -> None:
    """One citizen in forty has a disability card, one man in twenty-five between 24 and 75 has served."""
    random = town.random("entitlements")
    cards: list[tuple[object, ...]] = [(town.named["feng-ting"], 4, 2, "2018-05-10")]
    veterans: list[tuple[object, ...]] = [
        (
            town.named["guo-wei"],
            certificate_of(town.named["guo-wei"]),
            "1996-12-01",
            "2008-11-30",
            "self-employed",
        )
    ]
    for one in town.unnamed():
        age = one.age_on(town.as_of)
        if age >= 6 and random.random() < 0.025:
            issued = town.as_of - timedelta(days=random.randint(30, min(4200, 365 * (age - 2))))
            category = random.choices(_CATEGORIES, _SHARES)[0]
            cards.append(
                (one.id, category, random.choices((1, 2, 3, 4), (1, 2, 3, 4))[0], issued.isoformat())
            )
        if one.sex == "M" and 24 <= age <= 75 and random.random() < 0.04:
            start = date(years_after(one.born, 18).year, 9 if one.born.year % 2 else 12, 1)
            years = random.choice((2, 2, 5, 8, 12))
            end = min(
                date(start.year + years, start.month, 1) - timedelta(days=1), town.as_of - timedelta(days=60)
            )
            veterans.append(
                (
                    one.id,
                    certificate_of(one.id),
                    start.isoformat(),
                    end.isoformat(),
                    random.choice(_PLACEMENTS),
                )
            )
    write.insert("disability_card", cards)
    write.insert("veteran", veterans)
