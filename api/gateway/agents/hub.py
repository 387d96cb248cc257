"""Who waits for what in this process: calls for their answers, long polls for calls.

What happens in this process wakes them at once; what happens in another is seen by looking, soon at first and then
less often. One query looks for all calls that wait here.
"""

import asyncio
from collections.abc import Awaitable, Callable

from tortoise.exceptions import BaseORMException

from api.core.logging import log_failure
from api.gateway.agents.calls import ANSWERED, LOST, AgentCalls

LOOK_SOONEST = 0.005  # seconds, doubled while nothing happens
LOOK_LATEST = 0.2
_AT_ONCE = 500  # calls of one query


class Hub:
    """The waiting of one process. `close` ends every long poll."""

    def __init__(self, calls: AgentCalls) -> None:
        self.calls = calls
        self.is_closed = False
        self._answers: dict[str, asyncio.Future[str]] = {}
        self._bells: dict[str, asyncio.Event] = {}
        self._looking: asyncio.Task[None] | None = None
        self._fresh = asyncio.Event()

    # -- calls wait for answers ---------------------------------------------------------------------
    def expect(self, identifier: str) -> asyncio.Future[str]:
        """A future that has the state of the call once it is answered or lost."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._answers[identifier] = future
        self._fresh.set()
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="agents.look")
        return future

    def forget(self, identifier: str) -> None:
        """Nobody waits for it any more."""
        self._answers.pop(identifier, None)

    def answered(self, identifier: str) -> None:
        """An answer has arrived through this process."""
        self._settle(identifier, ANSWERED)

    def _settle(self, identifier: str, state: str) -> None:
        future = self._answers.pop(identifier, None)
        if future is not None and not future.done():
            future.set_result(state)

    async def _look(self) -> None:
        pause = LOOK_SOONEST
        while self._answers:
            self._fresh.clear()
            await asyncio.sleep(pause)
            found = False
            names = list(self._answers)
            for start in range(0, len(names), _AT_ONCE):
                some = names[start : start + _AT_ONCE]
                try:
                    states = await self.calls.states(some)
                except (OSError, BaseORMException) as error:  # the store is away: calls have their deadline
                    log_failure("agents.look_failed", error)
                    pause = LOOK_LATEST
                    break
                for identifier in some:
                    state = states.get(identifier, LOST)
                    if state in {ANSWERED, LOST}:
                        self._settle(identifier, state)
                        found = True
            pause = LOOK_SOONEST if found or self._fresh.is_set() else min(pause * 2, LOOK_LATEST)

    # -- long polls wait for calls ------------------------------------------------------------------
    def ring(self, agent: str) -> None:
        """A call waits for this agent."""
        bell = self._bells.pop(agent, None)
        if bell is not None:
            bell.set()

    async def wait_for_call(
        self, agent: str, seconds: float, *, is_wanted: Callable[[], Awaitable[bool]]
    ) -> bool:
        """Whether a call seems to wait for the agent, within so many seconds. False too once this process ends, or
        `is_wanted`, asked now and then, says no.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        pause, looked_at = LOOK_SOONEST * 4, loop.time()
        while not self.is_closed:
            bell = self._bells.setdefault(agent, asyncio.Event())  # before looking: nothing slips between
            if await self.calls.has_waiting(agent):
                return True
            if loop.time() - looked_at > 1.0:
                looked_at = loop.time()
                if not await is_wanted():
                    return False
            left = end - loop.time()
            if left <= 0:
                return False
            try:
                async with asyncio.timeout(min(pause, left)):
                    await bell.wait()
                pause = LOOK_SOONEST * 4
            except TimeoutError:
                pause = min(pause * 2, LOOK_LATEST)
        return False

    def wake_all(self) -> None:
        """Let every long poll look again now."""
        bells, self._bells = self._bells, {}
        for bell in bells.values():
            bell.set()

    def close(self) -> None:
        """No long poll waits from now on."""
        self.is_closed = True
        self.wake_all()

    def stop(self) -> None:
        """Look for no answers any more: no call is under way."""
        self.close()
        if self._looking is not None:
            self._looking.cancel()
