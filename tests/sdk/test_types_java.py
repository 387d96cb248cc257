"""The Java runtime's JSON codec, and types at the edges: very large, named like the generator's own, unions in unions."""

import shutil
from pathlib import Path
from typing import Any

from api.contract.build import service_of
from api.contract.normalise import normalise
from sdk.java.emitter import emit
from sdk.modelling import model_of
from tests.sdk import java_tools

CHECK = Path(__file__).parent / "JsonCheck.java"
_OWN = (
    "members", "value", "names", "name", "builder", "build", "set", "has", "unknown", "to json", "to builder", "class", "json",
    "known", "sensitive", "required", "optional", "list", "map", "wait", "get class", "equals", "hash code", "this", "wireName",
    "codec", "p0", "transport", "call", "options", "params", "body", "gov", "java",
)  # fmt: skip


def _object(*needed: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(needed), "properties": properties}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _document() -> dict[str, Any]:
    text = {"type": "string"}
    edge: dict[str, Any] = dict.fromkeys(_OWN, text) | {
        "members": {"type": "array", "items": text},
        "count": {"type": "integer"},
        "needed": text,
        "note": {"type": ["string", "null"]},
        "wait": {"type": "integer"},
        "equals": {},
        "pin": {"type": "string", "x-classification": {"level": "L3", "kind": "account"}},
    }
    schemas = {
        "Edge": {"type": "object", "required": ["needed"], "properties": edge},
        "Large": _object(
            **{f"f{number}": {"type": "string", "x-classification": {"level": "L3", "kind": "account"}} for number in range(2000)},
            needles={"type": "array", "items": _ref("Large")},
        ),
        "Colour": {"type": "string", "enum": ["red", "RED", "known", "codec", "KNOWN", "", "企业", *(f"v{one}" for one in range(490))]},
        "A": _object("a", a={"type": "integer"}),
        "B": _object("b", b={"type": "integer"}, outer=_ref("Outer")),
        "C": _object("c", c={"type": "integer"}),
        "Inner": {"oneOf": [_ref("A"), _ref("B")]},
        "Outer": {"oneOf": [_ref("Inner"), _ref("C")]},
        "String": _object("x", x=text),
        "List": _object("x", x={"type": "array", "items": _ref("String")}),
        "Kaimen": _object(o=_ref("List"), s=_ref("Edge"), l=_ref("Large"), c=_ref("Colour")),
    }  # fmt: skip
    query = [{"name": one, "in": "query", "schema": text} for one in _OWN]
    path = [{"name": f"own{place}", "in": "query", "required": True, "schema": text} for place in range(250)]
    answer = {"200": {"description": "x", "content": {"application/json": {"schema": _ref("Kaimen")}}}}
    outer = {"200": {"description": "x", "content": {"application/json": {"schema": _ref("Outer")}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "edges", "version": "1.0.0", "x-name": "edges"},
        "paths": {
            "/a": {"get": {"operationId": "getClass", "parameters": query, "responses": answer}},
            "/b": {"get": {"operationId": "wait", "parameters": path, "responses": outer}},
            "/c": {"get": {"operationId": "toString", "responses": answer, "description": "y" * 70_000, "deprecated": True}},
        },
        "components": {"schemas": schemas},
    }  # fmt: skip


def test_a_path_may_stand_in_an_address() -> None:
    document = _document()
    given = {"name": "名", "in": "path", "required": True, "schema": {"type": "string"}}
    document["paths"]["/企 业|/{名}"] = {
        "get": {"operationId": "getOdd", "parameters": [given], "responses": {"204": {"description": "x"}}}
    }
    model = model_of([service_of(normalise(document).document)])
    made = "".join(emit(model, artifact="gov.kaimen.sdk:edges", version="1.0.0").values())
    assert '/%E4%BC%81%20%E4%B8%9A%7C/{名}"' in made


def test_the_codec_and_the_types_do_what_they_promise(tmp_path: Path) -> None:
    model = model_of([service_of(normalise(_document()).document)])
    java_tools.write(tmp_path / "src", "edges", model)
    shutil.copy(CHECK, tmp_path / "src")
    java_tools.compile_all(tmp_path / "src", tmp_path / "classes")
    assert java_tools.run("java", "-cp", str(tmp_path / "classes"), "JsonCheck").strip() == "ok"
