"""What a client sent to an OAuth endpoint: read with bounds, each parameter once, nothing that could hurt a database.

The body alone counts, never the query string (RFC 6749 §3.2): secrets in an address end up in logs. The one
exception is the authorization endpoint, to which a browser is sent.
"""

import base64
import binascii
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, unquote_plus

from msgspec import Struct

from api.identity.oauth.errors import InputRefused
from api.identity.oauth.mtls import Certificate

MAX_BODY_BYTES = 32768
MAX_PARAMETERS = 40
_MAX_LENGTH = 2048
_MAX_LENGTHS = {
    "grant_type": 200,
    "client_id": 64,
    "client_secret": 256,
    "client_assertion": 8192,
    "scope": 16384,
    "token": 16384,
    "code": 256,
    "refresh_token": 256,
    "authorization_details": 20000,
    "nonce": 500,
}


class Form(Struct, frozen=True):
    """The parameters of a request, empty ones left out, and what its headers prove.

    `basic` are the credentials of the Basic header, `proofs` the DPoP headers as they came, `certificate` is the one
    that a trusted TLS terminator saw.
    """

    parameters: dict[str, str]
    basic: tuple[str, str] | None = None
    proofs: tuple[str, ...] = ()
    certificate: Certificate | None = None

    def get(self, name: str) -> str:
        """A parameter's value, "" where it was not sent or empty (RFC 6749 §3.2: both mean the same)."""
        return self.parameters.get(name, "")


async def read_body(chunks: AsyncIterator[bytes], content_length: str) -> bytes:
    """The whole body; raises InputRefused (413) past 32 KiB without reading on."""
    too_large = InputRefused(f"The body is larger than {MAX_BODY_BYTES} bytes.", status_code=413)
    if content_length.isdecimal() and int(content_length[:12]) > MAX_BODY_BYTES:
        raise too_large
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise too_large
    return bytes(body)


def read_form(body: bytes, *, content_type: str, authorization: list[str], query: bytes) -> Form:
    """The checked form. Raises InputRefused (`invalid_request`) saying what to mend."""
    if query:
        raise InputRefused("Send the parameters in the body; this endpoint takes no query string.")
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise InputRefused("Send the body as application/x-www-form-urlencoded and say so in Content-Type.")
    if len(authorization) > 1:
        raise InputRefused("There is more than one Authorization header.")
    return Form(
        parameters=read_parameters(body), basic=read_basic(authorization[0]) if authorization else None
    )


def read_parameters(data: bytes) -> dict[str, str]:
    """The parameters of a form or a query string, each once, empty ones left out. Raises InputRefused."""
    if len(data) > MAX_BODY_BYTES:
        raise InputRefused(f"The parameters are longer than {MAX_BODY_BYTES} bytes.", status_code=413)
    try:
        pairs = parse_qsl(
            data.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeDecodeError:
        raise InputRefused("The parameters are not percent-encoded UTF-8.") from None
    except ValueError:
        raise InputRefused(f"There are more than {MAX_PARAMETERS} parameters.") from None
    parameters: dict[str, str] = {}
    for name, value in pairs:
        _check_text(name, name, _MAX_LENGTHS.get(name, _MAX_LENGTH))
        _check_text(name, value, _MAX_LENGTHS.get(name, _MAX_LENGTH))
        if name in parameters:
            raise InputRefused(f"The parameter {name} is there more than once.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


def read_basic(header: str) -> tuple[str, str] | None:
    """Client id and secret of a Basic header, form-decoded (RFC 6749 §2.3.1); None for another scheme."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    unreadable = InputRefused("The Basic credentials are not base64 of client_id:client_secret.")
    if len(credentials) > 2048:
        raise unreadable
    try:
        text = base64.b64decode(credentials.strip(), validate=True).decode()
        name, colon, secret = text.partition(":")
        client_id = unquote_plus(name, errors="strict")
        client_secret = unquote_plus(secret, errors="strict")
    except (binascii.Error, ValueError):
        raise unreadable from None
    if not colon or not client_id or not client_secret:
        raise unreadable
    _check_text("client_id", client_id, _MAX_LENGTHS["client_id"])
    _check_text("client_secret", client_secret, _MAX_LENGTHS["client_secret"])
    return client_id, client_secret


def _check_text(name: str, value: str, longest: int) -> None:
    if len(value) > longest:
        raise InputRefused(f"The parameter {name[:64]} is longer than {longest} characters.")
    if not value.isprintable() and any(_is_control(character) for character in value):
        raise InputRefused(f"The parameter {name[:64]} holds a control character.")


def _is_control(character: str) -> bool:
    code = ord(character)
    return code < 32 or 127 <= code < 160 or 0xD800 <= code <= 0xDFFF
