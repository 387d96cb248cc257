"""The way of a request. Read this page first, then one file for each step.

    admit ▸ route ▸ authenticate ▸ authorise ▸ limit ▸ validate ▸ call ▸ record

`admit` runs once per HTTP request, the rest once per operation, on every face alike. Each step is a module with
one `apply(exchange, gateway)`; it fills its part of the exchange and leaves a verdict, or raises a Problem,
which becomes the answer. Steps do not know each other. `record` always runs: `before_answer` commits the access
record of sensitive data before the first byte, `after_answer` is owed by the face, once, whatever happened.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from api.core import problem_types
from api.core.logging import log_failure
from api.core.problems import Failure, Problem
from api.gateway import admit as admit_step
from api.gateway import (
    answer,
    authenticate,
    authorise,
    call,
    consent,
    freshness,
    idempotency,
    limit,
    possession,
    record,
    route,
    validate,
)
from api.gateway.body import read_body
from api.gateway.compiled import FRESH, ONCE
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway

STEPS = (admit_step, route, authenticate, authorise, limit, validate, call, record)

# What takes care of the call where the contract asks for it: x-idempotent, x-cache.
_CALLS = {ONCE: idempotency.apply, FRESH: freshness.apply}

# Refusals that may only mean that this process has not heard of a change yet: it looks once before it refuses.
_MAY_BE_STALE = frozenset(
    {
        problem_types.OPERATION_NOT_FOUND, problem_types.METHOD_NOT_ALLOWED, problem_types.SERVICE_RETIRED,
        problem_types.TOKEN_INVALID, problem_types.TOKEN_REVOKED, problem_types.NOT_SUBSCRIBED,
        problem_types.SUBSCRIPTION_PENDING, problem_types.PURPOSE_REQUIRED,
    }
)  # fmt: skip


def admit(exchange: Exchange, gateway: Gateway) -> bool:
    """The first step. False: the request is refused and its answer is ready."""
    try:
        admit_step.apply(exchange, gateway)
    except Problem as problem:
        _refuse(exchange, gateway, problem)
        return False
    return True


async def run(exchange: Exchange, gateway: Gateway) -> None:
    """All other steps. Afterwards status, headers and body of the answer are there, whatever happened."""
    await _ended(exchange, gateway, _whole_way(exchange, gateway))


def begin(
    exchange: Exchange, gateway: Gateway, then: Callable[[Exchange, Awaitable[None] | None], None]
) -> None:
    """As `run`, without a task as long as there is nothing to wait for but a department's answer.

    `then` is called, now or later, when the answer is there; or with what has to be awaited before it is.
    """
    try:
        _decide(exchange, gateway)
    except Problem as problem:
        then(exchange, _ended(exchange, gateway, _second_way(exchange, gateway, problem)))
        return
    except Exception as error:
        _fail(exchange, gateway, error)
        then(exchange, None)
        return
    compiled = exchange.compiled
    if exchange.holding or exchange.body_stream or compiled.care or compiled.needs_evidence:
        then(exchange, _ended(exchange, gateway, _decided_way(exchange, gateway)))
        return
    has_asked = False
    try:
        charging = limit.apply(exchange, gateway)
        if charging is None:
            validate.apply(exchange, gateway)
            has_asked = call.Asked(exchange, gateway, partial(_answered, exchange, gateway, then)).begin()
    except Problem as problem:
        _refuse(exchange, gateway, problem)
        then(exchange, None)
        return
    except Exception as error:
        _fail(exchange, gateway, error)
        then(exchange, None)
        return
    if charging is not None:
        then(exchange, _ended(exchange, gateway, _charged_way(exchange, gateway, charging)))
    elif not has_asked:
        then(exchange, _ended(exchange, gateway, _validated_way(exchange, gateway)))


def _answered(
    exchange: Exchange, gateway: Gateway, then: Callable[[Exchange, Awaitable[None] | None], None],
    rest: Awaitable[None] | None,
) -> None:  # fmt: skip
    """The department that `begin` asked has answered, or failed: then `rest` tries again and ends the call."""
    if rest is not None:
        then(exchange, _ended(exchange, gateway, _retried_way(exchange, gateway, rest)))
        return
    try:
        if gateway.is_sandbox:
            validate.check_answer(exchange, gateway)
        answer.of_result(exchange, gateway)
    except Problem as problem:
        if not isinstance(exchange.result.body, bytes):  # type: ignore[union-attr]  # there is one
            then(exchange, _discarded_way(exchange, gateway, problem))
            return
        _refuse(exchange, gateway, problem)
    except Exception as error:
        _fail(exchange, gateway, error)
    then(exchange, None)


async def _ended(exchange: Exchange, gateway: Gateway, way: Awaitable[None]) -> None:
    """Go the way; whatever goes wrong on it is the answer."""
    try:
        await way
    except Problem as problem:
        await answer.discard(exchange)
        _refuse(exchange, gateway, problem)
    except Exception as error:
        await answer.discard(exchange)
        _fail(exchange, gateway, error)


async def _discarded_way(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    await answer.discard(exchange)
    _refuse(exchange, gateway, problem)


# What is left of the way, from the point where something has to be waited for.
async def _whole_way(exchange: Exchange, gateway: Gateway) -> None:
    try:
        _decide(exchange, gateway)
    except Problem as problem:
        await _decide_again(exchange, gateway, problem)
    await _decided_way(exchange, gateway)


async def _second_way(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    await _decide_again(exchange, gateway, problem)
    await _decided_way(exchange, gateway)


async def _decided_way(exchange: Exchange, gateway: Gateway) -> None:
    holding = exchange.holding  # a person, a key or a certificate behind the token: few have one
    if holding is not None:
        await possession.spend_proof(holding, gateway)
    if exchange.body_stream is not None:
        await read_body(exchange, gateway)
    charging = limit.apply(exchange, gateway)
    if charging is not None:
        await charging
    validate.apply(exchange, gateway)
    if holding is not None:
        consent.check_subject(exchange)
    await _validated_way(exchange, gateway)


async def _charged_way(exchange: Exchange, gateway: Gateway, charging: Awaitable[None]) -> None:
    await charging
    validate.apply(exchange, gateway)
    await _validated_way(exchange, gateway)


async def _validated_way(exchange: Exchange, gateway: Gateway) -> None:
    care = exchange.compiled.care
    await (_CALLS[care] if care else call.apply)(exchange, gateway)
    await _answered_way(exchange, gateway)


async def _retried_way(exchange: Exchange, gateway: Gateway, retrying: Awaitable[None]) -> None:
    await retrying
    await _answered_way(exchange, gateway)


async def _answered_way(exchange: Exchange, gateway: Gateway) -> None:
    if gateway.is_sandbox:
        validate.check_answer(exchange, gateway)
    if exchange.compiled.needs_evidence:
        await _before_answer(exchange, gateway)
    answer.of_result(exchange, gateway)


async def _before_answer(exchange: Exchange, gateway: Gateway) -> None:
    """Sensitive data: what was not agreed to is cut out, and what goes is on record before it goes."""
    await consent.cut_answer(exchange)
    await record.before_answer(exchange, gateway)


def finish(exchange: Exchange, gateway: Gateway) -> None:
    """The last step, owed by the face: once, after the answer was sent, broken off or given up."""
    record.after_answer(exchange, gateway)


def _decide(exchange: Exchange, gateway: Gateway) -> None:
    route.apply(exchange, gateway)
    authenticate.apply(exchange, gateway)
    authorise.apply(exchange, gateway)


def may_be_stale(problem: Problem) -> bool:
    """Whether a refusal may only mean that this process has not heard of a change yet."""
    return problem.kind in _MAY_BE_STALE


async def _decide_again(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    """Once more with what is new, where the refusal may only mean that this process had not heard of it."""
    if not may_be_stale(problem) or not await gateway.snapshots.refresh():
        raise problem
    _forget_decision(exchange)
    _decide(exchange, gateway)


def _forget_decision(exchange: Exchange) -> None:
    if exchange.face == "rest":  # the other faces have named the operation, not a path
        exchange.compiled = None
    exchange.operation = exchange.service = exchange.holding = None
    del exchange.verdicts[1:]  # admit's stays


def _fail(exchange: Exchange, gateway: Gateway, error: Exception) -> None:
    log_failure("gateway.failure", error, request_id=exchange.request_id)
    _refuse(exchange, gateway, Failure(problem_types.INTERNAL_ERROR))


def _refuse(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    step = problem.kind.step or "call"
    if step in {"validate", "authorise"} and exchange.result is None:
        limit.give_back(exchange, gateway)
    exchange.verdicts.append((step, "refuse", problem.rule))
    answer.of_problem(exchange, gateway, problem)
