"""/mcp as an ASGI application: who calls is known before anything of the SDK is imported or runs.

One request of the face is one line of the request log, and each operation called in it another, below it. A call
without a valid token gets 401 and, in WWW-Authenticate, the address of the document that says where to get one
(RFC 9728), which is how an agent finds our authorization server.
"""

import asyncio
import importlib
import time
from collections.abc import Callable
from typing import Any

from api.core import problem_types
from api.core.logging import log_failure
from api.core.problems import Failure, Problem, Refusal
from api.gateway import answer, pipeline
from api.gateway.exchange import Exchange
from api.gateway.inside import enter
from api.gateway.plane import Gateway
from api.settings import Settings

PATH = "/mcp"
_STATE = "kaimen_mcp"


class McpFace:
    """The face of one plane. `gateway_of` gives its gateway, None while the plane starts."""

    def __init__(self, settings: Settings, gateway_of: Callable[[], Gateway | None]) -> None:
        self._settings = settings
        self._gateway_of = gateway_of
        self._server: Any = None
        self._starting = asyncio.Lock()
        self.metadata_url = f"{settings.issuer}/.well-known/oauth-protected-resource{PATH}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1003})
            return
        gateway = self._gateway_of()
        if gateway is None:
            await _plain(send, 503)
            return
        outer = _exchange(scope, gateway)
        try:
            if not pipeline.admit(outer, gateway) or not await self._is_let_in(outer, gateway):
                await _send(outer, send)
                return
            server = await self._started(gateway)
            inner = dict(scope)
            inner["path"], inner["root_path"] = PATH, ""
            inner["state"] = {**scope.get("state", {}), _STATE: (outer, outer.locale)}
            await server.handle(inner, receive, _watched(outer, send))
        except Exception as error:
            if outer.status:
                raise
            log_failure("mcp.failure", error, request_id=outer.request_id)
            self._refuse(outer, gateway, Failure(problem_types.INTERNAL_ERROR))
            await _send(outer, send)
        finally:
            if not outer.status:
                outer.status = 499
            pipeline.finish(outer, gateway)

    async def close(self) -> None:
        """End the SDK's tasks, if any were begun."""
        if self._server is not None:
            server, self._server = self._server, None
            await server.stop()

    async def _is_let_in(self, outer: Exchange, gateway: Gateway) -> bool:
        """Whether the caller is known; else the refusal is ready to be sent."""
        try:
            if outer.method != "POST":  # no sessions, so there is no stream to listen to, and none to end
                raise Refusal(
                    problem_types.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}, path=PATH, allowed="POST"
                )
            if outer.content_length is not None and outer.content_length > self._settings.body_limit_bytes:
                raise Refusal(problem_types.REQUEST_TOO_LARGE, limit_bytes=self._settings.body_limit_bytes)
            await enter(outer, gateway)
        except Problem as problem:
            self._refuse(outer, gateway, problem)
            return False
        return True

    def _refuse(self, outer: Exchange, gateway: Gateway, problem: Problem) -> None:
        outer.verdicts.append((problem.kind.step or "call", "refuse", problem.rule))
        challenge = problem.headers.get("WWW-Authenticate")
        if challenge is not None:
            problem.headers["WWW-Authenticate"] = f'{challenge}, resource_metadata="{self.metadata_url}"'
        answer.of_problem(outer, gateway, problem)

    async def _started(self, gateway: Gateway) -> Any:
        if self._server is None:
            async with self._starting:
                if self._server is None:
                    module = await asyncio.to_thread(importlib.import_module, "api.mcp.server")
                    load = importlib.import_module("api.mcp.service").load
                    server = module.McpServer(gateway, self._settings, load)
                    await server.start()
                    self._server = server
        return self._server


def _exchange(scope: Any, gateway: Gateway) -> Exchange:
    client = scope.get("client")
    return Exchange(
        request_id=gateway.request_ids.new(),
        face="mcp",
        method=scope["method"],
        raw_path=PATH.encode(),
        query_string=scope["query_string"],
        headers=scope["headers"],
        client_address=client[0] if client else "",
        started_ns=time.perf_counter_ns(),
        started_at_us=time.time_ns() // 1000,
    )


def _watched(outer: Exchange, send: Any) -> Any:
    async def watched(message: Any) -> None:
        if message["type"] == "http.response.start":
            outer.status = message["status"]
            message["headers"] = [*message.get("headers", []), (b"request-id", outer.request_id.encode())]
        elif message["type"] == "http.response.body":
            outer.response_bytes += len(message.get("body", b""))
        await send(message)

    return watched


async def _send(outer: Exchange, send: Any) -> None:
    body = outer.response_body if isinstance(outer.response_body, bytes) else b""
    outer.response_bytes = len(body)
    await send(
        {"type": "http.response.start", "status": outer.status, "headers": list(outer.response_headers)}
    )
    await send({"type": "http.response.body", "body": body if outer.method != "HEAD" else b""})


async def _plain(send: Any, status: int) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"retry-after", b"1")]})
    await send({"type": "http.response.body", "body": b""})
