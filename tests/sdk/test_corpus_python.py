"""Python packages of real and of hostile documents pass mypy --strict and pyright, and do nothing when they are loaded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.packaging.python_dist import sdist_of, wheel_of
from sdk.python.emitter import emit, encoded, project_of
from tests.sdk import corpus
from tests.sdk.hostile import INJECTIONS, MARKER, hostile_service

PYRIGHT = corpus.ROOT / "tests" / "witness" / "node_modules" / "pyright" / "index.js"


def write(folder: Path, name: str, model: SdkModel, *, with_runtime: bool = True) -> str:
    """The package below the folder; its module. Without the runtime: that of the first package stands for it."""
    files = emit(model, name=name, version="1.0.0")
    module = next(iter(files)).partition("/")[0]
    for path, text in files.items():
        if with_runtime or "/_runtime/" not in path:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    return module


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=3000, check=False, env=os.environ
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]


def check(folder: Path) -> None:
    """Types by both checkers, then every module is loaded, warnings as errors."""
    modules = sorted(one.name for one in folder.iterdir() if (one / "__init__.py").exists())
    cache = corpus.ROOT / ".mypy_cache" / "sdk"
    run(folder, sys.executable, "-m", "mypy", "--strict", "--no-error-summary", f"--cache-dir={cache}", "--python-version=3.11", *modules)  # fmt: skip
    settings = {"include": modules, "pythonVersion": "3.11", "typeCheckingMode": "standard"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    run(folder, "node", str(PYRIGHT), "--pythonpath", sys.executable)
    (folder / "load.py").write_text("".join(f"import {one}.client, {one}.events\n" for one in modules))
    run(folder, sys.executable, "-W", "error", "load.py")


def test_a_hostile_contract_compiles_and_is_inert(tmp_path: Path) -> None:
    model = model_of([hostile_service()])
    operations = sum(len(one.operations) for service in model.services for one in service.resources)
    assert operations == len(INJECTIONS) >= 60
    write(tmp_path, "kaimen-hostile", model)
    (tmp_path / "use.py").write_text(
        "from kaimen_hostile import AsyncKaimen, Kaimen\nfrom kaimen_hostile.models import Everything\n"
        "given = dict(base_url='http://localhost', client_id='a', client_secret='b')\n"
        "client, other = Kaimen(**given), AsyncKaimen(**given)\n"
        "assert 'b' not in repr(client).split('client_id')[1].replace('client_id', '')[5:]\n"
        "value = {member.wire: 'x' for member in Everything.MEMBERS_}\n"
        "made = Everything.from_dict(value)\n"
        "assert made.to_dict() == value and not made.additional_properties, made\n"
    )
    check(tmp_path)
    run(tmp_path, sys.executable, "-W", "ignore::ResourceWarning", "use.py")
    assert not list(tmp_path.rglob(MARKER))


def test_the_same_contracts_give_the_same_bytes() -> None:
    model = model_of([hostile_service()])
    project = project_of("kaimen-hostile", "1.0.0", "Hostile", "# Hostile\n")
    made = []
    for _ in range(2):
        files = encoded(emit(model, name="kaimen-hostile", version="1.0.0"))
        made.append((wheel_of(project, files), sdist_of(project, files)))
    assert made[0] == made[1]


@pytest.mark.corpus
def test_a_sample_of_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    for number, (_, model) in enumerate(corpus.models(is_sample=True)):
        write(tmp_path, f"kaimen-p{number:03d}", model)
    check(tmp_path)


@pytest.mark.full
@pytest.mark.corpus
def test_all_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    every = corpus.models(is_sample=False)
    assert len(every) >= 80
    for number, (_, model) in enumerate(every):
        write(tmp_path, f"kaimen-p{number:03d}", model)
    check(tmp_path)
