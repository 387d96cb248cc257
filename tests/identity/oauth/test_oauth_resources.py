"""Resource indicators (RFC 8707): tokens for one face, for all of them, for nothing that we do not have."""

import pytest

from api.core.problems import Refusal
from api.identity.oauth import tokens
from tests.identity.oauth.journeys import COMPANY, Journey, assert_carried, assert_error, new_journey
from tests.identity.oauth.plane import SCOPES, Plane

STRANGE = [
    "https://evil.example/api",
    "/api",
    "api",
    "http://127.0.0.1:8000",
    "http://127.0.0.1:8000/api/",
    "码",
    "#",
]
FORM = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
async def journey(plane: Plane) -> Journey:
    return await new_journey(plane, *SCOPES, "platform:apps:read")


async def audience_of(plane: Plane, token: str) -> str:
    claims = await plane.service.claims_of(token)
    assert claims is not None
    return claims.aud


@pytest.mark.parametrize("face", ["api", "graphql", "mcp"])
async def test_one_face(plane: Plane, journey: Journey, face: str) -> None:
    resource = f"{plane.issuer}/{face}"
    for body in (
        (await journey.send("/oauth/token", {**FORM, "resource": resource})).json(),
        await journey.tokens(resource=resource),
    ):
        assert await audience_of(plane, body["access_token"]) == resource


async def test_a_token_for_one_face_is_refused_by_the_others(plane: Plane, journey: Journey) -> None:
    answer = await journey.send("/oauth/token", {**FORM, "resource": f"{plane.issuer}/mcp"})
    token = answer.json()["access_token"].encode()
    for face in ("api", "graphql", "platform"):
        with pytest.raises(Refusal):
            tokens.verify(token, plane.service.ring, plane.issuer, f"{plane.issuer}/{face}")
    assert tokens.verify(token, plane.service.ring, plane.issuer, f"{plane.issuer}/mcp")


async def test_nothing_named_is_for_all(plane: Plane, journey: Journey) -> None:
    assert await audience_of(plane, (await journey.tokens())["access_token"]) == f"{plane.issuer}/api"


@pytest.mark.parametrize("resource", STRANGE)
async def test_unknown_ones(plane: Plane, journey: Journey, resource: str) -> None:
    assert_error(await journey.send("/oauth/token", {**FORM, "resource": resource}), "invalid_target")
    assert_carried(await journey.ask(resource=resource), plane.issuer, "invalid_target")
    assert_error(await journey.pushed(resource=resource), "invalid_target")
    code = await journey.code()
    assert_error(await journey.redeem(code, resource=resource), "invalid_target")


async def test_the_platform(plane: Plane, journey: Journey) -> None:
    platform = f"{plane.issuer}/platform"
    form = {**FORM, "scope": "platform:apps:read", "resource": platform}
    body = (await journey.send("/oauth/token", form)).json()
    assert await audience_of(plane, body["access_token"]) == platform
    assert_error(
        await journey.send("/oauth/token", {**form, "scope": COMPANY}), "invalid_target", "belongs to"
    )
    crossed = {**form, "resource": f"{plane.issuer}/api"}
    assert_error(await journey.send("/oauth/token", crossed), "invalid_target", "belongs to")
    assert_carried(await journey.ask(resource=platform), plane.issuer, "invalid_target")


async def test_narrowed_at_the_token_endpoint(plane: Plane, journey: Journey) -> None:
    answer = await journey.redeem(await journey.code(), resource=f"{plane.issuer}/graphql")
    assert await audience_of(plane, answer.json()["access_token"]) == f"{plane.issuer}/graphql"
    more = await journey.refresh(answer.json()["refresh_token"], resource=f"{plane.issuer}/mcp")
    assert await audience_of(plane, more.json()["access_token"]) == f"{plane.issuer}/mcp"
    whole = await journey.refresh(more.json()["refresh_token"])
    assert await audience_of(plane, whole.json()["access_token"]) == f"{plane.issuer}/api"


async def test_never_widened(plane: Plane, journey: Journey) -> None:
    code = await journey.code(resource=f"{plane.issuer}/graphql")
    for other in ("api", "mcp"):
        assert_error(
            await journey.redeem(code, resource=f"{plane.issuer}/{other}"), "invalid_target", "was given for"
        )
    answer = await journey.redeem(code)
    assert await audience_of(plane, answer.json()["access_token"]) == f"{plane.issuer}/graphql"
