"""The scripted server of the conformance tests: a token endpoint and an API that misbehave as a scenario says.

Run as a program it prints its port and serves until its standard input ends. Each run has a base URL of its own,
`http://127.0.0.1:PORT/s/RUN/SCRIPT`; `GET …/_log` gives what it saw, so that a test judges by that and not by what
an SDK says of itself.
"""

import base64
import hashlib
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwk, jwt

ITEM = {
    "id": "i1", "name": "甲", "state": "open", "created_at": "2026-06-30T09:00:00+08:00", "amount": "12.30", "note": None,
    "count": 3, "price": 1.5, "is_open": True, "born_on": "2026-06-30", "data": "aGVsbG8=", "tags": ["a", "b"],
    "labels": {"k": "v"}, "extra": {"x": [1, None]}, "secret": "S-12345678", "企业名称": "样例公司",
}  # fmt: skip
BIG = 8 * 1024 * 1024
_API = "/api/conformance/v1"


def big_chunk(number: int) -> bytes:
    """64 KiB that depend on their number."""
    return hashlib.sha256(str(number).encode()).digest() * 2048


def big_sha256() -> str:
    """The digest of the big download."""
    made = hashlib.sha256()
    for number in range(BIG // 65536):
        made.update(big_chunk(number))
    return made.hexdigest()


class Run:
    """What one run has seen."""

    def __init__(self, script: str) -> None:
        self.script = script
        self.log: list[dict[str, Any]] = []
        self.tokens = 0
        self.calls = 0
        self.lock = threading.Lock()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the library's name
        return

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _serve(self) -> None:
        split = urlsplit(self.path)
        parts = split.path.split("/", 4)
        if len(parts) < 5 or parts[1] != "s":
            return self.answer(404, {"title": "no run"})
        run = self.server.run_of(parts[2], parts[3])
        path = "/" + parts[4]
        if path == "/_log":
            return self.answer(200, run.log)
        body = self._body()
        with run.lock:
            run.log.append(
                {
                    "method": self.command, "path": path, "query": split.query, "at": time.monotonic(),
                    "headers": {name.lower(): value for name, value in self.headers.items()},
                    "body": body.decode("utf-8", "replace") if len(body) < 4096 else f"sha256:{hashlib.sha256(body).hexdigest()}",
                    "size": len(body),
                }
            )  # fmt: skip
            if path == "/oauth/token":
                run.tokens += 1
                number = run.tokens
            else:
                run.calls += 1
                number = run.calls
        if path == "/oauth/token":
            return self._token(run, number, body)
        return self._call(run, number, path, split.query, body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the library's names

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("transfer-encoding", "").lower():
            found = b""
            while size := int(self.rfile.readline().split(b";")[0].strip() or b"0", 16):
                found += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return found
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    # -- answers ------------------------------------------------------------------------------------
    def answer(
        self, status: int, body: Any = None, headers: dict[str, str] | None = None, kind: str = "application/json"
    ) -> None:  # fmt: skip
        data = (
            b""
            if body is None
            else body
            if isinstance(body, bytes)
            else json.dumps(body, ensure_ascii=False).encode()
        )
        self.send_response_only(status)
        given = {
            "date": formatdate(time.time() + self.server.skew, usegmt=True),
            "request-id": f"rs_{time.time_ns()}",
        }
        if data or status not in {204, 304}:
            given |= {"content-type": kind, "content-length": str(len(data))}
        for name, value in {**given, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def problem(self, status: int, rule: str, headers: dict[str, str] | None = None, **facts: Any) -> None:
        request_id = f"rs_{time.time_ns()}"
        body = {
            "type": f"http://127.0.0.1/docs/problems/{rule}/", "title": f"title of {rule}", "status": status,
            "detail": f"detail of {rule}", "step": "call", "rule": rule, "next": f"do this about {rule}",
            "request_id": request_id, "instance": f"/platform/v1/requests/{request_id}", **facts,
        }  # fmt: skip
        self.answer(status, body, {"request-id": request_id, **(headers or {})}, "application/problem+json")

    def drop(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    # -- tokens -------------------------------------------------------------------------------------
    def _token(self, run: Run, number: int, body: bytes) -> None:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        script = run.script
        if script == "token-refused":
            return self.answer(
                401,
                {
                    "error": "invalid_client",
                    "error_description": "the secret is wrong",
                    "next": "make a new secret",
                },
            )
        if script == "token-busy" and number == 1:
            return self.answer(503, {"error": "temporarily_unavailable"}, {"retry-after": "0"})
        if script == "private-key-jwt":
            fault = _assertion_fault(form, f"{self._base(run)}/oauth/token")
            if fault:
                return self.answer(401, {"error": "invalid_client", "error_description": fault})
        if script == "dpop":
            fault = _proof_fault(
                self.headers.get("dpop", ""), "POST", f"{self._base(run)}/oauth/token", nonce="n-token"
            )
            if fault == "nonce":
                return self.answer(400, {"error": "use_dpop_nonce"}, {"dpop-nonce": "n-token"})
            if fault:
                return self.answer(400, {"error": "invalid_dpop_proof", "error_description": fault})
        if script in {"token-once", "token-slow"}:
            time.sleep(0.3)
        lifetime = {"token-short": 4}.get(script, 600)
        kind = "DPoP" if script == "dpop" else "Bearer"
        self.answer(
            200, {"access_token": f"at-{number}", "token_type": kind, "expires_in": lifetime, "scope": form.get("scope", "")},
            {"cache-control": "no-store"},
        )  # fmt: skip
        return None

    def _base(self, run: Run) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/s/{self.path.split('/')[2]}/{run.script}"

    # -- the API ------------------------------------------------------------------------------------
    def _call(self, run: Run, number: int, path: str, query: str, body: bytes) -> None:
        scripted = getattr(self, "_" + run.script.replace("-", "_"), None)
        if scripted is not None and scripted(run, number, path, query, body) is not False:
            return None
        if path == "/platform/v1/sandbox/reset":
            return self.answer(200, {"app_id": "a_1", "records": 3})
        place = path.removeprefix(_API)
        if place.startswith("/items/"):
            if self.command == "DELETE":
                return self.answer(204)
            if place == "/items/i404":
                return self.problem(404, "item-not-found", id="i404")
            return self.answer(200, ITEM)
        if place == "/items":
            if self.command == "POST":
                return self.answer(201, {**ITEM, **json.loads(body)}, {"location": f"{_API}/items/i1"})
            return self._page(query)
        if place.startswith("/shapes/"):
            return self.answer(200, {"kind": "circle", "radius": 2.5, "colour": "red"})
        if place.startswith("/files/"):
            return self.answer(204) if self.command == "PUT" else self._download()
        return self.problem(404, "operation-not-found")

    def _page(self, query: str) -> None:
        start = int((parse_qs(query).get("cursor") or ["0"])[0])
        size = int((parse_qs(query).get("limit") or ["10"])[0])
        items = [{**ITEM, "id": f"i{number}"} for number in range(start, min(start + size, 25))]
        page: dict[str, Any] = {"items": items}
        if start + size < 25:
            page["next"] = str(start + size)
        self.answer(200, page)

    def _download(self) -> None:
        self.send_response_only(200)
        for name, value in (
            ("content-type", "application/octet-stream"),
            ("content-length", str(BIG)),
            ("request-id", "rs_big"),
        ):
            self.send_header(name, value)
        self.end_headers()
        for number in range(BIG // 65536):
            self.wfile.write(big_chunk(number))

    # -- scripts: False leaves the call to the ordinary answer ---------------------------------------
    def _token_revoked(self, run: Run, number: int, *_: Any) -> Any:
        if self.headers.get("authorization") == "Bearer at-1":
            return self.problem(401, "token-revoked", {"www-authenticate": 'Bearer error="invalid_token"'})
        return False

    def _forbidden(self, *_: Any) -> None:
        self.problem(403, "scope-missing", scope="conformance:item:read")

    def _limited_once(self, run: Run, number: int, *_: Any) -> Any:
        return self.problem(429, "quota-exceeded", {"retry-after": "1"}) if number == 1 else False

    def _limited_always(self, *_: Any) -> None:
        self.problem(429, "quota-exceeded", {"retry-after": "0"})

    def _limited_for_an_hour(self, *_: Any) -> None:
        self.problem(429, "quota-exceeded", {"retry-after": "3600"})

    def _busy_twice(self, run: Run, number: int, *_: Any) -> Any:
        return self.problem(503, "upstream-busy", {"retry-after": "0"}) if number <= 2 else False

    def _busy_always(self, *_: Any) -> None:
        self.problem(503, "upstream-busy", {"retry-after": "0"})

    def _dropped_once(self, run: Run, number: int, *_: Any) -> Any:
        return self.drop() if number == 1 else False

    def _dropped_always(self, *_: Any) -> None:
        self.drop()

    def _html_502(self, *_: Any) -> None:
        self.answer(502, b"<html><h1>Bad Gateway</h1></html>", kind="text/html")

    def _empty_500(self, *_: Any) -> None:
        self.answer(500, b"")

    def _broken_json(self, *_: Any) -> None:
        self.answer(200, b'{"id": "i1", "na')

    def _unknown_values(self, *_: Any) -> None:
        self.answer(200, {**ITEM, "state": "archived", "brand_new": {"deep": [1]}})

    def _sparse(self, *_: Any) -> None:
        needed = ("id", "name", "state", "created_at", "amount")
        self.answer(200, {name: ITEM[name] for name in needed})

    def _unknown_shape(self, *_: Any) -> None:
        self.answer(200, {"kind": "triangle", "sides": 3})

    def _redirected(self, run: Run, *_: Any) -> None:
        self.answer(
            302,
            b"",
            {"location": f"http://127.0.0.1:{self.server.server_port}/s/stolen/plain{_API}/items/i1"},
        )

    def _slow(self, *_: Any) -> Any:
        time.sleep(3)
        return False

    def _limited_midway(self, run: Run, number: int, *_: Any) -> Any:
        return self.problem(429, "quota-exceeded", {"retry-after": "0"}) if number == 2 else False

    def _invalid(self, *_: Any) -> None:
        self.problem(422, "body-invalid", errors=[{"pointer": "/amount", "message": "is no amount"}])

    def _dpop(self, run: Run, number: int, path: str, *_: Any) -> Any:
        token = self.headers.get("authorization", "")
        if not token.startswith("DPoP "):
            return self.problem(401, "token-invalid")
        fault = _proof_fault(
            self.headers.get("dpop", ""), self.command, self._base(run) + path, nonce="n-api", token=token[5:]
        )
        if fault == "nonce":
            headers = {"dpop-nonce": "n-api", "www-authenticate": 'DPoP error="use_dpop_nonce"'}
            return self.problem(401, "proof-nonce", headers)
        return self.problem(401, "proof-invalid", detail=fault) if fault else False


def _assertion_fault(form: dict[str, str], token_url: str) -> str:
    try:
        key = jwk.import_key(CLIENT_JWK, "EC")
        found = jwt.decode(form["client_assertion"], key, algorithms=["ES256"]).claims
    except Exception as error:  # whatever is wrong with it is what the test wants to hear
        return f"assertion: {error}"
    audiences = found.get("aud") if isinstance(found.get("aud"), list) else [found.get("aud")]
    issuer = token_url.removesuffix("/oauth/token")
    if form.get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer":
        return "assertion type"
    if (
        not {token_url, issuer} & set(audiences)
        or found.get("iss") != found.get("sub")
        or found.get("iss") != "kt_test"
    ):
        return f"claims {found}"
    if not found.get("jti") or abs(found.get("exp", 0) - time.time()) > 600:
        return "jti or exp"
    return ""


def _proof_fault(proof: str, method: str, url: str, *, nonce: str, token: str = "") -> str:
    """ "" for a good proof, `nonce` where it lacks ours, else what is wrong. Source: RFC 9449 §4.3."""
    if not proof:
        return "no proof"
    try:
        head = json.loads(base64.urlsafe_b64decode(proof.split(".", maxsplit=1)[0] + "=="))
        found = jwt.decode(proof, jwk.import_key(head["jwk"], "EC"), algorithms=["ES256"])
    except Exception as error:
        return f"proof: {error}"
    claims = found.claims
    if found.header.get("typ") != "dpop+jwt" or "d" in head["jwk"]:
        return "header"
    if (claims.get("htm"), claims.get("htu")) != (method, url) or not claims.get("jti"):
        return f"htm or htu: {claims.get('htu')} is not {url}"
    if abs(claims.get("iat", 0) - time.time()) > 60:
        return "iat"
    wanted = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    if token and claims.get("ath") != wanted:
        return "ath"
    return "" if claims.get("nonce") == nonce else "nonce"


# A key pair for tests alone.
CLIENT_KEY = jwk.ECKey.generate_key("P-256", parameters={"kid": "conformance"}, auto_kid=False)
CLIENT_JWK: dict[str, Any] = dict(CLIENT_KEY.as_dict(private=False))


class Server(ThreadingHTTPServer):
    """One server for a whole test session."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.skew = 0.0
        self._runs: dict[str, Run] = {}
        self._lock = threading.Lock()

    def run_of(self, name: str, script: str) -> Run:
        with self._lock:
            return self._runs.setdefault(name, Run(script))

    def handle_error(self, request: Any, client_address: Any) -> None:
        return  # a client that went away


def serve() -> tuple[Server, Callable[[], None]]:
    """A running server and what stops it."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return server, stop


if __name__ == "__main__":
    running, end = serve()
    print(
        json.dumps({"port": running.server_port, "private_jwk": CLIENT_KEY.as_dict(private=True)}), flush=True
    )
    sys.stdin.read()
    end()
