"""Drafts from each kind of source: what is kept, what is guessed, and that no value of the source is written."""

import io
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.contract.draft import checks
from api.contract.draft.drafting import Options, draft
from api.contract.draft.examples import matching
from api.contract.draft.xsd_types import json_pattern
from api.contract.files import FolderSource
from sandbox.city.population import identifiers
from tests.contract.draft.drafts import check_sound, from_bytes, rules_of

SOURCES = Path(__file__).parent / "sources"
FREE = Options(basis="contract")


def schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][name]["properties"]
    return found


# --- check characters ------------------------------------------------------------------------------
def test_check_characters_agree_with_the_city() -> None:
    for number in range(500):
        assert identifiers.is_credit_code(checks.credit_code(number))
        assert identifiers.is_citizen_number(checks.citizen_number(number))
        assert checks.is_credit_code(checks.credit_code(number))
        assert not checks.is_credit_code(checks.with_wrong_check(checks.credit_code(number)))
        assert not checks.is_citizen_number(checks.with_wrong_check(checks.citizen_number(number)))


@pytest.mark.parametrize(
    "pattern", ["^HK[0-9]{4}$", r"^\d{2}-[A-Z]+$", "^(?:a|b)c?$", "^[^0-9]{3}$", r"^\w{1,5}\.x$", "^.+@.+$"]
)
def test_an_example_matches_its_pattern(pattern: str) -> None:
    made = matching(pattern, 7)
    assert made
    import re

    assert re.search(pattern, made)


@pytest.mark.parametrize(
    ("written", "made"),
    [("[0-9]{4}", "^[0-9]{4}$"), ("a|b", "^(?:a|b)$"), (r"\i\c*", ""), ("[a-z-[aeiou]]", ""), ("(", "")],
)
def test_patterns_of_xsd(written: str, made: str) -> None:
    assert json_pattern(written) == made


# --- CSV -------------------------------------------------------------------------------------------
def rows_of_people(count: int = 30) -> str:
    header = "身份证号,姓名,手机号,企业统一社会信用代码,月收入,性别,登记日期,更新时间"
    lines = [
        f"{identifiers.citizen_number('990101', date(1990, 1, 1 + number % 28), number + 1)},示例{number},"
        f"1000000{number + 1:04d},{checks.credit_code(number)},{8000 + number}.5,{'男' if number % 2 else '女'},"
        f"202601{1 + number % 28:02d},2026-01-01 08:00:{number % 60:02d}"
        for number in range(count)
    ]
    return "\n".join([header, *lines])


def test_a_table_of_people_is_protected() -> None:
    made = from_bytes("csv", rows_of_people(), "职工信息.csv")
    document = check_sound(made)
    person = schema_of(document, "Employee")
    assert person["id_number"]["x-classification"] == {"level": "L3", "kind": "id-number"}
    assert person["id_number"]["x-mask"] == "last4"
    assert person["id_number"]["x-element"] == "GB 11643-1999"
    assert person["person_name"]["x-classification"]["kind"] == "name"
    assert person["phone"]["x-classification"] == {"level": "L3", "kind": "phone"}
    assert person["income"]["x-classification"]["kind"] == "finance"
    assert person["credit_code"]["x-ref"] == {"operation": "company@v1/getCompany", "parameter": "code"}
    assert person["sex"]["enum"] == ["女", "男"]
    assert person["registered_on"]["format"] == "date"
    assert person["updated_at"]["format"] == "date-time"
    operation = document["paths"]["/employees/inquiry"]["post"]
    assert (operation["x-level"], operation["x-basis"], operation["x-subject"]) == ("L3", "consent", "person")
    assert {"draft-guessed-basis", "draft-guessed-class", "draft-guessed-relation"} <= rules_of(made)
    assert "登记日期 | date yyyyMMdd" in made.mapping
    assert 'datetime "yyyy-MM-dd HH:mm:ss"' in made.mapping


def test_no_value_of_the_source_is_written() -> None:
    source = rows_of_people()
    made = from_bytes("csv", source, "职工信息.csv")
    text = made.contract + made.mapping + json.dumps([one.message for one in (*made.findings, *made.losses)])
    for line in source.splitlines()[1:]:
        number, name, phone, code, income, *_ = line.split(",")
        assert number not in text
        assert phone not in text
        assert income not in text
        if code not in {checks.credit_code(15), checks.credit_code(16)}:  # made-up examples of ours
            assert code not in text
        assert f"{name}\n" not in text


@pytest.mark.parametrize(
    ("encoding", "told"), [("utf-8", False), ("utf-8-sig", False), ("gb18030", True), ("utf-16", True)]
)
def test_encodings(encoding: str, told: bool) -> None:
    made = from_bytes("csv", "编号,名称\nA1,甲\nA2,乙\n".encode(encoding), "许可证.csv")
    document = check_sound(made)
    assert schema_of(document, "Licence")["code"]["description"] == "编号"
    assert ("draft-encoding-read" in rules_of(made)) is told


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separators(separator: str) -> None:
    made = from_bytes("csv", f"编号{separator}名称\nA1{separator}甲\n", "许可证.csv")
    assert len(schema_of(check_sound(made), "Licence")) == 2
    assert ("delimiter" in made.mapping) is (separator != ",")


def test_a_table_without_a_key_is_a_list_and_says_so() -> None:
    made = from_bytes("csv", "区划,数量\n990101,1\n990101,1\n", "统计.csv")
    document = check_sound(made)
    assert [method for item in document["paths"].values() for method in item] == ["get"]
    assert "draft-key-missing" in rules_of(made)
    made = from_bytes("csv", "区划,数量\n990101,1\n990101,1\n", "统计.csv", Options(key="数量"))
    assert "/entries/{quantity}" in made.document["paths"]
    assert "draft-unreadable" in rules_of(
        from_bytes("csv", "区划,数量\n1,1\n", "统计.csv", Options(key="没有"))
    )


# --- spreadsheet -----------------------------------------------------------------------------------
def test_a_spreadsheet_with_dates_numbers_formulas_and_two_sheets() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "许可证"
    sheet.append(["许可证编号", "金额", "发证日期", "更新时间", "有效", "合计"])
    for number in range(1, 6):
        sheet.append(
            [
                f"XK{number:03d}",
                number * 1.5,
                date(2026, 1, number),
                datetime.fromisoformat(f"2026-01-{number:02d}T08:30:00"),
                True,
                f"=B{number + 1}*2",
            ]
        )
    book.create_sheet("说明").append(["无关"])
    out = io.BytesIO()
    book.save(out)
    made = from_bytes("xlsx", out.getvalue(), "许可证.xlsx")
    document = check_sound(made)
    licence = schema_of(document, "Licence")
    assert licence["amount"]["type"] == "number"
    assert licence["issued_on"]["format"] == "date"
    assert licence["updated_at"]["format"] == "date-time"
    assert {"draft-formulas", "xlsx-sheets"} <= rules_of(made)
    assert "许可证.csv" in made.mapping, "the drop folder holds CSV"


# --- DDL -------------------------------------------------------------------------------------------
DDL = """
/* 车辆 */ CREATE TABLE IF NOT EXISTS "public"."t_clxx" (
  id BIGSERIAL PRIMARY KEY, -- 主键
  hphm VARCHAR(20) NOT NULL, syr VARCHAR(50), sfzh CHAR(18) NOT NULL,
  dwid VARCHAR(18) REFERENCES t_dw(xydm),
  clzt VARCHAR(2) CHECK (clzt IN ('1','2')), djrq DATE, zp BYTEA, pl NUMERIC(10,2), n NUMBER(10), CHECK (pl > 0)
);
COMMENT ON TABLE t_clxx IS '机动车登记信息';
COMMENT ON COLUMN public.t_clxx.syr IS '所有人姓名';
CREATE TABLE `t_dw` (`xydm` varchar(18) NOT NULL COMMENT '统一社会信用代码; 18位', `dwmc` varchar(200) COMMENT '单位名称',
  `zt` enum('正常','注销'), PRIMARY KEY (`xydm`)) ENGINE=InnoDB COMMENT='单位信息';
CREATE VIEW v AS SELECT 1;
"""


def test_tables_with_comments_keys_and_relations() -> None:
    made = from_bytes("table", DDL, "car.sql", FREE)
    document = check_sound(made)
    vehicle, office = schema_of(document, "Vehicle"), schema_of(document, "Organisation")
    assert vehicle["person_name"]["description"] == "所有人姓名"
    assert vehicle["id_number"]["x-classification"]["level"] == "L3"
    assert vehicle["dwid"]["x-ref"] == {"operation": "getOrganisation", "parameter": "credit_code"}
    assert vehicle["clzt"]["enum"] == ["1", "2"]
    assert vehicle["n"]["type"] == "integer"
    assert "zp" not in vehicle
    assert office["status"]["enum"] == ["正常", "注销"]
    assert document["components"]["schemas"]["Vehicle"]["required"] == ["id", "plate_number", "id_number"]
    assert {"ddl-binary", "ddl-statements", "ddl-constraint"} <= rules_of(made)
    assert "/organisations/{credit_code}" in document["paths"]
    assert "CAST(:credit_code AS VARCHAR)" in made.mapping


# --- samples ---------------------------------------------------------------------------------------
def test_samples_in_an_envelope() -> None:
    rows = [
        {
            "code": f"ZD{number}",
            "名称": "站",
            "readings": [{"pm25": number, "at": "2026-06-30T09:00:00Z"}],
            "note": None if number else "x",
        }
        for number in range(3)
    ]
    made = from_bytes(
        "samples", json.dumps({"fhm": "0000", "fhxx": "成功", "result": {"list": rows}}), "station.json"
    )
    document = check_sound(made)
    station = schema_of(document, "Station")
    assert station["readings"]["type"] == "array"
    assert "remark" in station
    assert "remark" not in document["components"]["schemas"]["Station"].get("required", [])
    assert "result/list" in made.mapping
    assert "at: fhm" in made.mapping


def test_samples_as_lines_and_as_xml() -> None:
    check_sound(from_bytes("samples", '{"code": "A1", "n": 1}\n{"code": "A2", "n": 2.5}\n', "lines.json"))
    made = from_bytes(
        "samples",
        "<Rsp><Code>0</Code><Msg>ok</Msg><Data><Item id='1'><Bh>A1</Bh></Item><Item id='2'><Bh>A2</Bh></Item></Data></Rsp>",
        "a.xml",
    )
    check_sound(made)
    assert "format: xml" in made.mapping


# --- XSD and WSDL ----------------------------------------------------------------------------------
def test_a_wsdl_with_imports() -> None:
    made = draft("wsdl", FolderSource(SOURCES), "household.wsdl", FREE)
    document = check_sound(made)
    assert set(document["paths"]) == {"/persons/inquiry", "/stations/{station_code}", "/moves/submit"}
    answer = schema_of(document, "PersonAnswer")
    assert {"person_name", "birth_date", "phone", "version"} <= set(answer), "the envelope is the mapping's"
    assert "version: '@version'" in made.mapping
    assert "choice: [[SFZHM, HKBH]]" in made.mapping
    assert {
        "xsd-choice",
        "xsd-nil",
        "xsd-recursive",
        "xsd-union",
        "xsd-any",
        "wsdl-fault",
        "wsdl-one-way",
    } <= rules_of(made)
    assert schema_of(document, "StationAnswer")["station_code"]["pattern"] == "^HK[0-9]{4}$"


RPC = """<definitions name="Legacy" targetNamespace="urn:x" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap12/"
 xmlns:t="urn:x" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:h="http://schemas.xmlsoap.org/wsdl/http/">
<message name="In"><part name="permitNo" type="xs:string"/></message><message name="Out"><part name="permitNo" type="xs:string"/><part name="days" type="xs:int"/></message>
<portType name="P"><operation name="getPermit"><input message="t:In"/><output message="t:Out"/></operation></portType>
<binding name="H" type="t:P"><h:binding verb="GET"/></binding>
<binding name="B" type="t:P"><s:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="getPermit"><s:operation soapAction=""/><input><s:body use="encoded"/></input><output><s:body use="literal"/></output></operation></binding>
<service name="Legacy"><port name="P" binding="t:B"><s:address location="http://127.0.0.1/x"/></port></service></definitions>"""


def test_rpc_and_soap_12() -> None:
    made = from_bytes("wsdl", RPC, "legacy.wsdl")
    check_sound(made)
    assert "version: '1.2'" in made.mapping
    assert {"wsdl-binding", "wsdl-encoded"} <= rules_of(made)


XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:t" targetNamespace="urn:t">
<xs:element name="Permit"><xs:complexType mixed="true"><xs:sequence>
  <xs:element ref="t:base"/><xs:group ref="t:G"/><xs:element name="price" type="t:Money"/>
  <xs:element name="tags" minOccurs="0"><xs:complexType><xs:sequence><xs:element name="tag" type="xs:string" maxOccurs="9"/></xs:sequence></xs:complexType></xs:element>
  <xs:choice maxOccurs="2"><xs:element name="a" type="xs:int"/><xs:element name="b" type="t:Missing"/></xs:choice>
 </xs:sequence><xs:attribute name="permitNo" type="xs:token" use="required"/><xs:anyAttribute/></xs:complexType>
 <xs:key name="k"><xs:selector xpath="."/><xs:field xpath="@x"/></xs:key></xs:element>
<xs:element name="base" type="xs:string"/><xs:element name="special" type="xs:string" substitutionGroup="t:base"/>
<xs:group name="G"><xs:sequence><xs:element name="grade"><xs:simpleType><xs:restriction base="xs:string"><xs:enumeration value="甲"/><xs:enumeration value="乙"/></xs:restriction></xs:simpleType></xs:element></xs:sequence></xs:group>
<xs:complexType name="Money"><xs:simpleContent><xs:extension base="xs:decimal"><xs:attribute name="currency" type="xs:string"/></xs:extension></xs:simpleContent></xs:complexType>
</xs:schema>"""


def test_an_xsd_and_what_it_loses() -> None:
    made = from_bytes("xsd", XSD, "permit.xsd")
    document = check_sound(made)
    permit = schema_of(document, "Permit")
    assert permit["grade"]["enum"] == ["甲", "乙"]
    assert permit["tags"]["type"] == "array"
    assert schema_of(document, "PermitAmount")["value"]["type"] == "number"
    assert "tags: {at: tags/tag, each: same}" in made.mapping
    assert {
        "xsd-mixed",
        "xsd-choice",
        "xsd-group-occurs",
        "xsd-any-attribute",
        "xsd-type-unknown",
    } <= rules_of(made)


def test_types_alone_are_enough() -> None:
    check_sound(draft("xsd", FolderSource(SOURCES), "types.xsd", FREE))
