"""One tool call: arguments become a request of the operation, the pipeline runs it, its answer becomes a result.

Read-only by default: an operation that changes data runs when the app's owners let agents change data, and, unless
they waived that, its call confirms it (writes.py). Rights,
limits, evidence and log are those of REST, step by step; nothing of an answer is added or left out.
"""

import base64
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from api.core.problem_types import BODY_INVALID, PARAMETER_INVALID
from api.core.problem_types_mcp import ANSWER_TOO_LARGE, APP_READS_ONLY, CHANGE_UNCONFIRMED, CHANGES_OFF
from api.core.problems import Failure, Problem, ProblemType, Refusal
from api.gateway import answer, pipeline
from api.gateway.compiled import is_json
from api.gateway.exchange import Exchange
from api.gateway.inside import Call, call_of
from api.gateway.plane import Gateway
from api.mcp.names import BODY, CONFIRM, PURPOSE, SCENARIO, argument_names
from api.mcp.schemas import body_media
from api.mcp.tools import Tool, title_of
from api.mcp.writes import FREE, OFF

MAX_ANSWER_BYTES = 1024 * 1024  # of one result: it goes whole into a model's context
_PLACES = ("path", "query", "header", "cookie")
_TOO_DEEP = 64


class Outcome(Struct, frozen=True):
    """What came of a call. `json` is the answer's value where it is JSON, else `text` or `data` (bytes) hold it."""

    status: int
    request_id: str
    cost: int
    quota_left: int
    headers: dict[str, str]
    json: Any = None
    text: str | None = None
    data: bytes | None = None
    content_type: str = ""

    @property
    def is_error(self) -> bool:
        return self.status >= 400


async def call_tool(
    outer: Exchange, gateway: Gateway, tool: Tool, arguments: dict[str, Any], *, writes: str, language: str
) -> Outcome:
    """Call the tool's operation for the caller of `outer`. `writes`: off, confirm or free, as `writes.Writes` says."""
    exchange: Exchange | None = None
    try:
        try:
            exchange = call_of(outer, gateway, _call(tool, arguments, gateway), locale=language)
        except Refusal as problem:
            exchange = _refused(outer, gateway, tool, problem, language)
        else:
            platform = gateway.settings.mcp_writes
            standing_in_the_way = _held_back(outer, tool, arguments, writes, platform, language)
            if standing_in_the_way is None:
                await pipeline.run(exchange, gateway)
            else:
                _refuse(exchange, gateway, standing_in_the_way)
        body = await _whole_body(exchange, gateway, tool)
        return _outcome(exchange, body)
    finally:
        if exchange is not None:
            if not exchange.status:
                exchange.status = 499
            pipeline.finish(exchange, gateway)


def _held_back(
    outer: Exchange, tool: Tool, arguments: dict[str, Any], writes: str, platform: str, language: str
) -> Refusal | None:
    """Why a change does not run, if it does not. What the caller has no right to is for `authorise` to refuse."""
    operation = tool.operation
    if operation.is_safe or not all(scope in outer.caller.scopes for scope in operation.scopes):
        return None
    if platform == OFF:
        return Refusal(CHANGES_OFF, operation=operation.id, method=operation.method)
    if writes == OFF:
        return Refusal(APP_READS_ONLY, operation=operation.id, method=operation.method, app=outer.app.id)
    if writes == FREE or arguments.get(CONFIRM) is True:
        return None
    return Refusal(
        CHANGE_UNCONFIRMED,
        operation=operation.id,
        method=operation.method,
        summary=title_of(tool, language),
        tool=tool.name,
    )


def _call(tool: Tool, arguments: dict[str, Any], gateway: Gateway) -> Call:
    operation = tool.operation
    named = argument_names(operation)
    places: dict[str, dict[str, Any]] = {place: {} for place in _PLACES}
    known = {*named, CONFIRM, SCENARIO, PURPOSE}
    if operation.body is not None:
        known.add(BODY)
    for name, value in arguments.items():
        if name not in known:
            message = f"is no argument; there are {', '.join(sorted(known))}"
            raise _invalid(PARAMETER_INVALID, tool, gateway, f"/{name[:80]}", message)
        if name in named and value is not None:
            places[named[name].location][named[name].name] = value
    body, content_type = _body(tool, arguments, gateway)
    return Call(
        compiled=tool.compiled,
        path=places["path"],
        query=places["query"],
        headers=places["header"],
        cookies=places["cookie"],
        body=body,
        content_type=content_type,
        scenario=_switch(arguments, SCENARIO, tool, gateway),
        purpose=_switch(arguments, PURPOSE, tool, gateway),
    )


def _switch(arguments: dict[str, Any], name: str, tool: Tool, gateway: Gateway) -> str:
    value = arguments.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > 200 or not value.isprintable():
        raise _invalid(PARAMETER_INVALID, tool, gateway, f"/{name}", "is a short text")
    return value


def _body(tool: Tool, arguments: dict[str, Any], gateway: Gateway) -> tuple[bytes | None, str]:
    media = body_media(tool.operation)
    if media is None or BODY not in arguments:
        return None, ""
    value = arguments[BODY]
    base = media.content_type.partition(";")[0].strip().lower()
    if is_json(base) or "*" in base:
        try:
            return msgspec.json.encode(value), base if "*" not in base else "application/json"
        except (UnicodeEncodeError, RecursionError, ValueError):
            raise _invalid(BODY_INVALID, tool, gateway, "", "is no JSON that can be sent") from None
    if base == "application/x-www-form-urlencoded" and isinstance(value, dict):
        return urlencode({key: _text(one) for key, one in value.items()}).encode(), media.content_type
    if not isinstance(value, str):
        raise _invalid(BODY_INVALID, tool, gateway, "", f"is a text: {media.content_type}")
    return value.encode("utf-8", "replace"), media.content_type


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _invalid(kind: ProblemType, tool: Tool, gateway: Gateway, pointer: str, message: str) -> Refusal:
    key = tool.entry.key.replace("@", "/")
    docs = f"{gateway.settings.sandbox_url.rstrip('/')}/catalogue/{key}/openapi.json"
    errors = ({"pointer": pointer, "message": message},)
    return Refusal(kind, errors=errors, count=1, operation=tool.operation.id, docs=docs)


def _refused(outer: Exchange, gateway: Gateway, tool: Tool, problem: Problem, language: str) -> Exchange:
    """The exchange of a call that could not be made into a request: refused, and on record, all the same."""
    compiled = tool.compiled
    exchange = Exchange(
        request_id=gateway.request_ids.new(), face=outer.face, method=tool.operation.method,
        raw_path=f"/api/{compiled.entry.service.name}/{compiled.entry.service.version}{tool.operation.path}".encode(),
        query_string=b"", headers=[], client_address=outer.client_address,
        started_ns=outer.started_ns, started_at_us=outer.started_at_us,
    )  # fmt: skip
    exchange.path = exchange.raw_path.decode()
    exchange.parent_id, exchange.locale, exchange.trace_parent = (
        outer.request_id,
        language,
        outer.trace_parent,
    )
    exchange.compiled, exchange.operation, exchange.service = (
        compiled,
        tool.operation,
        compiled.entry.service,
    )
    exchange.caller, exchange.app = outer.caller, outer.app
    _refuse(exchange, gateway, problem)
    return exchange


def _refuse(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    exchange.verdicts.append((problem.kind.step or "call", "refuse", problem.rule))
    exchange.app = exchange.app
    answer.of_problem(exchange, gateway, problem)


async def _whole_body(exchange: Exchange, gateway: Gateway, tool: Tool) -> bytes:
    """The answer's bytes, at most MAX_ANSWER_BYTES; a larger one becomes a problem."""
    body = exchange.response_body
    if not isinstance(body, bytes):
        body = await _read(body)
    if len(body) > MAX_ANSWER_BYTES:
        problem = Failure(ANSWER_TOO_LARGE, operation=tool.operation.id, limit_bytes=MAX_ANSWER_BYTES)
        _refuse(exchange, gateway, problem)
        body = exchange.response_body if isinstance(exchange.response_body, bytes) else b""
    exchange.response_bytes = len(body)
    return body


async def _read(stream: AsyncIterator[bytes]) -> bytes:
    parts, size = [], 0
    try:
        async for part in stream:
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES:
                break
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
    return b"".join(parts)


def _outcome(exchange: Exchange, body: bytes) -> Outcome:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in exchange.response_headers}
    content_type = headers.get("content-type", "")
    base = content_type.partition(";")[0].strip().lower()
    json, text, data = None, None, None
    if body and is_json(base):
        try:
            json = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            text = body.decode("utf-8", "replace")
    elif body and (base.startswith("text/") or base.endswith(("+xml", "/xml", "/csv"))):
        text = body.decode("utf-8", "replace")
    elif body:
        data = body
    return Outcome(
        status=exchange.status,
        request_id=exchange.request_id,
        cost=exchange.cost,
        quota_left=exchange.quota_left,
        headers=headers,
        json=json,
        text=text,
        data=data,
        content_type=content_type,
    )


def as_base64(data: bytes) -> str:
    """Bytes as MCP carries them."""
    return base64.b64encode(data).decode()
