"""The request log as pages show it: rows of the caller's own apps, and one request explained step by step."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from tortoise.expressions import Q

from api.core import problem_types_platform as platform_types
from api.core import store
from api.core.caller import Caller
from api.core.problems import REGISTRY, Refusal, Text, describe
from api.gateway.models import RequestRecord
from api.identity.apps import service as apps
from api.identity.models import App

STEPS = ("admit", "route", "authenticate", "authorise", "limit", "validate", "call", "record")
OUTCOMES = {"ok": (0, 399), "refused": (400, 499), "failed": (500, 999)}
PAGE_ROWS = 50
_ENVIRONMENTS = {"rs": "sandbox", "rl": "live"}


class Filters(Struct, frozen=True):
    """What a log is narrowed to; "" for no bound. `before` is the time of the oldest row already seen."""

    app: str = ""
    outcome: str = ""
    step: str = ""
    operation: str = ""
    before: int = 0

    @property
    def is_narrow(self) -> bool:
        return bool(self.app or self.outcome or self.step or self.operation)


async def rows_of(app_list: Sequence[App], filters: Filters, limit: int = PAGE_ROWS) -> list[RequestRecord]:
    """The newest rows of these apps, from both planes, newest first."""
    rows: list[RequestRecord] = []
    for environment in dict.fromkeys(app.environment for app in app_list):
        ids = [app.id for app in app_list if app.environment == environment]
        query = RequestRecord.filter(app_id__in=ids).using_db(store.plane(environment))
        rows += await query.filter(_conditions(filters)).order_by("-at", "-id").limit(limit)
    return sorted(rows, key=lambda row: (row.at, row.id), reverse=True)[:limit]


def _conditions(filters: Filters) -> Q:
    conditions = Q()
    if filters.outcome in OUTCOMES:
        low, high = OUTCOMES[filters.outcome]
        conditions &= Q(status__gte=low, status__lte=high)
    if filters.step in STEPS:
        conditions &= Q(step=filters.step)
    if filters.operation:
        conditions &= Q(operation=filters.operation) | Q(service=filters.operation)
    if filters.before:
        conditions &= Q(at__lt=filters.before)
    return conditions


async def latest_of(app: App, limit: int) -> list[RequestRecord]:
    """The newest requests of one app."""
    return await rows_of([app], Filters(), limit)


class StepView(Struct, frozen=True):
    """A step of the way: `verdict` pass, refuse, or "" where the request did not come so far."""

    name: str
    verdict: str
    note: str


class Explained(Struct, frozen=True):
    """One request with the words of its refusal, the same as in its problem+json; `words` None: it went through."""

    row: RequestRecord
    app: App | None
    environment: str
    way: tuple[StepView, ...]
    words: dict[str, str] | None
    rule: str
    errors: tuple[dict[str, Any], ...]

    @property
    def own_us(self) -> int:
        return max(0, self.row.duration_us - self.row.upstream_us)

    @property
    def own_share(self) -> float:
        """The platform's part of the time, in percent."""
        return round(100 * self.own_us / max(self.row.duration_us, 1), 1)


async def find_request(caller: Caller, request_id: str, *, language: str, docs_url: str) -> Explained:
    """A request of one of the caller's apps. Raises NOT_FOUND, alike for what is hidden and what is not there."""
    environment = _ENVIRONMENTS.get(request_id.partition("_")[0], "")
    missing = Refusal(
        platform_types.NOT_FOUND, what=Text(f"请求 {request_id[:40]}", f"request {request_id[:40]}")
    )
    if not environment or not request_id.replace("_", "").isalnum() or len(request_id) > 40:
        raise missing
    row = await RequestRecord.get_or_none(id=request_id, using_db=store.plane(environment))
    if row is None or not row.app_id:
        raise missing
    app = await apps.get_app(caller, row.app_id)
    kind = REGISTRY.get(row.problem)
    facts = msgspec.json.decode(row.facts or "{}")
    return Explained(
        row=row,
        app=app,
        environment=environment,
        way=_way(row),
        words=describe(kind, facts, language=language, docs_url=docs_url) if kind else None,
        rule=str(facts.get("rule") or row.problem),
        errors=tuple(facts.get("errors", ())),
    )


def _way(row: RequestRecord) -> tuple[StepView, ...]:
    known = {step: (verdict, note) for step, verdict, note in msgspec.json.decode(row.verdicts or "[]")}
    return tuple(StepView(step, *known.get(step, ("", ""))) for step in STEPS)
