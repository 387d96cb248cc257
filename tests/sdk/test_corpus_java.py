"""Java packages of real and of hostile documents pass javac with every warning an error, and their classes are inert."""

import shutil
from pathlib import Path

import pytest

from sdk.java.emitter import emit
from sdk.java.naming import constant, doc, member, text, type_name, variable
from sdk.model import SdkModel
from sdk.modelling import model_of
from tests.sdk import corpus, java_tools
from tests.sdk.hostile import INJECTIONS, MARKER, hostile_service

LOADER = Path(__file__).parent / "Load.java"


def operations(model: SdkModel) -> int:
    return sum(len(resource.operations) for one in model.services for resource in one.resources)


def load_all(folder: Path) -> int:
    """How many classes a JVM loads and initialises."""
    shutil.copy(LOADER, folder)
    java_tools.run("javac", "-d", str(folder / "classes"), str(folder / "Load.java"))
    return int(
        java_tools.run("java", "-cp", str(folder / "classes"), "Load", str(folder / "classes"), cwd=folder)
    )


def test_a_hostile_contract_compiles_and_is_inert(tmp_path: Path) -> None:
    model = model_of([hostile_service()])
    assert operations(model) == len(INJECTIONS) >= 60
    java_tools.write(tmp_path / "src", "hostile", model)
    java_tools.compile_all(tmp_path / "src", tmp_path / "classes")
    assert load_all(tmp_path) > len(INJECTIONS)
    assert not list(tmp_path.rglob(MARKER))


def test_the_same_contracts_give_the_same_bytes() -> None:
    made = [
        emit(model_of([hostile_service()]), artifact="gov.kaimen.sdk:x", version="1.0.0") for _ in range(2)
    ]
    assert made[0] == made[1]


def test_what_javac_reads_everywhere_is_neutral() -> None:
    made = doc(["\\u002a\\u002f static {} /* */ {@code x} @author <b>"])
    assert "\\" not in made
    assert made.count("*/") == 1
    assert "@" not in made
    assert text('\\u0022"\n\u2028\ud800') == '"\\\\u0022\\"\\012\\u2028\\ud800"'


def test_names_are_those_of_java() -> None:
    assert type_name(("string",)) == "String_"
    assert type_name(("annual", "report")) == "AnnualReport"
    assert member(("get", "class")) == "getClass_"
    assert variable(("class",)) == "class_"
    assert variable(("企业",)) == "企业_"
    assert constant(("not", "found")) == "NOT_FOUND"
    assert len(type_name(("长" * 300,)).encode()) <= 150
    assert type_name(("长" * 300,)) != type_name(("长" * 301,))


@pytest.mark.corpus
def test_a_sample_of_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    for number, (_, model) in enumerate(corpus.models(is_sample=True)[:3]):
        java_tools.write(tmp_path / "src", f"p{number:03d}", model)
    java_tools.compile_all(tmp_path / "src", tmp_path / "classes")


@pytest.mark.full
@pytest.mark.corpus
def test_all_real_documents(tmp_path: Path) -> None:
    """One javac after the other for the many packages: its memory grows with what it holds at once."""
    corpus.needs_corpus()
    every = corpus.models(is_sample=False)
    assert len(every) >= 80
    for start in range(0, len(every), 15):
        folder = tmp_path / f"part{start}"
        for number, (_, model) in enumerate(every[start : start + 15], start):
            java_tools.write(folder / "src", f"p{number:03d}", model)
        java_tools.compile_all(folder / "src", folder / "classes", memory="2g")
        shutil.rmtree(folder)
