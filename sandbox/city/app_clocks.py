"""The clocks of apps in the sandbox. Each stands at START until its app changes something; then it runs on from there.

So what the documentation shows is what a fresh app gets, in whatever year: a newborn of the city is days old. An
app may set its clock, or let it show the real time; a reset takes it back to START.

What an app's clock shows stands with its state (`state_rows.Head.clock_us`), so it is exact wherever the state
is read. AppClocks keeps the moved ones in memory too, for the gateway, which asks at every call.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from api.core import clock
from api.core.store import plane
from sandbox.city import state_rows
from sandbox.city.clock import ZONE, local_text
from sandbox.city.population.citizens import AS_OF

EARLIEST = datetime.combine(AS_OF, time(0), ZONE)  # the city knows nothing of the days before its count
START = datetime.combine(AS_OF, time(9), ZONE)
START_TEXT = START.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")  # how the gateway says: it has not begun
LATEST = datetime.combine(date(2100, 1, 1), time(0), ZONE)
LOOK_AGAIN_SECONDS = 1.0
_DURATION = re.compile(
    r"P(?=.)(?:(\d{1,3})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?"
    r"(?:T(?=.)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?"
)


def advanced(moment: datetime, duration: str) -> datetime:
    """`moment` plus an ISO 8601 duration such as P30D, P1Y, P2M or PT6H. Raises ValueError, OverflowError.

    Years and months go by the calendar of the city: 31 January plus P1M is the last of February.
    """
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration} is no duration such as P30D or PT6H")
    years, months, weeks, days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    local = moment.astimezone(ZONE)
    turn = local.year * 12 + local.month - 1 + years * 12 + months
    year, month = divmod(turn, 12)
    local = local.replace(year=year, month=month + 1, day=min(local.day, monthrange(year, month + 1)[1]))
    return local + timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


def micros(span: timedelta) -> int:
    """A span of time in whole microseconds."""
    return span // timedelta(microseconds=1)


class AppClocks:
    """The clocks of one plane that have begun, by app. `text_of` is for the hot path: memory only."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._ahead: dict[str, timedelta] = {}

    def text_of(self, app_id: str) -> str:
        """What the app's clock shows, RFC 3339; "" where it shows the real time, START_TEXT where it has not begun."""
        ahead = self._ahead.get(app_id)
        if ahead is None:
            return START_TEXT
        return local_text(clock.now() + ahead) if ahead else ""

    def put(self, app_id: str, clock_us: int | None) -> None:
        """Take over a clock that this process has just set; None: it has not begun."""
        if clock_us is None:
            self._ahead.pop(app_id, None)
        else:
            self._ahead[app_id] = timedelta(microseconds=clock_us)

    async def refresh(self) -> None:
        """Read what other processes have set."""
        rows = await state_rows.fetch(
            plane(self._environment),
            "SELECT state_id, clock_us FROM city_state_head WHERE clock_us IS NOT NULL",
        )
        self._ahead = {str(row["state_id"]): timedelta(microseconds=int(row["clock_us"])) for row in rows}

    async def moved(self) -> Mapping[str, datetime]:
        """The present instant of every app whose clock is not the real one, as stored; by app id."""
        await self.refresh()
        now = clock.now()
        return {app_id: now + ahead for app_id, ahead in self._ahead.items() if ahead}
