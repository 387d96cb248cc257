"""Connectors with a mapping against real servers of the test: codes, Faults, bytes, deadlines, statements, files."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from api.contract.build import service_of
from api.contract.model import Service
from api.core.egress import LOOPBACK, Egress
from api.core.problems import Problem
from api.core.upstream_headers import read_signed, signed_headers
from api.gateway.connector import Connector, Context, Request, Result
from api.gateway.connectors.from_mapping import Maker
from sandbox.city.native.listener import Asked, Listener, Said
from tests.databases import drop_database, make_database

KEY = b"k" * 32
PROBLEM = {
    "status": 404, "title": {"zh-CN": "无", "en": "None"}, "detail": {"zh-CN": "没有 {code}", "en": "No {code}"},
    "next": {"zh-CN": "核对", "en": "Check"}, "cause": {"zh-CN": "无", "en": "None"},
}  # fmt: skip
SERVICE: Service = service_of(
    {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1.0.0", "x-name": "thing"},
        "x-problems": {"thing-none": PROBLEM},
        "paths": {
            "/things/{code}": {
                "get": {
                    "operationId": "getThing",
                    "parameters": [
                        {"name": "code", "in": "path", "required": True, "schema": {"type": "string"}}
                    ],
                    "responses": {
                        "200": {
                            "description": "ok",
                            "content": {
                                "application/json": {
                                    "schema": {
                                        "type": "object",
                                        "required": ["name"],
                                        "properties": {
                                            "name": {"type": "string"},
                                            "size": {"type": "integer"},
                                            "on": {"type": "string"},
                                        },
                                    }
                                }
                            },
                        }
                    },
                }
            }
        },
    }
)
OUTCOME = """
outcome:
  at: code
  ok: ["0"]
  empty: {"1": thing-none}
  busy: {"8": 7}
  fault: {"9": {retryable: true}}
"""
HTTP = f"""
mapping: 1
protocol: http
http: {{at: data}}
{OUTCOME}
operations: {{getThing: {{http: POST /q, request: {{code: bm}}, answer: {{name: mc, size: cd | times 100}}}}}}
"""
XML = f"""
mapping: 1
protocol: http
encoding: gb18030-2022
http: {{format: xml, at: data}}
{OUTCOME}
operations: {{getThing: {{http: POST /q, request: {{code: bm}}, answer: {{name: mc, size: cd}}}}}}
"""
SOAP = f"""
mapping: 1
protocol: soap
soap: {{namespace: "urn:t"}}
{OUTCOME}
operations: {{getThing: {{soap: Get, request: {{code: BM}}, at: data, answer: {{name: MC}}}}}}
"""
Answers = Callable[[Asked], Said]


@asynccontextmanager
async def upstream(mapping: str, answers: Answers, scheme: str = "") -> AsyncIterator[Connector]:
    async def handle(asked: Asked) -> Said:
        said = answers(asked)
        if said.status == 599:
            await asyncio.sleep(5)
        return said

    listener = Listener(handle)
    await listener.open()
    connector = maker().make(f"{scheme}http://127.0.0.1:{listener.port}/base", SERVICE, mapping)
    try:
        yield connector
    finally:
        await connector.close()
        await listener.close()


def maker(drop: Path = Path("/nonexistent")) -> Maker:
    return Maker(
        Egress(LOOPBACK), docs_url="http://d", stall_seconds=2, key_of=lambda service: KEY, drop_path=drop,
        look_again_seconds=0.0,
    )  # fmt: skip


async def call(connector: Connector, code: str = "A1", seconds: float = 2.0, **context: Any) -> Result:
    operation = SERVICE.operations[0]
    facts = {"environment": "sandbox", "app_id": "a_1", "state_id": "a_1", "service": "thing@v1", **context}
    request = Request(path={"code": code}, query={}, headers={}, target=f"/things/{code}")
    made = Context(request_id="rs_1", deadline=time.monotonic() + seconds, **facts)
    return await connector.call(operation, request, made)


def says(body: Any, status: int = 200) -> Answers:
    return lambda asked: Said(status, msgspec.json.encode(body))


async def refused(connector: Connector, **more: Any) -> Problem:
    with pytest.raises(Problem) as problem:
        await call(connector, **more)
    return problem.value


async def test_an_answer_is_read_and_the_call_is_signed() -> None:
    seen: list[Asked] = []

    def answer(asked: Asked) -> Said:
        seen.append(asked)
        return Said(body=msgspec.json.encode({"code": "0", "data": {"mc": "样", "cd": 1200}}))

    async with upstream(HTTP, answer) as connector:
        result = await call(connector, clock="2026-06-30T12:00:00+08:00", subject="张·三")
    assert (result.status, msgspec.json.decode(result.body)) == (200, {"name": "样", "size": 12})
    asked = seen[0]
    assert msgspec.json.decode(asked.body) == {"bm": "A1"}
    told = read_signed(asked.headers, KEY, asked.method, asked.target, asked.body)
    assert told is not None
    assert (told.state_id, told.clock, told.subject) == ("a_1", "2026-06-30T12:00:00+08:00", "张·三")
    assert read_signed(asked.headers, KEY, asked.method, asked.target, b"{}") is None
    assert (
        read_signed({**asked.headers, "kaimen-state": "a_2"}, KEY, asked.method, asked.target, asked.body)
        is None
    )
    assert read_signed(asked.headers, b"x" * 32, asked.method, asked.target, asked.body) is None


def test_an_old_signature_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from api.core.upstream_headers import Told

    headers = dict(signed_headers(Told("a"), KEY, "GET", "/", b""))
    headers["kaimen-timestamp"] = str(int(time.time()) - 3600)
    assert read_signed(headers, KEY, "GET", "/", b"") is None


@pytest.mark.parametrize("code", ["2", "", "00", None])
async def test_an_unlisted_code_is_never_success(code: str | None) -> None:
    body = {"code": code, "data": {"mc": "x"}}
    async with upstream(HTTP, says(body)) as connector:
        problem = await refused(connector)
    assert (problem.kind.slug, problem.status) == ("upstream-code-unknown", 502)
    async with upstream(HTTP, says({"data": {"mc": "x"}})) as connector:
        assert (await refused(connector)).kind.slug == "upstream-code-unknown"


async def test_outcomes() -> None:
    async with upstream(HTTP, says({"code": "1"})) as connector:
        result = await call(connector)
        body = msgspec.json.decode(result.body)
        assert (result.status, body["rule"], body["detail"]) == (404, "thing-none", "没有 A1")
    async with upstream(HTTP, says({"code": "8"})) as connector:
        problem = await refused(connector)
        assert (problem.status, problem.headers["Retry-After"]) == (503, "7")
    async with upstream(HTTP, says({"code": "9"})) as connector:
        problem = await refused(connector)
        assert (problem.kind.slug, problem.kind.is_retryable) == ("upstream-fault", True)


@pytest.mark.parametrize(
    ("body", "status", "slug"),
    [
        (b"<html>no</html>", 200, "upstream-shape"), (b"<html>no</html>", 502, "upstream-fault"),
        (b"", 503, "upstream-busy"), (b"", 404, "upstream-code-unknown"), (b'{"code": "0", "data": {}}', 200, "upstream-shape"),
        (b'{"code": "0", "data": {"mc": "x", "cd": "many"}}', 200, "upstream-shape"), (b"[]", 200, "upstream-code-unknown"),
    ],
)  # fmt: skip
async def test_nonsense_is_told_as_such(body: bytes, status: int, slug: str) -> None:
    async with upstream(HTTP, lambda asked: Said(status, body)) as connector:
        assert (await refused(connector)).kind.slug == slug


async def test_a_call_ends_with_its_deadline() -> None:
    async with upstream(HTTP, lambda asked: Said(599)) as connector:
        started = time.monotonic()
        assert (await refused(connector, seconds=0.3)).kind.slug == "upstream-timeout"
        assert time.monotonic() - started < 3


async def test_an_answer_that_breaks_off() -> None:
    async with upstream(HTTP, lambda asked: Said(200, b"x" * 1000, breaks_off=True)) as connector:
        assert (await refused(connector)).kind.slug in {"upstream-invalid", "upstream-unreachable"}


async def test_undecodable_bytes_are_told_with_their_place() -> None:
    head = b'<?xml version="1.0" encoding="GB18030"?><r><code>0</code><data><mc>'
    body = head + "样".encode("gb18030") + b"\xff" + b"</mc></data></r>"
    async with upstream(XML, lambda asked: Said(200, body)) as connector:
        problem = await refused(connector)
        assert problem.kind.slug == "upstream-undecodable"
        assert (problem.facts["offset"], problem.facts["count"]) == (len(head) + 2, 1)
    text = XML.replace("encoding: gb", "undecodable: replace\nencoding: gb")
    async with upstream(text, lambda asked: Said(200, body)) as connector:
        result = await call(connector)
        assert msgspec.json.decode(result.body) == {"name": "样\ufffd"}
        assert str(len(head) + 2) in dict(result.headers)[b"kaimen-loss"].decode()


async def test_the_edition_of_the_encoding_is_a_switch() -> None:
    body = b"<r><code>0</code><data><mc>\xfe\x59</mc></data></r>"
    for edition, meant in (("2022", "\u9fb4"), ("2005", "\ue81e")):
        text = XML.replace("gb18030-2022", f"gb18030-{edition}")
        async with upstream(text, lambda asked: Said(200, body)) as connector:
            assert msgspec.json.decode((await call(connector)).body) == {"name": meant}


def soap(inner: str) -> bytes:
    around = "http://schemas.xmlsoap.org/soap/envelope/"
    return f'<s:Envelope xmlns:s="{around}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


@pytest.mark.parametrize("status", [200, 500])
async def test_a_soap_fault_is_read_whatever_the_status(status: int) -> None:
    fault = "<s:Fault><faultcode>{}</faultcode><faultstring>x</faultstring></s:Fault>"
    for code, slug in (
        ("s:9", "upstream-fault"),
        ("s:Server", "upstream-code-unknown"),
        ("0", "upstream-code-unknown"),
    ):
        said = soap(fault.format(code))
        async with upstream(SOAP, lambda asked, said=said: Said(status, said), "soap+") as connector:
            assert (await refused(connector)).kind.slug == slug, code
    async with upstream(SOAP, lambda asked: Said(status, soap(fault.format("1"))), "soap+") as connector:
        assert (await call(connector)).status == 404


async def test_soap_answers() -> None:
    good = soap("<GetResponse xmlns='urn:t'><code>0</code><data><MC>样</MC></data></GetResponse>")
    async with upstream(SOAP, lambda asked: Said(200, good), "soap+") as connector:
        assert msgspec.json.decode((await call(connector)).body) == {"name": "样"}
    for body in (b"<x/>", soap(""), soap("<Other/>"), soap("<a/><b/>"), b"<!DOCTYPE x><x/>"):
        async with upstream(SOAP, lambda asked, body=body: Said(200, body), "soap+") as connector:
            assert (await refused(connector)).kind.slug == "upstream-shape"


# -- tables --------------------------------------------------------------------------------------
STATEMENT = "SELECT '0' AS fhm, mc, cd, CAST(rq AS varchar) AS rq FROM thing WHERE bm = :BM AND zt = :state"
SQL = f"""
mapping: 1
protocol: sql
outcome: {{at: fhm, ok: ["0"], absent: none, empty: {{none: thing-none}}}}
operations:
  getThing:
    sql: "{STATEMENT}"
    request: {{code: BM}}
    answer: {{name: MC, size: CD, on: RQ}}
"""


async def test_sqlite_is_read_and_never_written(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "view.sqlite3"
    with sqlite3.connect(path) as made:
        made.executescript(
            "CREATE TABLE thing (bm, mc, cd, rq, zt); INSERT INTO thing VALUES ('A1', '样', 3, '2026-01-02', 'a_1');"
        )
    made.close()
    connector = maker(tmp_path).make(f"sql+sqlite://{path}", SERVICE, SQL)
    assert msgspec.json.decode((await call(connector)).body) == {"name": "样", "size": 3, "on": "2026-01-02"}
    assert (await call(connector, "A1' OR '1'='1")).status == 404
    assert (await call(connector, state_id="a_2")).status == 404
    await connector.close()
    for statement, slug in (
        ("DELETE FROM thing", "upstream-fault"),
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n",
            "upstream-timeout",
        ),
    ):
        text = SQL.replace(STATEMENT, statement)
        writer = maker(tmp_path).make(f"sql+sqlite://{path}", SERVICE, text)
        assert (await refused(writer, seconds=0.3)).kind.slug == slug
        await writer.close()
    with pytest.raises(ValueError, match="below"):
        maker(tmp_path / "other").make(f"sql+sqlite://{path}", SERVICE, SQL)


@pytest.fixture
async def postgres_url(postgresql_server: str) -> AsyncIterator[str]:
    url = await make_database(postgresql_server)
    yield "postgresql://" + url.partition("://")[2]
    await drop_database(postgresql_server, url)


async def test_postgresql(postgres_url: str) -> None:
    plain = postgres_url.partition("?")[0]
    connection = await asyncpg.connect(plain)
    await connection.execute(
        "CREATE TABLE thing (bm text, mc varchar(20), cd numeric(10,2), rq date, zt text)"
    )
    await connection.execute("INSERT INTO thing VALUES ('A1', '样', 3.00, '2026-01-02', 'a_1')")
    connector = maker().make("sql+" + plain, SERVICE, SQL)
    try:
        assert msgspec.json.decode((await call(connector)).body) == {
            "name": "样",
            "size": 3,
            "on": "2026-01-02",
        }
        assert (await call(connector, "A1' OR '1'='1")).status == 404
        assert await connector.health()
        for statement, slug in (
            ("DELETE FROM thing RETURNING bm", "upstream-fault"), ("SELECT pg_sleep(5)", "upstream-timeout"),
            ("SELECT nothing FROM nowhere", "upstream-fault"),
        ):  # fmt: skip
            writer = maker().make("sql+" + plain, SERVICE, SQL.replace(STATEMENT, statement))
            assert (await refused(writer, seconds=0.5)).kind.slug == slug
            await writer.close()
    finally:
        await connector.close()
        await connection.close()
    strict = Maker(
        Egress(), docs_url="", stall_seconds=1, key_of=lambda service: KEY, drop_path=Path("/nonexistent")
    )
    outside = strict.make("sql+" + plain, SERVICE, SQL)
    assert (await refused(outside)).kind.slug == "egress-refused"
    await outside.close()


FILES = """
mapping: 1
protocol: files
encoding: gb18030-2022
outcome: {at: FHM, ok: ["0"], absent: none, empty: {none: thing-none}}
operations:
  getThing:
    files: {file: T.CSV}
    request: {code: BM}
    answer: {name: MC, size: CD}
"""


async def test_a_drop_folder_is_read_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "T.CSV"
    path.write_bytes("BM,FHM,MC,CD\r\nA1,0,样,3\r\n".encode("gb18030"))
    connector = maker(tmp_path).make(f"files://{tmp_path}", SERVICE, FILES)
    result = await call(connector)
    assert msgspec.json.decode(result.body) == {"name": "样", "size": 3}
    assert dict(result.headers)[b"kaimen-state"] == b"read-only"
    assert (await call(connector, "B2")).status == 404
    beside = tmp_path / "T.part"
    beside.write_bytes("BM,FHM,MC,CD\r\nB2,0,新,4\r\n".encode("gb18030"))
    beside.replace(path)
    assert msgspec.json.decode((await call(connector, "B2")).body) == {"name": "新", "size": 4}
    assert (await call(connector)).status == 404
    path.write_bytes(b"BM,FHM,MC,CD\r\nB2,0\r\n")  # half a file: the one before goes on answering
    assert (await call(connector, "B2")).status == 200
    path.unlink()
    assert (await call(connector, "B2")).status == 200
    await connector.close()


async def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "drop").mkdir()
    (tmp_path / "T.CSV").write_text("BM,FHM,MC,CD\nA1,0,x,1\n")
    text = FILES.replace("T.CSV", "../T.CSV")
    connector = maker(tmp_path / "drop").make(f"files://{tmp_path}/drop", SERVICE, text)
    assert (await refused(connector)).kind.slug == "upstream-unreachable"
    with pytest.raises(ValueError, match="below"):
        maker(tmp_path / "drop").make("files:///etc", SERVICE, FILES)


def test_an_address_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="no address"):
        maker().make("http://127.0.0.1:1", SERVICE, SOAP)
    with pytest.raises(ValueError, match="password"):
        maker().make("sql+postgresql://u:p@127.0.0.1/d", SERVICE, SQL)
