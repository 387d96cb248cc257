"""The exchange database of a department that answers by a view: what it has written there, in SQLite or PostgreSQL.

Every table is a department's own and stands behind a view of the name that the mapping's statement reads. A row
says whose state it is of (`ztbh`), by which clock (`ztsj`, NULL for the real time) and which row of its answer it is
(`xh`). Beside the platform's stores in PostgreSQL it is a schema of the same database, else a file below KAIMEN_HOME.
"""

import sqlite3
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from api.contract.mapping import MappedOperation
from api.contract.mapping_shapes import ROWS, Each, Leaf, Node, Shape
from sandbox.city.state_rows import change, fetch, numbered

STATE, CLOCK, NUMBER, WRITTEN = "ztbh", "ztsj", "xh", "xrsj"  # whose, by which clock, which row, when written
KEPT_SECONDS = 60  # what another call may still be reading by an earlier clock
DAY_SECONDS = 86_400  # an answer is written anew every day, and goes two days after it was written last
_OWN = {STATE: "string", CLOCK: "string", NUMBER: "integer", WRITTEN: "integer"}
_TYPES = {
    "integer": "BIGINT",
    "number": "NUMERIC",
    "boolean": "BOOLEAN",
}  # of PostgreSQL; all others are TEXT
_Row = Mapping[str, Any]


class _Cleared:
    """When the rows of a view that nobody asked for in the last days were cleared away: daily, by each process."""

    def __init__(self) -> None:
        self._at: dict[str, int] = {}

    def is_due(self, view: str) -> bool:
        now = _now()
        if now - self._at.get(view, 0) < DAY_SECONDS:
            return False
        self._at[view] = now
        return True


class Answered(msgspec.Struct, frozen=True):
    """One answer to be written: what was asked, and its rows."""

    asked: _Row
    rows: list[dict[str, Any]]
    state: str = ""
    clock: str = ""


class Tables(Protocol):
    """Where the answers of one department are written."""

    @property
    def upstream(self) -> str:
        """The address at which the connector reads them."""
        ...

    async def put(self, mapped: MappedOperation, answers: list[Answered]) -> None:
        """Write these answers in the place of those that were there to the same questions."""
        ...

    async def forget(self) -> None:
        """Let go of everything."""
        ...

    def close(self) -> None: ...


TablesFactory = Callable[[str], Tables]  # by department


class SqliteTables:
    """A file, written by this process; others of the embedded mode wait for it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._ready: dict[str, dict[str, str]] = {}
        self._cleared = _Cleared()

    @property
    def upstream(self) -> str:
        return "sql+sqlite://" + self.path.as_uri().removeprefix("file://")

    async def put(self, mapped: MappedOperation, answers: list[Answered]) -> None:
        connection = self._opened()
        view = view_of(mapped)
        columns = self._ensure(connection, view, columns_of(mapped, answers))
        connection.execute("BEGIN IMMEDIATE")
        try:
            if self._cleared.is_due(view):
                connection.execute(
                    f"DELETE FROM {_quoted(table_of(view))} WHERE {STATE} <> '' AND {WRITTEN} < ?",  # noqa: S608 - names of the mapping, quoted
                    (_now() - 2 * DAY_SECONDS,),
                )
            for one in answers:
                self._put(connection, mapped, view, columns, one)
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")

    def _put(
        self, connection: sqlite3.Connection, mapped: MappedOperation, view: str, columns: dict[str, str],
        answer: Answered,
    ) -> None:  # fmt: skip
        asks, table = asked_of(mapped, answer), _quoted(table_of(view))
        where = " AND ".join([f"{_quoted(name)} IS ?" for name in asks] + [f"{STATE} = ?"])
        connection.execute(
            f"DELETE FROM {table} WHERE {where} AND ({CLOCK} IS ? OR {WRITTEN} < ?)",  # noqa: S608 - names of the mapping, quoted
            (*asks.values(), answer.state, answer.clock or None, _now() - KEPT_SECONDS),
        )
        names, rows = rows_to_write(columns, asks, answer)
        listed, marks = ", ".join(map(_quoted, names)), ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} ({listed}) VALUES ({marks})", rows)  # noqa: S608 - as above

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            made = sqlite3.connect(self.path, isolation_level=None, timeout=10, check_same_thread=False)
            made.execute("PRAGMA journal_mode=WAL").fetchall()
            made.execute("PRAGMA synchronous=OFF").fetchall()  # made again from the city at any time
            self._connection = made
        return self._connection

    def _ensure(self, connection: sqlite3.Connection, view: str, wanted: dict[str, str]) -> dict[str, str]:
        """The view over a table with these columns."""
        known = self._ready.get(view, {})
        if wanted.keys() <= known.keys():
            return known
        table = table_of(view)
        columns = {row[1]: "" for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")}
        if not columns:
            kind = connection.execute("SELECT type FROM sqlite_master WHERE name = ?", (view,)).fetchone()
            if kind == (
                "table",
            ):  # of an earlier edition: the rows are written again when they are asked for
                connection.execute(f"DROP TABLE {_quoted(view)}")
            listed = ", ".join(map(_quoted, wanted))
            connection.execute(f"CREATE TABLE IF NOT EXISTS {_quoted(table)} ({listed})")
            index = f"{_quoted(table + '_i')} ON {_quoted(table)} ({STATE}, {_quoted(next(iter(wanted)))})"
            connection.execute(f"CREATE INDEX IF NOT EXISTS {index}")
            connection.execute(f"CREATE VIEW IF NOT EXISTS {_quoted(view)} AS SELECT * FROM {_quoted(table)}")  # noqa: S608 - names of the mapping, quoted
            columns = dict(wanted)
        present = {name.lower() for name in columns}
        for name in wanted:
            if name.lower() not in present:
                connection.execute(f"ALTER TABLE {_quoted(table)} ADD COLUMN {_quoted(name)}")
        self._ready[view] = {**columns, **wanted}
        return self._ready[view]

    async def forget(self) -> None:
        self.close()
        for path in self.path.parent.glob(self.path.name + "*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresTables:
    """A schema beside the stores, written by any number of processes."""

    def __init__(self, database_url: str, slug: str, connection_name: str = "sandbox") -> None:
        self.schema = "kaimen_city_" + slug.replace("-", "_")
        self._url = database_url
        self._name = connection_name
        self._ready: dict[str, dict[str, str]] = {}
        self._cleared = _Cleared()

    @property
    def upstream(self) -> str:
        parts = urlsplit(self._url)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or "127.0.0.1"
        who = f"{parts.username}@" if parts.username else ""  # as it is written: the reader decodes it
        query = urlencode({"schema": self.schema}) + (f"&{parts.query}" if parts.query else "")
        return urlunsplit(("sql+postgresql", f"{who}{host}:{parts.port or 5432}", parts.path, query, ""))

    async def put(self, mapped: MappedOperation, answers: list[Answered]) -> None:
        try:
            await self._write(mapped, answers)
        except OperationalError:  # another process seeded the city anew, and the view is gone
            self._ready.pop(view_of(mapped), None)
            await self._write(mapped, answers)

    async def _write(self, mapped: MappedOperation, answers: list[Answered]) -> None:
        view = view_of(mapped)
        columns = await self._ensure(view, columns_of(mapped, answers))
        async with in_transaction(self._name) as connection:
            if self._cleared.is_due(view):
                await change(
                    connection,
                    f"DELETE FROM {self._named(table_of(view))} WHERE {STATE} <> '' AND {WRITTEN} < ?",  # noqa: S608 - names of the mapping, quoted
                    _now() - 2 * DAY_SECONDS,
                )
            for one in answers:
                await self._put(connection, mapped, view, columns, one)

    async def _put(
        self, connection: BaseDBAsyncClient, mapped: MappedOperation, view: str, columns: dict[str, str],
        answer: Answered,
    ) -> None:  # fmt: skip
        asks, table = asked_of(mapped, answer), self._named(table_of(view))
        question = msgspec.json.encode([self.schema, view, asks, answer.state], order="sorted").decode()
        await fetch(connection, "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", question)
        kind_of = {name.lower(): kind for name, kind in columns.items()}
        where = " AND ".join([f"{_lower(name)} IS NOT DISTINCT FROM ?" for name in asks] + [f"{STATE} = ?"])
        await change(
            connection,
            f"DELETE FROM {table} WHERE {where} AND ({CLOCK} IS NOT DISTINCT FROM ? OR {WRITTEN} < ?)",  # noqa: S608 - names of the mapping, quoted
            *(_typed(value, kind_of[name.lower()]) for name, value in asks.items()),
            answer.state, answer.clock or None, _now() - KEPT_SECONDS,
        )  # fmt: skip
        names, rows = rows_to_write(columns, asks, answer)
        listed, marks = ", ".join(map(_lower, names)), ", ".join("?" * len(names))
        statement = f"INSERT INTO {table} ({listed}) VALUES ({marks})"  # noqa: S608 - as above
        kinds = [columns[name] for name in names]
        typed = [[_typed(value, kind) for value, kind in zip(row, kinds, strict=True)] for row in rows]
        await connection.execute_many(numbered(connection, statement), typed)

    async def _ensure(self, view: str, wanted: dict[str, str]) -> dict[str, str]:
        """The view over a table with these columns. One process makes it, the others wait."""
        known = self._ready.get(view, {})
        if wanted.keys() <= known.keys():
            return known
        columns = {**wanted, **known}
        table, index = self._named(table_of(view)), _lower(table_of(view) + "_i")
        listed = ", ".join(f"{_lower(name)} {_TYPES.get(kind, 'TEXT')}" for name, kind in columns.items())
        async with in_transaction(self._name) as connection:
            await fetch(connection, "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", self.schema)
            await change(connection, f"CREATE SCHEMA IF NOT EXISTS {_lower(self.schema)}")
            await change(connection, f"CREATE TABLE IF NOT EXISTS {table} ({listed})")
            present = {
                row["column_name"]
                for row in await fetch(
                    connection,
                    "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?",
                    self.schema, table_of(view).lower(),
                )
            }  # fmt: skip
            for name, kind in columns.items():
                if name.lower() not in present:
                    await change(
                        connection,
                        f"ALTER TABLE {table} ADD COLUMN {_lower(name)} {_TYPES.get(kind, 'TEXT')}",
                    )
            await change(
                connection,
                f"CREATE INDEX IF NOT EXISTS {index} ON {table} ({STATE}, {_lower(next(iter(columns)))})",
            )
            await change(connection, f"CREATE OR REPLACE VIEW {self._named(view)} AS SELECT * FROM {table}")  # noqa: S608 - names of the mapping, quoted
        self._ready[view] = columns
        return columns

    def _named(self, name: str) -> str:
        return f"{_lower(self.schema)}.{_lower(name)}"

    async def forget(self) -> None:
        async with in_transaction(self._name) as connection:
            await change(connection, f"DROP SCHEMA IF EXISTS {_lower(self.schema)} CASCADE")
        self._ready.clear()

    def close(self) -> None:
        """Nothing of its own: the connections are the store's."""


def tables_in(home: Path, database_url: str) -> TablesFactory:
    """The exchange databases beside these stores, `home` the folder of the SQLite ones."""
    if database_url:
        return lambda slug: PostgresTables(database_url, slug)
    return lambda slug: SqliteTables(home / f"{slug}.sqlite3")


def view_of(mapped: MappedOperation) -> str:
    """The name that the mapping's statement reads."""
    return str(mapped.settings.get("table") or f"v_{mapped.operation.id}")


def table_of(view: str) -> str:
    """The table behind a view."""
    return f"{view}_b"


def asked_of(mapped: MappedOperation, answer: Answered) -> dict[str, Any]:
    """The columns of the question, NULL where the call left a parameter out."""
    asks = {name: _plain(value) for name, value in answer.asked.items()}
    return asks | {node.last: None for node in mapped.parameters.values() if node.last not in asks}


def columns_of(mapped: MappedOperation, answers: list[Answered]) -> dict[str, str]:
    """Every column with the kind of its values: the question's, the answer's, ours. What no rule names is text."""
    found: dict[str, str] = {}
    for node in (*mapped.parameters.values(), mapped.body, mapped.answer, mapped.status_node):
        _collect(node, found)
    for node in mapped.header_nodes.values():
        _collect(node, found)
    outcome = mapped.outcome
    for steps in (outcome.at, outcome.message, outcome.facts_at, *(one.at for one in outcome.facts.values())):
        found |= {step: "string" for step in steps[-1:] if step not in found}
    for one in answers:
        for row in (one.asked, *one.rows):
            for name in row:
                found.setdefault(name, "string")
    once = {name.lower(): (name, kind) for name, kind in reversed([*found.items(), *_OWN.items()])}
    return dict(reversed(once.values()))


def _collect(node: Node | None, found: dict[str, str]) -> None:
    if isinstance(node, Leaf) and node.steps:
        found.setdefault(node.last, node.chain.gives)
    elif isinstance(node, Each) and node.last == ROWS:
        _collect(node.item, found)
    elif isinstance(node, Shape) and not node.steps:
        for inner in node.fields.values():
            _collect(inner, found)
    elif isinstance(node, Shape | Each) and node.steps:  # an object or a list in one column: JSON text
        found.setdefault(node.last, "string")


def rows_to_write(
    columns: dict[str, str], asks: dict[str, Any], answer: Answered
) -> tuple[list[str], list[list[Any]]]:
    """Names and values of the rows of an answer."""
    ours = {STATE: answer.state, CLOCK: answer.clock or None, WRITTEN: _now()}
    rows = [{**row, **asks, **ours, NUMBER: number} for number, row in enumerate(answer.rows)]
    names = [name for name in columns if any(name in row for row in rows)]
    return names, [[_plain(row.get(name)) for name in names] for row in rows]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | int | float):
        return value
    return msgspec.json.encode(value).decode()


def _typed(value: Any, kind: str) -> Any:
    """A value as asyncpg wants it for a column of this kind."""
    if value is None:
        return None
    if kind == "integer":
        return int(value)
    if kind == "number":
        return Decimal(str(value))
    if kind == "boolean":
        return bool(value)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _now() -> int:
    return int(time.time())


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _lower(name: str) -> str:
    """A name as PostgreSQL reads it in a statement without quotes."""
    return _quoted(name.lower())
