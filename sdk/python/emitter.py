"""Python packages from the model, by openapi-python-client with our templates and the runtime beside them.

The generator reads the package's own document (sdk.prune), makes its models and endpoints, and renders the templates
of this folder; what its vocabulary cannot say comes from the model. It takes seconds to import: only a worker, the
command line or a test imports this at a call, never a serving process at its start.
"""

import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from sdk.model import SdkModel
from sdk.packaging.python_dist import PythonProject
from sdk.prune import pruned
from sdk.python.naming import text

REQUIRES_PYTHON = ">=3.11"
DEPENDENCIES = ("httpx>=0.27,<1",)
EXTRAS = {"keys": ("cryptography>=42",)}


class GenerationError(Exception):
    """The generator could not read the package's document, or left something out of it."""


@cache
def runtime() -> dict[str, str]:
    """The hand-written files of every package."""
    folder = resources.files("sdk.python").joinpath("runtime")
    found = [one for one in folder.iterdir() if one.name.endswith(".py")]
    return {one.name: one.read_text(encoding="utf-8") for one in sorted(found, key=lambda one: one.name)}


def module_of(name: str) -> str:
    """The import name of a distribution: `kaimen_company` of `kaimen-company`."""
    return name.replace("-", "_").replace(".", "_").lower()


def emit(model: SdkModel, *, name: str, version: str) -> dict[str, str]:
    """The modules of the package: path -> text. Raises GenerationError.

    The same model gives the same files. Nothing is run, formatted or fetched.
    """
    from sdk.python.project import build

    module = module_of(name)
    with tempfile.TemporaryDirectory(prefix="kaimen-python-") as folder:
        root = Path(folder) / module
        build(model, pruned(model, title=name, version=version), root, name=name, version=version)
        files = {
            f"{module}/{path.relative_to(root).as_posix()}": path.read_text(encoding="utf-8")
            for path in sorted(root.rglob("*.py"))
        }
        shutil.rmtree(root)
    for path, source in runtime().items():
        files[f"{module}/_runtime/{path}"] = source
    config = f"{module}/_runtime/config.py"
    files[config] = files[config].replace('SDK_VERSION = "1.0.0"', f"SDK_VERSION = {text(version)}")
    files[f"{module}/py.typed"] = ""
    return dict(sorted(files.items()))


def project_of(name: str, version: str, summary: str, readme: str) -> PythonProject:
    """What the distribution says of itself."""
    return PythonProject(name, version, summary, readme, REQUIRES_PYTHON, DEPENDENCIES, extras=dict(EXTRAS))


def encoded(files: Mapping[str, str]) -> dict[str, bytes]:
    """The files as archives take them."""
    return {path: source.encode() for path, source in files.items()}
