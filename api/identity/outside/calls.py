"""HTTP calls to outside providers: only to addresses that egress allows, pinned, no redirects, small answers.

One pool per process. The name is resolved and checked by core.egress, the connection goes to the checked
address, and TLS still verifies the name.
"""

import base64
import importlib
from typing import Any
from urllib.parse import quote, urlencode

import anyio
import msgspec
from msgspec import Struct

from api.core.egress import LOOPBACK, Egress, EgressError, parse_target
from api.settings import Settings

SECONDS = 5.0  # to connect, and between two pieces of an answer
MAX_BYTES = 256 * 1024
_TIMEOUT = {"connect": SECONDS, "read": SECONDS, "write": SECONDS, "pool": SECONDS}


class CallError(Exception):
    """The provider could not be asked, or what it said cannot be used. The text is for operators."""


class Reply(Struct, frozen=True):
    """A provider's answer: its status, and its JSON object ({} where it sent none)."""

    status: int
    body: dict[str, Any]


class Calls:
    """GET and form POST of JSON. `close` gives the connections back."""

    def __init__(self, settings: Settings) -> None:
        self._egress = Egress([settings.egress_allow, *(LOOPBACK if settings.embedded else ())])
        self._pool: Any = None

    async def get(self, url: str, *, bearer: str = "") -> Reply:
        """The JSON at an address. Raises CallError."""
        headers = [("Authorization", f"Bearer {bearer}")] if bearer else []
        return await self._send("GET", url, headers, None)

    async def post(self, url: str, form: dict[str, str], *, client: tuple[str, str]) -> Reply:
        """The JSON answer to a form, authenticated by client_secret_basic (RFC 6749 §2.3.1). Raises CallError."""
        pair = ":".join(quote(part, safe="") for part in client)
        headers = [
            ("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ]
        return await self._send("POST", url, headers, urlencode(form).encode())

    async def close(self) -> None:
        if self._pool is not None:
            await self._pool.aclose()

    async def _send(
        self, method: str, url: str, headers: list[tuple[str, str]], content: bytes | None
    ) -> Reply:
        wire = importlib.import_module("api.identity.outside.wire")
        if self._pool is None:
            self._pool = wire.make_pool(self._egress)
        try:
            target = parse_target(url)
            sent = [("Host", target.authority), ("Accept", "application/json"), *headers]
            with anyio.fail_after(SECONDS * 3):
                async with self._pool.stream(
                    method, url, headers=sent, content=content, extensions={"timeout": _TIMEOUT}
                ) as response:
                    data = bytearray()
                    async for piece in response.aiter_stream():
                        data += piece
                        if len(data) > MAX_BYTES:
                            raise CallError(f"{url} sent more than {MAX_BYTES} bytes")
                    return Reply(response.status, _object(bytes(data)))
        except (EgressError, OSError, TimeoutError, *wire.FAULTS) as error:
            raise CallError(f"{url}: {str(error) or type(error).__name__}") from error


def _object(data: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
