"""What a contract's schema says of the value at a place: its kind, its properties, its items. For mappings only."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from api.contract.model import JsonObject

_LOCAL = "#/components/schemas/"
_SCALARS = ("string", "integer", "number", "boolean")


class Meant(Struct, frozen=True):
    """A schema with references followed and `allOf` put together.

    `kind`: string, integer, number, boolean, object, list or any (open, or several kinds).
    """

    kind: str
    nullable: bool
    schema: JsonObject

    @property
    def properties(self) -> dict[str, Any]:
        found = self.schema.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def required(self) -> frozenset[str]:
        found = self.schema.get("required")
        return frozenset(found) if isinstance(found, list) else frozenset()


class Schemas:
    """The schemas of one contract."""

    def __init__(self, schemas: Mapping[str, JsonObject]) -> None:
        self._schemas = schemas

    def meant(self, schema: Any) -> Meant:
        """What this schema means."""
        merged = self._merged(schema, 0)
        kinds = _kinds(merged)
        nullable = "null" in kinds
        for word in ("anyOf", "oneOf"):
            parts = [self._merged(part, 1) for part in merged.get(word, []) if isinstance(part, dict)]
            if parts:
                inner = {kind for part in parts for kind in _kinds(part)}
                nullable = nullable or "null" in inner
                full = [part for part in parts if _kinds(part) != {"null"}]
                if len(full) == 1:
                    merged = {**merged, **full[0]}
                elif full and all(_kinds(part) == {"object"} for part in full):
                    merged = {**merged, "properties": _united(full), "required": _common(full)}
                kinds |= inner
        kinds -= {"null"}
        if kinds == {"integer", "number"}:
            kinds = {"number"}
        kind = next(iter(kinds)) if len(kinds) == 1 else "any"
        return Meant("list" if kind == "array" else kind, nullable, merged)

    def at(self, meant: Meant, name: str) -> Meant:
        """What a property means; open where the schema says nothing of it."""
        found = meant.properties.get(name)
        return self.meant(found) if isinstance(found, dict) else Meant("any", nullable=True, schema={})

    def items(self, meant: Meant) -> Meant:
        """What the items of a list mean."""
        found = meant.schema.get("items")
        return self.meant(found) if isinstance(found, dict) else Meant("any", nullable=True, schema={})

    def _merged(self, schema: Any, depth: int) -> JsonObject:
        if not isinstance(schema, dict) or depth > 20:
            return {}
        reference = schema.get("$ref")
        merged: JsonObject = {}
        if isinstance(reference, str) and reference.startswith(_LOCAL):
            merged = self._merged(self._schemas.get(reference.removeprefix(_LOCAL), {}), depth + 1)
        own = {key: value for key, value in schema.items() if key not in {"$ref", "allOf"}}
        for part in [*schema.get("allOf", []), own]:
            merged = _joined(merged, self._merged(part, depth + 1) if part is not own else own)
        return merged


def _joined(one: JsonObject, other: JsonObject) -> JsonObject:
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = [*one["required"], *other["required"]]
    return joined


def _kinds(schema: JsonObject) -> set[str]:
    stated = schema.get("type")
    if isinstance(stated, str):
        return {stated}
    if isinstance(stated, list):
        return {one for one in stated if isinstance(one, str)}
    if "properties" in schema:
        return {"object"}
    if "items" in schema:
        return {"array"}
    values = (
        schema["enum"]
        if isinstance(schema.get("enum"), list)
        else [schema["const"]]
        if "const" in schema
        else []
    )
    kinds = {_kind_of(value) for value in values}
    return kinds - {""}


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    for kind, types in (("boolean", bool), ("integer", int), ("number", float), ("string", str)):
        if isinstance(value, types):
            return kind
    return ""


def _united(parts: list[JsonObject]) -> JsonObject:
    united: JsonObject = {}
    for part in parts:
        for name, schema in part.get("properties", {}).items():
            united.setdefault(name, schema)
    return united


def _common(parts: list[JsonObject]) -> list[str]:
    common = set(parts[0].get("required", []))
    for part in parts[1:]:
        common &= set(part.get("required", []))
    return sorted(common)


def is_scalar(meant: Meant) -> bool:
    return meant.kind in _SCALARS
