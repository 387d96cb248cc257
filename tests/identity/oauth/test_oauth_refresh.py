"""Refresh tokens: rotated and watched for reuse with profile baseline, stable and bound to the client with fapi2."""

import asyncio
from datetime import timedelta

import pytest

from api.core import clock
from api.identity.oauth.families import GRACE_SECONDS
from api.identity.oauth.models import RefreshToken
from tests.identity.oauth.journeys import COMPANY, Journey, answer_of, assert_error, new_grant, new_journey
from tests.identity.oauth.plane import SCOPES, Plane, new_key
from tests.identity.oauth.test_oauth_code import is_live


@pytest.fixture(scope="module", params=["confidential", "public", "dpop"])
async def journey(plane: Plane, request: pytest.FixtureRequest) -> Journey:
    return await new_journey(plane, public=request.param == "public", dpop=request.param == "dpop")


async def is_good(journey: Journey, access_token: str) -> bool:
    """Whether an access token is neither expired nor revoked, as the gateway sees it."""
    claims = await journey.plane.service.claims_of(access_token)
    return claims is not None and claims.jti not in journey.plane.service.revoked


async def age(seconds: float) -> None:
    """Let time pass since every use of a refresh token."""
    for row in await RefreshToken.exclude(used_at=None):
        row.used_at -= timedelta(seconds=seconds)
        await row.save()


async def test_refresh_rotates(journey: Journey) -> None:
    first = await journey.tokens()
    seen = {first["refresh_token"]}
    token = first["refresh_token"]
    for _ in range(3):
        answer = await journey.refresh(token)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert body["scope"] == COMPANY
        token = body["refresh_token"]
        assert token not in seen
        seen.add(token)
        assert await is_good(journey, body["access_token"])
    stored = str([dict(row) for row in await RefreshToken.all()])
    assert not any(one in stored for one in seen)


async def test_refresh_reuse_kills_family_and_access_token(journey: Journey) -> None:
    first = await journey.tokens()
    second = (await journey.refresh(first["refresh_token"])).json()
    await age(GRACE_SECONDS + 1)
    assert_error(await journey.refresh(first["refresh_token"]), "invalid_grant", "stolen")
    assert_error(await journey.refresh(second["refresh_token"]), "invalid_grant", "revoked")
    for body in (first, second):
        assert not await is_good(journey, body["access_token"])


async def test_refresh_grace(journey: Journey) -> None:
    first = await journey.tokens()
    second = (await journey.refresh(first["refresh_token"])).json()
    await age(GRACE_SECONDS - 5)
    for _ in range(3):
        assert_error(await journey.refresh(first["refresh_token"]), "invalid_grant", "a moment ago")
    assert await is_good(journey, second["access_token"])
    assert (await journey.refresh(second["refresh_token"])).status_code == 200


async def test_refresh_concurrent_8_one_200(journey: Journey) -> None:
    for _ in range(4):
        body = await journey.tokens()
        answers = await asyncio.gather(*(journey.refresh(body["refresh_token"]) for _ in range(8)))
        given = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(given) == 1
        for answer in answers:
            if answer.status_code != 200:
                assert_error(answer, "invalid_grant", "a moment ago")
        assert await is_good(journey, given[0]["access_token"]), "racers of one app are no thieves"
        assert (await journey.refresh(given[0]["refresh_token"])).status_code == 200


async def test_refresh_scope_widening(journey: Journey) -> None:
    body = await journey.tokens(scope=f"{SCOPES[0]} {SCOPES[1]}")
    assert_error(await journey.refresh(body["refresh_token"], scope=SCOPES[2]), "invalid_scope", SCOPES[2])
    narrowed = await journey.refresh(body["refresh_token"], scope=SCOPES[1])
    assert narrowed.json()["scope"] == SCOPES[1]
    whole = await journey.refresh(narrowed.json()["refresh_token"])
    assert whole.json()["scope"] == f"{SCOPES[0]} {SCOPES[1]}", "what was agreed to stays"


async def test_refresh_of_another_app(plane: Plane, journey: Journey) -> None:
    other = await new_journey(plane)
    body = await journey.tokens()
    assert_error(await other.refresh(body["refresh_token"]), "invalid_grant", "no authorization of the app")
    assert (await journey.refresh(body["refresh_token"])).status_code == 200


@pytest.mark.parametrize("token", ["ktr_x", "klr_x", "码", "a" * 256, "eyJ.e30.x"])
async def test_refresh_unknown(journey: Journey, token: str) -> None:
    assert_error(await journey.refresh(token), "invalid_grant", "unknown")


async def test_refresh_missing(journey: Journey) -> None:
    assert_error(await journey.refresh(""), "invalid_request", "refresh_token")


async def test_access_token_is_no_refresh_token(journey: Journey) -> None:
    body = await journey.tokens()
    answer = await journey.refresh(body["access_token"])
    assert answer.status_code == 400


async def test_refresh_expired(journey: Journey) -> None:
    body = await journey.tokens()
    await RefreshToken.filter(used_at=None).update(expires_at=clock.now())
    assert_error(await journey.refresh(body["refresh_token"]), "invalid_grant", "expired")


async def test_withdrawn_consent_ends_refreshing(plane: Plane) -> None:
    journey = await new_journey(plane)
    grant = await new_grant(plane, journey.client)
    body = (await journey.redeem(answer_of(await journey.agreed(await journey.ask(), grant))["code"])).json()
    assert await is_live(journey, body["access_token"])
    grant.withdrawn_at = clock.now()
    await grant.save()
    assert_error(await journey.refresh(body["refresh_token"]), "invalid_grant", "withdrawn")
    assert not await is_live(journey, body["access_token"])
    assert not await is_live(journey, body["refresh_token"])


async def test_revoking_a_refresh_token_ends_everything(plane: Plane) -> None:
    journey = await new_journey(plane)
    body = await journey.tokens()
    more = (await journey.refresh(body["refresh_token"])).json()
    other = await new_journey(plane)
    assert_error(await other.send("/oauth/revoke", {"token": more["refresh_token"]}), "invalid_grant")
    assert await is_good(journey, more["access_token"]), "another app revokes nothing"
    answer = await journey.send("/oauth/revoke", {"token": more["refresh_token"]})
    assert answer.status_code == 200
    for token in (body["access_token"], more["access_token"]):
        assert not await is_good(journey, token)
        assert not await is_live(journey, token)
    assert_error(await journey.refresh(more["refresh_token"]), "invalid_grant", "revoked")


async def test_revoking_an_access_token_ends_it_alone(plane: Plane) -> None:
    journey = await new_journey(plane)
    body = await journey.tokens()
    await journey.send("/oauth/revoke", {"token": body["access_token"], "token_type_hint": "refresh_token"})
    assert not await is_live(journey, body["access_token"])
    assert (await journey.refresh(body["refresh_token"])).status_code == 200


async def test_revocation_races_refresh(plane: Plane) -> None:
    """Whatever comes first, no token outlives the revocation of its family."""
    journey = await new_journey(plane)
    for _ in range(4):
        body = await journey.tokens()
        token = body["refresh_token"]
        answers = await asyncio.gather(
            *(journey.refresh(token) for _ in range(4)),
            *(journey.send("/oauth/revoke", {"token": token}) for _ in range(2)),
        )
        for answer in answers[:4]:
            if answer.status_code == 200:  # the revocation named a token that was spent, or came after
                more = answer.json()
                family_is_over = (await journey.refresh(more["refresh_token"])).status_code != 200
                assert family_is_over is not await is_good(journey, more["access_token"])


async def test_fapi_refresh_no_rotation(plane: Plane) -> None:
    journey = await new_journey(plane, profile="fapi2")
    body = (await journey.redeem(await journey.pushed_code())).json()
    for _ in range(3):
        answer = await journey.refresh(body["refresh_token"])
        assert answer.status_code == 200, answer.text
        assert "refresh_token" not in answer.json()
        assert answer.json()["token_type"] == "DPoP"
    answers = await asyncio.gather(*(journey.refresh(body["refresh_token"]) for _ in range(8)))
    assert [answer.status_code for answer in answers] == [200] * 8


async def test_refresh_is_bound_to_its_key(plane: Plane) -> None:
    for profile in ("baseline", "fapi2"):
        journey = await new_journey(plane, profile=profile, dpop=True)
        code = await journey.pushed_code()
        body = (await journey.redeem(code)).json()
        thief = await new_journey(plane, profile=profile, dpop=True)
        thief.client = journey.client
        assert_error(await thief.refresh(body["refresh_token"]), "invalid_grant", "another DPoP key")
        thief.proof_key = None
        assert_error(await thief.refresh(body["refresh_token"]), "invalid_dpop_proof")
        assert (await journey.refresh(body["refresh_token"])).status_code == 200


async def test_change_of_profile_is_no_way_around(plane: Plane) -> None:
    """A token that was spent stays spent when the app turns to fapi2, whose tokens are not spent."""
    journey = await new_journey(plane, keys=[new_key()], dpop=True)
    body = await journey.tokens()
    more = (await journey.refresh(body["refresh_token"])).json()
    await age(GRACE_SECONDS + 1)
    await plane.change_app(journey.client, profile="fapi2")
    assert (await journey.refresh(more["refresh_token"])).status_code == 200
    assert_error(await journey.refresh(body["refresh_token"]), "invalid_grant", "stolen")
    assert_error(await journey.refresh(more["refresh_token"]), "invalid_grant", "revoked")


async def test_a_binding_that_is_demanded_later_binds(plane: Plane) -> None:
    journey = await new_journey(plane)
    body = await journey.tokens()
    await plane.change_app(journey.client, token_binding="dpop")
    assert_error(await journey.refresh(body["refresh_token"]), "invalid_dpop_proof")
    journey.proof_key = new_key()
    more = (await journey.refresh(body["refresh_token"])).json()
    journey.proof_key = new_key()
    assert_error(await journey.refresh(more["refresh_token"]), "invalid_grant", "another DPoP key")
