"""SQLite's client for `store`: Tortoise's own, made safe against a task that is cancelled.

Tortoise locks the one connection, then begins the transaction. A task that is cancelled in between (a client went
away, the process ends) would keep the connection locked for ever, so that the process would never end; and
`execute_many` would leave its transaction open. Here what was begun is undone before the next one has its turn.
The module's name tells Tortoise's migrations the dialect.
"""
# ruff: noqa: SLF001 - the parts of Tortoise's client that are put right are not public

import asyncio
from typing import Any

import aiosqlite
from tortoise.backends.base.client import ConnectionWrapper, TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import SqliteClient, SqliteTransactionContext, SqliteTransactionWrapper
from tortoise.connection import get_connections


class SafeSqliteClient(SqliteClient):
    """One connection to one file, used by one task at a time."""

    async def create_connection(self, with_db: bool) -> None:
        try:
            await super().create_connection(with_db)
        except BaseException:  # half made: without its pragmas
            half, self._connection = self._connection, None
            if half is not None:
                half.stop()
            raise

    def acquire_connection(self) -> ConnectionWrapper[aiosqlite.Connection]:
        return _Connection(self._lock, self)

    def _in_transaction(self) -> TransactionContext:
        return _Transaction(SqliteTransactionWrapper(self), self._lock)

    async def execute_many(self, query: str, values: list[list[Any]]) -> None:
        async with self._in_transaction() as transaction:
            await transaction.execute_many(query, values)


class _Connection(ConnectionWrapper[aiosqlite.Connection]):
    async def __aenter__(self) -> aiosqlite.Connection:
        await self._lock.acquire()
        try:
            await self.ensure_connection()
        except BaseException:
            self._lock.release()
            raise
        return self.connection


class _Transaction(SqliteTransactionContext):
    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        try:
            await self.ensure_connection()
            await self.connection.begin()
        except BaseException:
            await self._give_back()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        return self.connection  # type: ignore[no-any-return]  # Tortoise says Any

    async def _give_back(self) -> None:
        """Undo what was begun, then free the connection: in this order even if the task is cancelled again."""
        if not self.connection._connection:
            self._trxlock.release()
            return
        undoing = asyncio.ensure_future(self.connection._connection.rollback())

        def free(undone: "asyncio.Future[None]") -> None:
            self._trxlock.release()
            if not undone.cancelled():
                undone.exception()  # seen: a connection that cannot roll back fails the next statement too

        undoing.add_done_callback(free)
        await asyncio.wait([undoing])


client_class = SafeSqliteClient
