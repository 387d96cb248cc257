"""What a department's system is told of a call beside its own request: headers, signed so that nobody else can tell it.

    Kaimen-App, Kaimen-Environment, Kaimen-State, Kaimen-Clock, Kaimen-Scenario, Kaimen-Subject, Kaimen-Purpose,
    Kaimen-Locale, Request-Id, Kaimen-Timestamp
    Kaimen-Signature: v1=<hex HMAC-SHA256 over the lines below>

The signed text has one line each for method, target, the values in the order above, and the SHA-256 of the body.
Source: RFC 2104; the timestamp bounds replays as in Standard Webhooks.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from urllib.parse import quote, unquote

from msgspec import Struct

NAMES = (
    "kaimen-app", "kaimen-environment", "kaimen-state", "kaimen-clock", "kaimen-scenario", "kaimen-subject",
    "kaimen-purpose", "kaimen-locale", "request-id", "kaimen-timestamp",
)  # fmt: skip
SIGNATURE = "kaimen-signature"
TOLERANCE_SECONDS = 300
_SAFE = " -._~:/+"


class Told(Struct, frozen=True):
    """The facts of a call that travel."""

    app_id: str = ""
    environment: str = ""
    state_id: str = ""
    clock: str = ""
    scenario: str = ""
    subject: str = ""
    purpose: str = ""
    locale: str = ""
    request_id: str = ""


def signed_headers(told: Told, key: bytes, method: str, target: str, body: bytes) -> list[tuple[str, str]]:
    """The headers of a call, the signature last; empty facts are left out but signed as empty."""
    values = [quote(one, safe=_SAFE) for one in _facts(told)] + [str(int(time.time()))]
    signature = _signature(key, method, target, values, body)
    return [
        *((name, value) for name, value in zip(NAMES, values, strict=True) if value),
        (SIGNATURE, f"v1={signature}"),
    ]


def _facts(told: Told) -> tuple[str, ...]:
    return (
        told.app_id, told.environment, told.state_id, told.clock, told.scenario, told.subject, told.purpose,
        told.locale, told.request_id,
    )  # fmt: skip


def _signature(key: bytes, method: str, target: str, values: list[str], body: bytes) -> str:
    text = "\n".join([method, target, *values, hashlib.sha256(body).hexdigest()])
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def read_signed(headers: Mapping[str, str], key: bytes, method: str, target: str, body: bytes) -> Told | None:
    """What the gateway told; None when the signature is missing, wrong or old. `headers` have lower-case names."""
    given = headers.get(SIGNATURE, "")
    values = [headers.get(name, "") for name in NAMES]
    if not given.startswith("v1=") or not values[-1].isascii() or not values[-1].isdigit():
        return None
    if abs(time.time() - int(values[-1])) > TOLERANCE_SECONDS:
        return None
    if not hmac.compare_digest(given[3:].encode(), _signature(key, method, target, values, body).encode()):
        return None
    return Told(*(unquote(value) for value in values[:-1]))
