"""Builds api/gateway/_heads from native/heads.c where there is a C compiler; without it the same is done in Python.

A hook of hatchling for wheels, and for a checkout `python hatch_build.py` (what `make setup` does).
"""

import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
SOURCE = ROOT / "native" / "heads.c"
TARGET = ROOT / "api" / "gateway" / f"_heads{sysconfig.get_config_var('EXT_SUFFIX')}"


def build() -> str:
    """Build it, unless it is there and newer than its source. What stands in the way, "" when nothing does."""
    if TARGET.exists() and TARGET.stat().st_mtime >= SOURCE.stat().st_mtime:
        return ""
    if sys.platform != "linux":
        return f"it is built on Linux only, not on {sys.platform}"
    configured = shlex.split(sysconfig.get_config_var("CC") or "cc")[0]
    compiler = shutil.which(configured) or shutil.which("cc") or shutil.which("gcc")
    include = Path(sysconfig.get_path("include"))
    if compiler is None:
        return "there is no C compiler"
    if not (include / "Python.h").exists():
        return f"{include} has no Python.h (Debian: python3-dev)"
    made = TARGET.with_suffix(".new")
    command = [compiler, "-O3", "-Wall", "-Wextra", "-Wno-unused-parameter", "-fPIC", "-shared", f"-I{include}",
               str(SOURCE), "-o", str(made)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return f"{compiler} failed:\n{done.stderr[-2000:]}"
    made.replace(TARGET)  # a running process keeps the file that it has
    return ""


class NativeHeads(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the module into a wheel, which is then one for this platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build before the wheel is made; without a compiler it stays one for every platform."""
        obstacle = build()
        if obstacle:
            self.app.display_warning(f"api.gateway._heads is not built: {obstacle}")
        elif version != "editable":
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["artifacts"].append(str(TARGET.relative_to(ROOT)))


if __name__ == "__main__":
    found = build()
    how = f"in Python: {found}" if found else "in native code"
    sys.stdout.write(f"· message heads are read {how}\n")
