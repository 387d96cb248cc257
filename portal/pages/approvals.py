"""Approvals: what waits for the caller's decision, what the caller asked for, and one of them with its talk."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.catalogue import approvals
from api.catalogue import service as catalogue
from api.catalogue.approvals import ApprovalView
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.models import App, Organisation, Person
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.language import language_of
from portal.view import AnyRequest, Page, Words

DECISION = Form(Field("reason", required=False, maximum=approvals.REASON_LIMIT))
COMMENT = Form(Field("text", kind="area", maximum=approvals.TEXT_LIMIT))


async def _names(views: list[ApprovalView]) -> dict[str, str]:
    """Who asked and who decided, by id: names of people; the operator and apps as they are."""
    ids = {view.approval.requested_by for view in views} | {view.approval.decided_by for view in views}
    ids |= {comment.author for view in views for comment in view.comments}
    people = await Person.filter(id__in=[one for one in ids if one.startswith("p_")] or [""])
    return {person.id: person.name for person in people}


async def _organisations(views: list[ApprovalView], words: Words) -> dict[str, str]:
    rows = await Organisation.filter(id__in=[view.approval.organisation_id for view in views] or [""])
    return {row.id: words.named(row) for row in rows}


async def _context(request: AnyRequest, views: list[ApprovalView]) -> dict[str, Any]:
    words = Words(language_of(request))
    return {"names": await _names(views), "organisations": await _organisations(views, words)}


@get("/approvals")
async def show_approvals(request: AnyRequest, caller: CurrentCaller) -> Page:
    """What waits for the caller first, then what concerns the caller."""
    check_signed_in(caller)
    views = await catalogue.approvals_for(caller)
    return await page(
        request, caller, "approvals.html", waiting=[view for view in views if view.may_decide],
        mine=[view for view in views if view.is_mine],
        others=[view for view in views if not (view.may_decide or view.is_mine)], **await _context(request, views),
    )  # fmt: skip


async def _approval_page(
    request: AnyRequest, caller: Caller, approval_id: str, *, decision: Filled | None = None,
    comment: Filled | None = None, status: int = 200,
) -> Page:  # fmt: skip
    view = await catalogue.view(caller, approval_id)
    app = await App.get_or_none(id=str(view.approval.payload.get("app_id", "")))
    owner = await Organisation.get_or_none(id=app.organisation_id) if app else None
    return await page(
        request, caller, "approval.html", status=status, view=view, one=view.approval, app=app, owner=owner,
        decision=decision or DECISION.blank(), comment=comment or COMMENT.blank(),
        **await _context(request, [view]),
    )  # fmt: skip


@get("/approvals/{approval_id:str}")
async def show_approval(request: AnyRequest, caller: CurrentCaller, approval_id: FromPath[str]) -> Page:
    """One request with everything that a decision needs."""
    check_signed_in(caller)
    return await _approval_page(request, caller, approval_id)


@post("/approvals/{approval_id:str}/{verdict:str}", opt={"slowapi": "60/minute"})
async def decide(
    request: AnyRequest, caller: CurrentCaller, approval_id: FromPath[str], verdict: FromPath[str]
) -> Page | Response[None]:
    """Approve, reject (with a reason), withdraw one's own, or comment."""
    check_signed_in(caller)
    if verdict == "comment":
        return await _comment(request, caller, approval_id)
    if verdict == "withdraw":
        await catalogue.cancel(caller, approval_id)
        return redirect("/approvals", flash.put("approvals.withdrawn"))
    form = await DECISION.read(request)
    if verdict == "reject" and not form.value("reason"):
        form.fault("reason", "approvals.reason_missing")
    if form.is_valid:
        try:
            await catalogue.decide(
                caller, approval_id, approve=verdict == "approve", reason=form.value("reason")
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(
                "/approvals",
                flash.put("approvals.approved" if verdict == "approve" else "approvals.rejected"),
            )
    return await _approval_page(request, caller, approval_id, decision=form, status=form.status)


async def _comment(request: AnyRequest, caller: Caller, approval_id: str) -> Page | Response[None]:
    form = await COMMENT.read(request)
    if form.is_valid:
        try:
            await catalogue.comment(caller, approval_id, form.value("text"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/approvals/{approval_id}", flash.put("approvals.commented"))
    return await _approval_page(request, caller, approval_id, comment=form, status=form.status)


router = Router("/", route_handlers=[show_approvals, show_approval, decide])
