"""The outbox of a data plane: an event is a row, written in the transaction of the change that it tells of.

    async with in_transaction("sandbox") as connection:
        ...                                       # the change
        await outbox.add(connection, environment="sandbox", source="post@v1", type="post.order.delivered",
                         subject="order/P2026…", data={…}, app_id=app_id, due_at=None)

So an event is never lost and never told of a change that was rolled back. Nothing is delivered here: api.events
releases what is due, in order, gives it its sequence, and brings it to those who may know of it.
"""

from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient

from api.core import clock, ids
from api.core.store import placeholders

MOST_DATA_BYTES = 65_536  # of one event's data as JSON: an event tells what happened, it carries no documents
_PREFIX = {"sandbox": "es", "live": "el"}
_encoder = msgspec.json.Encoder()


class EventTooLargeError(ValueError):
    """The data of an event is larger than `MOST_DATA_BYTES`."""


class NewEvent(Struct, frozen=True):
    """An event to be told. `due_at` None: at once; a moment in the future of the app's clock: when it comes."""

    source: str  # the service that tells it: "post@v1"
    type: str  # a name of the contract's `webhooks`: "post.order.delivered"
    subject: str  # what it is about: "order/P2026…"; its events keep their order
    data: dict[str, Any]
    app_id: str = ""  # whose state it happened in (sandbox), whom it concerns (live); "" = every subscriber
    due_at: datetime | None = None
    request_id: str = ""  # of the call that it came of
    id: str = ""  # where the same event may be told twice; else one is made


async def add(
    connection: BaseDBAsyncClient,
    *,
    environment: str,
    source: str,
    type: str,  # noqa: A002 - the name of CloudEvents
    subject: str,
    data: dict[str, Any],
    app_id: str = "",
    due_at: datetime | None = None,
    request_id: str = "",
) -> str:
    """Put one event into the outbox of this plane. Returns its id, the `id` of the CloudEvent.

    `connection` is the running transaction of the change. Raises EventTooLargeError.
    """
    event = NewEvent(source, type, subject, data, app_id, due_at, request_id)
    return (await add_all(connection, environment, [event]))[0]


async def add_all(connection: BaseDBAsyncClient, environment: str, events: list[NewEvent]) -> list[str]:
    """Put several events into the outbox, in their order. Returns their ids. Raises EventTooLargeError."""
    if not events:
        return []
    rows = [_row(environment, event) for event in events]
    await connection.execute_many(
        "INSERT INTO event (id, app_id, source, type, subject, data, request_id, at, due_at, released_at) "  # noqa: S608 - placeholders
        f"VALUES ({placeholders(connection, 10)})",
        rows,
    )
    return [str(row[0]) for row in rows]


async def pending(connection: BaseDBAsyncClient, app_id: str) -> list[NewEvent]:
    """The events of an app that wait for their time, in the order of writing."""
    _, rows = await connection.execute_query(
        "SELECT source, type, subject, data, due_at, request_id FROM event "  # noqa: S608 - a placeholder
        f"WHERE released_at = 0 AND due_at > 0 AND app_id = {placeholders(connection, 1)} ORDER BY number",
        [app_id],
    )
    return [
        NewEvent(
            row["source"], row["type"], row["subject"], msgspec.json.decode(row["data"]), app_id,
            datetime.fromtimestamp(int(row["due_at"]) / 1_000_000, UTC), row["request_id"],
        )
        for row in rows
    ]  # fmt: skip


async def withdraw(connection: BaseDBAsyncClient, app_id: str, source: str = "", subject: str = "") -> int:
    """Take back events of an app that wait for their time: all, or those of one subject of one service."""
    values = [app_id, source, subject] if source else [app_id]
    marks = placeholders(connection, len(values)).split(", ")
    which = f" AND source = {marks[1]} AND subject = {marks[2]}" if source else ""
    count, _ = await connection.execute_query(
        f"DELETE FROM event WHERE released_at = 0 AND due_at > 0 AND app_id = {marks[0]}{which}",  # noqa: S608 - placeholders
        values,
    )
    return int(count)


def microseconds(moment: datetime) -> int:
    """Microseconds since the epoch: how the plane stores keep moments that are compared."""
    return round(moment.timestamp() * 1_000_000)


def _row(environment: str, event: NewEvent) -> list[Any]:
    text = _encoder.encode(event.data)
    if len(text) > MOST_DATA_BYTES:
        raise EventTooLargeError(f"{event.type}: {len(text)} bytes of data, the most is {MOST_DATA_BYTES}")
    at = microseconds(clock.now())
    due_at = 0 if event.due_at is None else microseconds(event.due_at)
    return [
        event.id or ids.random_id(_PREFIX[environment]), event.app_id, event.source, event.type, event.subject,
        text.decode(), event.request_id, at, due_at, 0,
    ]  # fmt: skip
