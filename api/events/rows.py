"""SQL of the plane store, written once for SQLite and PostgreSQL: `?` stands for a value in both."""

from collections.abc import Sequence
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient

# an event together with its place in an app's feed
EVENT_COLUMNS = (
    "e.id, e.source, e.type, e.subject, e.data, e.request_id, f.position, f.sequence, f.time, f.released_at"
)


def statement(connection: BaseDBAsyncClient, text: str) -> str:
    """The statement in the connection's dialect: numbered placeholders for PostgreSQL."""
    if connection.capabilities.dialect == "sqlite":
        return text
    first, *others = text.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(others, 1))


async def fetch(connection: BaseDBAsyncClient, text: str, *values: Any) -> list[dict[str, Any]]:
    """The rows of a query."""
    _, rows = await connection.execute_query(statement(connection, text), list(values))
    return [dict(row) for row in rows]


async def change(connection: BaseDBAsyncClient, text: str, *values: Any) -> int:
    """Do it, and tell how many rows it touched."""
    count, _ = await connection.execute_query(statement(connection, text), list(values))
    return int(count)


async def change_many(connection: BaseDBAsyncClient, text: str, rows: Sequence[Sequence[Any]]) -> None:
    """Do it once for each row of values."""
    if rows:
        await connection.execute_many(statement(connection, text), [list(row) for row in rows])


def marks(values: Sequence[Any]) -> str:
    """`?, ?, ?` for a list of values."""
    return ", ".join("?" * len(values))


def is_postgresql(connection: BaseDBAsyncClient) -> bool:
    return connection.capabilities.dialect != "sqlite"
