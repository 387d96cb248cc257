"""Agents of a department and their credentials: made, rotated with an overlap, revoked at once, all in the journal.

An agent is named in a publication's upstream (`agent:NAME`). What it does with calls is the gateway's affair.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from api.catalogue import outside
from api.catalogue.agents.models import Agent, AgentCredential
from api.catalogue.inputs import check_id, clean_text
from api.catalogue.permissions import check_can_keep_agents, check_can_see_draft
from api.core import audit, clock, crypto, ids
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, INPUT_INVALID, NOT_FOUND, PERMISSION_DENIED
from api.core.problems import Refusal, Text

SCHEME = "agent"
MAX_AGENTS = 50  # of one department
MAX_CREDENTIALS = 5  # active at once
MAX_OVERLAP_HOURS = 24 * 30
_PREFIX = {"sandbox": "kat", "live": "kal"}
_NAME = re.compile(r"(?=.{2,40}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_MAX_SECRET = 64
WHAT = Text("这个代理", "such agent")


class Connected(Struct, frozen=True):
    """Who connects: an agent, and the credential that it shows."""

    agent_id: str
    name: str
    organisation_id: str
    credential_id: str


def agent_of(upstream: str) -> str:
    """The agent's name in an upstream `agent:NAME`; "" for any other upstream."""
    scheme, _, name = upstream.partition(":")
    return name if scheme.lower() == SCHEME else ""


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


async def create_agent(
    caller: Caller, *, organisation_id: str, name: str, environment: str, description: str = ""
) -> tuple[Agent, AgentCredential, str]:
    """A department's agent with its first credential, whose value is shown this once.

    Errors: permission-denied, mfa-required (live), input-invalid, conflict (the name is taken, too many).
    """
    check_can_keep_agents(caller, organisation_id, environment)
    organisation = await outside.ask().organisation(organisation_id)
    if organisation is None or organisation.kind != "department":
        raise Refusal(
            PERMISSION_DENIED, rule="only-departments",
            reason=Text("只有政府部门能设置代理。", "Only departments have agents."),
            role=Text("某个部门的发布者", "publisher of a department"),
        )  # fmt: skip
    if not is_name(name):
        raise _invalid(
            "/name",
            "小写字母、数字与连字符，2 至 40 个字符。",
            "lower-case letters, digits and hyphens, 2 to 40 characters",
        )
    description = clean_text("/description", description, maximum=200)
    row = Agent(
        id=ids.random_id("ag"), name=name, environment=environment, organisation_id=organisation_id,
        description=description, created_by=caller.actor, created_at=clock.now(),
    )  # fmt: skip
    async with audit.write(
        caller.actor, "agent:create", f"agent/{row.id}", organisation=organisation_id, name=name, environment=environment
    ) as entry:  # fmt: skip
        if await Agent.filter(organisation_id=organisation_id, revoked_at=None).count() >= MAX_AGENTS:
            raise _conflict(f"一个部门最多 {MAX_AGENTS} 个代理。", f"A department has {MAX_AGENTS} agents at most.",
                            "先吊销不用的代理。", "Revoke one that is no longer used.")  # fmt: skip
        if await Agent.filter(name=name, environment=environment).exists():
            raise _conflict(
                f"名称 {name} 已被使用。", f"The name {name} is taken.", "换一个名称。", "Take another name."
            )
        await row.save(force_create=True)
        credential, secret = await _make_credential(caller, row)
        entry.detail["credential"] = credential.id
    return row, credential, secret


async def rotate_credential(
    caller: Caller, agent_id: str, *, overlap_hours: int = 24
) -> tuple[Agent, AgentCredential, str]:
    """One more credential; those there are end after `overlap_hours`, so that nothing stops meanwhile.

    Errors: not-found, permission-denied, input-invalid, conflict (revoked).
    """
    row = await kept_agent(caller, agent_id)
    if not 0 <= overlap_hours <= MAX_OVERLAP_HOURS:
        raise _invalid("/overlap_hours", f"须为 0 至 {MAX_OVERLAP_HOURS}。", f"0 to {MAX_OVERLAP_HOURS}")
    async with audit.write(
        caller.actor, "agent:rotate", f"agent/{row.id}", organisation=row.organisation_id, overlap_hours=overlap_hours
    ) as entry:  # fmt: skip
        end = clock.now() + timedelta(hours=overlap_hours)
        active = _active(row.id)
        if overlap_hours and await active.count() >= MAX_CREDENTIALS:
            raise _conflict(
                f"最多 {MAX_CREDENTIALS} 个有效凭据。", f"At most {MAX_CREDENTIALS} credentials work at once.",
                "以 overlap_hours 0 轮换。", "Rotate with overlap_hours 0.",
            )  # fmt: skip
        await active.filter(Q(expires_at=None) | Q(expires_at__gt=end)).update(expires_at=end)
        credential, secret = await _make_credential(caller, row)
        entry.detail["credential"] = credential.id
    return row, credential, secret


async def revoke_agent(caller: Caller, agent_id: str) -> Agent:
    """End an agent: none of its credentials opens anything from this moment on. Again changes nothing.

    Errors: not-found, permission-denied.
    """
    row = await get_agent(caller, agent_id)
    check_can_keep_agents(caller, row.organisation_id, row.environment)
    if row.revoked_at is not None:
        return row
    async with audit.write(
        caller.actor, "agent:revoke", f"agent/{row.id}", organisation=row.organisation_id, name=row.name
    ):
        now = clock.now()
        await Agent.filter(id=row.id, revoked_at=None).update(revoked_at=now)
        await AgentCredential.filter(agent_id=row.id, revoked_at=None).update(revoked_at=now)
    return await Agent.get(id=row.id)


async def get_agent(caller: Caller, agent_id: str) -> Agent:
    """One agent that the caller may see. Errors: not-found, permission-denied."""
    row = await Agent.get_or_none(id=check_id(agent_id, WHAT))
    if row is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    check_can_see_draft(caller, row.organisation_id)
    return row


async def kept_agent(caller: Caller, agent_id: str) -> Agent:
    """One agent that works and that the caller may change. Errors: not-found, permission-denied, conflict."""
    row = await get_agent(caller, agent_id)
    check_can_keep_agents(caller, row.organisation_id, row.environment)
    if row.revoked_at is not None:
        raise _conflict("此代理已吊销。", "This agent is revoked.", "新建一个代理。", "Make another agent.")
    return row


async def agents_of(caller: Caller, organisation_id: str) -> list[Agent]:
    """The agents of a department, revoked ones last. Errors: permission-denied."""
    check_can_see_draft(caller, organisation_id)
    rows = await Agent.filter(organisation_id=organisation_id).order_by("environment", "name")
    return sorted(rows, key=lambda one: one.revoked_at is not None)


async def credentials_of(agent_ids: Sequence[str]) -> dict[str, list[AgentCredential]]:
    """The credentials that work now, by agent, the newest first; never their values."""
    found: dict[str, list[AgentCredential]] = {one: [] for one in agent_ids}
    now = clock.now()
    rows = AgentCredential.filter(agent_id__in=list(agent_ids) or [""], revoked_at=None)
    for row in await rows.filter(Q(expires_at=None) | Q(expires_at__gt=now)).order_by("-created_at", "-id"):
        found[row.agent_id].append(row)
    return found


async def connected_by(secret: str, environment: str) -> Connected | None:
    """The agent that a credential stands for now in this environment, or None."""
    if not secret.isascii() or not secret.isprintable() or not 0 < len(secret) <= _MAX_SECRET:
        return None
    row = await AgentCredential.get_or_none(hash=crypto.hash_secret(secret))
    if row is None or row.revoked_at is not None or _has_ended(row.expires_at):
        return None
    agent = await Agent.get_or_none(id=row.agent_id, environment=environment, revoked_at=None)
    return None if agent is None else Connected(agent.id, agent.name, agent.organisation_id, row.id)


async def check_upstream(upstream: str, environment: str, owner: str) -> None:
    """Refuse `agent:NAME` unless the owning department has an agent of that name there. Raises input-invalid."""
    name = agent_of(upstream)
    row = (
        await Agent.get_or_none(name=name, environment=environment, revoked_at=None)
        if is_name(name)
        else None
    )
    if row is None or row.organisation_id != owner:
        raise _invalid(
            "/upstream", f"本部门在 {environment} 没有名为 {name[:40]} 的代理：先运行 kaimen agent create。",
            f"the department has no agent {name[:40]} in {environment}: kaimen agent create makes one",
        )  # fmt: skip


def _active(agent_id: str) -> QuerySet[AgentCredential]:
    now = clock.now()
    return AgentCredential.filter(agent_id=agent_id, revoked_at=None).filter(
        Q(expires_at=None) | Q(expires_at__gt=now)
    )


def _has_ended(moment: datetime | None) -> bool:
    return moment is not None and moment <= clock.now()


async def _make_credential(caller: Caller, agent: Agent) -> tuple[AgentCredential, str]:
    secret = ids.random_secret(_PREFIX[agent.environment])
    row = await AgentCredential.create(
        id=ids.random_id("agc"), agent_id=agent.id, hash=crypto.hash_secret(secret), hint=secret[-4:],
        created_by=caller.actor, created_at=clock.now(),
    )  # fmt: skip
    return row, secret


def _conflict(zh: str, en: str, next_zh: str, next_en: str) -> Refusal:
    return Refusal(CONFLICT, reason=Text(zh, en), following=Text(next_zh, next_en))


def _invalid(pointer: str, zh: str, en: str) -> Refusal:
    return Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": Text(zh, en)},), count=1)
