"""An upstream written in bytes: answers exactly what a test says, in the pieces that a test says."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from api.contract.model import Basis, Grade, Level, Operation, QuotaClass
from api.core.egress import LOOPBACK, Egress, parse_target
from api.gateway.connector import Context, Request
from api.gateway.connectors.http import HttpConnector
from api.gateway.connectors.http_pool import Pool

Script = Callable[["Visit"], Awaitable[None]]


@dataclass
class Visit:
    """One connection that the upstream accepted."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    heads: list[bytes]

    async def head(self) -> bytes:
        """The next request head, blank line included."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        self.heads.append(head)
        return head

    async def send(self, *pieces: bytes, pause: float = 0.01) -> None:
        """Write the pieces one by one, so that each arrives as a read of its own."""
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause)
            self.writer.write(piece)
            await self.writer.drain()


@dataclass
class Upstream:
    """A listening upstream and what it saw."""

    port: int = 0
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)

    def url(self, path: str = "") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def connector(self, path: str = "", egress: Egress | None = None, **options: float) -> HttpConnector:
        pool = Pool(parse_target(self.url(path)), egress or Egress(LOOPBACK), **options)  # type: ignore[arg-type]
        return HttpConnector(self.url(path), None, pool)


@contextlib.asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Upstream]:
    """Run the script for each connection; ends with everything closed."""
    upstream = Upstream()
    tasks: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        upstream.connections += 1
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await script(Visit(reader, writer, upstream.connections, upstream.heads))
        finally:
            tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1 << 20)
    upstream.port = server.sockets[0].getsockname()[1]
    try:
        yield upstream
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def always(*pieces: bytes, closes: bool = False) -> Script:
    """A script that gives every request the same answer, in these pieces."""

    async def script(visit: Visit) -> None:
        while True:
            await visit.head()
            await visit.send(*pieces)
            if closes:
                return

    return script


def operation(method: str = "GET", path: str = "/things", **changes: object) -> Operation:
    """An operation with the ordinary policy."""
    values: dict[str, object] = {
        "id": "getThing", "resource": "thing", "verb": "get", "method": method, "path": path, "summary": "",
        "description": "", "texts": {}, "tags": (), "parameters": (), "body": None, "responses": (), "scopes": (),
        "grade": Grade.GENERAL, "level": Level.L1, "quota": QuotaClass.LIGHT, "basis": Basis.PUBLIC,
        "basis_law": {}, "purposes": (), "subject": "", "share": "unconditional", "open": "open",
        "audience": "public",
    }  # fmt: skip
    return Operation(**(values | changes))  # type: ignore[arg-type]


def context(seconds: float = 5.0, **changes: object) -> Context:
    values: dict[str, object] = {
        "request_id": "rs_test", "deadline": asyncio.get_running_loop().time() + seconds,
        "environment": "sandbox", "app_id": "a_test", "service": "thing@v1",
    }  # fmt: skip
    return Context(**(values | changes))  # type: ignore[arg-type]


def request(target: str = "/things", **changes: object) -> Request:
    values: dict[str, object] = {"path": {}, "query": {}, "headers": {}, "target": target}
    return Request(**(values | changes))  # type: ignore[arg-type]
