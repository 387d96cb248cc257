"""Step `route`: which operation this is. Answers 404, 405 and 410 itself, so that they too are recorded.

The path is below `/api/{service}/{version}/`. HEAD is served by GET; OPTIONS is no method of ours. A face
that knows its operation already has set `exchange.compiled`, and only gets the connector here.
"""

import re

from api.core.problem_types import METHOD_NOT_ALLOWED, OPERATION_NOT_FOUND, SERVICE_RETIRED
from api.core.problems import Refusal
from api.gateway.compiled import Route, ServiceEntry
from api.gateway.exchange import Exchange
from api.gateway.paths import encode
from api.gateway.plane import Gateway
from api.gateway.trie import Match

_PRIVATE = re.compile(r"[^/]*[0-9]{6}[^/]*|[^/]{65,}")
_PREFIX = "api"


def apply(exchange: Exchange, gateway: Gateway) -> None:
    """Fill snapshot, service, operation, compiled, path values, connector and target.

    Raises Refusal: operation-not-found, method-not-allowed, service-retired.
    """
    snapshot = exchange.snapshot = gateway.snapshots.current
    if exchange.compiled is None:
        parts = exchange.path.split("/", 4)
        versions = snapshot.services.get(parts[2]) if len(parts) > 4 and parts[1] == _PREFIX else None
        entry = versions.get(parts[3]) if versions is not None else None
        if entry is None:
            raise _not_found(exchange, gateway)
        if entry.state == "retired":
            raise _retired(entry)
        _find(exchange, gateway, entry, parts[4])
    entry = exchange.compiled.entry
    exchange.service = entry.service
    exchange.operation = exchange.compiled.operation
    exchange.connector = entry.connector
    exchange.verdicts.append(exchange.compiled.routed)


def _find(exchange: Exchange, gateway: Gateway, entry: ServiceEntry, rest: str) -> None:
    match = entry.trie.find(rest)
    if match is None:
        exchange.service = entry.service
        raise _not_found(exchange, gateway)
    methods, values = match
    found = methods.get(exchange.method)
    if found is None:
        if exchange.method == "HEAD":
            found = methods.get("GET")
        if found is None:
            exchange.service = entry.service
            raise _not_allowed(exchange, match)
    reached: Route
    reached, names = found
    exchange.compiled = reached.compiled or reached.compile()
    if len(names) == 1:
        exchange.path_values = {names[0]: values[0]}
    elif names:
        exchange.path_values = dict(zip(names, values, strict=True))
    below = "/" + rest if exchange.is_path_exact else encode("/" + rest)
    query = exchange.query_string
    exchange.target = below + "?" + query.decode("latin-1") if query else below


def _not_found(exchange: Exchange, gateway: Gateway) -> Refusal:
    origin = gateway.settings.sandbox_url.rstrip("/")
    return Refusal(
        OPERATION_NOT_FOUND,
        method=exchange.method,
        path=shown_path(exchange.path),
        catalogue=f"{origin}/catalogue",
    )


def _not_allowed(exchange: Exchange, match: Match) -> Refusal:
    allowed = set(match[0])
    if "GET" in allowed:
        allowed.add("HEAD")
    text = ", ".join(sorted(allowed))
    return Refusal(METHOD_NOT_ALLOWED, headers={"Allow": text}, path=shown_path(exchange.path), allowed=text)


def _retired(entry: ServiceEntry) -> Refusal:
    deprecation = entry.service.deprecation
    successor = deprecation.successor if deprecation else ""
    headers = {}
    if successor:
        name, _, version = successor.partition("@")
        headers["Link"] = f'</api/{name}/{version}/>; rel="successor-version"'
    return Refusal(
        SERVICE_RETIRED,
        headers=headers,
        service=entry.key,
        sunset=deprecation.sunset if deprecation and deprecation.sunset else "…",
        successor=successor or "…",
    )


def shown_path(path: str) -> str:
    """A path fit for an answer and a log: segments that look like a number of a person or a thing are left out."""
    return _PRIVATE.sub("…", path[:300])
