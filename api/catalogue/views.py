"""Rows of the catalogue as the platform API shows them. It decides nothing: callers pass what they may see."""

from typing import Any

import msgspec

from api.catalogue import outside, schemas
from api.catalogue.approvals import ApprovalView
from api.catalogue.browsing import Card, Listed
from api.catalogue.checklist import ChecklistItem
from api.catalogue.impact import ChangeWithApps
from api.catalogue.lifecycle import Retirement
from api.catalogue.models import Approval, Publication, PublicationRelease, Subscription, VersionRecord
from api.catalogue.notices import name_of
from api.catalogue.offers import Offer
from api.catalogue.readings import ImportReport
from api.catalogue.subscribing import SubscriptionEntry
from api.contract.addresses import public_prefix
from api.contract.model import Finding, Loss, Texts


def bilingual(texts: Texts) -> schemas.Bilingual:
    """A text in both languages; "" where there is none."""
    return schemas.Bilingual(texts.get("zh", ""), texts.get("en", ""))


def base_url(environment: str, version_id: str) -> str:
    """Where a version is called in an environment."""
    name, _, version = version_id.partition("@")
    return outside.ask().settings.issuer_of(environment) + public_prefix(name, version)


def openapi_url(version_id: str, environment: str = "") -> str:
    """Where the contract of a version is read."""
    name, _, version = version_id.partition("@")
    query = f"?environment={environment}" if environment else ""
    return f"{outside.ask().settings.issuer_of('sandbox')}/catalogue/{name}/{version}/openapi.json{query}"


def service_item(listed: Listed, language: str) -> schemas.ServiceItem:
    card = listed.card
    return schemas.ServiceItem(
        service_id=listed.id,
        name=card.name,
        version=card.version,
        release=card.release,
        title=card.titles[language],
        titles=bilingual(card.titles),
        description=card.descriptions[language][:500],
        department=card.department or listed.organisations.get("slug", ""),
        organisation=listed.organisations.get(language, ""),
        level=card.level,
        open=card.open,
        status=card.status,
        sunset=card.sunset,
        operations=card.operations,
        environments=list(listed.environments),
        tags=list(card.tags),
        openapi_url=openapi_url(listed.id),
    )


def publication_item(row: Publication, *, shows_upstream: bool) -> schemas.PublicationItem:
    return schemas.PublicationItem(
        environment=row.environment,
        state=row.state,
        base_url=base_url(row.environment, row.version_id),
        openapi_url=openapi_url(row.version_id, row.environment),
        release=row.release,
        published_at=row.published_at,
        approval_id=row.approval_id if shows_upstream else "",
        upstream=(row.upstream or "synthetic") if shows_upstream else None,
    )


def service_detail(
    version: VersionRecord, card: Card, offer: Offer, rows: list[Publication], organisation: Texts,
    language: str, *, may_publish: bool, shows_upstream: bool, hides_department: bool,
) -> schemas.ServiceDetail:  # fmt: skip
    operations = [one for one in offer.operations if not (hides_department and one.audience == "department")]
    return schemas.ServiceDetail(
        service_id=version.id,
        name=card.name,
        version=card.version,
        release=card.release,
        title=card.titles[language],
        titles=bilingual(card.titles),
        descriptions=bilingual(card.descriptions),
        department=card.department or organisation.get("slug", ""),
        organisation=organisation.get(language, ""),
        level=card.level,
        open=card.open,
        status=card.status,
        deprecation={key: text for key, text in version.deprecation.items() if key != "reason"},
        tags=list(card.tags),
        purposes=list(offer.purposes),
        operations=[
            schemas.OperationItem(
                operation_id=one.id,
                level=one.level.value,
                purposes=list(one.purposes),
                scopes=list(one.scopes),
                audience=one.audience,
                share=one.share,
                open=one.open,
            )
            for one in operations
        ],
        publications=[publication_item(row, shows_upstream=shows_upstream) for row in rows],
        may_publish=may_publish,
    )


def version_item(row: VersionRecord, environments: list[str], *, shows_draft: bool) -> schemas.VersionItem:
    return schemas.VersionItem(
        service_id=row.id,
        version=row.version,
        release=row.release,
        title=row.title,
        status=row.status,
        operations=row.operations,
        imported_at=row.imported_at if shows_draft else None,
        environments=environments,
        sunset=str(row.deprecation.get("sunset", "")),
    )


def release_item(row: PublicationRelease) -> schemas.ReleaseItem:
    return schemas.ReleaseItem(
        release_id=row.id,
        environment=row.publication_id.rpartition("/")[2],
        release=row.release,
        digest=row.digest,
        published_at=row.published_at,
        changes=msgspec.json.decode(row.changes),
        force_reason=row.force_reason,
    )


def changes(service: str, against: str, found: list[ChangeWithApps]) -> schemas.Changes:
    return schemas.Changes(
        service=service,
        against=against,
        breaking=sum(one.is_breaking for one in found),
        changes=[change_item(one) for one in found],
    )


def change_item(one: ChangeWithApps) -> schemas.ChangeItem:
    facts = msgspec.to_builtins(one.change)
    return schemas.ChangeItem(
        rule=facts["rule"],
        severity=facts["severity"],
        operation=facts["operation"],
        pointer=facts.get("pointer", ""),
        field=one.change.field,
        message=schemas.Bilingual(**facts["message"]),
        apps=[msgspec.to_builtins(user) for user in one.apps],
    )


def contract_report(report: ImportReport, *, is_stored: bool) -> schemas.ContractReport:
    return schemas.ContractReport(
        service=report.service or None,
        version=report.version or None,
        service_id=report.version_id or None,
        title=report.title,
        release=report.release,
        operations=report.operations,
        losses=list(report.losses),
        findings=list(report.findings),
        verdicts=report.verdicts,
        reasons={face: list(reasons) for face, reasons in report.reasons.items()},
        is_new=report.is_new,
        is_unchanged=report.is_unchanged,
        is_stored=is_stored,
        notes=[schemas.Bilingual(note.zh, note.en) for note in report.notes],
    )


def contract_item(row: VersionRecord) -> schemas.ContractItem:
    return schemas.ContractItem(
        service_id=row.id,
        title=row.title,
        release=row.release,
        status=row.status,
        operations=row.operations,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
    )


def contract_detail(row: VersionRecord, publications: list[Publication]) -> schemas.ContractDetail:
    original = msgspec.json.decode(row.original)
    return schemas.ContractDetail(
        service_id=row.id,
        title=row.title,
        release=row.release,
        status=row.status,
        digest=row.digest,
        operations=row.operations,
        imported_at=row.imported_at,
        imported_by=row.imported_by,
        entry=original["entry"],
        files=sorted(original["files"]),
        overlay=msgspec.json.decode(row.overlay),
        overlay_edited=row.overlay_edited,
        losses=msgspec.json.decode(row.losses, type=list[Loss]),
        findings=msgspec.json.decode(row.findings, type=list[Finding]),
        verdicts=msgspec.json.decode(row.verdicts),
        publications=[publication_item(one, shows_upstream=True) for one in publications],
    )


def published(row: Publication) -> schemas.Published:
    return schemas.Published(
        service_id=row.version_id,
        environment=row.environment,
        state="pending" if row.approval_id else row.state,
        base_url=base_url(row.environment, row.version_id),
        approval_id=row.approval_id,
        upstream=row.upstream or "synthetic",
    )


def retired(made: Retirement) -> schemas.Retired:
    return schemas.Retired(made.version_id, made.state, list(made.environments), made.sunset, made.told)


def version_status(row: VersionRecord) -> schemas.VersionStatus:
    return schemas.VersionStatus(row.id, row.status, dict(row.deprecation))


def checklist(version_id: str, items: list[ChecklistItem], language: str) -> schemas.ChecklistAnswer:
    return schemas.ChecklistAnswer(
        service_id=version_id,
        is_complete=all(item.is_done for item in items),
        items=[
            schemas.ChecklistEntry(
                item.id,
                item.is_done,
                item.title.in_language(language),
                "" if item.is_done else item.following.in_language(language),
            )
            for item in items
        ],
    )


def subscription(row: Subscription, approval: Approval | None = None) -> schemas.SubscriptionItem:
    return schemas.SubscriptionItem(
        subscription_id=row.id,
        app_id=row.app_id,
        service=SubscriptionEntry(row.version_id, row.purpose).text,
        service_id=row.version_id,
        purpose=row.purpose,
        environment=row.environment,
        status=row.status,
        level=row.level,
        requested_at=row.requested_at,
        decided_at=row.decided_at,
        reason=row.reason,
        approval_id=approval.id if approval else "",
    )


def approval(shown: ApprovalView, language: str) -> schemas.ApprovalItem:
    row = shown.approval
    hidden = {"parties"}
    payload: dict[str, Any] = {key: value for key, value in row.payload.items() if key not in hidden}
    return schemas.ApprovalItem(
        approval_id=row.id,
        kind=row.kind,
        subject=row.subject,
        title=name_of(row).in_language(language),
        organisation_id=row.organisation_id,
        requested_by=row.requested_by,
        requested_at=row.requested_at,
        status=row.status,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        reason=row.reason,
        may_decide=shown.may_decide,
        is_mine=shown.is_mine,
        payload=payload,
        comments=[schemas.CommentItem(one.author, one.text, one.at) for one in shown.comments],
    )
