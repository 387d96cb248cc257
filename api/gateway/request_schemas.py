"""What the routes of the request log answer."""

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from api.core import clock
from api.gateway.models import RequestRecord
from api.gateway.request_log import Explained, ProblemItem, StepItem
from api.gateway.slo import Measured
from api.gateway.usage_report import UsageLine


class RequestItem(Struct, frozen=True):
    """A call as lists show it. Times in ms; `gateway_ms` is what the platform took, `upstream_ms` the department."""

    id: str
    at: str
    environment: str
    app_id: str
    service: str
    operation: str
    face: str
    method: str
    path: Annotated[str, Meta(description="Classified values are masked.")]
    status: int
    duration_ms: float
    gateway_ms: float
    upstream_ms: float
    step: Annotated[str, Meta(description="The step that refused; empty when the call went through.")]
    problem: str


class RequestDetail(RequestItem, frozen=True):
    """A call with every step's verdict, what it cost and what to do next."""

    parent_id: str
    request_bytes: int
    response_bytes: int
    quota_left: int | None
    purpose: str
    scenario: str
    trace_id: str
    steps: list[StepItem]
    explanation: ProblemItem | None
    next: Annotated[str, Meta(description="What to do now; empty when the call went through.")]


class RequestList(Struct, frozen=True):
    items: list[RequestItem]
    next: str | None


class UsageList(Struct, frozen=True):
    """Newest first. Days begin at 00:00 UTC."""

    app_id: str
    per: str
    days: int
    items: list[UsageLine]


class ServiceLevel(Struct, frozen=True):
    """Promise and measurement of a service. Null: nothing is promised, or nobody called in the window."""

    service: str
    environment: str
    window: dict[str, Any]
    calls: int
    failures: int
    availability: dict[str, float | bool | None]
    p95_ms: dict[str, float | bool | None]
    p50_ms: float | None
    hours: str


def request_item(row: RequestRecord, environment: str) -> RequestItem:
    return RequestItem(**_item_values(row, environment))


def request_detail(found: Explained) -> RequestDetail:
    row = found.row
    return RequestDetail(
        **_item_values(row, found.environment),
        parent_id=row.parent_id,
        request_bytes=row.request_bytes,
        response_bytes=row.response_bytes,
        quota_left=row.quota_left if row.quota_left >= 0 else None,
        purpose=row.purpose,
        scenario=row.scenario,
        trace_id=row.trace_id,
        steps=found.steps,
        explanation=found.problem,
        next="" if found.problem is None else found.problem.next,
    )


def _item_values(row: RequestRecord, environment: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "at": clock.to_text(datetime.fromtimestamp(row.at / 1_000_000, UTC)),
        "environment": environment,
        "app_id": row.app_id,
        "service": row.service,
        "operation": row.operation,
        "face": row.face,
        "method": row.method,
        "path": row.path,
        "status": row.status,
        "duration_ms": row.duration_us / 1000,
        "gateway_ms": max(0, row.duration_us - row.upstream_us) / 1000,
        "upstream_ms": row.upstream_us / 1000,
        "step": row.step,
        "problem": row.problem,
    }


def service_level(measured: Measured) -> ServiceLevel:
    return ServiceLevel(
        service=measured.service,
        environment=measured.environment,
        window={"since": measured.since, "until": measured.until, "days": measured.days},
        calls=measured.calls,
        failures=measured.failures,
        availability={
            "promised": measured.promised_availability,
            "measured": measured.availability,
            "kept": measured.keeps_availability,
        },
        p95_ms={
            "promised": measured.promised_p95_ms,
            "measured": measured.p95_ms,
            "kept": measured.keeps_p95,
        },
        p50_ms=measured.p50_ms,
        hours=measured.hours,
    )
