"""A contract whose every text is an attack on somebody's code generator. What is generated from it compiles and does nothing.

Each injection, if it ever ran as code, would leave the marker file that `MARKER` names, or break the syntax.
"""

from typing import Any

from api.contract.build import service_of
from api.contract.model import Service
from api.contract.normalise import normalise

MARKER = "KAIMEN_INJECTED"
INJECTIONS: tuple[str, ...] = (
    '"', "'", "`", '"""', "'''", "\\", "\\\\", '\\"', "*/", "/*", "//", "#", "-->", "<!--", "]]>", "{{", "}}", "{%", "%}",
    "${", "$(", "#{", "<%", "%>", "\n", "\r", "\r\n", "\t", "\u2028", "\u2029", "\x00", "\x1b[31m", "\u202e", "\u2066", "\u200b", "\ufeff",
    '"; import os; os.system("touch KAIMEN_INJECTED"); "',
    '""" + __import__("os").system("touch KAIMEN_INJECTED") + """',
    "*/ require('fs').writeFileSync('KAIMEN_INJECTED',''); /*",
    "`+require('fs').writeFileSync('KAIMEN_INJECTED','')+`",
    "${require('fs').writeFileSync('KAIMEN_INJECTED','')}",
    '"); Runtime.getRuntime().exec("touch KAIMEN_INJECTED"); ("',
    '*/ static { new java.io.File("KAIMEN_INJECTED").mkdir(); } /*',
    "\\u002a\\u002f static { System.exit(3); } \\u002f\\u002a",
    "\\u0022; System.exit(3); \\u0022",
    "`; func init() { panic(1) }; var _ = `",
    '"; func init() { panic(1) }; var _ = "',
    "*/ func init() { panic(1) } /*",
    "\n//go:linkname x y\n", "\n//go:build ignore\n", "\n#!/bin/sh\ntouch KAIMEN_INJECTED\n",
    "{{ cycler.__init__.__globals__.os.system('touch KAIMEN_INJECTED') }}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{% endfor %}",
    "<script>alert(1)</script>", "</textarea><img src=x onerror=alert(1)>", "javascript:alert(1)",
    "../../../../etc/passwd", "..\\..\\x", "CON", "a/b:c*d?e", "%s %d %n %x", "{0} {name!r} {0.__class__}", "%(name)s",
    "class", "import", "return", "type", "func", "interface", "None", "True", "self", "this", "super", "constructor", "prototype",
    "__proto__", "__init__", "__class__", "toString", "then", "package", "default", "switch", "new", "enum", "record", "var", "yield",
    "await", "async", "lambda", "global", "go", "chan", "map", "range", "string", "int", "error", "nil", "init", "main", "len", "Object",
    "企业名称", "名前", "имя", "عربي", "𬱖", "é", "ﬀ", "Ⅷ", "１２", "a\u0301", "🚪", "_", "__", "-", ".", " ", "1", "0x", "-1", "1e3",
)  # fmt: skip


def hostile_service() -> Service:
    """The contract, read as any other."""
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": INJECTIONS[36], "version": "1.0.0", "description": "\n".join(INJECTIONS), "x-name": "hostile",
            "x-department": "hostile", "x-level": "L1",
            "x-i18n": {"en": {"title": INJECTIONS[37], "description": " ".join(INJECTIONS)}},
        },
        "paths": {},
        "components": {"schemas": {"Everything": _everything()}},
    }  # fmt: skip
    for number, text in enumerate(INJECTIONS):
        name = f"getThing{number}"
        document["paths"][f"/things{number}/{{id}}"] = {
            "get": {
                "operationId": name, "summary": text, "description": f"before {text} after",
                "tags": [text or "x"], "x-resource": _slug(text) or f"thing-{number}",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "description": text, "schema": {"type": "string"}, "example": text or "x"},
                    {"name": text.strip() or f"p{number}", "in": "query", "description": text, "schema": {"type": "string", "default": text}},
                    {"name": f"e{number}", "in": "query", "schema": {"type": "string", "enum": [text, "other"]}},
                ],
                "responses": {"200": {"description": text, "content": {"application/json": {"schema": _thing(number, text), "example": {text or "x": text}}}}},
                "x-scenarios": [{"id": f"s{number}", "title": {"zh-CN": text, "en": text}, "when": {"id": text}, "then": {"status": 200}}],
            }
        }  # fmt: skip
    return service_of(normalise(document).document)


def _everything() -> dict[str, Any]:
    properties = {
        text: {"type": "string", "description": text, "example": text} for text in INJECTIONS if text
    }
    return {"type": "object", "description": "".join(INJECTIONS), "properties": properties}


def _thing(number: int, text: str) -> dict[str, Any]:
    return {
        "type": "object", "title": text, "description": text, "required": [text or "x"],
        "properties": {
            text or "x": {"type": "string", "enum": [text, "b", "B", "c d"], "description": text},
            "all": {"$ref": "#/components/schemas/Everything"},
            f"n{number}": {"type": "object", "properties": {text or "y": {"type": "integer", "description": text}}},
        },
    }  # fmt: skip


def _slug(text: str) -> str:
    return text if text.isascii() and text.isalpha() and text.islower() else ""
