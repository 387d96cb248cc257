"""Around the endpoints: uses of secrets, apps at the platform API, sweeping, a process that starts late."""

from datetime import timedelta

import pytest

from api.core import clock
from api.core.caller import CallerKind
from api.core.problem_types import TOKEN_EXPIRED, TOKEN_INVALID, TOKEN_REVOKED, WRONG_ENVIRONMENT
from api.core.problems import Refusal
from api.identity.models import AppSecret
from api.identity.oauth import tokens
from api.identity.oauth.models import RevokedToken, UsedAssertion
from api.identity.oauth.scopes import MAX_SCOPE_BYTES
from tests.identity.oauth.plane import SCOPES, Plane, new_key

COMPANY = SCOPES[0]


async def test_use_of_a_secret_is_written_in_a_batch(plane: Plane) -> None:
    clients = [await plane.new_app(COMPANY) for _ in range(3)]
    for client in clients:
        await plane.token(client)
    uses = plane.service._uses
    assert await uses.write() >= 3
    for client in clients:
        assert (await AppSecret.get(id=client.secret_id)).last_used_at is not None
    assert await uses.write() == 0


async def test_platform_caller_acts_for_its_organisation_within_its_scopes(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, "platform:apps:read", "platform:apps:write")
    token = await plane.token(client, scope="platform:apps:read")
    caller = await plane.service.platform_caller(token)
    assert caller is not None
    assert (caller.kind, caller.id, caller.client_id) == (CallerKind.APP, client.app_id, client.client_id)
    assert caller.organisations == {"o_test": frozenset()}
    assert caller.scopes == {"platform:apps:read"}
    await plane.change_app(client, platform_scopes="")
    withdrawn = await plane.service.platform_caller(token)
    assert withdrawn is not None
    assert withdrawn.scopes == frozenset()


async def test_who_is_no_platform_caller(plane: Plane) -> None:
    client = await plane.new_app(COMPANY, "platform:apps:read")

    async def refused(token: str) -> object:
        with pytest.raises(Refusal) as caught:
            await plane.service.platform_caller(token)
        return caught.value.kind

    assert await refused(await plane.token(client)) is TOKEN_INVALID  # for the services, not for the platform
    assert await refused("\ud800.x.y") is TOKEN_INVALID
    ring, live = plane.service.ring, plane.settings.issuer_of("live")
    common = {"client_id": client.client_id, "app_id": client.app_id, "scope": "platform:apps:read"}
    audience = plane.issuer + "/platform"
    expired = tokens.issue(ring, issuer=plane.issuer, audience=audience, seconds=0, **common)
    assert await refused(expired.compact) is TOKEN_EXPIRED
    foreign = tokens.issue(ring, issuer=live, audience=live + "/platform", seconds=600, **common)
    assert await refused(foreign.compact) is WRONG_ENVIRONMENT
    token = await plane.token(client, scope="platform:apps:read")
    await plane.http.post("/oauth/revoke", data={"token": token}, auth=(client.client_id, client.secret))
    assert await refused(token) is TOKEN_REVOKED
    fresh = await plane.token(client, scope="platform:apps:read")
    await plane.change_app(client, status="suspended")
    assert await refused(fresh) is TOKEN_REVOKED


async def test_sweep_keeps_what_still_matters(plane: Plane) -> None:
    now = clock.now()
    await UsedAssertion.create(key="old", expires_at=now - timedelta(seconds=1))
    await UsedAssertion.create(key="new", expires_at=now + timedelta(seconds=60))
    await RevokedToken.create(jti="old", expires_at=now - timedelta(minutes=6))
    await RevokedToken.create(jti="new", expires_at=now + timedelta(minutes=6))
    await plane.service.sweep()
    assert await UsedAssertion.filter(key__in=["old", "new"]).values_list("key", flat=True) == ["new"]
    assert await RevokedToken.filter(jti__in=["old", "new"]).values_list("jti", flat=True) == ["new"]


async def test_the_longest_scope_still_makes_a_token_that_verifies(plane: Plane) -> None:
    many, length = [], 0
    while length + 40 < MAX_SCOPE_BYTES:
        many.append(f"service{len(many)}:resource:read")
        length += len(many[-1]) + 1
    client = await plane.new_app(*many, keys=[new_key()])
    token = await plane.token(client)
    assert len(token) < tokens.MAX_TOKEN_BYTES
    assert await plane.service.claims_of(token) is not None


async def test_an_app_that_is_deleted_and_made_anew_is_no_ghost(plane: Plane) -> None:
    client = await plane.new_app(COMPANY)
    assert (await plane.ask(client)).status_code == 200
    await AppSecret.filter(id=client.secret_id).delete()
    await plane.change_app(client)
    assert (await plane.ask(client)).status_code == 401
