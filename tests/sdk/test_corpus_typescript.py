"""TypeScript packages of real and of hostile documents pass the strict compiler, and their scripts are inert."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from sdk.model import SdkModel
from sdk.modelling import model_of
from sdk.typescript.emitter import emit
from tests.sdk import corpus
from tests.sdk.hostile import INJECTIONS, MARKER, hostile_service

TSC = corpus.ROOT / "tests" / "witness" / "node_modules" / "typescript" / "bin" / "tsc"
OPTIONS = {
    "strict": True, "exactOptionalPropertyTypes": True, "noUncheckedIndexedAccess": True, "noImplicitOverride": True,
    "noEmit": True, "module": "nodenext", "target": "es2022", "lib": ["es2023", "dom", "dom.iterable"], "types": [],
    "skipLibCheck": False,
}  # fmt: skip


def write(folder: Path, model: SdkModel) -> None:
    folder.mkdir()
    for path, text in emit(model, name="@kaimen/x", version="1.0.0").items():
        (folder / path).write_text(text, encoding="utf-8")


def node(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    found = shutil.which("node")
    assert found is not None, "node is installed by `make system`"
    return subprocess.run(
        [found, *arguments], cwd=cwd, capture_output=True, text=True, timeout=600, check=False
    )


def compile_all(folder: Path) -> None:
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "tsconfig.json").write_text(json.dumps({"compilerOptions": OPTIONS, "include": ["*/*.ts"]}))
    checked = node(str(TSC), "-p", ".", cwd=folder)
    assert checked.returncode == 0, checked.stdout[:4000]
    loader = "".join(
        f"await import('./{one.name}/index.js');\n" for one in sorted(folder.iterdir()) if one.is_dir()
    )
    (folder / "load.mjs").write_text(loader)
    loaded = node("load.mjs", cwd=folder)
    assert loaded.returncode == 0, loaded.stderr[:4000]


def operations(model: SdkModel) -> int:
    return sum(len(resource.operations) for one in model.services for resource in one.resources)


def test_a_hostile_contract_compiles_and_is_inert(tmp_path: Path) -> None:
    model = model_of([hostile_service()])
    assert operations(model) == len(INJECTIONS) >= 60
    write(tmp_path / "hostile", model)
    (tmp_path / "hostile" / "use.ts").write_text(
        'import { Kaimen } from "./index.js";\nconst client: Kaimen = new Kaimen({ clientId: "a", clientSecret: "b" });\nvoid client;\n'
    )
    compile_all(tmp_path)
    assert not list(tmp_path.rglob(MARKER))


def test_the_same_contracts_give_the_same_bytes() -> None:
    made = [emit(model_of([hostile_service()]), name="@kaimen/x", version="1.0.0") for _ in range(2)]
    assert made[0] == made[1]


@pytest.mark.corpus
def test_a_sample_of_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    for name, model in corpus.models(is_sample=True):
        write(tmp_path / name, model)
    compile_all(tmp_path)


@pytest.mark.full
@pytest.mark.corpus
def test_all_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    every = corpus.models(is_sample=False)
    assert len(every) >= 80
    for name, model in every:
        write(tmp_path / name, model)
    compile_all(tmp_path)
