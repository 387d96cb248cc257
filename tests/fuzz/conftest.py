"""A server process with a small city, on each database, and an app to speak with."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.core.store import Stores
from tests.fuzz.targets import Target, city_operations
from tests.server import Installation, RunningServer

# each fuzzed request names an address of its own, so that limits by address do not end the test early
SETTINGS = {"KAIMEN_TRUSTED_PROXIES": "127.0.0.0/8", "KAIMEN_CALL_DEADLINE_MS": "5000"}


@pytest.fixture(scope="module")
def installation(migrated: Stores) -> Installation:
    """A home on the module's database, seeded."""
    made = Installation(Path(migrated.home), extra={"KAIMEN_DATABASE_URL": migrated.url, **SETTINGS})
    made.command("city", "seed", "--citizens", "200", "--companies", "60", "--seed", "7")
    return made


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving("sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def target(installation: Installation, server: RunningServer) -> Target:
    """A good app with tokens, and codes that exist and that do not."""
    subscriptions = ("--subscribe", "company@v1", "--subscribe", "tax@v1", "--subscribe", "post@v1")
    app = installation.json("app", "create", "--name", "fuzz", "--environment", "sandbox", *subscriptions)
    credentials = (app["client_id"], app["client_secret"])
    form = {"grant_type": "client_credentials"}
    answers = [httpx.post(server.url + "/oauth/token", data=form, auth=credentials) for _ in range(3)]
    tokens = tuple(answer.json()["access_token"] for answer in answers)
    personas = installation.json("city", "personas")["personas"]
    codes = tuple(row["code"] for row in personas if row.get("code"))[:20]
    return Target(
        client_id=app["client_id"],
        secret=app["client_secret"],
        tokens=tokens,
        codes=(*codes, "91310000MA1K35UX8J", "1", "a"),
        operations=city_operations(),
    )
