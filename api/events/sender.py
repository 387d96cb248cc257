"""One POST to an address that somebody typed in: resolved and pinned by core.egress, no redirects, a bounded answer."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping

from msgspec import Struct

from api.core.egress import LOOPBACK, Egress, EgressError, Target, parse_target
from api.events.schedule import retry_after_of
from api.gateway.connectors.http_pool import Pool
from api.gateway.connectors.http_stream import Answer, ClientError
from api.settings import Settings

ANSWER_BYTES = 4096  # read of an answer, the rest is left
SNIPPET_CHARACTERS = 512  # kept of it
_MOST_POOLS = 256
_SIZE = 32  # connections to one host
PUBLIC = "public"


class Reply(Struct, frozen=True):
    """What a receiver answered. `status` 0: nothing, and `error` says why."""

    status: int
    latency_ms: int
    error: str = ""
    body: bytes = b""
    retry_after: float = 0

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def snippet(self) -> str:
        """The beginning of the answer as text, fit for a database and a page."""
        text = self.body.decode("utf-8", "replace")[:SNIPPET_CHARACTERS]
        return "".join(
            char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text
        )


def egress_for_webhooks(settings: Settings) -> Egress:
    """Where webhooks may go: KAIMEN_WEBHOOK_ALLOW, else KAIMEN_EGRESS_ALLOW; loopback in the embedded mode."""
    parts = [part.strip() for part in (settings.webhook_allow or settings.egress_allow).split(",")]
    networks = ",".join(part for part in parts if part != PUBLIC)
    return Egress([networks, *(LOOPBACK if settings.embedded else ())], is_public_allowed=PUBLIC in parts)


def split_url(url: str) -> tuple[Target, str]:
    """Where to connect, and path and query to ask for. Raises EgressError."""
    base, _, query = url.partition("?")
    target = parse_target(base)
    path = target.base_path + ("/" if base.endswith("/") or not target.base_path else "")
    return target, path + (f"?{query}" if query else "")


class Sender:
    """Posts to any number of receivers; connections are kept for the next event."""

    def __init__(self, settings: Settings, egress: Egress | None = None) -> None:
        self.egress = egress or egress_for_webhooks(settings)
        self._seconds = settings.webhook_timeout_ms / 1000
        self._pools: OrderedDict[str, Pool] = OrderedDict()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Send a message. Whatever happens is told in the Reply; nothing is raised."""
        begun = time.monotonic()
        try:
            target, path = split_url(url)
            head = _head(target, path, headers, body)
            async with asyncio.timeout(self._seconds + 1):
                answer = await self._pool(target).send(
                    head, body, is_safe=False, deadline=begun + self._seconds, body_length=len(body)
                )
                content = await _read(answer)
        except EgressError as error:
            return Reply(0, _since(begun), f"refused: {error}"[:200])
        except ClientError as error:
            return Reply(0, _since(begun), f"{error.kind}: {error.reason}"[:200])
        except (OSError, TimeoutError) as error:
            return Reply(0, _since(begun), (str(error) or "timeout")[:200])
        named = dict(answer.headers)
        remark = "redirects are not followed" if 300 <= answer.status < 400 else ""
        wait = retry_after_of(named.get(b"retry-after", b"").decode("latin-1"))
        return Reply(answer.status, _since(begun), remark, content, wait)

    async def close(self) -> None:
        """Give the connections back."""
        for pool in self._pools.values():
            await pool.close()
        self._pools.clear()

    def _pool(self, target: Target) -> Pool:
        pool = self._pools.get(target.origin)
        if pool is None:
            pool = self._pools[target.origin] = Pool(
                target, self.egress, size=_SIZE, stall_seconds=self._seconds
            )
            while len(self._pools) > _MOST_POOLS:
                _, oldest = self._pools.popitem(last=False)
                asyncio.get_running_loop().create_task(oldest.close())
        self._pools.move_to_end(target.origin)
        return pool


def _head(target: Target, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        f"host: {target.authority}",
        "user-agent: Kaimen-Webhooks/1",
        "accept: */*",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or "\0" in text:
        raise EgressError("the address holds a control character")
    return text.encode("ascii", "replace") + b"\r\n\r\n"


async def _read(answer: Answer) -> bytes:
    """The beginning of the body."""
    if isinstance(answer.body, bytes):
        return answer.body[:ANSWER_BYTES]
    found = bytearray()
    async for chunk in answer.body:
        found += chunk
        if len(found) >= ANSWER_BYTES:
            break
    await answer.body.aclose()
    return bytes(found[:ANSWER_BYTES])


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
