"""Request ids and trace ids by the hundred: random, and cheaper than one call to the kernel each.

`rs_` (sandbox) or `rl_` (live) and 26 characters of Crockford base32: 10 for the millisecond, 16 random (80
bits). Later ids are greater, so the request log is written at its end instead of all over (4 us a row instead of
11 measured on SQLite) and read newest first without a second index. Source: the ULID layout.
"""

import os
import re
import time
from bisect import bisect_left

_ALPHABET = b"0123456789abcdefghjkmnpqrstvwxyz"  # as in api.core.ids
_OF_BYTE = bytes(_ALPHABET[byte & 31] for byte in range(256))
_LENGTH = 16
_PAIRS = tuple(chr(_ALPHABET[number >> 5]) + chr(_ALPHABET[number & 31]) for number in range(1024))
_BATCH = 128
SPAN_BITS = 10  # the last two characters of the time
SPAN_MS = 1 << SPAN_BITS
SPAN_LENGTH = 11  # of the beginning of an id that tells the span: prefix and eight characters

# Version ff is forbidden; a later version may append fields. Source: W3C Trace Context §3.2.
_TRACE_PARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[ -~]*)?"
)
_MAX_TRACE_PARENT = 128


class RequestIds:
    """Makes ids of one plane. Not for two threads at a time; a forked process needs one of its own."""

    __slots__ = ("_begin", "_millisecond", "_prefix", "_tails", "_traces")

    def __init__(self, environment: str) -> None:
        self._prefix = "rl_" if environment == "live" else "rs_"
        self._begin = ""
        self._millisecond = 0
        self._tails: list[str] = []
        self._traces: list[str] = []

    def new(self) -> str:
        """A request id that was never given before."""
        if not self._tails:
            text = os.urandom(_LENGTH * _BATCH).translate(_OF_BYTE).decode("ascii")
            self._tails = [text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH)]
        millisecond = time.time_ns() // 1_000_000
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            self._begin = self._prefix + text_of_millisecond(millisecond)
        return self._begin + self._tails.pop()

    def new_trace_parent(self) -> str:
        """A `traceparent` that begins a trace. Sampled: the request log keeps its id."""
        if not self._traces:
            text = os.urandom(24 * _BATCH).hex()
            self._traces = [
                f"00-{text[at : at + 32]}-{text[at + 32 : at + 48]}-01" for at in range(0, len(text), 48)
            ]
        return self._traces.pop()


def text_of_millisecond(millisecond: int) -> str:
    """The ten characters with which ids of this millisecond since the epoch begin, after their prefix."""
    pairs = _PAIRS
    return (
        pairs[millisecond >> 40 & 1023]
        + pairs[millisecond >> 30 & 1023]
        + pairs[millisecond >> 20 & 1023]
        + pairs[millisecond >> 10 & 1023]
        + pairs[millisecond & 1023]
    )


def millisecond_of(request_id: str) -> int:
    """When an id was made, in milliseconds since the epoch."""
    found = 0
    for char in request_id[3:13].encode():
        found = found << 5 | bisect_left(
            _ALPHABET, char
        )  # a letter that ids do not have counts as the next one
    return found


def span_of(environment: str, number: int) -> str:
    """How the ids of span `number` begin: spans of SPAN_MS, counted from the epoch."""
    prefix = "rl_" if environment == "live" else "rs_"
    return (prefix + text_of_millisecond(number << SPAN_BITS))[:SPAN_LENGTH]


def trace_parent_of(value: bytes) -> str:
    """The `traceparent` a client sent, or "" when it is no valid one and a new trace begins."""
    if len(value) <= _MAX_TRACE_PARENT and _TRACE_PARENT.fullmatch(value):
        if value[:2] == b"00" and len(value) != 55:
            return ""
        return value.decode("ascii")
    return ""
