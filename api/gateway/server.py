"""The server's end of a connection: uvicorn's, with a short way for plain GETs below /api/.

A GET that came whole (heads.read_request) goes to the REST face without ASGI's messages and without a task; its
answer is written in one piece. Everything else (other methods, bodies, streams, odd heads, several requests at
once) is uvicorn's as ever. What is done here is what uvicorn's HttpToolsProtocol and RequestResponseCycle do with
such a request; 0.35 to 0.54 were read, and one that looks different gets no short way.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from api.gateway.exchange import Exchange
from api.gateway.heads import join_head, read_request

_PROTOCOL = {"cycle", "pipeline", "transport", "flow", "client", "server_state", "timeout_keep_alive_task"}
_CYCLE = {
    "response_started", "response_complete", "disconnected", "flow", "default_headers", "keep_alive", "transport",
    "message_event", "on_response", "waiting_for_100_continue", "more_body",
}  # fmt: skip
_is_as_known = (
    set(HttpToolsProtocol.__init__.__code__.co_names) >= _PROTOCOL
    and set(RequestResponseCycle.__init__.__code__.co_names) >= _CYCLE
)
_BODYLESS = frozenset({204, 304})


class PlainFirstProtocol(HttpToolsProtocol):
    """One connection. At most one call is under way on it; what comes meanwhile is held back."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._is_busy = False  # with a plain call
        self._is_reading = False  # httptools is in the middle of a request
        self._is_ending = False  # the server is going down
        self._held = b""  # what came while busy
        self._idle_since = 0.0
        self._face: Any = None
        self._address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""

    # -- what comes ---------------------------------------------------------------------------------
    def data_received(self, data: bytes) -> None:
        """As uvicorn, but a plain call is read here."""
        if self._is_busy:
            self._held += data
            self.flow.pause_reading()
            return
        cycle: RequestResponseCycle | None = self.cycle
        if not self._is_reading and (cycle is None or cycle.response_complete) and _is_as_known:
            found = read_request(data)
            if found is not None:
                face = self._face = getattr(self.app, "plain_face", None)
                if face is not None:
                    self._is_busy = True
                    face.take(*found, self._address, self.answer)
                    return
        super().data_received(data)

    def on_message_begin(self) -> None:
        self._is_reading = True
        super().on_message_begin()

    def on_message_complete(self) -> None:
        self._is_reading = False
        super().on_message_complete()

    # -- what goes ----------------------------------------------------------------------------------
    def answer(self, exchange: Exchange, rest: Awaitable[None] | None) -> None:
        """The face has an answer, or an awaitable that brings it."""
        body = exchange.response_body
        if (
            rest is not None
            or not isinstance(body, bytes)
            or self.flow.write_paused
            or exchange.status in _BODYLESS
            or not self._write(exchange, body)
        ):
            self._answer_by_asgi(exchange, rest)
            return
        self._face.finish(exchange)
        self._is_busy = False
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self._look_idle)
        self._idle_since = self.loop.time()
        if self._held:
            self._go_on()

    def _write(self, exchange: Exchange, body: bytes) -> bool:
        exchange.response_bytes = len(body)
        head = join_head(
            STATUS_LINE[exchange.status],
            self.server_state.default_headers,
            exchange.response_headers,
            b"connection: close\r\n\r\n" if self._is_ending else b"\r\n",
        )
        if head is None:
            return False
        if self.transport.is_closing():
            return True
        self.transport.write(head + body)
        if self._is_ending:
            self.transport.close()
        return True

    def _answer_by_asgi(self, exchange: Exchange, rest: Awaitable[None] | None) -> None:
        """Go on as uvicorn does with a request that is wholly read: a cycle, and a task for it."""
        self.scope = {"type": "http", "method": exchange.method, "headers": exchange.headers}  # type: ignore[typeddict-item]  # a cycle reads no more of it
        cycle = self.cycle = RequestResponseCycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=False,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=not self._is_ending,
            on_response=self.on_response_complete,
        )
        cycle.more_body = False
        cycle.message_event.set()
        cycle.disconnected = self.transport.is_closing()
        face = self._face
        self._is_busy = False

        async def conclude(scope: Any, receive: Any, send: Any) -> None:
            await face.conclude(exchange, rest, receive, send)

        self._start_asgi_task(cycle, conclude)
        if self._held:
            self._go_on()

    def _go_on(self) -> None:
        held, self._held = self._held, b""
        self.flow.resume_reading()
        if not self.transport.is_closing():
            self.data_received(held)

    # -- the life of the connection -----------------------------------------------------------------
    def _look_idle(self) -> None:
        """Nothing came for long: close. Looked at once in a while, instead of a timer for each call."""
        self.timeout_keep_alive_task = None
        if self.transport.is_closing() or self._is_reading:
            return
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and not cycle.response_complete:
            return
        left = 0.0 if self._is_busy else self._idle_since + self.timeout_keep_alive - self.loop.time()
        if self._is_busy or left > 0.0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left or self.timeout_keep_alive, self._look_idle
            )
        else:
            self.transport.close()

    def shutdown(self) -> None:
        """The server is going down: a call under way is the last one."""
        self._is_ending = True
        end_waiting = getattr(self.app, "end_waiting", None)
        if end_waiting is not None:
            end_waiting()
        if not self._is_busy:
            super().shutdown()


__all__ = ["PlainFirstProtocol"]
