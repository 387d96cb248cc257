"""The agent's line to its gateway: HTTP/1.1 outwards, TLS verified, every message authenticated. It knows no contract."""

import time
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from api.core.egress import Egress, EgressError, parse_target
from api.gateway.agents.letters import (
    LETTER_BYTES,
    MEDIA_TYPE,
    AnswerLetter,
    Beat,
    Served,
    TakenCall,
    Taking,
    Welcome,
)
from api.gateway.connectors.http_pool import Pool
from api.gateway.connectors.http_stream import BodyStream, ClientError

_EVERYWHERE = ("0.0.0.0/0", "::/0")  # the server's address was typed in here, on the agent's machine
_SHORT_SECONDS = 10.0
_T = TypeVar("_T", bound=Struct)


class LinkError(Exception):
    """The gateway can't be reached or is out of order: try again later."""


class RefusedError(Exception):
    """The gateway refuses this agent: the credential is unknown, revoked or of the other environment."""


class Link:
    """The line of one process to the data plane at `server`. Raises ValueError where that is no http(s) URL."""

    def __init__(self, server: str, secret: str, *, most: int) -> None:
        try:
            target = parse_target(server.rstrip("/"))
        except EgressError as error:
            raise ValueError(f"--server: {error}") from error
        self._pool = Pool(
            target, Egress(_EVERYWHERE), size=most + 4, connect_seconds=10.0, stall_seconds=30.0
        )
        self._target = target
        self._secret = secret

    async def hello(self) -> Welcome:
        """Who this process is. Raises LinkError, RefusedError, as everything here does."""
        return await self._ask("POST", "/hello", None, Welcome)

    async def take(self, process: str, wait_seconds: float) -> TakenCall | None:
        """A call to work on, or None when none came in that time."""
        status, body = await self._send(
            "POST", "/calls/take", Taking(process, round(wait_seconds * 1000)), wait_seconds + _SHORT_SECONDS
        )
        return None if status == 204 else _decode(body, TakenCall)

    async def answer(self, call_id: str, letter: AnswerLetter) -> bool:
        """Bring an answer. False: nobody waits for it any more."""
        status, _ = await self._send("POST", f"/calls/{call_id}/answer", letter, _SHORT_SECONDS)
        return status == 204

    async def beat(self, beat: Beat) -> None:
        """Say that this process lives."""
        await self._send("POST", "/beat", beat, _SHORT_SECONDS)

    async def served(self, service: str) -> Served | None:
        """Contract and mapping of a service, None where this agent does not serve it."""
        status, body = await self._send("GET", f"/services/{service}", None, _SHORT_SECONDS)
        return None if status == 404 else _decode(body, Served)

    async def close(self) -> None:
        await self._pool.close()

    async def _ask(self, method: str, path: str, letter: Struct | None, shape: type[_T]) -> _T:
        _, body = await self._send(method, path, letter, _SHORT_SECONDS)
        return _decode(body, shape)

    async def _send(self, method: str, path: str, letter: Struct | None, seconds: float) -> tuple[int, bytes]:
        body = b"" if letter is None else msgspec.msgpack.encode(letter)
        lines = [
            f"{method} {self._target.base_path}/agent/v1{path} HTTP/1.1", f"host: {self._target.authority}",
            f"authorization: Bearer {self._secret}", "accept: application/msgpack",
        ]  # fmt: skip
        if method == "POST":
            lines += [f"content-type: {MEDIA_TYPE}", f"content-length: {len(body)}"]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        try:
            answer = await self._pool.send(
                head,
                body or None,
                is_safe=method == "GET",
                deadline=time.monotonic() + seconds,
                body_length=len(body),
            )
            whole = await _whole(answer.body)
        except ClientError as error:
            raise LinkError(str(error)) from error
        if answer.status == 401:
            raise RefusedError(_words_of(whole))
        if answer.status in {200, 204, 404, 410}:
            return answer.status, whole
        raise LinkError(f"{self._target.origin} answered {answer.status}")


async def _whole(body: bytes | BodyStream) -> bytes:
    if isinstance(body, bytes):
        return body
    pieces, size = [], 0
    async for chunk in body:
        size += len(chunk)
        if size > 8 * LETTER_BYTES:
            await body.aclose()
            raise LinkError("the gateway's answer is too large")
        pieces.append(chunk)
    return b"".join(pieces)


def _decode(body: bytes, shape: type[_T]) -> _T:
    try:
        return msgspec.msgpack.decode(body, type=shape)
    except (msgspec.MsgspecError, ValueError) as error:
        raise LinkError("what answers there is no gateway of this version") from error


def _words_of(body: bytes) -> str:
    try:
        problem: Any = msgspec.json.decode(body)
        return f"{problem['title']} {problem['next']}"
    except (msgspec.MsgspecError, KeyError, TypeError):
        return "401"
