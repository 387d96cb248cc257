"""Chapter: a part of the city file that one field of life fills, beside the people, companies and jobs of the core.

A chapter is a module in `chapters` with the tables it makes, their indexes, and what it writes:

    TABLES = "CREATE TABLE vehicle (plate TEXT PRIMARY KEY, citizen INTEGER NOT NULL) WITHOUT ROWID;"
    INDEXES = "CREATE INDEX vehicle_citizen ON vehicle (citizen);"

    def fill(town: Town, write: Writer) -> None:
        random = town.random("vehicles")
        write.insert("vehicle", ((plate, one.id) for one in town.adults() ...))

It may read everything of the town and what earlier chapters left in `shared`; it changes neither people nor
companies. Every source of chance is `town.random(name)`, so a chapter's content does not depend on others.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import islice
from random import Random
from typing import Any, Protocol

from msgspec import Struct, field

from sandbox.city.population import personas
from sandbox.city.population.citizens import Citizen, People
from sandbox.city.population.companies import Company
from sandbox.city.population.marriages import Marriage

_AT_ONCE = 20_000  # rows that stand in memory while they are written

Job = tuple[int, int, date, str]  # citizen id, company id, since, position


class Town(Struct):
    """What a chapter may read: everybody and every company of the city, and who the personas are."""

    people: People
    marriages: list[Marriage]
    companies: list[Company]  # in order of id, which begins at 1
    jobs: list[Job]
    named: dict[str, int]  # slug of a persona -> citizen id
    as_of: date  # nothing in the file is later
    seed: int
    shared: dict[str, Any] = field(default_factory=dict)  # what an earlier chapter leaves to later ones

    def random(self, name: str) -> Random:
        """A source of chance of its own for this name."""
        return Random(f"{self.seed}:{name}")

    def persona(self, slug: str) -> Citizen:
        """The citizen who is this persona. Raises KeyError."""
        return self.people.get(self.named[slug])

    def company(self, slug: str) -> Company:
        """The company that is this persona. Raises KeyError."""
        return self.companies[personas.COMPANY_NUMBERS[slug] - 1]

    def unnamed(self) -> Iterator[Citizen]:
        """Everybody but the personas, the living and the dead; personas' records are written one by one."""
        return islice(self.people.citizens, len(self.named), None)


class Writer:
    """Writes rows into the city file and counts them."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.rows = 0

    def insert(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Insert rows, each with a value for every column of the table in order; dates are ISO text."""
        supply = iter(rows)
        while batch := list(islice(supply, _AT_ONCE)):
            marks = ", ".join("?" * len(batch[0]))
            self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)  # noqa: S608 - our own names
            self.rows += len(batch)


class Chapter(Protocol):
    """What a module in `chapters` has. TABLES and INDEXES are SQL statements, each ended by a semicolon."""

    TABLES: str
    INDEXES: str

    def fill(self, town: Town, write: Writer) -> None:
        """Write the chapter. Takes less than a second for 20,000 citizens and 3,000 companies."""
