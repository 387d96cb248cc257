"""CityConnector: a department of the city as an upstream of the gateway, in process.

It puts together what a call sees (base, state, scenario, clock), runs the department's behaviour, keeps the
changes, and answers in the form of HTTP. Refusals of the department are its answers: problem+json with the
problem types of its contract.
"""

import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from api.contract.model import Operation
from api.core import clock as real_clock
from api.core.outbox import NewEvent
from api.core.problem_types import IDEMPOTENCY_KEY_REUSED, UPSTREAM_INVALID, UPSTREAM_UNREACHABLE
from api.core.problems import CONTENT_TYPE, Failure, ProblemType, Refusal, render
from api.gateway.connector import Connector, Context, Request, Result
from sandbox.city.app_clocks import START_TEXT
from sandbox.city.base import City, CityFile, CityMissing
from sandbox.city.clock import local_text, now_of, shift
from sandbox.city.department import Answer, BrokenOff, Call, Department, Refused
from sandbox.city.problem_types import DEPARTMENT_UNAVAILABLE
from sandbox.city.sandboxes import Sandboxes
from sandbox.city.state import Record, State, States
from sandbox.city.world import Kind, World
from sandbox.scenarios import PLAIN, Scene, pick, substitute

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", CONTENT_TYPE.encode())
_KEEP_KEYS = timedelta(hours=24)
_encode = msgspec.json.Encoder().encode


def _read_nothing(city: City, key: str) -> Record | None:
    return None


_ANSWERED = Kind("answered", "platform", _read_nothing)  # answers by idempotency key


def _complete(answer: Answer, world: World, state: State, context: Context) -> Answer:
    """The answer with what is to be kept. Its headers tell a time that is not the real one, and of a newer city."""
    if state.city and state.city != world.city.version:
        answer.headers.append((b"kaimen-city", f"{world.city.version}; made-on={state.city}".encode()))
    if state.clock_us != 0:
        answer.headers.append((b"kaimen-clock", local_text(world.now).encode()))
    service = context.service
    answer.changes = world.changes
    answer.told = [
        NewEvent(service, one.type, one.subject, one.data, context.app_id, one.at, context.request_id)
        for one in answer.events
    ]
    answer.withdrawn = [(service, subject) for subject in answer.calls_off]
    return answer


class CityConnector:
    """Calls the behaviour of one department."""

    keeps_keys = True  # idempotency keys are kept with the change, in one transaction

    def __init__(self, department: Department, file: CityFile, states: States, docs_url: str) -> None:
        self._department = department
        self._file = file
        self._states = states
        self._docs_url = docs_url

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """The department's answer. Raises Failure when there is no city, Refusal for an unknown scenario."""
        city = self._open(context)
        picked = pick(operation, request, context.scenario)
        marks = [] if picked is None else [(b"kaimen-scenario", picked[0].id.encode())]
        scene = PLAIN if picked is None else picked[1]
        if picked is not None and context.scenario and picked[0].when and not picked[0].given:
            request = substitute(operation, request, picked[0].when)
        if scene.is_unavailable:
            return self._refuse(DEPARTMENT_UNAVAILABLE, {}, context, [*marks, (b"retry-after", b"30")])
        try:
            answer = await self._perform(city, scene, operation, request, context)
        except BrokenOff as broken:
            raise Failure(UPSTREAM_INVALID, service=context.service, rule=BrokenOff.RULE) from broken
        except Refused as refused:
            kind = self._department.problems.get(refused.slug)
            if kind is None:
                raise Failure(UPSTREAM_INVALID, service=context.service) from refused
            return self._refuse(kind, refused.facts, context, marks)
        headers = [*answer.headers, *marks]
        if answer.body is None:
            return Result(answer.status, headers)
        return Result(answer.status, [_JSON, *headers], _encode(answer.body))

    async def _perform(
        self, city: City, scene: Scene, operation: Operation, request: Request, context: Context
    ) -> Answer:
        """Run the behaviour on the app's state and keep its changes. Raises Refused."""
        handler = self._department.handlers.get(operation.id)
        if handler is None:
            raise Failure(UPSTREAM_INVALID, service=context.service, rule="no-behaviour")
        state_id = context.state_id or context.app_id
        key = _idempotency_key(operation, request)
        begins = context.clock in {"", START_TEXT}  # else the call says what time it is

        def work(state: State) -> Answer:
            now = state.now if begins or state.clock_us is not None else now_of(context.clock)
            if scene.clock:
                now = shift(now, scene.clock)
            world = World(city, state, now, scene)
            replayed = _replay(world, key, request) if key else None
            if replayed is not None:
                return replayed
            answer = handler(Call(operation, request, context, world, state_id))
            if key and world.changes:
                _remember(world, key, request, answer)
            return _complete(answer, world, state, context)

        return await self._states.run(state_id, work, city=city.version, begins=begins)

    def _open(self, context: Context) -> City:
        try:
            return self._file.open()
        except CityMissing as missing:
            raise Failure(UPSTREAM_UNREACHABLE, service=context.service, rule="city-not-seeded") from missing

    def _refuse(
        self,
        kind: ProblemType,
        facts: dict[str, Any],
        context: Context,
        headers: list[tuple[bytes, bytes]],
    ) -> Result:
        body = render(
            Refusal(kind, **facts),
            language=context.locale,
            docs_url=self._docs_url,
            request_id=context.request_id,
        )
        return Result(kind.status, [_PROBLEM, *headers], body, facts=facts)

    async def health(self) -> bool:
        """Whether there is a city to answer from."""
        try:
            self._file.open()
        except CityMissing:
            return False
        return True

    async def close(self) -> None:
        """Nothing of its own: file and states belong to the CitySide."""


class CitySide:
    """What the departments of one process share: the city file, the states of the plane and the clocks of apps.

    `connector` is the factory for upstreams `city:DEPARTMENT`.
    """

    def __init__(
        self, departments: tuple[Department, ...], file: CityFile, states: States, docs_url: str
    ) -> None:
        self.file = file
        self.states = states
        self.clocks = states.clocks
        self.sandboxes = Sandboxes("sandbox", states)
        self.when_forgotten: list[
            Callable[[str], Awaitable[None]]
        ] = []  # told of an app whose sandbox begins anew
        self._docs_url = docs_url
        self._departments = {department.slug: department for department in departments}

    def connector(self, upstream: str, service: Any) -> Connector:
        """The connector of `city:DEPARTMENT`. Raises LookupError for a department that the city does not have."""
        slug = upstream.partition(":")[2]
        if slug not in self._departments:
            raise LookupError(f"the city has no department {slug}; it has {', '.join(self._departments)}")
        return CityConnector(self._departments[slug], self.file, self.states, self._docs_url)

    async def forget(self, app_id: str) -> None:
        """Others that kept something of what the app did let go of it: its cases, its answers by idempotency key."""
        for tell in self.when_forgotten:
            await tell(app_id)

    async def close(self) -> None:
        self.file.close()
        await self.states.close()


def _idempotency_key(operation: Operation, request: Request) -> str:
    if not operation.idempotent:
        return ""
    for name, value in request.headers.items():
        if name.lower() == "idempotency-key" and value:
            return hashlib.sha256(f"{operation.id}\n{value}".encode()).hexdigest()[:40]
    return ""


def _fingerprint(request: Request) -> str:
    return hashlib.sha256(request.target.encode() + b"\n" + _encode(request.json)).hexdigest()


def _replay(world: World, key: str, request: Request) -> Answer | None:
    """The first answer to this key, for 24 hours. Source: draft-ietf-httpapi-idempotency-key-header."""
    kept = world.get(_ANSWERED, key)
    if kept is None or real_clock.now() - datetime.fromisoformat(kept["at"]) > _KEEP_KEYS:
        return None
    if kept["fingerprint"] != _fingerprint(request):
        raise Refusal(IDEMPOTENCY_KEY_REUSED)
    headers = [(name.encode(), value.encode()) for name, value in kept["headers"]]
    return Answer(kept["body"], kept["status"], [*headers, (b"idempotent-replayed", b"true")])


def _remember(world: World, key: str, request: Request, answer: Answer) -> None:
    """Keep a successful answer that changed something; refusals are not kept, so they may be mended and retried."""
    world.put(
        _ANSWERED,
        key,
        {
            "at": real_clock.now().isoformat(),
            "fingerprint": _fingerprint(request),
            "status": answer.status,
            "body": answer.body,
            "headers": [(name.decode(), value.decode()) for name, value in answer.headers],
        },
    )
