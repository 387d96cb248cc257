"""Connector `sql`: a view that a department opened, PostgreSQL or SQLite. It reads, and runs the mapping's statements only.

Values are bound, never put into the text; transactions are read-only, every statement ends with the deadline of
the call, and an answer has at most `MOST_ROWS` rows. A password stands in no address: PostgreSQL's pass file
(PGPASSFILE) has it. `?schema=` of a PostgreSQL address names the schema that unqualified names are looked up in.
"""

import asyncio
import re
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from datetime import time as day_time
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

from api.contract.mapping import MappedOperation
from api.contract.mapping_shapes import ROWS, Each, Node, Shape
from api.contract.model import JsonObject
from api.core import problem_types, problem_types_upstream
from api.core.egress import Egress, EgressError
from api.core.logging import log_warning
from api.core.problems import Failure
from api.gateway.connector import Context, Request
from api.gateway.connectors.mapped import Native

MOST_ROWS = 10_000
POOL_SIZE = 10
LONGEST_MS = (
    60_000  # the server ends a statement after this, should nobody be there to cancel it at its deadline
)
_BOUND = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|::|:([A-Za-z_][A-Za-z0-9_]*)")


class Statement:
    """A statement of the mapping, its bound names taken out."""

    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        numbered = []
        named = []
        at = 0
        for found in _BOUND.finditer(text):
            if found[1] is None:
                continue
            if found[1] not in self.names:
                self.names.append(found[1])
            numbered += [text[at : found.start()], f"${self.names.index(found[1]) + 1}"]
            named += [text[at : found.start()], f":{found[1]}"]
            at = found.end()
        self.numbered = "".join([*numbered, text[at:]])
        self.named = "".join([*named, text[at:]])

    def values(self, tree: JsonObject, context: Context) -> dict[str, Any]:
        """What is bound: the request's native values, `state` and `clock`; a name that nobody set is NULL."""
        known = {"state": context.state_id, "clock": context.clock or None, "app": context.app_id}
        return {name: tree.get(name, known.get(name)) for name in self.names}


class Database:
    """Runs one statement. Raises Failure of the step call."""

    async def rows(
        self, statement: Statement, values: Mapping[str, Any], deadline: float
    ) -> list[dict[str, Any]]:
        raise NotImplementedError

    async def health(self) -> bool:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


class SqliteDatabase(Database):
    """A SQLite file, opened read-only, in one thread at a time; a statement is interrupted at its deadline."""

    def __init__(self, path: Path, service: str) -> None:
        self._path = path
        self._service = service
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    async def rows(
        self, statement: Statement, values: Mapping[str, Any], deadline: float
    ) -> list[dict[str, Any]]:
        return await asyncio.to_thread(self._rows, statement.named, dict(values), deadline)

    def _rows(self, text: str, values: dict[str, Any], deadline: float) -> list[dict[str, Any]]:
        if not self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise _timeout(self._service)
        try:
            connection = self._opened()
            connection.set_progress_handler(lambda: int(time.monotonic() >= deadline), 1000)
            cursor = connection.execute(text, values)
            names = [one[0] for one in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(MOST_ROWS)]
        except sqlite3.OperationalError as error:
            if "interrupt" in str(error):
                raise _timeout(self._service) from error
            raise _refused(self._service, error) from error
        except sqlite3.Error as error:
            raise _refused(self._service, error) from error
        finally:
            self._lock.release()

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            made = sqlite3.connect(
                f"file:{quote(str(self._path))}?mode=ro",
                uri=True,
                isolation_level=None,
                check_same_thread=False,
            )
            made.execute("PRAGMA query_only=ON").fetchall()
            self._connection = made
        return self._connection

    async def health(self) -> bool:
        return self._path.is_file()

    async def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresDatabase(Database):
    """A PostgreSQL database, through its own small pool; the address is checked and pinned by the egress rules."""

    def __init__(self, url: str, egress: Egress, service: str, *, password: str | None = None) -> None:
        """`password` is for an address of our own making; others have theirs in the pass file."""
        parts = urlsplit(url)
        if parts.password:
            raise ValueError("the address of a database holds no password; PGPASSFILE does")
        self._parts = parts
        self._egress = egress
        self._service = service
        self._password = password
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._kinds: dict[str, list[str]] = {}  # by statement: the types of what is bound

    async def rows(
        self, statement: Statement, values: Mapping[str, Any], deadline: float
    ) -> list[dict[str, Any]]:
        asyncpg = _asyncpg()
        try:
            async with asyncio.timeout_at(deadline):
                pool = await self._opened(asyncpg)
                async with pool.acquire() as connection:
                    try:
                        return await self._read(connection, statement, values)
                    except asyncpg.InvalidCachedStatementError:  # the view has another column now
                        await connection.reload_schema_state()
                        self._kinds.pop(statement.numbered, None)
                        return await self._read(connection, statement, values)
        except (TimeoutError, asyncpg.QueryCanceledError) as error:
            raise _timeout(self._service) from error
        except EgressError as error:
            raise Failure(problem_types.EGRESS_REFUSED, service=self._service) from error
        except (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, OSError) as error:
            log_warning("upstream.failed", service=self._service, kind="unreachable", reason=str(error)[:200])
            raise Failure(problem_types.UPSTREAM_UNREACHABLE, service=self._service) from error
        except asyncpg.TooManyConnectionsError as error:
            raise Failure(
                problem_types.UPSTREAM_BUSY, headers={"Retry-After": "1"}, service=self._service
            ) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
            raise _refused(self._service, error) from error

    async def _read(
        self, connection: Any, statement: Statement, values: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Four round trips: begin, bind, fetch, commit. A statement is parsed once on each connection."""
        async with connection.transaction(readonly=True):
            kinds = self._kinds.get(statement.numbered)
            if kinds is None:
                prepared = await connection.prepare(statement.numbered)
                kinds = self._kinds[statement.numbered] = [one.name for one in prepared.get_parameters()]
            bound = [_bound(values[name], kind) for name, kind in zip(statement.names, kinds, strict=True)]
            cursor = await connection.cursor(statement.numbered, *bound)
            return [dict(row) for row in await cursor.fetch(MOST_ROWS)]

    async def _opened(self, asyncpg: Any) -> Any:
        async with self._opening:
            if self._pool is None:
                host, port = self._parts.hostname or "", self._parts.port or 5432
                addresses = await self._egress.resolve(host, port)
                query = {name: texts[0] for name, texts in parse_qs(self._parts.query).items()}
                settings = {"default_transaction_read_only": "on", "application_name": "kaimen",
                            "statement_timeout": str(LONGEST_MS)}  # fmt: skip
                if "schema" in query:
                    settings["search_path"] = '"' + query["schema"].replace('"', '""') + '"'
                self._pool = await asyncpg.create_pool(
                    host=addresses[0], port=port, user=unquote(self._parts.username or "kaimen"),
                    password=self._password, database=unquote(self._parts.path.lstrip("/")),
                    ssl=query.get("sslmode", "prefer"), min_size=0, max_size=POOL_SIZE, timeout=3.0,
                    max_inactive_connection_lifetime=60.0, server_settings=settings,
                    reset=_leave_as_it_is,
                )  # fmt: skip
            return self._pool

    async def health(self) -> bool:
        try:
            await self.rows(Statement("SELECT 1"), {}, time.monotonic() + 3.0)
        except Failure:
            return False
        return True

    async def close(self) -> None:
        if self._pool is not None:
            self._pool.terminate()
            self._pool = None


async def _leave_as_it_is(connection: Any) -> None:
    """What a pool does with a connection that is given back: a reading transaction leaves nothing behind."""


def _asyncpg() -> Any:
    import asyncpg  # brings memory: only processes with such an upstream

    return asyncpg


def _bound(value: Any, kind: str) -> Any:
    """A native value as the type that the database wants for it. Raises ValueError."""
    if value is None or (isinstance(value, bool) and kind == "bool"):
        return value
    convert = _CONVERSIONS.get(kind)
    return value if convert is None else convert(str(value))


_CONVERSIONS: Mapping[str, Callable[[str], Any]] = {
    "int2": int, "int4": int, "int8": int, "numeric": Decimal, "float4": float, "float8": float,
    "date": date.fromisoformat, "timestamp": datetime.fromisoformat, "timestamptz": datetime.fromisoformat,
    "bool": lambda text: text in {"true", "1"}, "text": str, "varchar": str, "bpchar": str, "name": str,
}  # fmt: skip


def _timeout(service: str) -> Failure:
    return Failure(problem_types.UPSTREAM_TIMEOUT, service=service)


def _refused(service: str, error: Exception) -> Failure:
    """A statement that the database does not take, or data that it holds no longer: the mapping's or its fault."""
    log_warning(
        "upstream.failed", service=service, kind="sql", reason=f"{type(error).__name__}: {error}"[:300]
    )
    return Failure(
        problem_types_upstream.UPSTREAM_FAULT,
        service=service,
        operation="",
        code=type(error).__name__,
        retryable=False,
    )


class SqlTransport:
    """The view of one department."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._statements: dict[str, tuple[Statement, dict[str, str]]] = {}

    async def exchange(
        self, mapped: MappedOperation, tree: JsonObject, request: Request, context: Context
    ) -> Native:
        """Run the operation's statement; the tree is the first row, and all under `rows`."""
        known = self._statements.get(mapped.operation.id)
        if known is None:
            text = str(mapped.settings.get("statement", ""))
            known = self._statements[mapped.operation.id] = (Statement(text), column_names(mapped))
        statement, names = known
        found = await self._database.rows(statement, statement.values(tree, context), context.deadline)
        rows = [{names.get(key.lower(), key): plain(value) for key, value in row.items()} for row in found]
        return Native({**(rows[0] if rows else {}), ROWS: rows})

    async def health(self) -> bool:
        return await self._database.health()

    async def close(self) -> None:
        await self._database.close()


def plain(value: Any) -> Any:
    """A column's value as a mapping knows it: text, number, truth, nothing."""
    if isinstance(value, datetime | date | day_time):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def column_names(mapped: MappedOperation) -> dict[str, str]:
    """The mapping's columns by their name in small letters: databases disagree on the letters of names."""
    names: dict[str, str] = {}

    def walk(node: Node) -> None:
        if node.steps and node.last not in {ROWS, "#text"}:
            names.setdefault(node.last.lower(), node.last)
        if isinstance(node, Shape):
            for inner in node.fields.values():
                walk(inner)
        elif isinstance(node, Each):
            walk(node.item)

    walk(mapped.answer)
    for step in [*mapped.outcome.at, *(fact.at[-1] for fact in mapped.outcome.facts.values())]:
        names.setdefault(step.lower(), step)
    for node in [mapped.status_node, *mapped.header_nodes.values()]:
        if node is not None:
            walk(node)
    return names
