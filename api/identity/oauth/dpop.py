"""DPoP proofs (RFC 9449): one JWT for one request, signed with the key to which a token is bound.

The token endpoint and the gateway read them here. Whether a proof was used before is asked apart (UsedProof and
the gateway's used_proofs): that question takes a store, and all of this takes none.
"""

import base64
import hashlib
import hmac
import re
import time
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from msgspec import Struct

from api.core.problems import Text
from api.identity.oauth.jose import PublicKey, decode_segment, encode_segment, is_signed

ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256")
MAX_PROOF_BYTES = 4096
PROOF_SECONDS = 60  # how far a clock may be off; with a nonce of ours it may be off by any amount
NONCE_SECONDS = 120  # a nonce is good for this long at least, for twice as long at most
REPLAY_SECONDS = 2 * NONCE_SECONDS + PROOF_SECONDS  # no proof is good longer than this after its first use

_TYPE = "dpop+jwt"
_BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,1400}")
_MEMBERS = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}  # RFC 7638 §3.2
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_UNRESERVED = "-._~!$&'()*+,;=:@/"
_PORTS = {"http": 80, "https": 443}


class ProofError(Exception):
    """Why a proof is not taken, and `rule`, a word for it. `wants_nonce`: send the client a fresh nonce along."""

    def __init__(self, rule: str, reason: Text, *, wants_nonce: bool = False) -> None:
        super().__init__(reason.en)
        self.rule = rule
        self.reason = reason
        self.wants_nonce = wants_nonce


class ProofKey(Struct, frozen=True):
    """The key in the header of a proof. Clients send the same header each time, so it is read once."""

    header_segment: bytes
    algorithm: str
    jkt: str  # RFC 7638 thumbprint
    key: PublicKey


class Proof(Struct, frozen=True):
    """A proof that fits its request. `expires_at` (seconds since the epoch): until when its use must be remembered."""

    key: ProofKey
    jti: str
    nonce: str
    expires_at: float

    def digest(self, context: str) -> str:
        """64 hexadecimal characters by which its use is remembered; `context` keeps endpoints apart."""
        return hashlib.sha256(f"{context}\n{self.key.jkt}\n{self.jti}".encode()).hexdigest()


class _Header(Struct):
    typ: str
    alg: str
    jwk: dict[str, Any]
    crit: Any = None


class _Claims(Struct):
    jti: str
    htm: str
    htu: str
    iat: float
    ath: str = ""
    nonce: str = ""


_decode_header = msgspec.json.Decoder(_Header).decode
_decode_claims = msgspec.json.Decoder(_Claims).decode

_UNREADABLE = Text("DPoP 证明不是可读的 JWT。", "The DPoP proof is no JWT that can be read.")
_WRONG_TYPE = Text("证明的 typ 须为 dpop+jwt。", "The typ of a proof is dpop+jwt.")
_WRONG_ALGORITHM = Text(
    f"证明须以 {'、'.join(ALGORITHMS)} 之一签名。", f"A proof is signed with one of {', '.join(ALGORITHMS)}."
)
_WRONG_KEY = Text(
    "证明的 jwk 须是与算法相符的公钥(P-256、Ed25519 或 2048 至 4096 位 RSA),不得含私钥成员。",
    "The jwk of a proof is a public key for its algorithm (P-256, Ed25519, RSA of 2048 to 4096 bits), with no private member.",
)
_BAD_SIGNATURE = Text("证明的签名不符。", "The signature of the proof does not fit.")
_BAD_JTI = Text("证明的 jti 须为 1 至 256 个字符。", "The jti of a proof has 1 to 256 characters.")
_HTM = Text("证明的 htm 不是此请求的方法。", "The htm of the proof is not the method of this request.")
_HTU = Text(
    "证明的 htu 不是此请求的公开地址(不含查询)。",
    "The htu of the proof is not the public address of this request (without its query).",
)
_ATH = Text("证明的 ath 不是此令牌的散列。", "The ath of the proof is not the hash of this token.")
_NONCE = Text(
    "证明须带服务器给的 nonce;见 DPoP-Nonce 头。",
    "The proof needs the server's nonce; see the header DPoP-Nonce.",
)
_IAT = Text(
    f"证明的 iat 与服务器时间相差超过 {PROOF_SECONDS} 秒;校准时钟,或带上 DPoP-Nonce 头给的 nonce。",
    f"The iat of the proof is more than {PROOF_SECONDS} s off; mend the clock, or send the nonce of the header DPoP-Nonce.",
)


class Nonces:
    """Nonces for proofs, the same in all processes of an installation that derive the same key; nothing is stored."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._made: dict[int, str] = {}

    def current(self) -> str:
        """The nonce to give out now."""
        return self._of(int(time.time() // NONCE_SECONDS))

    def is_good(self, nonce: str) -> bool:
        """Whether it was given out lately."""
        now = int(time.time() // NONCE_SECONDS)
        return nonce.isascii() and any(hmac.compare_digest(nonce, self._of(slot)) for slot in (now, now - 1))

    def _of(self, slot: int) -> str:
        known = self._made.get(slot)
        if known is None:
            digest = hmac.new(self._key, b"%d" % slot, hashlib.sha256).digest()
            known = base64.urlsafe_b64encode(digest[:18]).decode()
            self._made = {one: nonce for one, nonce in self._made.items() if one >= slot - 1} | {slot: known}
        return known


def hash_of_token(token: bytes) -> str:
    """What `ath` says of a token (RFC 9449 §4.2)."""
    return encode_segment(hashlib.sha256(token).digest()).decode()


def read_proof(
    proof: bytes,
    *,
    method: str,
    address: str,
    nonces: Nonces,
    token_hash: str = "",
    needs_nonce: bool = False,
    known: ProofKey | None = None,
) -> Proof:
    """A proof for this very request. Raises ProofError for any other.

    `address` is the request's public URL without query; `token_hash` is that of the token it comes with, "" at the
    token endpoint. `known` is the key of the client's last proof. Not checked: whose key it is, and whether the
    proof was used before. Source: RFC 9449 §4.3.
    """
    if len(proof) > MAX_PROOF_BYTES:
        raise ProofError("unreadable", _UNREADABLE)
    try:
        header_segment, payload_segment, signature_segment = proof.split(b".")
        claims = _decode_claims(decode_segment(payload_segment))
        signature = decode_segment(signature_segment)
    except (ValueError, msgspec.MsgspecError):
        raise ProofError("unreadable", _UNREADABLE) from None
    if known is None or known.header_segment != header_segment:
        known = _read_key(header_segment)
    if not is_signed(known.algorithm, header_segment + b"." + payload_segment, signature, known.key):
        raise ProofError("signature", _BAD_SIGNATURE)
    _check_claims(claims, method, address, token_hash)
    _check_age(claims, nonces, needs_nonce=needs_nonce)
    return Proof(known, claims.jti, claims.nonce, time.time() + REPLAY_SECONDS)


def _check_claims(claims: _Claims, method: str, address: str, token_hash: str) -> None:
    if not 1 <= len(claims.jti) <= 256:
        raise ProofError("jti", _BAD_JTI)
    if claims.htm != method:
        raise ProofError("htm", _HTM)
    if claims.htu != address and normal_address(claims.htu) != normal_address(address):
        raise ProofError("htu", _HTU)
    if token_hash and claims.ath != token_hash:
        raise ProofError("ath", _ATH)


def _check_age(claims: _Claims, nonces: Nonces, *, needs_nonce: bool) -> None:
    if claims.nonce:
        if not nonces.is_good(claims.nonce):
            raise ProofError("nonce", _NONCE, wants_nonce=True)
    elif needs_nonce:
        raise ProofError("nonce", _NONCE, wants_nonce=True)
    elif not abs(claims.iat - time.time()) <= PROOF_SECONDS:
        raise ProofError("iat", _IAT, wants_nonce=True)


def _read_key(header_segment: bytes) -> ProofKey:
    try:
        header = _decode_header(decode_segment(header_segment))
    except (ValueError, msgspec.MsgspecError):
        raise ProofError("unreadable", _UNREADABLE) from None
    if header.typ.lower() != _TYPE:
        raise ProofError("typ", _WRONG_TYPE)
    if header.alg not in ALGORITHMS or header.crit is not None:
        raise ProofError("alg", _WRONG_ALGORITHM)
    jwk = header.jwk
    names = _MEMBERS.get(str(jwk.get("kty")), ())
    members = {name: jwk.get(name) for name in names}
    is_whole = all(isinstance(value, str) and _BASE64URL.fullmatch(value) for value in members.values())
    if not names or not is_whole or not _PRIVATE.isdisjoint(jwk) or jwk.get("alg", header.alg) != header.alg:
        raise ProofError("jwk", _WRONG_KEY)
    thumbprint = hashlib.sha256(msgspec.json.encode(members)).digest()
    return ProofKey(
        header_segment, header.alg, encode_segment(thumbprint).decode(), _import(header.alg, members)
    )


def _import(algorithm: str, members: dict[str, Any]) -> PublicKey:
    try:
        numbers = {
            name: decode_segment(members[name].encode()) for name in members.keys() & {"x", "y", "n", "e"}
        }
        match algorithm, members["kty"], members.get("crv", ""):
            case "ES256", "EC", "P-256" if len(numbers["x"]) == len(numbers["y"]) == 32:
                x, y = (int.from_bytes(numbers[name], "big") for name in ("x", "y"))
                return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
            case "EdDSA" | "Ed25519", "OKP", "Ed25519":
                return Ed25519PublicKey.from_public_bytes(numbers["x"])
            case "PS256", "RSA", _ if 256 <= len(numbers["n"]) <= 512 and len(numbers["e"]) <= 4:
                modulus, exponent = (int.from_bytes(numbers[name], "big") for name in ("n", "e"))
                return RSAPublicNumbers(exponent, modulus).public_key()
    except (ValueError, UnsupportedAlgorithm):
        pass
    raise ProofError("jwk", _WRONG_KEY)


@lru_cache(4096)
def normal_address(address: str) -> str:
    """An address in the normal form in which two of them are compared: no query, no fragment (RFC 3986 §6.2)."""
    try:
        parts = urlsplit(address[:4096])
        scheme, host, port = parts.scheme.lower(), (parts.hostname or "").lower(), parts.port
    except ValueError:
        return ""
    if not host or parts.username is not None:
        return ""
    shown = "" if port is None or port == _PORTS.get(scheme) else f":{port}"
    path = (
        quote(unquote_to_bytes(parts.path), safe=_UNRESERVED)
        if "%2f" not in parts.path.lower()
        else parts.path
    )
    return f"{scheme}://{host}{shown}{path or '/'}"
