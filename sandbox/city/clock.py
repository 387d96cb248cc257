"""The clock of the sandbox: the real time, the time that an app set, or the time of a scenario."""

import re
from datetime import UTC, date, datetime, timedelta, timezone

from api.core import clock

ZONE = timezone(timedelta(hours=8))  # China has one time zone and no summer time
_ADVANCE = re.compile(r"\+P(?:(\d{1,4})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?)?")


def now_of(text: str) -> datetime:
    """The instant that `text` (RFC 3339) names, the real one for "". Raises ValueError for anything else."""
    if not text:
        return clock.now()
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment.astimezone(UTC)


def shift(now: datetime, text: str) -> datetime:
    """`now` moved as a scenario says: `+P2D` or `+PT6H` forward from it, or an instant of its own."""
    if not text.startswith("+"):
        return now_of(text)
    match = _ADVANCE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is neither an instant nor an advance such as +P2D")
    days, hours, minutes = (int(group or 0) for group in match.groups())
    return now + timedelta(days=days, hours=hours, minutes=minutes)


def local_day(moment: datetime) -> date:
    """The calendar day in the city."""
    return moment.astimezone(ZONE).date()


def local_text(moment: datetime) -> str:
    """RFC 3339 in the city's time, to the second: `2026-06-29T09:00:00+08:00`."""
    return moment.astimezone(ZONE).isoformat(timespec="seconds")
