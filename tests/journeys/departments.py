"""A department with two people, and the real system behind its service, for journeys."""

import contextlib
import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.server import Installation, RunningServer, free_port
from tests.visitor import Visitor, administrator

UPSTREAM = Path(__file__).resolve().parents[1] / "upstreams" / "vat.py"


@dataclass
class Department:
    """`publisher` and `approver` are two members; neither is the administrator who made the department."""

    id: str
    slug: str
    administrator: Visitor
    publisher: Visitor
    approver: Visitor


def make_department(installation: Installation, server: RunningServer, slug: str) -> Department:
    """By the first administrator's link, then by invitations: nothing that a stranger could not do by hand."""
    first = administrator(installation, server.url)
    made = first.api(
        "POST", "/platform/v1/organisations", kind="department", slug=slug, name_zh="样例税务局", name_en="Sample Revenue"
    )  # fmt: skip
    people = []
    for role in ("publisher", "approver"):
        person = Visitor(server.url, language="en")
        path = f"/platform/v1/organisations/{made['organisation_id']}/invitations"
        first.api("POST", path, email=person.email, roles=[role])
        people.append(person.accept(person.newest_mail()))
    return Department(made["organisation_id"], slug, first, *people)


@dataclass
class Upstream:
    """The department's own system, outside the platform's code."""

    url: str
    log_path: Path

    def requests(self) -> list[dict[str, Any]]:
        """What it was asked, oldest first."""
        if not self.log_path.exists():
            return []
        return [json.loads(line) for line in self.log_path.read_text().splitlines()]


@contextlib.contextmanager
def running_upstream(folder: Path) -> Iterator[Upstream]:
    """The VAT system of tests/upstreams in a process of its own."""
    port, log = free_port(), folder / "upstream.log"
    process = subprocess.Popen([sys.executable, str(UPSTREAM), str(port), str(log)])
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url)
        yield Upstream(url, log)
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str, seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except urllib.error.HTTPError as answered:
            answered.close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


@dataclass
class VatScript:
    """What a developer's program does; only base URL and credential differ between sandbox and live."""

    base_url: str
    client_id: str
    client_secret: str

    def _call(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, dict[str, str], Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {
            "Authorization": f"Bearer {token}",
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        request = urllib.request.Request(self.base_url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, _lower(answer.headers), json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, _lower(refused.headers), json.load(refused)

    def token(self, *, at: str = "") -> tuple[int, dict[str, Any]]:
        """The token endpoint's status and body, of this plane or of the one at `at`."""
        form = f"grant_type=client_credentials&client_id={self.client_id}&client_secret={self.client_secret}"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = urllib.request.Request((at or self.base_url) + "/oauth/token", form.encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def get(self, path: str, token: str = "") -> tuple[int, dict[str, str], Any]:
        return self._call("GET", path, token or self.token()[1]["access_token"])

    def post(self, path: str, body: Any) -> tuple[int, dict[str, str], Any]:
        return self._call("POST", path, self.token()[1]["access_token"], body)
