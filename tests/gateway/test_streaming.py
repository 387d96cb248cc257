"""Bodies that do not fit in a hand: streamed both ways, in bounded memory, at the reader's pace."""

import asyncio
import hashlib
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from api.core import problem_types
from api.core.problems import Failure, Refusal
from api.gateway.connectors.http_stream import BodyStream
from tests.gateway.raw_upstream import Visit, always, context, operation, request, serving

MEGABYTE = 1 << 20
CHUNK = bytes(range(256)) * 256


async def read_upload(visit: Visit) -> bytes:
    """The request body that follows the head, by length or in chunks."""
    head = (await visit.head()).lower()
    if b"transfer-encoding: chunked" not in head:
        return await visit.reader.readexactly(int(head.split(b"content-length: ")[1].split(b"\r\n")[0]))
    parts = []
    while True:
        size = int((await visit.reader.readline()).strip(), 16)
        parts.append((await visit.reader.readexactly(size + 2))[:-2])
        if size == 0:
            return b"".join(parts)


async def echo(visit: Visit) -> None:
    """Answers with length and digest of the body."""
    while True:
        body = await read_upload(visit)
        text = b"%d %b" % (len(body), hashlib.sha256(body).hexdigest().encode())
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text))


async def source(count: int, chunk: bytes = CHUNK) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield chunk


async def give(visit: Visit) -> None:
    """64 MiB, as fast as they are taken."""
    await visit.head()
    await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (64 * MEGABYTE))
    for _ in range(1024):
        visit.writer.write(CHUNK)
        await visit.writer.drain()


async def test_a_large_answer_streams_within_its_bound() -> None:
    async with serving(give) as upstream:
        connector = upstream.connector()
        result = await connector.call(operation(), request(), context())
        assert isinstance(result.body, BodyStream)
        assert (b"content-length", b"%d" % (64 * MEGABYTE)) in result.headers
        digest, total, largest = hashlib.sha256(), 0, 0
        async for chunk in result.body:
            digest.update(chunk)
            total += len(chunk)
            largest = max(largest, len(chunk))
        assert total == 64 * MEGABYTE
        assert digest.digest() == hashlib.sha256(CHUNK * 1024).digest()
        assert largest <= 262144


async def test_slow_readers_do_not_make_the_process_grow() -> None:
    async with serving(give) as upstream:
        connector = upstream.connector()
        results = [await connector.call(operation(), request(), context()) for _ in range(4)]
        streams = [aiter(result.body) for result in results]
        tracemalloc.start()
        for _ in range(20):
            for stream in streams:
                await anext(stream)
            await asyncio.sleep(0.005)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        for result in results:
            await result.body.aclose()
        assert peak < 4 * 2 * MEGABYTE  # the test's own upstream included


@pytest.mark.parametrize("length", [None, 200 * len(CHUNK)])
async def test_an_upload_streams_by_length_or_in_chunks(length: int | None) -> None:
    async with serving(echo) as upstream:
        connector = upstream.connector()
        result = await connector.call(
            operation("POST"), request(body=source(200), content_length=length, content_type="a/b"), context()
        )
        assert result.body == b"%d %b" % (
            200 * len(CHUNK),
            hashlib.sha256(CHUNK * 200).hexdigest().encode(),
        )
        assert (b"transfer-encoding: chunked" in upstream.heads[0]) == (length is None)
        again = await connector.call(operation("POST"), request(body=b"abc"), context())
        assert again.body.startswith(b"3 ")
        assert upstream.connections == 1


@pytest.mark.parametrize("length", [100, 10 * len(CHUNK)])
async def test_a_body_of_another_length_than_announced_is_no_request(length: int) -> None:
    async with serving(echo) as upstream:
        connector = upstream.connector()
        with pytest.raises(Refusal) as caught:
            await connector.call(operation("POST"), request(body=source(5), content_length=length), context())
        assert caught.value.kind.slug == "request-malformed"


async def test_what_the_client_side_raises_ends_the_call() -> None:
    async def too_much() -> AsyncIterator[bytes]:
        yield CHUNK
        raise Refusal(problem_types.REQUEST_TOO_LARGE, limit_bytes=1)

    async with serving(echo) as upstream:
        with pytest.raises(Refusal) as caught:
            await upstream.connector().call(operation("POST"), request(body=too_much()), context())
        assert caught.value.kind.slug == "request-too-large"


async def test_both_directions_flow_at_once() -> None:
    async def mirror(visit: Visit) -> None:
        await visit.head()
        await visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            size = int((await visit.reader.readline()).strip(), 16)
            data = (await visit.reader.readexactly(size + 2))[:-2]
            await visit.send(b"%x\r\n%b\r\n" % (size, data))
            if size == 0:
                return

    spoken: asyncio.Queue[bytes] = asyncio.Queue()

    async def talk() -> AsyncIterator[bytes]:
        while word := await spoken.get():
            yield word

    async with serving(mirror) as upstream:
        spoken.put_nowait(b"first")
        result = await upstream.connector().call(operation("POST"), request(body=talk()), context())
        stream = aiter(result.body)
        assert await anext(stream) == b"first"
        spoken.put_nowait(b"second")
        assert await anext(stream) == b"second"
        spoken.put_nowait(b"")
        with pytest.raises(StopAsyncIteration):
            await anext(stream)


async def test_an_early_refusal_stops_the_upload() -> None:
    async def refuse(visit: Visit) -> None:
        await visit.head()
        await visit.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        await visit.reader.read()

    produced = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal produced
        for _ in range(100000):
            produced += 1
            yield CHUNK
            await asyncio.sleep(0)

    async with serving(refuse) as upstream:
        result = await upstream.connector().call(operation("POST"), request(body=endless()), context())
        assert (result.status, result.body) == (413, b"no")
        assert produced < 100000


async def test_a_body_waits_for_100_continue() -> None:
    order: list[str] = []

    async def patient(visit: Visit) -> None:
        await visit.head()
        order.append("head")
        await asyncio.sleep(0.05)
        await visit.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        order.append("continue")
        await visit.reader.readexactly(5)
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def body() -> AsyncIterator[bytes]:
        order.append("body")
        yield b"12345"

    expect = [(b"expect", b"100-continue")]
    async with serving(patient) as upstream:
        connector = upstream.connector()
        result = await connector.call(
            operation("PUT"), request(body=body(), content_length=5, forward_headers=expect), context()
        )
        assert result.body == b"ok"
    assert order == ["head", "continue", "body"]
    async with serving(always(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")) as upstream:
        order.clear()
        result = await upstream.connector().call(
            operation("PUT"), request(body=body(), content_length=5, forward_headers=expect), context()
        )
        assert result.status == 403
        assert order == []  # the body was never asked for


async def test_events_arrive_one_by_one() -> None:
    go_on = asyncio.Event()

    async def events(visit: Visit) -> None:
        await visit.head()
        await visit.send(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"9\r\ndata: 1\n\n\r\n",
        )
        await go_on.wait()
        await visit.send(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")

    async with serving(events) as upstream:
        result = await upstream.connector().call(operation(), request(), context())
        stream = aiter(result.body)
        assert await anext(stream) == b"data: 1\n\n"
        go_on.set()
        assert await anext(stream) == b"data: 2\n\n"


async def test_json_without_a_length_is_whole_when_small_and_a_stream_when_not() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with serving(always(head, b"2\r\n{}\r\n", b"0\r\n\r\n")) as upstream:
        result = await upstream.connector().call(operation(), request(), context())
        assert result.body == b"{}"
    many = b"".join(b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK) for _ in range(8)) + b"0\r\n\r\n"
    async with serving(always(head + many)) as upstream:
        result = await upstream.connector().call(operation(), request(), context())
        assert isinstance(result.body, BodyStream)
        assert b"".join([chunk async for chunk in result.body]) == CHUNK * 8


async def test_a_stream_left_unread_gives_its_connection_up() -> None:
    async with serving(give) as upstream:
        connector = upstream.connector(size=1)
        for _ in range(3):
            result = await connector.call(operation(), request(), context())
            await anext(aiter(result.body))
            await result.body.aclose()
        with pytest.raises(Failure) as caught:
            await anext(aiter(result.body))
        assert caught.value.kind.slug == "upstream-unreachable"
