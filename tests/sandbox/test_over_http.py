"""The city through a real server: every scenario over HTTP, state of each app, reset with the app's own token."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from msgspec.structs import replace

from api.contract.model import Operation, Scenario, Service
from sandbox.city.inventory import read_services
from sandbox.city.population import personas
from sandbox.city.rehearsal import example_request
from sandbox.scenarios import differences
from tests.server import Installation

SUBSCRIPTIONS = (
    "company@v1",
    "tax@v1:court-enforcement",
    "tax@v1:notarisation",
    "tax@v1:bank-credit",
    "post@v1",
)
NEW_APP = """
import asyncio, json, sys
from api.core.caller import OPERATOR
from api.identity.apps.service import create_app, set_platform_scopes, update_app
from api.main.compose import compose_local
from api.main.context import settings_of_shell

async def main():
    async with compose_local(settings_of_shell()):
        made = await create_app(OPERATOR, name="rehearsal", environment="sandbox", subscribe=sys.argv[1:])
        await set_platform_scopes(OPERATOR, made.app.id, ["platform:sandbox:write"])
        await update_app(OPERATOR, made.app.id, plan="internal")
        print(json.dumps({"app_id": made.app.id, "client_id": made.app.client_id, "client_secret": made.secret}))

asyncio.run(main())
"""


class Server:
    """The sandbox, called as an app."""

    def __init__(self, client: httpx.Client, installation: Installation) -> None:
        self.client = client
        self.installation = installation

    def new_app(self) -> "App":
        done = subprocess.run(
            [sys.executable, "-c", NEW_APP, *SUBSCRIPTIONS],
            env=self.installation.environ,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return App(self, json.loads(done.stdout))


class App:
    def __init__(self, server: Server, made: dict[str, Any]) -> None:
        self.server = server
        self.id = made["app_id"]
        self._credential = (made["client_id"], made["client_secret"])
        self._tokens: dict[str, str] = {}

    def token(self, scope: str = "") -> str:
        if scope not in self._tokens:
            form = {"grant_type": "client_credentials"} | ({"scope": scope} if scope else {})
            answer = self.server.client.post("/oauth/token", data=form, auth=self._credential)
            assert answer.status_code == 200, answer.text
            self._tokens[scope] = answer.json()["access_token"]
        return self._tokens[scope]

    def call(
        self, service: Service, operation: Operation, values: dict[str, Any] | None = None, **headers: str
    ) -> httpx.Response:
        request = example_request(operation, values)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {name: str(value) for name, value in request.headers.items()}
        sent |= {"Authorization": f"Bearer {self.token()}", "Accept-Language": "zh-CN"}
        if request.content_type:
            sent["Content-Type"] = request.content_type
        path = f"/api/{service.name}/{service.version}{quote(request.target, safe='/?&=%,+')}"
        return self.server.client.request(operation.method, path, headers=sent, content=request.body)

    def reset(self) -> dict[str, Any]:
        answer = self.server.client.post(
            "/platform/v1/sandbox/reset",
            json={},
            headers={"Authorization": f"Bearer {self.token('platform:sandbox:write')}"},
        )
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    installation = Installation(Path(tmp_path_factory.mktemp("city-over-http")))
    installation.seed()
    with installation.serving("sandbox") as running, httpx.Client(base_url=running.url, timeout=30) as client:
        yield Server(client, installation)


@pytest.fixture(scope="module")
def app(server: Server) -> App:
    return server.new_app()


def find(service_name: str, operation_id: str) -> tuple[Service, Operation]:
    service = next(one for one in read_services().values() if one.name == service_name)
    operation = service.operation(operation_id)
    assert operation is not None
    return service, operation


def purpose_of(operation: Operation, scenario: Scenario) -> dict[str, str]:
    """A call for one of several purposes names its own."""
    if operation.id != "listArrears":
        return {}
    return {"Kaimen_Purpose": "notarisation" if scenario.id == "notary" else "court-enforcement"}


@pytest.mark.parametrize("service", read_services().values(), ids=lambda one: one.key)
def test_every_scenario_over_http(app: App, service: Service) -> None:
    wrong: list[str] = []
    for operation in service.operations:
        for scenario in operation.scenarios:
            for road in ("magic", "header") if scenario.when else ("header",):
                if not operation.is_safe:
                    app.reset()
                headers = purpose_of(operation, scenario)
                if road == "header":
                    headers["Kaimen_Scenario"] = scenario.id
                answer = app.call(service, operation, scenario.when if road == "magic" else None, **headers)
                found = check(operation, scenario, answer)
                wrong += [
                    f"{operation.id} {scenario.id} by {road}: {each} {answer.text[:300]}" for each in found
                ]
    assert wrong == []


def check(operation: Operation, scenario: Scenario, answer: httpx.Response) -> list[str]:
    body = json.loads(answer.content) if answer.content else None
    if (
        operation.id == "getTaxPaid"
    ):  # its basis is consent, which a token of client_credentials never carries
        asked = (answer.status_code, body["rule"])
        return [] if asked == (403, "consent-required") else [f"{asked} is not consent-required"]
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return differences(replace(scenario, state={}), answer.status_code, headers, body, {})


def test_the_first_call(app: App) -> None:
    service, operation = find("company", "getCompany")
    code = personas.code_of("manshan-tea")
    answer = app.call(service, operation, {"code": code})
    assert answer.status_code == 200
    assert answer.json()["code"] == code
    assert answer.headers["Kaimen-Environment"] == "sandbox"
    assert "Kaimen-Sandbox" not in answer.headers or answer.headers["Kaimen-Sandbox"] != "synthetic"


def test_apps_keep_their_orders_apart_and_start_anew(server: Server, app: App) -> None:
    other = server.new_app()
    service, create = find("post", "createOrder")
    _, get = find("post", "getOrder")
    _, orders = find("post", "listOrders")
    app.reset()
    first = app.call(service, create, Idempotency_Key="one")
    again = app.call(service, create, Idempotency_Key="one")
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    number = first.json()["number"]
    located = server.client.get(first.headers["Location"], headers={"Authorization": f"Bearer {app.token()}"})
    assert located.json()["number"] == number
    reused = app.call(service, create, {"body": {"service": "express"}}, Idempotency_Key="one")
    assert (reused.status_code, reused.json()["rule"]) == (422, "idempotency-key-reused")
    assert other.call(service, get, {"number": number}).status_code == 404
    assert other.call(service, orders).json()["items"] == []
    assert app.reset()["records"] == 2, "the order and the answer kept for its key"
    assert app.call(service, get, {"number": number}).status_code == 404


def test_chinese_in_a_query(app: App) -> None:
    service, operation = find("company", "searchCompanies")
    answer = app.call(service, operation, {"query": "恒铸（样例）机械"})
    assert [item["code"] for item in answer.json()["items"]] == [personas.code_of("hengzhu-machinery")]
