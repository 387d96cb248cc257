"""Requests to come: near to good ones for /oauth and /api, bent by a seeded Random. The same seed, the same bytes."""

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
    basic,
    bend,
    bent_json,
    encode,
    header_value,
)
from tests.identity.oauth.plane import new_key, sign

CITY = Path(__file__).resolve().parents[2] / "sandbox" / "city" / "departments"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Target:
    """What the fuzzer knows of a server: good credentials and codes, to be bent."""

    client_id: str
    secret: str
    tokens: tuple[str, ...]
    codes: tuple[str, ...]
    operations: tuple["Operation", ...] = ()


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


def oauth_request(random: Random, target: Target) -> bytes:
    """One request to the authorization server."""
    path = random.choice([b"/oauth/token"] * 12 + [b"/oauth/revoke", b"/oauth/introspect"] * 6 + [
        b"/oauth/jwks", b"/.well-known/oauth-authorization-server", b"/.well-known/openid-configuration", b"/oauth/",
        b"/oauth//token", b"/oauth/token/", b"/oauth/%74oken", b"/oauth/token%00", b"/oauth/authorize", b"/OAUTH/TOKEN",
    ])  # fmt: skip
    message = Message(_method(random, "POST"), path)
    if random.random() < 0.05:
        message.query = encode(random, random.choice(NASTY))
    if random.random() < 0.7:
        message.headers.append((b"Authorization", basic(random, target.client_id, target.secret)))
    if random.random() < 0.1:
        message.headers.append(
            (b"Authorization", header_value(random, "Bearer " + random.choice(target.tokens)))
        )
    media_type = "application/x-www-form-urlencoded" if random.random() < 0.9 else random.choice(MEDIA_TYPES)
    message.headers.append((b"Content-Type", header_value(random, media_type)))
    _add_headers(random, message, at_most=2)
    message.body = _form(random, target)
    return message.raw(random)


def _method(random: Random, good: str) -> str:
    kind = random.random()
    return good if kind < 0.9 else random.choice(METHODS if kind < 0.99 else NO_METHODS)


def _form(random: Random, target: Target) -> bytes:
    if random.random() < 0.04:
        return random.randbytes(random.choice([1, 50, 3000, 40_000]))
    good = {
        "grant_type": "client_credentials",
        "scope": "company:profile:read",
        "client_id": target.client_id,
        "client_secret": target.secret,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": _assertion(random, target) if random.random() < 0.2 else "a.b.c",
        "token": random.choice(target.tokens),
        "token_type_hint": "access_token",
        "resource": "https://kaimen.example/api",
        "audience": "x",
        "code": "x",
        "refresh_token": "x",
        "request_uri": "urn:x",
        random.choice(NASTY): "x",
    }
    chosen = ["grant_type", "token"] + [name for name in good if random.random() < 0.12]
    if random.random() < 0.9:
        chosen = list(dict.fromkeys(chosen))
    random.shuffle(chosen)
    pairs = []
    for name in chosen:
        value = good[name] if random.random() < 0.8 else bend(random, good[name])
        pairs.append(
            encode(random, name)
            + random.choice([b"=", b"=", b"=", b"=", b"=", b"==", b""])
            + encode(random, value)
        )
    return random.choice([b"&", b"&", b"&", b"&", b"&&", b";"]).join(pairs)


_KEY = new_key()


def _assertion(random: Random, target: Target) -> str:
    """An assertion signed with a key of no app: everything up to the signature's check is exercised."""
    claims: dict[str, Any] = {
        "iss": target.client_id, "sub": target.client_id, "aud": "x", "jti": "x", "exp": 4_000_000_000, "iat": 1,
    }  # fmt: skip
    name = random.choice(list(claims))
    claims[name] = random.choice([None, [], {}, 1e300, -1, True, 10**400, random.choice(NASTY)])
    signed = sign(_KEY, claims)
    return signed if random.random() < 0.7 else bend(random, signed)


def api_request(random: Random, target: Target) -> bytes:
    """One request to the gateway: mostly to an operation that there is, with something wrong somewhere."""
    operation = random.choice(target.operations)
    method = _method(random, operation.method)
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
    _add_headers(random, message, at_most=3)
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


def _add_headers(random: Random, message: Message, *, at_most: int) -> None:
    for _ in range(random.randrange(at_most + 1)):
        name = random.choice(HEADERS)
        if name in {"expect", "upgrade"} and random.random() < 0.9:  # they change the protocol itself
            continue
        message.headers.append((name.encode(), header_value(random, random.choice(NASTY))))
