"""Two-factor authentication in the portal, without scripts: setting it up, the second step, confirming, resetting."""

import re

import httpx

from tests.authenticator import Authenticator
from tests.server import Installation, RunningServer
from tests.visitor import PASSWORD, Visitor, administrator


def test_a_person_sets_two_factor_authentication_up(server: RunningServer) -> None:
    person = Visitor(server.url, language="en").sign_up()
    page = person.open("/account")
    page = person.open(page.link("/account/security"))
    assert "Two-factor authentication is off" in page.text
    page = person.submit(page, "/account/security/totp")
    assert page.url.endswith("/account/security/totp")
    assert page.all("svg")
    app = Authenticator("".join(page.with_class("secret")[0].text.split()))
    wrong = person.submit(page, "/totp/confirm", code="000000", expect=422)
    assert "six digits" in wrong.errors()["code"]
    page = person.submit(wrong, "/totp/confirm", code=app.code())
    codes = page.with_class("codes")[0].text.split()
    assert len(codes) == 10
    assert person.open("/account/security/recovery").url.endswith("/account/security"), "they are shown once"
    assert "Two-factor authentication is on" in person.open("/account/security").text

    other = Visitor(server.url, language="en")
    page = other.submit(
        other.open("/sign-in?next=/requests"), "/sign-in", email=person.email, password=PASSWORD
    )
    assert page.heading() == "Second step"
    assert other.open("/account", expect=200).heading() == "Sign in", "the password alone opens nothing"
    page = other.open("/sign-in/step?next=/requests")
    refused = other.submit(page, "/sign-in/step", code="000000", expect=401)
    assert "not right" in refused.text
    page = other.submit(refused, "/sign-in/step", code=codes[0])
    assert page.url.endswith("/requests")
    assert other.open("/sign-in/step").url.endswith("/apps"), "the ticket is spent, and one is signed in"


def test_the_second_step_needs_the_first(server: RunningServer) -> None:
    stranger = Visitor(server.url, language="en")
    assert stranger.open("/sign-in/step").url.endswith("/sign-in")
    stranger.http.cookies.set("kaimen_step", "intl." + "00" * 60)
    assert stranger.open("/sign-in/step").url.endswith("/sign-in")


def test_administering_leads_to_setting_it_up_and_back(
    installation: Installation, server: RunningServer
) -> None:
    link = installation.json("admin", "invite")["link"]
    person = Visitor(server.url, language="en")
    page = person.submit(
        person.open(link), "/invitation", email=person.email, name="Somebody", password=PASSWORD
    )
    person.submit(page, "/sign-in", password=PASSWORD)
    page = person.open("/administration")
    assert page.heading() == "Sign-in and security"
    assert "Your roles need two-factor authentication" in page.text
    refused = person.ask("GET", "/platform/v1/people")
    assert (refused.status_code, refused.json()["rule"]) == (403, "mfa-required")
    assert "/account/security" in refused.json()["next"]
    person.set_up_factor()
    page = person.open("/account/security")
    assert person.open(page.link("/administration")).heading() == "Administration"
    # a session from before, which never showed the factor, is asked to
    older = Visitor(server.url, language="en")
    older.email, older.authenticator = person.email, person.authenticator
    older.sign_in()
    assert older.open("/administration").heading() == "Administration"


def test_a_token_carries_what_its_session_showed(installation: Installation, server: RunningServer) -> None:
    link = installation.json("admin", "invite")["link"]
    person = Visitor(server.url)
    page = person.submit(person.open(link), "/invitation", email=person.email, name="某人", password=PASSWORD)
    person.submit(page, "/sign-in", password=PASSWORD)
    before = person.api("POST", "/platform/v1/tokens", label="before")["token"]
    person.set_up_factor()
    after = person.api("POST", "/platform/v1/tokens", label="after")["token"]
    for token, status in ((before, 403), (after, 200)):
        headers = {"Authorization": f"Bearer {token}"}
        assert httpx.get(server.url + "/platform/v1/people", headers=headers).status_code == status


def test_an_administrator_resets_somebody_who_is_locked_out(
    installation: Installation, server: RunningServer
) -> None:
    first = administrator(installation, server.url)
    lost = Visitor(server.url, language="en").sign_up().set_up_factor()
    page = first.open("/administration/people")
    person_id = lost.ask("GET", "/platform/v1/me").json()["person"]["person_id"]
    refused = first.submit(page, f"/{person_id}/reset", reason="", expect=422)
    assert refused.has_form(f"/{person_id}/reset")
    page = first.submit(refused, f"/{person_id}/reset", reason="Lost the phone, seen in person")
    assert "is reset" in " ".join(one.text for one in page.with_class("note"))
    lost.authenticator = None
    assert lost.sign_in().url.endswith("/apps")
    own = first.ask("GET", "/platform/v1/me").json()["person"]["person_id"]
    assert not first.open("/administration/people").has_form(f"/{own}/reset")


def test_removing_the_last_factor_ends_what_it_allowed(
    installation: Installation, server: RunningServer
) -> None:
    person = administrator(installation, server.url)
    page = person.submit(person.open("/account/security"), "/account/security/totp/remove")
    assert "Two-factor authentication is off" in page.text
    assert person.open("/administration").heading() == "Sign-in and security"


def test_the_qr_code_holds_no_markup_of_the_address(server: RunningServer) -> None:
    person = Visitor(server.url).sign_up('<b>"Lin"</b>'.replace("<b>", "B ").replace("</b>", " B"))
    page = person.submit(person.open("/account/security"), "/account/security/totp")
    drawn = re.search(r'<a class="qr".*?</a>', page.source, re.DOTALL)
    assert drawn
    assert "<svg" in drawn[0]
    assert "style=" not in drawn[0], "the content security policy forbids inline styles"


def test_an_administrator_sets_an_identity_provider_up(
    installation: Installation, server: RunningServer
) -> None:
    person = administrator(installation, server.url)
    page = person.open("/administration/providers/new")
    values = {
        "name_zh": "省级单位", "name_en": "Provincial office", "slug": "office", "audience": "staff",
        "issuer": "https://login.office.example", "client_id": "kaimen", "client_secret": "not for anybody",
    }  # fmt: skip
    refused = person.submit(page, "/new", **values, mapping="groups | tax | tax", expect=422)
    assert "Line 1" in refused.errors()["mapping"]
    refused = person.submit(page, "/new", **values, mapping="groups | tax | nobody | publisher", expect=422)
    assert "no such organisation" in refused.errors()["mapping"]
    page = person.submit(
        page,
        "/new",
        **values,
        mapping="groups | tax-staff | tax | publisher, viewer\n",
        assurance="loa:2 = high",
    )
    assert "/sign-in/outside/office/callback" in page.text
    assert "not for anybody" not in page.source
    assert person.submit(page, page.url.rpartition("/")[2], is_enabled=None).status == 200
    assert not [
        one
        for one in Visitor(server.url).open("/sign-in").all("a")
        if "outside/office" in one.attributes["href"]
    ]
    page = person.open(page.url)
    assert "publisher, viewer" in page.source
    assert "loa:2 = high" in page.source
    page = person.submit(page, "/remove")
    assert "Provincial office" not in page.text


def test_a_provider_that_is_away_is_explained(installation: Installation, server: RunningServer) -> None:
    head = administrator(installation, server.url)
    head.api(
        "POST", "/platform/v1/outside-providers", slug="away", audience="staff", issuer="https://127.0.0.1:1",
        name_zh="远方", name_en="Away", client_id="c", client_secret="s",
    )  # fmt: skip
    page = Visitor(server.url, language="en").open("/sign-in/outside/away", expect=502)
    assert "does not answer" in page.text
    assert "sign in another way" in page.text
    assert Visitor(server.url).open("/sign-in/outside/nobody", expect=404).status == 404
