"""Codes, refresh tokens, pushed requests and proofs raced at two server processes on one database."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.core import clock
from api.core.crypto import Vault
from api.core.store import Stores, open_stores
from api.identity.oauth import deciding
from api.identity.oauth.models import IssuedToken, RefreshToken, TokenFamily
from api.settings import Settings
from tests import databases
from tests.identity.oauth.journeys import Journey, assert_error, new_journey
from tests.identity.oauth.plane import Plane, TableRights
from tests.server import Installation

ROUNDS = 4


@dataclass
class Decider:
    """What the consent page does, in this process: a third one on the same database."""

    issuer: str

    async def complete(self, request_id: str, subject: Any, grant: Any, *, browser: str) -> str:
        pending = await deciding.open_request("sandbox", request_id, browser)
        return await deciding.complete(
            "sandbox", self.issuer, pending, browser, subject, grant,
            auth_time=0, acr="", until=clock.now() + timedelta(days=1),
        )  # fmt: skip


@pytest.fixture(scope="module")
async def planes(migrated: Stores) -> AsyncIterator[tuple[Plane, Plane]]:
    """The same plane, by its one process and by its other."""
    # requests name an address of their own, so that limits by address do not end the test early
    extra = {"KAIMEN_DATABASE_URL": migrated.url, "KAIMEN_TRUSTED_PROXIES": "127.0.0.0/8"}
    installation = Installation(Path(migrated.home), extra=extra)
    with installation.serving() as first, installation.serving(port=databases.free_port()) as second:
        async with open_stores(migrated, "sandbox"):
            numbers = itertools.count(1)

            async def with_address(request: httpx.Request) -> None:
                request.headers["X-Forwarded-For"] = f"10.9.0.{next(numbers) % 250 + 1}"

            made = []
            for server in (first, second):
                http = httpx.AsyncClient(
                    base_url=server.url, event_hooks={"request": [with_address]}, timeout=60
                )
                settings = Settings(home=str(migrated.home), database_url=migrated.url)
                made.append(
                    Plane(
                        service=Decider(installation.sandbox_url),  # type: ignore[arg-type]  # the part that is used
                        http=http, rights=TableRights(), settings=settings, vault=Vault(b"x" * 32),
                    )
                )  # fmt: skip
            yield made[0], made[1]
            for plane in made:
                await plane.http.aclose()


async def everywhere(planes: tuple[Plane, Plane], **options: Any) -> list[Journey]:
    """One app's journey, at the first process and at the second."""
    journey = await new_journey(planes[0], **options)
    journey.also = {"scope": "openid"}
    return [journey, replace(journey, plane=planes[1])]


async def test_code_concurrent_8_one_200_over_two_processes(planes: tuple[Plane, Plane]) -> None:
    journeys = await everywhere(planes)
    for _ in range(ROUNDS):
        code = await journeys[0].code()
        answers = await asyncio.gather(*(one.redeem(code) for one in journeys * 4))
        given = [answer for answer in answers if answer.status_code == 200]
        assert len(given) <= 1
        for answer in answers:
            if answer.status_code != 200:
                assert_error(answer, "invalid_grant")
        family = await TokenFamily.all().order_by("-created_at").first()
        assert family is not None
        assert family.revoked_at is not None, "seven of the eight were replays"
        assert await IssuedToken.filter(family_id=family.id).count() == len(given)
        assert await RefreshToken.filter(family_id=family.id).count() == len(given)


async def test_refresh_concurrent_8_one_200_over_two_processes(planes: tuple[Plane, Plane]) -> None:
    for options in ({}, {"public": True}, {"dpop": True}):
        journeys = await everywhere(planes, **options)
        for _ in range(ROUNDS):
            body = await journeys[0].tokens()
            answers = await asyncio.gather(*(one.refresh(body["refresh_token"]) for one in journeys * 4))
            assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
            good = next(answer.json() for answer in answers if answer.status_code == 200)
            assert (await journeys[1].refresh(good["refresh_token"])).status_code == 200


async def test_fapi_refresh_8_times_200_over_two_processes(planes: tuple[Plane, Plane]) -> None:
    journeys = await everywhere(planes, profile="fapi2")
    body = (await journeys[0].redeem(await journeys[1].pushed_code())).json()
    answers = await asyncio.gather(*(one.refresh(body["refresh_token"]) for one in journeys * 4))
    assert [answer.status_code for answer in answers] == [200] * 8


async def test_par_single_use_over_two_processes(planes: tuple[Plane, Plane]) -> None:
    journeys = await everywhere(planes, profile="fapi2")
    for _ in range(ROUNDS):
        pushed = (await journeys[0].pushed()).json()["request_uri"]
        form = {"client_id": journeys[0].client.client_id, "request_uri": pushed}
        answers = await asyncio.gather(
            *(one.plane.http.get("/oauth/authorize", params=form) for one in journeys * 4)
        )
        assert sorted(answer.status_code for answer in answers) == [303] + [400] * 7


async def test_dpop_proof_replay_over_two_processes(planes: tuple[Plane, Plane]) -> None:
    journeys = await everywhere(planes, dpop=True)
    form = {"grant_type": "client_credentials"}
    for _ in range(ROUNDS):
        headers = {"DPoP": journeys[0].proof("/oauth/token")}
        answers = await asyncio.gather(
            *(one.send("/oauth/token", form, headers=headers) for one in journeys * 4)
        )
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


async def test_a_nonce_of_one_process_is_good_at_the_other(planes: tuple[Plane, Plane]) -> None:
    first, second = await everywhere(planes, profile="fapi2")
    asked = await first._send("/oauth/par", first.request())
    assert_error(asked, "use_dpop_nonce")
    answer = await second._send("/oauth/par", second.request(), nonce=asked.headers["dpop-nonce"])
    assert answer.status_code == 201, answer.text


async def test_a_family_revoked_at_one_process_is_over_at_the_other(planes: tuple[Plane, Plane]) -> None:
    first, second = await everywhere(planes)
    body = await first.tokens()
    assert (await first.send("/oauth/revoke", {"token": body["refresh_token"]})).status_code == 200
    assert_error(await second.refresh(body["refresh_token"]), "invalid_grant", "revoked")
    said = await second.send("/oauth/introspect", {"token": body["access_token"]})
    assert said.json() == {"active": False}
