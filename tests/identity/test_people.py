"""People over HTTP: signing up, in and out, passwords, sessions, tokens; what strangers learn, which is nothing."""

import asyncio

import pytest

from api.core import audit
from api.core.models import JournalEntry, OutboxMail
from api.identity.last_use import last_use
from api.identity.models import ActionLink, Membership, Organisation, Person, PersonalToken, Session
from tests.identity.conftest import PASSWORD, Platform

EMAIL = "zhang.wei@company.example"


async def test_a_person_signs_up_verifies_signs_in_and_out(platform: Platform) -> None:
    browser = platform.browser()
    body = {"email": "Li.Na@Company.Example", "password": PASSWORD, "name": "李娜", "locale": "zh"}
    answer = await browser.post("/sign-up", body)
    assert answer.status_code == 202
    assert "邮件" in answer.json()["message"]["zh"]
    assert answer.headers["cache-control"] == "no-store"

    assert (await browser.sign_in("li.na@company.example")).status_code == 401  # not verified yet
    mail = await platform.mail_to("li.na@company.example")
    assert mail.link.startswith("http://127.0.0.1:8000/verify?token=kk_")
    assert mail.link in mail.body
    verified = await browser.post("/verify-email", {"token": await platform.token_to(mail.recipient)})
    assert verified.status_code == 200
    person_id = verified.json()["person_id"]

    signed_in = await browser.sign_in(" LI.NA@company.example ")
    assert signed_in.status_code == 200
    cookie = signed_in.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie  # http on loopback
    me = (await browser.get("/me")).json()
    assert me["person"]["person_id"] == person_id
    assert me["grant"] == "session"
    assert me["csrf_token"] == browser.csrf
    assert [(one["kind"], one["roles"]) for one in me["organisations"]] == [("individual", ["owner"])]

    assert (await browser.post("/sign-out")).status_code == 204
    refused = await browser.get("/me")
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["www-authenticate"]
    assert await Session.filter(person_id=person_id).count() == 0


async def test_a_verify_link_works_once(platform: Platform) -> None:
    browser = platform.browser()
    await browser.post("/sign-up", {"email": "once@company.example", "password": PASSWORD, "name": "一次"})
    token = await platform.token_to("once@company.example")
    assert (await browser.post("/verify-email", {"token": token})).status_code == 200
    again = await browser.post("/verify-email", {"token": token})
    assert again.status_code == 410
    assert again.json()["type"].endswith("/problems/link-spent/")
    link = await ActionLink.filter(email="once@company.example").first()
    assert link is not None
    assert link.payload == {}  # the waiting password hash is gone
    for nonsense in ("", "kk_", "kk_" + "A" * 43, "日本", "\x00", "x" * 64):
        assert (await browser.post("/verify-email", {"token": nonsense})).status_code == 410


async def test_whoever_types_in_anothers_address_gains_nothing(platform: Platform) -> None:
    """Two sign-ups for one address, the attacker's first: the password of the opened link's own sign-up counts."""
    victim = "victim@company.example"
    browser = platform.browser()
    await browser.post("/sign-up", {"email": victim, "password": "the attacker chose this", "name": "攻击者"})
    attackers = await platform.token_to(victim)
    await browser.post("/sign-up", {"email": victim, "password": PASSWORD, "name": "受害者"})
    mine = await platform.token_to(victim)
    assert (await browser.post("/verify-email", {"token": mine})).json()["name"] == "受害者"
    assert (await browser.post("/verify-email", {"token": attackers})).status_code == 410
    assert (await browser.sign_in(victim, "the attacker chose this")).status_code == 401
    assert (await browser.sign_in(victim)).status_code == 200


async def test_nobody_learns_who_has_an_account(platform: Platform) -> None:
    known = (await platform.person()).email
    browser = platform.browser()
    body = {"password": PASSWORD, "name": "陌生人"}
    answers = [
        await browser.post("/sign-up", body | {"email": email})
        for email in (known, "unknown@company.example")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    assert (await platform.mail_to(known)).link.endswith("/sign-in")  # told in the mailbox only

    answers = [
        await browser.post("/password-reset", {"email": email}) for email in (known, "nobody@company.example")
    ]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content
    assert not await OutboxMail.filter(recipient="nobody@company.example").exists()

    answers = [
        await browser.sign_in(email, "a wrong password") for email in (known, "nobody@company.example")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    bodies = [
        {key: value for key, value in answer.json().items() if key not in {"request_id", "instance"}}
        for answer in answers
    ]
    assert bodies[0] == bodies[1]
    # the same work too: each sign-up and reset wrote one journal entry and one link
    assert await ActionLink.filter(kind="verify", email=known).count() == 1
    assert await ActionLink.filter(kind="reset", email="nobody@company.example").count() == 1


async def test_the_link_of_a_known_address_opens_nothing(platform: Platform) -> None:
    """A sign-up with a known address stores a link that was never sent; even its hash would make nobody."""
    known = (await platform.person()).email
    await platform.browser().post("/sign-up", {"email": known, "password": PASSWORD, "name": "又来"})
    link = await ActionLink.filter(kind="verify", email=known, used_at=None).first()
    assert link is not None
    assert link.payload["password_hash"] == ""


async def test_no_mailbox_is_flooded_through_us(platform: Platform) -> None:
    target = "flooded@company.example"
    for _ in range(8):
        browser = platform.browser()  # each from another address
        assert (
            await browser.post("/sign-up", {"email": target, "password": PASSWORD, "name": "轰炸"})
        ).status_code == 202
    assert await OutboxMail.filter(recipient=target).count() == 5


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"email": "no address"}, "/email"),
        ({"email": "a@b"}, "/email"),
        ({"email": "a\u0000b@company.example"}, "/email"),
        ({"email": "a@company.example\r\nBcc: x@y.example"}, "/email"),
        ({"password": "too short"}, "/password"),
        ({"password": "password1234"}, "/password"),
        ({"password": "zhang.wei@company.example"}, "/password"),
        ({"password": "zhangwei2024"}, "/password"),
        ({"password": "aaaaaaaaaaaaaa"}, "/password"),
        ({"password": "with a \u0000 control"}, "/password"),
        ({"name": ""}, "/name"),
        ({"name": "看这里 https://evil.example"}, "/name"),
        ({"name": "\u202egnorw"}, "/name"),
        ({"locale": "fr"}, "/locale"),
        ({"unknown": 1}, "/unknown"),
    ],
)
async def test_faulty_sign_ups_are_refused_with_a_pointer(
    platform: Platform, change: dict, pointer: str
) -> None:
    body = {"email": EMAIL, "password": PASSWORD, "name": "张伟"} | change
    answer = await platform.browser().post("/sign-up", body, headers={"Accept-Language": "zh"})
    assert answer.status_code == 400, answer.text
    problem = answer.json()
    assert problem["type"].endswith("/problems/input-invalid/")
    assert pointer in {error["pointer"] for error in problem["errors"]}
    assert not await OutboxMail.filter(recipient=EMAIL).exists()


async def test_an_internationalised_address_is_one_person_in_both_spellings(platform: Platform) -> None:
    browser = platform.browser()
    body = {"email": "用户@xn--fsqu00a.xn--fiqs8s", "password": PASSWORD, "name": "用户"}
    assert (await browser.post("/sign-up", body)).status_code == 202
    assert (
        await browser.post("/verify-email", {"token": await platform.token_to("用户@例子.中国")})
    ).status_code == 200
    assert (await browser.sign_in("用户@例子.中国")).status_code == 200
    assert (await browser.sign_in("用户@xn--fsqu00a.xn--fiqs8s")).status_code == 200


async def test_a_reset_ends_sessions_and_tokens_and_works_once(platform: Platform) -> None:
    person = await platform.person()
    made = await person.post("/tokens", {"label": "笔记本"})
    assert made.status_code == 201
    await platform.browser().post("/password-reset", {"email": person.email})
    token = await platform.token_to(person.email)
    other = platform.browser()
    weak = await other.post("/password-reset/confirm", {"token": token, "password": "1234567890"})
    assert weak.status_code == 400  # and the link is not used up by that
    changed = await other.post(
        "/password-reset/confirm", {"token": token, "password": "quite another secret"}
    )
    assert changed.status_code == 204
    assert (
        await other.post("/password-reset/confirm", {"token": token, "password": "and a third secret"})
    ).status_code == 410
    assert (await person.get("/me")).status_code == 401
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    assert (await other.get("/me", headers=headers)).status_code == 401
    assert (await other.sign_in(person.email)).status_code == 401
    assert (await other.sign_in(person.email, "quite another secret")).status_code == 200
    assert "更改" in (await platform.mail_to(person.email)).subject


async def test_changing_the_password_keeps_this_session_and_ends_the_others(platform: Platform) -> None:
    person = await platform.person()
    elsewhere = platform.browser()
    await elsewhere.sign_in(person.email)
    wrong = await person.post("/me/password", {"current_password": "not it", "password": "brand new secret"})
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["pointer"] == "/current_password"
    right = await person.post("/me/password", {"current_password": PASSWORD, "password": "brand new secret"})
    assert right.status_code == 204
    assert (await person.get("/me")).status_code == 200
    assert (await elsewhere.get("/me")).status_code == 401


async def test_name_and_language(platform: Platform) -> None:
    person = await platform.person()
    answer = await person.send("PATCH", "/me", {"name": "林 梅 ", "locale": "en"})
    assert answer.status_code == 200
    assert (answer.json()["name"], answer.json()["locale"]) == ("林 梅", "en")
    await platform.browser().post("/password-reset", {"email": person.email})
    assert (await platform.mail_to(person.email)).subject == "Reset your password"
    assert (await person.send("PATCH", "/me", {"name": "\u0007"})).status_code == 400


async def test_sessions_are_listed_and_ended(platform: Platform) -> None:
    person = await platform.person()
    others = [platform.browser() for _ in range(3)]
    for other in others:
        await other.sign_in(person.email)
    sessions = (await person.get("/sessions")).json()["items"]
    assert len(sessions) == 4
    assert [one["is_current"] for one in sessions].count(True) == 1
    strange = next(one for one in sessions if not one["is_current"])
    assert (await person.send("DELETE", f"/sessions/{strange['session_id']}")).status_code == 204
    assert (await person.send("DELETE", f"/sessions/{strange['session_id']}")).status_code == 404
    assert (await person.send("DELETE", "/sessions/ss_0")).status_code == 404
    assert (await person.send("DELETE", "/sessions")).json() == {"ended": 2}
    assert [(await other.get("/me")).status_code for other in others] == [401, 401, 401]
    assert (await person.get("/me")).status_code == 200

    stranger = await platform.person()
    mine = (await person.get("/sessions")).json()["items"][0]["session_id"]
    assert (await stranger.send("DELETE", f"/sessions/{mine}")).status_code == 404


async def test_personal_tokens(platform: Platform) -> None:
    person = await platform.person()
    made = await person.post("/tokens", {"label": "笔记本", "days": 30})
    assert made.status_code == 201
    token, token_id = made.json()["token"], made.json()["token_id"]
    assert made.headers["location"] == f"/platform/v1/tokens/{token_id}"
    assert token.startswith("kp_")
    assert token not in (await person.get("/tokens")).text

    shell = platform.browser()
    bearer = {"Authorization": f"Bearer {token}"}
    me = (await shell.get("/me", headers=bearer)).json()
    assert me["grant"] == "personal_token"
    assert me["csrf_token"] == ""
    changed = await shell.send("PATCH", "/me", {"name": "命令行"}, headers=bearer)  # no CSRF token needed
    assert changed.status_code == 200

    refused = await shell.post("/tokens", {"label": "more"}, headers=bearer)
    assert refused.status_code == 403
    assert refused.json()["type"].endswith("/problems/session-required/")
    assert (await person.get("/tokens")).json()["items"][0]["last_used_at"] is None
    assert await last_use.write() >= 1
    assert (await person.get("/tokens")).json()["items"][0]["last_used_at"] is not None

    assert (await shell.send("DELETE", f"/tokens/{token_id}", headers=bearer)).status_code == 204
    gone = await shell.get("/me", headers=bearer)
    assert gone.status_code == 401
    assert gone.json()["rule"] == "personal-token-invalid"


async def test_expired_and_foreign_tokens_open_nothing(platform: Platform) -> None:
    person = await platform.person()
    made = (await person.post("/tokens", {"label": "short", "days": 1})).json()
    row = await PersonalToken.get(id=made["token_id"])
    await PersonalToken.filter(id=row.id).update(expires_at=row.created_at)
    shell = platform.browser()
    for credential in (made["token"], "kp_", "kp_nonsense", "kp_" + "é" * 20, "nothing", ""):
        answer = await shell.get("/me", headers={b"Authorization": f"Bearer {credential}".encode("latin-1")})
        assert answer.status_code == 401, credential
    assert (await shell.get("/me", headers={"Authorization": "Basic dTpw"})).status_code == 401
    # a wrong bearer is refused even where a good cookie comes with it
    answer = await person.get("/me", headers={"Authorization": "Bearer kp_wrong"})
    assert answer.status_code == 401


async def test_no_more_than_twenty_tokens(platform: Platform) -> None:
    person = await platform.person()
    caller = await platform.caller(person)
    from api.identity.people import service as people

    results = await asyncio.gather(
        *(people.create_personal_token(caller, f"nr {number}") for number in range(24)),
        return_exceptions=True,
    )
    assert sum(1 for result in results if isinstance(result, tuple)) == 20
    assert await PersonalToken.filter(person_id=person.person_id).count() == 20


async def test_a_disabled_person_is_out_at_once(platform: Platform) -> None:
    administrator, person = await platform.administrator(), await platform.person()
    token = (await person.post("/tokens", {"label": "t"})).json()["token"]
    assert (await person.post(f"/people/{person.person_id}/disable")).status_code == 403
    answer = await administrator.post(f"/people/{person.person_id}/disable")
    assert answer.status_code == 200
    assert answer.json()["is_disabled"]
    assert (await person.get("/me")).status_code == 401
    assert (
        await platform.browser().get("/me", headers={"Authorization": f"Bearer {token}"})
    ).status_code == 401
    assert (await platform.browser().sign_in(person.email)).status_code == 401
    assert (await administrator.post(f"/people/{administrator.person_id}/disable")).status_code == 409
    assert (await administrator.post("/people/p_0/disable")).status_code == 404
    assert (await administrator.post(f"/people/{person.person_id}/enable")).status_code == 200
    assert (await person.sign_in(person.email)).status_code == 200


async def test_people_are_listed_in_pages_for_administrators(platform: Platform) -> None:
    administrator = await platform.administrator()
    for _ in range(3):
        await platform.person()
    assert (await (await platform.person()).get("/people")).status_code == 403
    seen, path = [], "/people?limit=2"
    for _ in range(100):
        page = await administrator.get(path)
        assert page.status_code == 200
        seen += [one["person_id"] for one in page.json()["items"]]
        if page.json()["next"] is None:
            assert "link" not in page.headers
            break
        assert page.headers["link"].endswith('rel="next"')
        path = page.headers["link"].partition(">")[0].removeprefix("</platform/v1")
    assert len(seen) == len(set(seen)) == await Person.all().count()
    for wrong in ("x", "AAAA", "%00", "LTE.x"):
        assert (await administrator.get(f"/people?cursor={wrong}")).status_code == 400
    assert (await administrator.get("/people?limit=0")).status_code == 400
    assert (await administrator.get("/people?limit=101")).status_code == 400


async def test_the_journal_holds_every_change_and_no_personal_data(platform: Platform) -> None:
    person = await platform.person("journal.test@company.example", name="日志里没有我")
    await person.post("/tokens", {"label": "标签里没有我"})
    await person.send("PATCH", "/me", {"locale": "en"})
    rows = await JournalEntry.filter(subject=f"person/{person.person_id}").order_by("sequence")
    assert [row.action for row in rows] == ["person:verify", "session:open", "token:create", "person:update"]
    for row in await JournalEntry.all():
        for text in ("company.example", "日志里没有我", "标签里没有我", PASSWORD, "argon2"):
            assert text not in row.detail + row.subject + row.actor
    assert (await audit.verify())[1] is None


async def test_nothing_is_left_of_a_person_whose_sign_up_fails(platform: Platform) -> None:
    before = await Person.all().count(), await Organisation.all().count(), await Membership.all().count()
    assert (await platform.browser().post("/verify-email", {"token": "kk_nothing"})).status_code == 410
    assert before == (
        await Person.all().count(),
        await Organisation.all().count(),
        await Membership.all().count(),
    )
