"""`/platform/v1/apps/{id}/webhooks`, `/events`, `/deliveries`: endpoints, the feed, the delivery log, replay."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from api.core import clock
from api.core.dependencies import CurrentCaller
from api.core.paging import next_link
from api.core.problem_responses import problem_responses
from api.core.problem_types_events import WEBHOOK_HANDSHAKE_FAILED
from api.core.problem_types_platform import CONFLICT, CSRF_FAILED, NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED
from api.events import feed, log
from api.events.endpoints import service
from api.events.permissions import readable_app
from api.events.schemas import (
    Acknowledged,
    Acknowledgement,
    CreatedEndpoint,
    DeliveryList,
    DeliveryView,
    EndpointDetail,
    EndpointItem,
    EndpointList,
    EndpointUpdate,
    EventPage,
    KeyRotation,
    NewEndpointRequest,
    NewEventRequest,
    Replayed,
    ReplayRequest,
    ToldEvent,
    TypeList,
    created_endpoint,
    delivery_item,
    delivery_view,
    endpoint_detail,
    endpoint_item,
    event_page,
    type_item,
)
from api.events.telling import tell
from api.events.types import types_of_app
from api.identity.inputs import refuse_input
from api.identity.schemas import NO_STORE, AppId, Cursor, Limit

AnyRequest = Request[Any, Any, Any]
EndpointId = Annotated[str, PathParameter(max_length=64, description="`we_…`")]
DeliveryId = Annotated[str, PathParameter(max_length=64, description="`wd_…`")]
_READ = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND)
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)
_VERIFY = problem_responses(
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    CSRF_FAILED,
    NOT_FOUND,
    CONFLICT,
    WEBHOOK_HANDSHAKE_FAILED,
    is_limited=True,
)


# --- endpoints ------------------------------------------------------------------------------------
@get(
    "/apps/{app_id:str}/event-types", operation_id="listEventTypes", tags=["webhooks"],
    summary="应用可订阅的事件 Event types of an app",
    description="The webhooks of the services that the app is subscribed to. 应用所订阅服务的事件类型。", responses=_READ,
)  # fmt: skip
async def list_event_types(caller: CurrentCaller, app_id: AppId) -> TypeList:
    """What the app may be told of."""
    app = await readable_app(caller, app_id)
    found = await types_of_app(app.id, app.environment)
    return TypeList([type_item(one) for one in found.values()])


@get(
    "/apps/{app_id:str}/webhooks", operation_id="listWebhooks", tags=["webhooks"], summary="事件端点列表 List webhook endpoints",
    description="The oldest first; never their secrets. 端点列表,不含密钥。", responses=_READ,
)  # fmt: skip
async def list_webhooks(caller: CurrentCaller, app_id: AppId) -> EndpointList:
    """The endpoints of an app."""
    return EndpointList([endpoint_item(row) for row in await service.endpoints_of(caller, app_id)])


@post(
    "/apps/{app_id:str}/webhooks", operation_id="createWebhook", tags=["webhooks"], summary="登记事件端点 Register a webhook endpoint",
    description="The secret is shown this once. No event is sent before the endpoint is verified. "
    "密钥只显示这一次;端点通过验证之前不会发送任何事件。",
    opt={"slowapi": "60/minute"}, responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, is_limited=True),
)  # fmt: skip
async def create_webhook(
    caller: CurrentCaller, app_id: AppId, data: JSONBody[NewEndpointRequest]
) -> Response[CreatedEndpoint]:
    """Register an endpoint."""
    made = await service.create_endpoint(
        caller, app_id, url=data.url, description=data.description, types=data.types, concurrency=data.concurrency
    )  # fmt: skip
    place = f"/platform/v1/apps/{app_id}/webhooks/{made.endpoint.id}"
    return Response(created_endpoint(made), headers={"Location": place})


@get(
    "/apps/{app_id:str}/webhooks/{endpoint_id:str}", operation_id="getWebhook", tags=["webhooks"],
    summary="查看事件端点 Get a webhook endpoint", description="With the public keys that sign now. 含当前签名公钥。", responses=_READ,
)  # fmt: skip
async def get_webhook(caller: CurrentCaller, app_id: AppId, endpoint_id: EndpointId) -> EndpointDetail:
    """One endpoint."""
    row = await service.get_endpoint(caller, app_id, endpoint_id)
    return endpoint_detail(row, await service.active_keys_of(row))


@patch(
    "/apps/{app_id:str}/webhooks/{endpoint_id:str}", operation_id="updateWebhook", tags=["webhooks"],
    summary="更改事件端点 Change a webhook endpoint",
    description="What stays away is left as it is; another address has to be verified again. 更换地址后须重新验证。", responses=_WRITE,
)  # fmt: skip
async def update_webhook(
    caller: CurrentCaller, app_id: AppId, endpoint_id: EndpointId, data: JSONBody[EndpointUpdate]
) -> EndpointItem:
    """Change address, types, description or concurrency."""
    wanted = service.EndpointChange(data.url, data.description, data.types, data.concurrency)
    return endpoint_item(await service.update_endpoint(caller, app_id, endpoint_id, wanted))


@delete(
    "/apps/{app_id:str}/webhooks/{endpoint_id:str}", operation_id="deleteWebhook", tags=["webhooks"],
    summary="删除事件端点 Delete a webhook endpoint", description="Its delivery log stays for its time. 投递记录按期保留。",
    status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def delete_webhook(caller: CurrentCaller, app_id: AppId, endpoint_id: EndpointId) -> EndpointItem:
    """Delete an endpoint."""
    return endpoint_item(await service.delete_endpoint(caller, app_id, endpoint_id))


@post(
    "/apps/{app_id:str}/webhooks/{endpoint_id:str}/verify", operation_id="verifyWebhook", tags=["webhooks"],
    summary="验证事件端点 Verify a webhook endpoint",
    description="Posts `gov.kaimen.webhook.handshake`, signed; a 2xx that echoes `data.challenge` enables the endpoint. "
    "发送已签名的握手事件;以 2xx 回送 data.challenge 即启用。",
    status_code=HTTP_200_OK, opt={"slowapi": "20/minute"}, responses=_VERIFY,
)  # fmt: skip
async def verify_webhook(caller: CurrentCaller, app_id: AppId, endpoint_id: EndpointId) -> EndpointItem:
    """Shake hands with an endpoint."""
    return endpoint_item(await service.verify_endpoint(caller, app_id, endpoint_id))


@post(
    "/apps/{app_id:str}/webhooks/{endpoint_id:str}/disable", operation_id="disableWebhook", tags=["webhooks"],
    summary="停用事件端点 Disable a webhook endpoint",
    description="What waits is given up and can be replayed; verifying enables it again. 等待中的投递作罢,可重发;重新验证即启用。",
    status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def disable_webhook(caller: CurrentCaller, app_id: AppId, endpoint_id: EndpointId) -> EndpointItem:
    """Send nothing more to an endpoint."""
    return endpoint_item(await service.disable_endpoint(caller, app_id, endpoint_id))


@post(
    "/apps/{app_id:str}/webhooks/{endpoint_id:str}/rotate", operation_id="rotateWebhookKeys", tags=["webhooks"],
    summary="轮换签名密钥 Rotate the signing keys",
    description="Both old and new keys sign for `overlap_hours`. The new secret is shown this once. 重叠期内新旧密钥同时签名;新密钥只显示这一次。",
    opt={"slowapi": "20/minute"}, responses=_VERIFY,
)  # fmt: skip
async def rotate_webhook_keys(
    caller: CurrentCaller, app_id: AppId, endpoint_id: EndpointId, data: JSONBody[KeyRotation]
) -> CreatedEndpoint:
    """Make new keys."""
    made = await service.rotate_keys(caller, app_id, endpoint_id, overlap_hours=data.overlap_hours)
    return created_endpoint(made)


# --- the feed -------------------------------------------------------------------------------------
@get(
    "/apps/{app_id:str}/events", operation_id="fetchEvents", tags=["webhooks"], summary="拉取事件 Fetch events",
    description="The second road beside webhooks: everything the app may know of, in order, from `cursor` on; without one "
    "from what was acknowledged, with `latest` from now on. `wait` holds the request until there is something. "
    "不设端点也能取到全部事件;wait 为长轮询秒数。",
    responses=_READ,
)  # fmt: skip
async def fetch_events(
    request: AnyRequest,
    caller: CurrentCaller,
    app_id: AppId,
    cursor: Annotated[
        str, QueryParameter(pattern="^([0-9]{1,18}|latest)?$", description="`cursor` of the page before, or `latest`.")
    ] = "",
    types: Annotated[
        str, QueryParameter(max_length=2000, description="Event types, comma-separated; empty: all.")
    ] = "",
    wait: Annotated[int, QueryParameter(ge=0, le=feed.MAX_WAIT_SECONDS, description="Seconds.")] = 0,
    limit: Limit = 50,
) -> EventPage:  # fmt: skip
    """A page of the app's feed."""
    chosen = [part for part in types.split(",") if part][:100]
    plane = request.app.state.get("data_plane")  # a command has none
    gone = asyncio.create_task(_gone(request))
    try:
        page = await feed.read_feed(
            caller, app_id, cursor=cursor, limit=limit, types=chosen, wait_seconds=wait,
            is_ending=lambda: gone.done() or (plane is not None and plane.is_ending),
        )  # fmt: skip
    finally:
        gone.cancel()
    return event_page(page)


async def _gone(request: AnyRequest) -> None:
    """Until the client has gone: nobody looks for events any more for somebody who does not wait."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


@post(
    "/apps/{app_id:str}/events/ack", operation_id="acknowledgeEvents", tags=["webhooks"], summary="确认事件 Acknowledge events",
    description="Everything up to `cursor` is done with; it never goes backwards. 确认到此游标为止的事件。",
    status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def acknowledge_events(
    caller: CurrentCaller, app_id: AppId, data: JSONBody[Acknowledgement]
) -> Acknowledged:
    """Note how far the app has come."""
    return Acknowledged(await feed.acknowledge(caller, app_id, data.cursor))


# --- the delivery log -----------------------------------------------------------------------------
@get(
    "/apps/{app_id:str}/deliveries", operation_id="listDeliveries", tags=["webhooks"], summary="投递记录 List deliveries",
    description="The newest first. `gaps`: only those that later events of their subject went past, or that were given up. "
    "最新在前;gaps 只列出缺口。",
    responses=_READ,
)  # fmt: skip
async def list_deliveries(
    request: AnyRequest,
    caller: CurrentCaller,
    app_id: AppId,
    endpoint: Annotated[str, QueryParameter(pattern="^(we_[0-9a-z]{1,36})?$", description="`we_…`")] = "",
    status: Annotated[str, QueryParameter(pattern="^(waiting|delivered|failed)?$")] = "",
    type_: Annotated[str, QueryParameter(name="type", max_length=128)] = "",
    gaps: Annotated[bool, QueryParameter()] = False,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Response[DeliveryList]:
    """A page of the delivery log."""
    wanted = log.DeliveryFilter(endpoint, status, type_, gaps)
    page = await log.deliveries_of(caller, app_id, wanted, limit=limit, cursor=cursor)
    link = next_link(
        request.url.path, page, endpoint=endpoint, status=status, type=type_, gaps="true" if gaps else "", limit=limit
    )  # fmt: skip
    return Response(DeliveryList([delivery_item(row) for row in page.items], page.next or None), headers=link)


@get(
    "/apps/{app_id:str}/deliveries/{delivery_id:str}", operation_id="getDelivery", tags=["webhooks"],
    summary="查看投递 Get a delivery", description="With every attempt and the event as it is sent. 含每次尝试与事件原文。", responses=_READ,
)  # fmt: skip
async def get_delivery(caller: CurrentCaller, app_id: AppId, delivery_id: DeliveryId) -> DeliveryView:
    """One delivery."""
    return delivery_view(await log.get_delivery(caller, app_id, delivery_id))


@post(
    "/apps/{app_id:str}/deliveries/{delivery_id:str}/replay", operation_id="replayDelivery", tags=["webhooks"],
    summary="重发一个事件 Replay a delivery", description="At once, with the same id. 立即重发,编号不变。",
    status_code=HTTP_202_ACCEPTED, responses=_WRITE,
)  # fmt: skip
async def replay_delivery(caller: CurrentCaller, app_id: AppId, delivery_id: DeliveryId) -> Replayed:
    """Bring one event again."""
    await log.replay(caller, app_id, delivery_id)
    return Replayed(1)


@post(
    "/apps/{app_id:str}/webhooks/{endpoint_id:str}/replay", operation_id="replayWebhook", tags=["webhooks"],
    summary="批量重发 Replay many deliveries",
    description="All that were given up (`failed`), or all of a time, also those the endpoint never got. 重发全部失败的,或某段时间的事件。",
    status_code=HTTP_202_ACCEPTED, responses=_WRITE,
)  # fmt: skip
async def replay_webhook(
    caller: CurrentCaller, app_id: AppId, endpoint_id: EndpointId, data: JSONBody[ReplayRequest]
) -> Replayed:
    """Bring many events again."""
    if data.failed == bool(data.since):
        raise refuse_input("/failed", "给出 failed 或 since 之一。", "Give either failed or since.")
    if data.failed:
        return Replayed(await log.replay_failed(caller, app_id, endpoint_id))
    until = _moment("/until", data.until) if data.until else clock.now()
    count = await log.replay_range(caller, app_id, endpoint_id, _moment("/since", data.since), until)
    return Replayed(count)


def _moment(pointer: str, text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass
    raise refuse_input(
        pointer, "写作 2026-01-31T08:00:00Z,须带时区。", "Write it as 2026-01-31T08:00:00Z, with its zone."
    )


# --- telling --------------------------------------------------------------------------------------
@post(
    "/services/{service_id:str}/events", operation_id="tellEvent", tags=["webhooks"], summary="发布服务的事件 Tell an event of a service",
    description="By the department that owns it, for one app or for every subscriber; the data are held against the contract. "
    "由主管部门发布,数据按契约校验。",
    status_code=HTTP_202_ACCEPTED, responses=_WRITE,
)  # fmt: skip
async def tell_event(
    caller: CurrentCaller,
    service_id: Annotated[str, PathParameter(max_length=80, description="`post@v1`")],
    data: JSONBody[NewEventRequest],
) -> ToldEvent:
    """Put an event into the outbox."""
    told = await tell(
        caller, service_id, environment=data.environment, type_name=data.type, subject=data.subject, data=data.data,
        app_id=data.app_id, own_id=data.id,
    )  # fmt: skip
    return ToldEvent(told.event_id, told.is_new)


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[
        list_event_types, list_webhooks, create_webhook, get_webhook, update_webhook, delete_webhook, verify_webhook,
        disable_webhook, rotate_webhook_keys, fetch_events, acknowledge_events, list_deliveries, get_delivery,
        replay_delivery, replay_webhook, tell_event,
    ],
)  # fmt: skip
# What a live process serves: tokens of live apps are good there.
live_router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[list_event_types, fetch_events, acknowledge_events, tell_event],
)
