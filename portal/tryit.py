"""Trying an operation: the platform calls its own gateway as the developer's sandbox app, in this process.

The call takes the whole way of a request, with a real access token that lives a minute and never leaves the
server; it is limited, metered and logged like any other. The browser sees the answer, never a credential.
"""

import contextlib
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, urlencode

import msgspec
from msgspec import Struct

from api.contract.addresses import public_prefix
from api.contract.model import Operation, Parameter, Service
from api.identity.models import App
from api.identity.oauth import tokens
from api.identity.oauth.keys import KeyRing
from api.settings import Settings
from portal.view import AnyRequest

TOKEN_SECONDS = 60
SHOWN_BYTES = 64 * 1024
_KEPT_BYTES = 1024 * 1024
_TEXTUAL = ("json", "text/", "xml", "javascript", "yaml", "x-www-form-urlencoded")


class Answer(Struct, frozen=True):
    """What came back. `text` is None for what is no text; sizes are bytes."""

    method: str
    address: str
    status: int
    headers: tuple[tuple[str, str], ...]
    content_type: str
    text: str | None
    size: int
    took_us: int
    request_id: str
    is_cut: bool = False
    shown: int = SHOWN_BYTES


def address_of(service: Service, operation: Operation, values: Mapping[str, str]) -> tuple[str, str]:
    """Path and query of a call; `values` are keyed `location.name`, empty ones are left out."""
    path = operation.path
    pairs: list[tuple[str, str]] = []
    for one in operation.parameters:
        value = values.get(f"{one.location}.{one.name}", "")
        if one.location == "path":
            path = path.replace("{" + one.name + "}", quote(value, safe=""))
        elif one.location == "query" and value:
            pairs += _query_pairs(one, value)
    return public_prefix(service.name, service.version) + path, urlencode(pairs, quote_via=quote)


def _query_pairs(parameter: Parameter, value: str) -> list[tuple[str, str]]:
    """An array goes as repeated pairs where the contract explodes it, else as one value with commas."""
    if parameter.schema.get("type") != "array" or parameter.explode is False:
        return [(parameter.name, value)]
    return [(parameter.name, part.strip()) for part in value.split(",") if part.strip()]


def headers_of(
    operation: Operation, values: Mapping[str, str], scenario: str, body_type: str
) -> list[tuple[str, str]]:
    """The request's headers besides Authorization."""
    headers = [
        (one.name.lower(), values[f"header.{one.name}"])
        for one in operation.parameters
        if one.location == "header" and values.get(f"header.{one.name}")
    ]
    if scenario:
        headers.append(("kaimen-scenario", scenario))
    if body_type:
        headers.append(("content-type", body_type))
    return headers


async def call(
    request: AnyRequest,
    *,
    app: App,
    scopes: Iterable[str],
    operation: Operation,
    address: tuple[str, str],
    headers: Iterable[tuple[str, str]],
    body: bytes,
    language: str,
) -> Answer:
    """Call the operation as the app. Whatever the gateway refuses comes back as its answer."""
    portal = request.app.state.portal
    token = _token(portal.settings, portal.ring, app, scopes)
    path, query = address
    sent = [
        ("host", request.headers.get("host", "localhost")),
        ("authorization", f"Bearer {token}"),
        ("accept", "application/json, */*;q=0.5"),
        ("accept-language", "zh-CN" if language == "zh" else "en"),
        ("content-length", str(len(body))),
        *headers,
    ]
    started = time.perf_counter_ns()
    status, received, content = await _through(
        portal.gateway, request, operation.method, path, query, sent, body
    )
    took_us = (time.perf_counter_ns() - started) // 1000
    named = {name.lower(): value for name, value in received}
    content_type = named.get("content-type", "")
    text, is_cut = _readable(content, content_type)
    return Answer(
        method=operation.method,
        address=f"{path}?{query}" if query else path,
        status=status,
        headers=tuple(received),
        content_type=content_type,
        text=text,
        size=len(content),
        took_us=took_us,
        request_id=named.get("request-id", ""),
        is_cut=is_cut,
    )


def _token(settings: Settings, ring: KeyRing, app: App, scopes: Iterable[str]) -> str:
    issuer = settings.issuer_of("sandbox")
    issued = tokens.issue(
        ring, issuer=issuer, audience=f"{issuer}/api", client_id=app.client_id, app_id=app.id,
        scope=" ".join(sorted(scopes)), seconds=TOKEN_SECONDS,
    )  # fmt: skip
    return issued.compact


async def _through(
    gateway: Any, request: AnyRequest, method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes
) -> tuple[int, list[tuple[str, str]], bytes]:  # fmt: skip
    """One ASGI call; the address of the person is the address of the call, so the flood limit counts it as theirs."""
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": request.url.scheme,
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": query.encode("ascii"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value.encode("utf-8")) for name, value in headers],
        "client": request.scope.get("client"),
        "server": request.scope.get("server"),
        "state": {},
    }
    kept: list[bytes] = []
    start: dict[str, Any] = {"status": 502, "headers": []}
    waiting: list[Any] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body" and sum(map(len, kept)) < _KEPT_BYTES:
            kept.append(bytes(message.get("body", b"")))

    await gateway(scope, receive, send)
    headers_back = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in start["headers"]]
    return int(start["status"]), headers_back, b"".join(kept)


def _readable(content: bytes, content_type: str) -> tuple[str | None, bool]:
    """The body as text, JSON set out in lines; whether it was cut."""
    if not content:
        return None, False
    if "json" in content_type:
        with contextlib.suppress(msgspec.DecodeError):  # says it is JSON and is none: shown as it came
            content = msgspec.json.format(content, indent=2)
    elif not any(word in content_type for word in _TEXTUAL):
        return None, False
    return content[:SHOWN_BYTES].decode("utf-8", "replace"), len(content) > SHOWN_BYTES
