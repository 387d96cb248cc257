"""Housing fund accounts: one for everybody who is employed, with the employer of the employment register."""

from random import Random

from sandbox.city.population.chapter import Town, Writer

TABLES = """
CREATE TABLE fund_account (
    citizen INTEGER PRIMARY KEY, company INTEGER NOT NULL, base_yuan INTEGER NOT NULL, opened_on TEXT NOT NULL,
    carried_yuan INTEGER NOT NULL
);
"""
INDEXES = "CREATE INDEX fund_account_company ON fund_account (company);"

_BASES = {"manager": 18_000, "engineer": 14_000, "accountant": 9_500}
_NAMED = {"xu-ran": (12_000, 61_000), "lin-xi": (16_000, 84_000), "zhao-lei": (13_500, 30_500)}


def fill(town: Town, write: Writer) -> None:
    """`carried_yuan` is what was saved before the first of the months that are listed, withdrawals deducted."""
    slugs = {citizen: slug for slug, citizen in town.named.items()}
    random = town.random("funds")
    rows = []
    for citizen, company, since, position in town.jobs:
        luck = Random(slugs[citizen]) if citizen in slugs else random
        base = _BASES.get(position, 6_800) * luck.randint(80, 130) // 100 // 10 * 10
        years = max(0, town.as_of.year - since.year - 2)
        carried = base * years * luck.randint(10, 160) // 100
        if slugs.get(citizen) in _NAMED:
            base, carried = _NAMED[slugs[citizen]]
        rows.append((citizen, company, base, since.isoformat(), carried))
    write.insert("fund_account", rows)
