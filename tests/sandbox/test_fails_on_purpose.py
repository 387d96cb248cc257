"""The department that fails on purpose: its server breaks off, the gateway says so, opens its breaker, and closes it."""

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.core.problems import Problem
from api.gateway.connector import Context
from api.gateway.connectors.mapped import MappedConnector
from api.gateway.guard import THRESHOLD
from sandbox.city.connector import CitySide
from sandbox.city.departments.emergency.behaviour import department
from sandbox.city.departments.emergency.records import BROKEN_PHONE
from sandbox.city.inventory import read_services
from sandbox.city.rehearsal import example_request
from tests.sandbox.native import spoken
from tests.server import Installation

SERVICE = read_services()["emergency"]
REPORT = next(one for one in SERVICE.operations if one.id == "reportIncident")


async def test_its_server_breaks_the_connection_and_has_done_nothing(side: CitySide, city_home: Path) -> None:
    text = (department.folder / "mapping.yaml").read_text(encoding="utf-8")

    def context() -> Context:
        return Context(
            request_id="rs_1", deadline=time.monotonic() + 10, environment="sandbox", app_id="a_breaks",
            state_id="a_breaks", clock="2026-06-30T12:00:00+08:00", service="emergency@v1",
        )  # fmt: skip

    async with spoken(side, city_home, "emergency", text) as (connector, _):
        assert isinstance(connector, MappedConnector)
        broken = example_request(REPORT, {"body": {"phone": BROKEN_PHONE}})
        with pytest.raises(Problem) as failed:
            await connector.call(REPORT, broken, context())
        assert (failed.value.status, failed.value.kind.slug) == (502, "upstream-invalid")
        again = await connector.call(REPORT, example_request(REPORT), context())
        assert again.status == 201, "nothing was kept of the call that broke off"


def test_the_gateway_opens_its_breaker_over_http(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.seed()
    app = installation.json("app", "create", "--name", "hall", "--subscribe", "emergency@v1")
    with installation.serving("sandbox") as server, httpx.Client(base_url=server.url, timeout=30) as client:
        answer = client.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(app["client_id"], app["client_secret"]),
        )
        client.headers.update(
            {
                "Authorization": f"Bearer {answer.json()['access_token']}",
                "Accept-Language": "en",
            }
        )
        body: dict[str, Any] = json.loads(example_request(REPORT).body or b"{}")

        def report(**changes: str) -> httpx.Response:
            return client.post("/api/emergency/v1/incidents", json=body | changes)

        slugs = []
        for _ in range(round(THRESHOLD) + 3):
            refused = report(phone=BROKEN_PHONE)
            problem = refused.json()
            slugs.append(problem["type"].rstrip("/").rpartition("/")[2])
            assert problem["step"] == "call", problem
            if slugs[-1] == "circuit-open":
                break
        assert slugs[0] == "upstream-invalid"
        assert slugs[-1] == "circuit-open", slugs
        wait = int(refused.headers["retry-after"])
        assert refused.status_code == 503
        time.sleep(wait)
        assert report().status_code == 201, "the breaker lets one through, and closes"
        assert report(phone=BROKEN_PHONE).status_code == 502
