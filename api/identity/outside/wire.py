"""Connections to outside providers. Imported when the first one is asked: its library weighs 8 MB in a process."""

from collections.abc import Iterable
from typing import Any

import anyio
import httpcore

from api.core.egress import Egress

FAULTS = (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError)


class _Pinned(httpcore.AsyncNetworkBackend):
    """Connects to an address that egress has checked, whatever the name says the next time."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._egress.resolve(host, port)
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)


def make_pool(egress: Egress) -> httpcore.AsyncConnectionPool:
    """A pool that connects to checked addresses only and repeats nothing by itself."""
    return httpcore.AsyncConnectionPool(
        network_backend=_Pinned(egress), max_connections=20, keepalive_expiry=30.0, retries=0
    )
