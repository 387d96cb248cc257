"""Seeded nonsense to /oauth and /api: never a 500, never silence; every refusal is a body that explains itself.

A failure shows the request's number and its bytes; `Random(f"{SEED}:{number}")` makes them again.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from random import Random

import httpx
import pytest

from tests.fuzz.oauth_requests import oauth_request
from tests.fuzz.targets import Target, api_request
from tests.fuzz.wire import Answer, Wire
from tests.server import RunningServer

SEED = 20260727
CONNECTIONS = 8
COUNTS = [pytest.param(1_000, id="1000"), pytest.param(10_000, id="10000", marks=pytest.mark.full)]
OAUTH_COUNTS = [pytest.param(1_000, id="1000"), pytest.param(20_000, id="20000", marks=pytest.mark.full)]
BROWSER_PATHS = (b" /oauth/authorize", b" /oauth/logout", b" /authorize")  # they answer people, with pages
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
    if media_type == "text/html" and any(path in raw[:40] for path in BROWSER_PATHS):
        return ""
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


@pytest.mark.parametrize("count", OAUTH_COUNTS)
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


def test_the_same_seed_makes_the_same_requests(target: Target) -> None:
    """So that a failure can be made again; DPoP proofs hold the time and are left out."""
    for make in (oauth_request, api_request):
        for number in range(50):
            first, second = (make(Random(f"{SEED}:{number}"), target) for _ in range(2))
            assert b"\r\nDPoP: " in first or first == second
