"""The agent's process at work: several hands that fetch calls, one heart that says it lives, and an orderly end.

A call that was fetched is worked on once. When the process is told to end, it says so, fetches nothing more, and
finishes what is under way. When it is killed, the gateway hears no heartbeat and tells its caller so.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

from msgspec import Struct

from api.core import ids, problem_types
from api.core.logging import log, log_failure, log_warning
from api.core.problem_types_agents import AGENT_TOO_LARGE
from api.core.problems import Failure, Problem
from api.gateway.agents.letters import (
    BEAT_SECONDS,
    LIMIT_BYTES,
    MAX_WAIT_SECONDS,
    AnswerLetter,
    Beat,
    CallLetter,
    TakenCall,
    Told,
    plain,
    request_of,
)
from api.gateway.agents.link import Link, LinkError, RefusedError
from api.gateway.agents.upstreams import Ready, Upstreams
from api.gateway.connector import Context, Result

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
_ANSWER_TRIES_SECONDS = 60.0
_KEPT_REVISIONS = 200


class Health(Struct):
    """How the process fares, for whoever watches it."""

    agent: str = ""
    environment: str = ""
    is_connected: bool = False
    under_way: int = 0
    done: int = 0
    last_contact: float = 0.0  # time.time()
    fault: str = ""


class Worker:
    """One process of an agent. `run` returns when it was stopped, `RefusedError` when the gateway shows it the door."""

    def __init__(self, link: Link, upstreams: Upstreams, *, hands: int, version: str) -> None:
        self.health = Health()
        self._link = link
        self._upstreams = upstreams
        self._hands = hands
        self._version = version
        self._process = ids.random_id("agp")
        self._under_way: set[str] = set()
        self._ready: dict[tuple[str, str], Ready] = {}
        self._loading = asyncio.Lock()
        self._stop = asyncio.Event()
        self._refusal: RefusedError | None = None

    def stop(self) -> None:
        """Fetch nothing more; `run` returns when what is under way has ended."""
        self._stop.set()

    async def run(self) -> None:
        """Work until stopped. Raises RefusedError."""
        await self._greet()
        heart = asyncio.create_task(self._beat(), name="agent.heart")
        hands = [asyncio.create_task(self._hand(), name=f"agent.hand.{n}") for n in range(self._hands)]
        leaving = asyncio.create_task(self._leave(), name="agent.leave")
        try:
            await asyncio.gather(*hands)
        finally:
            self._stop.set()
            heart.cancel()
            await leaving
            await self._close()
        if self._refusal is not None:
            raise self._refusal

    async def run_once(self) -> int:
        """Work on what waits now, one after the other, and end. How many calls. Raises LinkError, RefusedError."""
        await self._hello()
        await self._link.beat(Beat(self._process, self._version))
        count = 0
        heart = asyncio.create_task(self._beat(), name="agent.heart")
        try:
            while (taken := await self._link.take(self._process, 0)) is not None:
                await self._work(taken)
                count += 1
        finally:
            heart.cancel()
            self._stop.set()
            await self._leave()
            await self._close()
        return count

    # -- the line -----------------------------------------------------------------------------------
    async def _greet(self) -> None:
        pause = _Pause()
        while not self._stop.is_set():
            try:
                await self._hello()
                await self._link.beat(Beat(self._process, self._version))
            except LinkError as error:
                self._disconnected(error)
                await pause.wait(self._stop)
                continue
            return

    async def _hello(self) -> None:
        welcome = await self._link.hello()
        self.health.agent, self.health.environment = welcome.agent, welcome.environment
        self._connected()
        log(
            "agent.connected",
            agent=welcome.agent,
            environment=welcome.environment,
            services=len(welcome.services),
        )
        for service in welcome.services:
            if not self._upstreams.address_of(service):
                log_warning("agent.no_upstream", service=service)

    def _connected(self) -> None:
        self.health.is_connected, self.health.last_contact, self.health.fault = True, time.time(), ""

    def _disconnected(self, error: Exception) -> None:
        if self.health.is_connected or not self.health.fault:
            log_warning("agent.disconnected", reason=str(error)[:200])
        self.health.is_connected, self.health.fault = False, str(error)[:200]

    async def _hand(self) -> None:
        pause = _Pause()
        while not self._stop.is_set():
            try:
                taken = await self._link.take(self._process, MAX_WAIT_SECONDS)
            except RefusedError as refusal:
                self._refusal = refusal
                self._stop.set()
                return
            except LinkError as error:
                self._disconnected(error)
                await pause.wait(self._stop)
                continue
            self._connected()
            pause.reset()
            if taken is not None:
                await self._work(taken)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self._link.beat(
                    Beat(self._process, self._version, sorted(self._under_way), self._stop.is_set())
                )
            except (LinkError, RefusedError):
                continue  # the hands meet the same, and say so

    async def _leave(self) -> None:
        await self._stop.wait()
        try:
            await self._link.beat(Beat(self._process, self._version, sorted(self._under_way), True))
        except (LinkError, RefusedError):
            return

    # -- a call -------------------------------------------------------------------------------------
    async def _work(self, taken: TakenCall) -> None:
        self._under_way.add(taken.id)
        self.health.under_way = len(self._under_way)
        deadline = time.monotonic() + taken.remaining_ms / 1000
        started = time.monotonic()
        try:
            letter = await self._answer_to(taken, deadline)
            await self._bring(taken.id, letter, deadline)
        finally:
            self._under_way.discard(taken.id)
            self.health.under_way = len(self._under_way)
            self.health.done += 1
        log(
            "agent.call", request_id=taken.letter.context.get("request_id", ""), service=taken.letter.service,
            operation=taken.letter.operation, status=letter.status, problem=letter.problem.slug if letter.problem else "",
            ms=round((time.monotonic() - started) * 1000),
        )  # fmt: skip

    async def _answer_to(self, taken: TakenCall, deadline: float) -> AnswerLetter:
        """The answer of the department's system, or the problem that stands for it; never an exception."""
        letter = taken.letter
        try:
            ready = await self._ready_for(letter)
        except (LinkError, RefusedError, LookupError, ValueError, TypeError) as error:
            log_warning("agent.service_unusable", service=letter.service, reason=str(error)[:300])
            return _told("upstream-unreachable", is_unsent=True)
        operation = ready.service.operation(letter.operation)
        if operation is None:
            return _told(
                "upstream-not-mapped",
                is_unsent=True,
                operation=letter.operation,
                at=letter.operation,
                reason="",
            )
        context = Context(deadline=deadline, **letter.context)
        try:
            async with asyncio.timeout_at(deadline):
                result = await ready.connector.call(operation, request_of(letter), context)
                return await _letter_of(result)
        except TimeoutError:
            return _told("upstream-timeout")
        except Problem as problem:
            return _letter_of_problem(problem)
        except Exception as error:  # a defect must not cost the process: the others' calls are under way
            log_failure("agent.failure", error, service=letter.service, operation=letter.operation)
            return _told("upstream-invalid")

    async def _ready_for(self, letter: CallLetter) -> Ready:
        key = (letter.service, letter.revision)
        known = self._ready.get(key)
        if known is not None:
            return known
        async with self._loading:
            known = self._ready.get(key)
            if known is not None:
                return known
            served = await self._link.served(letter.service)
            if served is None:
                raise LookupError(f"{letter.service} is not published with this agent")
            ready = await asyncio.to_thread(self._upstreams.ready, served)
            if len(self._ready) >= _KEPT_REVISIONS:
                await self._close()
            self._ready[key] = ready
            return ready

    async def _bring(self, identifier: str, letter: AnswerLetter, deadline: float) -> None:
        """Bring the answer, again and again while somebody may wait for it."""
        pause = _Pause()
        end = deadline + 1.0
        while True:
            try:
                is_wanted = await self._link.answer(identifier, letter)
            except RefusedError:
                log_warning("agent.answer_refused", call=identifier)
                return
            except LinkError as error:
                self._disconnected(error)
                if time.monotonic() >= end:
                    log_warning("agent.answer_undelivered", call=identifier)
                    return
                await asyncio.sleep(min(pause.following(), 2.0))
            else:
                if not is_wanted:
                    log_warning("agent.answer_unwanted", call=identifier)
                return

    async def _close(self) -> None:
        ready, self._ready = self._ready, {}
        for one in ready.values():
            await one.connector.close()


class _Pause:
    """Longer and longer, not in step with others."""

    def __init__(self) -> None:
        self._seconds = FIRST_PAUSE_SECONDS

    def reset(self) -> None:
        self._seconds = FIRST_PAUSE_SECONDS

    def following(self) -> float:
        seconds = self._seconds * random.uniform(0.5, 1.0)
        self._seconds = min(self._seconds * 2, LONGEST_PAUSE_SECONDS)
        return seconds

    async def wait(self, stop: asyncio.Event) -> None:
        try:
            async with asyncio.timeout(self.following()):
                await stop.wait()
        except TimeoutError:
            return


def _told(slug: str, *, is_unsent: bool = False, **facts: Any) -> AnswerLetter:
    return AnswerLetter(problem=Told(slug, facts=facts, is_unsent=is_unsent))


def _letter_of_problem(problem: Problem) -> AnswerLetter:
    cause = problem.__cause__
    unsent = {problem_types.EGRESS_REFUSED.slug, problem_types.UPSTREAM_BUSY.slug}
    return AnswerLetter(
        problem=Told(
            problem.kind.slug, problem.rule, {name: plain(value) for name, value in problem.facts.items()},
            problem.headers, bool(getattr(cause, "is_unsent", False)) or problem.kind.slug in unsent,
        )
    )  # fmt: skip


async def _letter_of(result: Result) -> AnswerLetter:
    """The answer, whole. Raises Failure agent-too-large."""
    body = result.body if isinstance(result.body, bytes) else await _whole(result.body)
    if len(body) > LIMIT_BYTES:
        raise Failure(AGENT_TOO_LARGE, limit_bytes=LIMIT_BYTES)
    facts = {name: plain(value) for name, value in result.facts.items()}
    return AnswerLetter(result.status, list(result.headers), body, facts, result.is_sound)


async def _whole(stream: AsyncIterator[bytes]) -> bytes:
    pieces, size = [], 0
    async for chunk in stream:
        size += len(chunk)
        pieces.append(chunk)
        if size > LIMIT_BYTES:
            close = getattr(stream, "aclose", None)
            if close is not None:
                await close()
            break
    return b"".join(pieces)
