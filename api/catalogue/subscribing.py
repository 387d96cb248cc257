"""Subscriptions: an app's right to a service version, for a purpose.

What is decided, and by whom (offers.deciding_level says why consent does not lower a level):

- The subscription opens the operations that its purpose reaches and that nothing keeps from the app's
  organisation (offers.obstacle_of). Reaches it none, it is refused with the reason.
- Sandbox: L1 to L3 at once, the data being synthetic. L4, important and core data are no operation of any
  face, so a version that holds nothing else is refused.
- Live: L1 at once; with an operation of L2 or above it is pending until an unconnected approver of the
  owning department decides (permissions.check_can_decide).
- The level granted is stored. A later release that would open a higher level to the app takes another
  decision: until then the app keeps what it had (`opened`).
"""

import msgspec

from api.catalogue import approvals, outside
from api.catalogue.inputs import check_id, clean_text, is_version_id
from api.catalogue.models import Approval, Publication, Subscription, VersionRecord
from api.catalogue.offers import (
    Offer,
    OfferedOperation,
    Subscriber,
    deciding_level,
    is_open_at_once,
    obstacle_of,
    reach,
)
from api.catalogue.permissions import SUBSCRIPTION as KIND
from api.catalogue.permissions import check_can_subscribe, check_can_suspend, requester_of
from api.catalogue.policies import check_can_become
from api.catalogue.rights import decode_offer, get_subscription, owner_of, subscriber_of
from api.contract.addresses import PLATFORM
from api.contract.model import Level, Status
from api.core import audit, clock, ids
from api.core.audit import Entry
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, NOT_FOUND, OWN_REQUEST, SUBSCRIPTION_REFUSED
from api.core.problems import Refusal, Text


class SubscriptionEntry(msgspec.Struct, frozen=True):
    """`company@v1` or `company@v1:bank-credit`, taken apart."""

    version_id: str
    purpose: str = ""

    @property
    def text(self) -> str:
        return f"{self.version_id}:{self.purpose}" if self.purpose else self.version_id


def parse_entry(text: str) -> SubscriptionEntry:
    """The service version and purpose that a text names; nothing is looked up."""
    version_id, _, purpose = text.strip().partition(":")
    return SubscriptionEntry(version_id.strip(), purpose.strip())


async def subscribe(
    caller: Caller, *, app_id: str, organisation_id: str, environment: str, version_id: str, purpose: str = "",
    entry: Entry | None = None,
) -> Subscription:  # fmt: skip
    """Subscribe an app; the status tells whether it is active or awaits its department (see above).

    Repeating it changes nothing; after a rejection or a cancellation it asks anew. `organisation_id` and
    `environment` are the app's. With an open `entry` it is part of that write, not one of its own. Errors: permission-denied, subscription-refused (not published there, purpose,
    classification, audience), conflict (suspended by the department), not-found (no such app).
    """
    check_can_subscribe(caller, organisation_id)
    check_id(app_id, Text("这个应用", "such app"))
    await _check_app(app_id, organisation_id, environment)
    publication, offer = await _published_offer(version_id, environment)
    owner = await owner_of(publication.service)
    subscriber = await subscriber_of(organisation_id, owner)
    _check_is_subscribable(publication)
    await _check_is_offered(publication, offer, subscriber, environment)
    reached = _checked_reach(publication, offer, subscriber, purpose)
    is_sandbox = environment == "sandbox"
    needed = Level.L3 if is_sandbox else deciding_level(reached)  # synthetic data: whatever a face offers
    at_once = is_sandbox or is_open_at_once(reached, subscriber)
    action = "subscription:activate" if at_once else "subscription:request"

    async def write(entry: Entry) -> Subscription:
        row = await _enter(
            caller, app_id, organisation_id, environment, version_id, purpose, at_once=at_once, needed=needed
        )  # fmt: skip
        entry.detail["subscription"] = row.id
        if not at_once:
            await _ask(entry, caller, row, owner, needed)
        entry.changed("subscription", app_id)
        _emit(entry, row, "activated" if at_once else "requested")
        return row

    try:
        if entry is not None:
            return await write(entry)
        async with audit.write(
            caller.actor, action, f"app/{app_id}", organisation=organisation_id,
            service=version_id, purpose=purpose, environment=environment, level=needed.value,
        ) as own:  # fmt: skip
            return await write(own)
    except _UnchangedError as unchanged:
        return unchanged.row


class _UnchangedError(Exception):
    """There is nothing to write: leaves the transaction and its journal entry behind."""

    def __init__(self, row: Subscription) -> None:
        super().__init__(row.id)
        self.row = row


def _stands(row: Subscription, needed: Level) -> bool:
    """Whether there is nothing to do: it is active up to the level needed, or asked for already."""
    if row.status == "suspended":
        check_can_become(row.status, "pending")
    return row.status == "pending" or (row.status == "active" and row.level >= needed.value)


async def _check_app(app_id: str, organisation_id: str, environment: str) -> None:
    owner = await outside.ask().app_owner(app_id)
    if owner is not None and (owner.organisation_id, owner.environment) != (organisation_id, environment):
        raise Refusal(NOT_FOUND, what=Text(f"应用 {app_id}", f"app {app_id}"))


async def _published_offer(version_id: str, environment: str) -> tuple[Publication, Offer]:
    if not is_version_id(version_id):
        raise await _not_published("", environment, [])
    rows = await Publication.filter(version_id=version_id, state="published").only(
        "id", "version_id", "service", "version", "environment", "offer"
    )
    here = next((row for row in rows if row.environment == environment), None)
    if here is None:
        raise await _not_published(version_id, environment, [row.environment for row in rows])
    return here, decode_offer(here.offer)


async def _not_published(version_id: str, environment: str, elsewhere: list[str]) -> Refusal:
    service = version_id.partition("@")[0]
    others = await Publication.filter(
        service=service, environment=environment, state="published"
    ).values_list("version_id", flat=True)
    if others:
        known = ", ".join(sorted(str(other) for other in others))
        following = Text(f"此环境已发布:{known}。", f"Published in this environment: {known}.")
    elif elsewhere:
        following = Text(
            f"它已发布在 {elsewhere[0]};使用那个环境的应用。",
            f"It is published in {elsewhere[0]}: use an app of that environment.",
        )
    else:
        following = Text(
            "在目录 /platform/v1/services 中查找。", "Look it up in the catalogue, /platform/v1/services."
        )
    return Refusal(
        SUBSCRIPTION_REFUSED,
        rule="not-published",
        service=version_id,
        environment=environment,
        reason=Text(
            f"{version_id} 没有发布在 {environment}。", f"{version_id} is not published in {environment}."
        ),
        following=following,
    )


def _check_is_subscribable(publication: Publication) -> None:
    """The platform's own operations are no department's data: their scopes are given to an app by its owner."""
    if publication.service != PLATFORM:
        return
    raise Refusal(
        SUBSCRIPTION_REFUSED,
        rule="platform-scopes",
        service=publication.version_id,
        reason=Text(
            "平台接口不订阅:其权限由应用的所有者逐项给予。",
            "The platform API is not subscribed to: an app's owner gives it the scopes one by one.",
        ),
        following=Text(
            "在应用的 OAuth 设置中勾选平台权限,或运行 kaimen app platform-scopes APP SCOPE。",
            "Tick platform scopes in the app's OAuth settings, or run kaimen app platform-scopes APP SCOPE.",
        ),
    )


async def _check_is_offered(
    publication: Publication, offer: Offer, subscriber: Subscriber, environment: str
) -> None:
    """A deprecated version takes no new live subscriber from outside: he would have to move at once."""
    if environment == "sandbox" or subscriber.is_owner:
        return
    version = await VersionRecord.get_or_none(id=publication.version_id).only("id", "status", "deprecation")
    if version is None or version.status != Status.DEPRECATED:
        return
    successor = version.deprecation.get("successor") or "—"
    raise Refusal(
        SUBSCRIPTION_REFUSED,
        rule="deprecated",
        service=publication.version_id,
        reason=Text(
            f"{publication.version_id} 已弃用,不再接受新的正式订阅。",
            f"{publication.version_id} is deprecated and takes no new live subscription.",
        ),
        following=Text(f"订阅后继版本:{successor}。", f"Subscribe to its successor: {successor}."),
    )


def _checked_reach(
    publication: Publication, offer: Offer, subscriber: Subscriber, purpose: str
) -> tuple[OfferedOperation, ...]:
    """The operations that it opens; a refusal with the reason where there are none or the purpose is no purpose."""
    purposes = offer.purposes
    reached = reach(offer, subscriber, purpose)
    if reached and (not purpose or purpose in purposes):
        return reached
    key = publication.version_id
    open_to_him = [one for one in offer.operations if not obstacle_of(one, subscriber)]
    if open_to_him or (purpose and purpose not in purposes):
        known = ", ".join(purposes)
        first = f"{key}:{purposes[0]}" if purposes else key
        reason = (
            Text(f"{key} 不用于“{purpose}”;允许的用途:{known or '不须说明用途'}。",
                 f"{key} is not used for “{purpose}”; allowed: {known or 'no purpose is asked for'}.")
            if purpose
            else Text(f"{key} 须说明用途:{known}。", f"{key} takes a stated purpose: {known}.")
        )  # fmt: skip
        following = Text(f"订阅 {first}。", f"Subscribe to {first}.")
        raise Refusal(SUBSCRIPTION_REFUSED, rule="purpose", service=key, purposes=list(purposes),
                      reason=reason, following=following)  # fmt: skip
    raise _closed(key, {obstacle_of(one, subscriber) for one in offer.operations})


def _closed(key: str, obstacles: set[str]) -> Refusal:
    if "classification" in obstacles or not obstacles:
        rule = "classification"
        reason = Text(
            f"{key} 的数据属 L4、重要或核心数据,不经任何接口提供。",
            f"The data of {key} are L4, important or core: no face offers them.",
        )
        following = Text(
            "在数据沙箱(可用不可见)中使用。", "Use them in the data sandbox: usable, not visible."
        )
    elif "audience" in obstacles:
        rule = "audience"
        reason = Text(f"{key} 只对政府部门开放。", f"{key} is open to departments only.")
        following = Text("联系主管部门。", "Ask the owning department.")
    else:
        rule = "share"
        reason = Text(f"{key} 不与其他部门共享。", f"{key} is not shared with other departments.")
        following = Text("联系主管部门。", "Ask the owning department.")
    return Refusal(SUBSCRIPTION_REFUSED, rule=rule, service=key, reason=reason, following=following)


async def _enter(
    caller: Caller, app_id: str, organisation_id: str, environment: str, version_id: str, purpose: str,
    *, at_once: bool, needed: Level,
) -> Subscription:  # fmt: skip
    """Make or reuse the row, inside the write: of racers all get the one row."""
    status, level = ("active", needed.value) if at_once else ("pending", "")
    moment = clock.now()
    row = await Subscription.get_or_none(app_id=app_id, version_id=version_id, purpose=purpose)
    if row is None:
        return await Subscription.create(
            id=ids.random_id("s"), app_id=app_id, organisation_id=organisation_id, version_id=version_id,
            environment=environment, purpose=purpose, level=level, status=status,
            requested_by=requester_of(caller), requested_at=moment, decided_at=moment if at_once else None,
        )  # fmt: skip
    if _stands(row, needed):
        raise _UnchangedError(row)
    if row.status == "active":  # a higher level: at once it is granted, else the row waits as it is
        if await Approval.exists(kind=KIND, subject=row.id, status="pending"):
            raise _UnchangedError(row)
        row.level = level or row.level
        await row.save(update_fields=["level"])
        return row
    check_can_become(row.status, status)
    row.status, row.level, row.reason, row.decided_by = status, level, "", ""
    row.requested_by, row.requested_at, row.decided_at = (
        requester_of(caller),
        moment,
        moment if at_once else None,
    )
    await row.save()
    return row


async def _ask(entry: Entry, caller: Caller, row: Subscription, owner: str, needed: Level) -> None:
    app = await outside.ask().app_owner(row.app_id)
    payload = {
        "service": SubscriptionEntry(row.version_id, row.purpose).text,
        "app": (app.name if app else "") or row.app_id,
        "app_id": row.app_id,
        "level": needed.value,
        "environment": row.environment,
    }
    await approvals.ask_for(
        entry, caller, kind=KIND, subject=row.id, organisation_id=owner, barred=[row.organisation_id], payload=payload
    )  # fmt: skip


async def _carry_out(entry: Entry, approval: Approval) -> None:
    """What a decision about a subscription brings about, in its transaction."""
    row = await Subscription.get_or_none(id=approval.subject)
    if row is None or row.status not in {"pending", "active"}:
        raise Refusal(
            CONFLICT,
            reason=Text("订阅已不在等待。", "The subscription no longer waits."),
            following=Text("刷新后查看。", "Look at its present state."),
        )
    is_raise = row.status == "active"  # it was granted a lower level before; a no leaves it that
    if approval.status == "approved":
        row.status, row.level = "active", str(approval.payload["level"])
    elif not is_raise:
        row.status = approval.status  # rejected or cancelled
    row.decided_by, row.decided_at, row.reason = approval.decided_by, approval.decided_at, approval.reason
    await row.save(update_fields=["status", "level", "decided_by", "decided_at", "reason"])
    entry.detail["subscription"] = row.id
    entry.changed("subscription", row.app_id)
    _emit(entry, row, "activated" if approval.status == "approved" else approval.status)


approvals.on_decision(KIND, _carry_out)


async def unsubscribe(caller: Caller, subscription_id: str) -> Subscription:
    """End a subscription, pending or active; a pending request is withdrawn. Repeating it changes nothing.

    Errors: not-found, permission-denied, conflict (suspended: the department holds it).
    """
    row = await get_subscription(subscription_id)
    check_can_subscribe(caller, row.organisation_id)
    if row.status in {"cancelled", "rejected"}:
        return row
    async with audit.write(
        caller.actor, "subscription:cancel", f"app/{row.app_id}", organisation=row.organisation_id,
        subscription=row.id, service=row.version_id, purpose=row.purpose,
    ) as entry:  # fmt: skip
        await _turn(row, "cancelled", {"pending", "active"})
        await approvals.withdraw_for(entry, KIND, row.id, by=requester_of(caller))
        entry.changed("subscription", row.app_id)
        _emit(entry, row, "cancelled")
    return row


async def suspend_subscription(caller: Caller, subscription_id: str, *, reason: str) -> Subscription:
    """Hold a subscription: the app is refused until `resume_subscription`. For the owning department."""
    return await _hold(caller, subscription_id, "suspended", reason)


async def resume_subscription(caller: Caller, subscription_id: str) -> Subscription:
    """Let a suspended subscription go on."""
    return await _hold(caller, subscription_id, "active", "")


async def _hold(caller: Caller, subscription_id: str, status: str, reason: str) -> Subscription:
    row = await get_subscription(subscription_id)
    reason = clean_text(
        "/reason", reason, minimum=0 if status == "active" else 1, maximum=approvals.REASON_LIMIT
    )
    owner = await owner_of(row.version_id.partition("@")[0])
    check_can_suspend(caller, owner)
    is_resume = status == "active"
    if is_resume and (
        requester_of(caller) == row.requested_by
        or (row.organisation_id in caller.organisations and row.organisation_id != owner)
    ):
        raise Refusal(OWN_REQUEST, rule="four-eyes-organisation")
    action = "subscription:resume" if is_resume else "subscription:suspend"
    async with audit.write(
        caller.actor, action, f"app/{row.app_id}", organisation=owner, subscription=row.id, reason=reason
    ) as entry:
        row.reason = reason
        await _turn(row, status, {"suspended"} if is_resume else {"active"})
        await Subscription.filter(id=row.id).update(reason=row.reason)
        entry.changed("subscription", row.app_id)
        _emit(entry, row, "activated" if is_resume else "suspended")
    return row


async def _turn(row: Subscription, status: str, allowed: set[str]) -> None:
    """One conditional update to `status`, from one of `allowed` only; else a refusal (conflict)."""
    fresh = await get_subscription(row.id)
    check_can_become(fresh.status, status)
    if fresh.status not in allowed:
        raise Refusal(
            CONFLICT,
            rule="subscription-transition",
            reason=Text(f"订阅现为 {fresh.status}。", f"The subscription is {fresh.status}."),
            following=Text("刷新后查看现状。", "Look at its present state."),
        )
    await Subscription.filter(id=row.id, status=fresh.status).update(status=status)
    row.status = status


def _emit(entry: Entry, row: Subscription, what: str) -> None:
    data = {"subscription": row.id, "app": row.app_id, "service": row.version_id, "purpose": row.purpose,
            "environment": row.environment, "status": row.status}  # fmt: skip
    entry.emit(f"gov.kaimen.subscription.{what}", f"subscription/{row.id}", data)
