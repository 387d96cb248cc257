"""A JSON value with everything masked that its schema classifies, and everything that no schema describes.

Shape is kept: a text stays a text, a number a number, null null. It is what may lie about for a while; a request log
holds no bodies at all.
"""

from typing import Any

from api.contract.flatten import CHOICES, Memo, flatten
from api.contract.model import Json, JsonObject
from api.gateway.masking import mask_value

_MOST_DEPTH = 24


class ValueMask:
    """Masks values of one contract."""

    def __init__(self, schemas: dict[str, JsonObject]) -> None:
        self._schemas = schemas
        self._memo: Memo = {}

    def shown(self, value: Json, schema: Json) -> Json:
        """The value as it may be kept; `schema` None: nothing is known of it, and everything is masked."""
        return self._shown(value, [schema] if isinstance(schema, dict) and schema else [], "", 0)

    def is_masked(self, schema: Json) -> bool:
        """Whether a plain value of this schema is masked."""
        views = self._views([schema], 0)
        return not views or any(_mask_of(one) for one in views)

    def _shown(self, value: Json, schemas: list[Json], mask: str, depth: int) -> Json:
        views = self._views(schemas, 0)
        mask = next((found for found in map(_mask_of, views) if found), mask)
        if not views or depth > _MOST_DEPTH:
            mask = mask or "all"
        if isinstance(value, dict):
            made = {}
            for name, one in value.items():
                inner = [_member(view, name) for view in views]
                made[name] = self._shown(one, [one for one in inner if one is not None], mask, depth + 1)
            return made
        if isinstance(value, list):
            items = [one["items"] for one in views if isinstance(one.get("items"), dict)]
            return [self._shown(one, items, mask, depth + 1) for one in value]
        return _masked(value, mask) if mask else value

    def _views(self, schemas: list[Json], depth: int) -> list[JsonObject]:
        """The schemas flat, with every alternative that they leave open."""
        made: list[JsonObject] = []
        for schema in schemas:
            if not isinstance(schema, dict):
                continue
            flat = flatten(schema, self._schemas, self._memo)
            groups = flat.pop(CHOICES, [])
            made.append(flat)
            if depth < _MOST_DEPTH:
                made += [view for group in groups for view in self._views(group, depth + 1)]
        return made


def _member(view: JsonObject, name: str) -> Any:
    properties = view.get("properties")
    if isinstance(properties, dict) and name in properties:
        return properties[name]
    others = view.get("additionalProperties")
    return others if isinstance(others, dict) and others else None


def _mask_of(view: JsonObject) -> str:
    classification = view.get("x-classification")
    level = classification.get("level", "") if isinstance(classification, dict) else ""
    mask = view.get("x-mask")
    return str(mask or "all") if mask or str(level) >= "L2" else ""


def _masked(value: Json, mask: str) -> Json:
    if isinstance(value, str):
        return mask_value(value, mask) if value else ""
    if isinstance(value, bool) or value is None:
        return None if value is None else False
    return 0 if isinstance(value, int) else 0.0
