"""A webhook receiver of its own: a real HTTP server on a free port, in a thread, that keeps what it got."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HANDSHAKE = "gov.kaimen.webhook.handshake"


@dataclass
class Message:
    """A POST as it arrived."""

    headers: dict[str, str]
    body: bytes
    path: str = "/"
    status: int = 200

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]


Answer = tuple[int, dict[str, str], bytes]
Rule = Callable[[Message], Answer]


def fine(message: Message) -> Answer:
    """Whoever is content with everything."""
    return 204, {}, b""


@dataclass
class Receiver:
    """What a receiver got: `messages` without handshakes. `rule` decides the answer to each."""

    port: int = 0
    rule: Rule = fine
    echoes: bool = True
    messages: list[Message] = field(default_factory=list)
    handshakes: list[Message] = field(default_factory=list)
    most_at_once: int = 0
    _at_once: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    @property
    def ids(self) -> list[str]:
        with self._lock:
            return [message.id for message in self.messages]

    @property
    def accepted(self) -> list[str]:
        """Ids of what was answered with a 2xx, in order of arrival."""
        with self._lock:
            return [message.id for message in self.messages if message.status < 300]

    def answer(self, message: Message) -> Answer:
        if message.event["type"] == HANDSHAKE:
            with self._lock:
                self.handshakes.append(message)
            challenge = message.event["data"]["challenge"] if self.echoes else "something else"
            return 200, {"content-type": "application/json"}, json.dumps({"challenge": challenge}).encode()
        with self._lock:
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            answer = self.rule(message)
        finally:
            with self._lock:
                self._at_once -= 1
        message.status = answer[0]
        with self._lock:
            self.messages.append(message)
        return answer

    def wait_for(self, count: int, seconds: float = 30) -> list[Message]:
        """The messages, once there are so many; fails when they do not come."""
        self.wait_until(lambda: len(self.messages) >= count, seconds, f"{count} messages")
        return self.messages

    def wait_until(self, is_done: Callable[[], bool], seconds: float = 30, what: str = "it") -> None:
        end = time.monotonic() + seconds
        while not is_done():
            if time.monotonic() > end:
                raise AssertionError(
                    f"waited {seconds} s for {what}; there are {len(self.messages)} messages"
                )
            time.sleep(0.02)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A sender that was killed in the middle is no fault of ours."""


@contextmanager
def receiving(rule: Rule = fine, *, port: int = 0, receiver: Receiver | None = None) -> Iterator[Receiver]:
    """A receiver that listens for the life of the block. One given again goes on with what it has."""
    kept = receiver or Receiver(rule=rule)

    connections: set[socket.socket] = set()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.discard(self.connection)
            super().finish()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, content = kept.answer(Message(headers, body, self.path))
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: Any) -> None:
            pass

    server = _Server(("127.0.0.1", port or kept.port), Handler)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()
        for connection in list(
            connections
        ):  # down is down: nothing is answered on those that were kept alive
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join(5)
