"""The short way of a plain GET (server, pipeline.begin, Asked, HttpConnector.ask), over real sockets.

Every case is one where the short way has to be left: it ends as the long one would, and is recorded once.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from api.gateway.compiled import ServiceEntry
from api.gateway.snapshot import Snapshot
from tests.gateway.made import operation
from tests.gateway.raw_upstream import Script, Upstream, Visit, serving
from tests.gateway.serving import Reply
from tests.gateway.test_pipeline import PATH, Place, place

COMPANY = b'{"code":"9133","name":"a"}'


def whole(body: bytes = COMPANY, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status, len(body), more, body,
    )  # fmt: skip


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"%x\r\n%b\r\n0\r\n\r\n" % (len(COMPANY), COMPANY)
)
LARGE = b'{"code":"9133","name":"' + b"a" * 600_000 + b'"}'


@asynccontextmanager
async def standing(script: Script, **settings: Any) -> AsyncIterator[tuple[Place, Upstream]]:
    """A gateway before an upstream; one call was made, so that a connection stands open."""
    async with serving(script) as upstream, place([operation()], **settings) as here:
        connector = upstream.connector()
        world = here.world
        world.holder.current = Snapshot.of(
            [ServiceEntry(world.service, connector, owner_id="o_owner")], world.apps
        )
        try:
            assert (await here.call()).status == 200
            yield here, upstream
        finally:
            await connector.close()


def answering(*answers: bytes | None) -> Script:
    """The first call is answered plainly, the next ones by these; None closes the connection."""
    left = list(answers)

    async def script(visit: Visit) -> None:
        await visit.head()
        if visit.number == 1:
            await visit.send(whole())
            await visit.head()
        while left:
            answer = left.pop(0)
            if answer is None:
                return
            await visit.send(answer)
            await visit.head()
        await visit.send(whole())

    return script


async def once(here: Place, calls: int) -> Any:
    """The last exchange, recorded once and no more."""
    exchange = await here.last(calls)
    await asyncio.sleep(0.05)
    assert len(here.log.exchanges) == calls
    return exchange


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        (whole(), 200, COMPANY),
        (whole(more=b"Connection: Keep-Alive\r\nServer: x\r\nSet-Cookie: a=b\r\n"), 200, COMPANY),
        (CHUNKED, 200, COMPANY),
        (whole(status=b"404 Not Found"), 404, COMPANY),
        (whole(LARGE), 200, LARGE),
        (whole(b'{"code":1}'), 502, None),
        (b"nonsense\r\n\r\n", 502, None),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 502, None),
    ],
)
async def test_an_answer_of_each_kind(answer: bytes, status: int, body: bytes | None) -> None:
    # an answer that cannot be read is asked for again, as a safe call is
    async with standing(answering(answer, *[answer] * 3)) as (here, upstream):
        reply = await here.call()
        assert reply.status == status
        assert "set-cookie" not in reply.headers
        assert "server" not in reply.headers
        if body is not None:
            assert reply.body == body
        exchange = await once(here, 2)
        assert exchange.status == status
        assert exchange.upstream_us > 0
        steps = [step for step, _, _ in exchange.verdicts]
        assert steps[:6] == ["admit", "route", "authenticate", "authorise", "limit", "validate"]
        assert b"authorization" not in upstream.heads[1].lower()


async def test_an_answer_in_pieces() -> None:
    async def script(visit: Visit) -> None:
        while True:
            await visit.head()
            text = whole()
            await visit.send(text[:9], text[9:40], text[40:-5], text[-5:])

    async with standing(script) as (here, upstream):
        assert [(await here.call()).body for _ in range(3)] == [COMPANY] * 3
        assert upstream.connections == 1


async def test_a_connection_that_was_closed_meanwhile_costs_no_attempt() -> None:
    async with standing(answering(None)) as (here, upstream):
        assert (await here.call()).status == 200
        assert (await once(here, 2)).attempts == 1
        assert upstream.connections == 2


async def test_an_upstream_out_of_order_is_asked_again() -> None:
    busy = whole(b"{}", b"503 Busy")
    async with standing(answering(busy, busy)) as (here, _):
        assert (await here.call()).status == 200
        exchange = await once(here, 2)
        assert exchange.attempts == 3
        assert ("call", "pass", "attempts 3") in exchange.verdicts


async def test_no_answer_before_the_deadline() -> None:
    async def script(visit: Visit) -> None:
        await visit.head()
        await visit.send(whole())
        await visit.head()
        await asyncio.sleep(30)

    async with standing(script, call_deadline_ms=300) as (here, _):
        assert (await here.call()).status == 504
        assert (await once(here, 2)).problem.kind.slug == "upstream-timeout"


async def test_what_comes_while_a_call_is_under_way_waits_its_turn() -> None:
    async def script(visit: Visit) -> None:
        while True:
            await visit.head()
            await asyncio.sleep(0.02)
            await visit.send(whole())

    async with standing(script) as (here, _), here.client() as client:
        bearer = here.world.bearer()
        one = b"GET %b HTTP/1.1\r\nhost: x\r\nauthorization: %b\r\n\r\n" % (PATH.encode(), bearer)
        lost = b"GET /api/none HTTP/1.1\r\nhost: x\r\n\r\n"
        post = b"POST /api/none HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\nabc"
        await client.send(one)
        for part in (one + one[:30], one[30:] + lost, one, post, one):
            await asyncio.sleep(0.005)
            await client.send(part)
        found = [(await client.reply()).status for _ in range(7)]
        assert found == [200, 200, 200, 404, 200, 404, 200]
        await once(here, 8)


async def test_a_client_that_went_away_is_recorded_once() -> None:
    asked = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.head()
        await visit.send(whole())
        await visit.head()
        asked.set()
        await asyncio.sleep(0.1)
        await visit.send(whole())

    async with standing(script) as (here, _):
        async with here.client() as client:
            await client.send(
                b"GET %b HTTP/1.1\r\nhost: x\r\nauthorization: %b\r\n\r\n"
                % (PATH.encode(), here.world.bearer())
            )
            await asked.wait()
        await once(here, 2)


async def test_a_call_under_way_is_finished_before_the_server_ends() -> None:
    asked = asyncio.Event()

    async def script(visit: Visit) -> None:
        await visit.head()
        await visit.send(whole())
        await visit.head()
        asked.set()
        await asyncio.sleep(0.2)
        await visit.send(whole())

    async with standing(script) as (here, _), here.client() as client:
        await client.send(
            b"GET %b HTTP/1.1\r\nhost: x\r\nauthorization: %b\r\n\r\n" % (PATH.encode(), here.world.bearer())
        )
        await asked.wait()
        for protocol in list(here.port.server.server_state.connections):
            protocol.shutdown()
        reply: Reply = await client.reply()
        assert (reply.status, reply.headers["connection"], reply.body) == (200, "close", COMPANY)
        assert await client.reader.read() == b""


async def test_an_idle_connection_is_closed() -> None:
    async def script(visit: Visit) -> None:
        while True:
            await visit.head()
            await visit.send(whole())

    async with standing(script) as (here, _), here.client() as client:
        assert (await client.call(PATH, here.headers())).status == 200
        (protocol,) = [one for one in here.port.server.server_state.connections if one.cycle is None]
        assert protocol.timeout_keep_alive_task is not None
        protocol._look_idle()  # long before its time: it looks again later
        assert not protocol.transport.is_closing()
        protocol._idle_since -= protocol.timeout_keep_alive
        protocol._look_idle()
        assert await client.reader.read() == b""
