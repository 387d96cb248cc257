"""The journal: one transaction with its change, a chain that shows every tampering, serial under racers."""

import asyncio
import random
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from api.core import audit
from api.core.models import ControlChange, ControlVersion, JournalEntry, OutboxEvent
from api.core.store import CONTROL, Stores

ROWS = 60
TAMPERINGS = 210


async def _write(number: int) -> None:
    async with audit.write("operator:local", "test:row:add", f"row/{number}", number=number) as entry:
        entry.changed("app", f"a_{number}")
        entry.emit("gov.kaimen.test", f"row/{number}", {"number": number})


@pytest.fixture(scope="module")
async def journal(stores: Stores) -> Stores:
    for number in range(ROWS):
        await _write(number)
    return stores


async def test_a_change_and_its_entry_are_one(journal: Stores) -> None:
    before = await JournalEntry.all().count()
    with pytest.raises(RuntimeError, match="on purpose"):
        async with audit.write("operator:local", "test:row:add", "row/x") as entry:
            entry.changed("app", "a_x")
            entry.emit("gov.kaimen.test", "row/x", {})
            raise RuntimeError("on purpose")
    assert await JournalEntry.all().count() == before
    assert not await ControlChange.filter(key="a_x").exists()
    assert not await OutboxEvent.filter(subject="row/x").exists()


async def test_racers_make_one_chain(journal: Stores) -> None:
    await asyncio.gather(*(_write(1000 + number) for number in range(8)))
    count, fault = await audit.verify()
    assert fault is None
    assert count == await JournalEntry.all().count()
    changes = await ControlChange.all().order_by("id").values_list("key", flat=True)
    entries = await JournalEntry.all().order_by("sequence").values_list("subject", flat=True)
    assert [str(key).removeprefix("a_") for key in changes] == [
        str(one).removeprefix("row/") for one in entries
    ]


async def _alter(chance: random.Random, rows: list[dict[str, Any]]) -> set[int]:
    row = chance.choice(rows)
    column = chance.choice(
        ["at", "actor", "action", "subject", "organisation", "detail", "previous", "hash", "suite"]
    )
    value = row[column]
    changed = ("0" if value[:1] != "0" else "1") + value[1:] if value else "x"
    await JournalEntry.filter(sequence=row["sequence"]).update(**{column: changed})
    return {row["sequence"]}


async def _remove(chance: random.Random, rows: list[dict[str, Any]]) -> set[int]:
    row = chance.choice(rows)
    await JournalEntry.filter(sequence=row["sequence"]).delete()
    return {row["sequence"]}


async def _swap(chance: random.Random, rows: list[dict[str, Any]]) -> set[int]:
    one, other = sorted(chance.sample(rows, 2), key=lambda row: int(row["sequence"]))
    await JournalEntry.filter(sequence__in=[one["sequence"], other["sequence"]]).delete()
    await JournalEntry.create(**{**one, "sequence": other["sequence"]})
    await JournalEntry.create(**{**other, "sequence": one["sequence"]})
    return {one["sequence"]}


async def _add(chance: random.Random, rows: list[dict[str, Any]]) -> set[int]:
    """A well-formed row at the end, or one before the beginning: both were never written here."""
    place = chance.choice([rows[-1]["sequence"] + 1, 0])
    last = rows[-1]
    forged = {**last, "sequence": place, "previous": last["hash"], "subject": "row/forged"}
    forged["hash"] = audit.chain_hash(forged)
    await JournalEntry.create(**forged)
    return {place}


async def test_every_tampering_is_found_at_its_row(journal: Stores) -> None:
    chance = random.Random(11)
    rows = await JournalEntry.all().order_by("sequence").values()
    tamperings = [_alter, _remove, _swap, _add]
    missed = []
    for number in range(TAMPERINGS):
        tamper = tamperings[number % len(tamperings)]
        expected: set[int] = set()
        try:
            async with in_transaction(CONTROL):
                expected = await tamper(chance, rows)
                _, fault = await audit.verify()
                if fault is None or fault.sequence not in expected:
                    missed.append((tamper.__name__, expected, fault))
                raise _Undo
        except _Undo:
            pass
    assert not missed
    _, fault = await audit.verify()
    assert fault is None


class _Undo(Exception):
    """Rolls the tampering back."""


async def test_a_missing_tail_is_found(journal: Stores) -> None:
    head = await ControlVersion.get(id=1)
    try:
        async with in_transaction(CONTROL):
            await JournalEntry.filter(sequence=head.journal_count).delete()
            _, fault = await audit.verify()
            assert fault is not None
            assert (fault.sequence, fault.fault) == (head.journal_count, "removed")
            raise _Undo
    except _Undo:
        pass
