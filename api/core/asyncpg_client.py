"""PostgreSQL's client for `store`: Tortoise's own, made safe against a task that is cancelled.

Tortoise takes a connection from the pool, then begins the transaction. A task that is cancelled in between would
never give the connection back; after eight of them the process would wait for ever. The module's name tells
Tortoise's migrations the dialect.
"""
# ruff: noqa: SLF001 - the parts of Tortoise's client that are put right are not public

from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext, TransactionContextPooled
from tortoise.connection import get_connections


class SafeAsyncpgClient(AsyncpgDBClient):
    """A pool of connections."""

    def _in_transaction(self) -> TransactionContext:
        return _Transaction(TransactionWrapper(self), self._pool_init_lock)


class _Transaction(TransactionContextPooled):
    async def __aenter__(self) -> TransactionalDBClient:
        try:
            return await super().__aenter__()
        except BaseException:
            if hasattr(self, "token"):
                get_connections().reset(self.token)
            connection = self.client._connection
            if connection is not None:
                await self.client._parent._pool.release(connection)  # it rolls back, whoever waits for it
            raise


client_class = SafeAsyncpgClient
