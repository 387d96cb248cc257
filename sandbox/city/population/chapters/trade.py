"""Foreign trade: which companies are registered with customs, since when, and in which grade of trust."""

from datetime import date, timedelta

from sandbox.city.population.chapter import Town, Writer

TABLES = """
CREATE TABLE exporter (
    company INTEGER PRIMARY KEY, number TEXT NOT NULL, since TEXT NOT NULL, grade TEXT NOT NULL
);
"""
INDEXES = "CREATE INDEX exporter_number ON exporter (number);"

_TRADES = frozenset({"13", "15", "17", "27", "30", "34", "39", "51"})
_NAMED = (
    ("hengzhu-machinery", date(2008, 4, 1), "advanced"),
    ("manshan-tea", date(2016, 9, 12), "registered"),
    ("liuyun-trading", date(2013, 2, 26), "registered"),
)


def exporter_number(company: int) -> str:
    """Ten digits: 9901, the customs district of the city, 9 for a company, and five of its own."""
    return f"99019{company % 100_000:05d}"


def fill(town: Town, write: Writer) -> None:
    """The personas, and one in four of those who make goods or trade in them."""
    random = town.random("trade")
    rows: list[tuple[object, ...]] = [
        (town.company(slug).id, exporter_number(town.company(slug).id), since.isoformat(), grade)
        for slug, since, grade in _NAMED
    ]
    for one in town.companies:
        if one.is_named or one.industry not in _TRADES or random.random() > 0.25:
            continue
        since = min(one.established_on + timedelta(days=random.randint(60, 900)), town.as_of)
        if one.ended_on is not None and since >= one.ended_on:
            continue
        grade = random.choices(("advanced", "registered", "discredited"), (8, 90, 2))[0]
        rows.append((one.id, exporter_number(one.id), since.isoformat(), grade))
    write.insert("exporter", rows)
