"""Second factors over the platform API: authenticator app, recovery codes, confirming, the limit, another's reset."""

import asyncio
from datetime import timedelta

import pytest

from api.core import audit, clock
from api.core.models import JournalEntry
from api.identity.models import Person, Session
from api.identity.people import service as people
from api.identity.security import factors, recovery, totp
from api.identity.security.models import Totp
from tests.authenticator import Authenticator
from tests.identity.authenticating import with_app
from tests.identity.conftest import PASSWORD, Browser, Platform
from tests.identity.test_races import RACERS, race


def test_the_codes_are_those_of_the_rfc() -> None:
    """RFC 6238, appendix B, cut to six digits."""
    secret = b"12345678901234567890"
    for seconds, code in (
        (59, "287082"),
        (1111111109, "081804"),
        (1234567890, "005924"),
        (20000000000, "353130"),
    ):
        assert totp.code_of(secret, totp.step_at(seconds)) == code
        assert totp.step_of(secret, code, seconds) == totp.step_at(seconds)
        assert totp.step_of(secret, code, seconds + 90) is None


async def test_an_app_is_added_and_asked_for(platform: Platform) -> None:
    browser = await platform.person()
    begun = (await browser.post("/me/totp")).json()
    assert begun["address"].startswith("otpauth://totp/Kaimen%20")
    assert begun["secret"] in begun["address"]
    row = await Totp.get(person_id=browser.person_id)
    assert begun["secret"] not in row.secret
    wrong = await browser.post("/me/totp/confirm", {"code": "000000"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (400, "/code")
    app = Authenticator(begun["secret"])
    codes = (await browser.post("/me/totp/confirm", {"code": app.code()})).json()["recovery_codes"]
    assert len(set(codes)) == recovery.COUNT
    app.recovery_codes = list(codes)
    assert "身份验证器" in (await platform.mail_to(browser.email)).subject

    other = platform.browser()
    asked = await other.sign_in(browser.email)
    assert (asked.status_code, asked.json()["rule"]) == (401, "second-factor-required")
    assert asked.json()["methods"] == ["totp", "recovery"]
    assert not other.http.cookies
    signed_in = await other.post(
        "/sign-in", {"email": browser.email, "password": PASSWORD, "code": app.code()}
    )
    assert signed_in.status_code == 200
    assert (await other.get("/me/security")).json()["session_has_mfa"]
    wrong_password = await other.post(
        "/sign-in", {"email": browser.email, "password": "wrong words", "code": app.code()}
    )
    assert wrong_password.json()["rule"] == "sign-in-failed"


async def test_a_code_is_accepted_once(platform: Platform) -> None:
    browser = await platform.person()
    app = await with_app(browser)
    code = app.code()
    body = {"email": browser.email, "password": PASSWORD, "code": code}
    assert (await platform.browser().post("/sign-in", body)).status_code == 200
    again = await platform.browser().post("/sign-in", body)
    assert (again.status_code, again.json()["rule"]) == (401, "code-used")
    older = app.code_of_step(app.last_step - 1)
    assert (await platform.browser().post("/sign-in", body | {"code": older})).status_code == 401


async def test_of_eight_who_show_one_code_one_is_let_in(platform: Platform) -> None:
    browser = await platform.person()
    app = await with_app(browser)
    code = app.code()
    won, lost = await race(*[lambda: factors.show_code(browser.person_id, code)] * RACERS)
    assert won == ["totp"]
    assert lost == ["code-used"] * (RACERS - 1)
    spare = app.recovery_codes[0]
    won, lost = await race(*[lambda: factors.show_code(browser.person_id, spare)] * RACERS)
    assert won == ["recovery"]
    assert len(lost) == RACERS - 1


async def test_the_step_is_a_compare_and_set_without_the_journals_lock(platform: Platform) -> None:
    """The update alone decides: raced outside of `audit.write`, whose lock would hide a weaker rule."""
    browser = await platform.person()
    app = await with_app(browser)
    row = await Totp.get(person_id=browser.person_id)
    code = app.code()
    outcomes = await asyncio.gather(*(factors.accept_step(row, code) for _ in range(RACERS)))
    assert sorted(outcomes) == [""] + ["code-used"] * (RACERS - 1)


async def test_a_recovery_code_works_once_however_it_is_typed(platform: Platform) -> None:
    browser = await platform.person()
    app = await with_app(browser)
    code = app.recovery_codes[3]
    typed = f"  {code.upper().replace('-', ' ')} "
    body = {"email": browser.email, "password": PASSWORD, "code": typed}
    assert (await platform.browser().post("/sign-in", body)).status_code == 200
    mail = await platform.mail_to(browser.email)
    assert "恢复码" in mail.subject
    assert "9" in mail.body
    assert (await platform.browser().post("/sign-in", body | {"code": code})).status_code == 401
    assert (await browser.get("/me/security")).json()["recovery_codes_left"] == recovery.COUNT - 1
    fresh = (await browser.post("/me/recovery-codes")).json()["recovery_codes"]
    assert not set(fresh) & set(app.recovery_codes)
    assert (
        await platform.browser().post("/sign-in", body | {"code": app.recovery_codes[5]})
    ).status_code == 401
    assert (await platform.browser().post("/sign-in", body | {"code": fresh[0]})).status_code == 200


@pytest.mark.parametrize(
    "code", ["", "1", "12345a", "１２３４５６", "\u0000" * 6, "o" * 40, "0000-0000-0000-0000"]
)
async def test_what_is_no_code_opens_nothing(platform: Platform, code: str) -> None:
    browser = await platform.person()
    await with_app(browser)
    answer = await platform.browser().post(
        "/sign-in", {"email": browser.email, "password": PASSWORD, "code": code}
    )
    assert answer.status_code == 401


async def test_after_five_wrong_codes_none_is_looked_at(platform: Platform) -> None:
    browser = await platform.person()
    app = await with_app(browser)
    wrong = [lambda: factors.show_code(browser.person_id, "000000")] * RACERS
    won, lost = await race(*wrong)
    assert won == []
    assert sorted(set(lost)) == ["code-wrong", "second-factor-blocked"]
    assert lost.count("code-wrong") == factors.MAX_FAILURES - 1
    assert "代码错误" in (await platform.mail_to(browser.email)).subject.replace("验证码连续错误", "代码错误")
    body = {"email": browser.email, "password": PASSWORD, "code": app.code()}
    blocked = await platform.browser().post("/sign-in", body)
    assert (blocked.status_code, blocked.json()["rule"]) == (429, "second-factor-blocked")
    assert 800 < int(blocked.headers["retry-after"]) <= 901
    async with audit.write("system:tests", "time:passes", "person"):
        await Person.filter(id=browser.person_id).update(
            factors_blocked_until=clock.now() - timedelta(seconds=1)
        )
    assert (await platform.browser().post("/sign-in", body | {"code": app.code()})).status_code == 200
    assert (await Person.get(id=browser.person_id)).factor_failures == 0


# --- confirming -----------------------------------------------------------------------------------
async def grow_old(browser: Browser) -> None:
    """A quarter of an hour passes for this person's sessions."""
    then = clock.now() - timedelta(minutes=16)
    async with audit.write("system:tests", "time:passes", "session"):
        await Session.filter(person_id=browser.person_id, mfa_at__not_isnull=True).update(mfa_at=then)
        await Session.filter(person_id=browser.person_id).update(proven_at=then)


async def test_changes_need_a_fresh_confirmation(platform: Platform) -> None:
    browser = await platform.person()
    await grow_old(browser)
    refused = await browser.post("/me/totp")
    assert (refused.status_code, refused.json()["rule"]) == (403, "confirmation-required")
    assert "/account/security/confirm" in refused.json()["next"]
    assert (await browser.post("/me/confirm", {"password": "wrong words"})).status_code == 400
    assert (await browser.post("/me/confirm", {"password": PASSWORD})).status_code == 200
    app = await with_app(browser)
    await grow_old(browser)
    for method, path in (
        ("DELETE", "/me/totp"),
        ("POST", "/me/recovery-codes"),
        ("POST", "/me/passkeys/options"),
    ):
        assert (await browser.send(method, path)).json()["rule"] == "confirmation-required"
    assert (await browser.post("/me/confirm", {"password": PASSWORD})).status_code == 401, (
        "a password is no factor"
    )
    assert (await browser.post("/me/confirm", {"code": app.code()})).status_code == 200
    assert (await browser.send("DELETE", "/me/totp")).status_code == 204


async def test_with_the_last_factor_goes_what_was_shown(platform: Platform) -> None:
    browser = await platform.person()
    await with_app(browser)
    made = (await browser.post("/tokens", {"label": "laptop"})).json()
    assert (await browser.send("DELETE", "/me/totp")).status_code == 204
    state = (await browser.get("/me/security")).json()
    assert (state["session_has_mfa"], state["has_totp"], state["recovery_codes_left"]) == (False, False, 0)
    caller = await people.caller_of_personal_token(made["token"])
    assert caller is not None
    assert (await platform.browser().sign_in(browser.email)).status_code == 200


async def test_a_token_cannot_touch_factors(platform: Platform) -> None:
    browser = await platform.person()
    token = (await browser.post("/tokens", {"label": "laptop"})).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    for method, path in (
        ("GET", "/me/security"),
        ("POST", "/me/totp"),
        ("DELETE", "/me/totp"),
        ("POST", "/me/passkeys/options"),
    ):
        answer = await platform.browser().send(method, path, headers=headers)
        assert (answer.status_code, answer.json()["rule"]) == (403, "session-required")


# --- another administrator's reset ----------------------------------------------------------------
async def test_another_administrator_resets_a_locked_out_person(platform: Platform) -> None:
    administrator, browser = await platform.administrator(), await platform.person()
    app = await with_app(browser)
    path = f"/people/{browser.person_id}/reset-security"
    assert (await browser.post(path, {"reason": "let me in please"})).status_code == 403
    own = await administrator.post(
        f"/people/{administrator.person_id}/reset-security", {"reason": "lost my phone"}
    )
    assert (own.status_code, own.json()["rule"]) == (409, "reset-self")
    assert (await administrator.post(path, {"reason": ""})).status_code == 400
    assert (await administrator.post(path, {"reason": "lost phone, seen in person"})).status_code == 200
    assert (await browser.get("/me/security")).status_code == 401, "its sessions have ended"
    assert "重置" in (await platform.mail_to(browser.email)).subject
    entry = await JournalEntry.filter(
        action="person:reset-factors", subject=f"person/{browser.person_id}"
    ).first()
    assert entry is not None
    assert entry.actor == f"person:{administrator.person_id}"
    assert "seen in person" in entry.detail
    assert (
        await platform.browser().post(
            "/sign-in", {"email": browser.email, "password": PASSWORD, "code": app.code()}
        )
    ).status_code == 200
    again = platform.browser()
    assert (await again.sign_in(browser.email)).status_code == 200
    await with_app(again)
