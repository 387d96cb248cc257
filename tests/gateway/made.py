"""Hand-made services, apps and gateways for the tests of the hot path; no database, no server."""

from collections.abc import Iterable
from typing import Any

from msgspec import Struct, structs

from api.contract.model import (
    Basis,
    Batch,
    Body,
    Grade,
    Level,
    Media,
    Operation,
    Pagination,
    Parameter,
    Promise,
    QuotaClass,
    Response,
    Scenario,
    Service,
    Status,
)
from api.core import ids
from api.gateway.app_table import AppTable
from api.gateway.connector import Context, Request, Result
from api.gateway.plane import Gateway
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings

FAR = 4_000_000_000  # a token's expiry, in 2096
JSON = (b"content-type", b"application/json")
COMPANY = {
    "type": "object",
    "required": ["code", "name"],
    "properties": {"code": {"type": "string"}, "name": {"type": "string"}, "capital": {"type": "number"}},
}
PLANS = {
    "standard": {
        name: {"units": 600, "window_seconds": 60} for name in ("light", "standard", "heavy", "bulk")
    },
    "open": {name: {"units": 10**9, "window_seconds": 60} for name in ("light", "standard", "heavy", "bulk")},
}


def parameter(name: str, location: str = "query", schema: Any = None, **more: Any) -> Parameter:
    required = more.pop("required", location == "path")
    return Parameter(name, location, required, schema if schema is not None else {"type": "string"}, **more)


def operation(operation_id: str = "getCompany", **more: Any) -> Operation:
    """GET /companies/{code}, L1, scope company:profile:read; keywords change it."""
    path = more.pop("path", "/companies/{code}")
    names = [part[1:-1] for part in path.split("/") if part.startswith("{") and part.endswith("}")]
    values: dict[str, Any] = {
        "id": operation_id, "resource": "profile", "verb": "get", "method": "GET", "path": path, "summary": "",
        "description": "", "texts": {}, "tags": (), "body": None,
        "parameters": tuple(parameter(name, "path") for name in names),
        "responses": (Response("200", "", (Media("application/json", {"$ref": "#/components/schemas/Company"}),)),),
        "scopes": ("company:profile:read",), "grade": Grade.GENERAL, "level": Level.L1, "quota": QuotaClass.LIGHT,
        "basis": Basis.PUBLIC, "basis_law": {}, "purposes": (), "subject": "", "share": "unconditional",
        "open": "open", "audience": "public",
    }  # fmt: skip
    return Operation(**(values | more))


def service(
    operations: Iterable[Operation], name: str = "company", version: str = "v1", **more: Any
) -> Service:
    values: dict[str, Any] = {
        "name": name, "version": version, "release": "1.0.0", "title": name, "description": "", "texts": {},
        "department": "registry", "owner": {}, "status": Status.STABLE, "promise": Promise(),
        "operations": tuple(operations), "schemas": {"Company": COMPANY}, "scopes": (), "webhooks": {},
        "directory": {}, "document": {}, "digest": "sha256:0",
    }  # fmt: skip
    return Service(**(values | more))


class Answering:
    """A connector that gives one answer, and remembers what it was asked."""

    def __init__(
        self, body: Any = b'{"code":"9133","name":"\xe5\x85\xac\xe5\x8f\xb8"}', status: int = 200
    ) -> None:
        self.headers: list[tuple[bytes, bytes]] = [JSON]
        self.body = body
        self.status = status
        self.requests: list[Request] = []
        self.contexts: list[Context] = []
        self.remembers = True

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        if self.remembers:
            self.requests.append(request)
            self.contexts.append(context)
        return Result(self.status, self.headers, self.body)

    async def health(self) -> bool:
        return True

    async def close(self) -> None:
        return None


class Claims(Struct):
    client_id: str
    app: str
    exp: int
    jti: str
    scope: str
    grant: str = ""
    sub: str = ""
    cnf: dict[str, str] = {}
    authorization_details: list[dict[str, Any]] = []
    consent: str = ""
    mandate: str = ""
    acr: str = ""


class Tokens:
    """Verifies the tokens that it gave out; stands for the key ring, whose own tests are elsewhere."""

    def __init__(self) -> None:
        self.claims: dict[bytes, Claims] = {}
        self.verified = 0

    def give(
        self,
        app_id: str,
        scope: str = "company:profile:read",
        *,
        exp: int = FAR,
        grant: str = "",
        **more: Any,
    ) -> bytes:
        token = ids.random_id("t", 300).encode()
        self.claims[token] = Claims(
            ids.random_id("kt"), app_id, exp, ids.random_id("j"), scope, grant, **more
        )
        return token

    def verify(self, token: bytes) -> Claims:
        self.verified += 1
        return self.claims[token]


class Holder:
    """The snapshot, without a feed."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.current = snapshot
        self.refreshed = 0

    async def refresh(self) -> bool:
        self.refreshed += 1
        return False


def apps_with_plans(plans: Any = PLANS) -> AppTable:
    apps = AppTable()
    for name, limits in plans.items():
        apps.plans.set(name, limits)
    return apps


def grant_of(
    version_id: str = "company@v1", purpose: str = "", status: str = "active", level: str = "L3"
) -> Any:
    return (version_id, purpose, status, level)


class World:
    """A gateway with one service `company@v1`, one app subscribed to it, and a token."""

    def __init__(
        self, operations: Iterable[Operation] | None = None, *, settings: Settings | None = None, **more: Any
    ) -> None:
        self.connector = Answering()
        self.service = service(operations if operations is not None else [operation()])
        self.entry = ServiceEntry(self.service, self.connector, owner_id="o_owner")
        self.apps = apps_with_plans()
        self.app_id = ids.random_id("a")
        self.apps.put(self.app_id, ids.random_id("o"), kind="company", grants=[grant_of()])
        self.tokens = Tokens()
        self.token = self.tokens.give(self.app_id)
        self.holder = Holder(Snapshot.of([self.entry], self.apps))
        settings = settings or structs.replace(Settings(), flood_per_second=1_000_000)
        self.gateway = Gateway(settings, snapshots=self.holder, verify_token=self.tokens.verify, **more)
        self.revoked: set[str] = set()
        self.gateway.revoked = self.revoked

    def bearer(self, token: bytes | None = None) -> bytes:
        return b"Bearer " + (token or self.token)


__all__ = [
    "Answering", "Batch", "Body", "Grade", "Holder", "Level", "Media", "Pagination", "QuotaClass", "Response",
    "Scenario", "Tokens", "World", "apps_with_plans", "grant_of", "operation", "parameter", "service",
]  # fmt: skip
