"""The usage of an app: calls, cost and percentiles by day or hour, operation and status."""

from datetime import UTC, datetime, timedelta

from msgspec import Struct

from api.core import clock, store
from api.core.caller import Caller
from api.gateway.models import UsageBucket
from api.gateway.recorder import show_now
from api.gateway.request_log import readable_app
from api.gateway.slo import add_histogram
from api.gateway.usage import BUCKETS_MS, percentile_ms

MAX_DAYS = {"day": 366, "hour": 14}


class UsageLine(Struct, frozen=True):
    """Calls of one operation with one status in one span of time. `cost` is in quota units; times include the
    department's system, `upstream_ms` is its mean part.
    """

    start: str
    service: str
    operation: str
    status: int
    problem: str
    calls: int
    cost: int
    p50_ms: float
    p95_ms: float
    upstream_ms: float
    request_bytes: int
    response_bytes: int


class _Total:
    __slots__ = ("calls", "cost", "histogram", "request_bytes", "response_bytes", "upstream_us")

    def __init__(self) -> None:
        self.calls = self.cost = self.upstream_us = self.request_bytes = self.response_bytes = 0
        self.histogram = [0] * (len(BUCKETS_MS) + 1)


async def usage_of(caller: Caller, app_id: str, *, per: str = "day", days: int = 30) -> list[UsageLine]:
    """The usage of an app, newest first. `per` is day (UTC) or hour. Raises not-signed-in, not-found."""
    app = await readable_app(caller, app_id)
    await show_now(app.environment)
    days = max(1, min(days, MAX_DAYS[per]))
    now = clock.now()
    first = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    rows = (
        await UsageBucket.filter(app_id=app.id, hour__gte=int(first.timestamp()) // 3600)
        .using_db(store.plane(app.environment))
        .values_list(
            "hour", "service", "operation", "status", "problem", "calls", "cost", "upstream_us", "request_bytes",
            "response_bytes", "histogram",
        )
    )  # fmt: skip
    span = 24 if per == "day" else 1
    totals: dict[tuple[int, str, str, int, str], _Total] = {}
    for (
        hour,
        service,
        operation,
        status,
        problem,
        calls,
        cost,
        upstream_us,
        received,
        sent,
        histogram,
    ) in rows:
        total = totals.setdefault((hour // span * span, service, operation, status, problem), _Total())
        total.calls += calls
        total.cost += cost
        total.upstream_us += upstream_us
        total.request_bytes += received
        total.response_bytes += sent
        add_histogram(total.histogram, histogram)
    ordered = sorted(totals.items(), key=lambda item: (-item[0][0], *item[0][1:]))
    return [_line(key, total) for key, total in ordered]


def _line(key: tuple[int, str, str, int, str], total: _Total) -> UsageLine:
    hour, service, operation, status, problem = key
    return UsageLine(
        start=clock.to_text(datetime.fromtimestamp(hour * 3600, UTC)),
        service=service,
        operation=operation,
        status=status,
        problem=problem,
        calls=total.calls,
        cost=total.cost,
        p50_ms=percentile_ms(total.histogram, 0.5),
        p95_ms=percentile_ms(total.histogram, 0.95),
        upstream_ms=round(total.upstream_us / total.calls / 1000, 2) if total.calls else 0.0,
        request_bytes=total.request_bytes,
        response_bytes=total.response_bytes,
    )
