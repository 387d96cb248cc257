"""A loaded OpenAPI 3.1 document -> the normal form that every face and generator can read, each loss told.

What the normal form promises: references only to components; legal, distinct names; unique operation ids and
(resource, verb) pairs stored in `x-resource` and `x-verb`; no inline objects; parameters and security complete on
each operation; schemas that compile. Normalising it again changes nothing and loses nothing.
"""

from msgspec import Struct

from api.contract import notices_normal as notices
from api.contract.bundle import bundle
from api.contract.files import MappingSource
from api.contract.lean import expand
from api.contract.model import Finding, JsonObject, Loss
from api.contract.normalise_bodies import normalise_bodies
from api.contract.normalise_closed import open_closed_parts
from api.contract.normalise_components import (
    break_endless,
    mark_schema,
    normalise_names,
    open_exploding,
)
from api.contract.normalise_enums import normalise_default, normalise_enum
from api.contract.normalise_head import normalise_head
from api.contract.normalise_hoist import hoist
from api.contract.normalise_keywords import normalise_keywords
from api.contract.normalise_operations import normalise_operations
from api.contract.normalise_paths import normalise_paths
from api.contract.report import Report
from api.contract.upgrade import schemas_of
from api.contract.validation import compiles, refusal_of, registry_of

_ENTRY = "document"


class Normalised(Struct, frozen=True):
    """The normal form; `origins` leads from the pointer of a moved schema to where it stood."""

    document: JsonObject
    losses: tuple[Loss, ...]
    findings: tuple[Finding, ...]
    origins: dict[str, str]


def normalise(document: JsonObject) -> Normalised:
    """The normal form of a document that `load` gave, with or without an overlay. The argument stays untouched."""
    report = Report()
    bundled = bundle(document, "", MappingSource({}), _ENTRY, report)
    made: JsonObject = bundled.document if bundled is not None else {}
    made.setdefault("openapi", "3.1.0")
    normalise_head(made, report)
    normalise_paths(made, report)
    expand(made)
    normalise_bodies(made, report)
    _normalise_schemas(made, report)
    normalise_names(made, report)
    break_endless(made, report)
    open_exploding(made, report)
    open_closed_parts(made, report)
    normalise_operations(made, report)
    origins = hoist(made, report)
    schemas = made["components"]["schemas"]
    for schema, pointer in schemas_of(made):
        mark_schema(schema, pointer, schemas, report)
    _open_what_does_not_compile(made, report)
    findings = tuple(_without_entry(one) for one in report.findings)
    return Normalised(_ordered(made), report.losses, findings, origins)


def _without_entry(finding: Finding) -> Finding:
    if finding.file != _ENTRY:
        return finding
    fields = {name: getattr(finding, name) for name in finding.__struct_fields__}
    return Finding(**{**fields, "file": ""})


def _normalise_schemas(document: JsonObject, report: Report) -> None:
    schemas = document["components"]["schemas"]
    for name, schema in schemas.items():
        if isinstance(schema, bool):
            schemas[name] = {} if schema else {"not": {}}
            report.lose(
                notices.SCHEMA_BOOLEAN,
                f"/components/schemas/{name}",
                value=str(schema).lower(),
                instead=str(schemas[name]),
            )
    for schema, pointer in schemas_of(document):
        normalise_keywords(schema, pointer, report)
        normalise_enum(schema, pointer, report)
        normalise_default(schema, pointer, report)


def _open_what_does_not_compile(document: JsonObject, report: Report) -> None:
    """What still does not compile after all mending is left open, so that one bad schema refuses no service."""
    schemas = document["components"]["schemas"]
    inline = [
        (schema, pointer)
        for schema, pointer in schemas_of(document)
        if not pointer.startswith("/components/schemas/") and _is_root(pointer)
    ]
    registry = registry_of(schemas)
    every = [{"$ref": f"#/components/schemas/{name}"} for name in schemas] + [schema for schema, _ in inline]
    if not every or compiles({"anyOf": every}, registry):
        return
    alone = registry_of({name: {} for name in schemas})
    for name, schema in schemas.items():
        reason = refusal_of(schema, alone)
        if reason:
            schemas[name] = {"x-loss": ["schema-refused"]}
            report.lose(notices.SCHEMA_REFUSED, f"/components/schemas/{name}", reason=reason)
    registry = registry_of(schemas)
    for schema, pointer in inline:
        reason = refusal_of(schema, registry)
        if reason:
            schema.clear()
            schema["x-loss"] = ["schema-refused"]
            report.lose(notices.SCHEMA_REFUSED, pointer, reason=reason)


def _is_root(pointer: str) -> bool:
    """Whether the pointer ends at the schema of a parameter, header or media type."""
    return pointer.endswith("/schema")


_ORDER = (
    "openapi",
    "info",
    "jsonSchemaDialect",
    "servers",
    "tags",
    "externalDocs",
    "paths",
    "webhooks",
    "components",
)


def _ordered(document: JsonObject) -> JsonObject:
    head = {key: document[key] for key in _ORDER if key in document}
    return {**head, **{key: value for key, value in document.items() if key not in head}}
