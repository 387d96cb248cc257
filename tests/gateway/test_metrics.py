"""Metrics of a process: Prometheus text that a scraper can read, with labels that no client can invent."""

import re

from api.core.store import Stores
from api.gateway.guard import THRESHOLD, Guard
from api.settings import Settings
from tests.gateway.recorded import recorded

LINE = re.compile(r'[a-z_]+(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? -?[0-9.e+-]+')


async def test_metrics_are_prometheus_text(settings: Settings, stores: Stores) -> None:
    async with recorded(settings) as plane:
        plane.world.connector.guard = Guard()
        for path in (
            "/api/company/v1/companies/9133",
            "/api/company/v1/companies/9133",
            "/api/nowhere/v1/secret-value",
        ):
            await plane.get(path)
        await plane.get("/api/company/v1/companies/9133", authorization="Bearer nonsense")
        for _ in range(int(THRESHOLD)):
            plane.world.connector.guard.fail()
        await plane.recorder.flush()
        text = plane.metrics.render(plane.world.gateway)
    assert 'kaimen_requests_total{service="company@v1",operation="getCompany",status="200",step=""} 2' in text
    assert 'kaimen_problems_total{problem="operation-not-found"} 1' in text
    assert 'kaimen_circuit_open{service="company@v1"} 1' in text
    assert 'kaimen_gateway_seconds_count{service="company@v1"}' in text
    assert "secret-value" not in text
    assert "kaimen_log_rows_waiting 0" in text
    for line in text.strip().split("\n"):
        assert line.startswith("# ") or LINE.fullmatch(line), line
    declared = re.findall(r"# TYPE (\S+)", text)
    assert len(declared) == len(set(declared))


async def test_buckets_are_cumulative(settings: Settings, stores: Stores) -> None:
    async with recorded(settings) as plane:
        for _ in range(20):
            await plane.get("/api/company/v1/companies/9133")
        text = plane.metrics.render()
    counts = [int(one) for one in re.findall(r"kaimen_gateway_seconds_bucket\{[^}]*\} (\d+)", text)]
    assert counts == sorted(counts)
    assert counts[-1] == 20
