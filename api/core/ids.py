"""Identifiers: random, prefixed by what they name, safe in a URL, and case-insensitively unique."""

import os
import secrets

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i l o u


def random_id(prefix: str, size_bytes: int = 16) -> str:
    """`prefix_` and base32 of random bytes; 16 bytes give 26 characters."""
    return encode_id(prefix, os.urandom(size_bytes))


def encode_id(prefix: str, data: bytes) -> str:
    """`prefix_` and base32 of these bytes, for ids that are derived."""
    number = int.from_bytes(data, "big")
    length = (len(data) * 8 + 4) // 5
    return prefix + "_" + "".join(_ALPHABET[(number >> (5 * i)) & 31] for i in range(length - 1, -1, -1))


def random_secret(prefix: str) -> str:
    """A 256-bit secret for people to carry: `prefix_` and 43 URL-safe characters."""
    return prefix + "_" + secrets.token_urlsafe(32)
