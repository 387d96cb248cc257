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
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from urllib.parse import quote
from weakref import WeakValueDictionary

from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from api.core import clock, outbox
from api.core.outbox import NewEvent
from api.core.problems import Refusal
from api.core.store import plane
from sandbox.city import state_rows
from sandbox.city.app_clocks import START, AppClocks, micros
from sandbox.city.problem_types import SANDBOX_STATE_FULL
from sandbox.city.state_rows import Changes, Head, Key, Record

__all__ = ("UNTOUCHED", "Changes", "Key", "Outcome", "Record", "State", "States")

MOST_RECORDS = 10_000  # of one state
_MOST_CACHED_RECORDS = 200_000
_MOST_CACHED_STATES = 4096
_LOOK_AGAIN_SECONDS = 1.0


class State(Struct, frozen=True):
    """One version of a state. Never altered: a write makes the next one."""

    version: int
    rows: Changes
    clock_us: int | None = None  # the app's clock minus the real one, microseconds; None: it has not begun
    city: str = ""  # the city that the first change was made on, "" where there is none

    @property
    def now(self) -> datetime:
        """The time by the app's clock."""
        return START if self.clock_us is None else clock.now() + timedelta(microseconds=self.clock_us)


UNTOUCHED = State(0, {})


class Outcome(Protocol):
    """What a piece of work gives back: what it changes, and what is to be told of it."""

    @property
    def changes(self) -> Changes: ...
    @property
    def told(self) -> Sequence[NewEvent]: ...
    @property
    def withdrawn(self) -> Sequence[tuple[str, str]]:
        """(service, subject) whose events still to come are taken back."""
        ...


T = TypeVar("T")
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
        self.clocks = AppClocks(environment)
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
        elif cached is not None and cached.version == head.version:
            state = cached
        else:
            state = await self._load(plane(self._environment), state_id, cached, head)
        self._cache.put(state_id, state)
        return self._cache.get(state_id) or state

    async def run(
        self, state_id: str, work: Callable[[State], O], *, city: str = "", begins: bool = False
    ) -> O:
        """Do a piece of work, keep its changes and put its events into the outbox, in one transaction.

        `city` names the city that it sees; `begins` lets the clock of the state run from its first change on. Raises Refusal SANDBOX_STATE_FULL.
        """
        state = await self.current(state_id)
        outcome = work(state)
        if not _writes(outcome):
            return outcome
        lock = self._locks.setdefault(state_id, asyncio.Lock())
        async with lock:
            try:
                return await self._commit(state_id, state, work, outcome, city, begins)
            except _NothingToWrite as nothing:
                done: O = nothing.args[0]
                return done

    async def _commit(
        self, state_id: str, state: State, work: Callable[[State], O], outcome: O, city: str, begins: bool
    ) -> O:
        async with in_transaction(self._environment) as connection:
            begins_us = micros(START - clock.now()) if begins else None
            head = await state_rows.raise_head(connection, state_id, city, begins_us)
            if state.version != head.version - 1:
                before = Head(head.version - 1, head.base, head.clock_us, head.city)
                cached = self._cache.get(state_id) or UNTOUCHED
                state = await self._load(connection, state_id, cached, before)
                outcome = work(state)
                if not _writes(outcome):
                    raise _NothingToWrite(outcome)
            rows = {**state.rows, **outcome.changes}
            if len(rows) > MOST_RECORDS:
                raise Refusal(SANDBOX_STATE_FULL, limit=MOST_RECORDS)
            if outcome.changes:
                await state_rows.write(connection, state_id, head.version, outcome.changes)
            for service, subject in outcome.withdrawn:
                await outbox.withdraw(connection, state_id, service, subject)
            await outbox.add_all(connection, self._environment, list(outcome.told))
        self._cache.put(state_id, State(head.version, rows, head.clock_us, head.city))
        self.clocks.put(state_id, head.clock_us)
        return outcome

    async def alter(self, state_id: str, work: Callable[[BaseDBAsyncClient, Head], Awaitable[T]]) -> T:
        """Change a state as a whole: reset, restore, clock. `work` gets the transaction and the raised head."""
        lock = self._locks.setdefault(state_id, asyncio.Lock())
        async with lock:
            async with in_transaction(self._environment) as connection:
                done = await work(connection, await state_rows.raise_head(connection, state_id))
                head = await state_rows.head_of(connection, state_id)
                assert head is not None
                rows, _ = await state_rows.load(connection, state_id)
            self._cache.put(state_id, State(head.version, rows, head.clock_us, head.city))
            self.clocks.put(state_id, head.clock_us)
        return done

    async def reset(self, state_id: str) -> int:
        """Forget everything of a state, its clock too. Returns how many records it had changed."""

        async def work(connection: BaseDBAsyncClient, head: Head) -> int:
            await state_rows.set_head(connection, state_id, base=head.version, clock_us=None, city="")
            return await state_rows.clear(connection, state_id)

        return await self.alter(state_id, work)

    async def close(self) -> None:
        """Give back the connection that looks at heads."""
        if self._glance is not None:
            self._glance.close()
            self._glance = None

    # --- the store ---------------------------------------------------------------------------------
    async def _head(self, state_id: str) -> Head | None:
        """The head, or None for a state that was never written."""
        connection = plane(self._environment)
        if connection.capabilities.dialect != "sqlite":
            return await state_rows.head_of(connection, state_id)
        if self._glance is None:
            name = quote(str(connection.filename))  # type: ignore[attr-defined]  # of the SQLite client
            self._glance = sqlite3.connect(f"file:{name}?mode=ro", uri=True, isolation_level=None, timeout=10)
        row = self._glance.execute(state_rows.HEAD, (state_id,)).fetchone()
        return Head(*row) if row else None

    async def _load(
        self, connection: BaseDBAsyncClient, state_id: str, known: State | None, head: Head
    ) -> State:
        """The rows newer than `known`, laid over it; all of them where a reset lies in between."""
        if known is None or known.version < head.base:
            known = None
        newer, version = await state_rows.load(connection, state_id, -1 if known is None else known.version)
        rows = newer if known is None else {**known.rows, **newer}
        return State(max(head.version, version), rows, head.clock_us, head.city)


def _writes(outcome: Outcome) -> bool:
    return bool(outcome.changes or outcome.told or outcome.withdrawn)
