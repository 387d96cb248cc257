"""Values for the examples of a draft: valid by the schema and visibly made up, never one that the source held."""

import re
from re import _constants as marks  # type: ignore[attr-defined]  # the parse tree has no public name
from re import _parser as patterns  # type: ignore[attr-defined]  # the parse tree has no public name
from typing import Any

from api.contract.draft import checks
from api.contract.draft.parts import Field

_BY_KIND = {
    "phone": "10000000000",
    "email": "someone@kaimen.example",
    "address": "开门市样本路1号",
    "name": "示例甲",
    "bank-account": "9900000000000001",
}
_BY_NAME = {
    "company_name": "示例甲有限公司",
    "sex": "女",
    "division_code": "990101",
    "postcode": "990101",
    "plate_number": "样A00001",
}
_MOST_REPEATS = 1000


def example_of(field: Field, number: int = 1) -> Any:
    """A value for the field; another `number` gives another one where the schema allows."""
    if field.is_list:
        return [_single(field, number)]
    return _single(field, number)


def example_record(fields: list[Field], number: int = 1) -> dict[str, Any]:
    """An object with every field; what may be left out is there too, so that a reader sees it."""
    return {one.name: example_of(one, number) for one in fields}


def _single(field: Field, number: int) -> Any:
    if field.is_object:
        return example_record(field.fields, number)
    schema = field.schema
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    if kind == "boolean":
        return True
    if kind in {"integer", "number"}:
        return _number(schema, number)
    return _text(field, schema, number)


def _number(schema: dict[str, Any], number: int) -> int | float:
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    value: int | float = number
    if low is not None and value <= low:
        value = (
            low + 1 if high is None or low + 1 < high else low if "minimum" in schema else (low + high) / 2
        )
    if high is not None and value >= high:
        value = high - 1 if low is None or high - 1 > low else min(high, value)
    return int(value) if schema.get("type") == "integer" else value


def _text(field: Field, schema: dict[str, Any], number: int) -> str:
    form = schema.get("format")
    if form == "date":
        return f"2026-01-{number % 28 + 1:02d}"
    if form == "date-time":
        return f"2026-01-{number % 28 + 1:02d}T09:00:00+08:00"
    if schema.get("pattern") == checks.CITIZEN_PATTERN:
        return checks.citizen_number(2 * number)
    if schema.get("pattern") == checks.CREDIT_PATTERN:
        return checks.credit_code(14 + number)
    if schema.get("pattern"):
        return matching(schema["pattern"], number) or ""
    value = _BY_KIND.get(field.kind) or _BY_NAME.get(field.name)
    if value is None:
        is_code = bool(re.search("(code|number|_no|_id|^id)$", field.name))
        value = f"KM{number:06d}" if is_code else f"示例{field.zh or ''}"
    most, fewest = schema.get("maxLength", 4000), schema.get("minLength", 0)
    value = (
        value
        if len(value) <= most
        else str(number % 10 ** min(most, 15)).zfill(min(most, 15))[-most:]
        if most
        else ""
    )
    return value if len(value) >= fewest else value + "0" * (fewest - len(value))


def matching(pattern: str, number: int = 1) -> str:
    """A text that the pattern matches, "" where none was found. Digits tell `number` where there is room."""
    try:
        made = _spell(patterns.parse(pattern), 0)
        if made is None:
            return ""
        return next((one for one in (_numbered(made, number), made) if re.search(pattern, one)), "")
    except (re.error, RecursionError, OverflowError, ValueError):
        return ""


def _numbered(text: str, number: int) -> str:
    """The last run of zeros in a text, counted up."""
    runs = list(re.finditer("0+", text))
    if not runs or number < 1:
        return text
    start, end = runs[-1].span()
    return text[:start] + str(number).zfill(end - start)[-(end - start) :] + text[end:]


def _spell(tree: Any, depth: int) -> str | None:
    if depth > 20:
        return None
    made = ""
    for op, argument in tree:
        piece = _piece(op, argument, depth)
        if piece is None or len(made) > 2000:
            return None
        made += piece
    return made


def _piece(op: Any, argument: Any, depth: int) -> str | None:
    made: str | None = "" if op is marks.AT else None
    if op is marks.LITERAL:
        made = chr(argument)
    elif op is marks.NOT_LITERAL:
        made = "0" if argument != ord("0") else "1"
    elif op is marks.ANY:
        made = "0"
    elif op is marks.IN:
        made = _member(argument)
    elif op in {marks.MAX_REPEAT, marks.MIN_REPEAT, marks.POSSESSIVE_REPEAT}:
        fewest, most, inner = argument
        times = max(fewest, 1 if most else 0)
        piece = _spell(inner, depth + 1) if times <= _MOST_REPEATS else None
        made = None if piece is None else piece * times
    elif op is marks.SUBPATTERN:
        made = _spell(argument[-1], depth + 1)
    elif op is marks.BRANCH:
        made = _spell(argument[1][0], depth + 1)
    return made


def _member(items: Any) -> str | None:
    first = items[0]
    if first[0] is marks.NEGATE:
        return next((one for one in "0aA- _" if not _holds(items[1:], one)), None)
    op, argument = first
    if op is marks.LITERAL:
        return chr(argument)
    if op is marks.RANGE:
        return chr(argument[0])
    if op is marks.CATEGORY:
        return next((one for one in "0a -" if _holds(items[:1], one)), None)
    return None


def _holds(items: Any, char: str) -> bool:
    for op, argument in items:
        if op is marks.LITERAL and chr(argument) == char:
            return True
        if op is marks.RANGE and argument[0] <= ord(char) <= argument[1]:
            return True
        if op is marks.CATEGORY:
            tests = {marks.CATEGORY_DIGIT: r"\d", marks.CATEGORY_SPACE: r"\s", marks.CATEGORY_WORD: r"\w",
                     marks.CATEGORY_NOT_DIGIT: r"\D", marks.CATEGORY_NOT_SPACE: r"\S", marks.CATEGORY_NOT_WORD: r"\W"}  # fmt: skip
            if argument in tests and re.match(tests[argument], char):
                return True
    return False
