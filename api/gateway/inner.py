"""A call that the gateway makes itself, as a part of another: a step of a composed service.

It has the right of the service that it is part of, so there is no token to ask for; everything after that is as
for any call: idempotency, hours, breaker, deadline, the contract held against the answer, evidence before the
answer is used, and a line in the request log under the outer call's id.
"""

import time
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from api.core import problem_types
from api.core.caller import Caller, CallerKind
from api.core.logging import log_failure
from api.core.problems import Failure, Problem
from api.gateway import call, freshness, idempotency, record, validate
from api.gateway.compiled import FRESH, ONCE, CompiledOperation
from api.gateway.connector import Context
from api.gateway.exchange import Decision, Exchange

FACE = "compose"
_CALLS = {ONCE: idempotency.apply, FRESH: freshness.apply, "": call.apply}
_GRANTED = ("authorise", "pass", "by the service that it is part of")


class Inner(Struct, frozen=True):
    """What is asked: an operation, its values, the key under which it is done once, and its scenario."""

    compiled: CompiledOperation
    path: dict[str, Any]
    query: dict[str, Any]
    headers: dict[str, Any]
    body: Any = None
    key: str = ""
    scenario: str = ""


async def run_inner(gateway: Any, outer: Context, inner: Inner) -> Exchange:
    """Make the call; its exchange, with `result` or `problem`. Raises nothing but cancellation."""
    exchange = _exchange(gateway, outer, inner)
    try:
        await _CALLS[inner.compiled.care](exchange, gateway)
        if gateway.is_sandbox:
            validate.check_answer(exchange, gateway)
        if inner.compiled.needs_evidence:
            await record.before_answer(exchange, gateway)
    except Problem as problem:
        _refuse(exchange, problem)
    except Exception as error:
        log_failure("gateway.inner", error, request_id=exchange.request_id)
        _refuse(exchange, Failure(problem_types.INTERNAL_ERROR))
    finally:
        if exchange.result is not None and exchange.problem is None:
            exchange.status = exchange.result.status
            body = exchange.result.body
            exchange.response_bytes = len(body) if isinstance(body, bytes) else 0
        elif not exchange.status:
            exchange.status = 499
        record.after_answer(exchange, gateway)
    return exchange


def _refuse(exchange: Exchange, problem: Problem) -> None:
    exchange.problem = problem
    exchange.status = problem.kind.status
    exchange.verdicts.append((problem.kind.step or "call", "refuse", problem.rule))


def _exchange(gateway: Any, outer: Context, inner: Inner) -> Exchange:
    compiled = inner.compiled
    operation, entry = compiled.operation, compiled.entry
    target = operation.path
    for name, value in inner.path.items():
        target = target.replace("{" + name + "}", quote(str(value), safe=""))
    query = urlencode({name: _plain(value) for name, value in inner.query.items()}, safe=",")
    path = f"/api/{entry.service.name}/{entry.service.version}{target}"
    exchange = Exchange(
        request_id=gateway.request_ids.new(), face=FACE, method=operation.method, raw_path=path.encode(),
        query_string=query.encode(), headers=[], client_address="",
        started_ns=time.perf_counter_ns(), started_at_us=time.time_ns() // 1000,
    )  # fmt: skip
    exchange.parent_id = outer.request_id
    exchange.locale, exchange.trace_parent = outer.locale, outer.trace_parent
    exchange.path = path
    exchange.target = f"{target}?{query}" if query else target
    exchange.snapshot = gateway.snapshots.current
    exchange.service, exchange.operation, exchange.compiled = entry.service, operation, compiled
    exchange.connector = entry.connector
    exchange.path_values, exchange.query_values = inner.path, inner.query
    exchange.header_values = dict(inner.headers)
    if inner.key and operation.idempotent:
        exchange.headers = [(b"idempotency-key", inner.key.encode())]
        exchange.header_map[b"idempotency-key"] = inner.key.encode()
        exchange.header_values["Idempotency-Key"] = inner.key
    if inner.body is not None:
        exchange.json = inner.body
        exchange.body = msgspec.json.encode(inner.body)
        exchange.content_type = "application/json"
        exchange.content_length = exchange.request_bytes = len(exchange.body)
    exchange.scenario = inner.scenario
    exchange.caller = Caller(kind=CallerKind.APP, id=outer.app_id, environment=gateway.environment)
    apps = exchange.snapshot.apps
    number = apps.find(outer.app_id)
    exchange.app = apps.row(number, outer.app_id) if number >= 0 else None
    exchange.decision = Decision(purpose=outer.purpose, subject=outer.subject)
    exchange.verdicts += [compiled.routed, _GRANTED]
    return exchange


def _plain(value: Any) -> str:
    return ",".join(str(one) for one in value) if isinstance(value, list) else str(value)
