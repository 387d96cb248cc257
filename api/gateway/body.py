"""The body of a request: JSON is read whole up to a bound so that it can be checked, the rest streams.

Read only after the caller was found to be allowed to call. See design: bodies.
"""

from collections.abc import AsyncIterator

from api.core.problem_types import REQUEST_MALFORMED, REQUEST_TOO_LARGE
from api.core.problems import Refusal, Text
from api.gateway.compiled import is_json
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway

ENDED_EARLY = Text("请求体在完成前中断。", "The body ended before it was complete.")


def ended_early() -> Refusal:
    """The client went away while it sent its body."""
    return Refusal(REQUEST_MALFORMED, rule="body-ended-early", what=ENDED_EARLY)


async def read_body(exchange: Exchange, gateway: Gateway) -> None:
    """Read a JSON body whole, up to `body_limit_bytes`; leave any other as a stream.

    Larger JSON streams unread where the operation says `x-stream`. Raises Refusal: request-too-large.
    """
    stream = exchange.body_stream
    if stream is None or not _is_json_body(exchange):
        return
    limit = gateway.settings.body_limit_bytes
    may_stream = exchange.compiled.operation.stream
    length = exchange.content_length
    if length is not None and length > limit:
        if may_stream:
            return
        raise Refusal(REQUEST_TOO_LARGE, limit_bytes=limit)
    parts: list[bytes] = []
    size = 0
    async for part in stream:
        parts.append(part)
        size += len(part)
        if size > limit:
            if not may_stream:
                raise Refusal(REQUEST_TOO_LARGE, limit_bytes=limit)
            exchange.body_stream = _joined(parts, stream)
            return
    exchange.body = parts[0] if len(parts) == 1 else b"".join(parts)
    exchange.body_stream = None
    exchange.content_length = size


def _is_json_body(exchange: Exchange) -> bool:
    content_type = exchange.header_map.get(b"content-type", b"")
    return is_json(content_type.decode("latin-1").partition(";")[0].strip().lower())


async def _joined(parts: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while parts:
        yield parts.pop(0)
    async for part in rest:
        yield part
