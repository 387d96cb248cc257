"""Clients that we did not write go their whole way against a running server, its pages included.

openid-client is certified for FAPI 2.0, oauth4webapi is strict, authlib's client is what many Python developers use. The
person in between is tests.citizen, who reads the server's own consent page and presses its buttons.
"""

import json
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from tests import databases
from tests.citizen import Citizen
from tests.server import Installation, RunningServer

with warnings.catch_warnings():  # it warns of httpx, which it will leave
    warnings.simplefilter("ignore")
    from authlib.integrations.httpx_client import OAuth2Client

WITNESS = Path(__file__).resolve().parents[1] / "witness"
CALLBACK = "https://bank.example/callback"


@pytest.fixture(scope="module")
def representative(installation: Installation, sandbox: RunningServer) -> dict[str, str]:
    """A person of the city who may speak for a company: persona, name and credit code."""
    rows = installation.json("persona", "list", "--kind", "person")["personas"]
    for row in rows:
        for one in row["standing"]:
            if one["can_speak"] and one["role"] == "legal-representative":
                return {"id": row["id"], "name": row["name"], "code": one["code"]}
    raise AssertionError(f"nobody speaks for a company: {rows}")


def run_witness(script: str, task: dict[str, Any], visit: Callable[[dict[str, Any]], str]) -> list[str]:
    """What a witness says it passed. `visit` is its person: gets what the witness asks, tells where it landed."""
    if not (WITNESS / "node_modules" / "openid-client").is_dir():
        databases.missing("the Node clients (npm ci in tests/witness)")
    node = subprocess.Popen(
        ["node", script], cwd=WITNESS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )  # fmt: skip
    assert node.stdin is not None
    assert node.stdout is not None
    try:
        said: dict[str, Any] = task
        while True:
            node.stdin.write(json.dumps(said) + "\n")
            node.stdin.flush()
            line = node.stdout.readline()
            if not line:
                _, err = node.communicate(timeout=20)
                raise AssertionError(f"{script} ended with {node.returncode}:\n{err}")
            message = json.loads(line)
            if "passed" in message:
                assert node.wait(20) == 0
                return list(message["passed"])
            said = {"landed": visit(message)}
    finally:
        if node.poll() is None:
            node.kill()
        node.communicate()


def registration_token(installation: Installation, *options: str) -> str:
    made = installation.json("registration-token", "create", *options)
    return str(made["initial_access_token"])


def test_openid_client_goes_the_fapi_way(
    installation: Installation, sandbox: RunningServer, representative: dict[str, str]
) -> None:
    """Registration, PAR, S256, consent on the page, iss, private_key_jwt, DPoP, id_token, userinfo, refresh, revocation."""
    code = representative["code"]
    task = {
        "issuer": sandbox.url,
        "redirect_uri": CALLBACK,
        "initial_access_token": registration_token(
            installation, "--profile", "fapi2", "--subscribe", "tax@v1:bank-credit"
        ),
        "scope": "openid profile tax:tax-paid:read",
        "authorization_details": [
            {
                "type": "kaimen-service", "service": "tax@v1", "purpose": "bank-credit", "organisation": code,
                "fields": ["code", "name", "from_year", "to_year", "years", "total_paid_yuan", "total_unpaid_yuan"],
            }
        ],
        "api": f"{sandbox.url}/api/tax/v1/taxpayers/{code}/tax-paid",
    }  # fmt: skip
    with Citizen(sandbox.url, representative["name"], organisation=code) as citizen:
        passed = run_witness("fapi.mjs", task, lambda asked: citizen.visit(asked["visit"]))
    assert passed.count("pushed authorization request") == 3
    assert len(passed) == 21, passed


def test_oauth4webapi_signs_in_and_a_device_waits(
    installation: Installation, sandbox: RunningServer, representative: dict[str, str]
) -> None:
    """OpenID Connect for a public app with PKCE; then the device grant with both answers of its person."""
    task = {
        "issuer": sandbox.url,
        "redirect_uri": CALLBACK,
        "initial_access_token": registration_token(installation),
    }

    def visit(asked: dict[str, Any]) -> str:
        typed = {"user_code": asked["user_code"]} if "user_code" in asked else {}
        return citizen.visit(asked["visit"], "refuse" if asked.get("refuse") else "agree", **typed)

    with Citizen(sandbox.url, representative["name"]) as citizen:
        passed = run_witness("openid.mjs", task, visit)
    assert len(passed) == 15, passed


def test_authlib_redeems_a_code(
    installation: Installation, sandbox: RunningServer, representative: dict[str, str]
) -> None:
    """authlib's own client with a secret: PKCE, code, userinfo, refresh, revocation."""
    bearer = {"Authorization": "Bearer " + registration_token(installation)}
    metadata = {
        "client_name": "authlib", "redirect_uris": [CALLBACK], "grant_types": ["authorization_code", "refresh_token"],
    }  # fmt: skip
    app = httpx.post(sandbox.url + "/oauth/register", json=metadata, headers=bearer).json()
    verifier = "authlib-verifier-" + "v" * 40
    with (
        Citizen(sandbox.url, representative["name"]) as citizen,
        OAuth2Client(
            app["client_id"], app["client_secret"], scope="openid profile", redirect_uri=CALLBACK,
            code_challenge_method="S256",
        ) as client,
    ):  # fmt: skip
        address, state = client.create_authorization_url(
            sandbox.url + "/oauth/authorize", code_verifier=verifier
        )
        landed = citizen.visit(address)
        said = parse_qs(urlsplit(landed).query)
        assert said["iss"] == [sandbox.url]
        endpoint = sandbox.url + "/oauth/token"
        token = client.fetch_token(
            endpoint, authorization_response=landed, state=state, code_verifier=verifier
        )
        assert {"access_token", "refresh_token", "id_token"} <= token.keys()
        assert client.get(sandbox.url + "/oauth/userinfo").json()["name"]
        fresh = client.refresh_token(endpoint)
        assert fresh["refresh_token"] != token["refresh_token"]
        assert (
            client.revoke_token(sandbox.url + "/oauth/revoke", token=fresh["refresh_token"]).status_code
            == 200
        )
        assert client.get(sandbox.url + "/oauth/userinfo").status_code == 401


def test_a_token_in_the_address_is_no_token(
    installation: Installation, sandbox: RunningServer, company_code: str
) -> None:
    """FAPI 2.0 Security Profile §5.3.4: the header alone counts."""
    app = installation.json("app", "create", "--name", "careless", "--subscribe", "company@v1")
    form = {"grant_type": "client_credentials"}
    token = httpx.post(
        sandbox.url + "/oauth/token", data=form, auth=(app["client_id"], app["client_secret"])
    ).json()["access_token"]
    address = f"{sandbox.url}/api/company/v1/companies/{company_code}"
    assert httpx.get(address, headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert httpx.get(address, params={"access_token": token}).status_code == 401
