"""Redeeming a code: once, within a minute, by its app, with its verifier; and everything that is not that."""

import asyncio
import time

import pytest

from api.core import clock
from api.identity.oauth import families
from api.identity.oauth.models import AuthorizationCode, IssuedToken, RefreshToken, TokenFamily
from tests.identity.oauth.journeys import (
    CALLBACK,
    COMPANY,
    Journey,
    Person,
    answer_of,
    assert_error,
    new_grant,
    new_journey,
)
from tests.identity.oauth.plane import SCOPES, Plane


@pytest.fixture(scope="module")
async def journey(plane: Plane) -> Journey:
    return await new_journey(plane)


async def is_live(journey: Journey, token: str) -> bool:
    """Whether a token is good, as its app is told."""
    answer = await journey.send("/oauth/introspect", {"token": token})
    assert answer.status_code == 200, answer.text
    return bool(answer.json()["active"])


async def test_the_whole_way(plane: Plane, journey: Journey) -> None:
    body = await journey.tokens(scope=f"openid {COMPANY}")
    assert body["token_type"] == "Bearer"
    assert body["scope"] == f"{COMPANY} openid"
    claims = await plane.service.claims_of(body["access_token"])
    assert claims is not None
    assert (claims.sub, claims.client_id, claims.acr) == (
        Person().id,
        journey.client.client_id,
        "substantial",
    )
    assert abs(claims.auth_time - time.time()) < 60
    assert claims.grant == ""
    assert await is_live(journey, body["access_token"])
    assert await is_live(journey, body["refresh_token"])


async def test_consent_goes_into_the_token(plane: Plane, journey: Journey) -> None:
    grant = await new_grant(plane, journey.client, mandate_id="m_1")
    location = await journey.agreed(await journey.ask(), grant, auth_time=7, acr="high")
    body = (await journey.redeem(answer_of(location)["code"])).json()
    claims = await plane.service.claims_of(body["access_token"])
    assert claims is not None
    assert (claims.grant, claims.consent, claims.mandate) == (grant.id, grant.text_hash, "m_1")
    assert (claims.auth_time, claims.acr) == (7, "high")
    assert list(claims.authorization_details) == grant.details == body["authorization_details"]
    said = (await journey.send("/oauth/introspect", {"token": body["access_token"]})).json()
    assert (said["grant"], said["consent"], said["sub"]) == (grant.id, grant.text_hash, Person().id)


async def test_details_may_be_narrowed_never_widened(plane: Plane, journey: Journey) -> None:
    grant = await new_grant(plane, journey.client)

    async def ask(fields: str) -> list[dict[str, object]] | str:
        code = answer_of(await journey.agreed(await journey.ask(), grant))["code"]
        wanted = f'[{{"type":"kaimen-service","service":"company@v1","purpose":"p","fields":[{fields}]}}]'
        answer = await journey.redeem(code, authorization_details=wanted)
        return answer.json()["authorization_details"] if answer.status_code == 200 else answer.json()["error"]

    narrowed = await ask('"a"')
    assert isinstance(narrowed, list)
    assert (narrowed[0]["fields"], narrowed[0]["refused"]) == (["a.b", "a.c"], ["e", "d"])
    assert await ask('"e"') == "invalid_authorization_details"
    assert await ask('"a","x"') == "invalid_authorization_details"


async def test_code_replay_revokes_family(plane: Plane, journey: Journey) -> None:
    code = await journey.code()
    body = (await journey.redeem(code)).json()
    assert_error(await journey.redeem(code), "invalid_grant", "used before")
    assert not await is_live(journey, body["access_token"])
    assert not await is_live(journey, body["refresh_token"])
    assert_error(await journey.refresh(body["refresh_token"]), "invalid_grant", "revoked")
    claims = await plane.service.claims_of(body["access_token"])
    assert claims is not None
    assert claims.jti in plane.service.revoked  # what the gateway asks


async def test_code_concurrent_8_one_200(plane: Plane, journey: Journey) -> None:
    for _ in range(4):
        code = await journey.code()
        answers = await asyncio.gather(*(journey.redeem(code) for _ in range(8)))
        given = [answer.json() for answer in answers if answer.status_code == 200]
        assert len(given) <= 1
        for answer in answers:
            if answer.status_code != 200:
                assert_error(answer, "invalid_grant")
        for body in given:  # the others were replays, so its tokens are over
            assert not await is_live(journey, body["access_token"])
            assert not await is_live(journey, body["refresh_token"])
        # of tokens that were refused nothing is left behind
        family = (await AuthorizationCode.all().order_by("-expires_at").first()).family_id
        assert await IssuedToken.filter(family_id=family).count() == len(given)
        assert await RefreshToken.filter(family_id=family).count() == len(given)


async def test_code_other_client(plane: Plane, journey: Journey) -> None:
    other = await new_journey(plane)
    code = await journey.code()
    assert_error(await other.redeem(code, code_verifier=journey.verifier), "invalid_grant", "another app")
    answer = await journey.redeem(code)
    assert answer.status_code == 200, "a stranger's attempt must not burn the code"
    assert_error(await other.redeem(code, code_verifier=journey.verifier), "invalid_grant")
    assert await is_live(journey, answer.json()["access_token"])


async def test_code_expired(plane: Plane, journey: Journey) -> None:
    code = await journey.code()
    lives = (await AuthorizationCode.filter(used_at=None).order_by("-expires_at").first()).expires_at
    assert 50 < (lives - clock.now()).total_seconds() <= 60
    await AuthorizationCode.filter(used_at=None).update(expires_at=clock.now())
    assert_error(await journey.redeem(code), "invalid_grant", "one minute")


@pytest.mark.parametrize("code", ["kc_x", "码", "' or 1=1 --", "a" * 256])
async def test_code_unknown(journey: Journey, code: str) -> None:
    assert_error(await journey.redeem(code), "invalid_grant", "unknown")


async def test_code_missing(journey: Journey) -> None:
    assert_error(await journey.redeem(""), "invalid_request", "code")


@pytest.mark.parametrize("uri", [None, "", CALLBACK + "/", "https://evil.example/"])
async def test_redirect_uri_mismatch_at_token(journey: Journey, uri: str | None) -> None:
    code = await journey.code()
    assert_error(await journey.redeem(code, redirect_uri=uri), "invalid_grant", "redirect_uri")
    assert (await journey.redeem(code)).status_code == 200


@pytest.mark.parametrize("verifier", ["x" * 43, "x" * 42, "x" * 129, "码" * 43, "a b" * 20])
async def test_verifier_wrong(journey: Journey, verifier: str) -> None:
    code = await journey.code()
    assert_error(await journey.redeem(code, code_verifier=verifier), "invalid_grant", "code_verifier")
    assert (await journey.redeem(code)).status_code == 200


async def test_verifier_missing(journey: Journey) -> None:
    code = await journey.code()
    assert_error(await journey.redeem(code, code_verifier=None), "invalid_request", "code_verifier")


async def test_challenge_is_no_verifier(plane: Plane, journey: Journey) -> None:
    code = await journey.code()
    challenge = journey.request()["code_challenge"]
    assert_error(await journey.redeem(code, code_verifier=challenge), "invalid_grant")


async def test_confidential_without_secret(plane: Plane, journey: Journey) -> None:
    code = await journey.code()
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": journey.client.client_id,
        "code_verifier": journey.verifier,
    }  # fmt: skip
    answer = await plane.http.post("/oauth/token", data=form)
    assert_error(answer, "invalid_client", "no client credentials")


async def test_two_auth_methods(plane: Plane, journey: Journey) -> None:
    form = {"grant_type": "authorization_code", "code": "x", "client_secret": "x"}
    answer = await plane.http.post(
        "/oauth/token", data=form, auth=(journey.client.client_id, journey.client.secret)
    )
    assert_error(answer, "invalid_request", "two authentication methods")


async def test_app_without_refresh_tokens(plane: Plane) -> None:
    journey = await new_journey(plane, grant_types=["authorization_code"])
    assert "refresh_token" not in await journey.tokens()
    answer = await journey.send("/oauth/token", {"grant_type": "client_credentials"})
    assert_error(answer, "unauthorized_client", "grant types")


async def test_lost_subscription_narrows_the_scope(plane: Plane) -> None:
    journey = await new_journey(plane, SCOPES[0], SCOPES[1])
    code = await journey.code(scope=f"{SCOPES[0]} {SCOPES[1]}")
    plane.rights.of_app[journey.client.app_id] = frozenset({SCOPES[0]})
    await plane.change_app(journey.client)
    assert (await journey.redeem(code)).json()["scope"] == SCOPES[0]


async def test_withdrawn_consent_gives_no_token(plane: Plane, journey: Journey) -> None:
    grant = await new_grant(plane, journey.client)
    code = answer_of(await journey.agreed(await journey.ask(), grant))["code"]
    grant.withdrawn_at = clock.now()
    await grant.save()
    assert_error(await journey.redeem(code), "invalid_grant", "withdrawn")


async def test_tokens_end_with_the_consent(plane: Plane, journey: Journey) -> None:
    grant = await new_grant(plane, journey.client, expires_at=clock.now() + families.timedelta(seconds=90))
    body = (await journey.redeem(answer_of(await journey.agreed(await journey.ask(), grant))["code"])).json()
    assert body["expires_in"] <= 90
    family = await TokenFamily.get(grant_id=grant.id)
    assert family.expires_at == grant.expires_at


# --- public clients ------------------------------------------------------------------------------
async def test_public_client(plane: Plane) -> None:
    journey = await new_journey(plane, public=True)
    body = await journey.tokens()
    assert (await journey.refresh(body["refresh_token"])).status_code == 200


async def test_public_client_cc(plane: Plane) -> None:
    journey = await new_journey(plane, public=True)
    answer = await journey.send("/oauth/token", {"grant_type": "client_credentials"})
    assert_error(answer, "unauthorized_client", "public client")


async def test_public_client_does_not_introspect(plane: Plane) -> None:
    journey = await new_journey(plane, public=True)
    body = await journey.tokens()
    assert_error(
        await journey.send("/oauth/introspect", {"token": body["access_token"]}), "invalid_client", "ublic"
    )
    assert (await journey.send("/oauth/revoke", {"token": body["refresh_token"]})).status_code == 200
    assert_error(await journey.refresh(body["refresh_token"]), "invalid_grant", "revoked")


async def test_public_client_with_a_secret(plane: Plane) -> None:
    journey = await new_journey(plane, public=True)
    code = await journey.code()
    journey.is_public = False
    assert (await journey.redeem(code)).json()["error"] == "invalid_client"


async def test_sweep_keeps_what_shows_a_replay(plane: Plane, journey: Journey) -> None:
    code = await journey.code()
    body = (await journey.redeem(code)).json()
    await families.sweep("sandbox")
    assert_error(await journey.redeem(code), "invalid_grant", "used before")
    assert not await is_live(journey, body["access_token"])
    await AuthorizationCode.all().update(expires_at=clock.now() - families.timedelta(days=2))
    await families.sweep("sandbox")
    assert await AuthorizationCode.all().count() == 0
