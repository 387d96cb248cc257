"""An officer with a WSDL, a table, a spreadsheet or samples is in the sandbox in minutes: draft, import, publish, call."""

import json
import sqlite3
import urllib.request
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from api.contract.importing import read_contract
from api.contract.load import load_path
from api.contract.model import Operation
from tests.server import Installation, RunningServer

SOURCES = Path(__file__).resolve().parents[1] / "contract" / "draft" / "sources"
PERMITS = [
    ("许可证编号", "企业名称", "统一社会信用代码", "状态", "发证日期", "有效期至"),
    ("XK2026001", "示例甲有限公司", "91990106MA0000015L", "有效", "20260101", "2031-01-01"),
    ("XK2026002", "示例乙有限公司", "91990102MA0000031G", "注销", "20260102", "2031-01-02"),
    ("XK2026003", "示例丙有限公司", "91990106MA0000082J", "有效", "20260103", "2031-01-03"),
]
DDL = """
CREATE TABLE t_permit (
  permit_no VARCHAR(20) PRIMARY KEY,
  qymc VARCHAR(200) NOT NULL,
  zt VARCHAR(10) CHECK (zt IN ('有效', '注销')),
  fzrq DATE
);
"""
COMMENTS = "COMMENT ON TABLE t_permit IS '经营许可证'; COMMENT ON COLUMN t_permit.qymc IS '企业名称';"
SAMPLES = {
    "code": "0",
    "msg": "成功",
    "data": [
        {"station_code": "ZD01", "name": "示例站", "pm25": 35, "measured_at": "2026-06-30T09:00:00+08:00"},
        {"station_code": "ZD02", "name": "示例二站", "pm25": 41, "measured_at": "2026-06-30T09:00:00+08:00"},
    ],
}


def make_source(kind: str, folder: Path) -> Path:
    """A file of that kind, as a department would have it."""
    if kind in {"wsdl", "xsd"}:
        for name in ("household.wsdl", "types.xsd", "station.xsd"):
            (folder / name).write_bytes((SOURCES / name).read_bytes())
        return folder / ("household.wsdl" if kind == "wsdl" else "station.xsd")
    names = {"table": "permit.sql", "csv": "许可证.csv", "xlsx": "许可证.xlsx", "samples": "readings.json"}
    file = folder / names[kind]
    if kind == "table":
        file.write_text(DDL + COMMENTS, encoding="utf-8")
    elif kind == "csv":
        file.write_bytes("\r\n".join(",".join(row) for row in PERMITS).encode("gb18030"))
    elif kind == "xlsx":
        book = openpyxl.Workbook()
        for row in PERMITS:
            book.active.append(row)
        book.save(file)
    else:
        file.write_text(json.dumps(SAMPLES, ensure_ascii=False), encoding="utf-8")
    return file


LOOK_UPS = {
    "wsdl": "getStation", "xsd": "getStation", "table": "getPermit", "csv": "getLicence", "xlsx": "getLicence",
    "samples": "getReading",
}  # fmt: skip


def published(
    installation: Installation, kind: str, file: str, folder: Path, *more: str
) -> tuple[Operation, str]:
    """Draft, lint, import and publish; the look-up that came of it, and the service."""
    name, out = f"draft-{kind}", folder / "out"
    drafted = installation.json(
        "contract", "draft", "--from", kind.partition("-")[0], file, "--out", str(out), "--name", name,
        "--department", "market-regulation",
    )  # fmt: skip
    assert drafted["service"] == f"{name}@v1"
    assert drafted["scenarios"] >= 3
    linted = installation.json("contract", "lint", str(out / "contract.yaml"))
    assert linted["findings"] == []
    assert linted["losses"] == []
    assert set(linted["verdicts"].values()) == {"ok"}
    imported = installation.json(
        "contract", "import", str(out / "contract.yaml"), "--owner", "market-regulation"
    )
    assert imported["service"] == name
    installation.json("contract", "publish", f"{name}@v1", "--environment", "sandbox", *more)
    service = read_contract(load_path(out / "contract.yaml")).service
    assert service is not None
    operation = service.operation(LOOK_UPS[kind.partition("-")[0]])
    assert operation is not None, drafted["operations"]
    return operation, name


class Caller:
    """An app of its own that calls one operation."""

    def __init__(self, installation: Installation, operation: Operation, service: str) -> None:
        self.installation, self.operation, self.service = installation, operation, service
        app = installation.json(
            "app", "create", "--name", service, "--environment", "sandbox", "--subscribe", f"{service}@v1"
        )
        self.credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])

    def __call__(self, values: dict[str, Any] | None = None, scenario: str = "") -> dict[str, Any]:
        given = {one.name: one.example for one in self.operation.parameters if one.required} | (values or {})
        options = [part for name, value in given.items() for part in ("--param", f"{name}={value}")]
        done = self.installation.command(
            "call", self.service, self.operation.id, *options, "--scenario", scenario, *self.credential, "--json",
            check=False,
        )  # fmt: skip
        assert done.stdout, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.mark.parametrize("kind", ["wsdl", "xsd", "table", "csv", "xlsx", "samples"])
def test_from_a_source_to_a_call(
    installation: Installation, sandbox: RunningServer, kind: str, tmp_path: Path
) -> None:
    operation, name = published(installation, kind, str(make_source(kind, tmp_path)), tmp_path)
    call = Caller(installation, operation, name)
    found = call()
    assert found["status"] == 200
    assert found["headers"]["kaimen-sandbox"] == "synthetic"
    contract = json.loads(urllib.request.urlopen(f"{sandbox.url}/catalogue/{name}/v1/openapi.json").read())
    shown = contract["paths"][operation.path][operation.method.lower()]
    assert shown["x-i18n"].keys() == {"zh-CN", "en"}, "what is published is written out"
    assert any(
        one.endswith("-not-found")
        for one in shown["responses"]["404"]["content"]["application/problem+json"]["examples"]
    )
    example = next(one for one in operation.responses if one.status == "200").media[0].example
    assert found["body"] == example
    missing = call(scenario="not-found")
    assert (missing["status"], missing["body"]["type"].rpartition("/")[2] or missing["body"]["type"])[
        0
    ] == 404
    refused = next(one for one in operation.scenarios if one.id not in {"found", "not-found"})
    assert call(scenario=refused.id)["status"] == refused.then["status"]


def test_a_file_in_a_drop_folder_answers_by_the_drafted_mapping(
    installation: Installation, sandbox: RunningServer, tmp_path: Path
) -> None:
    folder = installation.home / "drop" / "licences"  # files are read below this folder only
    folder.mkdir(parents=True)
    file = make_source("csv", folder)
    mapping = str(tmp_path / "out" / "mapping.yaml")
    operation, name = published(
        installation,
        "csv-real",
        str(file),
        tmp_path,
        "--upstream",
        f"files://{folder}",
        "--mapping",
        mapping,
    )
    call = Caller(installation, operation, name)
    found = call({"licence_number": "XK2026002"})
    assert found["status"] == 200, found
    assert found["body"] == {
        "licence_number": "XK2026002", "company_name": "示例乙有限公司", "credit_code": "91990102MA0000031G",
        "status": "注销", "issued_on": "2026-01-02", "valid_until": "2031-01-02",
    }  # fmt: skip
    missing = call({"licence_number": "XK9"})
    assert missing["status"] == 404
    assert missing["body"]["type"].endswith("-not-found/")


def test_a_live_table_answers_by_the_drafted_mapping(
    installation: Installation, sandbox: RunningServer, tmp_path: Path
) -> None:
    database = installation.home / "drop" / "permits.db"
    database.parent.mkdir(exist_ok=True)
    with sqlite3.connect(database) as connection:
        connection.executescript(DDL)
        rows = [
            (f"XK{number:03d}", f"示例{number}公司", "有效" if number % 2 else "注销", "2026-01-01")
            for number in range(50)
        ]
        connection.executemany("INSERT INTO t_permit VALUES (?, ?, ?, ?)", rows)
    connection.close()
    mapping = str(tmp_path / "out" / "mapping.yaml")
    operation, name = published(
        installation, "table-live", f"sqlite:///{database}?table=t_permit", tmp_path,
        "--upstream", f"sql+sqlite://{database}", "--mapping", mapping,
    )  # fmt: skip
    call = Caller(installation, operation, name)
    found = call({"licence_number": "XK007"})
    assert (found["status"], found["body"]["company_name"]) == (200, "示例7公司")
    assert call({"licence_number": "none"})["status"] == 404
    listing = read_contract(load_path(tmp_path / "out" / "contract.yaml")).service
    assert listing is not None
    pages = listing.operation("listPermits")
    assert pages is not None
    turn = Caller(installation, pages, name)
    seen, cursor = [], ""
    for _ in range(5):
        page = turn({"limit": 20, "status": "有效"} | ({"cursor": cursor} if cursor else {}))
        assert page["status"] == 200, page
        seen += [one["licence_number"] for one in page["body"]["items"]]
        cursor = page["body"].get("next", "")
        if not page["body"]["items"]:
            break
    assert seen == [row[0] for row in rows if row[2] == "有效"]


def test_personal_data_ask_for_consent_until_the_officer_says_otherwise(
    installation: Installation, sandbox: RunningServer, tmp_path: Path
) -> None:
    file = tmp_path / "职工.csv"
    file.write_text("身份证号,姓名,联系电话\n990101199001010027,示例甲,10000000000\n", encoding="utf-8")
    drafted = installation.json(
        "contract",
        "draft",
        "--from",
        "csv",
        str(file),
        "--out",
        str(tmp_path / "out"),
        "--name",
        "draft-staff",
    )
    rules = {one["rule"] for one in drafted["findings"]}
    assert {"draft-guessed-basis", "draft-guessed-class"} <= rules
    text = (tmp_path / "out" / "contract.yaml").read_text(encoding="utf-8")
    assert "x-basis: consent" in text
    assert "990101199001010027" in text or "99010119900101" in text
    assert "/employees/inquiry" in text, "no identity number stands in an address"
