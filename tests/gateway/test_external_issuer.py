"""Tokens of another issuer, a process of its own on loopback: verified by its JWKS, its rotations followed."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.core.store import Stores
from api.identity.oauth.external import SettingError, read_setting
from api.main.serve import faults_of
from api.settings import Settings
from tests import databases
from tests.gateway.other_issuer import ISSUER
from tests.server import ROOT, Installation, RunningServer

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True, scope="module")
SECONDS = 30.0


@dataclass
class Place:
    """A gateway that takes the tokens of another issuer for one app."""

    gateway: RunningServer
    issuer: httpx.Client
    process: subprocess.Popen[bytes]
    app_id: str
    path: str

    def token(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        return str(
            self.issuer.post("/token", json={"header": header or {}, "claims": claims}).json()["token"]
        )

    def call(self, token: str) -> httpx.Response:
        return httpx.get(
            self.gateway.url + self.path, headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def until_good(self, token: str) -> httpx.Response:
        """An unknown key makes the gateway look again, not more often than every few seconds."""
        deadline = time.monotonic() + SECONDS
        answer = self.call(token)
        while answer.status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.2)
            answer = self.call(token)
        return answer


@pytest.fixture(scope="module")
def place(migrated: Stores) -> Iterator[Place]:
    port = databases.free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.gateway.other_issuer", str(port)], cwd=ROOT)
    installation = Installation(Path(migrated.home))
    installation.seed()
    app = installation.json("app", "create", "--name", "bank", "--subscribe", "company@v1")
    code = installation.company_in_business()
    setting = json.dumps([{
        "issuer": ISSUER, "jwks_uri": f"http://127.0.0.1:{port}/jwks", "audience": "https://api.example/api",
        "environment": "sandbox", "client_claim": "azp", "apps": {"bank-client": app["app_id"]},
        "scopes": {"company.read": "company:profile:read"}, "app_claim": "kaimen_app",
    }])  # fmt: skip
    try:
        with (
            installation.serving(KAIMEN_EXTERNAL_ISSUERS=setting) as gateway,
            httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as issuer,
        ):
            yield Place(gateway, issuer, process, app["app_id"], f"/api/company/v1/companies/{code}")
    finally:
        process.kill()
        process.wait()


def refused(answer: httpx.Response, slug: str, words: str = "") -> None:
    assert answer.status_code == 401, answer.text
    problem = answer.json()
    assert problem["type"].endswith(f"/problems/{slug}/"), problem
    assert words in problem["detail"], problem


def test_a_token_of_the_other_issuer_is_good(place: Place) -> None:
    answer = place.until_good(place.token())
    assert answer.status_code == 200, answer.text
    assert (
        place.call(place.token(aud=["https://other.example", "https://api.example/api"])).status_code == 200
    )
    assert place.call(place.token(scope=["company:profile:read"])).status_code == 200
    assert place.call(place.token(azp="another", kaimen_app=place.app_id)).status_code == 200
    answer = place.call(place.token(scope="openid"))
    assert (answer.status_code, answer.json()["rule"]) == (403, "scope-missing")


def test_what_is_wrong_is_named(place: Place) -> None:
    now = int(time.time())
    refused(place.call(place.token(header={"typ": "JWT"})), "token-invalid", "at+jwt")
    refused(place.call(place.token(aud="https://elsewhere.example")), "token-invalid", "audience")
    refused(place.call(place.token(exp=now - 1)), "token-expired")
    refused(place.call(place.token(nbf=now + 4000)), "token-invalid", "not valid yet")
    refused(place.call(place.token(iat=now + 4000)), "token-invalid", "not valid yet")
    refused(place.call(place.token(azp=None)), "token-invalid", "client")
    refused(place.call(place.token(azp="stranger")), "token-invalid", "KAIMEN_EXTERNAL_ISSUERS")
    refused(place.call(place.token(kaimen_app="a_none", azp="stranger")), "token-revoked")
    refused(place.call(place.token(iss="https://id.example/realms/other")), "token-invalid")
    refused(place.call(place.token(exp=None)), "token-invalid")
    refused(place.call(place.token(jti=None)), "token-invalid")
    refused(place.call(place.token(cnf={"x": "y"})), "token-invalid", "binding")
    token = place.token()
    refused(place.call(token[:-6] + "AAAAAA"), "token-invalid", "altered")
    head, body, _ = token.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"  # {"alg":"none","typ":"at+jwt"}
    refused(place.call(f"{none}.{body}."), "token-invalid", "signed")
    refused(place.call(f"{head}.{body}."), "token-invalid", "altered")


def test_no_consent_of_ours_is_behind_it(place: Place) -> None:
    claims = {
        "grant": "g_1",
        "authorization_details": [{"service": "tax@v1"}],
        "consent": "x",
        "mandate": "m_1",
    }
    assert place.call(place.token(**claims)).status_code == 200  # what it says of that is not heard


@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "RS256"])
def test_rotations_are_followed(place: Place, algorithm: str) -> None:
    before = place.token()
    assert place.until_good(before).status_code == 200
    place.issuer.post("/rotate", json={"algorithm": algorithm})
    after = place.token()
    assert place.until_good(after).status_code == 200
    assert place.call(before).status_code == 200
    place.issuer.post("/forget", json={})
    place.issuer.post("/rotate", json={"algorithm": "ES256"})
    assert place.until_good(place.token()).status_code == 200
    if algorithm == "ES256":
        refused(place.call(before), "token-invalid")  # its key is gone from the JWKS, and so from the cache


def test_unknown_keys_do_not_make_it_ask_on_and_on(place: Place) -> None:
    assert place.until_good(place.token()).status_code == 200
    asked = place.issuer.get("/asked").json()["jwks_asked"]
    for _ in range(40):
        refused(place.call(place.token(header={"kid": "made-up"})), "token-invalid")
    assert place.issuer.get("/asked").json()["jwks_asked"] - asked < 20


def test_known_keys_go_on_serving_when_the_issuer_is_away(place: Place) -> None:
    tokens = [place.token() for _ in range(3)]
    assert place.until_good(tokens[0]).status_code == 200
    place.process.kill()
    place.process.wait()
    assert [place.call(token).status_code for token in tokens] == [200] * 3


# --- the setting ------------------------------------------------------------------------------------
GOOD = {
    "issuer": "https://id.example",
    "jwks_uri": "https://id.example/jwks",
    "audience": "x",
    "environment": "live",
    "apps": {"a": "a_1"},
}


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[", '[{"issuer": "x"}]', json.dumps([{**GOOD, "environment": "test"}]), json.dumps([{**GOOD, "apps": {}}]),
        json.dumps([GOOD, GOOD]), json.dumps([{**GOOD, "audience": ""}]), json.dumps([{**GOOD, "unknown": 1}]),
    ],
)  # fmt: skip
def test_settings_that_cannot_be(database: str, text: str) -> None:
    with pytest.raises(SettingError, match="KAIMEN_EXTERNAL_ISSUERS"):
        read_setting(text)
    assert faults_of(Settings(external_issuers=text))


def test_settings_that_would_be_unsafe(database: str) -> None:
    for changes in (
        {"jwks_uri": "http://id.example/jwks"}, {"issuer": "http://127.0.0.1:8001/"}, {"jwks_uri": "file:///etc/passwd"},
    ):  # fmt: skip
        assert faults_of(Settings(external_issuers=json.dumps([{**GOOD, **changes}])))
    assert not faults_of(Settings(external_issuers=json.dumps([GOOD])))
    assert not faults_of(Settings(external_issuers=""))
