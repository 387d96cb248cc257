from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mcp.serving import PlainClient, make_app, token_of
from tests.server import Installation, RunningServer


@pytest.fixture(scope="module")
def installation(home: Path) -> Installation:
    made = Installation(home)
    made.seed()
    return made


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving() as running:
        yield running


@pytest.fixture(scope="module")
def app(installation: Installation, server: RunningServer) -> dict:
    return make_app(installation, "company@v1", "post@v1")


@pytest.fixture(scope="module")
def token(server: RunningServer, app: dict) -> str:
    return token_of(server, app)


@pytest.fixture(scope="module")
def client(server: RunningServer, token: str) -> Iterator[PlainClient]:
    made = PlainClient(server, token)
    yield made
    made.close()


@pytest.fixture(scope="module")
def code(installation: Installation) -> str:
    return installation.company_in_business()
