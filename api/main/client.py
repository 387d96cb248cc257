"""How a command reaches the platform API over HTTP, with a personal token. In this process: see local_client.

Both are the same requests, so everything that a command can do stands in the platform API, with its policies
and its audit. Nothing heavy is imported here: `kaimen token` and `kaimen call` start quickly.
"""

import http.client
import json
import ssl
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct, field

from api.main.output import accept_language


class Answer(Struct):
    """An HTTP answer, read whole."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is empty, its text when it is no JSON."""
        if not self.body:
            return None
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace")


class UnreachableError(Exception):
    """No server answers at the address."""


class PlatformClient(Protocol):
    """Sends requests to the platform API."""

    def request(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        """The answer to one request; `body` is sent as JSON. Raises UnreachableError."""
        ...


def target_of(path: str, query: Mapping[str, Any] | None) -> str:
    chosen = {name: value for name, value in (query or {}).items() if value not in (None, "")}
    return quote(path, safe="/%:@!$&'()*+,;=~-._") + ("?" + urlencode(chosen, doseq=True) if chosen else "")


class RemoteClient:
    """Over HTTP with a personal token."""

    def __init__(self, server: str, token: str) -> None:
        self._server, self._token = server, token

    def request(
        self, method: str, path: str, *, body: Any = None, query: Mapping[str, Any] | None = None
    ) -> Answer:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        data = None
        if body is not None:
            data = json.dumps(body, ensure_ascii=False).encode()
            headers["Content-Type"] = "application/json"
        return send(self._server, method, target_of(path, query), headers=headers, body=data)


def send(
    origin: str, method: str, target: str, *, headers: Mapping[str, str], body: bytes | None = None, timeout: float = 60
) -> Answer:  # fmt: skip
    """One HTTP request with the standard library; no redirects. Raises UnreachableError."""
    parts = urlsplit(origin)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UnreachableError(f"{origin!r} is no http(s) address")
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            parts.hostname, parts.port, timeout=timeout, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        sent = {"Accept-Language": accept_language(), **headers}
        connection.request(method, parts.path.rstrip("/") + target, body=body, headers=sent)
        response = connection.getresponse()
        named = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, named, response.read())
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(f"{origin} does not answer ({type(error).__name__})") from error
    finally:
        connection.close()
