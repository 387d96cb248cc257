"""OpenAPI 2.0 and 3.0 as 3.1: golden pairs."""

from typing import Any

import pytest

from tests.contract.papers import answering, load, read, rules_of


def swagger(operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    title = {"title": "Sample", "version": "1"}
    return {"swagger": "2.0", "info": title, "paths": {"/a/{id}": {"post": operation}}, **more}


def upgraded(operation: dict[str, Any], **more: Any) -> dict[str, Any]:
    document = load(swagger({"responses": {}, **operation}, **more)).document
    assert document is not None
    made: dict[str, Any] = document["paths"]["/a/{id}"]["post"]
    return made


def test_servers_come_from_host_base_path_and_schemes() -> None:
    document = load(swagger({}, host="a.example", basePath="/v1", schemes=["https", "http"])).document
    assert document is not None
    assert document["servers"] == [{"url": "https://a.example/v1"}, {"url": "http://a.example/v1"}]
    assert document["openapi"].startswith("3.1")
    assert "swagger" not in document


def test_body_parameters_become_request_bodies() -> None:
    body = {
        "name": "b",
        "in": "body",
        "required": True,
        "description": "d",
        "schema": {"$ref": "#/definitions/A"},
    }
    made = upgraded(
        {"parameters": [body], "consumes": ["application/json", "application/xml"]},
        definitions={"A": {"type": "object"}},
    )
    reference = {"schema": {"$ref": "#/components/schemas/A"}}
    content = {"application/json": reference, "application/xml": reference}
    assert made["requestBody"] == {"content": content, "description": "d", "required": True}
    assert made["parameters"] == []


def test_forms_and_files() -> None:
    fields = [
        {"name": "file", "in": "formData", "type": "file", "required": True, "description": "the file"},
        {"name": "note", "in": "formData", "type": "string", "maxLength": 5},
    ]
    made = upgraded({"parameters": fields, "consumes": ["multipart/form-data"]})
    assert made["requestBody"]["content"] == {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    "file": {"type": "string", "format": "binary", "description": "the file"},
                    "note": {"type": "string", "maxLength": 5},
                },
                "required": ["file"],
            }
        }
    }
    plain = upgraded({"parameters": fields[1:]})
    assert list(plain["requestBody"]["content"]) == ["application/x-www-form-urlencoded"]


@pytest.mark.parametrize(
    ("written", "where", "style", "explode"),
    [
        (None, "query", "form", False),
        ("csv", "query", "form", False),
        ("multi", "query", "form", True),
        ("ssv", "query", "spaceDelimited", False),
        ("pipes", "query", "pipeDelimited", False),
        ("tsv", "query", "form", False),
        ("csv", "path", "simple", False),
        ("csv", "header", "simple", False),
    ],
)
def test_collection_formats(written: str | None, where: str, style: str, explode: bool) -> None:
    parameter = {"name": "id", "in": where, "required": True, "type": "array", "items": {"type": "string"}}
    if written:
        parameter["collectionFormat"] = written
    [made] = upgraded({"parameters": [parameter]})["parameters"]
    assert (made["style"], made["explode"]) == (style, explode)
    assert made["schema"] == {"type": "array", "items": {"type": "string"}}
    assert "collectionFormat" not in made
    loaded = load(swagger({"parameters": [parameter], "responses": {}}))
    assert ("collection-format" in rules_of(loaded)) is (written == "tsv")


def test_responses_with_schema_headers_examples_and_files() -> None:
    responses = {
        "200": {
            "description": "",
            "schema": {"type": "string"},
            "headers": {"X-Count": {"type": "integer", "description": "n"}},
            "examples": {"application/json": "x", "text/csv": "y"},
        },
        "201": {"description": "", "schema": {"type": "file"}},
    }
    made = upgraded({"responses": responses})["responses"]
    assert made["200"]["content"] == {
        "application/json": {"schema": {"type": "string"}, "example": "x"},
        "text/csv": {"schema": {"type": "string"}, "example": "y"},
    }
    assert made["200"]["headers"] == {"X-Count": {"schema": {"type": "integer"}, "description": "n"}}
    assert made["201"]["content"] == {
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}}
    }


def test_security_schemes() -> None:
    definitions = {
        "basic": {"type": "basic"},
        "key": {"type": "apiKey", "name": "k", "in": "query"},
        "code": {"type": "oauth2", "flow": "accessCode", "authorizationUrl": "https://a.example", "tokenUrl": "https://b.example", "scopes": {"r": "read"}},
        "odd": {"type": "odd"},
    }  # fmt: skip
    loaded = load(swagger({"responses": {}}, securityDefinitions=definitions))
    assert loaded.document is not None
    schemes = loaded.document["components"]["securitySchemes"]
    assert schemes["basic"] == {"type": "http", "scheme": "basic"}
    assert schemes["key"] == {"type": "apiKey", "name": "k", "in": "query"}
    assert schemes["code"]["flows"]["authorizationCode"]["scopes"] == {"r": "read"}
    assert "odd" not in schemes
    assert "security-scheme" in rules_of(loaded)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"type": "string", "nullable": True}, {"type": ["string", "null"]}),
        ({"type": "string", "nullable": False}, {"type": "string"}),
        ({"nullable": True}, {}),
        ({"type": "string", "nullable": True, "enum": ["a"]}, {"type": ["string", "null"], "enum": ["a", None]}),
        (
            {"allOf": [{"$ref": "#/components/schemas/A"}], "nullable": True, "description": "d"},
            {"anyOf": [{"allOf": [{"$ref": "#/components/schemas/A"}]}, {"type": "null"}], "description": "d"},
        ),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, {"type": "integer", "exclusiveMinimum": 1}),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, {"type": "integer", "minimum": 1}),
        ({"type": "string", "example": "x"}, {"type": "string", "examples": ["x"]}),
        ({"type": "file"}, {"type": "string", "format": "binary"}),
        ({"discriminator": "kind"}, {"discriminator": {"propertyName": "kind"}}),
        ({"items": [{"type": "string"}], "additionalItems": False}, {"prefixItems": [{"type": "string"}], "items": False}),
        ({"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}, {"dependentRequired": {"a": ["b"]}, "dependentSchemas": {"c": {"required": ["d"]}}}),
    ],
)  # fmt: skip
def test_schemas_of_3_0(old: dict[str, Any], new: dict[str, Any]) -> None:
    document = load(
        answering(old, openapi="3.0.3", components={"schemas": {"A": {"type": "object"}}})
    ).document
    assert document is not None
    content = document["paths"]["/a"]["get"]["responses"]["200"]["content"]
    assert content["application/json"]["schema"] == new


def test_pointers_of_findings_lead_into_the_document_as_given() -> None:
    given = swagger(
        {"responses": {"200": {"description": "", "schema": {"$ref": "#/definitions/Person"}}}},
        definitions={"Person": {"type": "object", "properties": {"idCard": {"type": "string"}}}},
    )
    found = [one for one in read(given).findings if one.rule == "personal-unclassified"]
    assert [one.pointer for one in found] == ["/definitions/Person/properties/idCard"]
    inline = answering(
        {
            "type": "object",
            "properties": {"person": {"type": "object", "properties": {"idCard": {"type": "string"}}}},
        }
    )
    found = [one for one in read(inline).findings if one.rule == "personal-unclassified"]
    root = "/paths/~1a/get/responses/200/content/application~1json/schema"
    assert [one.pointer for one in found] == [f"{root}/properties/person/properties/idCard"]
