"""The scalars of the GraphQL face. What goes over the wire is what REST sends: no value is changed on the way."""

import base64
import re
from typing import Any

from graphql import GraphQLError, GraphQLScalarType, IntValueNode, StringValueNode, ValueNode
from graphql.utilities import value_from_ast_untyped

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})")
_DECIMAL = re.compile(r"-?\d{1,60}(\.\d{1,60})?")
_MOST_DIGITS = 40


def _refused(kind: str, wanted: str) -> GraphQLError:
    return GraphQLError(f"{kind} has to be {wanted}.")


def _long(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.removeprefix("-").isdigit() and len(value) < _MOST_DIGITS:
        return int(value)
    raise _refused("Long", "a whole number")


def _long_literal(node: ValueNode, _: Any = None) -> int:
    if isinstance(node, IntValueNode | StringValueNode):
        return _long(node.value)
    raise _refused("Long", "a whole number")


def _text_scalar(name: str, description: str, pattern: re.Pattern[str], wanted: str) -> GraphQLScalarType:
    def read(value: Any) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise _refused(name, wanted)

    def read_literal(node: ValueNode, _: Any = None) -> str:
        return read(node.value if isinstance(node, StringValueNode) else None)

    return GraphQLScalarType(
        name,
        serialize=lambda value: value,
        parse_value=read,
        parse_literal=read_literal,
        description=description,
    )


def _bytes_out(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def _literal(node: ValueNode, variables: dict[str, Any] | None = None) -> Any:
    return value_from_ast_untyped(node, variables)


LONG = GraphQLScalarType(
    "Long", serialize=_long, parse_value=_long, parse_literal=_long_literal,
    description="整数，不限于 32 位。A whole number of any size; GraphQL's Int ends at 32 bits.",
)  # fmt: skip
DATE = _text_scalar("Date", "日期（RFC 3339），如 2026-06-30。A day.", _DATE, "a day such as 2026-06-30")
DATE_TIME = _text_scalar(
    "DateTime", "时刻（RFC 3339），含时区。A moment with its offset.", _DATE_TIME,
    "a moment such as 2026-06-30T12:00:00+08:00",
)  # fmt: skip
DECIMAL = _text_scalar(
    "Decimal",
    "十进制数，以文本表示，不损失精度。A decimal number as text, exact.",
    _DECIMAL,
    "a decimal number as text",
)
JSON = GraphQLScalarType(
    "JSON", serialize=lambda value: value, parse_value=lambda value: value, parse_literal=_literal,
    description="任意 JSON 值。Any JSON value.",
)  # fmt: skip
BYTES = GraphQLScalarType(
    "Bytes", serialize=_bytes_out, description="字节，以 Base64 表示。Bytes in Base64.",
)  # fmt: skip
