"""Step `record`: the access record before a sensitive answer, the request log and the counters after every one.

It always runs, also for refusals. Writing is the recorder's and the evidence writer's; this is where they are
told. No body, token or classified value goes on record.
"""

import time
from typing import Any

from api.core.logging import log_failure
from api.gateway import sampling
from api.gateway.exchange import Exchange

PASSED = ("record", "pass", "evidence")
_MAX_BODY_VALUES = 16


async def before_answer(exchange: Exchange, gateway: Any) -> None:
    """Return when the access record is on disk. Raises Failure: evidence-unavailable (the answer is withheld)."""
    try:
        await gateway.evidence.commit(exchange, identifying_values(exchange, gateway))
    except BaseException:
        body = exchange.result.body if exchange.result is not None else b""
        if not isinstance(body, bytes):
            close = getattr(body, "aclose", None)
            if close is not None:
                await close()
        raise
    exchange.verdicts.append(PASSED)


def after_answer(exchange: Exchange, gateway: Any) -> None:
    """Hand the call over to the log and the counters. Waits for nothing, raises nothing."""
    duration_us = (time.perf_counter_ns() - exchange.started_ns) // 1000
    try:
        gateway.recorder.add(exchange, duration_us)
        compiled = exchange.compiled
        if compiled is not None and compiled.entry.recording is not None:
            sampling.take(exchange, gateway)
    except Exception as error:  # the answer is out; a defect here must not break the connection
        log_failure("record.failure", error, request_id=exchange.request_id)


def identifying_values(exchange: Exchange, gateway: Any) -> tuple[str, ...]:
    """The values that say whose data were asked for.

    The classified path and query parameters; where none is, the path parameters; else the query's, else the
    texts of the body.
    """
    path, query = exchange.path_values, exchange.query_values
    classified = gateway.recorder.mask_of(exchange).classified
    values = [str(value) for name, value in sorted((*path.items(), *query.items())) if name in classified]
    if not values:
        values = [str(value) for _, value in sorted(path.items())] or [
            str(value) for _, value in sorted(query.items())
        ]
    if not values and isinstance(exchange.json, dict):
        texts = [(name, value) for name, value in exchange.json.items() if isinstance(value, str | int)]
        values = [str(value) for _, value in sorted(texts)[:_MAX_BODY_VALUES]]
    return tuple(values)
