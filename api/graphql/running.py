"""One GraphQL request while it runs: calls its operations through the pipeline, each with the caller's own token.

Nested fields that ask the same operation are gathered and asked together (x-batch), the same key once. Every call
is an exchange of its own below the request's id. What an operation refuses is an error beside a null, with the
words of REST.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any

import msgspec
from graphql import DocumentNode, GraphQLError
from msgspec import Struct

from api.core import problem_types, problems
from api.core.problem_types_graphql import FIELD_WITHHELD
from api.core.problems import Problem, Refusal
from api.gateway import pipeline
from api.gateway.compiled import CompiledOperation
from api.gateway.exchange import Exchange
from api.gateway.inside import Call, call_of
from api.gateway.plane import Gateway
from api.gateway.rights import Standing
from api.graphql.plans import BODY, BatchPlan, CallPlan, Nesting

AT_ONCE = 16  # calls of one request under way together
Path = list[str | int]


class Done(Struct, frozen=True):
    """One operation that ran, as `extensions.kaimen.operations` tells it."""

    path: Path
    operation: str
    request_id: str
    status: int
    cost: int
    synthetic: bool = False


class _Waiting(Struct):
    """Keys that wait to be asked for together."""

    nesting: Nesting
    path: Path
    keys: dict[Any, asyncio.Future[Any]]


class Running:
    """The context of one execution."""

    def __init__(
        self, gateway: Gateway, outer: Exchange, document: DocumentNode | None = None, *,
        scenarios: dict[str, str] | None = None, purpose: str = "",
    ) -> None:  # fmt: skip
        self.done: list[Done] = []
        self.document = document  # what runs: grafting.ReadDocument hands it to Strawberry
        self._gateway = gateway
        self._outer = outer
        self._scenarios = scenarios or {}
        self._purpose = purpose
        self._room = asyncio.Semaphore(AT_ONCE)
        self._turn = asyncio.Lock()
        self._loaded: dict[tuple[str, str, str, Any], asyncio.Future[Any]] = {}
        self._waiting: dict[tuple[str, str, str], _Waiting] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._levels: dict[str, str] = {}

    async def tell(self) -> Any:
        """What the platform's own field `kaimen` answers."""
        from api.graphql.facts import facts_of

        return await facts_of(self._outer, self._gateway)

    # -- calling ------------------------------------------------------------------------------------
    async def call(self, plan: CallPlan, values: dict[str, dict[str, Any]], path: Path) -> Any:
        """The value of an operation's field. Raises GraphQLError with the problem."""
        exchange = await self._run(plan, values, path)
        value = self._value(plan, exchange)
        return value if plan.adapt is None or value is None else plan.adapt(value)

    async def call_in_turn(self, plan: CallPlan, values: dict[str, dict[str, Any]], path: Path) -> Any:
        """As `call`, one after the other in the order of the document: changes."""
        async with self._turn:
            return await self.call(plan, values, path)

    async def _run(self, plan: CallPlan, values: dict[str, dict[str, Any]], path: Path) -> Exchange:
        compiled = self._compiled(plan.service_key, plan.operation.id)
        has_body = BODY in values
        call = Call(
            compiled=compiled,
            path=values.get("path", {}),
            query=values.get("query", {}),
            headers=values.get("header", {}),
            cookies=values.get("cookie", {}),
            body=msgspec.json.encode(values[BODY][""]) if has_body else None,
            content_type=plan.content_type if has_body else "",
            scenario=self._scenarios.get(plan.operation.id, ""),
            purpose=self._purpose if self._takes_purpose(compiled) else "",
        )
        try:
            exchange = call_of(self._outer, self._gateway, call)
        except Problem as problem:
            raise self.error_of(problem, self._outer.request_id) from None
        async with self._room:
            try:
                await pipeline.run(exchange, self._gateway)
                if not isinstance(exchange.response_body, bytes):
                    exchange.response_body = b"".join([part async for part in exchange.response_body])
                exchange.response_bytes = len(exchange.response_body)
            finally:
                exchange.status = exchange.status or 499
                pipeline.finish(exchange, self._gateway)
        is_synthetic = exchange.result is not None and exchange.result.is_synthetic
        self.done.append(
            Done(path, plan.operation.id, exchange.request_id, exchange.status, exchange.cost, is_synthetic)
        )
        return exchange

    def _takes_purpose(self, compiled: CompiledOperation) -> bool:
        """A purpose is for the operations that know it; others of the same request have none."""
        standing = self._outer.app.rights.get(compiled.entry.key)
        return standing is not None and self._purpose in standing.purposes

    def _compiled(self, service_key: str, operation_id: str) -> CompiledOperation:
        service, _, version = service_key.partition("@")
        entry = self._outer.snapshot.entry(service, version)
        compiled: CompiledOperation | None = entry.compiled(operation_id) if entry is not None else None
        if entry is None or compiled is None:
            raise self.error_of(
                Refusal(
                    problem_types.OPERATION_NOT_FOUND,
                    method="",
                    path=service_key,
                    catalogue=self._catalogue(),
                ),
                self._outer.request_id,
            )
        if entry.state == "retired":
            raise self.error_of(
                Refusal(problem_types.SERVICE_RETIRED, service=entry.key, sunset="…", successor="…"),
                self._outer.request_id,
            )
        return compiled

    def _catalogue(self) -> str:
        return self._gateway.settings.sandbox_url.rstrip("/") + "/catalogue"

    def _value(self, plan: CallPlan, exchange: Exchange) -> Any:
        body = exchange.response_body
        assert isinstance(body, bytes)
        if exchange.status >= 300:
            raise _error_of_body(exchange.status, body, exchange.request_id)
        if plan.answers == "nothing":
            return True
        if plan.answers == "text":
            return body.decode("utf-8", "replace")
        if plan.answers == "bytes":
            return body
        if not body:
            return None
        try:
            return msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            problem = Refusal(problem_types.UPSTREAM_INVALID, service=plan.service_key)
            raise self.error_of(problem, exchange.request_id) from None

    def error_of(self, problem: Problem, request_id: str) -> GraphQLError:
        """A problem as an error of GraphQL: its words as the message, the rest in `extensions`."""
        body = problems.render(
            problem, language=self._outer.locale, docs_url=self._gateway.docs_url, request_id=request_id
        )
        return _error_of_body(problem.kind.status, body, request_id)

    # -- nested fields ------------------------------------------------------------------------------
    def load(self, nesting: Nesting, key: Any, path: Path) -> Awaitable[Any]:
        """What the nested field of one value comes to; asked for together with the others of this moment."""
        plan = nesting.plan
        group = (plan.service_key, plan.operation.id, nesting.argument.wire)
        found = self._loaded.get((*group, key))
        if found is not None:
            return found
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._loaded[*group, key] = future
        waiting = self._waiting.get(group)
        if waiting is None:
            waiting = self._waiting[group] = _Waiting(nesting, path, {})
            asyncio.get_running_loop().call_soon(self._begin, group)
        waiting.keys[key] = future
        return future

    def _begin(self, group: tuple[str, str, str]) -> None:
        """Once more around the loop before the keys are asked for: lists are still being read."""
        asyncio.get_running_loop().call_soon(self._ask, group)

    def _ask(self, group: tuple[str, str, str]) -> None:
        waiting = self._waiting.pop(group)
        batch = waiting.nesting.batch
        keys = list(waiting.keys)
        if batch is None or len(keys) == 1:
            for key in keys:
                self._start(self._load_one(waiting.nesting, key, waiting.keys[key], waiting.path))
            return
        for begin in range(0, len(keys), batch.most):
            part = {key: waiting.keys[key] for key in keys[begin : begin + batch.most]}
            self._start(self._load_many(waiting.nesting, batch, part, waiting.path))

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _load_one(self, nesting: Nesting, key: Any, future: asyncio.Future[Any], path: Path) -> None:
        values = {nesting.argument.location: {nesting.argument.wire: key}}
        try:
            made = await self.call(nesting.plan, values, path)
        except GraphQLError as error:
            _refuse(future, error)
        except BaseException:
            future.cancel()
            raise
        else:
            _fulfil(future, made)

    async def _load_many(
        self, nesting: Nesting, batch: BatchPlan, futures: dict[Any, asyncio.Future[Any]], path: Path
    ) -> None:
        plan = nesting.plan
        try:
            compiled = self._compiled(plan.service_key, batch.operation_id)
            many = CallPlan(plan.service_key, compiled.operation, {}, "application/json")
            keys = list(futures)
            values = (
                {BODY: {"": {batch.parameter: keys}}} if batch.is_body else {"query": {batch.parameter: keys}}
            )
            answer = await self.call(many, values, path)
        except GraphQLError as error:
            for future in futures.values():
                _refuse(future, error)
            return
        except BaseException:
            for future in futures.values():
                future.cancel()
            raise
        found = _by_key(answer, batch.key)
        for key, future in futures.items():
            value = found.get(key)
            _fulfil(future, value if plan.adapt is None or value is None else plan.adapt(value))

    async def close(self) -> None:
        """Nobody waits any more for what is still under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for future in self._loaded.values():
            if future.done() and not future.cancelled():
                future.exception()  # it was told, or its field was left out

    # -- fields -------------------------------------------------------------------------------------
    def check_level(self, field: str, service_key: str, level: str) -> None:
        """Whether the app has been granted data of this level by the service. Raises GraphQLError."""
        granted = self._levels.get(service_key)
        if granted is None:
            granted = self._levels[service_key] = granted_level(self._outer.app.rights, service_key)
        if level > granted:
            problem = Refusal(FIELD_WITHHELD, field=field, level=level, granted=granted)
            raise self.error_of(problem, self._outer.request_id)


def granted_level(rights: dict[str, Standing], service_key: str) -> str:
    """The highest level of a service's data that an app has been granted, L1 where it has none."""
    standing = rights.get(service_key)
    return max((one for one, _ in standing.purposes.values()), default="L1") if standing is not None else "L1"


def _error_of_body(status: int, body: bytes, request_id: str) -> GraphQLError:
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    facts: dict[str, Any] = said if isinstance(said, dict) else {}
    extensions = {key: value for key, value in facts.items() if key != "instance"}
    extensions |= {"status": status, "request_id": request_id}
    extensions.setdefault("type", "about:blank")
    message = facts.get("detail") or facts.get("title") or f"HTTP {status}"
    return GraphQLError(str(message), extensions=extensions)


def _by_key(answer: Any, key: str) -> dict[Any, Any]:
    """Items of a batch's answer by their key: the list itself, or the first list of objects that have it."""
    lists = [answer] if isinstance(answer, list) else []
    if isinstance(answer, dict):
        lists = [one for one in answer.values() if isinstance(one, list)]
    for listed in lists:
        found = {one[key]: one for one in listed if isinstance(one, dict) and one.get(key) is not None}
        if found:
            return found
    return {}


def _fulfil(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _refuse(future: asyncio.Future[Any], error: GraphQLError) -> None:
    if not future.done():
        future.set_exception(error)
