"""What takes a connection over that becomes a WebSocket: uvicorn's protocol on wsproto, brought by the first one.

A process that is asked for HTTP alone has none of it: memory.
"""

import asyncio
import importlib
from typing import Any

SOCKET_BYTES = 256 * 1024  # of one message that comes; as much as a GraphQL request may have


class LazyWebSocket(asyncio.Protocol):
    """Stands for the protocol class; making one gives the real protocol."""

    def __new__(cls, *arguments: Any, **named: Any) -> Any:
        """A WebSocket protocol of uvicorn."""
        return importlib.import_module("uvicorn.protocols.websockets.wsproto_impl").WSProtocol(
            *arguments, **named
        )
