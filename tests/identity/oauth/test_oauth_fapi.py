"""Profile fapi2: pushed requests, proofs with a nonce, assertions for the issuer alone, and what is refused instead."""

import asyncio
import time
from typing import Any

import httpx
import pytest
from joserfc.jwk import RSAKey

from api.core import clock
from api.identity.oauth import deciding
from api.identity.oauth.models import PushedRequest
from tests.identity.oauth.journeys import (
    CALLBACK,
    COMPANY,
    Journey,
    answer_of,
    assert_carried,
    assert_error,
    assert_stays,
    new_journey,
    thumbprint,
)
from tests.identity.oauth.plane import Plane, new_key, sign


@pytest.fixture(scope="module")
async def journey(plane: Plane) -> Journey:
    return await new_journey(plane, profile="fapi2")


async def test_the_whole_way(plane: Plane, journey: Journey) -> None:
    answer = await journey.redeem(await journey.pushed_code(scope=f"openid {COMPANY}"))
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["token_type"] == "DPoP"
    assert answer.headers["dpop-nonce"]
    claims = await plane.service.claims_of(body["access_token"])
    assert claims is not None
    assert journey.proof_key is not None
    assert claims.cnf == {"jkt": thumbprint(journey.proof_key)}
    said = (
        await journey.send("/oauth/introspect", {"token": body["access_token"]}, headers={"DPoP": ""})
    ).json()
    assert said["cnf"] == claims.cnf
    assert said["token_type"] == "DPoP"


async def test_interaction_id_is_echoed(journey: Journey) -> None:
    name = "x-fapi-interaction-id"
    answer = await journey.send(
        "/oauth/token", {"grant_type": "client_credentials"}, headers={name: "c770aef3-6784"}
    )
    assert answer.headers[name] == "c770aef3-6784"
    answer = await journey.send("/oauth/token", {"grant_type": "x"}, headers={name: "a<b"})
    assert name not in answer.headers


# --- pushed requests ------------------------------------------------------------------------------
async def test_pushed_request_says_how_long_it_lives(journey: Journey) -> None:
    answer = await journey.pushed()
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert 0 < answer.json()["expires_in"] < 600
    stored = str([dict(row) for row in await PushedRequest.all()])
    assert answer.json()["request_uri"].rpartition(":")[2] not in stored
    assert "client_assertion" not in stored


async def test_par_required(plane: Plane, journey: Journey) -> None:
    assert_carried(await journey.ask(), plane.issuer, "invalid_request", "RFC 9126")


async def test_par_single_use(plane: Plane, journey: Journey) -> None:
    pushed = (await journey.pushed()).json()["request_uri"]
    form = {"client_id": journey.client.client_id, "request_uri": pushed}
    answers = await asyncio.gather(*(plane.http.get("/oauth/authorize", params=form) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [303] + [400] * 7
    assert_stays(await plane.http.get("/oauth/authorize", params=form), "used")


async def test_par_other_client(plane: Plane, journey: Journey) -> None:
    other = await new_journey(plane, profile="fapi2")
    pushed = (await journey.pushed()).json()["request_uri"]
    form = {"client_id": other.client.client_id, "request_uri": pushed}
    assert_stays(await plane.http.get("/oauth/authorize", params=form), "another app's")
    form["client_id"] = journey.client.client_id
    assert (await plane.http.get("/oauth/authorize", params=form)).status_code == 303


async def test_par_expired(plane: Plane, journey: Journey) -> None:
    pushed = (await journey.pushed()).json()["request_uri"]
    await PushedRequest.all().update(expires_at=clock.now())
    form = {"client_id": journey.client.client_id, "request_uri": pushed}
    assert_stays(await plane.http.get("/oauth/authorize", params=form), "expired")
    await deciding.sweep("sandbox")
    assert await PushedRequest.all().count() == 0


async def test_what_was_pushed_counts(plane: Plane, journey: Journey) -> None:
    pushed = (await journey.pushed(state="pushed")).json()["request_uri"]
    form = {
        **journey.request(state="address", scope="tax:rating:read", redirect_uri="https://evil.example/"),
        "request_uri": pushed,
    }
    answer = await plane.http.get("/oauth/authorize", params=form)
    said = answer_of(location := await journey.agreed(answer))
    assert location.startswith(CALLBACK)
    assert said["state"] == "pushed"
    assert (await journey.redeem(said["code"])).json()["scope"] == COMPANY


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"), ({"redirect_uri": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"), ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"), ({"scope": "x:y:z"}, "invalid_scope"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"), ({"resource": "https://evil.example"}, "invalid_target"),
    ],
)  # fmt: skip
async def test_par_refuses_what_the_endpoint_would(
    journey: Journey, changes: dict[str, Any], error: str
) -> None:
    answer = await journey.pushed(**changes)
    assert_error(answer, error)
    assert "location" not in answer.headers


async def test_par_without_authentication(plane: Plane, journey: Journey) -> None:
    answer = await plane.http.post("/oauth/par", data=journey.request())
    assert_error(answer, "invalid_client")


async def test_redirect_uri_taken_away_after_the_push(plane: Plane) -> None:
    journey = await new_journey(plane, profile="fapi2")
    pushed = (await journey.pushed()).json()["request_uri"]
    await plane.change_app(journey.client, redirect_uris=["https://bank.example/new"])
    form = {"client_id": journey.client.client_id, "request_uri": pushed}
    assert_stays(await plane.http.get("/oauth/authorize", params=form), "registered")


async def test_par_for_everyone(plane: Plane) -> None:
    for journey in (await new_journey(plane), await new_journey(plane, public=True)):
        assert (await journey.redeem(await journey.pushed_code())).status_code == 200


async def test_par_of_an_app_for_itself(plane: Plane) -> None:
    journey = await new_journey(plane, grant_types=["client_credentials"])
    assert_error(await journey.pushed(), "unauthorized_client")


# --- assertions -----------------------------------------------------------------------------------
async def ask_for_itself(
    journey: Journey, key: Any = None, algorithm: str = "ES256", **claims: Any
) -> httpx.Response:
    """client_credentials with an assertion of these claims and a proof that has the nonce."""
    plane, client = journey.plane, journey.client
    first = await journey.send("/oauth/token", {"grant_type": "client_credentials"})
    assert first.status_code == 200, first.text
    proof = journey.proof("/oauth/token", nonce=first.headers["dpop-nonce"])
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": sign(key or client.key, plane.claims(client, **claims), algorithm),
    }
    return await plane.http.post("/oauth/token", data=form, headers={"DPoP": proof})


async def test_fapi_good_assertion(journey: Journey) -> None:
    answer = await ask_for_itself(journey, exp=int(time.time()) + 300)
    assert answer.status_code == 200, answer.text


async def test_fapi_aud_token_endpoint(plane: Plane, journey: Journey) -> None:
    for audience in (
        plane.issuer + "/oauth/token",
        plane.issuer + "/oauth/par",
        [plane.issuer],
        plane.issuer + "/",
    ):
        assert_error(await ask_for_itself(journey, aud=audience), "invalid_client", "aud")


async def test_fapi_exp_1h(journey: Journey) -> None:
    assert_error(await ask_for_itself(journey, exp=int(time.time()) + 3600), "invalid_client", "300 seconds")


async def test_fapi_rs256(plane: Plane) -> None:
    key = RSAKey.generate_key(2048, auto_kid=True, private=True)
    journey = await new_journey(plane, profile="fapi2", keys=[new_key(), key])
    assert_error(await ask_for_itself(journey, key, "RS256"), "invalid_client", "PS256")
    assert (await ask_for_itself(journey, key, "PS256")).status_code == 200


async def test_fapi_secret_is_refused(plane: Plane, journey: Journey) -> None:
    answer = await plane.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(journey.client.client_id, journey.client.secret),
    )
    assert_error(answer, "invalid_client", "not with a secret")


async def test_fapi_secret_is_refused_though_it_is_registered(plane: Plane) -> None:
    """A row that breaks the rules of its profile (they are checked when it is written) opens nothing."""
    journey = await new_journey(plane, profile="fapi2", keys=[new_key()])
    await plane.change_app(journey.client, auth_method="client_secret")
    answer = await plane.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        auth=(journey.client.client_id, journey.client.secret),
    )
    assert_error(answer, "invalid_client")


async def test_fapi_unbound_tokens_are_not_given(plane: Plane) -> None:
    for binding in ("dpop", ""):
        journey = await new_journey(plane, profile="fapi2", token_binding=binding)
        journey.proof_key = None
        assert_error(
            await journey.send("/oauth/token", {"grant_type": "client_credentials"}), "invalid_dpop_proof"
        )
