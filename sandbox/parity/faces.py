"""Faces as a client meets them: one driver each, over HTTP and nothing else. None of the gateway's code is used here.

A driver turns a case into its face's own request and the answer into one `Seen`; names that differ between faces are
mapped back to the contract's. What a new face needs to be compared is a driver in FACES.
"""

import http.client
import json
import re
import time
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from api.contract.model import Json, Operation, Service
from sandbox.parity.cases import Case
from sdk.requests import example_request

IDEMPOTENCY_KEY = "kaimen-parity-0001"
_TRIES = 8


class Seen(Struct, frozen=True):
    """What a client saw: status, problem slug, step, body (problems without what names the single request)."""

    status: int
    problem: str = ""
    step: str = ""
    body: Json = None
    is_synthetic: bool = False
    is_json: bool = True


class Face(Protocol):
    """A driver."""

    name: str

    def ask(self, case: Case) -> Seen:
        """The answer to a case. Raises OSError where no server answers."""
        ...

    def close(self) -> None:
        """Give the connection back."""
        ...


class Http:
    """One kept connection; a 429 is waited out, so that a quota is no difference between faces."""

    def __init__(self, origin: str) -> None:
        parts = urlsplit(origin)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname or "", parts.port, timeout=60)

    def send(
        self, method: str, target: str, headers: dict[str, str], body: bytes | None
    ) -> tuple[int, dict[str, str], bytes]:
        for attempt in range(_TRIES):
            try:
                self._connection.request(method, target, body=body, headers=headers)
                response = self._connection.getresponse()
                data = response.read()
            except (http.client.HTTPException, ConnectionError):
                self._connection.close()
                if attempt + 1 == _TRIES:
                    raise OSError("the server does not answer") from None
                continue
            named = {name.lower(): value for name, value in response.getheaders()}
            if response.status == 429 and attempt + 1 < _TRIES:
                time.sleep(min(float(named.get("retry-after", "1")), 30.0))
                continue
            return response.status, named, data
        raise OSError("the server does not answer")

    def close(self) -> None:
        self._connection.close()


class Rest:
    """Requests written by the SDK's serialiser, from the contract."""

    name = "rest"

    def __init__(self, origin: str, token: str, services: dict[str, Service]) -> None:
        self._http, self._token, self._services = Http(origin), token, services

    def ask(self, case: Case) -> Seen:
        service = self._services[case.service]
        request = example_request(
            _with_values(case),
            base_url=f"/api/{service.name}/{service.version}",
            schemas=service.schemas,
            scenario=case.scenario,
        )
        headers = {"Accept-Language": "en"}
        for name, value in request.headers:
            if name.lower() not in {"accept", "content-type"}:
                headers[name] = IDEMPOTENCY_KEY if name.lower() == "idempotency-key" else value
        if case.with_token:
            headers["Authorization"] = f"Bearer {self._token}"
        if case.purpose:
            headers["Kaimen-Purpose"] = case.purpose
        body = None
        if case.has_body:
            body = json.dumps(case.body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        status, named, data = self._http.send(
            case.operation.method, request.url, {k: _latin(v) for k, v in headers.items()}, body
        )
        value, is_json = _decoded(data, named.get("content-type", ""))
        return _seen(status, value, is_json=is_json, synthetic=named.get("kaimen-sandbox", ""))

    def close(self) -> None:
        self._http.close()


class Mcp:
    """Plain JSON-RPC over HTTP, written from the MCP specification: no SDK."""

    name = "mcp"

    def __init__(self, origin: str, token: str, services: dict[str, Service]) -> None:
        self._http, self._token, self._services = Http(origin), token, services
        self._number = 0

    def ask(self, case: Case) -> Seen:
        for _ in range(_TRIES - 1):
            seen, wait = self._ask(case)
            if seen.status != 429 or not wait:
                return seen
            time.sleep(min(wait, 30.0))
        return self._ask(case)[0]

    def _ask(self, case: Case) -> tuple[Seen, float]:
        service = self._services[case.service]
        self._number += 1
        message = {
            "jsonrpc": "2.0", "id": self._number, "method": "tools/call",
            "params": {"name": mcp_name(service, case.operation), "arguments": _arguments(case)},
        }  # fmt: skip
        headers = {
            "Accept": "application/json, text/event-stream", "Accept-Language": "en", "Content-Type": "application/json",
            "MCP-Protocol-Version": "2025-06-18",
        }  # fmt: skip
        if case.with_token:
            headers["Authorization"] = f"Bearer {self._token}"
        status, named, data = self._http.send("POST", "/mcp", headers, json.dumps(message).encode())
        answer, _ = _decoded(data, named.get("content-type", ""))
        if status != 200 or not isinstance(answer, dict) or "result" not in answer:
            return _seen(status, answer, is_json=True, synthetic=""), 0.0
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
        synthetic = str(about.get("kaimen/sandbox", ""))
        return _seen(told, value, is_json=is_json, synthetic=synthetic), float(
            about.get("kaimen/retry_after", 0)
        )

    def close(self) -> None:
        self._http.close()


def _arguments(case: Case) -> dict[str, Any]:
    """The case as the arguments of a tool."""
    arguments: dict[str, Any] = {}
    for inner in case.values.values():
        arguments |= inner
    names = {one.name for one in case.operation.parameters}
    if case.operation.idempotent and not case.operation.is_safe and "Idempotency-Key" in names:
        arguments["Idempotency-Key"] = IDEMPOTENCY_KEY
    if case.has_body:
        arguments["body"] = case.body
    if case.scenario:
        arguments["kaimen_scenario"] = case.scenario
    if case.purpose:
        arguments["kaimen_purpose"] = case.purpose
    if not case.operation.is_safe:
        arguments["kaimen_confirm"] = True
    return arguments


FACES: dict[str, Callable[[str, str, dict[str, Service]], Face]] = {"rest": Rest, "mcp": Mcp}


def driver_of(face: str, origin: str, token: str, services: dict[str, Service]) -> Face:
    """The driver of a face by its name."""
    return FACES[face](origin, token, services)


def mcp_name(service: Service, operation: Operation) -> str:
    """The stored name map of MCP: service, resource and verb; a version other than v1 at the end."""
    parts = [
        service.name,
        operation.resource,
        operation.verb,
        service.version if service.version != "v1" else "",
    ]
    return re.sub(r"[^A-Za-z0-9]+", "_", "_".join(one for one in parts if one)).strip("_").lower()


def _with_values(case: Case) -> Operation:
    """The operation with the case's values for its examples, and nothing optional but those."""
    chosen = []
    for one in case.operation.parameters:
        inner = case.values.get(one.location, {})
        if one.name in inner:
            chosen.append(replace(one, example=inner[one.name], has_example=True, required=True))
    return replace(case.operation, parameters=tuple(chosen), body=None)


def _latin(value: str) -> str:
    return value.encode().decode("latin-1")


def _decoded(data: bytes, content_type: str) -> tuple[Json, bool]:
    if not data:
        return None, True
    if "json" not in content_type:
        return data.decode("utf-8", "replace"), False
    try:
        return msgspec.json.decode(data), True
    except msgspec.DecodeError:
        return data.decode("utf-8", "replace"), False


def _seen(status: int, body: Json, *, is_json: bool, synthetic: str) -> Seen:
    problem, step = "", ""
    if status >= 400 and isinstance(body, dict):
        problem = str(body.get("type", "")).rstrip("/").rpartition("/")[2]
        step = str(body.get("step", ""))
        body = {key: value for key, value in body.items() if key not in {"request_id", "instance"}}
    return Seen(status, problem, step, body, synthetic == "synthetic", is_json)
