"""Simple types of XML Schema -> JSON Schema: the built-in ones and their facets, each loss told.

Source: XML Schema 1.0 Part 2: Datatypes.
"""

import re

from api.contract.draft import notices
from api.contract.draft.xml_tree import Element
from api.contract.draft.xsd_files import XS
from api.contract.model import JsonObject
from api.contract.report import Report

_INTEGERS = {
    "integer": {}, "int": {"minimum": -(2**31), "maximum": 2**31 - 1}, "long": {}, "short": {"minimum": -32768, "maximum": 32767},
    "byte": {"minimum": -128, "maximum": 127}, "nonNegativeInteger": {"minimum": 0}, "positiveInteger": {"minimum": 1},
    "nonPositiveInteger": {"maximum": 0}, "negativeInteger": {"maximum": -1}, "unsignedInt": {"minimum": 0},
    "unsignedLong": {"minimum": 0}, "unsignedShort": {"minimum": 0, "maximum": 65535}, "unsignedByte": {"minimum": 0, "maximum": 255},
}  # fmt: skip
_FORMATS = {"date": "date", "dateTime": "date-time", "anyURI": "uri"}
_NUMBERS = frozenset({"decimal", "float", "double"})
_MOST = 4000  # characters of a text that states no bound


def builtin(local: str) -> JsonObject:
    """The schema of a built-in type; text for those that JSON has no word for."""
    if local in _INTEGERS:
        return {"type": "integer", **_INTEGERS[local]}
    if local in _NUMBERS:
        return {"type": "number"}
    if local == "boolean":
        return {"type": "boolean"}
    if local in _FORMATS and local != "anyURI":
        return {"type": "string", "format": _FORMATS[local]}
    return {"type": "string"}


def restrict(base: JsonObject, facets: list[Element], pointer: str, report: Report) -> JsonObject:
    """The base with the facets of a restriction."""
    made = dict(base)
    enum = [one.get("value") for one in facets if one.local == "enumeration"]
    if enum:
        made = {"type": base.get("type", "string"), "enum": [_typed(one, base) for one in enum]}
    patterns = [one.get("value") for one in facets if one.local == "pattern"]
    for one in facets:
        _restrict_by(made, one.local, one.get("value"))
    if patterns and made.get("type") == "string" and "enum" not in made:
        pattern = json_pattern(
            "|".join(f"(?:{one})" for one in patterns) if len(patterns) > 1 else patterns[0]
        )
        if pattern:
            made["pattern"] = pattern
        else:
            report.lose(notices.PATTERN, pointer, pattern=patterns[0])
    return made


def _typed(value: str, base: JsonObject) -> str | int | float:
    try:
        if base.get("type") == "integer":
            return int(value)
        return float(value) if base.get("type") == "number" else value
    except ValueError:
        return value


def _restrict_by(made: JsonObject, facet: str, value: str) -> None:
    is_text = made.get("type") == "string"
    if (
        facet in {"length", "minLength", "maxLength"}
        and is_text
        and value.isdigit()
        and len(value) < 7
        and "format" not in made
    ):
        for key in ("minLength", "maxLength") if facet == "length" else (facet,):
            made[key] = int(value)
    elif facet in {"minInclusive", "maxInclusive", "minExclusive", "maxExclusive"} and not is_text:
        key = {"minI": "minimum", "maxI": "maximum", "minE": "exclusiveMinimum", "maxE": "exclusiveMaximum"}[
            facet[:4]
        ]
        number = _typed(value, made)
        if isinstance(number, int | float):
            made[key] = number
            made.pop({"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}.get(key, ""), None)
    elif facet == "fractionDigits" and value == "0" and made.get("type") == "number":
        made["type"] = "integer"


def json_pattern(written: str) -> str:
    """An XSD pattern as one of JSON Schema, "" where it cannot be said: XSD has classes of names and subtraction."""
    if re.search(r"\\[icICpP]|-\[", written) or len(written) > 500:
        return ""
    pattern = written.replace("$", r"\$") if written.endswith("$") is False and "$" in written else written
    pattern = pattern.removeprefix("^").removesuffix("$")
    try:
        re.compile(pattern)
    except (re.error, RecursionError, OverflowError):
        return ""
    return f"^(?:{pattern})$" if "|" in pattern else f"^{pattern}$"


def bounded(schema: JsonObject) -> JsonObject:
    """A text that states no bound gets a generous one."""
    if schema.get("type") == "string" and not schema.keys() & {"maxLength", "enum", "format", "pattern"}:
        return {**schema, "maxLength": _MOST}
    return schema


def is_builtin(name: str) -> bool:
    return name.startswith(XS)
