"""Compiling JSON Schemas of a contract with jsonschema-rs: the one place that fixes draft, formats and options.

Gateway, sandbox, SDK and lint use these, so that a value is valid everywhere or nowhere. Nothing is fetched.
"""

from typing import Any

import jsonschema_rs
from jsonschema_rs import Draft202012Validator, Registry

from api.contract.model import Json, JsonObject

BASE = "urn:kaimen:contract"
_LOCAL = "#/components/schemas/"
_REFUSALS = (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError)
_BACKTRACKS = 200_000  # steps of one pattern match, then the value counts as not matching


def absolute(schema: Json) -> Json:
    """The schema with its references leading into the registry of `registry_of`."""
    if isinstance(schema, dict):
        return {
            key: BASE + value
            if key == "$ref" and isinstance(value, str) and value.startswith(_LOCAL)
            else absolute(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [absolute(item) for item in schema]
    return schema


def registry_of(schemas: dict[str, JsonObject]) -> Registry:
    """The registry of a contract's `components.schemas`; make it once for a service. Raises ReferencingError."""
    resource = {"components": {"schemas": absolute(schemas)}}
    return Registry([(BASE, resource)], draft=jsonschema_rs.Draft202012)


def validator_of(schema: Json, registry: Registry | None = None) -> Draft202012Validator:
    """A validator with formats asserted. Raises ValueError (its subclass ValidationError) or ReferencingError."""
    options: dict[str, Any] = {} if registry is None else {"registry": registry}
    return Draft202012Validator(
        absolute(schema),
        validate_formats=True,
        pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=_BACKTRACKS),
        offline=True,
        **options,
    )


def compiles(schema: Json, registry: Registry | None = None) -> bool:
    """Whether jsonschema-rs takes the schema."""
    return refusal_of(schema, registry) == ""


def refusal_of(schema: Json, registry: Registry | None = None) -> str:
    """Why the schema does not compile, in one line; "" when it does."""
    try:
        validator_of(schema, registry)
    except _REFUSALS as error:
        return " ".join(str(error).split())[:160] or type(error).__name__
    return ""


def is_valid(value: Json, schema: Json, schemas: dict[str, JsonObject]) -> bool:
    """Whether the value fits. For one-off questions: it compiles the schema anew."""
    return validator_of(schema, registry_of(schemas)).is_valid(value)
