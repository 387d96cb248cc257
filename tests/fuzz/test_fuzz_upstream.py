"""A service whose upstream fails in every way, seeded: its failures have a name and stay its own."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fuzz.targets import Target
from tests.fuzz.test_fuzz_http import new_token, still_works
from tests.fuzz.upstream import CONTRACT, FIRST_CALLS, GOOD, failing_upstream
from tests.server import Installation, RunningServer

pytestmark = pytest.mark.postgresql_full
SEED = 20260727
CONNECTIONS = 8
UPSTREAM_PROBLEMS = {
    "upstream-unreachable": 502, "upstream-invalid": 502, "response-invalid": 502, "upstream-timeout": 504,
    "circuit-open": 503, "upstream-busy": 503,
}  # fmt: skip
HELD_BACK = ("circuit-open", "quota-exceeded")  # the upstream is not asked


@pytest.mark.parametrize(
    "count", [pytest.param(150, id="150"), pytest.param(3_000, id="3000", marks=pytest.mark.full)]
)
async def test_a_failing_upstream_fails_alone_and_by_name(
    installation: Installation, server: RunningServer, target: Target, tmp_path: Path, count: int
) -> None:
    """Every 5xx is one of the kinds for upstreams; a service beside it answers as if nothing were."""
    async with (
        failing_upstream(f"{SEED}:{count}") as upstream,
        httpx.AsyncClient(base_url=server.url, timeout=60) as http,
    ):
        apps = 1 + count // 500  # within the quota of each
        bearers = await subscribe_to_upstream(installation, tmp_path, upstream.port, http, apps)
        neighbour = {"Authorization": "Bearer " + await new_token(http, target)}
        seen: Counter[str] = Counter()

        async def ask(number: int) -> str:
            answer = await http.get(f"/api/flaky/v1/things/t-{number}", headers=bearers[number % apps])
            kind = kind_of(answer)
            seen[kind] += 1
            if number % 20 == 0:
                answer = await http.get(f"/api/company/v1/companies/{target.codes[0]}", headers=neighbour)
                assert answer.status_code in {200, 429}, answer.text
            return kind

        async def work(numbers: Iterator[int]) -> None:
            patience = count // 20
            for number in numbers:
                if await ask(number) in HELD_BACK and patience > 0:
                    patience -= 1
                    await asyncio.sleep(1)  # as it is told: else nearly all calls would meet the open breaker

        numbers = iter(range(count))
        for number in islice(numbers, len(FIRST_CALLS)):
            await ask(number)
        await asyncio.gather(*(work(numbers) for _ in range(CONNECTIONS)))
        reached = seen.total() - sum(seen[kind] for kind in HELD_BACK)
        upstream.is_down = True
        for number in range(20):
            await ask(number)
    assert reached > count / 2, seen
    assert {"good", "upstream-invalid", "response-invalid", "circuit-open"} <= seen.keys(), seen
    assert "platform.failure" not in server.log
    await still_works(server, target)


async def subscribe_to_upstream(
    installation: Installation, folder: Path, port: int, http: httpx.AsyncClient, apps: int
) -> list[dict[str, str]]:
    """Publish the flaky service with this upstream, subscribe apps; the headers of their tokens."""
    contract = folder / "flaky.yaml"
    contract.write_text(CONTRACT)

    def make() -> list[dict[str, Any]]:
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
        create = ("app", "create", "--name", "flaky", "--subscribe", "flaky@v1")
        return [installation.json(*create) for _ in range(apps)]

    form = {"grant_type": "client_credentials"}
    bearers = []
    for app in await asyncio.to_thread(make):
        answer = await http.post("/oauth/token", data=form, auth=(app["client_id"], app["client_secret"]))
        bearers.append({"Authorization": "Bearer " + answer.json()["access_token"]})
    return bearers


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
