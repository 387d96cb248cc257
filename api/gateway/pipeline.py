"""The way of a request. Read this page first, then one file for each step.

    admit ▸ route ▸ authenticate ▸ authorise ▸ limit ▸ validate ▸ call ▸ record

`admit` runs once per HTTP request, the rest once per operation, on every face alike. Each step is a module with
one `apply(exchange, gateway)`; it fills its part of the exchange and leaves a verdict, or raises a Problem,
which becomes the answer. Steps do not know each other. `record` always runs: `before_answer` commits the access
record of sensitive data before the first byte, `after_answer` is owed by the face, once, whatever happened.
"""

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
    try:
        try:
            _decide(exchange, gateway)
        except Problem as problem:
            await _decide_again(exchange, gateway, problem)
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
        care = exchange.compiled.care
        await (_CALLS[care] if care else call.apply)(exchange, gateway)
        if gateway.is_sandbox:
            validate.check_answer(exchange, gateway)
        if exchange.compiled.needs_evidence:
            await _before_answer(exchange, gateway)
        answer.of_result(exchange, gateway)
    except Problem as problem:
        await answer.discard(exchange)
        _refuse(exchange, gateway, problem)
    except Exception as error:
        log_failure("gateway.failure", error, request_id=exchange.request_id)
        await answer.discard(exchange)
        _refuse(exchange, gateway, Failure(problem_types.INTERNAL_ERROR))


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


async def _decide_again(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    """Once more with what is new, where the refusal may only mean that this process had not heard of it."""
    if problem.kind not in _MAY_BE_STALE or not await gateway.snapshots.refresh():
        raise problem
    _forget_decision(exchange)
    _decide(exchange, gateway)


def _forget_decision(exchange: Exchange) -> None:
    if exchange.face == "rest":  # the other faces have named the operation, not a path
        exchange.compiled = None
    exchange.operation = exchange.service = exchange.holding = None
    del exchange.verdicts[1:]  # admit's stays


def _refuse(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    step = problem.kind.step or "call"
    if step in {"validate", "authorise"} and exchange.result is None:
        limit.give_back(exchange, gateway)
    exchange.verdicts.append((step, "refuse", problem.rule))
    answer.of_problem(exchange, gateway, problem)
