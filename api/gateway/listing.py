"""What is wrong with a value that does not fit its schema, listed in bounded time.

Whether a value fits, jsonschema-rs tells in time linear in the value. Listing the errors is another matter: for a
recursive `anyOf` it lists those of every branch below those of every branch, so that a body of 12 levels cost
four seconds. Here a schema is rewritten for listing: `anyOf`, `oneOf` and `unevaluated…` only say that they do
not hold, which is all that an answer shows. What is left (overlapping `allOf`) is bounded by LISTED_LEVELS.
"""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter

from jsonschema_rs import Draft202012Validator, ValidationError

from api.contract.model import Json, JsonObject

MAX_ERRORS = 20
LISTED_LEVELS = 8  # of a value whose schemas are recursive
COMPONENTS = "#/components/schemas/"
REWRITTEN = "#/components/rewritten/"
_WITH_NAMES = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs"})
_LISTS = frozenset({"allOf", "prefixItems"})
_SINGLE = frozenset({"items", "additionalProperties", "propertyNames", "then", "else"})
_SAID = {
    "anyOf": "fits none of the forms that the contract allows here (anyOf)",
    "oneOf": "fits none of the forms that the contract allows here, or more than one (oneOf)",
    "unevaluatedProperties": "has properties that the contract does not allow here",
    "unevaluatedItems": "has items that the contract does not allow here",
}


def rewritten(schema: Json) -> Json:
    """The schema for listing errors: the same values fit it. References to components go to rewritten ones."""
    if not isinstance(schema, dict):
        return schema
    made: JsonObject = {}
    told: list[Json] = []
    for keyword, inner in schema.items():
        if keyword in {"anyOf", "oneOf"}:
            told.append(_told({keyword: inner}, keyword))
        elif keyword in {"unevaluatedProperties", "unevaluatedItems"}:
            told.append(_told(schema, keyword))  # with all that it looks at
        elif keyword not in {"$id", "$anchor", "$dynamicAnchor"}:  # they name the original
            made[keyword] = _inner(keyword, inner)
    if told:
        of_all = made.get("allOf")
        made["allOf"] = [*(of_all if isinstance(of_all, list) else ()), *told]
    return made


def _inner(keyword: str, inner: Json) -> Json:
    if keyword in _WITH_NAMES and isinstance(inner, dict):
        return {name: rewritten(one) for name, one in inner.items()}
    if keyword in _LISTS and isinstance(inner, list):
        return [rewritten(one) for one in inner]
    if keyword in _SINGLE:
        return rewritten(inner)
    if keyword == "$ref":
        return REWRITTEN + _component_of(inner) if _component_of(inner) else inner
    return inner


def _told(schema: Json, keyword: str) -> JsonObject:
    """Holds where the schema does, and otherwise says so in one error: `if` is decided without listing any."""
    return {"if": schema, "else": {"not": {"$comment": _SAID[keyword]}}}


def _component_of(reference: Json) -> str:
    """The name, as it stands in the reference, of a component that is referred to as a whole; else ""."""
    if not isinstance(reference, str) or not reference.startswith(COMPONENTS):
        return ""
    name = reference.removeprefix(COMPONENTS)
    return "" if "/" in name else name


def errors_of(validator: Draft202012Validator, value: Json, pointer: str) -> Iterator[dict[str, str]]:
    """The errors of a value by the validator of a rewritten schema; pointers are JSON pointers below `pointer`."""
    for error in validator.iter_errors(value):
        path = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in error.instance_path)
        yield {"pointer": pointer + path, "message": _said(error)[:300]}


def _said(error: ValidationError) -> str:
    told = error.kind.as_dict().get("schema") if error.kind.name == "not" else None
    return str(told["$comment"]) if isinstance(told, dict) and list(told) == ["$comment"] else error.message


def is_deeper(value: Json, levels: int) -> bool:
    """Whether containers stand in containers more than `levels` deep."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return bool(level)


def is_recursive(schemas: dict[str, JsonObject]) -> bool:
    """Whether a component is described by itself."""
    try:
        TopologicalSorter({name: _references(schema) for name, schema in schemas.items()}).prepare()
    except CycleError:
        return True
    return False


def _references(schema: JsonObject) -> set[str]:
    found: set[str] = set()
    waiting: list[Json] = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            reference = one.get("$ref")
            if isinstance(reference, str) and reference.startswith(COMPONENTS):
                name = reference.removeprefix(COMPONENTS).partition("/")[0]
                found.add(name.replace("~1", "/").replace("~0", "~"))
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
    return found
