"""Packages: the same bytes from the same choice, nothing of what was left out, versions from what changed."""

import io
import zipfile

import msgspec
import pytest

from api.contract.model import Level, Service
from api.downloads.versions import changelog_of, next_version
from sdk.building import Choice, changes_between, digest_of, make, model_for
from tests.sdk.hostile import hostile_service


def choice_of(service: Service, *operations: str, level: Level = Level.L3) -> Choice:
    return Choice({service.key: operations}, {service.key: level})


@pytest.fixture(scope="module")
def service() -> Service:
    return hostile_service()


@pytest.mark.parametrize("language", ["typescript", "go"])
def test_the_same_choice_gives_the_same_bytes(service: Service, language: str) -> None:
    chosen = [one.id for one in service.operations[:5]]
    first = make(model_for([service], choice_of(service, *chosen)), language, "app-0a1b2c3d", "1.0.0")
    second = make(
        model_for([service], choice_of(service, *reversed(chosen))), language, "app-0a1b2c3d", "1.0.0"
    )
    assert first.files == second.files
    assert digest_of(model_for([service], choice_of(service, *chosen))) == digest_of(
        model_for([service], choice_of(service, *reversed(chosen)))
    )


def test_what_was_left_out_changes_nothing(service: Service) -> None:
    chosen = service.operations[0].id
    smaller = msgspec.structs.replace(service, operations=service.operations[:3], digest="another")
    assert digest_of(model_for([service], choice_of(service, chosen))) == digest_of(
        model_for([smaller], choice_of(service, chosen))
    )


def test_a_module_of_the_second_major_version_says_so(service: Service) -> None:
    model = model_for([service], choice_of(service, service.operations[0].id))
    made = make(model, "go", "company", "2.1.0")
    assert made.name == "gov.kaimen/sdk/company/v2"
    with zipfile.ZipFile(io.BytesIO(made.files["v2.1.0.zip"])) as archive:
        assert archive.read(f"{made.name}@v2.1.0/client.go").decode().splitlines()[2] == "package company"


def test_the_part_to_raise_comes_from_what_changed(service: Service) -> None:
    first, second = (one.id for one in service.operations[:2])
    less, more = choice_of(service, first), choice_of(service, first, second)
    assert changes_between([service], [service], less, more)[0] == "minor"
    part, told = changes_between([service], [service], more, less)
    assert part == "major"
    assert told[0].severity == "breaking"
    assert changes_between([service], [service], less, less) == ("patch", ())
    fewer = choice_of(service, first, level=Level.L1)
    assert changes_between([service], [service], less, fewer)[0] == "major"


def test_versions_go_up_and_never_below_the_contracts_release() -> None:
    assert next_version("", "first", floor="1.4.2") == "1.4.2"
    assert next_version("1.4.2", "patch") == "1.4.3"
    assert next_version("1.4.2", "minor") == "1.5.0"
    assert next_version("1.4.2", "major") == "2.0.0"
    assert next_version("1.4.2", "major", keeps_major=True) == "1.5.0"
    assert next_version("1.4.2", "patch", floor="1.6.0") == "1.6.0"
    assert next_version("", "first", floor="alpha") == "1.0.0"


def test_a_departments_words_are_text_in_the_changelog() -> None:
    change = {"severity": "breaking", "service": "a@v1", "zh": "# 标题\n[x](javascript:1)", "en": "<script>`"}
    text = changelog_of("@kaimen/a", [("2.0.0", [change]), ("1.0.0", [])])
    assert "<script>" not in text.replace("\\<script\\>", "")
    assert "\n# 标题" not in text
    assert text.index("## 2.0.0") < text.index("## 1.0.0")
