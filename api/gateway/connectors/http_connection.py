"""One connection of the pooled HTTP/1.1 client: framing, back-pressure, what is safe to use again.

Framing is httptools' (llhttp, strict). What llhttp lets pass and a proxy must not is refused here: a transfer
coding other than chunked, an answer nobody asked for, an early end, an unasked change of protocol.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Protocol

import httptools

from api.gateway.connectors.http_stream import PAUSE_ABOVE_BYTES, Answer, BodyStream, ClientError, Headers
from api.gateway.heads import read_answer

WHOLE_BYTES = 262144  # a known length up to this is given as bytes, anything longer as a stream
HEAD_LIMIT_BYTES = 65536
HEADER_LIMIT = 200
WRITE_BUFFER_BYTES = 65536
IDLE_SECONDS = 4.0  # below the 5 s after which Node closes, the shortest default around
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"content-type"})
CONTINUE_SECONDS = 1.0  # how long a body waits for 100 Continue. Source: RFC 9110 §10.1.1


class Owner(Protocol):
    """The pool, as its connections see it."""

    stall_seconds: float

    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    def give_back(self, connection: "Connection") -> None: ...
    def lost(self, connection: "Connection") -> None: ...
    def expire_at(self, moment: float) -> None: ...


def _tell(then: Callable[[Answer | Exception], None], waiter: "asyncio.Future[Answer]") -> None:
    if not waiter.cancelled():
        fault = waiter.exception()
        then(waiter.result() if fault is None else fault)  # type: ignore[arg-type]  # no BaseException is set


class Connection(asyncio.Protocol):
    """One connection: at most one request at a time, and the parser's callbacks."""

    __slots__ = (
        "_chunks",
        "_content_type",
        "_continue",
        "_head_bytes",
        "_headers",
        "_is_awaiting",
        "_is_chunked",
        "_is_eof_framed",
        "_is_head_done",
        "_is_head_request",
        "_is_json",
        "_is_paused",
        "_is_poisoned",
        "_keep",
        "_length",
        "_parser",
        "_pool",
        "_size",
        "_status",
        "_stream",
        "_then",
        "_transport",
        "_upload",
        "_waiter",
        "_writable",
        "allowance",
        "deadline",
        "idle_seconds",
        "idle_since",
        "uses",
    )  # fmt: skip

    def __init__(self, pool: Owner) -> None:
        self._pool = pool
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Answer] | None = None
        self._stream: BodyStream | None = None
        self._then: Callable[[Answer | Exception], None] | None = None  # of a question without a task
        self._upload: asyncio.Task[None] | None = None
        self._continue: asyncio.Future[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._is_awaiting = False
        self._is_poisoned = False
        self._is_paused = False
        self._keep = False
        self.uses = 0
        self.idle_since = 0.0
        self.idle_seconds = IDLE_SECONDS
        self.deadline = 0.0
        self.allowance = 0.0
        self._begin(is_head_request=False)

    def _begin(self, *, is_head_request: bool) -> None:
        self._headers: Headers = []
        self._chunks: list[bytes] = []
        self._size = 0
        self._status = 0
        self._head_bytes = 0
        self._length = -1
        self._is_head_done = False
        self._is_eof_framed = False
        self._is_json = False
        self._is_chunked = False
        self._content_type = b""
        self._is_head_request = is_head_request

    # -- the request --------------------------------------------------------------------------------
    async def exchange(
        self,
        head: bytes,
        body: bytes | AsyncIterator[bytes] | None,
        *,
        body_length: int | None,
        is_head_request: bool,
        expects_continue: bool,
        deadline: float,
    ) -> Answer:
        """Send a request and wait for its answer, whole or as a stream. Raises ClientError."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise ClientError("unreachable", "the connection was closed", is_unsent=True)
        self._begin(is_head_request=is_head_request)
        self.uses += 1
        self.deadline = deadline
        self._is_awaiting = True
        waiter = self._waiter = self._pool.loop.create_future()
        if body is None:
            transport.write(head)
        elif isinstance(body, bytes):
            transport.write(head + body)
        else:
            transport.write(head)
            self.allowance = max(deadline - self._pool.loop.time(), 0.01)
            self._upload = self._pool.loop.create_task(
                self._send_stream(body, length=body_length, expects_continue=expects_continue)
            )
        try:
            answer: Answer = await waiter
            return answer  # noqa: TRY300 - the type is told above
        except asyncio.CancelledError:
            if self._waiter is waiter:  # else the answer was there already, and the connection is another's
                self.abandon("the caller went away")
            raise

    def ask(self, head: bytes, *, deadline: float, then: Callable[[Answer | Exception], None]) -> None:
        """Send a request without a body, not a HEAD. `then` is called once, with the answer or what went wrong."""
        self._begin(is_head_request=False)
        self.uses += 1
        self.deadline = deadline
        self._is_awaiting = True
        self._waiter = None
        self._then = then
        self._transport.write(head)  # type: ignore[union-attr]  # the pool gives usable ones

    def _wait_after_all(self) -> None:
        """The answer is none to be read in one go: from here on as with `exchange`."""
        then, self._then = self._then, None
        waiter = self._waiter = self._pool.loop.create_future()
        if then is not None:
            waiter.add_done_callback(partial(_tell, then))

    async def _send_stream(
        self, body: AsyncIterator[bytes], *, length: int | None, expects_continue: bool
    ) -> None:
        try:
            if not (expects_continue and await self._is_refused_before_body()):
                await self._pump(body, length)
        except asyncio.CancelledError:
            raise
        except Exception as error:  # what the client's side raised is what the call ends with
            self._fail(error)
        finally:
            self._upload = None
            self._give_back_if_done()

    async def _pump(self, body: AsyncIterator[bytes], length: int | None) -> None:
        """Send the body as fast as the upstream takes it. A broken one never looks like a whole one."""
        sent = 0
        async for chunk in body:
            if not chunk:
                continue
            sent += len(chunk)
            if length is not None and sent > length:
                raise ClientError("body", "the body is longer than its Content-Length says")
            if not self._write_chunk(chunk, is_chunked=length is None):
                return
            if self._writable is not None:
                await self._writable
            if self.deadline:  # a body on its way is no silence
                self.deadline = self._pool.loop.time() + self.allowance
        if length is None:
            self._write_chunk(b"", is_chunked=True)
        elif sent < length:
            raise ClientError("body", "the body is shorter than its Content-Length says")

    async def _is_refused_before_body(self) -> bool:
        """Wait for 100 Continue, not for ever; True when a final answer came instead."""
        self._continue = self._pool.loop.create_future()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONTINUE_SECONDS):
                await self._continue
        self._continue = None
        if self._is_head_done:
            self._is_poisoned = True  # the body was announced and never sent: nothing may follow it
        return self._is_head_done

    def _write_chunk(self, chunk: bytes, *, is_chunked: bool) -> bool:
        """False when there is no connection to write to any more."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        transport.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if is_chunked else chunk)
        return True

    # -- asyncio ------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports do not inherit asyncio's
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES)  # type: ignore[attr-defined]  # as above

    def data_received(self, data: bytes) -> None:
        if not self._is_awaiting:
            self._is_poisoned = True  # an answer nobody asked for must never meet the next request
            self._close()
            return
        if self._then is not None:
            found = read_answer(data)
            if found is not None:
                then, self._then = self._then, None
                self._is_awaiting = False
                self._pool.give_back(self)
                then(Answer(*found))
                return
            self._wait_after_all()
        if not self._is_head_done:
            if self._head_bytes == 0 and not data.startswith(b"HTTP/1."[: len(data)]):
                self._fail(ClientError("invalid", "the answer is no HTTP/1.x", has_begun=True))
                return
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._fail(ClientError("invalid", "the upstream switched protocols", has_begun=True))
        except httptools.HttpParserError as error:
            self._fail_reading(error)
        self._after_feeding()

    def _fail_reading(self, error: httptools.HttpParserError) -> None:
        if self._is_awaiting:
            self._fail(ClientError("invalid", str(error), has_begun=True))
        else:  # what follows a complete answer is nobody's
            self._is_poisoned = True

    def _after_feeding(self) -> None:
        if self._is_awaiting:
            self._settle()
        self._give_back_if_done()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        if self._is_awaiting:
            if self._is_head_done and self._is_eof_framed and error is None:
                self.on_message_complete()
            elif self._head_bytes == 0:
                # Nothing came back. On a connection that had served before, it was most likely closed
                # while the request was on its way. Source: RFC 9112 §9.3.1.
                self._fail(ClientError("unreachable", "closed before an answer", is_unsent=False))
            else:
                self._fail(ClientError("invalid", "the answer ended early", has_begun=True))
        self._pool.lost(self)

    def pause_writing(self) -> None:
        self._writable = self._pool.loop.create_future()

    def resume_writing(self) -> None:
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # -- httptools ----------------------------------------------------------------------------------
    def on_message_begin(self) -> None:
        if not self._is_awaiting:
            self._is_poisoned = True

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._is_head_done:
            return  # a trailer: nobody announced it, nobody gets it
        name = name.lower()
        headers = self._headers
        headers.append((name, value))
        if name in _FRAMING:
            self._take_framing(name, value)
        if len(headers) > HEADER_LIMIT:
            raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:
            if status == 101:
                raise ValueError("101 was not asked for")
            self._headers = []
            self._head_bytes = 0
            self._length = -1
            self._is_chunked = False
            self._go_on()
            return
        if status > 599:
            raise ValueError("no HTTP status")
        self._status = status
        self._is_head_done = True
        if self._is_head_request or status in {204, 304}:
            self._length = 0
        elif self._length < 0:
            self._is_eof_framed = not self._is_chunked
            self._is_json = b"json" in self._content_type and not any(
                mark in self._content_type for mark in (b"stream", b"ndjson", b"jsonl", b"seq")
            )

    def _take_framing(self, name: bytes, value: bytes) -> None:
        if name == b"content-length":
            self._length = int(value)
        elif name == b"content-type":
            self._content_type = value
        elif value.strip().lower() == b"chunked":
            self._is_chunked = True
        else:
            raise ValueError("a transfer coding other than chunked")

    def on_body(self, chunk: bytes) -> None:
        if self._is_head_request:
            self._is_poisoned = True
            return
        if self._stream is not None:
            if self._stream.feed(chunk) and not self._is_paused:
                self._pause()
            return
        self._chunks.append(chunk)
        self._size += len(chunk)

    def on_message_complete(self) -> None:
        if self._status == 0 or not self._is_awaiting:
            return  # a 1xx is over, or an answer nobody asked for
        self._keep = self._keep_after_answer()
        self._is_awaiting = False
        self._go_on()
        stream = self._stream
        if stream is not None:
            self._stream = None
            stream.end()
        elif self._waiter is not None and not self._waiter.done():
            chunks = self._chunks
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            waiter, self._waiter = self._waiter, None
            waiter.set_result(Answer(self._status, self._headers, body))

    # -- what they lead to --------------------------------------------------------------------------
    def _settle(self) -> None:
        """Hand the head over with a stream when the body is not going to be here soon, or is large."""
        if not self._is_head_done:
            if self._head_bytes > HEAD_LIMIT_BYTES:
                fault = ClientError(
                    "invalid", f"the head is larger than {HEAD_LIMIT_BYTES} bytes", has_begun=True
                )
                self._fail(fault)
            return
        if self._is_head_request:
            self.on_message_complete()  # llhttp waits for the body that HEAD does not have
            return
        if self._stream is not None:
            return
        is_whole_soon = self._length <= WHOLE_BYTES if self._length >= 0 else self._is_json
        if is_whole_soon and self._size <= WHOLE_BYTES:
            return
        if self._waiter is None or self._waiter.done():
            return
        self._stream = BodyStream(self, self._chunks)
        self._chunks = []
        self.deadline = 0.0
        if self._size > PAUSE_ABOVE_BYTES:
            self._pause()
        self._waiter.set_result(Answer(self._status, self._headers, self._stream))

    def _keep_after_answer(self) -> bool:
        if self._is_poisoned or self._is_eof_framed or self._transport is None:
            return False
        if self._is_head_request:
            # llhttp cannot be told that an answer to HEAD has no body, so its state is thrown away.
            is_current = self._parser.get_http_version() == "1.1"
            self._parser = httptools.HttpResponseParser(self)
            return is_current and not any(
                name == b"transfer-encoding" or (name == b"connection" and b"close" in value.lower())
                for name, value in self._headers
            )
        return self._parser.should_keep_alive()

    def _go_on(self) -> None:
        if self._continue is not None and not self._continue.done():
            self._continue.set_result(None)

    def _pause(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._is_paused = True
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._is_paused and self._transport is not None and not self._transport.is_closing():
            self._is_paused = False
            self._transport.resume_reading()

    def watch_stall(self) -> None:
        """From now on the upstream owes bytes: a silence as long as a whole call may take ends the stream."""
        self.deadline = self._pool.loop.time() + self._pool.stall_seconds
        self._pool.expire_at(self.deadline)

    def unwatch_stall(self) -> None:
        self.deadline = 0.0

    def expire(self) -> None:
        """The deadline has passed."""
        self._fail(ClientError("timeout", "no answer before the deadline", has_begun=self._head_bytes > 0))

    def abandon(self, reason: str) -> None:
        """Give the call up and the connection with it."""
        self._fail(ClientError("unreachable", reason))

    def _fail(self, fault: Exception) -> None:
        if self._then is not None:
            self._wait_after_all()
        self._is_awaiting = False
        self._keep = False
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.end(fault)
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(fault)
        self._close(is_abort=True)

    def _give_back_if_done(self) -> None:
        if self._is_awaiting:
            return
        if self._upload is not None:
            # The answer is complete while the body is still being sent: the rest is not wanted.
            self._keep = False
            self._upload.cancel()
            return
        if self._keep and not self._is_poisoned:
            self.resume()
            self._pool.give_back(self)
        else:
            self._close()

    def _close(self, *, is_abort: bool = False) -> None:
        if self._upload is not None and self._upload is not asyncio.current_task(self._pool.loop):
            self._upload.cancel()
        transport = self._transport
        if transport is not None and not transport.is_closing():
            if is_abort:
                transport.abort()
            else:
                transport.close()

    @property
    def is_loop_closed(self) -> bool:
        return self._pool.loop.is_closed()

    @property
    def is_usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing() and not self._is_poisoned

    def hint_of_keep_alive(self) -> None:
        """Obey `Keep-Alive: timeout=N` of the upstream, one second early."""
        for name, value in self._headers:
            if name == b"keep-alive":
                for part in value.split(b","):
                    key, _, number = part.strip().partition(b"=")
                    if key.lower() == b"timeout" and number.isdigit():
                        self.idle_seconds = max(0.0, min(60.0, int(number[:6]) - 1.0))

    def close(self) -> None:
        self._close()
