"""Outside witnesses: clients that we did not write, against a server on a real socket.

oauth4webapi (Node) is a strict one; authlib's AsyncOAuth2Client is what many Python developers use.
"""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from joserfc.jwk import OKPKey, RSAKey

from api.app import create_app
from api.core.crypto import Vault, read_or_make_master_key
from api.core.store import Stores
from api.identity.oauth.routes import router
from api.identity.oauth.service import AuthorizationService
from api.settings import Settings
from tests import databases
from tests.identity.oauth.plane import SCOPES, Plane, TableRights, new_key

with warnings.catch_warnings():  # it warns of httpx, which it will leave
    warnings.simplefilter("ignore")
    from authlib.integrations.httpx_client import AsyncOAuth2Client
    from authlib.oauth2.rfc7523 import PrivateKeyJWT

WITNESS = Path(__file__).resolve().parents[2] / "witness"


@pytest.fixture(scope="module")
async def served(stores: Stores) -> AsyncIterator[Plane]:
    """A plane on a free loopback port, which is its issuer."""
    port = databases.free_port()
    settings = Settings(home=str(stores.home), sandbox_url=f"http://127.0.0.1:{port}", embedded=True)
    rights, vault = TableRights(), Vault(read_or_make_master_key(stores.home / "master.key"))
    service = AuthorizationService(settings, vault, rights)
    door = create_app(settings, handlers=[router], lifespan=[service.lifespan])
    config = uvicorn.Config(door, port=port, log_level="error", ws="none", access_log=False)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done(), task
        await asyncio.sleep(0.02)
    async with httpx.AsyncClient(base_url=service.issuer) as http:
        yield Plane(service=service, http=http, rights=rights, settings=settings, vault=vault)
    server.should_exit = True
    await task


async def test_oauth4webapi(served: Plane) -> None:
    if not (WITNESS / "node_modules" / "oauth4webapi").is_dir():
        databases.missing("the Node client (npm ci in tests/witness)")
    secret_client = await served.new_app(*SCOPES)
    keys = [new_key(), OKPKey.generate_key("Ed25519", auto_kid=True, private=True)]
    key_clients = [(await served.new_app(*SCOPES, keys=[key]), key) for key in keys]
    task = {
        "issuer": served.issuer,
        "scope": SCOPES[0],
        "secret_client": {"client_id": secret_client.client_id, "client_secret": secret_client.secret},
        "key_clients": [
            {"client_id": client.client_id, "jwk": key.as_dict(private=True)} for client, key in key_clients
        ],
    }
    node = await asyncio.create_subprocess_exec(
        "node", "client_credentials.mjs", cwd=WITNESS, stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(node.communicate(json.dumps(task).encode()), 60)
    assert node.returncode == 0, err.decode()
    assert len(json.loads(out)["passed"]) == 1 + 4 * 4 + 3


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_authlib_client_with_a_secret(served: Plane, method: str) -> None:
    app = await served.new_app(*SCOPES)
    async with AsyncOAuth2Client(app.client_id, app.secret, token_endpoint_auth_method=method) as client:
        token: dict[str, Any] = await client.fetch_token(
            served.issuer + "/oauth/token", grant_type="client_credentials", scope=SCOPES[0]
        )
        assert token["scope"] == SCOPES[0]
        answer = await client.revoke_token(served.issuer + "/oauth/revoke", token=token["access_token"])
        assert answer.status_code == 200
        answer = await client.introspect_token(
            served.issuer + "/oauth/introspect", token=token["access_token"]
        )
        assert answer.json() == {"active": False}


async def test_authlib_client_with_an_elliptic_key(served: Plane) -> None:
    """As docs/how-to/get-a-token shows it."""
    key = new_key()
    app = await served.new_app(*SCOPES, keys=[key])
    endpoint = served.issuer + "/oauth/token"
    async with AsyncOAuth2Client(app.client_id, key, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(endpoint, alg="ES256"))
        for _ in range(2):
            token = await client.fetch_token(endpoint, grant_type="client_credentials")
            assert token["scope"] == " ".join(SCOPES)


async def test_authlib_client_with_a_key(served: Plane) -> None:
    """As it comes: RS256, no kid, the token endpoint as audience, an hour to live."""
    key = RSAKey.generate_key(2048, private=True)
    app = await served.new_app(*SCOPES, keys=[key])
    endpoint = served.issuer + "/oauth/token"
    pem = key.as_pem(private=True)
    async with AsyncOAuth2Client(app.client_id, pem, token_endpoint_auth_method="private_key_jwt") as client:
        client.register_client_auth_method(PrivateKeyJWT(endpoint))
        for _ in range(2):
            token = await client.fetch_token(endpoint, grant_type="client_credentials")
            assert token["scope"] == " ".join(SCOPES)
