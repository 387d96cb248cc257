"""Documents that no corpus holds: other formats by mistake, Chinese names everywhere, rare corners of OpenAPI."""

from typing import Any

import pytest

from api.contract.normalise_operations import operations_in
from tests.contract.papers import answer_of, answering, document, load, normal, read, rules_of, taking


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("asyncapi: 3.0.0\ninfo: {title: a}", "AsyncAPI"),
        ('{"info": {"_postman_id": "1", "schema": "https://schema.getpostman.com/x"}, "item": []}', "Postman"),
        ("swaggerVersion: '1.2'\napis: []", "Swagger 1.x"),
        ("overlay: 1.0.0\nactions: []", "Overlay"),
        ("$schema: https://json-schema.org/draft/2020-12/schema", "JSON Schema"),
        ("<?xml version='1.0'?><definitions/>", "XML"),
        ("<!DOCTYPE html><html></html>", "HTML"),
        ("#%RAML 1.0\ntitle: a", "RAML"),
        ("just some words", "no object"),
        ("- a\n- b", "no object"),
        ("{}", "no openapi"),
        ("apiVersion: v1\nkind: Pod", "Kubernetes"),
    ],
)  # fmt: skip
def test_other_formats_are_recognised(text: str, said: str) -> None:
    imported = read(text)
    assert imported.service is None
    assert imported.verdicts["rest"].verdict == "refused"
    told = " ".join(one.message for one in imported.findings)
    assert said in told
    assert all(one.message_zh and one.hint and one.hint_zh for one in imported.findings)


@pytest.mark.parametrize(
    ("version", "rule"),
    [("4.0.0", "version-unsupported"), ("1.2", "version-unsupported"), ("3.2.0", "version-newer"), ("", "version-unsupported")],
)  # fmt: skip
def test_versions_beyond_are_told(version: str, rule: str) -> None:
    assert rule in rules_of(load(document(openapi=version)))


def test_a_document_without_version_is_read_by_its_looks() -> None:
    loaded = load({"info": {"title": "a"}, "paths": {}, "definitions": {"A": {"type": "string"}}})
    assert loaded.dialect == "2.0"
    assert "version-assumed" in rules_of(loaded)


def test_chinese_everywhere() -> None:
    given = document(
        {
            "/企业/{代码}": {
                "get": {
                    "operationId": "查询企业",
                    "tags": ["企业"],
                    "parameters": [{"name": "代码", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {"200": {"description": "企业", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/企业"}}}}},
                }
            }
        },
        components={"schemas": {"企业": {"type": "object", "properties": {"名称": {"type": "string"}, "地址": {"type": "object", "properties": {"省": {"type": "string"}}}}}}},
    )  # fmt: skip
    given["info"]["title"] = "企业信息服务"
    made = normal(given)
    [(path, _, operation, _)] = operations_in(made.document)
    assert path == "/企业/{代码}"
    assert operation["operationId"].isascii()
    assert operation["x-original-id"] == "查询企业"
    schemas = made.document["components"]["schemas"]
    assert all(name.isascii() for name in schemas)
    [company] = [one for one in schemas.values() if one.get("x-original-name") == "企业"]
    assert set(company["properties"]) == {"名称", "地址"}
    service = read(given).service
    assert service is not None
    assert service.name.startswith("service-")
    assert service.texts == {"zh-CN": {"title": "企业信息服务"}}


def test_paths_in_percent_encoding_are_the_same_paths() -> None:
    made = normal(document({"/%E4%BC%81%E4%B8%9A": {"get": {"responses": {"200": {"description": ""}}}}}))
    assert list(made.document["paths"]) == ["/企业"]


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("companies", "/companies"),
        ("/a//b", "/a/b"),
        ("/a/../b", "/a/b"),
        ("/a/", "/a/"),
        ("/", "/"),
        ("/{+path}", "/{path}"),
        ("/{id:[0-9]+}", "/{id}"),
        ("/{path*}", "/{path}"),
        ("/{id}/b/{id}", "/{id}/b/{id_2}"),
        ("/a{?q,page}", "/a"),
        ("/a#b", "/a"),
        ("/a?b=c", "/a"),
        ("/files/{name}.{ext}", "/files/{name}.{ext}"),
        ("/a/{", "/a"),
        ("/a/{}", "/a/{value}"),
        ("https://example.com/a", "/a"),
        ("/things:batch", "/things:batch"),
        ("/a b", "/a b"),
    ],
)
def test_path_templates_become_routable(written: str, path: str) -> None:
    made = normal(document({written: {"get": {"responses": {"200": {"description": ""}}}}}))
    assert list(made.document["paths"]) == [path]
    operation = made.document["paths"][path]["get"]
    names = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
    assert all("{" + name + "}" in path for name in names)
    assert path.count("{") == len(names)


def test_a_query_in_the_path_becomes_required_parameters() -> None:
    made = normal(document({"/a?action=b&x": {"get": {"responses": {"200": {"description": ""}}}}}))
    parameters = {one["name"]: one for one in made.document["paths"]["/a"]["get"]["parameters"]}
    assert parameters["action"]["schema"] == {"type": "string", "const": "b"}
    assert parameters["action"]["required"] is True
    assert "path-query" in rules_of(made)


def test_paths_of_one_shape() -> None:
    answer = {"responses": {"200": {"description": ""}}}
    old = {"name": "old", "in": "path", "required": True, "schema": {"type": "string", "default": "v1"}}
    made = normal(
        document(
            {
                "/{version}/a": {"get": answer, "post": answer},
                "/{old}/a": {"get": {**answer, "parameters": [old]}},
                "/{other}/a": {"get": answer, "put": answer},
            }
        )
    )
    assert {(path, method) for path, method, _, _ in operations_in(made.document)} == {
        ("/{version}/a", "get"),
        ("/{version}/a", "post"),
        ("/v1/a", "get"),
        ("/{other}/a", "put"),
    }
    assert {"path-fixed", "path-duplicate"} <= rules_of(made)


def test_path_items_may_stand_elsewhere() -> None:
    item = {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {}}],
        "get": {"responses": {}},
    }
    loaded = load(document({"/a/{id}": {"$ref": "items.yaml#/one"}, "/b": {"$ref": "items.yaml#/two", "summary": "B"}}),
                  items={"one": item, "two": {"post": {"$ref": "operation.yaml"}}},
                  operation={"operationId": "postB", "responses": {"200": {"$ref": "items.yaml#/none"}}})  # fmt: skip
    assert loaded.document is not None
    assert set(loaded.files) == {"entry.yaml", "items.yaml", "operation.yaml"}
    made = normal(loaded.document)
    ids = {operation["operationId"] for _, _, operation, _ in operations_in(made.document)}
    assert "postB" in ids
    assert len(ids) == 2


def test_maps_may_stand_elsewhere() -> None:
    loaded = load(document(components={"schemas": {"$ref": "schemas.yaml"}}) | {"paths": {"$ref": "paths.yaml"}},
                  paths={"/a": {"get": {"responses": {"200": {"description": ""}}}}},
                  schemas={"A": {"type": "object", "properties": {"b": {"$ref": "#/B"}}}, "B": {"type": "string"}})  # fmt: skip
    assert loaded.document is not None
    assert "/a" in loaded.document["paths"]
    assert {"A", "B"} <= set(loaded.document["components"]["schemas"])


def test_shared_parameters_are_copied_down_and_overridden() -> None:
    item = {
        "parameters": [
            {"name": "a", "in": "query", "schema": {"type": "string"}},
            {"name": "b", "in": "query", "schema": {"type": "string"}},
        ],
        "get": {"parameters": [{"name": "a", "in": "query", "schema": {"type": "integer"}}], "responses": {}},
    }
    made = normal(document({"/x": item}))
    parameters = made.document["paths"]["/x"]["get"]["parameters"]
    assert [(one["name"], one["schema"]["type"]) for one in parameters] == [("a", "integer"), ("b", "string")]
    assert "parameters" not in made.document["paths"]["/x"]


def test_callbacks_links_and_webhooks() -> None:
    operation = {
        "operationId": "createA",
        "callbacks": {
            "done": {"{$request.body#/url}": {"post": {"responses": {"200": {"description": ""}}}}}
        },
        "responses": {"201": {"description": "", "links": {"self": {"operationId": "createA"}}}},
    }
    event = {"post": {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "properties": {"id": {}}}}}}, "responses": {}}}  # fmt: skip
    made = normal(document({"/a": {"post": operation}}, webhooks={"a.created": event}))
    assert made.document["x-callbacks"] == {"/paths/~1a/post": operation["callbacks"]}
    assert made.document["paths"]["/a"]["post"]["responses"]["201"]["links"] == {
        "self": {"operationId": "createA"}
    }
    schema = made.document["webhooks"]["a.created"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    assert schema == {"$ref": "#/components/schemas/ACreatedPostRequest"}
    assert "callbacks-moved" in rules_of(made)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"name": "a", "in": "cookie", "schema": {"type": "string"}}, True),
        ({"name": "f", "in": "query", "content": {"application/json": {"schema": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}}}, True),
        ({"name": "X-A", "in": "header", "schema": {}}, True),
        ({"name": "Authorization", "in": "header", "schema": {}}, False),
        ({"name": "ghost", "in": "path", "schema": {}}, False),
        ({"in": "query", "schema": {}}, False),
        ({"name": "b", "in": "body", "schema": {}}, False),
        ({"name": "q", "in": "Query", "schema": {"type": "string"}}, True),
    ],
)  # fmt: skip
def test_parameters_are_kept_where_they_mean_something(given: dict[str, Any], kept: bool) -> None:
    made = normal(document({"/a": {"get": {"parameters": [given], "responses": {}}}}))
    parameters = made.document["paths"]["/a"]["get"]["parameters"]
    assert bool(parameters) is kept
    assert kept or rules_of(made) & {"parameter-dropped", "parameter-ignored"}


@pytest.mark.parametrize(
    ("written", "media"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/*", "text/plain"),
        ("json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json; charset=utf-8"),
        ("image/*", "image/octet-stream"),
    ],
)
def test_media_types_become_definite(written: str, media: str) -> None:
    made = normal(taking({"type": "string"}, media=written))
    assert list(made.document["paths"]["/a"]["post"]["requestBody"]["content"]) == [media]


def test_bodies_that_are_not_json_are_told_once() -> None:
    made = normal(taking({"type": "object"}, media="application/xml"))
    [loss] = [one for one in made.losses if one.rule == "body-not-json"]
    assert "rest" not in loss.faces
    assert {"graphql", "mcp", "sandbox"} <= set(loss.faces)
    assert read(taking({"type": "object"}, media="application/xml")).verdicts["rest"].verdict == "ok"


@pytest.mark.parametrize(
    ("key", "status"),
    [("200", "200"), ("2xx", "2XX"), ("200.0", "200"), (" 404 ", "404"), ("Default", "default")],
)
def test_response_keys_are_mended(key: str, status: str) -> None:
    made = normal(document({"/a": {"get": {"responses": {key: {"description": ""}}}}}))
    assert status in made.document["paths"]["/a"]["get"]["responses"]


def test_default_only_responses_can_be_answered() -> None:
    content = {"application/json": {"schema": {"type": "string"}}}
    imported = read(
        document({"/a": {"get": {"responses": {"default": {"description": "", "content": content}}}}})
    )
    assert imported.verdicts["sandbox"].verdict == "ok"


def test_servers_with_variables_are_kept() -> None:
    servers = [{"url": "https://{host}/{base}/v1", "variables": {"host": {"default": "a.example"}}}]
    imported = read(document({"/a": {"get": {"responses": {}}}}, servers=servers))
    assert imported.document["servers"] == servers
    assert "server-variables" in rules_of(imported)


def test_single_and_missing_parts_everywhere() -> None:
    """What is left of a document when its author wrote nothing right."""
    given = {
        "openapi": 3.1,
        "info": None,
        "tags": ["a", {"name": "b"}, {}],
        "servers": "https://example.com",
        "security": {"x": []},
        "paths": {"/a": {"get": None, "POST": {"parameters": {}, "responses": []}}, "x-a": 1, "/b": None},
        "components": {"schemas": {"A": None, "B": "string", "C": []}},
    }
    imported = read(given)
    assert imported.service is not None
    assert [one.method for one in imported.service.operations] == ["POST"]


def test_references_beside_other_keywords() -> None:
    schemas = {"A": {"type": "object", "properties": {"b": {"type": "string"}}}}
    ref = {"$ref": "#/components/schemas/A", "description": "d", "nullable": True, "type": "object"}
    made = normal(
        answering(
            {"type": "object", "properties": {"a": ref}}, openapi="3.0.3", components={"schemas": schemas}
        )
    )
    held = made.document["components"]["schemas"]["GetAResponse"]["properties"]["a"]
    assert held["anyOf"] == [{"$ref": "#/components/schemas/A"}, {"type": "null"}]
    assert held["description"] == "d"
    newer = {"$ref": "#/components/schemas/A", "minProperties": 1}
    assert answer_of(normal(answering(newer, components={"schemas": schemas}))) == newer


@pytest.mark.parametrize(
    "ref",
    ["#/paths/~1b/get/responses/200/content/application~1json/schema", "#/components/schemas/A/properties/b", "A", "#A", "#components/schemas/A"],
)  # fmt: skip
def test_references_to_anywhere_become_components(ref: str) -> None:
    other = {
        "responses": {
            "200": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}}}
        }
    }
    given = answering(
        {"$ref": ref},
        components={"schemas": {"A": {"type": "object", "properties": {"b": {"type": "integer"}}}}},
    )
    given["paths"]["/b"] = {"get": other}
    made = normal(given)
    assert "ref-missing" not in rules_of(load(given))
    assert answer_of(made)["$ref"].startswith("#/components/schemas/")


def test_definitions_inside_a_schema_are_found() -> None:
    schema = {
        "$defs": {"X": {"type": "integer"}},
        "type": "object",
        "properties": {"x": {"$ref": "#/$defs/X"}},
    }
    loaded = load(answering({"$ref": "#/components/schemas/A"}, components={"schemas": {"A": schema}}))
    assert not rules_of(loaded)


def test_examples_in_files_are_taken_in() -> None:
    given = answering({"type": "object"})
    given["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]["examples"] = {
        "one": {"value": {"$ref": "one.yaml"}}, "two": {"$ref": "#/components/examples/two"}, "three": {"id": 3},
    }  # fmt: skip
    given["components"] = {"examples": {"two": {"value": {"id": 2}}}}
    loaded = load(given, one={"id": 1})
    assert loaded.document is not None
    media = loaded.document["paths"]["/a"]["get"]["responses"]["200"]["content"]["application/json"]
    assert [one["value"] for one in media["examples"].values()] == [{"id": 1}, {"id": 2}, {"id": 3}]
