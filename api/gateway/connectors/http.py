"""Connector `http`: a department's system that speaks HTTP/1.1, called by the path the contract publishes.

Puts the base path of the upstream before the target, sends the headers that `call` lets through, and hands
the answer back with what a proxy must strip stripped. Large and open-ended bodies stream both ways.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote

from api.contract.model import Operation, Service
from api.core import problem_types
from api.core.egress import LOOPBACK, Egress, Target, parse_target
from api.core.logging import log_warning
from api.core.problems import Failure, Problem, Refusal, Text
from api.gateway.connector import Connector, ConnectorFactory, Context, Request, Result
from api.gateway.connectors.http_pool import Pool
from api.gateway.connectors.http_stream import Answer, BodyStream, ClientError
from api.gateway.forwarding import response_headers
from api.gateway.guard import Guard
from api.gateway.heads import join_head
from api.settings import Settings

_KINDS = {
    "unreachable": problem_types.UPSTREAM_UNREACHABLE,
    "invalid": problem_types.UPSTREAM_INVALID,
    "timeout": problem_types.UPSTREAM_TIMEOUT,
    "busy": problem_types.UPSTREAM_BUSY,
    "refused": problem_types.EGRESS_REFUSED,
}
# The connection decides these, never what was handed in.
_DECIDED_HERE = frozenset(
    {
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"te",
        b"trailer",
        b"upgrade",
        b"expect",
        b"request-id",
    }
)
_END = b"\r\n"
_FIXED_LINES = 5  # request line, host, request id, app, environment
_CONTROL = Text("转发的请求头含控制字符。", "A header to be forwarded holds a control character.")
_VALUE_SAFE = " -._~:/"
Headers = list[tuple[bytes, bytes]]
_TARGET_SAFE = "%/?#[]@!$&'()*+,;=:-._~"


class HttpConnector:
    """One upstream over HTTP. Keeps the deadline itself and carries its own circuit breaker."""

    keeps_deadline = True

    def __init__(self, upstream: str, service: Service | None, pool: Pool) -> None:
        self.guard = Guard()
        self.pool = pool
        target = pool.target
        self._service = service.key if service is not None else "…"
        self._base_path = target.base_path
        self._after_target = f" HTTP/1.1\r\nhost: {target.authority}\r\nrequest-id: "
        self._places = _places_of(target)
        self._logged_at = 0.0

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """See Connector.call. The body of the result is bytes up to 256 KiB of known length, else a stream."""
        method = operation.method
        head, body_length, expects_continue = self._head(method, request, context)
        try:
            answer = await self.pool.send(
                head,
                request.body,
                is_safe=operation.is_safe,
                deadline=context.deadline,
                body_length=body_length,
                is_head_request=method == "HEAD",
                expects_continue=expects_continue,
            )
        except ClientError as error:
            raise self._failure(error) from error
        return self._result(answer, method, context)

    def ask(
        self, operation: Operation, request: Request, context: Context, then: Callable[[Result | Failure | None], None]
    ) -> bool:  # fmt: skip
        """As `call`, without waiting, for a GET that meets an open connection. False: it does not, nothing was sent.

        `then` is called once: with the result, a failure, or None where the connection had been closed already.
        """
        if operation.method != "GET" or request.body is not None:
            return False
        head, _, _ = self._head("GET", request, context)
        return self.pool.ask(
            head, is_safe=True, deadline=context.deadline, then=partial(self._answered, then, context)
        )

    def _answered(
        self, then: Callable[[Result | Failure | None], None], context: Context, outcome: Answer | Exception
    ) -> None:
        if isinstance(outcome, Answer):
            then(self._result(outcome, "GET", context))
        elif isinstance(outcome, ClientError):
            failure = (
                None if outcome.kind == "unreachable" and not outcome.has_begun else self._failure(outcome)
            )
            then(failure if isinstance(failure, Failure) else None)
        else:
            then(Failure(problem_types.INTERNAL_ERROR))

    async def health(self) -> bool:
        """Whether a connection can be made."""
        return await self.pool.probe()

    async def close(self) -> None:
        """Close what is idle now and the rest as its calls end."""
        await self.pool.close()

    # -- request ------------------------------------------------------------------------------------
    def _head(self, method: str, request: Request, context: Context) -> tuple[bytes, int | None, bool]:
        target = request.target
        if not (target.isascii() and target.isprintable()) or " " in target or not target.startswith("/"):
            target = quote("/" + target.lstrip("/"), safe=_TARGET_SAFE)
        first = (
            f"{method} {self._base_path}{target}{self._after_target}{context.request_id}\r\nkaimen-app: {context.app_id}"
            f"\r\nkaimen-environment: {context.environment}\r\n"
        ).encode()
        has_stream = not (request.body is None or isinstance(request.body, bytes))
        expects_continue = False
        forwarded = []
        for pair in request.forward_headers:
            if pair[0] in _DECIDED_HERE:
                if pair[0] != b"expect" or not has_stream:
                    continue
                expects_continue = True
            forwarded.append(pair)
        more = _told(request, context)
        body_length = self._frame(more, method, request)
        head = join_head(first, forwarded, more, _END)
        # A line break too many is a header that was smuggled in.
        if (
            head is None
            or first.count(b"\n") != _FIXED_LINES
            or first.count(b"\r") != _FIXED_LINES
            or b"\0" in first
        ):
            raise Refusal(problem_types.REQUEST_MALFORMED, rule="header-control-character", what=_CONTROL)
        return head, body_length, expects_continue

    def _frame(self, headers: Headers, method: str, request: Request) -> int | None:
        """Append media type and length as they are known here; None when the body goes in chunks."""
        if request.body is None:
            if method in {"POST", "PUT", "PATCH"}:
                headers.append((b"content-length", b"0"))
            return 0
        if request.content_type:
            headers.append((b"content-type", request.content_type.encode("latin-1", "replace")))
        length = len(request.body) if isinstance(request.body, bytes) else request.content_length
        if length is None:
            headers.append((b"transfer-encoding", b"chunked"))
            return None
        headers.append((b"content-length", b"%d" % length))
        return length

    # -- answer -------------------------------------------------------------------------------------
    def _result(self, answer: Answer, method: str, context: Context) -> Result:
        headers = response_headers(answer.headers)
        body = answer.body
        if isinstance(body, BodyStream):
            body.translate = self._failure
        if method == "HEAD" or answer.status == 304 or not isinstance(body, bytes):
            headers.extend(pair for pair in answer.headers if pair[0] == b"content-length")
        if 300 <= answer.status < 400 or answer.status == 201:
            headers = self._with_public_places(headers, context)
        return Result(answer.status, headers, body)

    def _with_public_places(
        self, headers: list[tuple[bytes, bytes]], context: Context
    ) -> list[tuple[bytes, bytes]]:
        """Location and Content-Location in the gateway's own address space, where they name the upstream's."""
        public = f"/api/{context.service.replace('@', '/')}".encode()
        return [
            (name, self._public_place(value, public) if name in {b"location", b"content-location"} else value)
            for name, value in headers
        ]

    def _public_place(self, value: bytes, public: bytes) -> bytes:
        for place in self._places:
            if value.startswith(place) and value[len(place) : len(place) + 1] in {b"", b"/", b"?"}:
                return public + value[len(place) :]
        return value

    def _failure(self, error: ClientError) -> Problem:
        if error.kind == "body":
            return Refusal(problem_types.REQUEST_MALFORMED, what=error.reason)
        now = time.monotonic()
        if now - self._logged_at > 1.0:  # an outage is one event, not one for each call
            self._logged_at = now
            log_warning("upstream.failed", service=self._service, kind=error.kind, reason=error.reason)
        headers = {"Retry-After": "1"} if error.kind == "busy" else None
        return Failure(_KINDS[error.kind], headers=headers, service=self._service)


def _places_of(target: Target) -> tuple[bytes, ...]:
    """What a Location of this upstream begins with, longest first."""
    base = target.base_path
    places = [
        target.origin + base,
        f"{target.scheme}://{target.host}:{target.port}{base}",
        f"//{target.authority}{base}",
    ]
    return tuple(place.encode() for place in [*places, *([base] if base else [])])


def _told(request: Request, context: Context) -> Headers:
    """What the department is told beyond the client's headers: trace, ground and scenario, parameters of the contract."""
    headers: Headers = []
    if context.trace_parent:
        headers.append((b"traceparent", context.trace_parent.encode()))
    if context.purpose:
        headers.append((b"kaimen-purpose", quote(context.purpose, safe=_VALUE_SAFE).encode()))
    if context.subject:
        headers.append((b"kaimen-subject", quote(context.subject, safe=_VALUE_SAFE).encode()))
    if context.scenario:
        headers.append((b"kaimen-scenario", quote(context.scenario, safe=_VALUE_SAFE).encode()))
    if request.headers:
        headers += _contract_headers(request)
    return headers


def _contract_headers(request: Request) -> Headers:
    """Header parameters of the contract that no forwarded header carries (calls of the other faces)."""
    present = {name for name, _ in request.forward_headers}
    headers: Headers = []
    for name, value in request.headers.items():
        key = name.lower().encode("latin-1", "replace")
        if (
            key in present
            or key in _DECIDED_HERE
            or key in {b"accept", b"content-type", b"authorization", b"cookie"}
        ):
            continue
        headers.append((key, _text_of(value).encode("latin-1", "replace")))
    return headers


def _text_of(value: Any) -> str:
    """A parameter as header text. Source: OpenAPI 3.1, style `simple`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ",".join(_text_of(one) for one in value)
    return str(value)


def egress_of(settings: Settings) -> Egress:
    """The way out that the settings allow: KAIMEN_EGRESS_ALLOW, and loopback in the embedded mode."""
    return Egress([settings.egress_allow, *(LOOPBACK if settings.embedded else ())])


def http_factory(settings: Settings, egress: Egress | None = None) -> ConnectorFactory:
    """Makes connectors for http:// and https:// upstreams. The address is parsed now, resolved at the first call.

    The made connector raises nothing for an address that is not allowed: its calls answer `egress-refused`.
    """
    way_out = egress or egress_of(settings)

    def make(upstream: str, service: Any) -> Connector:
        pool = Pool(parse_target(upstream), way_out, stall_seconds=settings.call_deadline_ms / 1000)
        return HttpConnector(upstream, service, pool)

    return make
