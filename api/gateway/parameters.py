"""Parameters as the contract writes them: found, decoded by style and explode, typed by their schema, checked.

Source: OpenAPI 3.1 §4.8.12 (styles), RFC 6570. A parameter that the contract does not name passes through
unread. It knows no exchange: `validate` hands in what came.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote_plus

import msgspec

from api.contract.model import Json, JsonObject, Parameter
from api.gateway.schemas import FieldError, Schemas, is_any_text

Pairs = list[tuple[str, str]]  # decoded name, value as sent

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,30})")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][+-]?[0-9]{1,3})?")
_ENCODED_SEPARATORS = {"spaceDelimited": re.compile(r"%20|\+| "), "pipeDelimited": re.compile(r"%7[cC]|\|")}
_DEFAULT_STYLE = {"path": "simple", "query": "form", "header": "simple", "cookie": "form"}
_STRING = frozenset({"string"})
MISSING = object()


def split_query(query: bytes) -> Pairs:
    """The pairs of a query string. Its names are decoded; a value is decoded where its style is known."""
    pairs = []
    for part in query.decode().split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((unquote_plus(name) if "%" in name or "+" in name else name, value))
    return pairs


def split_cookies(header: str) -> Pairs:
    """The pairs of a Cookie header."""
    pairs = []
    for part in header.split(";"):
        name, separator, value = part.strip().partition("=")
        if separator:
            pairs.append((name, value.strip('"')))
    return pairs


class Reader:
    """Reads one parameter of the contract. `read` gives its typed value, MISSING, or adds to `errors`."""

    __slots__ = (
        "_is_array", "_is_object", "_item_types", "_property_types", "_schema_check",
        "explode", "is_json", "key", "location", "name", "others", "pointer", "required", "schema", "style", "takes_any_text", "types",
    )  # fmt: skip

    def __init__(self, parameter: Parameter, schemas: Schemas) -> None:
        self.name = parameter.name
        self.location = parameter.location
        self.key = parameter.name.lower().encode()  # of a header
        self.required = parameter.required
        self.others: frozenset[str] = frozenset()  # names of all query parameters of the operation
        self.style = parameter.style or _DEFAULT_STYLE[parameter.location]
        self.explode = (self.style == "form") if parameter.explode is None else parameter.explode
        self.is_json = bool(parameter.content_type) and "json" in parameter.content_type
        self.pointer = f"/{parameter.location}/{parameter.name.replace('~', '~0').replace('/', '~1')}"
        self.schema = schemas.resolve(parameter.schema)
        self.types = schemas.types_of(parameter.schema)
        items = self.schema.get("items") if isinstance(self.schema, dict) else None
        self._item_types = schemas.types_of(items) if items is not None else frozenset()
        properties = self.schema.get("properties") if isinstance(self.schema, dict) else None
        self._property_types = {
            name: schemas.types_of(schema)
            for name, schema in (properties if isinstance(properties, dict) else {}).items()
        }
        scalars = self.types - {"array", "object", "null"}
        self._is_array = "array" in self.types and not scalars
        self._is_object = "object" in self.types and not scalars and not self._is_array
        self.takes_any_text = is_any_text(self.schema) and not self.is_json
        self._schema_check = None if self.takes_any_text else schemas.check(parameter.schema)

    def read_text(self, text: str, errors: list[FieldError]) -> Any:
        """From a decoded text: a path segment, a header or a cookie."""
        if self.takes_any_text:
            return text
        if self.is_json:
            return self._check(self._from_json(text, errors), errors)
        if self._is_array:
            return self._check(self._array(self._unprefixed(text, ",")), errors)
        if self._is_object:
            return self._check(self._object(self._unprefixed(text, ",")), errors)
        if self.style in {"label", "matrix"}:
            text = "".join(self._unprefixed(text, None))
        return self._check(self._scalar(text), errors)

    def read_pairs(self, pairs: Pairs, errors: list[FieldError]) -> Any:
        """From the pairs of the query."""
        if self._is_object and not self.is_json:
            return self._read_object(pairs, errors)
        found = [value for name, value in pairs if name == self.name]
        if self._is_array and not self.is_json:
            found = found or [value for name, value in pairs if name == self.name + "[]"]
            return self._check(self._array(self._split(found)), errors) if found else MISSING
        if not found:
            return MISSING
        if len(found) > 1:
            errors.append({"pointer": self.pointer, "message": f"is there {len(found)} times; send it once"})
            return MISSING
        text = unquote_plus(found[0]) if "%" in found[0] or "+" in found[0] else found[0]
        return text if self.takes_any_text else self.read_text(text, errors)

    # -- shapes -------------------------------------------------------------------------------------
    def _split(self, found: list[str]) -> list[str]:
        if self.explode or len(found) > 1:
            return [unquote_plus(value) for value in found]
        if self.style in _ENCODED_SEPARATORS:
            parts = _ENCODED_SEPARATORS[self.style].split(found[0])
        else:
            parts = found[0].split(",") if found[0] else []
        return [unquote_plus(part) for part in parts]

    def _unprefixed(self, text: str, separator: str | None) -> list[str]:
        """The parts of a path or header value, without what the styles label and matrix put before it."""
        if self.style == "label" and text.startswith("."):
            text = text[1:]
            separator = "." if self.explode and separator else separator
        elif self.style == "matrix" and text.startswith(";"):
            parts = [part.partition("=")[2] for part in text[1:].split(";")]
            if self.explode or separator is None or len(parts) > 1:
                return parts
            text = parts[0]
        if separator is None:
            return [text]
        return [part.strip() for part in text.split(separator)] if text else []

    def _array(self, parts: Sequence[str]) -> list[Any]:
        return [coerce(part, self._item_types) for part in parts]

    def _object(self, parts: Sequence[str]) -> JsonObject:
        if self.explode:
            pairs = [part.partition("=")[::2] for part in parts]
        else:
            pairs = list(zip(parts[0::2], parts[1::2], strict=False))
        return {name: coerce(value, self._property_types.get(name, frozenset())) for name, value in pairs}

    def _read_object(self, pairs: Pairs, errors: list[FieldError]) -> Any:
        if self.style == "deepObject":
            prefix = self.name + "["
            parts = [
                (name[len(prefix) : -1], value)
                for name, value in pairs
                if name.startswith(prefix) and name.endswith("]")
            ]
        elif self.explode:
            own = self._property_types  # without any, a map of whatever the contract does not name otherwise
            parts = [
                (name, value) for name, value in pairs if name in own or not (own or name in self.others)
            ]
            if not parts and not own and self.required:
                return self._check({}, errors)  # an empty map is written as nothing
        else:
            texts = [value for name, value in pairs if name == self.name]
            if not texts:
                return MISSING
            return self._check(self._object([unquote_plus(part) for part in texts[0].split(",")]), errors)
        if not parts:
            return MISSING
        value: JsonObject = {}
        for name, text in parts:
            if name in value:
                errors.append(
                    {"pointer": f"{self.pointer}/{name}", "message": "is there twice; send it once"}
                )
            value[name] = coerce(unquote_plus(text), self._property_types.get(name, frozenset()))
        return self._check(value, errors)

    def _scalar(self, text: str) -> Any:
        if len(self.types) == 1 or self._schema_check is None:
            return coerce(text, self.types)
        value = coerce(text, self.types)
        if value is not text and "string" in self.types and not self._schema_check.is_valid(value):
            return text
        return value

    def _from_json(self, text: str, errors: list[FieldError]) -> Any:
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeEncodeError):
            errors.append({"pointer": self.pointer, "message": "is no JSON"})
            return MISSING

    def _check(self, value: Any, errors: list[FieldError]) -> Any:
        if value is MISSING or self._schema_check is None or self._schema_check.is_valid(value):
            return value
        errors += self._schema_check.errors(value, self.pointer)
        return MISSING


def coerce(text: str, types: frozenset[str]) -> Json:
    """The text as the first of the types that it can be: integer, number, boolean, null, else as it is."""
    if not types or types == _STRING:
        return text
    value: Json = text
    if ("integer" in types or "number" in types) and _INTEGER.fullmatch(text):
        value = int(text)
    elif "number" in types and _NUMBER.fullmatch(text):
        value = float(text)
    elif "boolean" in types and text in {"true", "false"}:
        value = text == "true"
    elif "null" in types and text == "null" and "string" not in types:
        value = None
    return value
