"""A JSON Schema seen flat: references followed, `allOf` merged, alternatives listed. For making values, not for
judging them: where two parts contradict each other, one of them is dropped and validation has the last word.
"""

from collections.abc import Callable
from typing import Any

from api.contract.model import Json, JsonObject
from api.contract.normalise_enums import types_of
from api.contract.pointers import split

CHOICES = "__choices"  # list of groups; a group is a list of branches of which one has to hold
_MOST_DEPTH = 24
_MAXIMA = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains"})
_MINIMA = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})


def reference_name(schema: Json) -> str:
    """The component that a schema refers to, "" when it is no reference."""
    ref = schema.get("$ref") if isinstance(schema, dict) else None
    return split(ref.removeprefix("#"))[-1] if isinstance(ref, str) and ref.startswith("#/") else ""


Memo = dict[str, JsonObject]  # component -> its flat form


def flatten(schema: Json, schemas: dict[str, JsonObject], memo: Memo, depth: int = 0) -> JsonObject:
    """One flat schema object, freshly made; CHOICES holds the groups of alternatives still open.

    `memo` keeps what components come to; give the same one as long as `schemas` stays the same.
    """
    if schema is False:
        return {"not": {}}
    if not isinstance(schema, dict) or depth > _MOST_DEPTH:
        return {}
    flat: JsonObject = {
        key: value
        for key, value in schema.items()
        if key not in {"$ref", "allOf", "anyOf", "oneOf", "__choices"}
    }
    groups: list[Any] = list(schema.get(CHOICES, ()))
    groups += [
        list(schema[key]) for key in ("anyOf", "oneOf") if isinstance(schema.get(key), list) and schema[key]
    ]
    name = reference_name(schema)
    if name:
        if name not in memo:
            memo[name] = {}  # what a loop through allOf finds here
            memo[name] = flatten(schemas.get(name, {}), schemas, memo, depth + 1)
        flat = combine(memo[name], flat)
    branches = schema.get("allOf")
    for branch in branches if isinstance(branches, list) else ():
        flat = combine(flat, flatten(branch, schemas, memo, depth + 1))
    groups += flat.pop(CHOICES, [])
    if groups:
        flat[CHOICES] = groups
    return flat


def combine(one: JsonObject, two: JsonObject) -> JsonObject:
    """Both at once: properties side by side, bounds tightened, types and enums cut to what both allow."""
    made = dict(one)
    for key, value in two.items():
        made[key] = _both(key, made[key], value) if key in made else value
    return made


def _both(key: str, one: Any, two: Any) -> Any:
    merge = _MERGES.get(key)
    if merge is not None and type(one) is type(two):
        return merge(one, two)
    if key == "type":
        return _types(one, two)
    if key in _MAXIMA and _are_numbers(one, two):
        return max(one, two)
    if key in _MINIMA and _are_numbers(one, two):
        return min(one, two)
    return two


def _properties(one: JsonObject, two: JsonObject) -> JsonObject:
    return {**one, **{name: _property(one.get(name), child) for name, child in two.items()}}


def _required(one: list[Json], two: list[Json]) -> list[Json]:
    return [*one, *(name for name in two if name not in one)]


def _enum(one: list[Json], two: list[Json]) -> list[Json]:
    return [value for value in one if value in two] or two


def _property(one: Json, two: Json) -> Json:
    return two if one is None or one == two else {"allOf": [one, two]}


def _types(one: Json, two: Json) -> Json:
    first, second = types_of({"type": one}), types_of({"type": two})
    shared = [kind for kind in first if kind in second]
    if not shared and "integer" in first + second and "number" in first + second:
        return "integer"
    if not shared:
        return two
    return shared[0] if len(shared) == 1 else shared


def _are_numbers(one: object, two: object) -> bool:
    return isinstance(one, int | float) and isinstance(two, int | float)


_MERGES: dict[str, Callable[[Any, Any], Any]] = {
    "properties": _properties,
    "required": _required,
    "enum": _enum,
    CHOICES: lambda one, two: [*one, *two],
    "additionalProperties": lambda one, two: {"allOf": [one, two]} if isinstance(one, dict) else one and two,
}
