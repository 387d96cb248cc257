"""The OAuth settings of an app in the portal, and trying consent from there."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from joserfc.jwk import ECKey

from portal.pages.app_oauth import read_certificate
from tests.page import Page
from tests.portal.asking import App, choices_of, make_app, sign_in
from tests.visitor import Visitor

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def app(server) -> App:
    return make_app(Visitor(server.url).sign_up(), "tax@v1", **{"purpose:tax@v1": "bank-credit"})


@pytest.fixture
def settings(app) -> Page:
    return app.developer.open(f"/apps/{app.id}/oauth")


def save(app: App, page: Page, **values) -> Page:
    return app.developer.submit(page, f"/apps/{app.id}/oauth", **values)


def certificate() -> tuple[str, str]:
    """A certificate and its private key, both PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank.example")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signed = made.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode(), key.private_bytes(*form).decode()


def test_what_is_set_is_shown_again(app, settings):
    assert "privacy@bank.example" in settings.source
    again = save(
        app, settings, redirect_uris="https://a.example/cb\nhttps://b.example/cb\n", contact="020-1234 5678"
    )
    assert "OAuth 设置已保存" in again.text
    assert dict(again.form("/oauth").fields)["redirect_uris"].split() == [
        "https://a.example/cb",
        "https://b.example/cb",
    ]
    assert dict(again.form("/oauth").fields)["contact"] == "020-1234 5678"


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("http://bank.example/cb", "须为 https"),
        ("https://*.bank.example/cb", "不能用通配符"),
        ("https://bank.example/cb#x", "不能有片段"),
        ("myapp://cb", "须为 https"),
        ("https://169.254.169.254/latest", "不能是"),
    ],
)
def test_an_address_at_fault_is_told_with_its_line(app, settings, uri, said):
    page = save(app, settings, redirect_uris=f"https://ok.example/cb\n{uri}", expect=422)
    words = page.errors()["redirect_uris"]
    assert words.startswith("第 2 行")
    assert said in words


def test_fapi_says_what_it_takes(app, settings):
    page = save(app, settings, profile="fapi2", expect=422)
    assert "private_key_jwt" in page.errors()["profile"]
    assert "dpop" in page.errors()["token_binding"]
    page = save(app, settings, grant_types=["refresh_token"], redirect_uris="", expect=422)
    assert "grant_types" in page.errors()


def test_keys_and_profile_are_set_at_once_and_taken_back(server):
    app = make_app(Visitor(server.url).sign_up(), "tax@v1", **{"purpose:tax@v1": "bank-credit"})
    key = ECKey.generate_key("P-256").as_dict(private=False)
    page = app.developer.open(f"/apps/{app.id}/oauth")
    page = save(
        app, page, profile="fapi2", auth_method="private_key_jwt", token_binding="dpop", jwks=json.dumps({"keys": [key]})
    )  # fmt: skip
    assert key["x"] in page.source
    assert "门户没有你的私钥" in page.text
    page = save(app, page, profile="baseline", auth_method="client_secret", token_binding="", jwks="")
    assert "OAuth 设置已保存" in page.text
    assert key["x"] not in page.source
    private = save(app, page, jwks=json.dumps({"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}), expect=422)  # fmt: skip
    assert "私钥" in private.errors()["jwks"]
    broken = save(app, page, jwks="{", expect=422)
    assert "jwks" in broken.errors()


def test_a_pasted_certificate_becomes_thumbprint_and_name(app, settings):
    pem, private = certificate()
    thumbprint, subject = read_certificate(pem)
    page = save(app, settings, certificate=pem, auth_method="tls_client_auth", token_binding="mtls")
    assert thumbprint in page.text
    assert subject == "CN=bank.example"
    assert subject in page.text
    for wrong, said in ((private, "私钥"), ("nonsense", "不是 PEM 证书"), (pem[:200], "不是 PEM 证书")):
        assert said in save(app, page, certificate=wrong, expect=422).errors()["certificate"]
    page = save(app, page, remove_certificate=["yes"], auth_method="client_secret", token_binding="")
    assert thumbprint not in page.text


def test_only_members_see_it(app, server):
    stranger = Visitor(server.url).sign_up()
    stranger.open(f"/apps/{app.id}/oauth", expect=404)
    stranger.open(f"/apps/{app.id}/oauth/try", expect=404)
    nobody = Visitor(server.url)
    assert nobody.open(f"/apps/{app.id}/oauth").url.startswith(f"{server.url}/sign-in")


def test_the_app_s_page_leads_there(app):
    assert app.developer.open(f"/apps/{app.id}").link(f"/apps/{app.id}/oauth")


# --- trying ------------------------------------------------------------------------------------
@pytest.fixture
def trial(server) -> tuple[App, Page]:
    app = make_app(Visitor(server.url).sign_up(), "tax@v1", **{"purpose:tax@v1": "bank-credit"})
    page = app.developer.open(f"/apps/{app.id}/oauth")
    page = app.developer.submit(page, "/oauth/prepare")
    assert "试用地址已登记" in page.text
    return app, app.developer.submit(page, "/oauth/try")


def press(visitor: Visitor, page: Page, decision: str, *choices: str) -> Page:
    """Press a button of the decision and follow the browser back."""
    path = urlsplit(page.url).path
    return visitor.submit(page, path, add=[("decision", decision), *(("choice", one) for one in choices)])


def test_a_trial_ends_with_commands_that_work(trial):
    app, page = trial
    person = app.developer
    page = sign_in(person, page, "林溪")
    wanted = [key for key, title in choices_of(page).items() if "期间已缴合计" in title]
    page = press(person, page, "agree", *wanted)
    assert page.heading() == "收到授权码"
    commands = " ".join(one.text for one in page.all("code"))
    fields = dict(re.findall(r"-d (code|code_verifier|grant_type)=(\S+)", commands))
    redirect_uri = re.search(r"redirect_uri=(\S+)", commands)
    assert redirect_uri
    token = httpx.post(
        f"{app.url}/oauth/token", data=fields | {"redirect_uri": redirect_uri.group(1)}, auth=(app.client_id, app.secret)
    )  # fmt: skip
    assert token.status_code == 200, token.text
    address = re.search(r"(http://\S+/api/\S+)", commands)
    assert address
    answer = app.call(token.json()["access_token"], address.group(1).removeprefix(app.url))
    assert answer.status_code == 200
    assert answer.json()["total_paid_yuan"] > 0


def test_a_refused_trial_says_what_the_app_gets(trial):
    app, page = trial
    page = press(app.developer, sign_in(app.developer, page, "林溪"), "refuse")
    assert page.heading() == "没有得到授权码"
    assert "access_denied" in page.text


def test_an_answer_that_nobody_asked_for_is_dropped(app, server):
    page = app.developer.open(f"/apps/{app.id}/oauth/try?code=kc_stolen&state=x")
    assert "必须丢弃" in page.text
    assert "kc_stolen" not in page.text
    assert app.developer.open(f"/apps/{app.id}/oauth/try").heading() == "没有答复可看"


def test_a_service_that_the_app_may_not_ask_for_is_not_tried(trial):
    app, _ = trial
    page = app.developer.open(f"/apps/{app.id}/oauth")
    app.developer.submit(page, "/oauth/try", service="post@v1:anything", expect=404)


def test_without_a_consented_service_it_says_what_to_subscribe(server):
    developer = Visitor(server.url).sign_up()
    page = developer.make_app("company@v1")
    page = developer.open(urlsplit(page.url).path + "/oauth")
    assert "先订阅一项需要同意的服务" in page.text
    assert not page.has_form("/oauth/try")
