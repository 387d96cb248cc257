"""Operations named inside an HTTP request: what faces that are no REST make of their request, and of each call in it.

`enter` knows the caller of the request once (token, proof of possession, certificate), `call_of` makes the exchange
of one operation for `pipeline.run`, with the caller's own token: every step runs for it as it does for REST. What
the operation gets is what a REST client could have sent, byte for byte; a value that would lead elsewhere is refused.
"""

import copy
import time
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from api.core.problem_types import PARAMETER_INVALID, URI_TOO_LONG
from api.core.problems import Problem, Refusal
from api.gateway import authenticate, pipeline, possession
from api.gateway.admit import MAX_PATH_BYTES, MAX_QUERY_BYTES
from api.gateway.compiled import CompiledOperation
from api.gateway.exchange import Exchange, Headers
from api.gateway.paths import check_query, encode, normalise
from api.gateway.plane import Gateway, TokenClaims
from api.gateway.serialise import UnsendableError, query_of, sent_headers, sent_path
from api.gateway.token_cache import TokenCache


class Call(Struct, frozen=True):
    """One operation to be called: values by location, as the contract types them."""

    compiled: CompiledOperation
    path: Mapping[str, Any]
    query: Mapping[str, Any]
    headers: Mapping[str, Any]
    cookies: Mapping[str, Any]
    body: bytes | None = None
    content_type: str = ""
    scenario: str = ""
    purpose: str = ""


def gateway_of_face(gateway: Gateway, verify_token: Callable[[bytes], TokenClaims]) -> Gateway:
    """The same gateway for a face that takes tokens of its own audience too: it remembers tokens apart from REST."""
    made = copy.copy(gateway)
    made.tokens = TokenCache(gateway.tokens.capacity and 4096)
    made.verify_token = verify_token
    return made


async def enter(outer: Exchange, gateway: Gateway) -> None:
    """Fill snapshot, caller, app and holding of an admitted request. Raises the Refusals of `authenticate`."""
    outer.snapshot = gateway.snapshots.current
    try:
        authenticate.apply(outer, gateway)
    except Problem as problem:
        if not pipeline.may_be_stale(problem) or not await gateway.snapshots.refresh():
            raise
        outer.snapshot = gateway.snapshots.current
        outer.holding = None
        authenticate.apply(outer, gateway)
    if outer.holding is not None:
        await possession.spend_proof(outer.holding, gateway)


def call_of(outer: Exchange, gateway: Gateway, call: Call, *, locale: str = "") -> Exchange:
    """The exchange of one operation inside `outer`, ready for `pipeline.run`.

    Raises Refusal: parameter-invalid, uri-too-long, where no REST request could say such a thing.
    """
    compiled = call.compiled
    operation, entry = compiled.operation, compiled.entry
    try:
        below = sent_path(operation, call.path)
        query = query_of(operation, call.query)
        headers = sent_headers(operation, call.headers, call.cookies)
    except UnsendableError as fault:
        raise _invalid(compiled, gateway, fault.pointer, fault.message) from None
    raw_path = f"/api/{entry.service.name}/{entry.service.version}{below}".encode()
    if len(raw_path) > MAX_PATH_BYTES or len(query) > MAX_QUERY_BYTES:
        limit = MAX_PATH_BYTES if len(raw_path) > MAX_PATH_BYTES else MAX_QUERY_BYTES
        raise Refusal(URI_TOO_LONG, limit_bytes=limit)
    if query:
        check_query(query)
    exchange = Exchange(
        request_id=gateway.request_ids.new(), face=outer.face, method=operation.method, raw_path=raw_path,
        query_string=query, headers=[], client_address=outer.client_address,
        started_ns=time.perf_counter_ns(), started_at_us=time.time_ns() // 1000,
    )  # fmt: skip
    exchange.parent_id = outer.request_id
    exchange.locale, exchange.trace_parent = locale or outer.locale, outer.trace_parent
    exchange.is_proven = True  # `enter` has seen to key and certificate of the request that this is a part of
    exchange.authorization = outer.authorization
    exchange.headers = headers + _switches(call)
    exchange.header_map = dict(exchange.headers)
    exchange.compiled = compiled
    exchange.service, exchange.operation = entry.service, operation
    exchange.path, exchange.is_path_exact = normalise(raw_path)
    _lead(exchange, call, gateway)
    if call.body is not None:
        exchange.body = call.body
        exchange.content_length = exchange.request_bytes = len(call.body)
    return exchange


def _switches(call: Call) -> Headers:
    headers: Headers = []
    if call.body is not None and call.content_type:
        headers.append((b"content-type", call.content_type.encode()))
    if call.scenario:
        headers.append((b"kaimen-scenario", call.scenario.encode()))
    if call.purpose:
        headers.append((b"kaimen-purpose", call.purpose.encode()))
    return headers


def _lead(exchange: Exchange, call: Call, gateway: Gateway) -> None:
    """The path values as routing finds them; it has to find this operation."""
    compiled = call.compiled
    parts = exchange.path.split("/", 4)
    match = compiled.entry.trie.find(parts[4]) if len(parts) > 4 else None
    found = match[0].get(compiled.operation.method) if match is not None else None
    if match is None or found is None or found[0].operation is not compiled.operation:
        first = next((one.name for one in compiled.operation.parameters if one.location == "path"), "")
        message = "leads to another address: it is empty, or holds a dot segment or a slash"
        raise _invalid(compiled, gateway, f"/path/{first}", message)
    exchange.path_values = dict(zip(found[1], match[1], strict=True))
    below = "/" + parts[4] if exchange.is_path_exact else encode("/" + parts[4])
    query = exchange.query_string
    exchange.target = below + "?" + query.decode("latin-1") if query else below


def _invalid(compiled: CompiledOperation, gateway: Gateway, pointer: str, message: str) -> Refusal:
    key = compiled.entry.key.replace("@", "/")
    docs = f"{gateway.settings.sandbox_url.rstrip('/')}/catalogue/{key}/openapi.json"
    errors = ({"pointer": pointer, "message": message},)
    return Refusal(PARAMETER_INVALID, errors=errors, count=1, operation=compiled.operation.id, docs=docs)
