"""What the platform itself answers in GraphQL, code first (Strawberry): `kaimen` beside the services, and events.

The services' own fields are grafted on these roots (grafting). Resolvers find what they need in the request's
context: Facts for `kaimen`, Events for `events`.
"""

from collections.abc import AsyncGenerator
from typing import Annotated, NewType, Protocol

import strawberry
from graphql import GraphQLScalarType
from msgspec import Raw
from strawberry.types.scalar import ScalarDefinition

from api.graphql.scalars import JSON, LONG

AnyJson = NewType("AnyJson", object)
Long = NewType("Long", int)


def _scalar(made: GraphQLScalarType) -> ScalarDefinition:
    """Strawberry's definition of a scalar that the services' fields have too."""
    return ScalarDefinition(
        name=made.name, description=made.description, specified_by_url=None, serialize=made.serialize,
        parse_value=made.parse_value, parse_literal=made.parse_literal, implementation=made,
    )  # fmt: skip


SCALARS: dict[object, ScalarDefinition] = {AnyJson: _scalar(JSON), Long: _scalar(LONG)}


@strawberry.type(
    name="KaimenQuota", description="一类配额:还剩多少。A class of quota, and what is left of it now."
)
class Quota:
    quota_class: str = strawberry.field(
        description="轻、标准、重、批量。`light`, `standard`, `heavy` or `bulk`."
    )
    units: Long = strawberry.field(description="每个时间窗的单位数。Units in a window.")
    window_seconds: int = strawberry.field(description="时间窗的秒数。Seconds of the window.")
    left: Long = strawberry.field(description="此刻剩余的单位数。Units that are left now.")


@strawberry.type(name="KaimenApp", description="调用方应用及其令牌。The app that asks, and its token.")
class App:
    id: str = strawberry.field(description="应用编号。The app's id.")
    plan: str = strawberry.field(description="配额方案。The plan of its quotas.")
    scopes: list[str] = strawberry.field(description="令牌的权限范围。The scopes of this token.")
    token_expires_at: str = strawberry.field(description="令牌失效时刻。When this token expires.")
    quotas: list[Quota] = strawberry.field(description="各类配额。Quotas by class.")


@strawberry.type(
    name="KaimenService", description="应用订阅的一项服务。A service that the app is subscribed to."
)
class SubscribedService:
    id: str = strawberry.field(description="服务与版本,如 company@v1。Service and version.")
    field: str = strawberry.field(description="查询中的字段名。The field that leads to it.")
    title: str = strawberry.field(description="名称。Its title.")
    level: str = strawberry.field(description="获准的最高数据级别。The highest level of data granted.")
    purposes: list[str] = strawberry.field(description="订阅的用途。The purposes it is subscribed for.")
    is_pending: bool = strawberry.field(
        description="是否有待审批的订阅。Whether something awaits its department."
    )
    is_retired: bool = strawberry.field(description="是否已停用。Whether it is no longer served.")
    operations: list[str] = strawberry.field(
        description="此令牌可以调用的操作。The operations that this token may call."
    )
    events: list[str] = strawberry.field(
        description="可以订阅的事件类型。The types of its events, for `subscription { events }`."
    )


@strawberry.type(name="KaimenLimits", description="对查询的限制。What a document may be.")
class Limits:
    body_bytes: int
    document_bytes: int
    tokens: int
    depth: int
    aliases: int
    fields: int
    selections: int
    directives: int
    subscriptions: int = strawberry.field(description="一个连接上的订阅数。Subscriptions on one connection.")
    connections: int = strawberry.field(description="一个应用的连接数。Connections of one app.")


@strawberry.type(
    name="Kaimen", description="平台自身:谁在调用、可以调用什么、有哪些限制。The platform itself: who asks, what it may ask, within which limits."
)  # fmt: skip
class Kaimen:
    request_id: str = strawberry.field(description="本次请求的编号。The id of this request.")
    environment: str = strawberry.field(description="sandbox 或 live。`sandbox` or `live`.")
    app: App = strawberry.field(description="调用方应用。The app that asks.")
    services: list[SubscribedService] = strawberry.field(
        description="订阅的服务。The services it is subscribed to."
    )
    limits: Limits = strawberry.field(description="对查询的限制。What a document may be.")


@strawberry.type(
    name="KaimenEvent", description="一个事件(CloudEvents 1.0)。An event, as CloudEvents 1.0 words it."
)
class Event:
    cursor: str = strawberry.field(
        description="续订的位置:断线后以它为 cursor。Where to go on from: the `cursor` of the next subscription."
    )
    id: str
    source: str = strawberry.field(description="发出事件的服务。The service that tells it: `/api/post/v1`.")
    type: str = strawberry.field(description="事件类型。Its type: `post.order.delivered`.")
    subject: str = strawberry.field(
        description="所关事项,其事件依次到达。What it is about; its events keep their order."
    )
    time: str
    sequence: str = strawberry.field(
        description="该事项的第几个事件。Its number among the events of its subject."
    )
    request_id: str | None = strawberry.field(
        description="引起事件的请求。The request that it came of, where there is one."
    )
    data: AnyJson | None = strawberry.field(description="内容,依契约。Its data, as the contract has them.")


class Facts(Protocol):
    """Context of a query: what `kaimen` tells."""

    async def tell(self) -> Kaimen: ...


class Events(Protocol):
    """Context of a subscription: where events come from."""

    def follow(self, types: list[str], cursor: str | None) -> AsyncGenerator[Event, None]: ...


FactsInfo = strawberry.Info[Facts, None]
EventsInfo = strawberry.Info[Events, None]


@strawberry.type(name="Query")
class Query:
    @strawberry.field(  # type: ignore[untyped-decorator]  # Strawberry
        description="平台自身。The platform itself: who asks, what it may ask, within which limits."
    )
    async def kaimen(self, info: FactsInfo) -> Kaimen:
        return await info.context.tell()


@strawberry.type(name="Subscription")
class Subscription:
    @strawberry.subscription(  # type: ignore[untyped-decorator]  # Strawberry
        description="应用可以得知的事件,依次、不漏。The events that the app may know of, in order, none left out."
    )
    async def events(
        self,
        info: EventsInfo,
        types: Annotated[
            list[str] | None,
            strawberry.argument(description="事件类型;不给则为全部。Types of events; without them all."),
        ] = strawberry.UNSET,
        cursor: Annotated[
            str | None,
            strawberry.argument(
                description="从此位置之后开始;不给则从现在起。Begin behind this place; without it, from now on."
            ),
        ] = strawberry.UNSET,
    ) -> AsyncGenerator[Event, None]:
        async for event in info.context.follow(types or [], cursor or None):
            yield event


def event_of(cloud_event: dict[str, object], cursor: str) -> Event:
    """The event as GraphQL has it."""
    data = cloud_event.get("data")
    request_id = cloud_event.get("kaimenrequest")
    return Event(
        cursor=cursor,
        id=str(cloud_event["id"]),
        source=str(cloud_event["source"]),
        type=str(cloud_event["type"]),
        subject=str(cloud_event["subject"]),
        time=str(cloud_event["time"]),
        sequence=str(cloud_event["sequence"]),
        request_id=str(request_id) if request_id else None,
        data=AnyJson(data if isinstance(data, Raw) else None),
    )
