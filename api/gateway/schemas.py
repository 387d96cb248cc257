"""JSON Schema validators of one contract: one registry, each validator compiled when it is first needed.

Compiled by jsonschema-rs (draft 2020-12). Formats are checked, unknown ones pass; nothing is ever fetched.
Messages never hold the value that was sent: they are answered and may be logged.
"""

from collections.abc import Callable
from functools import cached_property
from itertools import islice
from typing import Any

import jsonschema_rs
from jsonschema_rs import Draft202012, Draft202012Validator, FancyRegexOptions, RegexOptions, Registry

from api.contract.model import Json, JsonObject
from api.core.logging import log_warning
from api.gateway import listing
from api.gateway.listing import COMPONENTS, LISTED_LEVELS, MAX_ERRORS

_BASE = "urn:kaimen:contract"
_ANNOTATIONS = frozenset(
    {
        "description",
        "title",
        "example",
        "examples",
        "default",
        "deprecated",
        "readOnly",
        "writeOnly",
        "$comment",
    }
)
# Linear-time expressions first; look-around only within a bound, or one request could cost a second.
_ENGINES: tuple[RegexOptions | FancyRegexOptions, ...] = (
    RegexOptions(),
    FancyRegexOptions(backtrack_limit=20_000),
)

FieldError = dict[str, Any]  # {"pointer", "message"}


class Check:
    """A schema, compiled: whether a value fits it, and if not, why."""

    __slots__ = ("_lister", "_schema", "_schemas", "is_valid")

    def __init__(self, schema: Json, validator: Draft202012Validator, schemas: "Schemas") -> None:
        self.is_valid: Callable[[Any], bool] = validator.is_valid
        self._schemas = schemas
        self._schema = schema
        self._lister: Draft202012Validator | None = None

    def errors(self, value: Json, pointer: str) -> list[FieldError]:
        """What is wrong with a value that does not fit, at most MAX_ERRORS of it; JSON pointers below `pointer`."""
        if self._lister is None:
            self._lister = self._schemas.compile(listing.rewritten(self._schema), is_for_listing=True)
        if self._schemas.is_recursive and listing.is_deeper(value, LISTED_LEVELS):
            message = f"does not fit the contract; where, is told of values of up to {LISTED_LEVELS} levels"
            return [{"pointer": pointer, "message": message}]
        found = listing.errors_of(self._lister, value, pointer) if self._lister is not None else iter(())
        errors: list[FieldError] = list(islice(found, MAX_ERRORS))
        return errors or [{"pointer": pointer, "message": "does not fit the contract"}]


class Schemas:
    """The schemas of a service version, by which its requests and answers are checked."""

    def __init__(self, key: str, schemas: dict[str, JsonObject]) -> None:
        self._key = key
        self._schemas = schemas
        self._registries: dict[tuple[int, bool], Registry] = {}
        self._by_reference: dict[str, Check | None] = {}

    def check(self, schema: Json) -> Check | None:
        """The check of a schema of the contract; None where any value will do.

        A schema that cannot be compiled (a broken expression, a reference to nothing) checks nothing, and is
        logged: the contract's owner is told at import, and a call is no time to fail.
        """
        if schema is True or schema is None or schema == {}:
            return None
        if isinstance(schema, dict) and len(schema) == 1 and "$ref" in schema:
            reference = schema["$ref"]
            if reference not in self._by_reference:
                self._by_reference[reference] = self._check(schema)
            return self._by_reference[reference]
        return self._check(schema)

    def _check(self, schema: Json) -> Check | None:
        validator = self.compile(schema)
        return None if validator is None else Check(schema, validator, self)

    @cached_property
    def is_recursive(self) -> bool:
        """Whether a schema is described by itself."""
        return listing.is_recursive(self._schemas)

    def resolve(self, schema: Json) -> Json:
        """The schema behind a chain of plain references to components."""
        for _ in range(32):
            if not isinstance(schema, dict) or not isinstance(schema.get("$ref"), str):
                return schema
            reference = schema["$ref"]
            if not reference.startswith(COMPONENTS):
                return schema
            schema = self._schemas.get(_name_of(reference), {})
        return {}

    def types_of(self, schema: Json) -> frozenset[str]:
        """The JSON types that a schema allows; empty where it does not say."""
        return frozenset(self._types_of(schema, 0))

    def _types_of(self, schema: Json, depth: int) -> set[str]:
        schema = self.resolve(schema)
        if not isinstance(schema, dict) or depth > 8:
            return set()
        stated = schema.get("type")
        if stated:
            return {stated} if isinstance(stated, str) else set(stated)
        values = [schema["const"]] if "const" in schema else schema.get("enum") or ()
        found = {_type_name(value) for value in values}
        for keyword in ("allOf", "anyOf", "oneOf"):
            for branch in schema.get(keyword) or ():
                found |= self._types_of(branch, depth + 1)
        if not found and "properties" in schema:
            found.add("object")
        return found

    def compile(self, schema: Json, *, is_for_listing: bool = False) -> Draft202012Validator | None:
        """The validator of a schema of the contract, or of one rewritten for listing errors."""
        schema = _with_absolute_references(schema)
        problem: Exception | None = None
        for number, engine in enumerate(_ENGINES):
            try:
                return Draft202012Validator(
                    schema, registry=self._registry(number, is_for_listing=is_for_listing), validate_formats=True, ignore_unknown_formats=True,
                    mask="value", pattern_options=engine, offline=True,
                )  # fmt: skip
            except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
                problem = error
        log_warning("validate.schema_unusable", service=self._key, error=str(problem)[:200])
        return None

    def _registry(self, number: int, *, is_for_listing: bool) -> Registry:
        registry = self._registries.get((number, is_for_listing))
        if registry is None:
            components: dict[str, dict[str, Json]] = {"schemas": dict(self._schemas)}
            if is_for_listing:
                components["rewritten"] = {
                    name: listing.rewritten(schema) for name, schema in self._schemas.items()
                }
            document = {"components": components}
            registry = Registry([(_BASE, document)], draft=Draft202012)
            self._registries[number, is_for_listing] = registry
        return registry


def is_any_text(schema: Json) -> bool:
    """Whether any decoded text satisfies the schema: `{type: string}` and no more, or nothing at all."""
    if schema is True or schema is None or schema == {}:
        return True
    return isinstance(schema, dict) and all(
        key in _ANNOTATIONS or key.startswith("x-") or (key == "type" and value == "string")
        for key, value in schema.items()
    )


def _type_name(value: Json) -> str:
    if value is None:
        return "null"
    for kind, name in (
        (bool, "boolean"),
        (int, "integer"),
        (float, "number"),
        (str, "string"),
        (list, "array"),
    ):
        if isinstance(value, kind):
            return name
    return "object"


def _name_of(reference: str) -> str:
    return reference.removeprefix(COMPONENTS).replace("~1", "/").replace("~0", "~")


def _absolute(reference: Json) -> Json:
    if isinstance(reference, str) and reference.startswith("#/components/"):
        return _BASE + reference
    return reference


def _with_absolute_references(schema: Json) -> Json:
    if isinstance(schema, dict):
        return {
            key: _absolute(value) if key in {"$ref", "$dynamicRef"} else _with_absolute_references(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_with_absolute_references(item) for item in schema]
    return schema
