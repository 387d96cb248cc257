"""The Connector protocol: what stands between the gateway and a department's system.

This module is all that the sandbox may know of the gateway. A connector never sees a token.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from msgspec import Struct, field

from api.contract.model import Operation


class Context(Struct, frozen=True):
    """What a connector may know of the call besides operation, parameters and body."""

    request_id: str
    deadline: float  # time.monotonic() seconds after which nobody waits any more
    environment: str
    app_id: str
    state_id: str = ""  # whose copy-on-write state of the sandbox
    clock: str = ""  # RFC 3339; "" = the real time
    scenario: str = ""
    locale: str = "zh"
    subject: str = ""  # the person or organisation that consented or acts
    purpose: str = ""
    trace_parent: str = ""
    service: str = ""  # company@v1


class Result(Struct):
    """An upstream's answer. `body` is whole bytes, or an async iterator of chunks that is read once."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)  # lower-case names, no hop-by-hop
    body: bytes | AsyncIterator[bytes] = b""
    events: list[dict[str, Any]] = field(default_factory=list)
    is_synthetic: bool = False  # made from the schema alone: `Kaimen-Sandbox: synthetic`
    facts: dict[str, Any] = field(default_factory=dict)  # what the texts of a refusal were filled with
    is_sound: bool = (
        False  # the system works, whatever the status says: no point against it in the circuit breaker
    )


class Request(Struct):
    """The call as the contract sees it; parameters are decoded strings, typed by `validate` where a schema says so.

    `path`, `query` and `headers` hold contract parameters by name; `target` is the path and query exactly as
    matched, below the version, for a connector that forwards HTTP.
    """

    path: Mapping[str, Any]
    query: Mapping[str, Any]
    headers: Mapping[str, Any]
    target: str
    body: bytes | AsyncIterator[bytes] | None = None
    content_type: str = ""
    content_length: int | None = None
    json: Any = None  # the parsed body, where there is one
    forward_headers: Sequence[tuple[bytes, bytes]] = ()


class Connector(Protocol):
    """Calls an operation of a department's system."""

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """The upstream's answer, whatever its status.

        Raises api.core.problems.Failure (kinds of the step `call`) when there is none to be had.
        """
        ...

    async def health(self) -> bool:
        """Whether the upstream answers at all, asked off the hot path."""
        ...

    async def close(self) -> None:
        """Give back what the connector holds (connections, files)."""
        ...


class ConnectorFactory(Protocol):
    """Makes the connector for an upstream address; api.main registers one for each scheme."""

    def __call__(self, upstream: str, service: Any) -> Connector: ...
