"""Consents that were withdrawn and mandates that have ended, in the memory of each process.

A token that rests on one of them is refused for the rest of its life; a new one is not to be had (the token
endpoint asks the tables). Follows the change feed, so a withdrawal holds at every process within one poll.
"""

import time
from collections.abc import Iterable
from datetime import timedelta

from api.core import clock
from api.identity.models import Grant, Mandate
from api.settings import Settings

_GRACE_SECONDS = 300  # clock skew between processes, and a token that was being issued meanwhile


class Withdrawals:
    """Ids of what has ended within the life of an access token, of one environment."""

    __slots__ = ("_environment", "_seconds", "grants", "kinds", "mandates")

    def __init__(self, settings: Settings) -> None:
        self.kinds = frozenset({"grant", "mandate"})
        self._environment = settings.environment
        self._seconds = settings.access_token_seconds + _GRACE_SECONDS
        self.grants: dict[str, float] = {}  # id -> when it is forgotten
        self.mandates: dict[str, float] = {}

    async def load(self) -> None:
        """Everything that has ended lately. For the start; nothing known is forgotten."""
        since = clock.now() - timedelta(seconds=self._seconds)
        grants = Grant.filter(environment=self._environment, withdrawn_at__gt=since)
        self._keep(self.grants, await grants.values_list("id", flat=True))
        ended = Mandate.filter(environment=self._environment, revoked_at__gt=since)
        self._keep(self.mandates, await ended.values_list("id", flat=True))

    async def follow(self, kind: str, ids: list[str]) -> None:
        """These have changed: learn which of them have ended."""
        if kind == "grant":
            grants = Grant.filter(id__in=ids, environment=self._environment, withdrawn_at__isnull=False)
            self._keep(self.grants, await grants.values_list("id", flat=True))
        else:
            ended = Mandate.filter(id__in=ids, environment=self._environment, revoked_at__isnull=False)
            self._keep(self.mandates, await ended.values_list("id", flat=True))

    def _keep(self, known: dict[str, float], ids: Iterable[object]) -> None:
        now = time.monotonic()
        for old in [one for one, until in known.items() if until < now]:
            del known[old]
        for one in ids:
            known[str(one)] = now + self._seconds
