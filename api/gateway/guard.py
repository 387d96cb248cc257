"""The circuit breaker of one upstream: holds calls off while it fails, lets one through to see whether it mended.

A connector that leaves the process carries a Guard as `guard`; `call` asks it. Opens when failures outweigh
successes: each failure adds 1 to the score, each success takes a half off, and at `THRESHOLD` it opens for
`OPEN_SECONDS`, twice as long after each probe that fails, up to `LONGEST_SECONDS`.
"""

import time

THRESHOLD = 8.0
OPEN_SECONDS = 5.0
LONGEST_SECONDS = 60.0


class Guard:
    """State of the breaker: closed, open or half-open. Monotonic seconds; one event loop."""

    __slots__ = ("_held_seconds", "_is_probing", "_open_until", "score")

    def __init__(self) -> None:
        self.score = 0.0
        self._open_until = 0.0
        self._held_seconds = 0.0
        self._is_probing = False

    @property
    def state(self) -> str:
        if self._open_until == 0.0:
            return "closed"
        return "open" if time.monotonic() < self._open_until or self._is_probing else "half-open"

    @property
    def is_closed(self) -> bool:
        """Whether calls go on without a question: `enter` would say 0 and remember nothing."""
        return self._open_until == 0.0

    def enter(self) -> float:
        """0 when the call may go on, else seconds until it is worth while to try again.

        After the open time exactly one call is let through; the others wait for what it finds.
        """
        if self._open_until == 0.0:
            return 0.0
        left = self._open_until - time.monotonic()
        if left > 0.0:
            return left
        if self._is_probing:
            return 1.0
        self._is_probing = True
        return 0.0

    def succeed(self) -> None:
        """The upstream answered as one that works."""
        if self._open_until:
            self._open_until = self._held_seconds = self.score = 0.0
            self._is_probing = False
        elif self.score:
            self.score = max(0.0, self.score - 0.5)

    def fail(self) -> None:
        """The upstream did not answer, answered nonsense, or said that it is out of order."""
        if self._is_probing:
            self._is_probing = False
            self._open()
            return
        if self._open_until:
            return  # a call that was under way when the breaker opened
        self.score += 1.0
        if self.score >= THRESHOLD:
            self._open()

    def leave(self) -> None:
        """The call ended without saying anything about the upstream (the caller went away)."""
        self._is_probing = False

    def _open(self) -> None:
        self._held_seconds = min(LONGEST_SECONDS, self._held_seconds * 2 or OPEN_SECONDS)
        self._open_until = time.monotonic() + self._held_seconds
