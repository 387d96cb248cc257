"""Documents for the catalogue's tests: one of our own and foreign ones, small and whole."""

import copy
import csv
from pathlib import Path
from typing import Any

import msgspec

from api.contract.load import Loaded, load_files
from tests.databases import missing

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "contracts"

_ITEM = {
    "type": "object",
    "required": ["code", "name"],
    "properties": {
        "code": {"type": "string", "description": "编码 Code", "example": "A-1"},
        "name": {"type": "string", "description": "名称 Name", "example": "测试 Sample"},
        "rating": {"type": "string", "enum": ["A", "B", "C"], "description": "等级 Rating"},
    },
}
_PROBLEM = {"description": "不存在 Not found"}


def _get(summary_zh: str, summary: str, **extra: Any) -> dict[str, Any]:
    return {
        "summary": summary,
        "description": f"{summary}.",
        "x-i18n": {"zh-CN": {"title": summary_zh}, "en": {"title": summary}},
        "parameters": [
            {"name": "code", "in": "path", "required": True, "description": "编码 Code", "schema": {"type": "string", "maxLength": 18}}
        ],
        "responses": {
            "200": {"description": "成功 OK", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}},
            "404": _PROBLEM,
        },
        **extra,
    }  # fmt: skip


def own(
    name: str = "library", version: str = "1.0.0", *, level: str = "L1", department: str = "", **info: Any
) -> dict[str, Any]:
    """A contract that speaks our profile: `getItem`, and `searchItems` with a query parameter."""
    scope = f"{name}:item:read"
    security = [{"kaimen": [scope]}]
    search = _get(
        "检索条目",
        "Search items",
        operationId="searchItems",
        security=security,
        **{"x-resource": "item", "x-verb": "search"},
    )
    search["parameters"] = [
        {"name": "q", "in": "query", "description": "检索词 Words", "schema": {"type": "string", "maxLength": 50}},
        {"name": "limit", "in": "query", "description": "条数 Rows", "schema": {"type": "integer", "minimum": 1, "maximum": 100}},
    ]  # fmt: skip
    search["x-max-rows"] = 100
    search["responses"]["200"] = {
        "description": "成功 OK",
        "content": {"application/json": {"schema": {
            "type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}}}},
    }  # fmt: skip
    del search["responses"]["404"]
    return copy.deepcopy({
        "openapi": "3.1.0",
        "info": {
            "title": "Library", "version": version, "description": "Books of the city library.",
            "x-name": name, **({"x-department": department} if department else {}), "x-level": level, "x-grade": "general", "x-status": "beta",
            "x-open": "open" if level == "L1" else "conditional", "x-share": "unconditional", "x-audience": "public",
            "x-basis": "public", "x-quota": "light",
            "x-owner": {"name": "Library desk", "email": "desk@library.example"},
            "x-service": {"availability": 0.999, "p95_ms": 300, "support": "desk@library.example"},
            "x-i18n": {"zh-CN": {"title": "图书馆馆藏", "description": "市图书馆馆藏检索。"},
                       "en": {"title": "Library", "description": "Books of the city library."}},
            **info,
        },
        "paths": {
            "/items/{code}": {"get": _get("查询条目", "Read an item", operationId="getItem", security=security,
                                          **{"x-resource": "item", "x-verb": "get"})},
            "/items": {"get": search},
        },
        "components": {
            "schemas": {"Item": _ITEM},
            "securitySchemes": {"kaimen": {"type": "oauth2", "flows": {"clientCredentials": {
                "tokenUrl": "/oauth/token", "scopes": {scope: "Read items"}}}}},
        },
    })  # fmt: skip


def foreign(
    title: str = "Parking Permits API", path: str = "/permits", version: str = "1.0"
) -> dict[str, Any]:
    """An OpenAPI 3.0 document without any of our keys."""
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": version},
        "paths": {
            path: {"get": {"summary": "List", "responses": {"200": {"description": "OK", "content": {
                "application/json": {"schema": {"type": "array", "items": {"type": "object", "properties": {"id": {"type": "string"}}}}}}}}}},
            path + "/{id}": {
                "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                "get": {"summary": "One", "responses": {"200": {"description": "OK"}}},
                "delete": {"responses": {"204": {"description": "Gone"}}},
            },
        },
    }  # fmt: skip


def load(document: dict[str, Any], entry: str = "openapi.json") -> Loaded:
    """The document as an upload would be loaded."""
    return load_files({entry: msgspec.json.encode(document)}, entry)


def corpus() -> list[tuple[Path, Path | None]]:
    """Every real document with the root that its references may reach (None: its own folder)."""
    if not (CORPUS / "index.csv").exists():
        missing("../shared/contracts")
    with (CORPUS / "index.csv").open(encoding="utf-8") as index:
        rows = list(csv.DictReader(index))
    return [(CORPUS / row["file"], _root_of(CORPUS / row["file"])) for row in rows]


def _root_of(file: Path) -> Path | None:
    return next((parent for parent in file.parents if parent.name.endswith(".tree")), None)
