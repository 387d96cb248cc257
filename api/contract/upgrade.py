"""OpenAPI 2.0 and 3.0 -> 3.1, on a bundled document. Works in place on the bundler's own copy.

Only what the dialects say differently is changed here; repairing what is wrong is the normaliser's part.
Source: OpenAPI 2.0; OpenAPI 3.0.3; "Migrating from OpenAPI 3.0 to 3.1".
"""

from collections.abc import Iterator

from api.contract import notices
from api.contract.model import Json, JsonObject
from api.contract.pointers import join
from api.contract.report import Report
from api.contract.shapes import EXTENSIBLE, KINDS, SCHEMA_CHILDREN
from api.contract.upgrade_swagger import upgrade_swagger

TARGET = "3.1.0"
_ANNOTATIONS = frozenset(
    {
        "description",
        "title",
        "summary",
        "example",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "default",
        "externalDocs",
        "xml",
    }
)
_EXCLUSIVE = (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum"))


def upgrade(document: JsonObject, dialect: str, report: Report) -> JsonObject:
    """The document as OpenAPI 3.1; `dialect` is "2.0", "3.0" or "3.1"."""
    if dialect == "2.0":
        upgrade_swagger(document, report)
    for schema, pointer in list(schemas_of(document)):
        _upgrade_schema(schema, pointer, dialect, report)
    if dialect != "3.1" or not str(document.get("openapi", "")).startswith("3.1."):
        document["openapi"] = TARGET
    return document


def schemas_of(document: JsonObject) -> Iterator[tuple[JsonObject, str]]:
    """Every schema object of the document with its pointer, inner ones included, parents first."""
    stack: list[tuple[str, Json, str]] = [("document", document, "")]
    while stack:
        spec, value, pointer = stack.pop()
        if spec[0] == "{" and isinstance(value, dict):
            kind = spec[1:-1]
            stack.extend(
                (kind, item, join(pointer, key))
                for key, item in value.items()
                if not (kind in EXTENSIBLE and key.startswith("x-"))
            )
        elif spec[0] == "[" and isinstance(value, list):
            stack.extend((spec[1:-1], item, f"{pointer}/{index}") for index, item in enumerate(value))
        elif isinstance(value, dict):
            if spec == "schema":
                yield value, pointer
            stack.extend(_children(spec, value, pointer))
        elif isinstance(value, list) and spec == "schema":
            stack.extend((spec, item, f"{pointer}/{index}") for index, item in enumerate(value))


def _children(spec: str, value: JsonObject, pointer: str) -> Iterator[tuple[str, Json, str]]:
    specs = KINDS.get(spec, {})
    every = specs.get("*")
    for key, item in value.items():
        child = specs.get(key) or (None if key.startswith("x-") else every)
        if child is not None and isinstance(item, dict | list):
            yield child, item, join(pointer, key)


def _upgrade_schema(schema: JsonObject, pointer: str, dialect: str, report: Report) -> None:
    _rename_old_keywords(schema)
    if dialect == "3.1":
        return
    for name, bound in _EXCLUSIVE:
        if isinstance(schema.get(name), bool) and schema.pop(name) and bound in schema:
            schema[name] = schema.pop(bound)
    if "example" in schema:
        example = schema.pop("example")
        schema.setdefault("examples", [example])
    if isinstance(schema.get("discriminator"), str):
        schema["discriminator"] = {"propertyName": schema["discriminator"]}
    if schema.get("type") == "file":
        schema.update(type="string", format="binary")
    is_nullable = schema.pop("nullable", None) is True or schema.get("x-nullable") is True
    if "$ref" in schema:
        _drop_siblings(schema, pointer, report)
    if is_nullable:
        _make_nullable(schema)


def _rename_old_keywords(schema: JsonObject) -> None:
    """Keywords of drafts 3 to 7 that JSON Schema 2020-12 knows by another name."""
    schema.pop("$schema", None)
    if isinstance(schema.get("id"), str) and "type" in schema:
        schema.pop("id")
    if isinstance(schema.get("items"), list):
        schema["prefixItems"] = schema.pop("items")
        if "additionalItems" in schema:
            schema["items"] = schema.pop("additionalItems")
    schema.pop("additionalItems", None)
    dependencies = schema.pop("dependencies", None)
    if isinstance(dependencies, dict):
        for key, item in dependencies.items():
            if isinstance(item, list):
                schema.setdefault("dependentRequired", {})[key] = item
            elif isinstance(item, dict):
                schema.setdefault("dependentSchemas", {})[key] = item
    definitions = schema.pop("definitions", None)
    if isinstance(definitions, dict):
        schema.setdefault("$defs", definitions)


def _drop_siblings(schema: JsonObject, pointer: str, report: Report) -> None:
    """3.0 ignores all that stands beside `$ref`; what only describes is kept, since 3.1 allows it."""
    dropped = [
        key for key in schema if key != "$ref" and key not in _ANNOTATIONS and not key.startswith("x-")
    ]
    for key in dropped:
        del schema[key]
    if dropped:
        report.lose(notices.REF_SIBLINGS, pointer, keys=", ".join(dropped))


def _make_nullable(schema: JsonObject) -> None:
    """`nullable: true` beside a type, an enum, a $ref or a combination."""
    schema.pop("x-nullable", None)
    kind = schema.get("type")
    if isinstance(kind, str) and kind != "null" and not _combines(schema):
        schema["type"] = [kind, "null"]
        if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
            schema["enum"] = [*schema["enum"], None]
        return
    if isinstance(kind, list):
        if "null" not in kind:
            schema["type"] = [*kind, "null"]
        return
    if not _combines(schema) and "enum" not in schema:
        return  # without a type everything is allowed, null too
    outer = {
        key: schema.pop(key)
        for key in list(schema)
        if key in _ANNOTATIONS - {"example"} or key.startswith("x-")
    }
    inner = dict(schema)
    schema.clear()
    schema.update(anyOf=[inner, {"type": "null"}], **outer)


def _combines(schema: JsonObject) -> bool:
    return any(key in schema for key in ("$ref", "allOf", "anyOf", "oneOf"))


def child_schemas(schema: JsonObject) -> Iterator[tuple[JsonObject, tuple[str, ...]]]:
    """The schema objects directly inside a schema, with the tokens that lead there."""
    for key, spec in SCHEMA_CHILDREN.items():
        value = schema.get(key)
        if isinstance(value, dict):
            if spec == "schema":
                yield value, (key,)
            elif spec == "{schema}":
                yield from ((item, (key, name)) for name, item in value.items() if isinstance(item, dict))
        elif isinstance(value, list) and spec != "{schema}":
            yield from ((item, (key, str(i))) for i, item in enumerate(value) if isinstance(item, dict))
