"""The clients that a package's own are made of."""

import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, ParamSpec, Self, TypeVar

import httpx

from .config import Facts, config_of
from .sandbox import AsyncSandbox, Sandbox
from .transports import SEEN, AsyncTransport, Transport

T = TypeVar("T")
P = ParamSpec("P")


class Raw(Generic[T]):
    """A value with its response."""

    def __init__(self, value: T, response: httpx.Response) -> None:
        self.value = value
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.request_id: str = response.headers.get("request-id", "")

    def __repr__(self) -> str:
        return f"Raw(status={self.status}, request_id={self.request_id!r}, value={self.value!r})"


class Client:
    """What the client of a package is made of. Options not given come from the environment: KAIMEN_BASE_URL,
    KAIMEN_CLIENT_ID, KAIMEN_CLIENT_SECRET. `access_token` is a token that you hold already, under a person's consent
    for instance: it is sent as it is and never renewed. Proxies and certificate authorities: `proxy` and `verify`, the
    environment as httpx reads it, or an httpx client of your own.
    """

    FACTS_: ClassVar[Facts]

    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        access_token: str | None = None,
        private_key: str | bytes | Mapping[str, Any] | None = None,
        base_url: str | None = None,
        dpop: bool = False,
        timeout: float = 30,
        max_retries: int = 2,
        scopes: Sequence[str] | None = None,
        scenario: str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        verify: ssl.SSLContext | bool = True,
        http_client: httpx.Client | None = None,
    ) -> None:
        config = config_of(
            self.FACTS_, client_id=client_id, client_secret=client_secret, access_token=access_token,
            private_key=private_key, base_url=base_url, dpop=dpop, timeout=timeout, max_retries=max_retries, scopes=scopes, scenario=scenario, headers=headers,
        )  # fmt: skip
        http = http_client or httpx.Client(proxy=proxy, verify=verify)
        self._transport = Transport(config, self.FACTS_, http)
        self.sandbox = Sandbox(self._transport)
        self._connect(self._transport)

    def _connect(self, transport: Transport) -> None:
        """Make the services."""

    def with_raw(self, method: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Raw[T]:
        """A call's value with its response: `client.with_raw(client.company.get, code)`."""
        with _watched() as seen:
            value = method(*args, **kwargs)
        return Raw(value, seen[-1])

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.calls.config!r})"


class AsyncClient:
    """The same for asyncio."""

    FACTS_: ClassVar[Facts]

    def __init__(
        self,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        access_token: str | None = None,
        private_key: str | bytes | Mapping[str, Any] | None = None,
        base_url: str | None = None,
        dpop: bool = False,
        timeout: float = 30,
        max_retries: int = 2,
        scopes: Sequence[str] | None = None,
        scenario: str | None = None,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
        verify: ssl.SSLContext | bool = True,
        http_client: httpx.AsyncClient | None = None,
    ) -> None:
        config = config_of(
            self.FACTS_, client_id=client_id, client_secret=client_secret, access_token=access_token,
            private_key=private_key, base_url=base_url, dpop=dpop, timeout=timeout, max_retries=max_retries, scopes=scopes, scenario=scenario, headers=headers,
        )  # fmt: skip
        http = http_client or httpx.AsyncClient(proxy=proxy, verify=verify)
        self._transport = AsyncTransport(config, self.FACTS_, http)
        self.sandbox = AsyncSandbox(self._transport)
        self._connect(self._transport)

    def _connect(self, transport: AsyncTransport) -> None:
        """Make the services."""

    async def with_raw(
        self, method: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Raw[T]:
        """A call's value with its response: `await client.with_raw(client.company.get, code)`."""
        with _watched() as seen:
            value = await method(*args, **kwargs)
        return Raw(value, seen[-1])

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._transport.calls.config!r})"


@contextmanager
def _watched() -> Iterator[list[httpx.Response]]:
    seen: list[httpx.Response] = []
    token = SEEN.set(seen)
    try:
        yield seen
    finally:
        SEEN.reset(token)
