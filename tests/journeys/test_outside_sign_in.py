"""A civil servant and a citizen sign in through the city's identity provider, and are out when shut out there."""

import time
from typing import Any

from tests.page import Page
from tests.server import Installation, RunningServer
from tests.visitor import Visitor, administrator


def choose(visitor: Visitor, page: Page, account: str, level: str) -> Page:
    """Sign in at the provider as this account; the browser comes back to where it began."""
    form = page.form("/city/identity/authorize")
    offered = {one.attributes["value"] for one in form.buttons}
    assert account in offered, sorted(offered)
    fields = dict(form.fields) | {"account": account, "level": level}
    origin = page.url.partition("/city/")[0]
    return Page(
        visitor.http.post(f"{origin}/city/identity/authorize", data=fields, headers={"Origin": origin})
    )


def start_at(visitor: Visitor, next_: str) -> Page:
    """From the button on the sign-in page to the provider's page."""
    page = visitor.open(f"/sign-in?next={next_}")
    page = visitor.open(page.link("/sign-in/outside/city-staff"))
    assert "/city/identity/authorize" in page.url
    return page


def roles_of(me: dict[str, Any], slug: str) -> list[str]:
    return next(one["roles"] for one in me["organisations"] if one["slug"] == slug)


def test_a_civil_servant_signs_in_and_is_out_when_shut_out(
    installation: Installation, sandbox: RunningServer
) -> None:
    servant = Visitor(sandbox.url, language="en")
    page = choose(servant, start_at(servant, "/approvals"), "tax-approver", "substantial")
    assert page.url == sandbox.url + "/approvals"
    me = servant.ask("GET", "/platform/v1/me").json()
    assert roles_of(me, "tax") == ["approver"]
    assert servant.ask("GET", "/platform/v1/me/security").json()["session_has_mfa"], "amr says otp"
    token = servant.api("POST", "/platform/v1/tokens", label="laptop")["token"]

    head = administrator(installation, sandbox.url)
    began = time.monotonic()
    head.api("PUT", "/platform/v1/sandbox/identity-accounts/tax-approver", is_disabled=True)
    while servant.ask("GET", "/platform/v1/sessions").status_code == 200 and time.monotonic() - began < 60:
        time.sleep(0.5)
    assert servant.ask("GET", "/platform/v1/sessions").status_code == 401
    headers = {"Authorization": f"Bearer {token}"}
    stranger = Visitor(sandbox.url)
    assert stranger.http.get("/platform/v1/me", headers=headers).status_code == 401
    again = Visitor(sandbox.url, language="en")
    page = start_at(again, "/approvals")
    form = page.form("/city/identity/authorize")
    assert "tax-approver" not in {one.attributes["value"] for one in form.buttons}
    fields = dict(form.fields) | {"account": "tax-approver", "level": "high"}
    refused = Page(again.http.post("/city/identity/authorize", data=fields, headers={"Origin": sandbox.url}))
    assert refused.status == 401
    assert "did not confirm" in refused.text
    head.api("PUT", "/platform/v1/sandbox/identity-accounts/tax-approver", is_disabled=False)
    assert (
        choose(again, start_at(again, "/approvals"), "tax-approver", "low").url == sandbox.url + "/approvals"
    )
    assert not again.ask("GET", "/platform/v1/me/security").json()["session_has_mfa"], (
        "a password is no second factor"
    )


def test_an_answer_in_another_browser_opens_nothing(sandbox: RunningServer) -> None:
    victim, thief = Visitor(sandbox.url, language="en"), Visitor(sandbox.url, language="en")
    form = start_at(thief, "/apps").form("/city/identity/authorize")
    fields = dict(form.fields) | {"account": "post-publisher", "level": "low"}
    answer = thief.http.post(
        "/city/identity/authorize", data=fields, headers={"Origin": sandbox.url}, follow_redirects=False
    )
    page = Page(victim.http.get(answer.headers["location"]))
    assert page.status == 401
    assert "did not begin" in page.text
    assert victim.http.get("/platform/v1/me", headers={"Accept": "application/json"}).status_code == 401


def test_a_citizen_signs_in_on_the_live_plane(sandbox: RunningServer, live: RunningServer) -> None:
    citizen = Visitor(live.url, language="en")
    page = citizen.open("/consents")
    page = citizen.open(page.link("/consents/outside/city-citizens"))
    page = choose(citizen, page, "lin-xi", "high")
    assert page.url == live.url + "/consents"
    assert "c_" in page.text
    assert citizen.http.get(f"{sandbox.url}/consents/outside/city-citizens").status_code == 404, (
        "the sandbox has personas"
    )


def test_the_citys_provider_refuses_what_a_provider_refuses(sandbox: RunningServer) -> None:
    visitor = Visitor(sandbox.url, language="en")
    start = start_at(visitor, "/apps")
    asked = dict(start.form("/city/identity/authorize").fields)
    for change in (
        {"redirect_uri": "https://evil.example/cb"},
        {"client_id": "nobody"},
        {"state": "a\u0000b"},
    ):
        page = Page(visitor.http.get("/city/identity/authorize", params=asked | change))
        assert page.status == 400
        assert "location" not in page.answer.headers
    for change, error in (
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "profile"}, "invalid_scope"),
    ):
        answer = visitor.http.get("/city/identity/authorize", params=asked | change, follow_redirects=False)
        assert f"error={error}" in answer.headers["location"]
    token = visitor.http.post("/city/identity/token", data={"grant_type": "authorization_code", "code": "x"})
    assert (token.status_code, token.json()["error"]) == (401, "invalid_client")
    assert (
        visitor.http.get("/city/identity/userinfo", headers={"Authorization": "Bearer x"}).status_code == 401
    )
