"""Lists that come page by page: a page in the hand, and all items behind it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar

import httpx

from .calls import Operation

T = TypeVar("T")


class Page(Generic[T]):
    """One page. Iterating it goes through the items of this page and of all that follow; `items` has its own."""

    def __init__(
        self,
        items: list[T],
        next_cursor: Any,
        value: Any,
        response: httpx.Response,
        fetch: "Callable[[Any], Page[T]] | None",
    ) -> None:
        self.items = items
        self.next_cursor = next_cursor
        """What asks for the next page; None on the last one."""
        self.value = value
        """The answer whole."""
        self.status: int = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.request_id: str = response.headers.get("request-id", "")
        self._fetch = fetch

    def next_page(self) -> "Page[T] | None":
        """The next page; None after the last one."""
        if self.next_cursor is None or self._fetch is None:
            return None
        return self._fetch(self.next_cursor)

    def pages(self) -> "Iterator[Page[T]]":
        """This page and all that follow."""
        page: Page[T] | None = self
        while page is not None:
            yield page
            page = page.next_page()

    def __iter__(self) -> Iterator[T]:
        for page in self.pages():
            yield from page.items

    def __repr__(self) -> str:
        return f"Page({len(self.items)} items{'' if self.next_cursor is None else ', more follow'})"


class AsyncPages(Generic[T]):
    """A list for asyncio: `await` it for its first page, or `async for` through the items of all pages."""

    def __init__(self, fetch: Callable[[Any], Awaitable[Page[T]]]) -> None:
        self._fetch = fetch

    def __await__(self) -> Generator[Any, Any, Page[T]]:
        return self._fetch(None).__await__()

    async def pages(self) -> AsyncIterator[Page[T]]:
        """All pages."""
        page = await self._fetch(None)
        yield page
        while page.next_cursor is not None:
            page = await self._fetch(page.next_cursor)
            yield page

    async def __aiter__(self) -> AsyncIterator[T]:
        async for page in self.pages():
            for item in page.items:
                yield item


def values_at(operation: Operation[Any], values: Sequence[Any], cursor: Any) -> tuple[list[Any], Any]:
    """The values of the call for a cursor (None: as they are), and the cursor that they hold."""
    names = operation.pages
    made = list(values)
    place = _place(operation, names.cursor if names is not None else "")
    if place is None:
        return made, cursor
    if cursor is not None:
        made[place] = cursor
    return made, made[place]


def following(
    operation: Operation[Any], values: Sequence[Any], start: Any, value: Any
) -> tuple[list[Any], Any]:
    """The items of a page, and the cursor of the next; None where this is the last one."""
    names = operation.pages
    found = value if names is None or not names.items else getattr(value, names.items, None)
    items: list[Any] = found if isinstance(found, list) else []
    if names is None:
        return items, None
    if names.style == "cursor":
        cursor = getattr(value, names.next, None)
        return items, cursor if cursor and cursor != start else None
    if not items:
        return items, None
    place = _place(operation, names.size)
    size = values[place] if place is not None else None
    if isinstance(size, int) and len(items) < size:
        return items, None
    first = int(start) if start is not None else (1 if names.style == "page" else 0)
    return items, first + 1 if names.style == "page" else first + len(items)


def _place(operation: Operation[Any], wire: str) -> int | None:
    if not wire:
        return None
    return next((at for at, one in enumerate(operation.params) if one.wire == wire), None)
