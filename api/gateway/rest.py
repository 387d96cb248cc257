"""The REST face: `/api/{service}/{version}/…` as one plain ASGI application.

Makes the exchange, runs the pipeline, sends the answer: whole bodies in one piece, others chunk by chunk, as
fast as the client takes them. Owes `record` its last step exactly once, also when the client goes away.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import quote

from api.core import problem_types
from api.core.logging import log_failure
from api.core.problems import Failure, Problem
from api.gateway import pipeline
from api.gateway.body import ended_early
from api.gateway.exchange import Exchange, Headers
from api.gateway.plane import Gateway
from api.gateway.quick_answer import answer_at_once

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

CLIENT_CLOSED = 499  # recorded when the client went away before there was an answer
_BODYLESS = frozenset({204, 304})


class RestFace:
    """The ASGI application of one plane's REST face."""

    __slots__ = ("_gateway",)

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def plain_face(self) -> "RestFace":
        """What takes plain GETs straight from the server."""
        return self

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request. Anything but HTTP is turned away."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1003})
            return
        gateway = self._gateway
        client = scope.get("client")
        exchange = Exchange(
            request_id=gateway.request_ids.new(),
            face="rest",
            method=scope["method"],
            raw_path=scope.get("raw_path") or quote(scope["path"]).encode(),
            query_string=scope["query_string"],
            headers=scope["headers"],
            client_address=client[0] if client else "",
            started_ns=time.perf_counter_ns(),
            started_at_us=time.time_ns() // 1000,
        )
        try:
            if pipeline.admit(exchange, gateway):
                if exchange.content_length or b"transfer-encoding" in exchange.header_map:
                    exchange.body_stream = Incoming(receive, exchange)
                await pipeline.run(exchange, gateway)
            await _send_answer(exchange, receive, send)
        finally:
            if not exchange.status:
                exchange.status = CLIENT_CLOSED
            pipeline.finish(exchange, gateway)

    # -- without ASGI: the server has read a plain GET (heads), and sends the answer itself ---------------
    def take(
        self, path: bytes, query: bytes, headers: Headers, client_address: str,
        then: Callable[[Exchange, Awaitable[None] | None], None],
    ) -> None:  # fmt: skip
        """Serve one plain GET. `then` is called once, now or later: the answer is there, or what to await for it.

        Whoever sends the answer owes it `finish`.
        """
        gateway = self._gateway
        exchange = Exchange(
            request_id=gateway.request_ids.new(),
            face="rest",
            method="GET",
            raw_path=path,
            query_string=query,
            headers=headers,
            client_address=client_address,
            started_ns=time.perf_counter_ns(),
            started_at_us=time.time_ns() // 1000,
        )
        exchange.is_plain = True
        if pipeline.admit(exchange, gateway):
            pipeline.begin(exchange, gateway, then)
        else:
            then(exchange, None)

    def finish(self, exchange: Exchange) -> None:
        """The last step, when the answer was sent or there is nobody left to send it to."""
        if not exchange.status:
            exchange.status = CLIENT_CLOSED
        pipeline.finish(exchange, self._gateway)

    async def conclude(
        self, exchange: Exchange, rest: Awaitable[None] | None, receive: Receive, send: Send
    ) -> None:
        """Send by ASGI what `take` was given, once `rest` is done."""
        try:
            if rest is not None:
                await rest
            await _send_answer(exchange, receive, send)
        finally:
            self.finish(exchange)


class Incoming:
    """The request's body, chunk by chunk as it arrives; the server holds the client back meanwhile."""

    __slots__ = ("_exchange", "_receive", "is_complete")

    def __init__(self, receive: Receive, exchange: Exchange) -> None:
        self._receive = receive
        self._exchange = exchange
        self.is_complete = False

    def __aiter__(self) -> "Incoming":
        return self

    async def __anext__(self) -> bytes:
        while not self.is_complete:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self.is_complete = True
                raise ended_early()
            self.is_complete = not message.get("more_body", False)
            chunk: bytes = message.get("body", b"")
            if chunk:
                self._exchange.request_bytes += len(chunk)
                return chunk
        raise StopAsyncIteration


async def _send_answer(exchange: Exchange, receive: Receive, send: Send) -> None:
    body = exchange.response_body
    status = exchange.status
    headers = exchange.response_headers
    if isinstance(body, bytes):
        has_body = exchange.method != "HEAD" and status not in _BODYLESS
        exchange.response_bytes = len(body) if has_body else 0
        if has_body and answer_at_once(send, status, headers, body):
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body if has_body else b""})
    else:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await _send_stream(exchange, body, receive, send)


async def _send_stream(
    exchange: Exchange, stream: AsyncIterator[bytes], receive: Receive, send: Send
) -> None:
    """Send a body chunk by chunk, and stop reading the department's answer when nobody is there to take it."""
    watch = (
        _Watch(receive)
        if not isinstance(exchange.body_stream, Incoming) or exchange.body_stream.is_complete
        else None
    )
    try:
        if exchange.method != "HEAD" and exchange.status not in _BODYLESS:
            async for chunk in stream:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                exchange.response_bytes += len(chunk)
        await send({"type": "http.response.body", "body": b""})
    except asyncio.CancelledError:
        if watch is None or not watch.take_back():
            raise
    except Problem as problem:
        _break_off(exchange, problem)
    except Exception as error:
        log_failure("gateway.stream", error, request_id=exchange.request_id)
        _break_off(exchange, Failure(problem_types.INTERNAL_ERROR))
    finally:
        if watch is not None:
            watch.stop()
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


def _break_off(exchange: Exchange, problem: Problem) -> None:
    """Too late for another status: the server closes the connection, so that the client sees it is not whole."""
    exchange.problem = problem
    exchange.verdicts.append((problem.kind.step or "call", "refuse", problem.rule))


class _Watch:
    """Cancels the task that made it when the client goes away, even while it waits for the next chunk."""

    __slots__ = ("_has_gone", "_task", "_watching")

    def __init__(self, receive: Receive) -> None:
        self._task = asyncio.current_task()
        self._has_gone = False
        self._watching = asyncio.ensure_future(self._wait(receive))

    async def _wait(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._has_gone = True
        if self._task is not None:
            self._task.cancel()

    def take_back(self) -> bool:
        """Whether it was this watch that cancelled; then the cancellation is over."""
        if self._has_gone and self._task is not None:
            self._task.uncancel()
        return self._has_gone

    def stop(self) -> None:
        self._watching.cancel()
