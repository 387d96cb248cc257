"""An app's calls are found by span and usage exactly as a walk through the whole log would find them."""

import random
import time
from collections.abc import Callable
from typing import Any

import pytest
from tortoise.expressions import Q

from api.core import store
from api.core.store import Stores
from api.gateway.call_lists import count, newest
from api.gateway.models import RequestRecord, UsageBucket
from api.gateway.request_ids import SPAN_LENGTH, RequestIds, millisecond_of, span_of, text_of_millisecond
from api.gateway.usage import Usage

APPS = ("a_one", "a_two", "a_rare", "a_silent")
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def test_an_id_tells_its_millisecond_and_its_span() -> None:
    for environment in ("sandbox", "live"):
        before = time.time_ns() // 1_000_000
        made = RequestIds(environment).new()
        assert before <= millisecond_of(made) <= time.time_ns() // 1_000_000
        assert made[:SPAN_LENGTH] == span_of(environment, millisecond_of(made) // 1024)
    assert millisecond_of("rs_" + "z" * 26) == (1 << 50) - 1
    assert millisecond_of("rs_" + "i" * 26)  # no letter of an id, but of a cursor that somebody made up


def _row(chance: random.Random, moment_ms: int, app_id: str) -> dict[str, Any]:
    status, problem = chance.choice([(200, ""), (200, ""), (200, ""), (404, ""), (403, "scope-missing")])
    request_id = "rs_" + text_of_millisecond(moment_ms) + "".join(chance.choices(_ALPHABET, k=16))
    return {
        "id": request_id, "at": moment_ms * 1000 + chance.randrange(2_000), "app_id": app_id, "service": "company@v1",
        "operation": chance.choice(["getCompany", "searchCompanies"]), "face": "rest", "method": "GET", "path": "/",
        "status": status, "duration_us": 1, "step": "authorise" if problem else "", "problem": problem, "facts": "{}",
        "verdicts": "[]", "span": request_id[:SPAN_LENGTH],
    }  # fmt: skip


async def _fill(seed: int) -> list[dict[str, Any]]:
    """Calls of some days: bursts, lone ones, some a hair before a minute or an hour ends."""
    chance = random.Random(seed)
    now = time.time_ns() // 1_000_000
    moments = [now - chance.randrange(0, 3 * 86_400_000) for _ in range(60)]
    hour = now // 3_600_000 * 3_600_000
    moments += [hour - 3_600_000 * number - 1 for number in range(1, 20)]
    moments += [hour - 60_000 * number for number in range(1, 20)]
    burst = now - 5_000_000
    moments += [burst + chance.randrange(0, 20_000) for _ in range(200)]
    rows = [_row(chance, moment, chance.choice(APPS[:2])) for moment in moments]
    rows += [_row(chance, now - 86_400_000 * day, "a_rare") for day in range(1, 3)]
    usage = Usage()
    for row in rows:
        key = (
            row["at"] // 3_600_000_000,
            row["app_id"],
            row["service"],
            row["operation"],
            row["status"],
            row["problem"],
        )
        usage.count(key, (1, 1, 1, 0, 0), row["at"])
    await RequestRecord.bulk_create([RequestRecord(**row) for row in rows])
    names = ("hour", "app_id", "service", "operation", "status", "problem")
    totals = (
        "calls",
        "cost",
        "duration_us",
        "upstream_us",
        "request_bytes",
        "response_bytes",
        "histogram",
        "minutes",
    )
    for bucket in usage.take():
        values = dict(zip((*names, *totals), (*bucket.key, *bucket.totals()[:-1]), strict=True))
        await UsageBucket.create(id=bucket.id, **values)
    return rows


Wanted = tuple[Q, Callable[[dict[str, Any]], bool]]
WANTED: list[Wanted] = [
    (Q(), lambda row: True),
    (Q(status__gte=400), lambda row: row["status"] >= 400),
    (Q(problem="scope-missing"), lambda row: row["problem"] == "scope-missing"),
    (Q(operation="getCompany", status=404), lambda row: (row["operation"], row["status"]) == ("getCompany", 404)),
]  # fmt: skip


async def test_lists_and_counts_are_those_of_the_whole_log(stores: Stores) -> None:
    rows = await _fill(11)
    chance = random.Random(5)
    now = time.time_ns() // 1_000_000
    for conditions, is_wanted in WANTED:
        for apps in (APPS[:1], APPS[2:3], APPS[3:], APPS):
            whole = sorted(
                (row["id"] for row in rows if row["app_id"] in apps and is_wanted(row)), reverse=True
            )
            paged: list[str] = []
            while True:  # page by page, as readers do
                before = paged[-1] if paged else ""
                page = await newest(
                    "sandbox", apps, 37, narrowed=conditions, counted=conditions, before=before
                )
                paged += [row.id for row in page]
                if len(page) < 37:
                    break
            assert paged == whole
        for _ in range(6):
            since = now - chance.randrange(3 * 86_400_000)
            expected = sum(
                is_wanted(row) for row in rows if row["app_id"] == "a_one" and row["at"] >= since * 1000
            )
            assert await count("sandbox", "a_one", since, narrowed=conditions, counted=conditions) == expected


@pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
async def test_a_span_is_found_by_its_index(stores: Stores) -> None:
    statement = "SELECT id FROM request_record WHERE span IN ('rs_0', 'rs_1') AND app_id IN ('a_one')"
    plan = await store.plane("sandbox").execute_query_dict("EXPLAIN QUERY PLAN " + statement)
    assert "(span=? AND app_id=?)" in str(plan), plan
