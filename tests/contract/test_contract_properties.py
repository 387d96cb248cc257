"""Properties that hold for every input: nothing raises, normalising is idempotent, a diff with itself is empty."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.contract.diff import compare
from api.contract.importing import Imported, read_contract
from api.contract.load import load_files
from api.contract.naming import pascal, service_slug, singular_slug, slug
from api.contract.normalise import normalise
from api.contract.overlay import applied, parse_target
from api.contract.pointers import MISSING, join, resolve, split
from tests.contract.papers import own

# words that mean something somewhere in OpenAPI, so that what is made up is not merely ignored
WORDS = [
    "type",
    "properties",
    "items",
    "allOf",
    "anyOf",
    "oneOf",
    "$ref",
    "enum",
    "required",
    "parameters",
    "name",
    "in",
    "schema",
    "content",
    "application/json",
    "responses",
    "200",
    "default",
    "x-level",
    "x-scenarios",
    "tags",
    "operationId",
    "security",
    "nullable",
    "discriminator",
    "mapping",
    "example",
    "examples",
    "pattern",
    "format",
    "minLength",
    "paths",
    "/a/{b}",
    "get",
    "post",
    "info",
    "title",
    "version",
    "components",
    "schemas",
    "x-pagination",
    "x-batch",
    "x-ref",
    "additionalProperties",
    "const",
    "multipleOf",
    "if",
    "$defs",
    "servers",
    "url",
    "headers",
    "x-name",
    "x-resource",
    "callbacks",
    "webhooks",
    "requestBody",
    "securitySchemes",
    "flows",
    "scopes",
    "x-i18n",
    "x-classification",
    "not",
    "prefixItems",
    "links",
    "style",
    "object",
    "string",
    "null",
]
QUIET = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=8)
    | st.sampled_from(["#/components/schemas/Company", "#/", "http://a.example/b", "../x", "/{x}", "企业", "^(a+)+$", "[", "core"])
)  # fmt: skip
keys = st.sampled_from(WORDS) | st.text(max_size=6)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.builds(lambda ref: {"$ref": ref}, scalars)
    ),
    max_leaves=12,
)


def places_in(value: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in list(entries):
        found.append((value, key))
        places_in(item, found)
    return found


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """The normative example with a few of its values replaced, removed, renamed or moved."""
    made = own()
    for _ in range(draw(st.integers(1, 5))):
        places = places_in(made, [])
        if not places:
            break
        holder, key = places[draw(st.integers(0, len(places) - 1))]
        action = draw(st.integers(0, 4))
        if action == 0:
            del holder[key]
        elif action == 1 and isinstance(holder, dict):
            holder[draw(keys)] = draw(values)
        elif action == 2:
            other, there = places[draw(st.integers(0, len(places) - 1))]
            holder[key] = copy.deepcopy(other[there])
        elif action == 3 and isinstance(holder, dict):
            holder[draw(keys)] = holder.pop(key)
        else:
            holder[key] = draw(values)
    return made


def read(given_: Any) -> Imported:
    text = json.dumps(given_)
    return read_contract(load_files({"a.json": text.encode("utf-8", "surrogatepass")}, "a.json"))


@QUIET
@given(values)
def test_any_json_is_read_or_refused(value: Any) -> None:
    imported = read(value)
    assert imported.service is not None or imported.findings


@QUIET
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    loaded = load_files({"a": data}, "a")
    assert loaded.document is not None or loaded.findings


@QUIET
@given(st.dictionaries(keys, values, max_size=6))
def test_any_paths_are_read(paths: dict[str, Any]) -> None:
    imported = read({"openapi": "3.0.3", "info": {"title": "a", "version": "1"}, "paths": paths})
    assert set(imported.verdicts) >= {"rest", "sandbox"}


@settings(QUIET, max_examples=150)
@given(documents())
def test_altered_documents(document: dict[str, Any]) -> None:
    imported = read(document)
    if imported.service is None:
        assert imported.findings
        return
    again = normalise(imported.document)
    assert again.document == imported.document
    assert not again.losses
    assert compare(imported.service, imported.service) == []
    ids = [operation.id for operation in imported.service.operations]
    triples = [(operation.resource, operation.verb) for operation in imported.service.operations]
    assert len(set(ids)) == len(ids)
    assert len(set(triples)) == len(triples)
    for pointer in ([one.pointer for one in imported.service.operations], ["/info"]):
        assert all(resolve(imported.document, one) is not MISSING for one in pointer)


@settings(QUIET, max_examples=60)
@given(documents(), documents())
def test_diffs_of_altered_documents(before: dict[str, Any], after: dict[str, Any]) -> None:
    old, new = read(before).service, read(after).service
    if old is None or new is None:
        return
    there, back = compare(old, new), compare(new, old)
    assert bool(there) == bool(back)
    removed = {one.operation for one in there if one.rule == "operation-removed"}
    added = {one.operation for one in back if one.rule == "operation-added"}
    assert removed == added  # what breaks one way is new the other way


@QUIET
@given(values, values)
def test_overlays_never_raise(document: Any, overlay: Any) -> None:
    if isinstance(document, dict) and isinstance(overlay, dict):
        applied(document, overlay)
        applied(document, {"actions": [overlay, {"target": "$", "update": overlay}]})


@QUIET
@given(st.text(max_size=30))
def test_targets_are_parsed_or_refused(text: str) -> None:
    steps = parse_target(text)
    assert steps is None or isinstance(steps, list)


@QUIET
@given(st.text(max_size=60))
def test_names_are_stable(text: str) -> None:
    for made in (slug(text), singular_slug(text), service_slug(text)):
        assert made == "" or made.replace("-", "").isalnum()
        assert made.isascii()
    assert len(service_slug(text)) <= 40
    assert slug(slug(text)) == slug(text)
    assert pascal(text).isascii()


@QUIET
@given(st.lists(st.text(max_size=5), max_size=5))
def test_pointers_are_reversible(tokens: list[str]) -> None:
    assert split(join("", *tokens)) == tokens
