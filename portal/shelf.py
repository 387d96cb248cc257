"""What is published, as the pages show it: the service of a publication, read once per document.

A document of hundreds of operations takes a second to read, so that happens in a thread and is kept by its
digest. It decides nothing about who may see what; `find_service` asks the catalogue's rule.
"""

import asyncio
from collections import OrderedDict
from typing import Any

import msgspec
from msgspec import Struct

from api.catalogue import browsing
from api.catalogue.models import Publication, ServiceRecord
from api.contract import build
from api.contract.model import Operation, Service
from api.core import problem_types_platform as platform_types
from api.core.caller import Caller
from api.core.problems import Refusal, Text
from sdk.samples import Sample, service_samples

_KEPT = 48
_KEPT_SAMPLES = 16
_read: OrderedDict[str, Service] = OrderedDict()
_samples: OrderedDict[tuple[str, str], dict[str, tuple[Sample, ...]]] = OrderedDict()


class Shown(Struct, frozen=True):
    """A published version: `publications` by environment; `service` is that of the sandbox where there is one.

    `operations` are those that the caller may know of.
    """

    service: Service
    operations: tuple[Operation, ...]
    publications: dict[str, Publication]
    organisation_id: str

    @property
    def id(self) -> str:
        return self.service.key

    @property
    def environment(self) -> str:
        """The environment whose document is shown."""
        return "sandbox" if "sandbox" in self.publications else "live"

    @property
    def is_synthetic(self) -> bool:
        """Whether the sandbox makes the answers up from the contract."""
        row = self.publications.get("sandbox")
        return row is not None and not row.upstream


async def read_service(digest: str, document: str) -> Service:
    """The service of a stored document, from memory where it was read before."""
    known = _read.get(digest)
    if known is not None:
        _read.move_to_end(digest)
        return known
    service = await asyncio.to_thread(_build, document)
    _read[digest] = service
    while len(_read) > _KEPT:
        _read.popitem(last=False)
    return service


async def samples_of(shown: Shown, operation: Operation, base_url: str) -> list[tuple[str, str]]:
    """(label, source) of each sample of an operation; those of a whole service are rendered at once, and kept."""
    key = (shown.publications[shown.environment].digest, base_url)
    known = _samples.get(key)
    if known is None:
        known = await asyncio.to_thread(service_samples, shown.service, base_url=base_url)
        _samples[key] = known
        while len(_samples) > _KEPT_SAMPLES:
            _samples.popitem(last=False)
    _samples.move_to_end(key)
    return [(one.label, one.source) for one in known[operation.id]]


def _build(document: str) -> Service:
    return build.service_of(msgspec.json.decode(document))


async def find_service(caller: Caller, name: str, version: str) -> Shown:
    """A published version that this caller may see.

    Raises NOT_FOUND, also for what is for departments only and the caller is of none.
    """
    version_id = f"{name}@{version}"
    rows = {
        row.environment: row for row in await Publication.filter(version_id=version_id, state="published")
    }
    row = rows.get("sandbox") or rows.get("live")
    record = await ServiceRecord.get_or_none(name=name)
    if row is None or record is None:
        raise Refusal(platform_types.NOT_FOUND, what=Text(f"服务 {version_id}", f"service {version_id}"))
    service = await read_service(row.digest, row.document)
    sees_all = record.organisation_id in caller.organisations or await browsing.is_of_a_department(caller)
    operations = tuple(one for one in service.operations if sees_all or one.audience != "department")
    if service.operations and not operations:
        raise Refusal(platform_types.NOT_FOUND, what=Text(f"服务 {version_id}", f"service {version_id}"))
    return Shown(service, operations, rows, record.organisation_id)


def find_operation(shown: Shown, operation_id: str) -> Operation:
    """An operation that the caller may know of, by its id. Raises NOT_FOUND."""
    found = next((one for one in shown.operations if one.id == operation_id), None)
    if found is None:
        what = Text(f"操作 {operation_id}", f"operation {operation_id}")
        raise Refusal(platform_types.NOT_FOUND, what=what)
    return found


class FieldRow(Struct, frozen=True):
    """A line of a schema table: a field of an object, nested ones indented by their dotted name."""

    name: str
    type: str
    required: bool
    description: str
    level: str = ""
    example: Any = None
    has_example: bool = False


def type_of(schema: Any) -> str:
    """A schema's type in a few words: `string (date)`, `array of Company`, `"a" | "b"`."""
    if not isinstance(schema, dict):
        return "any" if schema is not False else "—"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(choices, list):
        shown = [msgspec.json.encode(one).decode() for one in choices[:6]]
        return " | ".join(shown) + (" …" if len(choices) > 6 else "")
    for word, sign in (("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")):
        if schema.get(word):
            return sign.join(type_of(one) for one in schema[word][:4])
    return _plain_type_of(schema)


def _plain_type_of(schema: dict[str, Any]) -> str:
    kind = schema.get("type", "object" if "properties" in schema else "any")
    if isinstance(kind, list):
        kind = " | ".join(str(one) for one in kind)
    if kind == "array":
        return f"array of {type_of(schema.get('items', True))}"
    limits = [
        form.format(schema[word])
        for word, form in (
            ("format", "{}"),
            ("minimum", "≥ {}"),
            ("maximum", "≤ {}"),
            ("maxLength", "≤ {} chars"),
        )
        if word in schema
    ]
    return f"{kind} ({', '.join(limits)})" if limits else str(kind)


def rows_of(schema: Any, schemas: dict[str, Any], language: str, *, depth: int = 3) -> list[FieldRow]:
    """The fields of an object schema, references followed, at most `depth` levels and 200 rows."""
    rows: list[FieldRow] = []
    _collect(rows, schema, schemas, language, "", depth, frozenset())
    return rows[:200]


def _collect(
    rows: list[FieldRow], schema: Any, schemas: dict[str, Any], language: str, prefix: str, depth: int,
    above: frozenset[str],
) -> None:  # fmt: skip
    schema, above = _resolve(schema, schemas, above)
    if not isinstance(schema, dict) or depth < 1 or len(rows) > 200:
        return
    if "items" in schema and isinstance(schema["items"], dict):
        _collect(rows, schema["items"], schemas, language, f"{prefix}[].", depth, above)
        return
    for part in schema.get("allOf", ()):
        _collect(rows, part, schemas, language, prefix, depth, above)
    required = set(schema.get("required", ()))
    for name, field_schema in schema.get("properties", {}).items():
        if not isinstance(field_schema, dict):
            continue
        full, _ = _resolve(field_schema, schemas, frozenset())
        merged = {**(full if isinstance(full, dict) else {}), **field_schema}
        classified = merged.get("x-classification")
        rows.append(
            FieldRow(
                name=prefix + name,
                type=type_of(field_schema),
                required=name in required,
                description=described(merged, language),
                level=str(classified.get("level", "")) if isinstance(classified, dict) else "",
                example=_example(merged),
                has_example="example" in merged or bool(merged.get("examples")),
            )
        )
        inner = field_schema.get("items", field_schema)
        mark = f"{prefix}{name}[]." if "items" in field_schema else f"{prefix}{name}."
        _collect(rows, inner, schemas, language, mark, depth - 1, above)


def _resolve(schema: Any, schemas: dict[str, Any], above: frozenset[str]) -> tuple[Any, frozenset[str]]:
    for _ in range(20):
        if not isinstance(schema, dict) or "$ref" not in schema:
            break
        name = str(schema["$ref"]).rpartition("/")[2]
        if name in above:
            return None, above
        above = above | {name}
        schema = schemas.get(name)
    return schema, above


def _example(schema: dict[str, Any]) -> Any:
    examples = schema.get("examples")
    return schema.get("example", examples[0] if isinstance(examples, list) and examples else None)


def described(schema: dict[str, Any], language: str) -> str:
    """The description of a schema or parameter in the language, as the contract says it."""
    texts = schema.get("x-i18n")
    if isinstance(texts, dict):
        said = texts.get("zh-CN" if language == "zh" else "en")
        if isinstance(said, dict) and (said.get("description") or said.get("title")):
            return str(said.get("description") or said.get("title"))
    return str(schema.get("description") or schema.get("title") or "")
