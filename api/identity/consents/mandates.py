"""Mandates: who may speak for an organisation, by its register or by delegation, and who may not.

    register ──follow_register──▶ mandate ──delegate──▶ mandate of an agent or for finance ──until──▶ over
                                     │ register names another, or the organisation ends        │ revoke_mandate
                                     └────────────▶ revoked, with what was delegated and consented under it

A delegated mandate cannot be delegated further, ends with the delegator's, and lasts a year at most.
Source: Civil Code articles 61 (legal representative), 165 and 169 (power of attorney, delegation).
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct

from api.core import clock
from api.core.problem_types import MANDATE_REFUSED
from api.core.problems import Refusal, Text
from api.identity.consents.mandate_rows import EVERYTHING, LEADS, SPEAKING, is_running
from api.identity.consents.register import follow_register
from api.identity.consents.subjects import STANDS, NobodyKnown, Subject
from api.identity.installation import current
from api.identity.models import Mandate


class _Refused(Struct, frozen=True):
    """Why somebody may not speak: the rule, and the words."""

    rule: str
    reason: Text


def covers(pattern_list: str, scopes: Iterable[str]) -> bool:
    """Whether a mandate's scope (`*`, `tax:*`, `tax:tax-paid:read`, space-separated) covers all of these scopes."""
    patterns = pattern_list.split()
    return all(any(_matches(pattern, scope) for pattern in patterns) for scope in scopes)


def _matches(pattern: str, scope: str) -> bool:
    if pattern in {EVERYTHING, scope}:
        return True
    return pattern.endswith(":*") and scope.startswith(pattern[:-1])


async def mandates_of(subject: Subject) -> list[Mandate]:
    """The mandates that the subject holds now, by the register of this moment, the newest last."""
    await follow_register(subject)
    now = clock.now()
    rows = await Mandate.filter(
        environment=current().settings.environment, subject_id=subject.id, revoked_at=None
    ).order_by("created_at", "id")
    register = current().register
    standing = []
    for row in rows:
        organisation = await register.organisation(row.organisation)
        if is_running(row, now) and (organisation is None or organisation.status == STANDS):
            standing.append(row)
    return standing


async def mandates_for(subject: Subject, organisation: str) -> list[Mandate]:
    """All mandates for an organisation that ever were, newest first; for whom the subject leads it.

    Raises mandate-refused.
    """
    await check_leads(subject, organisation)
    return await Mandate.filter(
        environment=current().settings.environment, organisation=organisation
    ).order_by("-created_at", "id")


async def check_can_speak_for(
    subject: Subject, organisation: str, scopes: Iterable[str] = (), now: datetime | None = None
) -> Mandate:
    """The mandate under which the subject may open these scopes of the organisation's data.

    Raises mandate-refused with the rule: organisation-unknown, organisation-struck-off, former-representative,
    agent-expired, mandate-revoked, mandate-scope, not-a-representative.
    """
    moment = now or clock.now()
    wanted = tuple(scopes)
    await follow_register(subject)
    register = current().register
    registered = await register.organisation(organisation)
    if registered is None and not isinstance(register, NobodyKnown):
        raise _refusal(organisation, _UNKNOWN)
    if registered is not None and registered.status != STANDS:
        raise _refusal(organisation, _STRUCK_OFF)
    rows = await Mandate.filter(
        environment=current().settings.environment, subject_id=subject.id, organisation=organisation
    ).order_by("created_at", "id")
    running = [row for row in rows if is_running(row, moment)]
    fitting = [row for row in running if covers(row.scope, wanted)]
    if fitting:
        return min(fitting, key=lambda row: SPEAKING.index(row.role))
    raise _refusal(organisation, await _why_not(subject, organisation, rows, running, moment))


async def can_speak_for(subject: Subject, organisation: str, scopes: Iterable[str] = ()) -> bool:
    """The bool twin of check_can_speak_for."""
    try:
        await check_can_speak_for(subject, organisation, scopes)
    except Refusal:
        return False
    return True


async def check_leads(subject: Subject, organisation: str) -> Mandate:
    """The subject's mandate as the legal representative. Raises mandate-refused for anyone else."""
    row = await check_can_speak_for(subject, organisation)
    if row.role != LEADS:
        raise _refusal(organisation, _NOT_LEADING)
    return row


async def _why_not(
    subject: Subject, organisation: str, rows: list[Mandate], running: list[Mandate], now: datetime
) -> _Refused:
    """The explanation that helps most: what the person was, or is, to the organisation."""
    if running:
        return _SCOPE
    positions = await current().register.positions_of(subject)
    roles = {one.role for one in positions if one.organisation.code == organisation}
    if (
        any(row.role == LEADS and row.revoked_at is not None for row in rows)
        or "former-representative" in roles
    ):
        return _FORMER
    if any(row.until is not None and row.until <= now for row in rows):
        return _EXPIRED
    if any(row.revoked_at is not None for row in rows):
        return _REVOKED
    return _SHAREHOLDER if "shareholder" in roles else _NOBODY


def speaks_for_none() -> Refusal:
    """For who has no mandate at all for what is asked."""
    return _refusal("", _NONE)


def no_longer_leads(organisation: str) -> Refusal:
    """For who led it a moment ago."""
    return _refusal(organisation, _FORMER)


def _refusal(organisation: str, why: _Refused) -> Refusal:
    about: dict[str, Any] = {"organisation": organisation} if organisation else {}
    return Refusal(MANDATE_REFUSED, rule=why.rule, reason=why.reason, **about)


_UNKNOWN = _Refused(
    "organisation-unknown",
    Text(
        "登记簿中没有这个组织；核对统一社会信用代码。",
        "The register knows no such organisation; check its code.",
    ),
)
_STRUCK_OFF = _Refused(
    "organisation-struck-off",
    Text(
        "该组织已被吊销或注销，不能再授权提供数据。",
        "The organisation was struck off or deregistered; nobody can open its data any more.",
    ),
)
_FORMER = _Refused(
    "former-representative",
    Text(
        "此人曾是法定代表人，现已不是。", "This person was the legal representative once and is not any more."
    ),
)
_EXPIRED = _Refused(
    "agent-expired", Text("代理授权已过期。", "The agent's mandate has expired; it can be given anew.")
)
_REVOKED = _Refused("mandate-revoked", Text("代表授权已被撤销。", "The mandate was revoked."))
_SCOPE = _Refused(
    "mandate-scope",
    Text("代表授权的范围不含所请求的数据。", "The mandate does not extend to the data that are asked for."),
)
_SHAREHOLDER = _Refused(
    "not-a-representative",
    Text(
        "股东身份本身不代表公司；须由法定代表人授权。",
        "Holding shares gives no right to speak for the company; its legal representative can give a mandate.",
    ),
)
_NOBODY = _Refused(
    "not-a-representative",
    Text("此人与该组织没有代表关系。", "This person has no mandate for the organisation."),
)
_NONE = _Refused(
    "not-a-representative",
    Text(
        "所请求的是组织的数据，而此人现在不能代表任何组织提供它。",
        "Data of an organisation are asked for, and this person may speak for none about them now.",
    ),
)
_NOT_LEADING = _Refused(
    "not-the-legal-representative",
    Text(
        "只有法定代表人可以这样做；代理人不得转委托。",
        "Only the legal representative may; an agent delegates no further.",
    ),
)
