"""The mapping file: how a contract's operations are spoken in a department's own protocol, and what its codes mean.

    mapping: 1
    protocol: soap                    soap, http, sql or files
    encoding: gb18030-2022            of XML and files; utf-8 where it is left out
    codes: {sex: {male: "1", female: "2"}}
    shapes: {Person: {name: XM, sex: XB | codes sex}}
    outcome: {at: fhm, ok: ["0000"], refused: {"1001": household-not-found}}
    operations: {getPerson: {soap: QueryPerson, request: {number: SFZH}, at: Person, answer: Person}}

`read_mapping` reads it, `compile_mapping` fits it to a contract. Nothing here opens a connection. The reference is
docs/reference/mapping.md; `mapping.schema.json` beside this file is the same for editors.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from api.contract.gb18030 import ENCODINGS
from api.contract.mapping_compile import SAME, Spot, compile_shape, compile_value
from api.contract.mapping_each import FanOut, compile_each
from api.contract.mapping_outcome import Outcome, compile_outcome, merge_outcomes
from api.contract.mapping_schema import Meant, Schemas
from api.contract.mapping_shapes import (
    FILES,
    JSON,
    SQL,
    XML,
    Each,
    MappingError,
    Medium,
    Node,
    Shape,
    ShapeError,
    from_native,
)  # fmt: skip
from api.contract.model import JsonObject, Operation, Parameter, Service
from api.contract.reading import parse
from api.contract.report import Report

PROTOCOLS = ("soap", "http", "sql", "files")
LARGEST_BYTES = 512 * 1024
_ROOT_KEYS = {"mapping", "protocol", "encoding", "undecodable", "soap", "http", "sql", "files", "codes", "shapes",
              "outcome", "operations", "async"}  # fmt: skip
_OPERATION_KEYS = {"soap", "http", "sql", "files", "request", "constants", "at", "answer", "outcome", "status",
                   "headers", "note", "each", "at_once"}  # fmt: skip
BODY = "body"


class MappingFile(Struct, frozen=True):
    """A mapping as written, checked in itself, not yet against a contract."""

    protocol: str
    encoding: str
    undecodable: str  # refuse or replace
    settings: dict[str, JsonObject]  # by protocol: what its section at the root says
    codes: dict[str, JsonObject]
    shapes: dict[str, Any]
    outcome: JsonObject
    operations: dict[str, JsonObject]
    text: str


class MappedOperation(Struct, frozen=True):
    """One operation, compiled: everything that a connector and a native server need, both ways."""

    operation: Operation
    protocol: str
    settings: JsonObject  # of the operation for its protocol
    medium: Medium
    parameters: dict[str, Node]
    kinds: dict[str, Meant]  # of the parameters
    body: Node | None
    constants: JsonObject  # native path -> value, or $state, $clock, …
    answer: Shape | Each
    answer_at: tuple[str, ...]
    outcome: Outcome
    status: int  # of the contract's success
    status_node: Node | None
    header_nodes: dict[str, Node]


class CompiledMapping(Struct, frozen=True):
    """A mapping that fits its contract."""

    file: MappingFile
    service: Service
    operations: dict[str, MappedOperation]
    losses: tuple[tuple[str, str], ...] = field(default_factory=tuple)  # (pointer into the mapping, what)
    fans: dict[str, FanOut] = {}  # batches that are asked one by one
    unmapped: tuple[str, ...] = ()  # operations of the contract that the mapping leaves out


def read_mapping(text: str | bytes) -> MappingFile:
    """Read a mapping (YAML or JSON). Raises MappingError telling where and what is wrong."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) > LARGEST_BYTES:
        raise MappingError("", f"a mapping has at most {LARGEST_BYTES} bytes")
    found = _parsed(data)
    document = _object(found, "")
    _only(document, _ROOT_KEYS, "")
    if document.get("mapping") != 1:
        raise MappingError("/mapping", "the first line is `mapping: 1`, the version of this format")
    protocol = document.get("protocol")
    if protocol not in PROTOCOLS:
        raise MappingError("/protocol", f"one of {', '.join(PROTOCOLS)}")
    encoding = str(document.get("encoding", "utf-8")).lower()
    if encoding == "gb18030":
        encoding = "gb18030-2022"
    if encoding not in ENCODINGS:
        raise MappingError("/encoding", f"one of {', '.join(ENCODINGS)}")
    undecodable = document.get("undecodable", "refuse")
    if undecodable not in ("refuse", "replace"):
        raise MappingError("/undecodable", "refuse or replace")
    operations = _object(document.get("operations", {}), "/operations")
    for name, entry in operations.items():
        _only(_object(entry, f"/operations/{name}"), _OPERATION_KEYS, f"/operations/{name}")
    return MappingFile(
        protocol=protocol,
        encoding=encoding,
        undecodable=undecodable,
        settings={name: _object(document.get(name, {}), f"/{name}") for name in PROTOCOLS}
        | {"async": _object(document.get("async", {}), "/async")},
        codes={
            key: _object(one, f"/codes/{key}")
            for key, one in _object(document.get("codes", {}), "/codes").items()
        },
        shapes=_object(document.get("shapes", {}), "/shapes"),
        outcome=_object(document.get("outcome", {}), "/outcome"),
        operations=operations,
        text=data.decode("utf-8", "replace"),
    )


def _parsed(data: bytes) -> Any:
    report = Report()
    parsed = parse(data, "mapping.yaml", report)
    if not parsed.is_read:
        raise MappingError("", "; ".join(one.message for one in report.findings)[:300] or "no YAML")
    return parsed.value


def _object(value: Any, pointer: str) -> JsonObject:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MappingError(pointer, "an object is meant")
    return {str(key): one for key, one in value.items()}


def _only(found: JsonObject, known: set[str], pointer: str) -> None:
    unknown = set(found) - known
    if unknown:
        raise MappingError(
            pointer, f"unknown keys: {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )


def compile_mapping(file: MappingFile, service: Service) -> CompiledMapping:
    """Fit a mapping to a contract. Raises MappingError for an operation, shape or slug that is not there."""
    known = {operation.id: operation for operation in service.operations}
    strange = [name for name in file.operations if name not in known]
    if strange:
        raise MappingError(
            f"/operations/{strange[0]}",
            f"the contract has no operation {strange[0]}; it has {', '.join(known)}",
        )
    schemas = Schemas(service.schemas)
    slugs = service.document.get("x-problems")
    losses: list[tuple[str, str]] = []
    operations = {}
    fans = {}
    for name, entry in file.operations.items():
        if "each" in entry:
            fans[name] = compile_each(known[name], entry, known, _success(known[name], schemas)[1], schemas)
            continue
        operations[name] = _compile_operation(
            file, known[name], entry, schemas, slugs if isinstance(slugs, dict) else {}, losses
        )
    unmapped = tuple(name for name in known if name not in operations and name not in fans)
    return CompiledMapping(file, service, operations, tuple(dict.fromkeys(losses)), fans, unmapped)


def _compile_operation(
    file: MappingFile, operation: Operation, entry: JsonObject, schemas: Schemas, slugs: JsonObject,
    losses: list[tuple[str, str]],
) -> MappedOperation:  # fmt: skip
    pointer = f"/operations/{operation.id}"
    protocol = next((name for name in PROTOCOLS if name in entry), file.protocol)
    settings = _settings(entry.get(protocol, {}), protocol, pointer, operation)
    answer_medium = _medium(protocol, file, settings, "answer")
    asked = Spot(file.codes, file.shapes, schemas, _medium(protocol, file, settings, "request"), losses)
    told = Spot(file.codes, file.shapes, schemas, answer_medium, losses)
    parameters, kinds, body = _compile_request(
        entry.get("request", SAME), operation, asked, f"{pointer}/request"
    )
    status, answer_meant = _success(operation, schemas)
    answer = _compile_answer(entry.get("answer", SAME), answer_meant, told, f"{pointer}/answer")
    where = str(entry.get("at") or file.settings[protocol].get("at") or "")
    any_text = Meant("string", nullable=False, schema={})
    a_number = Meant("integer", nullable=False, schema={})
    outcome = compile_outcome(
        merge_outcomes(file.outcome, _object(entry.get("outcome", {}), f"{pointer}/outcome")), slugs, pointer
    )
    return MappedOperation(
        operation=operation,
        protocol=protocol,
        settings=settings,
        medium=answer_medium,
        parameters=parameters,
        kinds=kinds,
        body=body,
        constants={
            **_object(file.settings[protocol].get("constants", {}), f"/{protocol}/constants"),
            **_object(entry.get("constants", {}), f"{pointer}/constants"),
        },
        answer=answer,
        answer_at=tuple(step for step in where.split("/") if step),
        outcome=outcome,
        status=status,
        status_node=compile_value(entry["status"], a_number, told, f"{pointer}/status", "status")
        if "status" in entry
        else None,
        header_nodes={
            name.lower(): compile_value(one, any_text, told, f"{pointer}/headers/{name}", name)
            for name, one in _object(entry.get("headers", {}), f"{pointer}/headers").items()
        },
    )


def _settings(written: Any, protocol: str, pointer: str, operation: Operation) -> JsonObject:
    """What an operation says for its protocol; one word is the name that matters most there."""
    if isinstance(written, str):
        if protocol == "http":
            method, _, path = written.rpartition(" ")
            return {"path": path, "method": (method or "POST").upper()}
        return {{"soap": "operation", "sql": "statement", "files": "file"}[protocol]: written}
    settings = _object(written, f"{pointer}/{protocol}")
    if protocol == "http":
        settings.setdefault("method", operation.method if "path" not in settings else "POST")
        settings["method"] = str(settings["method"]).upper()
    return settings


def _medium(protocol: str, file: MappingFile, settings: JsonObject, direction: str) -> Medium:
    if protocol == "soap":
        return XML
    if protocol == "sql":
        return SQL
    if protocol == "files":
        return FILES
    form = str(settings.get("format") or file.settings["http"].get("format") or "json")
    return XML if form == "xml" else JSON


def _compile_request(
    spec: Any, operation: Operation, spot: Spot, pointer: str
) -> tuple[dict[str, Node], dict[str, Meant], Node | None]:
    fields = {"*": SAME} if spec == SAME else _object(spec, pointer)
    known = {one.name: one for one in operation.parameters if one.location != "cookie"}
    kinds = {name: spot.schemas.meant(one.schema) for name, one in known.items()}
    rest = fields.pop("*", None) == SAME
    of_body = {name: fields.pop(name) for name in list(fields) if name == BODY or name.startswith("body.")}
    parameters: dict[str, Node] = {}
    for name, one in fields.items():
        where = f"{pointer}/{name}"
        if name not in known:
            listed = ", ".join(known) or "none"
            raise MappingError(where, f"{operation.id} has no parameter {name}; it has {listed}")
        parameters[name] = compile_value(one, kinds[name], spot, where, name)
    for name, parameter in known.items():
        if name in parameters or parameter.location == "header":
            continue  # header parameters travel as HTTP headers
        if rest:
            parameters[name] = compile_value(name, kinds[name], spot, pointer, name)
        else:
            spot.losses.append((f"{pointer}/{name}", f"the department is not told {name}"))
    return parameters, kinds, _compile_body(of_body, operation, spot, pointer, rest=rest)


def _compile_body(
    spec: JsonObject, operation: Operation, spot: Spot, pointer: str, *, rest: bool
) -> Node | None:
    if operation.body is None:
        return None
    meant = _body_meant(operation, spot.schemas)
    whole = spec.get(BODY)
    if whole is None:
        whole = {name.removeprefix("body."): one for name, one in spec.items()}
        if rest or not whole:
            whole["*"] = SAME
    return _compile_whole(whole, meant, spot, f"{pointer}/body")


def _compile_whole(spec: Any, meant: Meant, spot: Spot, pointer: str) -> Node:
    """A body: an object in the tree itself, or, with a path of its own, below it."""
    if isinstance(spec, dict) and ("each" in spec or "fields" in spec):
        return compile_value(spec, meant, spot, pointer, BODY)
    if isinstance(spec, str) and ("|" in spec or "/" in spec):
        return compile_value(spec, meant, spot, pointer, BODY)
    return compile_shape("", spec, meant, spot, pointer)


def _compile_answer(spec: Any, meant: Meant, spot: Spot, pointer: str) -> Shape | Each:
    if isinstance(spec, dict) and "each" in spec and "each" not in meant.properties:
        made = compile_value(spec, meant, spot, pointer, "answer")
        assert isinstance(made, Each)
        return made
    return compile_shape("", spec, meant, spot, pointer)


def _success(operation: Operation, schemas: Schemas) -> tuple[int, Meant]:
    """Status and body of the contract's success: its first 2xx."""
    for response in operation.responses:
        if response.status[:1] == "2":
            status = int(response.status) if response.status.isdigit() else 200
            for media in response.media:
                if media.schema is not None:
                    return status, schemas.meant(media.schema)
            return status, Meant("object", nullable=True, schema={})
    return 200, Meant("object", nullable=True, schema={})


def _body_meant(operation: Operation, schemas: Schemas) -> Meant:
    assert operation.body is not None
    for media in operation.body.media:
        if media.schema is not None:
            return schemas.meant(media.schema)
    return Meant("object", nullable=True, schema={})


# -- running --------------------------------------------------------------------------------------------
def write_request(
    mapped: MappedOperation, values: Mapping[str, Any], body: Any, context: Mapping[str, str]
) -> dict[str, Any]:
    """The native tree of a request: `values` are the parameters by name, `context` fills `$state`, `$clock`, ….

    Raises ShapeError for a value that the mapping cannot write.
    """
    tree: dict[str, Any] = {}
    holder = Node("x", Meant("any", nullable=True, schema={}))
    for path, value in mapped.constants.items():
        said = context.get(value[1:], "") if isinstance(value, str) and value[:1] == "$" else value
        node = Node(path, holder.meant)
        node.put(tree, said)
    for name, node in mapped.parameters.items():
        if name in values and values[name] is not None:
            node.write(tree, typed(values[name], mapped.kinds[name].kind))
    if mapped.body is not None and body is not None:
        mapped.body.write(tree, body)
    return tree


def read_request(mapped: MappedOperation, tree: Any) -> tuple[dict[str, Any], Any]:
    """Parameters by name, and the JSON body, of a native request. Raises ShapeError."""
    values = {}
    for name, node in mapped.parameters.items():
        found = from_native_or_none(node, tree)
        if found is not None:
            values[name] = found
    return values, from_native(mapped.body, tree) if mapped.body is not None else None


def from_native_or_none(node: Node, tree: Any) -> Any:
    """What `node` reads, None where there is nothing."""
    box = Shape("", node.meant, {"value": node})
    found = from_native(box, tree if isinstance(tree, dict) else {})
    return found.get("value")


def typed(value: Any, kind: str) -> Any:
    """A parameter as its schema means it: the gateway may hand on a list as text with commas, a number as text."""
    if kind == "list" and isinstance(value, str):
        return value.split(",") if value else []
    if isinstance(value, str):
        if kind == "integer" and value.lstrip("-").isdigit():
            return int(value)
        if kind == "boolean" and value in {"true", "false"}:
            return value == "true"
        if kind == "number":
            try:
                return float(value)
            except ValueError:
                return value
    return value


def write_answer(mapped: MappedOperation, body: Any) -> dict[str, Any]:
    """The native tree of an answer of the contract, at its place in the whole. Raises ShapeError."""
    inner: dict[str, Any] = {}
    if body is not None:
        mapped.answer.write(inner, body)
    tree: Any = inner
    for step in reversed(mapped.answer_at):
        tree = {step: tree}
    found: dict[str, Any] = tree
    return found


def read_answer(mapped: MappedOperation, tree: Any) -> Any:
    """The contract's answer in a native tree. Raises ShapeError where it lies elsewhere or is something else."""
    place = tree
    for step in mapped.answer_at:
        if isinstance(place, list) and len(place) == 1:
            place = place[0]
        if not isinstance(place, dict) or step not in place:
            if not mapped.answer.meant.required:
                place = {}
                break
            raise ShapeError("/".join(mapped.answer_at), "there is nothing")
        place = place[step]
    value = from_native(mapped.answer, {} if place is None else place)
    missing = mapped.answer.meant.required - set(value) if isinstance(value, dict) else frozenset()
    if missing:
        raise ShapeError("/".join(mapped.answer_at), f"nothing is found for {', '.join(sorted(missing))}")
    return value


def as_json(file: MappingFile) -> str:
    """The mapping as JSON text, in the order it was written: how a publication keeps it."""
    return msgspec.json.encode(_parsed(file.text.encode())).decode()


def leaf_parameters(operation: Operation) -> Iterable[Parameter]:
    """The parameters that a mapping may name."""
    return (one for one in operation.parameters if one.location != "cookie")
