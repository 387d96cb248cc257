"""The Java SDK does what every SDK has to do."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdk.model import SdkModel
from tests.sdk import java_tools
from tests.sdk.conformance import drive
from tests.sdk.conformance.server import Server

RUNNER = Path(__file__).parent / "runners" / "Runner.java"


@pytest.fixture(scope="module")
def runner(conformance_model: SdkModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[drive.Runner]:
    folder = tmp_path_factory.mktemp("java")
    java_tools.write(folder / "src", "conformance", conformance_model, "1.4.0")
    shutil.copy(RUNNER, folder / "src")
    java_tools.compile_all(folder / "src", folder / "classes")
    with drive.running(
        [java_tools.found("java"), "-Xmx256m", "-cp", str(folder / "classes"), "Runner"]
    ) as one:
        yield one


@pytest.mark.parametrize("scenario", drive.EVERY, ids=lambda one: one["id"])
def test_scenario(scenario: dict[str, Any], runner: drive.Runner, conformance_server: Server) -> None:
    drive.play(scenario, runner, conformance_server)
