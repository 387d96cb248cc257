"""The one place that reads the wall clock, so that nothing else calls `datetime.now()`."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, aware, in UTC, microseconds kept."""
    return datetime.now(UTC)


def unix_seconds() -> float:
    """Seconds since the epoch; for token times and expiry."""
    return time.time()


def to_text(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and `Z`; the form every face shows."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
