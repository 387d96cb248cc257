"""Agents as their department sees them: what the control plane knows together with what was heard of their processes."""

from collections.abc import Sequence
from typing import Any

from api.catalogue.agents import service
from api.catalogue.agents.models import Agent
from api.core.caller import Caller
from api.gateway.agents.calls import AgentCalls
from api.gateway.agents.schemas import AgentItem, agent_item
from api.identity.installation import vault


async def items_of(rows: Sequence[Agent]) -> list[AgentItem]:
    """These agents with credentials and processes, in the order given."""
    credentials = await service.credentials_of([row.id for row in rows])
    heard: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for environment in {row.environment for row in rows}:
        names = [row.name for row in rows if row.environment == environment]
        for one in await AgentCalls(environment, vault()).processes(names):
            heard.setdefault((environment, one["agent"]), []).append(one)
    return [agent_item(row, credentials[row.id], heard.get((row.environment, row.name), [])) for row in rows]


async def agents_of(caller: Caller, organisation_id: str) -> list[AgentItem]:
    """The agents of a department. Errors: permission-denied."""
    return await items_of(await service.agents_of(caller, organisation_id))


async def agent_shown(caller: Caller, agent_id: str) -> AgentItem:
    """One agent. Errors: not-found, permission-denied."""
    return (await items_of([await service.get_agent(caller, agent_id)]))[0]
