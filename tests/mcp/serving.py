"""A real server with a seeded city, an app with a token, and a client of MCP written by hand from its specification."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.server import Installation, RunningServer

HEADERS = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": "2025-06-18",
}


def make_app(installation: Installation, *services: str) -> dict[str, Any]:
    """An app that is subscribed to these services."""
    options = [part for service in services for part in ("--subscribe", service)]
    return installation.json("app", "create", "--name", "agent", *options)


def token_of(server: RunningServer, app: dict[str, Any], **form: str) -> str:
    """An access token of the app."""
    answer = httpx.post(
        f"{server.url}/oauth/token",
        data={"grant_type": "client_credentials", **form},
        auth=(app["client_id"], app["client_secret"]),
    )
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


class PlainClient:
    """JSON-RPC over HTTP and nothing else: no line of the SDK is used."""

    def __init__(self, server: RunningServer, token: str, **headers: str) -> None:
        parts = urlsplit(server.url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        self._headers = HEADERS | {"Authorization": f"Bearer {token}"} | headers
        self._number = 0

    def post(self, body: bytes, method: str = "POST") -> tuple[int, dict[str, str], bytes]:
        self._connection.request(method, "/mcp", body=body, headers=self._headers)
        response = self._connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The whole answer to one request."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        status, _, data = self.post(json.dumps(message).encode())
        assert status == 200, (status, data)
        answer = json.loads(data)
        assert answer["id"] == self._number
        return answer

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The result of a tool."""
        return self.ask("tools/call", name=tool, arguments=arguments)["result"]

    def close(self) -> None:
        self._connection.close()
