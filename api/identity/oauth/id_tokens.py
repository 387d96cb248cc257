"""ID tokens (OpenID Connect Core §2): who signed in, when and how well, for the app that asked with scope `openid`.

The subject is the same for every app of an environment (`public`): the access token that comes along names it too,
to the gateway, so a pairwise id here would promise what it does not keep. It is a pseudonym: made by a key of this
installation, another one in the sandbox and live, and no identity number can be worked out from it.
"""

import hashlib
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from api.core import clock
from api.identity.oauth.jose import decode_segment, encode_segment, is_es256, sign_es256
from api.identity.oauth.keys import ALGORITHM, KeyRing

SCOPE = "openid"
PROFILE = "profile"
SCOPES = (SCOPE, PROFILE)
CLAIMS = ("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "at_hash", "name", "birthdate")
MAX_BYTES = 8192


class Hint(Struct, frozen=True):
    """What an ID token of ours says, expired or not: enough to know whose session is meant (RP-initiated logout §2)."""

    iss: str
    sub: str
    aud: str


def issue_id_token(
    ring: KeyRing, *, issuer: str, client_id: str, subject: str, access_token: str, seconds: int, auth_time: int = 0,
    nonce: str = "", acr: str = "",
) -> str:  # fmt: skip
    """An ID token for the client, signed with the active key, living `seconds`.

    `auth_time` is when the subject signed in (seconds since the epoch, 0 for unknown), `nonce` what the client sent,
    `acr` how sure the identity is. `at_hash` ties it to the access token. Source: OIDC Core §2, §3.1.3.6.
    """
    now = int(clock.unix_seconds())
    claims: dict[str, Any] = {
        "iss": issuer, "sub": subject, "aud": client_id, "exp": now + seconds, "iat": now,
        "at_hash": half_hash(access_token),
    }  # fmt: skip
    claims |= {
        name: value for name, value in (("auth_time", auth_time), ("nonce", nonce), ("acr", acr)) if value
    }
    signer = ring.signer
    signed = _header(signer.kid) + b"." + encode_segment(msgspec.json.encode(claims))
    return (signed + b"." + encode_segment(sign_es256(signed, signer.private_key))).decode()


def half_hash(value: str) -> str:
    """The left half of the SHA-256, as `at_hash` and `c_hash` have it (OIDC Core §3.1.3.6)."""
    return encode_segment(hashlib.sha256(value.encode("ascii")).digest()[:16]).decode()


def read_hint(token: str, ring: KeyRing, issuer: str) -> Hint | None:
    """What an ID token of this issuer says, its time left aside; None for anything else."""
    try:
        raw = token.encode("ascii")
        header_segment, payload_segment, signature_segment = raw.split(b".")
        header = msgspec.json.decode(decode_segment(header_segment))
        hint = msgspec.json.decode(decode_segment(payload_segment), type=Hint)
        signature = decode_segment(signature_segment)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None
    if len(raw) > MAX_BYTES or not isinstance(header, dict) or header.get("typ", "JWT") != "JWT":
        return None
    key = ring.key_of(str(header.get("kid", "")))
    if key is None or header.get("alg") != ALGORITHM or "crit" in header or hint.iss != issuer:
        return None
    return hint if is_es256(header_segment + b"." + payload_segment, signature, key) else None


@lru_cache(8)
def _header(kid: str) -> bytes:
    return encode_segment(msgspec.json.encode({"alg": ALGORITHM, "typ": "JWT", "kid": kid}))
