"""What the city promises in numbers. That each department depends on another is in test_each_depends_on_another."""

from typing import Any

import pytest

from api.contract.mapping import MappingFile, read_mapping
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.install import upstream_of
from sandbox.city.inventory import read_services
from sandbox.city.native.side import mapping_text

SAFE = {"GET", "HEAD"}


@pytest.fixture(scope="module")
def mappings() -> dict[str, MappingFile]:
    """How the departments are spoken to that have a system of their own."""
    return {
        one.slug: read_mapping(mapping_text(one))
        for one in DEPARTMENTS
        if upstream_of(one).startswith("city+")
    }


def test_departments_operations_and_writes_are_many() -> None:
    operations = [one for service in read_services().values() for one in service.operations]
    assert len(DEPARTMENTS) >= 24
    assert len(operations) >= 120
    assert sum(one.method not in SAFE for one in operations) >= 40


def test_twenty_departments_are_spoken_to_over_their_own_protocols(mappings: dict[str, MappingFile]) -> None:
    assert len(mappings) >= 20
    assert {one.protocol for one in mappings.values()} == {"soap", "http", "sql", "files"}
    assert {one.settings["soap"].get("version") for one in mappings.values() if one.protocol == "soap"} == {
        "1.1", "1.2",
    }  # fmt: skip
    assert {one.settings["files"].get("format") for one in mappings.values() if one.protocol == "files"} == {
        "csv", "fixed",
    }  # fmt: skip
    of_xml = [one for one in mappings.values() if one.settings["http"].get("format") == "xml"]
    assert any(one.encoding == "gb18030-2022" for one in of_xml)


def test_outcomes_are_business_codes_and_a_fault_in_a_200(mappings: dict[str, MappingFile]) -> None:
    coded = [one for one in mappings.values() if one.outcome.get("at") and one.outcome.get("ok")]
    assert len(coded) >= 5
    faults: list[dict[str, Any]] = [
        one.outcome for one in mappings.values() if one.outcome.get("via") == "fault"
    ]
    assert any(one.get("fault_status") == 200 for one in faults)
    slow = [one for one in mappings.values() if one.settings["async"]]
    assert len(slow) >= 2
    assert all(one.settings["async"].get("callback") for one in slow)


def test_a_view_is_read_by_state_and_clock(mappings: dict[str, MappingFile]) -> None:
    statements = [
        entry["sql"]["statement"]
        for one in mappings.values()
        for entry in one.operations.values()
        if "sql" in entry
    ]
    assert len(statements) >= 8
    assert all(":state" in text and ":clock" in text for text in statements)
