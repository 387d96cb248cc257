"""The pages for citizens: signing in, deciding, consents, mandates, devices; without JavaScript, over HTTP."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.page import Page
from tests.portal.asking import (  # fmt: skip
    CLINIC,
    HENGZHU,
    MANSHAN,
    TAX,
    App,
    answer_of,
    choices_of,
    decide,
    make_app,
    sign_in,
)
from tests.server import Installation, RunningServer
from tests.visitor import Visitor

PAID = f"/api/tax/v1/taxpayers/{MANSHAN}/tax-paid"


@pytest.fixture(scope="module")
def clinic(installation: Installation, server: RunningServer) -> str:
    """A service about persons, with a field of health, published in the sandbox."""
    contract = __file__.replace("test_consent_pages.py", "clinic.yaml")
    installation.command("contract", "import", contract, "--owner", "market-regulation")
    installation.command("contract", "publish", "clinic@v1", "--environment", "sandbox")
    return "clinic@v1"


@pytest.fixture(scope="module")
def bank(server: RunningServer) -> App:
    return make_app(Visitor(server.url).sign_up(), "tax@v1", **{"purpose:tax@v1": "bank-credit"})


@pytest.fixture(scope="module")
def school(server: RunningServer, clinic: str) -> App:
    developer = Visitor(server.url).sign_up()
    return make_app(developer, clinic, name="样例小学", **{f"purpose:{clinic}": "school-entry"})


@pytest.fixture
def citizen(server: RunningServer) -> Visitor:
    return Visitor(server.url)


def consent_page(app: App, citizen: Visitor, name: str = "林溪", *, expect: int = 200, **changes) -> Page:
    return sign_in(citizen, app.send(citizen, **changes), name, expect=expect)


def first_consent(citizen: Visitor) -> str:
    """The address of the newest consent of who is signed in."""
    found = re.search(r'href="(/consents/g_\w+)"', citizen.open("/consents").source)
    assert found
    return found.group(1)


def ticks(page: Page) -> list[str]:
    return [one.attributes["value"] for one in page.all("input") if one.attributes.get("type") == "checkbox" and "checked" in one.attributes]  # fmt: skip


# --- who are you -------------------------------------------------------------------------------
def test_people_are_offered_with_what_they_may_speak_for(bank, citizen):
    page = bank.send(citizen)
    assert page.heading() == "你是谁？"
    assert "开门满山（样例）茶业有限公司的法定代表人" in page.text
    assert "不满 14 周岁，由监护人林溪、陈航决定" in page.text
    assert "企业已吊销或注销" in page.text
    assert "授权已过期" in page.text


def test_search_narrows_and_says_when_nobody_is_found(citizen):
    page = citizen.open("/consents")
    found = citizen.submit(page, "/consents", q="阿依努尔")
    assert "阿依努尔·买买提" in found.text
    assert "林溪" not in found.text
    nobody = citizen.submit(page, "/consents", q="Nobody At All")
    assert "没有叫这个名字的市民" in nobody.text


def test_a_person_whom_the_city_does_not_know_is_refused(citizen):
    page = citizen.open("/consents")
    citizen.submit(page, "/consents/sign-in", add=[("subject", "c_nobody")], expect=404)


def test_the_app_may_say_whom_it_expects(bank, citizen):
    page = bank.send(citizen, login_hint="欧阳")
    assert "林溪" not in page.text
    unknown = bank.send(citizen, login_hint="somebody@example.org")
    assert "林溪" in unknown.text


def test_signing_in_goes_on_to_our_own_pages_only(citizen):
    page = citizen.open("/consents")
    form = page.form("/consents/sign-in")
    subject = form.buttons[0].attributes["value"]
    for address in ("https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"):
        fields = dict(form.fields) | {"subject": subject, "next": address}
        answer = citizen.http.post("/consents/sign-in", data=fields, follow_redirects=False)
        assert answer.headers["location"] == "/consents"


# --- the page of the decision ------------------------------------------------------------------
def test_the_page_says_what_the_law_asks_for_and_ticks_nothing(bank, citizen):
    page = consent_page(bank, citizen)
    assert page.heading() == "港湾银行请求查阅开门满山（样例）茶业有限公司的数据"
    for words in ("谁会收到", "privacy@bank.example", "银行审批贷款", "六个月后删除", "怎样撤回", "同意到何时", "纳税人名称", "intl$sha256:"):  # fmt: skip
        assert words in page.text
    assert len(choices_of(page)) == 8
    assert ticks(page) == []
    agree, refuse = page.form(page.url[-10:]).buttons
    assert (agree.text.strip(), refuse.text.strip()) == ("同意", "拒绝")


def test_the_same_page_in_english(bank, server):
    reader = Visitor(server.url, language="en")
    page = sign_in(reader, bank.send(reader), "Lin Xi")
    assert page.heading() == "港湾银行 asks to read Kaimen Manshan (Sample) Tea Co., Ltd.'s data"
    assert "Total paid" in page.text or "Paid in all" in page.text


def test_the_app_may_ask_for_a_language_and_the_citizen_has_the_last_word(bank, server):
    reader = Visitor(server.url)
    del reader.http.headers["Accept-Language"]
    assert bank.send(reader, ui_locales="en").heading() == "Who are you?"
    page = bank.send(reader, ui_locales="en")
    chinese = reader.open(page.url.removeprefix(server.url) + "?lang=zh")
    assert chinese.heading() == "你是谁？"
    assert bank.send(reader, ui_locales="en").heading() == "你是谁？"


def test_agreeing_gives_the_fields_that_were_ticked(bank, citizen):
    page = consent_page(bank, citizen)
    choices = choices_of(page)
    wanted = [key for key, title in choices.items() if "期间已缴合计" in title]
    answer = answer_of(decide(citizen, page, "agree", *wanted))
    assert answer["state"] == "s-1"
    assert answer["iss"] == citizen.url
    token = bank.redeem(answer["code"])
    (detail,) = token["authorization_details"]
    assert detail["organisation"] == MANSHAN
    assert "total_paid_yuan" in detail["fields"]
    assert "total_unpaid_yuan" in detail["refused"]
    told = bank.call(token["access_token"], PAID)
    assert told.status_code == 200, told.text
    assert told.json()["total_paid_yuan"] > 0
    assert "total_unpaid_yuan" not in told.json()


def test_refusing_tells_the_app_and_gives_nothing(bank, citizen):
    page = consent_page(bank, citizen, "阿依努尔")
    answer = answer_of(decide(citizen, page, "refuse"))
    assert answer["error"] == "access_denied"
    assert answer["iss"] == citizen.url
    assert "没有有效的同意" in citizen.open("/consents").text


def test_one_can_refuse_without_signing_in(bank, citizen):
    page = bank.send(citizen)
    assert answer_of(decide(citizen, page, "refuse"))["error"] == "access_denied"


def test_a_request_is_decided_once(bank, citizen):
    page = consent_page(bank, citizen)
    answer_of(decide(citizen, page, "agree"))
    again = Page(decide(citizen, page, "agree"))
    assert again.status == 404
    assert "这项请求已经失效" in again.text
    assert "这项请求已经失效" in Page(citizen.http.get(page.url)).text


def test_a_request_belongs_to_the_browser_that_brought_it(bank, citizen, server):
    page = bank.send(citizen)
    other = Visitor(server.url)
    assert Page(other.http.get(page.url)).status == 404
    sign_in(other, other.open("/consents"), "林溪")
    assert Page(other.http.get(page.url)).status == 404


@pytest.mark.parametrize("address", ["ar_none", "x" * 300, "ar_%00", "ar_%E5%BC%80"])
def test_an_address_of_nothing_is_explained(citizen, address):
    page = Page(citizen.http.get(f"/authorize/{address}"))
    assert page.status == 404
    assert "回到应用重新开始" in page.text or page.status == 404


def test_a_decision_needs_the_form_of_our_own_page(bank, citizen):
    page = consent_page(bank, citizen)
    data = {"decision": "agree", "text_hash": "x"}
    assert citizen.http.post(page.url, data=data, follow_redirects=False).status_code == 403
    fields = dict(page.form(page.url[-10:]).fields) | data
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert citizen.http.post(page.url, data=fields, headers=elsewhere).status_code == 403


def test_a_text_that_is_not_the_one_shown_is_read_again(bank, citizen):
    page = consent_page(bank, citizen)
    fields = dict(page.form(page.url[-10:]).fields) | {"decision": "agree", "text_hash": "intl$sha256:0"}
    again = Page(citizen.http.post(page.url, data=fields, headers={"Origin": citizen.url}))
    assert again.status == 409
    assert "授权内容已变更" in again.text
    answer_of(decide(citizen, again, "agree"))


def test_a_choice_that_was_not_offered_is_refused(bank, citizen):
    page = consent_page(bank, citizen)
    answer = Page(decide(citizen, page, "agree", "tax@v1:bank-credit:field:everything"))
    assert answer.status in {400, 422}
    assert choices_of(answer)


def test_the_page_lets_the_browser_go_back_to_the_app_and_be_framed_by_nobody(bank, citizen):
    policy = consent_page(bank, citizen).answer.headers["content-security-policy"]
    assert "form-action 'self' https:" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self'" in policy
    elsewhere = citizen.open("/consents").answer.headers["content-security-policy"]
    assert "form-action 'self';" in elsewhere


def test_a_plain_sign_in_shows_what_the_app_learns(bank, citizen):
    page = consent_page(bank, citizen, authorization_details=None, scope="openid profile")
    assert page.heading() == "登录港湾银行"
    assert "你的姓名" in page.text
    assert "不会因此看到任何部门保存的数据" in page.text
    token = bank.redeem(answer_of(decide(citizen, page, "agree"))["code"])
    assert token["id_token"]


def test_an_app_may_ask_to_sign_in_again(bank, citizen):
    consent_page(bank, citizen)
    assert bank.send(citizen).heading() != "你是谁？"
    page = bank.send(citizen, prompt="login")
    assert page.heading() == "你是谁？"
    assert "港湾银行请求查阅" in sign_in(citizen, page, "林溪").heading()
    assert bank.send(citizen, acr_values="high").heading() == "你是谁？"
    assert "高等级" in bank.send(citizen, acr_values="high").text
    assert "港湾银行请求查阅" in sign_in(citizen, bank.send(citizen, acr_values="high"), "林溪").heading()


# --- whose data --------------------------------------------------------------------------------
def test_who_speaks_for_two_chooses_one(bank, citizen):
    page = consent_page(bank, citizen, "欧阳")
    assert page.heading() == "哪家企业？"
    chosen = citizen.submit(page, page.url[-10:], add=[("organisation", "91990105MA0000066E")])
    assert "初晨" in chosen.heading()
    token = bank.redeem(answer_of(decide(citizen, chosen, "agree"))["code"])
    assert token["authorization_details"][0]["organisation"] == "91990105MA0000066E"


@pytest.mark.parametrize(
    ("name", "organisation", "why"),
    [
        ("周鸣", HENGZHU, "曾是法定代表人"),
        ("王建国", "91990103MA000004XN", "代理授权已过期"),
        ("欧阳", HENGZHU, "股东身份本身不代表公司"),
        ("周鸣", "91990102MA0000031G", "已被吊销或注销"),
    ],
)
def test_who_may_not_speak_is_told_why(bank, citizen, name, organisation, why):
    page = consent_page(
        bank, citizen, name, expect=403, authorization_details=[TAX | {"organisation": organisation}]
    )
    assert page.status == 403
    assert why in page.text
    assert answer_of(decide(citizen, page, "refuse"))["error"] == "access_denied"


@pytest.mark.parametrize(
    "value", ["%00", "91990106MA0000015%00", "x" * 300, "%E6%BB%A1%E5%B1%B1", "%0d%0aSet-Cookie:a"]
)
def test_an_organisation_that_is_none_does_no_harm(bank, citizen, value):
    page = consent_page(bank, citizen)
    odd = Page(citizen.http.get(f"{page.url}?organisation={value}"))
    assert odd.status in {200, 403}
    assert Page(citizen.http.get(f"{page.url}?child={value}")).status in {200, 403}


def test_who_speaks_for_nobody_is_told_who_could(bank, citizen):
    page = consent_page(bank, citizen, "何语")
    assert page.heading() == "你不能代表任何企业"


def test_a_guardian_decides_for_a_child(school, citizen):
    page = consent_page(school, citizen, "陈小满", authorization_details=[CLINIC])
    assert "由陈小满的监护人决定" in page.text
    assert "王建国" not in page.text
    page = sign_in(citizen, page, "陈航")
    assert page.heading() == "样例小学请求查阅陈小满的数据"
    assert "你作为监护人，代陈小满作出决定" in page.text
    page = Page(
        decide(citizen, page, "agree")
    )  # everything of a child is sensitive: nothing ticked, nothing agreed
    assert "没有同意任何内容" in page.text
    answer = answer_of(decide(citizen, page, "agree", *choices_of(page)))
    assert school.redeem(answer["code"])["authorization_details"][0]["fields"] == ["place", "allergies"]
    shown = citizen.open("/consents")
    assert "陈小满" in shown.text
    detail = citizen.open(first_consent(citizen))
    assert "过敏史" in detail.text


def test_a_stranger_decides_for_no_child(school, citizen):
    page = consent_page(school, citizen, "陈小满", authorization_details=[CLINIC])
    child = re.search(r"child=(c_\w+)", page.source)
    assert child
    address = page.url.partition("?")[0]
    other = sign_in(citizen, page, "林溪")
    assert "陈小满" in other.heading()
    citizen.submit(other, "/consents/sign-out")
    again = citizen.open(address.removeprefix(citizen.url))
    stranger = sign_in(citizen, again, "王建国")
    refused = Page(citizen.http.get(stranger.url.partition("?")[0] + f"?child={child.group(1)}"))
    assert refused.status == 403
    assert "监护人" in refused.text


def test_sensitive_data_of_a_grown_up_are_a_choice_of_their_own(school, citizen):
    page = consent_page(school, citizen, "王建国", authorization_details=[CLINIC])
    assert "医疗健康" in page.text
    (choice,) = choices_of(page)
    assert choice.endswith("allergies")
    token = school.redeem(answer_of(decide(citizen, page, "agree"))["code"])
    assert token["authorization_details"][0]["refused"] == ["allergies"]


def test_passing_on_is_asked_for_by_itself(school, citizen):
    to = [{"name": "样例保险", "contact": "dpo@insurer.example", "purpose": "承保"}]
    page = consent_page(school, citizen, "王建国", authorization_details=[CLINIC | {"pass_on": to}])
    assert "允许再提供给：样例保险" in page.text
    choice = next(key for key in choices_of(page) if "pass-on" in key)
    token = school.redeem(answer_of(decide(citizen, page, "agree", choice))["code"])
    assert token["authorization_details"][0]["pass_on"] is True
    shown = citizen.open(first_consent(citizen))
    assert re.search(r"样例保险\s*同意", shown.text)


def test_another_legal_ground_shows_no_consent_and_is_on_record(bank, citizen):
    page = consent_page(bank, citizen, authorization_details=None, scope="tax:taxpayer:read")
    assert page.heading() == "登录港湾银行"
    assert choices_of(page) == {}
    token = bank.redeem(answer_of(decide(citizen, page, "agree"))["code"])
    assert token["scope"] == "tax:taxpayer:read"
    overview = citizen.open("/consents")
    assert "查询纳税人状态" in overview.text
    shown = citizen.open(first_consent(citizen))
    assert "依据：履行合同" in shown.text
    assert "撤回同意" not in shown.text
    assert citizen.open(first_consent(citizen) + "/withdraw").heading() == shown.heading()


# --- consents ----------------------------------------------------------------------------------
def test_a_consent_shows_its_text_its_uses_and_the_way_out(bank, citizen):
    page = consent_page(bank, citizen)
    digest = re.search(r"intl\$sha256:[0-9a-f]{64}", page.source)
    assert digest
    token = bank.redeem(answer_of(decide(citizen, page, "agree"))["code"])["access_token"]
    assert bank.call(token, PAID).status_code == 200
    shown = citizen.open(first_consent(citizen))
    assert digest.group(0) in shown.source
    assert "查询纳税汇总" in shown.text
    assert re.search(r"rs_\w+", shown.text)
    ask = citizen.open(shown.link(first_consent(citizen) + "/withdraw"))
    assert ask.heading() == "撤回给港湾银行的同意？"
    after = citizen.submit(ask, "/withdraw")
    assert "已撤回给港湾银行的同意" in after.text
    refused = _refused(bank, token)
    assert refused.json()["type"].endswith("/consent-withdrawn/")
    assert Page(citizen.http.get(shown.url)).text.count("已撤回")
    assert Page(citizen.http.get(ask.url)).heading() == "给港湾银行的同意"


def _refused(app: App, token: str) -> httpx.Response:
    """The call as soon as it is refused; a second at most, and some more for a busy machine."""
    end = time.monotonic() + 10
    while True:
        answer = app.call(token, PAID)
        if answer.status_code in {401, 403} or time.monotonic() > end:
            return answer
        time.sleep(0.05)


def test_another_s_consent_is_not_there(bank, citizen, server):
    answer_of(decide(citizen, consent_page(bank, citizen), "agree"))
    address = first_consent(citizen)
    other = Visitor(server.url)
    sign_in(other, other.open("/consents"), "王建国")
    assert Page(other.http.get(address)).status == 404
    assert Page(other.http.get(f"{address}/withdraw")).status == 404


def test_consents_ask_who_one_is(citizen):
    for path in ("/consents", "/consents/g_x", "/consents/g_x/withdraw", "/consents/mandates/new"):
        assert citizen.open(path).heading() == "你是谁？"


def test_signing_out_ends_it(citizen):
    page = sign_in(citizen, citizen.open("/consents"), "林溪")
    assert page.heading() == "授权与同意"
    out = citizen.submit(page, "/consents/sign-out")
    assert out.heading() == "你是谁？"


# --- mandates ----------------------------------------------------------------------------------
@pytest.fixture
def mandated(bank, server) -> Iterator[tuple[Visitor, Visitor]]:
    """Lin Xi, and Sun Xiuying whom she made an agent for taxes."""
    lead, agent = Visitor(server.url), Visitor(server.url)
    page = sign_in(lead, lead.open("/consents"), "林溪")
    page = lead.open(page.link("/consents/mandates/new"))
    page = lead.submit(page, "/consents/mandates/new", q="孙秀英")
    person = next(
        one.attributes["value"] for one in page.all("input") if one.attributes.get("type") == "radio"
    )
    page = lead.submit(page, "/consents/mandates", to=person, role="agent", scope="tax:*")
    assert "委托已给出" in page.text
    sign_in(agent, agent.open("/consents"), "孙秀英")
    yield lead, agent
    page = lead.open("/consents")
    if "mandates" in page.source and "/revoke" in page.source:
        lead.submit(lead.open(page.link("/consents/mandates/m_")), "/revoke")


def test_a_mandate_is_given_used_and_revoked(bank, mandated):
    lead, agent = mandated
    page = bank.send(agent)
    assert page.heading() == "哪家企业？"
    page = agent.submit(page, page.url[-10:], add=[("organisation", MANSHAN)])
    assert "你以代理人身份代表该组织决定" in page.text
    token = bank.redeem(answer_of(decide(agent, page, "agree"))["code"])["access_token"]
    assert bank.call(token, PAID).status_code == 200
    overview = lead.open("/consents")
    assert "孙秀英" in overview.text
    assert "作出决定的人孙秀英" in lead.open(first_consent(lead)).text
    after = lead.submit(lead.open(overview.link("/consents/mandates/m_")), "/revoke")
    assert "委托已收回" in after.text
    assert _refused(bank, token).status_code in {401, 403}
    assert "满山" not in Page(agent.http.get("/consents")).text.partition("你可以代表的企业")[2]


def test_a_mandate_can_be_given_back(mandated):
    _, agent = mandated
    page = agent.open("/consents")
    address = re.search(r"/consents/mandates/m_\w+/revoke", page.source)
    assert address
    page = agent.open(address.group(0))
    assert page.heading() == "收回给孙秀英的委托？"
    assert "满山" not in agent.submit(page, "/revoke").text.partition("你可以代表的企业")[2]


def test_a_mandate_s_faults_stand_at_their_fields(citizen):
    page = sign_in(citizen, citizen.open("/consents"), "林溪")
    page = citizen.open(page.link("/consents/mandates/new"))
    empty = citizen.submit(page, "/consents/mandates", until="2020-01-01", to="c_nobody", expect=422)
    assert "to" in empty.errors()
    page = citizen.submit(page, "/consents/mandates/new", q="陈小满")
    child = next(
        one.attributes["value"] for one in page.all("input") if one.attributes.get("type") == "radio"
    )
    refused = citizen.submit(page, "/consents/mandates", to=child, until="2031-01-01", expect=422)
    assert set(refused.errors()) == {"to", "until"}


def test_only_who_leads_gives_mandates(citizen):
    page = sign_in(citizen, citizen.open("/consents"), "陈航")
    assert "委托他人" not in page.text
    citizen.open("/consents/mandates/new?under=m_x", expect=404)
    citizen.open("/consents/mandates/m_x/revoke", expect=404)


# --- devices -----------------------------------------------------------------------------------
def _allow_devices(app: App) -> None:
    page = app.developer.open(f"/apps/{app.id}/oauth")
    grants = ["authorization_code", "urn:ietf:params:oauth:grant-type:device_code"]
    app.developer.submit(page, f"/apps/{app.id}/oauth", grant_types=grants)


@pytest.mark.parametrize("decision", ["agree", "refuse"])
def test_a_device_waits_for_its_person(server, citizen, decision):
    app = make_app(Visitor(server.url).sign_up(), "tax@v1", **{"purpose:tax@v1": "bank-credit"})
    _allow_devices(app)
    form = {"authorization_details": app.request()["authorization_details"]}
    started = httpx.post(f"{app.url}/oauth/device", data=form, auth=(app.client_id, app.secret))
    assert started.status_code == 200, started.text
    codes = started.json()
    page = Page(citizen.http.get(codes["verification_uri_complete"]))
    assert codes["user_code"] in page.text
    assert "就是骗局" in page.text
    page = sign_in(citizen, citizen.submit(page, "/device"), "林溪")
    done = decide(citizen, page, decision)
    over = Page(citizen.http.get(done.headers["location"]))
    assert over.heading() == {"agree": "好了，看设备屏幕", "refuse": "已拒绝"}[decision]
    poll = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": codes["device_code"]}
    answer = httpx.post(f"{app.url}/oauth/token", data=poll, auth=(app.client_id, app.secret))
    assert answer.status_code == (200 if decision == "agree" else 400), answer.text


@pytest.mark.parametrize("code", ["AAAA-AAAA", "BCDF-GHJK", "x", "🙂🙂🙂🙂"])
def test_a_wrong_code_is_explained(citizen, code):
    page = citizen.submit(citizen.open("/device"), "/device", user_code=code, expect=422)
    assert "没有这个代码" in page.errors()["user_code"]


# --- the live plane ----------------------------------------------------------------------------
def test_the_live_plane_has_the_pages_and_no_invented_people(installation):
    with installation.serving("live") as live, Visitor(live.url) as visitor:
        page = visitor.open("/consents")
        assert "林溪" not in page.text
        assert "密码只由身份平台保管" in page.text or "这里还不能登录" in page.text
        assert "沙箱" not in page.source
        token = visitor.http.cookies["kaimen_form"]
        answer = visitor.http.post("/consents/sign-in", data={"csrf": token, "subject": "c_x"})
        assert answer.status_code == 404
        assert visitor.http.get("/catalogue").status_code == 404
        assert Page(visitor.http.get("/authorize/ar_x")).heading() == "这项请求已经失效"
        assert visitor.open("/device").heading() == "连接设备"
