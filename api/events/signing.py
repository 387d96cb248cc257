"""Signatures of the Standard Webhooks scheme: what proves to a receiver that an event comes from here, unaltered.

A message is `id.timestamp.body`. Each key signs it twice: `v1` (HMAC-SHA256, with the shared secret `whsec_…`) and
`v1a` (Ed25519, checked with the public key `whpk_…`). While a key rotates the header holds the signatures of
the new and of the old one, parted by spaces.
Source: Standard Webhooks specification 1.0, "Signature scheme".
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Struct

from api.core.crypto import Vault

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix that tells secrets apart, no secret
PUBLIC_PREFIX = "whpk_"
_SECRET_CONTEXT = "webhook:secret:"  # noqa: S105 - what the vault binds a sealed secret to
_PRIVATE_CONTEXT = "webhook:private:"


class KeyPair(Struct, frozen=True):
    """What signs: 32 bytes of HMAC secret, 32 bytes of Ed25519 private key."""

    secret: bytes
    private_key: bytes

    @property
    def secret_text(self) -> str:
        """The secret as its holder carries it."""
        return SECRET_PREFIX + base64.b64encode(self.secret).decode()

    @property
    def public_key(self) -> str:
        """The public key in base64, without its prefix."""
        raw = Ed25519PrivateKey.from_private_bytes(self.private_key).public_key().public_bytes_raw()
        return base64.b64encode(raw).decode()


def make_key_pair() -> KeyPair:
    """Fresh random keys."""
    return KeyPair(os.urandom(32), os.urandom(32))


def secret_of(text: str) -> bytes:
    """The bytes of a secret `whsec_…`. Raises ValueError for what is none."""
    if not text.startswith(SECRET_PREFIX):
        raise ValueError(f"a signing secret begins with {SECRET_PREFIX}")
    return base64.b64decode(text.removeprefix(SECRET_PREFIX), validate=True)


def seal(vault: Vault, key_id: str, pair: KeyPair) -> tuple[str, str]:
    """Secret and private key as they are stored."""
    return (
        vault.seal(pair.secret, _SECRET_CONTEXT + key_id),
        vault.seal(pair.private_key, _PRIVATE_CONTEXT + key_id),
    )


def unseal(vault: Vault, key_id: str, secret: str, private_key: str) -> KeyPair:
    """The keys that were sealed under this id."""
    return KeyPair(
        vault.open(secret, _SECRET_CONTEXT + key_id), vault.open(private_key, _PRIVATE_CONTEXT + key_id)
    )


def signature_of(pairs: Sequence[KeyPair], message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: for each key `v1,…` and `v1a,…`, the newest key first."""
    message = f"{message_id}.{timestamp}.".encode() + body
    signatures = []
    for pair in pairs:
        signatures.append("v1," + _base64(hmac.digest(pair.secret, message, hashlib.sha256)))
        signatures.append(
            "v1a," + _base64(Ed25519PrivateKey.from_private_bytes(pair.private_key).sign(message))
        )
    return " ".join(signatures)


def signed_headers(
    pairs: Sequence[KeyPair], message_id: str, moment: datetime, body: bytes
) -> dict[str, str]:
    """The three headers of a message sent at `moment`: `webhook-id`, `webhook-timestamp`, `webhook-signature`."""
    timestamp = int(moment.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signature_of(pairs, message_id, timestamp, body),
    }


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
