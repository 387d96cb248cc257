"""Callbacks: an address of the gateway for each pending call, at which an asynchronous department brings its result.

    POST {issuer}/callbacks/v1/{token}      the result in the department's own form, as its poll would answer it

The token is the call's id and a MAC of it, so an address cannot be guessed, and it is good once: the row of the call
goes from waiting for it to answered in one conditional update, whichever process the callback reaches. 204: taken;
410: nobody waits any more. The gateway calls nobody for it, so there is no address to be led astray by.
"""

import hashlib
import hmac
from typing import Any

from litestar import Request, Response, Router, post
from litestar.params import FromPath

from api.core import problem_types
from api.core.crypto import Vault
from api.core.problems import Refusal
from api.gateway.agents.hub import Hub
from api.gateway.agents.letters import LIMIT_BYTES, AnswerLetter

_HOLDER = "callback/"
_MAC_LENGTH = 32  # hexadecimal digits: 128 bits
_LONGEST_TOKEN = 120
AnyRequest = Request[Any, Any, Any]


class Pending:
    """One call that waits for its callback. `address` is told to the department."""

    def __init__(self, hub: Hub, identifier: str, address: str) -> None:
        self.address = address
        self._hub = hub
        self._identifier = identifier
        self.arrived = hub.expect(identifier)  # done once there is something to fetch, or never will be

    async def fetch(self) -> AnswerLetter | None:
        """What was brought; None where nothing was, and then nothing will be."""
        return await self._hub.calls.fetch_answer(self._identifier)

    async def close(self) -> None:
        """Nobody waits any more: the address is dead."""
        self._hub.forget(self._identifier)
        if not self.arrived.done():
            self.arrived.cancel()
            await self._hub.calls.give_up(self._identifier)


class Callbacks:
    """The pending calls of one plane's process."""

    def __init__(self, issuer: str, environment: str, vault: Vault, hub: Hub) -> None:
        self._base = f"{issuer}/callbacks/v1/"
        self._key = vault.derive(f"callback {environment}")
        self._hub = hub

    async def open(self, service: str, seconds: float) -> Pending:
        """An address for one call of a service, good for so many seconds and for one callback."""
        identifier = await self._hub.calls.put_pending(_HOLDER + service, seconds)
        token = f"{identifier}.{self._mac(identifier, service)}.{service}"
        return Pending(self._hub, identifier, self._base + token)

    async def take(self, token: str, letter: AnswerLetter) -> bool:
        """Keep what was brought for whoever waits; False where nobody does. Wrong tokens are told from none by nothing."""
        identifier, _, rest = token.partition(".")
        mac, _, service = rest.partition(".")
        if not hmac.compare_digest(mac.encode(), self._mac(identifier, service).encode()):
            return False
        if not await self._hub.calls.answer_once(identifier, _HOLDER + service, letter):
            return False
        self._hub.answered(identifier)
        return True

    def _mac(self, identifier: str, service: str) -> str:
        text = f"{identifier}\n{service}".encode()
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:_MAC_LENGTH]


@post("/{token:str}", status_code=200, include_in_schema=False)
async def bring(request: AnyRequest, token: FromPath[str]) -> Response[bytes]:
    """A department brings the result of a pending call."""
    callbacks: Callbacks = request.app.state.data_plane.callbacks
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT_BYTES:
            raise Refusal(problem_types.REQUEST_TOO_LARGE, limit_bytes=LIMIT_BYTES)
    letter = AnswerLetter(status=200, headers=list(request.scope["headers"]), body=body)
    is_taken = len(token) <= _LONGEST_TOKEN and token.isascii() and await callbacks.take(token, letter)
    return Response(b"", status_code=204 if is_taken else 410)


router = Router(path="/callbacks/v1", route_handlers=[bring])
