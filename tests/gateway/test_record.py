"""What goes on record: every call, masked, batched, nothing lost at the end, bounded when the store is away."""

import json
import os
import time

import pytest

from api.core import store
from api.core.store import Stores
from api.gateway import recorder as recorder_module
from api.gateway.masking import mask_value, shown_unrouted
from api.gateway.models import FieldUse, RequestRecord, UsageBucket
from api.gateway.request_ids import text_of_millisecond
from api.gateway.usage import BUCKETS_MS, body_fields, percentile_ms
from api.settings import Settings
from tests.gateway.recorded import SECRET_NUMBER, recorded


async def test_a_call_is_on_record_with_its_way(settings: Settings, stores: Stores) -> None:
    async with recorded(settings) as plane:
        answer = await plane.get(
            "/api/company/v1/companies/9133", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01"
        )
        assert answer.status_code == 200, answer.text
        assert await plane.recorder.flush()
        row = await RequestRecord.get(id=answer.headers["request-id"])
    assert (row.app_id, row.service, row.operation) == (plane.world.app_id, "company@v1", "getCompany")
    assert (row.method, row.path, row.status, row.problem, row.step) == (
        "GET",
        "/api/company/v1/companies/9133",
        200,
        "",
        "",
    )
    assert row.trace_id == "a" * 32
    assert row.quota_left == 599
    assert 0 <= row.upstream_us <= row.duration_us
    steps = [step for step, verdict, _ in json.loads(row.verdicts) if verdict == "pass"]
    assert steps == ["admit", "route", "authenticate", "authorise", "limit", "validate", "call"]


async def test_a_refusal_is_on_record_with_step_and_facts(settings: Settings, stores: Stores) -> None:
    async with recorded(settings) as plane:
        token = plane.world.tokens.give(plane.world.app_id, "company:other:read")
        answer = await plane.get("/api/company/v1/companies/9133", authorization=f"Bearer {token.decode()}")
        assert answer.status_code == 403
        await plane.recorder.flush()
        row = await RequestRecord.get(id=answer.headers["request-id"])
    assert (row.step, row.problem) == ("authorise", "scope-missing")
    assert json.loads(row.facts)["scope"] == "company:profile:read"
    assert json.loads(row.verdicts)[-1][:2] == ["authorise", "refuse"]


async def test_classified_values_never_reach_the_log(settings: Settings, stores: Stores) -> None:
    async with recorded(settings) as plane:
        ids = []
        for path in (
            f"/api/company/v1/taxpayers/{SECRET_NUMBER}?year=2024",
            f"/api/company/v1/taxpayers/{SECRET_NUMBER}?year=wrong",
            f"/api/company/v1/companies?name=a&phone={SECRET_NUMBER}&undeclared={SECRET_NUMBER}",
            f"/api/company/v1/nothing/{SECRET_NUMBER}?x={SECRET_NUMBER}",
            f"/api/nowhere/{SECRET_NUMBER}",
        ):
            ids.append((await plane.get(path)).headers["request-id"])  # noqa: PERF401 - one after the other
        await plane.recorder.flush()
        rows = [await RequestRecord.get(id=one) for one in ids]
        written = (
            await RequestRecord.all().values()
            + await UsageBucket.all().values()
            + await FieldUse.all().values()
        )
    assert SECRET_NUMBER not in json.dumps(written, default=str)
    assert rows[0].path == "/api/company/v1/taxpayers/***1234?year=2024"
    assert rows[2].path == "/api/company/v1/companies?name=a&phone=***&undeclared=***"
    assert rows[3].path == "/api/company/v1/nothing/***?x=***"


@pytest.mark.parametrize(
    ("mask", "shown"),
    [("last4", "***7890"), ("first1", "1***"), ("first3-last4", "123***7890"), ("all", "***"), ("email", "***"), ("", "***")],
)  # fmt: skip
def test_masks(mask: str, shown: str) -> None:
    assert mask_value("12345678907890", mask) == shown
    assert mask_value("me@company.example", "email") == "m***@company.example"
    assert mask_value("12", "last4") == "***"


def test_an_unknown_address_shows_no_number() -> None:
    assert shown_unrouted("/api/a/v1/91350100M000100Y43", b"id=5&b") == "/api/a/v1/***?id=***&b=***"
    assert len(shown_unrouted("/api/" + "x" * 5000, b"")) == 512


async def test_usage_adds_up_whatever_is_written_again(settings: Settings, stores: Stores) -> None:
    async with recorded(settings) as plane:
        for _ in range(3):
            await plane.get("/api/company/v1/companies/9133")
            await plane.recorder.flush()
            await plane.recorder.flush()
        await plane.get("/api/company/v1/companies")
        await plane.recorder.flush()
        rows = await UsageBucket.filter(app_id=plane.world.app_id)
        calls = {(row.operation, row.status, row.problem): row.calls for row in rows}
    assert calls[("getCompany", 200, "")] == 3
    assert calls[("searchCompanies", 200, "")] == 1
    company = next(row for row in rows if row.operation == "getCompany")
    assert company.cost == 3
    assert sum(json.loads(company.histogram)) == 3
    assert len(json.loads(company.histogram)) == len(BUCKETS_MS) + 1


async def test_fields_that_an_app_uses(settings: Settings, stores: Stores) -> None:
    async with recorded(settings) as plane:
        for query in ("name=a", "name=a&phone=1", "name=b"):
            await plane.get(f"/api/company/v1/companies?{query}")
    rows = {row.field: row.calls for row in await FieldUse.filter(app_id=plane.world.app_id)}
    assert rows == {"response": 3, "query:name": 3, "query:phone": 1}


def test_fields_of_a_body_are_named_and_bounded() -> None:
    body = {"a": {"b": [{"c/d": 1}, {"e": 2}]}, "f": None}
    assert body_fields(body) == ("body:/a", "body:/a/b", "body:/a/b/*/c~1d", "body:/a/b/*/e", "body:/f")
    deep: dict = {}
    for _ in range(50):
        deep = {"x": deep}
    assert len(body_fields(deep)) <= 4
    assert len(body_fields({str(number): number for number in range(500)})) <= 500


def test_percentiles_lie_in_their_bucket() -> None:
    histogram = [0] * (len(BUCKETS_MS) + 1)
    assert percentile_ms(histogram, 0.5) == 0.0
    histogram[BUCKETS_MS.index(10)] = 100  # from 7 to 10 ms
    assert 7 < percentile_ms(histogram, 0.5) <= 9
    assert 9 < percentile_ms(histogram, 0.95) <= 10
    histogram[-1] = 1000
    assert percentile_ms(histogram, 0.95) >= 5000


async def test_what_is_buffered_is_written_at_the_end(settings: Settings, stores: Stores) -> None:
    async with recorded(settings, record_interval_ms=1000) as plane:
        async with plane.client() as client:
            ids = [
                (await client.get("/api/company/v1/companies/9133")).headers["request-id"] for _ in range(50)
            ]
        assert await RequestRecord.filter(id__in=ids).count() == 0
    assert await RequestRecord.filter(id__in=ids).count() == 50


async def test_log_rows_are_bounded_while_the_store_is_away(settings: Settings, stores: Stores) -> None:
    connection = store.plane("sandbox")
    async with recorded(settings, record_interval_ms=1000) as plane:
        await connection.execute_script("ALTER TABLE request_record RENAME TO request_record_away")
        try:
            answer = await plane.get("/api/company/v1/companies/9133")
            plane.recorder.catch_up()
            plane.recorder._rows.clear()
            ids = [
                (await plane.get("/api/company/v1/companies/9133")).headers["request-id"] for _ in range(5)
            ]
            assert await plane.recorder.flush() is False
            assert len(plane.recorder._rows) == 5
        finally:
            await connection.execute_script("ALTER TABLE request_record_away RENAME TO request_record")
        assert answer.status_code == 200
        assert await plane.recorder.flush()
        assert await RequestRecord.filter(id__in=ids).count() == 5
        assert "kaimen_record_failures_total 1" in plane.metrics.render()


async def test_the_oldest_rows_go_first_and_are_counted(settings: Settings, stores: Stores) -> None:
    async with recorded(settings, record_interval_ms=1000) as plane:
        first = (await plane.get("/api/company/v1/companies/9133")).headers["request-id"]
        plane.recorder.catch_up()
        row = plane.recorder._rows[0]
        for number in range(recorder_module.KEPT_ROWS - 1):
            plane.recorder._rows.append((f"rs_{number:026d}", *row[1:]))
        last = (await plane.get("/api/company/v1/companies/9133")).headers["request-id"]
        plane.recorder.catch_up()
        kept = {one[0] for one in plane.recorder._rows}
        assert last in kept
        assert "kaimen_log_rows_dropped_total 1" in plane.metrics.render()
        assert first not in kept
        plane.recorder._rows.clear()


async def test_one_row_that_no_store_takes_does_not_hold_the_others_up(
    settings: Settings, stores: Stores, database: str
) -> None:
    async with recorded(settings, record_interval_ms=1000) as plane:
        good = (await plane.get("/api/company/v1/companies/9133")).headers["request-id"]
        plane.recorder.catch_up()
        bad = list(plane.recorder._rows[0])
        bad[0], bad[9] = "rs_" + "z" * 26, 2**70  # a status beyond any integer column
        plane.recorder._rows.append(tuple(bad))
        results = [await plane.recorder.flush() for _ in range(3)]
        assert results == [False, False, True]
        assert await RequestRecord.filter(id=good).count() == 1
        assert "kaimen_log_rows_dropped_total 1" in plane.metrics.render()


async def test_old_rows_are_purged_by_the_time_in_their_id(settings: Settings, stores: Stores) -> None:
    async with recorded(settings, request_log_days=30) as plane:
        fresh = (await plane.get("/api/company/v1/companies/9133")).headers["request-id"]
        await plane.recorder.flush()
        row = (await RequestRecord.filter(id=fresh).values())[0]
        old = [
            f"rs_{text_of_millisecond(int((time.time() - 31 * 86400) * 1000))}{os.urandom(8).hex()}"
            for _ in range(20)
        ]
        await RequestRecord.bulk_create([RequestRecord(**{**row, "id": one}) for one in old])
        assert await plane.recorder.purge(time.time()) == 20
        assert await RequestRecord.filter(id__in=old).count() == 0
        assert await RequestRecord.filter(id=fresh).count() == 1
