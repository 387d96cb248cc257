"""What each app changed in the city: rows over the read-only base, cached by version, safe with many processes.

A piece of work is a pure function from a State to an outcome with changes. It runs on the cached state; when
it changes something it is committed under the state's head row, and runs again there if another writer was
faster. So nothing is ever lost or done twice, and a reader always sees its own writes, in whichever process.

Kinds of records and what they mean are the departments' business, not this module's.
"""

import asyncio
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Protocol, TypeVar
from urllib.parse import quote
from weakref import WeakValueDictionary

import msgspec
from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from api.core.problems import Refusal
from api.core.store import placeholders, plane
from sandbox.city.problem_types import SANDBOX_STATE_FULL

Record = dict[str, Any]
Key = tuple[str, str]  # department, "kind/key"
Changes = dict[Key, Record | None]  # None: the record is gone

MOST_RECORDS = 10_000  # of one state
_MOST_CACHED_RECORDS = 200_000
_MOST_CACHED_STATES = 4096
_LOOK_AGAIN_SECONDS = 1.0


class State(Struct, frozen=True):
    """One version of a state. Never altered: a write makes the next one."""

    version: int
    rows: Changes


UNTOUCHED = State(0, {})


class Outcome(Protocol):
    """What a piece of work gives back."""

    @property
    def changes(self) -> Changes: ...


O = TypeVar("O", bound=Outcome)  # noqa: E741 - the outcome


class _NothingToWrite(Exception):  # noqa: N818 - it only ends the transaction
    pass


class _Cache:
    """The newest states in memory, the longest unused leave first; bounded by states and by records."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, tuple[State, float]] = OrderedDict()
        self._records = 0

    def get(self, state_id: str) -> State | None:
        known = self._states.get(state_id)
        if known is None:
            return None
        self._states.move_to_end(state_id)
        return known[0]

    def recent(self, state_id: str) -> State | None:
        """The state, where the store was looked at within the last second."""
        known = self._states.get(state_id)
        return known[0] if known is not None and time.monotonic() - known[1] < _LOOK_AGAIN_SECONDS else None

    def put(self, state_id: str, state: State) -> None:
        """Keep the newer of this and what is there."""
        known = self._states.pop(state_id, None)
        if known is not None:
            self._records -= len(known[0].rows)
            if known[0].version > state.version:
                state = known[0]
        self._states[state_id] = (state, time.monotonic())
        self._records += len(state.rows)
        while len(self._states) > _MOST_CACHED_STATES or (
            self._records > _MOST_CACHED_RECORDS and len(self._states) > 1
        ):
            _, (oldest, _) = self._states.popitem(last=False)
            self._records -= len(oldest.rows)

    def __len__(self) -> int:
        return len(self._states)


class States:
    """The states of one data plane.

    Every call looks at the state's head: some microseconds on SQLite, one indexed query on PostgreSQL. `is_sole`
    says that no other server process writes to them; then one look a second is enough, for what a command of
    the operator may have changed.
    """

    def __init__(self, environment: str, *, is_sole: bool = False) -> None:
        self._environment = environment
        self._is_sole = is_sole
        self._cache = _Cache()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._glance: sqlite3.Connection | None = None

    async def current(self, state_id: str) -> State:
        """The state as it is now, everything committed before the call included."""
        if self._is_sole:
            recent = self._cache.recent(state_id)
            if recent is not None:
                return recent
        cached = self._cache.get(state_id)
        head = await self._head(state_id)
        if head is None:
            state = UNTOUCHED
        elif cached is not None and cached.version == head[0]:
            state = cached
        else:
            state = await self._load(plane(self._environment), state_id, cached, *head)
        self._cache.put(state_id, state)
        return self._cache.get(state_id) or state

    async def run(self, state_id: str, work: Callable[[State], O]) -> O:
        """Do a piece of work and keep its changes. Raises Refusal SANDBOX_STATE_FULL."""
        state = await self.current(state_id)
        outcome = work(state)
        if not outcome.changes:
            return outcome
        lock = self._locks.setdefault(state_id, asyncio.Lock())
        async with lock:
            try:
                return await self._commit(state_id, state, work, outcome)
            except _NothingToWrite as nothing:
                done: O = nothing.args[0]
                return done

    async def _commit(self, state_id: str, state: State, work: Callable[[State], O], outcome: O) -> O:
        async with in_transaction(self._environment) as connection:
            version, base = await self._raise_head(connection, state_id)
            if state.version != version - 1:
                cached = self._cache.get(state_id) or UNTOUCHED
                state = await self._load(connection, state_id, cached, version - 1, base)
                outcome = work(state)
                if not outcome.changes:
                    raise _NothingToWrite(outcome)
            rows = {**state.rows, **outcome.changes}
            if len(rows) > MOST_RECORDS:
                raise Refusal(SANDBOX_STATE_FULL, limit=MOST_RECORDS)
            await self._write(connection, state_id, version, outcome.changes)
        self._cache.put(state_id, State(version, rows))
        return outcome

    async def reset(self, state_id: str) -> int:
        """Forget all changes: the app sees the base city again. Returns how many records it had changed."""
        async with in_transaction(self._environment) as connection:
            version, _ = await self._raise_head(connection, state_id)
            mark = placeholders(connection, 1)
            count, _ = await connection.execute_query(
                f"DELETE FROM city_state WHERE snapshot = '' AND state_id = {mark}",  # noqa: S608 - a placeholder
                [state_id],
            )
            one, two = _marks(connection, 2)
            await connection.execute_query(
                f"UPDATE city_state_head SET base = {one} WHERE state_id = {two}",  # noqa: S608 - placeholders
                [version, state_id],
            )
        self._cache.put(state_id, State(version, {}))
        return count

    async def close(self) -> None:
        """Give back the connection that looks at heads."""
        if self._glance is not None:
            self._glance.close()
            self._glance = None

    # --- the store ---------------------------------------------------------------------------------
    async def _head(self, state_id: str) -> tuple[int, int] | None:
        """(version, base), or None for a state that was never written."""
        connection = plane(self._environment)
        if connection.capabilities.dialect == "sqlite":
            rows: list[Any] = self._look(connection, state_id)
        else:
            _, found = await connection.execute_query(
                "SELECT version, base FROM city_state_head WHERE state_id = $1", [state_id]
            )
            rows = [(row["version"], row["base"]) for row in found]
        return (int(rows[0][0]), int(rows[0][1])) if rows else None

    def _look(self, connection: BaseDBAsyncClient, state_id: str) -> list[Any]:
        if self._glance is None:
            name = quote(str(connection.filename))  # type: ignore[attr-defined]  # of the SQLite client
            self._glance = sqlite3.connect(f"file:{name}?mode=ro", uri=True, isolation_level=None, timeout=10)
        return self._glance.execute(
            "SELECT version, base FROM city_state_head WHERE state_id = ?", (state_id,)
        ).fetchall()

    async def _load(
        self, connection: BaseDBAsyncClient, state_id: str, known: State | None, version: int, base: int
    ) -> State:
        """The rows newer than `known`, laid over it; all of them where a reset lies in between."""
        is_partial = known is not None and known.version >= base
        after = known.version if known is not None and is_partial else -1
        one, two = _marks(connection, 2)
        _, found = await connection.execute_query(
            "SELECT department, key, value, version FROM city_state "  # noqa: S608 - placeholders
            f"WHERE snapshot = '' AND state_id = {one} AND version > {two}",
            [state_id, after],
        )
        rows: Changes = dict(known.rows) if known is not None and is_partial else {}
        for row in found:
            text = row["value"]
            rows[row["department"], row["key"]] = msgspec.json.decode(text) if text else None
            version = max(version, int(row["version"]))
        return State(version, rows)

    async def _raise_head(self, connection: BaseDBAsyncClient, state_id: str) -> tuple[int, int]:
        """Take the state's head row for this transaction: the new version, and the base. Others wait for it."""
        mark = placeholders(connection, 1)
        await connection.execute_query(
            f"INSERT INTO city_state_head (state_id, version, base) VALUES ({mark}, 1, 0) "  # noqa: S608 - a placeholder
            "ON CONFLICT (state_id) DO UPDATE SET version = city_state_head.version + 1",
            [state_id],
        )
        _, rows = await connection.execute_query(
            f"SELECT version, base FROM city_state_head WHERE state_id = {mark}",  # noqa: S608 - a placeholder
            [state_id],
        )
        return int(rows[0]["version"]), int(rows[0]["base"])

    async def _write(
        self, connection: BaseDBAsyncClient, state_id: str, version: int, changes: Changes
    ) -> None:
        state, area, key, value, number = _marks(connection, 5)
        await connection.execute_many(
            "INSERT INTO city_state (state_id, snapshot, department, key, value, version) "  # noqa: S608 - placeholders
            f"VALUES ({state}, '', {area}, {key}, {value}, {number}) "
            "ON CONFLICT (state_id, snapshot, department, key) "
            "DO UPDATE SET value = excluded.value, version = excluded.version",
            [
                [
                    state_id,
                    department,
                    key,
                    "" if record is None else msgspec.json.encode(record).decode(),
                    version,
                ]
                for (department, key), record in changes.items()
            ],
        )


def _marks(connection: BaseDBAsyncClient, count: int) -> list[str]:
    return placeholders(connection, count).split(", ")
