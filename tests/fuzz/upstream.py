"""A department's system at its worst: each connection gets another fault, drawn from a seeded Random."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import chain
from random import Random

from api.gateway.call import ATTEMPTS

GOOD = b'{"id":"t-1","name":"thing"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CONTRACT = """
openapi: 3.1.0
info:
  title: Flaky
  version: 1.0.0
  description: A service whose upstream fails in every way.
  x-name: flaky
  x-level: L1
servers: [{url: /}]
paths:
  /things/{id}:
    get:
      operationId: getThing
      summary: One thing
      parameters: [{name: id, in: path, required: true, schema: {type: string, maxLength: 40}}]
      responses:
        '200':
          description: The thing
          content:
            application/json:
              schema:
                type: object
                required: [id, name]
                properties: {id: {type: string}, name: {type: string}}
"""
FAULTS = {
    "good": HEAD + b"Content-Length: 27\r\n\r\n" + GOOD,
    "closed": b"",
    "garbage": b"\x16\x03\x01\x02\x00 this is no HTTP",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Ty",
    "cut short": HEAD + b"Content-Length: 270\r\n\r\n" + GOOD,
    "bad chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n" + GOOD,
    "no JSON": HEAD + b"Content-Length: 5\r\n\r\n<html",
    "breaks the contract": HEAD + b'Content-Length: 8\r\n\r\n{"id":1}',
    "other type": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi",
    "its own 500": b"HTTP/1.1 500 Oops\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "its own 503": b"HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    "header injection": HEAD + b"X-Bad: a\rSet-Cookie: x=y\r\nContent-Length: 27\r\n\r\n" + GOOD,
    "endless header": HEAD + b"X-Long: " + b"x" * 200_000,
    "status 999": b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n",
    "answers twice": 2 * (HEAD + b"Content-Length: 27\r\n\r\n" + GOOD),
}


GOOD_SHARE = 0.55  # the breaker closes the way when more than a third of the answers are failures
# The answers to the first calls; a read is tried ATTEMPTS times.
FIRST_CALLS = (("good",), ("garbage",) * ATTEMPTS, ("breaks the contract",), ("good",))


@dataclass
class Upstream:
    """Its port on the loopback address; while it is down, it closes every connection."""

    port: int
    is_down: bool = False


@contextlib.asynccontextmanager
async def failing_upstream(seed: str) -> AsyncIterator[Upstream]:
    """About half of its answers are good; one in two hundred never comes."""
    random = Random(seed)
    names = [name for name in FAULTS if name != "good"]
    upstream = Upstream(0)
    first = chain.from_iterable(FIRST_CALLS)

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await reader.readuntil(b"\r\n\r\n")
            name = "closed" if upstream.is_down else next(first, "")
            if not name:
                draw = random.random()
                name = "silence" if draw < 0.005 else "good" if draw < GOOD_SHARE else random.choice(names)
            if name == "silence":
                await reader.read()  # until the gateway gives up
            else:
                writer.write(FAULTS[name])
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    async with server:
        upstream.port = server.sockets[0].getsockname()[1]
        yield upstream
