"""The model that all SDKs are made from: names, types, pages, what is left out, and nothing lost on real documents."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api.contract.build import service_of
from api.contract.importing import read_contract
from api.contract.load import load_path
from api.contract.model import Level, Service
from api.contract.normalise import normalise
from sdk.model import EnumType, Kind, ObjectType, SdkModel, SdkOperation, TypeRef, UnionType
from sdk.modelling import model_of
from sdk.wording import Names, words_of

CORPUS = Path(__file__).resolve().parents[2] / ".." / "shared" / "contracts"
TEXT = {"type": "string"}


def service(
    paths: dict[str, Any], schemas: dict[str, Any] | None = None, name: str = "company", **root: Any
) -> Service:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "T", "version": "1.2.0", "x-name": name, "x-level": "L1", "x-department": "d"},
        "paths": paths,
        "components": {"schemas": schemas or {}},
        **root,
    }
    return service_of(normalise(document).document)


def get(operation_id: str, answer: Any, *parameters: Any, **more: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": answer}}
    return {
        "get": {
            "operationId": operation_id, "parameters": list(parameters), **more,
            "responses": {"200": {"description": "x", "content": content}},
        }
    }  # fmt: skip


def operations(model: SdkModel) -> Iterator[SdkOperation]:
    for one in model.services:
        for resource in one.resources:
            yield from resource.operations


def answer_of(schema: Any, schemas: dict[str, Any] | None = None) -> tuple[TypeRef, SdkModel]:
    model = model_of([service({"/x": get("getX", schema)}, schemas)])
    made = next(operations(model)).answer.type
    assert made is not None
    return made, model


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("annualReport", ("annual", "report")),
        ("XMLFile", ("xml", "file")),
        ("sha256_sum", ("sha256", "sum")),
        ("企业名称", ("企业名称",)),
        ("a企业B", ("a", "企业", "b")),
        ("2fa", ("n2", "fa")),
        ("--", ("value",)),
        ('"); drop', ("drop",)),
        ("\u202eevil", ("evil",)),
    ],
)
def test_words(text: str, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


def test_names_that_differ_in_joints_only_are_numbered() -> None:
    names = Names()
    assert [names.take(words_of(one)) for one in ("a-b", "a_b", "aB", "ab")] == [
        ("a", "b"), ("a", "b", "2"), ("a", "b", "3"), ("ab", "4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "kind", "is_nullable"),
    [
        (TEXT, Kind.STRING, False),
        ({"type": ["string", "null"]}, Kind.STRING, True),
        ({"type": "string", "format": "date"}, Kind.DATE, False),
        ({"type": "string", "format": "date-time"}, Kind.DATE_TIME, False),
        ({"type": "string", "contentEncoding": "base64"}, Kind.BYTES, False),
        ({"type": "integer"}, Kind.LONG, False),
        ({"type": "integer", "format": "int32"}, Kind.INTEGER, False),
        ({"type": "number"}, Kind.NUMBER, False),
        ({"type": "boolean"}, Kind.BOOLEAN, False),
        ({}, Kind.ANY, False),
        (True, Kind.ANY, False),
        ({"type": "object"}, Kind.MAP, False),
        ({"type": "object", "additionalProperties": TEXT}, Kind.MAP, False),
        ({"type": "array", "items": TEXT}, Kind.ARRAY, False),
        ({"anyOf": [TEXT, {"type": "null"}]}, Kind.STRING, True),
        ({"oneOf": [{"type": "string", "format": "date"}, TEXT]}, Kind.STRING, False),
        ({"type": ["string", "integer"]}, Kind.ANY, False),
    ],
)
def test_plain_types(schema: Any, kind: Kind, is_nullable: bool) -> None:
    made, _ = answer_of(schema)
    assert (made.kind, made.is_nullable) == (kind, is_nullable)


def test_objects_keep_every_member_under_a_name_of_its_own() -> None:
    schema = {
        "type": "object", "required": ["a-b"],
        "properties": {
            "a-b": TEXT, "a_b": {"type": "integer"}, "企业名称": TEXT, "class": TEXT,
            "inner": {"type": "object", "properties": {"x": TEXT}},
            "secret": {"type": "string", "x-classification": {"level": "L3", "kind": "tax"}},
        },
    }  # fmt: skip
    made, model = answer_of({"$ref": "#/components/schemas/Thing"}, {"Thing": schema})
    thing = model.type(made.name)
    assert isinstance(thing, ObjectType)
    assert [(one.wire, one.name) for one in thing.fields] == [
        ("a-b", ("a", "b")), ("a_b", ("a", "b", "2")), ("企业名称", ("企业名称",)), ("class", ("class",)),
        ("inner", ("inner",)), ("secret", ("secret",)),
    ]  # fmt: skip
    assert [one.is_required for one in thing.fields][:2] == [True, False]
    assert thing.fields[4].type.kind == Kind.NAMED
    assert thing.fields[5].is_sensitive


def test_a_tree_is_a_type_and_a_list_of_itself_is_json() -> None:
    tree = {
        "type": "object",
        "properties": {"children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
    }
    loop = {"type": "array", "items": {"$ref": "#/components/schemas/Loop"}}
    made, model = answer_of({"$ref": "#/components/schemas/Tree"}, {"Tree": tree})
    one = model.type(made.name)
    assert isinstance(one, ObjectType)
    inner = one.fields[0].type.of
    assert inner is not None
    assert inner.name == made.name
    made, _ = answer_of({"$ref": "#/components/schemas/Loop"}, {"Loop": loop})
    assert made.kind == Kind.ARRAY


def test_enumerations_are_open_and_members_named() -> None:
    made, model = answer_of({"type": "string", "enum": ["active", "ACTIVE", "in-use", "", "2", None]})
    one = model.type(made.name)
    assert isinstance(one, EnumType)
    assert made.is_nullable
    assert [(value.wire, value.name) for value in one.values] == [
        ("active", ("active",)), ("ACTIVE", ("active", "2")), ("in-use", ("in", "use")), ("", ("empty",)), ("2", ("n2",)),
    ]  # fmt: skip


def test_unions_of_objects() -> None:
    schemas = {
        "Cat": {"type": "object", "required": ["kind"], "properties": {"kind": TEXT, "meow": TEXT}},
        "Dog": {"type": "object", "required": ["kind"], "properties": {"kind": TEXT, "bark": TEXT}},
        "Pet": {
            "oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}],
            "discriminator": {"propertyName": "kind", "mapping": {"katze": "#/components/schemas/Cat"}},
        },
    }
    made, model = answer_of({"$ref": "#/components/schemas/Pet"}, schemas)
    pet = model.type(made.name)
    assert isinstance(pet, UnionType)
    assert pet.property == "kind"
    assert [one.tags for one in pet.variants] == [("katze",), ("Dog",)]
    made, model = answer_of({"oneOf": [{"$ref": "#/components/schemas/Cat"}, TEXT]}, schemas)
    assert made.kind == Kind.ANY
    assert [one.rule for one in model.losses] == ["union-as-json"]


def test_pages_where_contract_and_answer_agree() -> None:
    page = {"type": "object", "properties": {"items": {"type": "array", "items": TEXT}, "next": TEXT}}
    stated = {"style": "cursor", "cursor": "cursor", "size": "limit", "items": "items", "next": "next"}
    parameters = [{"name": name, "in": "query", "schema": TEXT} for name in ("cursor", "limit")]
    model = model_of([service({"/x": get("listX", page, *parameters, **{"x-pagination": stated})})])
    pages = next(operations(model)).pages
    assert pages is not None
    assert (pages.items, pages.item.kind) == ("items", Kind.STRING)
    model = model_of([service({"/x": get("listX", TEXT, *parameters, **{"x-pagination": stated})})])
    assert next(operations(model)).pages is None


def test_parameters_required_first_and_without_what_the_client_sends_itself() -> None:
    given = [
        {"name": "b", "in": "query", "schema": TEXT},
        {"name": "Idempotency-Key", "in": "header", "schema": TEXT},
        {"name": "session", "in": "cookie", "schema": TEXT},
        {"name": "id", "in": "path", "required": True, "schema": TEXT},
    ]
    model = model_of([service({"/x/{id}": get("getX", TEXT, *given)})])
    assert [one.wire for one in next(operations(model)).params] == ["id", "b"]


def test_what_no_face_offers_is_left_out() -> None:
    secret = {
        "type": "object",
        "properties": {
            "open": TEXT,
            "deep": {"type": "string", "x-classification": {"level": "L4", "kind": "x"}},
        },
    }
    model = model_of(
        [
            service(
                {"/x": get("getX", secret), "/y": get("getY", TEXT, **{"x-level": "L4", "x-purpose": ["p"]})}
            )
        ]
    )
    assert [one.id for one in operations(model)] == ["getX"]
    thing = model.types[0]
    assert isinstance(thing, ObjectType)
    assert [one.wire for one in thing.fields] == ["open"]
    assert Level.L4 > Level.L3


def test_a_choice_of_operations_takes_only_the_types_that_it_reaches() -> None:
    schemas = {name: {"type": "object", "properties": {"x": TEXT}} for name in ("One", "Two")}
    both = service(
        {f"/{name}": get(f"get{name}", {"$ref": f"#/components/schemas/{name}"}) for name in ("One", "Two")},
        schemas,
    )
    model = model_of([both], chosen={"company@v1": ["getTwo"]})
    assert [one.id for one in operations(model)] == ["getTwo"]
    assert [one.name for one in model.types] == [("two",)]


def test_types_of_two_services_do_not_collide_and_order_does_not_matter() -> None:
    schemas = {"Thing": {"type": "object", "properties": {"x": TEXT}}}
    paths = {"/x": get("getX", {"$ref": "#/components/schemas/Thing"})}
    a, b = service(paths, schemas, "alpha"), service(paths, schemas, "beta")
    model = model_of([a, b])
    assert len({one.name for one in model.types}) == 2
    assert msgspec.json.encode(model) == msgspec.json.encode(model_of([b, a]))
    with pytest.raises(ValueError, match="one version"):
        model_of([a, a])


@pytest.mark.corpus
def test_real_documents_lose_no_operation() -> None:
    if not CORPUS.is_dir():
        if os.environ.get("CI") == "true":
            raise AssertionError("../shared/contracts is absent")
        pytest.skip("../shared/contracts is absent")
    documents = count = 0
    for path in sorted(CORPUS.rglob("*")):
        if path.suffix not in {".yaml", ".yml", ".json"} or path.stat().st_size > 400_000:
            continue
        service_read = read_contract(load_path(path)).service
        if service_read is None:
            continue
        model = model_of([service_read])
        offered = {one.id for one in service_read.operations if one.level <= Level.L3}
        assert {one.id for one in operations(model)} == offered, path.name
        documents += 1
        count += len(offered)
    assert documents >= 40
    assert count >= 500
