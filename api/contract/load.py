"""A file (or several) -> one OpenAPI 3.1 document, or findings that say why not. It never raises on any input.

Reads only below the document's own folder (or `root`), fetches nothing, runs nothing. The document is not yet
normalised: `api.contract.importing.read_contract` does the whole way.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from api.contract import notices
from api.contract.bundle import bundle
from api.contract.files import (
    FolderSource,
    MappingSource,
    OutsideError,
    Source,
    TooLargeError,
    UnreadableError,
    normal_path,
)
from api.contract.lean import complete_components
from api.contract.model import Finding, Json, JsonObject, Loss
from api.contract.reading import MAX_BYTES, parse
from api.contract.recognition import unlike_openapi
from api.contract.report import Report
from api.contract.upgrade import upgrade


class Loaded(Struct, frozen=True):
    """What was read. `document` None: nothing could be made of it, the findings say why.

    `files` holds the text of every file read, by its path relative to the root; `origins` says from where
    components came that stood elsewhere ("file#pointer").
    """

    entry: str
    document: JsonObject | None
    files: dict[str, str]
    findings: tuple[Finding, ...] = ()
    losses: tuple[Loss, ...] = ()
    origins: dict[str, str] = {}
    dialect: str = "3.1"  # what the document was written in: 2.0, 3.0 or 3.1


def load_path(path: str | os.PathLike[str], root: str | os.PathLike[str] | None = None) -> Loaded:
    """Load a document from disk. References may lead anywhere below `root` (default: the document's folder)."""
    report = Report()
    try:
        real = Path(path).resolve(strict=True)
        folder = Path(root).resolve(strict=True) if root is not None else real.parent
    except (OSError, RuntimeError, ValueError) as error:
        report.find(notices.FILE_MISSING, "", path=str(path), reason=str(error))
        return Loaded(str(path), None, {}, report.findings)
    if not real.is_relative_to(folder):
        report.find(notices.FILE_OUTSIDE, "", file=str(path), ref=str(path))
        return Loaded(str(path), None, {}, report.findings)
    return _load(FolderSource(folder), real.relative_to(folder).as_posix(), report)


def load_files(files: Mapping[str, bytes], entry: str) -> Loaded:
    """Load a document from memory: `files` by relative path, `entry` the main one."""
    return _load(MappingSource(files), normal_path(entry) or entry, Report())


def _load(source: Source, entry: str, report: Report) -> Loaded:
    data = _read(source, entry, report)
    if data is None:
        return Loaded(entry, None, {}, report.findings)
    parsed = parse(data, entry, report)
    texts = {entry: parsed.text} if parsed.text else {}
    if not parsed.is_read:
        return Loaded(entry, None, texts, report.findings)
    dialect = _dialect_of(parsed.value, parsed.text, entry, report)
    if dialect is None:
        return Loaded(entry, None, texts, report.findings)
    complete_components(parsed.value, parsed.text)
    bundled = bundle(parsed.value, parsed.text, source, entry, report)
    if bundled is None:
        return Loaded(entry, None, texts, report.findings)
    document = upgrade(bundled.document, dialect, report)
    return Loaded(entry, document, bundled.files, report.findings, report.losses, bundled.origins, dialect)


def _read(source: Source, entry: str, report: Report) -> bytes | None:
    try:
        return source.read(entry)
    except TooLargeError as error:
        report.find(notices.FILE_TOO_LARGE, "", file=entry, bytes=error.args[0], limit=MAX_BYTES)
    except OutsideError:
        report.find(notices.FILE_OUTSIDE, "", file=entry, ref=entry)
    except UnreadableError as error:
        report.find(notices.FILE_MISSING, "", file=entry, path=entry, reason=str(error))
    return None


def _dialect_of(value: Json, text: str, entry: str, report: Report) -> str | None:
    """2.0, 3.0 or 3.1; None with a finding when it is something else."""
    if isinstance(value, dict) and ("openapi" in value or "swagger" in value):
        return _stated_dialect(value, entry, report)
    if (
        isinstance(value, dict)
        and isinstance(value.get("paths"), dict)
        and isinstance(value.get("info"), dict)
    ):
        assumed = "2.0" if value.keys() & {"definitions", "basePath", "securityDefinitions"} else "3.0"
        report.find(notices.VERSION_ASSUMED, "", file=entry, version=assumed)
        return assumed
    what_zh, what_en = unlike_openapi(value, text)
    report.find(notices.NOT_OPENAPI, "", file=entry, what_zh=what_zh, what_en=what_en)
    return None


def _stated_dialect(value: JsonObject, entry: str, report: Report) -> str | None:
    written = str(value.get("openapi", value.get("swagger"))).strip()
    if re.match(r"2(\.0)?(\.0)?\Z", written):
        return "2.0"
    if re.match(r"3\.0(\.|\Z)", written) or written == "3":
        return "3.0"
    if re.match(r"3\.1(\.|\Z)", written):
        return "3.1"
    if re.match(r"3\.[2-9](\.|\Z)", written):
        report.lose(notices.VERSION_NEWER, "/openapi", version=written)
        return "3.1"
    report.find(notices.VERSION_UNSUPPORTED, "/openapi", file=entry, version=written)
    return None
