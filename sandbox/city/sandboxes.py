"""What an app does with its sandbox as a whole: move the clock, reset, keep a state under a name and go back to it.

A state is kept with its clock and with the events still to come, so what is restored goes on as it would have.
Before a reset or a restore the present state is kept as BEFORE: the undo. These are operations on rows; who may
ask for them, and what a refusal says, is `service`.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient

from api.core import clock, outbox
from api.core.outbox import NewEvent, microseconds
from api.core.store import plane
from sandbox.city import state_rows
from sandbox.city.app_clocks import START, micros
from sandbox.city.state import States
from sandbox.city.state_rows import Head

BEFORE = "before-reset"  # the state before the last reset or restore
MOST_SNAPSHOTS = 20  # of one app, BEFORE left out
_COLUMNS = "name, records, created_at, clock_at, city, pending"
_read_events = msgspec.json.Decoder(list[NewEvent]).decode


class Snapshot(Struct, frozen=True):
    """A state under a name. `clock_at`: what the app's clock showed; None where it showed the real time."""

    name: str
    records: int
    created_at: datetime
    clock_at: datetime | None
    city: str
    events: list[NewEvent]


class TakenError(Exception):
    """There is a snapshot of this name, or it is the name of the automatic one."""


class TooManyError(Exception):
    """The app has MOST_SNAPSHOTS."""


class BackwardsError(Exception):
    """The clock would go back while there are changes made at later times. `shows` is what it shows."""

    def __init__(self, shows: datetime) -> None:
        super().__init__(shows.isoformat())
        self.shows = shows


class Sandboxes:
    """The sandboxes of one plane's apps."""

    def __init__(self, environment: str, states: States) -> None:
        self._environment = environment
        self._states = states

    # --- clock ---
    async def set_clock(self, app_id: str, moment: datetime | None) -> tuple[int, int]:
        """Let the app's clock show `moment` and run on from there; None is the real time again.

        Returns microseconds ahead of the real clock, and how many events fall due. Raises BackwardsError.
        """

        async def work(connection: BaseDBAsyncClient, head: Head) -> tuple[int, int]:
            real = clock.now()
            ahead = 0 if moment is None else micros(moment - real)
            present = micros(START - real) if head.clock_us is None else head.clock_us
            if ahead < present and await _count(connection, app_id):
                raise BackwardsError(real + timedelta(microseconds=present))
            await state_rows.set_head(connection, app_id, base=head.base, clock_us=ahead, city=head.city)
            due = await state_rows.fetch(
                connection,
                "SELECT count(*) AS due FROM event WHERE released_at = 0 AND app_id = ? AND due_at > 0 AND due_at <= ?",
                app_id, microseconds(real) + ahead,
            )  # fmt: skip
            return ahead, int(due[0]["due"])

        return await self._states.alter(app_id, work)

    # --- whole states ---
    async def reset(self, app_id: str) -> int:
        """Forget changes, clock (it stands at START again) and events still to come. How many records the app had changed."""

        async def work(connection: BaseDBAsyncClient, head: Head) -> int:
            count = await _count(connection, app_id)
            if count or head.clock_us is not None:
                await _keep(connection, app_id, BEFORE, head)
            await _forget(connection, app_id)
            await state_rows.set_head(connection, app_id, base=head.version, clock_us=None, city="")
            return count

        return await self._states.alter(app_id, work)

    async def keep(self, app_id: str, name: str) -> Snapshot:
        """Keep the present state under a name. Raises TakenError, TooManyError."""

        async def work(connection: BaseDBAsyncClient, head: Head) -> Snapshot:
            known = [one.name for one in await _snapshots(connection, app_id)]
            if name in known or name == BEFORE:
                raise TakenError
            if len([one for one in known if one != BEFORE]) >= MOST_SNAPSHOTS:
                raise TooManyError
            return await _keep(connection, app_id, name, head)

        return await self._states.alter(app_id, work)

    async def restore(self, app_id: str, name: str) -> Snapshot | None:
        """Go back to a kept state; the present one is BEFORE then. None where there is no such snapshot."""

        async def work(connection: BaseDBAsyncClient, head: Head) -> Snapshot | None:
            kept = next((one for one in await _snapshots(connection, app_id) if one.name == name), None)
            if kept is None:
                return None
            await state_rows.copy(connection, app_id, source=name, target=".", version=head.version)
            await _keep(connection, app_id, BEFORE, head)
            await _forget(connection, app_id)
            await state_rows.copy(connection, app_id, source=".", target="", version=head.version)
            await state_rows.clear(connection, app_id, ".")
            ahead = 0 if kept.clock_at is None else micros(kept.clock_at - clock.now())
            await state_rows.set_head(connection, app_id, base=head.version, clock_us=ahead, city=kept.city)
            await outbox.add_all(connection, self._environment, kept.events)
            return kept

        return await self._states.alter(app_id, work)

    async def drop(self, app_id: str, name: str) -> bool:
        """Delete a snapshot; whether there was one."""

        async def work(connection: BaseDBAsyncClient, head: Head) -> bool:
            await state_rows.clear(connection, app_id, name)
            return await _drop(connection, app_id, name) > 0

        return await self._states.alter(app_id, work)

    async def snapshots(self, app_id: str) -> list[Snapshot]:
        """The kept states, the oldest first."""
        return await _snapshots(plane(self._environment), app_id)


async def _count(connection: BaseDBAsyncClient, app_id: str) -> int:
    rows = await state_rows.fetch(
        connection, "SELECT count(*) AS records FROM city_state WHERE state_id = ? AND snapshot = ''", app_id
    )
    return int(rows[0]["records"])


async def _forget(connection: BaseDBAsyncClient, app_id: str) -> None:
    await state_rows.clear(connection, app_id)
    await outbox.withdraw(connection, app_id)


async def _keep(connection: BaseDBAsyncClient, app_id: str, name: str, head: Head) -> Snapshot:
    """Write the present state under the name, over what has it."""
    await state_rows.clear(connection, app_id, name)
    await _drop(connection, app_id, name)
    await state_rows.copy(connection, app_id, source="", target=name, version=head.version)
    records = await _count(connection, app_id)
    events = await outbox.pending(connection, app_id)
    real = microseconds(clock.now())
    await state_rows.change(
        connection,
        f"INSERT INTO city_snapshot (state_id, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - our own names
        app_id, name, records, real, _shown_at(real, head.clock_us), head.city,
        msgspec.json.encode(events).decode(),
    )  # fmt: skip
    return next(one for one in await _snapshots(connection, app_id) if one.name == name)


def _shown_at(real: int, clock_us: int | None) -> int:
    """What a clock shows at the real instant, in microseconds; 0 where that is the real time."""
    if clock_us is None:
        return microseconds(START)
    return real + clock_us if clock_us else 0


async def _drop(connection: BaseDBAsyncClient, app_id: str, name: str) -> int:
    return await state_rows.change(
        connection, "DELETE FROM city_snapshot WHERE state_id = ? AND name = ?", app_id, name
    )


async def _snapshots(connection: BaseDBAsyncClient, app_id: str) -> list[Snapshot]:
    rows = await state_rows.fetch(
        connection,
        f"SELECT {_COLUMNS} FROM city_snapshot WHERE state_id = ? ORDER BY created_at, id",  # noqa: S608 - our own names
        app_id,
    )
    return [_read(row) for row in rows]


def _read(row: Any) -> Snapshot:
    clock_at = int(row["clock_at"])
    return Snapshot(
        name=row["name"],
        records=int(row["records"]),
        created_at=_moment(int(row["created_at"])),
        clock_at=_moment(clock_at) if clock_at else None,
        city=row["city"],
        events=_read_events(row["pending"]),
    )


def _moment(us: int) -> datetime:
    return datetime.fromtimestamp(us / 1_000_000, UTC)
