"""The answer: status, headers and body of an exchange, from what the department said or from a problem.

One place makes the headers that every answer of the gateway carries. It sends nothing.
"""

from api.core import problems
from api.core.problems import Problem
from api.gateway.compiled import FRESH
from api.gateway.conditional import condition
from api.gateway.exchange import Exchange, Headers
from api.gateway.plane import Gateway

_PROBLEM = (b"content-type", problems.CONTENT_TYPE.encode())
_NO_SNIFF = (b"x-content-type-options", b"nosniff")
_NO_STORE = (b"cache-control", b"no-store")
_ENVIRONMENTS = {name: (b"kaimen-environment", name.encode()) for name in ("sandbox", "live")}
_SYNTHETIC = (b"kaimen-sandbox", b"synthetic")
_BODYLESS = frozenset({204, 304})
_MAX_INTERACTION_ID = 128


def of_result(exchange: Exchange, gateway: Gateway) -> None:
    """Fill status, headers and body from `exchange.result`."""
    result = exchange.result
    assert result is not None
    exchange.status = result.status
    headers = _common(exchange, gateway)
    has_cache_rule = False
    for pair in result.headers:
        if pair[0] == b"cache-control":
            has_cache_rule = True
        if pair[0] != b"content-length":
            headers.append(pair)
    if not has_cache_rule:
        headers.append(_cache_rule(exchange))
    if result.is_synthetic:
        headers.append(_SYNTHETIC)
    headers += exchange.compiled.answer_headers
    body = result.body
    if isinstance(body, bytes):
        if result.status not in _BODYLESS:
            headers.append((b"content-length", b"%d" % len(body)))
    else:
        headers += [pair for pair in result.headers if pair[0] == b"content-length"]
    exchange.response_headers = headers
    exchange.response_body = body
    if exchange.compiled.care == FRESH:
        condition(exchange)


def of_problem(exchange: Exchange, gateway: Gateway, problem: Problem) -> None:
    """Fill status, headers and body from a problem, in the caller's language."""
    exchange.problem = problem
    exchange.status = problem.kind.status
    body = problems.render(
        problem, language=exchange.locale, docs_url=gateway.docs_url, request_id=exchange.request_id
    )
    headers = _common(exchange, gateway)
    headers += [_PROBLEM, _NO_STORE, (b"content-language", b"zh-CN" if exchange.locale == "zh" else b"en")]
    for name, value in problem.headers.items():
        text = "".join(char if char.isprintable() else " " for char in value)
        headers.append((name.lower().encode(), text.encode("latin-1", "replace")))
    headers.append((b"content-length", b"%d" % len(body)))
    exchange.response_headers = headers
    exchange.response_body = body


async def discard(exchange: Exchange) -> None:
    """Let go of an answer that will not be sent: a stream gives its connection back."""
    close = getattr(exchange.result.body, "aclose", None) if exchange.result is not None else None
    if close is not None:
        await close()


def _common(exchange: Exchange, gateway: Gateway) -> Headers:
    headers: Headers = [
        (b"request-id", exchange.request_id.encode()),
        _ENVIRONMENTS[gateway.environment],
        _NO_SNIFF,
        *exchange.quota_headers,
    ]
    if b"traceparent" in exchange.header_map:
        headers.append((b"traceparent", exchange.trace_parent.encode()))
    interaction = exchange.header_map.get(b"x-fapi-interaction-id")
    if interaction is not None and len(interaction) <= _MAX_INTERACTION_ID and interaction.isascii():
        headers.append((b"x-fapi-interaction-id", interaction))
    return headers


def _cache_rule(exchange: Exchange) -> tuple[bytes, bytes]:
    """What came for one token is for nobody else's cache; `x-cache` says how long the caller may keep it."""
    seconds = exchange.operation.cache_seconds
    if seconds and exchange.status == 200:
        return (b"cache-control", b"private, max-age=%d" % seconds)
    return _NO_STORE
