"""A task cancelled at any point of its transaction leaves the connection as it found it."""

import asyncio
import sqlite3
from contextlib import suppress

import pytest
from tortoise.transactions import in_transaction

from api.core import store
from api.core.store import Stores

STEPS = 60  # turns of the loop after which the task is cancelled: past the end of a transaction
PATIENCE_SECONDS = 10.0  # a bound: a transaction takes milliseconds


@pytest.fixture(scope="module")
async def table(stores: Stores) -> None:
    await store.plane("sandbox").execute_query("CREATE TABLE number (value INTEGER PRIMARY KEY)")


async def _write(value: int) -> None:
    async with in_transaction("sandbox") as connection:
        await connection.execute_query(f"INSERT INTO number (value) VALUES ({value})")


async def _write_many(value: int) -> None:
    connection = store.plane("sandbox")
    mark = store.placeholders(connection, 1)
    await connection.execute_many(f"INSERT INTO number (value) VALUES ({mark})", [[value], [value + 100_000]])


async def _wait(turns: int) -> None:
    for _ in range(turns):
        await asyncio.sleep(0.0002 if turns % 2 else 0)


@pytest.mark.parametrize("write", [_write, _write_many])
@pytest.mark.parametrize("times", [1, 2])
async def test_the_next_one_begins_and_finds_all_or_nothing(table: None, write, times: int) -> None:
    connection = store.plane("sandbox")
    await connection.execute_query("DELETE FROM number")
    for turns in range(STEPS):
        task = asyncio.create_task(write(turns))
        await _wait(turns)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE_SECONDS)
        await asyncio.wait_for(write(1000 + turns), PATIENCE_SECONDS)
    _, rows = await connection.execute_query("SELECT value FROM number")
    values = {row["value"] for row in rows}
    assert {1000 + turns for turns in range(STEPS)} <= values
    if write is _write_many:
        assert {value + 100_000 for value in values if value < 100_000} == {
            value for value in values if value >= 100_000
        }


async def test_nothing_is_left_open(table: None, migrated: Stores) -> None:
    """What is written after a cancelled transaction is there for others: it stands in no transaction left open."""
    connection = store.plane("sandbox")
    await connection.execute_query("DELETE FROM number")
    for turns in range(STEPS):
        task = asyncio.create_task(_write(turns))
        await _wait(turns)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.wait_for(task, PATIENCE_SECONDS)
        await connection.execute_query(f"INSERT INTO number (value) VALUES ({2000 + turns})")
        if not migrated.is_postgresql:
            with sqlite3.connect(migrated.home / "sandbox.sqlite3") as other:
                found = other.execute("SELECT 1 FROM number WHERE value = ?", (2000 + turns,)).fetchall()
            other.close()
            assert found, turns
