"""`/platform/v1/apps`: apps, their secrets, keys and subscriptions, and going live."""

from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, patch, post, put
from litestar.params import JSONBody, QueryParameter
from litestar.status_codes import HTTP_200_OK

from api.core.dependencies import CurrentCaller
from api.core.paging import next_link
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import (
    CHECKLIST_OPEN,
    CONFLICT,
    CSRF_FAILED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    SESSION_REQUIRED,
    SUBSCRIPTION_REFUSED,
)
from api.core.problems import Refusal
from api.identity.apps import service
from api.identity.apps.schemas import (
    AppChange,
    AppDetail,
    AppItem,
    AppList,
    ChecklistView,
    CreatedApp,
    GoLiveRequest,
    Keys,
    KeysRequest,
    NewAppRequest,
    NewSecret,
    NewSecretRequest,
    PlatformScopes,
    RotationRequest,
    SecretItem,
    SecretList,
    SubscriptionItem,
    SubscriptionList,
    SubscriptionRequest,
    app_detail,
    app_item,
    checklist_view,
    created_app,
    new_secret,
    secret_item,
    subscription_item,
)
from api.identity.models import App
from api.identity.schemas import NO_STORE, AppId, Cursor, Limit, OtherId

AnyRequest = Request[Any, Any, Any]
_READ = problem_responses(NOT_SIGNED_IN, NOT_FOUND)
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)
_NEW = problem_responses(
    NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, SUBSCRIPTION_REFUSED, is_limited=True
)


# --- apps -----------------------------------------------------------------------------------------
@get(
    "/apps", operation_id="listApps", tags=["apps"], summary="应用列表 List apps",
    description="Of the caller's organisations, the newest first; deleted ones with `status=deleted`. 所在组织的应用。",
    responses=_READ,
)  # fmt: skip
async def list_apps(
    request: AnyRequest,
    caller: CurrentCaller,
    organisation_id: Annotated[str, QueryParameter(max_length=64)] = "",
    environment: Annotated[str, QueryParameter(pattern="^(sandbox|live)?$")] = "",
    status: Annotated[str, QueryParameter(pattern="^(active|suspended|deleted)?$")] = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Response[AppList]:
    """A page of apps."""
    if caller.kind == "anonymous":
        raise Refusal(NOT_SIGNED_IN)
    page = await service.apps(
        caller, organisation_id=organisation_id, environment=environment, status=status, limit=limit, cursor=cursor
    )  # fmt: skip
    link = next_link(
        request.url.path, page, organisation_id=organisation_id, environment=environment, status=status, limit=limit
    )  # fmt: skip
    return Response(AppList([app_item(one) for one in page.items], page.next or None), headers=link)


@post(
    "/apps", operation_id="createApp", tags=["apps"], summary="注册应用 Register an app",
    description="A sandbox app with its first secret and its subscriptions, or nothing of it. The secret is shown this "
    "once. 注册沙箱应用,连同第一个密钥与订阅;密钥只显示这一次。",
    opt={"slowapi": "60/minute"}, responses=_NEW,
)  # fmt: skip
async def create_app(caller: CurrentCaller, data: JSONBody[NewAppRequest]) -> Response[CreatedApp]:
    """Register a sandbox app."""
    made = await service.create_app(
        caller, name=data.name, environment=data.environment, organisation_id=data.organisation or None,
        description=data.description, subscribe=data.subscribe,
    )  # fmt: skip
    return Response(created_app(made), headers={"Location": f"/platform/v1/apps/{made.app.id}"})


@get(
    "/apps/{app_id:str}", operation_id="getApp", tags=["apps"], summary="查看应用 Get an app",
    description="With its secrets (never their values) and subscriptions. 应用及其密钥(不含值)与订阅。", responses=_READ,
)  # fmt: skip
async def get_app(caller: CurrentCaller, app_id: AppId) -> AppDetail:
    """One app."""
    app = await service.get_app(caller, app_id)
    secrets = await service.secrets_of(caller, app_id)
    return app_detail(app, secrets, await service.subscriptions_of_app(caller, app_id))


@patch(
    "/apps/{app_id:str}", operation_id="updateApp", tags=["apps"], summary="更改应用 Change an app",
    description="What stays away is left as it is. 未给出的保持不变。", responses=_WRITE,
)  # fmt: skip
async def update_app(caller: CurrentCaller, app_id: AppId, data: JSONBody[AppChange]) -> AppItem:
    """Change name, description, plan or the OAuth settings."""
    if data.oauth is not None:
        changed = await service.set_oauth(caller, app_id, data.oauth)
        if (data.name, data.description, data.plan) == (None, None, None):
            return app_item(changed)
    changed = await service.update_app(
        caller, app_id, name=data.name, description=data.description, plan=data.plan
    )
    return app_item(changed)


@delete(
    "/apps/{app_id:str}", operation_id="deleteApp", tags=["apps"], summary="删除应用 Delete an app",
    description="It stops at once, and can be restored for 30 days. 立即停用;30 天内可恢复。",
    status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def delete_app(caller: CurrentCaller, app_id: AppId) -> AppItem:
    """Delete an app, with undo."""
    return app_item(await service.delete_app(caller, app_id))


@post(
    "/apps/{app_id:str}/restore", operation_id="restoreApp", tags=["apps"], summary="恢复已删除的应用 Restore a deleted app",
    description="As what it was, within 30 days. 30 天内恢复原状。", status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def restore_app(caller: CurrentCaller, app_id: AppId) -> AppItem:
    """Bring a deleted app back."""
    return app_item(await service.restore_app(caller, app_id))


@post(
    "/apps/{app_id:str}/suspend", operation_id="suspendApp", tags=["apps"], summary="停用应用 Suspend an app",
    description="Its tokens are refused within a second. 停用应用,其令牌一秒内失效。", status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def suspend_app(caller: CurrentCaller, app_id: AppId) -> AppItem:
    """Stop an app."""
    return app_item(await service.suspend_app(caller, app_id))


@post(
    "/apps/{app_id:str}/resume", operation_id="resumeApp", tags=["apps"], summary="恢复应用 Resume an app",
    description="What an administrator suspended, an administrator resumes. 恢复应用。", status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def resume_app(caller: CurrentCaller, app_id: AppId) -> AppItem:
    """Let a suspended app call again."""
    return app_item(await service.resume_app(caller, app_id))


# --- secrets and keys -----------------------------------------------------------------------------
@get(
    "/apps/{app_id:str}/secrets", operation_id="listAppSecrets", tags=["apps"], summary="密钥列表 List secrets",
    description="With label, expiry and last use; never their values. 密钥列表,不含值。", responses=_READ,
)  # fmt: skip
async def list_secrets(caller: CurrentCaller, app_id: AppId) -> SecretList:
    """The secrets of an app."""
    return SecretList([secret_item(row) for row in await service.secrets_of(caller, app_id)])


@post(
    "/apps/{app_id:str}/secrets", operation_id="addAppSecret", tags=["apps"], summary="新增密钥 Add a secret",
    description="Up to five are active at once. It is shown this once. 最多五个有效;只显示这一次。",
    opt={"slowapi": "60/minute"}, responses=_NEW,
)  # fmt: skip
async def add_secret(
    caller: CurrentCaller, app_id: AppId, data: JSONBody[NewSecretRequest]
) -> Response[NewSecret]:
    """Add a secret."""
    row, secret = await service.add_secret(caller, app_id, data.label, data.expires_in_days)
    return Response(
        new_secret(row, secret), headers={"Location": f"/platform/v1/apps/{app_id}/secrets/{row.id}"}
    )


@post(
    "/apps/{app_id:str}/secrets/{secret_id:str}/rotate", operation_id="rotateAppSecret", tags=["apps"],
    summary="轮换密钥 Rotate a secret",
    description="Makes a successor with the same label; the old one works on for `overlap_hours`. 生成后继密钥,旧密钥在重叠期内仍有效。",
    opt={"slowapi": "60/minute"}, responses=_NEW,
)  # fmt: skip
async def rotate_secret(
    caller: CurrentCaller, app_id: AppId, secret_id: OtherId, data: JSONBody[RotationRequest]
) -> Response[NewSecret]:
    """Make a secret's successor."""
    row, secret = await service.rotate_secret(caller, app_id, secret_id, overlap_hours=data.overlap_hours)
    return Response(
        new_secret(row, secret), headers={"Location": f"/platform/v1/apps/{app_id}/secrets/{row.id}"}
    )


@delete(
    "/apps/{app_id:str}/secrets/{secret_id:str}", operation_id="revokeAppSecret", tags=["apps"],
    summary="吊销密钥 Revoke a secret", description="At once; the last one too. 立即吊销。", status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def revoke_secret(caller: CurrentCaller, app_id: AppId, secret_id: OtherId) -> SecretItem:
    """Revoke a secret."""
    return secret_item(await service.revoke_secret(caller, app_id, secret_id))


@get(
    "/apps/{app_id:str}/keys", operation_id="getAppKeys", tags=["apps"], summary="查看公钥 Get the public keys",
    description="The JWK set for `private_key_jwt`. 应用的公钥集合。", responses=_READ,
)  # fmt: skip
async def get_keys(caller: CurrentCaller, app_id: AppId) -> Keys:
    """The public keys of an app."""
    return _keys(await service.get_app(caller, app_id))


@put(
    "/apps/{app_id:str}/keys", operation_id="setAppKeys", tags=["apps"], summary="更换公钥 Replace the public keys",
    description="Public keys only; an empty list takes them away. 只接受公钥;空列表表示全部移除。", responses=_WRITE,
)  # fmt: skip
async def set_keys(caller: CurrentCaller, app_id: AppId, data: JSONBody[KeysRequest]) -> Keys:
    """Replace the public keys of an app."""
    return _keys(await service.set_keys(caller, app_id, {"keys": data.keys}, data.auth_method))


def _keys(app: App) -> Keys:
    return Keys(keys=list((app.jwks or {}).get("keys", [])), auth_method=app.auth_method)


@put(
    "/apps/{app_id:str}/platform-scopes", operation_id="setAppPlatformScopes", tags=["apps"],
    summary="设置应用的平台权限 Give an app platform scopes",
    description="Owners in a browser session: what the app may do in this API for its organisation. 仅限所有者在浏览器中操作。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, SESSION_REQUIRED, CSRF_FAILED, NOT_FOUND, CONFLICT),
)  # fmt: skip
async def set_platform_scopes(
    caller: CurrentCaller, app_id: AppId, data: JSONBody[PlatformScopes]
) -> AppItem:
    """Say which `platform:` scopes an app may ask for."""
    return app_item(await service.set_platform_scopes(caller, app_id, data.scopes))


# --- subscriptions and going live -----------------------------------------------------------------
@get(
    "/apps/{app_id:str}/subscriptions", operation_id="listAppSubscriptions", tags=["apps"],
    summary="应用的订阅 List an app's subscriptions", description="Ended ones included. 应用的全部订阅。", responses=_READ,
)  # fmt: skip
async def list_subscriptions(caller: CurrentCaller, app_id: AppId) -> SubscriptionList:
    """The subscriptions of an app."""
    rows = await service.subscriptions_of_app(caller, app_id)
    return SubscriptionList([subscription_item(row) for row in rows])


@post(
    "/apps/{app_id:str}/subscriptions", operation_id="subscribeApp", tags=["apps"], summary="为应用订阅服务 Subscribe an app",
    description="In the sandbox at once; live, L2 and above await the owning department. 沙箱即时生效;正式环境 L2 及以上由主管部门审批。",
    opt={"slowapi": "60/minute"}, responses=_NEW,
)  # fmt: skip
async def subscribe_app(
    caller: CurrentCaller, app_id: AppId, data: JSONBody[SubscriptionRequest]
) -> Response[SubscriptionItem]:
    """Subscribe an app to a service."""
    row = await service.subscribe_app(caller, app_id, data.service)
    return Response(
        subscription_item(row), headers={"Location": f"/platform/v1/apps/{app_id}/subscriptions/{row.id}"}
    )


@delete(
    "/apps/{app_id:str}/subscriptions/{subscription_id:str}", operation_id="unsubscribeApp", tags=["apps"],
    summary="取消订阅 End a subscription", description="A pending request is withdrawn. 结束订阅;待审批的申请随之撤回。",
    status_code=HTTP_200_OK, responses=_WRITE,
)  # fmt: skip
async def unsubscribe_app(caller: CurrentCaller, app_id: AppId, subscription_id: OtherId) -> SubscriptionItem:
    """End a subscription of an app."""
    return subscription_item(await service.unsubscribe_app(caller, app_id, subscription_id))


@get(
    "/apps/{app_id:str}/checklist", operation_id="getChecklist", tags=["apps"], summary="上线清单 Get the going-live checklist",
    description="What is done and what is open before a sandbox app goes live. 上线清单。", responses=_READ,
)  # fmt: skip
async def get_checklist(caller: CurrentCaller, app_id: AppId) -> ChecklistView:
    """The checklist of a sandbox app."""
    return checklist_view(await service.checklist_of(await service.get_app(caller, app_id)))


@post(
    "/apps/{app_id:str}/go-live", operation_id="goLive", tags=["apps"], summary="上线 Go live",
    description="Makes the linked live app with a credential of its own, shown this once, and asks for the same services "
    "live. 建立正式应用与独立凭据(只显示这一次),并申请相同的服务。",
    opt={"slowapi": "20/minute"},
    responses=problem_responses(
        NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, CHECKLIST_OPEN, SUBSCRIPTION_REFUSED,
        is_limited=True,
    ),
)  # fmt: skip
async def go_live(
    caller: CurrentCaller, app_id: AppId, data: JSONBody[GoLiveRequest]
) -> Response[CreatedApp]:
    """Make the live twin of a sandbox app."""
    answers = {name: getattr(data, name) for name in GoLiveRequest.__struct_fields__}
    made = await service.go_live(caller, app_id, answers)
    return Response(created_app(made), headers={"Location": f"/platform/v1/apps/{made.app.id}"})


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[
        list_apps, create_app, get_app, update_app, delete_app, restore_app, suspend_app, resume_app, list_secrets,
        add_secret, rotate_secret, revoke_secret, get_keys, set_keys, set_platform_scopes, list_subscriptions,
        subscribe_app, unsubscribe_app, get_checklist, go_live,
    ],
)  # fmt: skip
