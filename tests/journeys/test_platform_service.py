"""The platform in its own catalogue: a developer's automation finds the contract, gets a right, and calls it."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from api.main import platform_contract
from tests.server import Installation, RunningServer

METHODS = {"get", "put", "post", "delete", "patch"}


@pytest.fixture(scope="module")
def published(installation: Installation, sandbox: RunningServer) -> dict[str, Any]:
    """The contract as the catalogue gives it."""
    installation.command("migrate")
    url = f"{sandbox.url}/catalogue/platform/v1/openapi.json"
    with urllib.request.urlopen(url) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def operations(document: dict[str, Any]) -> dict[str, tuple[str, str, list[dict[str, list[str]]]]]:
    """operationId -> method, path, security."""
    return {
        one["operationId"]: (method.upper(), path, one["security"])
        for path, item in document["paths"].items()
        for method, one in item.items()
        if method in METHODS
    }


def test_the_contract_says_where_and_by_which_right(
    published: dict[str, Any], sandbox: RunningServer
) -> None:
    assert published["servers"][0]["url"] == sandbox.url
    found = operations(published)
    assert found["listApps"] == ("GET", "/platform/v1/apps", [{"oauth2": ["platform:apps:read"]}])
    assert found["listServices"][2] == []
    assert "signIn" not in found, "what only people may do is no part of it"
    assert published["info"]["x-i18n"]["zh-CN"]["title"] == "开门平台接口"


def test_names_are_unique_and_nothing_is_lost_but_yaml() -> None:
    names = [
        (one["x-resource"], one["x-verb"])
        for item in platform_contract.document()["paths"].values()
        for method, one in item.items()
        if method in METHODS
    ]
    assert len(names) == len(set(names))


def test_migrating_again_changes_nothing(installation: Installation, published: dict[str, Any]) -> None:
    before = installation.json("contract", "list")
    installation.command("migrate")
    assert installation.json("contract", "list") == before


def test_it_is_not_subscribed_to_and_not_routed(
    installation: Installation, published: dict[str, Any], sandbox: RunningServer
) -> None:
    refused = installation.command(
        "app", "create", "--name", "automation", "--subscribe", "platform@v1", "--json", check=False
    )
    assert refused.returncode == 1
    assert "platform-scopes" in refused.stdout + refused.stderr
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{sandbox.url}/api/platform/v1/platform/v1/apps")
    with caught.value as answer:
        assert answer.code in {401, 404}


def test_an_owner_gives_the_right_and_the_app_calls(
    installation: Installation, published: dict[str, Any]
) -> None:
    app = installation.json("app", "create", "--name", "automation")
    given = installation.json("app", "platform-scopes", app["app_id"], "platform:apps:read")
    assert given["platform_scopes"] == ["platform:apps:read"]
    credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])
    answer = installation.json("call", "platform", "listApps", *credential)
    assert answer["status"] == 200
    assert app["app_id"] in {one["app_id"] for one in answer["body"]["items"]}
    refused = installation.command(
        "call", "platform", "createApp", "--body", '{"name": "x", "environment": "sandbox"}', *credential, "--json",
        check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["status"] in {401, 403}


def test_every_scope_that_is_named_opens_its_operation(
    installation: Installation, published: dict[str, Any], sandbox: RunningServer
) -> None:
    """Reads with the scope that the contract names are not refused for want of a right; with another one they are."""
    app = installation.json("app", "create", "--name", "every-scope")
    scopes = sorted(
        {scope for _, _, security in operations(published).values() for one in security for scope in one["oauth2"]}
    )  # fmt: skip
    installation.command("app", "platform-scopes", app["app_id"], *scopes)
    credential = ("--client-id", app["client_id"], "--client-secret", app["client_secret"])
    tokens = {
        scope: installation.json("token", *credential, "--scope", scope)["access_token"] for scope in scopes
    }
    for name, (method, path, security) in operations(published).items():
        if method != "GET" or not security:
            continue
        scope = security[0]["oauth2"][0]
        address = path.replace("{app_id}", app["app_id"]).replace("{service_id}", "company@v1")
        if "{" in address:
            continue
        assert _status(sandbox.url + address, tokens[scope]) in {200, 403, 404}, name
        if address.startswith(f"/platform/v1/apps/{app['app_id']}"):
            assert _status(sandbox.url + address, tokens[scope]) == 200, name
            assert _status(sandbox.url + address, tokens["platform:sandbox:write"]) in {403, 404}, name


def _status(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return int(refused.code)
