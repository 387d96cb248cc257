"""Another authorization server, as far as an API gateway sees one: a process with keys, a JWKS and RFC 9068 tokens.

python -m tests.gateway.other_issuer PORT

GET /jwks, POST /token (JSON: what to change of header and claims), POST /rotate (keeps the old key), POST /forget.
"""

import json
import secrets
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

ISSUER = "https://id.example/realms/gov"


class Keys:
    """The keys of the issuer; the last one signs."""

    def __init__(self) -> None:
        self.held: list[Any] = []
        self.jwks_asked = 0
        self.rotate("ES256")

    def rotate(self, algorithm: str) -> None:
        key = (
            RSAKey.generate_key(2048, private=True)
            if algorithm in {"PS256", "RS256"}
            else ECKey.generate_key("P-256", private=True)
        )
        self.held.append((algorithm, key))

    def jwks(self) -> dict[str, Any]:
        self.jwks_asked += 1
        shown = [
            key.as_dict(private=False) | {"kid": key.thumbprint(), "alg": algorithm, "use": "sig"}
            for algorithm, key in self.held
        ]
        return {
            "keys": [
                *shown,
                {"kty": "oct", "k": "AAAA", "kid": "secret"},
                {"kty": "EC", "crv": "P-521"},
                "nonsense",
            ]
        }

    def token(self, changes: dict[str, Any]) -> str:
        algorithm, key = self.held[-1]
        header = {"alg": algorithm, "typ": "at+jwt", "kid": key.thumbprint()} | changes.get("header", {})
        now = int(time.time())
        claims = {
            "iss": ISSUER, "sub": "someone", "aud": "https://api.example/api", "exp": now + 300, "iat": now,
            "jti": secrets.token_hex(8), "azp": "bank-client", "scope": "company.read openid",
        } | changes.get("claims", {})  # fmt: skip
        kept = {name: value for name, value in claims.items() if value is not None}
        return jws.serialize_compact(header, json.dumps(kept).encode(), key, algorithms=[header["alg"]])


KEYS = Keys()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer(KEYS.jwks() if self.path == "/jwks" else {"jwks_asked": KEYS.jwks_asked})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
        if self.path == "/rotate":
            KEYS.rotate(body["algorithm"])
        elif self.path == "/forget":
            del KEYS.held[:-1]
        self._answer({"token": KEYS.token(body)} if self.path == "/token" else {})

    def _answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        return None


if __name__ == "__main__":
    HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
