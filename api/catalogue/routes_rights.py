"""Routes of subscriptions, approvals and plans."""

from typing import Annotated, Any

from litestar import Request, delete, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from api.catalogue import approvals, outside, plans, schemas, subscribing, views
from api.catalogue.inputs import check_id
from api.catalogue.models import Approval, Subscription
from api.catalogue.outside import AppOwner
from api.catalogue.permissions import SUBSCRIPTION, can_see_draft, can_see_subscriptions
from api.catalogue.rights import get_subscription, owner_of
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.paging import Page
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    OWN_REQUEST,
    PERMISSION_DENIED,
    SUBSCRIPTION_REFUSED,
)
from api.core.problems import Refusal, Text, preferred_language

_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)
Id = Annotated[str, PathParameter(max_length=64)]


# --- subscriptions ------------------------------------------------------------------------------
async def _with_approvals(rows: list[Subscription]) -> list[schemas.SubscriptionItem]:
    pending = (
        await Approval.filter(kind=SUBSCRIPTION, status="pending", subject__in=[row.id for row in rows])
        if rows
        else []
    )
    by_subject = {one.subject: one for one in pending}
    return [views.subscription(row, by_subject.get(row.id)) for row in rows]


async def _owner_of_app(caller: Caller, app_id: str) -> AppOwner:
    """Whose the app is, where the caller is of that organisation; else not-found."""
    approvals.check_is_signed_in(caller)
    check_id(app_id, Text("这个应用", "such app"))
    owner = await outside.ask().app_owner(app_id)
    if owner is None or not can_see_subscriptions(caller, owner.organisation_id):
        raise Refusal(NOT_FOUND, what=Text(f"应用 {app_id}", f"app {app_id}"))
    return owner


async def _subscribe(caller: Caller, app_id: str, service: str) -> schemas.SubscriptionItem:
    owner = await _owner_of_app(caller, app_id)
    wanted = subscribing.parse_entry(service)
    row = await subscribing.subscribe(
        caller, app_id=app_id, organisation_id=owner.organisation_id, environment=owner.environment,
        version_id=wanted.version_id, purpose=wanted.purpose,
    )  # fmt: skip
    return (await _with_approvals([row]))[0]


@get(
    "/platform/v1/subscriptions", tags=["subscriptions"], operation_id="listSubscriptions",
    summary="本组织的订阅 Subscriptions of one's organisations", responses=problem_responses(NOT_SIGNED_IN),
)  # fmt: skip
async def list_subscriptions(
    caller: CurrentCaller,
    status: Annotated[str, QueryParameter(pattern="^(active|pending|rejected|cancelled|suspended)?$")] = "",
) -> Page[schemas.SubscriptionItem]:
    approvals.check_is_signed_in(caller)
    query = Subscription.all()
    if not caller.is_administrator:
        mine = [one for one in caller.organisations if can_see_subscriptions(caller, one)]
        query = query.filter(organisation_id__in=mine)
    if status:
        query = query.filter(status=status)
    return Page(items=await _with_approvals(await query.order_by("-requested_at", "id").limit(500)))


@post(
    "/platform/v1/subscriptions", status_code=200, tags=["subscriptions"], opt={"slowapi": "60/minute"}, operation_id="subscribe",
    summary="订阅 Subscribe", responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, SUBSCRIPTION_REFUSED, is_limited=True),
)  # fmt: skip
async def subscribe(
    caller: CurrentCaller, data: JSONBody[schemas.AppSubscribeRequest]
) -> schemas.SubscriptionItem:
    return await _subscribe(caller, data.app_id, data.service)


async def _visible(caller: Caller, subscription_id: str) -> Subscription:
    approvals.check_is_signed_in(caller)
    row = await get_subscription(subscription_id)
    owner = await owner_of(row.version_id.partition("@")[0])
    if not (can_see_draft(caller, owner) or can_see_subscriptions(caller, row.organisation_id)):
        raise Refusal(NOT_FOUND, what=Text(f"订阅 {subscription_id}", f"subscription {subscription_id}"))
    return row


@get(
    "/platform/v1/subscriptions/{subscription_id:str}", tags=["subscriptions"], operation_id="getSubscription",
    summary="一个订阅 One subscription", responses=problem_responses(NOT_SIGNED_IN, NOT_FOUND),
)  # fmt: skip
async def get_one(caller: CurrentCaller, subscription_id: Id) -> schemas.SubscriptionItem:
    return (await _with_approvals([await _visible(caller, subscription_id)]))[0]


@delete(
    "/platform/v1/subscriptions/{subscription_id:str}", tags=["subscriptions"], operation_id="unsubscribe",
    summary="取消订阅 End a subscription", responses=_WRITE,
)  # fmt: skip
async def unsubscribe(caller: CurrentCaller, subscription_id: Id) -> None:
    await _visible(caller, subscription_id)
    await subscribing.unsubscribe(caller, subscription_id)


@post(
    "/platform/v1/subscriptions/{subscription_id:str}/suspend", status_code=200, tags=["subscriptions"],
    operation_id="suspendSubscription", summary="暂停订阅 Hold a subscription", responses=_WRITE,
)  # fmt: skip
async def suspend(
    caller: CurrentCaller, subscription_id: Id, data: JSONBody[schemas.ReasonRequest]
) -> schemas.SubscriptionItem:
    await _visible(caller, subscription_id)
    return views.subscription(
        await subscribing.suspend_subscription(caller, subscription_id, reason=data.reason)
    )


@post(
    "/platform/v1/subscriptions/{subscription_id:str}/resume", status_code=200, tags=["subscriptions"],
    operation_id="resumeSubscription", summary="恢复订阅 Let a held subscription go on", responses=_WRITE,
)  # fmt: skip
async def resume(caller: CurrentCaller, subscription_id: Id) -> schemas.SubscriptionItem:
    await _visible(caller, subscription_id)
    return views.subscription(await subscribing.resume_subscription(caller, subscription_id))


# --- approvals ----------------------------------------------------------------------------------
def _language(request: Request[Any, Any, Any]) -> str:
    return preferred_language(request.headers.get("accept-language", ""))


@get(
    "/platform/v1/approvals", tags=["approvals"], operation_id="listApprovals", summary="待我处理与我申请的审批 Approvals that concern one",
    responses=problem_responses(NOT_SIGNED_IN),
)  # fmt: skip
async def list_approvals(
    request: Request[Any, Any, Any], caller: CurrentCaller,
    status: Annotated[str, QueryParameter(pattern="^(pending|approved|rejected|cancelled|all)?$")] = "",
    kind: Annotated[str, QueryParameter(pattern="^(publish-live|subscription|app-live)?$")] = "",
) -> Page[schemas.ApprovalItem]:  # fmt: skip
    shown = await approvals.approvals_for(caller, status="" if status == "all" else status, kind=kind)
    return Page(items=[views.approval(one, _language(request)) for one in shown])


@get(
    "/platform/v1/approvals/{approval_id:str}", tags=["approvals"], operation_id="getApproval", summary="一项审批 One approval",
    responses=problem_responses(NOT_SIGNED_IN, NOT_FOUND),
)  # fmt: skip
async def get_approval(
    request: Request[Any, Any, Any], caller: CurrentCaller, approval_id: Id
) -> schemas.ApprovalItem:
    return views.approval(await approvals.view(caller, approval_id), _language(request))


@post(
    "/platform/v1/approvals/{approval_id:str}/decision", status_code=200, tags=["approvals"], operation_id="decideApproval",
    summary="批准或拒绝 Approve or reject", description="Nobody decides their own request. Rejecting needs a reason.",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, OWN_REQUEST, CSRF_FAILED, NOT_FOUND, CONFLICT),
)  # fmt: skip
async def decide(
    request: Request[Any, Any, Any],
    caller: CurrentCaller,
    approval_id: Id,
    data: JSONBody[schemas.DecisionRequest],
) -> schemas.ApprovalItem:
    await approvals.decide(caller, approval_id, approve=data.approve, reason=data.reason)
    return views.approval(await approvals.view(caller, approval_id), _language(request))


@post(
    "/platform/v1/approvals/{approval_id:str}/withdrawal", status_code=200, tags=["approvals"], operation_id="withdrawApproval",
    summary="撤回申请 Withdraw a request", responses=_WRITE,
)  # fmt: skip
async def withdraw(
    request: Request[Any, Any, Any], caller: CurrentCaller, approval_id: Id
) -> schemas.ApprovalItem:
    await approvals.cancel(caller, approval_id)
    return views.approval(await approvals.view(caller, approval_id), _language(request))


@post(
    "/platform/v1/approvals/{approval_id:str}/comments", tags=["approvals"], opt={"slowapi": "60/minute"}, operation_id="commentApproval",
    summary="留言 Comment", responses=problem_responses(NOT_SIGNED_IN, NOT_FOUND, is_limited=True),
)  # fmt: skip
async def comment(
    caller: CurrentCaller, approval_id: Id, data: JSONBody[schemas.CommentRequest]
) -> schemas.CommentItem:
    made = await approvals.comment(caller, approval_id, data.text)
    return schemas.CommentItem(made.author, made.text, made.at)


# --- plans --------------------------------------------------------------------------------------
@get("/platform/v1/plans", tags=["plans"], operation_id="listPlans", summary="套餐 Plans and their quotas")
async def list_plans() -> Page[plans.PlanView]:
    return Page(items=await plans.plans())


@put(
    "/platform/v1/plans/{name:str}", tags=["plans"], operation_id="putPlan", summary="设置套餐 Make or change a plan",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED),
)  # fmt: skip
async def put_plan(
    caller: CurrentCaller,
    name: Annotated[str, PathParameter(pattern="^[a-z][a-z0-9-]{0,31}$")],
    data: JSONBody[schemas.PlanRequest],
) -> plans.PlanView:
    limits = {
        key: {"units": one.units, "window_seconds": one.window_seconds} for key, one in data.limits.items()
    }
    return await plans.set_plan(caller, name, title_zh=data.title_zh, title_en=data.title_en, limits=limits)


HANDLERS = [
    list_subscriptions, subscribe, get_one, unsubscribe, suspend, resume,
    list_approvals, get_approval, decide, withdraw, comment, list_plans, put_plan,
]  # fmt: skip
