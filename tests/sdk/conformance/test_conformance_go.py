"""The Go SDK does what every SDK has to do."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sdk.go.emitter import emit
from sdk.model import SdkModel
from tests.sdk.conformance import drive
from tests.sdk.conformance.server import Server

RUNNER = Path(__file__).parent / "runners" / "go" / "main.go"


@pytest.fixture(scope="module")
def runner(conformance_model: SdkModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[drive.Runner]:
    folder = tmp_path_factory.mktemp("go")
    (folder / "sdk").mkdir()
    for path, text in emit(conformance_model, module="gov.kaimen/sdk/conformance", version="1.4.0").items():
        (folder / "sdk" / path).write_text(text, encoding="utf-8")
    shutil.copy(RUNNER, folder / "main.go")
    (folder / "go.mod").write_text(
        "module runner\n\ngo 1.21\n\nrequire gov.kaimen/sdk/conformance v1.4.0\n\nreplace gov.kaimen/sdk/conformance => ./sdk\n"
    )
    go = shutil.which("go") or "/usr/local/go/bin/go"
    environment = os.environ | {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    built = subprocess.run(
        [go, "build", "-o", "runner", "."],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    with drive.running([str(folder / "runner")]) as one:
        yield one


@pytest.mark.parametrize("scenario", drive.EVERY, ids=lambda one: one["id"])
def test_scenario(scenario: dict[str, Any], runner: drive.Runner, conformance_server: Server) -> None:
    drive.play(scenario, runner, conformance_server)
