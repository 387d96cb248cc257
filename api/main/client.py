"""How a command reaches the platform API: in this process as the local operator, or over HTTP with a token.

Both are the same requests, so everything that a command can do stands in the platform API, with its policies
and its audit. The local one opens the stores of KAIMEN_HOME and sends no byte over a network.
"""

import asyncio
import http.client
import json
import ssl
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlencode, urlsplit

from msgspec import Struct, field

from api.core.caller import OPERATOR
from api.main.compose import compose_local
from api.main.output import accept_language
from api.settings import Settings


class Answer(Struct):
    """An HTTP answer, read whole."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is empty, its text when it is no JSON."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace")


class UnreachableError(Exception):
    """No server answers at the address."""


class PlatformClient(Protocol):
    """Sends requests to the platform API."""

    def request(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        """The answer to one request; `body` is sent as JSON. Raises UnreachableError."""
        ...


def _target(path: str, query: Mapping[str, Any] | None) -> str:
    chosen = {name: value for name, value in (query or {}).items() if value not in (None, "")}
    return quote(path, safe="/%:@!$&'()*+,;=~-._") + ("?" + urlencode(chosen, doseq=True) if chosen else "")


class RemoteClient:
    """Over HTTP with a personal token."""

    def __init__(self, server: str, token: str) -> None:
        self._server, self._token = server, token

    def request(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        return send(self._server, method, _target(path, query), headers=headers, body=data)


class LocalClient:
    """In this process, as the operator of KAIMEN_HOME. The stores are opened at the first request, until `close`.

    The application lives in one task of a thread of its own, because what it opens must be closed by that task.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._orders: asyncio.Queue[_Order | None] = asyncio.Queue()
        self._started: Future[None] = Future()

    def request(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        if self._thread is None:
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._serve()), name="kaimen", daemon=True
            )
            self._thread.start()
            self._started.result()
        data = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        order = _Order(method, _target(path, query), data)
        self._put(order)
        return order.answer.result()

    def close(self) -> None:
        """Close the stores."""
        if self._thread is not None:
            self._put(None)
            self._thread.join()
            self._thread = None

    def _put(self, order: "_Order | None") -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._orders.put_nowait, order)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            async with compose_local(self._settings) as app:
                self._started.set_result(None)
                while (order := await self._orders.get()) is not None:
                    await order.run(app)
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)


class _Order:
    """One request for the thread that runs the application, and where its answer goes."""

    def __init__(self, method: str, target: str, data: bytes) -> None:
        self.method, self.target, self.data = method, target, data
        self.answer: Future[Answer] = Future()

    async def run(self, app: Any) -> None:
        """Send it; whatever happens, the waiting thread gets an answer or the error."""
        try:
            self.answer.set_result(await _call(app, self.method, self.target, self.data))
        except BaseException as error:
            self.answer.set_exception(error)
            raise


async def _call(app: Any, method: str, target: str, data: bytes) -> Answer:
    path, _, query = target.partition("?")
    headers = [(b"host", b"localhost"), (b"accept-language", accept_language().encode())]
    if data:
        headers += [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"}, "http_version": "1.1",
        "method": method, "scheme": "http", "path": unquote(path), "raw_path": path.encode(), "root_path": "",
        "query_string": query.encode(), "headers": headers, "client": ("127.0.0.1", 0),
        "server": ("localhost", 0), "state": {"caller": OPERATOR}, "extensions": {},
    }  # fmt: skip
    answer = Answer(status=0)
    sent = False

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.sleep(3600)
        sent = True
        return {"type": "http.request", "body": data, "more_body": False}

    async def send_(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = {name.decode().lower(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    await app(scope, receive, send_)
    return answer


def send(
    origin: str, method: str, target: str, *, headers: Mapping[str, str], body: bytes | None = None, timeout: float = 60
) -> Answer:  # fmt: skip
    """One HTTP request with the standard library; no redirects. Raises UnreachableError."""
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnreachableError(f"{origin!r} is no http(s) address")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        sent = {"Accept-Language": accept_language(), **headers}
        connection.request(method, parts.path.rstrip("/") + target, body=body, headers=sent)
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{origin} does not answer ({type(error).__name__})") from error
    finally:
        connection.close()
