"""The Python SDK does what every SDK has to do, for threads and for asyncio."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdk.model import SdkModel
from sdk.python.emitter import emit
from tests.sdk.conformance import drive
from tests.sdk.conformance.server import Server

RUNNER = Path(__file__).parent / "runners" / "runner.py"


@pytest.fixture(scope="module")
def package(conformance_model: SdkModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("python")
    for path, text in emit(conformance_model, name="kaimen-conformance", version="1.4.0").items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def runner(package: Path) -> Iterator[drive.Runner]:
    with drive.running([sys.executable, "-W", "error", str(RUNNER), str(package)]) as one:
        yield one


@pytest.fixture(scope="module")
def async_runner(package: Path) -> Iterator[drive.Runner]:
    with drive.running([sys.executable, "-W", "error", str(RUNNER), str(package), "async"]) as one:
        yield one


@pytest.mark.parametrize("scenario", drive.EVERY, ids=lambda one: one["id"])
def test_scenario(scenario: dict[str, Any], runner: drive.Runner, conformance_server: Server) -> None:
    drive.play(scenario, runner, conformance_server)


@pytest.mark.parametrize("scenario", drive.EVERY, ids=lambda one: one["id"])
def test_scenario_with_asyncio(
    scenario: dict[str, Any], async_runner: drive.Runner, conformance_server: Server
) -> None:
    drive.play(scenario, async_runner, conformance_server)
