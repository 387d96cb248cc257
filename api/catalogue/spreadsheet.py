"""Rows -> a workbook (.xlsx) or CSV that people open in a spreadsheet: texts stay texts, nothing is ever a formula.

Source: ECMA-376 Part 1 §18; RFC 4180; CWE-1236 (formula injection).
"""

import csv
import io
import re
import zipfile
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

Rows = Sequence[Sequence[str]]
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_STAMP = (2026, 1, 1, 0, 0, 0)  # of every part: equal rows give equal bytes
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
MOST_CHARACTERS = 32_767  # of a cell
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>'
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="2"><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def to_xlsx(sheets: Sequence[tuple[str, Rows]]) -> bytes:
    """A workbook of text cells; the first row of each sheet is its header, bold and kept in sight."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        for name, text in _parts(sheets):
            book.writestr(zipfile.ZipInfo(name, _STAMP), _HEAD + text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _parts(sheets: Sequence[tuple[str, Rows]]) -> list[tuple[str, str]]:
    numbers = range(1, len(sheets) + 1)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    overrides = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{kind}.worksheet+xml"/>'
        for n in numbers
    )
    types = (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{kind}.styles+xml"/>{overrides}</Types>'
    )
    listed = "".join(
        f'<sheet name={quoteattr(name[:31])} sheetId="{n}" r:id="rId{n}"/>'
        for n, (name, _) in zip(numbers, sheets, strict=True)
    )
    related = "".join(
        f'<Relationship Id="rId{n}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    return [
        ("[Content_Types].xml", types),
        ("_rels/.rels", f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'),
        ("xl/workbook.xml", f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><sheets>{listed}</sheets></workbook>'),
        ("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{_PACKAGE}/relationships">{related}<Relationship Id="rId{len(sheets) + 1}" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>'),
        ("xl/styles.xml", _STYLES),
        *((f"xl/worksheets/sheet{n}.xml", _sheet(rows)) for n, (_, rows) in zip(numbers, sheets, strict=True)),
    ]  # fmt: skip


def _sheet(rows: Rows) -> str:
    most = max((len(row) for row in rows), default=1)
    widths = [
        max(
            (
                min(60, 2 + sum(2 if ord(char) > 255 else 1 for char in row[at]))
                for row in rows[:200]
                if len(row) > at
            ),
            default=10,
        )
        for at in range(most)
    ]
    columns = "".join(
        f'<col min="{at}" max="{at}" width="{width}" customWidth="1"/>'
        for at, width in enumerate(widths, start=1)
    )
    body = "".join(_row(number, row) for number, row in enumerate(rows, start=1))
    last = f"{column_name(most)}{max(len(rows), 1)}"
    return (
        f'<worksheet xmlns="{_MAIN}"><dimension ref="A1:{last}"/><sheetViews><sheetView workbookViewId="0">'
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
        f'<cols>{columns}</cols><sheetData>{body}</sheetData><autoFilter ref="A1:{last}"/></worksheet>'
    )


def _row(number: int, row: Sequence[str]) -> str:
    style = 1 if number == 1 else 0
    cells = "".join(
        f'<c r="{column_name(at)}{number}" t="inlineStr" s="{style}"><is><t xml:space="preserve">{escape(_plain(text))}</t></is></c>'
        for at, text in enumerate(row, start=1)
        if text
    )
    return f'<row r="{number}">{cells}</row>'


def _plain(text: str) -> str:
    return _ILLEGAL.sub("", text)[:MOST_CHARACTERS]


def column_name(number: int) -> str:
    """1 -> A, 27 -> AA."""
    name = ""
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def to_csv(rows: Rows) -> bytes:
    """CSV in UTF-8 with a byte order mark, which spreadsheets need; a cell that would be a formula gets an apostrophe."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([[guarded(cell) for cell in row] for row in rows])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def guarded(text: str) -> str:
    """The text, with an apostrophe before what a spreadsheet would take for a formula."""
    text = _plain(text)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text
