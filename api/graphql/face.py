"""The GraphQL face: POST /graphql, and its schema as text, as one plain ASGI application beside the REST face.

It reads the request, knows its caller once, refuses what is beyond a limit before anything runs, holds the whole
cost against the plan, and runs the operations through the pipeline. A query's text is never logged: what is on
record is the request and, below it, each operation that it was.
"""

import inspect
import time
from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLError, OperationType, execute
from graphql.execution import get_variable_values
from msgspec import UNSET, Struct, UnsetType

from api.contract.model import QuotaClass
from api.core import problem_types, problems
from api.core.logging import log_failure
from api.core.problem_types import COST_ABOVE_PLAN, QUOTA_EXCEEDED
from api.core.problem_types_graphql import GRAPHQL_INVALID, GRAPHQL_LIMIT, GRAPHQL_REQUEST_INVALID
from api.core.problem_types_platform import PAGE_NOT_FOUND
from api.core.problems import Failure, Problem, Refusal, Text
from api.gateway import pipeline
from api.gateway.exchange import Exchange, Headers
from api.gateway.inside import enter
from api.gateway.plane import Gateway
from api.gateway.quota import CLASS_NUMBER, SECOND_US
from api.graphql import limits
from api.graphql.costs import cost_of
from api.graphql.documents import Documents
from api.graphql.holding import Face, Known, SchemaHolder
from api.graphql.running import Running

CLIENT_CLOSED = 499  # recorded when the client went away before there was an answer
PATH = "/graphql"
SCHEMA_PATH = "/graphql/schema"
PUBLIC_PATH = "/catalogue/schema.graphql"
RESPONSE = b"application/graphql-response+json"
_FORM = Text(
    "请求体须为含 query 或 id 的 JSON 对象。", "The body has to be a JSON object with `query` or `id`."
)
_POST = Text("GraphQL 请求用 POST。", "GraphQL is asked by POST.")
_NOT_JSON = Text("Content-Type 须为 application/json。", "The Content-Type has to be application/json.")
_OPERATION = Text("operationName 不是文档中的操作。", "operationName is no operation of the document.")


class Asked(Struct):
    """A request as GraphQL over HTTP words it."""

    query: str = ""
    id: str = ""  # sha256 of a registered document
    operationName: str | None = None  # noqa: N815 - the protocol's name
    variables: dict[str, Any] | None = None
    extensions: dict[str, Any] | UnsetType | None = UNSET


_decode = msgspec.json.Decoder(Asked).decode


class GraphqlFace:
    """The ASGI application of one plane's GraphQL face."""

    def __init__(self, documents: Documents) -> None:
        self._documents = documents
        self.holder = SchemaHolder()

    async def serve(self, gateway: Gateway, scope: Any, receive: Any, send: Any) -> None:
        """Serve one HTTP request for PATH, what is below it, or PUBLIC_PATH."""
        raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        path = raw_path.partition(b"?")[0].decode("latin-1").rstrip("/")
        client = scope.get("client")
        outer = Exchange(
            request_id=gateway.request_ids.new(),
            face="graphql",
            method=scope["method"],
            raw_path=raw_path,
            query_string=scope["query_string"],
            headers=scope["headers"],
            client_address=client[0] if client else "",
            started_ns=time.perf_counter_ns(),
            started_at_us=time.time_ns() // 1000,
        )
        asked = _Request(self.holder, self._documents, gateway, outer)
        body: bytes = b""
        headers: Headers = []
        try:
            body, headers = await asked.answer(path, receive)
        finally:
            outer.status = outer.status or CLIENT_CLOSED
            outer.response_bytes = len(body)
            pipeline.finish(outer, gateway)
        await send({"type": "http.response.start", "status": outer.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if outer.method == "HEAD" else body})


class _Request:
    """One request on its way."""

    def __init__(self, holder: SchemaHolder, documents: Documents, gateway: Gateway, outer: Exchange) -> None:
        self.holder = holder
        self._documents = documents
        self._gateway = gateway
        self._outer = outer

    async def answer(self, path: str, receive: Any) -> tuple[bytes, Headers]:  # noqa: PLR0911 - one for each path and fault
        """Body and headers; the status is in the exchange. Raises nothing but cancellation."""
        gateway, outer = self._gateway, self._outer
        if not pipeline.admit(outer, gateway):
            return self._refused(outer, outer.problem, path)
        try:
            if path == PUBLIC_PATH:
                return self._text(
                    outer, await self.holder.public_text(gateway.snapshots.current), b"public, max-age=60"
                )
            if path not in {PATH, SCHEMA_PATH}:
                return self._refused(outer, Refusal(PAGE_NOT_FOUND, path=PATH), path)
            await enter(outer, gateway)
            if path == SCHEMA_PATH:
                text = await self.holder.text_for(outer.snapshot, outer.app, outer.caller.scopes)
                return self._text(outer, text, b"private, max-age=60")
            return await self._query(outer, receive)
        except Problem as problem:
            return self._refused(outer, problem, path)
        except Exception as error:
            log_failure("graphql.failure", error, request_id=outer.request_id)
            return self._refused(outer, Failure(problem_types.INTERNAL_ERROR), path)

    # -- a query ------------------------------------------------------------------------------------
    async def _query(self, outer: Exchange, receive: Any) -> tuple[bytes, Headers]:
        gateway = self._gateway
        asked = await self._read(outer, receive)
        text = await self._documents.text_of(outer.app.id, asked.query, asked.id)
        face, known = await self._known(outer, text)
        name, operation = _chosen(known, asked.operationName)
        if operation.operation == OperationType.SUBSCRIPTION:
            raise _bad(_OPERATION)
        variables = asked.variables or {}
        cost = known.costs.get(name)
        if cost is None:
            given = variables
            if operation.variable_definitions:
                given = self._variables(face, operation, variables)
            cost = cost_of(face.schema, operation, known.fragments, given, face.by_key)
            if not operation.variable_definitions:
                known.costs[name] = cost
        await self._check_cost(outer, cost)
        header = outer.header_map
        running = Running(
            gateway, outer,
            scenarios=_scenarios(header.get(b"kaimen-scenario", b"")),
            purpose=header.get(b"kaimen-purpose", b"").decode("utf-8", "replace"),
        )  # fmt: skip
        try:
            executed = execute(
                face.schema, known.document, context_value=running, variable_values=variables, operation_name=name or None,
                field_resolver=_member, max_coercion_errors=5, hide_suggestions=True,
            )  # fmt: skip
            result: ExecutionResult = await executed if inspect.isawaitable(executed) else executed
        finally:
            await running.close()
        outer.status = 200
        return self._executed(outer, result, running, cost)

    async def _read(self, outer: Exchange, receive: Any) -> Asked:
        if outer.method != "POST":
            raise Refusal(
                problem_types.METHOD_NOT_ALLOWED, headers={"Allow": "POST"}, path=PATH, allowed="POST"
            )
        kind = outer.header_map.get(b"content-type", b"").partition(b";")[0].strip().lower()
        if kind != b"application/json":
            raise _bad(_NOT_JSON)
        body = b""
        if (outer.content_length or 0) > limits.MAX_BODY_BYTES:
            raise _too_large()
        is_more = True
        while is_more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _bad(_FORM)
            body += message.get("body", b"")
            is_more = message.get("more_body", False)
            if len(body) > limits.MAX_BODY_BYTES:
                raise _too_large()
        outer.request_bytes = len(body)
        try:
            asked = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _bad(_FORM) from None
        if not asked.query and not asked.id:
            raise _bad(_FORM)
        return asked

    async def _known(self, outer: Exchange, text: str) -> tuple[Face, Known]:
        """The document read against the schema; against the newest one where an older one does not have it."""
        snapshot = outer.snapshot
        face = await self.holder.current(snapshot)
        try:
            return face, face.read(text, self._schema_url())
        except Refusal as refusal:
            if refusal.kind is not GRAPHQL_INVALID:
                raise
            await self._gateway.snapshots.refresh()
            snapshot = outer.snapshot = self._gateway.snapshots.current
            if face.services is snapshot.services:
                raise
        face = await self.holder.newest(snapshot)
        return face, face.read(text, self._schema_url())

    def _variables(self, face: Face, operation: Any, variables: dict[str, Any]) -> dict[str, Any]:
        found: Any = get_variable_values(
            face.schema, operation.variable_definitions, variables, max_errors=5, hide_suggestions=True
        )
        if isinstance(found, list):
            # the message of a variable's error holds its value: what is wrong is told by name alone
            raise Refusal(
                GRAPHQL_INVALID, rule="graphql-variables", count=len(found), schema=self._schema_url(),
                errors=tuple({"message": _without_value(one.message)} for one in found),
            )  # fmt: skip
        values: dict[str, Any] = getattr(found, "coerced", found)
        return values

    async def _check_cost(self, outer: Exchange, cost: dict[QuotaClass, int]) -> None:
        """Whether the plan gives all of it now. Charged are the operations, as they run."""
        gateway, app = self._gateway, outer.app
        outer.plan = app.plan.name
        if sum(cost.values()) == max(cost.values(), default=0) == 1:
            return  # one unit: the operation's own charge says the same
        for quota_class, units in cost.items():
            quota = app.plan.quotas[CLASS_NUMBER[quota_class]]
            if quota is None or units > quota.burst:
                raise Refusal(
                    COST_ABOVE_PLAN, rule="graphql-cost", cost=units, plan=app.plan.name, quota_class=quota_class.value,
                    limit=0 if quota is None else quota.burst,
                )  # fmt: skip
            key = app.limit_key | quota.number
            spent = gateway.meter.spend(key, quota, units, app.id)
            if spent is None:
                spent = await gateway.meter.acquire(key, quota, units, app.id)
            if not spent[0]:
                raise Refusal(
                    QUOTA_EXCEEDED, headers={"Retry-After": str(max(1, spent[3]))}, plan=quota.plan, cost=units,
                    quota_class=quota.name, limit=quota.units, window_seconds=quota.window_us // SECOND_US,
                )  # fmt: skip
            gateway.meter.give_back(key, quota, units)

    # -- answers ------------------------------------------------------------------------------------
    def _executed(
        self, outer: Exchange, result: ExecutionResult, running: Running, cost: dict[QuotaClass, int]
    ) -> tuple[bytes, Headers]:
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            body["errors"] = [self._error(outer, one) for one in result.errors]
        body["extensions"] = {
            "kaimen": {
                "request_id": outer.request_id,
                "cost": {
                    "estimated": {one.value: units for one, units in cost.items()},
                    "charged": sum(one.cost for one in running.done),
                },
                "operations": running.done,
            }
        }
        return msgspec.json.encode(body), self._headers(outer, _content_type(outer))

    def _error(self, outer: Exchange, error: GraphQLError) -> dict[str, Any]:
        """An error as it is told. One that is no problem of ours is a value that the schema does not take."""
        told: dict[str, Any] = {"message": error.message, "path": error.path}
        if error.locations:
            told["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
        if error.extensions and "type" in error.extensions:
            return told | {"extensions": error.extensions}
        if error.original_error is not None and not isinstance(error.original_error, GraphQLError):
            log_failure("graphql.field", error.original_error, request_id=outer.request_id)
        problem = Failure(problem_types.RESPONSE_INVALID, rule="graphql-value", service="", count=1)
        extensions = msgspec.json.decode(self._rendered(outer, problem))
        return told | {"message": extensions["detail"], "extensions": extensions}

    def _refused(self, outer: Exchange, problem: Problem | None, path: str) -> tuple[bytes, Headers]:
        assert problem is not None
        if outer.problem is not problem:
            # field errors quote the document: they are for the answer, the log has the rule and the facts
            outer.problem = Refusal(problem.kind, rule=problem.rule, **problem.facts)
            outer.verdicts.append((problem.kind.step or "call", "refuse", problem.rule))
        outer.status = problem.kind.status
        rendered = self._rendered(outer, problem)
        extra = [
            (name.lower().encode(), value.encode("latin-1", "replace"))
            for name, value in problem.headers.items()
        ]
        if path != PATH:
            return rendered, self._headers(outer, problems.CONTENT_TYPE.encode()) + extra
        said = msgspec.json.decode(rendered)
        body = {
            "errors": [{"message": said["detail"], "extensions": said}],
            "extensions": {"kaimen": {"request_id": outer.request_id}},
        }
        return msgspec.json.encode(body), self._headers(outer, _content_type(outer)) + extra

    def _rendered(self, outer: Exchange, problem: Problem) -> bytes:
        return problems.render(
            problem, language=outer.locale, docs_url=self._gateway.docs_url, request_id=outer.request_id
        )

    def _text(self, outer: Exchange, text: str, cache: bytes) -> tuple[bytes, Headers]:
        outer.status = 200
        headers = [
            pair
            for pair in self._headers(outer, b"application/graphql; charset=utf-8")
            if pair[0] != b"cache-control"
        ]
        return text.encode(), [*headers, (b"cache-control", cache), (b"vary", b"authorization")]

    def _headers(self, outer: Exchange, content_type: bytes) -> Headers:
        return [
            (b"content-type", content_type),
            (b"request-id", outer.request_id.encode()),
            (b"kaimen-environment", self._gateway.environment.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"cache-control", b"no-store"),
        ]

    def _schema_url(self) -> str:
        return self._gateway.settings.issuer + SCHEMA_PATH


def _member(source: Any, info: Any) -> Any:
    """A member that has its wire name."""
    return source.get(info.field_name) if isinstance(source, dict) else None


def _chosen(known: Known, name: str | None) -> tuple[str, Any]:
    if name is None and len(known.operations) == 1:
        return next(iter(known.operations.items()))
    operation = known.operations.get(name or "")
    if operation is None:
        raise _bad(_OPERATION)
    return name or "", operation


def _scenarios(header: bytes) -> dict[str, str]:
    """`Kaimen-Scenario: getCompany=revoked, getRating=…`: each operation its own."""
    pairs = (part.strip().partition("=") for part in header.decode("utf-8", "replace").split(","))
    return {name.strip(): value.strip() for name, separator, value in pairs if separator}


def _content_type(outer: Exchange) -> bytes:
    accept = outer.header_map.get(b"accept", b"")
    return (RESPONSE if RESPONSE in accept else b"application/json") + b"; charset=utf-8"


def _without_value(message: str) -> str:
    return (
        message.partition(" got invalid value")[0]
        if " got invalid value" in message
        else message.partition(":")[0]
    )


def _bad(reason: Text) -> Refusal:
    return Refusal(GRAPHQL_REQUEST_INVALID, reason=reason)


def _too_large() -> Refusal:
    return Refusal(
        GRAPHQL_LIMIT, rule="graphql-size", limit=limits.MAX_BODY_BYTES, what=Text("字节数", "bytes of body")
    )
