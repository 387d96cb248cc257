"""Go packages of real and of hostile documents pass go vet, and do nothing when they are loaded."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sdk.go.emitter import emit
from sdk.model import SdkModel
from sdk.modelling import model_of
from tests.sdk import corpus
from tests.sdk.hostile import MARKER, hostile_service


def write(folder: Path, name: str, model: SdkModel) -> None:
    """One package of the one module, so that the standard library is looked at once."""
    (folder / name).mkdir()
    for path, text in emit(model, module=f"gov.kaimen/sdk/{name}", version="1.0.0").items():
        if path != "go.mod":
            (folder / name / path).write_text(text, encoding="utf-8")


def go(folder: Path, *arguments: str) -> None:
    command = shutil.which("go") or "/usr/local/go/bin/go"
    environment = os.environ | {"GOPROXY": "off", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    done = subprocess.run(
        [command, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:4000]


def vet(folder: Path) -> None:
    (folder / "go.mod").write_text("module gov.kaimen/sdk\n\ngo 1.21\n")
    go(folder, "vet", "./...")


def test_a_hostile_contract_compiles_and_is_inert(tmp_path: Path) -> None:
    write(tmp_path, "hostile", model_of([hostile_service()]))
    (tmp_path / "use").mkdir()
    (tmp_path / "use" / "main.go").write_text(
        'package main\n\nimport "gov.kaimen/sdk/hostile"\n\nfunc main() {\n'
        '\tif _, err := hostile.New(hostile.Options{ClientID: "a", ClientSecret: "b"}); err != nil {\n\t\tpanic(err)\n\t}\n}\n'
    )
    vet(tmp_path)
    go(tmp_path, "run", "./use")
    assert not list(tmp_path.rglob(MARKER))


def test_the_same_contracts_give_the_same_bytes() -> None:
    made = [emit(model_of([hostile_service()]), module="gov.kaimen/sdk/x", version="1.0.0") for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.corpus
def test_a_sample_of_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    for number, (_, model) in enumerate(corpus.models(is_sample=True)):
        write(tmp_path, f"p{number:03d}", model)
    vet(tmp_path)


@pytest.mark.full
@pytest.mark.corpus
def test_all_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    every = corpus.models(is_sample=False)
    assert len(every) >= 80
    for number, (_, model) in enumerate(every):
        write(tmp_path, f"p{number:03d}", model)
    vet(tmp_path)
