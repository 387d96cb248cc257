"""What agents may change: the lesser of what the platform lets them and what their app does, kept for two seconds."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable

OFF, CONFIRM, FREE = "off", "confirm", "free"
_ORDER = (OFF, CONFIRM, FREE)
_KEPT_SECONDS = 2.0
_KEPT_APPS = 2000


class Writes:
    """The settings of the apps that call here. `load` asks the control store for an app's."""

    def __init__(self, platform: str, load: Callable[[str], Awaitable[str]]) -> None:
        self.platform = platform
        self._load = load
        self._known: OrderedDict[str, tuple[float, str]] = OrderedDict()

    async def of(self, app_id: str) -> str:
        """off, confirm or free, for the calls of this app."""
        if self.platform == OFF:
            return OFF
        return min(self.platform, await self._own(app_id), key=_ORDER.index)

    async def _own(self, app_id: str) -> str:
        now = time.monotonic()
        known = self._known.get(app_id)
        if known is None or known[0] < now:
            known = self._known[app_id] = (now + _KEPT_SECONDS, await self._load(app_id))
            self._known.move_to_end(app_id)
            if len(self._known) > _KEPT_APPS:
                self._known.popitem(last=False)
        return known[1]
