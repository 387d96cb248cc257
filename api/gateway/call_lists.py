"""Finding an app's calls in the request log, newest first. It reads, and knows no caller.

The log has no index by app: with a thousand busy apps each batch would touch a page of it for each of them, which
was most of what a row cost. Rows are found by the span of time in which they came and the app, so that a batch
writes one end of the index; in which minutes an app has called, and with what outcome, its usage says.
"""

from collections.abc import AsyncIterator, Iterable, Sequence

from tortoise.expressions import Q

from api.core import store
from api.gateway.models import RequestRecord, UsageBucket
from api.gateway.request_ids import SPAN_MS, millisecond_of, span_of

_USAGE_ROWS = 512
_SLACK_MS = 2000  # an id is made a moment before the time that usage goes by
_FIRST_SPANS, _MOST_SPANS = 4, 1024
_HOUR_MS = 3_600_000
_EVERYTHING = Q()


async def newest(
    environment: str, app_ids: Sequence[str], limit: int, *, narrowed: Q = _EVERYTHING, counted: Q = _EVERYTHING,
    since_ms: int = 0, before: str = "",
) -> list[RequestRecord]:  # fmt: skip
    """The newest `limit` calls of these apps, newest first.

    `narrowed` says which rows are wanted and `counted` the same of usage rows (service, operation, status, problem):
    what it lets through has to hold all that are wanted, and holding little more makes the search short.
    `since_ms`: not before this moment; `before`: with lower ids only.
    """
    connection = store.plane(environment)
    oldest = (
        await RequestRecord.all().using_db(connection).order_by("id").first().values_list("id", flat=True)
    )
    if not app_ids or oldest is None:
        return []
    since_ms = max(since_ms, millisecond_of(str(oldest)))
    wanted = Q(app_id__in=list(app_ids)) & narrowed
    if before:
        wanted &= Q(id__lt=before)
    found: list[str] = []
    async for spans in _spans_with_calls(
        environment, Q(app_id__in=list(app_ids)) & counted, since_ms, before
    ):
        at, size = 0, _FIRST_SPANS
        while at < len(spans) and len(found) < limit:
            some = [span_of(environment, number) for number in spans[at : at + size]]
            at, size = at + size, min(size * 4, _MOST_SPANS)
            # Without an order: with one, and a limit, a planner may prefer to walk through everybody's rows.
            query = RequestRecord.filter(span__in=some).filter(wanted).using_db(connection)
            found += sorted((str(one) for one in await query.values_list("id", flat=True)), reverse=True)
        if len(found) >= limit:
            break
    rows = await RequestRecord.filter(id__in=found[:limit]).using_db(connection)
    return sorted(rows, key=_id_of, reverse=True)


async def count(environment: str, app_id: str, since_ms: int, *, narrowed: Q, counted: Q) -> int:
    """How many calls of an app there were since then; `narrowed` and `counted` as in `newest`, saying the same."""
    connection = store.plane(environment)
    hour = since_ms // _HOUR_MS
    usage = UsageBucket.filter(app_id=app_id, hour__gte=hour).filter(counted).using_db(connection)
    rows = await usage.values_list("hour", "minutes", "calls")
    total: int = sum(calls for at, _, calls in rows if at > hour)
    floor = (since_ms - _SLACK_MS) // SPAN_MS
    spans = sorted(_numbers((at, minutes) for at, minutes, _ in rows if at == hour))
    some = [span_of(environment, number) for number in spans if number >= floor]
    for at in range(0, len(some), _MOST_SPANS):
        query = RequestRecord.filter(span__in=some[at : at + _MOST_SPANS], app_id=app_id).filter(narrowed)
        total += (
            await query.filter(at__gte=since_ms * 1000, at__lt=(hour + 1) * _HOUR_MS * 1000)
            .using_db(connection)
            .count()
        )
    return total


async def _spans_with_calls(
    environment: str, counted: Q, since_ms: int, before: str
) -> AsyncIterator[list[int]]:
    """Numbers of the spans in which such calls were counted, newest first, some hours at a time."""
    usage = UsageBucket.filter(counted).using_db(store.plane(environment))
    usage = usage.filter(hour__gte=(since_ms - _SLACK_MS) // _HOUR_MS)
    ceiling = 1 << 50
    if before:
        ceiling = millisecond_of(before) // SPAN_MS + 1
        usage = usage.filter(hour__lte=(ceiling * SPAN_MS + _SLACK_MS) // _HOUR_MS)
    floor = (since_ms - _SLACK_MS) // SPAN_MS
    while True:
        rows = await usage.order_by("-hour").limit(_USAGE_ROWS).values_list("hour", "minutes")
        if not rows:
            return
        last = rows[-1][0]
        if len(rows) == _USAGE_ROWS:  # the last hour may not be all there
            if rows[0][0] == last:
                rows = await usage.filter(hour=last).values_list("hour", "minutes")
            else:
                rows = [row for row in rows if row[0] > last]
                last += 1
        spans = sorted((one for one in _numbers(rows) if floor <= one < ceiling), reverse=True)
        if spans:
            ceiling = spans[-1]
            yield spans
        usage = usage.filter(hour__lt=last)


def _numbers(rows: Iterable[tuple[int, int]]) -> set[int]:
    """Numbers of the spans that lie in the minutes of (hour, bits of its minutes)."""
    minutes = {
        (hour * 60 + minute) * 60_000
        for hour, bits in set(rows)
        for minute in range(60)
        if bits >> minute & 1
    }
    return {
        number
        for start in minutes
        for number in range((start - _SLACK_MS) // SPAN_MS, (start + 60_000 + _SLACK_MS) // SPAN_MS + 1)
    }


def _id_of(row: RequestRecord) -> str:
    return row.id
