"""The GraphQL face of a plane: what is served at /graphql, and its schema as text.

Documents go to Strawberry's controller (controller), in a Litestar application of their own that is made at the
first of them; the schema as text and what is no document are answered here. A query's text is never logged: what
is on record is the request and, below it, each operation that it was.
"""

from typing import Any

from api.core import problem_types
from api.core.logging import log_failure
from api.core.problem_types_platform import PAGE_NOT_FOUND
from api.core.problems import Failure, Problem, Refusal
from api.gateway import pipeline
from api.gateway.exchange import Exchange, Headers
from api.gateway.inside import enter
from api.gateway.plane import Gateway
from api.graphql import answers
from api.graphql.controller import CLIENT_CLOSED, GATEWAY, PATH, exchange_of, make_application
from api.graphql.documents import Documents
from api.graphql.following import EventSource
from api.graphql.holding import SchemaHolder
from api.graphql.preparing import SCHEMA_PATH, Preparing
from api.graphql.sockets import Sockets, know_again

PUBLIC_PATH = "/catalogue/schema.graphql"
_TRY_LATER = 1013
_WRONG_METHOD = Refusal(
    problem_types.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}, path=PATH, allowed="POST"
)  # fmt: skip


class GraphqlFace:
    """The ASGI application of one plane's GraphQL face."""

    def __init__(self, documents: Documents, source: EventSource | None = None) -> None:
        self._preparing = Preparing(documents)
        self._sockets = Sockets(self._preparing, source)
        self._application = make_application(self._preparing, self._sockets)

    @property
    def holder(self) -> SchemaHolder:
        """Where the plane's schema is."""
        return self._preparing.holder

    async def serve(self, gateway: Gateway, scope: Any, receive: Any, send: Any) -> None:
        """Serve one HTTP request for PATH, what is below it, or PUBLIC_PATH; or a socket at PATH."""
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw_path.partition(b"?")[0].decode("latin-1").rstrip("/")
        if scope["type"] == "websocket":
            if path != PATH or self._sockets.is_full:
                await send({"type": "websocket.close", "code": _TRY_LATER})
                return
        elif path != PATH or scope["method"] != "POST":
            await self._answer(gateway, exchange_of(gateway, scope), path, send)
            return
        await self._application(scope | {GATEWAY: gateway, "path": PATH, "state": {}}, receive, send)

    async def _answer(self, gateway: Gateway, outer: Exchange, path: str, send: Any) -> None:
        """Answer what is no document."""
        body: bytes = b""
        headers: Headers = []
        try:
            body, headers = await self._answered(gateway, outer, path)
        finally:
            outer.status = outer.status or CLIENT_CLOSED
            outer.response_bytes = len(body)
            pipeline.finish(outer, gateway)
        await send({"type": "http.response.start", "status": outer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if outer.method == "HEAD" else body})

    async def _answered(self, gateway: Gateway, outer: Exchange, path: str) -> tuple[bytes, Headers]:
        """Body and headers; the status is in the exchange. Raises nothing but cancellation."""
        is_graphql = path == PATH
        if not pipeline.admit(outer, gateway):
            return answers.refused(outer, gateway, outer.problem, is_graphql=is_graphql)
        try:
            if path == PUBLIC_PATH:
                text = await self.holder.public_text(gateway.snapshots.current)
                return _text(outer, gateway, text, b"public, max-age=60")
            if path in {PATH, SCHEMA_PATH}:
                await enter(outer, gateway)
            if path == SCHEMA_PATH:
                await (
                    gateway.snapshots.refresh()
                )  # an app that was just subscribed is not told that it has nothing
                outer.is_proven = True
                know_again(outer, gateway)
                text = await self.holder.text_for(outer.snapshot, outer.app, outer.caller.scopes)
                return _text(outer, gateway, text, b"private, max-age=60")
            problem = _WRONG_METHOD if path == PATH else Refusal(PAGE_NOT_FOUND, path=PATH)
            return answers.refused(outer, gateway, problem, is_graphql=is_graphql)
        except Problem as problem:
            return answers.refused(outer, gateway, problem, is_graphql=is_graphql)
        except Exception as error:
            log_failure("graphql.failure", error, request_id=outer.request_id)
            failure = Failure(problem_types.INTERNAL_ERROR)
            return answers.refused(outer, gateway, failure, is_graphql=is_graphql)


def _text(outer: Exchange, gateway: Gateway, text: str, cache: bytes) -> tuple[bytes, Headers]:
    outer.status = 200
    headers = answers.headers_of(outer, gateway, b"application/graphql; charset=utf-8")
    kept = [pair for pair in headers if pair[0] != b"cache-control"]
    return text.encode(), [*kept, (b"cache-control", cache), (b"vary", b"authorization")]
