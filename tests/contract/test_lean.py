"""The lean form: what a contract says once stands everywhere in its normal form, and what it writes out stays."""

from copy import deepcopy
from typing import Any

import pytest

from api.contract.importing import read_contract
from tests.contract.papers import document, load, normal, own, read, rules_of

NOT_FOUND = {
    "status": 404,
    "title": {"zh-CN": "没有", "en": "No such thing"},
    "detail": {"zh-CN": "没有 {code}。", "en": "There is no {code}."},
    "next": {"zh-CN": "核对 {code}。", "en": "Check {code}."},
    "cause": {"zh-CN": "从未登记。", "en": "It was never registered."},
}


def lean(operation: dict[str, Any], method: str = "get", **root: Any) -> dict[str, Any]:
    """A document of one operation on /things/{code}."""
    code = {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}, "example": "A1"}
    written = {"operationId": "doThing", "parameters": [code], "responses": {"200": {"description": "好"}}}
    return document({"/things/{code}": {method: {**written, **operation}}}, **root)


def normal_operation(given: dict[str, Any], method: str = "get") -> dict[str, Any]:
    found: dict[str, Any] = normal(given).document["paths"]["/things/{code}"][method]
    return found


# --- texts -----------------------------------------------------------------------------------------
def test_the_text_itself_is_its_own_language() -> None:
    made = normal_operation(
        lean(
            {
                "summary": "查询",
                "description": "查一件。",
                "x-i18n": {"en": {"title": "Get", "description": "Get one."}},
            }
        )
    )
    assert made["x-i18n"] == {
        "en": {"title": "Get", "description": "Get one."},
        "zh-CN": {"title": "查询", "description": "查一件。"},
    }


def test_what_is_written_out_stays() -> None:
    written = {"zh": {"title": "别的"}, "en": {"title": "Get"}}
    made = normal_operation(lean({"summary": "查询", "description": "说明", "x-i18n": written}))
    assert made["x-i18n"]["zh"] == {"title": "别的"}
    assert made["x-i18n"]["zh-CN"] == {"description": "说明"}


def test_examples_are_data_and_no_texts() -> None:
    value = {"description": "一", "x-i18n": {"en": {"description": "one"}}}
    media = {"application/json": {"schema": {"type": "object"}, "example": value}}
    made = normal_operation(lean({"responses": {"200": {"description": "好", "content": media}}}))
    assert made["responses"]["200"]["content"]["application/json"]["example"] == value


def test_a_property_called_example_is_walked_and_its_text_completed() -> None:
    inner = {"type": "string", "description": "例", "x-i18n": {"en": {"description": "an example"}}}
    made = normal(
        lean({}, components={"schemas": {"A": {"type": "object", "properties": {"example": inner}}}})
    )
    found = made.document["components"]["schemas"]["A"]["properties"]["example"]["x-i18n"]
    assert found["zh-CN"] == {"description": "例"}


# --- refusals --------------------------------------------------------------------------------------
def test_a_refusal_becomes_a_response_with_an_example() -> None:
    made = normal_operation(lean({"x-refusals": ["thing-gone"]}, **{"x-problems": {"thing-gone": NOT_FOUND}}))
    assert list(made["responses"]) == ["200", "404", "default"]
    media = made["responses"]["404"]["content"]["application/problem+json"]
    assert media["schema"] == {"$ref": "#/components/schemas/Problem"}
    example = media["examples"]["thing-gone"]
    assert example["x-i18n"] == {"zh-CN": {"title": "没有"}, "en": {"title": "No such thing"}}
    assert example["value"]["detail"] == "没有 A1。"
    assert example["value"]["next"] == "核对 A1。"
    assert example["value"]["code"] == "A1"
    assert example["value"]["type"] == "/docs/problems/thing-gone/"
    assert "en" in made["responses"]["404"]["x-i18n"]


def test_the_scenario_that_brings_it_about_gives_the_facts() -> None:
    scenario = {"id": "gone", "when": {"code": "B2"}, "then": {"status": 404, "problem": "thing-gone"}}
    made = normal_operation(
        lean(
            {"x-refusals": ["thing-gone"], "x-scenarios": [scenario]},
            **{"x-problems": {"thing-gone": NOT_FOUND}},
        )
    )
    examples = made["responses"]["404"]["content"]["application/problem+json"]["examples"]
    assert examples["thing-gone"]["value"]["detail"] == "没有 B2。"


def test_facts_come_from_the_problem_and_the_body_too() -> None:
    problem = {
        **NOT_FOUND,
        "detail": {"zh-CN": "{colour} {size} {weight}", "en": "-"},
        "example": {"colour": "红"},
    }
    body = {"content": {"application/json": {"example": {"inner": {"size": 4}}}}}
    made = normal_operation(
        lean(
            {"x-refusals": ["thing-gone"], "requestBody": body},
            "post",
            **{"x-problems": {"thing-gone": problem}},
        ),
        "post",
    )
    value = made["responses"]["404"]["content"]["application/problem+json"]["examples"]["thing-gone"]["value"]
    assert value["detail"] == "红 4 …"
    assert "weight" not in value


def test_a_response_written_out_keeps_its_texts_and_gets_the_example() -> None:
    responses = {
        "200": {"description": "好"},
        "404": {"description": "自己的"},
        "default": {"description": "其他"},
    }
    made = normal_operation(
        lean(
            {"x-refusals": ["thing-gone"], "responses": responses},
            **{"x-problems": {"thing-gone": NOT_FOUND}},
        )
    )
    assert made["responses"]["404"]["description"] == "自己的"
    assert "thing-gone" in made["responses"]["404"]["content"]["application/problem+json"]["examples"]
    assert made["responses"]["default"]["description"] == "其他"


def test_components_that_are_referred_to_and_lacking_are_there() -> None:
    responses = {"200": {"description": "好"}, "default": {"$ref": "#/components/responses/Refused"}}
    found = read(lean({"responses": responses}, **{"x-problems": {"thing-gone": NOT_FOUND}}))
    assert found.service is not None
    assert not [one for one in rules_of(found) if one.startswith("ref-") or "unresolved" in one]
    media = found.document["paths"]["/things/{code}"]["get"]["responses"]["default"]["content"]
    assert "Problem" in media["application/problem+json"]["schema"]["$ref"]


@pytest.mark.parametrize("problems", [{"thing-gone": 5}, {"thing-gone": {"status": "404"}}, [], "x", None])
@pytest.mark.parametrize("refusals", [["thing-gone"], [7, None, {}], "thing-gone", {}])
def test_nonsense_is_told_and_never_raises(problems: Any, refusals: Any) -> None:
    found = read({**own(), "x-problems": problems})
    assert found.service is not None
    made = read(lean({"x-refusals": refusals}, **{"x-problems": problems}))
    assert made.service is not None


# --- parameters ------------------------------------------------------------------------------------
def test_idempotent_writes_take_a_key() -> None:
    made = normal_operation(lean({"x-idempotent": True}, "post"), "post")
    assert [one["name"] for one in made["parameters"]] == ["code", "Idempotency-Key"]
    assert "zh-CN" in made["parameters"][1]["x-i18n"]


def test_a_key_written_out_is_not_doubled_and_reads_take_none() -> None:
    key = {"name": "idempotency-key", "in": "header", "schema": {"type": "string"}}
    made = normal_operation(lean({"x-idempotent": True, "parameters": [key]}, "post"), "post")
    assert [one["name"] for one in made["parameters"]] == ["idempotency-key", "code"]
    assert len(normal_operation(lean({"x-idempotent": True}))["parameters"]) == 1


def test_pages_take_cursor_and_size_under_the_names_that_the_contract_gives() -> None:
    page = {"style": "cursor", "cursor": "after", "size": "first", "items": "items", "next": "next"}
    made = normal_operation(lean({"x-pagination": page}))
    size, cursor = made["parameters"][1:]
    assert (size["name"], cursor["name"]) == ("first", "after")
    assert size["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}
    assert len(normal_operation(lean({"x-pagination": {**page, "style": "offset"}}))["parameters"]) == 1


# --- lint ------------------------------------------------------------------------------------------
def lint_own(**operation: Any) -> list[tuple[str, str]]:
    given = deepcopy(own())
    given["x-problems"] = {"company-not-found": NOT_FOUND}
    given["paths"]["/companies/{code}"]["get"].update(operation)
    found = read_contract(load(given)).findings
    return [(one.rule, one.message) for one in found if "refusal" in one.rule or one.rule == "profile-value"]


def test_an_unknown_refusal_is_told_with_the_one_that_is_meant() -> None:
    found = dict(lint_own(**{"x-refusals": ["company-not-fund", "company-not-found"]}))
    assert found.keys() == {"refusal-unknown"}
    assert "is company-not-found meant?" in found["refusal-unknown"]


def test_a_refusal_that_no_operation_names_is_told() -> None:
    assert [rule for rule, _ in lint_own(**{"x-refusals": []})] == ["refusal-unused"]


def test_a_scenario_refuses_only_as_its_operation_does() -> None:
    scenario = {
        "id": "none",
        "title": {"zh-CN": "无", "en": "None"},
        "then": {"status": 404, "problem": "company-not-found"},
    }
    rules = [rule for rule, _ in lint_own(**{"x-refusals": [], "x-scenarios": [scenario]})]
    assert "scenario-refusal" in rules
    scenario["then"] = {"status": 400, "problem": "company-not-found"}
    rules = [rule for rule, _ in lint_own(**{"x-refusals": ["company-not-found"], "x-scenarios": [scenario]})]
    assert "scenario-refusal-status" in rules
