"""An OpenID provider on a free port that can lie in every way: real HTTP, its answers are what a test says."""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "kaimen at the provider", "a secret: with colon & space"


class LyingProvider:
    """`claims` and `userinfo` are what it says of whoever signs in; `lies` changes parts of its answers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = ECKey.generate_key("P-256")
        self.key.ensure_kid()
        self.other_key = ECKey.generate_key("P-256")
        self.claims: dict[str, Any] = {"sub": "u-1", "acr": "two", "amr": ["pwd"]}
        self.userinfo: dict[str, Any] = {
            "sub": "u-1",
            "name": "Ou Taiyuan",
            "email": f"ou-{secrets.token_hex(4)}@company.example",
            "email_verified": True,
        }
        self.lies: dict[str, Any] = {}
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.is_disabled = False
        self.gives_refresh_token = True

    # --- what a browser would do there ---
    def sign_in(self, address: str) -> dict[str, str]:
        """Follow an authorization address as a person who agrees: the parameters that come back."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.url}

    # --- its endpoints ---
    def configuration(self) -> dict[str, Any]:
        names = ("authorization", "token", "userinfo")
        said: dict[str, Any] = {f"{name}_endpoint": f"{self.url}/{name}" for name in names}
        return said | {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "authorization_response_iss_parameter_supported": True} | self.lies.get("configuration", {})  # fmt: skip

    def token(self, header: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        name, _, secret = base64.b64decode(header.partition(" ")[2]).decode().partition(":")
        if (unquote(name), unquote(secret)) != (CLIENT_ID, CLIENT_SECRET):
            return 401, {"error": "invalid_client"}
        if form["grant_type"] == "refresh_token":
            self.asked.append("refresh")
            if self.is_disabled:
                return 400, {"error": "invalid_grant"}
            return 200, {"access_token": "at", "token_type": "Bearer", "expires_in": 300}
        query = self.codes.pop(form["code"], None)
        if query is None or query["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        made = (
            base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest())
            .decode()
            .rstrip("=")
        )
        if made != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        answer = {
            "access_token": "at",
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self._id_token(query),
        }
        if self.gives_refresh_token:
            answer["refresh_token"] = "rt"
        return 200, answer | self.lies.get("token", {})

    def _id_token(self, query: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "nonce": query["nonce"],
            **self.claims,
        }
        claims |= self.lies.get("claims", {})
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": self.key.kid, **self.lies.get("header", {})}
        if header["alg"] == "none":
            parts = [
                base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
                for part in (header, claims)
            ]
            return ".".join([*parts, ""])
        if header["alg"] == "HS256":
            secret = OctKey.import_key(CLIENT_SECRET)
            return jwt.encode(header, claims, secret, algorithms=["HS256"])
        key: Any = self.lies.get("signed_with", self.key)
        return jwt.encode(header, claims, key)

    def jwks(self) -> dict[str, Any]:
        self.asked.append("jwks")
        return {"keys": [{**self.key.as_dict(private=False), "kid": self.key.kid, "use": "sig"}]}


def _handler(provider_of: Any) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider: LyingProvider = provider_of()
            path = urlsplit(self.path).path
            if path == "/.well-known/openid-configuration":
                self._send(provider.lies.get("configuration_status", 200), provider.configuration())
            elif path == "/jwks":
                self._send(200, provider.jwks())
            elif path == "/userinfo":
                provider.asked.append("userinfo")
                self._send(
                    401 if provider.is_disabled else provider.lies.get("userinfo_status", 200),
                    provider.userinfo,
                )
            else:
                self._send(404, {})

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            form = {name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()}
            self._send(*provider_of().token(self.headers.get("Authorization", ""), form))

        def _send(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            return

    return Handler


@contextmanager
def lying_provider() -> Iterator[LyingProvider]:
    """A provider that runs for the block."""
    made: list[LyingProvider] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: made[0])) as served:
        made.append(LyingProvider(f"http://127.0.0.1:{served.server_port}"))
        thread = threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield made[0]
        served.shutdown()
        thread.join(5)


def rsa_key() -> RSAKey:
    """A key of another kind."""
    return RSAKey.generate_key(2048)
