"""Journey: a bank asks, a citizen decides in a real browser, the bank reads, the citizen withdraws, the bank is told.

The bank is a program of its own (bank.py) under FAPI 2.0: pushed request, private_key_jwt, DPoP. The citizen has a
mandate for one company; the browser is Debian's Chromium.
"""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright import sync_api

from tests.browser import chromium
from tests.journeys.bank import Bank, running_bank
from tests.server import RunningServer
from tests.visitor import Visitor

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
MANSHAN, HENGZHU = "91990106MA0000015L", "91990105MA00000231"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def bank(sandbox: RunningServer) -> Iterator[Bank]:
    """A bank whose developer has registered it in the portal, as a financial-grade app."""
    with running_bank(sandbox.url) as running:
        developer = Visitor(sandbox.url).sign_up()
        page = developer.make_app("tax@v1", name="Harbour Bank", **{"purpose:tax@v1": "bank-credit"})
        app_id = urlsplit(page.url).path.rpartition("/")[2]
        found = re.search(r"kt_[0-9a-z]+", page.source)
        assert found
        running.client_id = found.group(0)
        address = f"/apps/{app_id}/oauth"
        saved = developer.submit(
            developer.open(address), address, profile="fapi2", auth_method="private_key_jwt", token_binding="dpop",
            grant_types=["authorization_code", "refresh_token"], redirect_uris=running.callback, jwks=running.jwks,
            contact="privacy@bank.example", retention="Deleted six months after the loan is repaid.",
        )  # fmt: skip
        assert "OAuth 设置已保存" in saved.text
        yield running


@pytest.fixture(scope="module")
def browsers() -> Iterator[Any]:
    with sync_api.sync_playwright() as running:
        yield running


class Citizen:
    """A citizen's browser, with what it complained about and whom it asked."""

    def __init__(self, browsers: Any, folder: Path, locale: str, **options: Any) -> None:
        self.context = browsers.chromium.launch_persistent_context(
            str(folder), executable_path=chromium(), args=ARGUMENTS, locale=locale, **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.hosts: set[str] = set()
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    def _listen(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def apply(self, bank: Bank, name: str) -> None:
        """From the bank's own page to the decision, as this person."""
        self.page.goto(bank.callback.removesuffix("/callback"))
        self.page.click("a")
        self.page.locator(".person", has_text=name).first.click()
        self.page.wait_for_selector("button[value=agree]")

    def read(self) -> tuple[int, Any]:
        """What the bank's page shows of the platform's answer."""
        self.page.wait_for_selector("#status")
        return int(self.page.inner_text("#status")), json.loads(self.page.inner_text("#answer"))


@pytest.fixture
def citizen(browsers: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Citizen]:
    options = getattr(request, "param", {})
    made = Citizen(browsers, tmp_path / "profile", options.pop("locale", "zh-CN"), **options)
    yield made
    made.context.close()


def test_from_the_bank_to_the_records_and_to_the_withdrawal(
    bank: Bank, citizen: Citizen, sandbox: RunningServer
) -> None:
    page = citizen.page
    citizen.apply(bank, "林溪")
    text = page.inner_text("main")
    for words in (
        "Harbour Bank",
        "开门满山（样例）茶业有限公司",
        "银行审批贷款",
        "privacy@bank.example",
        "怎样撤回",
    ):
        assert words in text
    assert page.locator("input[name=choice]").count() == 2
    assert page.locator("input[name=choice]:checked").count() == 0
    page.locator("label", has_text="期间已缴合计").locator("input").check()
    page.click("button[value=agree]")

    status, told = citizen.read()
    assert (status, told["code"]) == (200, MANSHAN)
    assert told["total_paid_yuan"] > 0
    assert "total_unpaid_yuan" not in told, "it was not ticked"
    assert "years" not in told, "it was not asked for"
    assert bank.read(HENGZHU).json()["type"].endswith("/mandate-refused/"), "the mandate is for one company"

    page.goto(sandbox.url + "/consents")
    page.click(".tile a")
    assert "查询纳税汇总" in page.inner_text("main"), "the access is on record"
    page.click("a.danger")
    page.click("main button.danger")
    assert "已撤回给Harbour Bank的同意" in page.inner_text("main")
    withdrawn = time.monotonic()
    while (answer := bank.read(MANSHAN)).status_code == 200 and time.monotonic() < withdrawn + 10:
        time.sleep(0.02)
    assert answer.status_code in {401, 403}
    assert answer.json()["type"].endswith("/consent-withdrawn/")
    page.goto(bank.callback.replace("/callback", "/again"))
    assert citizen.read()[0] in {401, 403}
    assert citizen.complaints == []
    assert citizen.hosts == {urlsplit(sandbox.url).netloc, urlsplit(bank.callback).netloc}


@pytest.mark.parametrize(
    "citizen",
    [{"locale": "en-GB", "viewport": {"width": 360, "height": 740}, "java_script_enabled": False}],
    indirect=True,
)
def test_refusing_on_a_phone_without_javascript(bank: Bank, citizen: Citizen) -> None:
    citizen.apply(bank, "Aynur")
    page = citizen.page
    assert "asks to read Kaimen Hengzhu (Sample) Machinery" in page.inner_text("h1")
    wide = page.locator("body").bounding_box()
    assert wide is not None
    assert wide["width"] <= 360
    agree, refuse = (page.locator(f"button[value={one}]").bounding_box() for one in ("agree", "refuse"))
    assert agree is not None
    assert refuse is not None
    assert (agree["width"], agree["height"]) == (refuse["width"], refuse["height"])
    page.click("button[value=refuse]")
    assert page.inner_text("#error") == "access_denied"
    assert citizen.complaints == []


def test_the_keyboard_is_enough(bank: Bank, citizen: Citizen) -> None:
    citizen.apply(bank, "林溪")
    page = citizen.page
    page.locator("input[name=choice]").first.focus()
    page.keyboard.press("Space")
    assert page.locator("input[name=choice]:checked").count() == 1
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "agree"
    page.keyboard.press("Enter")
    assert citizen.read()[0] == 200
    assert citizen.complaints == []
