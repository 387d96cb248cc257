"""Made-up values: they fit, they are the same for the same seed, they look made up, they end."""

import json
import re
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sdk.numbers import synthesise_number
from sdk.patterns import matching, parse
from sdk.synthesis import Synthesiser, synthesise
from sdk.texts import credit_code, id_number, kind_of_name

REF = "#/components/schemas/"
QUIET = settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)

FITTING: list[Any] = [
    {},
    True,
    {"type": "string"},
    {"type": "string", "minLength": 40},
    {"type": "string", "maxLength": 2},
    {"type": "string", "minLength": 3, "maxLength": 3},
    {"type": "string", "enum": ["a", "b"]},
    {"const": {"a": [1]}},
    {"type": "integer", "minimum": 5, "maximum": 5},
    {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 2},
    {"type": "integer", "multipleOf": 7, "minimum": 1},
    {"type": "integer", "maximum": -5},
    {"type": "number", "multipleOf": 0.25, "minimum": 0.1},
    {"type": "number", "exclusiveMinimum": 0, "maximum": 0.05},
    {"type": "boolean"},
    {"type": "null"},
    {"type": ["string", "null"]},
    {"type": ["null", "integer"]},
    {"type": "array", "items": {"type": "integer"}, "minItems": 5, "uniqueItems": True},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "items": {"type": "string", "examples": ["x"]}, "minItems": 3, "uniqueItems": True},
    {"type": "array", "maxItems": 0, "items": {"type": "string"}},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "maxItems": 2},
    {"type": "array", "contains": {"const": 5}, "items": {"type": "integer"}},
    {"type": "object", "required": ["a", "b"], "properties": {"a": {"type": "string"}}},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3},
    {"type": "object", "additionalProperties": False, "properties": {"a": {}}},
    {"type": "object", "maxProperties": 1, "properties": {"a": {}, "b": {}, "c": {}}, "required": ["b"]},
    {"type": "object", "patternProperties": {"^x_[a-z]{3}$": {"type": "integer"}}, "additionalProperties": False, "minProperties": 2},
    {"type": "object", "propertyNames": {"pattern": "^k[0-9]{2}$"}, "minProperties": 2, "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {"a": {}, "b": {}}, "dependentRequired": {"a": ["c"]}},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}, {"properties": {"b": {"type": "integer"}}, "required": ["b"]}]},
    {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 4}]},
    {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    {"oneOf": [{"type": "string"}, {"type": "string", "maxLength": 1}]},
    {"oneOf": [{"type": "object", "properties": {"k": {"const": "a"}}, "required": ["k"]}, {"type": "object", "properties": {"k": {"const": "b"}}, "required": ["k"]}]},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
    {"anyOf": [{"oneOf": [{"type": "integer"}, {"type": "boolean"}]}, {"type": "null"}]},
    {"$ref": REF + "Tree"},
    {"$ref": REF + "Pet"},
    {"$ref": REF + "Alias"},
    {"type": "array", "items": {"$ref": REF + "Tree"}, "minItems": 1},
]  # fmt: skip
SCHEMAS: dict[str, Any] = {
    "Tree": {"type": "object", "required": ["name", "children"], "properties": {"name": {"type": "string"}, "parent": {"$ref": REF + "Tree"}, "children": {"type": "array", "items": {"$ref": REF + "Tree"}}, "map": {"type": "object", "additionalProperties": {"$ref": REF + "Tree"}}}},
    "Pet": {"oneOf": [{"$ref": REF + "Cat"}, {"$ref": REF + "Dog"}], "discriminator": {"propertyName": "kind", "mapping": {"cat": REF + "Cat", "dog": REF + "Dog"}}},
    "Cat": {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["cat"]}}},
    "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["dog"]}}},
    "Alias": {"$ref": REF + "Cat"},
}  # fmt: skip


@pytest.mark.parametrize("schema", FITTING, ids=[json.dumps(one)[:60] for one in FITTING])
def test_values_fit(schema: Any) -> None:
    maker = Synthesiser(SCHEMAS)
    for seed in ("a", "b", "c"):
        value = maker.value(schema, seed=seed)
        assert maker.is_valid(value, schema), value
        assert value == synthesise(schema, SCHEMAS, seed=seed)


@pytest.mark.parametrize(
    "name",
    ["date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6", "uri", "uri-reference",
     "iri", "iri-reference", "uuid", "uri-template", "json-pointer", "relative-json-pointer", "regex", "byte", "binary", "odd-format"],
)  # fmt: skip
def test_formats_fit(name: str) -> None:
    schema = {"type": "string", "format": name}
    assert Synthesiser({}).is_valid(synthesise(schema, {}, seed="a"), schema)


@pytest.mark.parametrize(
    "schema",
    [
        {"format": "date-time", "minLength": 24},
        {"format": "date-time", "minLength": 24, "maxLength": 24},
        {"format": "date-time", "pattern": "^[0-9-]+T[0-9:]+Z$"},
        {"format": "date", "pattern": "^\\d{4}-\\d{2}-\\d{2}$"},
        {"format": "email", "maxLength": 15},
        {"pattern": "^[0-9A-HJ-NPQRTUWXY]{2}\\d{6}[0-9A-HJ-NPQRTUWXY]{10}$"},
        {"pattern": "^(?=.*[0-9])[a-z0-9]{8}$"},
        {"pattern": "^[\\u4e00-\\u9fa5]{2,4}$"},
        {"pattern": "^\\p{Lu}\\p{Ll}+$"},
        {"pattern": "^(red|green|blue)-[0-9]{1,3}$"},
        {"pattern": "^[^a-z]{3}$"},
        {"pattern": "^a{3}b?c*d+$", "minLength": 20},
        {"pattern": "^(\\w+)=\\1$"},
        {"pattern": "^.{300}$"},
        {"pattern": "\\$ [.]"},
    ],
)
def test_strings_fit_pattern_format_and_length(schema: dict[str, Any]) -> None:
    whole = {"type": "string", **schema}
    value = synthesise(whole, {}, seed="a")
    assert Synthesiser({}).is_valid(value, whole), value


@QUIET
@given(st.from_regex(r"\A[a-z\[\]().*+?|^$\\{},0-9-]{0,20}\Z"))
def test_any_pattern_is_parsed_or_left_alone(pattern: str) -> None:
    found = matching(pattern, Random(1), lambda text: True, tries=3)
    assert found is None or isinstance(found, str)


@pytest.mark.parametrize(
    "pattern", ["[", "(", "a{2", "\\", "*a", "(?<x", "[\\", "\\u12", "((((", "a**", "(?"]
)
def test_patterns_that_are_none(pattern: str) -> None:
    assert matching(pattern, Random(1), lambda _: True) is None or parse(pattern)


@QUIET
@given(
    st.integers(-1000, 1000), st.integers(0, 1000), st.sampled_from([None, 1, 3, 7, 0.5, 0.01]), st.booleans()
)
def test_numbers_fit(low: int, span: int, step: float | None, is_integer: bool) -> None:
    schema: dict[str, Any] = {"minimum": low, "maximum": low + span} | ({"multipleOf": step} if step else {})
    value = synthesise_number(schema, Random(1), is_integer=is_integer)
    if step is None or span > step:
        assert low <= value <= low + span
    assert not is_integer or isinstance(value, int)


def test_examples_come_first_where_they_hold() -> None:
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "examples": ["given"]},
            "b": {"type": "integer", "default": 7},
        },
    }
    assert synthesise(schema, {}, seed="a") == {"a": "given", "b": 7}
    assert synthesise(schema, {}, seed="a", example={"a": "whole"}) == {"a": "whole"}
    assert synthesise(schema, {}, seed="a", example={"a": 5}) == {"a": "given", "b": 7}
    assert (
        synthesise({"type": "string", "maxLength": 2, "examples": ["too long"]}, {}, seed="a") != "too long"
    )


def test_directions() -> None:
    schema = {
        "type": "object",
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "secret": {"type": "string", "writeOnly": True},
        },
    }
    assert set(synthesise(schema, {}, seed="a")) == {"id"}
    assert set(synthesise(schema, {}, seed="a", is_request=True)) == {"secret"}


def test_texts_look_made_up_and_chinese() -> None:
    schema = {
        "type": "object",
        "properties": {
            name: {"type": "string"}
            for name in ("姓名", "companyName", "homeAddress", "手机号", "email", "uscc")
        },
    }
    made = synthesise(schema, {}, seed="a")
    assert "示例" in made["姓名"]
    assert "示例" in made["companyName"]
    assert "样本" in made["homeAddress"]
    assert made["email"].endswith("@example.com")
    assert made["手机号"].startswith("100")  # no mobile number begins so
    classified = {"type": "string", "x-classification": {"level": "L3", "kind": "id-number"}}
    assert synthesise(classified, {}, seed="a").startswith("990000")
    assert synthesise(schema, {}, seed="a", is_ascii=True)["姓名"].isascii()


@pytest.mark.parametrize("seed", range(20))
def test_identifiers_have_valid_check_digits_in_ranges_that_belong_to_nobody(seed: int) -> None:
    """Source: GB 11643-1999, GB 32100-2015."""
    number = id_number(Random(seed))
    weights = [2 ** (17 - position) % 11 for position in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], weights, strict=True))
    assert number[17] == "10X98765432"[total % 11]
    code = credit_code(Random(seed))
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(char) * pow(3, position, 31) for position, char in enumerate(code[:17]))
    assert code[17] == alphabet[(31 - total % 31) % 31]
    assert re.match("91990000", code)


@pytest.mark.parametrize(("name", "kind"), [("unifiedSocialCreditCode", "credit-code"), ("contact_phone", "phone"), ("departmentName", "department"), ("first_name", "name"), ("itemName", "title"), ("xyz", "")])  # fmt: skip
def test_kinds_by_name(name: str, kind: str) -> None:
    assert kind_of_name(name) == kind


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"not": {}},
        {"type": "string", "minLength": 5, "maxLength": 3},
        {"type": "integer", "minimum": 5, "maximum": 3},
        {"type": "string", "pattern": "["},
        {"$ref": REF + "Endless"},
        {"$ref": REF + "Nowhere"},
        {"allOf": [{"type": "string"}, {"type": "integer"}]},
        {"type": "array", "minItems": 100_000, "items": {"type": "array", "minItems": 100_000}},
        {"type": "string", "minLength": 10**12},
        {"type": "object", "minProperties": 10**9},
        {"type": "string", "pattern": "^(a{500}){500}$"},
    ],
)
def test_what_cannot_be_satisfied_still_ends(schema: Any) -> None:
    schemas: dict[str, Any] = {
        "Endless": {
            "type": "object",
            "required": ["again"],
            "properties": {"again": {"$ref": REF + "Endless"}},
        }
    }
    synthesise(schema, schemas, seed="a")


def test_wide_recursive_contracts_stay_small() -> None:
    names = [f"S{n}" for n in range(30)]
    schemas: dict[str, Any] = {
        name: {"type": "object", "properties": {other: {"$ref": REF + other} for other in names}}
        for name in names
    }
    assert len(json.dumps(synthesise({"$ref": REF + "S0"}, schemas, seed="a"))) < 2_000_000


schemas_ = st.recursive(
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(["string", "integer", "number", "boolean", "null"])}),
    lambda inner: st.fixed_dictionaries({"type": st.just("array"), "items": inner})
    | st.fixed_dictionaries({"type": st.just("object"), "properties": st.dictionaries(st.text(max_size=4), inner, max_size=3), "required": st.lists(st.text(max_size=2), max_size=2, unique=True)})
    | st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)})
    | st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=1)}),
    max_leaves=8,
)  # fmt: skip


@QUIET
@given(schemas_, st.text(max_size=5))
def test_values_fit_schemas_of_any_shape(schema: dict[str, Any], seed: str) -> None:
    maker = Synthesiser({})
    assert maker.is_valid(maker.value(schema, seed=seed), schema)
