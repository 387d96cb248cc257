"""Every mapping in the tree fits its contract, its JSON Schema and itself; the docs' own words are those of the code."""

from pathlib import Path

import jsonschema_rs
import msgspec
import pytest

from api.contract.mapping import as_json, read_mapping
from api.contract.mapping_check import check_folder
from api.contract.mapping_shapes import MappingError
from api.contract.mapping_values import WORDS

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = msgspec.json.decode((ROOT / "api/contract/mapping.schema.json").read_bytes())
FOLDERS = sorted(path.parent for path in ROOT.glob("sandbox/city/departments/*/mapping.yaml"))
EXAMPLES = sorted(ROOT.glob("tests/sandbox/mappings/*.yaml"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_a_mapping_of_the_city_fits_its_contract(folder: Path) -> None:
    found = check_folder(folder)
    assert found.faults == []
    assert found.examples > 0


@pytest.mark.parametrize(
    "path",
    [*EXAMPLES, *(one / "mapping.yaml" for one in FOLDERS)],
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_a_mapping_fits_the_json_schema(path: Path) -> None:
    document = msgspec.json.decode(as_json(read_mapping(path.read_bytes())))
    jsonschema_rs.validator_for(SCHEMA).validate(document)


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("", ""), ("[]", ""), ("a: [", ""), ("mapping: 2", "/mapping"), ("mapping: 1", "/protocol"),
        ("mapping: 1\nprotocol: ftp", "/protocol"), ("mapping: 1\nprotocol: soap\nnonsense: 1", ""),
        ("mapping: 1\nprotocol: soap\nencoding: big5", "/encoding"),
        ("mapping: 1\nprotocol: soap\noperations: {x: {soup: y}}", "/operations/x"),
        ("mapping: 1\nprotocol: soap\nundecodable: guess", "/undecodable"),
    ],
)  # fmt: skip
def test_what_is_no_mapping_says_where(text: str, pointer: str) -> None:
    with pytest.raises(MappingError) as error:
        read_mapping(text)
    assert error.value.pointer == pointer


def test_the_reference_names_every_rule() -> None:
    for page in ("mapping.md", "mapping.en.md"):
        text = (ROOT / "docs/reference" / page).read_text(encoding="utf-8")
        assert [word for word in WORDS if f"`{word}" not in text] == []
