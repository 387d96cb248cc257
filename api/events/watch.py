"""FeedWatch: the feeds of apps read by place, and one look for all who wait for theirs to grow.

For faces that hold a connection. It decides nothing about who may read which feed: whoever asks has done so.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from tortoise.exceptions import BaseORMException

from api.core.logging import log_failure
from api.core.store import plane
from api.events.envelope import cloud_event
from api.events.rows import EVENT_COLUMNS, fetch, marks
from api.events.types import types_of_app

LOOK_SECONDS = 0.5
_AT_ONCE = 500  # apps asked for in one statement


class FeedWatch:
    """The feeds of one plane, for this process."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._waiting: dict[
            str, dict[asyncio.Future[None], int]
        ] = {}  # app -> who waits, and behind which place
        self._looking: asyncio.Task[None] | None = None

    async def types_of(self, app_id: str) -> set[tuple[str, str]]:
        """(service, type) of what the app's subscriptions let it know of now."""
        return set(await types_of_app(app_id, self._environment))

    async def head(self, app_id: str) -> int:
        """The last place of the app's feed, 0 where it is empty."""
        return (await self._heads([app_id])).get(app_id, 0)

    async def after(
        self, app_id: str, position: int, types: Sequence[str], most: int
    ) -> list[tuple[int, str, dict[str, Any]]]:
        """(place, service, CloudEvent) behind a place, in order; those of these types, or all."""
        only = f"AND e.type IN ({marks(types)})" if types else ""
        rows = await fetch(
            plane(self._environment),
            f"SELECT {EVENT_COLUMNS} FROM event_feed f JOIN event e ON e.id = f.event_id "  # noqa: S608 - columns
            f"WHERE f.app_id = ? AND f.position > ? {only} ORDER BY f.position LIMIT ?",
            app_id, position, *types, most,
        )  # fmt: skip
        return [(int(row["position"]), str(row["source"]), cloud_event(row)) for row in rows]

    async def grown(self, app_id: str, position: int, seconds: float) -> None:
        """Return when the app's feed has something behind the place, or the time is up."""
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(app_id, {})[woken] = position
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await woken
        finally:
            others = self._waiting[app_id]
            others.pop(woken, None)
            if not others:
                del self._waiting[app_id]

    async def _look(self) -> None:
        """While anybody waits: one statement for all of them, again and again."""
        while self._waiting:
            await asyncio.sleep(LOOK_SECONDS)
            apps = list(self._waiting)
            heads: dict[str, int] = {}
            try:
                for begin in range(0, len(apps), _AT_ONCE):
                    heads |= await self._heads(apps[begin : begin + _AT_ONCE])
            except (
                BaseORMException,
                OSError,
            ) as error:  # the store is away for a moment: who waits has an end
                log_failure("event.watch", error)
            for app_id, head in heads.items():
                for woken, position in list(self._waiting.get(app_id, {}).items()):
                    if head > position and not woken.done():
                        woken.set_result(None)

    async def _heads(self, apps: Sequence[str]) -> dict[str, int]:
        rows = await fetch(
            plane(self._environment),
            f"SELECT app_id, position FROM event_feed_head WHERE app_id IN ({marks(apps)})",  # noqa: S608 - marks
            *apps,
        )
        return {str(row["app_id"]): int(row["position"]) for row in rows}

    async def close(self) -> None:
        """Nobody is told any more."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
