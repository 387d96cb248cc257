"""The compact form of JOSE, strictly: three base64url segments without padding, nothing else (RFC 7515 §7.1)."""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

_ES256 = ECDSA(SHA256())
_TO_STANDARD = bytes.maketrans(b"-_+/", b"+/!!")  # "+" and "/" belong to another alphabet: made invalid
_PADDING = (b"", b"", b"==", b"=")


def encode_segment(data: bytes) -> bytes:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode_segment(segment: bytes) -> bytes:
    """The bytes of a segment; raises ValueError for any other alphabet, padding or length."""
    if b"=" in segment:
        raise ValueError("a segment has no padding")
    try:
        return binascii.a2b_base64(
            segment.translate(_TO_STANDARD) + _PADDING[len(segment) % 4], strict_mode=True
        )
    except binascii.Error as error:
        raise ValueError(str(error)) from None


def sign_es256(signed: bytes, key: EllipticCurvePrivateKey) -> bytes:
    """The 64 bytes R || S over `signed` (RFC 7518 §3.4)."""
    r, s = decode_dss_signature(key.sign(signed, _ES256))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def is_es256(signed: bytes, signature: bytes, key: EllipticCurvePublicKey) -> bool:
    """Whether the 64-byte signature over `signed` is the key's."""
    if len(signature) != 64:
        return False
    der = encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
    try:
        key.verify(der, signed, _ES256)
    except InvalidSignature:
        return False
    return True
