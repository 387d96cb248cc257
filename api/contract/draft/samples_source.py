"""Sample answers (JSON, lines of JSON, XML) -> one record: what was seen in all of them, nested parts included."""

import json
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

from api.contract.draft import notices
from api.contract.draft.csv_source import decoded
from api.contract.draft.envelopes import CODES, DATA, MESSAGES, folded
from api.contract.draft.guessing import distinct_names, field_of
from api.contract.draft.parts import Field, Record, Refusal, Source
from api.contract.draft.tabular import MOST_COLUMNS, key_of, resource_of
from api.contract.draft.vocabulary import has_chinese
from api.contract.draft.xml_tree import Element, XmlRefused, parse_xml
from api.contract.report import Report

MAX_BYTES = 8 * 1024 * 1024
MAX_DEPTH = 8
MOST_SAMPLES = 2_000


def read_samples(data: bytes, file: str, report: Report) -> Source:
    """The record that the samples have in common. Raises Refusal."""
    if len(data) > MAX_BYTES:
        report.find(notices.TOO_LARGE, "", file=file, what=file, limit=f"{MAX_BYTES // 1024 // 1024} MB")
        raise Refusal(file)
    text, encoding = decoded(data, file, report)
    is_xml = text.lstrip().startswith("<")
    values = [_of_xml(data, file, report)] if is_xml else _of_json(text, file, report)
    upstream: dict[str, Any] = {"format": "xml" if is_xml else "json", "encoding": encoding, "file": file}
    rows = _unwrapped(values, upstream)
    if not rows:
        report.find(notices.EMPTY, "", file=file, what=file)
        raise Refusal(file)
    stem = PurePosixPath(file).stem
    fields = _fields(rows[:MOST_SAMPLES], "", 0, report)
    if len(rows) > MOST_SAMPLES:
        report.find(notices.ROWS_SAMPLED, "", file=file, rows=MOST_SAMPLES)
    record = Record(
        native=stem,
        name=resource_of(stem),
        zh=stem if has_chinese(stem) else "",
        fields=fields,
        key=key_of([one for one in fields if not one.is_object and not one.is_list], len(rows)),
        rows_read=len(rows),
    )
    return Source("samples", record.zh, report, records=[record], upstream=upstream)


def _of_json(text: str, file: str, report: Report) -> list[Any]:
    try:
        return [json.loads(text)]
    except RecursionError as error:
        report.find(notices.UNREADABLE, "", file=file, reason="nested too deeply")
        raise Refusal(file) from error
    except ValueError as error:
        first = str(error)
    try:
        return [json.loads(line) for line in text.splitlines()[:MOST_SAMPLES] if line.strip()]
    except (ValueError, RecursionError) as error:
        report.find(notices.UNREADABLE, "", file=file, reason=first[:120])
        raise Refusal(file) from error


def _of_xml(data: bytes, file: str, report: Report) -> Any:
    try:
        return {"": _plain(parse_xml(data))}.get("")
    except XmlRefused as refused:
        notice = notices.XML_DOCTYPE if refused.args[0] == "doctype" else notices.UNREADABLE
        report.find(notice, "", file=file, reason=refused.args[1])
        raise Refusal(file) from refused


def _plain(element: Element) -> Any:
    made: dict[str, Any] = {
        f"@{name.rpartition('}')[2]}": value for name, value in element.attributes.items()
    }
    for child in element.children:
        value = _plain(child)
        if child.local in made:
            held = made[child.local]
            made[child.local] = [*held, value] if isinstance(held, list) else [held, value]
        else:
            made[child.local] = value
    if not made:
        return element.text.strip()
    if element.text.strip() and not element.children:
        made["#text"] = element.text.strip()
    return made


def _unwrapped(values: list[Any], upstream: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows inside an envelope of code, message and data; where the envelope's parts are goes to `upstream`."""
    rows: list[dict[str, Any]] = []
    for value in values:
        inner, path = value, list[str]()
        for _ in range(3):
            if isinstance(inner, list) or not isinstance(inner, dict):
                break
            known = {folded(name): name for name in inner}
            code = next((known[name] for name in known if name in CODES), "")
            data = next(
                (
                    known[name]
                    for name in known
                    if name in DATA and isinstance(inner[known[name]], dict | list)
                ),
                "",
            )
            if not data or not (code or len(inner) <= 4):
                break
            if code:
                upstream["code_at"] = "/".join([*path, code])
                upstream["ok"] = str(inner[code])
                message = next((known[name] for name in known if name in MESSAGES), "")
                upstream["message_at"] = "/".join([*path, message]) if message else ""
            path.append(data)
            inner = inner[data]
        upstream["at"] = "/".join(path)
        upstream["is_list"] = upstream.get("is_list", False) or isinstance(inner, list)
        rows += [one for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, dict)]
    return rows


def _fields(rows: Sequence[dict[str, Any]], pointer: str, depth: int, report: Report) -> list[Field]:
    if depth >= MAX_DEPTH:
        report.lose(notices.SAMPLE_DEEP, pointer, depth=depth)
        return []
    names = list(dict.fromkeys(name for row in rows for name in row))[:MOST_COLUMNS]
    made = []
    for number, name in enumerate(names, start=1):
        values = [row[name] for row in rows if row.get(name) is not None]
        one = _field(str(name), values, number, f"{pointer}/{name}", depth, report)
        one.is_required = len(values) == len(rows)
        if one.fields or not (one.is_object or (values and isinstance(values[0], dict))):
            made.append(one)
    distinct_names(made, report, pointer)
    return made


def _field(name: str, values: list[Any], number: int, pointer: str, depth: int, report: Report) -> Field:
    is_list = any(isinstance(one, list) for one in values)
    items = [item for one in values for item in (one if isinstance(one, list) else [one])]
    if any(isinstance(one, list) for one in items):
        report.lose(notices.SAMPLE_LIST, pointer, name=name)
        items = [one for one in items if not isinstance(one, list)]
    objects = [one for one in items if isinstance(one, dict)]
    plain = [one for one in items if not isinstance(one, dict) and one is not None]
    if objects and plain:
        report.lose(notices.SAMPLE_MIXED, pointer, name=name)
    texts = [] if objects else [_text(one) for one in plain]
    declared = None if objects else _declared(plain, name, pointer, report)
    made = field_of(name, "", texts, number, report, pointer, declared)
    made.is_list = is_list
    if objects:
        made.schema, made.level, made.kind, made.mask = {}, "", "", ""
        made.element, made.ref, made.rule = "", None, ""
        made.fields = _fields(objects, pointer, depth + 1, report)
    return made


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _declared(values: list[Any], name: str, pointer: str, report: Report) -> dict[str, Any] | None:
    """What JSON itself says of the values; None for texts, whose shape is guessed."""
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string"}
    found = {kinds.get(type(one), "string") for one in values}
    if found == {"integer", "number"}:
        found = {"number"}
    if len(found) > 1:
        report.lose(notices.SAMPLE_MIXED, pointer, name=name)
        return {"type": "string", "maxLength": 500}
    kind = next(iter(found), "string")
    return (
        {"type": kind}
        if kind != "string"
        else ({"type": "string"} if all(one.isdigit() for one in values) and values else None)
    )
