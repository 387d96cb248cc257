"""An app's webhooks: endpoints, their keys shown once, the delivery log, one delivery, doing it again."""

from datetime import timedelta
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core import clock
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.events import log
from api.events.endpoints import service
from api.events.endpoints.stopping import REASONS
from api.events.permissions import readable_app
from api.events.signing import PUBLIC_PREFIX
from api.events.types import types_of_app
from portal import flash, shown_once
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.language import language_of
from portal.view import AnyRequest, Page, Words

ENDPOINT = Form(
    Field("url", maximum=500),
    Field("event_types", kind="choices", required=False, maximum=128),
    Field("description", required=False, maximum=200),
)
_PAGE = 25
_REPLAY_HOURS = {"1": 1, "24": 24, "168": 168}


async def _list_page(
    request: AnyRequest, caller: Caller, app_id: str, form: Filled | None = None, status: int = 200
) -> Page:
    app = await readable_app(caller, app_id)
    words = Words(language_of(request))
    types = await types_of_app(app.id, app.environment)
    context: dict[str, Any] = {
        "app": app,
        "endpoints": await service.endpoints_of(caller, app_id),
        "types": [
            (one.name, f"{words.pick(one.title.zh, one.title.en)} · {one.name} ({one.service})")
            for one in types.values()
        ],
        "form": form or ENDPOINT.blank(),
        "limit": service.MAX_ENDPOINTS,
    }
    return await page(request, caller, "webhooks.html", status=status, **context)


@get("/apps/{app_id:str}/webhooks")
async def list_webhooks(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """The endpoints of an app, a form for one more, and the other ways to its events."""
    check_signed_in(caller)
    return await _list_page(request, caller, app_id)


@post("/apps/{app_id:str}/webhooks", opt={"slowapi": "20/minute"})
async def create_webhook(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """Register an endpoint; its secret is shown on its page, once."""
    check_signed_in(caller)
    form = await ENDPOINT.read(request)
    if form.is_valid:
        try:
            made = await service.create_endpoint(
                caller, app_id, url=form.value("url"), description=form.value("description"),
                types=list(form.chosen("event_types")),
            )  # fmt: skip
        except Refusal as problem:
            form.take(problem)
        else:
            address = f"/apps/{app_id}/webhooks/{made.endpoint.id}"
            return redirect(address, shown_once.put(request, address, made.secret))
    return await _list_page(request, caller, app_id, form, form.status)


async def _endpoint_page(
    request: AnyRequest, caller: Caller, app_id: str, endpoint_id: str, *, problem: Refusal | None = None
) -> Page:
    app = await readable_app(caller, app_id)
    endpoint = await service.get_endpoint(caller, app_id, endpoint_id)
    secret, spent = shown_once.take(request, f"/apps/{app.id}/webhooks/{endpoint.id}")
    state = request.query_params.get("state", "")
    wanted = log.DeliveryFilter(endpoint.id, state if state in log.STATES else "", is_gap=state == "gaps")
    found = await log.deliveries_of(
        caller, app_id, wanted, limit=_PAGE, cursor=request.query_params.get("cursor", "")
    )
    form = ENDPOINT.blank()
    if problem is not None:
        form.take(problem)
    context: dict[str, Any] = {
        "app": app,
        "endpoint": endpoint,
        "secret": secret,
        "keys": await service.active_keys_of(endpoint),
        "prefix": PUBLIC_PREFIX,
        "reason": REASONS.get(endpoint.reason),
        "form": form,
        "deliveries": found.items,
        "next_cursor": found.next,
        "state": state,
        "states": [*log.STATES, "gaps"],
    }
    return await page(
        request, caller, "webhook.html", status=422 if problem else 200, cookies=[spent] if spent else [], **context
    )  # fmt: skip


@get("/apps/{app_id:str}/webhooks/{endpoint_id:str}")
async def show_webhook(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], endpoint_id: FromPath[str]
) -> Page:
    """One endpoint with its delivery log."""
    check_signed_in(caller)
    return await _endpoint_page(request, caller, app_id, endpoint_id)


@post("/apps/{app_id:str}/webhooks/{endpoint_id:str}/verify", opt={"slowapi": "20/minute"})
async def verify(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], endpoint_id: FromPath[str]
) -> Page | Response[None]:
    """Shake hands."""
    check_signed_in(caller)
    try:
        await service.verify_endpoint(caller, app_id, endpoint_id)
    except Refusal as problem:
        if problem.kind.slug != "webhook-handshake-failed":
            raise
        return await _endpoint_page(request, caller, app_id, endpoint_id, problem=problem)
    return redirect(f"/apps/{app_id}/webhooks/{endpoint_id}", flash.put("webhook.verified"))


@post("/apps/{app_id:str}/webhooks/{endpoint_id:str}/rotate", opt={"slowapi": "20/minute"})
async def rotate(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], endpoint_id: FromPath[str]
) -> Response[None]:
    """New keys beside the present ones, for a day."""
    check_signed_in(caller)
    made = await service.rotate_keys(caller, app_id, endpoint_id)
    address = f"/apps/{app_id}/webhooks/{endpoint_id}"
    return redirect(address, shown_once.put(request, address, made.secret), flash.put("webhook.rotated"))


@post("/apps/{app_id:str}/webhooks/{endpoint_id:str}/disable")
async def disable(caller: CurrentCaller, app_id: FromPath[str], endpoint_id: FromPath[str]) -> Response[None]:
    """Send nothing more."""
    check_signed_in(caller)
    await service.disable_endpoint(caller, app_id, endpoint_id)
    return redirect(f"/apps/{app_id}/webhooks/{endpoint_id}", flash.put("webhook.disabled"))


@post("/apps/{app_id:str}/webhooks/{endpoint_id:str}/delete")
async def delete(caller: CurrentCaller, app_id: FromPath[str], endpoint_id: FromPath[str]) -> Response[None]:
    """Delete the endpoint."""
    check_signed_in(caller)
    gone = await service.delete_endpoint(caller, app_id, endpoint_id)
    return redirect(f"/apps/{app_id}/webhooks", flash.put("webhook.deleted", url=gone.url))


@post("/apps/{app_id:str}/webhooks/{endpoint_id:str}/replay", opt={"slowapi": "20/minute"})
async def replay_many(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], endpoint_id: FromPath[str]
) -> Response[None]:
    """Everything that failed, or everything of the last hours."""
    check_signed_in(caller)
    chosen = str((await request.form()).get("what", ""))
    if chosen in _REPLAY_HOURS:
        until = clock.now()
        since = until - timedelta(hours=_REPLAY_HOURS[chosen])
        count = await log.replay_range(caller, app_id, endpoint_id, since, until)
    else:
        count = await log.replay_failed(caller, app_id, endpoint_id)
    return redirect(f"/apps/{app_id}/webhooks/{endpoint_id}", flash.put("webhook.replayed", count=str(count)))


@get("/apps/{app_id:str}/deliveries/{delivery_id:str}")
async def show_delivery(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], delivery_id: FromPath[str]
) -> Page:
    """One delivery: every attempt, and the event."""
    check_signed_in(caller)
    app = await readable_app(caller, app_id)
    found = await log.get_delivery(caller, app_id, delivery_id)
    body = msgspec.json.format(msgspec.json.encode(found.event), indent=2).decode()
    return await page(
        request, caller, "delivery.html", app=app, row=found.delivery, attempts=found.attempts, body=body
    )  # fmt: skip


@post("/apps/{app_id:str}/deliveries/{delivery_id:str}/replay")
async def replay_one(
    caller: CurrentCaller, app_id: FromPath[str], delivery_id: FromPath[str]
) -> Response[None]:
    """Once more, with the same id."""
    check_signed_in(caller)
    await log.replay(caller, app_id, delivery_id)
    return redirect(f"/apps/{app_id}/deliveries/{delivery_id}", flash.put("webhook.replayed", count="1"))


router = Router(
    "/",
    route_handlers=[
        list_webhooks, create_webhook, show_webhook, verify, rotate, disable, delete, replay_many, show_delivery,
        replay_one,
    ],
)  # fmt: skip
