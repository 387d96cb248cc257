"""One installation with a small city, served; an app with two subscriptions and its read token."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server import Installation, RunningServer

SUBSCRIPTIONS = ("company@v1", "tax@v1:bank-credit")


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    made = Installation(Path(tmp_path_factory.mktemp("downloads")))
    made.seed()
    return made


@pytest.fixture(scope="session")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving("sandbox") as running:
        yield running


def new_app(installation: Installation, name: str, *subscriptions: str) -> dict[str, Any]:
    chosen = [word for one in subscriptions for word in ("--subscribe", one)]
    made: dict[str, Any] = installation.json("app", "create", "--name", name, *chosen)
    return made


@pytest.fixture(scope="session")
def app(installation: Installation) -> dict[str, Any]:
    """A sandbox app as `kaimen app create` tells it."""
    return new_app(installation, "sdk", *SUBSCRIPTIONS)


@pytest.fixture(scope="session")
def token(installation: Installation, app: dict[str, Any]) -> str:
    return str(installation.json("sdk", "token", app["app_id"], "--label", "tests")["token"])
