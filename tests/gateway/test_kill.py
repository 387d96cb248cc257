"""kill -9 at any moment: every answer of level 3 that a client received has its access record, and the chain holds."""

import asyncio
import contextlib
import os
import random
import signal
import sys
from pathlib import Path

import pytest

from api.core.store import Stores, open_stores
from api.gateway.evidence import verify_evidence
from api.gateway.models import AccessEvidence, RequestRecord
from tests.databases import free_port
from tests.gateway.kill_server import TOKEN

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = 16
REQUEST = (
    b"GET /api/company/v1/taxpayers/110000200001011234 HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer "
    + TOKEN
    + b"\r\n\r\n"
)


class Server:
    """A gateway process on a port that stays the same."""

    def __init__(self, stores: Stores) -> None:
        self.port = free_port()
        self._stores = stores
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gateway.kill_server", str(self._stores.home), self._stores.url, str(self.port),
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(600):
            assert self._process.returncode is None, "the server ended by itself"
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            await asyncio.sleep(0.1)
        raise AssertionError("the server does not answer")

    async def stop(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(how)
        await asyncio.wait_for(self._process.wait(), 30)


async def keep_calling(port: int, answered: list[str], wanted: int) -> None:
    """Call until `wanted` answers came to all clients together; an answer counts when its last byte is here."""
    while len(answered) < wanted:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while len(answered) < wanted:
                writer.write(REQUEST)
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                length = int(head.split("content-length: ")[1].split("\r\n")[0])
                await reader.readexactly(length)
                assert head.startswith(("http/1.1 200", "http/1.1 503")), head
                if head.startswith("http/1.1 200"):
                    answered.append(head.split("request-id: ")[1].split("\r\n")[0])
        writer.close()


async def kill_often(stores: Stores, calls: int, kills: int, seed: int) -> tuple[list[str], int]:
    """`calls` answers while the server is killed `kills` times, at random points of the way. Answers and kills."""
    rng = random.Random(seed)
    server = Server(stores)
    await server.start()
    answered: list[str] = []
    clients = [asyncio.create_task(keep_calling(server.port, answered, calls)) for _ in range(CLIENTS)]
    points = sorted(rng.sample(range(1, calls * 9 // 10), kills))
    killed = 0
    try:
        for point in points:
            while len(answered) < point:
                await asyncio.sleep(0.002)
            await asyncio.sleep(rng.random() * 0.01)
            await server.stop(signal.SIGKILL)
            killed += 1
            await server.start()
        await asyncio.wait_for(asyncio.gather(*clients), 300)
    finally:
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        await server.stop(signal.SIGTERM)
    return answered, killed


async def missing_records(answered: list[str]) -> list[str]:
    found: set[str] = set()
    for at in range(0, len(answered), 500):
        part = answered[at : at + 500]
        found.update(
            str(one)
            for one in await AccessEvidence.filter(request_id__in=part).values_list("request_id", flat=True)
        )
    return [one for one in answered if one not in found]


async def check(stores: Stores, calls: int, kills: int, seed: int) -> None:
    answered, killed = await kill_often(stores, calls, kills, seed)
    assert killed == kills
    assert len(answered) >= calls
    async with open_stores(stores, "sandbox"):
        assert await missing_records(answered) == []
        rows, fault = await verify_evidence("sandbox")
        assert fault is None
        assert rows >= len(answered)


async def test_no_answer_without_its_record(migrated: Stores) -> None:
    await check(migrated, calls=400, kills=2, seed=7)


@pytest.mark.full
async def test_no_answer_without_its_record_in_10000_calls(migrated: Stores) -> None:
    await check(migrated, calls=10_000, kills=20, seed=11)


async def test_sigterm_loses_nothing_of_the_log(migrated: Stores) -> None:
    server = Server(migrated)
    await server.start()
    answered: list[str] = []
    await asyncio.wait_for(asyncio.gather(*(keep_calling(server.port, answered, 200) for _ in range(4))), 60)
    await server.stop(signal.SIGTERM)
    async with open_stores(migrated, "sandbox"):
        assert await RequestRecord.filter(id__in=answered).count() == len(answered)
