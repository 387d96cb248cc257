"""Step `call`: the department's system is asked, within its hours, before the deadline, and not while it is down.

Safe methods are tried again when the connection failed; nothing is, once the answer has begun. It reads no
answer: `validate` and the face do.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from api.core import clock, problem_types
from api.core.problem_types_agents import AGENT_AWAY
from api.core.problems import Failure
from api.gateway.connector import Connector, Context, Request, Result
from api.gateway.exchange import Exchange
from api.gateway.forwarding import request_headers
from api.gateway.guard import Guard
from api.gateway.hours import parse_hours

PASSED = ("call", "pass", "")
ATTEMPTS = 3
BACK_OFF_SECONDS = 0.05  # doubled for each attempt, then anything from half to all of it
_REPEATABLE = frozenset({problem_types.UPSTREAM_UNREACHABLE.slug, problem_types.UPSTREAM_INVALID.slug})
_OUT_OF_ORDER = frozenset({502, 503, 504})
_NO_FAULT_OF_THE_UPSTREAM = frozenset(
    {problem_types.EGRESS_REFUSED.slug, problem_types.UPSTREAM_BUSY.slug, AGENT_AWAY.slug}
)


async def apply(exchange: Exchange, gateway: Any) -> None:
    """Fill `exchange.result`, `attempts` and `upstream_us`.

    Raises Failure: department-closed, circuit-open, upstream-unreachable, upstream-timeout, upstream-invalid,
    upstream-busy, egress-refused, and what the connector adds (agent-away, agent-lost).
    """
    settings = gateway.settings
    service = exchange.service
    connector = exchange.connector
    assert service is not None
    assert connector is not None
    if service.promise.hours and settings.environment == "live":
        _check_open(service.promise.hours, service.promise.time_zone, service.key)
    started = time.perf_counter_ns()
    deadline = time.monotonic() + settings.call_deadline_ms / 1000
    context = _context(exchange, gateway, service.key, deadline)
    request = _request(exchange, settings)
    guard: Guard | None = getattr(connector, "guard", None)
    try:
        if guard is None:
            exchange.attempts = 1
            async with asyncio.timeout_at(deadline):
                exchange.result = await connector.call(exchange.operation, request, context)
        else:
            exchange.result = await _call_guarded(exchange, connector, guard, request, context)
        exchange.verdicts.append(_passed(exchange.attempts))
    except TimeoutError:
        raise Failure(
            problem_types.UPSTREAM_TIMEOUT, service=service.key, deadline_ms=settings.call_deadline_ms
        ) from None
    except Failure as failure:
        _tell(failure, service.key, settings)
        raise
    finally:
        exchange.upstream_us = (time.perf_counter_ns() - started) // 1000


def _passed(attempts: int) -> tuple[str, str, str]:
    return PASSED if attempts == 1 else ("call", "pass", f"attempts {attempts}")


def _tell(failure: Failure, service: str, settings: Any) -> None:
    failure.facts.setdefault("service", service)
    failure.facts.setdefault("deadline_ms", settings.call_deadline_ms)


class Asked:
    """A question that is on its way without a task. Calling it with what came of it, once, goes on with the call.

    `then` is told when `exchange.result` is there, with None; or with what still has to be awaited first.
    """

    __slots__ = ("_context", "_exchange", "_gateway", "_request", "_started", "_then")

    def __init__(
        self, exchange: Exchange, gateway: Any, then: Callable[[Awaitable[None] | None], None]
    ) -> None:
        self._exchange, self._gateway, self._then = exchange, gateway, then

    def begin(self) -> bool:
        """Ask, where an open connection is at hand and nothing stands in the way. False: nothing was done."""
        exchange = self._exchange
        connector: Any = exchange.connector
        ask = getattr(connector, "ask", None)
        if ask is None or not connector.guard.is_closed:
            return False
        settings = self._gateway.settings
        service = exchange.service
        assert service is not None
        if service.promise.hours and settings.environment == "live":
            return False
        self._started = time.perf_counter_ns()
        deadline = time.monotonic() + settings.call_deadline_ms / 1000
        self._context = _context(exchange, self._gateway, service.key, deadline)
        self._request = _request(exchange, settings)
        if not ask(exchange.operation, self._request, self._context, self):
            return False
        exchange.attempts = 1
        return True

    def __call__(self, outcome: Result | Failure | None) -> None:
        """The department's answer, its failure, or None: the connection had been closed, ask anew."""
        exchange = self._exchange
        exchange.upstream_us = (time.perf_counter_ns() - self._started) // 1000
        if isinstance(outcome, Result) and outcome.status not in _OUT_OF_ORDER:
            guard: Guard = exchange.connector.guard  # type: ignore[union-attr]  # begin saw it
            guard.succeed()
            exchange.result = outcome
            exchange.verdicts.append(PASSED)
            self._then(None)
        else:
            self._then(self._go_on(outcome))

    async def _go_on(self, outcome: Result | Failure | None) -> None:
        """As `apply`, from the first outcome on."""
        exchange = self._exchange
        connector: Any = exchange.connector
        settings = self._gateway.settings
        if outcome is None:
            exchange.attempts = 0
        try:
            exchange.result = await _call_guarded(
                exchange, connector, connector.guard, self._request, self._context, outcome
            )
            exchange.verdicts.append(_passed(exchange.attempts))
        except Failure as failure:
            _tell(failure, self._context.service, settings)
            raise
        finally:
            exchange.upstream_us = (time.perf_counter_ns() - self._started) // 1000


async def _call_guarded(
    exchange: Exchange, connector: Connector, guard: Guard, request: Request, context: Context,
    first: Result | Failure | None = None,
) -> Result:  # fmt: skip
    """Ask until there is an answer to give. `first`: what the first attempt, already made, has come to."""
    may_repeat = exchange.operation.is_safe and (request.body is None or isinstance(request.body, bytes))
    while True:
        outcome = first or await _attempt(exchange, connector, guard, request, context)
        first = None
        is_last = exchange.attempts >= ATTEMPTS or not may_repeat
        if isinstance(outcome, Failure):
            if outcome.kind.slug in _NO_FAULT_OF_THE_UPSTREAM:
                guard.leave()
                raise outcome
            guard.fail()
            if (
                is_last
                or outcome.kind.slug not in _REPEATABLE
                or not await _back_off(exchange.attempts, context)
            ):
                raise outcome
            continue
        if outcome.status not in _OUT_OF_ORDER or outcome.is_sound:
            guard.succeed()
            return outcome
        guard.fail()
        if is_last or not isinstance(outcome.body, bytes) or _says_when(outcome):
            return outcome
        if not await _back_off(exchange.attempts, context):
            return outcome


async def _attempt(
    exchange: Exchange, connector: Connector, guard: Guard, request: Request, context: Context
) -> Result | Failure:
    exchange.attempts += 1
    _enter(guard, context)
    try:
        return await connector.call(exchange.operation, request, context)
    except Failure as failure:
        return failure
    except BaseException:
        guard.leave()
        raise


def _enter(guard: Guard, context: Context) -> None:
    wait = guard.enter()
    if wait:
        after = max(1, round(wait + 0.5))
        raise Failure(
            problem_types.CIRCUIT_OPEN,
            headers={"Retry-After": str(after)},
            service=context.service,
            retry_after=after,
        )


async def _back_off(attempt: int, context: Context) -> bool:
    """Wait a little, not in step with others; False when the deadline leaves no time for it."""
    pause = BACK_OFF_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.0)
    if time.monotonic() + pause >= context.deadline:
        return False
    await asyncio.sleep(pause)
    return True


def _says_when(result: Result) -> bool:
    return any(name == b"retry-after" for name, _ in result.headers)


def _check_open(hours_text: str, time_zone: str, service: str) -> None:
    hours = parse_hours(hours_text, time_zone)
    if hours is None:
        return
    wait = hours.seconds_to_opening(clock.now())
    if wait:
        raise Failure(
            problem_types.DEPARTMENT_CLOSED,
            headers={"Retry-After": str(wait)},
            service=service,
            hours=f"{hours_text} ({time_zone})",
            retry_after=wait,
        )


def _context(exchange: Exchange, gateway: Any, service: str, deadline: float) -> Context:
    decision = exchange.decision
    app_id = exchange.app.id if exchange.app is not None else exchange.caller.id
    return Context(
        request_id=exchange.request_id,
        deadline=deadline,
        environment=gateway.environment,
        app_id=app_id,
        state_id=app_id if gateway.is_sandbox else "",
        clock=gateway.clock_of(app_id) if gateway.is_sandbox else "",
        scenario=exchange.scenario,
        locale=exchange.locale,
        subject=decision.subject if decision is not None else "",
        purpose=decision.purpose if decision is not None else "",
        trace_parent=exchange.trace_parent,
        service=service,
    )


def _request(exchange: Exchange, settings: Any) -> Request:
    body = exchange.body if exchange.body is not None else exchange.body_stream
    if exchange.content_length == 0 and not exchange.body:
        body = None
    return Request(
        path=exchange.path_values,
        query=exchange.query_values,
        headers=exchange.header_values,
        target=exchange.target,
        body=body,
        content_type=exchange.content_type,
        content_length=exchange.content_length,
        json=exchange.json,
        forward_headers=request_headers(
            exchange.headers,
            client_address=exchange.client_address,
            public_origin=settings.issuer,
            # the sandbox reads every answer to check it; out of a consented one fields may have to be cut
            keeps_encoding=settings.environment == "live" and not exchange.compiled.needs_consent,
        ),
    )
