"""The protocol side of the city's identity provider: clients, keys, codes, tokens.

Source: OpenID Connect Core 1.0, RFC 6749, RFC 7636 (S256 only), RFC 9207. Keys and client secrets are derived
from the installation's master key, so every process has the same and none is ever a default.
"""

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from msgspec import Struct

from api.core import clock, crypto, ids
from api.identity.installation import current, vault
from sandbox.city.identity_provider.accounts import CITIZENS, STAFF, Account, find_account
from sandbox.city.models import IdentityGrant

PATH = "/city/identity"
LEVELS = ("low", "substantial", "high")
AMR = {"low": ["pwd"], "substantial": ["pwd", "otp"], "high": ["hwk", "user"]}
SCOPES = ("openid", "profile", "email", "national", "offline_access")
CODE_LIFE, REFRESH_LIFE, ACCESS_SECONDS = timedelta(seconds=60), timedelta(days=30), 300
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class Client(Struct, frozen=True):
    """A relying party that the provider knows."""

    id: str
    secret: str
    audience: str
    redirect_uri: str


class Grant(Struct, frozen=True):
    """What a code or a refresh token stands for."""

    account: str
    scope: str
    acr: str
    auth_time: int
    nonce: str = ""
    challenge: str = ""
    redirect_uri: str = ""


def issuer() -> str:
    """The provider's issuer."""
    return current().settings.issuer_of("sandbox") + PATH


def acr_of(level: str) -> str:
    """How the provider names a level of assurance."""
    return f"urn:city:assurance:{level}"


def clients() -> dict[str, Client]:
    """The clients, by id: this platform's staff sign-in, and its live plane's citizens."""
    settings = current().settings
    rows = (
        ("kaimen-staff", STAFF, f"{settings.issuer_of('sandbox')}/sign-in/outside/city-staff/callback"),
        (
            "kaimen-citizens",
            CITIZENS,
            f"{settings.issuer_of('live')}/consents/outside/city-citizens/callback",
        ),
    )
    return {name: Client(name, _secret_of(name), audience, address) for name, audience, address in rows}


def _secret_of(client_id: str) -> str:
    return base64.urlsafe_b64encode(vault().derive(f"city-identity-client:{client_id}")).decode().rstrip("=")


def signing_key() -> ECKey:
    """The provider's key."""
    number = int.from_bytes(vault().derive("city-identity-key"), "big") % (_ORDER - 1) + 1
    key = ECKey.import_key(ec.derive_private_key(number, ec.SECP256R1()))
    key.ensure_kid()
    return key


def configuration() -> dict[str, Any]:
    """The discovery document. Source: OpenID Connect Discovery 1.0 §3."""
    here = issuer()
    return {
        "issuer": here,
        "authorization_endpoint": f"{here}/authorize",
        "token_endpoint": f"{here}/token",
        "userinfo_endpoint": f"{here}/userinfo",
        "jwks_uri": f"{here}/jwks",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": list(SCOPES),
        "acr_values_supported": [acr_of(level) for level in LEVELS],
        "authorization_response_iss_parameter_supported": True,
        "claims_supported": ["sub", "name", "birthdate", "email", "email_verified", "national_id", "organisation_code", "organisation_name", "department", "posts"],
    }  # fmt: skip


def client_by_basic(header: str) -> Client | None:
    """The client that authenticates by client_secret_basic, None where it does not."""
    scheme, _, credential = header.partition(" ")
    try:
        name, _, secret = base64.b64decode(credential, validate=True).decode().partition(":")
    except ValueError:
        return None
    client = clients().get(name)
    if scheme.lower() != "basic" or client is None:
        return None
    return client if hmac.compare_digest(secret.encode(), client.secret.encode()) else None


async def make_grant(kind: str, client_id: str, grant: Grant) -> str:
    """Store a code or a refresh token; its value, which is nowhere else."""
    value = ids.random_secret("ci")
    life = CODE_LIFE if kind == "code" else REFRESH_LIFE
    await IdentityGrant.filter(expires_at__lt=clock.now()).delete()
    await IdentityGrant.create(
        hash=crypto.hash_secret(value), kind=kind, client_id=client_id, data=msgspec.json.encode(grant).decode(),
        expires_at=clock.now() + life,
    )  # fmt: skip
    return value


async def redeem_code(client: Client, code: str, redirect_uri: str, verifier: str) -> Grant | None:
    """What a code stands for, once; None for one that is used, old, another client's, or without its verifier."""
    grant = await _find("code", client, code)
    if grant is None or grant.redirect_uri != redirect_uri or not _is_challenge(verifier, grant.challenge):
        return None
    used = await IdentityGrant.filter(hash=crypto.hash_secret(code), used_at=None).update(used_at=clock.now())
    return grant if used == 1 else None


async def refresh(client: Client, value: str) -> Grant | None:
    """What a refresh token stands for; it stays as it is."""
    return await _find("refresh", client, value)


async def _find(kind: str, client: Client, value: str) -> Grant | None:
    if not value.isascii() or len(value) > 64:
        return None
    row = await IdentityGrant.get_or_none(hash=crypto.hash_secret(value), kind=kind, client_id=client.id)
    if row is None or row.used_at is not None or row.expires_at <= clock.now():
        return None
    return msgspec.json.decode(row.data, type=Grant)


def _is_challenge(verifier: str, challenge: str) -> bool:
    if not 43 <= len(verifier) <= 128 or not verifier.isascii():
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(made, challenge)


def claims_of(account: Account, scope: str) -> dict[str, Any]:
    """What these scopes let an account tell."""
    said: dict[str, Any] = {"sub": account.subject}
    for name in scope.split():
        said |= account.claims.get(name, {})
    return said


def _sign(claims: dict[str, Any], typ: str) -> str:
    key = signing_key()
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": typ}, claims, key)


async def tokens(client: Client, grant: Grant, *, refresh_token: str) -> dict[str, Any] | None:
    """The token endpoint's answer; None when the account is shut out."""
    account = await find_account(grant.account)
    if account is None:
        return None
    now = int(clock.unix_seconds())
    access = {"iss": issuer(), "aud": issuer(), "sub": account.subject, "account": account.id, "scope": grant.scope, "iat": now, "exp": now + ACCESS_SECONDS}  # fmt: skip
    identity = {
        "iss": issuer(), "aud": client.id, "sub": account.subject, "iat": now, "exp": now + ACCESS_SECONDS,
        "auth_time": grant.auth_time, "acr": acr_of(grant.acr), "amr": AMR[grant.acr],
    }  # fmt: skip
    if grant.nonce:
        identity["nonce"] = grant.nonce
    return {
        "access_token": _sign(access, "at+jwt"),
        "token_type": "Bearer",
        "expires_in": ACCESS_SECONDS,
        "id_token": _sign(identity, "JWT"),
        "refresh_token": refresh_token,
        "scope": grant.scope,
    }


async def userinfo(header: str) -> dict[str, Any] | None:
    """What an access token lets its account tell; None for a bad token or an account that is shut out."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.isascii() or len(token) > 4096:
        return None
    try:
        read = jwt.decode(token, signing_key(), algorithms=["ES256"])
    except (JoseError, ValueError):
        return None
    claims = read.claims
    if (
        read.header.get("typ") != "at+jwt"
        or claims.get("iss") != issuer()
        or claims["exp"] <= clock.unix_seconds()
    ):
        return None
    account = await find_account(str(claims["account"]))
    return None if account is None else claims_of(account, str(claims["scope"]))
