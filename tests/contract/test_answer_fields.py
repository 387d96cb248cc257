"""Fields of answers: one name for every value, whatever the schema is made of."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.contract.answer_fields import MAX_FIELDS, WHOLE, escape, fields_of
from api.contract.build import service_of
from api.contract.model import Level
from sandbox.city.inventory import read_services

STRING = {"type": "string"}


def fields(schema: Any, *, media_type: str = "application/json", **schemas: Any) -> dict[str, Any]:
    """The fields of an operation that answers this."""
    service = service_of(
        {
            "openapi": "3.1.0",
            "info": {"title": "x", "version": "1.0.0", "x-name": "x"},
            "paths": {
                "/x": {
                    "get": {
                        "operationId": "getX",
                        "responses": {
                            "200": {"description": "", "content": {media_type: {"schema": schema}}},
                            "404": {
                                "description": "",
                                "content": {
                                    "application/json": {"schema": {"properties": {"error": STRING}}}
                                },
                            },
                        },
                    }
                }
            },
            "components": {"schemas": schemas},
        }
    )
    return fields_of(service.operations[0], service)


@pytest.mark.parametrize(
    ("schema", "names"),
    [
        ({"type": "object", "properties": {"a": STRING, "b": STRING}}, ["a", "b"]),
        ({"properties": {"a": {"properties": {"b": STRING}}}}, ["a.b"]),
        ({"type": "array", "items": {"properties": {"a": STRING}}}, ["a"]),
        (
            {
                "properties": {
                    "a": {"type": "array", "items": {"type": "array", "items": {"properties": {"b": {}}}}}
                }
            },
            ["a.b"],
        ),
        ({"properties": {"a": {"type": "array", "items": STRING}}}, ["a"]),
        (
            {"properties": {"a": {"prefixItems": [{"properties": {"x": {}}}, {"properties": {"y": {}}}]}}},
            ["a.x", "a.y"],
        ),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}]}, ["a", "b"]),
        (
            {"oneOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}}], "properties": {"c": {}}},
            ["a", "b", "c"],
        ),
        ({"properties": {"a": {"anyOf": [STRING, {"properties": {"b": {}}}]}}}, ["a", "a.b"]),
        ({"properties": {"a": {"anyOf": [{"type": "null"}, {"properties": {"b": {}}}]}}}, ["a.b"]),
        ({"properties": {"a": {"properties": {"b": {}}, "additionalProperties": STRING}}}, ["a.b", "a.*"]),
        ({"additionalProperties": True}, ["*"]),
        ({"properties": {"a.b": {}, "c~d": {}, "*": {}}}, ["a~1b", "c~0d", "~2"]),
        ({}, ["*"]),
        (True, ["*"]),
        (STRING, ["*"]),
        ({"$ref": "#/components/schemas/Missing"}, ["*"]),
    ],
)
def test_names(schema: Any, names: list[str]) -> None:
    assert list(fields(schema)) == names


def test_a_circle_ends_at_its_second_round() -> None:
    node = {"properties": {"name": STRING, "next": {"$ref": "#/components/schemas/Node"}}}
    assert list(fields({"$ref": "#/components/schemas/Node"}, Node=node)) == ["name", "next"]


def test_an_answer_that_is_no_json_is_one_field() -> None:
    assert list(fields(STRING, media_type="application/pdf")) == [WHOLE]


def test_refusals_are_not_asked_about() -> None:
    assert "error" not in fields({"properties": {"a": {}}})


def test_members_are_classified_at_least_as_their_parent() -> None:
    def classified(level: str, kind: str, **more: Any) -> dict[str, Any]:
        return {"x-classification": {"level": level, "kind": kind}, **more}

    found = fields(
        {
            "properties": {
                "home": classified(
                    "L3", "address", properties={"street": STRING, "note": classified("L2", "note")}
                ),
                "list": classified("L2", "credit", items={"properties": {"points": classified("L4", "tax")}}),
                "plain": STRING,
            }
        }
    )
    told = {name: (field.level, field.kind) for name, field in found.items()}
    assert told == {
        "home.street": (Level.L3, "address"),
        "home.note": (Level.L3, "note"),
        "list.points": (Level.L4, "tax"),
        "plain": (None, ""),
    }


def test_labels_name_the_parents() -> None:
    found = fields(
        {
            "properties": {
                "years": {
                    "description": "逐年情况，早的在前。",
                    "x-i18n": {"en": {"description": "Year by year, the oldest first."}},
                    "items": {
                        "properties": {"paid": {"title": "Paid", "description": "已缴，元。"}, "bare": {}}
                    },
                }
            }
        }
    )
    assert found["years.paid"].label == {"zh-CN": "逐年情况 › 已缴，元", "en": "Year by year › Paid"}
    assert found["years.bare"].label == {"zh-CN": "逐年情况 › bare", "en": "Year by year › bare"}


def test_there_is_an_end_to_it() -> None:
    wide = {"properties": {f"p{number}": STRING for number in range(MAX_FIELDS + 50)}}
    found = fields(wide)
    assert len(found) == MAX_FIELDS + 1
    assert WHOLE in found
    deep: dict[str, Any] = {}
    for _ in range(60):
        deep = {"properties": {"a": deep}}
    (name,) = fields(deep)
    assert name.startswith("a.a.")


def test_every_field_of_the_city_has_a_label_in_both_languages() -> None:
    for service in read_services().values():
        for operation in service.operations:
            for field in fields_of(operation, service).values():
                assert field.label["zh-CN"]
                assert field.label["en"], (service.key, operation.id, field.name)


@given(st.text(max_size=6), st.text(max_size=6))
def test_different_names_stay_different(one: str, other: str) -> None:
    assert (escape(one) == escape(other)) == (one == other)
    assert "." not in escape(one)
    assert escape(one) != WHOLE


_schema = st.recursive(
    st.just({}) | st.just(STRING) | st.just({"$ref": "#/components/schemas/A"}) | st.booleans(),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(st.text("ab.*~", max_size=3), inner, max_size=3),
            "items": inner, "allOf": st.lists(inner, max_size=2), "oneOf": st.lists(inner, max_size=2),
            "additionalProperties": inner, "x-classification": st.just({"level": "L3", "kind": "tax"}),
        },
    ),
    max_leaves=8,
)  # fmt: skip


@given(_schema, _schema)
def test_any_schema_has_fields_with_names_and_labels(schema: Any, other: Any) -> None:
    found = fields(schema, A=other)
    assert found, "a body is at least one field"
    for name, field in found.items():
        assert name == field.name
        assert field.label["zh-CN"] is not None
