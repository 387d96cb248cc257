"""Drives a runner through the scenarios and judges it by what it printed and by what the server saw."""

import base64
import hashlib
import hmac
import json
import re
import secrets
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import yaml
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.sdk.conformance.server import CLIENT_KEY, Server, big_sha256

FOLDER = Path(__file__).parent
SCENARIOS: dict[str, Any] = yaml.safe_load((FOLDER / "scenarios.yaml").read_text(encoding="utf-8"))
EVERY: list[dict[str, Any]] = SCENARIOS["scenarios"]
_WAIT_SECONDS = 60


class Runner:
    """A running runner."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """What it prints for a request."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request, ensure_ascii=False) + "\n")
        self._process.stdin.flush()
        watchdog = threading.Timer(_WAIT_SECONDS, self._process.kill)  # a runner that hangs ends here
        watchdog.start()
        try:
            line = self._process.stdout.readline()
        finally:
            watchdog.cancel()
        assert line, f"the runner ended with {self._process.wait(5)}"
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def running(command: Sequence[str], cwd: Path | None = None, **environment: str) -> Iterator[Runner]:
    """A runner for the life of the block; its standard error goes to the test's."""
    process = subprocess.Popen(
        list(command), cwd=cwd, env=environment or None, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )  # fmt: skip
    try:
        yield Runner(process)
    finally:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


def play(scenario: dict[str, Any], runner: Runner, server: Server) -> None:
    """Play one scenario; fails where the runner or what the server saw is not as it says."""
    run = secrets.token_hex(6)
    script = scenario.get("script", "plain")
    origin = f"http://127.0.0.1:{server.server_port}"
    base_url = f"{origin}/s/{run}/{script}"
    client = {**SCENARIOS["client_defaults"], **scenario.get("client", {})}
    if scenario.get("key"):
        client.pop("client_secret")
        client["private_key_jwk"] = CLIENT_KEY.as_dict(private=True)
    args = _webhook(scenario["webhook"]) if "webhook" in scenario else dict(scenario["args"])
    server.skew = float(scenario.get("skew", 0))
    try:
        out = runner.ask({"base_url": base_url, "action": scenario["action"], "args": args, "client": client})
    finally:
        server.skew = 0.0
    log = json.load(urllib.request.urlopen(f"{base_url}/_log", timeout=30))
    expect = scenario["expect"]
    _check_out(expect, out)
    _check_log(expect.get("log", {}), log)
    for hidden in expect.get("hides", ()):
        assert hidden not in json.dumps(out), f"{hidden} is shown"
    if expect.get("matches_request_id"):
        assert str(out["value"]["request_id"]).startswith("rs_"), out
        assert out["value"]["header"] == out["value"]["request_id"], out
    if "stolen" in expect:
        assert json.load(urllib.request.urlopen(f"{origin}/s/stolen/plain/_log", timeout=30)) == [], (
            "the redirect was followed"
        )


def _check_out(expect: dict[str, Any], out: dict[str, Any]) -> None:
    wanted = json.loads(json.dumps(expect["out"]).replace('"BIG"', json.dumps(big_sha256())))
    length = wanted.pop("value_length", None)
    assert _is_part(wanted, out), f"{out} does not hold {wanted}"
    if length is not None:
        assert len(out["value"]) == length, out
        assert len(set(out["value"])) == length, "an item came twice"


def _is_part(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and _is_part(value, found[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, float):
        return isinstance(found, int | float) and abs(found - wanted) < 1e-9
    return bool(wanted == found)


def _check_log(expect: dict[str, Any], log: list[dict[str, Any]]) -> None:
    tokens = [one for one in log if one["path"] == "/oauth/token"]
    calls = [one for one in log if one["path"] != "/oauth/token"]
    if "tokens" in expect:
        assert len(tokens) == expect["tokens"], [one["path"] for one in log]
    if "calls" in expect:
        assert len(calls) == expect["calls"], [one["path"] for one in log]
    if "at_least_seconds" in expect:
        assert calls[-1]["at"] - calls[0]["at"] >= expect["at_least_seconds"], (
            "Retry-After was not waited for"
        )
    if "same_header" in expect:
        values = {one["headers"].get(expect["same_header"]) for one in calls}
        assert len(values) == 1, values
        assert None not in values
    for name, value in expect.get("header", {}).items():
        assert all(one["headers"].get(name) == value for one in calls), calls[0]["headers"]
    for name, pattern in expect.get("header_like", {}).items():
        assert re.search(pattern, calls[0]["headers"].get(name, "")), calls[0]["headers"]
    if "no_header" in expect:
        assert all(expect["no_header"] not in one["headers"] for one in calls)
    _check_call(expect, calls, tokens)


def _check_call(expect: dict[str, Any], calls: list[dict[str, Any]], tokens: list[dict[str, Any]]) -> None:
    if "query" in expect:
        assert _is_part(expect["query"], parse_qs(calls[0]["query"])), calls[0]["query"]
        since = parse_qs(calls[0]["query"])["since"][0]
        assert since.startswith(("2026-06-30T09:00:00", "2026-06-30T01:00:00")), since
    for part in expect.get("raw_query", ()):
        assert part in calls[0]["query"].split("&"), calls[0]["query"]
    if "path" in expect:
        assert calls[0]["path"] == "/" + expect["path"], calls[0]["path"]
    if "body" in expect:
        assert json.loads(calls[0]["body"]) == expect["body"], calls[0]["body"]
    if "size" in expect:
        size = expect["size"]
        assert calls[0]["size"] == size
        assert calls[0]["body"] == f"sha256:{hashlib.sha256(bytes([7]) * size).hexdigest()}"
    if "token_scope" in expect:
        scopes = {parse_qs(one["body"]).get("scope", [""])[0] for one in tokens}
        assert any(expect["token_scope"] in scope.split() for scope in scopes), scopes


def _webhook(kind: str) -> dict[str, Any]:
    """A delivery, as the platform signs it. Source: the Standard Webhooks specification."""
    now = int(time.time()) - (3600 if kind == "old" else 0)
    payload = json.dumps(
        {
            "specversion": "1.0", "id": "ev_1", "type": "conformance.item.closed", "source": "/services/conformance@v1",
            "subject": "i1", "time": "2026-06-30T01:00:00Z", "datacontenttype": "application/json",
            "data": {"id": "i1", "closed_at": "2026-06-30T09:00:00+08:00"},
        }
    )  # fmt: skip
    signed = f"ev_1.{now}.{payload}".encode()
    secret, other = secrets.token_bytes(32), secrets.token_bytes(32)
    key = Ed25519PrivateKey.generate()
    given: dict[str, Any] = {"payload": payload, "secret": f"whsec_{base64.b64encode(secret).decode()}"}
    marks = [f"v1,{_b64(hmac.digest(secret, signed, 'sha256'))}"]
    if kind == "ed25519":
        raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        given = {"payload": payload, "public_key": f"whpk_{_b64(raw)}"}
        marks = [f"v1a,{_b64(key.sign(signed))}"]
    if kind == "rotating":
        marks.insert(0, f"v1,{_b64(hmac.digest(other, signed, 'sha256'))}")
    if kind == "tampered":
        given["payload"] = payload.replace("i1", "i2")
    given["headers"] = {
        "webhook-id": "ev_1",
        "webhook-timestamp": str(now),
        "webhook-signature": " ".join(marks),
    }
    return given


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
