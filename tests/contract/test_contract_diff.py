"""The diff: each kind of change, its direction and its verdict; nothing between a contract and itself."""

from typing import Any

import pytest

from api.contract.diff import Change, compare, semver_of
from api.contract.model import Service
from tests.contract.papers import own, read
from tests.contract.test_contract_rules import COMPANY, GET, GONE, NAME, SEARCH, changed

RESPONSE = f"{GET}/responses/200"
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Company"}}}}
POST = {
    "/paths/~1companies/post": {
        "operationId": "createCompany",
        "requestBody": BODY,
        "responses": {"201": {"description": ""}},
    }
}


def service(changes: dict[str, Any]) -> Service:
    made = read(changed(own(), changes)).service
    assert made is not None
    return made


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    return compare(service(before), service({**before, **after}))


# changes, rule, severity, severity of the way back, field
CASES: list[tuple[dict[str, Any], str, str, str, str]] = [
    ({GET: GONE}, "operation-removed", "breaking", "compatible", ""),
    ({f"{SEARCH}/parameters/0/required": True}, "parameter-required", "breaking", "compatible", "query:name"),
    ({f"{SEARCH}/parameters/0": {"name": "title", "in": "query", "schema": {"type": "string"}}}, "parameter-removed", "breaking", "breaking", "query:name"),
    ({f"{SEARCH}/parameters/0/schema/maxLength": 10}, "bound-changed", "breaking", "compatible", "query:name"),
    ({f"{SEARCH}/parameters/3/schema/maximum": 500}, "bound-changed", "compatible", "breaking", "query:limit"),
    ({f"{SEARCH}/parameters/0/schema/type": "integer"}, "type-changed", "breaking", "breaking", "query:name"),
    ({f"{SEARCH}/parameters/0/schema/enum": ["a"]}, "enum-limited", "breaking", "compatible", "query:name"),
    ({f"{SEARCH}/parameters/0/schema/pattern": "^a"}, "pattern-changed", "breaking", "compatible", "query:name"),
    ({f"{SEARCH}/parameters/1/explode": True}, "parameter-style", "breaking", "breaking", "query:codes"),
    ({f"{COMPANY}/properties/status": GONE, f"{COMPANY}/required": ["code", "name"]}, "property-removed", "breaking", "compatible", "response:200:/status"),
    ({f"{COMPANY}/properties/capital": {"type": "number", "description": "资本 / capital"}}, "property-added", "compatible", "breaking", "response:200:/capital"),
    ({f"{COMPANY}/required": ["code"]}, "property-optional", "breaking", "compatible", "response:200:/name"),
    ({f"{NAME}/type": ["string", "null"]}, "type-widened", "breaking", "compatible", "response:200:/name"),
    ({f"{NAME}/type": "integer"}, "type-changed", "breaking", "breaking", "response:200:/name"),
    ({f"{COMPANY}/properties/status/enum": ["active", "revoked"]}, "enum-value-removed", "compatible", "breaking", "response:200:/status"),
    ({f"{COMPANY}/properties/status/enum": ["active", "revoked", "cancelled", "new"]}, "enum-value-added", "breaking", "compatible", "response:200:/status"),
    ({f"{NAME}/format": "uri"}, "format-changed", "compatible", "breaking", "response:200:/name"),
    ({f"{NAME}/maxLength": 5}, "bound-changed", "compatible", "breaking", "response:200:/name"),
    ({f"{NAME}/x-classification": {"level": "L2", "kind": "name"}}, "classification-changed", "breaking", "compatible", "response:200:/name"),
    ({f"{GET}/responses/404": GONE}, "response-removed", "compatible", "compatible", "response:404:"),
    ({f"{RESPONSE}/headers": {"X-Total": {"schema": {"type": "integer"}}}}, "response-header-added", "compatible", "breaking", "response:200:"),
    ({f"{RESPONSE}/content/text~1csv": {}}, "response-media-added", "compatible", "breaking", "response:200:"),
    ({f"{GET}/security": [{"kaimen": ["company:company:read", "company:secret:read"]}]}, "scope-added", "breaking", "compatible", ""),
    ({f"{GET}/x-level": "L3", f"{GET}/x-purpose": ["bank-credit"]}, "level-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-basis": "consent", f"{GET}/x-purpose": ["bank-credit"]}, "basis-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-purpose": ["bank-credit"]}, "purpose-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-open": "closed"}, "open-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-audience": "department"}, "audience-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-share": "none"}, "share-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-quota": "heavy"}, "quota-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-assurance": "face"}, "assurance-changed", "breaking", "compatible", ""),
    ({f"{SEARCH}/x-pagination": GONE}, "pagination-changed", "breaking", "breaking", ""),
    ({f"{SEARCH}/x-max-rows": 10}, "max-rows-changed", "breaking", "compatible", ""),
    ({f"{GET}/x-idempotent": True}, "idempotent-changed", "compatible", "breaking", ""),
    ({f"{GET}/x-cache": 5}, "cache-changed", "compatible", "compatible", ""),
    ({f"{GET}/x-deprecation": {"at": "2027-01-01", "sunset": "2027-07-01"}}, "deprecation-changed", "compatible", "compatible", ""),
    ({f"{GET}/description": "new words"}, "operation-text", "docs", "docs", ""),
    ({f"{GET}/x-scenarios": []}, "scenarios-changed", "docs", "docs", ""),
    ({f"{NAME}/description": "new words"}, "schema-text", "docs", "docs", "response:200:/name"),
    ({"/info/description": "new words"}, "service-text", "docs", "docs", ""),
    ({"/info/x-status": "retired"}, "service-status", "breaking", "compatible", ""),
    ({"/info/x-name": "firm"}, "service-renamed", "breaking", "breaking", ""),
    ({"/webhooks": {"company.revoked": {"post": {"responses": {}}}}}, "webhook-added", "compatible", "breaking", ""),
]  # fmt: skip

_MIRRORED = {
    "removed": "added", "added": "removed", "limited": "opened", "widened": "narrowed", "required": "optional",
    "optional": "required",
}  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "rule", "severity", "back", "field"),
    CASES,
    ids=[f"{case[1]}-{index}" for index, case in enumerate(CASES)],
)
def test_changes(changes: dict[str, Any], rule: str, severity: str, back: str, field: str) -> None:
    before, after = service({}), service(changes)
    there = [one for one in compare(before, after) if one.rule == rule and one.field == field]
    assert [one.severity for one in there][:1] == [severity], compare(before, after)
    assert {"zh", "en"} <= there[0].message.keys()
    returning = [
        one
        for one in compare(after, before)
        if one.field == field or rule.startswith(("operation", "parameter-removed"))
    ]
    assert back in {one.severity for one in returning}, returning


def test_nothing_changes_between_a_contract_and_itself() -> None:
    assert compare(service({}), service({})) == []
    assert semver_of([]) == "none"


def test_bodies() -> None:
    stricter = {f"{COMPANY}/required": ["code", "name", "status", "legal_representative"]}
    [change] = [
        one
        for one in differences(POST, stricter)
        if one.operation == "createCompany" and one.severity == "breaking"
    ]
    assert (change.rule, change.field) == ("property-required", "body:/legal_representative")
    gone = {"/paths/~1companies/post/requestBody": GONE}
    assert "body-removed" in {one.rule for one in differences(POST, gone)}
    required = {"/paths/~1companies/post/requestBody/required": True}
    assert {one.rule for one in differences(POST, required)} == {"body-required"}
    closed = differences(POST, {f"{COMPANY}/additionalProperties": False})
    assert {one.severity for one in closed if one.operation == "createCompany"} == {"breaking"}
    assert {one.severity for one in closed if one.operation == "getCompany"} == {"compatible"}


def test_a_nullable_object_is_told_as_nullable_however_it_is_written() -> None:
    page = "/components/schemas/CompanyPage/properties"
    before = {f"{page}/first": {"$ref": "#/components/schemas/Company"}}
    after = {f"{page}/first": {"anyOf": [{"$ref": "#/components/schemas/Company"}, {"type": "null"}]}}
    assert {(one.rule, one.field) for one in differences(before, after)} == {
        ("type-widened", "response:200:/first")
    }


def test_renaming_a_path_parameter_breaks_no_address() -> None:
    moved = own()
    item = moved["paths"].pop("/companies/{code}")
    item["get"]["parameters"][0]["name"] = "uscc"
    item["get"].pop("x-scenarios")
    moved["paths"]["/companies/{uscc}"] = item
    after = read(moved).service
    assert after is not None
    assert {one.severity for one in compare(service({}), after)} == {"docs"}


def test_changes_deep_in_recursive_schemas_are_found_once() -> None:
    tree = {"/components/schemas/Tree": {"type": "object", "properties": {"leaf": {"type": "string"}, "kids": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}, f"{COMPANY}/properties/tree": {"$ref": "#/components/schemas/Tree"}}  # fmt: skip
    found = differences(tree, {"/components/schemas/Tree/properties/leaf/type": "integer"})
    assert {one.rule for one in found} == {"type-changed"}
    assert len(found) == 2  # one for each of the two operations that answer companies


def test_semantic_versions() -> None:
    assert semver_of(compare(service({}), service({GET: GONE}))) == "major"
    assert semver_of(compare(service({GET: GONE}), service({}))) == "minor"
    assert semver_of(compare(service({}), service({f"{GET}/description": "x"}))) == "patch"
