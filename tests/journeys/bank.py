"""A bank's loan service as a program of its own: FAPI 2.0 towards the platform, plain pages for its customer.

It signs in with its private key, pushes its requests, proves its key with every request (DPoP, with the server's
nonce where that is asked for) and reads one service. It knows addresses and keys, nothing of the platform's code.
Source: FAPI 2.0 Security Profile; RFC 7523, 7636, 9126, 9207, 9396, 9449.
"""

import base64
import contextlib
import hashlib
import html
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
from joserfc import jws
from joserfc.jwk import ECKey

DETAILS = [
    {
        "type": "kaimen-service",
        "service": "tax@v1",
        "purpose": "bank-credit",
        "fields": ["code", "name", "from_year", "to_year", "total_paid_yuan", "total_unpaid_yuan"],
    }
]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _sign(key: ECKey, header: dict[str, Any], claims: dict[str, Any]) -> str:
    return jws.serialize_compact(
        {"alg": "ES256", **header}, json.dumps(claims).encode(), key, algorithms=["ES256"]
    )


@dataclass
class Loan:
    """One customer's application: what the bank remembers between two requests of the browser."""

    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    state: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    access_token: str = ""
    organisation: str = ""


class Bank:
    """The service. `client_id` is what the platform gave it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.client_id = ""
        self.callback = ""
        self.key = ECKey.generate_key("P-256", {"kid": "bank-1", "use": "sig", "alg": "ES256"})
        self.proof_key = ECKey.generate_key("P-256")
        self.nonce = ""
        self.loan = Loan()
        self.http = httpx.Client(timeout=30)

    @property
    def jwks(self) -> str:
        """Its public keys, as it registers them."""
        return json.dumps({"keys": [self.key.as_dict(private=False)]})

    def _assertion(self) -> dict[str, str]:
        now = int(time.time())
        claims = {
            "iss": self.client_id, "sub": self.client_id, "aud": self.issuer, "iat": now, "exp": now + 60,
            "jti": secrets.token_urlsafe(16),
        }  # fmt: skip
        return {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": _sign(self.key, {"kid": "bank-1"}, claims),
        }

    def _proof(self, method: str, url: str, token: str = "") -> str:
        claims: dict[str, Any] = {
            "jti": secrets.token_urlsafe(16),
            "htm": method,
            "htu": url,
            "iat": int(time.time()),
        }
        if token:
            claims["ath"] = _encode(hashlib.sha256(token.encode()).digest())
        if self.nonce:
            claims["nonce"] = self.nonce
        return _sign(
            self.proof_key, {"typ": "dpop+jwt", "jwk": self.proof_key.as_dict(private=False)}, claims
        )

    def _post(self, path: str, form: dict[str, str]) -> dict[str, Any]:
        url = self.issuer + path
        for _ in range(2):  # the second time with the nonce that the server wants
            answer = self.http.post(
                url, data={**form, **self._assertion(), "client_id": self.client_id}, headers={"DPoP": self._proof("POST", url)}
            )  # fmt: skip
            self.nonce = answer.headers.get("dpop-nonce", self.nonce)
            if answer.status_code != 400 or answer.json().get("error") != "use_dpop_nonce":
                break
        assert answer.status_code in {200, 201}, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def apply(self) -> str:
        """Push a request; the address to send the customer to."""
        self.loan = Loan()
        challenge = _encode(hashlib.sha256(self.loan.verifier.encode()).digest())
        pushed = self._post("/oauth/par", {
            "response_type": "code", "redirect_uri": self.callback, "state": self.loan.state,
            "code_challenge": challenge, "code_challenge_method": "S256",
            "authorization_details": json.dumps(DETAILS),
        })  # fmt: skip
        query = urlencode({"client_id": self.client_id, "request_uri": pushed["request_uri"]})
        return f"{self.issuer}/oauth/authorize?{query}"

    def finish(self, answer: dict[str, str]) -> str:
        """The page after the customer has decided."""
        assert answer["iss"] == self.issuer, "mix-up: another server answered"
        assert answer["state"] == self.loan.state
        if "error" in answer:
            return f"<h1>No records</h1><p id=error>{html.escape(answer['error'])}</p>"
        token = self._post("/oauth/token", {
            "grant_type": "authorization_code", "code": answer["code"], "redirect_uri": self.callback,
            "code_verifier": self.loan.verifier,
        })  # fmt: skip
        assert token["token_type"] == "DPoP"
        self.loan.access_token = token["access_token"]
        self.loan.organisation = token["authorization_details"][0]["organisation"]
        return self.records(self.loan.organisation)

    def read(self, code: str) -> httpx.Response:
        """The tax paid by a company, under the customer's consent."""
        url = f"{self.issuer}/api/tax/v1/taxpayers/{code}/tax-paid"
        for _ in range(2):
            headers = {
                "Authorization": f"DPoP {self.loan.access_token}", "Accept-Language": "en",
                "DPoP": self._proof("GET", url, self.loan.access_token),
            }  # fmt: skip
            answer = self.http.get(url, headers=headers)
            wants_nonce = "use_dpop_nonce" in answer.headers.get("www-authenticate", "")
            self.nonce = answer.headers.get("dpop-nonce", self.nonce)
            if not wants_nonce:
                break
        return answer

    def records(self, code: str) -> str:
        """A page with what the platform answered, word for word."""
        answer = self.read(code)
        return f"<h1>Your loan</h1><p id=status>{answer.status_code}</p><pre id=answer>{html.escape(answer.text)}</pre><a href=/again>Again</a>"


@contextlib.contextmanager
def running_bank(issuer: str) -> Iterator[Bank]:
    """The bank at an address of its own. `callback` is where browsers return to."""
    bank = Bank(issuer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/apply":
                self.send_response(303)
                self.send_header("Location", bank.apply())
                self.end_headers()
            elif parts.path == "/callback":
                self._show(bank.finish(dict(parse_qsl(parts.query))))
            elif parts.path == "/again":
                self._show(bank.records(bank.loan.organisation))
            elif parts.path == "/":
                self._show("<h1>Harbour Bank</h1><a href=/apply>Apply for a loan with your tax records</a>")
            else:
                self.send_response(204)
                self.end_headers()

        def _show(self, body: str) -> None:
            page = f"<!doctype html><meta charset=utf-8><title>Bank</title>{body}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name in the base class
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    bank.callback = f"http://127.0.0.1:{server.server_port}/callback"
    try:
        yield bank
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        bank.http.close()
