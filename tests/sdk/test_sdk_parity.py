"""The certificate with SDKs as faces: what a program gets through the SDK is what REST answers, case by case."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.contract.model import Service
from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.python.emitter import emit as emit_python
from sdk.typescript.emitter import emit as emit_typescript
from tests.parity.running import widen_plans
from tests.sdk.parity import tables
from tests.sdk.test_snippets import chosen, city
from tests.server import Installation

FOLDER = Path(__file__).parent / "parity"


@pytest.fixture
def installation(tmp_path: Path) -> Installation:
    made = Installation(tmp_path / "home")
    made.seed()
    return made


def _write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def python_driver(model: SdkModel, folder: Path) -> str:
    _write(folder, emit_python(model, name="kaimen-parity", version="1.0.0"))
    _write(folder, {"python.json": json.dumps(tables.python(model))})
    return shlex.join(
        [sys.executable, str(FOLDER / "driver.py"), str(folder), "kaimen_parity", str(folder / "python.json")]
    )


def node_driver(model: SdkModel, folder: Path) -> str:
    _write(folder, emit_typescript(model, name="@kaimen/parity", version="1.0.0"))
    _write(folder, {"node.json": json.dumps(tables.node(model)), "package.json": '{"type": "module"}'})
    return shlex.join(
        ["node", str(FOLDER / "driver.mjs"), str(folder / "index.js"), str(folder / "node.json")]
    )


DRIVERS = {"python-sdk": python_driver, "typescript-sdk": node_driver}


def certify(installation: Installation, services: Sequence[Service], folder: Path, *more: str) -> dict:
    model = model_of(services)
    options = ["--face", "rest"]
    for name, made in DRIVERS.items():
        options += ["--face", name, "--driver", f"{name}={made(model, folder / name)}"]
    with installation.serving():
        keys = [one.key for one in services]
        done = installation.command("parity", *keys, *options, *more, "--json", check=False, timeout=540)
    assert done.stdout, done.stderr[-3000:]
    said: dict = json.loads(done.stdout)
    return said


def test_a_sample_agrees(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widen_plans(installation, monkeypatch)
    said = certify(installation, chosen("company", "hotline"), tmp_path, "--most", "60")
    assert said["drifts"] == []
    assert said["agree"] == said["cases"] > 60
    assert said["faces"] == ["rest", *DRIVERS]


@pytest.mark.full
def test_the_whole_city_agrees(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widen_plans(installation, monkeypatch)
    said = certify(installation, city(), tmp_path)
    assert said["drifts"] == []
    assert said["agree"] == said["cases"] >= 1000
