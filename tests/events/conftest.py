"""A courier on opened stores, with pauses short enough for tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from api.core.store import Stores
from api.events.courier import Courier
from api.events.release import AppClocks
from api.events.schedule import Schedule
from api.settings import Settings
from tests.events.town import VAULT

QUICK = Schedule(pauses=(0.05, 0.1), window_seconds=60, block_seconds=60, timeout_seconds=2)
Start = Callable[..., Awaitable[Courier]]


@pytest.fixture
async def start(stores: Stores, settings: Settings) -> AsyncIterator[Start]:
    """Start couriers that run to the end of the test."""
    async with AsyncExitStack() as stack:

        async def begin(
            schedule: Schedule = QUICK, clocks: AppClocks | None = None, **changes: Any
        ) -> Courier:
            quick = msgspec.structs.replace(settings, poll_interval_ms=20, **changes)
            courier = Courier(quick, VAULT, clocks, schedule=schedule)
            await stack.enter_async_context(courier.running())
            return courier

        yield begin
