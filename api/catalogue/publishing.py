"""Publishing: a version offered in an environment. The sandbox at once, live through a second person.

What is published is frozen: a later import changes nothing until it is published again. Replacing what is
published under the same major version must break no app (impact.py); only in the sandbox, with a reason, may it.
"""

import msgspec

from api.catalogue import approvals, checklist, impact, notices, upstreams
from api.catalogue.drafts import get_version
from api.catalogue.impact import ChangeWithApps
from api.catalogue.inputs import clean_text
from api.catalogue.models import Approval, Publication, PublicationRelease, Subscription, VersionRecord
from api.catalogue.permissions import PUBLISH_LIVE as KIND
from api.catalogue.permissions import check_can_publish as check_may_publish
from api.catalogue.permissions import check_can_set_upstream, requester_of
from api.catalogue.policies import check_can_publish, status_after_import
from api.catalogue.rights import owner_of
from api.catalogue.stamps import Frozen, freeze, stamp_publications
from api.contract import addresses
from api.contract.model import Status
from api.core import audit, clock, ids
from api.core.audit import Entry
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import BREAKING_CHANGE, CONFLICT, INPUT_INVALID, PUBLISH_REFUSED
from api.core.problems import Refusal, Text

SYNTHETIC = "synthetic"  # the word for "no upstream": answers made from the schema
FORCE_REASON_LIMIT = 500


async def publish(
    caller: Caller, version_id: str, environment: str, upstream: str | None = None, *,
    mapping: str | None = None, force_reason: str = "",
) -> Publication:  # fmt: skip
    """Publish a version. In the sandbox it is served at once; live it waits for its approval (`approval_id`).

    `upstream` None keeps what is set (nothing set: synthetic answers, in the sandbox only); `synthetic` takes it
    away; otherwise an address of `upstreams`. `mapping` is the YAML that says how it is spoken to: None keeps
    what is set, "" takes it away. Publishing again what is published changes nothing. `force_reason` lets a breaking change through, in the sandbox only, and is kept.

    Errors: not-found, permission-denied, publish-refused (retired, refused by a face, open checklist items,
    upstream not allowed there), breaking-change, conflict (a release waits already), input-invalid (upstream).
    """
    force_reason = clean_text("/force_reason", force_reason, maximum=FORCE_REASON_LIMIT)
    version = await get_version(version_id)
    owner = await owner_of(version.service)
    check_may_publish(caller, owner, environment)
    present = await Publication.get_or_none(id=f"{version_id}/{environment}")
    address = await _address(caller, environment, upstream, present, owner)
    verdicts = msgspec.json.decode(version.verdicts)
    check_can_publish(Status(version.status), verdicts.get("rest", {}).get("verdict", "refused"), version_id)
    spoken = _mapping(caller, mapping, address, present)
    if present is not None and _is_same(present, version, address) and present.mapping == spoken:
        return present
    wanted = Status(version.wanted_status) if version.wanted_status else None
    status = status_after_import(Status(version.status), wanted)
    frozen = await freeze(version.document, status.value, version.deprecation)
    upstreams.check_mapping(spoken, address, frozen.service)
    changes = await _checked_changes(present, frozen, environment, force_reason)
    release = PublicationRelease(
        id=ids.random_id("rel"), publication_id=f"{version_id}/{environment}", release=version.release,
        digest=version.digest, document=version.document, upstream=address, mapping=spoken,
        changes=msgspec.json.encode([one.change for one in changes]).decode(),
        force_reason=force_reason, published_by=requester_of(caller), requested_at=clock.now(),
    )  # fmt: skip
    if environment == "sandbox":
        return await _publish_now(caller, version, release, frozen, status, owner)
    return await _ask(caller, version, release, frozen, changes, owner)


def _is_same(present: Publication, version: VersionRecord, address: str) -> bool:
    return (
        present.state == "published"
        and not present.approval_id
        and present.contract_digest == version.digest
        and present.upstream == address
        and (not version.wanted_status or version.wanted_status == version.status
             or status_after_import(Status(version.status), Status(version.wanted_status)) == version.status)
    )  # fmt: skip


async def _address(
    caller: Caller, environment: str, upstream: str | None, present: Publication | None, owner: str
) -> str:
    """The upstream to publish with; checks who sets it, its form, and that it fits the environment.

    Its own agent is the department's affair: no server of the platform calls anything for it.
    """
    kept = present.upstream if present is not None else ""
    address = kept if upstream is None else "" if upstream == SYNTHETIC else upstream.strip()
    if upstreams.is_agent(address):
        await upstreams.check_address(address, environment, owner)
        return address
    is_composed = address.startswith(addresses.COMPOSED)
    if address != kept or is_composed:  # it acts with the right of what it is composed of
        check_can_set_upstream(caller)
    if address == addresses.UPSTREAM:
        if caller.kind is not CallerKind.OPERATOR or environment == "live":
            raise _upstream_invalid("platform: is the platform's own, in the sandbox")
    elif is_composed:
        if not address.removeprefix(addresses.COMPOSED).replace("-", "").isalnum():
            raise _upstream_invalid("compose:NAME has a name of letters, digits and hyphens")
    elif address:
        await upstreams.check_address(address, environment, owner)
    return address


def _mapping(caller: Caller, mapping: str | None, address: str, present: Publication | None) -> str:
    """The mapping to publish with; whoever may set an upstream may set how it is spoken to."""
    kept = present.mapping if present is not None else ""
    if mapping is None:
        return kept if address else ""
    if mapping != kept and not upstreams.is_agent(address):
        check_can_set_upstream(caller)
    return mapping


def _upstream_invalid(message: str) -> Refusal:
    return Refusal(
        INPUT_INVALID, rule="upstream", errors=({"pointer": "/upstream", "message": message},), count=1
    )


async def _checked_changes(
    present: Publication | None, frozen: Frozen, environment: str, force_reason: str
) -> list[ChangeWithApps]:
    """The changes against what is published; refuses what breaks apps, unless forced in the sandbox."""
    if present is None or present.state != "published":
        return []
    changes = await impact.changes_between(present.document, frozen.service, present.version_id)
    breaking = [one for one in changes if one.is_breaking]
    if breaking and not (environment == "sandbox" and force_reason):
        apps = {user.app_id for one in breaking for user in one.apps}
        raise Refusal(
            BREAKING_CHANGE,
            service=present.version_id,
            environment=environment,
            count=len(breaking),
            apps=len(apps),
            changes=[msgspec.to_builtins(one) for one in breaking[:100]],
        )
    return changes


async def _publish_now(
    caller: Caller, version: VersionRecord, release: PublicationRelease, frozen: Frozen, status: Status, owner: str
) -> Publication:  # fmt: skip
    async with audit.write(
        caller.actor, "publication:publish", f"publication/{release.publication_id}", organisation=owner,
        release=release.release, digest=release.digest, upstream=release.upstream, force_reason=release.force_reason,
    ) as entry:  # fmt: skip
        release.published_at = clock.now()
        await release.save(force_create=True)
        row = await _put(entry, version, release, frozen)
        await _take_status(entry, version, status)
    return row


async def _put(
    entry: Entry, version: VersionRecord, release: PublicationRelease, frozen: Frozen
) -> Publication:
    """Make the publication what the release says, inside the running `audit.write`."""
    row, _ = await Publication.update_or_create(
        id=release.publication_id,
        defaults={
            "version_id": version.id, "service": version.service, "version": version.version,
            "environment": release.publication_id.rpartition("/")[2], "upstream": release.upstream, "mapping": release.mapping,
            "contract_digest": release.digest, "state": "published", "approval_id": "", "retired_at": None,
            "published_by": release.published_by, "published_at": clock.now(), **frozen.columns,
        },
    )  # fmt: skip
    entry.changed("publication", row.id)
    entry.emit("gov.kaimen.publication.published", f"publication/{row.id}",
               {"service": version.id, "environment": row.environment, "release": release.release, "digest": release.digest})  # fmt: skip
    await _tell_subscribers(row, msgspec.json.decode(release.changes))
    return row


async def _take_status(entry: Entry, version: VersionRecord, status: Status) -> None:
    """A step forward that the document asks for becomes the version's status, in every environment."""
    if status == version.status:
        return
    entry.detail["status"] = status.value
    version.status = status.value
    await VersionRecord.filter(id=version.id).update(status=status.value)
    await stamp_publications(entry, version)


async def _tell_subscribers(row: Publication, changes: list[object]) -> None:
    if not changes:
        return
    organisations = await Subscription.filter(
        version_id=row.version_id, environment=row.environment, status="active"
    ).values_list("organisation_id", flat=True)
    link = f"/services/{row.version_id}"
    subject = Text(f"服务更新:{row.version_id}", f"{row.version_id} was updated")
    body = Text(
        f"{row.version_id} 在 {row.environment} 发布了新版 {row.release},有 {len(changes)} 处变更。\n变更列表见服务页。",
        f"{row.version_id} was published anew in {row.environment} ({row.release}) with {len(changes)} change(s).\nThe service's page lists them.",
    )
    await notices.tell_subscribers({str(one) for one in organisations}, subject, body, link)


# --- live ---------------------------------------------------------------------------------------
async def _ask(
    caller: Caller, version: VersionRecord, release: PublicationRelease, frozen: Frozen,
    changes: list[ChangeWithApps], owner: str,
) -> Publication:  # fmt: skip
    items = await checklist.items_for_live(version, frozen.service, release.upstream)
    open_items = [item for item in items if not item.is_done]
    if open_items:
        raise Refusal(
            PUBLISH_REFUSED,
            rule="publish-checklist",
            service=version.id,
            reason=Text(
                f"正式发布清单还有 {len(open_items)} 项未完成:" + ";".join(item.title.zh for item in open_items) + "。",
                f"The checklist for going live has {len(open_items)} open item(s): "
                + "; ".join(item.title.en for item in open_items) + ".",
            ),
            following=open_items[0].following,
            checklist=[msgspec.to_builtins(item) for item in items],
        )  # fmt: skip
    payload = {
        "service": version.id, "release_id": release.id, "release": release.release, "digest": release.digest,
        "upstream": release.upstream, "operations": version.operations,
        "changes": [msgspec.to_builtins(one.change) for one in changes[:100]],
        "checklist": [item.id for item in items],
    }  # fmt: skip
    async with audit.write(
        caller.actor, "publication:request", f"publication/{release.publication_id}", organisation=owner,
        release=release.release, digest=release.digest, upstream=release.upstream,
    ) as entry:  # fmt: skip
        await release.save(force_create=True)
        approval = await approvals.ask_for(
            entry, caller, kind=KIND, subject=release.publication_id, organisation_id=owner, payload=payload
        )
        return await _wait(version, release, frozen, approval)


async def _wait(
    version: VersionRecord, release: PublicationRelease, frozen: Frozen, approval: Approval
) -> Publication:
    """Mark that a release waits; what is published stays as it is."""
    row = await Publication.get_or_none(id=release.publication_id)
    if row is not None and row.state == "published":
        row.approval_id = approval.id
        await row.save(update_fields=["approval_id"])
        return row
    row, _ = await Publication.update_or_create(
        id=release.publication_id,
        defaults={
            "version_id": version.id, "service": version.service, "version": version.version,
            "environment": "live", "upstream": release.upstream, "mapping": release.mapping, "contract_digest": release.digest,
            "state": "pending", "approval_id": approval.id, "published_by": release.published_by, **frozen.columns,
        },
    )  # fmt: skip
    return row


async def _carry_out(entry: Entry, approval: Approval) -> None:
    """What the decision about a live release brings about, in its transaction."""
    row = await Publication.get_or_none(id=approval.subject)
    release = await PublicationRelease.get_or_none(id=approval.payload.get("release_id", ""))
    version = await VersionRecord.get_or_none(id=row.version_id) if row is not None else None
    if row is None or release is None or version is None or row.approval_id != approval.id:
        raise Refusal(
            CONFLICT,
            reason=Text("此发布已不在等待。", "This release no longer waits."),
            following=Text("重新申请正式发布。", "Ask for live publication again."),
        )
    if approval.status == "approved":
        wanted = Status(version.wanted_status) if version.wanted_status else None
        status = status_after_import(
            Status(version.status), wanted if release.digest == version.digest else None
        )
        check_can_publish(status, "ok", version.id)  # it may have been retired while it waited
        await PublicationRelease.filter(id=release.id).update(published_at=clock.now())
        await _put(entry, version, release, await freeze(release.document, status.value, version.deprecation))
        await _take_status(entry, version, status)
    elif row.state == "pending":
        await row.delete()
    else:
        await Publication.filter(id=row.id).update(approval_id="")
    entry.detail["publication"] = approval.subject


approvals.on_decision(KIND, _carry_out)


# --- reading ------------------------------------------------------------------------------------
async def publications_of(version_id: str) -> list[Publication]:
    """The publications of a version, in every environment and state."""
    return await Publication.filter(version_id=version_id).order_by("environment")


async def published(environment: str) -> list[Publication]:
    """What the gateway of an environment serves: published rows with document, upstream and service."""
    return await Publication.filter(environment=environment, state="published").order_by("id")


async def releases_of(publication_id: str) -> list[PublicationRelease]:
    """The releases that were published, newest first."""
    return await PublicationRelease.filter(
        publication_id=publication_id, published_at__isnull=False
    ).order_by("-published_at")  # fmt: skip


async def frozen_draft(version: VersionRecord) -> Frozen:
    """What a draft would be published as."""
    return await freeze(version.document, version.status, version.deprecation)


async def checklist_of(version_id: str, upstream: str | None = None) -> list[checklist.ChecklistItem]:
    """The checklist for going live as it stands; `upstream` "" or None takes what is set for live."""
    version = await get_version(version_id)
    live = await Publication.get_or_none(id=f"{version_id}/live")
    address = upstream or (live.upstream if live is not None else "")
    frozen = await frozen_draft(version)
    return await checklist.items_for_live(version, frozen.service, address)
