"""Giving: the grant of a subject who has read a text. The text is made again and has to be the one that was shown."""

from collections.abc import Collection
from datetime import UTC

import msgspec
from msgspec.structs import replace

from api.contract.model import Basis
from api.core import audit, clock, ids
from api.core.problem_types_consent import CONSENT_NOTHING_AGREED, CONSENT_TEXT_CHANGED
from api.core.problems import Refusal
from api.identity.consents.asking import Prepared, prepare
from api.identity.consents.details import Detail
from api.identity.consents.subjects import Subject, SubjectIds, person_mark
from api.identity.inputs import refuse_input
from api.identity.installation import current, vault
from api.identity.models import App, Grant, Mandate
from api.identity.policies import ACTIVE


async def give(
    app: App,
    subject: Subject,
    details: list[Detail],
    locale: str,
    *,
    shown_hash: str,
    accepted: Collection[str] = (),
    scope: str = "",
    guardian: Subject | None = None,
    organisation: str = "",
) -> Grant:
    """The grant of a subject who has read the text with `shown_hash` and ticked the choices `accepted` (their ids).

    What belongs to no choice is agreed to as a whole. `scope` is the request's, "" for that of the details.
    Raises consent-text-changed, consent-nothing-agreed, input-invalid (a choice that there is not), and all that
    `offer` raises. Journal: consent:give, with the hash and pseudonyms, no personal data.
    """
    prepared = await prepare(app, subject, details, guardian, organisation)
    if prepared.text.hash != shown_hash:
        raise Refusal(CONSENT_TEXT_CHANGED)
    granted = [replace(one, person=_mark(subject, one)) for one in _decide(prepared, frozenset(accepted))]
    moment = clock.now()
    actor = f"citizen:{(guardian or subject).id}"
    expires_at = max(one.until_moment for one in granted)
    async with audit.write(actor, "consent:give", f"app/{app.id}", organisation=app.organisation_id) as entry:
        await _check_still(app, granted[0].mandate)
        grant = await Grant.create(
            id=ids.random_id("g"),
            environment=app.environment,
            app_id=app.id,
            client_id=app.client_id,
            subject_id=subject.id,
            guardian_id=guardian.id if guardian else "",
            organisation=granted[0].organisation,
            mandate_id=granted[0].mandate,
            details=[one.as_json() for one in granted],
            scope=_scope_of(granted, prepared, scope),
            text=msgspec.to_builtins(prepared.text),
            text_hash=prepared.text.hash,
            locale=locale,
            basis=Basis.CONSENT.value,
            created_at=moment,
            expires_at=expires_at.astimezone(UTC),
        )
        entry.detail |= {
            "grant": grant.id,
            "subject": subject.id,
            "text": prepared.text.hash,
            "services": [f"{one.service}:{one.purpose}" for one in granted],
            "organisation": grant.organisation,
            "mandate": grant.mandate_id,
        }
        entry.changed("grant", grant.id)
    return grant


def _mark(subject: Subject, detail: Detail) -> str:
    """Whose data, for the gateway; of an organisation's data the organisation says it."""
    if detail.is_about_organisation:
        return ""
    ids_ = SubjectIds(vault(), current().settings.environment)
    return person_mark(ids_, subject.national.get("number", ""))


async def _check_still(app: App, mandate_id: str) -> None:
    """Inside the write, where nothing can come between: app and mandate still hold."""
    if not await App.filter(id=app.id, status=ACTIVE).exists():
        raise Refusal(CONSENT_TEXT_CHANGED, rule="app-stopped")
    if mandate_id and not await Mandate.filter(id=mandate_id, revoked_at=None).exists():
        raise Refusal(CONSENT_TEXT_CHANGED, rule="mandate-ended")


def _decide(prepared: Prepared, accepted: frozenset[str]) -> list[Detail]:
    """What was agreed to: every field is either granted or refused, nothing is left open."""
    choices = {one.id: one for one in prepared.text.choices}
    unknown = accepted - choices.keys()
    if unknown:
        raise refuse_input(
            "/accepted", "所选内容不在授权页上。", "A choice that is not in the text was accepted."
        )
    granted = []
    for detail in prepared.details:
        prefix = f"{detail.service}:{detail.purpose}:"
        own = [one for id_, one in choices.items() if id_.startswith(prefix)]
        refused = {name for one in own if one.id not in accepted for name in one.fields}
        fields = tuple(name for name in detail.fields if name not in refused)
        if detail.fields and not fields:
            continue
        recipients = tuple(
            one for number, one in enumerate(detail.pass_on_to) if f"{prefix}pass-on:{number}" in accepted
        )
        granted.append(
            replace(
                detail,
                fields=fields,
                refused=(*detail.refused, *(name for name in detail.fields if name in refused)),
                pass_on=bool(recipients),
                pass_on_to=recipients,
            )
        )
    if not granted:
        raise Refusal(CONSENT_NOTHING_AGREED)
    return granted


def _scope_of(granted: list[Detail], prepared: Prepared, asked: str) -> str:
    """The scope: what was asked for, without what only refused services needed; without such, what the details need."""

    def needed(details: list[Detail]) -> dict[str, None]:
        return dict.fromkeys(
            scope
            for one in details
            for id_ in one.operations
            for scope in prepared.services[one.service].operations[id_].scopes
        )

    kept = needed(granted)
    dropped = needed(prepared.details).keys() - kept.keys()
    asked_for = [one for one in asked.split() if one not in dropped]
    if not any(":" in one for one in asked.split()):  # openid and its like: the details say which services
        asked_for += kept
    return " ".join(asked_for)
