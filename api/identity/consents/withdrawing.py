"""Seeing consents and ending them: by who gave them, guardians, and who leads the organisation now."""

from datetime import datetime

import msgspec
from tortoise.expressions import Q

from api.contract.model import Basis
from api.core import audit, clock
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.consents.mandate_rows import LEADS
from api.identity.consents.mandates import mandates_of
from api.identity.consents.subjects import Subject
from api.identity.consents.text import ConsentText
from api.identity.inputs import check_id
from api.identity.installation import current
from api.identity.models import Grant

WHAT = Text("授权", "consent")
MOST = 500  # of a list for one person


async def grants_of(subject: Subject) -> list[Grant]:
    """Consents that the subject gave, gave as a guardian, or that were given for organisations that the subject leads.

    Ended ones included, the newest MOST of them, newest first.
    """
    led = [one.organisation for one in await mandates_of(subject) if one.role == LEADS]
    wards = [one.id for one in await current().subjects.wards_of(subject)]
    mine = Q(subject_id__in=[subject.id, *wards]) | Q(guardian_id=subject.id)
    if led:
        mine |= Q(organisation__in=led)
    rows = Grant.filter(mine, environment=current().settings.environment)
    return await rows.order_by("-created_at", "id").limit(MOST)


async def find_grant(subject: Subject, grant_id: str) -> Grant:
    """One of them. Raises not-found, alike for another's."""
    grant = await Grant.get_or_none(
        id=check_id(grant_id, "g", WHAT), environment=current().settings.environment
    )
    if grant is None or not await _is_concerned(subject, grant):
        raise Refusal(NOT_FOUND, what=WHAT)
    return grant


async def _is_concerned(subject: Subject, grant: Grant) -> bool:
    if subject.id in {grant.subject_id, grant.guardian_id}:
        return True
    if grant.organisation:
        return any(
            one.organisation == grant.organisation and one.role == LEADS for one in await mandates_of(subject)
        )
    return grant.subject_id in {one.id for one in await current().subjects.wards_of(subject)}


async def withdraw(actor: Subject, grant_id: str) -> Grant:
    """End a consent: by who gave it, the guardian, or who leads the organisation now. Every process knows within a second.

    Withdrawing twice changes nothing more. Raises not-found, conflict (a legal ground, which nobody gave).
    """
    grant = await find_grant(actor, grant_id)
    return await end_grant(grant, f"citizen:{actor.id}")


async def end_grant(grant: Grant, actor: str) -> Grant:
    """Withdraw a grant in somebody's name, who has been checked. Journal: consent:withdraw, once."""
    if grant.basis != Basis.CONSENT.value:
        raise Refusal(
            CONFLICT,
            rule="not-consent",
            reason=Text("此项使用依据的不是同意。", "This use does not rest on consent."),
            following=Text("向数据提供部门提出异议。", "Take it up with the department that holds the data."),
        )
    if grant.withdrawn_at is None:
        try:
            async with audit.write(actor, "consent:withdraw", f"app/{grant.app_id}") as entry:
                entry.detail |= {"grant": grant.id, "text": grant.text_hash}
                entry.changed("grant", grant.id)
                ended = await Grant.filter(id=grant.id, withdrawn_at=None).update(
                    withdrawn_at=clock.now(), withdrawn_by=actor
                )
                if not ended:
                    raise _AlreadyWithdrawn  # noqa: TRY301 - undoes the journal entry
        except _AlreadyWithdrawn:
            pass
    return await Grant.get(id=grant.id)


class _AlreadyWithdrawn(Exception):  # noqa: N818 - a racer was first; nothing is wrong
    pass


def is_in_force(grant: Grant, now: datetime | None = None) -> bool:
    """Whether a grant opens anything at that instant."""
    return grant.withdrawn_at is None and (
        grant.expires_at is None or grant.expires_at > (now or clock.now())
    )


def text_of(grant: Grant) -> ConsentText | None:
    """The text as it was shown; None for a legal ground, which has none."""
    return msgspec.convert(grant.text, ConsentText) if grant.text else None
