"""A spreadsheet (.xlsx) -> one record. Read by our own hands: only the parts that are needed, bounded, streamed.

No macro, link or formula is run or followed; of a formula the result that was saved is read. What could be a zip
bomb or an XML bomb is refused by what it says of itself and again while it is read.
Source: ECMA-376 Part 1 §18; CWE-409.
"""

import contextlib
import io
import posixpath
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from xml.parsers import expat

from api.contract.draft import notices
from api.contract.draft.parts import Refusal, Source
from api.contract.draft.tabular import MOST_COLUMNS, record_of
from api.contract.draft.xml_tree import Element, XmlRefused, hardened, parse_xml
from api.contract.report import Report

MAX_BYTES = 50 * 1024 * 1024  # of the file
MAX_PART = 400 * 1024 * 1024  # unpacked, of one part; a sheet is left after the rows that are looked at
MAX_READ = 64 * 1024 * 1024  # unpacked and really read
MAX_RATIO = 300  # unpacked to packed, of a part above 10 MB; real sheets stay below 60
MOST_ROWS = 5_000
MOST_STRINGS = 500_000
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_DATE_FORMATS = frozenset({14, 15, 16, 17, 22, 27, 30, 31, 36, 50, 57})
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a day count without zone
_OLE = b"\xd0\xcf\x11\xe0"


class _Enough(Exception):  # noqa: N818 - the rows that are looked at are read
    pass


def read_xlsx(data: bytes, file: str, report: Report, sheet: str = "") -> Source:
    """The record of the first sheet with cells, or of the one named. Raises Refusal."""
    if data.startswith(_OLE):
        report.find(notices.ENCRYPTED, "", file=file)
        raise Refusal(file)
    if len(data) > MAX_BYTES:
        report.find(notices.TOO_LARGE, "", file=file, what=file, limit=f"{MAX_BYTES // 1024 // 1024} MB")
        raise Refusal(file)
    try:
        book = _Book(data, file, report)
        title, rows = book.sheet(sheet)
    except XmlRefused as refused:
        _tell(refused, file, report)
        raise Refusal(file) from refused
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        OSError,
        IndexError,
    ) as error:
        report.find(notices.UNREADABLE, "", file=file, reason=f"{type(error).__name__}: {str(error)[:80]}")
        raise Refusal(file) from error
    if book.formulas:
        report.find(notices.FORMULAS, "", file=file, count=book.formulas)
    if len(book.sheets) > 1:
        others = ", ".join(name for name, _ in book.sheets if name != title)
        report.lose(notices.SHEETS, "", read=title, names=others)
    is_default = title.lower().startswith(("sheet", "工作表"))
    record = record_of(
        rows, file, report, is_sampled=len(rows) > MOST_ROWS, title="" if is_default else title
    )
    return Source("xlsx", record.zh, report, records=[record], upstream={"file": file, "sheet": title})


def _tell(refused: XmlRefused, file: str, report: Report) -> None:
    if refused.args[0] == "doctype":
        report.find(notices.XML_DOCTYPE, "", file=file)
    elif refused.args[0] == "bound":
        report.find(notices.TOO_LARGE, "", file=file, what=file, limit=refused.args[1])
    else:
        report.find(notices.UNREADABLE, "", file=file, reason=refused.args[1])


class _Book:
    def __init__(self, data: bytes, file: str, report: Report) -> None:
        self._zip = zipfile.ZipFile(io.BytesIO(data))
        self._report = report
        self._read = 0
        self.formulas = 0
        for info in self._zip.infolist():
            is_bomb = info.file_size > 10 * 1024 * 1024 and info.file_size > MAX_RATIO * max(
                info.compress_size, 1
            )
            if info.file_size > MAX_PART or is_bomb:
                raise XmlRefused("bound", f"{info.filename}: {info.file_size} bytes")
        workbook = parse_xml(self._part("xl/workbook.xml"))
        targets = {
            one.get("Id"): posixpath.normpath(posixpath.join("xl", one.get("Target")))
            if not one.get("Target").startswith("/")
            else one.get("Target")[1:]
            for one in parse_xml(self._part("xl/_rels/workbook.xml.rels")).children
        }
        listed = workbook.first("sheets")
        self.sheets = [
            (one.get("name"), targets.get(one.get(_RELATION), ""))
            for one in (listed.children if listed else ())
        ]
        self._strings: list[str] | None = None
        self._is_date = self._date_styles()

    def sheet(self, wanted: str) -> tuple[str, list[list[str]]]:
        """The name and rows of the sheet: the one wanted, else the first that has cells."""
        chosen = [one for one in self.sheets if not wanted or one[0] == wanted]
        if not chosen:
            raise ValueError(
                f"no sheet {wanted[:40]}; there are {', '.join(name for name, _ in self.sheets)[:200]}"
            )
        rows: list[list[str]] = []
        for name, path in chosen:
            rows = self._rows(path) if path in self._zip.namelist() else []
            if rows:
                return name, rows
        return chosen[0][0], rows

    def _part(self, name: str) -> bytes:
        with self._zip.open(name) as stream:
            data = stream.read(MAX_READ + 1)
        if len(data) > MAX_READ:
            raise XmlRefused("bound", f"{name}: {MAX_READ // 1024 // 1024} MB")
        return data

    def _chunks(self, name: str) -> Iterator[bytes]:
        with self._zip.open(name) as stream:
            while chunk := stream.read(65536):
                self._read += len(chunk)
                if self._read > MAX_READ:
                    raise XmlRefused("bound", f"{MAX_READ // 1024 // 1024} MB")
                yield chunk

    def _date_styles(self) -> list[bool]:
        if "xl/styles.xml" not in self._zip.namelist():
            return []
        styles = parse_xml(self._part("xl/styles.xml"))
        formats = styles.first("numFmts")
        own = {
            one.get("numFmtId"): one.get("formatCode")
            for one in (formats.children if formats is not None else ())
        }
        cells = styles.first("cellXfs")
        return [self._is_date_format(one, own) for one in (cells.children if cells is not None else ())]

    def _is_date_format(self, style: Element, own: dict[str, str]) -> bool:
        number = style.get("numFmtId")
        code = own.get(number, "").lower()
        return (number.isdigit() and int(number) in _DATE_FORMATS) or ("yy" in code and "d" in code)

    def _shared(self, place: int) -> str:
        if self._strings is None:
            self._strings = self._read_strings()
        return self._strings[place]

    def _read_strings(self) -> list[str]:
        made: list[str] = []
        current: list[str] = []
        state = {"text": False, "phonetic": False}

        def start(name: str, _attributes: list[str]) -> None:
            local = name.rpartition(" ")[2]
            state["phonetic"] = state["phonetic"] or local == "rPh"
            state["text"] = local == "t" and not state["phonetic"]

        def end(name: str) -> None:
            local = name.rpartition(" ")[2]
            state["text"] = False
            if local == "rPh":
                state["phonetic"] = False
            elif local == "si":
                made.append("".join(current)[:4000])
                current.clear()
                if len(made) > MOST_STRINGS:
                    raise XmlRefused("bound", f"{MOST_STRINGS} texts")

        def text(data: str) -> None:
            if state["text"]:
                current.append(data)

        self._stream("xl/sharedStrings.xml", hardened(start, end, text))
        return made

    def _stream(self, name: str, parser: expat.XMLParserType) -> None:
        try:
            for chunk in self._chunks(name):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise XmlRefused("syntax", str(error)) from error

    def _rows(self, path: str) -> list[list[str]]:
        reader = _SheetReader(self._shared, self._is_date)
        with contextlib.suppress(_Enough):
            self._stream(path, hardened(reader.start, reader.end, reader.text))
        self.formulas += reader.formulas
        return reader.rows


class _SheetReader:
    """Collects the rows of one sheet as text."""

    def __init__(self, shared: "object", is_date: list[bool]) -> None:
        self.rows: list[list[str]] = []
        self.formulas = 0
        self._shared = shared
        self._is_date = is_date
        self._row: list[str] = []
        self._cell: dict[str, str] = {}
        self._value: list[str] = []
        self._reads = False

    def start(self, name: str, attributes: list[str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "row":
            self._row = []
        elif local == "c":
            self._cell = dict(zip(attributes[::2], attributes[1::2], strict=True))
            self._value = []
        elif local == "f":
            self.formulas += 1
        self._reads = local in {"v", "t"}

    def text(self, data: str) -> None:
        if self._reads:
            self._value.append(data)

    def end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        self._reads = False
        if local == "c":
            column = _column_of(self._cell.get("r", ""), len(self._row))
            if column < MOST_COLUMNS + 2:
                self._row.extend([""] * (column + 1 - len(self._row)))
                self._row[column] = self._text_of("".join(self._value)[:4000])
        elif local == "row":
            if any(cell.strip() for cell in self._row):
                self.rows.append(self._row)
            if len(self.rows) > MOST_ROWS:
                raise _Enough

    def _text_of(self, value: str) -> str:
        kind = self._cell.get("t", "n")
        if kind == "s":
            return str(self._shared(int(value))) if value else ""  # type: ignore[operator]  # set by _Book
        if kind == "b":
            return "true" if value == "1" else "false"
        if kind in {"str", "inlineStr", "d"}:
            return value
        if kind == "e":
            return ""
        style = int(self._cell.get("s", "0") or 0)
        if value and style < len(self._is_date) and self._is_date[style]:
            return _date_of(value)
        return value.removesuffix(".0")


def _column_of(reference: str, otherwise: int) -> int:
    number = 0
    for char in reference:
        if not char.isalpha():
            break
        number = number * 26 + ord(char.upper()) - 64
    return number - 1 if 0 < number <= 16384 else otherwise


def _date_of(value: str) -> str:
    try:
        at = _EPOCH + timedelta(days=float(value))
    except (ValueError, OverflowError):
        return value
    return f"{at:%Y-%m-%d}" if float(value).is_integer() else f"{at:%Y-%m-%d %H:%M:%S}"
