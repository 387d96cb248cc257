"""The courier of a process: releases what is due, takes deliveries from the queue, brings them, writes what came of it.

Any number of processes may each run one on the same plane. It holds nothing that could be lost: a process that is
killed leaves leases behind, which end, and then another brings those events again, with the same ids.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from api.core import clock, jobs
from api.core.crypto import Vault
from api.core.jobs import Job
from api.core.logging import log_failure
from api.core.outbox import microseconds
from api.events import deliveries
from api.events.deliveries import Claimed, Outcome
from api.events.endpoints import stopping
from api.events.endpoints.keys import Destination, destination_of
from api.events.envelope import CONTENT_TYPE, body_of
from api.events.metrics import EventMetrics
from api.events.release import AppClocks, RealClocks, release_due
from api.events.schedule import FAILING_DAYS, Schedule, schedule_of
from api.events.sender import Reply, Sender
from api.events.signing import signed_headers
from api.settings import Settings

MOST_AT_ONCE = 128  # deliveries of one process
_SETTLE_AT_ONCE = 100
_ENDING_SECONDS = 3.0  # for what is under way when the process ends
_CLEANING_SECONDS = 3600.0
_LOOK_SECONDS = 5.0
_SECOND = 1_000_000


class Courier:
    """Delivers the events of one plane. `clocks` are those that apps have set."""

    def __init__(
        self,
        settings: Settings,
        vault: Vault,
        clocks: AppClocks | None = None,
        *,
        schedule: Schedule | None = None,
        sender: Sender | None = None,
    ) -> None:
        self.metrics = EventMetrics()
        self._environment = settings.environment
        self._settings = settings
        self._vault = vault
        self._clocks = clocks or RealClocks()
        self._schedule = schedule or schedule_of(settings)
        self._sender = sender or Sender(settings)
        self._under_way: set[asyncio.Task[None]] = set()
        self._busy: Counter[str] = Counter()  # deliveries under way by endpoint
        self._done: asyncio.Queue[Outcome] = asyncio.Queue()
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Deliver for the life of the block. The stores are open."""
        pause = self._settings.poll_interval_ms / 1000
        try:
            async with jobs.running(Job("events.settle", 0.0, self._settle_turn)):
                async with jobs.running(
                    Job("events.dispatch", 0.0, self._dispatch_turn),
                    Job("events.release", pause, self.release),
                    Job("events.look", _LOOK_SECONDS, self._look),
                    Job("events.clear", _CLEANING_SECONDS, self._clear),
                ):
                    yield
                await self._finish()
        finally:
            await self._sender.close()

    async def release(self) -> int:
        """Release what is due. Returns how many events."""
        released = await release_due(self._environment, self._clocks)
        self.metrics.released += released
        if released:
            self._wake.set()
        return released

    # --- taking --------------------------------------------------------------------------------------
    async def _dispatch_turn(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.poll_interval_ms / 1000):
                await self._wake.wait()
        self._wake.clear()
        await self._dispatch()

    async def _dispatch(self) -> None:
        """Take what may go now, as much as endpoints and this process can bear, and set it on its way."""
        for endpoint_id in await deliveries.endpoints_with_work(self._environment):
            free = MOST_AT_ONCE - len(self._under_way)
            if free <= 0:
                return
            destination = await destination_of(endpoint_id, self._vault)
            if destination is None or destination.obstacle:
                reason = destination.obstacle if destination else "endpoint-deleted"
                await deliveries.give_up_waiting(self._environment, endpoint_id, reason)
                continue
            room = min(free, destination.concurrency - self._busy[endpoint_id])
            if room <= 0:
                continue
            claimed = await deliveries.claim(
                self._environment, endpoint_id, most=room, lease_seconds=self._schedule.lease_seconds
            )
            for one in claimed:
                self._busy[endpoint_id] += 1
                task = asyncio.create_task(self._attempt(one, destination))
                self._under_way.add(task)
                task.add_done_callback(self._ended)

    async def _attempt(self, claimed: Claimed, destination: Destination) -> None:
        reply = Reply(0, 0, "the platform ended in the middle of it")
        try:
            body = body_of(claimed.event)
            headers = signed_headers(destination.pairs, claimed.event["id"], clock.now(), body)
            reply = await self._sender.post(destination.url, {"content-type": CONTENT_TYPE, **headers}, body)
        finally:
            self._done.put_nowait(judge(claimed, reply, self._schedule))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:  # a defect of ours
            log_failure("events.attempt", error)

    # --- settling ------------------------------------------------------------------------------------
    async def _settle_turn(self) -> None:
        outcomes = [await self._done.get()]
        while not self._done.empty() and len(outcomes) < _SETTLE_AT_ONCE:
            outcomes.append(self._done.get_nowait())
        try:
            await deliveries.settle(self._environment, outcomes)
            await self._stop_endpoints(outcomes)
        finally:  # if it could not be written, the leases end and the events are brought again
            for one in outcomes:
                self._note(one)
            self._wake.set()

    def _note(self, one: Outcome) -> None:
        self.metrics.attempted(one.state, one.latency_ms)
        endpoint_id = one.claimed.endpoint_id
        self._busy[endpoint_id] -= 1
        if not self._busy[endpoint_id]:
            del self._busy[endpoint_id]
        self._done.task_done()

    async def _stop_endpoints(self, outcomes: list[Outcome]) -> None:
        """Disable endpoints that said 410, and those that have not given one good answer for days."""
        for endpoint_id in {one.claimed.endpoint_id for one in outcomes if one.reason == "gone"}:
            await stopping.disable(endpoint_id, "gone")
        limit = microseconds(clock.now()) - FAILING_DAYS * 86_400 * _SECOND
        bad = {one.claimed.endpoint_id for one in outcomes if one.state != "delivered"}
        for endpoint_id in bad:
            since = await deliveries.failing_since(self._environment, endpoint_id)
            if 0 < since < limit:
                await stopping.disable(endpoint_id, "failing")

    async def _finish(self) -> None:
        """What is under way may end; what does not end in time is left to its lease."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=_ENDING_SECONDS)
        for task in list(self._under_way):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        with suppress(TimeoutError):
            async with asyncio.timeout(_ENDING_SECONDS):
                await self._done.join()

    # --- figures and order ---------------------------------------------------------------------------
    async def _look(self) -> None:
        self.metrics.waiting, self.metrics.oldest_seconds = await deliveries.backlog(self._environment)

    async def _clear(self) -> None:
        await deliveries.clear_old(self._environment, self._settings.event_days)


def judge(claimed: Claimed, reply: Reply, schedule: Schedule) -> Outcome:
    """What an answer means for the delivery: done, again later, or given up."""
    now = microseconds(clock.now())

    def outcome(state: str, *, reason: str = "", next_at: int = 0, blocks_until: int = 0) -> Outcome:
        return Outcome(
            claimed, state, now, reply.status, reply.latency_ms, reply.error, reply.snippet, reason, next_at,
            blocks_until,
        )  # fmt: skip

    if reply.is_success:
        return outcome("delivered")
    if reply.status == 410:
        return outcome("failed", reason="gone")
    pause = schedule.pause_after(claimed.attempts + 1, reply.retry_after)
    next_at = now + round(pause * _SECOND)
    if next_at > claimed.started_at + round(schedule.window_seconds * _SECOND):
        return outcome("failed", reason="exhausted")
    blocks_until = claimed.started_at + round(schedule.block_seconds * _SECOND)
    return outcome("waiting", next_at=next_at, blocks_until=blocks_until)
