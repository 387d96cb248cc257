"""The batched writer of one process: request log, usage and field use, at most `record_interval_ms` behind.

Adding a call costs no wait. A task writes what has gathered, usage first, because the lists of an app are found by
it (call_lists); a batch may be written again after a failure without counting anything twice. While the store is away, at most `KEPT_ROWS` log
rows are kept: the oldest go first, counted in `kaimen_log_rows_dropped_total`. Usage is kept. Evidence is none of
this module's business. On SIGTERM `running` writes the rest; SIGKILL loses what came since the last write.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from itertools import chain
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import BaseORMException
from tortoise.transactions import in_transaction

from api.core import store
from api.core.logging import log, log_failure
from api.gateway.exchange import Exchange
from api.gateway.finished import FinishedCalls
from api.gateway.masking import AddressMask
from api.gateway.metrics import Metrics
from api.gateway.request_ids import text_of_millisecond
from api.gateway.usage import Bucket, Usage
from api.settings import Settings

KEPT_ROWS = 30_000  # log rows kept while the store is away: some 30 MB
BATCH_ROWS = 4_000  # one transaction: evidence waits behind it for some 30 ms
CALLS_AT_ONCE = 256  # worked out in one go: some 2 ms in which no request moves
PURGE_ROWS = 2_000
PURGE_SECONDS = 60.0
USAGE_DAYS = 400
DRAIN_SECONDS = 10.0
TRIES_BEFORE_SINGLY = 3

LOG_COLUMNS = (
    "id", "at", "parent_id", "app_id", "service", "operation", "face", "method", "path", "status", "duration_us",
    "upstream_us", "request_bytes", "response_bytes", "step", "problem", "facts", "verdicts", "purpose", "scenario",
    "quota_left", "trace_id", "span",
)  # fmt: skip
_BUCKET_TOTALS = (
    "calls",
    "cost",
    "duration_us",
    "upstream_us",
    "request_bytes",
    "response_bytes",
    "histogram",
    "minutes",
)
_BUCKET_COLUMNS = ("hour", "app_id", "service", "operation", "status", "problem", *_BUCKET_TOTALS, "id")
_FIELD_COLUMNS = ("app_id", "service", "operation", "field", "last_at", "calls")
_STORE_ERRORS = (BaseORMException, OSError, asyncio.TimeoutError)

_ROWS_AT_ONCE = (1024, 256, 64, 16, 4, 1)  # few sizes, so that few statements are prepared
Row = Any  # a tuple or list of LOG_COLUMNS
_running: dict[
    str, "Recorder"
] = {}  # by environment: the recorder whose buffer a reader of this process wants


async def show_now(environment: str) -> bool:
    """Write what this process still buffers for a plane, so that a reader sees the call just made.

    False where another process serves the plane: its calls appear within `record_interval_ms`.
    """
    recorder = _running.get(environment)
    if recorder is None:
        return False
    await recorder.flush()
    return True


class Recorder:
    """Buffers what `record` hands over and writes it. One for a process and plane; one event loop."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._environment = settings.environment
        self._interval_seconds = settings.record_interval_ms / 1000
        self._log_days = settings.request_log_days
        self._metrics = metrics
        self._rows: deque[Row] = deque()
        self.usage = Usage()
        self._finished = FinishedCalls(metrics, self.usage)
        metrics.catch_up = self.catch_up
        self._writing = asyncio.Lock()
        self._failures = 0
        metrics.add_gauge(
            "kaimen_log_rows_waiting",
            "Rows of the request log not yet written.",
            lambda: len(self._rows) + len(self._finished),
        )
        metrics.add_gauge(
            "kaimen_usage_entries", "Usage buckets and field sets in memory.", lambda: self.usage.size
        )

    # -- the hot path -------------------------------------------------------------------------------
    def add(self, exchange: Exchange, duration_us: int) -> None:
        """Take one finished call in. Waits for nothing and never fails because of the store."""
        waiting = self._finished.add(exchange, duration_us)
        if waiting > KEPT_ROWS:  # the writer did not come by: counted at least
            self.catch_up()

    def mask_of(self, exchange: Exchange) -> AddressMask:
        """How the address of this exchange's operation is shown."""
        return self._finished.mask_of(exchange.operation, exchange.service)

    def catch_up(self, calls: int = KEPT_ROWS) -> None:
        """Count finished calls and make their rows, the oldest `calls` at most; whoever reads counters asks for it."""
        rows = self._rows
        rows.extend(self._finished.work_out(calls))
        overflow = len(rows) - KEPT_ROWS
        if overflow > 0:
            for _ in range(overflow):
                rows.popleft()
            self._metrics.add("kaimen_log_rows_dropped_total", count=overflow)

    # -- writing ------------------------------------------------------------------------------------
    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Write in the background for the life of the block, and everything that is left at its end."""
        tasks = [asyncio.create_task(self._write_always()), asyncio.create_task(self._purge_always())]
        _running[self._environment] = self
        try:
            yield
        finally:
            if _running.get(self._environment) is self:
                del _running[self._environment]
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task
            await self.drain()

    async def flush(self) -> bool:
        """Write what there is now, so that the next read of this process sees it; False when it cannot be."""
        async with self._writing:
            try:
                for _ in range(0, len(self._finished), CALLS_AT_ONCE):
                    self.catch_up(CALLS_AT_ONCE)
                    await asyncio.sleep(0)  # requests come first
                waiting = len(self._rows)  # what comes meanwhile is the next turn's
                await self._write_usage(everything=False)
                while waiting > 0 and self._rows:
                    await self._write_rows(min(waiting, BATCH_ROWS))
                    waiting -= BATCH_ROWS
            except Exception as error:  # whatever it is, the rows stay for the next try
                log_failure("record.store_away", error, rows=len(self._rows))
                self._metrics.add("kaimen_record_failures_total")
                return False
        return True

    async def drain(self) -> None:
        """Write everything, trying for DRAIN_SECONDS while the store is away."""
        end = time.monotonic() + DRAIN_SECONDS
        while not await self._flush_everything():
            if time.monotonic() >= end:
                log("record.lost", rows=len(self._rows))
                return
            await asyncio.sleep(0.2)

    async def _flush_everything(self) -> bool:
        if not await self.flush():
            return False
        async with self._writing:
            try:
                await self._write_usage(everything=True)
            except Exception as error:  # as in flush
                log_failure("record.store_away", error)
                return False
        return True

    async def _write_always(self) -> None:
        pause = self._interval_seconds
        while True:
            await asyncio.sleep(pause)
            is_written = await self.flush()
            # Twice as long after each failure, so that a store that comes back is not run over.
            pause = self._interval_seconds if is_written else min(pause * 2, 5.0)

    async def _write_rows(self, count: int) -> None:
        """One transaction with the `count` oldest rows; they come back into the buffer when it fails."""
        rows = self._rows
        batch = [rows.popleft() for _ in range(min(count, len(rows)))]
        started = time.perf_counter()
        try:
            async with in_transaction(self._environment) as connection:
                await _insert(connection, "request_record", LOG_COLUMNS, "ON CONFLICT (id) DO NOTHING", batch)
        except BaseException:
            self._failures += 1
            if self._failures % TRIES_BEFORE_SINGLY == 0 and await self._is_store_there():
                await self._write_singly(batch)  # one row that no store takes must not hold the others up
                return
            self._put_back(batch)
            raise
        self._failures = 0
        self._metrics.observe("kaimen_record_seconds", time.perf_counter() - started)

    def _put_back(self, batch: list[Row]) -> None:
        self._rows.extendleft(reversed(batch))
        overflow = len(self._rows) - KEPT_ROWS
        if overflow > 0:
            for _ in range(overflow):
                self._rows.popleft()
            self._metrics.add("kaimen_log_rows_dropped_total", count=overflow)

    async def _is_store_there(self) -> bool:
        try:
            await store.plane(self._environment).execute_query("SELECT 1")
        except _STORE_ERRORS:
            return False
        return True

    async def _write_singly(self, batch: list[Row]) -> None:
        connection = store.plane(self._environment)
        for row in batch:
            try:
                await _insert(connection, "request_record", LOG_COLUMNS, "ON CONFLICT (id) DO NOTHING", [row])
            except Exception as error:  # this is the row that no store takes
                self._metrics.add("kaimen_log_rows_dropped_total")
                log_failure("record.row_refused", error, request_id=row[0])

    async def _write_usage(self, *, everything: bool) -> None:
        buckets = self.usage.take()
        fields = self.usage.take_fields(everything=everything)
        if not (buckets or fields):
            return
        try:
            async with in_transaction(self._environment) as connection:
                await _write_buckets(connection, buckets)
                await _write_fields(connection, fields)
        except BaseException:
            self.usage.keep(buckets)
            raise
        self.usage.forget_old()

    # -- retention ----------------------------------------------------------------------------------
    async def _purge_always(self) -> None:
        while True:
            await asyncio.sleep(PURGE_SECONDS)
            try:
                deleted = PURGE_ROWS
                while deleted >= PURGE_ROWS:
                    deleted = await self.purge(time.time())
                    await asyncio.sleep(0.5)  # slowly: calls come first
            except Exception as error:  # the next turn tries again
                log_failure("record.purge", error)

    async def purge(self, now: float) -> int:
        """Delete at most PURGE_ROWS log rows older than `request_log_days`, and old usage. Rows deleted."""
        prefix = "rl_" if self._environment == "live" else "rs_"
        oldest = prefix + text_of_millisecond(int((now - self._log_days * 86400) * 1000))
        connection = store.plane(self._environment)
        mark = store.placeholders(connection, 1)
        count, _ = await connection.execute_query(
            "DELETE FROM request_record WHERE id IN (SELECT id FROM request_record"  # noqa: S608 - a placeholder
            f" WHERE id < {mark} ORDER BY id LIMIT {PURGE_ROWS})",
            [oldest],
        )
        hour = int(now // 3600) - USAGE_DAYS * 24
        await connection.execute_query(f"DELETE FROM usage_bucket WHERE hour < {mark}", [hour])  # noqa: S608
        return count


async def _insert(
    connection: BaseDBAsyncClient, table: str, columns: tuple[str, ...], conflict: str, rows: Sequence[Row]
) -> None:
    """Insert rows, many with one statement.

    A statement for each row would make SQLite's thread ask for the interpreter lock at each row, and every time
    it gets it the event loop's thread waits: 0.6 waits a request were counted.
    """
    at = 0
    for size in _ROWS_AT_ONCE:
        while len(rows) - at >= size:
            statement = _statement(
                connection.capabilities.dialect == "sqlite", table, columns, conflict, size
            )
            await connection.execute_query(statement, list(chain.from_iterable(rows[at : at + size])))
            at += size


@lru_cache(maxsize=64)
def _statement(is_sqlite: bool, table: str, columns: tuple[str, ...], conflict: str, rows: int) -> str:
    width = len(columns)
    if is_sqlite:
        values = ", ".join(["(" + ", ".join("?" * width) + ")"] * rows)
    else:
        values = ", ".join(
            "(" + ", ".join(f"${row * width + at}" for at in range(1, width + 1)) + ")" for row in range(rows)
        )
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values} {conflict}"  # noqa: S608 - constants


async def _write_buckets(connection: BaseDBAsyncClient, buckets: list[Bucket]) -> None:
    totals = ", ".join(f"{name} = excluded.{name}" for name in _BUCKET_TOTALS)
    rows = [(*bucket.key, *bucket.totals()) for bucket in buckets]
    await _insert(
        connection, "usage_bucket", _BUCKET_COLUMNS, f"ON CONFLICT (id) DO UPDATE SET {totals}", rows
    )


async def _write_fields(connection: BaseDBAsyncClient, rows: list[Row]) -> None:
    newest = "CASE WHEN excluded.last_at > field_use.last_at THEN excluded.last_at ELSE field_use.last_at END"
    conflict = (
        f"ON CONFLICT (app_id, service, operation, field) DO UPDATE SET last_at = {newest},"
        " calls = field_use.calls + excluded.calls"
    )
    await _insert(connection, "field_use", _FIELD_COLUMNS, conflict, sorted(rows))
