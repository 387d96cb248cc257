"""Subscriptions over a WebSocket (graphql-transport-ws): who may hold one, for how long, and what it carries.

The token comes with `connection_init` (or with the handshake) and is asked again and again while the connection
lasts; the connection ends with it. Each subscription is an exchange of its own below that of the connection.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import msgspec
from graphql import GraphQLError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.types.unset import UNSET

from api.core import problem_types
from api.core.logging import log_failure
from api.core.problem_types_graphql import GRAPHQL_TOO_MANY
from api.core.problems import Failure, Problem, Refusal
from api.gateway import authenticate, pipeline
from api.gateway.exchange import Exchange
from api.gateway.inside import enter
from api.gateway.plane import Gateway
from api.graphql import answers, limits
from api.graphql.following import EventSource, Follower
from api.graphql.preparing import Asked, Preparing

LOOK_SECONDS = 5.0  # how often a connection's token is asked again
IDLE_SECONDS = 120.0  # without a subscription
_SWITCHING = 101
_MOST_REASON = 120  # bytes of the reason of a close frame
_convert = msgspec.convert


class Connection:
    """One socket. `connection_params` is where Strawberry puts the payload of `connection_init`."""

    def __init__(self, gateway: Gateway, outer: Exchange) -> None:
        self.gateway = gateway
        self.outer = outer
        self.connection_params: dict[str, Any] = {}
        self.app_id = ""  # once it is known
        self.busy_at = time.monotonic()


class Sockets:
    """The sockets of one plane in this process."""

    def __init__(self, preparing: Preparing, source: EventSource | None) -> None:
        self.preparing = preparing
        self.source = source
        self._of_app: Counter[str] = Counter()
        self._count = 0

    @property
    def is_full(self) -> bool:
        """Whether this process holds as many as it takes."""
        return self._count >= limits.MAX_CONNECTIONS

    @contextmanager
    def open(self, gateway: Gateway, outer: Exchange) -> Iterator[Connection]:
        """The state of a socket, for as long as it lasts. It is on record at the latest when it ends."""
        connection = Connection(gateway, outer)
        self._count += 1
        try:
            yield connection
        finally:
            self._count -= 1
            if connection.app_id:
                self._of_app[connection.app_id] -= 1
                if not self._of_app[connection.app_id]:
                    del self._of_app[connection.app_id]
            else:
                outer.status = outer.status or 401
                pipeline.finish(outer, gateway)

    async def enter(self, connection: Connection) -> Any:
        """Know the caller. What goes back is Strawberry's sign for an acknowledgement without payload.

        Raises Problem: those of `admit` and `authenticate`, graphql-too-many.
        """
        outer, gateway = connection.outer, connection.gateway
        outer.headers = _headers(outer.headers, connection.connection_params)
        outer.verdicts.clear()  # of the handshake: now with the token
        try:
            if not pipeline.admit(outer, gateway):
                assert outer.problem is not None
                raise outer.problem
            await enter(outer, gateway)
            outer.is_proven = True  # its key and certificate: what is asked again later is the token
            if self._of_app[outer.app.id] >= limits.MAX_CONNECTIONS_OF_APP:
                raise Refusal(
                    GRAPHQL_TOO_MANY, rule="graphql-connections", limit=limits.MAX_CONNECTIONS_OF_APP
                )
        except Problem as problem:
            answers.note(outer, problem)
            raise
        connection.app_id = outer.app.id
        self._of_app[outer.app.id] += 1
        outer.status = _SWITCHING
        outer.plan = outer.app.plan.name
        pipeline.finish(outer, gateway)
        return UNSET

    def exchange_in(self, connection: Connection) -> Exchange:
        """The exchange of one subscription, its caller known anew."""
        outer = connection.outer
        made = Exchange(
            request_id=connection.gateway.request_ids.new(), face="graphql", method="GET", raw_path=outer.raw_path,
            query_string=outer.query_string, headers=outer.headers, client_address=outer.client_address,
            started_ns=time.perf_counter_ns(), started_at_us=time.time_ns() // 1000,
        )  # fmt: skip
        made.parent_id, made.locale, made.trace_parent = outer.request_id, outer.locale, outer.trace_parent
        made.header_map, made.path, made.authorization = outer.header_map, outer.path, outer.authorization
        made.is_proven = True  # of the connection's key and certificate `enter` has made sure
        know_again(made, connection.gateway)
        return made

    @staticmethod
    def decode(data: str | bytes) -> object:
        """A message. Raises json.JSONDecodeError, as Strawberry expects."""
        try:
            return msgspec.json.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise json.JSONDecodeError("no JSON", "", 0) from None


def know_again(exchange: Exchange, gateway: Gateway) -> None:
    """The caller by what holds now: expiry, revocation, the app's state and rights. Raises Refusal."""
    exchange.snapshot = gateway.snapshots.current
    authenticate.apply(exchange, gateway)


def _headers(headers: Any, payload: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    """The handshake's headers, with those that a browser cannot send: `authorization`, `dpop`, `accept-language`."""
    given = {name.lower(): value for name, value in payload.items() if isinstance(value, str)}
    extra = [
        (name, given[name.decode()].encode("utf-8"))
        for name in (b"authorization", b"dpop", b"accept-language")
        if name.decode() in given
    ]
    taken = {name for name, _ in extra}
    return [pair for pair in headers if pair[0] not in taken] + extra


class SocketHandler(BaseGraphQLTransportWSHandler[Any, Any]):
    """Strawberry's end of the protocol, with a caller, a watch on the token, and documents that are prepared."""

    view: Any
    context: Connection
    _watch: asyncio.Task[None] | None = None

    async def handle_message(self, message: Any) -> None:
        """One message; what is none of the protocol ends the connection and reaches no log."""
        if not _is_message(message):
            await self.handle_invalid_message("Failed to parse message")
            return
        self.context.busy_at = time.monotonic()
        await super().handle_message(message)

    async def handle_connection_init(self, message: Any) -> None:
        """Know the caller, or close: 4401 by the token's fault, 4429 where there are too many."""
        try:
            await super().handle_connection_init(message)
        except Problem as problem:
            await self._close(problem)
            return
        if self.connection_acknowledged and self._watch is None:
            self._watch = asyncio.create_task(self._look())

    async def shutdown(self) -> None:
        """The connection is over."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)  # it may have met a client that is gone
        await super().shutdown()

    async def _look(self) -> None:
        """Ask the token again and again; end the connection with it, or when nothing is subscribed for long."""
        context = self.context
        while True:
            left = context.outer.caller.expires_at - time.time()
            await asyncio.sleep(max(0.0, min(LOOK_SECONDS, left + 0.05)))
            try:
                know_again(context.outer, context.gateway)
            except Problem as problem:
                await self._close(problem)
                return
            if self.operations:
                context.busy_at = time.monotonic()
            elif time.monotonic() - context.busy_at > IDLE_SECONDS:
                await self.websocket.close(4408, "idle")
                return

    async def _close(self, problem: Problem) -> None:
        status = problem.kind.status
        code = {401: 4401, 429: 4429}.get(status, 4403 if status < 500 else 4500)
        await self.websocket.close(code, f"{problem.rule or problem.kind.slug}"[:_MOST_REASON])

    async def run_operation(self, operation: Operation[Any, Any]) -> None:
        """One subscription: prepared, then run by the plane's schema of this moment; recorded when it has begun."""
        sockets: Sockets = self.view.sockets
        gateway = self.context.gateway
        if operation.task is not None:
            operation.task.add_done_callback(_log_defect)
        outer: Exchange | None = None
        try:
            outer = sockets.exchange_in(self.context)
            ready = await sockets.preparing.prepare(gateway, outer, _asked(operation), is_socket=True)
            follower = Follower(gateway, outer, ready.known.document, sockets.source)
            await follower.begin()
        except Problem as problem:
            said = outer if outer is not None else self.context.outer
            if outer is not None:
                answers.note(outer, problem)
                pipeline.finish(outer, gateway)
            await _tell(operation, answers.error_of(said, gateway, problem))
            return
        outer.status = 200
        pipeline.finish(outer, gateway)
        try:
            source = await ready.face.schema.stream(
                ready.text, variable_values=ready.variables, context_value=follower, operation_name=ready.name
            )
            async with aclosing(source):
                async for result in source:
                    await self._send(operation, outer, result)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except Problem as problem:
            await _tell(operation, answers.error_of(outer, gateway, problem))

    async def _send(self, operation: Operation[Any, Any], outer: Exchange, result: Any) -> None:
        """One event. What went wrong with the whole subscription ends it."""
        gateway = self.context.gateway
        if result.data is None and result.errors:
            origin = result.errors[0].original_error
            if isinstance(origin, Problem):
                raise origin
            if origin is not None and not isinstance(origin, GraphQLError):
                log_failure("graphql.subscription", origin, request_id=outer.request_id)
            raise Failure(problem_types.INTERNAL_ERROR)
        payload: dict[str, Any] = {"data": result.data}
        if result.errors:
            payload["errors"] = [answers.told(outer, gateway, one) for one in result.errors]
        await _say(operation, "next", payload)


def _log_defect(task: asyncio.Task[Any]) -> None:
    """What ended a subscription and is nobody's leaving is a defect."""
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception) and not isinstance(error, OSError | WebSocketDisconnected):
        log_failure("graphql.subscription", error)


async def _tell(operation: Operation[Any, Any], error: dict[str, Any]) -> None:
    await _say(operation, "error", [error])


async def _say(operation: Operation[Any, Any], kind: str, payload: Any) -> None:
    message: Any = {"id": operation.id, "type": kind, "payload": payload}
    await operation.send_operation_message(message)


def _asked(operation: Operation[Any, Any]) -> Asked:
    payload = {
        "query": operation.query, "variables": operation.variables, "operationName": operation.operation_name
    }  # fmt: skip
    return _convert(payload, Asked)


def _is_message(message: Any) -> bool:
    """Whether it has the form of the protocol, so far as Strawberry relies on it."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return False
    if message["type"] in {"subscribe", "complete"} and not isinstance(message.get("id"), str):
        return False
    if message["type"] != "subscribe":
        return True
    try:
        _convert(message.get("payload"), Asked)
    except msgspec.ValidationError:
        return False
    return (
        bool(message["id"]) and len(message["id"]) <= 100 and isinstance(message["payload"].get("query"), str)
    )
