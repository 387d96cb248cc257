"""Normalising the keywords of one schema object: legal types and values, patterns that compile, no booleans.

What can be understood is mended (a finding); what cannot is taken out (a loss).
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from api.contract import notices, notices_normal
from api.contract.model import Json, JsonObject
from api.contract.pointers import join
from api.contract.report import Report
from api.contract.validation import compiles

TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
_MEANT: dict[str, JsonObject] = {
    "int": {"type": "integer"}, "int32": {"type": "integer"}, "int64": {"type": "integer"},
    "long": {"type": "integer"}, "float": {"type": "number"}, "double": {"type": "number"},
    "decimal": {"type": "number"}, "numeric": {"type": "number"}, "bool": {"type": "boolean"},
    "str": {"type": "string"}, "text": {"type": "string"}, "char": {"type": "string"},
    "date": {"type": "string", "format": "date"}, "datetime": {"type": "string", "format": "date-time"},
    "date-time": {"type": "string", "format": "date-time"}, "timestamp": {"type": "string"},
    "time": {"type": "string"}, "uuid": {"type": "string", "format": "uuid"}, "file": {"type": "string", "format": "binary"},
    "binary": {"type": "string", "format": "binary"}, "base64": {"type": "string", "contentEncoding": "base64"},
    "uri": {"type": "string", "format": "uri"}, "email": {"type": "string", "format": "email"},
    "list": {"type": "array"}, "set": {"type": "array"}, "map": {"type": "object"}, "dict": {"type": "object"},
    "hash": {"type": "object"}, "json": {}, "any": {}, "mixed": {}, "none": {"type": "null"},
}  # fmt: skip
_COUNTS = (
    "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains",
)  # fmt: skip
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_STRINGS = ("contentMediaType", "contentEncoding", "$comment")
_UNUSED = ("$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$schema", "id")
_NEEDS_SCHEMA = ("items", "not", "if", "then", "else", "contains", "propertyNames", "contentSchema")
_HYPHEN_IN_CLASS = re.compile(r"(?<!\\)((?:\\\\)*)(\\[wdsWDS])-(?=[^\]])")
_ANCHORS = (
    (re.compile(r"(?<!\\)\\A"), "^"),
    (re.compile(r"(?<!\\)\\[zZ]"), "$"),
    (re.compile(r"\(\?P<"), "(?<"),
)


class Spot:
    """One schema object and what to say about it."""

    __slots__ = ("pointer", "report", "schema")

    def __init__(self, schema: JsonObject, pointer: str, report: Report) -> None:
        self.schema = schema
        self.pointer = pointer
        self.report = report

    def mend(self, key: str, value: Json) -> None:
        """Replace a keyword's value by what was meant."""
        self.report.find(
            notices_normal.KEYWORD_MENDED,
            join(self.pointer, key),
            key=key,
            value=repr(self.schema.get(key)),
            instead=repr(value),
        )
        self.schema[key] = value

    def drop(self, key: str) -> None:
        """Take a keyword out whose value means nothing."""
        value = self.schema.pop(key)
        self.report.lose(notices_normal.KEYWORD_DROPPED, join(self.pointer, key), key=key, value=repr(value))


def normalise_keywords(schema: JsonObject, pointer: str, report: Report) -> None:
    """Mend one schema object in place; its child schemas are visited by the caller."""
    spot = Spot(schema, pointer, report)
    _mend_ref(spot)
    _mend_type(spot)
    _mend_required(spot)
    _mend_counts(spot)
    _mend_numbers(spot)
    _mend_lists(spot)
    _mend_pattern(spot)
    _mend_rest(spot)
    _replace_booleans(spot)


def _mend_ref(spot: Spot) -> None:
    for key in ("$dynamicRef", "$recursiveRef"):
        if key in spot.schema:
            spot.drop(key)
    ref = spot.schema.get("$ref")
    if ref is not None and not (isinstance(ref, str) and ref.startswith("#/components/schemas/")):
        spot.drop("$ref")
    for key in _UNUSED:
        if key in spot.schema and (key != "id" or isinstance(spot.schema[key], str)):
            spot.schema.pop(key)  # no reference leads through them any more


def _mend_type(spot: Spot) -> None:
    kind = spot.schema.get("type")
    if "type" not in spot.schema or kind in TYPES:
        return
    if isinstance(kind, list):
        known = [one for one in dict.fromkeys(str(one) for one in kind if one is not None) if one in TYPES]
        if None in kind and "null" not in known:
            known.append("null")
        if known == kind and len(known) > 1:
            return
        if known:
            spot.mend("type", known if len(known) > 1 else known[0])
        else:
            spot.drop("type")
        return
    meant = _meant_by(kind)
    if meant is None:
        spot.drop("type")
        return
    spot.schema.pop("type")
    spot.schema.update({key: value for key, value in meant.items() if key not in spot.schema})
    spot.report.lose(
        notices.TYPE_UNKNOWN,
        join(spot.pointer, "type"),
        value=repr(kind),
        instead=repr(meant.get("type", "any")),
    )


def _meant_by(kind: Json) -> JsonObject | None:
    if kind is None:
        return {}
    if not isinstance(kind, str):
        return None
    lowered = kind.strip().lower()
    return {"type": lowered} if lowered in TYPES else _MEANT.get(lowered)


def _mend_required(spot: Spot) -> None:
    """`required: true` on a property (draft 3) is lifted by the parent's turn; here only lists remain."""
    schema = spot.schema
    for name, child in schema.get("properties", {}).items():
        if isinstance(child, dict) and isinstance(child.get("required"), bool | str):
            is_required = child.pop("required") in {True, "true", "True"}
            listed = schema["required"] if isinstance(schema.get("required"), list) else []
            if is_required and name not in listed:
                spot.mend("required", [*listed, name])
    if "required" not in schema:
        return
    required = schema["required"]
    if isinstance(required, str) and required not in {"true", "false"}:
        spot.mend("required", [required])
    elif not isinstance(required, list):
        spot.drop("required")
    else:
        names = list(dict.fromkeys(name for name in required if isinstance(name, str)))
        if names != required:
            spot.mend("required", names)
        _drop_impossible(spot)


def _drop_impossible(spot: Spot) -> None:
    """Names that are required though nothing but the listed properties is allowed: no value would fit."""
    schema = spot.schema
    if schema.get("additionalProperties") is not False or schema.keys() & {"patternProperties", "$ref"}:
        return
    names = [name for name in schema["required"] if name not in schema.get("properties", {})]
    if names:
        schema["required"] = [name for name in schema["required"] if name not in names]
        spot.report.lose(notices_normal.REQUIRED_IMPOSSIBLE, spot.pointer, names=", ".join(names))


def _mend_counts(spot: Spot) -> None:
    for key in _COUNTS:
        if key not in spot.schema:
            continue
        value = spot.schema[key]
        number = _number(value)
        if number is None or number < 0 or number != int(number):
            spot.drop(key)
        elif type(value) is not int:
            spot.mend(key, int(number))


def _mend_numbers(spot: Spot) -> None:
    for key in _NUMBERS:
        if key not in spot.schema:
            continue
        value = spot.schema[key]
        number = _number(value)
        if number is None or (key == "multipleOf" and number <= 0):
            spot.drop(key)
        elif isinstance(value, str):
            spot.mend(key, number)


def _number(value: Json) -> float | int | None:
    """The number that a value is or spells; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if not isinstance(value, str):
        return value
    if not re.fullmatch(r"\s*[-+]?[0-9]{1,18}(\.[0-9]{1,18})?\s*", value):
        return None
    return float(value) if "." in value else int(value)


def _mend_lists(spot: Spot) -> None:
    for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
        if key in spot.schema and not spot.schema[key]:
            spot.drop(key)
    if "examples" in spot.schema and not isinstance(spot.schema["examples"], list):
        examples = spot.schema["examples"]
        spot.mend("examples", list(examples.values()) if isinstance(examples, dict) else [examples])
    for key in ("dependentRequired",):
        value = spot.schema.get(key)
        if key in spot.schema and not (
            isinstance(value, dict)
            and all(
                isinstance(one, list) and all(isinstance(name, str) for name in one) for one in value.values()
            )
        ):
            spot.drop(key)


def _mend_pattern(spot: Spot) -> None:
    pattern = spot.schema.get("pattern")
    if isinstance(pattern, str):
        instead = usable_pattern(pattern)
        if instead is None:
            spot.schema["x-pattern"] = spot.schema.pop("pattern")
            spot.report.lose(notices_normal.PATTERN_DROPPED, join(spot.pointer, "pattern"), pattern=pattern)
        elif instead != pattern:
            spot.schema["pattern"] = instead
            spot.report.find(
                notices_normal.PATTERN_MENDED, join(spot.pointer, "pattern"), pattern=pattern, instead=instead
            )
    patterns = spot.schema.get("patternProperties", {})
    for pattern in list(patterns):
        if usable_pattern(pattern) != pattern:
            patterns.pop(pattern)
            spot.report.lose(
                notices_normal.PATTERN_DROPPED, join(spot.pointer, "patternProperties"), pattern=pattern
            )


@lru_cache(maxsize=4096)
def usable_pattern(pattern: str) -> str | None:
    """The pattern itself where it compiles, an equivalent where one is known, else None."""
    if compiles({"pattern": pattern}):
        return pattern
    instead = _HYPHEN_IN_CLASS.sub(r"\1\2\\-", pattern)
    for anchor, replacement in _ANCHORS:
        instead = anchor.sub(replacement, instead)
    return instead if compiles({"pattern": instead}) else None


def _mend_rest(spot: Spot) -> None:
    for key in _STRINGS:
        if key in spot.schema and not isinstance(spot.schema[key], str):
            spot.drop(key)
    discriminator = spot.schema.get("discriminator")
    if isinstance(discriminator, str):
        spot.mend("discriminator", {"propertyName": discriminator})
    elif "discriminator" in spot.schema:
        _check_discriminator(spot, discriminator)


def _check_discriminator(spot: Spot, discriminator: Json) -> None:
    if not isinstance(discriminator, dict) or not isinstance(discriminator.get("propertyName"), str):
        spot.schema.pop("discriminator")
        spot.report.lose(
            notices_normal.DISCRIMINATOR,
            spot.pointer,
            what_zh="没有 propertyName",
            what_en="has no propertyName",
        )
        return
    mapping = discriminator.get("mapping")
    if mapping is not None and not (
        isinstance(mapping, dict) and all(isinstance(value, str) for value in mapping.values())
    ):
        discriminator.pop("mapping")


def _replace_booleans(spot: Spot) -> None:
    """Generators read schemas as objects: `true` becomes {}, `false` {"not": {}}."""
    schema = spot.schema
    if schema.get("items") is False and "prefixItems" in schema:
        schema.pop("items")
        schema.setdefault("maxItems", len(schema["prefixItems"]))
        spot.report.lose(
            notices_normal.SCHEMA_BOOLEAN, join(spot.pointer, "items"), value="false", instead="maxItems"
        )
    for key in _NEEDS_SCHEMA:
        if isinstance(schema.get(key), bool):
            schema[key] = _instead(schema[key], join(spot.pointer, key), spot.report)
    for key in ("properties", "patternProperties", "$defs", "dependentSchemas"):
        for name, value in schema.get(key, {}).items():
            if isinstance(value, bool):
                schema[key][name] = _instead(value, join(spot.pointer, key, name), spot.report)
    for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
        for index, value in enumerate(schema.get(key, ())):
            if isinstance(value, bool):
                schema[key][index] = _instead(value, f"{spot.pointer}/{key}/{index}", spot.report)


def _instead(value: bool, pointer: str, report: Report) -> JsonObject:
    instead: dict[str, Any] = {} if value else {"not": {}}
    report.lose(notices_normal.SCHEMA_BOOLEAN, pointer, value=str(value).lower(), instead=str(instead))
    return instead


Cleaner = Callable[[JsonObject, str, Report], None]
