"""FaceController: the GraphQL endpoint of a plane, as Strawberry's controller for Litestar serves it.

Strawberry's `run` leads a request through it: reading the body, executing, forming the answer. What is ours stands
in front of each: the request is admitted and its caller known before anything is read, and a document is prepared
(preparing) before Strawberry sees it. An exchange is on record whatever happens.
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from litestar import Litestar, Request, WebSocket, asgi
from litestar.enums import ScopeType
from litestar.status_codes import HTTP_200_OK
from litestar.types import Receive, Scope, Send
from strawberry.http import GraphQLRequestData
from strawberry.litestar.controller import GraphQLController
from strawberry.schema.base import BaseSchema
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from api.contract.model import QuotaClass
from api.core import problem_types
from api.core.logging import log_failure
from api.core.problem_types_graphql import GRAPHQL_LIMIT
from api.core.problems import Failure, Problem, Refusal, Text
from api.gateway import pipeline
from api.gateway.exchange import Exchange, Headers
from api.gateway.inside import enter
from api.gateway.plane import Gateway
from api.graphql import answers, limits
from api.graphql.preparing import Asked, Preparing, bad_request
from api.graphql.running import Running
from api.graphql.sockets import SocketHandler, Sockets

PATH = "/graphql"
CLIENT_CLOSED = 499  # recorded when the client went away before there was an answer
GATEWAY = "kaimen.gateway"  # key of the ASGI scope
_FORM = Text(
    "请求体须为含 query 或 id 的 JSON 对象。", "The body has to be a JSON object with `query` or `id`."
)
_NOT_JSON = Text("Content-Type 须为 application/json。", "The Content-Type has to be application/json.")
_TRY_LATER = 1013
_decode = msgspec.json.Decoder(Asked).decode
_encode = msgspec.json.Encoder().encode
_ALLOWED = (OperationType.QUERY, OperationType.MUTATION)
AnyRequest = Request[Any, Any, Any]
AnyWebSocket = WebSocket[Any, Any, Any]


class Answer:
    """A whole answer, sent as it is: building a Response took a tenth of a request."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, body: bytes, headers: Headers, status: int) -> None:
        self.body = body
        self.headers = headers
        self.status = status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Send it."""
        length = (b"content-length", b"%d" % len(self.body))
        await send({"type": "http.response.start", "status": self.status, "headers": [*self.headers, length]})
        await send({"type": "http.response.body", "body": self.body})


class Requested:
    """One HTTP request on its way: what the steps of Strawberry's view hand on to each other."""

    __slots__ = ("asked", "cost", "gateway", "outer", "running")

    def __init__(self, gateway: Gateway, outer: Exchange) -> None:
        self.gateway = gateway
        self.outer = outer
        self.asked: Asked | None = None
        self.running: Running | None = None
        self.cost: dict[QuotaClass, int] = {}


def make_application(preparing: Preparing, sockets: Sockets) -> Litestar:
    """The application that serves PATH of one plane, made at the first request."""
    handler = type("PlaneController", (FaceController,), {"preparing": preparing, "sockets": sockets})
    return Litestar([handler], openapi_config=None, logging_config=None, request_max_body_size=None)


def exchange_of(gateway: Gateway, scope: Any, method: str = "") -> Exchange:
    """The exchange of an HTTP request or of a socket."""
    client = scope.get("client")
    return Exchange(
        request_id=gateway.request_ids.new(),
        face="graphql",
        method=method or scope["method"],
        raw_path=scope.get("raw_path") or scope["path"].encode(),
        query_string=scope["query_string"],
        headers=scope["headers"],
        client_address=client[0] if client else "",
        started_ns=time.perf_counter_ns(),
        started_at_us=time.time_ns() // 1000,
    )


class FaceController(GraphQLController[Any, Any]):
    """The controller; api.graphql.face makes a subclass of it for each plane."""

    preparing: Preparing
    sockets: Sockets
    path = PATH
    dependencies = {}  # type: ignore[misc]  # noqa: RUF012 - of Strawberry's handlers, which are not these
    schema: BaseSchema = None  # type: ignore[assignment]  # it changes with every publication: see execute_operation
    graphql_ide = None
    allow_queries_via_get = False
    handle_http_post = None  # type: ignore[assignment]  # `serve` is all of Litestar's routes
    websocket_endpoint = None  # type: ignore[assignment]
    handle_http_get = None  # type: ignore[assignment]  # the face answers it: a page for people, or 405
    protocols: Sequence[str] = (GRAPHQL_TRANSPORT_WS_PROTOCOL,)
    graphql_transport_ws_handler_class = SocketHandler
    connection_init_wait_timeout = timedelta(seconds=10)
    max_subscriptions_per_connection = limits.MAX_SUBSCRIPTIONS

    # -- HTTP ---------------------------------------------------------------------------------------
    @asgi(copy_scope=False)
    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A query or a mutation by POST, subscriptions over a socket."""
        gateway: Gateway = scope[GATEWAY]  # type: ignore[literal-required]  # the face put it there
        if scope["type"] == ScopeType.WEBSOCKET:
            await self._serve_socket(gateway, WebSocket(scope, receive, send))
            return
        asking = scope["state"]["asking"] = Requested(gateway, exchange_of(gateway, scope))
        answer = await self.execute_request(Request(scope, receive, send), asking, None)
        await answer(scope, receive, send)

    async def execute_request(self, request: AnyRequest, context: Requested, root_value: None) -> Answer:  # type: ignore[override]  # an Answer is sent as it is
        """The answer, whatever happens; the exchange is ended with it."""
        outer = context.outer
        answer: Answer | None = None
        try:
            answer = await self._answered(request, context)
        finally:
            outer.status = outer.status or CLIENT_CLOSED
            outer.response_bytes = len(answer.body) if answer is not None else 0
            pipeline.finish(outer, context.gateway)
        return answer

    async def _answered(self, request: AnyRequest, context: Requested) -> Answer:
        gateway, outer = context.gateway, context.outer
        if not pipeline.admit(outer, gateway):
            return self._refused(context, outer.problem)
        try:
            await enter(outer, gateway)
            response: Any = await self.run(request, context=context, root_value=None)
        except Problem as problem:
            return self._refused(context, problem)
        except Exception as error:
            log_failure("graphql.failure", error, request_id=outer.request_id)
            return self._refused(context, Failure(problem_types.INTERNAL_ERROR))
        assert isinstance(response, Answer)
        return response

    def _refused(self, context: Requested, problem: Problem | None) -> Answer:
        body, headers = answers.refused(context.outer, context.gateway, problem, is_graphql=True)
        return Answer(body, headers, context.outer.status)

    async def get_sub_response(self, request: AnyRequest) -> Any:
        """What Strawberry hands on to `create_response`: the request's own state."""
        return request.scope["state"]["asking"]

    async def parse_http_body(self, request: Any) -> GraphQLRequestData:
        """The body, read no further than the limit. Raises Refusal: graphql-request-invalid, graphql-limit."""
        connection: AnyRequest = request.request
        asking: Requested = connection.scope["state"]["asking"]
        asked = asking.asked = await _read(asking.outer, connection.receive)
        return GraphQLRequestData(asked.query, asked.variables, asked.operationName, None)

    async def execute_operation(
        self, request: AnyRequest, request_adapter: Any, request_data: Any, context: Requested, root_value: None, sub_response: Any
    ) -> ExecutionResult:  # fmt: skip
        """Prepare the document, then let the plane's schema of this moment execute it."""
        gateway, outer = context.gateway, context.outer
        assert context.asked is not None
        ready = await self.preparing.prepare(gateway, outer, context.asked)
        context.cost = ready.cost
        header = outer.header_map
        running = context.running = Running(
            gateway, outer, ready.known.document,
            scenarios=_scenarios(header.get(b"kaimen-scenario", b"")),
            purpose=header.get(b"kaimen-purpose", b"").decode("utf-8", "replace"),
        )  # fmt: skip
        try:
            result: ExecutionResult = await ready.face.schema.execute(
                ready.text, variable_values=ready.variables, context_value=running, operation_name=ready.name,
                allowed_operation_types=_ALLOWED,
            )  # fmt: skip
        finally:
            await running.close()
        if result.data is None and result.errors and not result.errors[0].path:
            self.preparing.check_variables(gateway, ready)  # nothing ran: a variable does not fit
        outer.status = HTTP_200_OK
        return result

    async def process_result(self, request: AnyRequest, result: ExecutionResult) -> Any:
        """The body: data, errors in the words of REST, and what it cost."""
        asking: Requested = request.scope["state"]["asking"]
        assert asking.running is not None
        return answers.executed(
            asking.outer, asking.gateway, result.data, result.errors, asking.running, asking.cost
        )

    def create_response(self, response_data: Any, sub_response: Requested) -> Answer:  # type: ignore[override]  # as above
        """The answer of a document that ran."""
        outer, gateway = sub_response.outer, sub_response.gateway
        headers = answers.headers_of(outer, gateway, answers.content_type(outer))
        return Answer(_encode(response_data), headers, HTTP_200_OK)

    # -- sockets ------------------------------------------------------------------------------------
    async def _serve_socket(self, gateway: Gateway, socket: AnyWebSocket) -> None:
        outer = exchange_of(gateway, socket.scope, "GET")
        with self.sockets.open(gateway, outer) as connection:
            if not pipeline.admit(outer, gateway):
                await socket.close(_TRY_LATER)
                return
            await self.run(request=socket, context=connection, root_value=None)

    async def on_ws_connect(self, context: Any) -> Any:
        """Know the caller by the token of the `connection_init`. Raises Refusal: those of `authenticate`, and too many."""
        return await self.sockets.enter(context)

    def decode_json(self, data: str | bytes) -> object:
        """A message of a socket. Raises json.JSONDecodeError."""
        return self.sockets.decode(data)

    def encode_json(self, data: object) -> str:
        """A message of a socket."""
        return _encode(data).decode()


async def _read(outer: Exchange, receive: Any) -> Asked:
    kind = outer.header_map.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise bad_request(_NOT_JSON)
    if (outer.content_length or 0) > limits.MAX_BODY_BYTES:
        raise _too_large()
    body = b""
    is_more = True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise bad_request(_FORM)
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
        if len(body) > limits.MAX_BODY_BYTES:
            raise _too_large()
    outer.request_bytes = len(body)
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad_request(_FORM) from None


def _scenarios(header: bytes) -> dict[str, str]:
    """`Kaimen-Scenario: getCompany=revoked, getRating=…`: each operation its own."""
    if not header:
        return {}
    pairs = (part.strip().partition("=") for part in header.decode("utf-8", "replace").split(","))
    return {name.strip(): value.strip() for name, separator, value in pairs if separator}


def _too_large() -> Refusal:
    return Refusal(
        GRAPHQL_LIMIT, rule="graphql-size", limit=limits.MAX_BODY_BYTES, what=Text("字节数", "bytes of body")
    )
