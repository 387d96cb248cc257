"""A real browser: the first journey in Chinese and English, no console errors, no request to elsewhere."""

import re
from collections.abc import Iterator

import pytest
from playwright import sync_api

from tests.browser import chromium
from tests.visitor import PASSWORD, Visitor

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WORDS = {
    "zh-CN": {"home": "政务服务，开门可用", "token": "① 换取令牌", "answer": "答复", "pass": "通过", "copied": "已复制"},
    "en-GB": {"home": "Government services, open to build on", "token": "① Get a token", "answer": "Answer", "pass": "passed", "copied": "Copied"},
}  # fmt: skip

pytestmark = pytest.mark.browser


class Tab:
    """A page of a browser of its own, with what it complained about and whom it asked."""

    def __init__(self, context, server) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._look(request.url, server.url))

    def _listen(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _look(self, address: str, origin: str) -> None:
        if not address.startswith((origin, "data:", "blob:")):
            self.foreign.append(address)


@pytest.fixture(scope="module")
def playwright() -> Iterator[object]:
    with sync_api.sync_playwright() as running:
        yield running


def open_tab(playwright, server, folder, locale="zh-CN", **options):
    number = abs(hash((locale, str(folder)))) % 65_000
    context = playwright.chromium.launch_persistent_context(
        str(folder), executable_path=chromium(), args=ARGUMENTS, locale=locale,
        extra_http_headers={"X-Forwarded-For": f"10.9.{number >> 8}.{number & 255}"},
        permissions=["clipboard-read", "clipboard-write"], **options,
    )  # fmt: skip
    return context, Tab(context, server)


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_a_stranger_makes_a_first_call(playwright, server, tmp_path, locale):
    words = WORDS[locale]
    context, tab = open_tab(playwright, server, tmp_path / "profile", locale)
    page = tab.page
    try:
        page.goto(server.url + "/")
        assert page.inner_text("h1") == words["home"]
        page.click(".hero a.primary")
        email = f"browser-{locale.lower()}@example.org"
        page.fill("#field-email", email)
        page.fill("#field-name", "Lin Xiaoqing")
        page.fill("#field-password", PASSWORD)
        page.click("main form button.primary")
        page.click("main a[href='/outbox']")
        page.locator("article", has_text=email).first.locator("a.button").click()
        page.click("main form button.primary")
        assert page.input_value("#field-email") == email
        page.fill("#field-password", PASSWORD)
        page.click("main form button.primary")
        page.click(".empty a.primary")
        page.check("input[value='company@v1']")
        page.click("main form button.primary")
        assert words["token"] in page.inner_text("main")
        page.locator(".sample .copy").nth(1).click()
        page.wait_for_function(f"document.querySelectorAll('.copy')[1].textContent === {words['copied']!r}")
        assert page.evaluate("navigator.clipboard.readText()").startswith("export KAIMEN_TOKEN=$(curl")
        page.click("form[action*='/operations/'] button")
        assert words["answer"] in page.inner_text("#answer")
        assert "200" in page.inner_text("#answer")
        page.click("a[href^='/requests/rs_']")
        assert page.inner_text(".timeline").count(words["pass"]) == 8
        assert page.locator("html").get_attribute("lang") == locale.replace("en-GB", "en")
    finally:
        context.close()
    assert tab.complaints == []
    assert tab.foreign == []


def test_the_log_refreshes_by_itself(playwright, server, tmp_path):
    visitor = Visitor(server.url).sign_up()
    made = visitor.make_app("company@v1")
    action = next(form.action for form in made.forms if "/operations/" in form.action)
    visitor.submit(made, action)
    context, tab = open_tab(playwright, server, tmp_path / "profile")
    try:
        tab.page.goto(server.url + "/sign-in")
        tab.page.fill("#field-email", visitor.email)
        tab.page.fill("#field-password", PASSWORD)
        tab.page.click("main form button.primary")
        tab.page.goto(server.url + "/requests")
        assert tab.page.locator("[data-live-toggle]").is_visible()
        assert tab.page.locator("[data-live] tbody tr").count() == 1
        visitor.submit(made, action)
        tab.page.locator("[data-live] tbody tr").nth(1).wait_for(timeout=15_000)
    finally:
        context.close()
    assert tab.complaints == []


def test_tabs_work_by_keyboard_and_remember_the_language(playwright, server, tmp_path):
    context, tab = open_tab(playwright, server, tmp_path / "profile")
    page = tab.page
    try:
        page.goto(server.url + "/catalogue/company/v1/operations/getCompany")
        assert page.locator(".tabs .panel:visible").count() == 1
        page.focus("#sample-1")
        page.keyboard.press("ArrowRight")
        assert "from kaimen_company import" in page.inner_text(".tabs .panel:visible")
        page.goto(server.url + "/catalogue/company/v1/operations/searchCompanies")
        assert "from kaimen_company import" in page.inner_text(".tabs .panel:visible")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
    finally:
        context.close()
    assert tab.complaints == []


@pytest.mark.parametrize("width", [320, 390, 768])
def test_nothing_runs_out_of_a_narrow_window(playwright, server, tmp_path, width):
    context, tab = open_tab(
        playwright, server, tmp_path / "profile", viewport={"width": width, "height": 800}
    )
    too_wide = []
    try:
        for path in ("/", "/catalogue", "/catalogue/tax/v1", "/catalogue/company/v1/operations/getCompany", "/sign-up", "/outbox", "/no-such"):  # fmt: skip
            tab.page.goto(server.url + path)
            if tab.page.evaluate("document.documentElement.scrollWidth") > width:
                too_wide.append(path)
    finally:
        context.close()
    assert too_wide == []


def test_targets_are_large_enough_and_focus_is_seen(playwright, server, tmp_path):
    """WCAG 2.2, 2.5.8 (24 px) for everything that is pressed outside of running text."""
    context, tab = open_tab(playwright, server, tmp_path / "profile")
    try:
        tab.page.goto(server.url + "/sign-up")
        small = tab.page.evaluate(
            "[...document.querySelectorAll('button, .button, .nav a, .tools a, input:not([type=hidden]), select, summary')]"
            ".filter(one => one.getBoundingClientRect().height < 24 || one.getBoundingClientRect().width < 24).map(one => one.outerHTML)"
        )
        tab.page.focus("#field-email")
        outline = tab.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    finally:
        context.close()
    assert small == []
    assert re.match(r"[23]", outline)
