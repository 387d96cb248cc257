"""Step `admit`: what can be said of a request before anything is looked up.

Size, headers, path, query, where it comes from, how often that source comes. Runs once per HTTP request, on
every face; what it finds is reused by each operation. It knows no service, no app and no token.
"""

from api.core.problem_types import (
    HEADERS_TOO_LARGE,
    REQUEST_MALFORMED,
    TOO_MANY_REQUESTS_FROM_ADDRESS,
    URI_TOO_LONG,
)
from api.core.problems import Refusal, Text
from api.gateway.exchange import Exchange
from api.gateway.paths import check_query, normalise
from api.gateway.plane import Gateway
from api.gateway.request_ids import trace_parent_of

MAX_PATH_BYTES = 8192
MAX_QUERY_BYTES = 16384
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32768
_MAX_LENGTH_DIGITS = 15

PASSED = ("admit", "pass", "")

# Bytes that a header value may hold: tab, printable ASCII, and what is not ASCII. Source: RFC 9110 §5.5.
_VALUE_BYTES = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
_ONCE = frozenset(
    {
        b"authorization", b"content-length", b"content-type", b"dpop", b"host", b"idempotency-key", b"kaimen-purpose",
        b"kaimen-scenario", b"traceparent", b"transfer-encoding", b"x-fapi-interaction-id",
    }
)  # fmt: skip

_TWICE = Text("请求头 {name} 出现多次。", "The header {name} is there more than once.")
_CONTROL = Text("请求头含控制字符或 NUL。", "A header holds a control character or NUL.")
_LENGTH = Text(
    "Content-Length 不是数字,或与 Transfer-Encoding 同时出现。",
    "Content-Length is no number, or stands beside Transfer-Encoding.",
)


def apply(exchange: Exchange, gateway: Gateway) -> None:
    """Fill path, header map, authorization, content length, locale, trace parent and client address.

    Raises Refusal: uri-too-long, headers-too-large, request-malformed, flood-limit.
    """
    headers = exchange.headers
    found = exchange.header_map = dict(headers)
    if exchange.content_length is None and b"content-length" in found:
        exchange.content_length = _content_length(found)
    language = found.get(b"accept-language")
    if language is not None:
        exchange.locale = gateway.accept_language(language)
    if b"traceparent" in found:
        exchange.trace_parent = trace_parent_of(found[b"traceparent"])
    exchange.trace_parent = exchange.trace_parent or gateway.request_ids.new_trace_parent()
    _check_headers(headers, found, is_plain=exchange.is_plain)
    raw_path = exchange.raw_path
    query = exchange.query_string
    if len(raw_path) > MAX_PATH_BYTES or len(query) > MAX_QUERY_BYTES:
        limit = MAX_PATH_BYTES if len(raw_path) > MAX_PATH_BYTES else MAX_QUERY_BYTES
        raise Refusal(URI_TOO_LONG, limit_bytes=limit)
    _check_flood(exchange, gateway, found)
    exchange.path, exchange.is_path_exact = normalise(raw_path)
    if query:
        check_query(query)
    exchange.verdicts.append(PASSED)


def _check_flood(exchange: Exchange, gateway: Gateway, found: dict[bytes, bytes]) -> None:
    forwarded = found.get(b"x-forwarded-for", b"")
    if forwarded:
        forwarded = b",".join([value for name, value in exchange.headers if name == b"x-forwarded-for"])
    address = exchange.client_address = gateway.address_of(exchange.client_address, forwarded)
    flood = gateway.flood
    now = exchange.started_ns
    is_flooding = flood.is_flooding(gateway.bucket_of(address), now)
    authorization = found.get(b"authorization", b"")
    if authorization:
        exchange.authorization = authorization
        is_flooding = is_flooding or flood.is_flooding(hash(authorization), now)
    if is_flooding:
        raise Refusal(
            TOO_MANY_REQUESTS_FROM_ADDRESS, headers={"Retry-After": "1"}, per_second=flood.per_second
        )


def _check_headers(headers: list[tuple[bytes, bytes]], found: dict[bytes, bytes], *, is_plain: bool) -> None:
    is_repeated = len(found) != len(headers)
    # A plain head is below MAX_HEADER_BYTES whole, and heads looked at each byte of it.
    values = b"" if is_plain else b"".join([value for _, value in headers])
    if len(headers) > MAX_HEADERS or len(values) > MAX_HEADER_BYTES:
        raise Refusal(HEADERS_TOO_LARGE, limit_count=MAX_HEADERS, limit_bytes=MAX_HEADER_BYTES)
    if values.translate(None, _VALUE_BYTES):
        raise Refusal(REQUEST_MALFORMED, rule="header-control-character", what=_CONTROL)
    if is_repeated:
        seen = set()
        for name, _ in headers:
            if name in _ONCE and name in seen:
                text = name.decode("latin-1")
                what = Text(
                    _TWICE.in_language("zh", {"name": text}), _TWICE.in_language("en", {"name": text})
                )
                raise Refusal(REQUEST_MALFORMED, rule="header-repeated", what=what)
            seen.add(name)


def _content_length(found: dict[bytes, bytes]) -> int:
    text = found[b"content-length"]
    if not text.isdigit() or len(text) > _MAX_LENGTH_DIGITS or b"transfer-encoding" in found:
        raise Refusal(REQUEST_MALFORMED, rule="content-length", what=_LENGTH)
    return int(text)
