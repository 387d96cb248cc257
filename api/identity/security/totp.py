"""Time-based one-time passwords: six digits every 30 seconds, by HMAC-SHA-1, as every authenticator app makes them.

Pure functions of a secret and a step. Source: RFC 6238 (TOTP), RFC 4226 §5.3 (truncation).
"""

import base64
import hashlib
import hmac
import os
from urllib.parse import quote, urlencode

DIGITS = 6
STEP_SECONDS = 30
SECRET_BYTES = 20  # RFC 4226 §4, R6: 160 bits
_DRIFT = 1  # steps before and after: RFC 6238 §5.2


def make_secret() -> bytes:
    """A fresh secret."""
    return os.urandom(SECRET_BYTES)


def step_at(unix_seconds: float) -> int:
    """The number of the step that this instant is in."""
    return int(unix_seconds) // STEP_SECONDS


def code_of(secret: bytes, step: int) -> str:
    """The six digits of a step."""
    mac = hmac.new(secret, step.to_bytes(8, "big"), hashlib.sha1).digest()  # what the apps do
    start = mac[-1] & 15
    number = int.from_bytes(mac[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_of(secret: bytes, code: str, unix_seconds: float) -> int | None:
    """The step whose code this is, of the present one and its two neighbours; None where it is none of theirs."""
    present = step_at(unix_seconds)
    found = None
    for step in range(present - _DRIFT, present + _DRIFT + 1):  # all of them, whatever matches: constant time
        if hmac.compare_digest(code_of(secret, step).encode(), code.encode()):
            found = step
    return found


def secret_text(secret: bytes) -> str:
    """How people type the secret into an app: base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def address_of(secret: bytes, account: str, issuer: str) -> str:
    """The `otpauth:` address that an app reads from a QR code. Source: the Key Uri Format of Google Authenticator."""
    label = quote(f"{issuer}:{account}", safe="@:")
    query = urlencode({"secret": secret_text(secret), "issuer": issuer})
    return f"otpauth://totp/{label}?{query}"
