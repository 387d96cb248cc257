"""An upstream's answer: its head, and a body that is whole bytes or a stream read once.

Memory of a stream: at most one socket read (256,000 bytes with uvloop) beyond what the reader has taken.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Protocol

from msgspec import Struct

PAUSE_ABOVE_BYTES = 6144  # with one more read of 256,000 bytes a stream holds at most 256 KiB

Headers = list[tuple[bytes, bytes]]


class StreamSource(Protocol):
    """What a stream may ask of the connection that feeds it."""

    def resume(self) -> None: ...
    def watch_stall(self) -> None: ...
    def unwatch_stall(self) -> None: ...
    def abandon(self, reason: str) -> None: ...
    @property
    def is_loop_closed(self) -> bool: ...


class ClientError(Exception):
    """The call failed. `kind`: unreachable, refused (egress), invalid, timeout, busy or body (of the request); `reason` is for operators.

    `is_unsent`: the upstream cannot have acted on the request, so it may be sent again whatever its method.
    `has_begun`: a byte of the answer had arrived.
    """

    def __init__(self, kind: str, reason: str, *, is_unsent: bool = False, has_begun: bool = False) -> None:
        super().__init__(f"{kind}: {reason}")
        self.kind = kind
        self.reason = reason
        self.is_unsent = is_unsent
        self.has_begun = has_begun


class Answer(Struct):
    """The upstream's answer: header names in lower case, everything as received, framing undone."""

    status: int
    headers: Headers
    body: "bytes | BodyStream"


class BodyStream:
    """A body that is read once, chunk by chunk; the connection reads on only as chunks are taken."""

    __slots__ = ("_chunks", "_connection", "_fault", "_is_complete", "_size", "_waiter", "translate")

    def __init__(self, connection: StreamSource, chunks: list[bytes]) -> None:
        self._connection: StreamSource | None = connection
        self._chunks = deque(chunks)
        self._size = sum(map(len, chunks))
        self._is_complete = False
        self._fault: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self.translate: Callable[[ClientError], Exception] | None = None  # into the words of who reads

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """The next chunk. Raises ClientError when the upstream breaks off: the answer is then no whole one."""
        while not self._chunks:
            if self._fault is not None:
                if self.translate is not None and isinstance(self._fault, ClientError):
                    raise self.translate(self._fault)
                raise self._fault
            if self._is_complete:
                raise StopAsyncIteration
            connection = self._connection
            self._waiter = asyncio.get_running_loop().create_future()
            if connection is not None:
                connection.resume()
                connection.watch_stall()
            try:
                await self._waiter
            finally:
                self._waiter = None
        chunk = self._chunks.popleft() if len(self._chunks) == 1 else self._take_all()
        self._size = 0
        if self._connection is not None:
            self._connection.unwatch_stall()  # a slow reader is no stalled upstream
        return chunk

    def _take_all(self) -> bytes:
        whole = b"".join(self._chunks)
        self._chunks.clear()
        return whole

    async def aclose(self) -> None:
        """Nobody reads on: the rest of the answer is not fetched and the connection is not used again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abandon("the reader went away")

    def __del__(self) -> None:
        if self._connection is not None and not self._connection.is_loop_closed:
            self._connection.abandon("the reader went away")

    def feed(self, chunk: bytes) -> bool:
        """Take a chunk in; True when the reader has enough for now."""
        self._chunks.append(chunk)
        self._size += len(chunk)
        self._wake()
        return self._size > PAUSE_ABOVE_BYTES

    def end(self, fault: Exception | None = None) -> None:
        self._is_complete = fault is None
        self._fault = fault
        self._connection = None
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
