"""HTTP/1.1 as raw bytes over a kept-alive socket: a fuzzer must be able to send what no client library would."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import httptools

ANSWER_SECONDS = 60.0


@dataclass
class Answer:
    """What came back. Status 0: the server closed the connection without an answer."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_complete: bool = False
    keeps_alive: bool = False

    # httptools calls these
    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.is_complete = True


class Wire:
    """One connection, opened anew when the server has closed it."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, raw: bytes, *, is_head: bool = False) -> Answer:
        """The answer to one request, given as the bytes that go over the wire."""
        for attempt in (1, 2):  # a kept-alive connection may have been closed since
            was_open = self._streams is not None
            answer = await asyncio.wait_for(self._exchange(raw, is_head=is_head), ANSWER_SECONDS)
            if answer.status or not was_open or attempt == 2:
                return answer
        raise AssertionError("unreachable")

    async def _exchange(self, raw: bytes, *, is_head: bool) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        answer = Answer()
        parser = httptools.HttpResponseParser(answer)
        try:
            writer.write(raw)
            await writer.drain()
            while not answer.is_complete:
                data = await reader.read(65536)
                if not data:
                    break
                parser.feed_data(data)
                if is_head and answer.headers and data.endswith(b"\r\n\r\n"):
                    break
        except ConnectionError:
            pass
        answer.status = parser.get_status_code()
        if not (answer.is_complete and parser.should_keep_alive()):
            await self.close()
        return answer

    async def close(self) -> None:
        if self._streams is not None:
            writer, self._streams = self._streams[1], None
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
