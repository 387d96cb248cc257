"""The device grant (RFC 8628): a code that is easy to type, polls that slow down, tokens once."""

import asyncio
from typing import Any

import pytest

from api.core import clock
from api.core.problems import Refusal
from api.identity.oauth.device import GRANT_TYPE, read_user_code
from api.identity.oauth.models import DeviceAuthorization, TokenFamily
from tests.identity.oauth.journeys import COMPANY, Journey, Person, assert_error, new_grant, new_journey
from tests.identity.oauth.plane import Plane

BROWSER = "b" * 43


async def new_device(plane: Plane, **options: Any) -> Journey:
    return await new_journey(plane, grant_types=[GRANT_TYPE, "refresh_token"], **options)


async def start(journey: Journey, **parameters: str) -> dict[str, Any]:
    answer = await journey.send("/oauth/device", {"scope": "openid", **parameters})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body: dict[str, Any] = answer.json()
    return body


async def poll(journey: Journey, codes: dict[str, Any], **parameters: str) -> Any:
    form = {"grant_type": GRANT_TYPE, "device_code": codes["device_code"], **parameters}
    return await journey.send("/oauth/token", form)


async def agree(journey: Journey, codes: dict[str, Any], grant: Any = None, browser: str = BROWSER) -> str:
    service = journey.plane.service
    request_id = await service.provider.claim_device(codes["user_code"], browser)
    return await service.complete(request_id, Person(), grant, browser=browser)


def rested(codes: dict[str, Any]) -> Any:
    """Let the device have waited long enough."""
    return DeviceAuthorization.filter(polled_at__not_isnull=True).update(
        polled_at=clock.now().replace(year=2000)
    )


@pytest.mark.parametrize("public", [True, False], ids=["public", "confidential"])
async def test_a_device_gets_its_tokens_once(plane: Plane, public: bool) -> None:
    journey = await new_device(plane, public=public)
    codes = await start(journey)
    assert codes["verification_uri"] == f"{plane.issuer}/device"
    assert codes["verification_uri_complete"].endswith(f"?user_code={codes['user_code']}")
    assert (codes["expires_in"], codes["interval"]) == (900, 5)
    assert_error(await poll(journey, codes), "authorization_pending")
    assert await agree(journey, codes) == f"{plane.issuer}/device?outcome=done"
    answer = await poll(journey, codes)
    assert answer.status_code == 200, answer.text
    assert {"access_token", "refresh_token", "id_token"} <= answer.json().keys()
    assert_error(await poll(journey, codes), "invalid_grant", "used before")
    refreshed = await journey.refresh(answer.json()["refresh_token"])
    assert refreshed.status_code == 200, refreshed.text


async def test_only_hashes_are_stored(plane: Plane) -> None:
    codes = await start(await new_device(plane, public=True))
    rows = [str(row) for row in await DeviceAuthorization.all().values()]
    letters = codes["user_code"].replace("-", "")
    assert not any(codes["device_code"] in row or letters in row or codes["user_code"] in row for row in rows)


async def test_who_asks_too_soon_slows_down(plane: Plane) -> None:
    journey = await new_device(plane, public=True)
    codes = await start(journey)
    assert_error(await poll(journey, codes), "authorization_pending")
    assert_error(await poll(journey, codes), "slow_down")
    assert_error(await poll(journey, codes), "slow_down")
    row = await DeviceAuthorization.get(client_id=journey.client.client_id)
    assert row.interval == 15
    await rested(codes)
    assert_error(await poll(journey, codes), "authorization_pending")
    for _ in range(20):
        await poll(journey, codes)
    assert (await DeviceAuthorization.get(client_id=journey.client.client_id)).interval <= 60


async def test_eight_polls_give_tokens_once(plane: Plane) -> None:
    journey = await new_device(plane, public=True)
    codes = await start(journey)
    await agree(journey, codes)
    answers = await asyncio.gather(*(poll(journey, codes) for _ in range(8)))
    assert sorted(one.status_code for one in answers) == [200] + [400] * 7
    assert {one.json()["error"] for one in answers if one.status_code == 400} == {"invalid_grant"}


async def test_eight_decisions_count_once(plane: Plane) -> None:
    journey = await new_device(plane, public=True)
    codes = await start(journey)
    results = await asyncio.gather(
        *(agree(journey, codes, browser=f"{number}" * 43) for number in range(8)), return_exceptions=True
    )
    assert sum(isinstance(one, str) for one in results) == 1
    assert all(isinstance(one, str | Refusal) for one in results), results
    families = await TokenFamily.filter(client_id=journey.client.client_id).count()
    assert families == 1


async def test_a_refusal_reaches_the_device(plane: Plane) -> None:
    journey = await new_device(plane, public=True)
    codes = await start(journey)
    service = plane.service
    request_id = await service.provider.claim_device(codes["user_code"], BROWSER)
    assert await service.refuse(request_id, browser=BROWSER) == f"{plane.issuer}/device?outcome=refused"
    assert_error(await poll(journey, codes), "access_denied")
    with pytest.raises(Refusal):
        await service.provider.claim_device(codes["user_code"], BROWSER)


async def test_a_consent_goes_into_the_token_and_out_of_it(plane: Plane) -> None:
    journey = await new_device(plane, public=True)
    grant = await new_grant(plane, journey.client)
    codes = await start(journey, scope=COMPANY)
    await agree(journey, codes, grant)
    body = (await poll(journey, codes)).json()
    claims = await plane.service.claims_of(body["access_token"])
    assert claims is not None
    assert (claims.grant, claims.sub) == (grant.id, Person().id)
    await type(grant).filter(id=grant.id).update(withdrawn_at=clock.now())
    assert_error(await journey.refresh(body["refresh_token"]), "invalid_grant", "withdrawn")


async def test_a_code_is_its_clients_and_lives_a_quarter_of_an_hour(plane: Plane) -> None:
    journey, other = await new_device(plane, public=True), await new_device(plane, public=True)
    codes = await start(journey)
    assert_error(await poll(other, codes), "invalid_grant", "unknown")
    assert_error(await poll(journey, {"device_code": "kd_nothing"}), "invalid_grant", "unknown")
    assert_error(
        await journey.send("/oauth/token", {"grant_type": GRANT_TYPE}), "invalid_request", "device_code"
    )
    await DeviceAuthorization.filter(client_id=journey.client.client_id).update(
        expires_at=clock.now().replace(year=2000)
    )
    assert_error(await poll(journey, codes), "expired_token")
    with pytest.raises(Refusal):
        await plane.service.provider.claim_device(codes["user_code"], BROWSER)


async def test_who_may_start(plane: Plane) -> None:
    without = await new_journey(plane, public=True)
    assert_error(
        await without.send("/oauth/device", {"scope": "openid"}), "unauthorized_client", "grant types"
    )
    fapi = await new_journey(plane, profile="fapi2", grant_types=[GRANT_TYPE, "authorization_code"])
    assert_error(await fapi.send("/oauth/device", {"scope": "openid"}), "unauthorized_client", "fapi2")
    journey = await new_device(plane)
    answer = await plane.http.post(
        "/oauth/device", data={"scope": "openid", "client_id": journey.client.client_id}
    )
    assert_error(answer, "invalid_client")
    assert_error(await journey.send("/oauth/device", {"acr_values": "high"}), "invalid_scope")
    assert_error(await journey.send("/oauth/device", {"scope": "moon:phase:read"}), "invalid_scope")
    assert_error(await journey.send("/oauth/device", {"scope": "platform:apps:read"}), "invalid_scope")
    assert_error(
        await journey.send("/oauth/device", {"scope": "openid", "resource": "https://x"}), "invalid_target"
    )


async def test_a_device_may_bind_its_tokens(plane: Plane) -> None:
    journey = await new_device(plane, public=True, dpop=True)
    codes = await start(journey)
    await agree(journey, codes)
    body = (await poll(journey, codes)).json()
    assert body["token_type"] == "DPoP"


@pytest.mark.parametrize(
    ("typed", "letters"),
    [
        ("WDJB-MJHT", "WDJBMJHT"), ("wdjbmjht", "WDJBMJHT"), (" wdjb mjht ", "WDJBMJHT"), ("ＷＤＪＢ－ＭＪＨＴ", "WDJBMJHT"),
        ("WDJB—MJHT", "WDJBMJHT"), ("WDJB-MJH", ""), ("WDJB-MJHTX", ""), ("WDJA-MJHT", ""), ("12345678", ""), ("", ""),
        ("码" * 8, ""), ("W" * 100, ""), ("WDJB\x00MJHT", "WDJBMJHT"),
    ],
)  # fmt: skip
def test_codes_are_read_as_people_type_them(typed: str, letters: str) -> None:
    assert read_user_code(typed) == letters


async def test_what_was_typed_wrongly_is_told_alike(plane: Plane) -> None:
    for typed in ("", "WDJB-MJHT", "x", "a\x00b", "码" * 100):
        with pytest.raises(Refusal) as caught:
            await plane.service.provider.claim_device(typed, BROWSER)
        assert caught.value.kind.slug == "not-found"
