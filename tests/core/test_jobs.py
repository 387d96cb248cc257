"""Background work ends with its block, whatever a turn does with its cancellation."""

import asyncio
from contextlib import suppress

from api.core import jobs
from api.core.jobs import Job


async def test_a_job_repeats_and_outlives_its_failures() -> None:
    turns = 0
    enough = asyncio.Event()

    async def turn() -> None:
        nonlocal turns
        turns += 1
        if turns == 2:
            raise RuntimeError("one bad turn")
        if turns == 4:
            enough.set()

    async with asyncio.timeout(10), jobs.running(Job("turn", 0.0, turn)):
        await enough.wait()
    seen = turns
    await asyncio.sleep(0.05)
    assert turns == seen


async def test_a_block_ends_though_a_turn_swallows_its_cancellation() -> None:
    begun = asyncio.Event()

    async def turn() -> None:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    async with asyncio.timeout(10), jobs.running(Job("deaf", 0.0, turn)):
        await begun.wait()
