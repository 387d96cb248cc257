"""Verified access tokens, so that the signature of one is checked once.

The key is the Authorization header byte for byte: another token, another audience, one changed bit is another
key. What is kept is small and allocated once per token. Two things are never kept: whether the token has
expired and whether it was revoked; `authenticate` asks both on every call, after the cache.

Bound: `capacity` entries of about 1.6 KB (a header of 700 bytes, a principal, a caller, an app's row). The one that leaves is
the one longest unused, to a good approximation (second chance), so a hit moves nothing in memory.
"""

from collections import OrderedDict

from api.core.caller import ANONYMOUS
from api.gateway.app_table import AppRow, AppTable
from api.gateway.backing import Backing
from api.gateway.quota import QuotaPlan

_NO_APP = AppRow(-1, "", "", "", -1, QuotaPlan("", {}), {}, 0)
_SECOND_CHANCES = 64  # at most so many entries are looked at to find one that leaves


class Principal:
    """Who a verified token speaks for. `app` is the app's row as of `seen`, the version of the table."""

    __slots__ = ("app", "backing", "caller", "expires_at", "seen", "token_id", "was_used")

    def __init__(self) -> None:
        self.caller = ANONYMOUS
        self.backing: Backing | None = None  # of a token with a person, a key or a certificate behind it
        self.expires_at = 0.0
        self.token_id = ""
        self.app = _NO_APP
        self.seen = 0
        self.was_used = False

    def look_up(self, apps: AppTable, app_id: str) -> AppRow:
        """Read the app's row; done again whenever the table has changed."""
        number = apps.find(app_id)
        self.app = _NO_APP if number < 0 else apps.row(number, app_id)
        self.seen = apps.version
        return self.app


class TokenCache:
    """Principals by Authorization header, at most `capacity` of them; 0 keeps none."""

    __slots__ = ("_entries", "capacity")

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self._entries: OrderedDict[bytes, Principal] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, authorization: bytes) -> Principal | None:
        """The principal of a header that was verified before."""
        principal = self._entries.get(authorization)
        if principal is not None:
            principal.was_used = True
        return principal

    def add(self, authorization: bytes, principal: Principal) -> None:
        """Keep a principal; when the cache is full, one that was not used lately leaves."""
        if self.capacity <= 0:
            return
        entries = self._entries
        if len(entries) >= self.capacity and authorization not in entries:
            for _ in range(_SECOND_CHANCES):
                oldest, kept = entries.popitem(last=False)
                if not kept.was_used:
                    break
                kept.was_used = False
                entries[oldest] = kept
            else:
                entries.popitem(last=False)
        entries[authorization] = principal

    def clear(self) -> None:
        """Forget them all: a key that signed some of them is trusted no longer."""
        self._entries.clear()

    def drop(self, authorization: bytes) -> None:
        """Forget a header, such as one whose token has expired."""
        self._entries.pop(authorization, None)
