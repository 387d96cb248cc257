"""Opening hours of a service (`x-service.hours`): "Mo-Fr 08:30-17:30; Sa 09:00-12:00", in its own time zone.

The notation is the part of schema.org `openingHours` that a counter's sign needs: days or ranges of days,
then ranges of time; entries are separated by `;`. A range may pass midnight; 24:00 is the end of a day.
"""

import re
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from msgspec import Struct

_DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
_ENTRY = re.compile(r"^(?:([A-Za-z,\- ]+?)\s+)?((?:\d{1,2}:\d{2}\s*-\s*\d{1,2}:\d{2}\s*,?\s*)+)$")
_SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_WEEK_MINUTES = 7 * 1440


class Hours(Struct, frozen=True):
    """Open spans of a week, in minutes from Monday 00:00; half-open; sorted."""

    spans: tuple[tuple[int, int], ...]
    zone: ZoneInfo

    def _minute(self, moment: datetime) -> float:
        local = moment.astimezone(self.zone)
        return local.weekday() * 1440 + local.hour * 60 + local.minute + local.second / 60

    def is_open(self, moment: datetime) -> bool:
        minute = self._minute(moment)
        return any(
            start <= minute < end or start <= minute + _WEEK_MINUTES < end for start, end in self.spans
        )

    def seconds_to_opening(self, moment: datetime) -> int:
        """Seconds from the moment to the next opening, 0 when it is open; at least 1 otherwise."""
        if self.is_open(moment):
            return 0
        local = moment.astimezone(self.zone)
        minute = self._minute(moment)
        gap = min((start - minute) % _WEEK_MINUTES for start, _ in self.spans)
        opening = (local.replace(tzinfo=None) + timedelta(minutes=gap)).replace(tzinfo=self.zone)
        return max(1, round(opening.timestamp() - local.timestamp()))


@lru_cache(maxsize=4096)
def parse_hours(text: str, time_zone: str) -> Hours | None:
    """The hours that a text states; None when it is empty, or cannot be read (lint says so at import)."""
    spans: list[tuple[int, int]] = []
    try:
        zone = ZoneInfo(time_zone)
        for entry in filter(None, (part.strip() for part in text.split(";"))):
            match = _ENTRY.match(entry)
            if match is None:
                return None
            for day in _days(match[1] or "Mo-Su"):
                spans.extend(_spans_of(day, match[2]))
    except (ValueError, KeyError, OSError):
        return None
    return Hours(tuple(sorted(spans)), zone) if spans else None


def _days(text: str) -> list[int]:
    days: list[int] = []
    for part in text.replace(" ", "").lower().split(","):
        first, _, last = part.partition("-")
        start = _DAYS.index(first[:2])
        end = _DAYS.index(last[:2]) if last else start
        days.extend((start + offset) % 7 for offset in range((end - start) % 7 + 1))
    return days


def _spans_of(day: int, text: str) -> list[tuple[int, int]]:
    spans = []
    for hour, minute, end_hour, end_minute in _SPAN.findall(text):
        start, end = int(hour) * 60 + int(minute), int(end_hour) * 60 + int(end_minute)
        if start >= 1440 or end > 1440 or int(minute) > 59 or int(end_minute) > 59:
            raise ValueError(text)
        if end <= start:
            end += 1440
        spans.append((day * 1440 + start, day * 1440 + end))
    return spans
