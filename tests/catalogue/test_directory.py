"""The directory: derived from the published contracts, the same in three forms, read by parsers that are not ours."""

import csv
import io
from typing import Any

import openpyxl
import pytest
import rdflib
from rdflib.namespace import DCAT, DCTERMS, RDF

from api.catalogue.directory_forms import COLUMNS
from api.catalogue.spreadsheet import column_name, guarded, to_csv, to_xlsx
from api.core.store import Stores
from api.settings import Settings
from tests.catalogue import documents
from tests.catalogue.conftest import World, unique
from tests.catalogue.test_routes import Api

HOSTILE = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "＝1",
    "plain",
    "a=b",
    "",
    "2026-01-01",
    "<x>&\"'",
    "\x00\x1b坏",
    "开" * 40_000,
]


def test_a_cell_is_never_a_formula() -> None:
    rows = list(csv.reader(io.StringIO(to_csv([HOSTILE]).decode("utf-8-sig"), newline="")))
    for given, shown in zip(HOSTILE, rows[0], strict=True):
        assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "＝")), given
    assert rows[0][7:11] == ["plain", "a=b", "", "2026-01-01"]
    assert guarded("=1+1") == "'=1+1"


def test_a_workbook_is_read_by_another_reader_with_its_texts_as_texts() -> None:
    made = to_xlsx([("目录", [["列", "Column"], HOSTILE]), ("二", [["x"]])])
    assert made == to_xlsx([("目录", [["列", "Column"], HOSTILE]), ("二", [["x"]])]), (
        "equal rows, equal bytes"
    )
    book = openpyxl.load_workbook(io.BytesIO(made))
    assert book.sheetnames == ["目录", "二"]
    sheet = book["目录"]
    cells = [cell for cell in sheet[2] if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "inlineStr"}
    assert sheet["A2"].value == "=1+1"
    assert sheet["L2"].value == "<x>&\"'"
    assert sheet["M2"].value == "坏"
    assert len(sheet["N2"].value) == 32_767
    assert sheet.freeze_panes == "A2"


@pytest.mark.parametrize(("number", "name"), [(1, "A"), (26, "Z"), (27, "AA"), (702, "ZZ"), (703, "AAA")])
def test_columns_are_named_as_in_a_spreadsheet(number: int, name: str) -> None:
    assert column_name(number) == name


def read_csv(body: bytes) -> list[dict[str, str]]:
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline="")))


def column(zh: str) -> str:
    return next(f"{one} {two}" for one, two in COLUMNS if one == zh)


@pytest.fixture
async def api(stores: Stores, world: World, settings: Settings) -> Api:
    return Api(world, settings)


def library(name: str, **info: Any) -> dict[str, Any]:
    directory = {"code": f"DIR-{name}", "path": "文化/图书馆/馆藏", "update": "daily"}
    return documents.own(name, **{"x-directory": directory, "x-open": "open", **info})


async def test_the_directory_says_what_the_contract_says(api: Api) -> None:
    name = unique("library")
    await api.published(library(name))
    answer = await api.get("/catalogue/directory.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert "directory.csv" in answer.headers["content-disposition"]
    row = next(one for one in read_csv(answer.content) if one[column("信息资源代码")] == f"DIR-{name}")
    assert row[column("信息资源名称")] == "图书馆馆藏"
    assert row[column("英文名称")] == "Library"
    assert row[column("信息资源摘要")] == "市图书馆馆藏检索。"
    assert row[column("共享类型")].startswith("无条件共享")
    assert row[column("开放类型")].startswith("无条件开放")
    assert row[column("更新周期")].startswith("每日")
    assert row[column("目录路径")] == "文化/图书馆/馆藏"
    assert row[column("信息资源格式")] == "application/json"
    assert "编码 Code" in row[column("信息项")]
    assert row[column("契约地址")].endswith(f"/catalogue/{name}/v1/openapi.json")
    assert row[column("信息资源提供方")].endswith("单位")
    book = openpyxl.load_workbook(io.BytesIO((await api.get("/catalogue/directory.xlsx")).content))
    sheet = [list(cells) for cells in book.worksheets[0].iter_rows(values_only=True)]
    same = next(cells for cells in sheet if cells[0] == f"DIR-{name}")
    assert [text or "" for text in same] == list(row.values())
    items = [cells for cells in book.worksheets[1].iter_rows(values_only=True) if cells[0] == f"DIR-{name}"]
    assert [cells[2] for cells in items] == ["code", "name", "rating"]
    assert [cells[5] for cells in items] == ["string", "string", "string"]


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated:DeprecationWarning")  # rdflib's own
async def test_dcat_is_read_as_rdf(api: Api) -> None:
    name = unique("library")
    await api.published(library(name))
    answer = await api.get("/catalogue/dcat.jsonld")
    assert answer.headers["content-type"].startswith("application/ld+json")
    graph = rdflib.Graph().parse(data=answer.text, format="json-ld")
    dataset = next(graph.subjects(DCTERMS.identifier, rdflib.Literal(f"DIR-{name}")))
    assert (dataset, RDF.type, DCAT.Dataset) in graph
    titles = {(str(title), title.language) for title in graph.objects(dataset, DCTERMS.title)}  # type: ignore[union-attr]  # literals
    assert titles == {("图书馆馆藏", "zh"), ("Library", "en")}
    service = next(graph.subjects(DCAT.servesDataset, dataset))
    assert (service, RDF.type, DCAT.DataService) in graph
    assert str(graph.value(service, DCAT.endpointURL)).endswith(f"/api/{name}/v1")
    catalogue = next(graph.subjects(RDF.type, DCAT.Catalog))
    assert (catalogue, DCAT.dataset, dataset) in graph
    assert (catalogue, DCAT.service, service) in graph
    assert str(graph.value(dataset, DCTERMS.accrualPeriodicity)).endswith("/frequency/DAILY")
    assert str(graph.value(dataset, DCTERMS.accessRights)).endswith("/access-right/PUBLIC")
    for publisher in graph.objects(dataset, DCTERMS.publisher):
        assert (publisher, RDF.type, rdflib.URIRef("http://xmlns.com/foaf/0.1/Agent")) in graph


@pytest.mark.parametrize("form", ["directory.xlsx", "directory.csv", "dcat.jsonld"])
async def test_conditional_requests(api: Api, form: str) -> None:
    await api.published(library(unique("library")))
    first = await api.get(f"/catalogue/{form}")
    again = await api.get(f"/catalogue/{form}", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await api.published(library(unique("library")))
    changed = await api.get(f"/catalogue/{form}", headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200


async def test_what_is_for_departments_is_told_to_departments(api: Api) -> None:
    name = unique("library")
    await api.published(library(name, **{"x-audience": "department"}))
    codes = {
        row[column("信息资源代码")] for row in read_csv((await api.get("/catalogue/directory.csv")).content)
    }
    assert f"DIR-{name}" not in codes
    member = await api.get("/catalogue/directory.csv", api.publisher)
    assert f"DIR-{name}" in {row[column("信息资源代码")] for row in read_csv(member.content)}
    assert member.headers["cache-control"].startswith("private")


async def test_a_department_cannot_write_formulas_into_the_directory(api: Api) -> None:
    name = unique("library")
    texts = {
        "zh-CN": {"title": "=HYPERLINK(1)", "description": "@x"},
        "en": {"title": "+1", "description": "-2"},
    }
    await api.published(library(name, **{"x-i18n": texts, "title": "=1", "description": "=2"}))
    row = next(
        one for one in read_csv((await api.get("/catalogue/directory.csv")).content)
        if one[column("信息资源代码")] == f"DIR-{name}"
    )  # fmt: skip
    assert row[column("信息资源名称")] == "'=HYPERLINK(1)"
    assert row[column("信息资源摘要")] == "'@x"
