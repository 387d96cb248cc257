"""When a failed delivery is tried again, and how long it may hold up the later events of its subject."""

import random
from email.utils import parsedate_to_datetime

from msgspec import Struct

from api.core import clock
from api.settings import Settings

_LIVE_SECONDS = (5, 30, 120, 600, 1800, 3600, 7200, 14400, 28800)  # the last one again and again
_SANDBOX_SECONDS = (1, 2, 5, 10, 20, 40, 60)
_JITTER = 0.25  # of the pause, either way: receivers that were down are not met by all at once
_LONGEST_RETRY_AFTER_SECONDS = 86_400
FAILING_DAYS = 5  # without one good answer, then the endpoint is disabled


class Schedule(Struct, frozen=True):
    """Pauses between attempts (seconds, the last repeats), for how long, and the longest hold-up of a subject."""

    pauses: tuple[float, ...]
    window_seconds: float
    block_seconds: float
    timeout_seconds: float

    @property
    def lease_seconds(self) -> float:
        """How long an attempt belongs to the process that began it, should that process vanish."""
        return self.timeout_seconds + 5

    def pause_after(self, attempts: int, retry_after: float = 0) -> float:
        """Seconds to wait after the attempt with this number (from 1); never less than the receiver asked for."""
        pause = self.pauses[min(attempts, len(self.pauses)) - 1]
        pause *= 1 + random.uniform(-_JITTER, _JITTER)
        return max(pause, min(retry_after, _LONGEST_RETRY_AFTER_SECONDS))


def schedule_of(settings: Settings) -> Schedule:
    """What these settings say for the plane of this process."""
    timeout = settings.webhook_timeout_ms / 1000
    if settings.environment == "live":
        return Schedule(_LIVE_SECONDS, settings.webhook_retry_hours * 3600, 900, timeout)
    return Schedule(_SANDBOX_SECONDS, settings.webhook_sandbox_retry_minutes * 60, 60, timeout)


def retry_after_of(value: str) -> float:
    """Seconds that a `Retry-After` header asks for, 0 where it says nothing readable. Source: RFC 9110 §10.2.3."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(int(value[:9]))
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return 0.0
    if moment.tzinfo is None:
        return 0.0
    return max(0.0, moment.timestamp() - clock.unix_seconds())
