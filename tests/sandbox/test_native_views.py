"""Departments that answer by a view: what the connector reads is the view, by state and clock, in both databases."""

import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec
import pytest

from api.core import problem_types
from api.core.egress import LOOPBACK, Egress
from api.core.problems import Failure
from api.gateway.connector import Connector, Context
from api.gateway.connectors.sql import PostgresDatabase, Statement
from api.main.city_upstreams import DATABASES
from sandbox.city.base import City
from sandbox.city.connector import CitySide
from sandbox.city.departments import BY_SLUG
from sandbox.city.native.filling import fill_tables
from sandbox.city.native.tables import tables_in
from sandbox.city.rehearsal import example_request
from tests.sandbox.conftest import NOON, find
from tests.sandbox.native import spoken

LATER = "2026-07-15T12:00:00+08:00"


@pytest.fixture
async def ecology(side: CitySide, city_home: Path, database_url: str) -> AsyncIterator[Connector]:
    text = (BY_SLUG["ecology"].folder / "mapping.yaml").read_text(encoding="utf-8")
    async with spoken(side, city_home, "ecology", text, database_url) as (connector, _):
        yield connector


async def run(home: Path, database_url: str, statement: str) -> list[dict[str, Any]]:
    """A statement in the exchange database of ecology, on a connection of its own."""
    if database_url:
        connection = await asyncpg.connect(
            database_url, server_settings={"search_path": "kaimen_city_ecology"}
        )
        try:
            return [dict(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()
    with sqlite3.connect(home / DATABASES / "ecology.sqlite3") as opened:
        opened.row_factory = sqlite3.Row
        found = [dict(row) for row in opened.execute(statement)]
    opened.close()
    return found


async def permit(connector: Connector, code: str, state: str, clock: str = NOON) -> Any:
    service, operation = find("air/getEmissionPermit")
    context = Context(
        request_id="rs_view", deadline=time.monotonic() + 10, environment="sandbox", app_id=state,
        state_id=state, clock=clock, service=service.key,
    )  # fmt: skip
    result = await connector.call(operation, example_request(operation, {"code": code}), context)
    assert isinstance(result.body, bytes)
    return msgspec.json.decode(result.body)


@pytest.fixture(scope="module")
def code() -> str:
    _, operation = find("air/getEmissionPermit")
    return str(example_request(operation).path["code"])


async def test_what_is_read_is_the_view(
    ecology: Connector, city_home: Path, database_url: str, code: str
) -> None:
    said = await permit(ecology, code, "a_view")
    kinds = {type(one._database).__name__ for one in transports(ecology) if hasattr(one, "_database")}
    assert kinds == {"PostgresDatabase" if database_url else "SqliteDatabase"}
    await run(city_home, database_url, "UPDATE v_xkz_b SET BH = 'changed-by-hand' WHERE ztbh = 'a_view'")
    assert await permit(ecology, code, "a_view") == {**said, "number": "changed-by-hand"}


async def test_a_row_is_of_one_state_and_one_clock(
    ecology: Connector, city_home: Path, database_url: str, code: str
) -> None:
    for state, clock in (("a_one", NOON), ("a_one", LATER), ("a_two", NOON)):
        await permit(ecology, code, state, clock)
    for mark, where in (
        ("of-another", "ztbh = 'a_two'"), ("of-later", f"ztbh = 'a_one' AND ztsj = '{LATER}'"),
    ):  # fmt: skip
        await run(city_home, database_url, f"UPDATE v_xkz_b SET BH = '{mark}' WHERE {where}")
    assert (await permit(ecology, code, "a_one"))["number"] not in {"of-another", "of-later"}
    assert (await permit(ecology, code, "a_two"))["number"] == "of-another"


async def test_rows_that_nobody_reads_any_more_go(
    ecology: Connector, city_home: Path, database_url: str, code: str
) -> None:
    await permit(ecology, code, "a_old")
    await run(city_home, database_url, "UPDATE v_xkz_b SET xrsj = 1 WHERE ztbh = 'a_old'")
    await permit(ecology, code, "a_old", LATER)
    rows = await run(city_home, database_url, "SELECT ztsj FROM v_xkz WHERE ztbh = 'a_old'")
    assert [row["ztsj"] for row in rows] == [LATER]


async def test_what_nobody_asked_for_in_days_is_cleared_away(
    side: CitySide, city_home: Path, database_url: str, code: str
) -> None:
    text = (BY_SLUG["ecology"].folder / "mapping.yaml").read_text(encoding="utf-8")
    async with spoken(side, city_home, "ecology", text, database_url) as (connector, _):
        await permit(connector, code, "a_gone")
    await run(city_home, database_url, "UPDATE v_xkz_b SET xrsj = 1 WHERE ztbh = 'a_gone'")
    async with spoken(side, city_home, "ecology", text, database_url) as (connector, _):
        await permit(connector, code, "a_here")
    rows = await run(city_home, database_url, "SELECT ztbh FROM v_xkz")
    states = {row["ztbh"] for row in rows}
    assert "a_gone" not in states
    assert "a_here" in states


async def test_a_city_seeded_anew_under_a_running_process(
    ecology: Connector, city_home: Path, city: City, database_url: str, code: str
) -> None:
    said = await permit(ecology, code, "a_anew")
    await fill_tables(city_home, (BY_SLUG["ecology"],), tables_in(city_home / DATABASES, database_url))
    again = await permit(ecology, code, "a_anew", LATER)
    assert again["code"] == said["code"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True, scope="module")
async def test_an_address_of_ours_holds_no_password(stores: Any, city_home: Path) -> None:
    parts = urlsplit(stores.url)
    guarded = urlunsplit(parts._replace(netloc=parts.netloc.replace("@", ":se%40cret@")))
    made = tables_in(city_home, guarded)("ecology").upstream
    assert "cret" not in made
    assert "schema=kaimen_city_ecology" in made


@pytest.mark.parametrize("database", ["postgresql"], indirect=True, scope="module")
async def test_a_statement_ends_at_the_deadline_of_the_call(stores: Any) -> None:
    database = PostgresDatabase(stores.url, Egress(LOOPBACK), "air@v1")
    try:
        with pytest.raises(Failure) as failed:
            await database.rows(Statement("SELECT pg_sleep(20)"), {}, time.monotonic() + 0.3)
        assert failed.value.kind is problem_types.UPSTREAM_TIMEOUT
        with pytest.raises(Failure):  # it reads, and nothing else
            await database.rows(Statement("CREATE TABLE mine (a int)"), {}, time.monotonic() + 5)
        assert await database.rows(Statement("SELECT :a::int AS a"), {"a": 7}, time.monotonic() + 5) == [
            {"a": 7}
        ]
    finally:
        await database.close()


def transports(connector: Any) -> list[Any]:
    inner = getattr(connector, "_inner", connector)
    return list(inner._transports.values())
