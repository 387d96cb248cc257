"""Approvals: a decision that a second person makes, taken once, whoever races for it.

Asking happens inside the write of what is asked for (`ask_for`), deciding is one conditional update inside a
write of its own. What a decision brings about is its kind's business: `on_decision` names the function, which
runs in the same transaction. Who may decide: permissions.check_can_decide.
"""

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct
from tortoise.expressions import Q

from api.catalogue import notices, outside
from api.catalogue.inputs import check_id, clean_text
from api.catalogue.models import Approval, ApprovalComment, Subscription
from api.catalogue.permissions import (
    DECIDERS,
    can_decide,
    can_see_approval,
    check_can_decide,
    check_can_see_approval,
    requester_of,
)
from api.core import audit, clock, ids
from api.core.audit import Entry
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import (
    CONFLICT,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
)
from api.core.problems import Refusal, Text

TEXT_LIMIT = 2000
REASON_LIMIT = 500
_WHAT = Text("这个申请", "such approval")
STATUSES = ("pending", "approved", "rejected", "cancelled")

Settled = Callable[[Entry, Approval], Awaitable[None]]
_kinds: dict[str, Settled] = {}


class Comment(Struct, frozen=True):
    author: str
    text: str
    at: datetime


class ApprovalView(Struct, frozen=True):
    """An approval as one caller sees it."""

    approval: Approval
    may_decide: bool
    is_mine: bool
    comments: tuple[Comment, ...] = ()


def on_decision(kind: str, carry_out: Settled) -> None:
    """Name what carries out decisions of a kind: `(entry, approval)`, in the transaction of the decision.

    `approval.status` says approved, rejected or cancelled. A Refusal raised there undoes the decision
    (the thing is gone, say).
    """
    _kinds[kind] = carry_out


async def ask_for(
    entry: Entry,
    caller: Caller,
    *,
    kind: str,
    subject: str,
    organisation_id: str,
    barred: Iterable[str] = (),
    payload: dict[str, Any] | None = None,
) -> Approval:
    """Make a pending approval inside the running `audit.write`; tells the deciders by mail and event.

    `organisation_id` decides. `barred` are organisations whose members may not, besides the caller's own.
    Errors: conflict, when one is pending for the same subject already.
    """
    pending = await Approval.get_or_none(kind=kind, subject=subject, status="pending")
    if pending is not None:
        raise Refusal(
            CONFLICT,
            rule="approval-pending",
            approval=pending.id,
            reason=Text(
                f"{subject} 已有待审批的申请 {pending.id}。",
                f"{subject} has a request that awaits its decision: {pending.id}.",
            ),
            following=Text(
                "等待决定,或先撤回该申请。", "Wait for the decision, or withdraw that request first."
            ),
        )
    organisations = sorted({*caller.organisations, *barred} - {""})
    approval = await Approval.create(
        id=ids.random_id("ap"),
        kind=kind,
        subject=subject,
        organisation_id=organisation_id,
        requested_by=requester_of(caller),
        requester_organisations=organisations,
        payload={"parties": sorted(set(barred) - {""}), **(payload or {})},
        requested_at=clock.now(),
    )
    entry.detail["approval"] = approval.id
    entry.emit("gov.kaimen.approval.requested", f"approval/{approval.id}", _event(approval))
    await notices.tell_deciders(approval)
    return approval


async def decide(caller: Caller, approval_id: str, *, approve: bool, reason: str = "") -> Approval:
    """Approve or reject, once. Rejecting needs a reason; the requester is told either way.

    Errors: not-found, own-request, permission-denied, input-invalid (no reason, or a too long one), conflict
    (decided or withdrawn meanwhile, or the thing is gone).
    """
    approval = await get_approval(caller, approval_id)
    reason = clean_text("/reason", reason, minimum=0 if approve else 1, maximum=REASON_LIMIT)
    status = "approved" if approve else "rejected"
    action = "approval:approve" if approve else "approval:reject"
    async with audit.write(
        caller.actor, action, f"approval/{approval_id}", organisation=approval.organisation_id,
        kind=approval.kind, about=approval.subject, requested_by=approval.requested_by,
    ) as entry:  # fmt: skip
        await _check_decider(
            caller, approval
        )  # in the transaction: who is in which organisation stands still
        await _settle(approval, status, decided_by=requester_of(caller), reason=reason)
        await _kinds[approval.kind](entry, approval)
        entry.emit(f"gov.kaimen.approval.{status}", f"approval/{approval_id}", _event(approval))
        await notices.tell_requester(approval)
    return approval


async def _check_decider(caller: Caller, approval: Approval) -> None:
    memberships = outside.ask().memberships
    mine = await _memberships_of(caller)
    check_can_decide(caller, approval, mine, await memberships(approval.requested_by))


async def _memberships_of(caller: Caller) -> frozenset[str]:
    return await outside.ask().memberships(caller.id) if caller.kind == CallerKind.PERSON else frozenset()


async def _settle(approval: Approval, status: str, *, decided_by: str, reason: str) -> None:
    """The one conditional update: of any number of racers, one passes."""
    moment = clock.now()
    changed = await Approval.filter(id=approval.id, status="pending").update(
        status=status, decided_by=decided_by, decided_at=moment, reason=reason
    )
    if not changed:
        raise Refusal(
            CONFLICT,
            rule="approval-decided",
            reason=Text("此申请已有决定或已撤回。", "It is decided or withdrawn already."),
            following=Text("刷新后查看结果。", "Look at its outcome."),
        )
    approval.status, approval.decided_by, approval.decided_at, approval.reason = (
        status, decided_by, moment, reason,
    )  # fmt: skip


async def cancel(caller: Caller, approval_id: str) -> Approval:
    """Withdraw a pending request: its requester, or one of the organisations that asked, or the operator.

    Errors: not-found, permission-denied, conflict (no longer pending).
    """
    approval = await get_approval(caller, approval_id)
    async with audit.write(
        caller.actor, "approval:cancel", f"approval/{approval_id}", organisation=approval.organisation_id,
        kind=approval.kind, about=approval.subject,
    ) as entry:  # fmt: skip
        _check_can_cancel(caller, approval)
        await withdraw(entry, approval, by=requester_of(caller))
        await _kinds[approval.kind](entry, approval)
    return approval


def _check_can_cancel(caller: Caller, approval: Approval) -> None:
    if caller.kind == CallerKind.OPERATOR or requester_of(caller) == approval.requested_by:
        return
    parties = approval.payload.get("parties") or [approval.organisation_id]
    if any(caller.has_role(party, "owner", "developer", "publisher") for party in parties):
        return
    raise Refusal(
        PERMISSION_DENIED,
        reason=Text("只有申请方能撤回申请。", "Only the side that asked withdraws a request."),
        role=Text("申请方的所有者", "owner"),
    )


async def withdraw(entry: Entry, approval: Approval, *, by: str) -> None:
    """Settle a pending approval as cancelled inside the running `audit.write` (what was asked for is gone)."""
    await _settle(approval, "cancelled", decided_by=by, reason="")
    entry.emit("gov.kaimen.approval.cancelled", f"approval/{approval.id}", _event(approval))


async def withdraw_for(entry: Entry, kind: str, subject: str, *, by: str) -> None:
    """Withdraw what is pending for a subject, if anything is."""
    pending = await Approval.get_or_none(kind=kind, subject=subject, status="pending")
    if pending is not None:
        await withdraw(entry, pending, by=by)


async def get_approval(caller: Caller, approval_id: str) -> Approval:
    """One approval. Errors: not-found, also where the caller may not see it."""
    check_id(approval_id, _WHAT)
    approval = await Approval.get_or_none(id=approval_id)
    if approval is None or not can_see_approval(caller, approval):
        check_is_signed_in(caller)
        raise Refusal(NOT_FOUND, what=_WHAT)
    return approval


def check_is_signed_in(caller: Caller) -> None:
    """Refuses (not-signed-in) a caller who is nobody."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)


async def approvals_for(
    caller: Caller, *, status: str = "", kind: str = "", limit: int = 200
) -> list[ApprovalView]:
    """The approvals that concern the caller, newest first: to decide, asked for, or of his organisations.

    `status` and `kind` narrow it, "" for all. Errors: not-signed-in.
    """
    check_is_signed_in(caller)
    query = Approval.all()
    if status:
        query = query.filter(status=status)
    if kind:
        query = query.filter(kind=kind)
    if not caller.is_administrator:
        own = list(caller.organisations)
        concerned = Q(organisation_id__in=own) | Q(requested_by=requester_of(caller))
        asked = await _asked_by_organisations(own)
        query = query.filter(concerned | Q(id__in=asked)) if asked else query.filter(concerned)
    rows = await query.order_by("-requested_at", "id").limit(limit)
    mine = await _memberships_of(caller)
    requesters = {row.requested_by for row in rows}
    now = {requester: await outside.ask().memberships(requester) for requester in requesters}
    return [_view(caller, row, mine, now[row.requested_by]) for row in rows if can_see_approval(caller, row)]


async def _asked_by_organisations(organisation_ids: list[str]) -> list[str]:
    """Ids of approvals whose asking side is one of the organisations (the app's owner, for a subscription)."""
    if not organisation_ids:
        return []
    subscriptions = await Subscription.filter(organisation_id__in=organisation_ids).values_list(
        "id", flat=True
    )
    if not subscriptions:
        return []
    rows = await Approval.filter(kind="subscription", subject__in=list(subscriptions)).values_list(
        "id", flat=True
    )
    return [str(row) for row in rows]


async def view(caller: Caller, approval_id: str) -> ApprovalView:
    """One approval as the caller sees it, with its comments. Errors: not-found."""
    approval = await get_approval(caller, approval_id)
    requester_now = await outside.ask().memberships(approval.requested_by)
    rows = await ApprovalComment.filter(approval_id=approval.id).order_by("at", "id")
    comments = tuple(Comment(row.author, row.text, row.at) for row in rows)
    return _view(caller, approval, await _memberships_of(caller), requester_now, comments)


def _view(
    caller: Caller,
    approval: Approval,
    memberships: frozenset[str],
    requester_now: frozenset[str],
    comments: tuple[Comment, ...] = (),
) -> ApprovalView:
    is_open = approval.status == "pending"
    return ApprovalView(
        approval=approval,
        may_decide=is_open and can_decide(caller, approval, memberships, requester_now),
        is_mine=approval.requested_by == requester_of(caller),
        comments=comments,
    )


async def comment(caller: Caller, approval_id: str, text: str) -> Comment:
    """Say something about an approval; the other side is told by mail. Errors: not-found, input-invalid."""
    approval = await get_approval(caller, approval_id)
    check_can_see_approval(caller, approval)
    text = clean_text("/text", text, minimum=1, maximum=TEXT_LIMIT)
    author, moment = requester_of(caller), clock.now()
    async with audit.write(
        caller.actor, "approval:comment", f"approval/{approval_id}", organisation=approval.organisation_id
    ):
        await ApprovalComment.create(
            id=ids.random_id("apc"), approval_id=approval_id, author=author, text=text, at=moment
        )
        is_decider = caller.has_role(approval.organisation_id, *DECIDERS)
        if is_decider and author != approval.requested_by:
            await notices.tell_requester(approval, is_comment=True)
        else:
            await notices.tell_deciders(approval, is_comment=True)
    return Comment(author, text, moment)


def _event(approval: Approval) -> dict[str, Any]:
    return {
        "approval": approval.id,
        "kind": approval.kind,
        "subject": approval.subject,
        "organisation": approval.organisation_id,
        "status": approval.status,
    }
