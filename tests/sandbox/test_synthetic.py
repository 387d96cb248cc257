"""Synthetic answers: faithful to the schema, the same for the same question, and repeating what was said."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from api.contract.build import service_of
from api.contract.model import Service
from api.contract.normalise import normalise
from api.contract.validation import registry_of, validator_of
from api.core.problems import Refusal
from api.gateway.connector import Context, Request, Result
from sandbox.city.inventory import read_services
from sandbox.city.rehearsal import example_request
from sandbox.scenarios import pick
from sandbox.synthetic import SyntheticConnector, success_of, synthetic_connector

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Permits", "version": "1.2.0", "x-name": "permit"},
    "paths": {
        "/permits/{permitId}": {
            "get": {
                "operationId": "getPermit",
                "parameters": [
                    {"name": "permitId", "in": "path", "required": True, "schema": {"type": "string"}, "example": "P-1"}
                ],
                "responses": {
                    "200": {
                        "description": "ok",
                        "headers": {"ETag": {"required": True, "schema": {"type": "string", "minLength": 5}}},
                        "content": {
                            "application/json": {
                                "schema": {"$ref": "#/components/schemas/Permit"},
                                "example": {"permitId": "P-1", "year": 2020, "holder": {"name": "示例甲", "permitId": "P-1"}},
                            }
                        },
                    },
                    "404": {
                        "description": "none",
                        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Fault"}}},
                    },
                },
                "x-scenarios": [
                    {"id": "gone", "title": {"zh-CN": "没有", "en": "None"}, "given": {}, "when": {"permitId": "P-404"},
                     "then": {"status": 404, "problem": "permit-gone", "headers": {"Retry-After": 9}}, "state": {}},
                    {"id": "old", "title": {"zh-CN": "旧", "en": "Old"}, "given": {}, "when": {},
                     "then": {"status": 200, "body": {"year": 1999}}, "state": {}},
                ],
            },
            "delete": {
                "operationId": "deletePermit",
                "parameters": [{"name": "permitId", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"204": {"description": "gone"}},
            },
        },
        "/years/{year}": {
            "get": {
                "operationId": "getYear",
                "parameters": [{"name": "year", "in": "path", "required": True, "schema": {"type": "integer"}}],
                "responses": {"default": {"description": "any", "content": {"application/json": {"schema": {
                    "type": "object", "required": ["year", "total"],
                    "properties": {"year": {"type": "integer", "maximum": 2100}, "total": {"type": "number"}}}}}}},
            }
        },
        "/permits": {
            "post": {
                "operationId": "createPermit",
                "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
                "responses": {
                    "400": {"description": "bad"},
                    "201": {"description": "made", "content": {
                        "application/xml": {"schema": {"type": "string"}},
                        "application/hal+json": {"schema": {"$ref": "#/components/schemas/Permit"}}}},
                },
            }
        },
        "/text": {"get": {"operationId": "getText", "responses": {
            "200": {"description": "text", "content": {"text/plain": {"schema": {"type": "string"}, "example": "样例"}}}}}},
    },
    "components": {
        "schemas": {
            "Permit": {
                "type": "object",
                "required": ["permitId", "year"],
                "properties": {
                    "permitId": {"type": "string", "pattern": "^P-[0-9]+$"},
                    "year": {"type": "integer", "minimum": 1900, "maximum": 2100},
                    "colour": {"type": "string", "enum": ["red", "blue"]},
                    "holder": {"type": "object", "required": ["name"],
                               "properties": {"name": {"type": "string"}, "permitId": {"type": "string"}}},
                },
            },
            "Fault": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}, "code": {"type": "string"}}},
        }
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def service() -> Service:
    return service_of(normalise(msgspec.json.decode(msgspec.json.encode(DOCUMENT))).document)


async def ask(
    service: Service, name: str, *, app: str = "a_1", scenario: str = "", json: Any = None, **path: Any
) -> Result:
    operation = service.operation(name)
    assert operation is not None
    request = Request(path=path, query={}, headers={}, target=operation.path, json=json)
    context = Context(
        request_id="rs_1", deadline=0, environment="sandbox", app_id=app, state_id=app, scenario=scenario,
        locale="en", service=service.key,
    )  # fmt: skip
    return await synthetic_connector("", service).call(operation, request, context)


def body_of(result: Result) -> Any:
    assert isinstance(result.body, bytes)
    return msgspec.json.decode(result.body)


def fits(service: Service, schema: str, value: Any) -> bool:
    return validator_of(service.schemas[schema], registry_of(service.schemas)).is_valid(value)


async def test_the_same_question_gets_the_same_answer(service: Service) -> None:
    one = await ask(service, "getPermit", permitId="P-7")
    assert one.body == (await ask(service, "getPermit", permitId="P-7")).body
    others = {bytes((await ask(service, "getPermit", permitId=f"P-{n}")).body) for n in range(20)}  # type: ignore[arg-type]
    assert len(others) == 20
    apps = {bytes((await ask(service, "getPermit", permitId="P-7", app=f"a_{n}")).body) for n in range(20)}  # type: ignore[arg-type]
    assert len(apps) > 5
    assert one.is_synthetic


async def test_it_fits_and_repeats_what_was_said(service: Service) -> None:
    for number in range(30):
        result = await ask(service, "getPermit", permitId=f"P-{number}")
        body = body_of(result)
        assert fits(service, "Permit", body)
        assert body["permitId"] == f"P-{number}"
        if "permitId" in body.get("holder", {}):
            assert body["holder"]["permitId"] == f"P-{number}"
        headers = dict(result.headers)
        assert headers[b"content-type"] == b"application/json"
        assert len(headers[b"etag"]) >= 5


async def test_what_would_not_fit_is_not_repeated(service: Service) -> None:
    body = body_of(await ask(service, "getPermit", permitId="no such form"))
    assert fits(service, "Permit", body)
    assert body["permitId"] != "no such form"


async def test_numbers_are_repeated_as_numbers(service: Service) -> None:
    for said in (2024, "2024"):
        body = body_of(await ask(service, "getYear", year=said))
        assert body["year"] == 2024
    assert body_of(await ask(service, "getYear", year="9999"))["year"] <= 2100


async def test_the_example_answers_the_examples_question(service: Service) -> None:
    body = body_of(await ask(service, "getPermit", permitId="P-1"))
    assert body == {"permitId": "P-1", "year": 2020, "holder": {"name": "示例甲", "permitId": "P-1"}}


async def test_fields_of_the_body_are_repeated(service: Service) -> None:
    result = await ask(
        service, "createPermit", json={"permitId": "P-55", "colour": "blue", "year": 3000, "x": {}}
    )
    body = body_of(result)
    assert result.status == 201
    assert dict(result.headers)[b"content-type"] == b"application/hal+json"
    assert body["permitId"] == "P-55"
    assert body.get("colour", "blue") == "blue"
    assert body["year"] <= 2100


async def test_no_body_and_no_json(service: Service) -> None:
    gone = await ask(service, "deletePermit", permitId="P-1")
    assert (gone.status, gone.body, gone.headers) == (204, b"", [])
    text = await ask(service, "getText")
    assert (text.body, dict(text.headers)[b"content-type"]) == ("样例".encode(), b"text/plain")


async def test_scenarios_by_header_and_by_magic_value(service: Service) -> None:
    for result in (
        await ask(service, "getPermit", permitId="P-404"),
        await ask(service, "getPermit", permitId="P-2", scenario="gone"),
    ):
        body = body_of(result)
        headers = dict(result.headers)
        assert (result.status, body["type"], body["title"]) == (404, "permit-gone", "None")
        assert headers[b"content-type"] == b"application/problem+json"
        assert headers[b"retry-after"] == b"9"
        assert headers[b"kaimen-scenario"] == b"gone"
        assert result.is_synthetic
    old = body_of(await ask(service, "getPermit", permitId="P-3", scenario="old"))
    assert old["year"] == 1999
    assert fits(service, "Permit", old)
    with pytest.raises(Refusal) as refused:
        await ask(service, "getPermit", permitId="P-3", scenario="new")
    assert refused.value.kind.slug == "scenario-unknown"


@pytest.mark.parametrize("department", sorted(read_services()))
async def test_the_citys_contracts_without_the_city(department: str) -> None:
    """With no behaviour behind them the contracts still answer, and every answer fits."""
    service = read_services()[department]
    connector = SyntheticConnector(service)
    registry = registry_of(service.schemas)
    for operation in service.operations:
        status, response = success_of(operation)
        assert response is not None
        validator = validator_of(response.media[0].schema, registry)
        for number in range(5):
            request = example_request(operation)
            if "code" in request.path:
                request = replace(request, path={"code": f"9199010{number}MA0000AAA0"})
            context = Context(
                request_id="rs_1", deadline=0, environment="sandbox", app_id=f"a_{number}", service=service.key,
            )  # fmt: skip
            played = pick(operation, request, "")  # the example may be the magic value of a refusal
            result = await connector.call(operation, request, context)
            if played is not None and played[0].then["status"] != status:
                assert result.status == played[0].then["status"]
                continue
            assert result.status == status
            errors = [error.message for error in validator.iter_errors(body_of(result))]
            assert errors == [], operation.id
    assert await connector.health()
    await connector.close()
