"""Cryptographic suites by name. Every stored hash, signature and ciphertext says its suite.

`intl` is ES256, SHA-256 and AES-256-GCM; `gm` (SM2, SM3, SM4-GCM) has its place here and comes later.
Client secrets are 256-bit random, so a fast hash is right for them; passwords take argon2id.
"""

import hashlib
import hmac
import os
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SUITE = "intl"
_hasher = PasswordHasher()


def digest(data: bytes) -> str:
    """Hex SHA-256: the digest of suite `intl`."""
    return hashlib.sha256(data).hexdigest()


def hash_secret(secret: str) -> str:
    """Stored form of a random secret, `intl$` and its digest."""
    return f"{SUITE}${digest(secret.encode())}"


def is_secret(secret: str, stored: str) -> bool:
    """Whether `secret` has the stored hash, compared in constant time."""
    return hmac.compare_digest(hash_secret(secret).encode(), stored.encode())


def hash_password(password: str) -> str:
    """argon2id with the library's defaults (RFC 9106, second recommended option)."""
    return _hasher.hash(password)


def is_password(password: str, stored: str) -> bool:
    """Whether the password matches; False for an empty or unreadable stored form."""
    try:
        return _hasher.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


class Vault:
    """Encrypts small secrets at rest (signing keys) under the installation's master key."""

    def __init__(self, master_key: bytes) -> None:
        if len(master_key) != 32:
            raise ValueError("the master key has 32 bytes")
        self._cipher = AESGCM(master_key)
        self._master_key = master_key

    def derive(self, label: str) -> bytes:
        """A 32-byte key of this installation for one purpose, the same every time, that tells nothing of others."""
        return hmac.new(self._master_key, b"kaimen:" + label.encode(), hashlib.sha256).digest()

    def seal(self, plain: bytes, context: str) -> str:
        """`intl$` and hex of nonce + ciphertext; `context` must be given again to open it."""
        nonce = os.urandom(12)
        return f"{SUITE}${(nonce + self._cipher.encrypt(nonce, plain, context.encode())).hex()}"

    def open(self, sealed: str, context: str) -> bytes:
        """The plain bytes; raises `cryptography.exceptions.InvalidTag` if altered or another's."""
        suite, _, text = sealed.partition("$")
        if suite != SUITE:
            raise ValueError(f"sealed by suite {suite!r}, which this build does not have")
        data = bytes.fromhex(text)
        return self._cipher.decrypt(data[:12], data[12:], context.encode())


def read_or_make_master_key(path: Path) -> bytes:
    """The 32-byte key in `path`; made at first use with mode 0600, never a default value."""
    try:
        return bytes.fromhex(path.read_text().strip())
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    fresh = os.urandom(32)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:  # another process was first
        return bytes.fromhex(path.read_text().strip())
    with os.fdopen(handle, "w") as file:
        file.write(fresh.hex() + "\n")
    return fresh
