"""The connections to one upstream: kept alive, bounded in number, with deadlines that cost nothing when kept.

It knows no contract, no service and no header policy. One process, one event loop; several processes have a
pool each.
"""

import asyncio
import contextlib
import functools
import ssl
import time
from collections import deque
from collections.abc import AsyncIterator, Callable

from api.core.egress import Egress, EgressError, Target
from api.gateway.connectors.http_connection import IDLE_SECONDS, Connection
from api.gateway.connectors.http_stream import Answer, ClientError

UNSAFE_IDLE_SECONDS = 1.0  # a write must not meet a connection that is just being closed


@functools.cache
def _default_tls() -> ssl.SSLContext:
    """The system's trust store, certificates and names verified; read once."""
    return ssl.create_default_context()


class Pool:
    """The connections to one upstream, at most `size` at once; callers beyond wait in line.

    `stall_seconds`: the longest silence of an upstream in the middle of a stream.
    """

    def __init__(
        self,
        target: Target,
        egress: Egress,
        *,
        size: int = 256,
        queue_size: int = 1024,
        connect_seconds: float = 3.0,
        stall_seconds: float = 15.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.target = target
        self.stall_seconds = stall_seconds
        self._egress = egress
        self._size = size
        self._queue_size = queue_size
        self._connect_seconds = connect_seconds
        self._tls = (tls or _default_tls()) if target.scheme == "https" else None
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._connecting = 0
        self._queue: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop

    @property
    def open_connections(self) -> int:
        return len(self._all)

    async def send(
        self,
        head: bytes,
        body: bytes | AsyncIterator[bytes] | None = None,
        *,
        is_safe: bool,
        deadline: float,
        body_length: int | None = 0,
        is_head_request: bool = False,
        expects_continue: bool = False,
    ) -> Answer:
        """One request, one answer. `deadline` is on time.monotonic().

        A request that met a connection just closed by the upstream is sent once more on a fresh one, when it
        is safe (RFC 9110 §9.2.2) and its body is at hand. `body_length` is what the head announced for a
        streamed body, None for chunks; more or less than that ends the call. Raises ClientError.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        fresh_only = False
        while True:
            connection = None if fresh_only else self._take(is_safe=is_safe)
            if connection is None:
                connection = await self._open(deadline)
            was_used = connection.uses > 0
            self.expire_at(deadline)
            try:
                return await connection.exchange(
                    head,
                    body,
                    body_length=body_length,
                    is_head_request=is_head_request,
                    expects_continue=expects_continue,
                    deadline=deadline,
                )
            except ClientError as fault:
                may_repeat = fault.is_unsent or (is_safe and (body is None or isinstance(body, bytes)))
                if fault.kind == "unreachable" and was_used and may_repeat and not fault.has_begun:
                    fresh_only = True
                    continue
                raise

    def ask(
        self, head: bytes, *, is_safe: bool, deadline: float, then: Callable[[Answer | Exception], None]
    ) -> bool:
        """One request without a body on a connection that is open and idle; False: there is none, use `send`.

        `then` is called once. A fault `unreachable` before a first byte means that it was just being closed.
        """
        connection = self._take(is_safe=is_safe)
        if connection is None:
            return False
        if self._timer is None or self._timer_at > deadline:
            self.expire_at(deadline)
        connection.ask(head, deadline=deadline, then=then)
        return True

    # -- connections --------------------------------------------------------------------------------
    def _take(self, *, is_safe: bool) -> Connection | None:
        idle = self._idle
        if not idle:
            return None
        now = self.loop.time()
        while idle:
            connection = idle.pop()
            rested = now - connection.idle_since
            if rested < UNSAFE_IDLE_SECONDS and connection.is_usable and connection.idle_seconds > rested:
                return connection
            limit = connection.idle_seconds if is_safe else min(connection.idle_seconds, UNSAFE_IDLE_SECONDS)
            if connection.is_usable and rested < limit:
                return connection
            if connection.is_usable and rested < connection.idle_seconds:
                idle.append(connection)  # good enough for a read
                return None
            connection.close()
        return None

    async def _open(self, deadline: float) -> Connection:
        while len(self._all) + self._connecting >= self._size:
            if self._idle:
                self._idle.pop(0).close()  # too old for a write; `lost` will call the next in line
            await self._wait_in_line(deadline)
            connection = self._take(is_safe=True)
            if connection is not None:
                return connection
        self._connecting += 1
        try:
            return await self._connect(deadline)
        except ClientError:
            self._next_in_line()
            raise
        finally:
            self._connecting -= 1

    async def _wait_in_line(self, deadline: float) -> None:
        if len(self._queue) >= self._queue_size:
            raise ClientError("busy", f"{self._size} calls and {self._queue_size} waiting", is_unsent=True)
        place: asyncio.Future[None] = self.loop.create_future()
        self._queue.append(place)
        try:
            async with asyncio.timeout_at(deadline):
                await place
        except TimeoutError:
            raise ClientError("timeout", "no connection became free in time", is_unsent=True) from None
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._next_in_line()
            raise

    async def _connect(self, deadline: float) -> Connection:
        if self._is_closed:
            raise ClientError("unreachable", "the connector is closed", is_unsent=True)
        end = min(deadline, self.loop.time() + self._connect_seconds)
        target = self.target
        try:
            async with asyncio.timeout_at(end):
                addresses = await self._egress.resolve(target.host, target.port)
                last: Exception | None = None
                for address in addresses:
                    try:
                        _, connection = await self.loop.create_connection(
                            lambda: Connection(self),
                            address,
                            target.port,
                            ssl=self._tls,
                            server_hostname=target.host if self._tls is not None else None,
                        )
                    except (OSError, ssl.SSLError) as error:
                        last = error
                        continue
                    self._all.add(connection)
                    return connection
        except TimeoutError:
            kind = "timeout" if deadline <= self.loop.time() else "unreachable"
            raise ClientError(kind, "no connection in time", is_unsent=True) from None
        except EgressError as error:
            raise ClientError("refused", str(error), is_unsent=True) from None
        except OSError as error:
            raise ClientError("unreachable", f"the name does not resolve: {error}", is_unsent=True) from None
        self._egress.forget(target.host, target.port)
        raise ClientError("unreachable", f"{type(last).__name__}: {last}", is_unsent=True)

    def give_back(self, connection: Connection) -> None:
        """The connection is free again."""
        connection.deadline = 0.0
        if self._is_closed:
            connection.close()
            return
        if connection.uses == 1:
            connection.hint_of_keep_alive()
        connection.idle_since = self.loop.time()
        self._idle.append(connection)
        if self._queue:
            self._next_in_line()
        if self._sweeper is None:
            self._sweeper = self.loop.call_later(IDLE_SECONDS, self._sweep)

    def lost(self, connection: Connection) -> None:
        """The connection is gone."""
        self._all.discard(connection)
        with contextlib.suppress(ValueError):
            self._idle.remove(connection)
        self._next_in_line()

    def _next_in_line(self) -> None:
        while self._queue:
            place = self._queue.popleft()
            if not place.done():
                place.set_result(None)
                return

    def _sweep(self) -> None:
        self._sweeper = None
        now = self.loop.time()
        for connection in [one for one in self._idle if now - one.idle_since >= one.idle_seconds]:
            self._idle.remove(connection)
            connection.close()
        if self._idle and not self._is_closed:
            self._sweeper = self.loop.call_later(IDLE_SECONDS, self._sweep)

    # -- deadlines: one timer for the pool instead of one for each call ------------------------------
    def expire_at(self, moment: float) -> None:
        """See to it that connections are looked at no later than this moment of the loop's clock."""
        if self._timer is not None:
            if self._timer_at <= moment:
                return
            self._timer.cancel()
        self._timer_at = moment
        self._timer = self.loop.call_at(moment, self._expire)

    def _expire(self) -> None:
        self._timer = None
        now = self.loop.time()
        following = 0.0
        for connection in list(self._all):
            if connection.deadline == 0.0:
                continue
            if connection.deadline <= now + 0.001:
                connection.expire()
            elif following == 0.0 or connection.deadline < following:
                following = connection.deadline
        if following:
            self.expire_at(following)

    async def close(self) -> None:
        """Close idle connections now and busy ones when their call is over."""
        self._is_closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def probe(self) -> bool:
        """Whether a connection can be made, asked off the hot path."""
        try:
            connection = await self._open(time.monotonic() + self._connect_seconds)
        except ClientError:
            return False
        self.give_back(connection)
        return True
