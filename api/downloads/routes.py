"""`/platform/v1/apps/{id}/sdk` and `/platform/v1/sdk`: SDKs of apps, their read tokens, and the public packages."""

from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody, PathParameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_downloads import SDK_LANGUAGE_UNKNOWN, SDK_NOTHING_OPEN
from api.core.problem_types_platform import CONFLICT, CSRF_FAILED, NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED
from api.downloads import service, tokens
from api.downloads.public import public_services
from api.downloads.registry_routes import registry_router
from api.downloads.schemas import (
    NewSdkToken,
    PublicSdk,
    PublicSdkList,
    SdkBuild,
    SdkList,
    SdkRequest,
    SdkTokenItem,
    SdkTokenList,
    SdkTokenRequest,
    install_of,
    item_of,
    token_item,
)
from api.identity.installation import current
from api.identity.schemas import NO_STORE, AppId, OtherId

AnyRequest = Request[Any, Any, Any]
FileName = Annotated[str, PathParameter(max_length=200, description="As the build lists it.")]
_READ = problem_responses(NOT_SIGNED_IN, NOT_FOUND)
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)
_BUILD = problem_responses(
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    CSRF_FAILED,
    NOT_FOUND,
    SDK_LANGUAGE_UNKNOWN,
    SDK_NOTHING_OPEN,
    is_limited=True,
)


def origin() -> str:
    """Where package managers reach /sdk."""
    return current().settings.sandbox_url.rstrip("/")


@post(
    "/apps/{app_id:str}/sdk", operation_id="buildSdk", tags=["sdk"], summary="生成 SDK Build an SDK",
    description="In one language, with the operations that the app's active subscriptions open and no others. 202 while "
    "it is built: follow `Location`; 200 where it is there already. 只含应用已生效订阅的操作；生成中返回 202,已有时返回 200。",
    status_code=HTTP_202_ACCEPTED, opt={"slowapi": "60/minute"}, responses=_BUILD,
)  # fmt: skip
async def build_sdk(
    request: AnyRequest, caller: CurrentCaller, app_id: AppId, data: JSONBody[SdkRequest]
) -> Response[SdkBuild]:
    """Order an SDK."""
    made = await service.order(service.workshop_of(request.app), caller, app_id, data.language, origin())
    status = HTTP_200_OK if made.status == "done" else HTTP_202_ACCEPTED
    where = f"/platform/v1/apps/{app_id}/sdk/{made.build_id}"
    return Response(made, status_code=status, headers={"Location": where})


@get(
    "/apps/{app_id:str}/sdk", operation_id="listSdks", tags=["sdk"], summary="应用的 SDK List an app's SDKs",
    description="What was built for the app, the newest first. 为应用生成过的包。", responses=_READ,
)  # fmt: skip
async def list_sdks(request: AnyRequest, caller: CurrentCaller, app_id: AppId) -> SdkList:
    """What was built."""
    found = await service.packages_of_app(service.workshop_of(request.app), caller, app_id)
    return SdkList([item_of(release, language, made) for release, language, made in found])


@get(
    "/apps/{app_id:str}/sdk/{build_id:str}", operation_id="getSdkBuild", tags=["sdk"], summary="生成进度 Get a build",
    description="Its step, and its files once it is done. 当前步骤；完成后给出文件。", responses=_READ,
)  # fmt: skip
async def get_build(request: AnyRequest, caller: CurrentCaller, app_id: AppId, build_id: OtherId) -> SdkBuild:
    """Progress of a build."""
    return await service.progress(service.workshop_of(request.app), caller, app_id, build_id, origin())


@get(
    "/apps/{app_id:str}/sdk/{build_id:str}/files/{name:str}", operation_id="downloadSdkFile", tags=["sdk"],
    summary="下载 SDK 文件 Download a file", media_type="application/octet-stream",
    description="An archive, its checksums, signature, bill of materials or changelog. 归档、校验和、签名、物料清单或变更记录。",
    responses=_READ,
)  # fmt: skip
async def download(
    request: AnyRequest, caller: CurrentCaller, app_id: AppId, build_id: OtherId, name: FileName
) -> Response[bytes]:
    """A file of a build."""
    data, digest = await service.file_of_build(
        service.workshop_of(request.app), caller, app_id, build_id, name, origin()
    )
    headers = {
        "ETag": f'"{digest}"', "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    return Response(data, media_type="application/octet-stream", headers=headers)


@get(
    "/sdk", operation_id="listPublicSdks", tags=["sdk"], summary="公开的包 List public packages",
    description="Packages of whole services, for everybody, and the key of their signatures. 整个服务的包，人人可用；附签名公钥。",
)  # fmt: skip
async def list_public(request: AnyRequest) -> PublicSdkList:
    """Public packages."""
    workshop = service.workshop_of(request.app)
    languages = workshop.builder.languages()
    items = []
    for name, rows in sorted((await public_services()).items()):
        names = {one: workshop.builder.name_of(one, name, "1.0.0") for one in languages}
        install = {one: install_of(one, names[one], "", origin(), is_private=False) for one in languages}
        items.append(PublicSdk(name, [row.version_id for row in rows], names, install))
    return PublicSdkList(items, workshop.builder.public_key().decode())


# --- tokens ---------------------------------------------------------------------------------------
@post(
    "/apps/{app_id:str}/sdk-tokens", operation_id="createSdkToken", tags=["sdk"], summary="创建 SDK 读取令牌 Create a read token",
    description="For pip, npm, Maven and Go to read the app's packages, and nothing else. Shown this once. "
    "供包管理器读取本应用的包；只显示这一次。",
    opt={"slowapi": "30/minute"}, cache_control=NO_STORE, responses=_WRITE,
)  # fmt: skip
async def create_token(caller: CurrentCaller, app_id: AppId, data: JSONBody[SdkTokenRequest]) -> NewSdkToken:
    """One more token."""
    row, token = await tokens.create_token(caller, app_id, data.label)
    return NewSdkToken(row.id, row.label, token)


@get(
    "/apps/{app_id:str}/sdk-tokens", operation_id="listSdkTokens", tags=["sdk"], summary="SDK 读取令牌 List read tokens",
    description="Active ones; never their values. 有效的令牌，不含值。", responses=_READ,
)  # fmt: skip
async def list_tokens(caller: CurrentCaller, app_id: AppId) -> SdkTokenList:
    """Active tokens."""
    return SdkTokenList([token_item(one) for one in await tokens.tokens_of(caller, app_id)])


@delete(
    "/apps/{app_id:str}/sdk-tokens/{token_id:str}", operation_id="revokeSdkToken", tags=["sdk"],
    summary="吊销 SDK 读取令牌 Revoke a read token", status_code=HTTP_200_OK,
    description="It opens nothing from now on. 立即失效。", responses=_WRITE,
)  # fmt: skip
async def revoke_token(caller: CurrentCaller, app_id: AppId, token_id: OtherId) -> SdkTokenItem:
    """Revoke a token."""
    return token_item(await tokens.revoke_token(caller, app_id, token_id))


router = Router(
    "/platform/v1",
    route_handlers=[
        build_sdk, list_sdks, get_build, download, list_public, create_token, list_tokens, revoke_token,
    ],
)  # fmt: skip
routers = [router, registry_router]
