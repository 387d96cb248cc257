"""Releasing: an event whose time has come gets its place in the feeds of those who may know, and its deliveries.

Each app's feed has a head row, taken first; so positions are given in the order of commits, a reader never
skips one, and several processes may release at once. The order within a feed is that in which things happened.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from api.core import clock, ids
from api.core.logging import log_warning
from api.core.outbox import microseconds
from api.core.store import plane
from api.events.endpoints.models import Endpoint
from api.events.rows import change, change_many, fetch, is_postgresql, marks
from api.events.types import subscribers_of_type, types_of_app

AT_ONCE = 200  # events of one app in one transaction
_NO_END = 2**62


class AppClocks(Protocol):
    """The clocks that apps have set in their sandbox."""

    async def moved(self) -> Mapping[str, datetime]:
        """The present instant of every app whose clock is not the real one, by app id."""
        ...


class RealClocks:
    """Nobody has set a clock: the live plane."""

    async def moved(self) -> Mapping[str, datetime]:
        return {}


def lane_of(source: str, subject: str) -> str:
    """What keeps its order: one subject of one service."""
    return hashlib.sha256(f"{source}\n{subject}".encode()).hexdigest()[:32]


async def release_due(environment: str, clocks: AppClocks) -> int:
    """Release everything whose time has come. Returns how many events that were; call it again after `AT_ONCE`."""
    pending = await fetch(
        plane(environment),
        "SELECT app_id, MIN(due_at) AS first FROM event WHERE released_at = 0 GROUP BY app_id",
    )
    if not pending:
        return 0
    now = clock.now()
    moved = await clocks.moved()
    barrier = await _first_for_everybody(environment, now)
    count = 0
    for row in pending:
        app_id = str(row["app_id"])
        present = moved.get(app_id, now)
        if app_id and int(row["first"]) <= microseconds(present):
            count += await _release_app(
                environment, app_id, present, is_moved=app_id in moved, before=barrier
            )
    if barrier != _NO_END:
        count += await _release_for_everybody(environment, now, barrier)
    return count


async def _first_for_everybody(environment: str, now: datetime) -> int:
    """The number of the first event that is due for every subscriber: an app's own ones before it come first."""
    rows = await fetch(
        plane(environment),
        "SELECT MIN(number) AS first FROM event WHERE released_at = 0 AND app_id = '' AND due_at <= ?",
        microseconds(now),
    )
    return _NO_END if rows[0]["first"] is None else int(rows[0]["first"])


async def _release_app(
    environment: str, app_id: str, present: datetime, *, is_moved: bool, before: int
) -> int:
    known = await types_of_app(app_id, environment)
    endpoints = await Endpoint.filter(app_id=app_id, state="active").order_by("id")
    async with in_transaction(environment) as connection:
        head = await _take_head(connection, app_id)
        events = await _due(connection, app_id, present, before)
        told = [one for one in events if (one["source"], one["type"]) in known]
        entries = await _enter(connection, app_id, head, told, present if is_moved else None)
        await _deliver(connection, app_id, endpoints, entries)
        await _mark_released(connection, [one["number"] for one in events])
    for one in events:
        if (one["source"], one["type"]) not in known:
            log_warning("event.untold", service=one["source"], type=one["type"], app=app_id)
    return len(events)


async def _release_for_everybody(environment: str, present: datetime, first: int) -> int:
    """Up to the next event of a single app, which then has its turn."""
    rows = await fetch(
        plane(environment),
        "SELECT MIN(number) AS next FROM event WHERE released_at = 0 AND app_id <> '' AND due_at <= ? AND number > ?",
        microseconds(present),
        first,
    )
    before = _NO_END if rows[0]["next"] is None else int(rows[0]["next"])
    events = await _due(plane(environment), "", present, before)
    for event in events:
        apps = await subscribers_of_type(event["source"], event["type"], environment)
        endpoints = await Endpoint.filter(app_id__in=apps or [""], state="active").order_by("id")
        async with in_transaction(environment) as connection:
            if await _mark_released(connection, [event["number"]]) != 1:
                continue  # another process did
            for app_id in apps:  # in order of their ids: two processes never wait for each other
                head = await _take_head(connection, app_id)
                entries = await _enter(connection, app_id, head, [event], None)
                own = [one for one in endpoints if one.app_id == app_id]
                await _deliver(connection, app_id, own, entries)
    return len(events)


async def _take_head(connection: BaseDBAsyncClient, app_id: str) -> int:
    """Hold the app's feed until the end of the transaction. Returns its last position."""
    await change(
        connection,
        "INSERT INTO event_feed_head (app_id, position, acknowledged) VALUES (?, 0, 0) "
        "ON CONFLICT (app_id) DO UPDATE SET position = event_feed_head.position",
        app_id,
    )
    rows = await fetch(connection, "SELECT position FROM event_feed_head WHERE app_id = ?", app_id)
    return int(rows[0]["position"])


async def _due(
    connection: BaseDBAsyncClient, app_id: str, present: datetime, before: int
) -> list[dict[str, Any]]:
    """What is due for the app, as it happened; of one moment in the order of writing."""
    held = "FOR UPDATE" if is_postgresql(connection) else ""  # so that none is withdrawn meanwhile
    return await fetch(
        connection,
        "SELECT number, id, source, type, subject, at, due_at FROM event "  # noqa: S608 - a word of ours
        "WHERE released_at = 0 AND app_id = ? AND due_at <= ? AND number < ? "
        f"ORDER BY CASE WHEN due_at = 0 THEN at ELSE due_at END, number LIMIT ? {held}",
        app_id,
        microseconds(present),
        before,
        AT_ONCE,
    )


async def _enter(
    connection: BaseDBAsyncClient,
    app_id: str,
    position: int,
    events: Sequence[Mapping[str, Any]],
    present: datetime | None,
) -> list[dict[str, Any]]:
    """Give the events their places in the feed. `present` is the app's clock where it is not the real one."""
    if not events:
        return []
    lanes = {one["id"]: lane_of(one["source"], one["subject"]) for one in events}
    distinct = sorted(set(lanes.values()))
    rows = await fetch(
        connection,
        "SELECT lane, MAX(sequence) AS last FROM event_feed "  # noqa: S608 - placeholders
        f"WHERE app_id = ? AND lane IN ({marks(distinct)}) GROUP BY lane",
        app_id,
        *distinct,
    )
    last = {row["lane"]: int(row["last"]) for row in rows}
    now = microseconds(clock.now())
    otherwise = None if present is None else microseconds(present)
    entries = []
    for one in events:
        position += 1
        lane = lanes[one["id"]]
        last[lane] = last.get(lane, 0) + 1
        time = one["due_at"] or otherwise or one["at"]
        entries.append({
            "id": one["id"], "type": one["type"], "lane": lane, "position": position, "released_at": now,
            "values": (app_id, position, one["id"], lane, last[lane], time, now),
        })  # fmt: skip
    await change_many(
        connection,
        "INSERT INTO event_feed (app_id, position, event_id, lane, sequence, time, released_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        [one["values"] for one in entries],
    )
    await change(connection, "UPDATE event_feed_head SET position = ? WHERE app_id = ?", position, app_id)
    return entries


async def _deliver(
    connection: BaseDBAsyncClient,
    app_id: str,
    endpoints: Sequence[Endpoint],
    entries: Sequence[Mapping[str, Any]],
) -> None:
    rows = [
        new_delivery(app_id, endpoint.id, one, at=one["released_at"])
        for one in entries
        for endpoint in endpoints
        if wants(endpoint, one["type"])
    ]
    await add_deliveries(connection, rows)


def wants(endpoint: Endpoint, event_type: str) -> bool:
    """Whether the endpoint takes events of this type."""
    return not endpoint.types or event_type in endpoint.types


def new_delivery(app_id: str, endpoint_id: str, entry: Mapping[str, Any], *, at: int) -> tuple[Any, ...]:
    """The row of a delivery that waits from `at` on; `entry` has id, type, lane and position."""
    return (
        ids.random_id("wd"), app_id, endpoint_id, entry["id"], entry["type"], entry["lane"], entry["position"],
        "waiting", at, at, at,
    )  # fmt: skip


async def add_deliveries(connection: BaseDBAsyncClient, rows: Sequence[tuple[Any, ...]]) -> None:
    """Write deliveries made by `new_delivery`; one that is there already stays as it is."""
    await change_many(
        connection,
        "INSERT INTO webhook_delivery (id, app_id, endpoint_id, event_id, type, lane, position, state, created_at, "
        "started_at, next_at, attempts, reason, blocks_until, overtaken_at, lease_until, lease_holder, finished_at, last_status) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, 0, 0, '', 0, 0) ON CONFLICT (endpoint_id, event_id) DO NOTHING",
        rows,
    )


async def _mark_released(connection: BaseDBAsyncClient, numbers: Sequence[int]) -> int:
    if not numbers:
        return 0
    return await change(
        connection,
        f"UPDATE event SET released_at = ? WHERE released_at = 0 AND number IN ({marks(numbers)})",  # noqa: S608 - placeholders
        microseconds(clock.now()),
        *numbers,
    )
