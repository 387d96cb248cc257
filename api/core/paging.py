"""Lists in pages, by cursor: the newest first, stable while rows are added, no counting.

A cursor is the place of the last row shown. It is opaque to the client, not secret, and checked when it comes
back. Answers carry `next` and the `Link` header of RFC 8288.
"""

import base64
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from msgspec import Struct
from tortoise.expressions import Q
from tortoise.models import Model
from tortoise.queryset import QuerySet

from api.core.problem_types_platform import INPUT_INVALID
from api.core.problems import Refusal, Text

T = TypeVar("T")
M = TypeVar("M", bound=Model)

MAX_LIMIT = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FORM = re.compile(r"([0-9]{1,18})\.([0-9A-Za-z_@.-]{1,128})")


class Page(Struct, Generic[T], frozen=True):
    """One page. `next` is the cursor of the page after it, "" on the last."""

    items: list[T]
    next: str = ""


def make_cursor(moment: datetime, identifier: str) -> str:
    """The cursor for what comes after this row."""
    microseconds = (moment - _EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(f"{microseconds}.{identifier}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str]:
    """The row that a cursor names. Raises input-invalid for what is none of ours."""
    try:
        plain = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        match = _FORM.fullmatch(plain.decode("ascii"))
        if match is not None:
            return _EPOCH + timedelta(microseconds=int(match[1])), match[2]
    except (ValueError, OverflowError):
        pass
    message = Text("游标无效;从第一页重新开始。", "It is no cursor of this list; start at the first page.")
    raise Refusal(INPUT_INVALID, errors=({"pointer": "/cursor", "message": message},), count=1)


async def page_of(
    query: QuerySet[M], *, limit: int, cursor: str = "", by: str = "created_at", key: str = "id"
) -> Page[M]:
    """A page of rows, the newest first by the datetime column `by`; `key` is the primary key, as text."""
    limit = max(1, min(limit, MAX_LIMIT))
    if cursor:
        moment, identifier = read_cursor(cursor)
        before: dict[str, Any] = {f"{by}__lt": moment}
        beside: dict[str, Any] = {by: moment, f"{key}__lt": identifier}
        earlier = Q(**before) | Q(**beside)
        query = query.filter(earlier)
    rows = await query.order_by(f"-{by}", f"-{key}").limit(limit + 1)
    if len(rows) <= limit:
        return Page(items=list(rows))
    rows = rows[:limit]
    return Page(items=list(rows), next=make_cursor(getattr(rows[-1], by), str(getattr(rows[-1], key))))


def next_link(path: str, page: Page[Any], **query: Any) -> dict[str, str]:
    """The `Link: rel="next"` header of a page, or nothing on the last. `query` repeats the filters."""
    if not page.next:
        return {}
    chosen = {name: value for name, value in query.items() if value not in (None, "")}
    return {"Link": f'<{path}?{urlencode(chosen | {"cursor": page.next})}>; rel="next"'}
