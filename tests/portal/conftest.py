"""One installation with a small city, served for all tests of the portal; each test makes its own people."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Installation, RunningServer
from tests.visitor import Visitor, say_goodbye


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = Path(tmp_path_factory.mktemp("portal"))
    made = Installation(home, extra={"KAIMEN_TRUSTED_PROXIES": "127.0.0.0/8"})
    made.seed()
    return made


@pytest.fixture(scope="session")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving("sandbox") as running:
        yield running
        say_goodbye()


@pytest.fixture
def visitor(server: RunningServer) -> Visitor:
    """Nobody in particular, reading Chinese."""
    return Visitor(server.url)


@pytest.fixture
def developer(server: RunningServer) -> Visitor:
    """A developer who is signed in and has no app yet."""
    return Visitor(server.url).sign_up()


@pytest.fixture(scope="session")
def shared_developer(server: RunningServer) -> Visitor:
    """A signed-in developer for tests that only look."""
    return Visitor(server.url).sign_up()
