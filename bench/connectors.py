"""What a department's real protocol costs: the same read through `inprocess` and through its connector, p50 and p95.

    python -m bench.connectors [CALLS] [postgresql://user@host:port/database]

One process, one caller, sequential, loopback; gateway and department share the process and the core, so the
department's own work (envelope read and written, XSD checked) is in the figure. SQL and files are asked for rows
that the department has written already: a SQLite file, or with an address a schema of that PostgreSQL database.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from api.core import store
from api.gateway.connector import Connector, Context
from api.gateway.connectors.registry import ConnectorRegistry
from api.main.city_upstreams import native_side, register_city
from api.main.stores import stores_of
from api.settings import Settings
from sandbox.city.base import FILE, CityFile
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.inventory import read_services
from sandbox.city.native.side import mapping_text
from sandbox.city.population.generate import generate
from sandbox.city.rehearsal import example_request
from sandbox.city.state import States

READS = (
    ("public-security", "soap"), ("civil-affairs", "soap 1.2"), ("health", "http json"),
    ("disability", "http xml gb18030"), ("education", "sql"), ("statistics", "files"),
)  # fmt: skip
NOON = "2026-06-30T12:00:00+08:00"


async def _times(connector: Connector, slug: str, calls: int) -> tuple[float, float]:
    service = read_services()[slug]
    spoken = [one for one in service.operations if one.is_safe and one.level < "L4"]
    operation = spoken[0]
    request = example_request(operation)
    took = []
    for number in range(calls + 50):
        context = Context(
            request_id="rs_bench", deadline=time.monotonic() + 10, environment="sandbox", app_id="a_bench",
            state_id="a_bench", clock=NOON, service=service.key, locale="zh",
            purpose=operation.purposes[0] if operation.purposes else "",
        )  # fmt: skip
        started = time.perf_counter()
        result = await connector.call(operation, request, context)
        if number >= 50:
            took.append((time.perf_counter() - started) * 1000)
        assert result.status < 500, (slug, operation.id, result.status)
    return statistics.median(took), statistics.quantiles(took, n=20)[-1]


async def measure(calls: int, database_url: str = "") -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        generate(home / FILE, 2000, 400, 7)
        environ = {**os.environ, "KAIMEN_HOME": str(home), "KAIMEN_DATABASE_URL": database_url}
        subprocess.run(
            [sys.executable, "-m", "api.main", "migrate"], env=environ, check=True, capture_output=True
        )
        settings = Settings(home=str(home), embedded=True, database_url=database_url)
        async with store.open_stores(stores_of(settings), "sandbox"):
            side = CitySide(DEPARTMENTS, CityFile(home), States("sandbox", is_sole=True), settings.docs_url)
            native = native_side(settings, side)
            registry = ConnectorRegistry()
            register_city(registry, settings, side, native)
            by_slug = {one.slug: one for one in DEPARTMENTS}
            async with native.running():
                for slug, name in READS:
                    department = by_slug[slug]
                    service = read_services()[slug]
                    direct = side.connector(f"city:{slug}", service)
                    spoken = registry.connector_for(
                        f"city+{department.protocol}:{slug}", service, mapping_text(department)
                    )
                    one = await _times(direct, slug, calls)
                    other = await _times(spoken, slug, calls)
                    print(
                        f"{name:18} inprocess p50 {one[0]:.3f} ms p95 {one[1]:.3f} ms · connector p50 "
                        f"{other[0]:.3f} ms p95 {other[1]:.3f} ms · overhead p50 {other[0] - one[0]:.3f} ms"
                    )
                    await spoken.close()
            await side.close()


if __name__ == "__main__":
    asyncio.run(measure(int((sys.argv[1:] or ["500"])[0]), "".join(sys.argv[2:3])))
