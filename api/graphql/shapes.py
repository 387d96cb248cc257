"""What a JSON Schema is for GraphQL: an object, a choice, an enumeration, a list, a map, a scalar, or any JSON."""

from enum import StrEnum
from typing import Any

from api.contract.flatten import CHOICES, Memo, combine, flatten
from api.contract.model import Json, JsonObject
from api.contract.normalise_enums import types_of

_MOST_VALUES = 500  # of an enumeration; a longer one is a code list and stays text
_INT_32 = 2**31


class Shape(StrEnum):
    OBJECT = "object"
    CHOICE = "choice"
    ENUM = "enum"
    LIST = "list"
    MAP = "map"
    SCALAR = "scalar"
    ANY = "any"  # the contract says no more than that it is JSON
    MIXED = "mixed"  # the contract says more than a type can: JSON, and a loss


def flat_of(schema: Json, schemas: dict[str, JsonObject], memo: Memo) -> JsonObject:
    """The schema flat, members of alternatives gathered where they stand beside members of its own."""
    flat = flatten(schema, schemas, memo)
    groups = [[one for one in group if not _is_null(one)] for group in flat.pop(CHOICES, [])]
    groups = [group for group in groups if group]
    open_groups = []
    for group in groups:
        branches = [flatten(one, schemas, memo) for one in group]
        if len(branches) == 1:
            flat = combine(flat, branches[0])
        elif all(_says_nothing(one) for one in branches):
            continue  # alternatives of what is required: GraphQL's members are all optional
        elif flat.get("properties") or len(groups) > 1:
            flat = _gathered(flat, branches)
        else:
            open_groups.append(group)
    if open_groups:
        flat[CHOICES] = open_groups
    return flat


def _gathered(flat: JsonObject, branches: list[JsonObject]) -> JsonObject:
    """One object with the members of all alternatives; a member that two of them have keeps both of its schemas."""
    found: dict[str, list[Json]] = {}
    for branch in branches:
        properties = branch.get("properties")
        for name, child in (properties if isinstance(properties, dict) else {}).items():
            known = found.setdefault(name, [])
            if child not in known:
                known.append(child)
    own = dict(flat.get("properties") or {})
    for name, children in found.items():
        if name not in own:
            own[name] = children[0] if len(children) == 1 else {"anyOf": children}
    return {**flat, "properties": own}


def shape_of(flat: JsonObject) -> Shape:  # noqa: PLR0911 - one line for each shape
    """The shape of a flat schema."""
    kinds = kinds_of(flat)
    values = values_of(flat)
    if values is not None:
        return Shape.ENUM if values else Shape.SCALAR
    if flat.get("properties") and kinds in (["object"], []):
        return Shape.OBJECT
    if flat.get(CHOICES) and (kinds in (["object"], []) or len(kinds) > 1):
        return Shape.CHOICE
    if len(kinds) > 1:
        return Shape.SCALAR if set(kinds) <= {"integer", "number"} else Shape.MIXED
    if kinds == ["array"]:
        return Shape.LIST
    if kinds == ["object"]:
        return (
            Shape.MAP
            if isinstance(flat.get("additionalProperties"), dict) and flat["additionalProperties"]
            else Shape.ANY
        )
    if kinds:
        return Shape.SCALAR
    return Shape.MIXED if "not" in flat and flat["not"] != {} else Shape.ANY


def kinds_of(flat: JsonObject) -> list[str]:
    """The JSON types but null; the one that is meant where none is named."""
    kinds = [one for one in types_of(flat) if one != "null"]
    if kinds:
        return list(dict.fromkeys(kinds))
    if "properties" in flat or "additionalProperties" in flat:
        return ["object"]
    if "items" in flat:
        return ["array"]
    texts = flat.get("enum")
    if isinstance(texts, list) and texts and all(isinstance(one, str) for one in texts):
        return ["string"]
    return ["string"] if any(key in flat for key in ("pattern", "minLength", "maxLength", "format")) else []


def values_of(flat: JsonObject) -> list[str | int] | None:
    """The values of an enumeration of texts or whole numbers; [] where it is too long or mixed, None for none."""
    values = flat.get("enum", [flat["const"]] if "const" in flat else None)
    if not isinstance(values, list):
        return None
    plain = [one for one in values if one is not None]
    if kinds_of(flat) == ["boolean"] or all(isinstance(one, bool) for one in plain):
        return None if kinds_of(flat) else []
    is_text = all(isinstance(one, str) for one in plain)
    is_whole = all(isinstance(one, int) and not isinstance(one, bool) for one in plain)
    if not plain or len(plain) > _MOST_VALUES or not (is_text or is_whole):
        return None if len(kinds_of(flat)) == 1 else []
    return list(dict.fromkeys(plain))


def scalar_of(flat: JsonObject) -> str:
    """The name of the scalar that holds it."""
    kinds = kinds_of(flat)
    if set(kinds) == {"integer"}:
        low, high = flat.get("minimum"), flat.get("maximum")
        is_small = flat.get("format") == "int32" or (
            isinstance(low, int | float)
            and isinstance(high, int | float)
            and low >= -_INT_32
            and high < _INT_32
        )
        return "Int" if is_small else "Long"
    if set(kinds) <= {"integer", "number"} and kinds:
        return "Float"
    if kinds == ["boolean"]:
        return "Boolean"
    if kinds == ["string"]:
        return {"date": "Date", "date-time": "DateTime", "decimal": "Decimal"}.get(
            str(flat.get("format")), "String"
        )
    values = flat.get("enum")
    if isinstance(values, list) and values and all(isinstance(one, bool) for one in values):
        return "Boolean"
    return "JSON"


def choices_of(flat: JsonObject) -> list[Json]:
    """The alternatives of a choice."""
    return [one for group in flat.get(CHOICES) or [] for one in group]


def _says_nothing(branch: JsonObject) -> bool:
    return not any(
        key in branch for key in ("properties", "type", "enum", "const", "items", CHOICES, "format")
    )


def _is_null(schema: Any) -> bool:
    return isinstance(schema, dict) and (schema.get("type") == "null" or schema.get("enum") == [None])
