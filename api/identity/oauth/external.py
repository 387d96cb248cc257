"""Access tokens of other issuers (RFC 9068): a Keycloak, say, whose clients are apps here. By their JWKS alone.

    KAIMEN_EXTERNAL_ISSUERS=[{"issuer": "https://id.example/realms/gov", "environment": "sandbox",
      "jwks_uri": "https://id.example/realms/gov/protocol/openid-connect/certs", "audience": "https://api.example/api",
      "client_claim": "azp", "apps": {"bank-client": "a_…"}, "scopes": {"company.read": "company:profile:read"}}]

Keys are read off the hot path, kept, and read again when a token names one that is unknown. Such a token stands
for an app and its subscriptions; no consent of ours is behind it, whatever it says.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from msgspec import Struct

from api.core import clock
from api.core.logging import log_warning
from api.core.problem_types import TOKEN_EXPIRED, TOKEN_INVALID
from api.core.problems import Refusal, Text
from api.identity.oauth.jose import ALGORITHMS, PublicKey, decode_segment, is_signed, older_name
from api.identity.oauth.tokens import MAX_SKEW_SECONDS, MAX_TOKEN_BYTES, Claims, UnknownSigningKey

READ_EVERY_SECONDS = 300.0
LOOK_AGAIN_SECONDS = (
    5.0  # how often tokens with unknown keys may make a process read the keys of an issuer again
)
MAX_KEYS = 50
MIN_RSA_BITS = 2048
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kaimen", error="invalid_token"'}
_TYPES = frozenset({"at+jwt", "application/at+jwt"})

Fetch = Callable[[str], Awaitable[Mapping[str, Any]]]


class IssuerSetting(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of the setting.

    `audience` is what the token's `aud` has to name. `client_claim` and `scope_claim` say where the issuer puts client
    id and scope (a text or a list). Which app a client is, `apps` says by client id, or `app_claim` where the issuer
    puts the app's id into a claim. `scopes` maps scopes that have other names there; all others keep theirs.
    """

    issuer: str
    jwks_uri: str
    audience: str
    environment: str
    client_claim: str = "client_id"
    scope_claim: str = "scope"
    app_claim: str = ""
    apps: dict[str, str] = {}
    scopes: dict[str, str] = {}


class SettingError(ValueError):
    """KAIMEN_EXTERNAL_ISSUERS cannot be used; the text says why, for operators."""


class _Header(Struct):
    alg: str
    typ: str = ""
    kid: str = ""
    crit: Any = None


class _Standard(Struct):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    iat: float
    jti: str
    nbf: float = 0.0
    acr: str = ""
    auth_time: float = 0.0
    cnf: dict[str, Any] = {}


class _Issuer(Struct):
    iss: str


_decode_header = msgspec.json.Decoder(_Header).decode
_decode_issuer = msgspec.json.Decoder(_Issuer).decode
_decode_standard = msgspec.json.Decoder(_Standard).decode
_decode_any = msgspec.json.Decoder(dict[str, Any]).decode

_UNREADABLE = Text("这不是可读的访问令牌。", "This is no access token that can be read.")
_WRONG_TYPE = Text(
    "这个 JWT 的 typ 不是 at+jwt;请让颁发者按 RFC 9068 签发访问令牌。",
    "The typ of this JWT is not at+jwt; have its issuer make access tokens by RFC 9068.",
)
_WRONG_ALGORITHM = Text(
    f"令牌须以 {'、'.join(ALGORITHMS)} 之一签名。",
    f"The token has to be signed with one of {', '.join(ALGORITHMS)}.",
)
_UNKNOWN_KEY = Text("颁发者的 JWKS 中没有签名密钥。", "The signing key is not in the JWKS of its issuer.")
_BAD_SIGNATURE = Text("签名不符:令牌已被改动。", "The signature does not fit: the token was altered.")
_WRONG_AUDIENCE = Text("令牌的受众不是此接口。", "The token is meant for another audience than this.")
_NOT_YET = Text("令牌尚未生效;请校准时钟。", "The token is not valid yet; check the clocks.")
_NO_CLIENT = Text("令牌没有说明客户端。", "The token does not name its client.")
_NO_APP = Text(
    "此颁发者的这个客户端没有对应的应用;请平台运维在 KAIMEN_EXTERNAL_ISSUERS 中登记。",
    "No app stands for this client of that issuer; have the operators enter it in KAIMEN_EXTERNAL_ISSUERS.",
)


def read_setting(text: str) -> list[IssuerSetting]:
    """The entries of the setting, all environments. Raises SettingError."""
    if not text:
        return []
    try:
        entries = msgspec.json.decode(text, type=list[IssuerSetting])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise SettingError(f"KAIMEN_EXTERNAL_ISSUERS: {error}") from None
    for one in entries:
        if not (one.issuer and one.jwks_uri and one.audience and one.client_claim and one.scope_claim):
            raise SettingError(
                "KAIMEN_EXTERNAL_ISSUERS: issuer, jwks_uri, audience and the names of claims are not empty"
            )
        if one.environment not in {"sandbox", "live"}:
            raise SettingError("KAIMEN_EXTERNAL_ISSUERS: environment is sandbox or live")
        if not one.apps and not one.app_claim:
            raise SettingError(f"KAIMEN_EXTERNAL_ISSUERS: {one.issuer} has neither apps nor app_claim")
    if len({(one.issuer, one.environment) for one in entries}) != len(entries):
        raise SettingError("KAIMEN_EXTERNAL_ISSUERS names an issuer twice")
    return entries


class ExternalIssuer:
    """One issuer and its keys, as this process has read them."""

    def __init__(self, setting: IssuerSetting, fetch: Fetch) -> None:
        self.setting = setting
        self._fetch = fetch
        self._keys: dict[str, tuple[str, PublicKey]] = {}  # kid -> its algorithm ("" for any that fits), key
        self._digest = b""
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def read(self) -> bool:
        """Read the keys. Whether they have changed; when they cannot be had, those that were known go on serving."""
        self._read_at = time.monotonic()
        try:
            body = await self._fetch(self.setting.jwks_uri)
        except (OSError, ValueError) as error:
            log_warning("external.keys_unread", issuer=self.setting.issuer, error=str(error)[:300])
            return False
        found = _keys_of(body)
        if not found:
            log_warning("external.no_keys", issuer=self.setting.issuer)
            return False
        digest = msgspec.json.encode(body["keys"], order="deterministic")
        changed = digest != self._digest
        self._keys, self._digest = found, digest
        return changed

    async def look_again(self) -> bool:
        """For a token whose key is unknown; so often at most. Those who come at the same time share one look."""
        digest = self._digest
        async with self._reading:
            if time.monotonic() - self._read_at >= LOOK_AGAIN_SECONDS:
                await self.read()
        return digest != self._digest

    def verify(self, token: bytes, environment: str) -> Claims:
        """What one of its tokens says, in our words. Raises Refusal: TOKEN_INVALID, TOKEN_EXPIRED. Source: RFC 9068 §4."""
        try:
            header_segment, payload_segment, signature_segment = token.split(b".")
            header = _decode_header(decode_segment(header_segment))
            payload = decode_segment(payload_segment)
            signature = decode_segment(signature_segment)
            claims, everything = _decode_standard(payload), _decode_any(payload)
        except (ValueError, msgspec.MsgspecError):
            raise self._invalid(_UNREADABLE) from None
        if header.typ.lower() not in _TYPES:
            raise self._invalid(_WRONG_TYPE)
        if header.alg not in ALGORITHMS or header.crit is not None:
            raise self._invalid(_WRONG_ALGORITHM)
        key = self._key_for(header)
        if not is_signed(header.alg, header_segment + b"." + payload_segment, signature, key):
            raise self._invalid(_BAD_SIGNATURE)
        self._check(claims)
        return self._translated(claims, everything, environment)

    def _key_for(self, header: _Header) -> PublicKey:
        known = self._keys.get(header.kid)
        if known is None and not header.kid and len(self._keys) == 1:
            known = next(iter(self._keys.values()))
        if known is None:
            raise UnknownSigningKey(
                TOKEN_INVALID, headers=_CHALLENGE, reason=_UNKNOWN_KEY, token_endpoint=self.setting.issuer
            )
        algorithm, key = known
        if algorithm and older_name(algorithm) != older_name(header.alg):
            raise self._invalid(_WRONG_ALGORITHM)
        return key

    def _check(self, claims: _Standard) -> None:
        now = clock.unix_seconds()
        if not claims.exp > now:
            raise Refusal(TOKEN_EXPIRED, headers=_CHALLENGE, token_endpoint=self.setting.issuer)
        if claims.iat > now + MAX_SKEW_SECONDS or claims.nbf > now + MAX_SKEW_SECONDS:
            raise self._invalid(_NOT_YET)
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if self.setting.audience not in audiences:
            raise self._invalid(_WRONG_AUDIENCE)

    def _invalid(self, reason: Text) -> Refusal:
        return Refusal(TOKEN_INVALID, headers=_CHALLENGE, reason=reason, token_endpoint=self.setting.issuer)

    def _translated(self, claims: _Standard, everything: dict[str, Any], environment: str) -> Claims:
        setting = self.setting
        client = everything.get(setting.client_claim)
        if not isinstance(client, str) or not client:
            raise self._invalid(_NO_CLIENT)
        app = setting.apps.get(client) or everything.get(setting.app_claim or "\0")
        if not isinstance(app, str) or not app:
            raise self._invalid(_NO_APP)
        scope = everything.get(setting.scope_claim) or ""
        names = scope.split() if isinstance(scope, str) else [one for one in scope if isinstance(one, str)]
        return Claims(
            iss=claims.iss,
            sub=client,  # who a person is there is nobody's business here
            client_id=client,
            aud=setting.audience,
            exp=int(min(claims.exp, 2**53)),
            iat=int(claims.iat),
            jti=f"{claims.iss} {claims.jti}",  # no token of ours has it, so none of ours is revoked by it
            scope=" ".join(setting.scopes.get(name, name) for name in names),
            app=app,
            env=environment,
            cnf={name: str(value) for name, value in claims.cnf.items()},
            acr=claims.acr,
            auth_time=int(min(claims.auth_time, 2**53)),
        )


class ExternalIssuers:
    """The other issuers of one plane: `verify` for their tokens, and the keeping of their keys."""

    def __init__(self, entries: list[IssuerSetting], environment: str, fetch: Fetch) -> None:
        self._environment = environment
        self._by_name = {
            one.issuer: ExternalIssuer(one, fetch) for one in entries if one.environment == environment
        }
        self.when_changed: Callable[[], None] | None = None

    def __len__(self) -> int:
        return len(self._by_name)

    def issuer_of(self, token: bytes) -> ExternalIssuer | None:
        """The issuer that this token names, unproven; None where it is none of these."""
        if len(token) > MAX_TOKEN_BYTES:
            return None
        try:
            return self._by_name.get(_decode_issuer(decode_segment(token.split(b".")[1])).iss)
        except (IndexError, ValueError, msgspec.MsgspecError):
            return None

    def verify(self, token: bytes, issuer: ExternalIssuer) -> Claims:
        """See ExternalIssuer.verify."""
        return issuer.verify(token, self._environment)

    async def read(self) -> None:
        """Read the keys of all of them; a job."""
        for one in self._by_name.values():
            if await one.read() and self.when_changed is not None:
                self.when_changed()

    async def look_again(self) -> bool:
        """For a refusal that may be stale. Whether any keys have changed."""
        changed = False
        for one in self._by_name.values():
            changed = await one.look_again() or changed
        if changed and self.when_changed is not None:
            self.when_changed()
        return changed


def _keys_of(body: Mapping[str, Any]) -> dict[str, tuple[str, PublicKey]]:
    """The public keys of a JWKS that sign; what we cannot use is left out."""
    keys = body.get("keys")
    found: dict[str, tuple[str, PublicKey]] = {}
    for jwk in keys[:MAX_KEYS] if isinstance(keys, list) else ():
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig":
            continue
        key = _read_key(jwk)
        if key is not None:
            found[str(jwk.get("kid", ""))] = (str(jwk.get("alg", "")), key)
    return found


def _read_key(jwk: dict[str, Any]) -> PublicKey | None:
    kinds: dict[str, Any] = {"EC": ECKey, "RSA": RSAKey, "OKP": OKPKey}
    kind = kinds.get(str(jwk.get("kty")))
    if kind is None or (jwk.get("kty"), jwk.get("crv")) not in {
        ("EC", "P-256"),
        ("OKP", "Ed25519"),
        ("RSA", None),
    }:
        return None
    members = {name: jwk[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in jwk}
    try:
        key: PublicKey = kind.import_key(members).get_op_key("verify")
    except (JoseError, ValueError, TypeError):
        return None
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        return None
    return key
