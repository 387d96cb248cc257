"""Normalising enum and default of one schema object: one type, no null, no doubles, values of the stated type."""

import json
from typing import Any

from api.contract import notices_normal as notices
from api.contract.model import Json, JsonObject
from api.contract.pointers import join
from api.contract.report import Report

_OUTSIDE = frozenset(
    {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly", "externalDocs"}
)
_SAME = object()


def json_type(value: Json) -> str:
    """The JSON Schema type of a value; numbers without fraction are integers."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int) or (isinstance(value, float) and value.is_integer()):
        return "integer"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def types_of(schema: JsonObject) -> list[str]:
    """The stated types as a list; [] where none is stated."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return [one for one in kind if isinstance(one, str)]
    return [kind] if isinstance(kind, str) else []


def normalise_enum(schema: JsonObject, pointer: str, report: Report) -> None:
    """Mend `enum` in place."""
    if "enum" not in schema:
        return
    values = schema["enum"]
    if not isinstance(values, list):
        schema.pop("enum")
        report.lose(notices.KEYWORD_DROPPED, join(pointer, "enum"), key="enum", value=repr(values))
    elif not values:
        schema.pop("enum")
        report.lose(notices.ENUM_EMPTY, pointer)
    elif "array" in types_of(schema) and not any(isinstance(one, list | dict) for one in values):
        _move_to_items(schema, values, pointer, report)
    elif any(isinstance(one, list | dict) for one in values):
        schema["x-enum"] = schema.pop("enum")
        report.lose(notices.ENUM_CONTAINERS, pointer)
    else:
        _mend_scalars(schema, values, pointer, report)


def _move_to_items(schema: JsonObject, values: list[Json], pointer: str, report: Report) -> None:
    """An enum beside `type: array` lists the allowed items, in all documents that were seen."""
    schema.pop("enum")
    items = schema.get("items")
    items = items if isinstance(items, dict) else {}
    if "$ref" not in items and "enum" not in items:
        items = {**items, "enum": values}
        normalise_enum(items, join(pointer, "items"), report)
    schema["items"] = items
    report.lose(notices.ENUM_VALUES, pointer, type="array", changes="moved to items")


def _mend_scalars(schema: JsonObject, values: list[Json], pointer: str, report: Report) -> None:
    kinds = [kind for kind in types_of(schema) if kind != "null"]
    fitted = _fit(values, kinds[0], pointer, report) if len(kinds) == 1 else _distinct(values)
    if len(fitted) < len(values) and len(kinds) != 1:
        report.lose(notices.ENUM_VALUES, pointer, type="any", changes="doubles taken out")
    has_null = None in fitted
    groups: dict[str, list[Json]] = {}
    for value in fitted:
        if value is not None:
            kind = json_type(value)
            groups.setdefault("number" if kind == "integer" and "number" in kinds else kind, []).append(value)
    if "number" in groups and "integer" in groups:
        groups["number"] = [*groups.pop("integer"), *groups["number"]]
    _write(schema, groups, has_null=has_null, is_same=fitted == values, pointer=pointer, report=report)


def _fit(values: list[Json], kind: str, pointer: str, report: Report) -> list[Json]:
    """The values as the stated type would write them; what has no such form is left out."""
    fitted = [value if value is None else _as(kind, value) for value in values]
    kept = _distinct([value for value in fitted if value is not _SAME])
    if kept != values:
        changes = (
            f"{json.dumps(values, ensure_ascii=False)[:60]} → {json.dumps(kept, ensure_ascii=False)[:60]}"
        )
        report.lose(notices.ENUM_VALUES, pointer, type=kind, changes=changes)
    return kept


def _as(kind: str, value: Json) -> Any:
    """The value as that type, or _SAME when it has no such form."""
    if kind == "string":
        return value if isinstance(value, str) else json.dumps(value)
    if kind == "boolean":
        by_text = {"true": True, "false": False}
        return value if isinstance(value, bool) else by_text.get(str(value).lower(), _SAME)
    if kind in {"integer", "number"} and not isinstance(value, bool):
        number = _numeric(value)
        is_fit = number is not None and (kind == "number" or json_type(number) == "integer")
        return number if is_fit else _SAME
    return _SAME


def _numeric(value: Json) -> int | float | None:
    if isinstance(value, int | float):
        return value
    text = str(value).strip()
    digits = text.lstrip("+-").replace(".", "", 1)
    if not digits.isdecimal() or len(digits) > 18:
        return None
    return float(text) if "." in text else int(text)


def _distinct(values: list[Json]) -> list[Json]:
    return list(
        {(json_type(value) in {"integer", "number"}, json.dumps(value)): value for value in values}.values()
    )


def _write(
    schema: JsonObject,
    groups: dict[str, list[Json]],
    *,
    has_null: bool,
    is_same: bool,
    pointer: str,
    report: Report,
) -> None:
    if not groups:
        schema.pop("enum")
        if has_null:
            schema["type"] = "null"
            report.find(notices.ENUM_NULL, pointer)
        return
    if len(groups) == 1 and not has_null:
        [(kind, values)] = groups.items()
        if not is_same:
            schema["enum"] = values
        if not types_of(schema) and "allOf" not in schema and "$ref" not in schema:
            schema["type"] = kind
        return
    if len(groups) > 1:
        report.lose(notices.ENUM_MIXED, pointer)
    if has_null:
        report.find(notices.ENUM_NULL, pointer)
    outer = {key: schema.pop(key) for key in list(schema) if key in _OUTSIDE or key.startswith("x-")}
    inner = {key: value for key, value in schema.items() if key not in {"type", "enum"}}
    branches: list[JsonObject] = [{**inner, "type": kind, "enum": values} for kind, values in groups.items()]
    if has_null:
        branches.append({"type": "null"})
    schema.clear()
    schema.update(anyOf=branches, **outer)


def normalise_default(schema: JsonObject, pointer: str, report: Report) -> None:
    """Bring `default` to the stated type, or take it out."""
    if "default" not in schema:
        return
    value = schema["default"]
    kinds = types_of(schema)
    fitted = _fit_default(value, kinds, schema)
    if fitted is _SAME:
        schema["x-default"] = schema.pop("default")
        report.lose(notices.DEFAULT_DROPPED, pointer, value=json.dumps(value, ensure_ascii=False))
    elif json.dumps(fitted) != json.dumps(value):
        schema["default"] = fitted
        report.find(notices.KEYWORD_MENDED, pointer, key="default", value=repr(value), instead=repr(fitted))


def _fit_default(value: Json, kinds: list[str], schema: JsonObject) -> Any:
    if not kinds:
        return _SAME if isinstance(schema.get("enum"), list) and value not in schema["enum"] else value
    kind = json_type(value)
    is_fit = kind in kinds or (kind == "integer" and "number" in kinds)
    fitted = value
    if not is_fit:
        fitted = _SAME if value is None or isinstance(value, list | dict) else _as(kinds[0], value)
    enum = schema.get("enum")
    if fitted is not _SAME and isinstance(enum, list) and fitted not in enum:
        return _SAME
    return fitted
