"""Requests to come: near to good ones for /api (those for /oauth stand in oauth_requests), bent by a seeded Random. The same seed, the same bytes."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import yaml

from tests.fuzz.vocabulary import (
    HEADERS,
    MEDIA_TYPES,
    METHODS,
    NASTY,
    NO_METHODS,
    bend,
    bent_json,
    encode,
    header_value,
)

CITY = Path(__file__).resolve().parents[2] / "sandbox" / "city" / "departments"


@dataclass(frozen=True)
class Target:
    """What the fuzzer knows of a server: good credentials and codes, to be bent."""

    client_id: str
    secret: str
    tokens: tuple[str, ...]
    codes: tuple[str, ...]
    operations: tuple["Operation", ...] = ()
    oauth: "OAuthTarget | None" = None


@dataclass(frozen=True)
class OAuthTarget:
    """What the authorization server gave out: clients of each kind, and codes that wait."""

    issuer: str
    redirect_uri: str
    public_client: str
    fapi_client: str
    registration_token: str
    registration_access_token: str
    request_uris: tuple[str, ...]
    device_codes: tuple[str, ...]
    refresh_tokens: tuple[str, ...] = ("x",)


@dataclass(frozen=True)
class Operation:
    """An operation as its contract has it, as far as a fuzzer cares."""

    method: str
    path: str  # /api/company/v1/companies/{code}
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    body: Any = None


@dataclass
class Message:
    """A request before it becomes bytes."""

    method: str
    path: bytes
    query: bytes = b""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    def raw(self, random: Random) -> bytes:
        """The bytes on the wire: well framed, whatever is in them. Each comes from an address of its own."""
        address = ".".join(str(random.randrange(1, 255)) for _ in range(3))
        lines = [
            self.method.encode()
            + b" "
            + self.path
            + (b"?" + self.query if self.query else b"")
            + b" HTTP/1.1",
            b"Host: 127.0.0.1",
            b"X-Forwarded-For: 10." + address.encode(),
            *(name + b": " + value for name, value in self.headers),
        ]
        if not self.body and self.method in {"GET", "HEAD", "DELETE", "OPTIONS", "TRACE"}:
            return b"\r\n".join([*lines, b"", b""])
        if random.random() < 0.05 and self.body:
            half = len(self.body) // 2
            chunks = [part for part in (self.body[:half], self.body[half:]) if part]
            framed = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks) + b"0\r\n\r\n"
            return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", framed])
        return b"\r\n".join([*lines, b"Content-Length: %d" % len(self.body), b"", self.body])


def city_operations() -> tuple[Operation, ...]:
    """The operations of the city's contracts, with an example body where one is asked for."""
    return tuple(
        one
        for file in sorted(CITY.glob("*/contract.yaml"))
        for one in _operations(yaml.safe_load(file.read_text()))
    )


def _operations(document: dict[str, Any]) -> Iterator[Operation]:
    info = document["info"]
    base = f"/api/{info['x-name']}/v{info['version'].partition('.')[0]}"
    for path, item in document["paths"].items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method not in {"get", "post", "put", "patch", "delete"}:
                continue
            parameters = [_resolved(one, document) for one in [*shared, *operation.get("parameters", [])]]
            names = {
                place: tuple(one["name"] for one in parameters if one["in"] == place)
                for place in ("query", "header")
            }
            content = _resolved(operation.get("requestBody", {}), document).get("content", {})
            schema = _resolved(next(iter(content.values()), {}).get("schema", {}), document)
            body = dict.fromkeys(schema.get("properties", {}), "x") if content else None
            yield Operation(method.upper(), base + path, names["query"], names["header"], body)


def _resolved(value: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        value = found
    return value


def pick_method(random: Random, good: str) -> str:
    kind = random.random()
    return good if kind < 0.9 else random.choice(METHODS if kind < 0.99 else NO_METHODS)


def api_request(random: Random, target: Target) -> bytes:
    """One request to the gateway: mostly to an operation that there is, with something wrong somewhere."""
    operation = random.choice(target.operations)
    method = pick_method(random, operation.method)
    message = Message(method, _path(random, operation, target), _query(random, operation, target))
    kind = random.random()
    if kind < 0.8:
        message.headers.append((b"Authorization", b"Bearer " + random.choice(target.tokens).encode()))
    elif kind < 0.95:
        message.headers.append(
            (b"Authorization", header_value(random, bend(random, "Bearer " + random.choice(target.tokens))))
        )
    for name in operation.headers:
        if random.random() < 0.6:
            message.headers.append(
                (name.encode(), header_value(random, random.choice([*NASTY, *target.codes])))
            )
    add_headers(random, message, at_most=3)
    if operation.body is not None or random.random() < 0.05:
        media_type = "application/json" if random.random() < 0.85 else random.choice(MEDIA_TYPES)
        message.headers.append((b"Content-Type", header_value(random, media_type)))
        message.body = bent_json(random, operation.body)
        if random.random() < 0.01:
            message.body = b'"' + b"x" * 1_100_000 + b'"'
    return message.raw(random)


def _path(random: Random, operation: Operation, target: Target) -> bytes:
    if random.random() < 0.05:
        return b"/api/" + b"/".join(
            encode(random, random.choice(NASTY)) for _ in range(random.randrange(1, 6))
        )
    segments = []
    for segment in operation.path.split("/")[1:]:
        if segment.startswith("{"):
            value = random.choice(target.codes)
            segments.append(encode(random, value if random.random() < 0.6 else bend(random, value)))
        elif random.random() < 0.04:
            segments.append(encode(random, bend(random, segment)))
        else:
            segments.append(segment.encode())
    if random.random() < 0.05:
        segments.insert(
            random.randrange(len(segments) + 1),
            random.choice([b"", b".", b"..", b"%2e%2e", b";x", b"%2f", b"%5c"]),
        )
    return b"/" + b"/".join(segments)


def _query(random: Random, operation: Operation, target: Target) -> bytes:
    pairs = []
    for name in operation.query:
        if random.random() < 0.3:
            value = random.choice([*NASTY, *target.codes, "1", "10", "2025"])
            pairs.append(name.encode() + b"=" + encode(random, value))
    if random.random() < 0.15:
        pairs.append(encode(random, random.choice(NASTY)) + b"=" + encode(random, random.choice(NASTY)))
    if random.random() < 0.1 and pairs:
        pairs.append(random.choice(pairs))
    return b"&".join(pairs)


def add_headers(random: Random, message: Message, *, at_most: int) -> None:
    for _ in range(random.randrange(at_most + 1)):
        name = random.choice(HEADERS)
        if name in {"expect", "upgrade"} and random.random() < 0.9:  # they change the protocol itself
            continue
        message.headers.append((name.encode(), header_value(random, random.choice(NASTY))))
