"""javac and java for the tests, with bounded memory and a locale in which class files may have Chinese names."""

import os
import shutil
import subprocess
from pathlib import Path

from sdk.java.emitter import emit
from sdk.model import SdkModel

_ENVIRONMENT = os.environ | {"LC_ALL": "C.UTF-8"}
_WAIT_SECONDS = 900


def write(folder: Path, name: str, model: SdkModel, version: str = "1.0.0") -> None:
    """The sources of a package below the source root `folder`."""
    for path, text in emit(model, artifact=f"gov.kaimen.sdk:{name}", version=version).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def found(program: str) -> str:
    place = shutil.which(program)
    assert place is not None, f"{program} is installed by `make system`"
    return place


def compile_all(sources: Path, classes: Path, *, memory: str = "1g", lint: str = "-Xlint:all") -> None:
    """Every source below a folder by one javac, where a warning is an error."""
    listed = sorted(str(path) for path in sources.rglob("*.java"))
    assert listed
    listing = classes.with_suffix(".txt")
    listing.write_text("".join(f'"{path}"\n' for path in listed), encoding="utf-8")
    run(
        "javac", f"-J-Xmx{memory}", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", lint, "-Werror", "--release", "17", "-encoding", "UTF-8",
        "-d", str(classes), f"@{listing}",
    )  # fmt: skip


def run(program: str, *arguments: str, cwd: Path | None = None) -> str:
    """What it prints; fails where it does."""
    done = subprocess.run(
        [found(program), *arguments], cwd=cwd, env=_ENVIRONMENT, capture_output=True, text=True,
        encoding="utf-8", timeout=_WAIT_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (done.stdout + done.stderr)[:6000]
    return done.stdout
