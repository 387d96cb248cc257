"""Follower: the events of one subscription, from a place in the app's feed on, and only those its token reaches.

Where events are kept is not known here: an EventSource is handed in by api.main.
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from graphql import DocumentNode

from api.core.problem_types_graphql import GRAPHQL_REQUEST_INVALID
from api.core.problems import Refusal, Text
from api.gateway.exchange import Exchange
from api.gateway.plane import Gateway
from api.graphql.root import Event, event_of

AT_ONCE = 50  # events read together
WAIT_SECONDS = 30.0  # until rights are looked at again, where nothing happens
_MOST_TYPES = 100
_MOST_DIGITS = 18
_CURSOR = Text(
    "cursor 不是此事件流中的位置;不给则从现在起。",
    "`cursor` is no place of this feed; without it, it begins now.",
)
_PERSON = Text(
    "代表个人或组织的令牌不能订阅应用的事件;用应用自己的令牌。",
    "A token that acts for a person does not follow the app's events; use the app's own token.",
)
_NOWHERE = Text("此进程不提供事件。", "This process serves no events.")


Placed = tuple[int, str, dict[str, Any]]  # place in the app's feed, service (post@v1), CloudEvent


class EventSource(Protocol):
    """The feeds of the apps of one plane."""

    async def types_of(self, app_id: str) -> set[tuple[str, str]]:
        """(service, type) of what the app's subscriptions let it know."""
        ...

    async def head(self, app_id: str) -> int:
        """The last place of the app's feed."""
        ...

    async def after(self, app_id: str, position: int, types: Sequence[str], most: int) -> list[Placed]:
        """Events behind a place, in order; those of these types, or all."""
        ...

    async def grown(self, app_id: str, position: int, seconds: float) -> None:
        """Return when the feed has something behind the place, or the time is up."""
        ...


class Follower:
    """The context of one subscription (root.Events)."""

    def __init__(
        self, gateway: Gateway, outer: Exchange, document: DocumentNode, source: EventSource | None
    ) -> None:
        self.document = document  # grafting.ReadDocument hands it to Strawberry
        self._gateway = gateway
        self._outer = outer
        self._source = source

    async def begin(self) -> EventSource:
        """Whether there is anything to follow for this token. Raises Refusal: graphql-request-invalid."""
        if self._source is None:
            raise _bad(_NOWHERE)
        holding = self._outer.holding
        if holding is not None and holding.backing.subject:
            raise _bad(_PERSON)
        return self._source

    async def follow(self, types: list[str], cursor: str | None) -> AsyncGenerator[Event, None]:
        """The events, for as long as they are asked for. Raises Refusal: graphql-request-invalid."""
        source = await self.begin()
        app_id = self._outer.app.id
        known = self._reached(await source.types_of(app_id))
        names = sorted({name for _, name in known})
        if len(types) > _MOST_TYPES or not set(types) <= set(names):
            listed = ", ".join(names) or "—"
            raise _bad(
                Text(
                    f"没有这样的事件类型;有:{listed}。",
                    f"There is no such type of event; there are: {listed}.",
                )
            )
        head = await source.head(app_id)
        position = head if cursor is None else _position(cursor, head)
        while True:
            head = await source.head(app_id)  # before reading: what comes meanwhile is behind it
            placed = await source.after(app_id, position, types, AT_ONCE)
            if placed:
                known = self._reached(await source.types_of(app_id))
            for position, service, event in placed:
                if (service, event["type"]) in known:
                    yield event_of(event, str(position))
            if len(placed) < AT_ONCE:
                position = max(position, head)  # what is not of these types was gone past
                await source.grown(app_id, position, WAIT_SECONDS)

    def _reached(self, known: set[tuple[str, str]]) -> set[tuple[str, str]]:
        """Of the services for which the token has a scope."""
        scopes = self._outer.caller.scopes
        snapshot = self._gateway.snapshots.current
        reached = set()
        for key in {service for service, _ in known}:
            name, _, version = key.partition("@")
            entry = snapshot.entry(name, version)
            operations = entry.service.operations if entry is not None else ()
            if any(not one.scopes or not scopes.isdisjoint(one.scopes) for one in operations):
                reached.add(key)
        return {pair for pair in known if pair[0] in reached}


def _position(cursor: str, head: int) -> int:
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _MOST_DIGITS) or int(cursor) > head:
        raise _bad(_CURSOR)
    return int(cursor)


def _bad(reason: Text) -> Refusal:
    return Refusal(GRAPHQL_REQUEST_INVALID, reason=reason)
