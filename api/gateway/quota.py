"""Quotas: plans as the gateway reads them, and the exact meter of one process (GCRA).

A plan gives `units` of a quota class per window; they come back evenly, and `units` is also the largest burst.
Times are whole microseconds multiplied by `units`, so that nothing is ever rounded: in any span of time an app
is admitted at most `units` plus what came back in the span. A refused call is charged nothing.
Source: ITU-T I.371 (generic cell rate algorithm). For several processes see leases.
"""

import itertools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from api.contract.model import QuotaClass

CLASSES = tuple(QuotaClass)
CLASS_NUMBER = {quota_class: number for number, quota_class in enumerate(CLASSES)}
SECOND_US = 1_000_000
KEY_BITS = 20  # of a meter's key: the app's number above, which quota below

_numbers = itertools.count(1)


def monotonic_us() -> int:
    """Microseconds of a clock that never goes back."""
    return time.monotonic_ns() // 1000


class ClassQuota:
    """One quota class of one plan: its numbers, and the parts of its headers that never change.

    `share` divides it: this process gives `units / share` (KAIMEN_LIMIT_SHARE=1/share).
    """

    __slots__ = (
        "capacity", "name", "number", "per_unit", "plan", "policy_header", "prefix", "share", "units", "verdict", "window_us",
    )  # fmt: skip

    def __init__(self, plan: str, name: str, units: int, window_seconds: int, share: int = 1) -> None:
        self.plan = plan
        self.name = name
        self.prefix = f'"{name}";r='  # of the RateLimit header
        # Its own in each definition: a plan that changes begins to count anew, and no key means two scales.
        self.number = next(_numbers) & ((1 << KEY_BITS) - 1)
        self.units = units
        self.window_us = window_seconds * SECOND_US
        self.share = share
        self.per_unit = self.window_us * share  # what one unit costs, in microseconds × units
        self.capacity = units * self.window_us
        self.policy_header = (b"ratelimit-policy", f'"{name}";q={units};w={window_seconds}'.encode())
        self.verdict = ("limit", "pass", f"{plan}/{name}")

    @property
    def burst(self) -> int:
        """The most units that this process can ever give at once."""
        return self.units // self.share


class QuotaPlan:
    """A plan: by number of the quota class its quota, None where the plan gives nothing."""

    __slots__ = ("limits", "name", "quotas")

    def __init__(self, name: str, limits: Mapping[str, Mapping[str, Any]], share: int = 1) -> None:
        self.name = name
        self.limits = (limits, share)
        self.quotas: tuple[ClassQuota | None, ...] = tuple(
            ClassQuota(name, one.value, int(limits[one]["units"]), int(limits[one]["window_seconds"]), share)
            if one.value in limits and int(limits[one]["units"]) > 0
            else None
            for one in CLASSES
        )


class PlanTable:
    """Plans by number. A plan keeps its number when its limits change; an unknown one gives nothing."""

    __slots__ = ("_names", "_numbers", "_plans", "_share")

    def __init__(self) -> None:
        self._names: list[str] = []
        self._numbers: dict[str, int] = {}
        self._plans: list[QuotaPlan] = []
        self._share = 1

    def number_of(self, name: str) -> int:
        """The number of a plan's name, known or not."""
        number = self._numbers.get(name)
        if number is None:
            number = self._numbers[name] = len(self._names)
            self._names.append(name)
            self._plans.append(QuotaPlan(name, {}))
        return number

    def plan(self, number: int) -> QuotaPlan:
        return self._plans[number]

    def set(self, name: str, limits: Mapping[str, Mapping[str, Any]], share: int = 1) -> None:
        """Define a plan, or define it anew; one that says the same goes on counting where it was."""
        number = self.number_of(name)
        if self._plans[number].limits != (limits, share):
            self._plans[number] = QuotaPlan(name, limits, share)

    def names(self) -> Iterable[str]:
        return tuple(self._names)


# What a meter says: whether it is admitted, units left, seconds until all are back, seconds to wait if refused.
# A plain tuple: it is made for every call.
Spent = tuple[bool, int, int, int]


class Meter(Protocol):
    """Charges units to a key (app number and quota number). `spend` answers at once or, with None, sends the caller to `acquire`."""

    def spend(self, key: int, quota: ClassQuota, cost: int, app_id: str) -> Spent | None: ...

    async def acquire(self, key: int, quota: ClassQuota, cost: int, app_id: str) -> Spent: ...

    def give_back(self, key: int, quota: ClassQuota, cost: int) -> None: ...

    def sweep(self) -> None: ...

    async def tend(self) -> None: ...

    async def close(self) -> None: ...


class LocalMeter:
    """GCRA in memory, exact for this process.

    Keys that were idle for a whole window are full again, which is what an unknown key is: they are forgotten,
    a little at a time. With `empty_at_us`, every key was empty at that moment.
    """

    def __init__(self, clock_us: Callable[[], int] = monotonic_us, *, empty_at_us: int | None = None) -> None:
        self._clock = clock_us
        self._empty_at_us = empty_at_us
        self._tables: dict[int, _Generations] = {}  # by window

    def spend(self, key: int, quota: ClassQuota, cost: int, app_id: str = "") -> Spent:
        """Charge `cost` units to `key`, or refuse and charge nothing."""
        now_us = self._clock()
        window = quota.window_us
        table = self._tables.get(window)
        if table is None:
            table = self._tables[window] = _Generations(now_us)
        young = table.young
        units = quota.units
        now = now_us * units
        full_at = young.get(key)
        if full_at is None:
            full_at = table.old.get(key, 0)
            if self._empty_at_us is not None:
                full_at = full_at or (self._empty_at_us + window) * units
        if full_at < now:  # noqa: PLR1730 - max() takes three times as long
            full_at = now
        charged = full_at + cost * quota.per_unit
        room = now + quota.capacity - charged
        if room < 0:
            left = (now + quota.capacity - full_at) // quota.per_unit
            second = units * SECOND_US
            return (False, left, -(-(full_at - now) // second), -(room // second))
        young[key] = charged
        if now_us >= table.turn_at:
            table.turn(now_us, window)
        return (True, room // quota.per_unit, -((now - charged) // (units * SECOND_US)), 0)

    async def acquire(self, key: int, quota: ClassQuota, cost: int, app_id: str = "") -> Spent:
        return self.spend(key, quota, cost)

    def give_back(self, key: int, quota: ClassQuota, cost: int) -> None:
        """Undo a charge whose call was refused afterwards: as if it had never been made."""
        table = self._tables.get(quota.window_us)
        if table is not None:
            for generation in (table.young, table.old):
                if key in generation:
                    generation[key] -= cost * quota.per_unit
                    return

    def missing(self, key: int, quota: ClassQuota) -> int:
        """How many units of the key are spent and have not come back."""
        table = self._tables.get(quota.window_us)
        if table is None:
            return 0
        full_at = table.young.get(key) or table.old.get(key, 0)
        return max(0, -((self._clock() * quota.units - full_at) // quota.per_unit))

    def sweep(self) -> None:
        """Forget some of the idle keys; called now and then, off the hot path."""
        now_us = self._clock()
        for window, table in self._tables.items():
            table.forget()
            if now_us >= table.turn_at:
                table.turn(now_us, window)

    async def tend(self) -> None:
        self.sweep()

    async def close(self) -> None:
        return None

    def __len__(self) -> int:
        return sum(len(table.young) + len(table.old) for table in self._tables.values())


class _Generations:
    """Keys charged since the last turn, and before it. What is older than a window at a turn is idle."""

    __slots__ = ("dropped", "old", "turn_at", "young")

    def __init__(self, now_us: int) -> None:
        self.young: dict[int, int] = {}
        self.old: dict[int, int] = {}
        self.dropped: list[dict[int, int]] = []  # emptied in slices, a million entries at once take too long
        self.turn_at = now_us

    def turn(self, now_us: int, window_us: int) -> None:
        if self.old:
            self.dropped.append(self.old)
        self.old, self.young = self.young, {}
        self.turn_at = now_us + window_us

    def forget(self, entries: int = 20_000) -> None:
        while self.dropped and entries > 0:
            table = self.dropped[-1]
            for _ in range(min(entries, len(table))):
                table.popitem()
                entries -= 1
            if not table:
                self.dropped.pop()
