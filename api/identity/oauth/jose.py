"""The compact form of JOSE, strictly: three base64url segments without padding, nothing else (RFC 7515 §7.1).

Signatures are checked by algorithm name and key type together, so that no key can be used under another
algorithm than its own. There is no `none` and no HMAC here.
"""

import base64
import binascii

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

PublicKey = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey
ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256", "RS256")
_ES256 = ECDSA(SHA256())
_PSS = PSS(mgf=MGF1(SHA256()), salt_length=PSS.DIGEST_LENGTH)
_TO_STANDARD = bytes.maketrans(b"-_+/", b"+/!!")  # "+" and "/" belong to another alphabet: made invalid
_PADDING = (b"", b"", b"==", b"=")


def older_name(algorithm: str) -> str:
    """Ed25519 is the newer name of what was called EdDSA (RFC 9864); a key registered under one fits both."""
    return "EdDSA" if algorithm == "Ed25519" else algorithm


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


def is_signed(algorithm: str, signed: bytes, signature: bytes, key: PublicKey) -> bool:
    """Whether `key`, used under `algorithm` (one of ALGORITHMS), signed this; False for a key of another type."""
    try:
        match algorithm, key:
            case "ES256", EllipticCurvePublicKey() if key.curve.name == "secp256r1":
                return is_es256(signed, signature, key)
            case "EdDSA" | "Ed25519", Ed25519PublicKey():
                key.verify(signature, signed)
            case "PS256", RSAPublicKey():
                key.verify(signature, signed, _PSS, SHA256())
            case "RS256", RSAPublicKey():
                key.verify(signature, signed, PKCS1v15(), SHA256())
            case _:
                return False
    except InvalidSignature:
        return False
    return True
