"""A server process with a small city, on each database, and an app to speak with."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from api.core.store import Stores
from tests.citizen import Citizen
from tests.fuzz.oauth_requests import CHALLENGE, DEVICE_GRANT, KEY
from tests.fuzz.targets import OAuthTarget, Target, city_operations
from tests.server import Installation, RunningServer

# each fuzzed request names an address of its own, so that limits by address do not end the test early
SETTINGS = {"KAIMEN_TRUSTED_PROXIES": "127.0.0.0/8", "KAIMEN_CALL_DEADLINE_MS": "5000"}


@pytest.fixture(scope="module")
def installation(migrated: Stores) -> Installation:
    """A home on the module's database, seeded."""
    made = Installation(Path(migrated.home), extra={"KAIMEN_DATABASE_URL": migrated.url, **SETTINGS})
    made.seed()
    return made


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[RunningServer]:
    with installation.serving("sandbox") as running:
        yield running


@pytest.fixture(scope="module")
def target(installation: Installation, server: RunningServer) -> Target:
    """A good app with tokens, and codes that exist and that do not."""
    subscriptions = ("--subscribe", "company@v1", "--subscribe", "tax@v1", "--subscribe", "post@v1")
    app = installation.json("app", "create", "--name", "fuzz", "--environment", "sandbox", *subscriptions)
    credentials = (app["client_id"], app["client_secret"])
    form = {"grant_type": "client_credentials"}
    answers = [httpx.post(server.url + "/oauth/token", data=form, auth=credentials) for _ in range(3)]
    tokens = tuple(answer.json()["access_token"] for answer in answers)
    personas = installation.json("city", "personas")["personas"]
    codes = tuple(row["code"] for row in personas if row.get("code"))[:20]
    oauth = _oauth_target(installation, server)
    return Target(
        oauth=oauth,
        client_id=app["client_id"],
        secret=app["client_secret"],
        tokens=tokens,
        codes=(*codes, "91310000MA1K35UX8J", "1", "a"),
        operations=city_operations(),
    )


REDIRECT_URI = "https://bank.example/callback"


def _oauth_target(installation: Installation, server: RunningServer) -> OAuthTarget:
    """Clients of each kind, registered as strangers do it, and requests of theirs that wait."""
    made = installation.json("registration-token", "create", "--max-uses", "100", "--subscribe", "company@v1")
    bearer = {"Authorization": "Bearer " + made["initial_access_token"]}
    common = {"client_name": "fuzz", "redirect_uris": [REDIRECT_URI]}
    grants = ["authorization_code", "refresh_token", DEVICE_GRANT]
    keys = {"keys": [KEY.as_dict(private=False)]}
    metadata = [
        {**common, "grant_types": grants, "token_endpoint_auth_method": "none"},
        {**common, "token_endpoint_auth_method": "private_key_jwt", "jwks": keys, "kaimen_profile": "fapi2"},
    ]
    endpoint = server.url + "/oauth/register"
    public, fapi = (httpx.post(endpoint, json=one, headers=bearer).json() for one in metadata)
    client_id = public["client_id"]
    pushed = {
        "client_id": client_id, "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid",
        "code_challenge": CHALLENGE, "code_challenge_method": "S256",
    }  # fmt: skip
    request_uris = [httpx.post(server.url + "/oauth/par", data=pushed).json() for _ in range(3)]
    asked = {"client_id": client_id, "scope": "openid"}
    device_codes = [httpx.post(server.url + "/oauth/device", data=asked).json() for _ in range(3)]
    refresh_tokens = tuple(_refresh_token(server, client_id) for _ in range(3))
    return OAuthTarget(
        refresh_tokens=(*refresh_tokens, "ktr_" + "x" * 43),
        issuer=server.url,
        redirect_uri=REDIRECT_URI,
        public_client=client_id,
        fapi_client=fapi["client_id"],
        registration_token=made["initial_access_token"],
        registration_access_token=public["registration_access_token"],
        request_uris=tuple(one["request_uri"] for one in request_uris),
        device_codes=tuple(one["device_code"] for one in device_codes),
    )


def _refresh_token(server: RunningServer, client_id: str) -> str:
    """One that a person of the city has agreed to, on the server's own page."""
    verifier = "fuzz-verifier-" + "v" * 40
    challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    asked = {
        "client_id": client_id, "response_type": "code", "redirect_uri": REDIRECT_URI, "scope": "openid profile",
        "code_challenge": challenge, "code_challenge_method": "S256",
    }  # fmt: skip
    with Citizen(server.url, "林溪") as citizen:
        landed = citizen.visit(f"/oauth/authorize?{urlencode(asked)}")
    form = {
        "grant_type": "authorization_code", "client_id": client_id, "redirect_uri": REDIRECT_URI,
        "code": parse_qs(urlsplit(landed).query)["code"][0], "code_verifier": verifier,
    }  # fmt: skip
    return str(httpx.post(server.url + "/oauth/token", data=form).json()["refresh_token"])
