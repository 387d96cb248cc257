"""A KAIMEN_HOME to measure: one service of N operations, apps subscribed to it, and signed tokens of some of them.

Written straight into the stores, so that a million apps take a minute; nothing here is on the measured path.
Everything is synthetic and lives below var/bench.
"""

import asyncio
import json
import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import msgspec

from api.contract.build import digest_of, service_of
from api.contract.normalise import normalise
from api.core import clock, crypto, ids
from api.core.store import migrate, open_stores
from api.identity.oauth import tokens
from api.identity.oauth.keys import KeyRing
from api.main.compose import vault_of
from api.main.stores import stores_of
from api.settings import Settings

BODY_BYTES = 427
TOKENS = 1000
FAR_SECONDS = 7 * 86400
PURPOSE = "bench-purpose"


def answer_body() -> bytes:
    """The 427-byte JSON that every upstream answers."""
    body = {
        "code": "91350100M000100Y43", "name": "福建示例科技有限公司", "status": "active", "capital": 5000000,
        "registered": "2019-05-06", "address": "福建省福州市示例路 1 号", "scope": "",
        "contacts": [{"kind": "phone", "value": "0591-0000000"}, {"kind": "mail", "value": "demo@company.example"}],
    }  # fmt: skip
    empty = len(json.dumps(body, ensure_ascii=False).encode())
    body["scope"] = "x" * (BODY_BYTES - empty)
    return json.dumps(body, ensure_ascii=False).encode()


COMPANY = {
    "type": "object",
    "required": ["code", "name", "status", "capital", "registered"],
    "properties": {
        "code": {"type": "string", "pattern": "^[0-9A-Z]{18}$"},
        "name": {"type": "string", "maxLength": 100},
        "status": {"enum": ["active", "revoked"]},
        "capital": {"type": "number", "minimum": 0},
        "registered": {"type": "string", "format": "date"},
        "address": {"type": "string"},
        "scope": {"type": "string", "maxLength": 1000},
        "contacts": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["kind", "value"],
                "properties": {"kind": {"enum": ["phone", "mail"]}, "value": {"type": "string"}},
            },
        },
    },
}


def contract(name: str, operations: int, level: str = "L1") -> dict[str, Any]:
    """A document of N read operations with a path and a query parameter each, all answering a Company."""
    paths = {}
    for number in range(operations):
        operation: dict[str, Any] = {
            "operationId": f"getThing{number}",
            "tags": [f"thing{number}"],
            "summary": f"Thing {number}",
            "parameters": [
                {"name": "code", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^[0-9A-Z]{18}$"}},
                {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}},
            ],
            "security": [{"oauth": [f"{name}:thing:read"]}],
            "responses": {"200": {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Company"}}}}},
        }  # fmt: skip
        if level >= "L3":
            operation |= {
                "x-basis": "statutory-duty",
                "x-basis-law": {"law": "x", "article": "1"},
                "x-purpose": [PURPOSE],
            }
        paths[f"/things{number}/{{code}}"] = {"get": operation}
    return {
        "openapi": "3.1.0",
        "info": {"title": name, "version": "1.0.0", "x-name": name, "x-level": level, "x-grade": "general",
                 "x-department": "bench", "x-share": "unconditional", "x-open": "open", "x-audience": "public", "x-basis": "public"},
        "paths": paths,
        "components": {
            "schemas": {"Company": COMPANY},
            "securitySchemes": {"oauth": {"type": "oauth2", "flows": {"clientCredentials": {
                "tokenUrl": "/oauth/token", "scopes": {f"{name}:thing:read": "read"}}}}},
        },
    }  # fmt: skip


def streaming_contract() -> dict[str, Any]:
    """A document with one operation that streams whatever comes."""
    document = contract("files", 0)
    document["paths"]["/big"] = {
        "get": {
            "operationId": "getBig",
            "tags": ["big"],
            "security": [{"oauth": ["files:thing:read"]}],
            "responses": {
                "200": {"description": "ok", "content": {"application/octet-stream": {"schema": {}}}}
            },
        }
    }
    return document


def seed(
    settings: Settings, services: list[tuple[dict[str, Any], str]], apps: int, token_count: int = TOKENS
) -> list[str]:
    """Make the home anew. `services` are (document, upstream). Returns `token_count` access tokens, of as many apps as there are."""
    home = settings.home_path
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    return asyncio.run(_seed(settings, services, apps, token_count))


async def _seed(
    settings: Settings, services: list[tuple[dict[str, Any], str]], apps: int, token_count: int
) -> list[str]:
    stores = stores_of(settings)
    await migrate(stores)
    now = clock.to_text(clock.now())
    plane = settings.environment
    prefix = "kl" if plane == "live" else "kt"
    published = []
    for document, upstream in services:
        normal = normalise(document).document
        service = service_of(normal)
        published.append((service, normal, upstream))
    connection = sqlite3.connect(home_file(settings, "control"))
    with connection:
        limits = {
            name: {"units": 1_000_000_000, "window_seconds": 1}
            for name in ("light", "standard", "heavy", "bulk")
        }
        _insert(
            connection,
            "plan",
            [{"name": "bench", "title_zh": "bench", "title_en": "bench", "limits": json.dumps(limits)}],
        )
        _insert(connection, "organisation", [{"id": "o_" + "0" * 26, "slug": "bench", "kind": "company", "name_zh": "bench",
                                              "name_en": "bench", "created_at": now}])  # fmt: skip
        for service, normal, upstream in published:
            _insert(connection, "publication", [{
                "id": f"{service.key}/{plane}", "version_id": service.key, "service": service.name, "version": service.version,
                "environment": plane, "upstream": upstream, "digest": digest_of(normal),
                "document": msgspec.json.encode(normal).decode(), "state": "published", "published_by": "operator:local",
                "published_at": now,
            }])  # fmt: skip
        app_ids = [ids.random_id("a") for _ in range(apps)]
        clients = [ids.random_id(prefix) for _ in range(min(apps, token_count))]
        clients += [f"{prefix}_{number:026d}" for number in range(apps - len(clients))]
        _insert(connection, "app", (
            {"id": app_id, "organisation_id": "o_" + "0" * 26, "name": "bench", "environment": plane, "client_id": client, "status": "active", "auth_method": "client_secret",
             "plan": "bench", "jwks": "{}", "checklist": "{}", "created_by": "operator:local", "created_at": now}
            for app_id, client in zip(app_ids, clients, strict=True)
        ))  # fmt: skip
        _insert(connection, "subscription", (
            {"id": f"s_{number:024d}{at:02d}", "app_id": app_id, "organisation_id": "o_" + "0" * 26, "version_id": service.key,
             "environment": plane, "purpose": PURPOSE if any(one.purposes for one in service.operations) else "",
             "level": "L3", "status": "active", "requested_by": "operator:local", "requested_at": now}
            for number, app_id in enumerate(app_ids) for at, (service, _, _) in enumerate(published)
        ))  # fmt: skip
    connection.close()
    scope = " ".join(scope.name for service, _, _ in published for scope in service.scopes)
    async with open_stores(stores, plane):
        ring = KeyRing(plane, vault_of(settings))
        await ring.ensure()
        await ring.refresh()
        return [
            tokens.issue(
                ring,
                issuer=settings.issuer,
                audience=f"{settings.issuer}/api",
                client_id=clients[number % apps],
                app_id=app_ids[number % apps],
                scope=scope,
                seconds=FAR_SECONDS,
            ).compact
            for number in range(token_count)
        ]


def home_file(settings: Settings, store: str) -> Path:
    return settings.home_path / f"{store}.sqlite3"


def _insert(connection: sqlite3.Connection, table: str, rows: Any) -> None:
    """Insert rows given as dictionaries; what they leave out takes the column's empty value."""
    columns = [
        (name, kind, required, default)
        for _, name, kind, required, default, _ in connection.execute(f"PRAGMA table_info({table})")
    ]
    names = [name for name, *_ in columns]
    empty = {
        name: ("" if "CHAR" in kind or "TEXT" in kind else 0) if required and default is None else None
        for name, kind, required, default in columns
    }
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    connection.executemany(statement, ([row.get(name, empty[name]) for name in names] for row in rows))


def requests_of(
    service: str, operations: int, access_tokens: list[str], file: Path, count: int = 3000
) -> None:
    """The rotating requests for rotate.lua: one line each, path and token; tokens, apps and operations all turn."""
    lines = [
        f"/api/{service}/v1/things{number % operations}/91350100M000100Y43 {access_tokens[number % len(access_tokens)]}"
        for number in range(count)
    ]
    file.write_text("\n".join(lines) + "\n")


__all__ = [
    "BODY_BYTES",
    "answer_body",
    "contract",
    "crypto",
    "os",
    "requests_of",
    "seed",
    "streaming_contract",
]
