"""A real HTTP server around an ASGI application, in the event loop of the test."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import uvicorn

from api.gateway.server import PlainFirstProtocol

Headers = dict[str, str]


class Port(int):
    """A port, and the server that listens there."""

    server: uvicorn.Server


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[Port]:
    """Serve on a free port of loopback; gives the port."""
    listener = socket.socket(proto=socket.IPPROTO_TCP)  # else asyncio leaves Nagle on
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        http=PlainFirstProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        log_level="critical",
        access_log=False,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        port = Port(listener.getsockname()[1])
        port.server = server
        yield port
    finally:
        server.should_exit = True
        await task
        listener.close()


class Reply:
    """A parsed answer."""

    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.all_headers = headers
        self.headers = dict(headers)
        self.body = body


class Client:
    """HTTP/1.1 by hand: sends exactly the bytes it is given, which no client library would."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 16)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def head(self) -> Reply:
        """Status and headers, the body still to be read."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = [line.partition(": ") for line in lines[1:] if line]
        return Reply(int(lines[0].split(" ")[1]), [(name, value) for name, _, value in pairs], b"")

    async def reply(self, *, has_body: bool = True) -> Reply:
        """A whole answer."""
        reply = await self.head()
        if not has_body:
            return reply
        if "content-length" in reply.headers:
            reply.body = await self.reader.readexactly(int(reply.headers["content-length"]))
        elif reply.headers.get("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                reply.body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        return reply

    async def call(
        self,
        target: str | bytes,
        headers: Headers | None = None,
        *,
        method: str = "GET",
        body: bytes | None = None,
    ) -> Reply:
        target = target.encode() if isinstance(target, str) else target
        lines = [method.encode() + b" " + target + b" HTTP/1.1", b"host: gateway"]
        lines += [f"{name}: {value}".encode() for name, value in (headers or {}).items()]
        if body is not None and "transfer-encoding" not in (headers or {}):
            lines.append(b"content-length: %d" % len(body))
        await self.send(b"\r\n".join(lines) + b"\r\n\r\n" + (body or b""))
        return await self.reply(has_body=method != "HEAD")
