"""Differences between two JSON Schemas, with the direction in mind: a request schema may widen, an answer narrow.

It compares keyword by keyword, following references on both sides, each pair of components once. Combinations
(anyOf, oneOf, allOf) are compared branch by branch: a change that cannot be judged counts as breaking.
"""

import json
from collections.abc import Iterator

from msgspec import Struct

from api.contract.model import Json, JsonObject
from api.contract.normalise_enums import types_of
from api.contract.pointers import join, split
from api.contract.profile import classification_of

BREAKING, COMPATIBLE, DOCS = "breaking", "compatible", "docs"
Said = tuple[str, str]

_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
_OTHER = (
    "pattern", "format", "multipleOf", "const", "uniqueItems", "not", "if", "then", "else", "propertyNames",
    "patternProperties", "dependentRequired", "dependentSchemas", "contains", "prefixItems", "contentEncoding",
    "contentMediaType", "unevaluatedProperties", "unevaluatedItems", "discriminator",
)  # fmt: skip
_TEXTS = ("title", "description", "examples", "default", "deprecated", "x-i18n", "externalDocs")


class SchemaChange(Struct, frozen=True):
    """One difference; `path` is a pointer into the value ("/items/*/name")."""

    kind: str
    severity: str
    rule: str
    path: str
    said: Said


class SchemaDiff:
    """Compares schemas of an old and a new contract in one direction."""

    def __init__(self, old: dict[str, JsonObject], new: dict[str, JsonObject], *, is_request: bool) -> None:
        self._old = old
        self._new = new
        self._is_request = is_request
        self._seen: set[tuple[str, str]] = set()

    def compare(self, old: object, new: object, path: str = "") -> Iterator[SchemaChange]:
        """Every difference between the two schemas; equal ones give none."""
        stack: list[tuple[Json, Json, str]] = [(old, new, path)]
        while stack:
            before, after, spot = stack.pop()
            pair = (_reference(before), _reference(after))
            if pair in self._seen and all(pair):
                continue
            if all(pair):
                self._seen.add(pair)
            one, two = _resolve(before, self._old), _resolve(after, self._new)
            if one != two or any(pair) or _has_references(one):
                yield from self._keywords(one, two, spot)
                stack.extend(self._children(one, two, spot))

    # --- one schema --------------------------------------------------------------------------------
    def _keywords(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        if old == new:
            return
        yield from self._types(old, new, path)
        yield from self._enum(old, new, path)
        yield from self._bounds(old, new, path)
        yield from self._others(old, new, path)
        yield from self._properties(old, new, path)
        yield from self._branches(old, new, path)
        yield from self._classification(old, new, path)
        if any(old.get(key) != new.get(key) for key in _TEXTS):
            yield SchemaChange(
                "docs", DOCS, "schema-text", path, ("说明或示例有改动。", "Description or examples changed.")
            )

    def _change(self, *, is_narrower: bool, rule: str, path: str, said: Said) -> SchemaChange:
        """Narrower breaks requests, wider breaks answers."""
        is_breaking = is_narrower == self._is_request
        kind = "narrowed" if is_narrower else "widened"
        return SchemaChange(kind, BREAKING if is_breaking else COMPATIBLE, rule, path, said)

    def _types(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        was, now = _type_set(old), _type_set(new)
        if was == now:
            return
        shown_was, shown_now = "/".join(sorted(was)) or "any", "/".join(sorted(now)) or "any"
        said = (f"类型由 {shown_was} 改为 {shown_now}。", f"The type was {shown_was} and is {shown_now}.")
        wide_was, wide_now = _widened(was), _widened(now)
        if wide_now < wide_was or (now and not was):
            yield self._change(is_narrower=True, rule="type-narrowed", path=path, said=said)
        elif wide_was < wide_now or (was and not now):
            yield self._change(is_narrower=False, rule="type-widened", path=path, said=said)
        elif wide_was != wide_now:
            yield SchemaChange("narrowed", BREAKING, "type-changed", path, said)

    def _enum(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        was, now = _values(old), _values(new)
        if was == now:
            return
        if was is None or now is None:
            said = (
                ("取值被限定。", "Its values are listed now.")
                if was is None
                else ("不再限定取值。", "Its values are no longer listed.")
            )
            yield self._change(
                is_narrower=was is None,
                rule="enum-limited" if was is None else "enum-opened",
                path=path,
                said=said,
            )
            return
        gone, more = was - now, now - was
        if gone:
            shown = ", ".join(sorted(gone))[:120]
            yield self._change(
                is_narrower=True,
                rule="enum-value-removed",
                path=path,
                said=(f"取值 {shown} 被移除。", f"The values {shown} were removed."),
            )
        if more:
            shown = ", ".join(sorted(more))[:120]
            yield self._change(
                is_narrower=False,
                rule="enum-value-added",
                path=path,
                said=(f"新增取值 {shown}。", f"The values {shown} are new."),
            )

    def _bounds(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        for key in (*_UPPER, *_LOWER):
            was, now = old.get(key), new.get(key)
            if was == now:
                continue
            is_narrower = was is None if was is None or now is None else (now < was) == (key in _UPPER)
            said = (
                f"{key} 由 {_shown(was)} 改为 {_shown(now)}。",
                f"{key} was {_shown(was)} and is {_shown(now)}.",
            )
            yield self._change(is_narrower=is_narrower, rule="bound-changed", path=path, said=said)

    def _others(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        for key in _OTHER:
            was, now = old.get(key), new.get(key)
            if was == now:
                continue
            said = (
                f"{key} 由 {_shown(was)} 改为 {_shown(now)}。",
                f"{key} was {_shown(was)} and is {_shown(now)}.",
            )
            if was is None or now is None:
                yield self._change(is_narrower=was is None, rule=f"{key}-changed", path=path, said=said)
            else:
                yield SchemaChange("narrowed", BREAKING, f"{key}-changed", path, said)

    def _properties(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        was, now = _properties(old), _properties(new)
        required_was, required_now = _required(old), _required(new)
        for name in was.keys() - now.keys():
            is_closed = _is_closed(new)
            severity = BREAKING if not self._is_request or is_closed else COMPATIBLE
            yield SchemaChange(
                "removed",
                severity,
                "property-removed",
                join(path, name),
                (f"属性 {name} 被移除。", f"The property {name} was removed."),
            )
        for name in now.keys() - was.keys():
            is_breaking = self._is_request and name in required_now
            said = (f"新增属性 {name}。", f"The property {name} is new.")
            yield SchemaChange(
                "added", BREAKING if is_breaking else COMPATIBLE, "property-added", join(path, name), said
            )
        for name in sorted((required_now - required_was) & was.keys()):
            yield self._change(
                is_narrower=True,
                rule="property-required",
                path=join(path, name),
                said=(f"属性 {name} 变为必有。", f"The property {name} became required."),
            )
        for name in sorted((required_was - required_now) & now.keys()):
            yield self._change(
                is_narrower=False,
                rule="property-optional",
                path=join(path, name),
                said=(f"属性 {name} 变为可无。", f"The property {name} became optional."),
            )
        if _is_closed(old) != _is_closed(new):
            yield self._change(
                is_narrower=_is_closed(new),
                rule="additional-properties",
                path=path,
                said=("对未列出属性的态度改变。", "Whether further properties are allowed changed."),
            )

    def _branches(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        for key in ("anyOf", "oneOf", "allOf"):
            was, now = len(old.get(key) or ()), len(new.get(key) or ())
            if was != now:
                said = (f"{key} 的分支由 {was} 个改为 {now} 个。", f"{key} had {was} branches and has {now}.")
                is_more = now > was > 0 or was > now == 0
                yield self._change(
                    is_narrower=is_more == (key == "allOf"), rule="branches-changed", path=path, said=said
                )

    @staticmethod
    def _classification(old: JsonObject, new: JsonObject, path: str) -> Iterator[SchemaChange]:
        was, now = classification_of(old), classification_of(new)
        if was == now:
            return
        is_stricter = now is not None and (was is None or now.level > was.level)
        shown_was, shown_now = was.level.value if was else "-", now.level.value if now else "-"
        said = (
            f"分类由 {shown_was} 改为 {shown_now}。",
            f"The classification was {shown_was} and is {shown_now}.",
        )
        yield SchemaChange(
            "policy", BREAKING if is_stricter else COMPATIBLE, "classification-changed", path, said
        )

    # --- children ----------------------------------------------------------------------------------
    def _children(self, old: JsonObject, new: JsonObject, path: str) -> Iterator[tuple[Json, Json, str]]:
        was, now = _properties(old), _properties(new)
        for name in was.keys() & now.keys():
            yield was[name], now[name], join(path, name)
        for key in ("items", "additionalProperties"):
            one, two = old.get(key), new.get(key)
            if isinstance(one, dict) or isinstance(two, dict):
                yield one if isinstance(one, dict) else {}, two if isinstance(two, dict) else {}, f"{path}/*"
        for key in ("anyOf", "oneOf", "allOf"):
            one, two = old.get(key) or [], new.get(key) or []
            if len(one) == len(two):
                yield from zip(one, two, [path] * len(one), strict=True)


def _has_references(schema: JsonObject) -> bool:
    """Equal schemas can still differ through what they refer to."""
    return '"$ref"' in json.dumps(schema)


def _reference(schema: Json) -> str:
    ref = schema.get("$ref") if isinstance(schema, dict) else None
    return ref if isinstance(ref, str) else ""


def _resolve(schema: Json, schemas: dict[str, JsonObject], depth: int = 0) -> JsonObject:
    """The schema with its reference followed; what stands beside the reference wins."""
    beside: JsonObject = {}
    for _ in range(30):
        ref = _reference(schema)
        if not ref:
            break
        beside = {**{key: value for key, value in schema.items() if key != "$ref"}, **beside}
        schema = schemas.get(split(ref.removeprefix("#"))[-1], {})
    made = {**schema, **beside} if isinstance(schema, dict) else {}
    return _unwrapped(made, schemas, depth)


def _unwrapped(schema: JsonObject, schemas: dict[str, JsonObject], depth: int) -> JsonObject:
    """`anyOf: [X, null]` is a nullable X, whether it is written so or as a list of types."""
    branches = schema.get("anyOf")
    if depth > 5 or not isinstance(branches, list) or len(branches) != 2:
        return schema
    others = [one for one in branches if not (isinstance(one, dict) and one.get("type") == "null")]
    if len(others) != 1:
        return schema
    inner = _resolve(others[0], schemas, depth + 1)
    kinds = types_of(inner)
    beside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**inner, **beside, **({"type": [*dict.fromkeys([*kinds, "null"])]} if kinds else {})}


def _type_set(schema: JsonObject) -> frozenset[str]:
    return frozenset(types_of(schema))


def _widened(kinds: frozenset[str]) -> frozenset[str]:
    """A number takes every integer."""
    return kinds | {"integer"} if "number" in kinds else kinds


def _values(schema: JsonObject) -> set[str] | None:
    values = schema.get("enum")
    return {json.dumps(value, ensure_ascii=False) for value in values} if isinstance(values, list) else None


def _properties(schema: JsonObject) -> JsonObject:
    found = schema.get("properties")
    return found if isinstance(found, dict) else {}


def _required(schema: JsonObject) -> set[str]:
    return set(schema.get("required") or ())


def _is_closed(schema: JsonObject) -> bool:
    return schema.get("additionalProperties") is False


def _shown(value: Json) -> str:
    return "-" if value is None else json.dumps(value, ensure_ascii=False)[:80]
