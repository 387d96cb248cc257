"""Finished calls on their way into the log: taken in by one append, worked out later, many at a time.

What a call leaves behind (the shown address, counters, usage) is worked out when the writer comes by: in one
loop over hundreds of calls the same work takes a third of the time that it takes between two requests, where
code and tables have left the processor's caches.
"""

from collections import deque
from typing import Any

import msgspec

from api.core.logging import log_failure
from api.core.problems import RESERVED
from api.gateway.exchange import Exchange
from api.gateway.masking import AddressMask, shown_unrouted
from api.gateway.metrics import Metrics
from api.gateway.usage import Usage, field_names

_KEPT_MASKS = 20_000
_KEPT_VERDICTS = 4_000
_encode = msgspec.json.encode
Row = Any  # a tuple or list of recorder.LOG_COLUMNS


class FinishedCalls:
    """Calls that are over and not yet worked out. One for a process and plane; one event loop."""

    def __init__(self, metrics: Metrics, usage: Usage) -> None:
        self._metrics = metrics
        self._usage = usage
        self._waiting: deque[tuple[Any, ...]] = deque()
        self._masks: dict[int, tuple[Any, AddressMask]] = {}
        self._verdicts: dict[tuple[tuple[str, str, str], ...], str] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, exchange: Exchange, duration_us: int) -> int:
        """Take one finished call in: what may not be kept (bodies) or may change is read now. How many wait."""
        app = exchange.app
        decision = exchange.decision
        names = (
            field_names(exchange) if exchange.query_values or exchange.header_values or exchange.json else ()
        )
        self._waiting.append(
            (
                exchange.request_id, exchange.started_at_us, exchange.parent_id, app.id if app is not None else "",
                exchange.compiled, exchange.operation, exchange.service, exchange.face, exchange.method, exchange.path,
                exchange.raw_path, exchange.path_values, exchange.query_string, exchange.status, duration_us,
                exchange.upstream_us, exchange.request_bytes, exchange.response_bytes, exchange.problem,
                tuple(exchange.verdicts), decision.purpose if decision is not None else "", exchange.scenario,
                exchange.quota_left, exchange.trace_parent, exchange.cost, exchange.attempts, exchange.plan, names,
            )
        )  # fmt: skip
        return len(self._waiting)

    def mask_of(self, operation: Any, service: Any) -> AddressMask:
        """How the address of a call of this operation is shown."""
        known = self._masks.get(id(operation))
        if known is not None and known[0] is operation:
            return known[1]
        if len(self._masks) > _KEPT_MASKS:
            self._masks.clear()
        mask = AddressMask(operation, service)
        self._masks[id(operation)] = (operation, mask)
        return mask

    def work_out(self, count: int) -> list[Row]:
        """Count the oldest `count` calls at most; the rows of the request log that they become."""
        waiting = self._waiting
        rows: list[Row] = []
        for _ in range(min(count, len(waiting))):
            call = waiting.popleft()
            try:
                rows.append(self._row(*call))
            except Exception as error:  # a defect with one call must not take the others along
                log_failure("record.failure", error, request_id=call[0])
        return rows

    def _row(
        self, request_id: str, at: int, parent_id: str, app_id: str, compiled: Any, operation: Any, service: Any, face: str,
        method: str, path: str, raw_path: bytes, values: dict[str, Any], query: bytes, status: int, duration_us: int,
        upstream_us: int, request_bytes: int, response_bytes: int, problem: Any, verdicts: Any, purpose: str, scenario: str,
        quota_left: int, trace_parent: str, cost: int, attempts: int, plan: str, names: tuple[str, ...],
    ) -> Row:  # fmt: skip
        key = compiled.entry.key if compiled is not None else service.key if service is not None else ""
        if operation is not None:
            name = operation.id
            shown = self.mask_of(operation, service).shown(path, values, query)
        else:
            name = ""
            shown = shown_unrouted(path or raw_path.decode("latin-1"), query)
        step, slug = ("", "") if problem is None else (problem.kind.step, problem.kind.slug)
        self._metrics.count(key, name, status, step, slug, duration_us, upstream_us, attempts, plan)
        self._usage.count(
            (at // 3_600_000_000, app_id, key, name, status, slug),
            (cost, duration_us, upstream_us, request_bytes, response_bytes),
            at,
            names,
        )
        return (
            request_id, at, parent_id, app_id, key, name, face, method[:8], shown, status, duration_us, upstream_us,
            request_bytes, response_bytes, step, slug, "{}" if problem is None else facts_of(problem),
            self._verdicts.get(verdicts) or self._text_of(verdicts), purpose, scenario, quota_left, trace_parent[3:35],
            request_id[:11],
        )  # fmt: skip

    def _text_of(self, verdicts: tuple[tuple[str, str, str], ...]) -> str:
        """Verdicts as JSON. Few different ones are ever given, and looking one up costs half of making it."""
        if len(self._verdicts) >= _KEPT_VERDICTS:
            self._verdicts.clear()
        text = self._verdicts[verdicts] = _encode(verdicts).decode()
        return text


def facts_of(problem: Any) -> str:
    """What the log keeps of a problem: its facts, its rule where it is not its slug, and its field errors."""
    facts = {name: value for name, value in problem.facts.items() if name not in RESERVED}
    if problem.rule != problem.kind.slug:
        facts["rule"] = problem.rule
    if problem.errors:
        facts["errors"] = list(problem.errors)
    try:
        return _encode(facts, enc_hook=str).decode()
    except (TypeError, ValueError):  # a lone surrogate in a fact: the log shows the problem without its facts
        return "{}"
