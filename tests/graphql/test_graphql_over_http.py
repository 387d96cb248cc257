"""The GraphQL face through a real server: one query over two services, with a token of a real app."""

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright import sync_api

from api.graphql.pages import FILES, FOLDER
from tests.browser import chromium
from tests.events.serving import CONTRACT as PARCEL
from tests.server import Installation

VERSIONS = json.loads((FOLDER / "vendor/VERSIONS.json").read_text())
CODE = "91990106MA0000015L"
NEW_APP = """
import asyncio, json
from api.core.caller import OPERATOR
from api.identity.apps.service import create_app, update_app
from api.main.compose import compose_local
from api.main.context import settings_of_shell

async def main():
    async with compose_local(settings_of_shell()):
        made = await create_app(OPERATOR, name="graphql", environment="sandbox", subscribe=["company@v1", "tax@v1"])
        await update_app(OPERATOR, made.app.id, plan="internal")
        print(json.dumps({"app_id": made.app.id, "client_id": made.app.client_id, "client_secret": made.secret}))

asyncio.run(main())
"""


class Server:
    """The sandbox, asked as an app."""

    installation: Installation

    def __init__(self, url: str, app: dict[str, str], log: Path) -> None:
        self.url = url
        self.app = app
        self.log = log
        self.http = httpx.Client(base_url=url, timeout=60)
        self.token = self.http.post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(app["client_id"], app["client_secret"]),
        ).json()["access_token"]

    def ask(self, query: str, variables: Any = None, **headers: str) -> httpx.Response:
        return self.http.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"authorization": f"Bearer {self.token}", **headers},
        )

    def get(self, path: str) -> httpx.Response:
        return self.http.get(path, headers={"authorization": f"Bearer {self.token}"})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    installation = Installation(tmp_path_factory.mktemp("graphql"))
    installation.seed()
    made = subprocess.run(
        [sys.executable, "-c", NEW_APP], env=installation.environ, cwd=installation.home, capture_output=True,
        text=True, timeout=120, check=True,
    )  # fmt: skip
    with installation.serving() as running:
        asked = Server(running.url, json.loads(made.stdout.splitlines()[-1]), running.log_path)
        asked.installation = installation
        yield asked
        asked.http.close()


def test_one_query_over_two_services(server: Server) -> None:
    answer = server.ask(
        "query ($code: String!) { company { get(code: $code) { code name status taxRating { grade } } }"
        " tax { rating(code: $code) { grade } } }",
        {"code": CODE},
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert "errors" not in body, body
    company = body["data"]["company"]["get"]
    assert company["code"] == CODE
    assert company["taxRating"] == body["data"]["tax"]["rating"]
    told = body["extensions"]["kaimen"]
    assert told["request_id"] == answer.headers["request-id"]
    assert {one["operation"] for one in told["operations"]} == {"getCompany", "getRating"}
    assert all(one["status"] == 200 for one in told["operations"])
    assert sum(one["cost"] for one in told["operations"]) == told["cost"]["charged"]
    rest = server.get(f"/api/company/v1/companies/{CODE}").json()
    assert {name: rest[name] for name in ("code", "name")} == {
        name: company[name] for name in ("code", "name")
    }


def test_a_refusal_is_an_error_with_the_words_of_rest(server: Server) -> None:
    missing = "91990101MA00011739"
    body = server.ask("query ($c: String!) { company { get(code: $c) { name } } }", {"c": missing}).json()
    rest = server.get(f"/api/company/v1/companies/{missing}").json()
    assert body["data"] == {"company": {"get": None}}
    error = body["errors"][0]
    assert error["path"] == ["company", "get"]
    assert error["message"] == rest["detail"]
    assert error["extensions"]["type"] == rest["type"]
    assert error["extensions"]["status"] == 404
    assert error["extensions"]["next"] == rest["next"]


def test_the_schemas_are_text_and_introspection_is_off(server: Server) -> None:
    public = server.http.get("/catalogue/schema.graphql")
    assert public.status_code == 200, public.text
    assert "type Query" in public.text
    own = server.get("/graphql/schema")
    assert "company: CompanyQuery!" in own.text
    assert "weather: " not in own.text
    assert server.http.get("/graphql/schema").status_code == 401
    refused = server.ask("{ __schema { types { name } } }")
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["extensions"]["rule"] == "graphql-introspection"


def test_the_log_is_one_tree_and_holds_no_query(server: Server) -> None:
    marker = "secretmarker"
    server.ask("{ " + marker + " ")
    answer = server.ask("{ company { a" + marker + ': get(code: "' + CODE + '") { name } } }')
    outer = answer.headers["request-id"]
    inner = answer.json()["extensions"]["kaimen"]["operations"][0]["request_id"]
    assert marker not in server.log.read_text()
    time.sleep(1.5)  # the log is at most one second behind
    row = server.installation.json("request", "show", inner)
    assert row["parent_id"] == outer
    assert row["face"] == "graphql"
    assert marker not in json.dumps(server.installation.json("request", "show", outer))


def test_a_publication_drops_no_request(server: Server) -> None:
    query = "query ($code: String!) { company { get(code: $code) { name } } }"
    is_over = threading.Event()
    faults: list[str] = []
    asked = 0

    def go_on_asking() -> None:
        nonlocal asked
        while not is_over.wait(0.02):
            answer = server.ask(query, {"code": CODE})
            asked += 1
            if answer.status_code != 200 or "errors" in answer.json():
                faults.append(answer.text)

    thread = threading.Thread(target=go_on_asking)
    thread.start()
    try:
        server.installation.command("contract", "import", str(PARCEL))
        server.installation.command("contract", "publish", "parcel@v1", "--environment", "sandbox")
        deadline = time.monotonic() + 60
        while "parcel: ParcelQuery!" not in server.http.get("/catalogue/schema.graphql").text:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    finally:
        is_over.set()
        thread.join(60)
    assert asked > 20
    assert faults == []


def test_documents_are_registered_by_command_and_run_by_digest(server: Server, tmp_path: Path) -> None:
    app_id = server.app["app_id"]
    file = tmp_path / "company.graphql"
    file.write_text("query ($c: String!) { company { get(code: $c) { name } } }", encoding="utf-8")
    made = server.installation.json("graphql", "register", app_id, str(file), "--label", "name")
    sent = {"id": "sha256:" + made["digest"], "variables": {"c": CODE}}
    headers = {"authorization": f"Bearer {server.token}"}
    deadline = time.monotonic() + 20
    answer = server.http.post("/graphql", json=sent, headers=headers)
    while answer.status_code == 404 and time.monotonic() < deadline:
        time.sleep(0.3)
        answer = server.http.post("/graphql", json=sent, headers=headers)
    assert answer.json()["data"]["company"]["get"]["name"]
    assert [one["digest"] for one in server.installation.json("graphql", "list", app_id)["items"]] == [
        made["digest"]
    ]
    server.installation.command("graphql", "remove", app_id, made["digest"])
    assert server.installation.json("graphql", "list", app_id)["items"] == []


def test_the_console_is_served_by_us_whole(server: Server) -> None:
    page = server.http.get("/graphql", headers={"accept": "text/html,*/*"})
    assert page.status_code == 200
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    linked = set(re.findall(r'(?:src|href)="(/graphql/console/[^"]+)"', page.text))
    assert linked == {path for path in FILES if path.endswith((".js", ".css"))}
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page.text)
    for path in linked:
        assert server.http.get(path).status_code == 200
    assert server.http.get("/graphql").status_code == 401
    licences = server.http.get("/graphql/console/licenses.txt").text
    assert f"graphiql {VERSIONS['graphiql']} (MIT)" in licences
    assert f"react {VERSIONS['react']} (MIT)" in licences


def test_a_newcomer_runs_a_first_query_in_a_browser(server: Server) -> None:
    faults: list[str] = []
    with sync_api.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        for locale, opened in (("zh-CN", "令牌有效"), ("en-GB", "The token is good")):
            page = browser.new_context(locale=locale).new_page()
            page.set_default_timeout(60_000)
            page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "request", lambda one: faults.append(one.url) if not one.url.startswith(server.url) else None
            )
            page.goto(f"{server.url}/graphql")
            page.locator(".graphiql-container").wait_for()
            page.fill("#token", server.token)
            page.click("#use")
            page.locator("#state.good", has_text=opened).wait_for()
            assert "company" in page.inner_text("#state")
            page.click(".graphiql-execute-button")
            page.locator(".result-window .CodeMirror-line", has_text="quota_class").first.wait_for()
            kept = page.evaluate("() => JSON.stringify([{...localStorage}, {...sessionStorage}])")
            assert server.token not in kept
            page.context.close()
        browser.close()
    assert faults == []
