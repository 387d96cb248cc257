"""A call with an `Idempotency-Key` on an operation that says `x-idempotent`: done once, answered as often as asked.

The key is taken before the department is asked. Then:

    answered below 500 and done     the answer is kept and given again, with `Idempotent-Replayed: true`
    refused (4xx), never reached,    the key may be used again: nothing was done
    or 503 with Retry-After
    no answer, or another 5xx        nobody knows what was done: a repetition is refused and says so
    under way                        409, try again in a moment

A connector whose system keeps the keys itself, with the change (`keeps_keys`), is left to it.
Source: draft-ietf-httpapi-idempotency-key-header-07.
"""

from datetime import timedelta
from typing import Any

from api.core import clock, problem_types
from api.core.problem_types_agents import AGENT_AWAY
from api.core.problems import Failure, Problem, Refusal
from api.gateway import call
from api.gateway.connector import Result
from api.gateway.exchange import Exchange
from api.gateway.kept_answers import DONE, STARTED, Kept, KeptAnswers, fingerprint_of, name_of

REPLAYED = (b"idempotent-replayed", b"true")
_NOT_REACHED = frozenset(
    {
        problem_types.CIRCUIT_OPEN.slug, problem_types.DEPARTMENT_CLOSED.slug, problem_types.EGRESS_REFUSED.slug,
        problem_types.UPSTREAM_BUSY.slug, AGENT_AWAY.slug,
    }
)  # fmt: skip


async def apply(exchange: Exchange, gateway: Any) -> None:
    """As `call.apply`, but a key that was used gets its first answer. Raises what it raises, and
    Refusal: idempotency-key-reused, idempotency-in-progress, idempotency-outcome-unknown.
    """
    key = exchange.header_map.get(b"idempotency-key")
    kept_answers: KeptAnswers | None = gateway.kept_answers
    if not key or kept_answers is None or getattr(exchange.connector, "keeps_keys", False):
        await call.apply(exchange, gateway)
        return
    app_id = exchange.caller.id
    name = name_of(app_id, f"{exchange.compiled.entry.key}/{exchange.operation.id}", key)
    fingerprint = fingerprint_of(exchange.target, exchange.body or b"")
    kept = await kept_answers.take(name, app_id, fingerprint)
    if kept is None:
        await _ask(exchange, gateway, kept_answers, name)
    else:
        _replay(exchange, gateway, kept, fingerprint)


def _replay(exchange: Exchange, gateway: Any, kept: Kept, fingerprint: str) -> None:
    if kept.fingerprint != fingerprint:
        raise Refusal(problem_types.IDEMPOTENCY_KEY_REUSED)
    if kept.state == DONE:
        exchange.result = Result(kept.status, [*kept.headers, REPLAYED], kept.body)
        exchange.verdicts.append(("call", "pass", "idempotency-key: the first answer"))
        return
    deadline = timedelta(milliseconds=gateway.settings.call_deadline_ms)
    if kept.state == STARTED and clock.now() - kept.started_at < 2 * deadline:
        raise Refusal(problem_types.IDEMPOTENCY_IN_PROGRESS, headers={"Retry-After": "1"})
    raise Refusal(problem_types.IDEMPOTENCY_OUTCOME_UNKNOWN, operation=exchange.operation.id)


async def _ask(exchange: Exchange, gateway: Any, kept_answers: KeptAnswers, name: str) -> None:
    try:
        await call.apply(exchange, gateway)
    except Problem as problem:
        if _was_not_sent(problem):
            await kept_answers.give_back(name)
        else:
            await kept_answers.mark_unknown(name)
        raise
    except BaseException:  # the client went away, or the process is ending
        await kept_answers.mark_unknown(name)
        raise
    result = exchange.result
    assert result is not None
    if result.status >= 500 and not _asks_to_come_again(result):
        await kept_answers.mark_unknown(name)
    elif result.status >= 400:
        await kept_answers.give_back(name)
    elif isinstance(result.body, bytes):
        await kept_answers.keep(name, result.status, list(result.headers), result.body)
    else:  # a stream is not kept: whoever asks again is told so
        await kept_answers.mark_unknown(name)


def _was_not_sent(problem: Problem) -> bool:
    """Whether the department never saw the request: refused here, or the connection was not to be had."""
    if not isinstance(problem, Failure) or problem.kind.slug in _NOT_REACHED:
        return True
    return bool(getattr(problem.__cause__, "is_unsent", False))  # connectors.http_stream.ClientError


def _asks_to_come_again(result: Result) -> bool:
    """503 with Retry-After: the department says itself that it did nothing. Source: RFC 9110 §15.6.4."""
    return result.status == 503 and any(name == b"retry-after" for name, _ in result.headers)
