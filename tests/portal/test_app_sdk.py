"""An app's SDK from its page: choose, wait, download, and a read token that is shown once."""

import hashlib
import re
import time

from tests.page import Page
from tests.visitor import Visitor


def new_app(developer: Visitor) -> str:
    page = developer.make_app("company@v1")
    return re.search(r"/apps/(a_[0-9a-z]+)", page.url).group(1)


def until_ready(developer: Visitor, page: Page) -> Page:
    for _ in range(300):
        if 'http-equiv="refresh"' not in page.source:
            return page
        time.sleep(0.1)
        page = developer.open(page.url)
    raise AssertionError(page.text[-2000:])


def test_a_developer_builds_downloads_and_installs(developer: Visitor) -> None:
    app_id = new_app(developer)
    assert f"/apps/{app_id}/sdk" in developer.open(f"/apps/{app_id}").source
    page = developer.open(f"/apps/{app_id}/sdk")
    page = until_ready(developer, developer.submit(page, f"/apps/{app_id}/sdk", language="typescript"))
    assert "npm install @kaimen/app-" in page.source
    address = re.search(r'href="([^"]+\.tgz)"', page.source).group(1)
    answer = developer.http.get(address)
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest()[:16] in page.source


def test_a_read_token_is_shown_once_and_revoked(developer: Visitor) -> None:
    app_id = new_app(developer)
    page = developer.open(f"/apps/{app_id}/sdk")
    page = developer.submit(page, f"/apps/{app_id}/sdk-tokens", label="构建服务器")
    assert re.search(r"ksdk_[\w-]{43}", page.source)
    page = developer.open(f"/apps/{app_id}/sdk")
    assert not re.search(r"ksdk_[\w-]{43}", page.source)
    revoke = re.search(r'action="([^"]+/revoke)"', page.source).group(1)
    assert "已吊销" in developer.submit(page, revoke).text


def test_an_app_without_subscriptions_says_what_to_do(developer: Visitor) -> None:
    app_id = developer.api("POST", "/platform/v1/apps", name="bare", environment="sandbox")["app_id"]
    page = developer.open(f"/apps/{app_id}/sdk")
    page = developer.submit(page, f"/apps/{app_id}/sdk", language="go", expect=409)
    assert "订阅" in page.text
