"""Organisations: making one, its members with their roles, invitations."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.organisations import service as organisations
from api.identity.permissions import ROLES, can_manage_members
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.view import AnyRequest, Page

NEW = Form(
    Field("name_zh", maximum=100),
    Field("name_en", maximum=100),
    Field("slug", maximum=40, pattern=r"[a-z][a-z0-9]*(-[a-z0-9]+)*", hint_key="form.slug"),
)
INVITE = Form(Field("email", kind="email", maximum=254), Field("roles", kind="choices", maximum=16))
ROLES_FORM = Form(Field("roles", kind="choices", maximum=16))


@get("/organisations/new")
async def show_new(request: AnyRequest, caller: CurrentCaller) -> Page:
    """The form for a company of one's own."""
    check_signed_in(caller)
    return await page(request, caller, "organisation_new.html", form=NEW.blank(), kind="company")


@post("/organisations/new", opt={"slowapi": "10/minute"})
async def make_company(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """A company; who makes it owns it."""
    check_signed_in(caller)
    form = await NEW.read(request)
    if form.is_valid:
        try:
            made = await organisations.create_organisation(
                caller, "company", form.value("slug"), form.value("name_zh"), form.value("name_en")
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/organisations/{made.slug}", flash.put("organisation.created"))
    return await page(request, caller, "organisation_new.html", status=form.status, form=form, kind="company")


async def _organisation_page(
    request: AnyRequest, caller: Caller, slug: str, *, status: int = 200, invite: Filled | None = None
) -> Page:
    organisation = await organisations.get_organisation(caller, slug)
    may_manage = can_manage_members(caller, organisation.id)
    members = await organisations.members_of(caller, organisation.id)
    usual = "developer" if organisation.kind == "company" else "publisher" if members else "owner"
    context: dict[str, Any] = {
        "organisation": organisation,
        "members": members,
        "may_manage": may_manage and organisation.kind != "individual",
        "invitations": await organisations.invitations_of(caller, organisation.id) if may_manage else [],
        "roles": ROLES,
        "offered": offered_roles(organisation.kind),
        "invite": invite or INVITE.blank({"roles": [usual]}),
    }
    return await page(request, caller, "organisation.html", status=status, **context)


def offered_roles(kind: str) -> list[str]:
    """The roles that make sense in an organisation of this kind; all of them may be held."""
    return [one.name for one in ROLES if kind == "department" or one.name not in {"publisher", "approver"}]


@get("/organisations/{slug:str}")
async def show_organisation(request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]) -> Page:
    """Members, roles and open invitations."""
    check_signed_in(caller)
    return await _organisation_page(request, caller, slug)


@post("/organisations/{slug:str}/invitations", opt={"slowapi": "20/minute"})
async def invite(request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]) -> Page | Response[None]:
    """Mail an invitation."""
    check_signed_in(caller)
    organisation = await organisations.get_organisation(caller, slug)
    form = await INVITE.read(request)
    if form.is_valid:
        try:
            await organisations.invite_member(
                caller, organisation.id, form.value("email"), form.chosen("roles")
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(
                f"/organisations/{slug}", flash.put("organisation.invited", email=form.value("email"))
            )
    return await _organisation_page(request, caller, slug, status=form.status, invite=form)


@post("/organisations/{slug:str}/invitations/{invitation_id:str}/withdraw")
async def withdraw(
    caller: CurrentCaller, slug: FromPath[str], invitation_id: FromPath[str]
) -> Response[None]:
    """Make an open invitation useless."""
    check_signed_in(caller)
    organisation = await organisations.get_organisation(caller, slug)
    await organisations.withdraw_invitation(caller, organisation.id, invitation_id)
    return redirect(f"/organisations/{slug}", flash.put("organisation.withdrawn"))


@post("/organisations/{slug:str}/members/{person_id:str}")
async def set_roles(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], person_id: FromPath[str]
) -> Response[None]:
    """Give a member exactly these roles."""
    check_signed_in(caller)
    organisation = await organisations.get_organisation(caller, slug)
    form = await ROLES_FORM.read(request)
    await organisations.set_roles(caller, organisation.id, person_id, form.chosen("roles"))
    return redirect(f"/organisations/{slug}", flash.put("organisation.roles_saved"))


@post("/organisations/{slug:str}/members/{person_id:str}/remove")
async def remove(caller: CurrentCaller, slug: FromPath[str], person_id: FromPath[str]) -> Response[None]:
    """Take a member out."""
    check_signed_in(caller)
    organisation = await organisations.get_organisation(caller, slug)
    await organisations.remove_member(caller, organisation.id, person_id)
    if person_id == caller.id:
        return redirect("/account", flash.put("organisation.removed"))
    return redirect(f"/organisations/{slug}", flash.put("organisation.removed"))


router = Router(
    "/",
    route_handlers=[show_new, make_company, show_organisation, invite, withdraw, set_roles, remove],
)
