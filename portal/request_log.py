"""The request log as pages show it: the newest calls of several apps together, narrowed by what a form asks.

Explaining one call is api.gateway.request_log's; here is only what its lists do not give.
"""

import re
from collections.abc import Sequence

from msgspec import Struct
from tortoise.expressions import Q

from api.core.problems import REGISTRY
from api.gateway.call_lists import newest
from api.gateway.models import RequestRecord
from api.gateway.recorder import show_now
from api.gateway.request_log import STEPS, Explained
from api.identity.models import App

OUTCOMES = {"ok": (0, 399), "refused": (400, 499), "failed": (500, 999)}
PAGE_ROWS = 50
_ID = re.compile(r"r[sl]_[0-9a-z]{26}")


class Filters(Struct, frozen=True):
    """What a log is narrowed to; "" for no bound. `before` is the id of the oldest row already seen."""

    app: str = ""
    outcome: str = ""
    step: str = ""
    operation: str = ""
    before: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.app or self.outcome or self.step or self.operation)


async def rows_of(
    apps: Sequence[App], filters: Filters | None = None, limit: int = PAGE_ROWS
) -> list[RequestRecord]:
    """The newest rows of these apps, from both planes, newest first. What was recorded just now is there."""
    rows: list[RequestRecord] = []
    for environment in dict.fromkeys(app.environment for app in apps):
        await show_now(environment)
        ids = [app.id for app in apps if app.environment == environment]
        wanted = filters or Filters()
        narrowed = _conditions(wanted)
        counted = narrowed
        if wanted.step in STEPS:  # usage does not hold the step, but the problem that it refused with
            slugs = [kind.slug for kind in REGISTRY.values() if kind.step == wanted.step]
            counted, narrowed = narrowed & Q(problem__in=slugs), narrowed & Q(step=wanted.step)
        before = ""
        if _ID.fullmatch(wanted.before):
            before = ("rl_" if environment == "live" else "rs_") + wanted.before[3:]
        rows += await newest(environment, ids, limit, narrowed=narrowed, counted=counted, before=before)
    return sorted(rows, key=_age, reverse=True)[:limit]


def _age(row: RequestRecord) -> str:
    """Ids begin with their time, after the prefix of their plane."""
    return row.id[3:]


def _conditions(filters: Filters) -> Q:
    conditions = Q()
    if filters.outcome in OUTCOMES:
        low, high = OUTCOMES[filters.outcome]
        conditions &= Q(status__gte=low, status__lte=high)
    if filters.operation:
        conditions &= Q(operation=filters.operation) | Q(service=filters.operation)
    return conditions


class Timing(Struct, frozen=True):
    """Where the time of a call went; `own_share` is the platform's part in percent."""

    own_us: int
    own_share: float


def timing_of(found: Explained) -> Timing:
    """The split between platform and department."""
    own_us = max(0, found.row.duration_us - found.row.upstream_us)
    return Timing(own_us, round(100 * own_us / max(found.row.duration_us, 1), 1))
