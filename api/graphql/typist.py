"""JSON Schema into GraphQL types. One Typist makes the types of one service version; what it cannot say is told.

Values stay what REST sends; where GraphQL needs another form (a map becomes a list of entries) the type comes with
the function that brings a value into it, and an input type with the one that brings it back.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLField,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLString,
    GraphQLUnionType,
)

from api.contract import profile
from api.contract.flatten import Memo, reference_name
from api.contract.model import Json, JsonObject, Reference
from api.contract.naming import pascal
from api.graphql.naming import Names, enum_name, legal_name
from api.graphql.scalars import DATE, DATE_TIME, DECIMAL, JSON, LONG
from api.graphql.shapes import Shape, choices_of, flat_of, scalar_of, shape_of, values_of
from api.graphql.variants import Variant, variant_of

Adapter = Callable[[Any], Any]
Typed = tuple[Any, Adapter | None]
# (member, wire name, x-ref, whether it is a list) and the names taken: the nested fields that hang there
NestedFields = Callable[[list[tuple[str, str, Reference, bool]], Names], dict[str, GraphQLField]]

_SCALARS = {
    "Int": GraphQLInt, "Long": LONG, "Float": GraphQLFloat, "Boolean": GraphQLBoolean, "String": GraphQLString,
    "Date": DATE, "DateTime": DATE_TIME, "Decimal": DECIMAL, "JSON": JSON,
}  # fmt: skip
_MOST_DEPTH = 40
_EXACT = 2**53  # up to here a float has every whole number
ANY: Typed = (JSON, None)


class Typist:
    """The types of one service version."""

    def __init__(
        self, schemas: dict[str, JsonObject], names: Names, prefix: str, *, service_key: str = "", max_level: str = "L4",
        nested: NestedFields | None = None,
    ) -> None:  # fmt: skip
        self.losses: list[tuple[str, str]] = []  # (JSON pointer, why it is JSON)
        self._schemas = schemas
        self._names = names
        self._prefix = prefix
        self._service_key = service_key
        self._max_level = max_level
        self._nested = nested
        self._memo: Memo = {}
        self._known: dict[tuple[str, bool], Typed] = {}
        self._open: set[tuple[str, bool]] = set()
        self._enums: dict[tuple[Any, ...], GraphQLEnumType] = {}

    def output(self, schema: Json, hint: str, pointer: str = "") -> Typed:
        """The type of an answer, and what brings a value into it (None: it is as it came)."""
        return self._typed(schema, hint, pointer, is_input=False)

    def input(self, schema: Json, hint: str, pointer: str = "") -> Typed:
        """The type of an argument, and what brings its value into the form that the contract wants."""
        return self._typed(schema, hint, pointer, is_input=True)

    # -- any type -----------------------------------------------------------------------------------
    def _typed(self, schema: Json, hint: str, pointer: str, depth: int = 0, *, is_input: bool) -> Typed:
        if not isinstance(schema, dict) or depth > _MOST_DEPTH:
            return ANY
        name = reference_name(schema)
        if name and schema.keys() <= _BESIDE:
            return self._component(name, depth, is_input=is_input)
        branches = schema.get("allOf")
        if isinstance(branches, list) and len(branches) == 1 and schema.keys() <= _BESIDE | {"allOf"}:
            return self._typed(branches[0], hint, pointer, depth + 1, is_input=is_input)
        return self._make(schema, hint, pointer, depth, is_input=is_input)

    def _component(self, name: str, depth: int, *, is_input: bool) -> Typed:
        key = (name, is_input)
        if key in self._known:
            return self._known[key]
        schema = self._schemas.get(name)
        if schema is None or key in self._open:  # a list that holds itself, with no object between
            return ANY
        self._open.add(key)
        called = pascal(name) or legal_name(name, "Type")
        hint = called if called.startswith(self._prefix) else self._prefix + called
        pointer = f"/components/schemas/{name}"
        made = self._make(schema, hint, pointer, depth, is_input=is_input, key=key)
        self._open.discard(key)
        self._known[key] = made
        return made

    def _make(  # noqa: PLR0911 - one line for each shape
        self, schema: JsonObject, hint: str, pointer: str, depth: int, *, is_input: bool,
        key: tuple[str, bool] | None = None,
    ) -> Typed:  # fmt: skip
        flat = flat_of(schema, self._schemas, self._memo)
        shape = shape_of(flat)
        if shape == Shape.OBJECT:
            return (self._input_object if is_input else self._object)(flat, hint, pointer, key)
        if shape == Shape.ENUM:
            return self._enum(flat, hint), None
        if shape == Shape.LIST:
            inner, adapt = self._typed(
                flat.get("items"), hint + "Item", pointer + "/items", depth + 1, is_input=is_input
            )
            is_closed = is_input and not is_nullable(profile.as_object(flat.get("items")))
            listed = GraphQLList(GraphQLNonNull(inner) if is_closed else inner)
            return listed, partial(_each, adapt) if adapt else None
        if shape == Shape.MAP:
            return self._map(flat, hint, pointer, depth, is_input=is_input)
        if shape == Shape.CHOICE:
            return self._choice(flat, hint, pointer, depth, is_input=is_input)
        if shape == Shape.MIXED:
            return self._lose(pointer, "several types in one")
        if shape != Shape.SCALAR:
            return ANY
        scalar = _SCALARS[scalar_of(flat)]
        return scalar, as_number if is_input and scalar is GraphQLFloat else None

    def _lose(self, pointer: str, why: str) -> Typed:
        self.losses.append((pointer, why))
        return ANY

    def _take(self, hint: str, *, is_input: bool) -> str:
        name = legal_name(hint, "Type")
        return self._names.take(name + "Input" if is_input and not name.endswith("Input") else name)

    # -- named types --------------------------------------------------------------------------------
    def _enum(self, flat: JsonObject, hint: str) -> GraphQLEnumType:
        values = values_of(flat) or []
        key = (hint, *values)
        if key not in self._enums:
            names = Names()
            made = {names.take(enum_name(one)): one for one in values}
            self._enums[key] = GraphQLEnumType(
                self._names.take(legal_name(hint, "Enum")),
                {
                    name: GraphQLEnumValue(one, description=None if name == one else f"`{one}`")
                    for name, one in made.items()
                },
                description=text_of(flat),
            )
        return self._enums[key]

    def _object(self, flat: JsonObject, hint: str, pointer: str, key: tuple[str, bool] | None) -> Typed:
        members = self._members(flat)
        if not members:
            return ANY
        name = self._take(hint, is_input=False)
        made: Typed = (
            GraphQLObjectType(name, partial(self._fields, members, hint, pointer), description=text_of(flat)),
            None,
        )
        if key is not None:
            self._known[key] = made
        return made

    def _members(self, flat: JsonObject) -> list[tuple[str, JsonObject]]:
        properties = profile.as_object(flat.get("properties"))
        return [
            (wire, child if isinstance(child, dict) else {})
            for wire, child in properties.items()
            if level_of(child) <= self._max_level
        ]

    def _fields(
        self, members: list[tuple[str, JsonObject]], hint: str, pointer: str
    ) -> dict[str, GraphQLField]:
        names = Names()
        fields: dict[str, GraphQLField] = {}
        related: list[tuple[str, str, Reference, bool]] = []
        for wire, child in members:
            name = names.take(legal_name(wire, "field"))
            made, adapt = self.output(child, hint + pascal(name), f"{pointer}/properties/{wire}")
            level = level_of(child)
            fields[name] = GraphQLField(
                made,
                description=described(child, wire if wire != name else "", level),
                resolve=reading(wire, adapt, level, self._service_key)
                if adapt or wire != name or level > "L1"
                else read_member,
                deprecation_reason="deprecated" if child.get("deprecated") is True else None,
                extensions={"wire": wire, "level": level},
            )
            items = profile.as_object(child.get("items"))
            reference = profile.reference_of(child.get("x-ref")) or profile.reference_of(items.get("x-ref"))
            if reference is not None:
                related.append((name, wire, reference, isinstance(made, GraphQLList)))
        if self._nested is not None and related:
            fields |= self._nested(related, names)
        return fields

    def _map(self, flat: JsonObject, hint: str, pointer: str, depth: int, *, is_input: bool) -> Typed:
        """A map of whatever names is a list of entries."""
        inner, adapt = self._typed(
            flat["additionalProperties"],
            hint + "Value",
            pointer + "/additionalProperties",
            depth + 1,
            is_input=is_input,
        )
        name = self._take(hint + "Entry", is_input=is_input)
        key_text = "名称。The name."
        if is_input:
            fields = {
                "key": GraphQLInputField(GraphQLNonNull(GraphQLString), description=key_text),
                "value": GraphQLInputField(inner),
            }
            return GraphQLList(GraphQLNonNull(GraphQLInputObjectType(name, fields))), partial(_as_map, adapt)
        entry = GraphQLObjectType(
            name,
            {
                "key": GraphQLField(GraphQLNonNull(GraphQLString), description=key_text),
                "value": GraphQLField(inner),
            },
        )
        return GraphQLList(entry), partial(_as_entries, adapt)

    def _choice(self, flat: JsonObject, hint: str, pointer: str, depth: int, *, is_input: bool) -> Typed:
        branches = choices_of(flat)
        found: list[tuple[Json, Typed]] = []
        for number, branch in enumerate(branches, 1):
            made = self._typed(
                branch, f"{hint}{number}", f"{pointer}/oneOf/{number - 1}", depth + 1, is_input=is_input
            )
            if all(made[0] is not known[0] for _, known in found):
                found.append((branch, made))
        kinds = [made for _, made in found]
        if len({str(made[0]) for made in kinds}) == 1:
            return kinds[0]
        if is_input and all(made[0] is not JSON for made in kinds):
            return self._one_of(flat, found, hint)
        if all(isinstance(made[0], GraphQLObjectType) for made in kinds):
            return self._union(flat, found, hint)
        scalars = {str(made[0]) for made in kinds}
        if scalars <= {"Int", "Long", "Float"}:
            return GraphQLFloat, as_number if is_input else None
        if all(isinstance(made[0], GraphQLEnumType) or made[0] in _TEXTS for made in kinds):
            return GraphQLString, None
        return self._lose(pointer, "alternatives of different kinds")

    def _union(self, flat: JsonObject, found: list[tuple[Json, Typed]], hint: str) -> Typed:
        discriminator = profile.as_object(flat.get("discriminator"))
        wire = profile.text(discriminator.get("propertyName"))
        mapping = profile.as_object(discriminator.get("mapping"))
        variants = []
        for branch, (made, _) in found:
            component = reference_name(branch)
            tags = [tag for tag, ref in mapping.items() if str(ref).rpartition("/")[2] == component]
            variants.append(
                Variant(made.name, frozenset(tags or [component]), flat_of(branch, self._schemas, self._memo))
            )
        name = self._take(hint, is_input=False)
        return GraphQLUnionType(
            name,
            [made for _, (made, _) in found],
            resolve_type=lambda value, *_: variant_of(value, wire, variants, self._schemas),
            description=text_of(flat),
        ), None

    # -- input types --------------------------------------------------------------------------------
    def _input_object(self, flat: JsonObject, hint: str, pointer: str, key: tuple[str, bool] | None) -> Typed:
        members = [(wire, child) for wire, child in self._members(flat) if child.get("readOnly") is not True]
        if not members:
            return ANY
        required = flat.get("required")
        needed = frozenset(required) if isinstance(required, list) else frozenset()
        wires: dict[str, tuple[str, Adapter | None]] = {}
        made: Typed = (
            GraphQLInputObjectType(
                self._take(hint, is_input=True),
                partial(self._input_fields, members, needed, hint, pointer, wires),
                description=text_of(flat),
                out_type=partial(_as_wire, wires),
            ),
            None,
        )
        if key is not None:
            self._known[key] = made
        return made

    def _input_fields(
        self, members: list[tuple[str, JsonObject]], needed: frozenset[Any], hint: str, pointer: str,
        wires: dict[str, tuple[str, Adapter | None]],
    ) -> dict[str, GraphQLInputField]:  # fmt: skip
        names = Names()
        fields = {}
        for wire, child in members:
            name = names.take(legal_name(wire, "field"))
            made, adapt = self.input(child, hint + pascal(name), f"{pointer}/properties/{wire}")
            wires[name] = (wire, adapt)
            # An object that wants itself would have no end: only members that are no objects are demanded here.
            is_demanded = wire in needed and not isinstance(made, GraphQLInputObjectType)
            fields[name] = GraphQLInputField(
                GraphQLNonNull(made) if is_demanded and not is_nullable(child) else made,
                description=described(child, wire if wire != name else "", level_of(child)),
            )
        return fields

    def _one_of(self, flat: JsonObject, found: list[tuple[Json, Typed]], hint: str) -> Typed:
        names = Names()
        wires: dict[str, tuple[str, Adapter | None]] = {}
        fields = {}
        for branch, (made, adapt) in found:
            component = reference_name(branch) or str(made).strip("[]!").removeprefix(
                self._prefix
            ).removesuffix("Input")
            name = names.take(legal_name(component[:1].lower() + component[1:], "choice"))
            wires[name] = (name, adapt)
            fields[name] = GraphQLInputField(made)
        return GraphQLInputObjectType(
            self._take(hint, is_input=True), fields, description=text_of(flat), is_one_of=True,
            out_type=partial(_the_one, wires),
        ), None  # fmt: skip


_BESIDE = frozenset({
    "$ref", "description", "title", "x-i18n", "nullable", "readOnly", "writeOnly", "deprecated", "example", "examples",
    "default", "x-classification", "x-ref", "x-mask", "x-element", "x-encryption",
})  # fmt: skip
_TEXTS = (GraphQLString, DATE, DATE_TIME, DECIMAL)


def read_member(source: Any, info: Any) -> Any:
    """A member that has its wire name; of what is no object there is none."""
    return source.get(info.field_name) if isinstance(source, dict) else None


def reading(wire: str, adapt: Adapter | None, level: str, service_key: str) -> Callable[..., Any]:
    """The resolver of a member that is not simply there under its own name, or not for everybody."""
    if level > "L1":

        def read_classified(source: Any, info: Any) -> Any:
            info.context.check_level(info.field_name, service_key, level)
            value = source.get(wire)
            return adapt(value) if adapt is not None and value is not None else value

        return read_classified
    if adapt is None:
        return lambda source, _: source.get(wire)

    def read_adapted(source: Any, info: Any) -> Any:
        value = source.get(wire)
        return None if value is None else adapt(value)

    return read_adapted


def level_of(child: Json) -> str:
    """The level of a classified member, L1 where it is not."""
    found = profile.as_object(profile.as_object(child).get("x-classification")).get("level")
    return found if isinstance(found, str) else "L1"


def is_nullable(schema: JsonObject) -> bool:
    """Whether the contract takes null there."""
    kind = schema.get("type")
    groups = [schema.get("anyOf"), schema.get("oneOf")]
    return (isinstance(kind, list) and "null" in kind) or any(
        isinstance(group, list) and {"type": "null"} in group for group in groups
    )


def text_of(schema: JsonObject) -> str | None:
    """What a schema says of itself: Chinese first, then English."""
    texts = dict.fromkeys(_texts(schema))
    return "\n\n".join(texts) or None


def _texts(schema: JsonObject) -> list[str]:
    own = profile.text(schema.get("description")) or profile.text(schema.get("title"))
    others = [
        texts.get("description") or texts.get("title") or ""
        for language, texts in profile.i18n_of(schema.get("x-i18n")).items()
        if language in {"zh-CN", "zh", "en"}
    ]
    return [one for one in (own, *others) if one]


def described(schema: JsonObject, wire: str, level: str) -> str | None:
    """The description of a member: its texts, its name in the contract where it is another, its level from L2 on."""
    parts = list(dict.fromkeys(_texts(schema)))
    if wire:
        parts.append(f"契约中的名称 · in the contract: `{wire}`")
    if level > "L1":
        kind = profile.as_object(schema.get("x-classification")).get("kind")
        parts.append(f"分级 · classification: {level}" + (f" {kind}" if kind else ""))
    return "\n\n".join(parts) or None


# -- bringing values from one form into the other -----------------------------------------------------
def as_number(value: Any) -> Any:
    """60.0 as 60: graphql-core makes a float of every Float, and a department may say the number back."""
    is_whole = isinstance(value, float) and value.is_integer() and abs(value) < _EXACT
    return int(value) if is_whole else value


def _each(adapt: Adapter, value: Any) -> Any:
    return [None if one is None else adapt(one) for one in value] if isinstance(value, list) else value


def _as_entries(adapt: Adapter | None, value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return [
        {"key": key, "value": one if adapt is None or one is None else adapt(one)}
        for key, one in value.items()
    ]


def _as_map(adapt: Adapter | None, value: Any) -> Any:
    if not isinstance(value, list):
        return value
    entries = [(one["key"], one.get("value")) for one in value]
    return {key: one if adapt is None or one is None else adapt(one) for key, one in entries}


def _as_wire(wires: dict[str, tuple[str, Adapter | None]], value: dict[str, Any]) -> dict[str, Any]:
    made = {}
    for name, one in value.items():
        wire, adapt = wires[name]
        made[wire] = one if adapt is None or one is None else adapt(one)
    return made


def _the_one(wires: dict[str, tuple[str, Adapter | None]], value: dict[str, Any]) -> Any:
    return next(iter(_as_wire(wires, value).values()), None)
