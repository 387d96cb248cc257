"""What the routes of agents take and give."""

from datetime import UTC, datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from api.catalogue.agents.models import Agent, AgentCredential
from api.core import clock

LIVE_SECONDS = 10.0


class NewAgentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """`name` stands in the upstream of a publication: `agent:NAME`."""

    name: Annotated[str, Meta(min_length=2, max_length=40, examples=["household-hall"])]
    organisation: Annotated[
        str, Meta(min_length=1, max_length=64, description="Id or slug of the department.")
    ]
    environment: Annotated[str, Meta(pattern="^(sandbox|live)$")] = "sandbox"
    description: Annotated[str, Meta(max_length=200)] = ""


class RotationRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the present credentials work on."""

    overlap_hours: Annotated[int, Meta(ge=0, le=720)] = 24


class AgentProcessItem(Struct, frozen=True):
    """A process that runs the agent: connected while it was heard of a moment ago."""

    process_id: str
    version: str
    is_connected: bool
    seen_at: datetime
    started_at: datetime
    calls_under_way: int


class AgentCredentialItem(Struct, frozen=True):
    """A credential that works now; `hint` are its last characters."""

    credential_id: str
    hint: str
    created_at: datetime
    expires_at: datetime | None


class AgentItem(Struct, frozen=True):
    agent_id: str
    name: str
    environment: str
    organisation_id: str
    description: str
    upstream: str
    is_connected: bool
    last_seen_at: datetime | None
    calls_under_way: int
    created_at: datetime
    revoked_at: datetime | None
    credentials: list[AgentCredentialItem]
    processes: list[AgentProcessItem]


class NewAgentCredential(Struct, frozen=True):
    """The credential is shown this once."""

    agent_id: str
    name: str
    environment: str
    credential_id: str
    credential: str
    server: Annotated[str, Meta(description="The data plane that the agent connects to.")]


class AgentList(Struct, frozen=True):
    items: list[AgentItem]


def agent_item(row: Agent, credentials: list[AgentCredential], processes: list[dict[str, Any]]) -> AgentItem:
    """The agent as it is shown."""
    shown = [_process(one) for one in processes]
    return AgentItem(
        agent_id=row.id, name=row.name, environment=row.environment, organisation_id=row.organisation_id,
        description=row.description, upstream=f"agent:{row.name}",
        is_connected=row.revoked_at is None and any(one.is_connected for one in shown),
        last_seen_at=max((one.seen_at for one in shown), default=None),
        calls_under_way=sum(one.calls_under_way for one in shown),
        created_at=row.created_at, revoked_at=row.revoked_at,
        credentials=[
            AgentCredentialItem(one.id, one.hint, one.created_at, one.expires_at) for one in credentials
        ],
        processes=shown,
    )  # fmt: skip


def _process(row: dict[str, Any]) -> AgentProcessItem:
    seen = _moment(row["seen_at"])
    is_connected = not row["left_at"] and (clock.now() - seen).total_seconds() < LIVE_SECONDS
    return AgentProcessItem(
        row["id"], row["version"], is_connected, seen, _moment(row["started_at"]), int(row["under_way"])
    )


def _moment(microseconds: int) -> datetime:
    return datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)
