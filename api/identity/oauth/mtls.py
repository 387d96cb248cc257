"""Client certificates (RFC 8705), as a TLS terminator hands them on in a header. For the server and the gateway.

Nobody else may say who a client is: the header counts only where the peer is one of the trusted proxies, and is
unread otherwise. The terminator checks that the client holds the key and, where names of certificates are
registered rather than thumbprints, that an authority it trusts has signed. Times are checked here.
"""

import base64
import binascii
import hashlib
import ipaddress
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from urllib.parse import unquote

from cryptography import x509
from msgspec import Struct

from api.core import clock
from api.core.client_address import Network, read_networks
from api.core.problems import Text
from api.identity.oauth.jose import encode_segment

MAX_HEADER_BYTES = 16384

_UNREADABLE = Text(
    "客户端证书头无法读取;请检查 TLS 终结器的配置。",
    "The header with the client certificate cannot be read; check the TLS terminator.",
)
_EXPIRED = Text("客户端证书不在有效期内。", "The client certificate is not valid now.")


class CertificateRefused(Exception):  # noqa: N818 - a refusal, as everywhere
    """What is wrong with a certificate that a trusted terminator handed on."""

    def __init__(self, reason: Text) -> None:
        super().__init__(reason.en)
        self.reason = reason


class Certificate(Struct, frozen=True):
    """A client's certificate: base64url SHA-256 of its DER form, and its subject (RFC 4514)."""

    thumbprint: str
    subject: str
    not_before: datetime
    not_after: datetime


class CertificateReader:
    """Reads the certificate of a request. `header` is the configured name, "" where there is no terminator."""

    def __init__(self, header: str, trusted_proxies: str) -> None:
        self.header = header.strip().lower().encode("latin-1")
        self._trusted: tuple[Network, ...] = read_networks(trusted_proxies)

    def read(self, peer: str | None, headers: Iterable[tuple[bytes, bytes]]) -> Certificate | None:
        """The client's certificate, or None where there is none or the peer is no trusted proxy.

        Raises CertificateRefused for one that is unreadable, there twice, or not valid now.
        """
        if not self.header:
            return None
        values = [value for name, value in headers if name.lower() == self.header and value.strip()]
        if not values or not self._is_trusted(peer or ""):
            return None
        if len(values) > 1 or len(values[0]) > MAX_HEADER_BYTES:
            raise CertificateRefused(_UNREADABLE)
        certificate = _parsed(values[0])
        if certificate is None:
            raise CertificateRefused(_UNREADABLE)
        if not certificate.not_before <= clock.now() <= certificate.not_after:
            raise CertificateRefused(_EXPIRED)
        return certificate

    def _is_trusted(self, peer: str) -> bool:
        try:
            address = ipaddress.ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address.version == one.version and address in one for one in self._trusted)


@lru_cache(4096)
def _parsed(value: bytes) -> Certificate | None:
    """From RFC 9440 (`:base64:`), URL-encoded PEM (nginx) or base64 of the DER form; None where it is none of them."""
    try:
        text = value.decode("ascii").strip()
        if text.startswith(":") and text.endswith(":") and len(text) > 2:
            der = base64.b64decode(text[1:-1], validate=True)
        else:
            der = _der_of(unquote(text))
        certificate = x509.load_der_x509_certificate(der)
        subject = certificate.subject.rfc4514_string()
    except (ValueError, binascii.Error, TypeError):
        return None
    return Certificate(
        thumbprint=encode_segment(hashlib.sha256(der).digest()).decode(),
        subject=subject,
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _der_of(text: str) -> bytes:
    head, _, rest = text.partition("-----BEGIN CERTIFICATE-----")
    body = rest.partition("-----END CERTIFICATE-----")[0] if rest else head
    return base64.b64decode("".join(body.split()), validate=True)
