"""Giving inline object schemas a name: they become components, so that every face has a type to speak of.

Names come from where the schema stands: its title, the component and property, or the operation.
"""

from typing import Any

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.naming import singular
from api.contract.normalise_components import PREFIX, RESERVED, class_key, type_name
from api.contract.normalise_enums import types_of
from api.contract.pointers import escape, join
from api.contract.report import Report
from api.contract.shapes import METHODS

_BESIDE = frozenset(
    {"deprecated", "readOnly", "writeOnly", "x-classification", "x-mask", "x-ref", "x-element", "x-code-list", "x-sdk-name"}
)  # fmt: skip
_COMBINATIONS = ("anyOf", "oneOf")


def hoist(document: JsonObject, report: Report) -> dict[str, str]:
    """Move inline objects to components; returns pointer of each new component -> where it stood."""
    hoister = _Hoister(document["components"]["schemas"])
    for name, schema in list(document["components"]["schemas"].items()):
        if isinstance(schema, dict):
            hoister.inside(schema, name, join("/components/schemas", name))
    for section in ("paths", "webhooks"):
        for path, item in document.get(section, {}).items():
            for method in METHODS if not path.startswith("x-") else ():
                operation = item.get(method)
                if isinstance(operation, dict):
                    place = join("", section, path, method)
                    base = type_name(str(operation.get("operationId", ""))) or type_name(f"{path} {method}")
                    hoister.operation(operation, base or "Operation", place)
    if hoister.origins:
        report.find(notices.HOISTED, "/components/schemas", count=len(hoister.origins))
    return hoister.origins


class _Hoister:
    def __init__(self, schemas: dict[str, Any]) -> None:
        self._schemas = schemas
        self._taken = {class_key(name) for name in schemas}
        self._errors: dict[str, str] = {}
        self.origins: dict[str, str] = {}

    def operation(self, operation: JsonObject, base: str, place: str) -> None:
        for index, parameter in enumerate(operation.get("parameters", ())):
            name = base + (type_name(str(parameter.get("name", ""))) or "Parameter")
            self._slot(parameter, "schema", name, f"{place}/parameters/{index}")
            self._content(parameter, name, f"{place}/parameters/{index}")
        self._content(operation.get("requestBody", {}), f"{base}Request", f"{place}/requestBody")
        has_success = False
        for status, response in operation.get("responses", {}).items():
            if status.startswith("x-"):
                continue
            spot = join(place, "responses", status)
            if status[0] == "2":
                name = f"{base}{status if has_success else ''}Response"
                has_success = True
                self._content(response, name, spot)
            else:
                self._content(response, f"{base}{type_name(status)}Response", spot, is_shared=True)

    def _content(self, holder: JsonObject, name: str, place: str, *, is_shared: bool = False) -> None:
        for kind, media in holder.get("content", {}).items():
            self._slot(media, "schema", name, join(place, "content", kind), is_shared=is_shared)

    def _slot(self, holder: Any, key: str | int, name: str, place: str, *, is_shared: bool = False) -> None:
        """Visit the schema in `holder[key]` and put a reference there when it is an object without a name."""
        schema = holder.get(key) if isinstance(holder, dict) else holder[key]
        if not isinstance(schema, dict):
            return
        spot = join(place, key)
        if not _is_nameless_object(schema):
            self.inside(schema, name, spot)
            return
        title = schema.get("title")
        given = type_name(title) if isinstance(title, str) and len(title) <= 60 else ""
        if is_shared:
            holder[key] = self._shared(schema, given or "ErrorBody", spot)
            return
        holder[key] = self._named(schema, given or name, spot)

    def _shared(self, schema: JsonObject, name: str, spot: str) -> JsonObject:
        """Error bodies written out again and again get one name."""
        fingerprint = repr(schema)
        if fingerprint in self._errors:
            return {"$ref": self._errors[fingerprint]}
        made = self._named(schema, name, spot)
        if made.keys() == {"$ref"}:
            self._errors[fingerprint] = made["$ref"]
        return made

    def _named(self, schema: JsonObject, name: str, spot: str) -> JsonObject:
        free = self._free(name)
        beside = {key: schema[key] for key in schema if key in _BESIDE}
        body = {key: value for key, value in schema.items() if key not in _BESIDE}
        kinds = types_of(body)
        is_nullable = "null" in kinds
        if is_nullable:
            body["type"] = "object"
        self._schemas[free] = body
        self.origins[join("/components/schemas", free)] = spot
        self.inside(body, free, spot)
        reference = {"$ref": PREFIX + escape(free)}
        return {"anyOf": [reference, {"type": "null"}], **beside} if is_nullable else {**reference, **beside}

    def _free(self, name: str) -> str:
        base = f"{name}Model" if class_key(name) in RESERVED else name
        free, number = base, 2
        while class_key(free) in self._taken:
            free, number = f"{base}_{number}", number + 1
        self._taken.add(class_key(free))
        return free

    def inside(self, schema: JsonObject, base: str, place: str) -> None:
        """Visit the children of a schema that keeps its place."""
        for name in list(schema.get("properties", {})):
            self._slot(
                schema["properties"], name, base + (type_name(name) or "Field"), join(place, "properties")
            )
        for name in list(schema.get("patternProperties", {})):
            self._slot(schema["patternProperties"], name, f"{base}Value", join(place, "patternProperties"))
        self._slot(schema, "items", _item_name(base), place)
        self._slot(schema, "additionalProperties", f"{base}Value", place)
        for key in _COMBINATIONS:
            branches = schema.get(key, ())
            others = [one for one in branches if isinstance(one, dict) and one.get("type") != "null"]
            for index in range(len(branches)):
                name = base if len(others) == 1 else f"{base}Option{index + 1}"
                self._slot(branches, index, name, join(place, key))
        for index in range(len(schema.get("prefixItems", ()))):
            self._slot(schema["prefixItems"], index, f"{base}Item{index + 1}", join(place, "prefixItems"))
        for index, branch in enumerate(schema.get("allOf", ())):
            if isinstance(branch, dict):
                self.inside(branch, base, f"{place}/allOf/{index}")


def _item_name(base: str) -> str:
    one = singular(base)
    return one if one != base else f"{base}Item"


def _is_nameless_object(schema: JsonObject) -> bool:
    if "$ref" in schema:
        return False
    kinds = set(types_of(schema)) - {"null"}
    if kinds and kinds != {"object"}:
        return False
    if schema.get("properties"):
        return True
    branches = [one for one in schema.get("allOf", ()) if isinstance(one, dict)]
    return len(branches) > 1 and any(one.get("properties") or "$ref" in one for one in branches)
