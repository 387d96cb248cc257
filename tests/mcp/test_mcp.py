"""MCP as agents meet it: a running server, the SDK's client and one written by hand."""

import json
import time

import httpx
import httpx2
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client

from tests.mcp.serving import HEADERS, PlainClient, make_app, token_of


async def test_the_sdk_client_lists_and_calls(server, token, code):
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        streamable_http_client(f"{server.url}/mcp", http_client=http) as streams,
        ClientSession(streams[0], streams[1]) as session,
    ):
        assert (await session.initialize()).server_info.name == "kaimen"
        tools = {one.name: one for one in (await session.list_tools()).tools}
        assert tools["company_get"].annotations.read_only_hint is True
        assert tools["company_get"].input_schema["required"] == ["code"]
        result = await session.call_tool("company_get", {"code": code})
        assert not result.is_error
        assert result.structured_content["code"] == code
        resources = (await session.list_resources()).resources
        assert "kaimen://contracts/company@v1" in [str(one.uri) for one in resources]
        read = await session.read_resource("kaimen://contracts/company@v1")
        assert json.loads(read.contents[0].text)["openapi"].startswith("3.1")


def test_the_same_answer_as_rest(server, client, token, code):
    result = client.call("company_get", code=code)
    answer = httpx.get(
        f"{server.url}/api/company/v1/companies/{code}", headers={"Authorization": f"Bearer {token}"}
    )
    assert result["structuredContent"] == answer.json()
    assert result["_meta"]["kaimen/status"] == 200
    assert result["_meta"]["kaimen/cost"] == 1


def test_an_unknown_caller_is_told_where_to_get_a_token(server):
    answer = httpx.post(f"{server.url}/mcp", json={}, headers=HEADERS)
    assert answer.status_code == 401
    challenge = answer.headers["www-authenticate"]
    address = challenge.partition('resource_metadata="')[2].partition('"')[0]
    document = httpx.get(address).json()
    assert document["resource"] == f"{server.url}/mcp"
    assert document["authorization_servers"] == [server.url]
    assert document["scopes_supported"] == ["subscriptions"]  # what an agent asks for: all that its app has
    listed = httpx.get(f"{server.url}/.well-known/oauth-authorization-server").json()
    assert listed["issuer"] in document["authorization_servers"]
    other = httpx.get(f"{server.url}/.well-known/oauth-protected-resource/graphql").json()
    assert other["resource"] == f"{server.url}/graphql"
    assert "company:profile:read" in other["scopes_supported"]
    assert httpx.get(f"{server.url}/.well-known/oauth-protected-resource/nothing").status_code == 404


def test_a_token_for_mcp_alone_opens_mcp_alone(server, app, code):
    narrow = token_of(server, app, resource=f"{server.url}/mcp")
    client = PlainClient(server, narrow)
    assert client.call("company_get", code=code)["structuredContent"]["code"] == code
    for _ in range(2):  # also once MCP remembers it
        answer = httpx.get(
            f"{server.url}/api/company/v1/companies/{code}", headers={"Authorization": f"Bearer {narrow}"}
        )
        assert answer.status_code == 401
    other = PlainClient(server, token_of(server, app, resource=f"{server.url}/graphql"))
    assert other.post(b"{}")[0] == 401
    client.close()
    other.close()


def test_without_the_scope_nothing_is_listed_and_the_refusal_explains(server, app, code):
    client = PlainClient(server, token_of(server, app, scope="post:order:read"))
    names = [one["name"] for one in client.ask("tools/list")["result"]["tools"]]
    assert "company_get" not in names
    assert "post_order_get" in names
    refused = client.call("company_get", code=code)
    assert refused["isError"] is True
    problem = refused["structuredContent"]
    assert problem["step"] == "authorise"
    assert problem["type"].endswith("/scope-missing/")
    assert problem["scope"] == "company:profile:read"
    assert problem["next"]
    client.close()


def test_agents_read_only_until_their_app_lets_them_change(installation, server):
    app = make_app(installation, "company@v1")
    client = PlainClient(server, token_of(server, app))
    name = "company_name_create"

    def listed():
        return {one["name"]: one for one in client.ask("tools/list")["result"]["tools"]}

    assert "company_get" in listed()
    assert name not in listed()
    assert all(one["annotations"]["readOnlyHint"] for one in listed().values())
    held = client.call(name, body={}, kaimen_confirm=True)
    assert held["isError"] is True
    assert held["structuredContent"]["rule"] == "app-reads-only"
    assert f"kaimen mcp writes {app['app_id']} confirm" in held["structuredContent"]["next"]
    assert held["_meta"]["kaimen/cost"] == 0

    assert installation.json("mcp", "show", app["app_id"]) == {"writes": "off"}
    assert installation.json("mcp", "writes", app["app_id"], "confirm") == {"writes": "confirm"}
    time.sleep(2.1)
    tool = listed()[name]
    assert tool["annotations"]["readOnlyHint"] is False
    assert "kaimen_confirm" in tool["inputSchema"]["properties"]
    assert tool["inputSchema"]["properties"]["body"]
    held = client.call(name, body={})
    assert held["structuredContent"]["rule"] == "change-unconfirmed"
    assert held["_meta"]["kaimen/cost"] == 0
    sent = client.call(name, body={}, kaimen_confirm=True)
    assert sent["structuredContent"]["step"] == "validate"  # it went on, and the contract refused the body

    installation.json("mcp", "writes", app["app_id"], "free")
    time.sleep(2.1)
    still = client.call(name, body={})  # the platform's own setting is the upper bound
    assert still["structuredContent"]["rule"] == "change-unconfirmed"
    client.close()


def test_a_name_that_is_wrong_is_explained(client, code):
    for tool, arguments, rule in (
        ("no_such_tool", {}, "tool-unknown"),
        ("company_get", {"code": code, "unknown": 1}, "parameter-invalid"),
        ("company_get", {}, "parameter-invalid"),
        ("company_get", {"code": ""}, "parameter-invalid"),
        ("company_get", {"code": ".."}, "parameter-invalid"),
        ("company_get", {"code": "../../tax/v1/x"}, "parameter-invalid"),
        ("company_get", {"code": "a/b"}, "parameter-invalid"),
        ("company_get", {"code": "x\u0000y"}, "path-control-character"),
        ("company_get", {"code": {"$ref": "#"}}, "parameter-invalid"),
        ("company_get", {"code": code, "kaimen_scenario": "a\r\nx: y"}, "parameter-invalid"),
        ("company_get", {"code": code, "kaimen_scenario": "nothing"}, "scenario-unknown"),
    ):
        result = client.call(tool, **arguments)
        assert result["isError"] is True, (tool, arguments)
        assert result["structuredContent"]["next"]
        assert result["structuredContent"]["rule"] == rule, (arguments, result)


def test_the_log_is_one_tree(installation, server, client, code):
    result = client.call("company_get", code=code)
    inner = installation_request(server, installation, result["_meta"]["kaimen/request_id"])
    assert inner["face"] == "mcp"
    assert inner["operation"] == "getCompany"
    outer = installation_request(server, installation, inner["parent_id"])
    assert outer["path"] == "/mcp"
    assert outer["status"] == 200


def installation_request(server, installation, request_id):
    for _ in range(30):
        done = installation.command("request", "show", request_id, "--json", check=False)
        if done.returncode == 0:
            return json.loads(done.stdout)
        time.sleep(0.2)
    raise AssertionError(done.stdout + done.stderr)


def test_many_operations_are_searched(installation, server):
    keys = [
        "company@v1", "post@v1", "tax@v1", "customs@v1", "transport@v1", "weather@v1", "air@v1", "culture@v1",
        "emergency@v1", "statistics@v1", "utilities@v1", "hotline@v1", "procurement@v1", "education@v1",
    ]  # fmt: skip
    client = PlainClient(server, token_of(server, make_app(installation, *keys)))
    names = [one["name"] for one in client.ask("tools/list")["result"]["tools"]]
    assert names == ["search_operations", "describe_operation", "call_operation"]
    for query in ("look up a company by its code", "企业登记查询"):
        found = client.call("search_operations", query=query)["structuredContent"]
        assert found["of"] > 60
        assert "company_get" in [one["name"] for one in found["operations"]], (query, found)
    described = client.call("describe_operation", operation="company_get")["structuredContent"]
    assert described["scopes"] == ["company:profile:read"]
    assert described["input_schema"]["required"] == ["code"]
    assert "$defs" in described["output_schema"]
    code = installation.company_in_business()
    called = client.call("call_operation", operation="company_get", arguments={"code": code})
    assert called["structuredContent"]["code"] == code
    client.close()


def test_hostile_requests_are_turned_away(server, token, client):
    deep = (
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":'
        + b'{"a":' * 5000
        + b"1"
        + b"}" * 5000
        + b"}"
    )
    for body in (b"", b"[]", b"null", b"\xff\xfe", b'{"jsonrpc":"2.0"', deep, b"[" * 100_000):
        status, _, _ = client.post(body)
        assert 400 <= status < 500, (body[:40], status)
    status, _, _ = client.post(b" " * (2 * 1024 * 1024))
    assert status == 413
    for method in ("GET", "DELETE", "PUT"):
        assert client.post(b"", method)[0] == 405
    rebound = PlainClient(server, token, Host="attacker.example")
    assert rebound.post(b"{}")[0] == 421
    foreign = PlainClient(server, token, Origin="https://attacker.example")
    assert foreign.post(b"{}")[0] == 403
    rebound.close()
    foreign.close()
    assert client.ask("ping")["result"] is not None  # and it still serves
