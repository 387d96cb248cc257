"""Revocation and introspection: an app's own tokens only; what one process revokes, every process learns."""

import asyncio

import httpx

from api.core import ids
from api.identity.oauth.models import RevokedToken
from api.identity.oauth.revocation import RevokedTokens
from tests.identity.oauth.plane import SCOPES, Client, Plane, new_key, sign

COMPANY = SCOPES[0]


async def post(plane: Plane, endpoint: str, client: Client, **form: str) -> httpx.Response:
    if client.key is not None:
        assertion = sign(client.key, plane.claims(client))
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return await plane.http.post(
            endpoint, data={"client_assertion": assertion, "client_assertion_type": kind, **form}
        )
    return await plane.http.post(endpoint, data=form, auth=(client.client_id, client.secret))


async def is_active(plane: Plane, client: Client, token: str) -> bool:
    answer = await post(plane, "/oauth/introspect", client, token=token)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    return bool(answer.json()["active"])


async def test_introspection_tells_what_the_token_says(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    token = await plane.token(client)
    body = (await post(plane, "/oauth/introspect", client, token=token)).json()
    assert body["active"] is True
    assert (body["client_id"], body["sub"], body["scope"]) == (client.client_id, client.client_id, COMPANY)
    assert (body["iss"], body["aud"], body["token_type"]) == (plane.issuer, plane.issuer + "/api", "Bearer")
    assert body["exp"] - body["iat"] == 600
    assert body["jti"]


async def test_introspection_of_anything_else_is_only_inactive(plane: Plane) -> None:
    client, other = await plane.new_app(COMPANY), await plane.new_app(COMPANY)
    header, payload, signature = (await plane.token(client)).split(".")
    for token in (
        await plane.token(other),
        f"{header}.{payload}.AAAA{signature[4:]}",
        "x",
        "令牌",
        "a.b.c",
        "." * 9000,
    ):
        answer = await post(plane, "/oauth/introspect", client, token=token)
        assert answer.json() == {"active": False}


async def test_platform_token_can_be_introspected_and_revoked(plane: Plane) -> None:
    client = await plane.new_app("platform:apps:read")
    token = await plane.token(client)
    assert await is_active(plane, client, token)
    assert (await post(plane, "/oauth/revoke", client, token=token)).status_code == 200
    assert not await is_active(plane, client, token)


async def test_revoked_token_is_inactive_and_in_the_set(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    token, kept = await plane.token(client), await plane.token(client)
    claims = await plane.service.claims_of(token)
    assert claims is not None
    answer = await post(plane, "/oauth/revoke", client, token=token, token_type_hint="access_token")
    assert answer.status_code == 200
    assert answer.content == b""
    assert claims.jti in plane.service.revoked
    assert not await is_active(plane, client, token)
    assert await is_active(plane, client, kept)


async def test_another_process_learns_it_by_polling(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    token = await plane.token(client)
    claims = await plane.service.claims_of(token)
    assert claims is not None
    elsewhere = RevokedTokens("sandbox")
    await elsewhere.poll()
    assert claims.jti not in elsewhere
    await post(plane, "/oauth/revoke", client, token=token)
    assert await elsewhere.poll() == 1
    assert claims.jti in elsewhere
    assert await elsewhere.poll() == 0


async def test_number_that_was_committed_late_is_not_missed(plane: Plane) -> None:
    """PostgreSQL gives out sequence numbers before commit: the smaller one may come second."""
    elsewhere = RevokedTokens("sandbox")
    client = await plane.new_app(COMPANY)
    claims = await plane.service.claims_of(await plane.token(client))
    assert claims is not None
    far = 10**9 + int(ids.random_id("x", 2)[-3:], 36)
    row = {"jti": ids.random_id("j"), "expires_at": "2100-01-01T00:00:00Z"}
    await RevokedToken.create(sequence=far, **row)
    await elsewhere.poll()
    late = {"jti": ids.random_id("j"), "expires_at": "2100-01-01T00:00:00Z"}
    await RevokedToken.create(sequence=far - 1, **late)
    await elsewhere.poll()
    assert late["jti"] in elsewhere
    await RevokedToken.filter(sequence__gte=far - 1).delete()


async def test_revoking_twice_or_nonsense_is_200(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    token = await plane.token(client)
    for text in (token, token, "x", "a.b.c", "令牌", "." * 9000):
        answer = await post(plane, "/oauth/revoke", client, token=text, token_type_hint="something_else")
        assert answer.status_code == 200, answer.text


async def test_token_of_another_app_stays_good(plane: Plane) -> None:
    client, other = await plane.new_app(COMPANY), await plane.new_app(COMPANY)
    token = await plane.token(other)
    answer = await post(plane, "/oauth/revoke", client, token=token)
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"
    assert await is_active(plane, other, token)


async def test_both_take_private_key_jwt(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, keys=[new_key()])
    token = await plane.token(client)
    assert await is_active(plane, client, token)
    assert (await post(plane, "/oauth/revoke", client, token=token)).status_code == 200
    assert not await is_active(plane, client, token)


async def test_a_replayed_assertion_revokes_nothing_anywhere(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, keys=[new_key()])
    assert client.key is not None
    token = await plane.token(client)
    form = {
        "client_assertion": sign(client.key, plane.claims(client)),
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "token": token,
    }
    spent = await plane.http.post("/oauth/introspect", data=form)
    assert spent.json()["active"] is True
    answer = await plane.http.post("/oauth/revoke", data=form)
    assert answer.status_code == 400
    claims = await plane.service.claims_of(token)
    assert claims is not None
    assert claims.jti not in plane.service.revoked
    assert await is_active(plane, client, token)


async def test_both_need_a_client_and_a_token(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    for endpoint in ("/oauth/revoke", "/oauth/introspect"):
        answer = await plane.http.post(endpoint, data={"token": "x"})
        assert answer.json()["error"] == "invalid_client"
        answer = await post(plane, endpoint, client)
        assert answer.status_code == 400
        assert answer.json()["error"] == "invalid_request"


async def test_eight_racers_revoke_one_token(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    token = await plane.token(client)
    answers = await asyncio.gather(*(post(plane, "/oauth/revoke", client, token=token) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    claims = await plane.service.claims_of(token)
    assert claims is not None
    assert await RevokedToken.filter(jti=claims.jti).count() == 1


async def test_suspended_app_can_do_neither(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    token = await plane.token(client)
    await plane.change_app(client, status="suspended")
    for endpoint in ("/oauth/revoke", "/oauth/introspect"):
        answer = await post(plane, endpoint, client, token=token)
        assert answer.json()["error"] == "invalid_client"
