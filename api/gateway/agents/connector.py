"""Connector `agent:NAME`: a call is put down for the department's agent, which fetches it; the gateway dials nowhere.

What comes of it is one of four: the department's answer; the problem that the agent's own connector raised;
`agent-away`, and then nothing was sent; `agent-lost`, and then nobody knows, and it is handed out to nobody again.
"""

import asyncio
import hashlib
import time
from typing import NoReturn

from api.catalogue.agents.service import agent_of
from api.contract.model import Operation, Service
from api.core import problem_types
from api.core.problem_types_agents import AGENT_AWAY, AGENT_LOST
from api.core.problems import REGISTRY, Failure, Problem, Refusal
from api.gateway.agents.calls import ANSWERED
from api.gateway.agents.hub import Hub
from api.gateway.agents.letters import LIMIT_BYTES, AnswerLetter, Told, letter_of
from api.gateway.connector import Connector, Context, Request, Result
from api.gateway.guard import Guard

HEARD_SECONDS = 10.0  # an agent whose processes have all been silent for longer is not waited for long
AWAY_SECONDS = 3.0
_MARGIN_SECONDS = 0.05  # so that the agent's answer "too late" still arrives before the caller is told
_RETRY_AFTER = {"Retry-After": "5"}


class UnsentError(Exception):
    """The agent says that the department's system never saw the request."""

    is_unsent = True


class AgentConnector:
    """A department's system behind an agent."""

    keeps_deadline = True

    def __init__(self, agent: str, service: Service, mapping: str, hub: Hub) -> None:
        self.guard = Guard()
        self._agent = agent
        self._service = service.key
        self._revision = revision_of(service, mapping)
        self._hub = hub

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """See Connector.call. Also raises: agent-away, agent-lost, agent-too-large, request-too-large."""
        body = await _whole(request.body)
        seconds = context.deadline - time.monotonic() - _MARGIN_SECONDS
        if seconds <= 0:
            raise self._away()
        letter = letter_of(self._service, self._revision, operation.id, request, body, context)
        calls = self._hub.calls
        identifier = await calls.put(self._agent, letter, seconds)
        try:
            state = await self._wait(identifier, context.deadline)
            return await self._outcome(identifier, state)
        except asyncio.CancelledError:  # the caller went away: what nobody has taken is not done any more
            if not await asyncio.shield(calls.take_back(identifier)):
                await asyncio.shield(calls.give_up(identifier))
            raise
        finally:
            self._hub.forget(identifier)

    async def _wait(self, identifier: str, deadline: float) -> str:
        """The state at which waiting ends: answered or lost; "" at the deadline, or when no agent is there."""
        future = self._hub.expect(identifier)
        self._hub.ring(self._agent)
        left = deadline - time.monotonic()
        if left > AWAY_SECONDS and not await self._hub.calls.is_there(self._agent, HEARD_SECONDS):
            done, _ = await asyncio.wait({future}, timeout=AWAY_SECONDS)
            if not done and await self._hub.calls.take_back(identifier):
                raise self._away()
        done, _ = await asyncio.wait({future}, timeout=max(0.0, deadline - time.monotonic()))
        return future.result() if done else ""

    async def _outcome(self, identifier: str, state: str) -> Result:
        calls = self._hub.calls
        if state != ANSWERED:
            if await calls.take_back(identifier):
                raise self._away()
            if await calls.give_up(identifier):
                raise self._lost()
        answer = await calls.fetch_answer(identifier)
        if answer is None:
            raise self._lost()
        return self._result(answer)

    def _result(self, answer: AnswerLetter) -> Result:
        if answer.problem is not None:
            self._raise(answer.problem)
        return Result(
            answer.status,
            list(answer.headers),
            answer.body,
            facts=dict(answer.facts),
            is_sound=answer.is_sound,
        )

    def _raise(self, told: Told) -> NoReturn:
        kind = REGISTRY.get(told.slug)
        if kind is None or kind.step not in {"call", "validate"}:
            kind = problem_types.UPSTREAM_INVALID
        facts = {name: value for name, value in told.facts.items() if name not in _TAKEN}
        facts["service"] = self._service
        kept: type[Problem] = Refusal if kind.status < 500 else Failure
        problem = kept(kind, rule=told.rule, headers=told.headers, **facts)
        if told.is_unsent:
            raise problem from UnsentError()
        raise problem

    def _away(self) -> Failure:
        return Failure(
            AGENT_AWAY,
            headers=_RETRY_AFTER,
            service=self._service,
            agent=self._agent,
            retryable=True,
        )

    def _lost(self) -> Failure:
        return Failure(
            AGENT_LOST,
            service=self._service,
            agent=self._agent,
            outcome="unknown",
            retryable=False,
        )

    async def health(self) -> bool:
        """Whether a process of the agent was heard of just now."""
        return await self._hub.calls.is_there(self._agent, HEARD_SECONDS)

    async def close(self) -> None:
        """Nothing of its own."""


_TAKEN = frozenset({"self", "kind", "rule", "errors", "headers", "service"})


class AgentFactory:
    """Makes connectors for upstreams `agent:NAME`, with a mapping and without."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def __call__(self, upstream: str, service: Service) -> Connector:
        return self.mapped(upstream, service, "")

    def mapped(self, upstream: str, service: Service, mapping: str) -> Connector:
        """The mapping is the agent's to read; here only its digest matters."""
        return AgentConnector(agent_of(upstream), service, mapping, self._hub)


def revision_of(service: Service, mapping: str) -> str:
    """What tells contract and mapping of one publication from those of the next."""
    return hashlib.sha256(f"{service.digest}\n{mapping}".encode()).hexdigest()


async def _whole(body: object) -> bytes | None:
    """The whole body, bounded. Raises Refusal request-too-large."""
    if body is None or isinstance(body, bytes):
        whole = body
    else:
        pieces, size = [], 0
        async for chunk in body:  # type: ignore[attr-defined]  # bytes | AsyncIterator[bytes], see Request
            size += len(chunk)
            if size > LIMIT_BYTES:
                break
            pieces.append(chunk)
        whole = b"".join(pieces) if size <= LIMIT_BYTES else b" " * (LIMIT_BYTES + 1)
    if whole is not None and len(whole) > LIMIT_BYTES:
        raise Refusal(problem_types.REQUEST_TOO_LARGE, limit_bytes=LIMIT_BYTES)
    return whole
