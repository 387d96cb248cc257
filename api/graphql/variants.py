"""Which alternative of a union a value is: by the discriminator, else by what its members say."""

from typing import Any

from msgspec import Struct

from api.contract.model import JsonObject


class Variant(Struct, frozen=True):
    """One alternative: the name of its type, the discriminator's values for it, its flat schema."""

    type_name: str
    tags: frozenset[str]
    flat: JsonObject


def variant_of(
    value: Any, discriminator: str, variants: list[Variant], schemas: dict[str, JsonObject]
) -> str:
    """The name of the type. The discriminator decides; without a known one the best fit, the first of equals."""
    if discriminator and isinstance(value, dict):
        tag = value.get(discriminator)
        for variant in variants:
            if tag in variant.tags:
                return variant.type_name
    return max(variants, key=lambda one: _fit(value, one.flat, schemas)).type_name


def _fit(value: Any, flat: JsonObject, schemas: dict[str, JsonObject]) -> tuple[int, int, int]:
    if not isinstance(value, dict):
        return (0, 0, 0)
    properties = flat.get("properties") or {}
    required = flat.get("required") or []
    contradictions = missing = 0
    for name, one in value.items():
        child = properties.get(name)
        if isinstance(child, dict):
            reference = child.get("$ref")
            if isinstance(reference, str):
                child = schemas.get(reference.rpartition("/")[2], {})
            allowed = child.get("enum", [child["const"]] if "const" in child else None)
            contradictions += isinstance(allowed, list) and one not in allowed
    missing = sum(name not in value for name in required)
    return (
        -contradictions,
        -missing,
        sum(name in properties for name in value) - sum(name not in properties for name in value),
    )
