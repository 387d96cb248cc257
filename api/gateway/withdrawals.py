"""Consents that were withdrawn and mandates that have ended, in the memory of each process.

A token that rests on one of them is refused for the rest of its life; a new one is not to be had (the token
endpoint asks the tables). It follows the change feed by itself: a withdrawal holds at every process within a
second, whatever else the process is loading.
"""

import time
from collections.abc import Iterable
from datetime import timedelta

from api.core import clock
from api.gateway import control_rows
from api.identity.models import Grant, Mandate
from api.settings import Settings

EVERY_SECONDS = 0.25
_GRACE_SECONDS = 300  # clock skew between processes, and a token that was being issued meanwhile


class Withdrawals:
    """Ids of what has ended within the life of an access token, of one environment."""

    __slots__ = ("_environment", "_seconds", "_seen", "grants", "mandates")

    def __init__(self, settings: Settings) -> None:
        self._environment = settings.environment
        self._seconds = settings.access_token_seconds + _GRACE_SECONDS
        self._seen = 0  # the last change that was looked at
        self.grants: dict[str, float] = {}  # id -> when it is forgotten
        self.mandates: dict[str, float] = {}

    async def load(self) -> None:
        """Everything that has ended lately. For the start; nothing known is forgotten."""
        self._seen = await control_rows.newest_change()
        since = clock.now() - timedelta(seconds=self._seconds)
        grants = Grant.filter(environment=self._environment, withdrawn_at__gt=since)
        self._keep(self.grants, await grants.values_list("id", flat=True))
        ended = Mandate.filter(environment=self._environment, revoked_at__gt=since)
        self._keep(self.mandates, await ended.values_list("id", flat=True))

    async def poll(self) -> None:
        """Learn what has ended since: a job, every EVERY_SECONDS."""
        while changes := await control_rows.changes_after(self._seen):
            grants = [key for _, kind, key in changes if kind == "grant"]
            mandates = [key for _, kind, key in changes if kind == "mandate"]
            if grants:
                withdrawn = Grant.filter(
                    id__in=grants, environment=self._environment, withdrawn_at__isnull=False
                )
                self._keep(self.grants, await withdrawn.values_list("id", flat=True))
            if mandates:
                ended = Mandate.filter(
                    id__in=mandates, environment=self._environment, revoked_at__isnull=False
                )
                self._keep(self.mandates, await ended.values_list("id", flat=True))
            self._seen = changes[-1][0]

    def _keep(self, known: dict[str, float], ids: Iterable[object]) -> None:
        now = time.monotonic()
        for old in [one for one, until in known.items() if until < now]:
            del known[old]
        for one in ids:
            known[str(one)] = now + self._seconds
