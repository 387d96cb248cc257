"""The rows of states in the plane store: heads, records, snapshots. What they mean is `state` and `snapshots`.

Statements are written with `?`; PostgreSQL gets its own numbering. All of them run on the connection given,
so on a transaction where there is one.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from tortoise.backends.base.client import BaseDBAsyncClient

Record = dict[str, Any]
Key = tuple[str, str]  # department, "kind/key"
Changes = dict[Key, Record | None]  # None: the record is gone

HEAD = "SELECT version, base, clock_us, city FROM city_state_head WHERE state_id = ?"


class Head(Struct, frozen=True):
    """How far a state has come, its clock (microseconds ahead of the real one, None: not begun), and its city."""

    version: int
    base: int  # the version before which nothing counts any more: a reset or a restore
    clock_us: int | None = None
    city: str = ""


def numbered(connection: BaseDBAsyncClient, statement: str) -> str:
    """The statement with the placeholders of this database."""
    if connection.capabilities.dialect == "sqlite":
        return statement
    head, *parts = statement.split("?")
    return head + "".join(f"${number}{part}" for number, part in enumerate(parts, start=1))


async def fetch(connection: BaseDBAsyncClient, statement: str, *values: Any) -> Sequence[Any]:
    """The rows of a query."""
    _, rows = await connection.execute_query(numbered(connection, statement), list(values))
    return rows


async def change(connection: BaseDBAsyncClient, statement: str, *values: Any) -> int:
    """Run a change; how many rows it touched (of UPDATE and DELETE)."""
    count, _ = await connection.execute_query(numbered(connection, statement), list(values))
    return int(count)


async def head_of(connection: BaseDBAsyncClient, state_id: str) -> Head | None:
    """The head, or None for a state that was never written."""
    rows = await fetch(connection, HEAD, state_id)
    return Head(*(rows[0][name] for name in ("version", "base", "clock_us", "city"))) if rows else None


async def raise_head(
    connection: BaseDBAsyncClient, state_id: str, city: str = "", begins_us: int | None = None
) -> Head:
    """Take the state's head for this transaction; the raised one. Others wait for it.

    `city` names the city that the first change since the last reset is made on; `begins_us` is what a clock
    that has not begun is set to.
    """
    await change(
        connection,
        "INSERT INTO city_state_head (state_id, version, base, clock_us, city) VALUES (?, 1, 0, ?, ?) "
        "ON CONFLICT (state_id) DO UPDATE SET version = city_state_head.version + 1, "
        "clock_us = COALESCE(city_state_head.clock_us, excluded.clock_us), "
        "city = CASE WHEN city_state_head.city = '' THEN excluded.city ELSE city_state_head.city END",
        state_id,
        begins_us,
        city,
    )
    head = await head_of(connection, state_id)
    assert head is not None
    return head


async def set_head(
    connection: BaseDBAsyncClient, state_id: str, *, base: int, clock_us: int | None, city: str
) -> None:
    """Write what `raise_head` leaves as it is."""
    await change(
        connection,
        "UPDATE city_state_head SET base = ?, clock_us = ?, city = ? WHERE state_id = ?",
        base, clock_us, city, state_id,
    )  # fmt: skip


async def load(connection: BaseDBAsyncClient, state_id: str, after: int = -1) -> tuple[Changes, int]:
    """The records written after that version, and the newest version among them (`after` where there is none)."""
    found = await fetch(
        connection,
        "SELECT department, key, value, version FROM city_state WHERE snapshot = '' AND state_id = ? AND version > ?",
        state_id, after,
    )  # fmt: skip
    rows: Changes = {}
    for row in found:
        text = row["value"]
        rows[row["department"], row["key"]] = msgspec.json.decode(text) if text else None
        after = max(after, int(row["version"]))
    return rows, after


async def write(connection: BaseDBAsyncClient, state_id: str, version: int, changes: Changes) -> None:
    """Write changed records, each over the one that was there."""
    await connection.execute_many(
        numbered(
            connection,
            "INSERT INTO city_state (state_id, snapshot, department, key, value, version) "
            "VALUES (?, '', ?, ?, ?, ?) ON CONFLICT (state_id, snapshot, department, key) "
            "DO UPDATE SET value = excluded.value, version = excluded.version",
        ),
        [
            [
                state_id,
                department,
                key,
                "" if record is None else msgspec.json.encode(record).decode(),
                version,
            ]
            for (department, key), record in changes.items()
        ],
    )


async def copy(
    connection: BaseDBAsyncClient, state_id: str, *, source: str, target: str, version: int
) -> None:
    """Copy records from one snapshot to another ("" is the present state), as of that version."""
    await change(
        connection,
        "INSERT INTO city_state (state_id, snapshot, department, key, value, version) "
        "SELECT state_id, CAST(? AS TEXT), department, key, value, CAST(? AS BIGINT) FROM city_state "
        "WHERE state_id = ? AND snapshot = ?",
        target, version, state_id, source,
    )  # fmt: skip


async def clear(connection: BaseDBAsyncClient, state_id: str, snapshot: str = "") -> int:
    """Delete the records of a snapshot ("" is the present state); how many."""
    return await change(
        connection, "DELETE FROM city_state WHERE state_id = ? AND snapshot = ?", state_id, snapshot
    )
