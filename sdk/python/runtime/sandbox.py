"""The sandbox of the app itself: its records, its clock, its scenarios. Needs the scope platform:sandbox:write."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .calls import SCENARIO, Operation
from .transports import AsyncResource, AsyncTransport, Resource, Transport
from .values import JsonValue, instant

_SCOPE = "platform:sandbox:write"
_CLOCK = "/platform/v1/sandbox/clock"
_JSON = "application/json"
_RESET: Operation[JsonValue] = Operation(
    "POST", "/platform/v1/sandbox/reset", answer="json", body="json", media_type=_JSON, scope=_SCOPE
)
_READ: Operation[JsonValue] = Operation("GET", _CLOCK, answer="json", scope=_SCOPE)
_CHANGE: Operation[JsonValue] = Operation(
    "POST", _CLOCK, answer="json", body="json", media_type=_JSON, scope=_SCOPE
)
_CLEAR: Operation[JsonValue] = Operation("DELETE", _CLOCK, answer="json", scope=_SCOPE)


@contextmanager
def _scenario(name: str) -> Iterator[None]:
    token = SCENARIO.set(name)
    try:
        yield
    finally:
        SCENARIO.reset(token)


def _now(now: dt.datetime | str) -> dict[str, Any]:
    return {"now": instant(now) if isinstance(now, dt.datetime) else now}


class Clock(Resource):
    """The sandbox's clock."""

    def get(self) -> JsonValue:
        return self._call(_READ, (), None, None)

    def set(self, now: dt.datetime | str) -> JsonValue:
        """Stop the clock at a moment."""
        return self._call(_CHANGE, (), _now(now), None)

    def advance(self, duration: str) -> JsonValue:
        """Move it on by an ISO 8601 duration, `P30D`."""
        return self._call(_CHANGE, (), {"advance": duration}, None)

    def clear(self) -> JsonValue:
        """Let it run again."""
        return self._call(_CLEAR, (), None, None)


class Sandbox(Resource):
    """Helpers for tests against the sandbox."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.clock = Clock(transport)

    def reset(self) -> JsonValue:
        """Put the app's records back to their beginning."""
        return self._call(_RESET, (), {}, None)

    def scenario(self, name: str) -> Any:
        """`with client.sandbox.scenario(Scenarios.company.get.REVOKED):` every call inside plays it."""
        return _scenario(name)


class AsyncClock(AsyncResource):
    """The sandbox's clock."""

    async def get(self) -> JsonValue:
        return await self._call(_READ, (), None, None)

    async def set(self, now: dt.datetime | str) -> JsonValue:
        """Stop the clock at a moment."""
        return await self._call(_CHANGE, (), _now(now), None)

    async def advance(self, duration: str) -> JsonValue:
        """Move it on by an ISO 8601 duration, `P30D`."""
        return await self._call(_CHANGE, (), {"advance": duration}, None)

    async def clear(self) -> JsonValue:
        """Let it run again."""
        return await self._call(_CLEAR, (), None, None)


class AsyncSandbox(AsyncResource):
    """Helpers for tests against the sandbox."""

    def __init__(self, transport: AsyncTransport) -> None:
        super().__init__(transport)
        self.clock = AsyncClock(transport)

    async def reset(self) -> JsonValue:
        """Put the app's records back to their beginning."""
        return await self._call(_RESET, (), {}, None)

    def scenario(self, name: str) -> Any:
        """`with client.sandbox.scenario(…):` every call inside plays it."""
        return _scenario(name)
