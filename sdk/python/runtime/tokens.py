"""Access tokens: asked for by client_credentials, kept until shortly before they end, never shown.

Nothing is sent from here: `ask` is a flow that a client runs (transport.py). Source: RFC 6749 §4.4, RFC 7523, RFC 9449.
"""

import base64
import json
import time
import uuid
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from .config import Config, Flow, Send, Sleep, back_off, retry_after
from .errors import ApiError, AuthenticationError, ConnectionError, error_class  # noqa: A004 - ours
from .keys import SigningKey, fresh_key, sha256_url64

_EARLY_SECONDS = 30
_LIFETIME_SECONDS = 300
_REPEATABLE = frozenset({429, 502, 503, 504})
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Tokens:
    """The tokens of a client, by scope."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._kept: dict[str, tuple[str, float]] = {}
        self._failures: dict[str, tuple[int, ApiError]] = {}
        self._nonces: dict[str, str] = {}
        self._skew = 0.0
        self._proving: SigningKey | None = None

    def __repr__(self) -> str:
        return "Tokens(***)"

    def known(self, scope: str) -> str:
        """The token of a scope that is good still, else ""."""
        if self._config.access_token:
            return self._config.access_token
        value, until = self._kept.get(scope, ("", 0.0))
        return value if time.monotonic() < until else ""

    def forget(self, scope: str, value: str) -> None:
        """Keep this token no longer."""
        if self._kept.get(scope, ("", 0.0))[0] == value:
            self._kept.pop(scope, None)

    def failures(self, scope: str) -> int:
        """How often the token was refused: whoever waited for a request that failed need not make it again."""
        return self._failures[scope][0] if scope in self._failures else 0

    def raise_if_failed_since(self, scope: str, count: int) -> None:
        """Raise the refusal that came while the caller waited."""
        if self.failures(scope) > count:
            raise self._failures[scope][1]

    def saw(self, headers: Mapping[str, str]) -> None:
        """Mind the server's clock."""
        text = headers.get("date", "")
        try:
            self._skew = parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, TypeError):
            return

    def saw_nonce(self, url: str, nonce: str, *, is_token: bool = False) -> None:
        """Mind the nonce that the next proof to this server has to hold."""
        self._nonces[_origin(url) + ("#token" if is_token else "")] = nonce

    def proof(self, method: str, url: str, token: str = "") -> str:
        """A DPoP proof for one request; `token` "" for the token request itself."""
        if self._proving is None:
            self._proving = fresh_key()
        split = urlsplit(url)
        claims: dict[str, Any] = {
            "htm": method, "htu": f"{split.scheme}://{split.netloc}{split.path}", "jti": str(uuid.uuid4()), "iat": self._now(),
        }  # fmt: skip
        nonce = self._nonces.get(_origin(url) + ("" if token else "#token"))
        if nonce:
            claims["nonce"] = nonce
        if token:
            claims["ath"] = sha256_url64(token)
        return self._proving.sign({"typ": "dpop+jwt", "alg": "ES256", "jwk": self._proving.public}, claims)

    def ask(self, scope: str) -> Flow[str]:
        """Ask for a token. Raises ApiError, ConnectionError, TimeoutError."""
        config, attempt, challenged = self._config, 0, False
        while True:
            url = f"{config.base_url}/oauth/token"
            try:
                response: httpx.Response = yield Send(self._request(url, scope))
            except ConnectionError:
                if attempt >= config.max_retries:
                    raise
                yield Sleep(back_off(attempt))
                attempt += 1
                continue
            self.saw(response.headers)
            nonce = response.headers.get("dpop-nonce", "")
            if nonce:
                self.saw_nonce(url, nonce, is_token=True)
            body = _object(response)
            if response.is_success and isinstance(body.get("access_token"), str):
                return self._keep(scope, body)
            if body.get("error") == "use_dpop_nonce" and nonce and not challenged:
                challenged = True
                continue
            error = _refusal(response, body)
            wait = error.retry_after if error.retry_after is not None else back_off(attempt)
            may_repeat = response.status_code in _REPEATABLE and attempt < config.max_retries
            if not may_repeat or wait > config.most_wait_seconds:
                self._failures[scope] = (self.failures(scope) + 1, error)
                raise error
            yield Sleep(wait)
            attempt += 1

    def _keep(self, scope: str, body: Mapping[str, Any]) -> str:
        token: str = body["access_token"]
        lifetime = body.get("expires_in")
        seconds = float(lifetime) if isinstance(lifetime, int | float) else _LIFETIME_SECONDS
        self._kept[scope] = (token, time.monotonic() + seconds - min(_EARLY_SECONDS, seconds / 4))
        return token

    def _request(self, url: str, scope: str) -> httpx.Request:
        config = self._config
        headers = {
            "accept": "application/json", "content-type": "application/x-www-form-urlencoded", "user-agent": config.user_agent,
        }  # fmt: skip
        form = {"grant_type": "client_credentials"}
        if scope:
            form["scope"] = scope
        if config.signing is None:
            pair = f"{quote(config.client_id, safe='')}:{quote(config.client_secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode('ascii')}"
        else:
            now = self._now()
            claims = {
                "iss": config.client_id, "sub": config.client_id, "aud": config.base_url, "jti": str(uuid.uuid4()),
                "iat": now, "exp": now + 60,
            }  # fmt: skip
            header = {"typ": "JWT", "alg": "ES256"} | (
                {"kid": config.signing.kid} if config.signing.kid else {}
            )
            form |= {
                "client_id": config.client_id, "client_assertion_type": _ASSERTION,
                "client_assertion": config.signing.sign(header, claims),
            }  # fmt: skip
        if config.dpop:
            headers["dpop"] = self.proof("POST", url)
        return config.request("POST", url, headers, content=urlencode(form).encode())

    def _now(self) -> int:
        return int(time.time() + self._skew)


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = json.loads(response.content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(response: httpx.Response, body: Mapping[str, Any]) -> ApiError:
    problem = {
        "title": body.get("error", ""), "detail": body.get("error_description", ""), "rule": body.get("error", ""),
        "next": body.get("next", ""), "type": body.get("error_uri", ""), "step": "token",
    }  # fmt: skip
    status = response.status_code
    kind = AuthenticationError if status in {400, 401} else error_class(status)
    return kind(status, problem, response.headers, retry_after(response.headers))


def _origin(url: str) -> str:
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}"
