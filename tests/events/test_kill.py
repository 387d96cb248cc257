"""kill -9 of the server in the middle of deliveries: none is lost, and what comes twice carries the same id."""

import asyncio
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.databases import make_database
from tests.events.receiver import Answer, Message, receiving
from tests.events.serving import install, make_app, make_endpoint, tell
from tests.server import Installation

SUBJECTS = 40


async def kill_in_the_middle(installation: Installation, events: int, kills: int) -> None:
    """Tell so many events and kill the server so many times while they are brought."""

    def slow(message: Message) -> Answer:
        time.sleep(0.005)  # so that a kill finds some under way
        return 204, {}, b""

    with receiving(slow) as receiver:
        with installation.serving():
            app_id = make_app(installation)["app_id"]
            make_endpoint(installation, app_id, receiver.url, "--concurrency", "20")
        sent = await tell(installation, app_id, range(events), subjects=SUBJECTS)
        for kill in range(kills):
            wanted = (kill + 1) * events // (kills + 2)
            with installation.serving() as server:
                await asyncio.to_thread(receiver.wait_for, wanted, 60)
                server.stop(signal.SIGKILL)
        with installation.serving():
            await asyncio.to_thread(
                receiver.wait_until,
                lambda: len(set(receiver.ids)) == events,
                120,
                f"{events} different events",
            )
            log = installation.json("webhook", "deliveries", app_id, "--status", "waiting")["items"]
            for _ in range(100):
                if not log:
                    break
                await asyncio.sleep(0.2)
                log = installation.json("webhook", "deliveries", app_id, "--status", "waiting")["items"]
    assert log == []
    assert sorted(set(receiver.ids)) == sorted(sent), "none is lost, none is invented"
    bodies: dict[str, set[bytes]] = {}
    first: dict[str, list[int]] = {}
    for message in receiver.messages:
        bodies.setdefault(message.id, set()).add(message.body)
        sequence = int(message.event["sequence"])
        numbers = first.setdefault(message.event["subject"], [])
        if sequence not in numbers:
            numbers.append(sequence)
    assert all(len(one) == 1 for one in bodies.values()), "a duplicate is the same event, byte for byte"
    assert all(numbers == sorted(numbers) for numbers in first.values()), "each subject kept its order"
    repeated = {one: count for one, count in Counter(receiver.ids).items() if count > 1}
    print(f"{events} events, {kills} kills: {len(receiver.ids)} requests, {len(repeated)} events came twice")
    assert len(repeated) <= kills * 20  # no more than were under way


async def test_a_kill_in_the_middle_loses_nothing(home: Path) -> None:
    await kill_in_the_middle(install(home, KAIMEN_WEBHOOK_TIMEOUT_MS="1000"), 120, 1)


@pytest.mark.full
@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True, scope="module")
async def test_1000_deliveries_through_kills(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    url = ""
    if database == "postgresql":
        url = await make_database(request.getfixturevalue("postgresql_server"))
    await kill_in_the_middle(install(tmp_path, url=url, KAIMEN_WEBHOOK_TIMEOUT_MS="1000"), 1000, 4)
