"""Rows of mandates: which slot one takes, whether it runs, and what ends with it. Who may do so is decided elsewhere."""

from datetime import datetime

from api.core import audit, clock
from api.identity.installation import current
from api.identity.models import Grant, Mandate

LEADS = "legal-representative"
SPEAKING = (LEADS, "agent", "finance")
EVERYTHING = "*"


def is_running(row: Mandate, now: datetime) -> bool:
    """Whether the mandate holds at that instant."""
    return row.revoked_at is None and (row.until is None or row.until > now)


def slot_of(subject_id: str, organisation: str, role: str, source: str) -> str:
    """What lets one mandate of a kind hold at a time."""
    return f"{current().settings.environment}:{subject_id}:{organisation}:{role}:{source}"


async def end_mandate(entry: audit.Entry, row: Mandate, by: str, reason: str) -> bool:
    """Revoke a mandate inside an open `audit.write`, with all that rests on it. Whether it still held."""
    moment = clock.now()
    ended = await Mandate.filter(id=row.id, revoked_at=None).update(
        revoked_at=moment, revoked_by=by, reason=reason, slot=None
    )
    if not ended:
        return False
    entry.detail.setdefault("ended", []).append(row.id)
    entry.changed("mandate", row.id)
    for grant in await Grant.filter(mandate_id=row.id, withdrawn_at=None):
        await Grant.filter(id=grant.id).update(withdrawn_at=moment, withdrawn_by=f"mandate:{row.id}")
        entry.detail.setdefault("withdrawn", []).append(grant.id)
        entry.changed("grant", grant.id)
    for below in await Mandate.filter(delegated_under=row.id, revoked_at=None):
        await end_mandate(entry, below, by, "delegator-ended")
    return True
