"""`/platform/v1/outside-providers`: identity providers elsewhere, set up by administrators."""

from typing import Any

from litestar import Request, Response, Router, delete, get, post, put
from litestar.params import JSONBody

from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_people import MFA_REQUIRED
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
)
from api.identity.installation import current
from api.identity.outside import providers
from api.identity.outside.models import OutsideProvider
from api.identity.outside.schemas import ProviderBody, ProviderItem, ProviderList, input_of, provider_item
from api.identity.schemas import NO_STORE, OtherId

AnyRequest = Request[Any, Any, Any]
_READ = (NOT_SIGNED_IN, PERMISSION_DENIED, MFA_REQUIRED)
_WRITE = (*_READ, CSRF_FAILED)


def callback_of(row: OutsideProvider) -> str:
    """The redirect URI to register at a provider: staff come back to the control plane, citizens to the live plane."""
    settings = current().settings
    if row.audience == "citizens":
        return f"{settings.issuer_of('live')}/consents/outside/{row.slug}/callback"
    return f"{settings.sandbox_url.rstrip('/')}/sign-in/outside/{row.slug}/callback"


def _item(row: OutsideProvider) -> ProviderItem:
    return provider_item(row, callback_of(row))


@get(
    "/outside-providers", operation_id="listOutsideProviders", tags=["outside-providers"], summary="外部身份提供方列表 List outside identity providers",
    description="For administrators. 供管理员使用。", responses=problem_responses(*_READ),
)  # fmt: skip
async def list_providers(caller: CurrentCaller) -> ProviderList:
    """All providers."""
    return ProviderList([_item(row) for row in await providers.providers(caller)])


@post(
    "/outside-providers", operation_id="addOutsideProvider", tags=["outside-providers"], summary="添加外部身份提供方 Set an outside identity provider up",
    description="For staff, with rules that give roles by claims, or for citizens on the live plane. 设置员工或市民的身份提供方。",
    responses=problem_responses(*_WRITE, CONFLICT),
)  # fmt: skip
async def add_provider(caller: CurrentCaller, data: JSONBody[ProviderBody]) -> Response[ProviderItem]:
    """Set a provider up."""
    row = await providers.add_provider(caller, input_of(data))
    return Response(_item(row), headers={"Location": f"/platform/v1/outside-providers/{row.id}"})


@get(
    "/outside-providers/{provider_id:str}", operation_id="getOutsideProvider", tags=["outside-providers"], summary="查看外部身份提供方 One outside identity provider",
    description="For administrators. 供管理员使用。", responses=problem_responses(*_READ, NOT_FOUND),
)  # fmt: skip
async def get_provider(caller: CurrentCaller, provider_id: OtherId) -> ProviderItem:
    """One provider."""
    return _item(await providers.get_provider(caller, provider_id))


@put(
    "/outside-providers/{provider_id:str}", operation_id="changeOutsideProvider", tags=["outside-providers"], summary="更改外部身份提供方 Change an outside identity provider",
    description="Switched off, it ends the sessions that came through it. 停用后,经由它的会话随即结束。",
    responses=problem_responses(*_WRITE, NOT_FOUND, CONFLICT),
)  # fmt: skip
async def change_provider(
    caller: CurrentCaller, provider_id: OtherId, data: JSONBody[ProviderBody]
) -> ProviderItem:
    """Change a provider."""
    return _item(await providers.change_provider(caller, provider_id, input_of(data)))


@delete(
    "/outside-providers/{provider_id:str}", operation_id="removeOutsideProvider", tags=["outside-providers"], summary="移除外部身份提供方 Remove an outside identity provider",
    description="With its accounts, and the sessions and roles that came through them. 连同其账户、会话与角色一并移除。",
    responses=problem_responses(*_WRITE, NOT_FOUND),
)  # fmt: skip
async def remove_provider(caller: CurrentCaller, provider_id: OtherId) -> None:
    """Remove a provider."""
    await providers.remove_provider(caller, provider_id)


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[list_providers, add_provider, get_provider, change_provider, remove_provider],
)
