"""JSON Schema into the types of an SDK: what a program can hold without losing what comes over the wire.

Where a schema says something that no type of ours says, the value stays JSON and the loss is told. One Typist
serves one contract; names of types are unique over the package, so the same `Names` serves all contracts of it.
"""

from typing import Any

from api.contract import profile
from api.contract.model import Json, JsonObject, Level, Texts
from sdk.flatten import CHOICES, flatten, reference_name
from sdk.model import (
    EnumType,
    EnumValue,
    Field,
    Kind,
    NamedType,
    ObjectType,
    SdkLoss,
    TypeRef,
    UnionType,
    Variant,
    Words,
)
from sdk.wording import Names, words_of

ANY = TypeRef(Kind.ANY)
_STRINGS = {
    "date": Kind.DATE,
    "date-time": Kind.DATE_TIME,
    "byte": Kind.BYTES,
    "binary": Kind.BINARY,
    "decimal": Kind.DECIMAL,
}
_MOST_DEPTH = 40
_MOST_VALUES = 500  # of an enumeration; a longer list is a code list, kept as text


class Typist:
    """The types of one contract."""

    def __init__(
        self, schemas: dict[str, JsonObject], names: Names, *, prefix: Words = (), max_level: str = "L4"
    ) -> None:
        """`prefix` goes before a name that another contract of the package has; fields above `max_level` are left out."""
        self.types: dict[str, NamedType | None] = {}  # by component; None while it is being made
        self.made: list[NamedType] = []
        self.losses: list[SdkLoss] = []
        self.schemas = schemas
        self._names = names
        self._prefix = prefix
        self._max_level = max_level
        self._refs: dict[str, TypeRef] = {}
        self._memo: dict[str, JsonObject] = {}
        self._open: set[str] = set()

    # -- types --------------------------------------------------------------------------------------
    def type_of(self, schema: Json, hint: Words, pointer: str, depth: int = 0) -> TypeRef:
        """The type of a schema; `hint` names it where it needs a name and has none."""
        if not isinstance(schema, dict) or depth > _MOST_DEPTH:
            return ANY
        name = reference_name(schema)
        if name:
            return self._component(name, is_nullable=_is_nullable(schema), depth=depth)
        flat = flatten(schema, self.schemas, self._memo)
        if _is_plain_wrapper(schema):
            inner = reference_name(schema["allOf"][0])
            return self._component(inner, is_nullable=_is_nullable(flat), depth=depth)
        return self._typed(flat, hint, pointer, depth)

    def _component(self, name: str, *, is_nullable: bool, depth: int) -> TypeRef:
        known = self._refs.get(name)
        if known is None:
            if name in self._open:  # a list or map that holds itself and has no object in between
                return ANY
            schema = self.schemas.get(name)
            if schema is None:
                return ANY
            self._open.add(name)
            known = self._define(name, schema, words_of(name, "type"), depth)
            self._open.discard(name)
        return _nullable(known) if is_nullable else known

    def _define(self, name: str, schema: JsonObject, hint: Words, depth: int) -> TypeRef:
        pointer = f"/components/schemas/{name}"
        flat = flatten(schema, self.schemas, self._memo)
        if _needs_name(flat):
            taken = self._take(hint)
            self._refs[name] = TypeRef(Kind.NAMED, name=taken, is_nullable=_is_nullable(flat))
            if self._make(taken, flat, pointer, depth):
                return self._refs[name]
            del self._refs[name]
        inner = reference_name(schema)
        made = (
            self._component(inner, is_nullable=False, depth=depth + 1)
            if inner
            else self._typed(flat, hint, pointer, depth + 1, may_name=False)
        )
        self._refs[name] = made
        return made

    def _take(self, name: Words) -> Words:
        made = self._names.take(name)
        return made if made == name or not self._prefix else self._names.take((*self._prefix, *name))

    def _typed(
        self, flat: JsonObject, hint: Words, pointer: str, depth: int, *, may_name: bool = True
    ) -> TypeRef:
        is_nullable = _is_nullable(flat)
        if may_name and _needs_name(flat):
            taken = self._take(hint)
            if self._make(taken, flat, pointer, depth):
                return TypeRef(Kind.NAMED, name=taken, is_nullable=is_nullable)
        choices = _without_null(flat.get(CHOICES) or [])
        if len(choices) == 1 and len(choices[0]) == 1 and not flat.get("properties"):
            inner = self.type_of(choices[0][0], hint, pointer, depth + 1)
            return _nullable(inner) if is_nullable else inner
        kinds = [one for one in _types(flat) if one != "null"]
        kind = kinds[0] if len(kinds) == 1 else ""
        if not kinds and choices:
            return self._choice(choices, hint, pointer, depth, is_nullable=is_nullable)
        made = self._simple(flat, kind or _implied(flat), hint, pointer, depth)
        return _nullable(made) if is_nullable else made

    def _simple(self, flat: JsonObject, kind: str, hint: Words, pointer: str, depth: int) -> TypeRef:
        if kind == "array":
            items = flat.get("items")
            return TypeRef(Kind.ARRAY, of=self.type_of(items, (*hint, "item"), pointer + "/items", depth + 1))
        if kind == "object":
            others = flat.get("additionalProperties")
            of = ANY
            if isinstance(others, dict) and others:
                of = self.type_of(others, (*hint, "value"), pointer + "/additionalProperties", depth + 1)
            return TypeRef(Kind.MAP, of=of)
        if not kind and any(key in flat for key in ("type", CHOICES, "not", "if")):
            self._lose("type-as-json", pointer, "several types in one: any JSON")
        return TypeRef(_plain_kind(kind, flat))

    def _choice(
        self, choices: list[list[Json]], hint: Words, pointer: str, depth: int, *, is_nullable: bool
    ) -> TypeRef:
        """Alternatives that are no objects: one type where all have it, else any JSON."""
        if len(choices) == 1:
            found = [
                self.type_of(one, (*hint, str(place + 1)), pointer, depth + 1)
                for place, one in enumerate(choices[0])
            ]
            plain = {TypeRef(one.kind, one.of, one.name) for one in found}
            if len(plain) == 1:
                return _nullable(found[0]) if is_nullable else found[0]
            if {one.kind for one in plain} <= {
                Kind.STRING, Kind.DATE, Kind.DATE_TIME, Kind.DECIMAL, Kind.BYTES,
            }:  # fmt: skip
                return TypeRef(Kind.STRING, is_nullable=is_nullable)
            if {one.kind for one in plain} <= {Kind.INTEGER, Kind.LONG, Kind.NUMBER}:
                return TypeRef(Kind.NUMBER, is_nullable=is_nullable)
        self._lose("union-as-json", pointer, "alternatives of different kinds: any JSON")
        return TypeRef(Kind.ANY, is_nullable=is_nullable)

    # -- named types --------------------------------------------------------------------------------
    def _make(self, name: Words, flat: JsonObject, pointer: str, depth: int) -> bool:
        """Make the named type; False where it turns out to be none."""
        values = flat.get("enum", [flat["const"]] if "const" in flat else None)
        if isinstance(values, list):
            made: NamedType | None = self._enum(name, flat, values)
        elif flat.get(CHOICES) and not flat.get("properties"):
            made = self._union(name, flat, pointer, depth)
        else:
            made = self._object(name, flat, pointer, depth)
        if made is None:
            return False
        self.made.append(made)
        return True

    def _enum(self, name: Words, flat: JsonObject, values: list[Json]) -> EnumType | None:
        plain = [one for one in values if one is not None]
        if not plain or len(plain) > _MOST_VALUES:
            return None
        is_text = all(isinstance(one, str) for one in plain)
        if not is_text and not all(isinstance(one, int) and not isinstance(one, bool) for one in plain):
            return None
        names = Names()
        made = []
        for one in dict.fromkeys(plain):
            if is_text:
                words = words_of(one, "empty" if not one.strip() else "value")
            else:
                words = ("n", str(one)) if one >= 0 else ("minus", str(-one))
            made.append(EnumValue(one, names.take(words)))
        return EnumType(name, Kind.STRING if is_text else Kind.LONG, tuple(made), texts_of(flat))

    def _union(self, name: Words, flat: JsonObject, pointer: str, depth: int) -> UnionType | None:
        choices = _without_null(flat.get(CHOICES) or [])
        if len(choices) != 1:
            return None
        variants = []
        discriminator = profile.as_object(flat.get("discriminator"))
        mapping = profile.as_object(discriminator.get("mapping"))
        for place, branch in enumerate(choices[0]):
            made = self.type_of(branch, (*name, str(place + 1)), f"{pointer}/oneOf/{place}", depth + 1)
            if made.kind != Kind.NAMED or self._is_enum(made.name):
                return None
            component = reference_name(branch)
            tags = [
                tag for tag, ref in mapping.items() if str(ref).rpartition("/")[2] == component and component
            ]
            variants.append(
                Variant(made, tuple(tags or ([component] if discriminator and component else [])))
            )
        if len({one.type.name for one in variants}) != len(variants):
            return None
        return UnionType(
            name, tuple(variants), profile.text(discriminator.get("propertyName")), texts_of(flat)
        )

    def _is_enum(self, name: Words) -> bool:
        return any(isinstance(one, EnumType) and one.name == name for one in self.made)

    def _object(self, name: Words, flat: JsonObject, pointer: str, depth: int) -> ObjectType:
        properties = profile.as_object(flat.get("properties"))
        required = flat.get("required")
        needed = set(required) if isinstance(required, list) else set()
        names = Names()
        fields = []
        for wire, child in properties.items():
            if self._is_hidden(child):
                continue
            words = names.take(words_of(wire, "field"))
            inner = f"{pointer}/properties/{wire}"
            fields.append(self._field(wire, words, child, (*name, *words), inner, wire in needed, depth))
        others = flat.get("additionalProperties")
        rest = None
        if isinstance(others, dict) and others:
            rest = self.type_of(others, (*name, "value"), pointer + "/additionalProperties", depth + 1)
        return ObjectType(name, tuple(fields), rest, texts_of(flat))

    def _field(
        self, wire: str, words: Words, child: Json, hint: Words, pointer: str, is_required: bool, depth: int
    ) -> Field:
        written = child if isinstance(child, dict) else {}
        level = profile.as_object(written.get("x-classification")).get("level")
        return Field(
            wire=wire,
            name=words,
            type=self.type_of(child, hint, pointer, depth + 1),
            is_required=is_required,
            text=texts_of(written),
            is_read_only=written.get("readOnly") is True,
            is_write_only=written.get("writeOnly") is True,
            is_deprecated=written.get("deprecated") is True,
            is_sensitive=isinstance(level, str) and level >= Level.L3.value,
        )

    def _is_hidden(self, child: Any) -> bool:
        level = profile.as_object(profile.as_object(child).get("x-classification")).get("level")
        return isinstance(level, str) and level > self._max_level

    def _lose(self, rule: str, pointer: str, message: str) -> None:
        self.losses.append(SdkLoss(rule, pointer, message))


def _plain_kind(kind: str, flat: JsonObject) -> Kind:
    shape = profile.text(flat.get("format"))
    if kind == "integer":
        return Kind.INTEGER if shape == "int32" else Kind.LONG
    if kind != "string":
        return Kind(kind) if kind in {"number", "boolean"} else Kind.ANY
    if flat.get("contentEncoding"):
        return Kind.BYTES
    return Kind.BINARY if flat.get("contentMediaType") else _STRINGS.get(shape, Kind.STRING)


def texts_of(schema: JsonObject) -> Texts:
    """What a schema says of itself, by language; its own words count for the language that they are in."""
    found: Texts = {}
    for language, texts in profile.i18n_of(schema.get("x-i18n")).items():
        text = texts.get("description") or texts.get("title")
        if text:
            found[language] = text
    own = profile.text(schema.get("description")) or profile.text(schema.get("title"))
    if own:
        found.setdefault(profile.language_of(own), own)
    return found


def _types(flat: JsonObject) -> list[str]:
    kind = flat.get("type")
    if isinstance(kind, str):
        return [kind]
    return [one for one in kind if isinstance(one, str)] if isinstance(kind, list) else []


def _implied(flat: JsonObject) -> str:
    """The type that a schema without `type` means."""
    if _types(flat):
        return ""
    if "properties" in flat or "additionalProperties" in flat:
        return "object"
    if "items" in flat:
        return "array"
    values = flat.get("enum")
    if isinstance(values, list) and values and all(isinstance(one, str) for one in values):
        return "string"
    return "string" if "pattern" in flat or "minLength" in flat or "maxLength" in flat else ""


def _is_nullable(schema: JsonObject) -> bool:
    if "null" in _types(schema) or schema.get("nullable") is True:
        return True
    values = schema.get("enum")
    if isinstance(values, list) and None in values:
        return True
    groups = [schema.get("anyOf"), schema.get("oneOf"), *(schema.get(CHOICES) or [])]
    return any(isinstance(group, list) and any(_is_null(one) for one in group) for group in groups)


def _is_null(schema: Json) -> bool:
    return isinstance(schema, dict) and schema.get("type") == "null"


def _without_null(groups: list[list[Json]]) -> list[list[Json]]:
    return [[one for one in group if not _is_null(one)] for group in groups]


def _nullable(one: TypeRef) -> TypeRef:
    return one if one.is_nullable else TypeRef(one.kind, one.of, one.name, is_nullable=True)


def _needs_name(flat: JsonObject) -> bool:
    """Whether the schema is an object with members, an enumeration, or a choice among objects."""
    kinds = [one for one in _types(flat) if one != "null"]
    if len(kinds) > 1:
        return False
    kind = kinds[0] if kinds else _implied(flat)
    if "enum" in flat or "const" in flat:
        return kind in {"string", "integer", ""}
    choices = _without_null(flat.get(CHOICES) or [])
    if flat.get("properties"):
        return kind == "object"
    return len(choices) == 1 and len(choices[0]) > 1 and kind in {"object", ""}


def _is_plain_wrapper(schema: JsonObject) -> bool:
    """`allOf: [{$ref}]` beside texts: how older documents describe a reference."""
    branches = schema.get("allOf")
    return (
        isinstance(branches, list)
        and len(branches) == 1
        and bool(reference_name(branches[0]))
        and schema.keys() <= {"allOf", "description", "title", "x-i18n", "nullable", "readOnly", "writeOnly",
                              "deprecated", "example", "examples", "default", "x-classification", "x-ref", "x-mask"}
    )  # fmt: skip
