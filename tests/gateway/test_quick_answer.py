"""The short way of an answer gives the same bytes as the long one."""

import asyncio
import re

import pytest

from api.gateway.quick_answer import answer_at_once
from api.gateway.rest import RestFace
from tests.gateway.made import operation
from tests.gateway.serving import served
from tests.gateway.test_pipeline import ANY, ORDERS, PATH, place

LINES = [
    b"GET %b HTTP/1.1\r\nhost: x\r\n%b\r\n",
    b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n%b\r\n",
    b"GET %b HTTP/1.0\r\nhost: x\r\n%b\r\n",
    b"HEAD %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n%b\r\n",
]


async def raw(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    received = b""
    try:
        async with asyncio.timeout(0.3):
            while chunk := await reader.read(65_536):
                received += chunk
        received += b"<closed>"
    except TimeoutError:
        received += b"<open>"
    writer.close()
    return re.sub(rb"(request-id: rs_|date: |rs_)[^\r\"]*", rb"\1", received)


@pytest.mark.parametrize("line", LINES)
async def test_the_same_bytes_by_both_ways(line: bytes) -> None:
    async with place([operation(), operation("order", path="/orders", responses=(ANY,))]) as here:
        face = here.world.gateway

        async def long_way(scope, receive, send):  # type: ignore[no-untyped-def]
            async def wrapped(message):  # type: ignore[no-untyped-def]
                await send(message)

            await RestFace(face)(scope, receive, wrapped)

        authorization = b"authorization: " + here.world.bearer() + b"\r\n"
        async with served(long_way) as port:
            for path in (PATH, "/api/none", ORDERS):
                request = line % (path.encode(), authorization)
                short, long = await raw(here.port, request), await raw(port, request)
                assert re.sub(rb"r=\d+;t=\d+", b"", short) == re.sub(rb"r=\d+;t=\d+", b"", long)
                assert short.endswith(b"<open>") == (b"HTTP/1.1" in line and b"close" not in line)


async def test_pipelined_requests_are_answered_in_order() -> None:
    async with place() as here:
        one = f"GET {PATH} HTTP/1.1\r\nhost: x\r\nauthorization: {here.world.bearer().decode()}\r\n\r\n".encode()
        missing = b"GET /api/none HTTP/1.1\r\nhost: x\r\n\r\n"
        received = await raw(here.port, one + missing + one)
        assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200", b"404", b"200"]


async def test_a_header_cannot_bring_another() -> None:
    async with place([operation(path="/orders", responses=(ANY,))]) as here:
        here.world.connector.headers = [(b"content-type", b"text/plain"), (b"x-bad", b"a\r\nset-cookie: b=c")]
        received = await raw(
            here.port,
            f"GET {ORDERS} HTTP/1.1\r\nhost: x\r\nauthorization: {here.world.bearer().decode()}\r\n\r\n".encode(),
        )
        assert b"set-cookie" not in received


async def test_this_server_takes_the_short_way() -> None:
    taken = []

    async def app(scope, receive, send):  # type: ignore[no-untyped-def]
        taken.append(answer_at_once(send, 200, [(b"content-length", b"2")], b"ok"))
        assert not answer_at_once(send, 200, [(b"content-length", b"2")], b"ok")  # an answer is given once

    async with served(app) as port:
        assert (await raw(port, b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")).endswith(b"\r\n\r\nok<open>")
    assert taken == [True]
