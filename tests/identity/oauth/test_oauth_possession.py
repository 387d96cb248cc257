"""Bound tokens at the platform API: good with their key or certificate, refused without."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from api.app import create_app
from api.core.store import Stores
from api.identity.access import IdentityPlugin
from api.identity.installation import Installation, configure
from api.identity.oauth.routes import router as oauth_router
from api.identity.routes import router
from api.settings import Settings
from tests.identity.oauth.journeys import Journey, hash_of, make_proof, new_journey
from tests.identity.oauth.plane import Plane, new_key
from tests.identity.oauth.test_oauth_mtls import HEADER, header_of, make_certificate, x5t

PATH = "/platform/v1/apps"
FORM = {"grant_type": "client_credentials", "scope": "platform:apps:read"}


@pytest.fixture(scope="module")
def settings(migrated: Stores) -> Settings:
    made = Settings(home=str(migrated.home), database_url=migrated.url, embedded=True)
    return replace(made, client_certificate_header=HEADER, trusted_proxies="127.0.0.0/8")


@pytest.fixture(scope="module")
async def platform(plane: Plane, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    made = Installation(settings=settings, platform_caller=plane.service.platform_caller)
    door = create_app(settings, handlers=[router, oauth_router], plugins=[IdentityPlugin(made)])
    transport = httpx.ASGITransport(app=door)
    async with httpx.AsyncClient(transport=transport, base_url=plane.issuer) as http:
        yield http
    configure(Installation())


@pytest.fixture(scope="module")
async def bound(plane: Plane) -> Journey:
    return await new_journey(plane, "platform:apps:read", dpop=True)


async def token_of(journey: Journey) -> str:
    answer = await journey.send("/oauth/token", FORM)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


def proof_for(journey: Journey, token: str, **changes: Any) -> str:
    claims = {"htm": "GET", "ath": hash_of(token), **changes}
    key = claims.pop("key", journey.proof_key)
    return make_proof(key, claims.pop("htu", journey.plane.issuer + PATH), **claims)


def refused(answer: httpx.Response, slug: str) -> None:
    assert answer.status_code == 401, answer.text
    assert answer.json()["type"].endswith(f"/problems/{slug}/"), answer.json()


async def test_with_its_key(platform: httpx.AsyncClient, bound: Journey) -> None:
    token = await token_of(bound)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof_for(bound, token)}
    answer = await platform.get(PATH, params={"limit": 5}, headers=headers)
    assert answer.status_code == 200, answer.text
    refused(await platform.get(PATH, headers=headers), "proof-replayed")


async def test_dpop_bearer_downgrade(platform: httpx.AsyncClient, bound: Journey) -> None:
    token = await token_of(bound)
    for headers in ({}, {"DPoP": proof_for(bound, token)}):
        answer = await platform.get(PATH, headers={"Authorization": f"Bearer {token}", **headers})
        refused(answer, "proof-missing")
        assert answer.headers["www-authenticate"].startswith("DPoP ")
    refused(await platform.get(PATH, headers={"Authorization": f"DPoP {token}"}), "proof-missing")


@pytest.mark.parametrize(
    "changes",
    [{"key": new_key()}, {"ath": hash_of("x")}, {"ath": None}, {"htm": "POST"}, {"htu": "http://127.0.0.1:8000/x"}, {"iat": 1}],
    ids=["other key", "ath mismatch", "no ath", "htm", "htu", "iat"],
)  # fmt: skip
async def test_proofs_that_do_not_fit(
    platform: httpx.AsyncClient, bound: Journey, changes: dict[str, Any]
) -> None:
    token = await token_of(bound)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof_for(bound, token, **changes)}
    refused(await platform.get(PATH, headers=headers), "proof-invalid")


async def test_a_certificate(plane: Plane, platform: httpx.AsyncClient) -> None:
    certificate = make_certificate()
    bank = await new_journey(
        plane, "platform:apps:read", auth_method="tls_client_auth", token_binding="mtls",
        certificate_thumbprint=x5t(certificate),
    )  # fmt: skip
    bank.certificate = header_of(certificate)
    headers = {"Authorization": f"Bearer {await token_of(bank)}"}
    assert (await platform.get(PATH, headers=headers | header_of(certificate))).status_code == 200
    for other in ({}, header_of(make_certificate()), {HEADER: "x"}):
        refused(await platform.get(PATH, headers=headers | other), "certificate-mismatch")


async def test_an_unbound_token_needs_nothing(plane: Plane, platform: httpx.AsyncClient) -> None:
    journey = await new_journey(plane, "platform:apps:read")
    token = await token_of(journey)
    assert (await platform.get(PATH, headers={"Authorization": f"Bearer {token}"})).status_code == 200
