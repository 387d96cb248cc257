"""Answers kept for 24 hours under the idempotency key of their call: a table of the plane store.

A key is taken by one unique insert before the department is asked, so of racers one asks. Bodies are sealed:
they may hold personal data. It decides nothing about calls; `idempotency` does.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec import Struct
from tortoise.exceptions import IntegrityError

from api.core import clock, store
from api.core.crypto import Vault
from api.core.jobs import Job
from api.gateway.models import KeptAnswer

KEEP = timedelta(hours=24)  # Source: draft-ietf-httpapi-idempotency-key-header-07, the server states its own
SWEEP_SECONDS = 600.0
STARTED, DONE, UNKNOWN = "started", "done", "unknown"


class Kept(Struct, frozen=True):
    """What is known of a key that was taken before."""

    state: (
        str  # started: its call is under way; done: here is the answer; unknown: nobody knows what came of it
    )
    fingerprint: str
    started_at: datetime
    status: int = 0
    headers: list[tuple[bytes, bytes]] = []
    body: bytes = b""


class KeptAnswers:
    """The kept answers of one plane."""

    def __init__(self, environment: str, vault: Vault) -> None:
        self._environment = environment
        self._vault = vault

    async def take(self, name: str, app_id: str, fingerprint: str) -> Kept | None:
        """Take the key for a call that begins now: None; or what is known of the call that took it before.

        `name` is the digest of app, operation and key.
        """
        now = clock.now()
        for _ in range(2):
            try:
                await KeptAnswer.create(
                    id=name, app_id=app_id, fingerprint=fingerprint, state=STARTED, started_at=now,
                    expires_at=now + KEEP, using_db=self._connection,
                )  # fmt: skip
            except IntegrityError:
                row = await KeptAnswer.get_or_none(id=name, using_db=self._connection)
                if row is not None and row.expires_at > now:
                    return self._read(row)
                await KeptAnswer.filter(id=name, expires_at__lte=now).using_db(self._connection).delete()
            else:
                return None
        return Kept(STARTED, fingerprint, now)  # another call of the same moment has it

    async def keep(self, name: str, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        """Keep the answer of the call that took the key."""
        plain = msgspec.msgpack.encode((status, headers, body))
        sealed = self._vault.seal(plain, f"kept-answer/{name}")
        await KeptAnswer.filter(id=name).using_db(self._connection).update(state=DONE, answer=sealed)

    async def give_back(self, name: str) -> None:
        """Let the key be taken again: nothing was done under it."""
        await KeptAnswer.filter(id=name).using_db(self._connection).delete()

    async def mark_unknown(self, name: str) -> None:
        """The department was asked and nobody knows what it did."""
        await KeptAnswer.filter(id=name).using_db(self._connection).update(state=UNKNOWN)

    async def forget(self, app_id: str) -> None:
        """Forget the keys of an app, whose sandbox begins anew."""
        await KeptAnswer.filter(app_id=app_id).using_db(self._connection).delete()

    def sweeping(self) -> Job:
        """The job that removes what has expired."""
        return Job("gateway.kept_answers", SWEEP_SECONDS, self._sweep)

    async def _sweep(self) -> None:
        await KeptAnswer.filter(expires_at__lte=clock.now()).using_db(self._connection).delete()

    def _read(self, row: KeptAnswer) -> Kept:
        if row.state != DONE:
            return Kept(row.state, row.fingerprint, row.started_at)
        try:
            plain = self._vault.open(row.answer, f"kept-answer/{row.id}")
        except (InvalidTag, ValueError):  # sealed under another master key
            return Kept(UNKNOWN, row.fingerprint, row.started_at)
        status, headers, body = msgspec.msgpack.decode(
            plain, type=tuple[int, list[tuple[bytes, bytes]], bytes]
        )
        return Kept(DONE, row.fingerprint, row.started_at, status, headers, body)

    @property
    def _connection(self) -> Any:
        return store.plane(self._environment)


def name_of(app_id: str, operation: str, key: bytes) -> str:
    """The digest under which a key is kept; an app's keys are no other app's, one operation's no other's."""
    return hashlib.sha256(b"\n".join((app_id.encode(), operation.encode(), key))).hexdigest()


def fingerprint_of(target: str, body: bytes) -> str:
    """What is compared of a request that names a key again: its path, query and body, byte for byte."""
    return hashlib.sha256(target.encode() + b"\n" + body).hexdigest()
