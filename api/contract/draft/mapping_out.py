"""Drafted operations -> the mapping that speaks to the department's system (format: docs/reference/mapping.md).

What the source did not tell is written by the usual case of its protocol; the officer checks codes and addresses.
"""

import re
from typing import Any

from api.contract.draft.operations import Drafted
from api.contract.draft.parts import Field, Source
from api.contract.model import JsonObject
from api.contract.naming import pascal

_UNSAFE_PATH = re.compile(r"[/|]")


def mapping_of(source: Source, operations: list[Drafted]) -> JsonObject:
    """The mapping document."""
    if source.kind == "wsdl":
        return _soap(source, operations)
    if source.kind == "table":
        return _sql(operations)
    if source.kind in {"csv", "xlsx"}:
        return _files(source, operations)
    return _http(source, operations)


def _paths(fields: list[Field], *, is_flat: bool = False) -> JsonObject:
    """What the answer's properties are called natively."""
    return {one.name: _spec(one, is_flat=is_flat) for one in fields}


def _spec(one: Field, *, is_flat: bool = False) -> Any:
    if is_flat and _UNSAFE_PATH.search(one.native):
        return {"drop": "列名含 / 或 |，请改名"}
    if one.is_object:
        inner = _paths(one.fields)
        return {"at": one.native, "each": inner} if one.is_list else {"at": one.native, "fields": inner}
    if one.is_list:
        return {"at": one.native, "each": f"| {one.rule}" if one.rule else "same"}
    return f"{one.native} | {one.rule}" if one.rule else one.native


def _request(one: Drafted, prefix: str = "") -> JsonObject:
    made = {field.name: _asked(field, prefix) for _, field in one.parameters}
    return made | {f"body.{field.name}": _spec(field) for field in one.body}


def _asked(field: Field, prefix: str) -> Any:
    found = _spec(field)
    return f"{prefix}{found}" if isinstance(found, str) else found


# --- SOAP ------------------------------------------------------------------------------------------
def _soap(source: Source, operations: list[Drafted]) -> JsonObject:
    head = {key: source.upstream[key] for key in ("version", "namespace", "path", "service")}
    made: JsonObject = {"mapping": 1, "protocol": "soap", "soap": head}
    entries: JsonObject = {}
    for one in operations:
        call = one.call
        assert call is not None
        soap: JsonObject = {"operation": call.request_element or call.native}
        if call.answer_element and call.answer_element != f"{soap['operation']}Response":
            soap["response"] = call.answer_element
        if call.action:
            soap["action"] = call.action
        if source.upstream["choices"].get(call.native):
            soap["choice"] = source.upstream["choices"][call.native]
        entry: JsonObject = {"soap": soap if len(soap) > 1 else soap["operation"], "request": _request(one)}
        if call.at:
            entry["at"] = call.at
        entry["answer"] = _paths(one.answer)
        if call.outcome:
            entry["outcome"] = call.outcome
        entries[one.id] = entry
    return {**made, "operations": entries}


# --- SQL -------------------------------------------------------------------------------------------
def _sql(operations: list[Drafted]) -> JsonObject:
    entries: JsonObject = {}
    for one in operations:
        assert one.record is not None
        table = _quoted(one.record.native)
        columns = ", ".join(_quoted(field.native) for field in one.answer)
        if one.is_list:
            entries[one.id] = _sql_list(one, table, columns)
            continue
        key = one.key
        assert key is not None
        entries[one.id] = {
            "sql": {
                "statement": f"SELECT '0' AS km_code, {columns} FROM {table} WHERE {_quoted(key.native)} = {_bound(key)}",  # noqa: S608 - identifiers are quoted, values are bound
                "table": one.record.native,
            },
            "request": {f"body.{key.name}" if one.body else key.name: key.name},
            "answer": _paths(one.answer, is_flat=True),
            "outcome": {"at": "km_code", "ok": ["0"], "absent": "none", "empty": {"none": "not-found"}},
        }
    return {"mapping": 1, "protocol": "sql", "operations": entries}


def _sql_list(one: Drafted, table: str, columns: str) -> JsonObject:
    assert one.record is not None
    order = next((field for field in one.record.fields if field.name == one.record.key), one.record.fields[0])
    column = _quoted(order.native)
    wanted = [
        f"({_bound(field)} IS NULL OR {_quoted(field.native)} = {_bound(field)})"
        for _, field in one.parameters
    ]
    cursor = "CAST(:cursor AS VARCHAR)"
    after = f"CAST({cursor} AS BIGINT)" if order.schema.get("type") == "integer" else cursor
    where = " AND ".join([*wanted, f"({cursor} IS NULL OR {column} > {after})"])
    page = f"SELECT {columns} FROM {table} WHERE {where} ORDER BY {column} LIMIT COALESCE(CAST(:limit AS BIGINT), 20)"  # noqa: S608 - identifiers are quoted, values are bound
    statement = f"SELECT '0' AS km_code, MAX({column}) OVER () AS km_next, page.* FROM ({page}) AS page ORDER BY {column}"  # noqa: S608 - the same
    return {
        "sql": {"statement": statement, "table": one.record.native},
        "request": {
            **{field.name: field.name for _, field in one.parameters},
            "cursor": "cursor",
            "limit": "limit",
        },
        "answer": {"items": {"at": "rows", "each": _paths(one.answer, is_flat=True)}, "next": "km_next"},
        "outcome": {
            "at": "km_code",
            "ok": ["0"],
            "absent": "none",
            "empty": {"none": {"body": {"items": []}}},
        },
    }


def _bound(field: Field) -> str:
    """A bound value with its type said, which PostgreSQL needs where it may be NULL."""
    kind = {"integer": "BIGINT", "number": "NUMERIC", "boolean": "BOOLEAN"}.get(
        str(field.schema.get("type")), "VARCHAR"
    )
    return f"CAST(:{field.name} AS {kind})"


def _quoted(name: str) -> str:
    return name if re.fullmatch("[a-z_][a-z0-9_]*", name) else '"' + name.replace('"', '""') + '"'


# --- files -----------------------------------------------------------------------------------------
def _files(source: Source, operations: list[Drafted]) -> JsonObject:
    file = source.upstream["file"]
    if source.kind == "xlsx":
        file = re.sub(r"\.xls[xm]$", "", file, flags=re.IGNORECASE) + ".csv"
    made: JsonObject = {"mapping": 1, "protocol": "files"}
    if source.upstream.get("encoding", "utf-8") != "utf-8":
        made["encoding"] = source.upstream["encoding"]
    made["files"] = {"format": "csv"}
    if source.upstream.get("separator", ",") != ",":
        separator = source.upstream["separator"]
        made["files"]["delimiter"] = "tab" if separator == "\t" else separator
    entries: JsonObject = {}
    for one in operations:
        answer = _paths(one.answer, is_flat=True)
        entry: JsonObject = {"files": {"file": file}, "request": _request(one)}
        if one.is_list:
            entry["answer"] = {"items": {"at": "rows", "each": answer}}
        else:
            entry["answer"] = answer
            assert one.key is not None
            entry["outcome"] = {
                "at": one.key.native,
                "ok": ["*"],
                "absent": "none",
                "empty": {"none": "not-found"},
            }
        entries[one.id] = entry
    return {**made, "operations": entries}


# --- HTTP ------------------------------------------------------------------------------------------
def _http(source: Source, operations: list[Drafted]) -> JsonObject:
    upstream = source.upstream
    made: JsonObject = {"mapping": 1, "protocol": "http"}
    if upstream.get("encoding", "utf-8") != "utf-8":
        made["encoding"] = upstream["encoding"]
    http: JsonObject = {"format": upstream.get("format", "json")}
    made["http"] = http
    if upstream.get("code_at"):
        made["outcome"] = {"at": upstream["code_at"], "ok": [upstream["ok"]]}
        if upstream.get("message_at"):
            made["outcome"]["message"] = upstream["message_at"]
    entries: JsonObject = {}
    for one in operations:
        assert one.record is not None
        answer = _paths(one.answer)
        path = f"/{pascal(one.record.name)}"
        entry: JsonObject = {"http": f"{'GET' if not one.body else 'POST'} {path}"}
        entry["request"] = _request(one, "" if one.body else "query:")
        if upstream.get("at") and not one.is_list:
            entry["at"] = upstream["at"]
        if one.is_list:
            entry["answer"] = {"items": {"at": upstream.get("at") or "items", "each": answer}}
        else:
            entry["answer"] = answer
        entries[one.id] = entry
    return {**made, "operations": entries}


def with_slugs(mapping: JsonObject, document: JsonObject) -> JsonObject:
    """The mapping with the contract's slugs where it says `not-found` for short."""
    refusals = {
        operation["operationId"]: operation.get("x-refusals", [])
        for item in document["paths"].values()
        for operation in item.values()
    }
    for name, entry in mapping["operations"].items():
        empty = entry.get("outcome", {}).get("empty", {})
        for code, meaning in list(empty.items()):
            if meaning == "not-found":
                empty[code] = next(slug for slug in refusals[name] if slug.endswith("-not-found"))
    return mapping
