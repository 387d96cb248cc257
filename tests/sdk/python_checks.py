"""Python packages on disk, under mypy --strict and pyright, and loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

from sdk.model import SdkModel
from sdk.python.emitter import emit
from tests.sdk import corpus

PYRIGHT = corpus.ROOT / "tests" / "witness" / "node_modules" / "pyright" / "index.js"
PYRIGHT_AT_ONCE = 12  # packages


def write(folder: Path, name: str, model: SdkModel, version: str = "1.0.0") -> None:
    """The package below the folder."""
    for path, text in emit(model, name=name, version=version).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def run(folder: Path, *command: str, **environment: str) -> str:
    """What the program prints; fails where the program does."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=900, check=False, env=os.environ | environment
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout


def check(folder: Path, *programs: str, with_pyright: bool = True) -> None:
    """Types by mypy and pyright, of the packages and of programs beside them; then every module is loaded."""
    modules = sorted(one.name for one in folder.iterdir() if (one / "__init__.py").exists())
    options = [
        "--strict",
        "--no-error-summary",
        "--python-version=3.11",
        f"--cache-dir={folder / '.mypy_cache'}",
    ]
    run(folder, sys.executable, "-m", "mypy", *options, *modules, *programs)
    everything = [*modules, *programs]
    for start in range(
        0, len(everything) if with_pyright else 0, PYRIGHT_AT_ONCE
    ):  # it keeps all that it has read in memory
        included = everything[start : start + PYRIGHT_AT_ONCE]
        settings = {"include": included, "pythonVersion": "3.11", "typeCheckingMode": "standard"}
        (folder / "pyrightconfig.json").write_text(json.dumps(settings))
        run(folder, "node", str(PYRIGHT), "--pythonpath", sys.executable)
    (folder / "load.py").write_text("".join(f"import {one}.client, {one}.events\n" for one in modules))
    run(folder, sys.executable, "-W", "error", "load.py")
