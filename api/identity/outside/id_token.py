"""Is this ID token the provider's, for us, for this very sign-in. The cryptography is joserfc's.

Source: OpenID Connect Core 1.0 §3.1.3.7. Algorithms are a fixed list: no `none`, no HMAC.
"""

from typing import Any

import msgspec
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry

from api.core import clock
from api.identity.outside.discovery import Directory

ALGORITHMS = ("ES256", "ES384", "PS256", "RS256")
MAX_LENGTH = 16 * 1024
LEEWAY_SECONDS = 60
MAX_AGE_SECONDS = 600  # since it was issued
MAX_SUBJECT = 255


class TokenError(Exception):
    """The token is not acceptable. The text is for operators and holds nothing of the token."""


async def read_id_token(
    token: object, directory: Directory, issuer: str, client_id: str, *, nonce: str | None
) -> dict[str, Any]:
    """The claims of a good token. `nonce` None: after a refresh, where it may be missing. Raises TokenError, CallError."""
    if not isinstance(token, str) or not token.isascii() or len(token) > MAX_LENGTH:
        raise TokenError("there is no ID token, or it is too long")
    kid, algorithm = _header(token)
    claims: dict[str, Any] | None = None
    for row in await directory.keys(issuer, kid):
        if row.get("alg", algorithm) != algorithm:
            continue
        try:
            claims = dict(jwt.decode(token, JWKRegistry.import_key(row), algorithms=[algorithm]).claims)
            break
        except (JoseError, ValueError, KeyError, TypeError):
            continue
    if claims is None:
        raise TokenError("no key of the provider signed the ID token")
    _check(claims, issuer, client_id, nonce)
    return claims


def _header(token: str) -> tuple[str, str]:
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, msgspec.DecodeError) as error:
        raise TokenError("the ID token is no signed JWT") from error
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if algorithm not in ALGORITHMS or not isinstance(kid, str):
        raise TokenError(
            f"the ID token is signed by {str(algorithm)[:20]}; of use are {', '.join(ALGORITHMS)}"
        )
    return kid, algorithm


def _check(claims: dict[str, Any], issuer: str, client_id: str, nonce: str | None) -> None:
    now = clock.unix_seconds()
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    expires, issued = claims.get("exp"), claims.get("iat")
    subject = claims.get("sub")
    faults = (
        (claims.get("iss") != issuer, "another issuer"),
        (client_id not in audiences, "another audience"),
        (len(audiences) > 1 and claims.get("azp") != client_id, "another authorized party"),
        ("azp" in claims and claims["azp"] != client_id, "another authorized party"),
        (not _is_number(expires) or expires <= now - LEEWAY_SECONDS, "it has expired"),  # type: ignore[operator]  # a number by then
        (not _is_number(issued) or not now - MAX_AGE_SECONDS < issued < now + LEEWAY_SECONDS, "it is not from just now"),  # type: ignore[operator]  # a number by then
        (not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT or not subject.isprintable(), "no usable subject"),
        (nonce is not None and claims.get("nonce") != nonce, "another sign-in's nonce"),
    )  # fmt: skip
    for is_fault, words in faults:
        if is_fault:
            raise TokenError(f"the ID token is not acceptable: {words}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
