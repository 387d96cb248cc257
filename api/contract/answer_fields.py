"""The fields of an operation's answer: what a consent names, what the gateway cuts, one name for each.

A name is the way to a value through the JSON of a 2xx answer: `summary.paid_total`; arrays are transparent
(`items.name`), `~` and `.` inside a property's name are written `~0` and `~1`, and a property named `*` is `~2`.
`x.*` stands for the undeclared members of an open object, and `*` alone for a body about whose inside nothing is
known (text, a PDF, any JSON). Only the last step is a field: an object is its members. It is no validator.
"""

from collections.abc import Iterator

from msgspec import Struct

from api.contract import profile
from api.contract.model import Json, JsonObject, Level, Operation, Service, Texts

WHOLE = "*"
MAX_FIELDS = 2000
MAX_DEPTH = 16
_LANGUAGES = ("zh-CN", "en")
_COMBINED = ("allOf", "anyOf", "oneOf")


class Field(Struct, frozen=True):
    """One field. `label` says what it is, language by language, its parents first; `level` None: unclassified.

    A member of a classified object or list is classified at least as high as that.
    """

    name: str
    label: Texts
    level: Level | None = None
    kind: str = ""


class _Place(Struct, frozen=True):
    """A schema on the way down: where it stands, how it is called, and what its parents are classified as."""

    schema: Json
    name: str = ""
    label: Texts = {}
    level: Level | None = None
    kind: str = ""
    seen: tuple[str, ...] = ()  # the references on the way, against circles
    depth: int = 0


def fields_of(operation: Operation, service: Service) -> dict[str, Field]:
    """The fields that a 2xx answer can hold, by name, in the contract's order; {} where no answer has a body.

    A schema that contains itself ends at the second round: that field is its whole inside. No more than
    MAX_FIELDS are told apart; what is beyond is `*`.
    """
    found: dict[str, Field] = {}
    for response in operation.responses:
        if not response.status.startswith("2"):
            continue
        for media in response.media:
            for field in _fields_below(_Place(media.schema), service):
                known = found.get(field.name)
                found[field.name] = field if known is None else _stricter(known, field)
                if len(found) >= MAX_FIELDS:
                    found[WHOLE] = Field(WHOLE, {"zh-CN": "其余全部内容", "en": "everything else"})
                    return found
    return found


def _fields_below(place: _Place, service: Service) -> Iterator[Field]:
    schema, seen = _resolved(place, service)
    if schema is None or place.depth > MAX_DEPTH:
        yield _leaf(place)
        return
    place = _classified(place, schema, seen)
    below = list(_members(place, schema, service))
    if not below or _may_be_scalar(schema):
        yield _leaf(place)
    for one in below:
        yield from _fields_below(one, service)


def _members(place: _Place, schema: JsonObject, service: Service) -> Iterator[_Place]:
    """What stands directly in the value: items, properties, and both of what it is combined from."""
    for key in _COMBINED:
        for branch in _list(schema.get(key)):
            resolved, seen = _resolved(_step(place, branch), service)
            if resolved is not None and _has_inside(resolved):
                yield from _members(_classified(place, resolved, seen), resolved, service)
    for key in ("items", "contains"):
        if isinstance(schema.get(key), dict):
            yield _step(place, schema[key])
    for item in _list(schema.get("prefixItems")):
        yield _step(place, item)
    for name, child in profile.as_object(schema.get("properties")).items():
        yield _below(place, str(name), child, service)
    if schema.get("additionalProperties") or schema.get("patternProperties"):
        name = f"{place.name}.{WHOLE}" if place.name else WHOLE
        others = {"zh-CN": "其他内容", "en": "other content"}
        label = {
            key: " › ".join(text for text in (_in(place.label, key), others[key]) if text)
            for key in _LANGUAGES
        }
        yield _Place({}, name, label, place.level, place.kind, place.seen, place.depth + 1)


def _may_be_scalar(schema: JsonObject) -> bool:
    """Whether one alternative is a plain value, so that the place itself is a field too."""
    return any(
        isinstance(branch, dict)
        and "$ref" not in branch
        and branch.get("type") != "null"
        and not _has_inside(branch)
        for key in ("anyOf", "oneOf")
        for branch in _list(schema.get(key))
    )


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _has_inside(schema: JsonObject) -> bool:
    return any(schema.get(key) for key in (*_COMBINED, "items", "prefixItems", "properties", "additionalProperties",
                                           "patternProperties", "contains"))  # fmt: skip


def _step(place: _Place, schema: Json) -> _Place:
    """The same field one schema further: an item of a list, a branch of a combination."""
    return _Place(schema, place.name, place.label, place.level, place.kind, place.seen, place.depth + 1)


def _below(place: _Place, name: str, schema: Json, service: Service) -> _Place:
    """A member, by its name in the JSON."""
    own = _label(schema, service) or dict.fromkeys(_LANGUAGES, name)
    label = {
        language: " › ".join(text for text in (_head(_in(place.label, language)), _in(own, language)) if text)
        for language in _LANGUAGES
    }
    full = f"{place.name}.{escape(name)}" if place.name else escape(name)
    return _Place(schema, full, label, place.level, place.kind, place.seen, place.depth + 1)


def _resolved(place: _Place, service: Service) -> tuple[JsonObject | None, tuple[str, ...]]:
    """The schema behind references, its own keywords beside `$ref` kept; None for none, or a circle."""
    schema, seen = place.schema, place.seen
    while isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        target = schema["$ref"].rpartition("/")[2]
        if target in seen:
            return None, seen
        seen = (*seen, target)
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        schema = {**profile.as_object(service.schemas.get(target)), **beside}
    return (schema if isinstance(schema, dict) else None), seen


def _classified(place: _Place, schema: JsonObject, seen: tuple[str, ...]) -> _Place:
    own = profile.classification_of(schema)
    level, kind = place.level, place.kind
    if own is not None:
        level, kind = max(own.level, level or own.level), own.kind or kind
    return _Place(place.schema, place.name, place.label, level, kind, seen, place.depth)


def _leaf(place: _Place) -> Field:
    own = profile.classification_of(place.schema)
    level, kind = place.level, place.kind
    if own is not None:
        level, kind = max(own.level, level or own.level), own.kind or kind
    label = place.label or {"zh-CN": "全部内容", "en": "the whole content"}
    return Field(place.name or WHOLE, label, level, kind)


def _stricter(one: Field, other: Field) -> Field:
    """The same field in two answers: the higher level counts."""
    return other if (other.level or Level.L1) > (one.level or Level.L1) else one


def _label(schema: Json, service: Service) -> Texts:
    """What a property is called, language by language: x-i18n, title, description; then those of its target."""
    for _ in range(4):
        if not isinstance(schema, dict):
            return {}
        named = {
            language: text
            for language, texts in profile.i18n_of(schema.get("x-i18n")).items()
            if (text := _brief(texts.get("title") or texts.get("description") or ""))
        }
        for key in ("title", "description"):
            text = _brief(profile.text(schema.get(key)))
            if text:
                named.setdefault(profile.language_of(text), text)
        reference = schema.get("$ref")
        if named or not isinstance(reference, str):
            return named
        schema = service.schemas.get(reference.rpartition("/")[2])
    return {}


def _brief(text: str) -> str:
    """The first line without its full stop."""
    return text.strip().partition("\n")[0].strip().rstrip("。.;；")[:200]


def _head(label: str) -> str:
    """A parent's label without its asides, which would hide what is below it."""
    return label.partition("，")[0].partition(", ")[0]


def _in(texts: Texts, language: str) -> str:
    return texts.get(language) or next(iter(texts.values()), "")


def escape(name: str) -> str:
    """One property's name as a step of a field's name."""
    if name == WHOLE:
        return "~2"
    return name.replace("~", "~0").replace(".", "~1")
