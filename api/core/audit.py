"""The journal: every change of the control plane is an event in a hash chain, in the change's own transaction.

    async with audit.write(caller.actor, "app:secret:add", f"app/{app.id}", organisation=app.organisation_id) as entry:
        await AppSecret.create(...)
        entry.detail["label"] = label
        entry.changed("app", app.id)

Nothing else may write to the control store. The first statement raises `control_version`, which takes the
write lock on SQLite and the row lock on PostgreSQL: control-plane writes are serial, so a rule such as "used
once" needs only one conditional update inside the block, and the chain never forks.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec import Struct, field
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from api.core import clock, crypto, ids
from api.core.models import ControlChange, ControlVersion, JournalEntry, OutboxEvent
from api.core.store import CONTROL

_encoder = msgspec.json.Encoder(order="deterministic")


class Entry(Struct):
    """The open entry of a `write` block. `detail` must hold no secret, token or personal data."""

    detail: dict[str, Any] = field(default_factory=dict)
    subject: str = ""
    organisation: str = ""
    changes: list[tuple[str, str]] = field(default_factory=list)
    events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)

    def changed(self, kind: str, key: str) -> None:
        """Tell every process that `kind`/`key` has to be loaded again."""
        self.changes.append((kind, key))

    def emit(self, type_name: str, subject: str, data: dict[str, Any]) -> None:
        """Put a CloudEvent of this type (reverse-DNS, `gov.kaimen.…`) into the outbox, atomically."""
        self.events.append((type_name, subject, data))


def chain_hash(row: dict[str, Any]) -> str:
    """The hash of a journal row: SHA-256 over the canonical JSON of all other columns, in order."""
    parts = [
        row[name]
        for name in (
            "sequence", "at", "actor", "action", "subject", "organisation", "detail", "suite", "previous",
        )
    ]  # fmt: skip
    return hashlib.sha256(_encoder.encode(parts)).hexdigest()


@asynccontextmanager
async def write(
    actor: str, action: str, subject: str, *, organisation: str = "", **detail: Any
) -> AsyncIterator[Entry]:
    """A transaction of the control store with its journal entry, change feed and events.

    Everything in the block is committed together or not at all. An exception rolls all of it back.
    """
    entry = Entry(detail=dict(detail), subject=subject, organisation=organisation)
    async with in_transaction(CONTROL):
        await ControlVersion.filter(id=1).update(version=F("version") + 1)
        head = await ControlVersion.get_or_none(id=1)
        if head is None:
            head = await ControlVersion.create(id=1, version=1)
        yield entry
        moment = clock.now()
        row = {
            "sequence": head.journal_count + 1,
            "at": clock.to_text(moment),
            "actor": actor,
            "action": action,
            "subject": entry.subject,
            "organisation": entry.organisation,
            "detail": _encoder.encode(entry.detail).decode(),
            "suite": crypto.SUITE,
            "previous": head.journal_hash,
        }
        row["hash"] = chain_hash(row)
        await JournalEntry.create(**row)
        await ControlVersion.filter(id=1).update(journal_count=row["sequence"], journal_hash=row["hash"])
        for kind, key in entry.changes:
            await ControlChange.create(kind=kind, key=key, at=moment)
        for type_name, event_subject, data in entry.events:
            await OutboxEvent.create(
                id=ids.random_id("evt"),
                at=moment,
                source="/platform",
                type=type_name,
                subject=event_subject,
                data=_encoder.encode(data).decode(),
            )


class JournalFault(Struct, frozen=True):
    """The first row at which the journal no longer holds."""

    sequence: int
    fault: str  # "altered", "removed", "added" or "swapped"
    message: str


async def verify() -> tuple[int, JournalFault | None]:
    """Walk the whole journal. Returns the rows read and the first fault, or None when the chain holds."""
    previous, expected, count = "", 1, 0
    after = -(2**62)
    while True:
        rows = await JournalEntry.filter(sequence__gt=after).order_by("sequence").limit(1000).values()
        if not rows:
            break
        for row in rows:
            count += 1
            fault = _fault_in(row, previous, expected)
            if fault:
                return count, fault
            previous, expected = row["hash"], expected + 1
        after = rows[-1]["sequence"]
    head = await ControlVersion.get_or_none(id=1)
    known = (head.journal_count, head.journal_hash) if head else (0, "")
    if known[0] > expected - 1:
        return count, JournalFault(expected, "removed", f"row {expected} and what follows are gone")
    if known[0] < expected - 1:
        return count, JournalFault(known[0] + 1, "added", f"row {known[0] + 1} was never written here")
    if known[1] != previous:
        return count, JournalFault(known[0], "altered", "the last row is not the one that was written")
    return count, None


def _fault_in(row: dict[str, Any], previous: str, expected: int) -> JournalFault | None:
    sequence = row["sequence"]
    if sequence > expected:
        return JournalFault(expected, "removed", f"row {expected} is missing")
    if sequence < expected:
        return JournalFault(sequence, "added", f"row {sequence} stands before the journal's beginning")
    if chain_hash(row) != row["hash"]:
        return JournalFault(sequence, "altered", f"row {sequence} does not have the hash it says")
    if row["previous"] != previous:
        return JournalFault(sequence, "swapped", f"row {sequence} does not follow the row before it")
    return None
