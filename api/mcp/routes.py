"""`/platform/v1/apps/{id}/mcp`: what agents may change through an app."""

from typing import Annotated

from litestar import Router, get, put
from litestar.params import JSONBody
from msgspec import Meta, Struct

from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import CSRF_FAILED, NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED
from api.identity.schemas import AppId
from api.mcp import service

_READ = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND)
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND)


class McpSettings(Struct, frozen=True):
    """`off`: agents read only. `confirm`: a change runs when its call confirms it. `free`: without that."""

    writes: Annotated[str, Meta(pattern="^(off|confirm|free)$", description="off, confirm or free.")]


@get(
    "/apps/{app_id:str}/mcp", operation_id="getMcpSettings", tags=["mcp"],
    summary="智能体可以改变什么 What agents may change", description="Of an app. 应用允许智能体改变什么。", responses=_READ,
)  # fmt: skip
async def get_settings(caller: CurrentCaller, app_id: AppId) -> McpSettings:
    """What agents may change through the app."""
    return McpSettings(await service.writes_of(caller, app_id))


@put(
    "/apps/{app_id:str}/mcp", operation_id="setMcpSettings", tags=["mcp"],
    summary="设定智能体可以改变什么 Set what agents may change",
    description="In force after two seconds; the platform's own setting is the upper bound. 两秒内生效，不超过平台的设置。",
    responses=_WRITE,
)  # fmt: skip
async def set_settings(caller: CurrentCaller, app_id: AppId, data: JSONBody[McpSettings]) -> McpSettings:
    """Set what agents may change through the app."""
    return McpSettings(await service.set_writes(caller, app_id, data.writes))


router = Router("/platform/v1", route_handlers=[get_settings, set_settings])
