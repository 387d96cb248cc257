"""DPoP (RFC 9449): reading a proof that the sender of a request holds a key. For the server's endpoints and the gateway.

Everything but the one use is checked here, without a database: `replay_key` names the use, and whoever accepts a
proof has to make sure that it is the first of its name. Nonces are made from the installation's key and the time,
so every process knows those of the others.
"""

import hashlib
import hmac
import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from msgspec import Struct

from api.core.problems import Text
from api.identity.oauth.jose import PublicKey, decode_segment, encode_segment, is_signed

ALGORITHMS = ("ES256", "PS256", "EdDSA", "Ed25519")
MAX_PROOF_BYTES = 4096
WINDOW_SECONDS = 60  # how far iat may lie from our clock, either way
KEPT_SECONDS = 2 * WINDOW_SECONDS + 1  # how long a used proof has to be remembered
NONCE_SECONDS = 120  # a nonce is good for one to two of these
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_MEMBERS = {"EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "RSA": ("e", "n")}
_unreserved = re.compile(r"%([0-9A-Fa-f]{2})").sub

_NOT_A_PROOF = Text(
    "DPoP 头不是一个 dpop+jwt。", "The DPoP header is no JWT of type dpop+jwt (RFC 9449, section 4.2)."
)
_WRONG_ALGORITHM = Text(
    "DPoP 证明须以 ES256、PS256 或 EdDSA 签名。",
    "The DPoP proof has to be signed with ES256, PS256 or EdDSA.",
)
_NOT_A_KEY = Text(
    "DPoP 证明头部的 jwk 须为公钥(P-256、Ed25519 或 2048 位以上的 RSA)。",
    "The jwk of the DPoP proof has to be a public key: P-256, Ed25519, or RSA of 2048 bits or more.",
)
_BAD_SIGNATURE = Text("DPoP 证明的签名不符。", "The signature of the DPoP proof does not fit its jwk.")
_NO_JTI = Text(
    "DPoP 证明须有 jti:1 至 256 个字符,每次不同。",
    "The DPoP proof needs a jti: 1 to 256 characters, new each time.",
)
_WRONG_METHOD = Text(
    "DPoP 证明的 htm 与请求方法不符。", "The htm of the DPoP proof is not the method of the request."
)
_WRONG_ADDRESS = Text(
    "DPoP 证明的 htu 与请求地址不符。", "The htu of the DPoP proof is not the address of the request."
)
_WRONG_TIME = Text(
    "DPoP 证明的 iat 与服务器时间相差超过 60 秒;请校准时钟。",
    "The iat of the DPoP proof is more than 60 seconds from the time here; check the clock.",
)
_WRONG_TOKEN = Text(
    "DPoP 证明的 ath 不是此访问令牌的哈希。",
    "The ath of the DPoP proof is not the hash of this access token.",
)
_NO_NONCE = Text(
    "请把 DPoP-Nonce 头中的值作为 nonce 放入新的 DPoP 证明后重试。",
    "Retry with a new DPoP proof whose nonce is the value of the DPoP-Nonce header.",
)


class Proof(Struct, frozen=True):
    """A proof that holds. `jkt` is the thumbprint of its key (RFC 7638); `replay_key` names its one use."""

    jkt: str
    replay_key: str
    expires_at: float  # when the proof need no longer be remembered


class ProofRefused(Exception):  # noqa: N818 - a refusal, as everywhere
    """What is wrong with a proof; `wants_nonce` where a nonce is all that it lacks."""

    def __init__(self, reason: Text, *, wants_nonce: bool = False) -> None:
        super().__init__(reason.en)
        self.reason = reason
        self.wants_nonce = wants_nonce


class Nonces:
    """The server's nonces (RFC 9449 §8): unforgeable, alike in every process of an installation, kept nowhere."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def current(self, now: float) -> str:
        """The nonce to give out."""
        return self._made(int(now) // NONCE_SECONDS)

    def is_valid(self, nonce: str, now: float) -> bool:
        """Whether this nonce was given out lately."""
        slot = int(now) // NONCE_SECONDS
        given = nonce.encode()
        return any(hmac.compare_digest(given, self._made(one).encode()) for one in (slot, slot - 1))

    def _made(self, slot: int) -> str:
        return _nonce_of(self._key, slot)


@lru_cache(16)
def _nonce_of(key: bytes, slot: int) -> str:
    return encode_segment(hmac.new(key, b"%d" % slot, hashlib.sha256).digest()[:18]).decode()


def read_proof(
    compact: bytes, *, method: str, uri: str, now: float, access_token: bytes = b"", nonces: Nonces | None = None,
    needs_nonce: bool = False,
) -> Proof:  # fmt: skip
    """The proof for this request, all but its one use checked. Raises ProofRefused.

    `uri` is the configured address of what was asked for, never the Host header's. With `access_token` the proof
    has to name it (ath). A nonce that is there has to be one of `nonces`; `needs_nonce` demands one.
    Source: RFC 9449 §4.3.
    """
    header, claims, signed, signature = _taken_apart(compact)
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ProofRefused(_WRONG_ALGORITHM)
    key, jkt = _read_jwk(header.get("jwk"))
    if not is_signed(algorithm, signed, signature, key):
        raise ProofRefused(_BAD_SIGNATURE)
    identifier = claims.get("jti")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= 256:
        raise ProofRefused(_NO_JTI)
    if claims.get("htm") != method:
        raise ProofRefused(_WRONG_METHOD)
    address = claims.get("htu")
    if not isinstance(address, str) or len(address) > 2048 or _normalised(address) != _normalised(uri):
        raise ProofRefused(_WRONG_ADDRESS)
    issued_at = claims.get("iat")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise ProofRefused(_WRONG_TIME)
    if not -WINDOW_SECONDS <= issued_at - now <= WINDOW_SECONDS:
        raise ProofRefused(_WRONG_TIME)
    if access_token and claims.get("ath") != encode_segment(hashlib.sha256(access_token).digest()).decode():
        raise ProofRefused(_WRONG_TOKEN)
    _check_nonce(claims.get("nonce"), nonces, now, needs_nonce=needs_nonce)
    used = hashlib.sha256(f"{jkt}\n{identifier}".encode(errors="replace")).hexdigest()
    return Proof(jkt=jkt, replay_key=used, expires_at=now + KEPT_SECONDS)


def _check_nonce(nonce: Any, nonces: Nonces | None, now: float, *, needs_nonce: bool) -> None:
    if nonce is None:
        if needs_nonce:
            raise ProofRefused(_NO_NONCE, wants_nonce=True)
        return
    if nonces is not None and not (isinstance(nonce, str) and nonces.is_valid(nonce, now)):
        raise ProofRefused(_NO_NONCE, wants_nonce=True)


def _taken_apart(compact: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    if len(compact) > MAX_PROOF_BYTES:
        raise ProofRefused(_NOT_A_PROOF)
    try:
        header_segment, payload_segment, signature_segment = compact.split(b".")
        header = msgspec.json.decode(decode_segment(header_segment))
        claims = msgspec.json.decode(decode_segment(payload_segment))
        signature = decode_segment(signature_segment)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        raise ProofRefused(_NOT_A_PROOF) from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise ProofRefused(_NOT_A_PROOF)
    if header.get("typ") != "dpop+jwt" or "crit" in header:
        raise ProofRefused(_NOT_A_PROOF)
    return header, claims, header_segment + b"." + payload_segment, signature


def _read_jwk(jwk: Any) -> tuple[PublicKey, str]:
    if not isinstance(jwk, dict) or _PRIVATE & jwk.keys():
        raise ProofRefused(_NOT_A_KEY)
    kty = jwk.get("kty")
    members = [jwk.get(name) for name in _MEMBERS.get(kty, ())] if isinstance(kty, str) else []
    if not members or any(not isinstance(value, str) or len(value) > 1400 for value in members):
        raise ProofRefused(_NOT_A_KEY)
    try:
        return _key_of(str(kty), *[str(value) for value in members])
    except (ValueError, TypeError, OverflowError):
        raise ProofRefused(_NOT_A_KEY) from None


@lru_cache(4096)
def _key_of(kty: str, *members: str) -> tuple[PublicKey, str]:
    """The key and its RFC 7638 thumbprint; a client signs many proofs with the same one."""
    named = dict(zip(_MEMBERS[kty], members, strict=True))
    raw = {name: decode_segment(value.encode("ascii")) for name, value in named.items() if name != "crv"}
    key: PublicKey
    if kty == "EC":
        if named["crv"] != "P-256" or len(raw["x"]) != 32 or len(raw["y"]) != 32:
            raise ValueError("another curve")
        numbers = EllipticCurvePublicNumbers(_number(raw["x"]), _number(raw["y"]), SECP256R1())
        key = numbers.public_key()
    elif kty == "OKP":
        if named["crv"] != "Ed25519":
            raise ValueError("another curve")
        key = Ed25519PublicKey.from_public_bytes(raw["x"])
    else:
        modulus, exponent = _number(raw["n"]), _number(raw["e"])
        if not 2048 <= modulus.bit_length() <= 8192 or not 65537 <= exponent < 2**64:
            raise ValueError("another size")
        key = RSAPublicNumbers(exponent, modulus).public_key()
    canonical = msgspec.json.encode(dict(sorted({"kty": kty, **named}.items())))
    return key, encode_segment(hashlib.sha256(canonical).digest()).decode()


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


@lru_cache(4096)
def _normalised(uri: str) -> str:
    """An address without query and fragment, its case and percent signs normalised; "" for what is none."""
    try:
        parts = urlsplit(uri)
        port, host = parts.port, (parts.hostname or "").lower()
    except ValueError:
        return ""
    if not host or "@" in parts.netloc:
        return ""
    if port is not None and port != {"http": 80, "https": 443}.get(parts.scheme):
        host = f"{host}:{port}"
    path = _unreserved(_decoded, parts.path or "/")
    return f"{parts.scheme}://{host}{path}"


def _decoded(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    is_unreserved = character.isascii() and (character.isalnum() or character in "-._~")
    return character if is_unreserved else match[0].upper()
