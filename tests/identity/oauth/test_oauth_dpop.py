"""DPoP at the token endpoint (RFC 9449): proofs that do not hold, and what is bound to their keys."""

import asyncio
import base64
import json
import time
from typing import Any

import httpx
import pytest
from joserfc.jwk import OKPKey, RSAKey

from api.core import clock
from api.identity.oauth.models import UsedProof
from tests.identity.oauth.journeys import (
    COMPANY,
    Journey,
    assert_error,
    make_proof,
    new_journey,
    thumbprint,
)
from tests.identity.oauth.plane import Plane, new_key

TOKEN = "/oauth/token"
FORM = {"grant_type": "client_credentials"}


@pytest.fixture(scope="module")
async def journey(plane: Plane) -> Journey:
    """An app of profile baseline whose tokens have to be bound."""
    return await new_journey(plane, dpop=True)


async def ask(journey: Journey, proof: str, form: dict[str, str] | None = None) -> httpx.Response:
    return await journey.send(TOKEN, form or FORM, headers={"DPoP": proof})


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(new_key(), "ES256"), (RSAKey.generate_key(2048, private=True), "PS256"),
     (OKPKey.generate_key("Ed25519", private=True), "Ed25519")],
    ids=["ES256", "PS256", "Ed25519"],
)  # fmt: skip
async def test_good_proofs(plane: Plane, journey: Journey, key: Any, algorithm: str) -> None:
    answer = await ask(journey, make_proof(key, plane.issuer + TOKEN, algorithm=algorithm))
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "DPoP"
    claims = await plane.service.claims_of(answer.json()["access_token"])
    assert claims is not None
    assert claims.cnf == {"jkt": thumbprint(key)}


async def test_dpop_missing_at_token(journey: Journey) -> None:
    journey_without = Journey(journey.plane, journey.client)
    assert_error(await journey_without.send(TOKEN, FORM), "invalid_dpop_proof", "bound to a key")


async def test_proof_of_an_app_that_need_not(plane: Plane) -> None:
    free = await new_journey(plane)
    assert (await free.send(TOKEN, FORM)).json()["token_type"] == "Bearer"
    answer = await ask(free, make_proof(new_key(), plane.issuer + TOKEN))
    assert answer.json()["token_type"] == "DPoP"


async def test_dpop_proof_replay(journey: Journey) -> None:
    proof = journey.proof(TOKEN)
    assert (await ask(journey, proof)).status_code == 200
    assert_error(await ask(journey, proof), "invalid_dpop_proof", "used before")


async def test_dpop_proof_replay_concurrent(journey: Journey) -> None:
    for _ in range(4):
        proof = journey.proof(TOKEN)
        answers = await asyncio.gather(*(ask(journey, proof) for _ in range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7


@pytest.mark.parametrize(
    "path",
    ["/oauth/par", "/oauth/token/", "/oauth/Token", "", "/oauth/token%2f", "/oauth/../oauth/token"],
)
async def test_dpop_htu_mismatch(plane: Plane, journey: Journey, path: str) -> None:
    assert_error(await ask(journey, make_proof(new_key(), plane.issuer + path)), "invalid_dpop_proof", "htu")


@pytest.mark.parametrize(
    "htu", ["https://evil.example/oauth/token", "/oauth/token", "", "http://[", 7, None, "x" * 4000]
)
async def test_dpop_htu_of_elsewhere(journey: Journey, htu: Any) -> None:
    assert journey.proof_key is not None
    assert_error(await ask(journey, make_proof(journey.proof_key, htu)), "invalid_dpop_proof")


async def test_htu_in_another_spelling(plane: Plane, journey: Journey) -> None:
    for htu in (
        plane.issuer.replace("http", "HTTP", 1) + "/oauth/token?a=b#c",
        plane.issuer + "/oauth/%74oken",
    ):
        assert (await ask(journey, make_proof(new_key(), htu))).status_code == 200


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"htm": "GET"}, "htm"), ({"htm": "post"}, "htm"), ({"htm": None}, ""), ({"jti": None}, ""), ({"jti": ""}, "jti"),
        ({"jti": "x" * 257}, "jti"), ({"jti": ["x"]}, ""), ({"iat": None}, ""), ({"iat": "now"}, ""), ({"iat": 1e300}, ""),
        ({"iat": True}, ""), ({"iat": -1}, ""), ({"nonce": 7}, ""), ({"iat": [1]}, ""),
    ],
)  # fmt: skip
async def test_claims_that_do_not_hold(journey: Journey, changes: dict[str, Any], word: str) -> None:
    answer = await ask(journey, journey.proof(TOKEN, **changes))
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"] in {"invalid_dpop_proof", "use_dpop_nonce"}
    assert word in answer.json()["error_description"]


@pytest.mark.parametrize("seconds", [-120, 120, 10**9])
async def test_clock_that_is_off_needs_a_nonce(journey: Journey, seconds: int) -> None:
    moment = int(time.time()) + seconds
    answer = await ask(journey, journey.proof(TOKEN, iat=moment))
    assert_error(answer, "use_dpop_nonce")
    nonce = answer.headers["dpop-nonce"]
    assert (await ask(journey, journey.proof(TOKEN, iat=moment, nonce=nonce))).status_code == 200


@pytest.mark.parametrize("nonce", ["", "x", "码", "a" * 24])
async def test_nonce_that_is_not_ours(plane: Plane, nonce: str) -> None:
    fapi = await new_journey(plane, profile="fapi2")
    answer = await ask(fapi, fapi.proof(TOKEN, nonce=nonce))
    assert_error(answer, "use_dpop_nonce", "nonce")
    assert answer.headers["dpop-nonce"] != nonce


async def test_nonce_is_wanted_from_fapi_clients(plane: Plane) -> None:
    fapi = await new_journey(plane, profile="fapi2")
    first = await fapi._send(TOKEN, FORM)
    assert_error(first, "use_dpop_nonce", "nonce")
    second = await fapi._send(TOKEN, FORM, nonce=first.headers["dpop-nonce"])
    assert second.status_code == 200, second.text


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "jwt"}, {"typ": None}, {"alg": "none"}, {"alg": "HS256"}, {"alg": "RS256"}, {"alg": "码"}, {"jwk": None},
        {"jwk": {}}, {"jwk": {"kty": "oct", "k": "AAAA"}}, {"jwk": {"kty": "EC", "crv": "P-256"}}, {"crit": ["x"]},
        {"jwk": {"kty": "RSA", "n": "AQ", "e": "AQAB"}}, {"jwk": [1]}, {"jwk": {"kty": "EC", "crv": "P-521", "x": "A", "y": "A"}},
        {"jwk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}}, {"jwk": {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}},
    ],
    ids=str,
)  # fmt: skip
async def test_header_that_does_not_hold(plane: Plane, journey: Journey, header: dict[str, Any]) -> None:
    assert journey.proof_key is not None
    good = journey.proof(TOKEN).split(".")
    read = json.loads(base64.urlsafe_b64decode(good[0] + "==")) | header
    made = {name: value for name, value in read.items() if value is not None}
    altered = base64.urlsafe_b64encode(json.dumps(made).encode()).rstrip(b"=").decode()
    assert_error(await ask(journey, ".".join([altered, *good[1:]])), "invalid_dpop_proof")


async def test_private_key_in_the_header(plane: Plane, journey: Journey) -> None:
    key = new_key()
    proof = make_proof(key, plane.issuer + TOKEN, header={"jwk": key.as_dict(private=True)})
    assert_error(await ask(journey, proof), "invalid_dpop_proof", "private")


async def test_signature_of_another_key(plane: Plane, journey: Journey) -> None:
    other = new_key()
    proof = make_proof(new_key(), plane.issuer + TOKEN, header={"jwk": other.as_dict(private=False)})
    assert_error(await ask(journey, proof), "invalid_dpop_proof", "signature")


@pytest.mark.parametrize("proof", ["x", "a.b.c", "..", "e30.e30.", "A" * 5000, "%00", "eyJ.eyJ"])
async def test_garbage(journey: Journey, proof: str) -> None:
    assert_error(await ask(journey, proof), "invalid_dpop_proof")


async def test_two_proofs(plane: Plane, journey: Journey) -> None:
    headers = [("DPoP", journey.proof(TOKEN)), ("DPoP", journey.proof(TOKEN))]
    answer = await plane.http.post(
        TOKEN, data=FORM, headers=headers, auth=(journey.client.client_id, journey.client.secret)
    )
    assert_error(answer, "invalid_dpop_proof", "more than one")


# --- codes and refresh tokens ---------------------------------------------------------------------
async def test_dpop_code_bound_to_other_key(plane: Plane) -> None:
    journey = await new_journey(plane, dpop=True)
    assert journey.proof_key is not None
    mine, other = journey.proof_key, new_key()
    for ways in ("dpop_jkt", "pushed"):
        code = await (journey.pushed_code() if ways == "pushed" else journey.code(dpop_jkt=thumbprint(mine)))
        journey.proof_key = other
        assert_error(await journey.redeem(code), "invalid_grant", "another DPoP key")
        journey.proof_key = mine
        assert (await journey.redeem(code)).status_code == 200


async def test_pushed_proof_and_another_thumbprint(journey: Journey) -> None:
    assert_error(await journey.pushed(dpop_jkt=thumbprint(new_key())), "invalid_dpop_proof", "dpop_jkt")
    assert journey.proof_key is not None
    assert (await journey.pushed(dpop_jkt=thumbprint(journey.proof_key))).status_code == 201


async def test_bound_code_without_a_proof(plane: Plane) -> None:
    free = await new_journey(plane)
    code = await free.code(dpop_jkt=thumbprint(new_key()))
    assert_error(await free.redeem(code), "invalid_grant", "another DPoP key")


async def test_a_failed_proof_burns_no_code(plane: Plane, journey: Journey) -> None:
    code = await journey.code(scope=COMPANY)
    proof = journey.proof(TOKEN)
    assert (await ask(journey, proof)).status_code == 200
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": journey.redirect_uri,
        "code_verifier": journey.verifier,
    }  # fmt: skip
    assert_error(await ask(journey, proof, form), "invalid_dpop_proof", "used before")
    assert (await journey.redeem(code)).status_code == 200


async def test_sweep_takes_old_proofs(plane: Plane, journey: Journey) -> None:
    proof = journey.proof(TOKEN)
    await ask(journey, proof)
    await plane.service.sweep()
    assert_error(await ask(journey, proof), "invalid_dpop_proof", "used before")
    await UsedProof.all().update(expires_at=clock.now())
    await plane.service.sweep()
    assert await UsedProof.all().count() == 0
