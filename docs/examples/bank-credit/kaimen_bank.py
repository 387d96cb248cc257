"""The bank's way to the platform: a consent from the company's representative, then two reads under it.

Two roads lead to a consent. A persona of the sandbox agrees at once, for tests and demonstrations; in a browser the
representative decides on the consent page (OAuth 2.0 authorization code with PKCE). Standard library and httpx.
"""

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

PURPOSE = "bank-credit"
SERVICES = ("tax@v1", "credit@v1")
_DETAILS = [{"type": "kaimen-service", "service": one, "purpose": PURPOSE} for one in SERVICES]


class RefusedError(Exception):
    """The platform said no, in its own words: `title`, `detail`, and what to do `next`."""

    def __init__(self, answer: httpx.Response) -> None:
        problem = answer.json()
        self.rule = str(problem.get("rule") or problem.get("error", ""))
        self.request_id = str(problem.get("request_id", ""))
        said = (problem.get(name) for name in ("title", "detail", "error_description", "next"))
        super().__init__("\n".join(str(one) for one in said if one))


@dataclass(frozen=True)
class Consent:
    """What the representative agreed to: a token, good for one company."""

    access_token: str
    company: str


class Bank:
    """The app. `origin` is the platform's address, id and secret come from `kaimen app create`."""

    def __init__(self, origin: str, client_id: str, client_secret: str, language: str = "en") -> None:
        self._client_id = client_id
        self._app = (client_id, client_secret)
        self._http = httpx.Client(base_url=origin, timeout=30, headers={"Accept-Language": language})

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    # -- consent --------------------------------------------------------------------------------------
    def ask_persona(self, persona: str, company: str = "", refuse: tuple[str, ...] = ()) -> Consent:
        """Consent at once as a persona of the sandbox. `refuse` names fields that stay unticked. Raises RefusedError."""
        wish = {"persona": persona, "authorization_details": _DETAILS, "refuse": list(refuse)}
        if company:
            wish["organisation"] = company
        answer = self._http.post("/platform/v1/sandbox/grants", json=wish, auth=self._app)
        return _consent(_good(answer)["token"])

    def ask_in_browser(self, port: int, show: Any = print) -> Consent:
        """Send the representative to the consent page, and wait for the browser to come back to this computer.

        `show` gets the address to open. Raises RefusedError where the answer is no.
        """
        callback, verifier, state = f"http://127.0.0.1:{port}/callback", _word(48), _word(16)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code", "client_id": self._client_id, "redirect_uri": callback, "state": state,
            "code_challenge": challenge, "code_challenge_method": "S256", "authorization_details": json.dumps(_DETAILS),
        }  # fmt: skip
        came = _wait_for_browser(
            port, lambda: show(f"{self._http.base_url}/oauth/authorize?{urlencode(query)}")
        )
        issuer = str(self._http.base_url).rstrip("/")
        if came.get("state") != state or came.get("iss") != issuer:
            raise RuntimeError("another answer than the one that was asked for: nothing was done with it")
        if "error" in came:
            raise RefusedError(httpx.Response(403, json=came))
        form = {
            "grant_type": "authorization_code",
            "code": came["code"],
            "redirect_uri": callback,
            "code_verifier": verifier,
        }
        return _consent(_good(self._http.post("/oauth/token", data=form, auth=self._app)))

    # -- reads under it -------------------------------------------------------------------------------
    def tax_paid(self, consent: Consent) -> dict[str, Any]:
        """The last three full years of tax paid. Raises RefusedError."""
        return self._read(consent, f"/api/tax/v1/taxpayers/{consent.company}/tax-paid")

    def credit_report(self, consent: Consent) -> dict[str, Any]:
        """The public credit report of today. Raises RefusedError."""
        return self._read(consent, f"/api/credit/v1/companies/{consent.company}/report")

    def _read(self, consent: Consent, path: str) -> dict[str, Any]:
        return _good(self._http.get(path, headers={"Authorization": f"Bearer {consent.access_token}"}))


def _consent(token: dict[str, Any]) -> Consent:
    return Consent(token["access_token"], token["authorization_details"][0]["organisation"])


def _good(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise RefusedError(answer)
    body: dict[str, Any] = answer.json()
    return body


def _word(size: int) -> str:
    return secrets.token_urlsafe(size)


def _wait_for_browser(port: int, ready: Any) -> dict[str, str]:
    """Serve one visit to /callback on the loopback address; its query."""
    came: dict[str, str] = {}

    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            is_answer = parts.path == "/callback"
            if is_answer:
                came.update(parse_qsl(parts.query))
            self.send_response(200 if is_answer else 404)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write("You may close this page. 可以关闭本页。".encode() if is_answer else b"")

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the name in the base class
            """The bank prints its decision and nothing else."""

    with HTTPServer(("127.0.0.1", port), Callback) as server:
        ready()
        while not came:
            server.handle_request()
    return came
