"""Python packages of real and of hostile documents pass mypy --strict and pyright, and do nothing when they are loaded."""

import sys
from pathlib import Path

import pytest

from sdk.modelling import model_of
from sdk.packaging.python_dist import sdist_of, wheel_of
from sdk.python.emitter import emit, encoded, project_of
from tests.sdk import corpus
from tests.sdk.hostile import INJECTIONS, MARKER, hostile_service
from tests.sdk.python_checks import check, run, write


def test_a_hostile_contract_compiles_and_is_inert(tmp_path: Path) -> None:
    model = model_of([hostile_service()])
    operations = sum(len(one.operations) for service in model.services for one in service.resources)
    assert operations == len(INJECTIONS) >= 60
    write(tmp_path, "kaimen-hostile", model)
    (tmp_path / "use.py").write_text(
        "from kaimen_hostile import AsyncKaimen, Kaimen\nfrom kaimen_hostile.models import Everything\n"
        "given = dict(base_url='http://localhost', client_id='a', client_secret='b-secret')\n"
        "client, other = Kaimen(**given), AsyncKaimen(**given)\n"
        "assert 'b-secret' not in repr(client) + repr(other)\n"
        "value = {member.wire: 'x' for member in Everything.MEMBERS_}\n"
        "made = Everything.from_dict(value)\n"
        "assert made.to_dict() == value and not made.additional_properties, made\n"
    )
    check(tmp_path, with_pyright=False)
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


SAMPLE = 3  # documents: mypy is slow, and the long run has them all


@pytest.mark.corpus
def test_a_sample_of_real_documents(tmp_path: Path) -> None:
    corpus.needs_corpus()
    for number, (_, model) in enumerate(corpus.models(is_sample=True)[:SAMPLE]):
        write(tmp_path, f"kaimen-p{number:03d}", model)
    check(tmp_path, with_pyright=False)


@pytest.mark.full
def test_pyright_reads_a_hostile_contract(tmp_path: Path) -> None:
    write(tmp_path, "kaimen-hostile", model_of([hostile_service()]))
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
