"""Signing up, in and out; passwords; sessions; invitations. Errors stand at their fields, values are kept."""

import pytest

from tests.visitor import PASSWORD, Visitor


def test_mistakes_are_told_at_their_fields_and_what_was_typed_is_kept(visitor):
    page = visitor.open("/sign-up")
    page = visitor.submit(
        page, "/sign-up", expect=422, email="not an address", name="林小晴", password="short"
    )
    assert set(page.errors()) == {"email", "password"}
    assert dict(page.form("/sign-up").fields)["name"] == "林小晴"
    assert dict(page.form("/sign-up").fields)["password"] == ""
    summary = next(one for one in page.elements if one.attributes.get("role") == "alert")
    assert "2 处" in summary.text
    assert page.link("#field-email")
    invalid = [one for one in page.all("input") if one.attributes.get("aria-invalid") == "true"]
    assert {one.attributes["name"] for one in invalid} == {"email", "password"}
    for one in invalid:
        assert f"error-{one.attributes['name']}" in one.attributes["aria-describedby"]


def test_what_the_service_refuses_stands_at_its_field_in_the_readers_language(server):
    visitor = Visitor(server.url, language="en")
    page = visitor.open("/sign-up")
    page = visitor.submit(
        page, "/sign-up", expect=422, email=visitor.email, name="Lin", password="password12345"
    )
    assert "too common" in page.errors()["password"]


def test_nobody_learns_who_has_an_account(server, developer):
    other = Visitor(server.url)
    page = other.submit(
        other.open("/sign-up"), "/sign-up", email=developer.email, name="x", password=PASSWORD
    )
    assert page.url.endswith("/check-mail")
    known = other.submit(
        other.open("/sign-in"), "/sign-in", expect=401, email=developer.email, password="wrong word 1"
    )
    unknown = other.submit(
        other.open("/sign-in"), "/sign-in", expect=401, email=other.email, password="wrong word 1"
    )
    assert known.text == unknown.text


def test_a_link_works_once(visitor):
    visitor.submit(visitor.open("/sign-up"), "/sign-up", email=visitor.email, name="林", password=PASSWORD)
    link = visitor.newest_mail()
    page = visitor.open(link)
    visitor.submit(page, "/verify")
    spent = visitor.submit(visitor.open(link), "/verify", expect=410)
    assert "链接已失效" in spent.text


def test_opening_the_mailed_link_alone_uses_nothing_up(visitor):
    visitor.submit(visitor.open("/sign-up"), "/sign-up", email=visitor.email, name="林", password=PASSWORD)
    for _ in range(3):  # a mail scanner
        page = visitor.open(visitor.newest_mail())
    assert "登录" in visitor.submit(page, "/verify").text


@pytest.mark.parametrize(
    "address", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_sends_nobody_elsewhere(server, developer, address):
    somebody = Visitor(server.url)
    somebody.email = developer.email
    page = somebody.http.get("/sign-in", params={"next": address})
    assert 'name="next" value=""' in page.text


def test_signing_in_goes_on_to_where_it_was_asked(server, developer):
    somebody = Visitor(server.url)
    somebody.email = developer.email
    page = somebody.open("/apps/new?service=company%40v1")
    assert page.url.endswith("next=%2Fapps%2Fnew%3Fservice%3Dcompany%2540v1")
    page = somebody.submit(page, "/sign-in", email=somebody.email, password=PASSWORD)
    assert page.heading() == "新建沙箱应用"
    assert ("services", "company@v1") in page.form("/apps/new").fields


def test_signing_out_ends_the_session(developer):
    page = developer.submit(developer.open("/apps"), "/sign-out")
    assert "已退出" in page.text
    assert "/sign-in" in developer.open("/apps").url


def test_a_password_is_reset_by_a_mailed_link(developer):
    developer.submit(developer.open("/apps"), "/sign-out")
    page = developer.submit(developer.open("/reset"), "/reset", email=developer.email)
    assert "请查收邮件" in page.text
    page = developer.open(developer.newest_mail())
    page = developer.submit(page, "/reset", expect=422, password="short")
    assert "password" in page.errors()
    page = developer.submit(page, "/reset", password="另一句话 green door 8")
    page = developer.submit(page, "/sign-in", email=developer.email, password="另一句话 green door 8")
    assert page.url.endswith("/apps")


def test_the_account_changes_name_and_password_and_ends_sessions(server, developer):
    other = Visitor(server.url)
    other.email = developer.email
    other.sign_in()
    page = developer.open("/account")
    assert page.text.count("本次登录") == 1
    page = developer.submit(page, "/account", name="林晓晴", locale="en")
    assert "林晓晴" in page.source
    page = developer.submit(
        page,
        "/account/password",
        expect=422,
        current_password="wrong word 1",
        password="另一句话 green door 9",
    )
    assert "current_password" in page.errors()
    page = developer.submit(
        page, "/account/password", current_password=PASSWORD, password="另一句话 green door 9"
    )
    assert "密码已更改" in page.text
    assert "/sign-in" in other.open("/apps").url


def test_a_personal_token_is_shown_once_and_revoked(developer):
    page = developer.submit(developer.open("/account"), "/account/tokens", label="我的笔记本", days="90")
    token = page.with_class("secret")[0].text.strip()
    assert token.startswith("kp_")
    answer = developer.http.get(
        "/platform/v1/apps", headers={"Authorization": f"Bearer {token}", "Cookie": "", "Accept": "*/*"}
    )
    assert answer.status_code == 200
    page = developer.open("/account")
    assert page.with_class("secret") == []
    page = developer.submit(page, "/revoke")
    assert "令牌已撤销" in page.text


def test_a_company_invites_and_removes_members(server, developer):
    page = developer.submit(
        developer.open("/organisations/new"), "/organisations/new", expect=422, name_zh="海港银行", name_en="Harbour Bank", slug="Not a slug"
    )  # fmt: skip
    assert "slug" in page.errors()
    slug = "harbour-" + developer.email[1:9]
    page = developer.submit(page, "/organisations/new", slug=slug)
    colleague = Visitor(server.url)
    page = developer.submit(page, "/invitations", email=colleague.email, roles=["developer"])
    assert colleague.email in page.text
    joined = colleague.open(colleague.newest_mail())
    assert "海港银行" in joined.text
    joined = colleague.submit(joined, "/invitation", name="周明", password=PASSWORD)
    colleague.submit(joined, "/sign-in", password=PASSWORD)
    assert "海港银行" in colleague.open("/account").text
    page = developer.open(f"/organisations/{slug}")
    assert "周明" in page.text
    removals = [one.action for one in page.forms if one.action.endswith("/remove")]
    assert len(removals) == 2  # owners come first
    page = developer.submit(page, removals[-1])
    assert "周明" not in page.text
    assert "成员已移出" in page.text


def test_the_last_owner_stays(developer):
    slug = "lone-" + developer.email[1:9]
    page = developer.submit(
        developer.open("/organisations/new"), "/organisations/new", name_zh="独行", name_en="Lone", slug=slug
    )
    page = developer.submit(page, "/remove", expect=409)
    assert "接下来" in page.text
