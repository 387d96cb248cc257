"""Between the contract's JSON and GraphQL's: the full selection of an answer with the way back, and variables.

The types come from the SDL that the face gives the caller, what they stand for from the contract's schemas, read side
by side. Relations (x-ref) are other operations and are not selected.
"""

from collections.abc import Callable
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLUnionType,
    get_nullable_type,
)
from msgspec import Struct

from api.contract.flatten import CHOICES, Memo, flatten
from api.contract.model import Json, JsonObject
from sandbox.parity.drivers.graphql_names import value_text_of, wire_of

Back = Callable[[Any], Json]
_MOST_DEPTH = 13  # a document has at most 15 levels: service and operation are two
_MOST_ALIKE = 2  # how often a type may stand inside itself
_KEY_VALUE = ["key", "value"]


class TooDeepError(Exception):
    """The answer is deeper than a query may be."""


class Selected(Struct, frozen=True):
    """A selection, "" for a scalar, and what makes the contract's JSON of what it brings."""

    text: str
    back: Back | None = None

    def restore(self, value: Any) -> Json:
        """The contract's JSON of a value."""
        return value if value is None or self.back is None else self.back(value)


PLAIN = Selected("")


class Values:
    """The values of one contract."""

    def __init__(self, schemas: dict[str, JsonObject]) -> None:
        self._schemas = schemas
        self._memo: Memo = {}

    # -- answers ------------------------------------------------------------------------------------
    def select(self, kind: Any, schemas: list[Json], inside: tuple[str, ...] = ()) -> Selected:
        """Everything of a type that the schemas describe. Raises TooDeepError."""
        kind = get_nullable_type(kind)
        views = self._views(schemas)
        if isinstance(kind, GraphQLList):
            item: Any = get_nullable_type(kind.of_type)
            if _is_entry(item) and any(_is_map(one) for one in views):
                return self._select_map(item, views, inside)
            inner = self.select(item, [one.get("items") for one in views], inside)
            return Selected(inner.text, lambda value: [inner.restore(one) for one in value])
        if isinstance(kind, GraphQLEnumType):
            back = {
                name: _value_of(value_text_of(name, one.description), views)
                for name, one in kind.values.items()
            }
            return Selected("", lambda value: back.get(value, value))
        if isinstance(kind, GraphQLObjectType):
            return self._select_object(kind, views, inside)
        if isinstance(kind, GraphQLUnionType):
            return self._select_union(kind, views, inside)
        return PLAIN

    def _select_object(
        self, kind: GraphQLObjectType, views: list[JsonObject], inside: tuple[str, ...], prefix: str = ""
    ) -> Selected:
        if len(inside) >= _MOST_DEPTH:
            raise TooDeepError
        described = _members(views)
        parts: list[str] = []
        chosen: list[tuple[str, str, Selected]] = []
        for name, one in kind.fields.items():
            wire = wire_of(name, one.description)
            if wire not in described:
                continue  # a relation: another operation
            if inside.count(kind.name) >= _MOST_ALIKE:
                continue
            made = self.select(one.type, described[wire], (*inside, kind.name))
            if isinstance(get_nullable_type(_innermost(one.type)), GraphQLObjectType) and not made.text:
                continue
            shown = prefix + name
            parts.append((f"{shown}: {name}" if prefix else name) + made.text)
            chosen.append((shown, wire, made))
        if not parts:
            return Selected(" { __typename }" if not inside else "", lambda _: {})
        return Selected(
            " { " + " ".join(parts) + " }",
            lambda value: {wire: made.restore(value[shown]) for shown, wire, made in chosen if value.get(shown) is not None},
        )  # fmt: skip

    def _select_map(self, entry: Any, views: list[JsonObject], inside: tuple[str, ...]) -> Selected:
        schemas = [one["additionalProperties"] for one in views if _is_map(one)]
        inner = self.select(entry.fields["value"].type, schemas, (*inside, entry.name))
        return Selected(
            " { key value" + inner.text + " }",
            lambda value: {one["key"]: inner.restore(one["value"]) for one in value},
        )

    def _select_union(
        self, kind: GraphQLUnionType, views: list[JsonObject], inside: tuple[str, ...]
    ) -> Selected:
        variants = {}
        text = " { __typename"
        for number, one in enumerate(kind.types, 1):
            made = self._select_object(one, views, (*inside, kind.name), prefix=f"t{number}_")
            variants[one.name] = made
            text += f" ... on {one.name}{made.text}"
        return Selected(text + " }", lambda value: variants[value["__typename"]].restore(value))

    # -- variables ----------------------------------------------------------------------------------
    def variable(self, value: Json, kind: Any, schemas: list[Json]) -> Any:
        """The contract's JSON as a variable of a type. What the type does not know stays as it is, for the face to refuse."""
        kind = get_nullable_type(kind)
        if value is None:
            return None
        views = self._views(schemas)
        if isinstance(kind, GraphQLList):
            item: Any = get_nullable_type(kind.of_type)
            if (
                isinstance(value, dict)
                and isinstance(item, GraphQLInputObjectType)
                and list(item.fields) == _KEY_VALUE
            ):
                inner = [one["additionalProperties"] for one in views if _is_map(one)]
                return [
                    {"key": key, "value": self.variable(one, item.fields["value"].type, inner)}
                    for key, one in value.items()
                ]
            items = [one.get("items") for one in views]
            return [self.variable(one, item, items) for one in value] if isinstance(value, list) else value
        if isinstance(kind, GraphQLEnumType):
            texts = {value_text_of(name, one.description): name for name, one in kind.values.items()}
            return texts.get(str(value), value)
        if isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
            return self._object_variable(value, kind, views)
        return value

    def _object_variable(
        self, value: JsonObject, kind: GraphQLInputObjectType, views: list[JsonObject]
    ) -> Any:
        described = _members(views)
        if kind.is_one_of:
            return self._choice_variable(value, kind, views)
        names = {wire_of(name, one.description): name for name, one in kind.fields.items()}
        made = {}
        for wire, one in value.items():
            name = names.get(wire)
            if name is None:
                made[wire] = one
            else:
                made[name] = self.variable(one, kind.fields[name].type, described.get(wire, []))
        return made

    def _choice_variable(
        self, value: JsonObject, kind: GraphQLInputObjectType, views: list[JsonObject]
    ) -> Any:
        def fit(name: str) -> int:
            inner = get_nullable_type(kind.fields[name].type)
            known = {wire_of(one, field.description) for one, field in getattr(inner, "fields", {}).items()}
            return len(known & value.keys()) - len(value.keys() - known)

        best = max(kind.fields, key=fit)
        return {best: self.variable(value, kind.fields[best].type, list(views))}

    # -- schemas ------------------------------------------------------------------------------------
    def _views(self, schemas: list[Json], depth: int = 0) -> list[JsonObject]:
        """The schemas flat, with each alternative that they leave open."""
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


def _members(views: list[JsonObject]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for view in views:
        properties = view.get("properties")
        for name, schema in properties.items() if isinstance(properties, dict) else ():
            found.setdefault(name, []).append(schema)
    return found


def _is_map(view: JsonObject) -> bool:
    return isinstance(view.get("additionalProperties"), dict) and not view.get("properties")


def _is_entry(kind: Any) -> bool:
    return isinstance(kind, GraphQLObjectType) and list(kind.fields) == _KEY_VALUE


def _innermost(kind: Any) -> Any:
    kind = get_nullable_type(kind)
    return _innermost(kind.of_type) if isinstance(kind, GraphQLList) else kind


def _value_of(text: str, views: list[JsonObject]) -> Json:
    for view in views:
        values = view.get("enum", [view["const"]] if "const" in view else [])
        for one in values if isinstance(values, list) else []:
            if str(one) == text:
                return one
    return text
