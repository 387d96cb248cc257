"""Agents with clients that we did not write go the whole way: the Python SDK's and the TypeScript SDK's.

A public client with PKCE that was registered before; one that registers itself with an initial access token; a client
whose token is bound to its key (DPoP). In between a person of the city reads our consent page and agrees.
"""

import json
from urllib.parse import parse_qs, urlsplit

import httpx
import httpx2
import pytest
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata

from tests.citizen import Citizen
from tests.gateway.prover import Prover
from tests.journeys.test_outside_witnesses import registration_token, run_witness
from tests.mcp.serving import HEADERS, make_app, token_of

CALLBACK = "http://127.0.0.1:7777/callback"


@pytest.fixture(scope="module")
def person(installation):
    """The name of somebody of the city."""
    rows = installation.json("persona", "list", "--kind", "person")["personas"]
    return rows[0]["name"]


@pytest.fixture(scope="module")
def public_app(installation, server):
    """A public client, registered before, that is subscribed to two services."""
    app = make_app(installation, "company@v1", "newborn@v1")
    installation.command(
        "app", "oauth", app["app_id"], "--auth-method", "none", "--grant-type", "authorization_code",
        "--grant-type", "refresh_token", "--redirect-uri", CALLBACK,
    )  # fmt: skip
    return app


class Kept:
    """What the SDK keeps of itself: a client that was registered before, and its tokens."""

    def __init__(self, client_id):
        self.client = OAuthClientInformationFull(
            client_id=client_id, redirect_uris=[CALLBACK], token_endpoint_auth_method="none",
            grant_types=["authorization_code", "refresh_token"],
        )  # fmt: skip
        self.tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


async def test_the_python_sdk_finds_its_way_with_a_public_client(server, public_app, person, code):
    landed = {}
    kept = Kept(public_app["client_id"])

    async def go(address):
        with Citizen(server.url, person) as citizen:
            landed.update(parse_qs(urlsplit(citizen.visit(address)).query))

    async def come_back():
        return AuthorizationCodeResult(
            code=landed["code"][0], state=landed["state"][0], iss=landed.get("iss", [None])[0]
        )

    metadata = OAuthClientMetadata(
        redirect_uris=[CALLBACK], token_endpoint_auth_method="none", client_name="agent",
        grant_types=["authorization_code", "refresh_token"],
    )  # fmt: skip
    provider = OAuthClientProvider(f"{server.url}/mcp", metadata, kept, go, come_back)
    async with (
        httpx2.AsyncClient(auth=provider, timeout=60) as http,
        streamable_http_client(f"{server.url}/mcp", http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        await session.initialize()
        names = [one.name for one in (await session.list_tools()).tools]
        assert "company_get" in names
        result = await session.call_tool("company_get", {"code": code})
        assert result.structured_content["code"] == code
        prompts = (await session.list_prompts()).prompts
        assert [one.name for one in prompts] == ["newborn_v1"]
        refused = await session.call_tool("post_order_get", {"number": "KM0000000000000"})
        assert refused.is_error
        assert refused.structured_content["step"] == "authorise"
    assert kept.tokens.refresh_token
    assert "company:profile:read" in kept.tokens.scope.split()
    answer = httpx.get(
        f"{server.url}/api/company/v1/companies/{code}",
        headers={"Authorization": f"Bearer {kept.tokens.access_token}"},
    )
    assert answer.status_code == 401  # it asked for a token for MCP, and got one for MCP alone


def test_the_typescript_sdk_with_a_public_client(server, public_app, person, code):
    task = {
        "url": f"{server.url}/mcp", "redirect_uri": CALLBACK, "client_id": public_app["client_id"],
        "listed": ["company_get"], "call": {"name": "company_get", "arguments": {"code": code}},
        "refused": {"name": "post_order_get", "arguments": {"number": "KM0000000000000"}}, "prompt": "newborn_v1",
    }  # fmt: skip
    with Citizen(server.url, person) as citizen:
        passed = run_witness("mcp.mjs", task, lambda asked: citizen.visit(asked["visit"]))
    assert len(passed) == 8, passed


def test_the_typescript_sdk_registers_itself_with_an_initial_token(installation, server, person, code):
    task = {
        "url": f"{server.url}/mcp", "redirect_uri": CALLBACK,
        "initial_access_token": registration_token(installation, "--subscribe", "company@v1"),
        "listed": ["company_get"], "call": {"name": "company_get", "arguments": {"code": code}},
        "refused": {"name": "post_order_get", "arguments": {"number": "KM0000000000000"}},
    }  # fmt: skip
    with Citizen(server.url, person) as citizen:
        passed = run_witness("mcp.mjs", task, lambda asked: citizen.visit(asked["visit"]))
    assert "registered itself" in passed
    assert len(passed) == 8, passed


def test_the_typescript_sdk_searches_where_there_is_much(installation, server, code):
    keys = ["company@v1", "tax@v1", "customs@v1", "transport@v1", "culture@v1", "utilities@v1", "hotline@v1",
            "procurement@v1", "education@v1", "weather@v1", "air@v1", "statistics@v1", "emergency@v1", "licence@v1",
            "justice@v1", "social@v1", "housing@v1"]  # fmt: skip
    token = token_of(server, make_app(installation, *keys))
    task = {
        "url": f"{server.url}/mcp", "token": token, "listed": ["search_operations", "describe_operation", "call_operation"],
        "query": "look up a company by its code", "call": {"name": "company_get", "arguments": {"code": code}},
        "refused": {"name": "post_order_get", "arguments": {"number": "KM0000000000000"}},
    }  # fmt: skip
    passed = run_witness("mcp.mjs", task, lambda _: "")
    assert "searches" in passed
    assert len(passed) == 6, passed


def test_a_token_bound_to_a_key_wants_its_proof_at_every_request(installation, server, code):
    app = make_app(installation, "company@v1")
    prover = Prover()
    url = f"{server.url}/mcp"
    form = {"grant_type": "client_credentials", "resource": url}
    auth = (app["client_id"], app["client_secret"])
    proof = prover.proof("POST", f"{server.url}/oauth/token")
    given = httpx.post(f"{server.url}/oauth/token", data=form, auth=auth, headers={"DPoP": proof})
    if given.status_code == 400 and "dpop-nonce" in given.headers:
        proof = prover.proof("POST", f"{server.url}/oauth/token", nonce=given.headers["dpop-nonce"])
        given = httpx.post(f"{server.url}/oauth/token", data=form, auth=auth, headers={"DPoP": proof})
    assert given.json()["token_type"] == "DPoP", given.text
    token = given.json()["access_token"]
    message = {
        "jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "company_get", "arguments": {"code": code}},
    }  # fmt: skip

    def call(scheme="DPoP", **headers):
        sent = HEADERS | {"Authorization": f"{scheme} {token}"} | headers
        return httpx.post(url, content=json.dumps(message), headers=sent, timeout=30)

    once = prover.proof("POST", url, token.encode())
    answer = call(DPoP=once)
    if answer.status_code == 401 and "dpop-nonce" in answer.headers:
        once = prover.proof("POST", url, token.encode(), nonce=answer.headers["dpop-nonce"])
        answer = call(DPoP=once)
    assert answer.json()["result"]["structuredContent"]["code"] == code
    for refused in (
        call("Bearer"), call(), call(DPoP=once), call(DPoP=Prover().proof("POST", url, token.encode())),
        call(DPoP=prover.proof("GET", url, token.encode())),
    ):  # fmt: skip
        assert refused.status_code == 401, refused.text
        assert "resource_metadata=" in refused.headers["www-authenticate"]
        assert refused.json()["step"] == "authenticate"
