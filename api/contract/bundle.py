"""Many files -> one document whose only references are `#/components/schemas/NAME`.

References in schema positions become components, all others are replaced by a copy of their target, so later
stages meet `$ref` in schemas only. On the way every value gets the JSON type that OpenAPI asks for (shapes.py).
Network addresses and paths outside the root are refused as findings; an open placeholder takes their place.
"""

from typing import Any

from msgspec import Struct

from api.contract import notices
from api.contract.files import Source
from api.contract.model import Json, JsonObject
from api.contract.naming import pascal
from api.contract.pointers import escape, join, split
from api.contract.reading import MAX_DEPTH, MAX_NODES
from api.contract.references import Place, Resolver, Target
from api.contract.report import Notice, Report
from api.contract.shapes import EXTENSIBLE, KINDS, METHODS, NOT_REFERABLE, PLACEHOLDERS

_OMIT: Any = object()
_EMPTY_FOR_NULL = frozenset({"schema", "media", "response", "header", "example", "pathItem"})
_STRUCTURAL = frozenset(
    [
        "components",
        "schemas",
        "definitions",
        "$defs",
        "properties",
        "items",
        "paths",
        "responses",
        "content",
        "schema",
        "requestBody",
        "allOf",
        "anyOf",
        "oneOf",
        "application~1json",
        "application/json",
        "additionalProperties",
        "parameters",
    ]
)
_GENERIC = frozenset(["request", "response", "schema", "index", "definitions", "definition", "body", "main"])
_SECTIONS = (
    "responses",
    "parameters",
    "examples",
    "requestBodies",
    "headers",
    "links",
    "callbacks",
    "pathItems",
)


class Bundled(Struct, frozen=True):
    """One document; `origins` says where a component made from another place came from ("file#pointer")."""

    document: JsonObject
    files: dict[str, str]
    origins: dict[str, str]


class BoundError(Exception):
    """The document became too large or too deep; the notice is reported by `bundle`."""

    def __init__(self, notice: Notice, place: Place, limit: int) -> None:
        super().__init__(notice.id)
        self.notice = notice
        self.place = place
        self.limit = limit


def bundle(root: JsonObject, text: str, source: Source, entry: str, report: Report) -> Bundled | None:
    """The bundled copy of `root`, or None when a bound was passed (the report says which)."""
    resolver = Resolver(root, text, source, entry, report)
    bundler = _Bundler(resolver, report)
    try:
        document = bundler.run(root)
    except BoundError as error:
        report.find(error.notice, error.place.pointer, file=error.place.file, limit=error.limit)
        return None
    return Bundled(document, resolver.texts, bundler.origins)


class _Bundler:
    def __init__(self, resolver: Resolver, report: Report) -> None:
        self._resolver = resolver
        self._report = report
        self._names: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()
        self._queue: list[tuple[str, Target]] = []
        self._open: list[tuple[str, str]] = []
        self._used: set[tuple[str, str]] = set()
        self._nodes = 0
        self._depth = 0
        self.origins: dict[str, str] = {}

    def run(self, root: JsonObject) -> JsonObject:
        entry = Place(self._resolver.entry, "")
        for base in ("/components/schemas", "/definitions"):
            section = _section(root, base)
            for name in section:
                self._names.setdefault((entry.file, join(base, name)), name)
                self._taken.add(name)
        document: JsonObject = self._fields("document", root, entry)
        components = document.setdefault("components", {})
        schemas: JsonObject = {**document.pop("definitions", {}), **components.get("schemas", {})}
        while self._queue:
            name, target = self._queue.pop()
            schemas[name] = self._copy("schema", target.value, target.place)
        components["schemas"] = schemas
        self._drop_inlined(document, components, entry)
        return document

    def _drop_inlined(self, document: JsonObject, components: JsonObject, entry: Place) -> None:
        """Everything but schemas and security schemes stands where it is used now."""
        places = [(components, section, f"/components/{section}") for section in _SECTIONS]
        places += [(document, section, f"/{section}") for section in ("parameters", "responses")]
        for holder, section, base in places:
            names = holder.pop(section, None)
            unused = [name for name in names or () if (entry.file, join(base, name)) not in self._used]
            if unused:
                self._report.find(
                    notices.COMPONENT_UNUSED,
                    base,
                    file=entry.file,
                    section=section,
                    names=", ".join(unused[:10]) + (f" … ({len(unused)})" if len(unused) > 10 else ""),
                )

    # --- copying by spec ---------------------------------------------------------------------------
    def _copy(self, spec: str, value: Json, place: Place) -> Json:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise BoundError(notices.EXPANSION, place, MAX_NODES)
        if self._depth > MAX_DEPTH:
            raise BoundError(notices.NESTING, place, MAX_DEPTH)
        if spec in _SCALARS:
            return self._scalar(spec, value, place)
        self._depth += 1
        try:
            return self._container(spec, value, place)
        finally:
            self._depth -= 1

    def _container(self, spec: str, value: Json, place: Place) -> Json:
        if spec[0] == "{":
            return self._map(spec[1:-1], value, place)
        if spec[0] == "[":
            return self._list(spec[1:-1], value, place)
        if spec == "example-value":
            return self._example_value(value, place)
        if spec == "object":
            return value if isinstance(value, dict) else self._misshapen("object", value, place)
        return self._kind(spec, value, place)

    def _scalar(self, spec: str, value: Json, place: Place) -> Json:
        if spec == "any":
            return value
        if spec == "str":
            if isinstance(value, str):
                return value
            if isinstance(value, int | float):
                self._mended(spec, value, place)
                return str(value).lower() if isinstance(value, bool) else str(value)
        elif isinstance(value, bool):
            return value
        elif isinstance(value, str) and value.lower() in {"true", "false", "yes", "no"}:
            self._mended(spec, value, place)
            return value.lower() in {"true", "yes"}
        return self._misshapen(spec, value, place)

    def _map(self, kind: str, value: Json, place: Place) -> Json:
        if kind == "example" and isinstance(value, list):
            self._mended("object", value, place)
            value = {str(index + 1): {"value": item} for index, item in enumerate(value)}
        if not isinstance(value, dict):
            return self._misshapen("object", value, place)
        if isinstance(value.get("$ref"), str):
            return self._map_reference(kind, value, place)
        made = {}
        for key, item in value.items():
            if key.startswith("x-") and kind in EXTENSIBLE:
                made[key] = item
                continue
            copied = self._copy(kind, item, place.child(key))
            if copied is not _OMIT:
                made[key] = copied
        return made

    def _map_reference(self, kind: str, value: JsonObject, place: Place) -> Json:
        """A whole map kept in another file (`paths: {$ref: paths.yaml}`): common, though not standard."""
        target = self._resolver.resolve(value["$ref"], place)
        rest = {key: item for key, item in value.items() if key != "$ref"}
        if target is None or target.key in self._open or not isinstance(target.value, dict):
            self._lost(value["$ref"], "map", place)
            return self._map(kind, rest, place)
        self._open.append(target.key)
        made = self._map(kind, target.value, target.place)
        self._open.pop()
        return {**made, **self._map(kind, rest, place)} if rest and isinstance(made, dict) else made

    def _list(self, kind: str, value: Json, place: Place) -> Json:
        if not isinstance(value, list):
            if (kind == "str" and isinstance(value, str)) or (
                kind == "requirement" and isinstance(value, dict)
            ):
                self._mended("array", value, place)
                value = [value]
            else:
                return self._misshapen("array", value, place)
        copied = (self._copy(kind, item, place.child(index)) for index, item in enumerate(value))
        return [item for item in copied if item is not _OMIT]

    def _kind(self, kind: str, value: Json, place: Place) -> Json:
        if kind == "schema" and isinstance(value, bool):
            return value
        if value is None and kind in _EMPTY_FOR_NULL:
            self._report.find(notices.NULL_VALUE, place.pointer, file=place.file)
            return {}
        mended = self._as_object(kind, value)
        if mended is not value:
            self._mended("object", value, place)
            value = mended
        if not isinstance(value, dict):
            lost = self._misshapen("object", value, place)
            return {} if kind in _EMPTY_FOR_NULL else lost
        if kind not in NOT_REFERABLE and isinstance(value.get("$ref"), str):
            return self._reference(kind, value, place)
        return self._fields(kind, value, place)

    @staticmethod
    def _as_object(kind: str, value: Json) -> Json:
        """What a frequent mistake means: a bare tag name, a bare server address, a bare example."""
        if isinstance(value, str) and kind == "tag":
            return {"name": value}
        if isinstance(value, str) and kind == "server":
            return {"url": value}
        if kind == "example" and not (
            isinstance(value, dict) and {"value", "externalValue", "$ref", "summary"} & value.keys()
        ):
            return {"value": value}
        return value

    def _fields(self, kind: str, value: JsonObject, place: Place) -> JsonObject:
        specs = KINDS[kind]
        every = specs.get("*")
        made: JsonObject = {}
        for key, item in value.items():
            if (
                kind == "pathItem"
                and key not in specs
                and key.lower() in METHODS
                and key.lower() not in value
            ):
                self._report.find(notices.METHOD_CASE, place.child(key).pointer, file=place.file, method=key)
                key = key.lower()  # noqa: PLW2901 - the key that was meant
            spec = specs.get(key) or (None if key.startswith("x-") else every)
            if spec is None or spec == "any":
                made[key] = item
                continue
            if item is None and spec[0] != "e" and not (kind == "schema" and spec == "schema"):
                self._report.find(notices.NULL_VALUE, join(place.pointer, key), file=place.file)
                continue
            if kind == "schema" and key == "items" and isinstance(item, list):
                spec = "[schema]"
            copied = self._copy(spec, item, place.child(key))
            if copied is not _OMIT:
                made[key] = copied
        return made

    # --- references --------------------------------------------------------------------------------
    def _reference(self, kind: str, value: JsonObject, place: Place) -> Json:
        ref = value["$ref"]
        siblings = {key: item for key, item in value.items() if key != "$ref"}
        target = self._resolver.resolve(ref, place)
        if target is not None and kind == "schema":
            if isinstance(target.value, dict | bool):
                made = {"$ref": "#/components/schemas/" + escape(self._name_of(target))}
                return {**made, **self._fields("schema", siblings, place)}
            self._report.find(notices.REF_VALUE, place.pointer, file=place.file, ref=ref)
            target = None
        if target is None:
            return self._placeholder(kind, ref, siblings, place)
        if target.key in self._open:
            self._report.find(notices.REF_LOOP, place.pointer, file=place.file, ref=ref)
            return self._placeholder(kind, ref, siblings, place)
        self._used.add(target.key)
        self._open.append(target.key)
        copied = self._copy(kind, target.value, target.place)
        self._open.pop()
        if isinstance(copied, dict) and siblings:
            wanted: JsonObject = (
                siblings
                if kind == "pathItem"
                else {k: siblings[k] for k in ("summary", "description") if k in siblings}
            )
            copied = {**copied, **self._fields(kind, wanted, place)}
        return copied

    def _placeholder(self, kind: str, ref: str, siblings: JsonObject, place: Place) -> Json:
        self._lost(ref, kind, place)
        if kind == "schema":
            return {**self._fields("schema", siblings, place), "x-unresolved": ref}
        if kind not in PLACEHOLDERS:
            return _OMIT
        stand_in = PLACEHOLDERS[kind]
        return {**stand_in, "x-unresolved": ref} if isinstance(stand_in, dict) else _OMIT

    def _name_of(self, target: Target) -> str:
        known = self._names.get(target.key)
        if known is not None:
            return known
        base = _component_name(target.place)
        name, number = base, 2
        while name in self._taken:
            name, number = f"{base}{number}", number + 1
        self._taken.add(name)
        self._names[target.key] = name
        self.origins[join("/components/schemas", name)] = f"{target.place.file}#{target.place.pointer}"
        self._queue.append((name, target))
        return name

    def _example_value(self, value: Json, place: Place) -> Json:
        """Examples are data, but `{$ref: file}` alone is how multi-file contracts keep them."""
        if not (isinstance(value, dict) and len(value) == 1 and isinstance(value.get("$ref"), str)):
            return value
        target = self._resolver.resolve(value["$ref"], place)
        if target is None:
            self._lost(value["$ref"], "example", place)
            return _OMIT
        self._used.add(target.key)
        self._report.find(notices.EXAMPLE_REF, place.pointer, file=place.file)
        found = target.value
        is_object = target.place.pointer.startswith("/components/examples/") and isinstance(found, dict)
        return found["value"] if is_object and "value" in found else found

    # --- telling -----------------------------------------------------------------------------------
    def _lost(self, ref: str, kind: str, place: Place) -> None:
        self._report.lose(notices.REF_OPEN, place.pointer, ref=ref, kind=kind)

    def _mended(self, expected: str, value: Json, place: Place) -> None:
        self._report.find(
            notices.SHAPE_MENDED, place.pointer, file=place.file, expected=expected, found=_type_name(value)
        )

    def _misshapen(self, expected: str, value: Json, place: Place) -> Any:
        self._report.lose(notices.SHAPE, place.pointer, expected=expected, found=_type_name(value))
        return _OMIT


_SCALARS = frozenset({"any", "str", "bool"})


def _section(root: JsonObject, pointer: str) -> JsonObject:
    value: Json = root
    for token in split(pointer):
        value = value.get(token) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _component_name(place: Place) -> str:
    """A name from where the schema stands: its pointer's telling tokens, else the file's name."""
    tokens = [token for token in split(place.pointer) if token not in _STRUCTURAL]
    if tokens:
        name = tokens[0] if len(tokens) == 1 else "".join(pascal(token) or token for token in tokens[-4:])
        return name or "Schema"
    folders = place.file.split("/")
    stem = folders[-1].rsplit(".", 1)[0]
    if stem.lower() in _GENERIC or not pascal(stem):
        return "".join(pascal(part) for part in [*folders[-3:-1], stem]) or "Schema"
    return stem


def _type_name(value: Json) -> str:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return "null" if value is None else names.get(type(value), "value")
