"""The hostile set: everything is refused with a finding, nothing outside is read, nothing takes long or raises."""

import os
from pathlib import Path

import pytest

from api.contract.importing import read_contract
from api.contract.load import load_files, load_path
from api.contract.validation import is_valid
from sdk.synthesis import synthesise
from tests.contract.papers import answering, as_bytes, document, load, rules_of

_SECRET = "TOP-SECRET-MARK"


@pytest.mark.parametrize(
    "ref",
    [
        "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
        "https://example.com/schema.yaml#/A",
        "HTTP://127.0.0.1/",
        "//127.0.0.1/schema.yaml",
    ],
)
def test_network_references_are_refused_and_left_open(ref: str) -> None:
    loaded = load(answering({"$ref": ref}))
    assert rules_of(loaded) == {"ref-http", "ref-open"}
    imported = read_contract(loaded)
    assert imported.verdicts["rest"].verdict == "degraded"
    assert imported.service is not None
    schema = imported.service.operations[0].responses[0].media[0].schema
    assert schema == {"x-unresolved": ref}


@pytest.mark.parametrize(
    ("ref", "rule"),
    [
        ("file:///etc/passwd", "ref-scheme"),
        ("/etc/passwd", "ref-scheme"),
        ("C:\\windows\\win.ini", "ref-scheme"),
        ("\\\\host\\share\\x.yaml", "ref-scheme"),
        ("jar:file:/x.jar!/a", "ref-scheme"),
        ("data:application/json,{}", "ref-scheme"),
        ("../../../../etc/passwd", "ref-outside"),
        ("a/../../outside.yaml", "ref-outside"),
        ("..%2f..%2foutside.yaml", "ref-outside"),
        ("..\\..\\outside.yaml", "ref-outside"),
    ],
)
def test_references_outside_are_refused(tmp_path: Path, ref: str, rule: str) -> None:
    inside = tmp_path / "contract"
    inside.mkdir()
    (tmp_path / "outside.yaml").write_text(f"description: {_SECRET}")
    (inside / "entry.yaml").write_bytes(as_bytes(answering({"$ref": ref})))
    loaded = load_path(inside / "entry.yaml")
    assert rule in rules_of(loaded)
    assert _SECRET not in str(loaded.document)
    assert list(loaded.files) == ["entry.yaml"]


def test_symbolic_links_that_lead_outside_are_refused(tmp_path: Path) -> None:
    inside = tmp_path / "contract"
    inside.mkdir()
    (tmp_path / "secret.yaml").write_text(f"description: {_SECRET}")
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (inside / "folder").symlink_to(tmp_path)
    for ref in ("link.yaml", "folder/secret.yaml"):
        (inside / "entry.yaml").write_bytes(as_bytes(answering({"$ref": ref})))
        loaded = load_path(inside / "entry.yaml")
        assert "ref-outside" in rules_of(loaded)
        assert _SECRET not in str(loaded)


def test_symbolic_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real.yaml").write_text("type: string")
    (tmp_path / "link.yaml").symlink_to(tmp_path / "real.yaml")
    (tmp_path / "entry.yaml").write_bytes(as_bytes(answering({"$ref": "link.yaml"})))
    assert not rules_of(load_path(tmp_path / "entry.yaml"))


def test_pipes_and_devices_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "entry.yaml").write_bytes(as_bytes(answering({"$ref": "pipe.yaml"})))
    assert "ref-missing" in rules_of(load_path(tmp_path / "entry.yaml"))
    assert rules_of(load_path("/dev/zero")) == {"file-missing"}
    assert rules_of(load_path(tmp_path)) == {"file-missing"}


def test_a_root_widens_what_may_be_read_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text("type: string")
    (tmp_path / "contract").mkdir()
    entry = tmp_path / "contract" / "entry.yaml"
    entry.write_bytes(as_bytes(answering({"$ref": "../shared.yaml"})))
    assert "ref-outside" in rules_of(load_path(entry))
    loaded = load_path(entry, tmp_path)
    assert not rules_of(loaded)
    assert set(loaded.files) == {"contract/entry.yaml", "shared.yaml"}
    assert rules_of(load_path(entry, tmp_path / "elsewhere")) == {"file-missing"}
    (tmp_path / "other").mkdir()
    assert rules_of(load_path(entry, tmp_path / "other")) == {"ref-outside"}


def test_a_file_of_50_megabytes_is_not_parsed(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as stream:
        stream.truncate(50 * 1024 * 1024)
    assert rules_of(load_path(path)) == {"file-too-large"}
    (tmp_path / "entry.yaml").write_bytes(as_bytes(answering({"$ref": "large.yaml"})))
    assert "file-too-large" in rules_of(load_path(tmp_path / "entry.yaml"))
    assert rules_of(load_files({"a.yaml": b" " * (50 * 1024 * 1024)}, "a.yaml")) == {"file-too-large"}


def test_references_do_not_expand_without_bound() -> None:
    """Ten responses that each hold ten headers of ten … are inlined, so their number is bounded."""
    callbacks = {
        f"c{n}": {"{$request.body}": {f"/p{m}": {"$ref": "#/x"} for m in range(3)} | {"post": {"callbacks": {f"k{m}": {"$ref": f"#/components/callbacks/c{n + 1}"} for m in range(12)}, "responses": {}}}}
        for n in range(8)
    }  # fmt: skip
    callbacks["c8"] = {}
    loaded = load(
        document(
            {"/a": {"post": {"callbacks": {"a": {"$ref": "#/components/callbacks/c0"}}, "responses": {}}}},
            components={"callbacks": callbacks},
        )
    )
    assert loaded.document is None
    assert rules_of(loaded) & {"expansion", "nesting"}


def test_loops_of_references_are_told() -> None:
    parameters = {"a": {"$ref": "#/components/parameters/b"}, "b": {"$ref": "#/components/parameters/a"}}
    operation = {
        "parameters": [{"$ref": "#/components/parameters/a"}],
        "responses": {"200": {"description": ""}},
    }
    imported = read_contract(
        load(document({"/a": {"get": operation}}, components={"parameters": parameters}))
    )
    assert "ref-loop" in rules_of(imported)
    assert imported.service is not None


def test_schemas_that_are_nothing_but_themselves_are_opened() -> None:
    schemas = {
        "A": {"$ref": "#/components/schemas/B"},
        "B": {"allOf": [{"$ref": "#/components/schemas/A"}]},
        "C": {"oneOf": [{"$ref": "#/components/schemas/C"}, {"type": "string"}]},
    }
    imported = read_contract(
        load(answering({"$ref": "#/components/schemas/A"}, components={"schemas": schemas}))
    )
    assert [one.rule for one in imported.losses].count("recursion-endless") == 2
    assert imported.verdicts["rest"].verdict == "degraded"


def test_a_chain_of_a_thousand_aliases_is_no_recursion() -> None:
    schemas = {f"A{n}": {"$ref": f"#/components/schemas/A{n + 1}"} for n in range(3000)}
    schemas["A3000"] = {"type": "string"}
    imported = read_contract(
        load(answering({"$ref": "#/components/schemas/A0"}, components={"schemas": schemas}))
    )
    assert imported.service is not None


def test_compositions_do_not_explode() -> None:
    """Checking one value against A0 would take 2^40 steps."""
    schemas = {f"A{n}": {"allOf": [{"$ref": f"#/components/schemas/A{n + 1}"}] * 2} for n in range(40)}
    schemas["A40"] = {"type": "object", "properties": {"a": {"type": "string"}}}
    imported = read_contract(
        load(answering({"$ref": "#/components/schemas/A0"}, components={"schemas": schemas}))
    )
    assert "composition-explodes" in rules_of(imported)
    assert imported.service is not None
    [media] = imported.service.operations[0].responses[0].media
    assert is_valid({"a": "x"}, media.schema, imported.service.schemas)
    assert synthesise(media.schema, imported.service.schemas, seed="a") is not None


def test_nesting_at_the_bound_needs_no_deep_stack() -> None:
    schema: dict = {"type": "string"}
    for _ in range(45):
        schema = {"type": "object", "properties": {"a": schema}}
    imported = read_contract(load(answering(schema)))
    assert imported.document == {} or imported.service is not None


def test_nul_and_templates_in_names_reach_nobody() -> None:
    assert rules_of(load(b'{"openapi": "3.1.0", "info": {"title": "a\\u0000b"}}')) == {"character-refused"}
    assert load(b'{"openapi": "3.1.0", "info": {"title": "a\\u0000b"}}').document is None


@pytest.mark.parametrize(
    "pattern", ["^(a+)+$", "(?=(a+))*b", "(x+x+)+y", "^.{0,1000000}$", "[" * 500, "(" * 500]
)
def test_patterns_are_compiled_bounded_or_dropped(pattern: str) -> None:
    imported = read_contract(load(answering({"type": "string", "pattern": pattern})))
    assert imported.service is not None
    assert imported.verdicts["rest"].verdict in {"ok", "degraded"}
