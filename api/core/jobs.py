"""Work that repeats in the background of a process. A turn that fails is logged, and the next one is tried.

    async with jobs.running(Job("oauth.keys", 5.0, ring.refresh)): ...

It keeps no state of its own: what must not be lost is written by whoever started the job, after the block.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from msgspec import Struct

from api.core.logging import log_failure


class Job(Struct, frozen=True):
    """What to do, how often (seconds from the end of one turn to the next), and its name in the log."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[object]]


@asynccontextmanager
async def running(*jobs: Job) -> AsyncIterator[None]:
    """Each job runs in a task of its own for the life of the block; a slow one delays no other.

    The block ends even when a turn swallows its cancellation (as `asyncio.wait_for` may before Python 3.12).
    """
    ended = asyncio.Event()
    tasks = [asyncio.create_task(_repeat(job, ended), name=job.name) for job in jobs]
    try:
        yield
    finally:
        ended.set()
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def _repeat(job: Job, ended: asyncio.Event) -> None:
    while not ended.is_set():
        await asyncio.sleep(job.every_seconds)
        try:
            await job.run()
        except Exception as error:  # a job that dies of one failing store would fail silently for ever
            log_failure("job.failure", error, job=job.name)
