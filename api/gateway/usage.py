"""Counting: calls of an app to an operation in an hour, and which fields it uses. In memory, written by recorder.

A bucket is this process's own row: its totals are written over and over, so a write repeated after a lost
connection counts nothing twice.
"""

import random
import time
from bisect import bisect_left
from typing import Any

import msgspec

from api.gateway.exchange import Exchange

BUCKETS_MS = (1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 750, 1000, 2000, 5000)
_BOUNDS_US = tuple(bound * 1000 for bound in BUCKETS_MS)
_BIT_OF_MINUTE = tuple(1 << minute for minute in range(60))
_KEPT_BUCKETS = 50_000
_KEPT_FIELDS = 100_000
_FIELD_SECONDS = 10  # a field known to be used is written this often, one not known yet at once
MAX_FIELDS = 64
MAX_DEPTH = 3

_encode = msgspec.json.encode
Row = tuple[Any, ...]
Key = tuple[int, str, str, str, int, str]  # hour since the epoch, app, service, operation, status, problem


class Bucket:
    """Totals of one key in one hour."""

    __slots__ = (
        "calls", "cost", "duration_us", "histogram", "id", "key", "minutes", "request_bytes", "response_bytes",
        "upstream_us",
    )  # fmt: skip

    def __init__(self, number: int, key: Key) -> None:
        self.id = number
        self.key = key
        self.calls = self.cost = self.duration_us = self.upstream_us = self.request_bytes = (
            self.response_bytes
        ) = 0
        self.histogram = [0] * (len(BUCKETS_MS) + 1)
        self.minutes = 0

    def totals(self) -> Row:
        return (
            self.calls, self.cost, self.duration_us, self.upstream_us, self.request_bytes, self.response_bytes,
            _encode(self.histogram).decode(), self.minutes, self.id,
        )  # fmt: skip


def _number_of(bucket: Bucket) -> int:
    return bucket.id


class FieldCount:
    """Calls of an app with one set of fields, not yet written."""

    __slots__ = ("calls", "is_new", "last_at")

    def __init__(self) -> None:
        self.calls = 0
        self.last_at = 0
        self.is_new = True


class Usage:
    """What one process has counted. Not for two threads."""

    def __init__(self) -> None:
        # Sixty random bits, so that processes do not meet; numbers follow each other and rows are appended.
        self._next = random.SystemRandom().getrandbits(42) << 20
        self._buckets: dict[Key, Bucket] = {}
        self._changed: set[Bucket] = set()
        self._fields: dict[tuple[str, str, str, tuple[str, ...]], FieldCount] = {}
        self._changed_fields: set[tuple[str, str, str, tuple[str, ...]]] = set()
        self._has_new_field = False
        self._fields_written = time.monotonic()

    def count(
        self, key: Key, sums: tuple[int, int, int, int, int], at_us: int, names: tuple[str, ...] = ()
    ) -> None:
        """Take one finished call in.

        `sums`: cost, duration and upstream time in microseconds, bytes in and out. `names`: the fields it used.
        """
        bucket = self._buckets.get(key)
        if bucket is None:
            self._next += 1
            bucket = self._buckets[key] = Bucket(self._next, key)
        cost, duration_us, upstream_us, request_bytes, response_bytes = sums
        bucket.calls += 1
        bucket.cost += cost
        bucket.duration_us += duration_us
        bucket.upstream_us += upstream_us
        bucket.request_bytes += request_bytes
        bucket.response_bytes += response_bytes
        bucket.histogram[bisect_left(_BOUNDS_US, duration_us)] += 1
        bucket.minutes |= _BIT_OF_MINUTE[at_us // 60_000_000 % 60]
        self._changed.add(bucket)
        _, app_id, service, operation, _, problem = key
        if app_id and operation and not problem:
            fields = (app_id, service, operation, names)
            count = self._fields.get(fields)
            if count is None:
                count = self._fields[fields] = FieldCount()
                self._has_new_field = True
            count.calls += 1
            count.last_at = at_us
            self._changed_fields.add(fields)

    @property
    def size(self) -> int:
        """Buckets and field sets in memory."""
        return len(self._buckets) + len(self._fields)

    def take(self) -> list[Bucket]:
        """Changed buckets, oldest first. Hand them to `keep` when writing failed."""
        changed, self._changed = self._changed, set()
        return sorted(changed, key=_number_of)

    def keep(self, buckets: list[Bucket]) -> None:
        """They could not be written: they are still changed."""
        self._changed.update(buckets)

    def take_fields(self, *, everything: bool = False) -> list[Row]:
        """Rows (app, service, operation, field, last use, calls) that are due, one for each field."""
        now = time.monotonic()
        if not self._changed_fields:
            return []
        if not (everything or self._has_new_field or now - self._fields_written >= _FIELD_SECONDS):
            return []
        everything = everything or now - self._fields_written >= _FIELD_SECONDS
        due = [key for key in self._changed_fields if everything or self._fields[key].is_new]
        merged: dict[tuple[str, str, str, str], list[int]] = {}
        for key in due:
            count = self._fields[key]
            app_id, service, operation, names = key
            for name in ("response", *(name if ":" in name else "query:" + name for name in names)):
                entry = merged.setdefault((app_id, service, operation, name[:200]), [0, 0])
                entry[0] = max(entry[0], count.last_at)
                entry[1] += count.calls
            count.calls, count.is_new = 0, False
        self._changed_fields.difference_update(due)
        self._has_new_field = False
        if everything:
            self._fields_written = now
        return [(*key, last_at, calls) for key, (last_at, calls) in merged.items()]

    def forget_old(self) -> None:
        """Drop what is written and over: buckets of past hours, and all of them when there are too many."""
        hour = time.time_ns() // 3_600_000_000_000
        is_full = len(self._buckets) > _KEPT_BUCKETS
        if is_full or any(key[0] < hour for key in self._buckets):
            self._buckets = {
                key: bucket
                for key, bucket in self._buckets.items()
                if bucket in self._changed or (key[0] >= hour and not is_full)
            }
        if len(self._fields) > _KEPT_FIELDS:
            self._fields = {key: self._fields[key] for key in self._changed_fields}


def field_names(exchange: Exchange) -> tuple[str, ...]:
    """The parameters and body fields that a call sent."""
    names: tuple[str, ...] = tuple(exchange.query_values)
    if exchange.header_values:
        names += tuple("header:" + name for name in exchange.header_values)
    if exchange.json is not None:
        names += body_fields(exchange.json)
    return names


def body_fields(body: Any) -> tuple[str, ...]:
    """The fields that a body holds: `body:/name`, `body:/lines/*/price`; to depth 3, at most 64."""
    found: list[str] = []
    _walk(body, "body:", 0, found)
    return tuple(dict.fromkeys(found))


def _walk(value: Any, pointer: str, depth: int, found: list[str]) -> None:
    if depth > MAX_DEPTH or len(found) >= MAX_FIELDS:
        return
    if isinstance(value, dict):
        for name, inner in value.items():
            below = f"{pointer}/{str(name).replace('~', '~0').replace('/', '~1')}"
            found.append(below)
            _walk(inner, below, depth + 1, found)
    elif isinstance(value, list):
        for inner in value[:8]:
            _walk(inner, pointer + "/*", depth + 1, found)


def percentile_ms(histogram: list[int], share: float) -> float:
    """The duration below which this share of the calls lies, within a bucket by straight line; 0.0 for none."""
    wanted = sum(histogram) * share
    if not wanted:
        return 0.0
    seen = 0
    for number, calls in enumerate(histogram):
        if seen + calls >= wanted and calls:
            low = float(BUCKETS_MS[number - 1]) if number else 0.0
            high = float(BUCKETS_MS[number]) if number < len(BUCKETS_MS) else low * 2
            return round(low + (high - low) * (wanted - seen) / calls, 2)
        seen += calls
    return float(BUCKETS_MS[-1])
