"""What an agent needs to serve the publications that name it: contract, mapping and the key that signs what is told."""

import asyncio

import msgspec

from api.catalogue.agents.service import SCHEME
from api.catalogue.models import Publication
from api.core.crypto import Vault
from api.gateway.agents.letters import Served


async def services_of(agent: str, environment: str) -> list[str]:
    """The service versions that are published with this agent, in order."""
    rows = Publication.filter(upstream=f"{SCHEME}:{agent}", environment=environment, state="published")
    return sorted(str(one) for one in await rows.values_list("version_id", flat=True))


async def served(agent: str, environment: str, service: str, vault: Vault) -> Served | None:
    """One of them, or None where the agent does not serve it."""
    row = await Publication.get_or_none(
        version_id=service[:80], environment=environment, upstream=f"{SCHEME}:{agent}", state="published"
    )
    if row is None:
        return None
    document = await asyncio.to_thread(msgspec.json.decode, row.document)
    return Served(
        row.version_id, document, row.mapping, vault.derive(f"upstream {environment} {row.version_id}")
    )
