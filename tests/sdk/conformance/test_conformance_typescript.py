"""The TypeScript SDK does what every SDK has to do."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdk.model import SdkModel
from sdk.typescript.emitter import emit
from tests.sdk.conformance import drive
from tests.sdk.conformance.server import Server

RUNNER = Path(__file__).parent / "runners" / "runner.mjs"


@pytest.fixture(scope="module")
def runner(conformance_model: SdkModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[drive.Runner]:
    folder = tmp_path_factory.mktemp("typescript")
    (folder / "package.json").write_text('{"type": "module"}')
    for path, text in emit(conformance_model, name="@kaimen/conformance", version="1.4.0").items():
        (folder / path).write_text(text, encoding="utf-8")
    node = shutil.which("node")
    assert node is not None, "node is installed by `make system`"
    with drive.running([node, str(RUNNER), str(folder / "index.js")]) as one:
        yield one


@pytest.mark.parametrize("scenario", drive.EVERY, ids=lambda one: one["id"])
def test_scenario(scenario: dict[str, Any], runner: drive.Runner, conformance_server: Server) -> None:
    drive.play(scenario, runner, conformance_server)
