"""Keys: assertions and proofs signed with ES256, and Ed25519 signatures. Needs the extra `keys` (cryptography).

Source: RFC 7515, RFC 7518 §3.4, RFC 7523, RFC 9449.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from .errors import KaimenError, KeysMissingError

_NEEDED = "private_key, dpop and v1a signatures need the cryptography package: install the extra `keys`, or cryptography itself"


class SigningKey(NamedTuple):
    """An EC key of P-256. It shows nothing of itself."""

    key: Any
    kid: str
    public: dict[str, str]

    def __repr__(self) -> str:
        return "SigningKey(***)"

    def sign(self, header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
        """A compact JWS."""
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        from cryptography.hazmat.primitives.hashes import SHA256

        ec = _ec()
        text = f"{_part(header)}.{_part(claims)}"
        first, second = decode_dss_signature(self.key.sign(text.encode(), ec.ECDSA(SHA256())))
        return f"{text}.{url64(first.to_bytes(32, 'big') + second.to_bytes(32, 'big'))}"


def url64(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def sha256_url64(text: str) -> str:
    """The digest that binds a proof to its token."""
    return url64(hashlib.sha256(text.encode()).digest())


def fresh_key() -> SigningKey:
    """A new key, which never leaves this process."""
    ec = _ec()
    return _signing_key(ec.generate_private_key(ec.SECP256R1()), "")


def key_of(given: str | bytes | Mapping[str, Any]) -> SigningKey:
    """A key of a JWK (mapping or JSON) or PEM. Raises KaimenError where it is no private key of P-256."""
    ec = _ec()
    try:
        if isinstance(given, str | bytes) and given.strip()[:1] not in {"{", b"{"}:
            from cryptography.hazmat.primitives.serialization import load_pem_private_key

            data = given.encode() if isinstance(given, str) else given
            return _signing_key(load_pem_private_key(data, password=None), "")
        jwk = given if isinstance(given, Mapping) else json.loads(given)
        secret = int.from_bytes(_bytes(jwk["d"]), "big")
        kid = jwk.get("kid")
        return _signing_key(
            ec.derive_private_key(secret, ec.SECP256R1()), kid if isinstance(kid, str) else ""
        )
    except (ValueError, KeyError, TypeError):
        raise KaimenError("private_key is a private EC key of P-256, as JWK or PEM") from None


def holds(public: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether an Ed25519 signature holds."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    except ImportError:
        raise KeysMissingError(_NEEDED) from None
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _ec() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError:
        raise KeysMissingError(_NEEDED) from None
    return ec


def _signing_key(key: Any, kid: str) -> SigningKey:
    numbers = key.public_key().public_numbers()
    if numbers.curve.name != "secp256r1":
        raise ValueError("another curve")
    public = {
        "kty": "EC", "crv": "P-256",
        "x": url64(numbers.x.to_bytes(32, "big")), "y": url64(numbers.y.to_bytes(32, "big")),
    }  # fmt: skip
    return SigningKey(key, kid, public)


def _part(value: Mapping[str, Any]) -> str:
    return url64(json.dumps(value, separators=(",", ":")).encode())


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
