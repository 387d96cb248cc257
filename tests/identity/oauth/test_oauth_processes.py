"""Two server processes on one database: what one learns, the other knows; what may happen once, happens once."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import Key

from api.core.store import Stores
from tests import databases
from tests.identity.oauth.plane import ASSERTION_TYPE, new_key, sign
from tests.server import Installation, RunningServer
from tests.visitor import Visitor, administrator

PROPAGATION_SECONDS = 10.0  # a bound for a loaded machine; the promise is one second


@dataclass
class Pair:
    """Two sandbox processes, a live one beside them, and a company code to ask for."""

    installation: Installation
    servers: tuple[RunningServer, RunningServer]
    live: RunningServer
    code: str
    people: Visitor

    @property
    def first(self) -> str:
        return self.servers[0].url

    @property
    def second(self) -> str:
        return self.servers[1].url

    def new_app(self) -> dict[str, Any]:
        form = {"name": "pair", "environment": "sandbox", "subscribe": ["company@v1"]}
        return self.people.api("POST", "/platform/v1/apps", **form)


@pytest.fixture(scope="module")
def pair(migrated: Stores) -> Iterator[Pair]:
    # requests name an address of their own, so that limits by address do not end the test early
    extra = {"KAIMEN_DATABASE_URL": migrated.url, "KAIMEN_TRUSTED_PROXIES": "127.0.0.0/8"}
    installation = Installation(Path(migrated.home), extra=extra)
    installation.seed()
    code = installation.company_in_business()
    with (
        installation.serving() as first,
        installation.serving(port=databases.free_port()) as second,
        installation.serving("live") as live,
        administrator(installation, first.url) as people,
    ):
        yield Pair(installation, (first, second), live, code, people)


async def ask(http: httpx.AsyncClient, origin: str, app: dict[str, Any], **parameters: str) -> httpx.Response:
    form = {"grant_type": "client_credentials", **parameters}
    return await http.post(
        origin + "/oauth/token",
        data=form,
        auth=(app["client_id"], app["client_secret"]),
        headers=_some_address(),
    )


def _some_address() -> dict[str, str]:
    number = time.monotonic_ns() % 2**24
    return {"X-Forwarded-For": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"}


async def call(http: httpx.AsyncClient, origin: str, token: str, code: str) -> httpx.Response:
    return await http.get(
        f"{origin}/api/company/v1/companies/{code}",
        headers={"Authorization": f"Bearer {token}", **_some_address()},
    )


def app_with_key(pair: Pair) -> tuple[str, Key]:
    key = new_key()
    app = pair.people.api("POST", "/platform/v1/apps", name="signer", environment="sandbox")
    keys = {"keys": [key.as_dict(private=False)]}
    pair.people.api("PUT", f"/platform/v1/apps/{app['app_id']}/keys", **keys)
    return app["client_id"], key


async def test_a_token_of_one_process_is_good_at_the_other(pair: Pair) -> None:
    app = pair.new_app()
    async with httpx.AsyncClient() as http:
        token = (await ask(http, pair.first, app)).json()["access_token"]
        answer = await call(http, pair.second, token, pair.code)
        assert answer.status_code == 200, answer.text


async def test_both_publish_the_same_keys(pair: Pair) -> None:
    async with httpx.AsyncClient() as http:
        first, second = [
            (await http.get(origin + "/oauth/jwks")).json() for origin in (pair.first, pair.second)
        ]
        live = (await http.get(pair.live.url + "/oauth/jwks")).json()
    assert first == second
    assert {key["kid"] for key in first["keys"]}.isdisjoint(key["kid"] for key in live["keys"])


async def test_jti_concurrent_over_two_processes(pair: Pair) -> None:
    client_id, key = app_with_key(pair)
    async with httpx.AsyncClient() as http:
        for number in range(5):
            now = int(time.time())
            claims = {
                "iss": client_id, "sub": client_id, "aud": pair.first, "iat": now, "exp": now + 60, "jti": f"one-{number}",
            }  # fmt: skip
            form = {
                "grant_type": "client_credentials",
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": sign(key, claims),
            }
            answers = await asyncio.gather(
                *(
                    http.post(origin + "/oauth/token", data=form, headers=_some_address())
                    for origin in (pair.first, pair.second) * 4
                )
            )
            assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7, [
                a.text for a in answers
            ]


async def test_revoked_at_one_process_is_refused_at_the_other_though_it_was_cached(pair: Pair) -> None:
    """revoked_token_refused_when_cached"""
    app = pair.new_app()
    async with httpx.AsyncClient() as http:
        token = (await ask(http, pair.first, app)).json()["access_token"]
        for origin in (pair.first, pair.second):
            assert (await call(http, origin, token, pair.code)).status_code == 200
        credentials = (app["client_id"], app["client_secret"])
        done = await http.post(pair.first + "/oauth/revoke", data={"token": token}, auth=credentials)
        assert done.status_code == 200
        assert (await call(http, pair.first, token, pair.code)).status_code == 401
        answer = await until_refused(http, pair.second, token, pair.code)
        assert answer.json()["type"].endswith("/problems/token-revoked/")


async def until_refused(http: httpx.AsyncClient, origin: str, token: str, code: str) -> httpx.Response:
    deadline = time.monotonic() + PROPAGATION_SECONDS
    answer = await call(http, origin, token, code)
    while answer.status_code == 200:
        assert time.monotonic() < deadline, "it is still good at the other process"
        await asyncio.sleep(0.05)
        answer = await call(http, origin, token, code)
    assert answer.status_code == 401, answer.text
    return answer


async def test_a_revoked_secret_is_refused_at_both_at_once(pair: Pair) -> None:
    app = pair.new_app()
    async with httpx.AsyncClient() as http:
        for origin in (pair.first, pair.second):
            assert (await ask(http, origin, app)).status_code == 200
        secrets = f"/platform/v1/apps/{app['app_id']}/secrets"
        secret_id = pair.people.api("GET", secrets)["items"][0]["secret_id"]
        pair.people.api("DELETE", f"{secrets}/{secret_id}")
        for origin in (pair.first, pair.second):
            answer = await ask(http, origin, app)
            assert answer.status_code == 401
            assert "revoked" in answer.json()["error_description"]


async def test_rotation_under_load_fails_no_request_at_either_process(pair: Pair) -> None:
    app = pair.new_app()
    headers: set[str] = set()

    async def work(http: httpx.AsyncClient, issuer: str, verifier: str) -> None:
        for _ in range(40):
            answer = await ask(http, issuer, app)
            assert answer.status_code == 200, answer.text
            token = answer.json()["access_token"]
            headers.add(token.partition(".")[0])
            answer = await call(http, verifier, token, pair.code)
            assert answer.status_code in {200, 429}, (
                answer.text
            )  # the plan's quota may run out, tokens must not fail

    async with httpx.AsyncClient() as http:
        pairs = [(pair.first, pair.second), (pair.second, pair.first)] * 3
        await asyncio.gather(
            asyncio.to_thread(lambda: [pair.installation.json("keys", "rotate") for _ in range(2)]),
            *(work(http, issuer, verifier) for issuer, verifier in pairs),
        )
        await asyncio.sleep(0)
        jwks = [
            (await http.get(origin + "/oauth/jwks")).json()["keys"] for origin in (pair.first, pair.second)
        ]
    assert len(headers) >= 1
    assert all(len(keys) >= 3 for keys in jwks) or len(headers) == 1


async def test_a_credential_of_the_other_plane_is_refused_by_name(pair: Pair) -> None:
    app = pair.new_app()
    async with httpx.AsyncClient() as http:
        answer = await ask(http, pair.live.url, app)
        assert answer.status_code == 401
        assert f"{pair.first}/oauth/token" in answer.json()["error_description"]
        assert "live environment" in answer.json()["error_description"]
