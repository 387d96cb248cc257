"""Lint rules: the normative example breaks none, and each rule is broken by one change to it."""

import copy
import re
from typing import Any

import pytest

from api.contract.profile import profile_schema, profile_validator
from api.contract.rules import RULES, lint
from tests.contract.papers import Document, answering, own, read

GET = "/paths/~1companies~1{code}/get"
SEARCH = "/paths/~1companies/get"
COMPANY = "/components/schemas/Company"
NAME = f"{COMPANY}/properties/name"
SCENARIO = f"{GET}/x-scenarios/0"
GONE: Any = object()

CONSENT = {"basis": "consent"}
L3 = {"x-level": "L3"}
TEXT = {"zh-CN": "没有", "en": "gone"}
PROBLEM = {"status": 404, "title": TEXT, "detail": TEXT, "next": TEXT, "cause": TEXT}

# rule, {pointer: value to set or merge}
BREAKS: list[tuple[str, dict[str, Any]]] = [
    ("info-owner", {"/info/x-owner": GONE}),
    ("service-text-language", {"/info/x-i18n/en": GONE}),
    ("operation-text-language", {f"{GET}/x-i18n/en": GONE}),
    ("operation-description", {f"{GET}/summary": "", f"{GET}/description": ""}),
    ("server-http", {"/servers/0/url": "http://api.example"}),
    ("server-variables", {"/servers/0/url": "https://{host}/api"}),
    ("release-semver", {"/info/version": "1.0"}),
    ("sunset-missing", {f"{GET}/deprecated": True}),
    ("sunset-missing", {"/info/x-deprecation": {"at": "2027-01-01"}}),
    ("sunset-order", {"/info/x-deprecation": {"at": "2027-07-01", "sunset": "2027-01-01"}}),
    ("response-success", {f"{GET}/responses/200": GONE}),
    ("response-errors", {f"{GET}/responses/404": GONE}),
    ("problem-json", {f"{GET}/responses/404/content": {"application/json": {"schema": {}}}}),
    ("secret-in-query", {f"{SEARCH}/parameters/0/name": "api_key"}),
    ("secret-in-query", {f"{SEARCH}/parameters/0/name": "密码"}),
    ("path-case", {"/paths/~1Annual_Reports": {"get": {"responses": {}}}}),
    ("path-trailing-slash", {"/paths/~1reports~1": {"get": {"responses": {}}}}),
    ("path-verb", {"/paths/~1get-reports": {"get": {"responses": {}}}}),
    ("put-not-idempotent", {"/paths/~1companies~1{code}/put": {"x-idempotent": False, "responses": {}}}),
    ("get-writes", {f"{GET}/operationId": "deleteCompany"}),
    ("cache-unsafe", {"/paths/~1companies/post": {"x-cache": 60, "responses": {}}}),
    ("list-unbounded", {f"{SEARCH}/x-max-rows": GONE, f"{SEARCH}/x-pagination": GONE}),
    ("pagination-field", {f"{SEARCH}/x-pagination/size": "rows", f"{SEARCH}/x-pagination/style": "page"}),
    ("pagination-field", {f"{SEARCH}/x-pagination/items": "rows"}),
    ("batch-operation", {f"{SEARCH}/x-batch/operation": "nobody"}),
    ("batch-operation", {f"{SEARCH}/x-batch/parameter": "nothing"}),
    ("batch-operation", {f"{SEARCH}/x-batch/key": "nothing"}),
    ("stream-json", {f"{SEARCH}/x-stream": True, "/paths/~1companies/post": {"x-stream": True, "requestBody": {"content": {"application/json": {}}}, "responses": {}}}),
    ("status-created", {"/paths/~1companies/post": {"operationId": "createCompany", "responses": {"200": {"description": ""}}}}),
    ("personal-unclassified", {f"{COMPANY}/properties/id_card": {"type": "string"}}),
    ("personal-unclassified", {f"{COMPANY}/properties/联系电话": {"type": "string"}}),
    ("classification-mask", {f"{COMPANY}/properties/legal_representative/x-mask": GONE}),
    ("mask-unclassified", {f"{COMPANY}/properties/legal_representative/x-classification": GONE}),
    ("personal-public", {f"{GET}/x-level": "L1", f"{COMPANY}/properties/id_card": {"type": "string"}}),
    ("personal-rows", {f"{SEARCH}/x-max-rows": GONE}),
    ("personal-in-path", {f"{SEARCH}/parameters/0/name": "id_number"}),
    ("level-missing", {"/info/x-level": GONE}),
    ("level-above-operation", {f"{NAME}/x-classification": {"level": "L3", "kind": "name"}}),
    ("level-purpose", {f"{GET}/x-level": "L3"}),
    ("grade-no-face", {f"{GET}/x-grade": "core"}),
    ("level-clean-room", {f"{GET}/x-level": "L4"}),
    ("consent-subject", {f"{SEARCH}/x-basis": "consent"}),
    ("consent-purpose", {f"{GET}/x-basis": "consent"}),
    ("duty-law", {f"{GET}/x-basis": "statutory-duty"}),
    ("open-level", {f"{GET}/x-open": "open"}),
    ("share-conditions", {"/info/x-share": "conditional"}),
    ("scope-missing", {f"{GET}/security": []}),
    ("scope-form", {f"{GET}/security": [{"kaimen": ["read"]}]}),
    ("scope-write-read", {"/paths/~1companies~1{code}/delete": {"security": [{"kaimen": ["company:company:read"]}], "responses": {}}}),
    ("scope-text", {"/components/securitySchemes/kaimen/x-scopes": GONE, "/components/securitySchemes/kaimen/flows/clientCredentials/scopes": {}}),
    ("write-idempotent", {"/paths/~1companies/post": {"responses": {}}}),
    ("profile-value", {"/info/x-level": "L9"}),
    ("profile-value", {f"{SEARCH}/x-pagination/style": "odd"}),
    ("profile-value", {f"{NAME}/x-mask": "first9"}),
    ("key-typo", {f"{GET}/x-leval": "L3"}),
    ("key-typo", {"/info/X-Level": "L3"}),
    ("key-typo", {f"{NAME}/x-classifcation": {"level": "L3", "kind": "name"}}),
    ("key-misplaced", {"/info/x-cache": 60}),
    ("keyword-typo", {f"{NAME}/maxlength": 5}),
    ("keyword-typo", {f"{NAME}/maximum:": 5}),
    ("keyword-typo", {f"{NAME}/patern": "^a$"}),
    ("scenario-id", {f"{GET}/x-scenarios": [{"id": "a", "then": {"status": 200}}, {"id": "a", "then": {"status": 200}}]}),
    ("scenario-title", {f"{SCENARIO}/title/en": GONE}),
    ("scenario-when", {f"{SCENARIO}/when": {"kode": "91990106MA0000015L"}}),
    ("scenario-when-value", {f"{SCENARIO}/when": {"code": "short"}}),
    ("scenario-status", {f"{SCENARIO}/then/status": 202}),
    ("scenario-body", {f"{SCENARIO}/then/body": {"status": "odd"}}),
    ("refusal-unknown", {f"{GET}/x-refusals": ["company-not-found"]}),
    ("refusal-unused", {f"{GET}/x-refusals": [], "/x-problems": {"company-gone": PROBLEM}}),
    ("scenario-refusal", {f"{GET}/x-refusals": [], "/x-problems": {"company-gone": PROBLEM}, f"{SCENARIO}/then": {"status": 404, "problem": "company-gone"}}),
    ("scenario-refusal-status", {f"{GET}/x-refusals": ["company-gone"], "/x-problems": {"company-gone": PROBLEM}, f"{SCENARIO}/then": {"status": 400, "problem": "company-gone"}}),
    ("composition", {"/x-composition": {"foundCompany": {"steps": []}}}),
    ("example-missing", {f"{GET}/responses/200/content/application~1json/example": GONE}),
    ("example-invalid", {f"{GET}/responses/200/content/application~1json/example": {"code": 5}}),
    ("example-invalid", {f"{GET}/parameters/0/example": "short"}),
    ("property-description", {f"{NAME}/description": GONE}),
    ("parameter-description", {f"{GET}/parameters/0/description": GONE}),
    ("string-unbounded", {f"{SEARCH}/parameters/0/schema/maxLength": GONE}),
    ("bounds-contradict", {f"{SEARCH}/parameters/3/schema/minimum": 500}),
    ("required-unknown", {f"{COMPANY}/required": ["code", "nmae"]}),
    ("pattern-delimiters", {f"{NAME}/pattern": "/^[a-z]+$/"}),
    ("code-list-undated", {f"{NAME}/x-code-list": {"standard": "GB/T 2260"}}),
    ("reference-parameter", {f"{COMPANY}/properties/code/x-ref": {"operation": "getNobody", "parameter": "code"}}),
    ("reference-parameter", {f"{COMPANY}/properties/code/x-ref": {"operation": "getCompany", "parameter": "kode"}}),
]  # fmt: skip


def changed(document: Document, changes: dict[str, Any]) -> Document:
    for pointer, value in changes.items():
        *holders, last = [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]
        place: Any = document
        for token in holders:
            place = place[int(token)] if isinstance(place, list) else place.setdefault(token, {})
        if value is GONE:
            del place[last]
        elif isinstance(place, list):
            place[int(last)] = value
        else:
            place[last] = copy.deepcopy(value)
    return document


def test_the_normative_example_is_without_fault() -> None:
    imported = read(own())
    assert not imported.findings
    assert not imported.losses
    assert {one.verdict for one in imported.verdicts.values()} == {"ok"}
    assert profile_validator().is_valid(own())


@pytest.mark.parametrize(
    ("rule", "changes"), BREAKS, ids=[f"{rule}-{index}" for index, (rule, _) in enumerate(BREAKS)]
)
def test_each_rule_is_broken_by_a_change(rule: str, changes: dict[str, Any]) -> None:
    imported = read(changed(own(), changes))
    hits = [one for one in imported.findings if one.rule == rule]
    assert hits, sorted({one.rule for one in imported.findings})
    for hit in hits:
        assert hit.message
        assert hit.message_zh
        assert not set(re.findall(r"\{([a-z_]+)\}", hit.message + hit.message_zh)) - {"host"}


def test_every_rule_is_tested_documented_and_sourced() -> None:
    assert {rule for rule, _ in BREAKS} == {one.id for one in RULES} - {"name-proposed"}
    assert len(RULES) >= 35
    assert len({one.id for one in RULES}) == len(RULES)
    for one in RULES:
        assert one.source
        assert all((one.zh, one.en, *one.hint, *one.reason))


def test_foreign_documents_are_spared_what_only_asks_for_our_keys() -> None:
    imported = read(answering({"type": "object", "properties": {"a": {"type": "string"}}}))
    own_only = {one.id for one in RULES if one.own_only}
    assert not own_only & {one.rule for one in imported.findings}
    assert "name-proposed" in {one.rule for one in imported.findings}


def test_rules_are_told_with_a_bound() -> None:
    properties = {f"id_card{n}": {"type": "string"} for n in range(1000)}
    imported = read(answering({"type": "object", "properties": properties}))
    hits = [one for one in imported.findings if one.rule == "personal-unclassified"]
    assert 100 < len(hits) < 300
    assert "800 more" in hits[-1].message


def test_a_part_of_the_rules_can_be_run() -> None:
    service = read(own()).service
    assert service is not None
    assert lint(service, rules=RULES[:3]) == []


def test_the_schema_of_the_profile_holds_the_example() -> None:
    assert len(profile_schema()["examples"]) == 1
