"""Tricky normalisations: golden pairs of a schema before and after. `normal` also checks that doing it twice is doing it once."""

from typing import Any

import pytest

from api.contract.normalise_operations import operations_in
from tests.contract.papers import answer_of, answering, document, normal, rules_of, taking

REF = "#/components/schemas/"


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (True, {}, None),
        ({"items": True, "type": "array"}, {"items": {}, "type": "array"}, "schema-boolean"),
        ({"prefixItems": [{}], "items": False}, {"prefixItems": [{}], "maxItems": 1}, "schema-boolean"),
        ({"not": True}, {"not": {}}, "schema-boolean"),
        ({"anyOf": [True, False]}, {"anyOf": [{}, {"not": {}}]}, "schema-boolean"),
        ({"enum": []}, {}, "enum-empty"),
        ({"enum": ["a", "a"]}, {"enum": ["a"], "type": "string"}, "enum-values"),
        ({"enum": ["a", None], "type": "string"}, {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}, "enum-null"),
        ({"enum": ["a", None], "description": "d"}, {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}], "description": "d"}, "enum-null"),
        ({"enum": [None]}, {"type": "null"}, "enum-null"),
        ({"enum": ["a", 1, True]}, {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "integer", "enum": [1]}, {"type": "boolean", "enum": [True]}]}, "enum-mixed"),
        ({"enum": [1, 2.5]}, {"enum": [1, 2.5], "type": "number"}, None),
        ({"type": "integer", "enum": ["1", "2"]}, {"type": "integer", "enum": [1, 2]}, "enum-values"),
        ({"type": "string", "enum": [1, True, "a"]}, {"type": "string", "enum": ["1", "true", "a"]}, "enum-values"),
        ({"type": "integer", "enum": ["LOW", "HIGH"]}, {"type": "integer"}, "enum-values"),
        ({"type": "array", "enum": ["a", "b"]}, {"type": "array", "items": {"enum": ["a", "b"], "type": "string"}}, "enum-values"),
        ({"enum": [["a"], ["b"]]}, {"x-enum": [["a"], ["b"]]}, "enum-containers"),
        ({"enum": "a"}, {}, "keyword-dropped"),
        ({"type": "date"}, {"type": "string", "format": "date"}, "type-unknown"),
        ({"type": "String"}, {"type": "string"}, "type-unknown"),
        ({"type": None}, {}, "type-unknown"),
        ({"type": ["string"]}, {"type": "string"}, "keyword-mended"),
        ({"type": ["string", "odd", "null"]}, {"type": ["string", "null"]}, "keyword-mended"),
        ({"type": 5}, {}, "keyword-dropped"),
        ({"type": "string", "minLength": "5"}, {"type": "string", "minLength": 5}, "keyword-mended"),
        ({"type": "string", "minLength": -1}, {"type": "string"}, "keyword-dropped"),
        ({"type": "number", "maximum": "1.5"}, {"type": "number", "maximum": 1.5}, "keyword-mended"),
        ({"type": "number", "multipleOf": 0}, {"type": "number"}, "keyword-dropped"),
        ({"type": "string", "pattern": "["}, {"type": "string", "x-pattern": "["}, "pattern-dropped"),
        ({"type": "string", "pattern": "^[\\w-.]+\\Z"}, {"type": "string", "pattern": "^[\\w\\-.]+$"}, "pattern-mended"),
        ({"type": "string", "pattern": "^\\p{Han}+$"}, {"type": "string", "pattern": "^\\p{Han}+$"}, None),
        ({"type": "string", "format": "cn-id-number"}, {"type": "string", "format": "cn-id-number"}, None),
        ({"type": "integer", "default": "10"}, {"type": "integer", "default": 10}, "keyword-mended"),
        ({"type": "integer", "default": "x"}, {"type": "integer", "x-default": "x"}, "default-dropped"),
        ({"type": "string", "enum": ["a"], "default": "b"}, {"type": "string", "enum": ["a"], "x-default": "b"}, "default-dropped"),
        ({"type": "object", "required": True}, {"type": "object"}, "keyword-dropped"),
        ({"type": "object", "required": "a"}, {"type": "object", "required": ["a"]}, "keyword-mended"),
        ({"type": "object", "required": ["a", "a", 1]}, {"type": "object", "required": ["a"]}, "keyword-mended"),
        ({"allOf": []}, {}, "keyword-dropped"),
        ({"discriminator": {}}, {}, "discriminator-dropped"),
        ({"$id": "https://example.com/a", "type": "string"}, {"type": "string"}, None),
        ({"examples": {"a": 1}}, {"examples": [1]}, "keyword-mended"),
    ],
)  # fmt: skip
def test_schemas(before: Any, after: dict[str, Any], rule: str | None) -> None:
    made = normal(answering(before))
    found = answer_of(made)
    assert found == after or (before is True and found is True)
    assert rule is None or rule in rules_of(made)


def test_required_on_a_property_is_lifted() -> None:
    made = normal(
        answering(
            {
                "properties": {
                    "a": {"type": "string", "required": True},
                    "b": {"type": "string", "required": False},
                }
            }
        )
    )
    schema = made.document["components"]["schemas"]["GetAResponse"]
    assert schema["required"] == ["a"]
    assert "required" not in schema["properties"]["a"]
    assert "required" not in schema["properties"]["b"]


def test_inline_objects_are_named_by_their_place() -> None:
    schema = {
        "type": "object",
        "properties": {
            "address": {"type": "object", "properties": {"city": {"type": "string"}}, "x-classification": {"level": "L3", "kind": "address"}},
            "rows": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}},
            "named": {"type": "object", "title": "Licence holder", "properties": {"id": {}}},
            "maybe": {"type": ["object", "null"], "properties": {"id": {}}},
            "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {"n": {}}}},
            "free": {"type": "object"},
            "union": {"oneOf": [{"type": "object", "properties": {"a": {}}}, {"type": "string"}]},
        },
    }  # fmt: skip
    made = normal(answering(schema))
    schemas = made.document["components"]["schemas"]
    assert answer_of(made) == {"$ref": REF + "GetAResponse"}
    properties = schemas["GetAResponse"]["properties"]
    assert properties["address"] == {
        "$ref": REF + "GetAResponseAddress",
        "x-classification": {"level": "L3", "kind": "address"},
    }
    assert properties["rows"]["items"] == {"$ref": REF + "GetAResponseRow"}
    assert properties["named"] == {"$ref": REF + "LicenceHolder"}
    assert properties["maybe"] == {"anyOf": [{"$ref": REF + "GetAResponseMaybe"}, {"type": "null"}]}
    assert schemas["GetAResponseMaybe"]["type"] == "object"
    assert properties["map"]["additionalProperties"] == {"$ref": REF + "GetAResponseMapValue"}
    assert properties["free"] == {"type": "object"}
    assert properties["union"]["oneOf"][0] == {"$ref": REF + "GetAResponseUnionOption1"}
    root = "/paths/~1a/get/responses/200/content/application~1json/schema"
    assert made.origins["/components/schemas/GetAResponseAddress"] == f"{root}/properties/address"


def test_error_bodies_written_out_again_and_again_get_one_name() -> None:
    error = {
        "description": "",
        "content": {
            "application/json": {"schema": {"type": "object", "properties": {"code": {"type": "string"}}}}
        },
    }
    operation = {"responses": {"400": error, "404": error, "500": error}}
    made = normal(document({"/a": {"get": operation}, "/b": {"get": operation}}))
    assert list(made.document["components"]["schemas"]) == ["ErrorBody"]


def test_recursive_schemas_keep_their_references() -> None:
    schemas = {
        "Tree": {
            "type": "object",
            "properties": {"children": {"type": "array", "items": {"$ref": REF + "Tree"}}},
        }
    }
    made = normal(answering({"$ref": REF + "Tree"}, components={"schemas": schemas}))
    assert made.document["components"]["schemas"]["Tree"] == schemas["Tree"]
    assert not made.losses


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["Response"], ["ResponseModel"]),
        (["Company", "company"], ["Company", "company_2"]),
        (["foo_bar", "FooBar", "foo-bar"], ["foo_bar", "FooBar_2", "foo-bar_3"]),
        (["3D Secure"], ["Model3D_Secure"]),
        (["企业"], ["Schema"]),
        (["企业", "个人"], ["Schema", "Schema_2"]),
        (["Café"], ["Cafe"]),
        (["a/b~c"], ["a_b_c"]),
    ],
)
def test_component_names(names: list[str], expected: list[str]) -> None:
    schemas = {name: {"type": "string", "description": name} for name in names}
    made = normal(answering({}, components={"schemas": schemas}))
    found = made.document["components"]["schemas"]
    assert list(found) == expected
    assert [one["description"] for one in found.values()] == names
    renamed = [one for one in made.losses if one.rule == "component-renamed"]
    assert len(renamed) == sum(1 for old, new in zip(names, expected, strict=True) if old != new)
    assert all("rest" not in one.faces for one in renamed)


def test_references_and_discriminators_follow_a_rename() -> None:
    schemas = {
        "Pet": {"oneOf": [{"$ref": REF + "File"}, {"$ref": REF + "Dog"}], "discriminator": {"propertyName": "kind", "mapping": {"file": "File", "dog": REF + "Dog", "gone": "Gone"}}},
        "File": {"type": "object", "properties": {"kind": {"type": "string"}}},
        "Dog": {"type": "object", "properties": {"kind": {"type": "string"}}},
    }  # fmt: skip
    made = normal(answering({"$ref": REF + "Pet"}, components={"schemas": schemas}))
    pet = made.document["components"]["schemas"]["Pet"]
    assert pet["oneOf"][0] == {"$ref": REF + "FileModel"}
    assert pet["discriminator"]["mapping"] == {"file": REF + "FileModel", "dog": REF + "Dog"}
    assert {"component-renamed", "discriminator-dropped"} <= rules_of(made)


def test_properties_that_generated_code_would_merge() -> None:
    made = normal(
        answering(
            {"type": "object", "properties": {"a-b": {}, "a_b": {}, "aB": {}, "其他": {}, "$": {}, "@": {}}}
        )
    )
    properties = made.document["components"]["schemas"]["GetAResponse"]["properties"]
    assert {name: one.get("x-sdk-name") for name, one in properties.items()} == {
        "a-b": None, "a_b": "a_b_2", "aB": "a_b_3", "其他": None, "$": None, "@": "field_2",
    }  # fmt: skip
    assert [one.rule for one in made.losses].count("property-collision") == 3


def test_parts_of_allof_that_disagree_are_marked() -> None:
    parts = [
        {"type": "object", "properties": {"a": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "integer"}}},
    ]
    made = normal(answering({}, components={"schemas": {"A": {"allOf": parts}}}))
    assert made.document["components"]["schemas"]["A"]["x-loss"] == ["allof-conflict"]
    agreeing = [{"properties": {"a": {"type": "number"}}}, {"properties": {"a": {"type": "integer"}}}]
    assert not normal(answering({}, components={"schemas": {"A": {"allOf": agreeing}}})).losses


def test_closed_parts_of_allof_are_opened_and_the_whole_is_closed() -> None:
    schemas = {
        "Base": {"type": "object", "properties": {"id": {"type": "string"}}, "additionalProperties": False},
        "More": {
            "allOf": [{"$ref": REF + "Base"}, {"type": "object", "properties": {"name": {"type": "string"}}}]
        },
        "Fine": {"allOf": [{"$ref": REF + "Base"}], "description": "no other part"},
    }
    made = normal(answering({"$ref": REF + "More"}, components={"schemas": schemas}))
    found = made.document["components"]["schemas"]
    assert found["More"]["allOf"][0] == {"$ref": REF + "BasePart"}
    assert found["More"]["unevaluatedProperties"] is False
    assert "additionalProperties" not in found["BasePart"]
    assert found["Base"]["additionalProperties"] is False
    assert found["Fine"] == schemas["Fine"]
    assert "allof-closed" in rules_of(made)


def test_what_is_required_and_forbidden_is_required_no_longer() -> None:
    schema = {
        "type": "object",
        "properties": {"a": {}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
    made = normal(answering({}, components={"schemas": {"A": schema}}))
    assert made.document["components"]["schemas"]["A"]["required"] == ["a"]
    assert "required-impossible" in rules_of(made)


@pytest.mark.parametrize(
    ("info", "expected", "rule"),
    [
        ({"title": "A"}, {"version": "1.0.0"}, "info-version-missing"),
        ({"title": "A", "version": None}, {"version": "1.0.0"}, "info-version-missing"),
        ({"title": "A", "version": 2.0}, {"version": "2.0"}, None),
        ({"title": "", "version": "1"}, {"title": "Untitled service"}, "info-title-missing"),
        ({"title": "A", "version": "1", "license": {"url": "https://example.com/l"}}, {"license": {"url": "https://example.com/l", "name": "https://example.com/l"}}, "license-name-missing"),
        ({"title": "A", "version": "1", "license": {}}, {"license": {"name": "unnamed"}}, "license-name-missing"),
        ({"title": "VAT (MTD) API v1", "version": "1"}, {"x-name": "vat-mtd"}, "name-proposed"),
    ],
)  # fmt: skip
def test_info_is_completed(info: dict[str, Any], expected: dict[str, Any], rule: str | None) -> None:
    made = normal(document() | {"info": info})
    assert expected.items() <= made.document["info"].items()
    assert rule is None or rule in rules_of(made)


def test_security_is_copied_down_and_alternatives_are_told() -> None:
    schemes = {
        "key": {"type": "apiKey", "name": "k", "in": "header"},
        "oauth": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "/t", "scopes": {"a:b:read": None}}},
        },
    }
    answer = {"responses": {"200": {"description": ""}}}
    made = normal(
        document(
            {
                "/a": {"get": answer},
                "/b": {"get": {**answer, "security": []}},
                "/c": {"get": {**answer, "security": [{"gone": []}, {"oauth": ["a:b:read"]}]}},
            },
            components={"securitySchemes": schemes},
            security=[{"key": []}, {"oauth": ["a:b:read"]}],
        )
    )
    paths = made.document["paths"]
    assert "security" not in made.document
    assert paths["/a"]["get"]["security"] == [{"oauth": ["a:b:read"]}]
    assert paths["/a"]["get"]["x-security-alternatives"] == [{"key": []}]
    assert paths["/b"]["get"]["security"] == []
    assert paths["/c"]["get"]["security"] == [{"oauth": ["a:b:read"]}]
    assert {"security-alternatives", "security-unknown", "scope-text-missing"} <= rules_of(made)


def test_operation_ids_and_triples_are_unique() -> None:
    def answer(identifier: str | None, **more: Any) -> dict[str, Any]:
        named = {"operationId": identifier} if identifier is not None else {}
        return {**named, "responses": {"200": {"description": ""}}, **more}

    made = normal(
        document(
            {
                "/companies": {"get": answer("listCompanies", **{"x-max-rows": 5}), "post": answer(None)},
                "/companies/{id}": {"get": answer("getCompany"), "delete": answer("remove company")},
                "/companies/{id}/reports": {"get": answer("getCompany")},
                "/companies/{id}/owners": {"get": answer("")},
                "/licences/{id}/suspend": {"post": answer("2")},
            }
        )
        | {"info": {"title": "Company", "version": "1", "x-name": "company"}}
    )
    found = {
        (path, method): (operation["operationId"], operation["x-resource"], operation["x-verb"])
        for path, method, operation, _ in operations_in(made.document)
    }
    assert found == {
        ("/companies", "get"): ("listCompanies", "company", "list"),
        ("/companies", "post"): ("createCompany", "company", "create"),
        ("/companies/{id}", "get"): ("getCompany", "company", "get"),
        ("/companies/{id}", "delete"): ("remove_company", "company", "delete"),
        ("/companies/{id}/reports", "get"): ("getCompanyReports", "company", "get-reports"),
        ("/companies/{id}/owners", "get"): ("getCompanyOwners", "company", "get-owners"),
        ("/licences/{id}/suspend", "post"): ("suspendCompanyLicence", "licence", "suspend"),
    }
    assert {"operation-id", "operation-id-added", "name-collision"} <= rules_of(made)


def test_references_to_a_renamed_operation_follow() -> None:
    made = normal(
        document(
            {
                "/a": {"get": {"operationId": "get a", "x-batch": {"operation": "list a", "parameter": "p", "key": "k", "max": 5}, "responses": {}}},
                "/b": {"get": {"operationId": "list a", "responses": {}}},
            },
            components={"schemas": {"S": {"type": "object", "properties": {"x": {"type": "string", "x-ref": {"operation": "get a", "parameter": "p"}}}}}},
        )
    )  # fmt: skip
    assert made.document["paths"]["/a"]["get"]["x-batch"]["operation"] == "list_a"
    assert made.document["components"]["schemas"]["S"]["properties"]["x"]["x-ref"]["operation"] == "get_a"


def test_one_tag_for_each_operation() -> None:
    made = normal(document({"/a": {"get": {"tags": ["one", "two"], "responses": {}}}}))
    operation = made.document["paths"]["/a"]["get"]
    assert (operation["tags"], operation["x-tags"]) == (["one"], ["one", "two"])


def test_get_takes_no_body_and_204_has_no_content() -> None:
    made = normal(
        document(
            {
                "/a": {
                    "get": {
                        "requestBody": {"content": {}},
                        "responses": {"204": {"description": "", "content": {"a/b": {}}}},
                    }
                }
            }
        )
    )
    operation = made.document["paths"]["/a"]["get"]
    assert "requestBody" not in operation
    assert "content" not in operation["responses"]["204"]
    assert {"body-dropped", "content-on-empty"} <= rules_of(made)


def test_form_bodies_are_kept() -> None:
    made = normal(
        taking(
            {"type": "object", "properties": {"a": {"type": "string"}}},
            media="application/x-www-form-urlencoded",
        )
    )
    assert not made.losses


def test_the_argument_stays_untouched() -> None:
    given = answering({"type": "object", "properties": {"a": {"enum": []}}})
    before = repr(given)
    normal(given)
    assert repr(given) == before
