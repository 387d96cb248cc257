"""What the tests of the authorization server share: apps to be, and the ways to ask for a token."""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from joserfc import jws
from joserfc.jwk import ECKey, Key

from api.core import audit, clock, crypto, ids
from api.core.crypto import Vault
from api.identity.models import App, AppSecret
from api.identity.oauth.client_authentication import ASSERTION_TYPE
from api.identity.oauth.scopes import PublishedScopes
from api.identity.oauth.service import AuthorizationService
from api.settings import Settings

SCOPES = ("company:profile:read", "company:report:read", "tax:rating:read")


@dataclass
class TableRights:
    """Rights written down in a table, so that these tests need no contract."""

    of_app: dict[str, frozenset[str]] = field(default_factory=dict)
    aliases: dict[str, frozenset[str]] = field(default_factory=dict)
    names: dict[str, str] = field(
        default_factory=lambda: {scope: scope.partition(":")[0] + "@v1" for scope in SCOPES}
    )

    async def granted(self, app_id: str) -> frozenset[str]:
        return self.of_app.get(app_id, frozenset())

    async def published(self) -> PublishedScopes:
        return PublishedScopes(dict(self.names), dict(self.aliases))


@dataclass
class Client:
    """An app and what only its owner has."""

    app_id: str
    client_id: str
    secret: str
    secret_id: str
    key: Key | None = None


@dataclass
class Plane:
    service: AuthorizationService
    http: httpx.AsyncClient
    rights: TableRights
    settings: Settings
    vault: Vault

    @property
    def issuer(self) -> str:
        return self.service.issuer

    async def new_app(
        self,
        *scopes: str,
        environment: str = "sandbox",
        status: str = "active",
        keys: list[Key] | None = None,
        **secret_columns: Any,
    ) -> Client:
        """An app with these scopes and one secret, or with public keys instead."""
        app_id, secret_id = ids.random_id("a"), ids.random_id("sec")
        client_id = ids.random_id("kt" if environment == "sandbox" else "kl")
        secret = ids.random_secret("kts" if environment == "sandbox" else "kls")
        services = frozenset(scope for scope in scopes if not scope.startswith("platform:"))
        self.rights.of_app[app_id] = services
        jwks = {"keys": [key.as_dict(private=False) for key in keys]} if keys else {}
        async with audit.write("test", "app:create", f"app/{app_id}") as entry:
            await App.create(
                id=app_id, organisation_id="o_test", name="test", environment=environment, client_id=client_id,
                status=status, auth_method="private_key_jwt" if keys else "client_secret", jwks=jwks,
                platform_scopes=" ".join(set(scopes) - services),
                created_by="test", created_at=clock.now(),
            )  # fmt: skip
            await AppSecret.create(
                id=secret_id, app_id=app_id, label="first", hash=crypto.hash_secret(secret), hint=secret[-4:],
                created_at=clock.now(), **secret_columns,
            )  # fmt: skip
            entry.changed("app", app_id)
        return Client(app_id, client_id, secret, secret_id, keys[0] if keys else None)

    async def publish(self) -> None:
        """Tell every process that what is published has changed."""
        async with audit.write("test", "publication:change", "publication/x") as entry:
            entry.changed("publication", "x")

    async def change_app(self, client: Client, **columns: Any) -> None:
        async with audit.write("test", "app:change", f"app/{client.app_id}") as entry:
            if columns:
                await App.filter(id=client.app_id).update(**columns)
            entry.changed("app", client.app_id)

    async def change_secret(self, client: Client, **columns: Any) -> None:
        async with audit.write("test", "app:secret:change", f"app/{client.app_id}") as entry:
            await AppSecret.filter(id=client.secret_id).update(**columns)
            entry.changed("app", client.app_id)

    async def ask(self, client: Client, **parameters: str) -> httpx.Response:
        """A token request by client_secret_basic."""
        form = {"grant_type": "client_credentials", **parameters}
        return await self.http.post("/oauth/token", data=form, auth=(client.client_id, client.secret))

    async def token(self, client: Client, **parameters: str) -> str:
        """A token that must be given."""
        answer = await (
            self.ask_signed(client, **parameters) if client.key else self.ask(client, **parameters)
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def ask_signed(
        self, client: Client, *, claims: dict[str, Any] | None = None, **parameters: str
    ) -> httpx.Response:
        """A token request by private_key_jwt."""
        assert client.key is not None
        assertion = sign(client.key, self.claims(client, **(claims or {})))
        return await self.ask_with(assertion, **parameters)

    async def ask_with(self, assertion: str, **parameters: str) -> httpx.Response:
        """A token request with this client assertion."""
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **parameters,
        }
        return await self.http.post("/oauth/token", data=form)

    def claims(self, client: Client, **changes: Any) -> dict[str, Any]:
        """Good assertion claims with these changes; a value of None leaves the claim out."""
        now = int(time.time())
        claims = {
            "iss": client.client_id, "sub": client.client_id, "aud": self.issuer, "jti": secrets.token_hex(8),
            "iat": now, "exp": now + 60, **changes,
        }  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}


def new_key(**parameters: str) -> ECKey:
    """A P-256 key with a kid."""
    return ECKey.generate_key("P-256", parameters=parameters or None, auto_kid=True, private=True)


def sign(key: Key, claims: Any, algorithm: str = "ES256", **header: Any) -> str:
    """A compact JWS of any claims."""
    protected = {"alg": algorithm, "kid": key.kid, **header}
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    return jws.serialize_compact(protected, payload, key, algorithms=[algorithm])
