"""The delivery log: what was brought where and when, what failed and why, and doing it again."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient

from api.core import audit, clock
from api.core.caller import Caller
from api.core.outbox import microseconds
from api.core.paging import Page, make_cursor, read_cursor
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.core.store import plane
from api.events.endpoints.models import Endpoint
from api.events.endpoints.service import get_endpoint
from api.events.envelope import cloud_event, moment_of
from api.events.models import Attempt, Delivery
from api.events.permissions import changeable_app, readable_app
from api.events.release import add_deliveries, new_delivery, wants
from api.events.rows import EVENT_COLUMNS, change, fetch, marks
from api.identity.inputs import check_id
from api.identity.models import App

WHAT = Text("投递", "delivery")
STATES = ("waiting", "delivered", "failed")
_BATCH = 500
_AGAIN = (
    "UPDATE webhook_delivery SET state = 'waiting', reason = '', attempts = 0, started_at = ?, next_at = ?, "
    "blocks_until = 0, overtaken_at = 0, finished_at = 0, lease_until = 0, lease_holder = '' WHERE state <> 'waiting' "
)


class DeliveryFilter(Struct, frozen=True):
    """Which deliveries to list. `is_gap`: those that later events of their subject went past, or that were given up."""

    endpoint_id: str = ""
    state: str = ""
    type: str = ""
    is_gap: bool = False


class DeliveryDetail(Struct, frozen=True):
    """A delivery with its attempts, the oldest first, and the event as it is sent."""

    delivery: dict[str, Any]
    attempts: list[Attempt]
    event: dict[str, Any]


async def deliveries_of(
    caller: Caller, app_id: str, wanted: DeliveryFilter, *, limit: int = 50, cursor: str = ""
) -> Page[dict[str, Any]]:
    """A page of deliveries with subject and sequence, the newest first. Raises not-found, permission-denied."""
    app = await readable_app(caller, app_id)
    where = ["d.app_id = ?"]
    values: list[Any] = [app.id]
    for column, value in (
        ("endpoint_id", wanted.endpoint_id),
        ("state", wanted.state),
        ("type", wanted.type),
    ):
        if value:
            where.append(f"d.{column} = ?")
            values.append(value)
    if wanted.is_gap:
        where.append("(d.overtaken_at > 0 OR d.state = 'failed')")
    if cursor:
        moment, identifier = read_cursor(cursor)
        where.append("(d.created_at < ? OR (d.created_at = ? AND d.id < ?))")
        values += [microseconds(moment), microseconds(moment), identifier]
    rows = await _rows(plane(app.environment), " AND ".join(where), values, limit + 1)
    if len(rows) <= limit:
        return Page(rows)
    last = rows[limit - 1]
    return Page(rows[:limit], make_cursor(moment_of(int(last["created_at"])), last["delivery_id"]))


async def get_delivery(caller: Caller, app_id: str, delivery_id: str) -> DeliveryDetail:
    """One delivery. Raises not-found, permission-denied."""
    app = await readable_app(caller, app_id)
    check_id(delivery_id, "wd", WHAT)
    connection = plane(app.environment)
    rows = await _rows(connection, "d.app_id = ? AND d.id = ?", [app.id, delivery_id], 1)
    if not rows:
        raise Refusal(NOT_FOUND, what=WHAT)
    attempts = await Attempt.filter(delivery_id=delivery_id).using_db(connection).order_by("id").limit(200)
    return DeliveryDetail(rows[0], attempts, cloud_event(rows[0]))


async def replay(caller: Caller, app_id: str, delivery_id: str) -> None:
    """Bring one event again, with the same id. Raises not-found, permission-denied, conflict (endpoint not active)."""
    app = await changeable_app(caller, app_id)
    check_id(delivery_id, "wd", WHAT)
    connection = plane(app.environment)
    row = await Delivery.get_or_none(id=delivery_id, app_id=app.id, using_db=connection)
    if row is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    endpoint = await Endpoint.get_or_none(id=row.endpoint_id)
    _check_active(endpoint)
    await _note(caller, app, row.endpoint_id, delivery=delivery_id)
    now = microseconds(clock.now())
    if not await change(connection, _AGAIN + "AND id = ?", now, now, delivery_id):
        await change(  # it waits already: at once then, unless someone is at it
            connection,
            "UPDATE webhook_delivery SET next_at = ? WHERE id = ? AND state = 'waiting' AND lease_until < ?",
            now, delivery_id, now,
        )  # fmt: skip


async def replay_failed(caller: Caller, app_id: str, endpoint_id: str) -> int:
    """Bring everything again that was given up. Returns how many events. Raises as `replay`."""
    app = await changeable_app(caller, app_id)
    endpoint = await get_endpoint(caller, app_id, endpoint_id)
    _check_active(endpoint)
    await _note(caller, app, endpoint.id, failed=True)
    now = microseconds(clock.now())
    return await change(
        plane(app.environment), _AGAIN + "AND endpoint_id = ? AND state = 'failed'", now, now, endpoint.id
    )


async def replay_range(
    caller: Caller, app_id: str, endpoint_id: str, since: datetime, until: datetime
) -> int:
    """Bring again what was released from `since` to before `until`, also what the endpoint never got.

    Returns how many events. Raises as `replay`.
    """
    app = await changeable_app(caller, app_id)
    endpoint = await get_endpoint(caller, app_id, endpoint_id)
    _check_active(endpoint)
    await _note(caller, app, endpoint.id, since=clock.to_text(since), until=clock.to_text(until))
    begin, end, count = microseconds(since), microseconds(until), 0
    after = 0
    while True:
        entries = await fetch(
            plane(app.environment),
            "SELECT e.id, e.type, f.lane, f.position FROM event_feed f JOIN event e ON e.id = f.event_id "
            "WHERE f.app_id = ? AND f.position > ? AND f.released_at >= ? AND f.released_at < ? "
            "ORDER BY f.position LIMIT ?",
            app.id, after, begin, end, _BATCH,
        )  # fmt: skip
        if not entries:
            return count
        after = int(entries[-1]["position"])
        count += await _bring(app, endpoint, [one for one in entries if wants(endpoint, one["type"])])


async def _bring(app: App, endpoint: Endpoint, entries: Sequence[dict[str, Any]]) -> int:
    if not entries:
        return 0
    connection = plane(app.environment)
    now = microseconds(clock.now())
    names = [one["id"] for one in entries]
    await change(
        connection,
        f"{_AGAIN} AND endpoint_id = ? AND event_id IN ({marks(names)})",
        now, now, endpoint.id, *names,
    )  # fmt: skip
    await add_deliveries(connection, [new_delivery(app.id, endpoint.id, one, at=now) for one in entries])
    return len(entries)


async def _rows(
    connection: BaseDBAsyncClient, where: str, values: Sequence[Any], most: int
) -> list[dict[str, Any]]:
    return await fetch(
        connection,
        "SELECT d.id AS delivery_id, d.endpoint_id, d.state, d.reason, d.attempts, d.created_at, d.next_at, "  # noqa: S608 - columns
        f"d.finished_at, d.overtaken_at, d.last_status, {EVENT_COLUMNS}, "
        "(SELECT MAX(a.latency_ms) FROM webhook_attempt a WHERE a.id = "
        "(SELECT MAX(b.id) FROM webhook_attempt b WHERE b.delivery_id = d.id)) AS latency_ms "
        "FROM webhook_delivery d JOIN event e ON e.id = d.event_id "
        "JOIN event_feed f ON f.app_id = d.app_id AND f.position = d.position "
        f"WHERE {where} ORDER BY d.created_at DESC, d.id DESC LIMIT ?",
        *values,
        most,
    )


async def _note(caller: Caller, app: App, endpoint_id: str, **detail: Any) -> None:
    """Replaying makes a receiver act again: it stands in the journal."""
    async with audit.write(
        caller.actor, "webhook:replay", f"app/{app.id}", organisation=app.organisation_id, endpoint=endpoint_id, **detail
    ):  # fmt: skip
        pass


def _check_active(endpoint: Endpoint | None) -> None:
    if endpoint is not None and endpoint.state == "active":
        return
    state = endpoint.state if endpoint else "deleted"
    raise Refusal(
        CONFLICT,
        rule="webhook-not-active",
        state=state,
        reason=Text(f"端点的状态是 {state},不会收到事件。", f"The endpoint is {state}; it gets no events."),
        following=Text("先验证端点(verify)。", "Verify the endpoint first."),
    )
