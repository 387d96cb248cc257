"""Used proofs are remembered by all processes together: in the plane store and in Redis; no answer, no call."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from msgspec import structs

from api.core import store
from api.core.problems import Failure
from api.core.store import Stores
from api.gateway.used_proofs import OneProcess, Question, UsedProofs, used_proofs_for
from api.identity.oauth.models import UsedProof
from api.settings import Settings
from tests.gateway.redis_server import RedisServer, redis_server


def later() -> float:
    return time.time() + 60


@pytest.fixture
async def two(settings: Settings, stores: Stores) -> AsyncIterator[tuple[UsedProofs, UsedProofs]]:
    """As two processes have them, on one plane store."""
    both = used_proofs_for(settings), used_proofs_for(settings)
    yield both
    for one in both:
        await one.close()


async def test_first_come_over_two_processes(two: tuple[UsedProofs, UsedProofs]) -> None:
    for number in range(20):
        digest = f"{number:064d}"
        answers = await asyncio.gather(*(one.spend(digest, later()) for one in two * 4))
        assert sorted(answers) == [False] * 7 + [True]
    rows = await UsedProof.all().using_db(store.plane("sandbox"))
    assert len(rows) == 20
    # what sweeps the table compares with a datetime: it has to be stored as one
    assert await UsedProof.filter(expires_at__gt=rows[0].expires_at).using_db(store.plane("sandbox")).exists()
    assert abs(rows[0].expires_at.timestamp() - later()) < 60
    await UsedProof.all().using_db(store.plane("sandbox")).delete()


async def test_many_at_once_share_a_question(two: tuple[UsedProofs, UsedProofs]) -> None:
    asked: list[int] = []
    spend = two[0]._store.spend

    class Counting(OneProcess):
        async def spend(self, questions: list[Question]) -> set[str]:
            asked.append(len(questions))
            return await spend(questions)

    counted = UsedProofs(Counting())
    answers = await asyncio.gather(*(counted.spend(f"{number:064x}", later()) for number in range(600)))
    assert all(answers)
    assert sum(asked) == 600
    assert len(asked) < 10
    await UsedProof.all().using_db(store.plane("sandbox")).delete()


async def test_no_answer_no_call(settings: Settings, stores: Stores) -> None:
    connection = store.plane("sandbox")
    proofs = used_proofs_for(settings)
    await connection.execute_script("ALTER TABLE used_proof RENAME TO used_proof_away")
    try:
        with pytest.raises(Failure) as failure:
            await proofs.spend("a" * 64, later())
    finally:
        await connection.execute_script("ALTER TABLE used_proof_away RENAME TO used_proof")
    assert failure.value.kind.slug == "proof-unchecked"
    assert await proofs.spend("b" * 64, later())
    await proofs.close()


async def test_a_caller_who_goes_away_holds_nobody_up() -> None:
    class Slow(OneProcess):
        async def spend(self, questions: list[Question]) -> set[str]:
            await asyncio.sleep(0.05)
            return await super().spend(questions)

    proofs = UsedProofs(Slow())
    gone = asyncio.create_task(proofs.spend("a", later()))
    stays = asyncio.create_task(proofs.spend("b", later()))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays
    assert not await proofs.spend("a", later())  # it may have been acted upon
    await proofs.close()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path) as server:
        yield server


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
async def test_redis_answers_for_all_and_without_it_nobody_passes(
    settings: Settings, redis: RedisServer
) -> None:
    settings = structs.replace(settings, redis_url=redis.url)
    both = used_proofs_for(settings), used_proofs_for(settings)
    for number in range(20):
        answers = await asyncio.gather(*(one.spend(f"{number}", later()) for one in both * 4))
        assert sorted(answers) == [False] * 7 + [True]
    redis.stop()
    with pytest.raises(Failure) as failure:
        await both[0].spend("after", later())
    assert failure.value.kind.slug == "proof-unchecked"
    for one in both:
        await one.close()
