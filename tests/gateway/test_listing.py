"""Errors are listed in bounded time, and the schema rewritten for listing takes the same values."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.gateway.listing import LISTED_LEVELS, is_deeper, is_recursive, rewritten
from api.gateway.schemas import Schemas

NODE = {"$ref": "#/components/schemas/Node"}
BRANCHES = [
    {"type": "object", "required": ["c"], "properties": {"c": NODE, f"x{number}": {"type": "string"}}}
    for number in range(4)
]
RECURSIVE = {
    "anyOf": {"anyOf": [*BRANCHES, {"type": "integer"}]},
    "oneOf": {"oneOf": [*BRANCHES, {"type": "integer"}]},
    "allOf": {"type": ["object", "integer"], "allOf": [{"properties": {"c": NODE}}, {"properties": {"c": NODE}}]},
    "unevaluatedProperties": {"anyOf": [*BRANCHES[:3], {"type": "integer"}], "unevaluatedProperties": False},
    "dependentSchemas": {"properties": {"c": NODE}, "dependentSchemas": {"c": {"properties": {"c": NODE}}}},
    "patternProperties": {"properties": {"c": NODE}, "patternProperties": {"c": NODE, "^c": {"anyOf": [NODE, False]}}},
}  # fmt: skip


def nested(leaf: Any, levels: int) -> Any:
    value = leaf
    for _ in range(levels):
        value = {"c": value}
    return value


@pytest.mark.parametrize("schema", RECURSIVE.values(), ids=RECURSIVE.keys())
def test_a_recursive_schema_costs_no_more_for_a_deep_value(schema: Any) -> None:
    """By the plain way each of them takes minutes to years for a body of 500 bytes."""
    check = Schemas("x@v1", {"Node": schema | {"maxProperties": 1}}).check(NODE)
    assert check is not None
    for value in (nested("bad", 60), nested(1, 60) | {"more": 1}):
        if not check.is_valid(value):
            [error] = check.errors(value, "")
            assert str(LISTED_LEVELS) in error["message"]
    assert check.errors(nested({"c": 1, "more": 1}, 5), "")


SCHEMA = {
    "type": "object",
    "properties": {
        "kind": {"oneOf": [{"const": "a"}, {"enum": ["b", "a"]}]},
        "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
        "part": {"$ref": "#/components/schemas/Part"},
    },
    "required": ["kind"],
}
PART = {
    "allOf": [{"anyOf": [{"properties": {"a": True}, "required": ["a"]}, {"properties": {"b": {"type": "string"}}}]}],
    "unevaluatedProperties": False,
    "if": {"required": ["c"]},
    "then": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "errors"),
    [
        ({}, [("", '"kind" is a required property')]),
        ({"kind": "c"}, [("/kind", "fits none of the forms that the contract allows here, or more than one (oneOf)")]),
        ({"kind": "a"}, [("/kind", "fits none of the forms that the contract allows here, or more than one (oneOf)")]),
        ({"kind": "b", "size": "x"}, [("/size", "fits none of the forms that the contract allows here (anyOf)")]),
        ({"kind": "b", "part": {"d": 1}}, [("/part", "has properties that the contract does not allow here")]),
    ],
)  # fmt: skip
def test_what_is_told(value: Any, errors: list[tuple[str, str]]) -> None:
    check = Schemas("x@v1", {"Part": PART}).check(SCHEMA)
    assert check is not None
    assert [(one["pointer"], one["message"]) for one in check.errors(value, "")] == errors


_leaves = st.sampled_from(["a", "b", "c", 1, None])
_parts = st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), _leaves, max_size=3)


@given(st.fixed_dictionaries({}, optional={"kind": _leaves, "size": _leaves, "part": _parts | _leaves}))
def test_an_error_is_listed_exactly_where_a_value_does_not_fit(value: Any) -> None:
    schemas = Schemas("x@v1", {"Part": PART})
    check = schemas.check(SCHEMA)
    lister = schemas.compile(rewritten(SCHEMA), is_for_listing=True)
    assert check is not None
    assert lister is not None
    assert lister.is_valid(value) == check.is_valid(value)


def test_recursion_is_seen_through_other_components() -> None:
    assert is_recursive(
        {
            "A": {"items": {"$ref": "#/components/schemas/B"}},
            "B": {"not": {"$ref": "#/components/schemas/A/items"}},
        }
    )
    assert not is_recursive({"A": {"items": {"$ref": "#/components/schemas/B"}}, "B": {"$ref": "#/components/schemas/Missing"}})  # fmt: skip


def test_levels() -> None:
    assert not is_deeper(1, 0)
    assert is_deeper([], 0)
    assert not is_deeper([[], {}], 2)
    assert is_deeper([[], {"a": []}], 2)
