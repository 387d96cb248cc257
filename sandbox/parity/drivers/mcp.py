"""MCP: plain JSON-RPC over HTTP, written from the MCP specification; no SDK."""

import json
import re
import time
from typing import Any

from api.contract.model import Operation, Service
from sandbox.parity.cases import Case
from sandbox.parity.drivers.connection import Connection, decoded
from sandbox.parity.drivers.protocol import TRIES, Keys, Seen, Target, seen_of, takes_key, wait_of


class Mcp:
    """The MCP face: each operation is a tool."""

    name = "mcp"

    def __init__(self, target: Target) -> None:
        self._connection, self._target, self._keys = Connection(target.origin), target, Keys(self.name)
        self._number = 0

    def ask(self, case: Case) -> Seen:
        """Ask one case."""
        for _ in range(TRIES - 1):
            seen, wait = self._ask(case)
            if seen.status != 429 or not wait:
                return seen
            time.sleep(wait)
        return self._ask(case)[0]

    def _ask(self, case: Case) -> tuple[Seen, float]:
        service = self._target.services[case.service]
        self._number += 1
        message = {
            "jsonrpc": "2.0", "id": self._number, "method": "tools/call",
            "params": {"name": tool_of(service, case.operation), "arguments": self._arguments(case)},
        }  # fmt: skip
        headers = {
            "Accept": "application/json, text/event-stream", "Accept-Language": "en", "Content-Type": "application/json",
            "MCP-Protocol-Version": "2025-06-18",
        }  # fmt: skip
        if case.with_token:
            headers["Authorization"] = f"Bearer {self._target.token}"
        status, named, data = self._connection.send("POST", "/mcp", headers, json.dumps(message).encode())
        answer, _ = decoded(data, named.get("content-type", ""))
        if status != 200 or not isinstance(answer, dict) or "result" not in answer:
            return seen_of(status, answer, is_json=True, synthetic=""), 0.0
        result = answer["result"]
        about = result.get("_meta") or {}
        value = result.get("structuredContent")
        is_json = value is not None
        if about.get("kaimen/wrapped"):
            value = value["result"]
        if value is None:
            value = next((one.get("text") for one in result.get("content", ()) if "text" in one), None)
        in_body = value.get("status") if isinstance(value, dict) else None
        told = int(about.get("kaimen/status") or in_body or 0)
        seen = seen_of(
            told, value, is_json=is_json, synthetic=str(about.get("kaimen/sandbox", "")),
            cost=int(about.get("kaimen/cost", -1)),
        )  # fmt: skip
        return seen, wait_of(about["kaimen/retry_after"]) if "kaimen/retry_after" in about else 0.0

    def _arguments(self, case: Case) -> dict[str, Any]:
        """The case as the arguments of a tool."""
        arguments: dict[str, Any] = {}
        for inner in case.values.values():
            arguments |= inner
        if takes_key(case.operation):
            arguments["Idempotency-Key"] = self._keys.next()
        if case.has_body:
            arguments["body"] = case.body
        if case.scenario:
            arguments["kaimen_scenario"] = case.scenario
        if case.purpose:
            arguments["kaimen_purpose"] = case.purpose
        if not case.operation.is_safe:
            arguments["kaimen_confirm"] = True
        return arguments

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def tool_of(service: Service, operation: Operation) -> str:
    """The stored name map of MCP: service, resource and verb; a version other than v1 at the end."""
    version = service.version if service.version != "v1" else ""
    parts = [service.name, operation.resource, operation.verb, version]
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join(one for one in parts if one)).strip("_").lower()
