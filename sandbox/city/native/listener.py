"""The listener of the departments' own servers: HTTP/1.1 on a free loopback port of this process.

Small on purpose: the one client is the gateway beside it. Requests of a connection are answered in order, bodies
are whole and bounded, and nothing is served that is not for a department.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, cast

import httptools
from msgspec import Struct, field

LARGEST_BODY = 8 * 1024 * 1024
_REASONS = {200: "OK", 202: "Accepted", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
            500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}  # fmt: skip


class Asked(Struct):
    """A request as it came. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path


class Said(Struct):
    """An answer. `breaks_off`: the connection is closed in the middle of it, as a failing system does."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: list[tuple[str, str]] = field(default_factory=list)
    breaks_off: bool = False


Handler = Callable[[Asked], Awaitable[Said]]


class _Connection(asyncio.Protocol):
    def __init__(self, listener: "Listener") -> None:
        self._listener = listener
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Asked] = deque()
        self._task: asyncio.Task[None] | None = None
        self._url = b""
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is no subclass
        self._listener.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._listener.connections.discard(self)
        self._transport = None
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("utf-8", "replace")

    def on_body(self, body: bytes) -> None:
        self._size += len(body)
        if self._size > LARGEST_BODY:
            self.close()
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        path, _, query = self._url.decode("latin-1").partition("?")
        method = self._parser.get_method().decode()
        self._waiting.append(Asked(method, path, query, self._headers, b"".join(self._body)))
        self._url, self._headers, self._body, self._size = b"", {}, [], 0
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._answer())

    async def _answer(self) -> None:
        while self._waiting:
            asked = self._waiting.popleft()
            said = await self._listener.handle(asked)
            transport = self._transport
            if transport is None or transport.is_closing():
                return
            head = [f"HTTP/1.1 {said.status} {_REASONS.get(said.status, 'Status')}"]
            head += [f"{name}: {value}" for name, value in said.headers]
            if said.body or said.status not in {204, 304}:
                head += [f"content-type: {said.content_type}", f"content-length: {len(said.body)}"]
            data = "\r\n".join(head).encode("latin-1", "replace") + b"\r\n\r\n" + said.body
            if said.breaks_off:
                transport.write(data[: max(1, len(data) // 2)])
                transport.close()
                return
            transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()


class Listener:
    """One listener; `port` is known once it is open."""

    def __init__(self, handle: Handler) -> None:
        self.handle = handle
        self.port = 0
        self.connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and close what is open."""
        if self._server is None:
            return
        self._server.close()
        for connection in list(self.connections):
            connection.close()
        with contextlib.suppress(Exception):
            async with asyncio.timeout(2):
                await self._server.wait_closed()
        self._server = None
