"""What all connectors with a mapping share: the request is written natively, the answer read, its code understood.

A transport (soap, http, sql, files) sends a native tree and brings one back; everything that a contract, a mapping
or a business code has to say happens here, once.
"""

import re
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from api.contract.mapping import (
    CompiledMapping,
    MappedOperation,
    from_native_or_none,
    read_answer,
    typed,
    write_request,
)
from api.contract.mapping_outcome import BUSY, EMPTY, FAULT, OK, REFUSED, Verdict, node_at, text_at
from api.contract.mapping_shapes import ShapeError
from api.contract.model import JsonObject, Operation
from api.core import problem_types, problem_types_upstream
from api.core.problems import CONTENT_TYPE, Failure, ProblemType, Refusal, Text, render
from api.core.upstream_headers import Told
from api.gateway.connector import Connector, Context, Request, Result
from api.gateway.connectors.fan_out import ask_each
from api.gateway.guard import Guard

_JSON = (b"content-type", b"application/json")
_PROBLEM = (b"content-type", CONTENT_TYPE.encode())
_encode = msgspec.json.Encoder().encode
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_TAKEN = frozenset({"self", "kind", "rule", "errors", "headers"})  # words that a problem itself is made with
_NO_BODY = frozenset({204, 205, 304})


class Native(Struct):
    """A department's answer: its tree, and how it came. `fault` is the tree of a SOAP Fault.

    `whole` is set instead where the answer says everything itself (a problem in RFC 9457 form): it is handed on.
    """

    tree: Any = None
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    fault: Any = None
    whole: Result | None = None
    notes: list[tuple[bytes, bytes]] = field(default_factory=list)  # losses, told in the answer


class Transport(Protocol):
    """Sends a native request and reads a native answer."""

    async def exchange(
        self, mapped: MappedOperation, tree: JsonObject, request: Request, context: Context
    ) -> Native:
        """Raises Failure of the step call."""
        ...

    async def health(self) -> bool: ...
    async def close(self) -> None: ...


class MappedConnector:
    """A department's system behind its mapping. `rest` serves the operations that the mapping leaves out."""

    keeps_deadline = True

    def __init__(
        self,
        compiled: CompiledMapping,
        transports: Mapping[str, Transport],
        *,
        docs_url: str,
        rest: Connector | None = None,
        keeps: frozenset[bytes] = frozenset(),
    ) -> None:
        """`keeps`: further headers of the upstream that a client may see."""
        self.guard = Guard()
        self._kept_headers = _KEPT | keeps
        self._service = compiled.service.key
        self._operations = compiled.operations
        self._fans = compiled.fans
        self._transports = transports
        self._docs_url = docs_url
        self._rest = rest
        self._problems = problems_of(compiled.service.document)

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """See Connector.call. Also raises: upstream-code-unknown, -fault, -shape, -undecodable, -not-mapped."""
        mapped = self._operations.get(operation.id)
        if mapped is None and operation.id in self._fans:
            return await ask_each(self._fans[operation.id], request, context, self.call)
        if mapped is None:
            if self._rest is not None:
                return await self._rest.call(operation, request, context)
            raise Failure(
                problem_types_upstream.UPSTREAM_NOT_MAPPED, service=self._service, operation=operation.id, at=operation.id,
                reason=Text("映射没有这个操作。", "the mapping leaves this operation out."),
            )  # fmt: skip
        values = {**request.headers, **request.query, **request.path}
        try:
            tree = write_request(mapped, values, request.json, _context_words(context))
        except ShapeError as error:
            raise Failure(
                problem_types_upstream.UPSTREAM_NOT_MAPPED, service=self._service, operation=operation.id, at=error.at,
                reason=error.reason,
            ) from error  # fmt: skip
        native = await self._transports[mapped.protocol].exchange(mapped, tree, request, context)
        if native.whole is not None:
            native.whole.headers += [pair for pair in native.headers if pair[0] in self._kept_headers - _KEPT]
            return native.whole
        return self._result(mapped, native, values, request, context)

    # -- the answer ---------------------------------------------------------------------------------
    def _result(
        self, mapped: MappedOperation, native: Native, values: Mapping[str, Any], request: Request, context: Context
    ) -> Result:  # fmt: skip
        outcome = mapped.outcome
        if native.fault is not None:
            verdict, told = outcome.verdict_of_fault(native.fault), native.fault
        else:
            verdict, told = outcome.verdict_of(native.tree, native.status), native.tree
        if verdict.kind == OK and native.fault is None:
            return self._success(mapped, native)
        if verdict.kind == EMPTY and not verdict.slug:
            return Result(
                mapped.status, [_JSON, *native.notes, *self._kept(native, mapped)], _encode(verdict.body)
            )
        if verdict.kind in {EMPTY, REFUSED} or (verdict.slug and verdict.kind in {BUSY, FAULT}):
            facts = self._facts(mapped, verdict, told, values, request.json)
            return self._refuse(verdict, facts, native, mapped, context)
        raise self._failure(mapped, verdict)

    def _success(self, mapped: MappedOperation, native: Native) -> Result:
        try:
            body = read_answer(mapped, native.tree)
            status = mapped.status
            if mapped.status_node is not None:
                status = from_native_or_none(mapped.status_node, native.tree) or status
            headers = [*native.notes, *self._kept(native, mapped)]
            for name, node in mapped.header_nodes.items():
                said = from_native_or_none(node, native.tree)
                if said:
                    headers.append((name.encode(), str(said).encode("latin-1", "replace")))
        except ShapeError as error:
            raise Failure(
                problem_types_upstream.UPSTREAM_SHAPE, service=self._service, operation=mapped.operation.id, at=error.at,
                reason=error.reason,
            ) from error  # fmt: skip
        if status in _NO_BODY:
            return Result(status, headers)
        return Result(status, [_JSON, *headers], _encode(body))

    def _facts(
        self, mapped: MappedOperation, verdict: Verdict, tree: Any, values: Mapping[str, Any], body: Any
    ) -> dict[str, Any]:
        """What fills a problem's texts: what the department says, else the call's own parameters of that name."""
        facts: dict[str, Any] = {}
        said_here = _said_facts(mapped, tree)
        if said_here is not None:
            facts |= said_here
        else:
            for name in self._problems[verdict.slug].names:
                if name in values:
                    facts[name] = values[name]
                elif isinstance(body, dict) and isinstance(body.get(name), str | int | float):
                    facts[name] = body[name]
        for name, fact in mapped.outcome.facts.items():
            said = fact.read(text_at(tree, fact.at))
            if said is not None:
                facts[name] = said
        return {name: fact for name, fact in facts.items() if name not in _TAKEN}

    def _refuse(
        self,
        verdict: Verdict,
        facts: dict[str, Any],
        native: Native,
        mapped: MappedOperation,
        context: Context,
    ) -> Result:
        kind = self._problems[verdict.slug].kind
        problem = Refusal(kind, **facts)
        body = render(
            problem, language=context.locale, docs_url=self._docs_url, request_id=context.request_id
        )
        headers = [_PROBLEM, *native.notes, *self._kept(native, mapped)]
        if verdict.kind == BUSY:
            headers.append((b"retry-after", b"%d" % verdict.retry_after))
        return Result(kind.status, headers, body, is_sound=verdict.kind != FAULT)

    def _failure(self, mapped: MappedOperation, verdict: Verdict) -> Failure:
        operation = mapped.operation.id
        if verdict.kind == BUSY:
            return Failure(
                problem_types.UPSTREAM_BUSY,
                headers={"Retry-After": str(verdict.retry_after)},
                service=self._service,
                code=verdict.code,
                retry_after=verdict.retry_after,
            )
        if verdict.kind == FAULT:
            kind = replace(problem_types_upstream.UPSTREAM_FAULT, is_retryable=verdict.is_retryable)
            return Failure(
                kind, service=self._service, operation=operation, code=verdict.code, retryable=verdict.is_retryable
            )  # fmt: skip
        return Failure(
            problem_types_upstream.UPSTREAM_CODE_UNKNOWN,
            service=self._service,
            operation=operation,
            code=verdict.code or "∅",
        )

    def _kept(self, native: Native, mapped: MappedOperation) -> list[tuple[bytes, bytes]]:
        """The headers of the upstream that a client may see: a few of HTTP's own, and what the contract promises."""
        if not native.headers:
            return []
        kept = self._kept_headers | promised(mapped)
        return [pair for pair in native.headers if pair[0] in kept]

    # -- life ---------------------------------------------------------------------------------------
    async def health(self) -> bool:
        """Whether every system behind the mapping answers."""
        return all([await transport.health() for transport in self._transports.values()])

    async def close(self) -> None:
        for transport in self._transports.values():
            await transport.close()
        if self._rest is not None:
            await self._rest.close()


def _said_facts(mapped: MappedOperation, tree: Any) -> dict[str, Any] | None:
    """The facts that the department gives by name, None where it gives none."""
    said = node_at(tree, mapped.outcome.facts_at) if mapped.outcome.facts_at else None
    if isinstance(said, str) and said[:1] == "{":  # a column of a table holds them as JSON
        try:
            said = msgspec.json.decode(said)
        except msgspec.MsgspecError:
            return None
    if not isinstance(said, dict):
        return None
    kinds = mapped.kinds
    return {
        name: typed(value, kinds[name].kind if name in kinds else "any")
        for name, value in said.items()
        if isinstance(value, str | int | float | bool) and name[:1] not in "@#"
    }


class Explained(Struct, frozen=True):
    """A problem of the contract's own, and the facts that its texts name."""

    kind: ProblemType
    names: frozenset[str]


def problems_of(document: JsonObject) -> dict[str, Explained]:
    """The contract's `x-problems` as problem types."""
    found = {}
    entries = document.get("x-problems")
    for slug, entry in (entries if isinstance(entries, dict) else {}).items():
        texts = {name: _text(entry.get(name)) for name in ("title", "detail", "next", "cause")}
        kind = ProblemType(
            slug=slug, status=int(entry.get("status", 400)), title=texts["title"], detail=texts["detail"],
            next=texts["next"], cause=texts["cause"], step="call", is_retryable=bool(entry.get("retryable", False)),
        )  # fmt: skip
        said = " ".join(text.zh + text.en for text in texts.values())
        found[slug] = Explained(kind, frozenset(_PLACEHOLDER.findall(said)))
    return found


def _text(entry: Any) -> Text:
    words = entry if isinstance(entry, dict) else {}
    zh, en = str(words.get("zh-CN", "")), str(words.get("en", ""))
    return Text(zh or en, en or zh)


_KEPT = frozenset({b"etag", b"last-modified", b"cache-control", b"expires", b"link", b"idempotent-replayed"})


def promised(mapped: MappedOperation) -> frozenset[bytes]:
    """Names of the response headers in the contract, in lower case."""
    return frozenset(
        header.name.lower().encode() for response in mapped.operation.responses for header in response.headers
    )


def _context_words(context: Context) -> dict[str, str]:
    return {
        "state": context.state_id, "clock": context.clock, "request_id": context.request_id,
        "subject": context.subject, "purpose": context.purpose, "app": context.app_id, "locale": context.locale,
    }  # fmt: skip


def told_of(context: Context) -> Told:
    """What travels to the department with the call."""
    return Told(
        app_id=context.app_id, environment=context.environment, state_id=context.state_id, clock=context.clock,
        scenario=context.scenario, subject=context.subject, purpose=context.purpose, locale=context.locale,
        request_id=context.request_id,
    )  # fmt: skip
