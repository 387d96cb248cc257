"""How a service keeps its promise (`x-service`): availability and 95th percentile, measured by `record`.

Counted are calls that were the department's to answer. What the gateway refuses (no token, no quota, a broken
parameter) says nothing about the department, nor do its closing hours or a fault of the platform; a held-off
call (circuit open) does: its system was down.
"""

import time
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from api.catalogue.inputs import check_version_id
from api.catalogue.models import Publication
from api.core import clock, store
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import REGISTRY, Refusal, Text
from api.gateway.models import UsageBucket
from api.gateway.recorder import show_now
from api.gateway.usage import BUCKETS_MS, percentile_ms

_NOT_THE_DEPARTMENTS = frozenset(
    {"department-closed", "evidence-unavailable", "internal-error", "egress-refused", "upstream-busy"}
)
_CLIENT_CLOSED = 499


class _Promise(Struct):
    availability: float = 0.0
    p95_ms: float = 0.0
    hours: str = ""


class _Info(Struct, rename={"promise": "x-service"}):
    promise: _Promise | None = None


class _Document(Struct):
    info: _Info


class Measured(Struct, frozen=True):
    """A service in one environment over a window. Shares are of 1; None: nobody called, or nothing is promised."""

    service: str
    environment: str
    since: str
    until: str
    days: int
    calls: int
    failures: int
    availability: float | None
    promised_availability: float | None
    keeps_availability: bool | None
    p50_ms: float | None
    p95_ms: float | None
    promised_p95_ms: float | None
    keeps_p95: bool | None
    hours: str


async def slo_of(service: str, *, environment: str = "", days: int = 30) -> Measured:
    """What was measured of `company@v1`, beside what is promised.

    `environment` "" is live where it is published there, else sandbox. Raises not-found.
    """
    publication = await _publication(service, environment)
    await show_now(publication.environment)
    until = time.time()
    since = until - days * 86400
    rows = (
        await UsageBucket.filter(service=service, hour__gte=int(since // 3600))
        .using_db(store.plane(publication.environment))
        .values_list("status", "problem", "calls", "histogram")
    )
    calls = failures = 0
    histogram = [0] * (len(BUCKETS_MS) + 1)
    for status, problem, count, durations in rows:
        if not _is_the_departments(status, problem):
            continue
        calls += count
        if status >= 500:
            failures += count
        else:
            add_histogram(histogram, durations)
    return _measured(publication, (since, until, days), (calls, failures), histogram)


async def _publication(service: str, environment: str) -> Publication:
    check_version_id(service)
    for one in (environment,) if environment else ("live", "sandbox"):
        found = await Publication.get_or_none(id=f"{service}/{one}")
        if found is not None and found.state != "pending":
            return found
    raise Refusal(NOT_FOUND, what=Text("已发布的服务", "published service"))


def _is_the_departments(status: int, problem: str) -> bool:
    if status == _CLIENT_CLOSED or problem in _NOT_THE_DEPARTMENTS:
        return False
    if not problem:
        return True
    kind = REGISTRY.get(problem)
    return kind is not None and (kind.step == "call" or problem == "response-invalid")


def add_histogram(total: list[int], stored: str) -> None:
    """Add a stored histogram to a total; one of another length (an older release) is left out."""
    counts: list[Any] = msgspec.json.decode(stored) if stored else []
    if len(counts) == len(total):
        for number, count in enumerate(counts):
            total[number] += count


def _measured(
    publication: Publication, window: tuple[float, float, int], counted: tuple[int, int], histogram: list[int]
) -> Measured:
    promise = msgspec.json.decode(publication.document, type=_Document).info.promise or _Promise()
    calls, failures = counted
    availability = round((calls - failures) / calls, 6) if calls else None
    answered = sum(histogram) > 0
    p95 = percentile_ms(histogram, 0.95) if answered else None
    since, until = (clock.to_text(datetime.fromtimestamp(moment, UTC)) for moment in window[:2])
    return Measured(
        service=publication.version_id,
        environment=publication.environment,
        since=since,
        until=until,
        days=window[2],
        calls=calls,
        failures=failures,
        availability=availability,
        promised_availability=promise.availability or None,
        keeps_availability=availability >= promise.availability
        if promise.availability and availability is not None
        else None,
        p50_ms=percentile_ms(histogram, 0.5) if answered else None,
        p95_ms=p95,
        promised_p95_ms=promise.p95_ms or None,
        keeps_p95=p95 <= promise.p95_ms if promise.p95_ms and p95 is not None else None,
        hours=promise.hours,
    )
