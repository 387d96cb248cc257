"""Every page: security headers, both languages, basics of accessibility, nothing from elsewhere, kind errors."""

import re
from collections import Counter
from itertools import pairwise

import httpx
import pytest

from tests.server import free_port
from tests.visitor import Visitor

PUBLIC = [
    "/", "/catalogue", "/catalogue?q=nothing-like-this", "/catalogue/company/v1", "/catalogue/tax/v1",
    "/catalogue/company/v1/operations/getCompany", "/catalogue/post/v1", "/sign-up", "/sign-in", "/check-mail", "/reset",
    "/reset?token=x", "/verify?token=x", "/outbox",
]  # fmt: skip
TYPED = {"满山", "按名称"}  # of examples
SIGNED_IN = [
    "/apps", "/apps/new", "/requests", "/account", "/account/security", "/account/security/confirm", "/approvals", "/organisations/new", "APP", "APP/requests", "APP/go-live",
    "REQUEST", "/catalogue/company/v1/operations/searchCompanies?scenario=found",
]  # fmt: skip


@pytest.fixture(scope="module")
def somebody(server):
    """A developer with an app and a call."""
    visitor = Visitor(server.url).sign_up()
    page = visitor.make_app("company@v1")
    visitor.places = {"APP": page.url.removeprefix(server.url)}
    action = next(form.action for form in page.forms if "/operations/" in form.action)
    visitor.places["REQUEST"] = visitor.submit(page, action).link("/requests/rs_")
    return visitor


def place_of(somebody, path):
    for word, address in somebody.places.items():
        if path.startswith(word):
            return address + path.removeprefix(word)
    return path


def checked(page):
    """The basics that need no eye. Raises AssertionError with what is wrong."""
    html = page.all("html")[0]
    assert html.attributes["lang"] in {"zh-CN", "en"}
    assert len(page.all("h1")) == 1
    assert len(page.all("main")) == 1
    assert page.all("title")[0].text.strip()
    levels = [int(one.tag[1]) for one in page.elements if re.fullmatch(r"h[1-6]", one.tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels)), levels
    ids = Counter(one.attributes["id"] for one in page.elements if one.attributes.get("id"))
    assert [name for name, count in ids.items() if count > 1] == []
    labelled = {one.attributes.get("for") for one in page.all("label")}
    wrapped = re.findall(r"<label[^>]*>\s*<input[^>]*>", page.source)
    for one in [*page.all("input"), *page.all("select"), *page.all("textarea")]:
        attributes = one.attributes
        if attributes.get("type") == "hidden" or "hidden" in attributes:
            continue
        is_named = attributes.get("id") in labelled or "aria-label" in attributes
        assert is_named or any(attributes.get("type", "") in text for text in wrapped), attributes
    for one in page.elements:
        for name in ("aria-describedby", "aria-labelledby"):
            for target in one.attributes.get(name, "").split():
                assert target in ids, (one.tag, name, target)
    for one in [*page.all("button"), *page.all("a")]:
        assert one.text.strip() or one.attributes.get("aria-label"), one
    for one in page.all("svg"):
        assert one.attributes.get("aria-hidden") == "true" or one.attributes.get("aria-label"), one
    for one in page.all("th"):
        assert one.attributes.get("scope") in {"col", "row"}, one.text
    assert page.link("#main")


def unforeign(page, server):
    for one in page.elements:
        for name in ("src", "href", "action", "srcset"):
            value = one.attributes.get(name, "")
            if one.tag == "a" or not value:
                continue
            assert value.startswith(("/", "#", server.url)), (one.tag, value)
    assert not re.search(r"<(?:style|iframe|object|embed)\b|\sstyle=|\son\w+=", page.source)
    assert not re.search(r"<script(?![^>]*\ssrc=)", page.source)


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages(server, path):
    for language, tag in (("zh-CN,zh;q=0.9", "zh-CN"), ("en-GB", "en")):
        page = Visitor(server.url, language=language).open(path)
        assert page.all("html")[0].attributes["lang"] == tag
        checked(page)
        unforeign(page, server)


@pytest.mark.parametrize("path", SIGNED_IN)
def test_pages_of_people(server, somebody, path):
    page = somebody.open(place_of(somebody, path))
    checked(page)
    unforeign(page, server)
    english = somebody.open(place_of(somebody, path) + ("&" if "?" in path else "?") + "lang=en")
    assert english.all("html")[0].attributes["lang"] == "en"
    checked(english)
    said = re.sub(r"<(pre|option|textarea)\b.*?</\1>|<[^>]*>", " ", english.source, flags=re.DOTALL)
    left = set(re.findall(r"[\u4e00-\u9fff]{2,}", said))
    somebody.open("/?lang=zh")
    assert left <= {"林小晴", "样例应用", "中文"} | TYPED, left


@pytest.mark.parametrize(
    "path", ["/apps", "/apps/new", "/requests", "/account", "/approvals", "/organisations/new"]
)
def test_pages_of_people_ask_a_stranger_to_sign_in(visitor, path):
    page = visitor.open(path)
    assert page.heading() == "登录"
    assert dict(page.form("/sign-in").fields)["next"] == path


def test_security_headers(server, visitor):
    for path in ("/", "/sign-in", "/nothing-here"):
        headers = visitor.http.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "same-origin"
        assert headers["cache-control"] == "no-store"
    cookies = visitor.http.get("/sign-in").headers.get_list("set-cookie") or list(
        map(str, visitor.http.cookies.jar)
    )
    assert cookies


def test_static_files_are_kept_a_year_and_renamed_when_they_change(visitor):
    page = visitor.open("/")
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.source):
        answer = visitor.http.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
        assert re.search(r"\.[0-9a-f]{12}\.(css|js|svg)$", address)
    assert visitor.http.get("/static/kaimen.000000000000.css").status_code == 404
    assert visitor.http.get("/static/..%2f..%2fview.py").status_code == 404
    assert visitor.http.get("/favicon.ico").status_code == 200


def test_the_language_is_remembered(server):
    visitor = Visitor(server.url, language="zh-CN")
    page = visitor.open("/?lang=en")
    assert page.all("html")[0].attributes["lang"] == "en"
    assert visitor.open("/catalogue").all("html")[0].attributes["lang"] == "en"
    page = visitor.open("/catalogue?q=x&lang=zh")
    assert page.all("html")[0].attributes["lang"] == "zh-CN"
    assert page.link("/catalogue?q=x&lang=en")
    assert visitor.open("/?lang=xx").all("html")[0].attributes["lang"] == "zh-CN"


def test_a_page_that_is_not_there_says_so_with_its_request_id(visitor):
    page = visitor.open("/no/such/page", expect=404)
    assert page.heading() == "没有这个页面"
    assert page.answer.headers["request-id"] in page.source
    assert page.link("/catalogue")
    checked(page)


def test_programs_get_problems_people_get_pages(server):
    answer = httpx.get(f"{server.url}/no/such/page", headers={"Accept": "application/json"})
    assert answer.headers["content-type"] == "application/problem+json"
    answer = httpx.get(f"{server.url}/platform/v1/nothing", headers={"Accept": "text/html"})
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_form_from_elsewhere_is_refused(server, somebody):
    before = somebody.open("/apps").source.count("kt_")
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        answer = somebody.http.post("/apps/new", data={"name": "stolen"}, headers=headers)
        assert answer.status_code == 403
        assert "页面已过期" in answer.text
    assert somebody.open("/apps").source.count("kt_") == before
    stranger = Visitor(server.url)
    stranger.open("/sign-in")
    answer = stranger.http.post(
        "/sign-in", data={"email": "a@example.org", "password": "x", "csrf": "guessed"}
    )
    assert answer.status_code == 403


def test_a_forged_message_says_nothing(visitor):
    visitor.http.cookies.set("kaimen_flash", "W1siYmFkIiwiPHNjcmlwdD4iLHt9XV0=")
    assert visitor.open("/").with_class("note") == []
    visitor.http.cookies.set("kaimen_flash", "not base64 at all!")
    visitor.open("/")
    visitor.http.cookies.set("kaimen_once", "intl.00ff")
    visitor.open("/sign-in")


def test_too_many_tries_are_told_how_long_to_wait(server):
    visitor = Visitor(server.url)
    page = visitor.open("/sign-in")
    statuses = []
    for _ in range(12):
        form = dict(page.form("/sign-in").fields) | {"email": visitor.email, "password": "wrong word 1"}
        answer = visitor.http.post("/sign-in", data=form)
        statuses.append(answer.status_code)
    assert statuses[:10] == [401] * 10
    assert statuses[-1] == 429
    assert int(answer.headers["retry-after"]) > 0
    assert "操作过于频繁" in answer.text


def test_the_outbox_is_for_one_machine_only(installation):
    with installation.serving("sandbox", port=free_port(), KAIMEN_EMBEDDED="false") as other:
        stranger = Visitor(other.url)
        stranger.open("/outbox", expect=404)
        assert "/outbox" not in stranger.open("/check-mail").source


@pytest.mark.parametrize(
    "path",
    ["/requests/rs_%00", "/apps/%F0%9F%92%A9", "/catalogue/company/v1%2f..", "/organisations/" + "x" * 300],
)
def test_odd_addresses_are_not_found(somebody, path):
    assert somebody.http.get(path).status_code in {400, 404}


def test_cookies_are_out_of_scripts_reach_and_secure_behind_https(installation):
    with installation.serving(
        "sandbox", port=free_port(), KAIMEN_SANDBOX_URL="https://kaimen.example", KAIMEN_EMBEDDED="false"
    ) as other:
        answer = httpx.get(f"{other.url}/sign-in?lang=en", headers={"Accept": "text/html"})
    sent = answer.headers.get_list("set-cookie")
    assert len(sent) == 2
    for one in sent:
        assert {"HttpOnly", "Secure"} <= {part.strip() for part in one.split(";")}
