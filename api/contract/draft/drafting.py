"""From what a department has to a contract and a mapping: the one call behind `kaimen contract draft`.

The draft is meant to be read: guesses are findings, what could not be kept is a loss, and no value of the source
stands anywhere in it. It lints clean and can be published in the sandbox as it is.
"""

import re
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec import Struct

from api.contract.build import service_of
from api.contract.draft import notices
from api.contract.draft.composing import PURPOSE, Choices, contract_of
from api.contract.draft.csv_source import read_csv
from api.contract.draft.ddl_source import Table, read_ddl, tables_to_source
from api.contract.draft.mapping_out import mapping_of, with_slugs
from api.contract.draft.operations import Drafted, operations_of
from api.contract.draft.parts import Field, Refusal, Source
from api.contract.draft.samples_source import read_samples
from api.contract.draft.vocabulary import has_chinese
from api.contract.draft.writing import to_yaml
from api.contract.draft.wsdl_source import read_wsdl
from api.contract.draft.xlsx_source import read_xlsx
from api.contract.draft.xsd_source import read_xsd
from api.contract.files import OutsideError, TooLargeError, UnreadableError
from api.contract.files import Source as FileSource
from api.contract.importing import Imported, read_contract
from api.contract.load import load_files
from api.contract.mapping import compile_mapping, read_mapping
from api.contract.mapping_shapes import MappingError
from api.contract.model import Finding, JsonObject, Loss
from api.contract.naming import service_slug
from api.contract.report import Report

SOURCES = ("wsdl", "xsd", "table", "csv", "xlsx", "samples")
__all__ = ["PURPOSE", "SOURCES", "Draft", "Options", "draft", "draft_tables"]


class Options(Struct, frozen=True):
    """What the officer states instead of having it guessed; "" = guess."""

    name: str = ""
    title: str = ""
    title_en: str = ""
    department: str = ""
    key: str = ""  # column by which one row is found
    sheet: str = ""
    basis: str = ""
    law: str = ""
    article: str = ""


class Draft(Struct, frozen=True):
    """What came of it. `contract` "" = nothing: the findings say why."""

    contract: str
    mapping: str
    document: JsonObject
    findings: tuple[Finding, ...]
    losses: tuple[Loss, ...]
    imported: Imported | None = None


def draft(kind: str, source: FileSource, entry: str, options: Options | None = None) -> Draft:
    """Draft from one file. `kind` is one of SOURCES. Never raises on what a file holds."""
    report = Report()
    try:
        return _drafted(_read(kind, source, entry, report, options or Options()), entry, options or Options())
    except Refusal:
        return Draft("", "", {}, report.findings, report.losses)


def draft_tables(tables: list[Table], file: str, options: Options | None = None) -> Draft:
    """Draft from tables that were read in a live database."""
    report = Report()
    try:
        return _drafted(tables_to_source(tables, file, report), file, options or Options())
    except Refusal:
        return Draft("", "", {}, report.findings, report.losses)


def _read(kind: str, source: FileSource, entry: str, report: Report, options: Options) -> Source:
    if kind == "wsdl":
        return read_wsdl(source, entry, report)
    if kind == "xsd":
        return read_xsd(source, entry, report)
    data = _bytes(source, entry, report)
    if kind == "xlsx":
        return read_xlsx(data, entry, report, options.sheet)
    readers: dict[str, Callable[[bytes, str, Report], Source]] = {
        "table": read_ddl,
        "csv": read_csv,
        "samples": read_samples,
    }
    return readers[kind](data, entry, report)


def _bytes(source: FileSource, entry: str, report: Report) -> bytes:
    try:
        return source.read(entry)
    except TooLargeError as error:
        report.find(notices.TOO_LARGE, "", file=entry, what=entry, limit=str(error.args[0]))
    except (OutsideError, UnreadableError) as error:
        report.find(notices.UNREADABLE, "", file=entry, reason=str(error))
    raise Refusal(entry)


def _drafted(source: Source, entry: str, options: Options) -> Draft:
    report = source.report
    _take_key(source, options.key, report)
    choices = _choices(source, entry, options)
    operations = operations_of(source, choices.name)
    for record in source.records:
        if not record.key:
            report.find(notices.KEY_MISSING, f"/{record.native}")
    _tie_relations(operations)
    _tell_guesses(operations, report)
    document = contract_of(operations, choices, report)
    mapping = with_slugs(mapping_of(source, operations), document)
    report.find(notices.UPSTREAM_TODO, "")
    head = f"起草自 {source.kind}: {PurePosixPath(entry).name}。分级、依据、关系是推断的，发布前请核对。\nDrafted from it; levels, basis and relations are guessed: check them before publishing."
    contract_text = to_yaml(document, head)
    imported = read_contract(load_files({"contract.yaml": contract_text.encode()}, "contract.yaml"))
    mapping_text = to_yaml(mapping, head)
    findings = (*report.findings, *imported.findings, *_check_mapping(mapping_text, document, imported))
    return Draft(
        contract_text, mapping_text, document, findings, (*report.losses, *imported.losses), imported
    )


def _check_mapping(text: str, document: JsonObject, imported: Imported) -> list[Finding]:
    """The mapping fitted to the contract that was just drafted: a fault here is a fault of drafting."""
    try:
        service = imported.service or service_of(document)
        compile_mapping(read_mapping(text), service)
    except MappingError as error:
        report = Report()
        report.find(notices.UNREADABLE, "", file="mapping.yaml", reason=str(error))
        return list(report.findings)
    return []


def _take_key(source: Source, wanted: str, report: Report) -> None:
    if not wanted:
        return
    for record in source.records:
        found = next((one for one in record.fields if wanted in {one.name, one.native}), None)
        if found is not None and not found.is_object and not found.is_list:
            record.key = found.name
            return
    report.find(notices.UNREADABLE, "", reason=f"no column {wanted[:60]} to be the key")
    raise Refusal(wanted)


def _choices(source: Source, entry: str, options: Options) -> Choices:
    stem = PurePosixPath(entry).stem
    title = options.title or source.title or stem
    words = (source.calls and str(source.upstream.get("service", ""))) or (
        source.records[0].name if source.records else stem
    )
    name = options.name or service_slug(options.title_en or str(words) or stem)
    if name == "entry" and not options.name:
        name = service_slug(stem)
    english = options.title_en or name.replace("-", " ").capitalize()
    return Choices(
        name=re.sub("[^a-z0-9-]", "-", name.lower())[:40],
        title_zh=title if has_chinese(title) else f"{title} 数据服务",
        title_en=english,
        department=options.department or "department",
        basis=options.basis,
        law=options.law,
        article=options.article,
    )


def _tie_relations(operations: list[Drafted]) -> None:
    """Relations between the drafted records lead to the operation that looks one up."""
    by_record = {one.record.name: one for one in operations if one.record is not None and one.verb == "get"}
    for one in _all_fields(operations):
        if one.ref is not None and one.ref[0].startswith("record:"):
            target = by_record.get(one.ref[0].removeprefix("record:"))
            one.ref = (target.id, target.key.name) if target is not None and target.key is not None else None


def _tell_guesses(operations: list[Drafted], report: Report) -> None:
    told: set[str] = set()
    for one in _all_fields(operations):
        if one.name in told:
            continue
        told.add(one.name)
        if one.kind:
            report.find(
                notices.GUESSED_CLASS,
                f"/{one.name}",
                name=one.name,
                level=one.level,
                kind=one.kind,
                mask=one.mask,
            )
        if one.ref is not None:
            report.find(notices.GUESSED_REF, f"/{one.name}", name=one.name, operation=one.ref[0])


def _all_fields(operations: list[Drafted]) -> list[Field]:
    stack = [
        field
        for one in operations
        for field in (*one.answer, *one.body, *(each for _, each in one.parameters))
    ]
    made = []
    while stack:
        one = stack.pop(0)
        made.append(one)
        stack.extend(one.fields)
    return made


def as_json(made: Draft) -> dict[str, Any]:
    """The machine-readable outcome of a draft."""
    service = made.imported.service if made.imported is not None else None
    return {
        "service": service.key if service is not None else None,
        "operations": [one.id for one in service.operations] if service is not None else [],
        "scenarios": sum(len(one.scenarios) for one in service.operations) if service is not None else 0,
        "findings": msgspec.to_builtins(made.findings),
        "losses": msgspec.to_builtins(made.losses),
    }
