"""Nonsense at every route of identity, as nobody, as a person and as the operator: never a 5xx, always a problem."""

import json
import random
from typing import Any
from urllib.parse import quote

import pytest
from httpx import ASGITransport, AsyncClient

from api.app import FrontDoor
from api.core import audit
from api.core.caller import OPERATOR
from api.identity.apps import service as apps
from tests.identity.conftest import ORIGIN, Platform

TEXTS = [
    "", " ", "x", "\x00", "a\x00b", "\ud800", "\u202e", "\ufeff", "🦀", "中" * 300, "x" * 5000, "%00", "../..", "' OR 1=1 --",
    "a_0123456789abcdefghjkmnpqrs", "o_0", "company@v1", "company@v1:purpose", "lin.mei@company.example", "owner", "live",
    "\r\nSet-Cookie: a=b", "{0}", "{link}", "%s", "𝒳" * 100, "\u0300" * 200, "İ", "ß", "true", "1e400",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 1.5, 1e308, [], {}, [None], [[]], {"a": {}}, ["owner"],
    ["owner"] * 1000, [{"kty": "EC"}], {"keys": [{}]}, *TEXTS,
]  # fmt: skip
BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b"\xff\xfe",
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b"[" * 2000,
    b'{"name":"\\ud800"}',
]


def body_for(operation: dict, schemas: dict, chance: random.Random) -> bytes:
    if chance.random() < 0.15:
        return chance.choice(BODIES)
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return b""
    schema = schemas[content["schema"]["$ref"].rpartition("/")[2]]
    value = {
        name: chance.choice(TEXTS)
        if shape.get("type") == "string" and chance.random() < 0.8
        else chance.choice(VALUES)
        for name, shape in schema["properties"].items()
        if chance.random() < 0.9
    }
    if chance.random() < 0.1:
        value["unknown"] = chance.choice(VALUES)
    return json.dumps(value).encode()


def path_for(path: str, known: dict[str, str], chance: random.Random) -> str:
    for part in path.split("/"):
        if part.startswith("{"):
            name = part.strip("{}").partition(":")[0]
            use_known = name in known and chance.random() < 0.6
            value = known[name] if use_known else chance.choice(TEXTS[2:]).encode("utf-8", "replace")[:300]
            path = path.replace(part, quote(value, safe="") or "x", 1)
    query = {
        name: quote(chance.choice(TEXTS).encode("utf-8", "replace"), safe="")
        for name in ("limit", "cursor", "status", "kind", "organisation_id", "environment")
        if chance.random() < 0.25
    }
    return path + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


@pytest.mark.parametrize("rounds", [2, pytest.param(60, marks=pytest.mark.full)])
@pytest.mark.parametrize("who", ["nobody", "person", "operator"])
async def test_nonsense_is_refused_with_a_problem(platform: Platform, who: str, rounds: int) -> None:
    chance = random.Random(f"identity {who} {rounds}")
    document = platform.door.app.openapi_schema.to_schema()
    person = await platform.person()
    made = await apps.create_app(
        OPERATOR if who == "operator" else await platform.caller(person), name="模糊"
    )
    known = {
        "app_id": made.app.id, "secret_id": made.secret_id, "organisation_id": made.app.organisation_id,
        "person_id": person.person_id,
    }  # fmt: skip
    door: FrontDoor = platform.door

    async def application(scope: Any, receive: Any, send: Any) -> None:
        if who == "operator":
            scope["state"] = {"caller": OPERATOR}
        await door(scope, receive, send)

    sent = 0
    for _ in range(rounds):
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                sent += 1
                if who == "person" and operation["operationId"] in {
                    "signOut",
                    "endSession",
                    "endOtherSessions",
                }:
                    continue
                address = (f"198.{19 + sent // 40_000}.{sent // 200 % 200}.{sent % 200 + 1}", 4000)
                headers = {
                    "Content-Type": "application/json",
                    "Accept-Language": chance.choice(["zh", "en", "\u00e9"]),
                }
                cookies = {}
                if who == "person":
                    headers["X-CSRF-Token"] = person.csrf
                    cookies = dict(person.http.cookies)
                transport = ASGITransport(application, client=address)
                async with AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies) as http:
                    answer = await http.request(
                        method.upper(),
                        path_for(path, known, chance),
                        content=body_for(operation, document["components"]["schemas"], chance),
                        headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
                    )
                where = f"{method} {answer.request.url} {answer.request.content[:200]!r}: {answer.text[:300]}"
                assert answer.status_code < 500, where
                if answer.status_code >= 400:
                    assert answer.headers["content-type"] == "application/problem+json", where
                    assert answer.json()["type"].startswith("http://127.0.0.1:8000/docs/problems/"), where
                assert str(answer.status_code) in operation["responses"], where
    assert sent == rounds * sum(len(methods) for methods in document["paths"].values())
    assert (await audit.verify())[1] is None
