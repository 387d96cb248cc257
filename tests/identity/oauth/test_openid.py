"""OpenID Connect: discovery, id tokens in token answers, userinfo by scope and by possession, logout."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from api.identity import installation
from api.identity.consents.subjects import NobodyKnown, Subject
from api.identity.installation import Installation
from tests.identity.oauth.journeys import (
    CALLBACK,
    CODE_GRANTS,
    COMPANY,
    Journey,
    Person,
    hash_of,
    make_proof,
    new_grant,
    new_journey,
)
from tests.identity.oauth.plane import Plane, new_key

OPENID = {"scope": "openid profile", "nonce": "n-1"}
GOODBYE = "https://bank.example/goodbye"


class OnePerson(NobodyKnown):
    """A directory with the person of the journeys in it."""

    async def find(self, subject_id: str) -> Subject | None:
        known = Subject(
            id=Person().id, name="测试 公民", birth_date="1980-02-29", national={"id": "never shown"}
        )
        return known if subject_id == known.id else None


@pytest.fixture(scope="module", autouse=True)
async def person(plane: Plane) -> AsyncIterator[None]:
    before = installation.current()
    installation.configure(Installation(settings=plane.settings, subjects=OnePerson()))
    yield
    installation.configure(before)


def read(plane: Plane, token: str) -> dict[str, Any]:
    keys = KeySet.import_key_set(json.loads(plane.service.ring.jwks))
    return jwt.decode(token, keys, algorithms=["ES256"]).claims


async def test_discovery_says_what_is_true(plane: Plane) -> None:
    answer = await plane.http.get("/.well-known/openid-configuration")
    document = answer.json()
    assert answer.headers["cache-control"].startswith("public")
    assert document["issuer"] == plane.issuer
    assert document["subject_types_supported"] == ["public"]
    assert document["id_token_signing_alg_values_supported"] == ["ES256"]
    assert document["response_types_supported"] == ["code"]
    assert {"openid", "profile", COMPANY} <= set(document["scopes_supported"])
    assert "urn:ietf:params:oauth:grant-type:device_code" in document["grant_types_supported"]
    for name in ("userinfo_endpoint", "device_authorization_endpoint", "end_session_endpoint", "jwks_uri"):
        assert document[name].startswith(plane.issuer + "/oauth/"), name
    assert len(document["scopes_supported"]) == len(set(document["scopes_supported"]))
    assert (await plane.http.get(document["userinfo_endpoint"])).status_code == 401
    assert (await plane.http.post(document["device_authorization_endpoint"])).status_code == 400
    assert (await plane.http.get(document["end_session_endpoint"])).status_code == 303


async def test_a_sign_in_gives_an_id_token(plane: Plane) -> None:
    journey = await new_journey(plane)
    answer = await journey.ask(**OPENID)
    location = await journey.agreed(answer, auth_time=1_700_000_000, acr="high")
    body = (await journey.redeem(location.partition("code=")[2].partition("&")[0])).json()
    claims = read(plane, body["id_token"])
    assert claims["sub"] == Person().id
    assert claims["aud"] == journey.client.client_id
    assert (claims["nonce"], claims["auth_time"], claims["acr"]) == ("n-1", 1_700_000_000, "high")
    assert "name" not in claims  # userinfo tells it
    again = (await journey.refresh(body["refresh_token"])).json()
    refreshed = read(plane, again["id_token"])
    assert refreshed["sub"] == claims["sub"]
    assert refreshed["auth_time"] == claims["auth_time"]
    assert "nonce" not in refreshed
    assert refreshed["at_hash"] != claims["at_hash"]


async def test_no_id_token_without_openid(plane: Plane) -> None:
    journey = await new_journey(plane)
    assert "id_token" not in await journey.tokens(scope=COMPANY)
    assert "id_token" not in (await journey.send("/oauth/token", {"grant_type": "client_credentials"})).json()


async def userinfo(plane: Plane, token: str, scheme: str = "Bearer", **headers: str) -> Any:
    return await plane.http.get("/oauth/userinfo", headers={"Authorization": f"{scheme} {token}", **headers})


async def test_userinfo_tells_what_the_scopes_allow(plane: Plane) -> None:
    journey = await new_journey(plane)
    whole = (await journey.tokens(**OPENID))["access_token"]
    answer = await userinfo(plane, whole)
    assert answer.json() == {"sub": Person().id, "name": "测试 公民", "birthdate": "1980-02-29"}
    assert answer.headers["cache-control"] == "no-store"
    bare = (await journey.tokens(scope="openid"))["access_token"]
    assert (await userinfo(plane, bare)).json() == {"sub": Person().id}
    posted = await plane.http.post("/oauth/userinfo", headers={"Authorization": f"Bearer {bare}"})
    assert posted.json() == {"sub": Person().id}


async def test_userinfo_refuses_with_a_challenge(plane: Plane) -> None:
    journey = await new_journey(plane)
    own = await plane.token(journey.client, scope=COMPANY)  # of the app itself
    without = (await journey.tokens(scope=COMPANY))["access_token"]
    for token in (own, without):
        answer = await userinfo(plane, token)
        assert answer.status_code == 403
        assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
    for headers in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
        answer = await plane.http.get("/oauth/userinfo", headers=headers)
        assert answer.status_code == 401
        assert "error=" not in answer.headers["www-authenticate"]
    body = await journey.tokens(**OPENID)
    for bad in ("x", "a.b.c", body["id_token"], body["refresh_token"], body["access_token"][:-3] + "AAA"):
        answer = await userinfo(plane, bad)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def test_userinfo_ends_with_the_token_the_app_and_the_consent(plane: Plane) -> None:
    journey = await new_journey(plane)
    token = (await journey.tokens(**OPENID))["access_token"]
    await journey.send("/oauth/revoke", {"token": token})
    assert (await userinfo(plane, token)).status_code == 401

    grant = await new_grant(plane, journey.client)
    agreed = await journey.redeem(await journey.code(grant, scope=f"openid {COMPANY}"))
    token = agreed.json()["access_token"]
    assert (await userinfo(plane, token)).status_code == 200
    await type(grant).filter(id=grant.id).update(withdrawn_at=grant.created_at)
    assert (await userinfo(plane, token)).json()["error"] == "invalid_token"

    token = (await journey.tokens(**OPENID))["access_token"]
    await plane.change_app(journey.client, status="suspended")
    assert (await userinfo(plane, token)).status_code == 401


async def test_userinfo_of_a_bound_token_takes_its_key(plane: Plane) -> None:
    journey = await new_journey(plane, dpop=True)
    token = (await journey.tokens(**OPENID))["access_token"]
    address, key = plane.issuer + "/oauth/userinfo", journey.proof_key
    assert key is not None
    good = {"htm": "GET", "ath": hash_of(token)}
    assert (await userinfo(plane, token)).status_code == 401  # a bearer downgrade
    assert (await userinfo(plane, token, "DPoP")).json()["error"] == "invalid_dpop_proof"
    proof = make_proof(key, address, **good)
    assert (await userinfo(plane, token, "DPoP", DPoP=proof)).status_code == 200
    assert (await userinfo(plane, token, "DPoP", DPoP=proof)).json()["error"] == "invalid_dpop_proof"  # again
    for bad in (
        make_proof(new_key(), address, **good),
        make_proof(key, address, htm="POST", ath=hash_of(token)),
        make_proof(key, plane.issuer + "/oauth/token", **good),
        make_proof(key, address, htm="GET", ath=hash_of("x")),
        make_proof(key, address, htm="GET"),
        "a.b.c",
    ):
        assert (await userinfo(plane, token, "DPoP", DPoP=bad)).status_code == 401
    unbound = await new_journey(plane)
    bearer = (await unbound.tokens(**OPENID))["access_token"]
    proof = make_proof(key, address, htm="GET", ath=hash_of(bearer))
    assert (await userinfo(plane, bearer, "DPoP", DPoP=proof)).status_code == 401


async def signed_in(plane: Plane) -> tuple[Journey, str]:
    journey = await new_journey(plane, grant_types=CODE_GRANTS, post_logout_redirect_uris=[GOODBYE])
    return journey, (await journey.tokens(**OPENID))["id_token"]


async def test_logout_goes_back_to_the_app(plane: Plane) -> None:
    _, token = await signed_in(plane)
    asked = {"id_token_hint": token, "post_logout_redirect_uri": GOODBYE, "state": "码 s"}
    for answer in (
        await plane.http.get("/oauth/logout", params=asked),
        await plane.http.post("/oauth/logout", data=asked),
    ):
        assert answer.status_code == 303
        assert answer.headers["location"] == GOODBYE + "?state=%E7%A0%81+s"
        assert "kaimen_citizen=" in answer.headers["set-cookie"]
        assert "Max-Age=0" in answer.headers["set-cookie"]


async def test_logout_without_a_hint_signs_nobody_out(plane: Plane) -> None:
    answer = await plane.http.get("/oauth/logout")
    assert answer.headers["location"] == f"{plane.issuer}/consents"
    assert "set-cookie" not in answer.headers


async def test_logout_leads_nowhere_else(plane: Plane) -> None:
    journey, token = await signed_in(plane)
    other = await new_journey(plane, post_logout_redirect_uris=["https://other.example/"])
    for asked in (
        {"post_logout_redirect_uri": GOODBYE},
        {"post_logout_redirect_uri": GOODBYE, "client_id": journey.client.client_id},
        {"id_token_hint": token, "post_logout_redirect_uri": GOODBYE + "x"},
        {"id_token_hint": token, "post_logout_redirect_uri": "https://other.example/"},
        {"id_token_hint": token, "post_logout_redirect_uri": CALLBACK},
        {"id_token_hint": token, "client_id": other.client.client_id},
        {"id_token_hint": "a.b.c"},
        {"id_token_hint": token[:-4] + "AAAA"},
        {"state": "a\x00b"},
    ):
        answer = await plane.http.get("/oauth/logout", params=asked)
        assert answer.status_code == 400, asked
        assert "location" not in answer.headers
        assert "set-cookie" not in answer.headers
