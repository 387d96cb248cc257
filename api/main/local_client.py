"""The platform API in the command's own process, as the local operator of KAIMEN_HOME; no byte crosses a network."""

import asyncio
import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any
from urllib.parse import unquote

from api.core.caller import OPERATOR
from api.main.client import Answer, target_of
from api.main.compose import compose_local
from api.main.output import accept_language
from api.settings import Settings


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
        order = _Order(method, target_of(path, query), data)
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
