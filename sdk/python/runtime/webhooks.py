"""Webhook deliveries: their signature and time are checked before anything of them is believed.

Source: Standard Webhooks 1.0 (v1: HMAC-SHA256, v1a: Ed25519); CloudEvents 1.0.
"""

import base64
import binascii
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from .errors import WebhookError
from .keys import holds
from .values import Codec, decode

TOLERANCE_SECONDS = 300
T = TypeVar("T")


class WebhookEvent(Generic[T]):
    """An event. `data` is typed where the package knows the event's type."""

    def __init__(self, event: Mapping[str, Any], data: T) -> None:
        self.event = dict(event)
        """The CloudEvent whole."""
        self.data: T = data
        self.id = str(event.get("id", ""))
        self.type = str(event.get("type", ""))
        self.source = str(event.get("source", ""))
        self.subject = str(event.get("subject", ""))
        self.time = str(event.get("time", ""))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(id={self.id!r}, type={self.type!r})"


def verified(
    payload: str | bytes,
    headers: Mapping[str, str],
    keys: str | Sequence[str],
    *,
    tolerance: float = TOLERANCE_SECONDS,
    now: float | None = None,
) -> Mapping[str, Any]:
    """The CloudEvent of a delivery. `keys`: `whsec_…` secrets or `whpk_…` public keys. Raises WebhookError."""
    given = {name.lower(): value for name, value in headers.items()}
    message, at, marks = (given.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature"))
    if not message or not at or not marks:
        raise WebhookError("webhook-id, webhook-timestamp or webhook-signature is missing")
    moment = time.time() if now is None else now
    if not (at.isascii() and at.isdigit() and len(at) < 20) or abs(moment - int(at)) > tolerance:
        raise WebhookError("the timestamp is too old or too new")
    data = payload.encode() if isinstance(payload, str) else payload
    signed = f"{message}.{at}.".encode() + data
    every = [keys] if isinstance(keys, str) else keys
    if not any(_fits(mark, key, signed) for mark in marks.split(" ") for key in every):
        raise WebhookError("no signature fits: the secret is another one, or the payload was changed")
    try:
        event = json.loads(data)
    except ValueError:
        raise WebhookError("the payload is no JSON") from None
    if not isinstance(event, dict):
        raise WebhookError("the payload is no event")
    return event


def typed(
    event: Mapping[str, Any],
    kinds: Mapping[str, tuple[type[WebhookEvent[Any]], Codec]],
    types: Mapping[str, Any],
) -> WebhookEvent[Any]:
    """The event with its data typed."""
    kind, codec = kinds.get(str(event.get("type", "")), (WebhookEvent, ""))
    try:
        data = decode(codec, event.get("data"), types)
    except (TypeError, KeyError, ValueError) as error:
        raise WebhookError(f"the event's data does not fit the contract: {error}") from error
    return kind(event, data)


def _fits(mark: str, key: str, signed: bytes) -> bool:
    version, _, value = mark.partition(",")
    try:
        signature = base64.b64decode(value, validate=True)
        if version == "v1" and key.startswith("whsec_"):
            made = hmac.digest(base64.b64decode(key[6:]), signed, "sha256")
            return hmac.compare_digest(made, signature)
        if version == "v1a" and key.startswith("whpk_"):
            return holds(base64.b64decode(key[5:]), signature, signed)
    except (binascii.Error, ValueError):
        return False
    return False
