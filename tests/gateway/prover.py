"""A client that holds a DPoP key, and one with a TLS certificate; what they send, rightly and wrongly."""

import base64
import hashlib
import json
import secrets
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from api.identity.oauth.jose import sign_es256


def segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Prover:
    """Holds one key and signs proofs with it."""

    def __init__(self, key: Key | None = None, algorithm: str = "ES256") -> None:
        self.key = key or ECKey.generate_key("P-256", private=True)
        self.algorithm = algorithm

    @classmethod
    def of(cls, algorithm: str) -> "Prover":
        """With a fresh key for this algorithm."""
        if algorithm in {"EdDSA", "Ed25519"}:
            return cls(OKPKey.generate_key("Ed25519", private=True), algorithm)
        if algorithm == "PS256":
            return cls(RSAKey.generate_key(2048, private=True), algorithm)
        return cls(None, algorithm)

    @property
    def jkt(self) -> str:
        return self.key.thumbprint()

    def proof(
        self,
        method: str,
        url: str,
        token: bytes | None = None,
        *,
        header: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A good proof with these changes; a value of None leaves the member out."""
        protected = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.key.as_dict(private=False)} | (
            header or {}
        )
        protected["jwk"] = {name: value for name, value in protected["jwk"].items() if name != "kid"}
        body: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16), "htm": method, "htu": url, "iat": int(time.time()),
        }  # fmt: skip
        if token is not None:
            body["ath"] = segment(hashlib.sha256(token).digest())
        body |= claims
        kept = {name: value for name, value in body.items() if value is not None}
        signed = segment(json.dumps(protected).encode()) + "." + segment(json.dumps(kept).encode())
        return signed + "." + segment(self._sign(signed.encode()))

    def _sign(self, signed: bytes) -> bytes:
        private: Any = self.key.get_op_key("sign")
        if self.algorithm == "PS256":
            return private.sign(signed, PSS(mgf=MGF1(SHA256()), salt_length=PSS.DIGEST_LENGTH), SHA256())
        return sign_es256(signed, private) if self.algorithm == "ES256" else private.sign(signed)


class Holder:
    """Holds a self-signed client certificate."""

    def __init__(self, name: str = "bank.example", *, days: int = 30) -> None:
        key = self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(UTC)
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=60))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .sign(key, SHA256())
        )

    @property
    def thumbprint(self) -> str:
        return segment(hashlib.sha256(self.certificate.public_bytes(Encoding.DER)).digest())

    def save(self, folder: Path) -> tuple[str, str]:
        """Certificate and key as PEM files; their paths."""
        certificate, key = folder / f"{self.thumbprint}.pem", folder / f"{self.thumbprint}.key"
        certificate.write_bytes(self.certificate.public_bytes(Encoding.PEM))
        key.write_bytes(self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(certificate), str(key)

    @property
    def as_pem(self) -> str:
        """As nginx writes $ssl_client_escaped_cert."""
        return quote(self.certificate.public_bytes(Encoding.PEM).decode(), safe="")

    @property
    def as_rfc9440(self) -> str:
        return ":" + base64.b64encode(self.certificate.public_bytes(Encoding.DER)).decode() + ":"
