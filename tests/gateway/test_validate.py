"""Calls and answers held against the contract."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from api.contract.model import Body, Media, Response, Scenario
from api.core.problems import Failure, Problem, Refusal
from api.gateway import route, validate
from api.gateway.connector import Result
from api.gateway.exchange import Exchange
from api.gateway.parameters import coerce
from api.gateway.schemas import Schemas
from api.settings import Settings
from tests.gateway.made import World, operation, parameter

INTEGER = {"type": "integer", "minimum": 1, "maximum": 100}
LIST = {"type": "array", "items": {"type": "integer"}, "maxItems": 3}
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}}}


def validated(
    world: World,
    *,
    path: str = "/api/company/v1/companies/91",
    query: str = "",
    headers: Any = None,
    body: bytes | None = None,
) -> Exchange:
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    exchange = Exchange(
        request_id="rs_x", face="rest", method=world.service.operations[0].method, raw_path=path.encode(),
        query_string=query.encode(), headers=pairs, client_address="127.0.0.1", started_ns=0, started_at_us=0,
    )  # fmt: skip
    exchange.path = path
    exchange.header_map = dict(pairs)
    exchange.body = body
    route.apply(exchange, world.gateway)
    validate.apply(exchange, world.gateway)
    return exchange


def refused(world: World, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        validated(world, **more)
    assert refusal.value.kind.step == "validate"
    return refusal.value


def pointers(problem: Problem) -> list[str]:
    return [error["pointer"] for error in problem.errors]


def with_query(*parameters: Any, **more: Any) -> World:
    return World([operation(parameters=(parameter("code", "path"), *parameters), **more)])


@pytest.mark.parametrize(
    ("schema", "style", "explode", "query", "value"),
    [
        (INTEGER, "", None, "x=7", 7),
        ({"type": "number"}, "", None, "x=1.5e2", 150.0),
        ({"type": "boolean"}, "", None, "x=true", True),
        ({"type": "string"}, "", None, "x=7", "7"),
        ({"type": "string"}, "", None, "x=%E4%BC%81+a%2Bb", "企 a+b"),
        ({"type": "string"}, "", None, "x=", ""),
        ({"type": "string"}, "", None, "x=100%", "100%"),
        ({}, "", None, "x=7", "7"),
        ({"type": ["integer", "null"]}, "", None, "x=null", None),
        ({"anyOf": [{"type": "integer", "maximum": 5}, {"type": "string"}]}, "", None, "x=9", "9"),
        ({"anyOf": [{"type": "integer", "maximum": 5}, {"type": "string"}]}, "", None, "x=3", 3),
        ({"enum": [1, 2]}, "", None, "x=2", 2),
        ({"$ref": "#/components/schemas/Size"}, "", None, "x=8", 8),
        (LIST, "", None, "x=1&x=2", [1, 2]),
        (LIST, "form", False, "x=1,2,3", [1, 2, 3]),
        (LIST, "form", False, "x=", []),
        ({"type": "array", "items": {"type": "string"}}, "form", False, "x=a%2Cb,c", ["a,b", "c"]),
        (LIST, "pipeDelimited", False, "x=1|2", [1, 2]),
        (LIST, "pipeDelimited", False, "x=1%7C2", [1, 2]),
        (LIST, "spaceDelimited", False, "x=1%202", [1, 2]),
        (LIST, "", None, "x[]=1&x[]=2", [1, 2]),
        (OBJECT, "deepObject", True, "x[a]=1&x[b]=t", {"a": 1, "b": "t"}),
        (OBJECT, "form", True, "a=1&b=t&c=9", {"a": 1, "b": "t"}),
        (OBJECT, "form", False, "x=a,1,b,t", {"a": 1, "b": "t"}),
    ],
)  # fmt: skip
def test_query_parameters_by_style(
    schema: Any, style: str, explode: bool | None, query: str, value: Any
) -> None:
    world = with_query(parameter("x", schema=schema, style=style, explode=explode))
    world.service.schemas["Size"] = {"type": "integer"}
    exchange = validated(world, query=query + "&unknown=1")
    assert exchange.query_values == {"x": value}


@pytest.mark.parametrize(
    ("schema", "query", "pointer"),
    [
        (INTEGER, "x=a", "/query/x"), (INTEGER, "x=0", "/query/x"), (INTEGER, "x=1.5", "/query/x"),
        (INTEGER, "x=", "/query/x"), (INTEGER, "x=01", "/query/x"), (INTEGER, "x=" + "9" * 400, "/query/x"),
        (INTEGER, "x=1&x=2", "/query/x"), ({"type": "boolean"}, "x=yes", "/query/x"),
        (LIST, "x=1&x=b", "/query/x/1"), (LIST, "x=1&x=2&x=3&x=4", "/query/x"),
        ({"type": "string", "format": "date"}, "x=2024-02-30", "/query/x"),
        ({"type": "string", "pattern": "^[0-9A-Z]{18}$"}, "x=abc", "/query/x"),
    ],
)  # fmt: skip
def test_query_parameters_that_break_the_contract(schema: Any, query: str, pointer: str) -> None:
    refusal = refused(with_query(parameter("x", schema=schema)), query=query)
    assert refusal.kind.slug == "parameter-invalid"
    assert pointers(refusal) == [pointer]
    assert refusal.facts["docs"] == "http://127.0.0.1:8000/catalogue/company/v1/openapi.json"


def test_a_map_without_names_takes_what_nobody_else_claims() -> None:
    free = {"type": "object", "additionalProperties": {"type": "string", "maxLength": 3}}
    world = with_query(parameter("filters", schema=free, required=True), parameter("x", schema=INTEGER))
    assert validated(world, query="a=1&x=2").query_values == {"filters": {"a": "1"}, "x": 2}
    assert validated(world).query_values == {"filters": {}}
    assert pointers(refused(world, query="a=long")) == ["/query/filters/a"]


def test_messages_never_hold_the_value() -> None:
    world = with_query(parameter("x", schema={"enum": ["a", "b"]}), parameter("y", schema=INTEGER))
    refusal = refused(world, query="x=SECRET&y=SECRET")
    assert "SECRET" not in json.dumps(refusal.errors)
    assert len(refusal.errors) == 2


def test_required_and_content_parameters() -> None:
    world = with_query(
        parameter("x", required=True), parameter("f", schema=OBJECT, content_type="application/json")
    )
    assert pointers(refused(world)) == ["/query/x"]
    assert validated(world, query='x=1&f={"a":1}').query_values == {"x": "1", "f": {"a": 1}}
    assert pointers(refused(world, query="x=1&f={")) == ["/query/f"]
    assert pointers(refused(world, query='x=1&f={"a":"t"}')) == ["/query/f/a"]


def test_path_header_and_cookie_parameters() -> None:
    world = World([
        operation(parameters=(
            parameter("code", "path", INTEGER), parameter("X-Trace-Level", "header", INTEGER),
            parameter("X-Ids", "header", LIST), parameter("session", "cookie", {"type": "string", "minLength": 3}),
            parameter("Accept", "header", {"type": "integer"}),
        ))
    ])  # fmt: skip
    headers = {"x-trace-level": "7", "x-ids": "1, 2", "cookie": "a=b; session=abc", "accept": "*/*"}
    exchange = validated(world, headers=headers)
    assert exchange.path_values == {"code": 91}
    assert exchange.header_values == {"X-Trace-Level": 7, "X-Ids": [1, 2], "session": "abc"}
    broken = {"x-trace-level": "x", "x-ids": "1,b", "cookie": "session=a"}
    refusal = refused(world, path="/api/company/v1/companies/abc", headers=broken)
    assert pointers(refusal) == ["/path/code", "/header/X-Trace-Level", "/header/X-Ids/1", "/cookie/session"]
    assert refusal.facts["count"] == 4


@pytest.mark.parametrize(
    ("style", "explode", "text", "value"),
    [
        ("simple", False, "1,2", [1, 2]), ("label", False, ".1,2", [1, 2]), ("label", True, ".1.2", [1, 2]),
        ("matrix", False, ";code=1,2", [1, 2]), ("matrix", True, ";code=1;code=2", [1, 2]),
    ],
)  # fmt: skip
def test_path_styles(style: str, explode: bool, text: str, value: Any) -> None:
    world = World([operation(parameters=(parameter("code", "path", LIST, style=style, explode=explode),))])
    assert validated(world, path="/api/company/v1/companies/" + text).path_values == {"code": value}


def test_at_most_twenty_errors() -> None:
    many = tuple(parameter(f"p{number}", schema=INTEGER) for number in range(40))
    refusal = refused(with_query(*many), query="&".join(f"p{number}=x" for number in range(40)))
    assert len(refusal.errors) == 20
    assert refusal.facts["count"] == 40


# -- bodies -----------------------------------------------------------------------------------------
ORDER = {
    "type": "object",
    "required": ["to"],
    "properties": {"to": {"type": "string"}, "n": {"type": "integer"}},
}
POST = {
    "method": "POST", "path": "/orders",
    "body": Body(True, (Media("application/json", ORDER), Media("image/*", None))),
}  # fmt: skip
ORDERS = "/api/company/v1/orders"
AS_JSON = {"content-type": "application/json; charset=utf-8"}


def test_a_body_that_fits() -> None:
    exchange = validated(
        World([operation(**POST)]), path=ORDERS, headers=AS_JSON, body=b'{"to":"\xe4\xbc\x81"}'
    )
    assert exchange.json == {"to": "企"}
    assert exchange.content_type == "application/json; charset=utf-8"
    assert (
        validated(
            World([operation(**POST)]), path=ORDERS, headers={"content-type": "image/png"}, body=b"\x89"
        ).json
        is None
    )


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", ""), (b"{", ""), (b"[]", ""), (b"{}", ""), (b'{"to":1}', "/to"), (b'{"to":"x","n":"y"}', "/n"),
        (b'{"to":"\xff"}', ""), (b'{"to":NaN}', ""), (b"\xef\xbb\xbf{}", ""), (b"[" * 100_000, ""), (b'"\\ud800"', ""),
    ],
)  # fmt: skip
def test_bodies_that_break_the_contract(body: bytes, pointer: str) -> None:
    refusal = refused(World([operation(**POST)]), path=ORDERS, headers=AS_JSON, body=body)
    assert (refusal.kind.slug, refusal.status) == ("body-invalid", 400)
    assert pointers(refusal) == [pointer]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/xml", "application/jsonx", "image", "*/*"]
)
def test_media_types_that_the_contract_does_not_name(content_type: str) -> None:
    refusal = refused(
        World([operation(**POST)]), path=ORDERS, headers={"content-type": content_type}, body=b"x"
    )
    assert (refusal.kind.slug, refusal.status) == ("media-type-unsupported", 415)
    assert refusal.facts["accepted"] == "application/json, image/*"


def test_a_body_where_none_belongs() -> None:
    assert refused(World(), headers=AS_JSON, body=b"{}").kind.slug == "media-type-unsupported"
    assert validated(World(), headers=AS_JSON).json is None


@pytest.mark.parametrize(
    ("accept", "is_good"),
    [
        ("*/*", True), ("application/json", True), ("application/*", True), ("text/html, */*;q=0.1", True),
        ("text/html", False), ("application/json;q=0", False), ("text/html, application/json;q=0.0", False),
        ("", True), ("*", True), ("APPLICATION/JSON", True), ("application/json; indent=2", True), ("nonsense", False),
    ],
)  # fmt: skip
def test_accept(accept: str, is_good: bool) -> None:
    world = World()
    for _ in range(2):
        if is_good:
            validated(world, headers={"accept": accept})
        else:
            refusal = refused(world, headers={"accept": accept})
            assert (refusal.kind.slug, refusal.facts["offered"]) == ("not-acceptable", "application/json")


def test_scenarios_and_idempotency_keys() -> None:
    scenario = Scenario("revoked", {}, {}, {}, {}, {})
    world = World([operation(scenarios=(scenario,))])
    assert validated(world, headers={"kaimen-scenario": "revoked"}).scenario == "revoked"
    refusal = refused(world, headers={"kaimen-scenario": "unheard-of"})
    assert (refusal.kind.slug, refusal.facts["known"]) == ("scenario-unknown", "revoked")
    live = World([operation(scenarios=(scenario,))], settings=structs.replace(Settings(), environment="live"))
    assert refused(live, headers={"kaimen-scenario": "revoked"}).kind.slug == "scenario-on-live"
    assert validated(live).scenario == ""
    validated(world, headers={"idempotency-key": '"8e03978e-40d5"'})
    for bad in ("", "a b", "x" * 256, "é"):
        assert pointers(refused(world, headers={"idempotency-key": bad})) == ["/header/Idempotency-Key"]


def test_a_body_is_refused_by_its_depth_before_any_schema() -> None:
    media = (Media("application/json", {"type": "array"}),)
    world = World([operation(method="POST", path="/orders", body=Body(True, media))])
    levels = validate.MAX_LEVELS
    validated(world, path=ORDERS, headers=AS_JSON, body=b"[" * levels + b"]" * levels)
    validated(world, path=ORDERS, headers=AS_JSON, body=b"[" + b"[]," * levels + b"1]")
    for deep in (levels + 1, 5_000):
        refusal = refused(world, path=ORDERS, headers=AS_JSON, body=b"[" * deep + b"]" * deep)
        assert refusal.kind.slug == "body-invalid"
        [error] = refusal.errors
        assert error["message"] == f"is nested deeper than {levels} levels"


# -- answers ----------------------------------------------------------------------------------------
def answered(
    world: World,
    body: Any = b'{"code":"1","name":"x"}',
    status: int = 200,
    content_type: bytes = b"application/json",
) -> None:
    exchange = validated(world)
    exchange.result = Result(status, [(b"content-type", content_type)] if content_type else [], body)
    validate.check_answer(exchange, world.gateway)


def test_answers_that_fit_or_are_not_described() -> None:
    world = World()
    answered(world)
    answered(world, b"gone", 404, b"text/html")  # an error that the contract does not describe
    answered(world, b'{"type":"x"}', 200, b"application/problem+json")
    answered(World([operation(responses=())]), b"anything", 204, b"")
    answered(World([operation(responses=(Response("404", "", ()),))]), b"{}", 200)  # no success is described
    answered(World([operation(responses=(Response("200", "", ()),))]), b"anything", 200, b"text/plain")
    ranges = (
        Response("2XX", "", (Media("application/json", {"type": "object"}),)),
        Response("default", "", ()),
    )
    answered(World([operation(responses=ranges)]), b"{}", 201)
    answered(World([operation(responses=ranges)]), b"", 204, b"")
    either = (Media("application/json", {"type": "object"}), Media("text/plain", None))
    answered(World([operation(responses=(Response("200", "", either),))]), b"", 200, b"text/plain")


@pytest.mark.parametrize(
    ("body", "status", "content_type", "pointer"),
    [
        (b"{}", 200, b"application/json", ""), (b'{"code":1,"name":"x"}', 200, b"application/json", "/code"),
        (b"no json", 200, b"application/json", ""), (b"<html>", 200, b"text/html", ""), (b"{}", 200, b"", ""),
        (b"{}", 201, b"application/json", ""), (b"", 200, b"application/json", ""), (None, 200, b"", ""),
    ],
)  # fmt: skip
def test_answers_that_break_the_contract(body: bytes, status: int, content_type: bytes, pointer: str) -> None:
    with pytest.raises(Failure) as failure:
        answered(World(), body, status, content_type)
    assert (failure.value.kind.slug, failure.value.status) == ("response-invalid", 502)
    assert failure.value.facts["service"] == "company@v1"
    assert pointer in pointers(failure.value)


def test_large_answers_are_sampled() -> None:
    world = World()
    exchange = validated(world)
    found = 0
    for number in range(64):
        exchange.started_ns = number * 1000
        exchange.result = Result(
            200, [(b"content-type", b"application/json")], b'{"x":"' + b"x" * 20_000 + b'"}'
        )
        try:
            validate.check_answer(exchange, world.gateway)
        except Failure:
            found += 1
    assert found == 4
    exchange.result.body = b'{"x":"' + b"x" * 2_000_000 + b'"}'
    exchange.started_ns = 0
    validate.check_answer(exchange, world.gateway)


# -- schemas ----------------------------------------------------------------------------------------
def test_schemas_that_cannot_be_compiled_check_nothing() -> None:
    schemas = Schemas("x@v1", {"A": {"type": "string", "pattern": "(("}})
    assert schemas.check({"$ref": "#/components/schemas/Missing"}) is None
    assert schemas.check({"$ref": "#/components/schemas/A"}) is None
    assert schemas.check({"$ref": "http://127.0.0.1:1/x"}) is None
    assert schemas.check({"type": "string", "format": "no-such-format"}) is not None
    assert schemas.check(True) is None
    refuses_all = schemas.check(False)
    assert refuses_all is not None
    assert not refuses_all.is_valid(1)


def test_expressions_with_look_around_are_bounded() -> None:
    validator = Schemas("x@v1", {}).check({"type": "string", "pattern": "^(?=(a+)+$)(a|aa)+b$"})
    assert validator is not None
    assert not validator.is_valid("a" * 60)


def test_types_of() -> None:
    schemas = Schemas(
        "x@v1",
        {
            "A": {"$ref": "#/components/schemas/B"},
            "B": {"type": ["integer", "null"]},
            "C": {"$ref": "#/components/schemas/C"},
        },
    )
    assert schemas.types_of({"$ref": "#/components/schemas/A"}) == {"integer", "null"}
    assert schemas.types_of({"allOf": [{"$ref": "#/components/schemas/A"}, {"minimum": 1}]}) == {
        "integer",
        "null",
    }
    assert schemas.types_of({"const": True}) == {"boolean"}
    assert schemas.types_of({"$ref": "#/components/schemas/C"}) == frozenset()


@given(
    st.one_of(
        st.integers(-(10**20), 10**20),
        st.booleans(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=20),
    )
)
def test_what_is_written_as_json_is_read_back(value: Any) -> None:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    text = value if isinstance(value, str) else json.dumps(value)
    assert coerce(text, frozenset({kinds[type(value)]})) == value


@given(st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12))
def test_any_text_survives_the_query(text: str) -> None:
    exchange = validated(with_query(parameter("x")), query="x=" + quote(text, safe=""))
    assert exchange.query_values == {"x": text}
