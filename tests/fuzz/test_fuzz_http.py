"""Seeded nonsense to /oauth and /api: never a 500, never silence; every refusal is a body that explains itself.

A failure shows the request's number and its bytes; `Random(f"{SEED}:{number}")` makes them again.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from tests.fuzz.targets import Target, api_request, oauth_request
from tests.fuzz.upstream import CONTRACT, FIRST, GOOD, failing_upstream
from tests.fuzz.wire import Answer, Wire
from tests.server import Installation, RunningServer

SEED = 20260727
CONNECTIONS = 8
COUNTS = [pytest.param(1_000, id="1000"), pytest.param(10_000, id="10000", marks=pytest.mark.full)]
MALFORMED_HTTP = b"Invalid HTTP request received."  # the HTTP parser's own word, before any code of ours


def fault_of(answer: Answer, raw: bytes) -> str:
    """What is wrong with an answer, "" when nothing is."""
    if answer.status == 0:
        return "the connection was closed without an answer"
    if answer.status >= 500:
        return f"a {answer.status}: {answer.body[:500]!r}"
    if answer.status < 400 or raw.startswith(b"HEAD ") or answer.body == MALFORMED_HTTP:
        return ""
    media_type = answer.headers.get("content-type", "").partition(";")[0]
    if media_type not in {"application/problem+json", "application/json"}:
        return f"a {answer.status} of type {media_type!r}: {answer.body[:200]!r}"
    try:
        body = json.loads(answer.body)
    except ValueError:
        return f"a {answer.status} whose body is no JSON: {answer.body[:200]!r}"
    wanted = {"error", "error_description"} if media_type == "application/json" else {
        "type", "title", "status", "detail", "next", "rule", "request_id"}  # fmt: skip
    if missing := wanted - body.keys():
        return f"a {answer.status} without {sorted(missing)}: {answer.body[:300]!r}"
    if "request-id" not in answer.headers:
        return f"a {answer.status} without Request-Id"
    return ""


async def fuzz(
    origin: str, target: Target, make: Callable[[Random, Target], bytes], count: int
) -> Counter[int]:
    """Send `count` requests over a few connections. Returns how often each status came; fails at the first fault."""
    statuses: Counter[int] = Counter()
    numbers = iter(range(count))
    malformed = 0

    async def work() -> None:
        nonlocal malformed
        wire = Wire(origin)
        try:
            for number in numbers:
                raw = make(Random(f"{SEED}:{number}"), target)
                answer = await wire.send(raw, is_head=raw.startswith(b"HEAD "))
                fault = fault_of(answer, raw)
                assert not fault, f"request {number} got {fault}\n{raw[:3000]!r}"
                statuses[answer.status] += 1
                malformed += answer.body == MALFORMED_HTTP
        finally:
            await wire.close()

    await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
    assert sum(statuses.values()) == count
    assert malformed < count / 10, "too much of this never reached our code"
    return statuses


async def new_token(http: httpx.AsyncClient, target: Target) -> str:
    """A fresh token of the target's app."""
    form = {"grant_type": "client_credentials"}
    answer = await http.post("/oauth/token", data=form, auth=(target.client_id, target.secret))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def still_works(server: RunningServer, target: Target) -> None:
    """The server is alive, gives a token, answers a call with it, and has logged no failure."""
    assert server.process.poll() is None
    async with httpx.AsyncClient(base_url=server.url) as http:
        bearer = {"Authorization": "Bearer " + await new_token(http, target)}
        answer = await http.get(f"/api/company/v1/companies/{target.codes[0]}", headers=bearer)
        assert answer.status_code == 200, answer.text
    for word in ("Traceback", "platform.failure", "job.failure", "oauth.unreadable"):
        assert word not in server.log, server.log[server.log.index(word) - 500 :][:3000]


@pytest.mark.parametrize("count", COUNTS)
async def test_oauth(server: RunningServer, target: Target, count: int) -> None:
    statuses = await fuzz(server.url, target, oauth_request, count)
    assert {200, 400, 401} <= statuses.keys(), statuses
    await still_works(server, target)


@pytest.mark.parametrize("count", COUNTS)
async def test_api(server: RunningServer, target: Target, count: int) -> None:
    async with httpx.AsyncClient(base_url=server.url) as http:  # those of the fixture may be revoked by now
        tokens = tuple([await new_token(http, target) for _ in range(3)])
    statuses = await fuzz(server.url, replace(target, tokens=tokens), api_request, count)
    assert {200, 400, 401, 404} <= statuses.keys(), statuses
    await still_works(server, target)


UPSTREAM_PROBLEMS = {
    "upstream-unreachable": 502, "upstream-invalid": 502, "response-invalid": 502, "upstream-timeout": 504,
    "circuit-open": 503, "upstream-busy": 503,
}  # fmt: skip


@pytest.mark.parametrize(
    "count", [pytest.param(150, id="150"), pytest.param(3_000, id="3000", marks=pytest.mark.full)]
)
async def test_a_failing_upstream_fails_alone_and_by_name(
    installation: Installation, server: RunningServer, target: Target, tmp_path: Path, count: int
) -> None:
    """Every 5xx is one of the kinds for upstreams; a service beside it answers as if nothing were."""
    async with (
        failing_upstream(f"{SEED}:{count}") as port,
        httpx.AsyncClient(base_url=server.url, timeout=60) as http,
    ):
        bearer = await subscribe_to_upstream(installation, tmp_path, port, http)
        neighbour = {"Authorization": "Bearer " + await new_token(http, target)}
        seen: Counter[str] = Counter()

        async def work(numbers: Iterator[int]) -> None:
            for number in numbers:
                answer = await http.get(f"/api/flaky/v1/things/t-{number}", headers=bearer)
                seen[kind_of(answer)] += 1
                if number % 20 == 0:
                    answer = await http.get(f"/api/company/v1/companies/{target.codes[0]}", headers=neighbour)
                    assert answer.status_code in {200, 429}, answer.text

        numbers = iter(range(count))
        await work(islice(numbers, len(FIRST)))  # one by one: then the breaker may open as soon as it likes
        await asyncio.gather(*(work(numbers) for _ in range(CONNECTIONS)))
    assert seen["good"] > 0, seen
    assert {"upstream-invalid", "response-invalid", "circuit-open"} <= seen.keys(), seen
    assert "platform.failure" not in server.log
    await still_works(server, target)


async def subscribe_to_upstream(
    installation: Installation, folder: Path, port: int, http: httpx.AsyncClient
) -> dict[str, str]:
    """Publish the flaky service with this upstream, subscribe an app; the header of its token."""
    contract = folder / "flaky.yaml"
    contract.write_text(CONTRACT)

    def make() -> dict[str, Any]:
        installation.command("contract", "import", str(contract))
        installation.command(
            "contract",
            "publish",
            "flaky@v1",
            "--environment",
            "sandbox",
            "--upstream",
            f"http://127.0.0.1:{port}",
        )
        return installation.json("app", "create", "--name", "flaky", "--subscribe", "flaky@v1")

    app = await asyncio.to_thread(make)
    form = {"grant_type": "client_credentials"}
    answer = await http.post("/oauth/token", data=form, auth=(app["client_id"], app["client_secret"]))
    return {"Authorization": "Bearer " + answer.json()["access_token"]}


def kind_of(answer: httpx.Response) -> str:
    """`good`, the slug of a problem, or `passed N` for a status that was the upstream's own."""
    if answer.headers.get("content-type") != "application/problem+json":
        if answer.status_code == 200:
            assert answer.content == GOOD, answer.content
            return "good"
        assert answer.content == b"{}", (answer.status_code, answer.content)
        return f"passed {answer.status_code}"
    body = answer.json()
    slug = body["type"].rstrip("/").rpartition("/")[2]
    if answer.status_code >= 500:
        assert UPSTREAM_PROBLEMS.get(slug) == answer.status_code, answer.text
        assert body["step"] in {"call", "validate"}, answer.text
    return str(slug)


def test_the_same_seed_makes_the_same_requests(target: Target) -> None:
    """So that a failure can be made again; assertions are signed anew and left out."""
    for make in (oauth_request, api_request):
        for number in range(50):
            first, second = (make(Random(f"{SEED}:{number}"), target) for _ in range(2))
            assert b"client_assertion" in first or first == second
