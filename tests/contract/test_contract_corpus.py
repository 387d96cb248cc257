"""The corpus of real contracts: every one is read, judged and kept whole."""

from collections import Counter

import pytest

from api.contract.diff import compare
from api.contract.importing import Imported
from api.contract.normalise import normalise
from tests.contract.papers import read_corpus

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def imported() -> dict[str, tuple[dict[str, str], Imported]]:
    return {row["file"]: (row, one) for row, one in read_corpus()}


Read = dict[str, tuple[dict[str, str], Imported]]


def test_every_document_has_a_verdict_and_nearly_all_publish(imported: Read) -> None:
    assert len(imported) >= 66
    verdicts = Counter(one.verdicts["rest"].verdict for _, one in imported.values())
    assert verdicts["ok"] + verdicts["degraded"] >= 60
    for _, one in imported.values():
        assert set(one.verdicts) >= {"rest", "sandbox"}
        for verdict in one.verdicts.values():
            assert (verdict.verdict == "ok") == (not verdict.reasons)
            assert len(verdict.reasons) == len(verdict.reasons_zh)


def test_all_operations_are_kept(imported: Read) -> None:
    """The index counts no operations where path items stand in other files: there we find more."""
    for row, one in imported.values():
        assert one.service is not None, row["file"]
        found, counted = len(one.service.operations), int(row["operations"])
        assert found == counted or (counted == 0 and found > 0), row["file"]


def test_names_are_unique_and_told(imported: Read) -> None:
    for row, one in imported.values():
        assert one.service is not None
        operations = one.service.operations
        assert len({operation.id.lower() for operation in operations}) == len(operations), row["file"]
        assert len({(operation.resource, operation.verb) for operation in operations}) == len(operations)
        for operation in operations:
            assert operation.scopes
            assert operation.level == "L2"
        for told in (*one.findings, *one.losses):
            assert told.message, told
            assert told.message_zh, told


def test_normalising_again_changes_and_loses_nothing(imported: Read) -> None:
    for row, one in imported.values():
        again = normalise(one.document)
        assert again.document == one.document, row["file"]
        assert not again.losses, row["file"]


def test_nothing_differs_from_itself_and_strangers_do_not_raise(imported: Read) -> None:
    services = [one.service for _, one in imported.values() if one.service is not None]
    for service, other in zip(services, services[1:] + services[:1], strict=True):
        assert compare(service, service) == []
        assert compare(service, other)


def test_references_lead_to_components_only(imported: Read) -> None:
    for _, one in imported.values():
        names = set(one.document["components"]["schemas"])
        stack = [one.document]
        while stack:
            value = stack.pop()
            if isinstance(value, dict):
                ref = value.get("$ref")
                if isinstance(ref, str) and ref.startswith("#/components/"):
                    assert ref.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~") in names
                stack.extend(value.values())
            elif isinstance(value, list):
                stack.extend(value)
