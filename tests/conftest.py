"""Fixtures for everyone: both databases, opened stores, settings.

`stores` (or `database_url` alone) makes a test run twice, on SQLite and on PostgreSQL, each test module with
a fresh database of its own. For one of the two only:
`@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")`.
"""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from api.core.store import Stores, open_stores
from api.settings import Settings
from tests import databases, seeded

LONG_FIRST = (
    "fuzz",
    "parity",
    "journeys",
    "events",
    "sdk",
    "downloads",
    "mcp",
    "graphql",
    "portal",
    "sandbox",
)
LONG_SECONDS = 1500  # one test of `make test-full`; it is held up no longer than this
# No timed asserts: a busy machine is no defect.
hypothesis.settings.register_profile(
    "kaimen", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("kaimen")


def _turn(item: pytest.Item) -> int:
    """Folders with few and long tests first, so that no process is left alone with one at the end."""
    folder = item.path.parent.relative_to(item.config.rootpath / "tests").parts
    return LONG_FIRST.index(folder[0]) if folder and folder[0] in LONG_FIRST else len(LONG_FIRST)


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by -m
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("postgresql_full") and "postgresql" in item.callspec.params.values():
            item.add_marker("full")
        if item.get_closest_marker("full") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(LONG_SECONDS))
    items.sort(key=_turn)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """The URL of a running PostgreSQL server, started at first need."""
    with databases.postgresql_server() as url:
        yield url


@pytest.fixture(scope="session", autouse=True)
def _sqlite_template() -> Iterator[None]:
    yield
    databases.drop_template("")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    """Which database: `sqlite` or `postgresql`."""
    return str(request.param)


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A KAIMEN_HOME of this test module; in memory where there is such a place, since SQLite waits for the disk."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="kaimen-home-", dir=memory if os.access(memory, os.W_OK) else None)
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
async def migrated(database: str, home: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stores]:
    """Migrated stores, not opened: for tests that start processes of their own."""
    server_url = request.getfixturevalue("postgresql_server") if database == "postgresql" else ""
    made = await databases.make_migrated(home / database, server_url)
    yield made
    if server_url:
        await databases.drop_database(server_url, made.url)


@pytest.fixture(scope="module")
def seeded_home(migrated: Stores) -> Stores:
    """The migrated stores with a seeded city in them, not opened; a test that uses it has a city in `home` too."""
    seeded.put(migrated.home, migrated.url)
    return migrated


@pytest.fixture(scope="module")
def database_url(migrated: Stores) -> str:
    """What KAIMEN_DATABASE_URL takes: "" for SQLite in `settings.home`, or a PostgreSQL URL."""
    return migrated.url


@pytest.fixture(scope="module")
def settings(migrated: Stores) -> Settings:
    """Settings of an embedded sandbox process on the migrated stores."""
    return Settings(home=str(migrated.home), database_url=migrated.url, embedded=True)


@pytest.fixture(scope="module")
async def stores(migrated: Stores) -> AsyncIterator[Stores]:
    """Migrated and opened stores, the sandbox plane the default of the plane apps."""
    async with open_stores(migrated, "sandbox"):
        yield migrated
