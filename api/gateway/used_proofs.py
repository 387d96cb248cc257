"""Which DPoP proofs were used: each is good once, over all processes of a plane. Asked once for each bound call.

What this process has seen is refused at once. The rest is asked together: the questions that gather while one
batch is on its way are the next batch, so that a burst shares one round trip. Redis answers where there is one,
else the plane store's table `used_proof`. Without an answer nobody passes: a proof is a credential.
"""

import asyncio
import importlib
import sqlite3
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

from tortoise.backends.sqlite.client import SqliteClient
from tortoise.exceptions import BaseORMException

from api.core import problem_types, store
from api.core.logging import log_failure
from api.core.problems import Failure
from api.settings import Settings

BATCH = 256
WAITING = 4096
WAIT_SECONDS = 2.0
_FAULTS = (BaseORMException, OSError, sqlite3.Error)  # TimeoutError is an OSError
_SQLITE = "INSERT INTO used_proof (key, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING RETURNING key"
# Losing the last half second of it when the database host loses power is no harm worth a wait for the disk.
_POSTGRESQL = (
    "INSERT INTO used_proof (key, expires_at) "
    "SELECT k, e FROM unnest($1::varchar[], $2::timestamptz[]) AS given(k, e), "
    "(SELECT set_config('synchronous_commit', 'off', true)) AS setting "
    "ON CONFLICT DO NOTHING RETURNING key"
)
Question = tuple[
    str, float
]  # the digest of a proof, and until when (seconds since the epoch) it is remembered


class ProofStore(Protocol):
    """Where all processes of a plane remember used proofs."""

    async def spend(self, questions: list[Question]) -> set[str]:
        """Remember them; the digests of those that were not there before."""
        ...

    async def close(self) -> None: ...


class UsedProofs:
    """The used proofs of one plane, asked by one process."""

    def __init__(self, proofs: ProofStore) -> None:
        self._store = proofs
        self._seen: dict[str, float] = {}
        self._swept_at = 0.0
        self._waiting: deque[tuple[Question, asyncio.Future[bool]]] = deque()
        self._asking: asyncio.Task[None] | None = None

    async def spend(self, digest: str, expires_at: float) -> bool:
        """Whether the proof with this digest is used for the first time; from now on it is used.

        Raises Failure: proof-unchecked, when the store does not answer.
        """
        now = time.time()
        if now - self._swept_at > 10.0:
            self._swept_at = now
            self._seen = {one: until for one, until in self._seen.items() if until > now}
        if digest in self._seen:
            return False
        if len(self._waiting) >= WAITING:
            raise _unchecked()
        self._seen[digest] = expires_at
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(((digest, expires_at), answer))
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask_all())
        return await answer

    async def close(self) -> None:
        """End with what is under way."""
        if self._asking is not None:
            await self._asking
        await self._store.close()

    async def _ask_all(self) -> None:
        try:
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
                await self._ask(batch)
        finally:
            self._asking = asyncio.create_task(self._ask_all()) if self._waiting else None

    async def _ask(self, batch: list[tuple[Question, "asyncio.Future[bool]"]]) -> None:
        fresh: set[str] | None = None
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                fresh = await self._store.spend([question for question, _ in batch])
        except _FAULTS as error:
            log_failure("proofs.failure", error, proofs=len(batch))
        finally:  # each call of the batch learns of it, whatever happened, and without an answer none passes
            for (digest, _), answer in batch:
                if answer.done():
                    continue
                if fresh is None:
                    answer.set_exception(_unchecked())
                else:
                    answer.set_result(digest in fresh)


def _unchecked() -> Failure:
    return Failure(problem_types.PROOF_UNCHECKED, headers={"Retry-After": "1"})


class OneProcess:
    """No store: what this process has seen is all there is to know."""

    async def spend(self, questions: list[Question]) -> set[str]:
        return {digest for digest, _ in questions}

    async def close(self) -> None:
        return None


class SqliteProofs:
    """In the plane's SQLite file, by a thread and connection of its own; the log is not forced to disk for it."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(1, "proofs")
        self._connection: sqlite3.Connection | None = None

    async def spend(self, questions: list[Question]) -> set[str]:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._spend, questions)

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()

    def _spend(self, questions: list[Question]) -> set[str]:
        if self._connection is None:
            self._connection = sqlite3.connect(self._file, isolation_level=None, timeout=WAIT_SECONDS)
            self._connection.execute("PRAGMA synchronous=NORMAL")
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            fresh = set()
            for digest, expires_at in questions:
                row = connection.execute(_SQLITE, (digest, _moment(expires_at).isoformat(" "))).fetchone()
                if row is not None:
                    fresh.add(digest)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return fresh

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class PostgresqlProofs:
    """In the plane's PostgreSQL schema, one statement for a batch."""

    def __init__(self, environment: str) -> None:
        self._environment = environment

    async def spend(self, questions: list[Question]) -> set[str]:
        values: list[Any] = [[one for one, _ in questions], [_moment(until) for _, until in questions]]
        rows = await store.plane(self._environment).execute_query_dict(_POSTGRESQL, values)
        return {row["key"] for row in rows}

    async def close(self) -> None:
        return None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def used_proofs_for(settings: Settings) -> UsedProofs:
    """The used proofs of this process's plane; the stores are open."""
    if settings.redis_url:
        shared = importlib.import_module("api.gateway.redis_proofs")  # brings the Redis client: memory
        return UsedProofs(shared.RedisProofs(settings.redis_url, settings.environment))
    connection = store.plane(settings.environment)
    if isinstance(connection, SqliteClient):
        return UsedProofs(SqliteProofs(str(connection.filename)))
    return UsedProofs(PostgresqlProofs(settings.environment))
