"""Overlays: what the importer proposes, what an owner may write, and what is told when it cannot be done."""

from typing import Any

import pytest

from api.contract import overlay
from api.contract.importing import read_contract
from api.contract.model import Grade, Level, QuotaClass
from tests.contract.papers import document, load, own, rules_of


def foreign() -> dict[str, Any]:
    schemes = {
        "user": {"type": "oauth2", "flows": {"authorizationCode": {"authorizationUrl": "https://a.example", "tokenUrl": "https://a.example", "scopes": {"read:vat": "r", "write:vat": "w"}}}},
        "login": {"type": "openIdConnect", "openIdConnectUrl": "https://a.example"},
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    }  # fmt: skip
    answer = {"responses": {"200": {"description": ""}}}
    return document(
        {
            "/returns": {"get": {**answer, "operationId": "listReturns", "security": [{"user": ["read:vat"]}]}, "post": {**answer, "operationId": "submitReturn", "security": [{"user": ["write:vat"]}]}},
            "/obligations/search": {"post": {**answer, "operationId": "searchObligations", "security": [{"login": ["openid"]}, {"key": []}]}},
            "/it's/{id}": {"delete": {**answer, "operationId": "deleteIt"}},
        },
        components={"securitySchemes": schemes},
        security=[{"key": []}],
    ) | {"info": {"title": "VAT (MTD) API", "version": "1.0"}}  # fmt: skip


def test_the_proposal_makes_a_foreign_document_ours() -> None:
    imported = read_contract(load(foreign()))
    service = imported.service
    assert service is not None
    assert (service.key, service.status) == ("vat-mtd@v1", "beta")
    for operation in service.operations:
        assert (operation.level, operation.grade, operation.quota) == (
            Level.L2,
            Grade.GENERAL,
            QuotaClass.STANDARD,
        )
        assert operation.open == "closed"
        assert operation.purposes == ()
    scopes = {operation.id: operation.scopes for operation in service.operations}
    assert scopes == {
        "listReturns": ("vat-mtd:return:read",),
        "submitReturn": ("vat-mtd:return:write",),
        "searchObligations": ("vat-mtd:obligation:read",),
        "deleteIt": ("vat-mtd:it-s:write",),
    }
    aliases = {scope.name: scope.aliases for scope in service.scopes}
    assert aliases == {
        "vat-mtd:return:read": ("read:vat",),
        "vat-mtd:return:write": ("write:vat",),
        "vat-mtd:obligation:read": ("openid",),
        "vat-mtd:it-s:write": (),
    }
    assert all({"zh-CN", "en"} <= scope.texts.keys() for scope in service.scopes)
    written = imported.document["paths"]["/obligations/search"]["post"]
    assert written["x-upstream-security"] == [{"login": ["openid"]}, {"key": []}]


def test_our_own_documents_need_no_proposal() -> None:
    assert overlay.propose(own())["actions"] == []


def test_an_owner_edits_the_proposal() -> None:
    loaded = load(foreign())
    assert loaded.document is not None
    proposed = overlay.propose(loaded.document)
    proposed["actions"][0]["update"] |= {"x-name": "vat", "x-level": "L1", "x-open": "open"}
    proposed["actions"].append(
        {"target": "$.paths['/returns'].get", "update": {"x-level": "L3", "x-purpose": ["audit"]}}
    )
    service = read_contract(loaded, proposed).service
    assert service is not None
    assert service.name == "vat"
    levels = {operation.id: operation.level for operation in service.operations}
    assert levels == {"listReturns": "L3", "submitReturn": "L1", "searchObligations": "L1", "deleteIt": "L1"}


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"target": "$.a", "update": {"c": 2}}, {"a": {"b": 1, "c": 2}, "l": [{"n": "x"}, {"n": "y"}]}),
        ({"target": "$.a", "update": {"b": 2}}, {"a": {"b": 2}, "l": [{"n": "x"}, {"n": "y"}]}),
        (
            {"target": "$", "update": {"l": [{"n": "z"}]}},
            {"a": {"b": 1}, "l": [{"n": "x"}, {"n": "y"}, {"n": "z"}]},
        ),
        ({"target": "$.l", "update": {"n": "z"}}, {"a": {"b": 1}, "l": [{"n": "x"}, {"n": "y"}, {"n": "z"}]}),
        ({"target": "$.l[0]", "update": {"m": 1}}, {"a": {"b": 1}, "l": [{"n": "x", "m": 1}, {"n": "y"}]}),
        (
            {"target": "$.l[*]", "update": {"m": 1}},
            {"a": {"b": 1}, "l": [{"n": "x", "m": 1}, {"n": "y", "m": 1}]},
        ),
        ({"target": "$.l[?@.n=='y']", "remove": True}, {"a": {"b": 1}, "l": [{"n": "x"}]}),
        ({"target": "$.l[*]", "remove": True}, {"a": {"b": 1}, "l": []}),
        ({"target": "$['a']", "remove": True}, {"l": [{"n": "x"}, {"n": "y"}]}),
        ({"target": '$["a"].b', "remove": True}, {"a": {}, "l": [{"n": "x"}, {"n": "y"}]}),
    ],
)
def test_actions(action: dict[str, Any], expected: dict[str, Any]) -> None:
    given = {"a": {"b": 1}, "l": [{"n": "x"}, {"n": "y"}]}
    result = overlay.applied(given, {"overlay": "1.0.0", "actions": [action]})
    assert result.document == expected
    assert not result.findings
    assert given == {"a": {"b": 1}, "l": [{"n": "x"}, {"n": "y"}]}


@pytest.mark.parametrize(
    ("action", "rule"),
    [
        ({"target": "$.nowhere", "update": {}}, "overlay-nothing"),
        ({"target": "$..a", "update": {}}, "overlay-target"),
        ({"target": "$.a[?@.x > 1]", "update": {}}, "overlay-target"),
        ({"target": "a", "update": {}}, "overlay-target"),
        ({"target": 5}, "overlay-target"),
        ("text", "overlay-target"),
        ({"target": "$.a"}, "overlay-action"),
        ({"target": "$.a", "update": "text"}, "overlay-action"),
        ({"target": "$", "remove": True}, "overlay-action"),
        ({"target": "$.a.b", "update": {"x": 1}}, "overlay-action"),
    ],
)
def test_actions_that_cannot_be_carried_out_are_told(action: Any, rule: str) -> None:
    result = overlay.applied({"a": {"b": 1}}, {"actions": [action]})
    assert [one.rule for one in result.findings] == [rule]
    assert result.document == {"a": {"b": 1}}


def test_hostile_overlays_do_no_harm() -> None:
    loaded = load(own())
    for actions in (
        None,
        [
            {
                "target": "$.paths",
                "update": {"/x": {"get": {"responses": {"200": {"$ref": "http://169.254.169.254/"}}}}},
            }
        ],
        [{"target": "$.components.schemas", "update": {"Company": []}}],
        [{"target": "$.info", "update": {"title": "a\x00b", "x-name": None, "version": {}}}],
        [{"target": "$.paths", "remove": True}],
        [{"target": "$.info", "update": {"x-level": "L9", "x-grade": "odd"}}],
    ):
        imported = read_contract(loaded, {"overlay": "1.0.0", "actions": actions})
        assert imported.verdicts["rest"].verdict in {"ok", "degraded", "refused"}
        assert rules_of(imported)
