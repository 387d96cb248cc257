"""Sources that want harm, or are merely broken: refused or handled with a finding, never an exception, never long."""

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.contract.draft import xlsx_source
from api.contract.draft.drafting import SOURCES, draft
from api.contract.files import FolderSource
from tests.contract.draft.drafts import check_sound, from_bytes, inline, rules_of, sheet_of, workbook

XXE = '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>'
LAUGHS = '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><l>&b;</l>'


@pytest.mark.parametrize("kind", ["wsdl", "xsd", "samples"])
@pytest.mark.parametrize("data", [XXE, LAUGHS, '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x"><r/>'])
def test_document_types_are_refused(kind: str, data: str) -> None:
    made = from_bytes(kind, data, "a.xml")
    assert made.contract == ""
    assert "draft-doctype" in rules_of(made)


def test_document_types_inside_a_spreadsheet_are_refused() -> None:
    assert "draft-doctype" in rules_of(from_bytes("xlsx", workbook(XXE), "a.xlsx"))
    assert "draft-doctype" in rules_of(
        from_bytes("xlsx", workbook(sheet_of(inline("a")), workbook=LAUGHS), "a.xlsx")
    )


def test_references_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="secret" type="xs:string"/></xs:schema>'
    )
    includes = "".join(
        f'<xs:include schemaLocation="{one}"/>'
        for one in (
            "../secret.xsd",
            "/etc/passwd",
            "http://127.0.0.1:9/x.xsd",
            "file:///etc/passwd",
            "%2e%2e/secret.xsd",
        )
    )
    element = '<xs:element name="A"><xs:complexType><xs:sequence><xs:element name="code" type="xs:string"/></xs:sequence></xs:complexType></xs:element>'
    (tmp_path / "in" / "a.xsd").write_text(
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{includes}{element}</xs:schema>'
    )
    made = draft("xsd", FolderSource(tmp_path / "in"), "a.xsd")
    assert [one.rule for one in made.findings].count("draft-reference-outside") == 5
    assert "secret" not in made.contract


def test_a_zip_bomb_is_refused_by_what_it_says() -> None:
    data = workbook(sheet_of(inline("a")), more={"xl/media/x.bin": b"\0" * 12_000_000})
    assert len(data) < 100_000
    assert "draft-too-large" in rules_of(from_bytes("xlsx", data, "a.xlsx"))


def test_a_zip_bomb_is_refused_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_source, "MAX_READ", 200_000)
    made = from_bytes("xlsx", workbook(sheet_of("<x/>" * 100_000)), "a.xlsx")
    assert "draft-too-large" in rules_of(made)


def test_a_million_rows_are_not_read() -> None:
    rows = sheet_of(inline("编号", "名称") + "".join(inline(f"A{number}", "x") for number in range(20_000)))
    made = from_bytes("xlsx", workbook(rows), "许可证.xlsx")
    check_sound(made)
    assert "draft-rows-sampled" in rules_of(made)
    lines = "编号,名称\n" + "".join(f"A{number},x\n" for number in range(1_000_000))
    made = from_bytes("csv", lines, "许可证.csv")
    check_sound(made)
    assert "draft-rows-sampled" in rules_of(made)


def test_a_sheet_that_claims_the_last_column() -> None:
    row = '<row><c r="A1" t="inlineStr"><is><t>编号</t></is></c><c r="XFD1" t="inlineStr"><is><t>远</t></is></c><c r="ZZZZZZ1"><v>1</v></c></row>'
    made = from_bytes("xlsx", workbook(sheet_of(row + inline("A1"))), "许可证.xlsx")
    assert made.contract


HEADERS = {
    "编号,编号": "draft-column-twice",
    "编号,": "",
    ",,": "",  # an empty line; the next one is the header
    "=HYPERLINK(1),编号": "draft-header-formula",
    "class,__proto__,constructor,limit,cursor,编号": "",
    "a" * 5000 + ",编号": "",
    "编号,名\u202e称": "draft-header-formula",
    "龘靐,齉龖": "draft-name-invented",
    "地址/住所,a|b,编号": "",
    "姓名,姓 名,编号": "draft-name-numbered",
    ",".join(f"c{number}" for number in range(400)): "draft-too-large",
}


@pytest.mark.parametrize(("header", "rule"), HEADERS.items(), ids=range(len(HEADERS)))
def test_headers_of_every_kind(header: str, rule: str) -> None:
    width = header.count(",") + 1
    made = from_bytes(
        "csv",
        f"{header}\n" + "\n".join(",".join(f"v{row}{column}" for column in range(width)) for row in range(3)),
        "许可证.csv",
    )
    if rule:
        assert rule in rules_of(made)
    if made.contract:
        check_sound(made)


BROKEN = [
    b"", b"\0", b"\xff\xfe", b"\xff" * 50, b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0" + b"x" * 50, b"{", b"[" * 100_000, b"<", b"<a>" * 500,
    b'"', b'a,b\n"c', b"CREATE TABLE", b"CREATE TABLE x (", b"CREATE TABLE x ();;;", b"CREATE TABLE x (a int, CHECK", b"'" * 999, b"<wsdl/>",
    '<?xml version="1.0" encoding="GB2312"?><户/>'.encode("gb18030"), b"null", b"[[[]]]", b"[1,2]", b'{"a":{"a":{"a":[]}}}', b"true",
]  # fmt: skip


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("data", BROKEN, ids=range(len(BROKEN)))
def test_broken_files_are_told(kind: str, data: bytes) -> None:
    made = from_bytes(kind, data, "a.txt")
    if not made.contract:
        assert [one for one in made.findings if one.severity == "error"]


@pytest.mark.parametrize("kind", SOURCES)
@settings(max_examples=60, deadline=None)
@given(data=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_no_bytes_raise(kind: str, data: bytes) -> None:
    from_bytes(kind, data, "a.txt")


@settings(max_examples=80, deadline=None)
@given(
    rows=st.lists(
        st.lists(
            st.text(
                alphabet=st.characters(blacklist_categories=("Cs",), blacklist_characters='\r\n,"\x00'),
                max_size=12,
            ),
            min_size=3,
            max_size=3,
        ),
        min_size=2,
        max_size=6,
    )
)
def test_whatever_a_table_holds_the_draft_is_sound(rows: list[list[str]]) -> None:
    made = from_bytes("csv", "\n".join(",".join(row) for row in rows), "许可证.csv")
    if made.contract:
        check_sound(made)


def test_a_schema_that_multiplies_is_refused() -> None:
    types = "".join(
        f'<xs:complexType name="T{level}"><xs:sequence>'
        + "".join(f'<xs:element name="e{number}" type="T{level + 1}"/>' for number in range(10))
        + "</xs:sequence></xs:complexType>"
        for level in range(9)
    )
    schema = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{types}<xs:complexType name="T9"><xs:sequence><xs:element name="x" type="xs:int"/></xs:sequence></xs:complexType><xs:element name="A" type="T0"/></xs:schema>'
    made = from_bytes("xsd", schema, "a.xsd")
    assert made.contract == ""
    assert "draft-too-large" in rules_of(made)


LONG = {
    "table": [
        "/* " * 400_000,
        "[ " * 400_000,
        "'" * 999_999,
        '"' * 999_999,
        "CREATE TABLE x (" * 50_000,
        "-- " * 400_000,
        "((((" * 200_000,
    ],
    "csv": [
        "a@" + "." * 100_000 + " x,b\n1,2\n",
        '"' + "x" * 500_000,
        "编号\n" + "a@" + "." * 100_000 + " x\n",
    ],
    "samples": ['{"a":' * 50_000, '["' + "公司" * 500_000 + '"]', "[" + '{"x": 1},' * 100_000 + '{"y": 2}]'],
    "xsd": ["<a " + "b" * 500_000, "<a>" * 200_000],
}


@pytest.mark.parametrize(
    ("kind", "data"), [(kind, one) for kind, every in LONG.items() for one in every], ids=lambda one: one[:8]
)
def test_long_input_takes_time_in_proportion(kind: str, data: str) -> None:
    from_bytes(kind, data, "a.txt")  # a quadratic reader would not come back


def test_a_password_is_told() -> None:
    assert "draft-encrypted" in rules_of(from_bytes("xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "a.xlsx"))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("word/document.xml", "<a/>")
    assert "draft-unreadable" in rules_of(from_bytes("xlsx", out.getvalue(), "a.xlsx"))
