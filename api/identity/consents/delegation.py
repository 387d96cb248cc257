"""Delegating a mandate and revoking it: from the legal representative to an agent, and not further.

Source: Civil Code articles 165 (power of attorney) and 169 (no delegation onwards).
"""

import re
from datetime import UTC, datetime, timedelta

from api.core import audit, clock, ids
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.consents.mandate_rows import end_mandate, slot_of
from api.identity.consents.mandates import check_leads, no_longer_leads
from api.identity.consents.subjects import AGE_OF_MAJORITY, Subject
from api.identity.inputs import Inputs, check_id
from api.identity.installation import current
from api.identity.models import Mandate

DELEGATED = ("agent", "finance")
MAX_DAYS = 366
WHAT = Text("代表授权", "mandate")
_PATTERN = re.compile(r"\*|[a-z0-9-]{1,64}(:[a-z0-9-]{1,64}){0,2}(:\*)?")
_SCOPE_LENGTH = 1000


async def delegate(
    actor: Subject, organisation: str, to: Subject, *, role: str, scope: str, until: datetime
) -> Mandate:
    """Give somebody a mandate for an organisation that the actor leads.

    Raises mandate-refused (the actor does not lead it), input-invalid, conflict (that person holds this role).
    """
    own = await check_leads(actor, organisation)
    moment = clock.now()
    scope, until = _check_delegation(actor, to, role, scope, until, own, moment)
    slot = slot_of(to.id, organisation, role, "delegation")
    async with audit.write(
        f"citizen:{actor.id}", "mandate:delegate", f"organisation/{organisation}"
    ) as entry:
        await Mandate.filter(slot=slot, until__lte=moment).update(slot=None)
        still = await Mandate.filter(id=own.id, revoked_at=None).exists()
        if not still:
            raise no_longer_leads(organisation)
        if await Mandate.filter(slot=slot).exists():
            raise Refusal(
                CONFLICT,
                rule="mandate-exists",
                reason=Text(
                    "此人已有这一角色的代表授权。", "This person holds a mandate of this role already."
                ),
                following=Text("先撤销原授权，再重新授权。", "Revoke it first, then give the new one."),
            )
        row = await Mandate.create(
            id=ids.random_id("m"),
            environment=current().settings.environment,
            subject_id=to.id,
            organisation=organisation,
            organisation_name=own.organisation_name,
            role=role,
            scope=scope,
            source="delegation",
            delegated_under=own.id,
            slot=slot,
            created_at=moment,
            created_by=f"citizen:{actor.id}",
            until=until,
        )
        entry.detail |= {"mandate": row.id, "to": to.id, "role": role, "until": clock.to_text(until)}
        entry.changed("mandate", row.id)
    return row


def _check_delegation(
    actor: Subject, to: Subject, role: str, scope: str, until: datetime, own: Mandate, now: datetime
) -> tuple[str, datetime]:
    inputs = Inputs()
    inputs.choice("/role", role, DELEGATED)
    patterns = scope.split() if len(scope) <= _SCOPE_LENGTH else []
    if not patterns or not all(_PATTERN.fullmatch(one) for one in patterns):
        inputs.fault(
            "/scope",
            "写明可代表的数据，如 tax:* 或 tax:tax-paid:read；* 表示全部。",
            "Say for which data, such as tax:* or tax:tax-paid:read; * is everything.",
        )
    if until.tzinfo is None or not now < until <= now + timedelta(days=MAX_DAYS):
        inputs.fault("/until", f"须在今后 {MAX_DAYS} 天之内。", f"It lies within the next {MAX_DAYS} days.")
    elif own.until is not None and until > own.until:
        inputs.fault(
            "/until", "不得晚于你自己的代表期限。", "It is not later than the end of your own mandate."
        )
    if to.id == actor.id:
        inputs.fault("/to", "不能授权给自己。", "Nobody delegates to themselves.")
    age = to.age_on(now.date())
    if age is not None and age < AGE_OF_MAJORITY:
        inputs.fault("/to", "被授权人须年满十八周岁。", "The delegate is 18 or older.")
    inputs.check()
    return " ".join(dict.fromkeys(patterns)), until.astimezone(UTC)


async def revoke_mandate(actor: Subject, mandate_id: str) -> Mandate:
    """End a delegated mandate: by who leads the organisation, or by the delegate. The consents given under it end too.

    Revoking twice changes nothing more. Raises not-found (also for what is not the actor's to end), conflict (a
    mandate of the register: that is changed at the register).
    """
    row = await Mandate.get_or_none(
        id=check_id(mandate_id, "m", WHAT), environment=current().settings.environment
    )
    if row is None or (row.subject_id != actor.id and not await _leads(actor, row.organisation)):
        raise Refusal(NOT_FOUND, what=WHAT)
    if row.source == "register":
        raise Refusal(
            CONFLICT,
            rule="mandate-of-register",
            reason=Text("这一代表身份来自登记簿。", "This mandate comes from the register."),
            following=Text(
                "在登记机关变更登记后即自动更新。", "Change the registration; it follows by itself."
            ),
        )
    if row.revoked_at is None:
        try:
            async with audit.write(
                f"citizen:{actor.id}", "mandate:revoke", f"organisation/{row.organisation}"
            ) as entry:
                if not await end_mandate(entry, row, f"citizen:{actor.id}", "revoked"):
                    raise _AlreadyEnded  # noqa: TRY301 - undoes the journal entry
        except _AlreadyEnded:
            pass
    return await Mandate.get(id=row.id)


class _AlreadyEnded(Exception):  # noqa: N818 - a racer was first; nothing is wrong
    pass


async def _leads(subject: Subject, organisation: str) -> bool:
    try:
        await check_leads(subject, organisation)
    except Refusal:
        return False
    return True
