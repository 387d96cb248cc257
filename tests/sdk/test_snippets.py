"""Samples that use an SDK compile in every language: of the whole city in the full run, of one service in Go always."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from api.contract.model import Level, Service
from sandbox.city.inventory import read_desks, read_services
from sdk.samples import service_samples
from sdk.snippets.go import quoted as go_quoted
from sdk.snippets.typescript import quoted as ts_quoted
from tests.sdk import snippet_projects as projects
from tests.sdk.hostile import MARKER, hostile_service

SAMPLE = ("newborn",)  # a form with objects in objects, an enumeration, a moment


def city() -> list[Service]:
    every = [*read_services().values(), *read_desks().values()]
    return sorted(every, key=lambda one: one.name)


def chosen(*names: str) -> list[Service]:
    return [one for one in city() if one.name in names]


Project = Callable[[Path, Sequence[Service]], None]
EVERY: list[Project] = [projects.python, projects.typescript, projects.java, projects.go]


def test_samples_of_a_service_compile(tmp_path: Path) -> None:
    projects.go(
        tmp_path, chosen(*SAMPLE)
    )  # the quickest of the compilers; the others have the whole city in the full run


@pytest.mark.full
@pytest.mark.parametrize("project", EVERY, ids=lambda one: one.__name__)
def test_samples_of_the_whole_city_compile(project: Project, tmp_path: Path) -> None:
    project(tmp_path, city())


@pytest.mark.full
@pytest.mark.parametrize("project", EVERY, ids=lambda one: one.__name__)
def test_samples_of_a_hostile_contract_compile_and_are_inert(project: Project, tmp_path: Path) -> None:
    project(tmp_path, [hostile_service()])
    assert not list(tmp_path.rglob(MARKER))


def test_every_operation_has_five_samples() -> None:
    for service in city():
        made = service_samples(service, base_url="http://127.0.0.1:1/api")
        for operation in service.operations:
            labels = [one.label for one in made[operation.id]]
            last = "JavaScript" if operation.level == Level.L4 else "TypeScript"
            assert labels == ["curl", "Python", last, "Java", "Go"], operation.id


def test_what_the_public_package_lacks_is_shown_with_the_apps(tmp_path: Path) -> None:
    made = {
        one.name: service_samples(one, base_url="http://x") for one in chosen("company", "tax", "newborn")
    }
    assert "from kaimen_company import" in made["company"]["getCompany"][1].source
    assert "from kaimen_app_0a1b2c3d import" in made["tax"]["getTaxPaid"][1].source
    # its form has identity numbers, which the public package has not
    report = made["newborn"]["reportBirth"][1].source
    assert "kaimen_app_0a1b2c3d" in report
    assert "id_number" in report


def test_literals_keep_what_prints_and_escape_the_rest() -> None:
    for quoted in (go_quoted, ts_quoted):
        assert quoted('甲"\\\n') == '"甲\\"\\\\\\u000a"'
        assert "\u202e" not in quoted("a\u202eb")
        assert "\u2028" not in quoted("a\u2028b")
