"""Access evidence: who read whose sensitive data, why and when; on disk before the answer's first byte.

Calls that need a record join the batch that is forming; one task commits batch after batch (group commit), so
that a burst shares one fsync. Rows are chained by hash over all processes: the row `evidence_head` is the lock
and remembers the end of the chain, so that a tail cut off is found too. No record in time: no answer.
"""

import asyncio
import hashlib
import hmac
import sqlite3
import time
from collections import deque
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.transactions import in_transaction

from api.core import crypto, problem_types, store
from api.core.audit import JournalFault
from api.core.crypto import Vault
from api.core.logging import log_failure
from api.core.problems import Failure
from api.gateway.exchange import Exchange
from api.gateway.metrics import Metrics
from api.settings import Settings

WAIT_SECONDS = 3.0  # an answer waits no longer for its record
QUEUE_ROWS = 4096
BATCH_ROWS = 512

_HASHED = (
    "sequence", "at", "request_id", "app_id", "service", "operation", "level", "basis", "purpose", "grant",
    "consent", "mandate", "person", "subject_hash", "suite", "previous",
)  # fmt: skip
_COLUMNS = (*_HASHED, "hash")
_INSERT = (
    "INSERT INTO access_evidence (" + ", ".join(f'"{name}"' for name in _COLUMNS) + ")"
)  # "grant" is a word of SQL
_LOCK_HEAD = "UPDATE evidence_head SET count = count WHERE id = 1"
_MAKE_HEAD = "INSERT INTO evidence_head (id, count, hash) VALUES (1, 0, '') ON CONFLICT (id) DO NOTHING"
_READ_HEAD = "SELECT count, hash FROM evidence_head WHERE id = 1"
_encode = msgspec.json.Encoder(order="deterministic").encode
Row = tuple[Any, ...]  # the hashed columns between `sequence` and `suite`


class Waiting:
    """A row that an answer waits for, until `deadline` of the loop's clock."""

    __slots__ = ("deadline", "done", "row")

    def __init__(self, row: Row, done: "asyncio.Future[None]", deadline: float) -> None:
        self.row = row
        self.done = done
        self.deadline = deadline


class EvidenceWriter:
    """The one writer of evidence in a process and plane."""

    def __init__(self, settings: Settings, vault: Vault, metrics: Metrics) -> None:
        self._environment = settings.environment
        self._salt = vault.derive("evidence-subject")
        self._metrics = metrics
        self._queue: deque[Waiting] = deque()
        self._watched: deque[Waiting] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._wake = asyncio.Event()
        self._is_running = False
        self._sqlite: SqliteChain | None = None
        metrics.add_gauge(
            "kaimen_evidence_waiting", "Answers that wait for their access record.", lambda: len(self._queue)
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Commit in the background for the life of the block; what still waits at its end is committed."""
        self._is_running = True
        connection = store.plane(self._environment)
        if isinstance(connection, SqliteClient):
            self._sqlite = SqliteChain(connection.filename)
        task = asyncio.create_task(self._commit_always())
        try:
            yield
        finally:
            self._is_running = False
            self._wake.set()
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await asyncio.shield(task)
            except TimeoutError:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if self._sqlite is not None:
                await self._sqlite.close()
                self._sqlite = None

    async def commit(self, exchange: Exchange, identifying: tuple[str, ...]) -> None:
        """Return when the access record of this exchange is on disk.

        `identifying` are the values that say whose data were asked for; only their salted digest is kept.
        Raises Failure(EVIDENCE_UNAVAILABLE) after WAIT_SECONDS, or at once when too many wait already.
        """
        if len(self._queue) >= QUEUE_ROWS or not self._is_running:
            raise self._unavailable(exchange)
        loop = asyncio.get_running_loop()
        waiting = Waiting(self._row(exchange, identifying), loop.create_future(), loop.time() + WAIT_SECONDS)
        self._queue.append(waiting)
        self._watched.append(waiting)
        if self._timer is None:
            self._timer = loop.call_at(waiting.deadline, self._expire)
        self._wake.set()
        started = time.perf_counter()
        try:
            await waiting.done
        except OSError:  # TimeoutError is one
            raise self._unavailable(exchange) from None
        self._metrics.observe("kaimen_evidence_seconds", time.perf_counter() - started)

    def _expire(self) -> None:
        """One timer for all who wait, in the order in which they came."""
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._watched:
            first = self._watched[0]
            if not first.done.done():
                if first.deadline > loop.time():
                    self._timer = loop.call_at(first.deadline, self._expire)
                    return
                first.done.set_exception(TimeoutError("the access record was not kept in time"))
            self._watched.popleft()

    def subject_hash(self, identifying: tuple[str, ...]) -> str:
        """The digest under which a subject's accesses are found; "" when nothing says whose data they are."""
        if not identifying:
            return ""
        return hmac.new(
            self._salt, "\n".join(identifying).encode("utf-8", "replace"), hashlib.sha256
        ).hexdigest()

    def _row(self, exchange: Exchange, identifying: tuple[str, ...]) -> Row:
        operation = exchange.operation
        decision = exchange.decision
        app = exchange.app
        return (
            time.time_ns() // 1000, exchange.request_id, app.id if app is not None else "", exchange.compiled.entry.key,
            operation.id, operation.level.value, operation.basis.value, decision.purpose if decision else "",
            decision.grant if decision else "", decision.consent if decision else "",
            decision.mandate if decision else "", decision.subject if decision else "",
            self.subject_hash(identifying), crypto.SUITE,
        )  # fmt: skip

    def _unavailable(self, exchange: Exchange) -> Failure:
        self._metrics.add("kaimen_evidence_refusals_total")
        return Failure(
            problem_types.EVIDENCE_UNAVAILABLE, headers={"Retry-After": "2"}, operation=exchange.operation.id
        )

    # -- the writer ---------------------------------------------------------------------------------
    async def _commit_always(self) -> None:
        while self._is_running or self._queue:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch = self._take()
                if not batch:
                    continue
                try:
                    await self._append([one.row for one in batch])
                except Exception as error:  # each answer of the batch learns of it and is withheld
                    log_failure("evidence.failure", error, rows=len(batch))
                    for one in batch:
                        if not one.done.done():
                            one.done.set_exception(OSError("the access record was not kept"))
                    continue
                self._metrics.add("kaimen_evidence_rows_total", count=len(batch))
                for one in batch:
                    if not one.done.done():
                        one.done.set_result(None)
                while self._watched and self._watched[0].done.done():
                    self._watched.popleft()

    async def _append(self, rows: list[Row]) -> None:
        if self._sqlite is not None:
            await self._sqlite.append(rows)
        else:
            await append(self._environment, rows)

    def _take(self) -> list[Waiting]:
        """The next batch, without those who wait no longer."""
        batch: list[Waiting] = []
        while self._queue and len(batch) < BATCH_ROWS:
            one = self._queue.popleft()
            if not one.done.done():
                batch.append(one)
        return batch


async def append(environment: str, rows: list[Row]) -> None:
    """Commit the rows at the end of the plane's chain, in one transaction. Several processes take turns."""
    async with in_transaction(environment) as connection:
        # The first statement takes the write lock (SQLite) or the row lock (PostgreSQL) of the chain's end.
        changed, _ = await connection.execute_query(_LOCK_HEAD)
        if not changed:
            await connection.execute_query(_MAKE_HEAD)
            await connection.execute_query(_LOCK_HEAD)
        _, heads = await connection.execute_query(_READ_HEAD)
        chained, count, last = chain(rows, heads[0]["count"], heads[0]["hash"])
        marks = store.placeholders(connection, len(_COLUMNS))
        await connection.execute_many(f"{_INSERT} VALUES ({marks})", chained)
        first, second = store.placeholders(connection, 2).split(", ")
        await connection.execute_query(
            f"UPDATE evidence_head SET count = {first}, hash = {second} WHERE id = 1",  # noqa: S608 - placeholders
            [count, last],
        )


def chain(rows: list[Row], count: int, previous: str) -> tuple[list[list[Any]], int, str]:
    """The rows as they are stored after a chain of `count` rows that ends with the hash `previous`; its new end."""
    chained: list[list[Any]] = []
    for row in rows:
        count += 1
        hashed = (count, *row, previous)
        previous = hash_of(hashed)
        chained.append([*hashed, previous])
    return chained, count, previous


class SqliteChain:
    """Commits to a SQLite file in a thread and connection of its own: one hop for a batch instead of seven."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(1, "evidence")
        self._connection: sqlite3.Connection | None = None

    async def append(self, rows: list[Row]) -> None:
        """As the function `append`."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._append, rows)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _append(self, rows: list[Row]) -> None:
        if self._connection is None:
            self._connection = sqlite3.connect(self._file, isolation_level=None, timeout=WAIT_SECONDS)
            self._connection.execute("PRAGMA synchronous=FULL")
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            head = connection.execute(_READ_HEAD).fetchone()
            if head is None:
                connection.execute(_MAKE_HEAD)
            chained, count, last = chain(rows, *(head or (0, "")))
            connection.executemany(f"{_INSERT} VALUES ({', '.join('?' * len(_COLUMNS))})", chained)
            connection.execute("UPDATE evidence_head SET count = ?, hash = ? WHERE id = 1", (count, last))
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()


def hash_of(hashed: Row) -> str:
    """SHA-256 over the canonical JSON of a row's hashed columns, the hash of the row before among them."""
    return hashlib.sha256(_encode(hashed)).hexdigest()


async def verify_evidence(environment: str) -> tuple[int, JournalFault | None]:
    """Walk the plane's whole chain. Returns the rows read and the first fault, None when it holds."""
    connection = store.plane(environment)
    names = ", ".join(f'"{name}"' for name in _COLUMNS)
    mark = store.placeholders(connection, 1)
    previous, expected, count, after = "", 1, 0, -(2**62)
    while True:
        _, rows = await connection.execute_query(
            f"SELECT {names} FROM access_evidence WHERE sequence > {mark} ORDER BY sequence LIMIT 1000",  # noqa: S608
            [after],
        )
        for row in rows:
            count += 1
            fault = _fault_in(row, previous, expected)
            if fault is not None:
                return count, fault
            previous, expected = row["hash"], expected + 1
        if len(rows) < 1000:
            break
        after = rows[-1]["sequence"]
    _, heads = await connection.execute_query(_READ_HEAD)
    known = (heads[0]["count"], heads[0]["hash"]) if heads else (0, "")
    return count, _fault_at_end(known, expected - 1, previous)


def _fault_in(row: Any, previous: str, expected: int) -> JournalFault | None:
    sequence = row["sequence"]
    if sequence > expected:
        return JournalFault(expected, "removed", f"row {expected} is missing")
    if sequence < expected:
        return JournalFault(sequence, "added", f"row {sequence} stands before the beginning")
    if hash_of(tuple(row[name] for name in _HASHED)) != row["hash"]:
        return JournalFault(sequence, "altered", f"row {sequence} does not have the hash it says")
    if row["previous"] != previous:
        return JournalFault(sequence, "swapped", f"row {sequence} does not follow the row before it")
    return None


def _fault_at_end(known: tuple[int, str], last: int, last_hash: str) -> JournalFault | None:
    count, digest = known
    if count > last:
        return JournalFault(last + 1, "removed", f"row {last + 1} and what follows are gone")
    if count < last:
        return JournalFault(count + 1, "added", f"row {count + 1} was never written here")
    if digest != last_hash:
        return JournalFault(count, "altered", "the last row is not the one that was written")
    return None
