"""The authorization endpoint: what it takes, and where it sends the browser with what it refuses."""

import asyncio

import httpx
import pytest

from api.core import clock
from api.core.problems import Refusal
from api.identity.oauth import deciding
from api.identity.oauth.authorization import COOKIE
from api.identity.oauth.models import AuthorizationCode, AuthorizationRequest
from tests.identity.oauth.journeys import (
    CALLBACK,
    COMPANY,
    Journey,
    Person,
    answer_of,
    assert_carried,
    assert_stays,
    challenge_of,
    new_journey,
)
from tests.identity.oauth.plane import Plane

BAD_CHALLENGES = ["short", "a" * 42, "a" * 44, "=" * 43, challenge_of("x") + "=", "码" * 43]


@pytest.fixture(scope="module")
async def journey(plane: Plane) -> Journey:
    return await new_journey(plane)


async def test_a_good_request_waits_for_its_person(plane: Plane, journey: Journey) -> None:
    answer = await journey.ask(ui_locales="fr en zh-CN", login_hint="码", nonce="n-1")
    assert answer.status_code == 303
    assert answer.headers["cache-control"] == "no-store"
    request_id = answer.headers["location"].rpartition("/")[2]
    pending = await plane.service.open_request(request_id, answer.cookies[COOKIE])
    assert (pending.app_id, pending.locale) == (journey.client.app_id, "en")
    assert pending.asked.scope == COMPANY
    assert pending.asked.audience == plane.issuer + "/api"
    assert (pending.asked.nonce, pending.asked.login_hint) == ("n-1", "码")
    stored = await AuthorizationRequest.all().values_list("hash", flat=True)
    assert request_id not in str(stored)


async def test_the_cookie_is_for_this_server_alone(journey: Journey) -> None:
    answer = await journey.ask()
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Domain" not in cookie


async def test_post_is_like_get(plane: Plane, journey: Journey) -> None:
    answer = await plane.http.post("/oauth/authorize", data=journey.request())
    assert answer.status_code == 303
    assert "/authorize/ar_" in answer.headers["location"]
    assert_stays(await plane.http.post("/oauth/authorize", json=journey.request()), "GET")
    assert_stays(await plane.http.post("/oauth/authorize?a=b", data=journey.request()), "query")


async def test_another_browser_does_not_see_it(plane: Plane, journey: Journey) -> None:
    answer = await journey.ask()
    request_id = answer.headers["location"].rpartition("/")[2]
    for browser in ("", "x" * 43, answer.cookies[COOKIE][:-1]):
        with pytest.raises(Refusal):
            await plane.service.open_request(request_id, browser)
        with pytest.raises(Refusal):
            await plane.service.complete(request_id, Person(), None, browser=browser)
        with pytest.raises(Refusal):
            await plane.service.refuse(request_id, browser=browser)


@pytest.mark.parametrize("request_id", ["", "ar_", "ar_x", "\x00", "ar_" + "码" * 4000, "ar_\ud800"])
async def test_ids_of_no_request(plane: Plane, request_id: str) -> None:
    with pytest.raises(Refusal):
        await plane.service.open_request(request_id, "x")


async def test_one_browser_with_two_requests(plane: Plane, journey: Journey) -> None:
    first = await journey.ask()
    cookie = first.cookies[COOKIE]
    second = await plane.http.get(
        "/oauth/authorize", params=journey.request(), headers={"Cookie": f"{COOKIE}={cookie}"}
    )
    for answer in (first, second):
        request_id = answer.headers["location"].rpartition("/")[2]
        assert await plane.service.open_request(request_id, cookie)


@pytest.mark.parametrize("cookie", ["x", "a" * 44, '"', "a" * 42 + "=", "%00" * 14])
async def test_strange_cookies_are_replaced(plane: Plane, journey: Journey, cookie: str) -> None:
    headers = {"Cookie": f"{COOKIE}={cookie}"}
    answer = await plane.http.get("/oauth/authorize", params=journey.request(), headers=headers)
    assert answer.status_code == 303
    assert answer.cookies[COOKIE] != cookie


async def test_a_request_is_decided_once(plane: Plane, journey: Journey) -> None:
    answer = await journey.ask()
    request_id, browser = answer.headers["location"].rpartition("/")[2], answer.cookies[COOKIE]

    async def decide(number: int) -> str | None:
        try:
            if number % 2:
                return await plane.service.refuse(request_id, browser=browser)
            return await plane.service.complete(request_id, Person(), None, browser=browser)
        except Refusal:
            return None

    decided = await asyncio.gather(*(decide(number) for number in range(8)))
    assert len([one for one in decided if one]) == 1


async def test_a_request_ends_after_ten_minutes(plane: Plane, journey: Journey) -> None:
    answer = await journey.ask()
    await AuthorizationRequest.all().update(expires_at=clock.now())
    with pytest.raises(Refusal):
        await plane.service.open_request(
            answer.headers["location"].rpartition("/")[2], answer.cookies[COOKIE]
        )


async def test_refusal_carries_state_and_iss(plane: Plane, journey: Journey) -> None:
    answer = await journey.ask(state="a b&c=码")
    request_id, browser = answer.headers["location"].rpartition("/")[2], answer.cookies[COOKIE]
    said = answer_of(
        await plane.service.refuse(request_id, browser=browser, description='The person "refused"')
    )
    assert said == {
        "error": "access_denied", "error_description": "The person ?refused?", "state": "a b&c=码", "iss": plane.issuer,
    }  # fmt: skip


async def test_without_state_none_comes_back(plane: Plane, journey: Journey) -> None:
    said = answer_of(await journey.agreed(await journey.ask(state=None)))
    assert set(said) == {"code", "iss"}
    assert said["iss"] == plane.issuer


async def test_codes_are_stored_as_hashes(plane: Plane, journey: Journey) -> None:
    code = await journey.code()
    stored = [str(dict(row)) for row in await AuthorizationCode.all()]
    assert stored
    assert not any(code in row for row in stored)


async def test_query_of_the_redirect_uri_is_kept(plane: Plane) -> None:
    uri = CALLBACK + "?tenant=1"
    journey = await new_journey(plane, redirect_uris=[uri])
    journey.redirect_uri = uri
    location = await journey.agreed(await journey.ask())
    assert location.startswith(uri + "&code=")
    answer = await journey.redeem(answer_of(location)["code"])
    assert answer.status_code == 200, answer.text


# --- what keeps the browser here ---------------------------------------------------------------
@pytest.mark.parametrize(
    "uri",
    [
        CALLBACK + "/", CALLBACK + "?a=b", CALLBACK + "#x", CALLBACK.upper(), CALLBACK + "/..", CALLBACK + "%2f",
        "https://bank.example", "https://bank.example/callback/extra", "https://bank.example.evil.example/callback",
        "https://bank.example@evil.example/callback", "http://bank.example/callback", "//bank.example/callback",
        "https://bank.example:443/callback", "javascript:alert(1)", "https://BANK.example/callback",
    ],
)  # fmt: skip
async def test_redirect_uri_exact_match_no_redirect(journey: Journey, uri: str) -> None:
    assert_stays(await journey.ask(redirect_uri=uri), "registered")


@pytest.mark.parametrize("uri", ['http://e"vil', "https://银行.example/回", "\\", "<script>"])
async def test_redirect_uri_quote_and_cjk_is_400(journey: Journey, uri: str) -> None:
    assert_stays(await journey.ask(redirect_uri=uri), "registered")


async def test_redirect_uri_missing(journey: Journey) -> None:
    assert_stays(await journey.ask(redirect_uri=None), "redirect_uri")


@pytest.mark.parametrize("client_id", [None, "", "kt_x", "kl_" + "a" * 26, "码", "'; --", "a" * 65])
async def test_unknown_client(journey: Journey, client_id: str | None) -> None:
    answer = await journey.ask(client_id=client_id)
    assert_stays(answer)


async def test_client_of_the_other_plane_is_told_so(plane: Plane, journey: Journey) -> None:
    assert_stays(await journey.ask(client_id="kl_" + "a" * 26), "live environment")


@pytest.mark.parametrize("status", ["suspended", "deleted"])
async def test_stopped_app(plane: Plane, status: str) -> None:
    journey = await new_journey(plane)
    await plane.change_app(journey.client, status=status)
    assert_stays(await journey.ask(), "suspended or deleted")


async def test_app_stopped_while_its_person_decides(plane: Plane) -> None:
    journey = await new_journey(plane)
    code = await journey.code()
    await plane.change_app(journey.client, status="suspended")
    answer = await journey.redeem(code)
    assert answer.status_code in {400, 401}
    assert "suspended" in answer.json()["error_description"]


@pytest.mark.parametrize(
    "name",
    ["response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method", "nonce",
     "resource", "authorization_details", "request_uri", "request", "prompt", "dpop_jkt", "anything"],
)  # fmt: skip
async def test_nul_byte_everywhere_is_400(plane: Plane, journey: Journey, name: str) -> None:
    for character in ("\x00", "\x01", "\x1f", "\n", "\x7f", "\x9f"):
        for path in ("/oauth/authorize", "/oauth/par"):
            form = journey.request(**{name: f"x{character}"})
            answer = (
                await plane.http.get(path, params=form) if path == "/oauth/authorize"
                else await plane.http.post(path, data=form)
            )  # fmt: skip
            assert answer.status_code == 400, answer.text
            assert "control character" in answer.text


async def test_repeated_parameter(plane: Plane, journey: Journey) -> None:
    for name in journey.request():
        query = httpx.QueryParams([*journey.request().items(), (name, "x")])
        assert_stays(await plane.http.get(f"/oauth/authorize?{query}"), "more than once")


async def test_query_that_is_too_long(plane: Plane, journey: Journey) -> None:
    assert_stays(await journey.ask(state="x" * 2049), "longer")
    answer = await plane.http.get("/oauth/authorize", params={"a": "x" * 40_000})
    assert answer.status_code == 400


async def test_a_page_speaks_chinese(plane: Plane, journey: Journey) -> None:
    answer = await plane.http.get(
        "/oauth/authorize", params=journey.request(redirect_uri="https://x.example/"),
        headers={"Accept-Language": "zh-CN"},
    )  # fmt: skip
    assert "登记" in answer.json()["detail"]


# --- what the browser carries back ---------------------------------------------------------------
async def test_pkce_missing(plane: Plane, journey: Journey) -> None:
    answer = await journey.ask(code_challenge=None, code_challenge_method=None)
    assert_carried(answer, plane.issuer, "invalid_request", "PKCE")


async def test_pkce_plain(plane: Plane, journey: Journey) -> None:
    answer = await journey.ask(code_challenge=journey.verifier, code_challenge_method="plain")
    assert_carried(answer, plane.issuer, "invalid_request", "S256")


async def test_pkce_method_omitted(plane: Plane, journey: Journey) -> None:
    assert_carried(await journey.ask(code_challenge_method=None), plane.issuer, "invalid_request", "S256")


@pytest.mark.parametrize("challenge", BAD_CHALLENGES)
async def test_pkce_that_is_no_challenge(plane: Plane, journey: Journey, challenge: str) -> None:
    assert_carried(await journey.ask(code_challenge=challenge), plane.issuer, "invalid_request", "43")


@pytest.mark.parametrize(
    "kind", ["token", "id_token", "code token", "code id_token", "none", "CODE", "码", 'a"b\\']
)
async def test_other_response_types(plane: Plane, journey: Journey, kind: str) -> None:
    assert_carried(await journey.ask(response_type=kind), plane.issuer, "unsupported_response_type")


async def test_response_type_missing(plane: Plane, journey: Journey) -> None:
    assert_carried(await journey.ask(response_type=None), plane.issuer, "invalid_request", "response_type")


@pytest.mark.parametrize("mode", ["fragment", "form_post", "jwt", "query.jwt"])
async def test_other_response_modes(plane: Plane, journey: Journey, mode: str) -> None:
    assert_carried(await journey.ask(response_mode=mode), plane.issuer, "invalid_request", "response_mode")


async def test_request_object(plane: Plane, journey: Journey) -> None:
    assert_carried(await journey.ask(request="eyJ"), plane.issuer, "request_not_supported", "RFC 9126")


@pytest.mark.parametrize(
    "uri", ["https://evil.example/request.jwt", "urn:ietf:params:oauth:request_uri:", "x"]
)
async def test_foreign_request_uri_is_not_fetched(journey: Journey, uri: str) -> None:
    assert_stays(await journey.ask(request_uri=uri), "request_uri")


@pytest.mark.parametrize(
    ("scope", "word"),
    [("tax:nothing:write", "tax:nothing:write"), ("platform:apps:read", "client_credentials"), ("码", "characters"),
     (f"{COMPANY} more:than:that", "more:than:that"), (None, "authorization_details")],
)  # fmt: skip
async def test_scope_not_granted_with_iss(
    plane: Plane, journey: Journey, scope: str | None, word: str
) -> None:
    assert_carried(await journey.ask(scope=scope), plane.issuer, "invalid_scope", word)


async def test_app_that_does_not_use_codes(plane: Plane) -> None:
    journey = await new_journey(plane, grant_types=["client_credentials"])
    assert_carried(await journey.ask(), plane.issuer, "unauthorized_client", "grant types")


@pytest.mark.parametrize(
    ("details", "word"),
    [("{", "JSON"), ("{}", "array"), ("[]", "array"), ('[{"type":"payment"}]', "kaimen-service"),
     ('[{"type":"kaimen-service","service":"company@v1","purpose":"p","x":1}]', "unknown member"),
     ('[{"type":"kaimen-service","service":"nothing@v1","purpose":"p"}]', "not published"), ("[" * 5000, "JSON")],
)  # fmt: skip
async def test_authorization_details(plane: Plane, journey: Journey, details: str, word: str) -> None:
    answer = await journey.ask(authorization_details=details)
    assert_carried(answer, plane.issuer, "invalid_authorization_details", word)
    pushed = await journey.pushed(authorization_details=details)
    assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_authorization_details")


@pytest.mark.parametrize(
    ("prompt", "error"),
    [("none", "login_required"), ("none login", "invalid_request"), ("dance", "invalid_request")],
)
async def test_prompt(plane: Plane, journey: Journey, prompt: str, error: str) -> None:
    assert_carried(await journey.ask(prompt=prompt), plane.issuer, error)


@pytest.mark.parametrize("age", ["-1", "soon", "1e9", "1" * 10])
async def test_max_age(plane: Plane, journey: Journey, age: str) -> None:
    assert_carried(await journey.ask(max_age=age), plane.issuer, "invalid_request", "max_age")


@pytest.mark.parametrize("jkt", ["x", "a" * 44, "!" * 43])
async def test_dpop_jkt(plane: Plane, journey: Journey, jkt: str) -> None:
    assert_carried(await journey.ask(dpop_jkt=jkt), plane.issuer, "invalid_request", "dpop_jkt")


async def test_sweep_takes_expired_requests(plane: Plane, journey: Journey) -> None:
    await journey.ask()
    await AuthorizationRequest.all().update(expires_at=clock.now())
    waiting = await journey.ask()
    await deciding.sweep("sandbox")
    assert await AuthorizationRequest.all().count() == 1
    assert waiting.status_code == 303
