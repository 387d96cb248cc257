"""Whether values fit schemas of one contract, and why not: compiled once, asked often. For lint, not for requests."""

from itertools import islice

import msgspec
from jsonschema_rs import Draft202012Validator, ReferencingError, Registry

from api.contract.model import Json, JsonObject
from api.contract.validation import registry_of, validator_of

_PRESENCE = frozenset(
    {"required", "minItems", "minProperties", "dependentRequired", "minContains", "contains"}
)
_DATA = frozenset({"enum", "const", "examples", "default"})
_MOST_KEPT = 512


class Judge:
    """Asks the gateway's validator about values."""

    def __init__(self, schemas: dict[str, JsonObject]) -> None:
        self._schemas = schemas
        self._registry: Registry | None = None
        self._validators: dict[bytes, Draft202012Validator | None] = {}

    def error_of(self, value: Json, schema: Json) -> str:
        """The first thing that is wrong with the value, "" when it fits or the schema does not compile."""
        validator = self._validator(schema)
        for error in islice(validator.iter_errors(value), 1) if validator is not None else ():
            where = "/".join(str(step) for step in error.instance_path)
            return f"/{where} {error.message}"[:200]
        return ""

    def _validator(self, schema: Json) -> Draft202012Validator | None:
        key = msgspec.json.encode(schema)
        if key in self._validators:
            return self._validators[key]
        validator: Draft202012Validator | None
        try:
            if self._registry is None:
                self._registry = registry_of(self._schemas)
            validator = validator_of(schema, self._registry)
        except (ValueError, ReferencingError):
            validator = None
        if len(self._validators) >= _MOST_KEPT:
            self._validators.clear()
        self._validators[key] = validator
        return validator


def without_presence(schema: Json) -> Json:
    """The schema without what it says must be there, so that a part of a value fits it."""
    if isinstance(schema, list):
        return [without_presence(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key == "properties" and isinstance(value, dict):
            made[key] = {name: without_presence(child) for name, child in value.items()}
        elif key not in _PRESENCE:
            made[key] = value if key in _DATA else without_presence(value)
    return made
