"""Journey 1, without JavaScript: sign up, make an app, call, read why a call was refused."""

import re
import subprocess

import httpx

from tests.visitor import PASSWORD, Visitor


def token_of(sandbox, client_id, secret, **form):
    answer = httpx.post(
        f"{sandbox.url}/oauth/token",
        data={"grant_type": "client_credentials", **form},
        auth=(client_id, secret),
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def test_from_the_home_page_to_the_first_call_explained(sandbox):
    somebody = Visitor(sandbox.url)
    page = somebody.open("/")
    assert "政务服务，开门可用" in page.text
    page = somebody.open(page.link("/sign-up"))
    page = somebody.submit(page, "/sign-up", email=somebody.email, name="林小晴", password=PASSWORD)
    assert page.url.endswith("/check-mail")
    assert somebody.email in page.text
    page = somebody.open(page.link("/outbox"))
    page = somebody.open(somebody.newest_mail())
    page = somebody.submit(page, "/verify")
    assert "邮箱已验证" in page.text
    assert dict(page.form("/sign-in").fields)["email"] == somebody.email
    page = somebody.submit(page, "/sign-in", password=PASSWORD)
    assert "创建第一个沙箱应用" in page.text

    page = somebody.open(page.link("/apps/new"))
    page = somebody.submit(page, "/apps/new", services=["company@v1"])
    _, secret = page.credentials()
    assert secret.startswith("kts_")
    address = page.url

    # The very commands of the page, in a real shell.
    token_command, call_command = [one.text for one in page.all("code") if "curl" in one.text]
    assert secret in token_command
    done = subprocess.run(
        ["bash", "-c", f"{token_command}\n{call_command}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("HTTP/1.1 200"), done.stdout
    request_id = re.search(r"(?im)^request-id: (\S+)", done.stdout).group(1)

    page = somebody.open(f"{address}/requests")
    assert page.link(f"/requests/{request_id}")
    page = somebody.open(f"/requests/{request_id}")
    assert page.text.count("通过") == 8
    assert "剩余配额" in page.text
    assert "599" in page.text

    page = somebody.open(address)
    assert page.with_class("secret") == []
    assert secret not in page.source


def test_a_wrong_scope_is_explained_with_the_words_of_the_answer(sandbox, developer):
    page = developer.make_app("company@v1", "tax@v1")
    client_id, secret = page.credentials()
    token = token_of(sandbox, client_id, secret, scope="company:profile:read")
    answer = httpx.get(
        f"{sandbox.url}/api/tax/v1/taxpayers/91990106MA0000015L/rating",
        headers={"Authorization": f"Bearer {token}", "Accept-Language": "zh-CN"},
    )
    problem = answer.json()
    assert (answer.status_code, problem["step"]) == (403, "authorise"), problem
    page = developer.open(f"/requests/{problem['request_id']}")
    for word in ("title", "detail", "next", "rule"):
        assert problem[word] in page.text, (word, problem)
    assert problem["type"] in page.source
    assert "拒绝" in page.text
    assert "未到达" in page.text


def test_the_call_from_the_page_holds_no_credential(sandbox, developer):
    page = developer.make_app("company@v1")
    action = page.link("/catalogue/company/v1") and next(
        form.action for form in page.forms if "/operations/" in form.action
    )
    page = developer.submit(page, action)
    assert page.with_class("tag")
    assert "200" in page.text
    assert "开门" in page.text
    assert not re.search(r"kts_|eyJ[A-Za-z0-9_-]{20,}", page.source)
    page = developer.open(page.link("/requests/rs_"))
    assert page.text.count("通过") == 8


def test_a_call_shows_on_the_apps_page_and_in_the_chart(developer):
    page = developer.make_app("company@v1")
    address = page.url
    action = next(form.action for form in page.forms if "/operations/" in form.action)
    developer.submit(page, action)
    page = developer.open(address)
    assert page.with_class("chart")
    assert "/companies/" in page.text
    assert developer.open("/apps").text.count("1 次调用") == 1
