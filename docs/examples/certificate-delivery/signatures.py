"""Standard Webhooks signatures with the standard library alone: `v1` (HMAC-SHA256), and the age of a message.

Source: Standard Webhooks 1.0.0, "Verifying signatures"; docs/reference/webhook-signatures.md.
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

TOLERANCE_SECONDS = 300


class SignatureError(ValueError):
    """The message is not from the platform, or it is too old. Answer 401 and do nothing."""


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> None:
    """Check a message. `headers` have lower-case names, `body` is what came, byte for byte.

    While a key rotates there are several signatures with a blank between: one that holds is enough.
    """
    identifier, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identifier or not sent.isdigit() or abs(time.time() - int(sent)) > TOLERANCE_SECONDS:
        raise SignatureError("webhook-id or webhook-timestamp is missing, or the message is too old")
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{identifier}.{sent}.".encode() + body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = headers.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(wanted.encode(), one.encode()) for one in given):
        raise SignatureError("no signature holds: is this the secret of the endpoint?")
