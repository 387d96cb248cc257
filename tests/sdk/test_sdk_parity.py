"""The certificate with SDKs as faces: what a program gets through the SDK is what REST answers, case by case."""

import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from api.contract.model import Service
from sdk.go.emitter import emit as emit_go
from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.python.emitter import emit as emit_python
from sdk.typescript.emitter import emit as emit_typescript
from tests.parity.running import widen_plans
from tests.sdk import java_tools
from tests.sdk import snippet_projects as projects
from tests.sdk.parity import dispatchers, tables
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


def java_driver(model: SdkModel, folder: Path) -> str:
    java_tools.write(folder / "src", "parity", model)
    _write(folder / "src", {"Dispatch.java": dispatchers.java(model, "gov.kaimen.sdk.parity")})
    shutil.copy(FOLDER / "Driver.java", folder / "src")
    java_tools.compile_all(folder / "src", folder / "classes", lint="-Xlint:all,-serial")
    return shlex.join([java_tools.found("java"), "-Xmx256m", "-cp", str(folder / "classes"), "Driver"])


def go_driver(model: SdkModel, folder: Path) -> str:
    made = emit_go(model, module="gov.kaimen/sdk/parity", version="1.0.0")
    _write(folder / "parity", {name: text for name, text in made.items() if name != "go.mod"})
    _write(folder, {"go.mod": "module gov.kaimen/sdk\n\ngo 1.21\n"})
    _write(folder / "driver", {"dispatch.go": dispatchers.go(model, "gov.kaimen/sdk/parity")})
    shutil.copy(FOLDER / "driver.go", folder / "driver" / "driver.go")
    command = shutil.which("go") or "/usr/local/go/bin/go"
    environ = {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    projects.run([command, "build", "-o", "program", "./driver"], folder, **environ)
    return str(folder / "program")


DRIVERS = {
    "python-sdk": python_driver, "typescript-sdk": node_driver, "java-sdk": java_driver, "go-sdk": go_driver,
}  # fmt: skip


QUICK = ("python-sdk", "typescript-sdk")  # no compiler first


def certify(
    installation: Installation, services: Sequence[Service], folder: Path, faces: Sequence[str], *more: str
) -> dict:
    model = model_of(services)
    options = ["--face", "rest"]
    for name in faces:
        options += ["--face", name, "--driver", f"{name}={DRIVERS[name](model, folder / name)}"]
    with installation.serving():
        keys = [one.key for one in services]
        done = installation.command("parity", *keys, *options, *more, "--json", check=False, timeout=540)
    assert done.stdout, done.stderr[-3000:]
    said: dict = json.loads(done.stdout)
    return said


def test_a_sample_agrees(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    widen_plans(installation, monkeypatch)
    said = certify(installation, chosen("hotline"), tmp_path, QUICK, "--most", "60")
    assert said["drifts"] == [], "\n".join(map(str, said["drifts"]))
    assert said["agree"] == said["cases"] > 30
    assert said["faces"] == ["rest", *QUICK]


@pytest.mark.full
def test_the_whole_city_agrees(
    installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    widen_plans(installation, monkeypatch)
    said = certify(installation, city(), tmp_path, tuple(DRIVERS))
    assert said["drifts"] == [], "\n".join(map(str, said["drifts"]))
    assert said["agree"] == said["cases"] >= 1000
