"""Transports for threads and for asyncio: both run the same flows (calls.py)."""

import asyncio
import threading
import time
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, TypeVar

import httpx

from .calls import Calls, Operation
from .config import CallOptions, Config, Facts, Flow, Need, Send, Sleep
from .errors import ConnectionError, KaimenError, TimeoutError  # noqa: A004 - ours
from .pages import AsyncPages, Page, following, values_at
from .streams import AsyncDownload, Download

T = TypeVar("T")
SEEN: ContextVar[list[httpx.Response] | None] = ContextVar("kaimen_seen", default=None)


def failure(
    error: httpx.HTTPError | httpx.InvalidURL | httpx.StreamError, request: httpx.Request
) -> KaimenError:
    """Our error for one of httpx; it names the server, never what was sent."""
    if isinstance(error, httpx.TimeoutException):
        seconds = request.extensions.get("timeout", {}).get("read")
        return TimeoutError(f"no answer within {seconds} s from {request.url.host}")
    return ConnectionError(f"{request.method} {request.url.host} failed: {type(error).__name__}: {error}")


def _noted(response: httpx.Response) -> None:
    seen = SEEN.get()
    if seen is not None:
        seen.append(response)


class Transport:
    """Calls that wait."""

    def __init__(self, config: Config, facts: Facts, http: httpx.Client) -> None:
        self.calls = Calls(config, facts)
        self._http = http
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Transport({self.calls.config!r})"

    def run(self, flow: Flow[T]) -> T:
        """The result of a flow."""
        try:
            step = next(flow)
            while True:
                try:
                    found = self._do(step)
                except KaimenError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(found)
        except StopIteration as stop:
            value: T = stop.value
            return value

    def _do(self, step: Send | Sleep | Need) -> Any:
        if isinstance(step, Sleep):
            return time.sleep(step.seconds)
        if isinstance(step, Need):
            return self._token(step.scope)
        try:
            response = self._http.send(step.request, stream=True, auth=None, follow_redirects=False)
            if not (step.is_streamed and response.is_success):
                response.read()
        except httpx.HTTPError as error:
            raise failure(error, step.request) from error
        return response

    def _token(self, scope: str) -> str:
        tokens = self.calls.tokens
        known, count = tokens.known(scope), tokens.failures(scope)
        if known:
            return known
        with self._lock:  # whoever waited finds the token, or the refusal, of who asked
            known = tokens.known(scope)
            if known:
                return known
            tokens.raise_if_failed_since(scope, count)
            return self.run(tokens.ask(scope))

    def close(self) -> None:
        self._http.close()


class AsyncTransport:
    """Calls that are awaited."""

    def __init__(self, config: Config, facts: Facts, http: httpx.AsyncClient) -> None:
        self.calls = Calls(config, facts)
        self._http = http
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    def __repr__(self) -> str:
        return f"AsyncTransport({self.calls.config!r})"

    async def run(self, flow: Flow[T]) -> T:
        """The result of a flow."""
        try:
            step = next(flow)
            while True:
                try:
                    found = await self._do(step)
                except KaimenError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(found)
        except StopIteration as stop:
            value: T = stop.value
            return value

    async def _do(self, step: Send | Sleep | Need) -> Any:
        if isinstance(step, Sleep):
            return await asyncio.sleep(step.seconds)
        if isinstance(step, Need):
            return await self._token(step.scope)
        try:
            response = await self._http.send(step.request, stream=True, auth=None, follow_redirects=False)
            if not (step.is_streamed and response.is_success):
                await response.aread()
        except httpx.HTTPError as error:
            raise failure(error, step.request) from error
        return response

    async def _token(self, scope: str) -> str:
        tokens = self.calls.tokens
        known, count = tokens.known(scope), tokens.failures(scope)
        if known:
            return known
        async with self._locked():
            known = tokens.known(scope)
            if known:
                return known
            tokens.raise_if_failed_since(scope, count)
            return await self.run(tokens.ask(scope))

    def _locked(self) -> asyncio.Lock:
        """The lock of this event loop."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = (loop, asyncio.Lock())
        return self._lock[1]

    async def close(self) -> None:
        await self._http.aclose()


# --- resources ----------------------------------------------------------------------------------------
class Resource:
    """Operations that belong together."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def _call(
        self, operation: Operation[T], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> T:
        value, response = self._transport.run(self._transport.calls.value(operation, values, body, options))
        _noted(response)
        return value

    def _download(
        self, operation: Operation[Any], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> Download:
        response = self._transport.run(self._transport.calls.open(operation, values, body, options))
        _noted(response)
        return Download(response, failure)

    def _pages(
        self, operation: Operation[Any], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> Page[Any]:
        def fetch(cursor: Any) -> Page[Any]:
            given, start = values_at(operation, values, cursor)
            flow = self._transport.calls.value(operation, given, body, options)
            value, response = self._transport.run(flow)
            _noted(response)
            items, cursor_after = following(operation, given, start, value)
            return Page(items, cursor_after, value, response, fetch)

        return fetch(None)


class AsyncResource:
    """Operations that belong together."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def _call(
        self, operation: Operation[T], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> T:
        flow = self._transport.calls.value(operation, values, body, options)
        value, response = await self._transport.run(flow)
        _noted(response)
        return value

    async def _download(
        self, operation: Operation[Any], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> AsyncDownload:
        response = await self._transport.run(self._transport.calls.open(operation, values, body, options))
        _noted(response)
        return AsyncDownload(response, failure)

    def _pages(
        self, operation: Operation[Any], values: Sequence[Any], body: Any, options: CallOptions | None
    ) -> AsyncPages[Any]:
        async def fetch(cursor: Any) -> Page[Any]:
            given, start = values_at(operation, values, cursor)
            flow = self._transport.calls.value(operation, given, body, options)
            value, response = await self._transport.run(flow)
            _noted(response)
            items, cursor_after = following(operation, given, start, value)
            return Page(items, cursor_after, value, response, None)

        return AsyncPages(fetch)
