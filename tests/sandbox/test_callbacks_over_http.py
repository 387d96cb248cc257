"""Slow departments through a served process: 202 and a ticket, then the result by callback, or by asking for it.

The public address of the gateway is a door of the test's own, a real local server before the gateway: what a
department brings passes through it, and it may lose it.
"""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.city.rehearsal import example_request
from tests.sandbox.conftest import find
from tests.server import Installation


@dataclass
class Door:
    """What came through, and what the gateway said to it. `loses`: it takes everything and hands nothing on."""

    gateway: str = ""
    loses: bool = False
    brought: list[tuple[str, bytes, int]] = field(default_factory=list)


@contextmanager
def open_door(door: Door) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            status = 204
            if not door.loses:
                headers = {"content-type": self.headers.get("content-type", "")}
                status = httpx.post(
                    door.gateway + self.path, content=body, headers=headers, timeout=10
                ).status_code
            door.brought.append((self.path, body, status))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class's name
            """Nothing: the test tells what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.fixture(scope="module")
def door() -> Door:
    return Door()


@pytest.fixture(scope="module")
def client(door: Door, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The gateway, called by an app of housing and customs. Customs is asked for results too seldom to matter."""
    with open_door(door) as public:
        installation = Installation(Path(tmp_path_factory.mktemp("callbacks")))
        door.gateway = installation.sandbox_url
        installation.seed()
        installation.extra["KAIMEN_SANDBOX_URL"] = public
        wanted = [part for name in ("housing@v1", "customs@v1") for part in ("--subscribe", name)]
        made = installation.json("app", "create", "--name", "slow", *wanted)
        with closing(sqlite3.connect(installation.home / "control.sqlite3")) as store, store:
            store.execute(
                "UPDATE publication SET mapping = replace(mapping, 'every_ms: 50', 'every_ms: 1000') "
                "WHERE upstream = 'city+http:customs'"
            )
        with installation.serving(), client_of(door.gateway, made) as opened:
            yield opened


def client_of(gateway: str, app: dict[str, Any]) -> httpx.Client:
    form, credential = {"grant_type": "client_credentials"}, (app["client_id"], app["client_secret"])
    token = httpx.post(f"{gateway}/oauth/token", data=form, auth=credential, timeout=30).json()[
        "access_token"
    ]
    return httpx.Client(base_url=gateway, timeout=30, headers={"Authorization": f"Bearer {token}"})


def apply(client: httpx.Client, name: str) -> httpx.Response:
    service, operation = find(name)
    request = example_request(operation)
    path = f"/api/{service.name}/{service.version}{request.target}"
    headers = {"Content-Type": "application/json", "Idempotency-Key": f"slow-{operation.id}"}
    return client.request(operation.method, path, content=request.body, headers=headers)


def through(door: Door) -> list[tuple[str, bytes, int]]:
    """What came through the door, once something did."""
    end = time.monotonic() + 30
    while not door.brought and time.monotonic() < end:
        time.sleep(0.02)
    return door.brought


def test_the_result_is_brought_to_the_callback(door: Door, client: httpx.Client) -> None:
    door.loses = False
    door.brought.clear()
    answer = apply(client, "customs/declareExport")
    assert answer.status_code == 202, answer.text
    ((path, body, status),) = through(door)
    assert path.startswith("/callbacks/v1/")
    assert status == 204, "the gateway took it, and asked for nothing"
    assert answer.json()["number"].encode() in body, "what was brought is the answer"
    again = httpx.post(door.gateway + path, content=body, timeout=10)
    assert again.status_code == 410, "an address is good once"


@pytest.mark.parametrize("name", ["housing/fileSaleContract", "housing/fileLease"])
def test_a_lost_callback_is_made_good_by_asking(door: Door, client: httpx.Client, name: str) -> None:
    door.loses = True
    door.brought.clear()
    answer = apply(client, name)
    assert answer.status_code == 201, answer.text
    ((_, body, _),) = through(door)
    assert answer.json()["number"].encode() in body, "it was brought, and lost"
