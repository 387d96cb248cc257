"""Tables of live databases: columns, comments, keys and samples, read without writing; the drafted statements run."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from api.contract.draft.drafting import Draft, Options, draft_tables
from api.contract.mapping import compile_mapping, read_mapping, write_request
from api.core.egress import Egress
from api.gateway.connector import Context
from api.gateway.connectors.sql import Database, PostgresDatabase, SqliteDatabase, Statement
from api.main.live_tables import LiveTableError, is_address, read_live
from tests.contract.draft.drafts import check_sound
from tests.databases import drop_database, make_database

TABLE = """CREATE TABLE t_permit (permit_no VARCHAR(20) PRIMARY KEY, "企业名称" VARCHAR(200) NOT NULL, fzrq VARCHAR(8),
mj NUMERIC(12,2), n BIGINT, zt VARCHAR(10))"""
ROWS = [
    (f"XK{number:03d}", f"示例{number}", f"202601{number:02d}", 12.5, number, "有效")
    for number in range(1, 26)
]
INSERT = "INSERT INTO t_permit VALUES ({})"


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        with sqlite3.connect(tmp_path / "a.db") as connection:
            connection.execute(TABLE)
            connection.executemany(INSERT.format("?, ?, ?, ?, ?, ?"), ROWS)
        connection.close()
        yield f"sqlite:///{tmp_path / 'a.db'}?table=t_permit"
        return
    server = request.getfixturevalue("postgresql_server")
    url = asyncio.run(make_database(server))
    asyncio.run(_fill(_plain(url)))
    yield _plain(url) + "?table=t_permit"
    asyncio.run(drop_database(server, url))


def _plain(url: str) -> str:
    return url.replace("postgres://", "postgresql://").partition("?")[0]


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(TABLE)
    await connection.execute("""COMMENT ON TABLE t_permit IS '经营许可证'""")
    await connection.execute("""COMMENT ON COLUMN t_permit.mj IS '建筑面积'""")
    await connection.executemany(INSERT.format("$1, $2, $3, $4, $5, $6"), ROWS)
    await connection.close()


def drafted(address: str) -> Draft:
    return draft_tables(read_live(address), "permits", Options(name="permits", basis="contract"))


def test_a_live_table_is_drafted(address: str) -> None:
    made = drafted(address)
    document = check_sound(made)
    permit = document["components"]["schemas"]["Permit"]["properties"]
    assert permit["company_name"]["description"] == "企业名称"
    assert permit["n"]["type"] == "integer"
    assert permit["area"]["type"] == "number"
    assert permit["issued_on"]["format"] == "date"
    assert "/permits/{licence_number}" in document["paths"]
    if address.startswith("postgresql"):
        assert document["info"]["title"] == "经营许可证"
        assert permit["area"]["description"] == "建筑面积"


def database(address: str) -> Database:
    path = address.partition("?")[0]
    if path.startswith("sqlite"):
        return SqliteDatabase(Path(path.removeprefix("sqlite:///")), "permits")
    return PostgresDatabase(path, Egress(["127.0.0.0/8"]), "permits")


async def test_the_drafted_statements_run(address: str) -> None:
    made = await asyncio.to_thread(drafted, address)
    assert made.imported is not None
    assert made.imported.service is not None
    compiled = compile_mapping(read_mapping(made.mapping), made.imported.service)
    context = Context(
        request_id="rs_1",
        deadline=time.monotonic() + 20,
        environment="sandbox",
        app_id="a",
        service="permits@v1",
    )
    store = database(address)

    async def ask(operation: str, **values: Any) -> list[dict[str, Any]]:
        mapped = compiled.operations[operation]
        statement = Statement(str(mapped.settings["statement"]))
        tree = write_request(mapped, values, None, {})
        return await store.rows(statement, statement.values(tree, context), time.monotonic() + 20)

    try:
        assert [row["permit_no"] for row in await ask("getPermit", licence_number="XK007")] == ["XK007"]
        assert await ask("getPermit", licence_number="none") == []
        first = await ask("listPermits")
        assert len(first) == 20
        following = await ask("listPermits", cursor=first[0]["km_next"], limit=20)
        assert [row["permit_no"] for row in (*first, *following)] == [row[0] for row in ROWS]
        assert len(await ask("listPermits", limit=3)) == 3
    finally:
        await store.close()


@pytest.mark.parametrize(
    "address",
    ["sqlite:////no/such/file.db?table=t", "postgresql://127.0.0.1:9/none?table=t", "postgresql://[bad/none"],
)
def test_what_cannot_be_read_is_told(address: str) -> None:
    assert is_address(address)
    with pytest.raises(LiveTableError):
        read_live(address)


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").close()
    with pytest.raises(LiveTableError, match="no such table"):
        read_live(f"sqlite:///{tmp_path / 'a.db'}?table=t")
