"""Access tokens: RFC 9068 JWTs of type `at+jwt`, signed with ES256, issued and verified here.

Verification is synchronous and needs no database: the gateway calls it on its hot path, behind its cache.
Whether a token was revoked is asked apart (revocation.RevokedTokens), because that answer must not be cached.
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from msgspec import Struct

from api.core import clock
from api.core.problem_types import TOKEN_EXPIRED, TOKEN_INVALID, WRONG_ENVIRONMENT
from api.core.problems import Refusal, Text
from api.identity.oauth.jose import decode_segment, encode_segment, is_es256, sign_es256
from api.identity.oauth.keys import ALGORITHM, KeyRing

MAX_TOKEN_BYTES = 8192  # what proxies commonly take as one header line
MAX_SKEW_SECONDS = 60
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="kaimen", error="invalid_token"'}


class Claims(Struct, frozen=True, gc=False, omit_defaults=True):
    """What an access token says. Times are seconds since the epoch; `scope` is space-separated.

    `grant` names the consent behind the token, `consent` the hash of the text agreed to, and `sub` who agreed. For an
    app that acts for itself these are "" and `sub` is its client id. `cnf` names the key that the token is bound to:
    `jkt` (RFC 9449) or `x5t#S256` (RFC 8705).
    """

    iss: str
    sub: str
    client_id: str
    aud: str
    exp: int
    iat: int
    jti: str
    scope: str
    app: str
    env: str
    nbf: int = 0
    grant: str = ""
    authorization_details: tuple[dict[str, Any], ...] = ()
    consent: str = ""
    mandate: str = ""
    cnf: dict[str, str] = {}
    acr: str = ""
    auth_time: int = 0


class IssuedToken(Struct, frozen=True):
    """A signed token in its compact form, and its claims."""

    compact: str
    claims: Claims


class UnknownSigningKey(Refusal):
    """The token's key is not on the ring: perhaps new, so a caller may `ring.look_again()` once before refusing."""


class _Header(Struct):
    alg: str
    typ: str = ""
    kid: str = ""
    crit: list[str] | None = None


_encode = msgspec.json.Encoder().encode
_decode_claims = msgspec.json.Decoder(Claims).decode
_decode_header = msgspec.json.Decoder(_Header).decode

_NOT_A_TOKEN = Text("这不是本平台的访问令牌。", "This is no access token of this platform.")
_TOO_LONG = Text("令牌过长。", "The token is too long.")
_WRONG_TYPE = Text(
    "这个 JWT 的 typ 不是 at+jwt,因此不是访问令牌;不要发送身份令牌或客户端断言。",
    "The typ of this JWT is not at+jwt, so it is no access token; do not send an id token or a client assertion.",
)
_WRONG_ALGORITHM = Text("令牌须以 ES256 签名。", "The token has to be signed with ES256.")
_UNKNOWN_KEY = Text("签名密钥未知或已失效。", "The signing key is unknown or has gone.")
_BAD_SIGNATURE = Text("签名不符:令牌已被改动。", "The signature does not fit: the token was altered.")
_FOREIGN_ISSUER = Text("令牌由其他颁发者签发。", "The token was issued by someone else.")
_WRONG_AUDIENCE = Text("令牌的受众不是此接口。", "The token is meant for another audience than this.")
_NOT_YET = Text("令牌尚未生效;请校准时钟。", "The token is not valid yet; check the clocks.")


def issue(
    ring: KeyRing,
    *,
    issuer: str,
    audience: str,
    client_id: str,
    app_id: str,
    scope: str,
    seconds: int,
    **about: Any,
) -> IssuedToken:
    """A fresh access token of the ring's plane, living `seconds`, signed with the active key.

    `about` are further claims: who agreed to what (`sub`, `grant`, `consent`, …), and `cnf`.
    """
    now = int(clock.unix_seconds())
    claims = Claims(
        iss=issuer,
        sub=about.pop("sub", client_id),
        client_id=client_id,
        aud=audience,
        exp=now + seconds,
        iat=now,
        jti=secrets.token_urlsafe(16),
        scope=scope,
        app=app_id,
        env=ring.environment,
        **about,
    )
    signer = ring.signer
    signed = signer.header_segment + b"." + encode_segment(_encode(claims))
    signature = encode_segment(sign_es256(signed, signer.private_key))
    return IssuedToken(compact=(signed + b"." + signature).decode(), claims=claims)


def verify(
    token: bytes,
    ring: KeyRing,
    issuer: str,
    audience: str,
    other_issuers: Mapping[str, str] | None = None,
) -> Claims:
    """The claims of a token that this plane issued for `audience` and that holds now.

    `other_issuers` maps the names of the other environments to their issuers: a token of theirs is told so.
    Raises Refusal: TOKEN_INVALID (UnknownSigningKey for a key not on the ring), TOKEN_EXPIRED, WRONG_ENVIRONMENT.
    No revocation check. Source: RFC 9068 §4, RFC 8725 §3.
    """
    if len(token) > MAX_TOKEN_BYTES:
        raise _invalid(_TOO_LONG, issuer)
    try:
        header_segment, payload_segment, signature_segment = token.split(b".")
        claims = _decode_claims(decode_segment(payload_segment))
        signature = decode_segment(signature_segment)
    except (ValueError, msgspec.MsgspecError):
        raise _invalid(_why_unreadable(token), issuer) from None
    if claims.iss != issuer:
        raise _foreign(claims.iss, ring.environment, issuer, audience, other_issuers or {})
    key = ring.key_of_header(header_segment) or _key_of_other_header(header_segment, ring, issuer)
    if not is_es256(header_segment + b"." + payload_segment, signature, key):
        raise _invalid(_BAD_SIGNATURE, issuer)
    _check_times(claims, issuer)
    if claims.aud != audience or claims.env != ring.environment:
        raise _invalid(_WRONG_AUDIENCE, issuer)
    return claims


async def verify_or_look_again(
    token: bytes, ring: KeyRing, issuer: str, audience: str, other_issuers: Mapping[str, str] | None = None
) -> Claims:
    """Like `verify`; a token signed with a key that is new to this process makes it read the keys again once."""
    try:
        return verify(token, ring, issuer, audience, other_issuers)
    except UnknownSigningKey:
        if not await ring.look_again():
            raise
    return verify(token, ring, issuer, audience, other_issuers)


def _check_times(claims: Claims, issuer: str) -> None:
    now = clock.unix_seconds()
    if claims.exp <= now:
        raise Refusal(
            TOKEN_EXPIRED,
            headers=_CHALLENGE,
            expired_at=clock.to_text(datetime.fromtimestamp(claims.exp, UTC)),
            token_endpoint=f"{issuer}/oauth/token",
        )
    if claims.iat > now + MAX_SKEW_SECONDS or claims.nbf > now + MAX_SKEW_SECONDS:
        raise _invalid(_NOT_YET, issuer)


def _key_of_other_header(segment: bytes, ring: KeyRing, issuer: str) -> EllipticCurvePublicKey:
    """The key for a header that is not byte for byte ours: mostly the way to a good explanation."""
    try:
        header = _decode_header(decode_segment(segment))
    except (ValueError, msgspec.MsgspecError):
        raise _invalid(_NOT_A_TOKEN, issuer) from None
    if header.typ.lower() not in {"at+jwt", "application/at+jwt"}:
        raise _invalid(_WRONG_TYPE, issuer)
    if header.alg != ALGORITHM or header.crit is not None:
        raise _invalid(_WRONG_ALGORITHM, issuer)
    key = ring.key_of(header.kid)
    if key is None:
        raise UnknownSigningKey(
            TOKEN_INVALID, headers=_CHALLENGE, reason=_UNKNOWN_KEY, token_endpoint=f"{issuer}/oauth/token"
        )
    return key


def _why_unreadable(token: bytes) -> Text:
    """The JWT of another type has other claims; say so rather than that it is unreadable."""
    try:
        header = _decode_header(decode_segment(token.split(b".")[0]))
    except (ValueError, msgspec.MsgspecError):
        return _NOT_A_TOKEN
    return _NOT_A_TOKEN if header.typ.lower() == "at+jwt" else _WRONG_TYPE


def _foreign(
    presented: str, environment: str, issuer: str, audience: str, other_issuers: Mapping[str, str]
) -> Refusal:
    for name, other in other_issuers.items():
        if presented == other:
            return Refusal(
                WRONG_ENVIRONMENT,
                headers=_CHALLENGE,
                presented=name,
                here=environment,
                other_base=other + audience.removeprefix(issuer),
            )
    return _invalid(_FOREIGN_ISSUER, issuer)


def _invalid(reason: Text, issuer: str) -> Refusal:
    return Refusal(TOKEN_INVALID, headers=_CHALLENGE, reason=reason, token_endpoint=f"{issuer}/oauth/token")
