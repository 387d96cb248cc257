"""AnswerCache: answers of public operations that one process keeps for a moment. What may be kept, `freshness` decides."""

import asyncio
import time
from collections import OrderedDict

from api.gateway.connector import Result

MOST_OF_ONE = 256 * 1024  # bytes: a larger answer is not kept
Key = tuple[str, str, str, str, bytes]


class AnswerCache:
    """Answers of public operations in this process; the longest unused leave first, bounded by their bytes."""

    __slots__ = ("_entries", "_limit", "_size", "_under_way", "hits", "misses")

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._size = 0
        self._entries: OrderedDict[Key, tuple[float, float, Result]] = OrderedDict()  # kept at, until, answer
        self._under_way: dict[Key, asyncio.Future[None]] = {}
        self.hits = 0
        self.misses = 0

    def find(self, key: Key) -> Result | None:
        """A copy of the answer that is still good, with its `Age`; None where there is none."""
        found = self._entries.get(key)
        if found is None:
            return None
        kept_at, until, result = found
        now = time.monotonic()
        if now >= until:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return Result(result.status, [*result.headers, (b"age", b"%d" % (now - kept_at))], result.body)

    def keep(self, key: Key, result: Result, seconds: int) -> None:
        """Keep an answer for that long, where it is small enough."""
        body = result.body
        if not isinstance(body, bytes) or len(body) > min(MOST_OF_ONE, self._limit):
            return
        self._drop(key)
        now = time.monotonic()
        self._entries[key] = (now, now + seconds, Result(result.status, list(result.headers), body))
        self._size += len(body)
        while self._size > self._limit:
            self._drop(next(iter(self._entries)))

    def _drop(self, key: Key) -> None:
        gone = self._entries.pop(key, None)
        if gone is not None:
            self._size -= len(gone[2].body)  # type: ignore[arg-type]  # only whole bodies are kept

    async def wait_for_another(self, key: Key) -> bool:
        """Whether another call asked for the same and has its answer now; False: this call is to ask, and then `done`."""
        under_way = self._under_way.get(key)
        if under_way is None:
            self._under_way[key] = asyncio.get_running_loop().create_future()
            return False
        await asyncio.shield(under_way)
        return True

    def done(self, key: Key) -> None:
        """The call that asked has its answer, or gave up."""
        under_way = self._under_way.pop(key, None)
        if under_way is not None and not under_way.done():
            under_way.set_result(None)
