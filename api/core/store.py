"""The databases: one control store and one store for each data plane, on SQLite or PostgreSQL.

Connections are named `control`, `sandbox` and `live`. A Tortoise app is either a control app or a plane
app; a plane app's models go to the plane of the process (`open_stores(environment=…)`), and to another
plane with `.using_db(plane("live"))`. On PostgreSQL each store is a schema of its own.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from msgspec import Struct
from tortoise import Tortoise
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.backends.base.executor import EXECUTOR_CACHE
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.migrations.api import migrate as run_migrations

CONTROL = "control"
PLANES = ("sandbox", "live")


class StoreApp(Struct, frozen=True):
    """A Tortoise app: label, module of its models, and whether it lives in the plane stores."""

    label: str
    models: str
    is_plane: bool = False

    @property
    def migrations(self) -> str:
        return self.models.rpartition(".")[0] + ".migrations"


class Stores(Struct, frozen=True):
    """Where the stores are: a database URL, or "" for SQLite files in `home`; and the apps in them."""

    home: Path
    url: str
    apps: tuple[StoreApp, ...]
    planes: tuple[str, ...] = PLANES

    @property
    def is_postgresql(self) -> bool:
        return self.url.startswith(("postgres://", "postgresql://", "asyncpg://"))

    def connection_url(self, name: str) -> str:
        if self.is_postgresql:
            base = "asyncpg://" + self.url.partition("://")[2]
            joint = "&" if "?" in base else "?"
            return f"{base}{joint}schema=kaimen_{name}&minsize=1&maxsize=8"
        # FULL: what was answered is on disk. Batched writers make one commit of many rows; a log of 16 MB
        # before it is folded back saves a quarter of their time.
        pragmas = "synchronous=FULL&busy_timeout=10000&wal_autocheckpoint=4000&journal_size_limit=67108864"
        return f"sqlite://{quote(str(self.home / f'{name}.sqlite3'))}?{pragmas}"

    def configuration(self, environment: str) -> dict[str, Any]:
        """The Tortoise configuration of a process whose plane is `environment`."""
        client = f"api.core.{'asyncpg' if self.is_postgresql else 'sqlite'}_client"
        return {
            "connections": {
                name: expand_db_url(self.connection_url(name)) | {"engine": client}
                for name in (CONTROL, *self.planes)
            },
            "apps": {
                app.label: {
                    "models": [app.models],
                    "default_connection": environment if app.is_plane else CONTROL,
                    "migrations": app.migrations,
                }
                for app in self.apps
            },
            "use_tz": True,
            "timezone": "UTC",
        }


async def _make_schemas(stores: Stores) -> None:
    import asyncpg

    connection = await asyncpg.connect(  # type: ignore[no-untyped-call]
        "postgresql://" + stores.url.partition("://")[2]
    )
    try:
        for name in (CONTROL, *stores.planes):
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS kaimen_{name}")
    finally:
        await connection.close()


async def migrate(stores: Stores) -> None:
    """Bring every store to the newest migration. Safe to repeat; run it before `open_stores`."""
    stores.home.mkdir(parents=True, exist_ok=True)
    if stores.is_postgresql:
        await _make_schemas(stores)
    control = [app.label for app in stores.apps if not app.is_plane]
    plane = [app.label for app in stores.apps if app.is_plane]
    for environment in stores.planes:
        labels = plane if environment != stores.planes[0] else control + plane
        async with TortoiseContext():
            await run_migrations(config=stores.configuration(environment), app_labels=labels)
            await Tortoise.close_connections()


@asynccontextmanager
async def open_stores(stores: Stores, environment: str) -> AsyncIterator[None]:
    """Open all connections for the life of the block, for every task of the process."""
    EXECUTOR_CACHE.clear()  # keyed by connection name only: SQL of another dialect may still be in it
    await Tortoise.init(config=stores.configuration(environment), _enable_global_fallback=True)
    try:
        yield
    finally:
        await Tortoise.close_connections()


def control() -> BaseDBAsyncClient:
    """The control store's connection (the running transaction inside `audit.write`)."""
    return get_connection(CONTROL)


def plane(environment: str) -> BaseDBAsyncClient:
    """The connection of one data plane's store."""
    return get_connection(environment)


def placeholders(connection: BaseDBAsyncClient, count: int, start: int = 1) -> str:
    """`?, ?` on SQLite and `$1, $2` on PostgreSQL, for the few statements written by hand."""
    if connection.capabilities.dialect == "sqlite":
        return ", ".join("?" * count)
    return ", ".join(f"${number}" for number in range(start, start + count))


def rows_as_dicts(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Driver rows as plain dictionaries."""
    return [dict(row) for row in rows]
