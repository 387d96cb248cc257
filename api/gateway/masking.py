"""What of a request's address may stand in the log: values of classified parameters are masked.

A parameter is classified when its schema says `x-classification` of L2 or above, or `x-mask`. Of an address
that belongs to no operation nobody knows what it holds: whatever looks like a number of a person or a thing is
masked, and so is every query value.
"""

import re
from typing import Any
from urllib.parse import unquote

from api.contract.model import Operation, Service

MASK = "***"
_SHOWN_PATH = 512
_NUMBER = re.compile(r"[0-9A-Za-z]*\d[0-9A-Za-z]{0,64}")
_NUMBER_LENGTH = 6


def mask_value(value: str, mask: str) -> str:
    """The value as the log may show it: `last4`, `first1`, `first3-last4`, `email`, anything else hides all."""
    if mask == "last4" and len(value) > 8:
        return MASK + value[-4:]
    if mask == "first1" and len(value) > 1:
        return value[0] + MASK
    if mask == "first3-last4" and len(value) > 10:
        return value[:3] + MASK + value[-4:]
    if mask == "email" and "@" in value:
        return value[:1] + MASK + "@" + value.partition("@")[2]
    return MASK


class AddressMask:
    """How to show the address of a call of one operation."""

    __slots__ = ("_is_plain", "_path_masks", "_prefix", "_query_masks", "_template", "classified")

    def __init__(self, operation: Operation, service: Service) -> None:
        self._prefix = f"/api/{service.name}/{service.version}"
        self._template = operation.path
        self._path_masks: dict[str, str | None] = {}
        self._query_masks: dict[str, str | None] = {}
        for parameter in operation.parameters:
            mask = _mask_of(parameter.schema, service.schemas)
            if parameter.location == "path":
                self._path_masks[parameter.name] = mask
            elif parameter.location == "query":
                self._query_masks[parameter.name] = mask
        self._is_plain = not any(self._path_masks.values())
        # The parameters that say whose data it is: the classified ones.
        self.classified = frozenset(
            name for masks in (self._path_masks, self._query_masks) for name, mask in masks.items() if mask
        )

    def shown(self, path: str, path_values: dict[str, Any], query: bytes) -> str:
        """Path and query, at most 512 characters, classified values masked, undeclared query values too."""
        if self._is_plain:
            text = path if path.startswith("/api/") else "/api" + path
        else:
            below = self._template
            for name, mask in self._path_masks.items():
                value = str(path_values.get(name, ""))
                below = below.replace("{" + name + "}", value if mask is None else mask_value(value, mask))
            text = self._prefix + below
        if query:
            text += "?" + self._shown_query(query)
        return _storable(text)

    def _shown_query(self, query: bytes) -> str:
        shown = []
        for part in query.decode("utf-8", "replace").split("&")[:40]:
            name, has_value, value = part.partition("=")
            name = unquote(name.replace("+", " "))[:100]
            if name in self._query_masks:
                mask = self._query_masks[name]
                value = unquote(value.replace("+", " "))
                shown.append(name + has_value + (value if mask is None else mask_value(value, mask)))
            else:
                shown.append(name + has_value + (MASK if has_value else ""))
        return "&".join(shown)


def shown_unrouted(path: str, query: bytes) -> str:
    """The address of a call that belongs to no operation."""
    text = path if path.startswith(("/api", "/graphql", "/mcp")) else "/api" + path
    text = _NUMBER.sub(
        lambda found: MASK if len(found[0]) >= _NUMBER_LENGTH else found[0], text[:_SHOWN_PATH]
    )
    if query:
        names = [
            unquote(part.partition("=")[0])[:40] for part in query.decode("utf-8", "replace").split("&")[:20]
        ]
        text += "?" + "&".join(name + "=" + MASK for name in names)
    return _storable(text)


def _storable(text: str) -> str:
    """At most 512 characters that every database takes."""
    if text.isascii() and text.isprintable():
        return text[:_SHOWN_PATH]
    return text[:_SHOWN_PATH].encode("utf-8", "replace").decode().replace("\0", "")


def _mask_of(schema: Any, schemas: dict[str, Any]) -> str | None:
    """The mask of a parameter, None where its value may be shown."""
    for _ in range(8):
        if not isinstance(schema, dict):
            return None
        classification = schema.get("x-classification")
        level = classification.get("level", "") if isinstance(classification, dict) else ""
        mask = schema.get("x-mask")
        if mask or level >= "L2":
            return str(mask or "all")
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            items = schema.get("items")
            if items is None:
                return None
            schema = items
        else:
            schema = schemas.get(reference.rpartition("/")[2])
    return None
