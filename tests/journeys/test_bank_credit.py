"""Journey: a bank reads tax paid and a credit report with a company's consent, and decides on a loan with reasons.

The bank is the example of docs/examples/bank-credit, run as its reader runs it: a Java program of its own over HTTP,
with the SDK that the platform makes for the bank's app.
"""

import json
import os
import re
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.journeys import examples
from tests.portal.asking import decide, sign_in
from tests.server import Installation, RunningServer, free_port
from tests.visitor import Visitor

MANSHAN, QIANSHOU, HENGZHU = "91990106MA0000015L", "91990103MA0000074C", "91990105MA00000231"
SERVICES = ("tax@v1:bank-credit", "credit@v1:bank-credit")


class Bank:
    """An app of a bank, and its program."""

    def __init__(self, installation: Installation, server: RunningServer, classes: str) -> None:
        app = _made(installation)
        self.app_id, self.id, self.secret = app["app_id"], app["client_id"], app["client_secret"]
        self.url = server.url
        self._classes = classes

    @property
    def environ(self) -> dict[str, str]:
        own = {
            "KAIMEN_BASE_URL": self.url,
            "KAIMEN_CLIENT_ID": self.id,
            "KAIMEN_CLIENT_SECRET": self.secret,
        }
        return os.environ | own

    def start(self, *options: str) -> "subprocess.Popen[str]":
        command = [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx128m",
            "-cp",
            self._classes,
            "bank.Bank",
        ]
        return subprocess.Popen(
            [*command, *options],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def run(self, *options: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        process = self.start(*options)
        told, complained = process.communicate(timeout=60)
        return process.returncode, told, complained

    def decision(self, *options: str) -> dict[str, Any]:
        code, told, complained = self.run(*options, "--json")
        assert code in {0, 1}, complained
        decision: dict[str, Any] = json.loads(told)
        assert decision["is_granted"] is (code == 0)
        return decision

    def call(self, method: str, path: str, body: Any = None) -> httpx.Response:
        """A call of the app itself, on no consent."""
        answer = httpx.post(
            f"{self.url}/oauth/token", data={"grant_type": "client_credentials"}, auth=(self.id, self.secret)
        )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}", "Accept-Language": "en"}
        return httpx.request(method, f"{self.url}/api{path}", json=body, headers=headers, timeout=30)

    def pay(self, year: int, tax: str) -> Iterator[int]:
        """Pay what Qianshou owes of a tax for a year; what is left, where anything was owed."""
        path = f"/tax/v1/taxpayers/{QIANSHOU}/arrear-payments"
        first = self.call("POST", path, {"year": year, "tax": tax, "amount_yuan": 1})
        if first.status_code == 201:
            amount = first.json()["left_yuan"]
            yield self.call("POST", path, {"year": year, "tax": tax, "amount_yuan": amount}).json()[
                "left_yuan"
            ]
        else:
            assert first.json()["rule"] == "tax-arrear-none", first.text


def _made(installation: Installation) -> dict[str, Any]:
    subscriptions = [part for one in SERVICES for part in ("--subscribe", one)]
    made: dict[str, Any] = installation.json("app", "create", "--name", "loans", *subscriptions)
    return made


@pytest.fixture(scope="module")
def classes(
    installation: Installation, sandbox: RunningServer, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Class path of the program, compiled against the SDK of an app with the bank's subscriptions."""
    folder = Path(tmp_path_factory.mktemp("bank"))
    examples.with_sdk(installation, _made(installation)["app_id"], "java", "bank-credit", folder)
    jar = next(one for one in (folder / "sdk").glob("*.jar") if not one.name.endswith("-sources.jar"))
    sources = [str(one) for one in sorted((folder / "bank").glob("*.java"))]
    options = ("-Xlint:all", "-Werror", "--release", "17", "-encoding", "UTF-8")
    examples.run("javac", *options, "-cp", str(jar), "-d", str(folder / "classes"), *sources, cwd=folder)
    return f"{jar}{os.pathsep}{folder / 'classes'}"


@pytest.fixture
def bank(installation: Installation, sandbox: RunningServer, classes: str) -> Bank:
    return Bank(installation, sandbox, classes)


def test_a_company_that_pays_its_taxes_gets_its_loan(bank: Bank) -> None:
    code, told, complained = bank.run("--persona", "lin-xi", "--amount", "2000000")
    assert (code, complained) == (0, "")
    assert told.startswith("GRANTED  开门满山（样例）茶业有限公司: ¥2,000,000 at 3.45 % a year"), told
    assert "credit grade AAA" in told
    limited = bank.decision("--persona", "lin-xi", "--amount", "90000000")
    assert limited["company"] == MANSHAN
    assert 2_000_000 < limited["amount_yuan"] < 90_000_000
    assert limited["reasons"][-1].startswith("limited to 3 times")


def test_arrears_refuse_and_paying_them_is_felt(bank: Bank) -> None:
    asked = ("--persona", "wang-jianguo", "--company", QIANSHOU)
    before = bank.decision(*asked)
    assert (before["is_granted"], before["amount_yuan"]) == (False, 0)
    assert any("of tax is owed" in reason for reason in before["reasons"]), before
    # The company pays, in this app's own city: tax tells credit, and the bank no longer sees anything owed.
    paid = [
        left for year in range(2020, 2027) for tax in ("vat", "income-tax") for left in bank.pay(year, tax)
    ]
    assert paid
    assert set(paid) == {0}
    after = bank.decision(*asked)
    assert not any("owed" in reason and "nothing" not in reason for reason in after["reasons"]), after


def test_a_field_without_consent_is_missed_by_its_name(bank: Bank) -> None:
    decision = bank.decision("--persona", "lin-xi", "--refuse", "grade")
    assert decision["reasons"] == ["the consent does not cover grade"]


def test_who_is_no_representative_any_more_opens_nothing(bank: Bank) -> None:
    code, told, complained = bank.run("--persona", "zhou-ming", "--company", HENGZHU)
    assert (code, told) == (2, "")
    assert "legal representative once" in complained
    assert re.search(r"request rp_\w+", complained), complained


def test_without_consent_the_records_stay_closed(bank: Bank) -> None:
    for path in (f"/tax/v1/taxpayers/{MANSHAN}/tax-paid", f"/credit/v1/companies/{MANSHAN}/report"):
        refused = bank.call("GET", path)
        assert (refused.status_code, refused.json()["rule"]) == (403, "consent-required")


@pytest.mark.parametrize("decision", ["agree", "refuse"])
def test_the_representative_decides_in_a_browser(
    bank: Bank, installation: Installation, decision: str
) -> None:
    port = free_port()
    installation.json(
        "app", "oauth", bank.app_id, "--grant-type", "client_credentials", "--grant-type", "authorization_code",
        "--redirect-uri", f"http://127.0.0.1:{port}/callback", "--contact", "privacy@bank.example",
        "--retention", "six months",
    )  # fmt: skip
    process = bank.start("--browser", "--port", str(port))
    try:
        assert process.stderr is not None
        address = _first_line(process).removeprefix("Open ").strip()
        citizen = Visitor(bank.url, language="en")
        page = sign_in(citizen, citizen.open(address), "林溪")
        choices = [
            one.attributes["value"] for one in page.all("input") if one.attributes.get("name") == "choice"
        ]
        back = decide(citizen, page, decision, *choices)
        assert urlsplit(back.headers["location"]).path == "/callback", back.text
        assert httpx.get(back.headers["location"]).status_code == 200
        told, complained = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    if decision == "agree":
        assert (process.returncode, told[:7]) == (0, "GRANTED"), complained
    else:
        assert (process.returncode, told) == (2, "")
        assert "access_denied" in complained or "refused" in complained


def _first_line(process: "subprocess.Popen[str]") -> str:
    """The first line on standard error; fails when none comes."""
    lines: SimpleQueue[str] = SimpleQueue()
    stream = process.stderr
    assert stream is not None
    threading.Thread(target=lambda: lines.put(stream.readline()), daemon=True).start()
    return lines.get(timeout=60)
