"""The queue of deliveries: taking a lease, telling what came of an attempt, holding up and overtaking.

Every rule is one conditional update, so any number of processes may work on the queue. An event is sent twice only
where a process died between the receiver's answer and its own commit; it then carries the same id.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from api.core import clock, ids
from api.core.outbox import microseconds
from api.core.store import plane
from api.events.rows import EVENT_COLUMNS, change, change_many, fetch, is_postgresql

_SECOND = 1_000_000


class Claimed(Struct, frozen=True):
    """A delivery that this process may attempt now, until its lease ends."""

    id: str
    app_id: str
    endpoint_id: str
    lane: str
    position: int
    attempts: int  # made before, since creation or replay
    started_at: int
    holder: str
    event: dict[str, Any]  # EVENT_COLUMNS


class Outcome(Struct, frozen=True):
    """What came of an attempt. `state` is delivered, waiting (try again at `next_at`) or failed (`reason`)."""

    claimed: Claimed
    state: str
    at: int
    status: int = 0
    latency_ms: int = 0
    error: str = ""
    snippet: str = ""
    reason: str = ""
    next_at: int = 0
    blocks_until: int = 0
    is_attempt: bool = True  # False: nothing was sent


# A delivery may go when no earlier one of its subject still waits: one that was not tried yet, or that failed
# and may hold the others up for some time more.
_READY = """
SELECT d.id FROM webhook_delivery d
WHERE d.endpoint_id = ? AND d.state = 'waiting' AND d.next_at <= ? AND d.lease_until < ?
AND NOT EXISTS (
    SELECT 1 FROM webhook_delivery e
    WHERE e.endpoint_id = d.endpoint_id AND e.lane = d.lane AND e.state = 'waiting' AND e.position < d.position
    AND (e.attempts = 0 OR e.blocks_until > ? OR e.lease_until >= ?)
)
ORDER BY d.next_at, d.position LIMIT ? {lock}
"""


async def endpoints_with_work(environment: str) -> list[str]:
    """The endpoints for which a delivery is due and in nobody's hands."""
    now = microseconds(clock.now())
    rows = await fetch(
        plane(environment),
        "SELECT DISTINCT endpoint_id FROM webhook_delivery WHERE state = 'waiting' AND next_at <= ? AND lease_until < ?",
        now, now,
    )  # fmt: skip
    return [str(row["endpoint_id"]) for row in rows]


async def claim(environment: str, endpoint_id: str, *, most: int, lease_seconds: float) -> list[Claimed]:
    """Take the lease of up to `most` deliveries to the endpoint that may go now, in the order of its feed."""
    connection = plane(environment)
    now = microseconds(clock.now())
    holder = ids.random_id("lease")
    if is_postgresql(
        connection
    ):  # as an array it is worked out once; joined, PostgreSQL may take more than `most`
        chosen = f"= ANY(ARRAY({_READY.format(lock='FOR UPDATE OF d SKIP LOCKED')}))"
    else:
        chosen = f"IN ({_READY.format(lock='')})"
    taken = await change(
        connection,
        f"UPDATE webhook_delivery SET lease_until = ?, lease_holder = ? WHERE id {chosen} "  # noqa: S608 - placeholders
        "AND state = 'waiting' AND lease_until < ?",
        now + round(lease_seconds * _SECOND), holder, endpoint_id, now, now, now, now, most, now,
    )  # fmt: skip
    if not taken:
        return []
    rows = await fetch(
        connection,
        f"SELECT d.id AS delivery_id, d.app_id, d.endpoint_id, d.lane, d.attempts, d.started_at, {EVENT_COLUMNS} "  # noqa: S608 - columns
        "FROM webhook_delivery d JOIN event e ON e.id = d.event_id "
        "JOIN event_feed f ON f.app_id = d.app_id AND f.position = d.position "
        "WHERE d.lease_holder = ? AND d.state = 'waiting' ORDER BY d.position",
        holder,
    )
    return [
        Claimed(
            id=row["delivery_id"], app_id=row["app_id"], endpoint_id=row["endpoint_id"], lane=row["lane"],
            position=int(row["position"]), attempts=int(row["attempts"]), started_at=int(row["started_at"]),
            holder=holder, event=row,
        )
        for row in rows
    ]  # fmt: skip


async def settle(environment: str, outcomes: Sequence[Outcome]) -> None:
    """Write what came of attempts, in one transaction."""
    async with in_transaction(environment) as connection:
        for one in outcomes:
            await _settle(connection, one)
        await change_many(
            connection,
            "INSERT INTO webhook_attempt (delivery_id, at, status, latency_ms, error, snippet) VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.claimed.id, one.at, one.status, one.latency_ms, one.error, one.snippet)
                for one in outcomes
                if one.is_attempt
            ],
        )
        for endpoint_id in {one.claimed.endpoint_id for one in outcomes if one.is_attempt}:
            own = [one for one in outcomes if one.claimed.endpoint_id == endpoint_id and one.is_attempt]
            await _note_health(connection, endpoint_id, own)


async def _settle(connection: BaseDBAsyncClient, one: Outcome) -> None:
    claimed = one.claimed
    attempts = int(one.is_attempt)
    if one.state == "delivered":  # whoever holds the lease by now: it has arrived
        await change(
            connection,
            "UPDATE webhook_delivery SET state = 'delivered', attempts = attempts + 1, finished_at = ?, last_status = ?, "
            "reason = '', lease_until = 0, lease_holder = '' WHERE id = ? AND state <> 'delivered'",
            one.at, one.status, claimed.id,
        )  # fmt: skip
        await change(
            connection,
            "UPDATE webhook_delivery SET overtaken_at = ? WHERE endpoint_id = ? AND lane = ? AND state = 'waiting' "
            "AND position < ? AND overtaken_at = 0",
            one.at, claimed.endpoint_id, claimed.lane, claimed.position,
        )  # fmt: skip
        return
    await change(
        connection,
        "UPDATE webhook_delivery SET state = ?, attempts = attempts + ?, finished_at = ?, last_status = ?, reason = ?, "
        "next_at = ?, blocks_until = ?, lease_until = 0, lease_holder = '' "
        "WHERE id = ? AND state = 'waiting' AND lease_holder = ?",
        one.state, attempts, one.at if one.state == "failed" else 0, one.status, one.reason, one.next_at,
        one.blocks_until, claimed.id, claimed.holder,
    )  # fmt: skip


async def _note_health(connection: BaseDBAsyncClient, endpoint_id: str, outcomes: Sequence[Outcome]) -> None:
    good = max((one.at for one in outcomes if one.state == "delivered"), default=0)
    bad = [one.at for one in outcomes if one.state != "delivered" and one.at > good]
    await change(
        connection,
        "INSERT INTO webhook_health (endpoint_id, failing_since, failures, last_success_at) VALUES (?, 0, 0, 0) "
        "ON CONFLICT (endpoint_id) DO NOTHING",
        endpoint_id,
    )
    if good:
        await change(
            connection,
            "UPDATE webhook_health SET failing_since = 0, failures = 0, last_success_at = ? WHERE endpoint_id = ?",
            good, endpoint_id,
        )  # fmt: skip
    if bad:
        await change(
            connection,
            "UPDATE webhook_health SET failures = failures + ?, "
            "failing_since = CASE WHEN failing_since = 0 THEN ? ELSE failing_since END WHERE endpoint_id = ?",
            len(bad), min(bad), endpoint_id,
        )  # fmt: skip


async def give_up_waiting(environment: str, endpoint_id: str, reason: str) -> int:
    """Everything that waits for an endpoint is given up; it stays in the log and can be replayed."""
    return await change(
        plane(environment),
        "UPDATE webhook_delivery SET state = 'failed', reason = ?, finished_at = ?, lease_until = 0, lease_holder = '' "
        "WHERE endpoint_id = ? AND state = 'waiting'",
        reason, microseconds(clock.now()), endpoint_id,
    )  # fmt: skip


async def failing_since(environment: str, endpoint_id: str) -> int:
    """Since when the endpoint has given no good answer, 0 when its last one was good."""
    rows = await fetch(
        plane(environment), "SELECT failing_since FROM webhook_health WHERE endpoint_id = ?", endpoint_id
    )
    return int(rows[0]["failing_since"]) if rows else 0


async def forget_health(environment: str, endpoint_id: str) -> None:
    """A new start for an endpoint that was just verified."""
    await change(plane(environment), "DELETE FROM webhook_health WHERE endpoint_id = ?", endpoint_id)


async def backlog(environment: str) -> tuple[int, float]:
    """How many deliveries wait, and for how many seconds the oldest of them has: for the metrics."""
    rows = await fetch(
        plane(environment),
        "SELECT COUNT(*) AS count, MIN(started_at) AS oldest FROM webhook_delivery WHERE state = 'waiting'",
    )
    oldest = rows[0]["oldest"]
    age = 0.0 if oldest is None else (microseconds(clock.now()) - int(oldest)) / _SECOND
    return int(rows[0]["count"]), max(0.0, age)


async def clear_old(environment: str, days: int) -> int:
    """Forget events that are older than so many days, with their deliveries; never what still waits.

    The newest entry of each subject stays, so that its sequence goes on.
    """
    before = microseconds(clock.now()) - days * 86_400 * _SECOND
    connection = plane(environment)
    await change(
        connection,
        "DELETE FROM webhook_attempt WHERE delivery_id IN "
        "(SELECT id FROM webhook_delivery WHERE created_at < ? AND state <> 'waiting')",
        before,
    )
    await change(
        connection, "DELETE FROM webhook_delivery WHERE created_at < ? AND state <> 'waiting'", before
    )
    await change(
        connection,
        "DELETE FROM event_feed WHERE released_at < ? AND NOT EXISTS (SELECT 1 FROM webhook_delivery d "
        "WHERE d.event_id = event_feed.event_id) AND EXISTS (SELECT 1 FROM event_feed later "
        "WHERE later.app_id = event_feed.app_id AND later.lane = event_feed.lane AND later.sequence > event_feed.sequence)",
        before,
    )
    return await change(
        connection,
        "DELETE FROM event WHERE released_at > 0 AND released_at < ? AND NOT EXISTS "
        "(SELECT 1 FROM webhook_delivery d WHERE d.event_id = event.id)",
        before,
    )
