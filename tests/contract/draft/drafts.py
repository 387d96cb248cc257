"""Helpers of the drafts' tests: draft from bytes, and what a sound draft is."""

import io
import zipfile
from typing import Any

from api.contract.draft.drafting import Draft, Options, draft
from api.contract.files import MappingSource
from api.contract.mapping import compile_mapping, read_mapping


def from_bytes(
    kind: str, data: bytes | str, name: str = "data", options: Options | None = None, **files: str
) -> Draft:
    """A draft from one file in memory, and further files beside it."""
    sources = {name: data.encode() if isinstance(data, str) else data}
    sources |= {one.replace("__", "."): text.encode() for one, text in files.items()}
    return draft(kind, MappingSource(sources), name, options)


def rules_of(made: Draft) -> set[str]:
    return {one.rule for one in (*made.findings, *made.losses)}


def check_sound(made: Draft) -> dict[str, Any]:
    """It lints clean, loses nothing on import, has three scenarios for each operation, and its mapping fits."""
    assert made.contract, [one.message for one in made.findings]
    assert made.imported is not None
    assert [f"{one.rule} {one.pointer} {one.message}" for one in made.imported.findings] == []
    assert [f"{one.rule} {one.pointer}" for one in made.imported.losses] == []
    assert {one.verdict for one in made.imported.verdicts.values()} == {"ok"}
    service = made.imported.service
    assert service is not None
    for operation in service.operations:
        assert len(operation.scenarios) == 3, operation.id
    compiled = compile_mapping(read_mapping(made.mapping), service)
    assert set(compiled.operations) == {one.id for one in service.operations}
    assert not [one for one in made.findings if one.severity == "error"]
    return made.document


def workbook(
    sheet: str, strings: str = "", *, workbook: str = "", more: dict[str, bytes] | None = None
) -> bytes:
    """A workbook of hand-written parts."""
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(
            "xl/workbook.xml",
            workbook
            or f'<workbook {main} xmlns:r="{relation}"><sheets><sheet name="表" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        book.writestr("xl/worksheets/sheet1.xml", sheet)
        if strings:
            book.writestr("xl/sharedStrings.xml", strings)
        for name, data in (more or {}).items():
            book.writestr(name, data)
    return out.getvalue()


def sheet_of(rows: str) -> str:
    return f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'


def inline(*cells: str) -> str:
    return "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells) + "</row>"
