"""Apps: secrets shown once and rotated, subscriptions with purposes, stopping and deleting with a way back."""

import json
from base64 import urlsafe_b64encode

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec


def token_status(server, client_id, secret):
    form = {"grant_type": "client_credentials"}
    return httpx.post(f"{server.url}/oauth/token", data=form, auth=(client_id, secret)).status_code


def test_a_secret_is_shown_once_and_a_reload_makes_no_second_app(developer):
    page = developer.make_app("company@v1")
    assert len(page.with_class("secret")) == 1
    assert developer.open(page.url).with_class("secret") == []
    assert developer.open("/apps").source.count("kt_") == 1


def test_secrets_overlap_rotate_and_end(server, developer):
    page = developer.make_app("company@v1")
    client_id, first = page.credentials()
    page = developer.submit(page, "/secrets", label="生产 2026", days="90")
    _, second = page.credentials()
    assert first != second
    assert token_status(server, client_id, first) == token_status(server, client_id, second) == 200
    rotate = [one.action for one in page.forms if one.action.endswith("/rotate")]
    page = developer.submit(developer.open(page.url), rotate[0])
    _, third = page.credentials()
    assert "24 小时" in page.text
    assert {token_status(server, client_id, one) for one in (first, second, third)} == {200}
    page = developer.open(page.url)
    for _ in range(3):
        page = developer.submit(developer.open(page.url), "/revoke")
    assert "没有有效的密钥" in page.text
    assert {token_status(server, client_id, one) for one in (first, second, third)} == {401}


def test_five_secrets_and_no_more(developer):
    page = developer.make_app()
    for number in range(4):
        page = developer.submit(developer.open(page.url), "/secrets", label=f"第 {number} 个")
    page = developer.open(page.url)
    assert not page.has_form("/secrets")
    assert "已有五个密钥" in page.text


def test_a_service_that_needs_a_purpose_asks_for_it(developer):
    page = developer.open("/apps/new")
    assert {"company@v1", "tax@v1", "post@v1"} <= {
        one.attributes.get("value") for one in page.all("input") if one.attributes.get("name") == "services"
    }
    page = developer.make_app("company@v1", "tax@v1", **{"purpose:tax@v1": "bank-credit"})
    assert "bank-credit" in page.text


def test_subscribing_and_unsubscribing(developer):
    page = developer.make_app("company@v1")
    page = developer.submit(page, "/subscriptions", service="post@v1")
    assert "已订阅 post@v1" in page.text
    cancel = [one.action for one in page.forms if one.action.endswith("/cancel")]
    page = developer.submit(page, cancel[0])
    assert "已退订" in page.text
    page = developer.submit(page, "/subscriptions", expect=422, service="")
    assert "service" in page.errors()


def test_suspending_stops_calls_and_undo_resumes(server, developer):
    page = developer.make_app("company@v1")
    client_id, secret = page.credentials()
    page = developer.submit(page, "/suspend")
    assert "应用已停用" in page.text
    assert token_status(server, client_id, secret) == 401
    page = developer.submit(page, "/resume")
    assert "应用已恢复" in page.text
    assert token_status(server, client_id, secret) == 200


def test_deleting_can_be_undone(server, developer):
    page = developer.make_app("company@v1", name="要删的应用")
    client_id, secret = page.credentials()
    page = developer.submit(page, "/delete")
    assert "“要删的应用”已删除" in page.text
    assert token_status(server, client_id, secret) == 401
    page = developer.submit(page, "/restore")
    assert "应用已恢复" in page.text
    assert token_status(server, client_id, secret) == 200


def test_name_and_description_are_changed_and_checked(developer):
    page = developer.make_app()
    address = page.url.rpartition("/apps/")[2]
    page = developer.submit(page, f"/apps/{address}", expect=422, name="", description="")
    assert "name" in page.errors()
    page = developer.submit(page, f"/apps/{address}", name="新名字", description="说明 <b>粗</b>")
    assert page.heading() == "新名字"
    assert "说明 &lt;b&gt;粗" in page.source


@pytest.mark.parametrize("suffix", ["", "/requests", "/go-live"])
def test_an_app_is_its_owners_alone(server, developer, shared_developer, suffix):
    address = developer.make_app("company@v1").url
    path = address.removeprefix(server.url)
    page = shared_developer.open(path + suffix, expect=404)
    assert "没有找到" in page.text


def test_a_request_is_seen_by_its_owner_alone(developer, shared_developer):
    page = developer.make_app("company@v1")
    action = next(form.action for form in page.forms if "/operations/" in form.action)
    link = developer.submit(page, action).link("/requests/rs_")
    developer.open(link)
    shared_developer.open(link, expect=404)


def test_the_log_is_narrowed_and_says_when_nothing_fits(developer):
    page = developer.make_app("company@v1")
    address = page.url
    action = next(form.action for form in page.forms if "/operations/" in form.action)
    developer.submit(page, action)
    page = developer.open("/requests")
    assert len(page.all("tr")) == 2
    page = developer.submit(page, "/requests", outcome="refused")
    assert "没有符合条件的请求" in page.text
    assert len(developer.open(f"{address}/requests?outcome=ok&operation=getCompany").all("tr")) == 2


def test_the_checklist_tells_what_is_missing(developer):
    page = developer.make_app("company@v1")
    page = developer.open(page.link("/apps/a_") and f"{page.url}/go-live")
    assert "未完成" in page.text
    page = developer.submit(page, "/go-live", expect=422, purpose="too short")
    assert {"privacy_notice_url", "purpose", "security_contact", "retention", "terms_accepted"} == set(
        page.errors()
    )
    assert "too short" in page.source
    page = developer.submit(
        page, "/go-live", expect=409, privacy_notice_url="https://bank.example/privacy",
        purpose="为企业客户核验登记信息,用于开户与贷前审查。", security_contact="security@bank.example",
        retention="核验结果保存六个月后删除。", terms_accepted="yes",
    )  # fmt: skip
    assert "上线清单尚未完成" in page.text


def test_what_people_type_is_escaped_everywhere(developer):
    evil = '"><script>alert(1)</script>'
    page = developer.make_app("company@v1")
    number = page.url.rpartition("/")[2]
    page = developer.submit(page, "/secrets", label=evil)
    page = developer.submit(page, f"/apps/{number}", name="应用", description=evil)
    developer.submit(developer.open("/account"), "/account/tokens", label=evil)
    for path in (page.url, "/apps", "/account", f"/requests?operation={evil}", f"/catalogue?q={evil}"):
        source = developer.open(path).source
        assert "<script>alert" not in source


def test_public_keys_take_the_place_of_secrets(developer):
    key = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    jwk = {
        "kty": "EC", "crv": "P-256", "kid": "first", "use": "sig", "alg": "ES256",
        **{name: urlsafe_b64encode(getattr(key, name).to_bytes(32, "big")).rstrip(b"=").decode() for name in ("x", "y")},
    }  # fmt: skip
    page = developer.make_app("company@v1")
    page = developer.submit(page, "/keys", expect=422, jwks="{")
    assert "jwks" in page.errors()
    page = developer.submit(page, "/keys", expect=422, jwks=json.dumps({"keys": [jwk | {"d": "AAAA"}]}))
    assert "jwks" in page.errors()
    page = developer.submit(page, "/keys", jwks=json.dumps({"keys": [jwk]}))
    assert "private_key_jwt" in page.text
    assert '"kid": "first"' in dict(page.form("/keys").fields)["jwks"]
    page = developer.submit(page, "/keys", jwks="")
    assert "private_key_jwt" not in page.text
