"""The second road: an app fetches its events itself, from a place in its feed on, and says how far it has come.

The feed holds everything, delivered or not. Nothing is lost by fetching twice: acknowledging only moves the place
from which a fetch without cursor begins.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct

from api.core.caller import Caller
from api.core.store import plane
from api.events.envelope import cloud_event
from api.events.permissions import readable_app
from api.events.rows import EVENT_COLUMNS, change, fetch, marks
from api.identity.inputs import refuse_input
from api.identity.models import App

LATEST = "latest"  # the cursor that begins behind everything there is
MAX_WAIT_SECONDS = 25
_LOOK_SECONDS = 0.25


class FeedPage(Struct, frozen=True):
    """Events in order. `cursor` is where the next fetch begins; `has_more`: there is more at once."""

    events: list[dict[str, Any]]  # CloudEvents
    cursor: str
    acknowledged: str
    has_more: bool


async def read_feed(
    caller: Caller, app_id: str, *, cursor: str = "", limit: int = 50, types: Sequence[str] = (), wait_seconds: float = 0,
    is_ending: Callable[[], bool] = lambda: False,
) -> FeedPage:  # fmt: skip
    """Events after `cursor`; without one, after what was acknowledged. Waits for the first for up to `wait_seconds`,
    not longer than until this process `is_ending`.

    Raises not-found, permission-denied, input-invalid (no cursor of a feed).
    """
    app = await readable_app(caller, app_id)
    head, acknowledged = await _head(app)
    after = head if cursor == LATEST else _position(cursor) if cursor else acknowledged
    end = time.monotonic() + min(wait_seconds, MAX_WAIT_SECONDS)
    while True:
        rows = await _after(app, after, limit + 1, types)
        left = end - time.monotonic()
        if rows or left <= 0 or is_ending():
            break
        await asyncio.sleep(min(_LOOK_SECONDS, left))
    shown = rows[:limit]
    last = int(shown[-1]["position"]) if shown else after
    return FeedPage([cloud_event(row) for row in shown], str(last), str(acknowledged), len(rows) > limit)


async def acknowledge(caller: Caller, app_id: str, cursor: str) -> str:
    """Note that everything up to `cursor` is done with; never backwards, never past the end. Returns the place.

    Raises not-found, permission-denied, input-invalid.
    """
    app = await readable_app(caller, app_id)
    position = _position(cursor)
    head, _ = await _head(app)
    if position > head:
        raise refuse_input("/cursor", f"事件只到 {head}。", f"The feed ends at {head}.")
    await change(
        plane(app.environment),
        "UPDATE event_feed_head SET acknowledged = ? WHERE app_id = ? AND acknowledged < ?",
        position, app.id, position,
    )  # fmt: skip
    _, acknowledged = await _head(app)
    return str(acknowledged)


async def _head(app: App) -> tuple[int, int]:
    """(last position, acknowledged position) of the app's feed."""
    rows = await fetch(
        plane(app.environment),
        "SELECT position, acknowledged FROM event_feed_head WHERE app_id = ?",
        app.id,
    )
    return (int(rows[0]["position"]), int(rows[0]["acknowledged"])) if rows else (0, 0)


async def _after(app: App, position: int, most: int, types: Sequence[str]) -> list[dict[str, Any]]:
    only = f"AND e.type IN ({marks(types)})" if types else ""
    return await fetch(
        plane(app.environment),
        f"SELECT {EVENT_COLUMNS} FROM event_feed f JOIN event e ON e.id = f.event_id "  # noqa: S608 - columns
        f"WHERE f.app_id = ? AND f.position > ? {only} ORDER BY f.position LIMIT ?",
        app.id, position, *types, most,
    )  # fmt: skip


def _position(cursor: str) -> int:
    if cursor.isascii() and cursor.isdigit() and len(cursor) <= 18:
        return int(cursor)
    raise refuse_input(
        "/cursor", "游标无效;不带游标重新开始。", "It is no cursor of this feed; begin without one."
    )
