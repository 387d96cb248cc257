"""The line to a department's HTTP server for connectors with a mapping: whole bodies, signed headers, bytes read as text.

It uses the pool and the egress rules of the connector `http`. What a client sent is not forwarded: the department
gets what the mapping writes, and the signed facts of the call.
"""

import time
from typing import Any

from msgspec import Struct

from api.contract.gb18030 import decode
from api.contract.mapping import MappedOperation
from api.core import problem_types, problem_types_upstream
from api.core.logging import log_warning
from api.core.problems import CONTENT_TYPE, Failure
from api.core.upstream_headers import signed_headers
from api.gateway.connector import Context, Request, Result
from api.gateway.connectors.http_pool import Pool
from api.gateway.connectors.http_stream import BodyStream, ClientError
from api.gateway.connectors.mapped import Native, told_of
from api.gateway.forwarding import response_headers

LARGEST_ANSWER = 8 * 1024 * 1024
_KINDS = {
    "unreachable": problem_types.UPSTREAM_UNREACHABLE,
    "invalid": problem_types.UPSTREAM_INVALID,
    "timeout": problem_types.UPSTREAM_TIMEOUT,
    "busy": problem_types.UPSTREAM_BUSY,
    "refused": problem_types.EGRESS_REFUSED,
}
_CONTRACT_HEADERS_DROPPED = frozenset(
    {"accept", "content-type", "authorization", "cookie", "host", "content-length"}
)


class Letter(Struct, frozen=True):
    """What goes out."""

    method: str
    target: str  # path and query below the base path, beginning with a slash
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Reply(Struct):
    """What came back, whole."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")

    @property
    def media(self) -> str:
        return self.header(b"content-type").partition(";")[0].strip().lower()


class HttpLine:
    """One department's HTTP server."""

    def __init__(self, pool: Pool, key: bytes, service: str) -> None:
        self.pool = pool
        self.service = service
        self._key = key
        self._logged_at = 0.0

    async def send(self, letter: Letter, *, is_safe: bool, request: Request, context: Context) -> Reply:
        """The department's answer, whatever its status. Raises Failure of the step call."""
        head = self._head(letter, request, context)
        try:
            answer = await self.pool.send(
                head,
                letter.body or None,
                is_safe=is_safe,
                deadline=context.deadline,
                body_length=len(letter.body),
            )
            body = answer.body if isinstance(answer.body, bytes) else await self._whole(answer.body)
        except ClientError as error:
            raise self._failure(error) from error
        return Reply(answer.status, answer.headers, body)

    def _head(self, letter: Letter, request: Request, context: Context) -> bytes:
        target = self.pool.target.base_path + letter.target
        lines = [f"{letter.method} {target} HTTP/1.1", f"host: {self.pool.target.authority}"]
        lines += [f"{name}: {value}" for name, value in letter.headers]
        told = signed_headers(told_of(context), self._key, letter.method, target, letter.body)
        lines += [f"{name}: {value}" for name, value in told]
        if context.trace_parent:
            lines.append(f"traceparent: {context.trace_parent}")
        for name, value in request.headers.items():
            if name.lower() not in _CONTRACT_HEADERS_DROPPED:
                lines.append(f"{name.lower()}: {value}")
        if letter.body or letter.method in {"POST", "PUT", "PATCH"}:
            lines += [f"content-type: {letter.content_type}", f"content-length: {len(letter.body)}"]
        if any("\r" in line or "\n" in line or "\0" in line for line in lines):
            raise Failure(
                problem_types_upstream.UPSTREAM_NOT_MAPPED, service=self.service, operation="", at="header",
                reason="a value holds a control character",
            )  # fmt: skip
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")

    async def _whole(self, stream: BodyStream) -> bytes:
        pieces = []
        size = 0
        async for chunk in stream:
            size += len(chunk)
            if size > LARGEST_ANSWER:
                await stream.aclose()
                raise ClientError("invalid", f"an answer of more than {LARGEST_ANSWER} bytes")
            pieces.append(chunk)
        return b"".join(pieces)

    def _failure(self, error: ClientError) -> Failure:
        now = time.monotonic()
        if now - self._logged_at > 1.0:  # an outage is one event, not one for each call
            self._logged_at = now
            log_warning("upstream.failed", service=self.service, kind=error.kind, reason=error.reason)
        headers = {"Retry-After": "1"} if error.kind == "busy" else None
        return Failure(
            _KINDS.get(error.kind, problem_types.UPSTREAM_INVALID), headers=headers, service=self.service
        )

    async def health(self) -> bool:
        return await self.pool.probe()

    async def close(self) -> None:
        await self.pool.close()


def read_text(data: bytes, encoding: str, undecodable: str, service: str) -> tuple[str, list[Any]]:
    """The text of an answer, and the notes that tell what could not be read. Raises Failure upstream-undecodable."""
    decoded = decode(data, encoding)
    if not decoded.count:
        return decoded.text, []
    first = decoded.undecodable[0]
    if undecodable == "refuse":
        raise Failure(
            problem_types_upstream.UPSTREAM_UNDECODABLE, service=service, encoding=encoding, offset=first.offset,
            count=decoded.count, offsets=[one.offset for one in decoded.undecodable],
        )  # fmt: skip
    places = " ".join(str(one.offset) for one in decoded.undecodable)
    return decoded.text, [
        (b"kaimen-loss", f'undecodable; count={decoded.count}; offsets="{places}"'.encode())
    ]


def passed_on(reply: Reply, mapped: MappedOperation) -> Native | None:
    """The answer as it is, where it explains itself in RFC 9457 form; None for any other."""
    if reply.status < 400 or reply.media != CONTENT_TYPE:
        return None
    headers = response_headers(reply.headers)
    whole = Result(reply.status, headers, reply.body, is_sound=bool(reply.header(b"retry-after")))
    return Native(whole=whole, status=reply.status, headers=reply.headers)


def out_of_order(reply: Reply, service: str, operation: str) -> Failure:
    """What an answer is that no mapping can read: an error page of a server or proxy on the way."""
    if reply.status in {429, 503}:
        after = reply.header(b"retry-after")
        after = after if after.isdigit() else "5"
        return Failure(
            problem_types.UPSTREAM_BUSY,
            headers={"Retry-After": after},
            service=service,
            retry_after=int(after),
        )
    if reply.status >= 500:
        return Failure(
            problem_types_upstream.UPSTREAM_FAULT, service=service, operation=operation, code=f"HTTP {reply.status}",
            retryable=True,
        )  # fmt: skip
    return Failure(
        problem_types_upstream.UPSTREAM_CODE_UNKNOWN,
        service=service,
        operation=operation,
        code=f"HTTP {reply.status}",
    )
