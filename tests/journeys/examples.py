"""The example apps of docs/examples as their readers get them: a copy, with the SDK that the platform made for the app."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.server import ROOT, Installation

EXAMPLES = ROOT / "docs" / "examples"
_PLACEHOLDER = (
    "app0a1b2c3d",
    "app_0a1b2c3d",
)  # what the examples call the package of an app that is not made yet
_SECONDS = 120


def with_sdk(installation: Installation, app_id: str, language: str, example: str, folder: Path) -> str:
    """Copy an example to `folder` and its app's SDK to `folder/sdk`; the package's name in its registry."""
    shutil.copytree(EXAMPLES / example, folder, dirs_exist_ok=True)
    made = installation.json(
        "sdk", "build", "--app", app_id, "--language", language, "--out", str(folder / "sdk")
    )
    name = str(made["package"])
    own = name.rpartition("-")[2]
    for source in [*folder.rglob("*.java"), *folder.rglob("*.py")]:
        text = source.read_text(encoding="utf-8")
        for one in _PLACEHOLDER:
            text = text.replace(one, one.replace("0a1b2c3d", own))
        source.write_text(text, encoding="utf-8")
    return name


def run(*command: str, cwd: Path, **environ: str) -> str:
    """What a tool prints; fails where it does."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | {"LC_ALL": "C.UTF-8"} | environ, capture_output=True, text=True,
        encoding="utf-8", timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return done.stdout
