"""`/platform/v1/agents`: a department's agents, their credentials, and how they fare."""

from typing import Annotated

from litestar import Response, Router, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from api.catalogue.agents import service
from api.catalogue.agents.models import Agent, AgentCredential
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import CONFLICT, CSRF_FAILED, NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED
from api.core.problems import Refusal
from api.gateway.agents import keeping
from api.gateway.agents.schemas import (
    AgentItem,
    AgentList,
    NewAgentCredential,
    NewAgentRequest,
    RotationRequest,
)
from api.identity.installation import current
from api.identity.organisations.service import get_organisation
from api.identity.schemas import NO_STORE

AgentId = Annotated[str, PathParameter(max_length=64, description="`ag_…`")]


def _check_signed_in(caller: Caller) -> None:
    if caller.kind == "anonymous":  # strangers don't learn which agents there are
        raise Refusal(NOT_SIGNED_IN)


def _made(row: Agent, credential: AgentCredential, secret: str) -> NewAgentCredential:
    server = current().settings.issuer_of(row.environment)
    return NewAgentCredential(row.id, row.name, row.environment, credential.id, secret, server)


@get(
    "/agents", operation_id="listAgents", tags=["services"], summary="代理列表 List agents",
    description="Of a department: when each was last heard of, its version, its calls under way. 部门的代理:最近联络、版本、进行中的调用。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND),
)  # fmt: skip
async def list_agents(
    caller: CurrentCaller, organisation: Annotated[str, QueryParameter(min_length=1, max_length=64, description="Id or slug.")]
) -> AgentList:  # fmt: skip
    """The agents of a department."""
    _check_signed_in(caller)
    found = await get_organisation(caller, organisation)
    return AgentList(await keeping.agents_of(caller, found.id))


@post(
    "/agents", operation_id="createAgent", tags=["services"], summary="新建代理 Make an agent", status_code=HTTP_201_CREATED,
    description="For a department whose system lies on a closed network; the credential is shown this once. "
    "供系统处于封闭网络的部门使用;凭据只显示这一次。",
    opt={"slowapi": "30/minute"},
    responses=problem_responses(
        NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, is_limited=True
    ),
)  # fmt: skip
async def create_agent(
    caller: CurrentCaller, data: JSONBody[NewAgentRequest]
) -> Response[NewAgentCredential]:
    """Make an agent."""
    _check_signed_in(caller)
    found = await get_organisation(caller, data.organisation)
    made = await service.create_agent(
        caller, organisation_id=found.id, name=data.name, environment=data.environment, description=data.description
    )  # fmt: skip
    return Response(_made(*made), headers={"Location": f"/platform/v1/agents/{made[0].id}"}, status_code=201)


@get(
    "/agents/{agent_id:str}", operation_id="getAgent", tags=["services"], summary="代理 Get an agent",
    description="With its credentials (never their values) and processes. 含凭据(不含值)与进程。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND),
)  # fmt: skip
async def get_agent(caller: CurrentCaller, agent_id: AgentId) -> AgentItem:
    """One agent."""
    _check_signed_in(caller)
    return await keeping.agent_shown(caller, agent_id)


@post(
    "/agents/{agent_id:str}/rotate", operation_id="rotateAgentCredential", tags=["services"], summary="轮换代理凭据 Rotate an agent's credential",
    description="A new credential, shown this once; the present ones work on for the overlap (0: they end now). "
    "新凭据只显示这一次;旧凭据在重叠期内仍有效(0 表示立即失效)。",
    status_code=HTTP_200_OK, opt={"slowapi": "30/minute"},
    responses=problem_responses(
        NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, is_limited=True
    ),
)  # fmt: skip
async def rotate(
    caller: CurrentCaller, agent_id: AgentId, data: JSONBody[RotationRequest]
) -> NewAgentCredential:
    """Rotate the credential."""
    _check_signed_in(caller)
    return _made(*await service.rotate_credential(caller, agent_id, overlap_hours=data.overlap_hours))


@delete(
    "/agents/{agent_id:str}", operation_id="revokeAgent", tags=["services"], summary="吊销代理 Revoke an agent",
    description="At once: no credential of it opens anything any more; its name stays taken. 立即生效:凭据全部失效;名称不再可用。",
    status_code=HTTP_200_OK, responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND),
)  # fmt: skip
async def revoke(caller: CurrentCaller, agent_id: AgentId) -> AgentItem:
    """Revoke an agent."""
    _check_signed_in(caller)
    row = await service.revoke_agent(caller, agent_id)
    return (await keeping.items_of([row]))[0]


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[list_agents, create_agent, get_agent, rotate, revoke],
)
