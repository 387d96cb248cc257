"""Figures of use: the chart of an app, and the calls of many apps.

They are read from the usage that `record` writes, a row per app, operation, status and hour.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from api.core import clock, store
from api.gateway.models import UsageBucket
from api.gateway.recorder import show_now
from api.identity.models import App
from portal.charts import Usage, kind_of, usage_chart
from portal.view import BEIJING

CHART_DAYS = 14
_HOUR = 3600


def _since_hour(days: int) -> int:
    """The first hour of the first of the last `days` Beijing days, in hours since the epoch."""
    midnight = clock.now().astimezone(BEIJING).replace(hour=0, minute=0, second=0, microsecond=0)
    return int((midnight - timedelta(days=days - 1)).timestamp()) // _HOUR


async def usage_of(app: App) -> Usage:
    """The chart of one app over the last days."""
    first = _since_hour(CHART_DAYS)
    await show_now(app.environment)
    rows = (
        await UsageBucket.filter(app_id=app.id, hour__gte=first)
        .using_db(store.plane(app.environment))
        .values_list("hour", "status", "calls")
    )
    counts: dict[tuple[date, str], int] = {}
    for hour, status, calls in rows:
        key = (_day_of(hour), kind_of(status))
        counts[key] = counts.get(key, 0) + calls
    start = _day_of(first)
    return usage_chart([start + timedelta(days=position) for position in range(CHART_DAYS)], counts)


def _day_of(hour: int) -> date:
    return datetime.fromtimestamp(hour * _HOUR, tz=BEIJING).date()


async def calls_of(apps: Iterable[App]) -> dict[str, int]:
    """Calls of each app over the last days; apps without calls are left out."""
    counts: dict[str, int] = {}
    by_environment: dict[str, list[str]] = {}
    for app in apps:
        by_environment.setdefault(app.environment, []).append(app.id)
    first = _since_hour(CHART_DAYS)
    for environment, ids in by_environment.items():
        query = UsageBucket.filter(app_id__in=ids, hour__gte=first).using_db(store.plane(environment))
        for app_id, calls in await query.values_list("app_id", "calls"):
            counts[app_id] = counts.get(app_id, 0) + calls
    return counts
