"""Passkeys in a real browser, with Chromium's virtual authenticator: adding, signing in, confirming, removing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright import sync_api

from tests.portal.test_browser import open_tab
from tests.server import RunningServer
from tests.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def playwright() -> Iterator[object]:
    with sync_api.sync_playwright() as running:
        yield running


@pytest.fixture
def local_server(server: RunningServer) -> RunningServer:
    """The server by name: WebAuthn knows no addresses as relying parties."""
    return RunningServer(server.process, server.url.replace("127.0.0.1", "localhost"), server.log_path)


@contextmanager
def browser(playwright: Any, server: RunningServer, folder: Path) -> Iterator[Any]:
    """A tab that complained of nothing but refused sign-ins, and asked nobody else."""
    context, tab = open_tab(playwright, server, folder, "en-GB")
    try:
        yield tab
    finally:
        context.close()
    assert [text for text in tab.complaints if "status of 401" not in text] == []
    assert tab.foreign == []


def authenticator(tab: Any, *, is_resident: bool, verifies: bool) -> tuple[Any, str]:
    """A virtual authenticator in this tab, and the session to speak with it."""
    session = tab.page.context.new_cdp_session(tab.page)
    session.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2", "transport": "internal" if verifies else "usb", "hasResidentKey": is_resident,
        "hasUserVerification": verifies, "isUserVerified": verifies, "automaticPresenceSimulation": True,
    }  # fmt: skip
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, made["authenticatorId"]


def sign_in(tab: Any, url: str, email: str) -> None:
    tab.page.goto(url + "/sign-in")
    tab.page.fill("#field-email", email)
    tab.page.fill("#field-password", PASSWORD)
    tab.page.click("main form[action='/sign-in'] button.primary")


def add_passkey(tab: Any, url: str, label: str) -> None:
    tab.page.goto(url + "/account/security")
    tab.page.fill("#field-label", label)
    tab.page.click("form[data-passkey=create] button")


def test_a_resident_passkey_signs_in_alone(
    playwright: Any, server: RunningServer, local_server: RunningServer, tmp_path: Path
) -> None:
    person = Visitor(server.url, language="en").sign_up()
    with browser(playwright, local_server, tmp_path / "profile") as tab:
        session, device = authenticator(tab, is_resident=True, verifies=True)
        sign_in(tab, local_server.url, person.email)
        add_passkey(tab, local_server.url, "Office computer")
        tab.page.wait_for_url("**/account/security/recovery")
        assert len(tab.page.inner_text(".codes").split()) == 10
        tab.page.goto(local_server.url + "/account/security")
        assert "Office computer" in tab.page.inner_text("main")
        tab.page.click("header form button")
        tab.page.goto(local_server.url + "/sign-in?next=/requests")
        tab.page.click("form[data-passkey=get] button")
        tab.page.wait_for_url(local_server.url + "/requests")
        held = session.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
        assert len(held) == 1
        assert held[0]["signCount"] >= 1
        tab.page.goto(local_server.url + "/account/security")
        assert "This session has shown a second factor" in tab.page.inner_text("main")
        tab.page.click("text=Remove >> nth=0")
        tab.page.wait_for_selector("text=The passkey is removed")
        tab.page.click("header form button")
        tab.page.goto(local_server.url + "/sign-in")
        tab.page.click("form[data-passkey=get] button")
        tab.page.wait_for_selector("[role=alert]:not([hidden])")
        assert "/sign-in" in tab.page.url


def test_a_security_key_is_the_second_step(
    playwright: Any, server: RunningServer, local_server: RunningServer, tmp_path: Path
) -> None:
    person = Visitor(server.url, language="en").sign_up()
    with browser(playwright, local_server, tmp_path / "profile") as tab:
        authenticator(tab, is_resident=False, verifies=False)
        sign_in(tab, local_server.url, person.email)
        add_passkey(tab, local_server.url, "Key")
        tab.page.wait_for_url("**/account/security/recovery")
        tab.page.click("header form button")
        sign_in(tab, local_server.url, person.email)
        tab.page.wait_for_url("**/sign-in/step*")
        tab.page.click("form[data-passkey=get] button")
        tab.page.wait_for_url(local_server.url + "/apps")
        tab.page.goto(local_server.url + "/account/security/confirm?next=/account/security")
        tab.page.click("form[data-passkey=get] button")
        tab.page.wait_for_selector("text=This session has shown a second factor")
        assert tab.page.url == local_server.url + "/account/security"


def test_a_browser_that_gives_up_is_told(
    playwright: Any, server: RunningServer, local_server: RunningServer, tmp_path: Path
) -> None:
    with browser(playwright, local_server, tmp_path / "profile") as tab:
        session, device = authenticator(tab, is_resident=True, verifies=True)
        session.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
        tab.page.goto(local_server.url + "/sign-in")
        tab.page.click("form[data-passkey=get] button")
        tab.page.wait_for_selector("[data-passkey-failed]:not([hidden])")
        assert tab.page.is_enabled("form[data-passkey=get] button")


def test_without_a_script_the_page_says_so(local_server: RunningServer) -> None:
    page = Visitor(local_server.url, language="en").open("/sign-in")
    assert "No passkeys here" in page.text
    refused = Visitor(local_server.url, language="en")
    page = refused.submit(refused.open("/sign-in"), "/sign-in/passkey", expect=401)
    assert "The passkey is not accepted" in page.text
