"""One installation with a small city, served for all journeys; each journey makes its own people and apps."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import Installation, RunningServer
from tests.visitor import Visitor, say_goodbye


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    home = Path(tmp_path_factory.mktemp("journeys"))
    # visitors name an address of their own, so that limits by address do not end a journey early
    made = Installation(home, extra={"KAIMEN_TRUSTED_PROXIES": "127.0.0.0/8"})
    made.seed()
    return made


@pytest.fixture(scope="session")
def sandbox(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving("sandbox") as server:
        yield server
        say_goodbye()


@pytest.fixture(scope="session")
def live(installation: Installation, sandbox: RunningServer) -> Iterator[RunningServer]:
    with installation.serving("live") as server:
        yield server


@pytest.fixture(scope="session")
def company_code(installation: Installation) -> str:
    """The credit code of a company that is in business."""
    return installation.company_in_business()


@pytest.fixture
def developer(sandbox: RunningServer) -> Visitor:
    """A developer who is signed in, reads Chinese and has no app yet."""
    return Visitor(sandbox.url).sign_up()
