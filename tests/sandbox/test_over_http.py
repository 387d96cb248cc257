"""The city through a real server: every scenario over HTTP, state of each app, reset with the app's own token."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from msgspec.structs import replace

from api.contract.model import Basis, Level, Operation, Scenario, Service
from sandbox.city.inventory import read_services
from sandbox.city.population import personas
from sandbox.city.rehearsal import example_request
from sandbox.scenarios import differences
from tests.server import Installation

ASKED_OF_PEOPLE = frozenset({Basis.CONSENT, Basis.SEPARATE_CONSENT})
NEW_APP = """
import asyncio, json, sys
from api.core.caller import OPERATOR
from api.catalogue.service import subscribe
from api.identity.apps.service import create_app, set_platform_scopes, update_app
from api.main.compose import compose_local
from api.main.context import settings_of_shell

async def main():
    async with compose_local(settings_of_shell()):
        made = await create_app(OPERATOR, name="rehearsal", environment="sandbox", subscribe=sys.argv[1:11])
        for entry in sys.argv[11:]:
            version_id, _, purpose = entry.partition(":")
            await subscribe(
                OPERATOR, app_id=made.app.id, organisation_id=made.app.organisation_id, environment="sandbox",
                version_id=version_id, purpose=purpose,
            )
        await set_platform_scopes(OPERATOR, made.app.id, ["platform:sandbox:write"])
        await update_app(OPERATOR, made.app.id, plan="internal")
        print(json.dumps({"app_id": made.app.id, "client_id": made.app.client_id, "client_secret": made.secret}))

asyncio.run(main())
"""


def subscriptions() -> list[str]:
    """To every service of the city, for every purpose that one of its operations takes."""
    wanted = []
    for service in read_services().values():
        purposes = sorted({purpose for operation in service.operations for purpose in operation.purposes})
        wanted += [f"{service.key}:{purpose}" for purpose in purposes] or [service.key]
    return wanted


class Server:
    """The sandbox, called as an app."""

    def __init__(self, client: httpx.Client, installation: Installation) -> None:
        self.client = client
        self.installation = installation

    def new_app(self) -> "App":
        done = subprocess.run(
            [sys.executable, "-c", NEW_APP, *subscriptions()],
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
    if scenario.id == "notary":
        return {"Kaimen_Purpose": "notarisation"}
    return {"Kaimen_Purpose": operation.purposes[0]} if operation.purposes else {}


@pytest.mark.parametrize("service", read_services().values(), ids=lambda one: one.key)
def test_every_scenario_over_http(app: App, service: Service) -> None:
    wrong: list[str] = []
    for operation in service.operations:
        for scenario in operation.scenarios:
            if not operation.is_safe and operation.basis not in ASKED_OF_PEOPLE:
                app.reset()
            headers = purpose_of(operation, scenario)
            if not scenario.when:
                headers["Kaimen_Scenario"] = scenario.id
            answer = app.call(service, operation, scenario.when or None, **headers)
            found = check(operation, scenario, answer)
            wrong += [f"{operation.id} {scenario.id}: {each} {answer.text[:300]}" for each in found]
    assert wrong == []


def check(operation: Operation, scenario: Scenario, answer: httpx.Response) -> list[str]:
    body = json.loads(answer.content) if answer.content else None
    rule = body.get("rule", "") if isinstance(body, dict) else ""
    if operation.level == Level.L4:  # the clean room alone serves it
        return (
            []
            if (answer.status_code, rule) == (403, "classification-refused")
            else [f"{rule} is not the clean room's"]
        )
    if operation.audience == "department" and rule == "audience-refused":
        return []  # the app is no department's
    if operation.basis in ASKED_OF_PEOPLE:  # which a token of client_credentials never carries
        return (
            []
            if (answer.status_code, rule) == (403, "consent-required")
            else [f"{rule} is not consent-required"]
        )
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


def test_the_clock_of_an_app(server: Server) -> None:
    """Set over the platform API, it counts at the very next call, through every department, for this app alone."""
    app, other = server.new_app(), server.new_app()
    post, create = find("post", "createOrder")
    _, get = find("post", "getOrder")
    headers = {"Authorization": f"Bearer {app.token('platform:sandbox:write')}"}

    def move(**wanted: str) -> httpx.Response:
        return server.client.post("/platform/v1/sandbox/clock", json=wanted, headers=headers)

    assert move(now="2027-03-01T09:00:00+08:00").status_code == 200
    made = app.call(post, create)
    assert made.status_code == 201, made.text
    assert made.json()["created_at"][:16] == "2027-03-01T09:00"
    assert made.headers["Kaimen-Clock"][:16] == "2027-03-01T09:00"
    number = {"number": made.json()["number"]}
    assert app.call(post, get, number).json()["status"] == "accepted"
    assert move(advance="P7D").status_code == 200
    assert app.call(post, get, number).json()["status"] == "delivered"
    theirs = other.call(post, create)
    assert theirs.json()["created_at"] == "2026-06-30T09:00:00+08:00", (
        "nobody set it: it stands where the city was counted"
    )
    assert move(now="2027-03-01T09:00:00+08:00").json()["rule"] == "clock-backwards"


def test_a_command_of_the_operator_moves_the_clock(server: Server) -> None:
    app = server.new_app()
    moved = server.installation.json("city", "clock", "--app", app.id, "--set", "2028-02-29T12:00:00+08:00")
    assert moved["mode"] == "own"
    post, create = find("post", "createOrder")
    end = time.monotonic() + 30
    while True:  # the server looks at what other processes did once a second
        made = app.call(post, create, {"body": {"note": str(time.monotonic())}})
        if made.headers.get("Kaimen-Clock", "").startswith("2028-02-29"):
            break
        app.reset()
        server.installation.json("city", "clock", "--app", app.id, "--set", "2028-02-29T12:00:00+08:00")
        assert time.monotonic() < end
    assert made.json()["created_at"][:10] == "2028-02-29"
    kept = server.installation.json("city", "snapshot", "save", "leap-day", "--app", app.id)
    assert kept["records"] >= 1
    assert server.installation.json("city", "reset", "--app", app.id)["undo"] == "before-reset"
    restored = server.installation.json("city", "snapshot", "restore", "leap-day", "--app", app.id)
    assert restored["clock"]["now"][:10] == "2028-02-29"
    state = server.installation.json("city", "state", "--app", app.id)
    assert state["records_by_department"]["post"] == 1
    server.installation.command("city", "snapshot", "delete", "leap-day", "--app", app.id)
    names = [
        one["name"] for one in server.installation.json("city", "snapshot", "list", "--app", app.id)["items"]
    ]
    assert names == ["before-reset"]
