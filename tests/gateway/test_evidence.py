"""Access evidence: committed before the answer, chained, every change of it found, and no answer without it."""

import asyncio
import hashlib
import os
import random
import sys
from pathlib import Path

import pytest

from api.core import store
from api.core.crypto import Vault
from api.core.store import Stores
from api.gateway import evidence as evidence_module
from api.gateway.evidence import append, verify_evidence
from api.gateway.models import AccessEvidence, EvidenceHead
from api.settings import Settings
from tests.gateway.recorded import SECRET_NUMBER, recorded

TAXPAYER = f"/api/company/v1/taxpayers/{SECRET_NUMBER}"
ROOT = Path(__file__).resolve().parents[2]


def made_row(number: int) -> tuple:
    return (
        number, f"rs_{number:026d}", "a_test", "tax@v1", "getTaxpayer", "L3", "statutory-duty", "audit", "",
        "", "", "", hashlib.sha256(b"%d" % number).hexdigest(), "intl",
    )  # fmt: skip


async def clear() -> None:
    await AccessEvidence.all().delete()
    await EvidenceHead.all().delete()


async def test_an_answer_of_level_3_has_its_record_when_it_arrives(
    settings: Settings, stores: Stores
) -> None:
    await clear()
    async with recorded(settings) as plane:
        answer = await plane.get(TAXPAYER)
        assert answer.status_code == 200, answer.text
        row = await AccessEvidence.get(request_id=answer.headers["request-id"])
        again = await plane.get(TAXPAYER)
        other = await plane.get(TAXPAYER[:-1] + "5")
        rows = await AccessEvidence.all().order_by("sequence")
        assert await verify_evidence("sandbox") == (3, None)
    assert (row.app_id, row.service, row.operation) == (plane.world.app_id, "company@v1", "getTaxpayer")
    assert (row.level, row.basis, row.purpose, row.suite) == ("L3", "statutory-duty", "audit", "intl")
    assert [one.request_id for one in rows] == [one.headers["request-id"] for one in (answer, again, other)]
    assert rows[0].subject_hash == rows[1].subject_hash != rows[2].subject_hash
    assert SECRET_NUMBER not in str([one.__dict__ for one in rows])
    assert (
        rows[0].subject_hash != hashlib.sha256(SECRET_NUMBER.encode()).hexdigest()
    )  # salted: no rainbow table


async def test_an_answer_below_level_3_and_a_refusal_have_none(settings: Settings, stores: Stores) -> None:
    await clear()
    async with recorded(settings) as plane:
        assert (await plane.get("/api/company/v1/companies/9133")).status_code == 200
        assert (await plane.get(TAXPAYER + "?year=wrong")).status_code == 400
        assert await AccessEvidence.all().count() == 0


async def test_calls_at_the_same_time_share_commits(settings: Settings, stores: Stores) -> None:
    await clear()
    async with recorded(settings) as plane:
        async with plane.client() as client:
            answers = await asyncio.gather(*(client.get(TAXPAYER) for _ in range(200)))
        assert {one.status_code for one in answers} == {200}
        assert await AccessEvidence.all().count() == 200
        assert await verify_evidence("sandbox") == (200, None)
        assert "kaimen_evidence_rows_total 200" in plane.metrics.render()


async def test_no_record_no_answer(settings: Settings, stores: Stores) -> None:
    connection = store.plane("sandbox")
    async with recorded(settings) as plane:
        await connection.execute_script("ALTER TABLE access_evidence RENAME TO access_evidence_away")
        try:
            answer = await plane.get(TAXPAYER)
        finally:
            await connection.execute_script("ALTER TABLE access_evidence_away RENAME TO access_evidence")
        assert answer.status_code == 503
        assert answer.json()["type"].endswith("/problems/evidence-unavailable/")
        assert answer.headers["retry-after"]
        assert "name" not in answer.text.replace('"name', "")
        assert (await plane.get(TAXPAYER)).status_code == 200


async def test_an_answer_waits_for_its_record_only_so_long(
    settings: Settings, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_module, "WAIT_SECONDS", 0.2)
    async with recorded(settings) as plane:

        async def stuck(rows: list) -> None:
            await asyncio.sleep(1.0)

        plane.evidence._append = stuck
        answers = await asyncio.gather(*(plane.get(TAXPAYER) for _ in range(3)))
        assert {one.status_code for one in answers} == {503}
        assert "kaimen_evidence_refusals_total 3" in plane.metrics.render()


async def test_too_many_waiting_are_refused_at_once(
    settings: Settings, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_module, "QUEUE_ROWS", 0)
    async with recorded(settings) as plane:
        assert (await plane.get(TAXPAYER)).status_code == 503


# --- tampering --------------------------------------------------------------------------------------
async def alter(connection, sequence: int, rng: random.Random) -> str:
    column = rng.choice(
        ["at", "request_id", "app_id", "operation", "purpose", "subject_hash", "consent", "mandate", "person"]
    )
    value = "at + 1" if column == "at" else f"'{rng.getrandbits(40)}'"
    await connection.execute_script(
        f"UPDATE access_evidence SET {column} = {value} WHERE sequence = {sequence}"
    )
    return "altered"


async def remove(connection, sequence: int, rng: random.Random) -> str:
    await connection.execute_script(f"DELETE FROM access_evidence WHERE sequence = {sequence}")
    return "removed"


async def cut_tail(connection, sequence: int, rng: random.Random) -> str:
    await connection.execute_script(f"DELETE FROM access_evidence WHERE sequence >= {sequence}")
    return "removed"


async def add(connection, sequence: int, rng: random.Random) -> str:
    await connection.execute_script(
        'INSERT INTO access_evidence (sequence, at, request_id, app_id, service, operation, level, basis, purpose, "grant", consent, mandate, person, subject_hash, suite, previous, hash)'
        f' SELECT (SELECT MAX(sequence) + 1 FROM access_evidence), at, request_id, app_id, service, operation, level, basis, purpose, "grant", consent, mandate, person, subject_hash, suite, previous, hash FROM access_evidence WHERE sequence = {sequence}'
    )
    return "altered"


async def swap(connection, sequence: int, rng: random.Random) -> str:
    """Two neighbours change places, their hashes made right again for the place they stand in."""
    rows = await AccessEvidence.filter(sequence__in=[sequence, sequence + 1]).order_by("sequence").values()
    if len(rows) < 2:
        return await alter(connection, sequence, rng)
    for row, place in ((rows[0], sequence + 1), (rows[1], sequence)):
        hashed = tuple({**row, "sequence": place}[name] for name in evidence_module._HASHED)
        values = {**row, "sequence": place, "hash": evidence_module.hash_of(hashed)}
        await AccessEvidence.filter(sequence=place).update(
            **{name: value for name, value in values.items() if name != "sequence"}
        )
    return "swapped"


async def test_every_change_of_the_chain_is_found(settings: Settings, stores: Stores) -> None:
    rng = random.Random(7)
    connection = store.plane("sandbox")
    count, found, rounds = 12, 0, 0
    for attack in (alter, remove, cut_tail, add, swap):
        for _ in range(42):
            await clear()
            await append("sandbox", [made_row(number) for number in range(count)])
            sequence = rng.randint(1, count)
            expected = await attack(connection, sequence, rng)
            _, fault = await verify_evidence("sandbox")
            rounds += 1
            assert fault is not None, (attack.__name__, sequence)
            found += fault.fault in {expected, "altered", "swapped"}
            assert fault.sequence in {sequence, sequence + 1, count + 1}
    assert (found, rounds) == (210, 210)
    await clear()


async def test_an_empty_chain_holds_and_an_emptied_one_does_not(settings: Settings, stores: Stores) -> None:
    await clear()
    assert await verify_evidence("sandbox") == (0, None)
    await append("sandbox", [made_row(1)])
    await AccessEvidence.all().delete()
    _, fault = await verify_evidence("sandbox")
    assert fault is not None
    assert fault.fault == "removed"
    await clear()


# --- several processes --------------------------------------------------------------------------------
RACER = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from api.core.store import Stores, open_stores
from api.gateway.evidence import append
from api.main.stores import APPS
from tests.gateway.test_evidence import made_row

async def main():
    number = int(sys.argv[4])
    async with open_stores(Stores(home=Path(sys.argv[2]), url=sys.argv[3], apps=APPS), "sandbox"):
        for batch in range(10):
            await append("sandbox", [made_row(number * 1000 + batch * 10 + one) for one in range(5)])

asyncio.run(main())
"""


async def test_processes_take_turns_and_the_chain_never_forks(settings: Settings, stores: Stores) -> None:
    await clear()
    racers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", RACER, str(ROOT), str(stores.home), stores.url, str(number),
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for number in range(4)
    ]  # fmt: skip
    assert [await asyncio.wait_for(racer.wait(), 90) for racer in racers] == [0, 0, 0, 0]
    assert await verify_evidence("sandbox") == (200, None)
    await clear()


def test_the_salt_is_the_installations_own() -> None:
    assert Vault(bytes(32)).derive("evidence-subject") != Vault(b"1" * 32).derive("evidence-subject")
    assert Vault(bytes(32)).derive("a") != Vault(bytes(32)).derive("b")
