"""The flood limit: requests a second from one source, asked before anything is looked up.

A source is a client address (an IPv6 one by its /64) or the hash of an Authorization header, known or not.
Memory is bounded: when more sources appear in one second than the table takes, the new ones share a few
buckets until it ends. It protects the platform; quotas are `limit`'s.
"""

from collections.abc import Hashable

_SOURCES = 65_536
_SHARED = 1024
_SECOND_NS = 1_000_000_000


class FloodLimit:
    """GCRA with a burst of one second for each source; refused requests are not counted."""

    __slots__ = ("_burst_ns", "_interval_ns", "_old", "_turn_at", "_young", "capacity", "per_second")

    def __init__(self, per_second: int, capacity: int = _SOURCES) -> None:
        self.per_second = per_second
        self.capacity = capacity
        self._interval_ns = max(1, _SECOND_NS // per_second)
        self._burst_ns = self._interval_ns * per_second
        self._young: dict[Hashable, int] = {}
        self._old: dict[Hashable, int] = {}
        self._turn_at = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def is_flooding(self, source: Hashable, now_ns: int) -> bool:
        """Whether this request of the source is one too many; counts it if not.

        `now_ns` is a monotonic clock. A source that was quiet for a second is forgotten: it is full again.
        """
        if now_ns >= self._turn_at:
            self._old, self._young = self._young, {}
            self._turn_at = now_ns + _SECOND_NS
        young = self._young
        full_at = young.get(source)
        if full_at is None:
            if len(young) >= self.capacity:
                source = hash(source) % _SHARED
                full_at = young.get(source)
            if full_at is None:
                full_at = self._old.get(source, now_ns)
        if full_at < now_ns:  # noqa: PLR1730 - max() takes three times as long
            full_at = now_ns
        full_at += self._interval_ns
        if full_at - now_ns > self._burst_ns:
            return True
        young[source] = full_at
        return False
