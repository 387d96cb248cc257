"""The clocks of apps in the sandbox: each shows the real time until its app moves it; then it runs on from there.

What an app's clock shows stands with its state (`state_rows.Head.clock_us`), so it is exact wherever the state
is read. AppClocks keeps the moved ones in memory too, for the gateway, which asks at every call.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from api.core import clock
from api.core.store import plane
from sandbox.city import state_rows
from sandbox.city.clock import ZONE, local_text
from sandbox.city.population.citizens import AS_OF

EARLIEST = datetime.combine(AS_OF, time(0), ZONE)  # the city knows nothing of the days before its count
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


class AppClocks:
    """The moved clocks of one plane, by app. `text_of` is for the hot path: memory only."""

    def __init__(self, environment: str) -> None:
        self._environment = environment
        self._ahead: dict[str, timedelta] = {}

    def text_of(self, app_id: str) -> str:
        """What the app's clock shows, RFC 3339; "" where it shows the real time."""
        ahead = self._ahead.get(app_id)
        return "" if ahead is None else local_text(clock.now() + ahead)

    def put(self, app_id: str, clock_us: int) -> None:
        """Take over a clock that this process has just set."""
        if clock_us:
            self._ahead[app_id] = timedelta(microseconds=clock_us)
        else:
            self._ahead.pop(app_id, None)

    async def refresh(self) -> None:
        """Read what other processes have set."""
        rows = await state_rows.fetch(
            plane(self._environment), "SELECT state_id, clock_us FROM city_state_head WHERE clock_us <> 0"
        )
        self._ahead = {str(row["state_id"]): timedelta(microseconds=int(row["clock_us"])) for row in rows}

    async def moved(self) -> Mapping[str, datetime]:
        """The present instant of every app whose clock is not the real one, as stored; by app id."""
        await self.refresh()
        now = clock.now()
        return {app_id: now + ahead for app_id, ahead in self._ahead.items()}
