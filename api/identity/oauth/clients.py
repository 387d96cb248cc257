"""Apps as OAuth clients: read from the control store, kept in memory exactly as long as nothing changed.

Before a client is used, the directory reads the change feed (one look-up by primary key that mostly finds
nothing), so a secret that was revoked a moment ago is refused now, on every process.
"""

import asyncio
import hmac
import re
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry
from msgspec import Struct

from api.core import clock, crypto, store
from api.core.models import ControlChange
from api.identity.models import App, AppSecret
from api.identity.oauth.jose import PublicKey, older_name
from api.identity.oauth.mtls import Certificate
from api.identity.oauth.rights import Rights
from api.identity.oauth.scopes import GrantedScopes, PublishedScopes, grant_scopes

MAX_CACHED = 4096
MAX_SECRETS = 25  # five may be valid at once; older ones are kept to explain why they no longer work
PREFIXES = {"sandbox": "kt_", "live": "kl_"}
_is_client_id = re.compile(
    r"k[tl]_[0-9a-z]{1,37}"
).fullmatch  # also: what never may reach the database does not


class Secret(Struct, frozen=True):
    """A secret's hash and what is needed to explain its state."""

    id: str
    hash: str
    hint: str
    expires_at: datetime | None
    is_revoked: bool

    def refusal(self) -> str:
        """Why this secret no longer counts; "" while it does."""
        if self.is_revoked:
            return (
                f"The secret that ends in {self.hint} was revoked. Use another secret of the app, or add one."
            )
        if self.expires_at is not None and self.expires_at <= clock.now():
            moment = clock.to_text(self.expires_at)
            return f"The secret that ends in {self.hint} expired at {moment}. Add a new secret to the app."
        return ""


class ClientKey(Struct, frozen=True):
    """A public key of an app: imported once, with the algorithm its JWK names, or ""."""

    kid: str
    algorithm: str
    key: PublicKey


class Client(ClientMixin):
    """One app as authlib sees it. Immutable after loading; requests share it."""

    def __init__(
        self, app: App, secrets: list[Secret], keys: list[ClientKey], granted: GrantedScopes
    ) -> None:
        self.client_id = app.client_id
        self.app_id = app.id
        self.environment = app.environment
        self.status = app.status
        self.name = app.name
        self.auth_method = app.auth_method
        self.profile = app.profile
        self.is_public = app.auth_method == "none"
        self.grant_types = frozenset(app.grant_types)
        self.redirect_uris = frozenset(app.redirect_uris)
        self.post_logout_redirect_uris = frozenset(app.post_logout_redirect_uris)
        self.token_binding = app.token_binding
        self.certificate_thumbprint = app.certificate_thumbprint
        self.certificate_subject = app.certificate_subject
        self.secrets = secrets
        self.keys = keys
        self.granted = granted

    def get_client_id(self) -> str:
        return self.client_id

    def matching_secret(self, presented: str) -> Secret | None:
        """The secret that was presented, valid or not; every stored hash is compared, in constant time."""
        fingerprint = crypto.hash_secret(presented).encode()
        found = None
        for secret in self.secrets:
            if hmac.compare_digest(fingerprint, secret.hash.encode()):
                found = secret
        return found

    def check_client_secret(self, client_secret: str) -> bool:
        secret = self.matching_secret(client_secret)
        return secret is not None and not secret.refusal()

    @property
    def is_fapi(self) -> bool:
        """Whether the client keeps the FAPI 2.0 Security Profile."""
        return self.profile == "fapi2"

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        if self.auth_method == "client_secret":
            return method in {"client_secret_basic", "client_secret_post"} and not self.is_fapi
        return method == self.auth_method

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types and not (self.is_public and grant_type == "client_credentials")

    def has_certificate(self, certificate: Certificate) -> bool:
        """Whether this certificate is the registered one, by everything that is registered of it."""
        expected = [
            (self.certificate_thumbprint, certificate.thumbprint),
            (self.certificate_subject, certificate.subject),
        ]
        return any(one for one, _ in expected) and all(
            not one or hmac.compare_digest(one.encode(), presented.encode()) for one, presented in expected
        )


def import_keys(jwks: Mapping[str, Any]) -> list[ClientKey]:
    """The usable public keys of a JWK set; secrets (`oct`), encryption keys and unreadable entries are left out."""
    keys = []
    for jwk in jwks.get("keys") or []:
        if not isinstance(jwk, dict) or jwk.get("kty") == "oct" or jwk.get("use") == "enc":
            continue
        try:
            key = JWKRegistry.import_key(dict(jwk)).get_op_key("verify")
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, PublicKey):
            keys.append(ClientKey(str(jwk.get("kid", "")), older_name(str(jwk.get("alg", ""))), key))
    return keys


class ClientDirectory:
    """Clients of one environment by client id. Call `catch_up`, then `find`."""

    def __init__(self, environment: str, rights: Rights) -> None:
        self.environment = environment
        self._rights = rights
        self._published: PublishedScopes | None = None
        self._clients: OrderedDict[str, Client] = OrderedDict()
        self._client_of_app: dict[str, str] = {}
        self._position = -1
        self._drops = 0
        self._reads = 0
        self._reading = asyncio.Lock()

    async def find(self, client_id: str) -> Client | None:
        """The client as of the last `catch_up`, or None where there is no such app here."""
        if not _is_client_id(client_id) or not client_id.startswith(PREFIXES[self.environment]):
            return None
        client = self._clients.get(client_id)
        if client is not None:
            self._clients.move_to_end(client_id)
            return client
        drops = self._drops
        client = await _load(client_id, self.environment, self._rights, await self.published())
        if client is not None and drops == self._drops:  # else something changed while it was read
            self._clients[client_id] = client
            self._client_of_app[client.app_id] = client_id
            if len(self._clients) > MAX_CACHED:
                _, oldest = self._clients.popitem(last=False)
                self._client_of_app.pop(oldest.app_id, None)
        return client

    async def published(self) -> PublishedScopes:
        """The scopes published here, as of the last `catch_up`."""
        published = self._published
        if published is None:
            drops = self._drops
            published = await self._rights.published()
            if drops == self._drops:
                self._published = published
        return published

    async def catch_up(self) -> None:
        """Forget what changed up to now. Requests that wait at the same time share one reading of the feed."""
        reads = self._reads
        async with self._reading:
            if self._reads > reads:  # a reading began after we came, and has ended
                return
            self._reads += 1
            if self._position < 0:
                newest = await ControlChange.all().order_by("-id").first()
                self._position = newest.id if newest is not None else 0
                return
            connection = store.control()
            mark = store.placeholders(connection, 1)
            rows = await connection.execute_query_dict(
                f"SELECT id, kind, key FROM control_change WHERE id > {mark} ORDER BY id",  # noqa: S608
                [self._position],
            )
            for row in rows:
                self._forget(row["kind"], row["key"])
                self._position = row["id"]

    def _forget(self, kind: str, key: str) -> None:
        self._drops += 1
        if kind in {"app", "subscription"}:
            client_id = self._client_of_app.pop(key, "")
            self._clients.pop(client_id, None)
        elif kind in {"publication", "plan"}:
            self._published = None
            self._clients.clear()
            self._client_of_app.clear()


async def _load(
    client_id: str, environment: str, rights: Rights, published: PublishedScopes
) -> Client | None:
    app = await App.get_or_none(client_id=client_id, environment=environment)
    if app is None:
        return None
    rows = await AppSecret.filter(app_id=app.id).order_by("-created_at").limit(MAX_SECRETS)
    secrets = [Secret(row.id, row.hash, row.hint, row.expires_at, row.revoked_at is not None) for row in rows]
    granted = grant_scopes(await rights.granted(app.id), app.platform_scopes, published)
    return Client(app, secrets, import_keys(app.jwks or {}), granted)
