"""The page that walks the FAPI 2.0 Security Profile: each test that it names is there, and the ones named only here.

What has a test of its own elsewhere (PAR, DPoP, assertions, codes, the gateway) is not tested again.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.app import create_app
from api.identity.oauth import provider_routes, routes
from api.settings import Settings
from tests.identity.oauth.journeys import Journey, new_journey
from tests.identity.oauth.plane import Plane, sign

ROOT = Path(__file__).resolve().parents[3]
PAGES = [ROOT / "docs" / "explanation" / name for name in ("fapi2.md", "fapi2.en.md")]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
_CLAUSE = re.compile(r"^\| (\d[\d.]+(?: \d+)?) \|", re.MULTILINE)
# how many requirements each section has, so that none is left out
SECTIONS = {
    "5.2.1": 5,
    "5.2.2": 2,
    "5.2.3": 3,
    "5.3.2.1": 14,
    "5.3.2.2": 14,
    "5.3.2.3": 1,
    "5.3.4": 5,
    "5.4.1": 4,
    "5.4.2": 3,
    "5.4.3": 1,
}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_named_test_exists(page: Path) -> None:
    named = _NAMED.findall(page.read_text())
    assert len(named) > 40
    for file, name in named:
        source = (ROOT / file).read_text()
        assert re.search(rf"^(?:async )?def {name}\(", source, re.MULTILINE), f"{file}::{name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_every_requirement_is_answered(page: Path) -> None:
    clauses = _CLAUSE.findall(page.read_text())
    for section, count in SECTIONS.items():
        expected = [f"{section} {number}" for number in range(1, count + 1)]
        assert [one for one in clauses if one.startswith(section + " ")] == expected, section


def test_both_pages_name_the_same_tests() -> None:
    first, second = (_NAMED.findall(page.read_text()) for page in PAGES)
    assert first == second


@pytest.fixture(scope="module")
async def journey(plane: Plane) -> Journey:
    return await new_journey(plane, profile="fapi2")


async def test_no_cors_at_the_authorization_endpoint(plane: Plane) -> None:
    """Another origin's script can neither read it nor ask beforehand."""
    headers = {"Origin": "https://bank.example", "Access-Control-Request-Method": "GET"}
    for method in ("OPTIONS", "GET"):
        answer = await plane.http.request(method, "/oauth/authorize", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_redirects_are_303(plane: Plane, journey: Journey) -> None:
    pushed = (await journey.pushed()).json()["request_uri"]
    form = {"client_id": journey.client.client_id, "request_uri": pushed}
    for answer in (
        await plane.http.get("/oauth/authorize", params=form),
        await plane.http.post("/oauth/authorize", data=journey.request()),
        await plane.http.get("/oauth/logout"),
    ):
        assert answer.status_code == 303


async def test_nonces_of_64_characters(plane: Plane, journey: Journey) -> None:
    assert (await journey.pushed(scope="openid", nonce="n" * 64)).status_code == 201
    assert (await journey.pushed(scope="openid", state="s" * 1500)).status_code == 201


@pytest.mark.parametrize(("ahead", "is_taken"), [(0, True), (10, True), (50, True), (75, False)])
@pytest.mark.parametrize("claim", ["iat", "nbf"])
async def test_clocks_may_differ_a_little(
    plane: Plane, journey: Journey, claim: str, ahead: int, is_taken: bool
) -> None:
    first = await journey.send("/oauth/token", {"grant_type": "client_credentials"})
    proof = journey.proof("/oauth/token", nonce=first.headers["dpop-nonce"])
    now = int(plane.claims(journey.client)["iat"])
    answer = await ask_for_itself(plane, journey, proof, **{claim: now + ahead})
    assert (answer.status_code == 200) is is_taken, answer.text


async def ask_for_itself(plane: Plane, journey: Journey, proof: str, **claims: int) -> httpx.Response:
    """client_credentials with an assertion of these claims."""
    assert journey.client.key is not None
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": sign(journey.client.key, plane.claims(journey.client, **claims)),
    }
    return await plane.http.post("/oauth/token", data=form, headers={"DPoP": proof})


async def test_credentials_have_128_bits_at_least(plane: Plane, journey: Journey) -> None:
    """43 base64url characters are 256 bits, 22 are 132."""
    code = await journey.pushed_code(scope="openid")
    body = (await journey.redeem(code)).json()
    claims = await plane.service.claims_of(body["access_token"])
    assert claims is not None
    request_uri = (await journey.pushed()).json()["request_uri"]
    for value in (
        code.partition("_")[2],
        body["refresh_token"].partition("_")[2],
        request_uri.rpartition(":")[2],
    ):
        assert len(value) >= 43, value
    assert len(claims.jti) >= 22


async def test_key_ids_of_the_server_are_unique(plane: Plane) -> None:
    await plane.service.ring.rotate()
    keys = (await plane.http.get("/oauth/jwks")).json()["keys"]
    assert len(keys) >= 3
    assert len({key["kid"] for key in keys}) == len(keys)
    header = plane.service.ring.signer.header_segment
    assert not {b"x5u", b"jku"} & set(re.findall(rb"\w+", header))


async def test_browsers_come_by_tls_only(plane: Plane) -> None:
    settings = Settings(home=plane.settings.home, sandbox_url="https://open.example", embedded=True)
    for made, expected in ((settings, True), (plane.settings, False)):
        door = create_app(made, handlers=[routes.router, provider_routes.router])
        door.app.state.oauth = plane.service
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=door), base_url="https://open.example"
        ) as http:
            answer = await http.get("/oauth/jwks")
        assert ("strict-transport-security" in answer.headers) is expected
    assert urlsplit(settings.issuer).scheme == "https"
