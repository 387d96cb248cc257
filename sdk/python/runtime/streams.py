"""Downloads: the bytes of an answer as they come, never whole in memory unless asked for."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, Self, TypeAlias

import httpx

from .errors import KaimenError

Upload: TypeAlias = bytes | Iterable[bytes] | BinaryIO
"""A body of bytes: whole, in chunks, or an open file. Only the first is sent again when a call is repeated."""
AsyncUpload: TypeAlias = bytes | AsyncIterable[bytes]
"""The same for asyncio."""
_Failure = Callable[[Any, httpx.Request], KaimenError]


class Download:
    """The bytes of an answer. Use it in a `with` statement, or read it to its end."""

    def __init__(self, response: httpx.Response, failure: _Failure) -> None:
        self._response = response
        self._failure = failure
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.request_id: str = response.headers.get("request-id", "")

    def iter_bytes(self, size: int = 65536) -> Iterator[bytes]:
        """Chunks of at most this size."""
        try:
            yield from self._response.iter_bytes(size)
        except httpx.HTTPError as error:
            raise self._failure(error, self._response.request) from error

    def read(self) -> bytes:
        """All of it."""
        return b"".join(self.iter_bytes())

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write it to a file; gives its length."""
        length = 0
        with open(path, "wb") as file:  # noqa: PTH123 - a path of any kind
            for chunk in self.iter_bytes():
                length += file.write(chunk)
        return length

    def close(self) -> None:
        self._response.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class AsyncDownload:
    """The same for asyncio."""

    def __init__(self, response: httpx.Response, failure: _Failure) -> None:
        self._response = response
        self._failure = failure
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.request_id: str = response.headers.get("request-id", "")

    async def iter_bytes(self, size: int = 65536) -> AsyncIterator[bytes]:
        """Chunks of at most this size."""
        try:
            async for chunk in self._response.aiter_bytes(size):
                yield chunk
        except httpx.HTTPError as error:
            raise self._failure(error, self._response.request) from error

    async def read(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in self.iter_bytes()])

    async def close(self) -> None:
        await self._response.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
