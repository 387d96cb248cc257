"""An authenticator app for tests: its codes one after the other, none of them twice."""

import base64
import hashlib
import hmac
import time


class Authenticator:
    """What a person's phone does with the secret that the platform showed. Source: RFC 6238, on its own."""

    def __init__(self, secret: str) -> None:
        self._secret = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self.last_step = 0
        self.recovery_codes: list[str] = []

    def code_of_step(self, step: int) -> str:
        mac = hmac.new(self._secret, step.to_bytes(8, "big"), hashlib.sha1).digest()
        start = mac[-1] & 15
        return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06d}"

    def code(self) -> str:
        """A code that was not shown yet: of this step or a neighbour, else a recovery code."""
        step = max(int(time.time() + 5) // 30 - 1, self.last_step + 1)  # not one that is about to be too old
        if step > int(time.time()) // 30 + 1:
            return self.recovery_codes.pop()
        self.last_step = step
        return self.code_of_step(step)
