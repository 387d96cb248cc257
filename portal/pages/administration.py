"""The platform's administrators: departments with their first owners, and other administrators."""

from typing import Any

from litestar import Response, Router, get, post

from api.catalogue.models import ServiceRecord
from api.core import problem_types_platform as platform_types
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal, Text
from api.core.second_factor import check_second_factor
from api.identity.models import Membership, Organisation
from api.identity.organisations import service as organisations
from api.identity.people import service as people
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.pages.organisations import NEW
from portal.view import AnyRequest, Page

INVITE = Form(Field("email", kind="email", maximum=254))


def _check_administrator(caller: Caller) -> None:
    check_signed_in(caller)
    if not caller.is_administrator:
        raise Refusal(
            platform_types.PERMISSION_DENIED,
            reason=Text("此页只对平台管理员开放。", "This page is for administrators of the platform."),
            role=Text("平台管理员", "administrator of the platform"),
        )
    check_second_factor(caller)


async def _administration_page(
    request: AnyRequest, caller: Caller, *, status: int = 200, invite: Filled | None = None
) -> Page:
    rows = await Organisation.filter(kind="department").order_by("slug")
    ids = [row.id for row in rows] or [""]
    services: dict[str, int] = {}
    for owner in await ServiceRecord.filter(organisation_id__in=ids).values_list(
        "organisation_id", flat=True
    ):
        services[str(owner)] = services.get(str(owner), 0) + 1
    members: dict[str, set[str]] = {}
    pairs = await Membership.filter(organisation_id__in=ids).values_list("organisation_id", "person_id")
    for organisation_id, person_id in pairs:
        members.setdefault(str(organisation_id), set()).add(str(person_id))
    context: dict[str, Any] = {
        "departments": [(row, services.get(row.id, 0), len(members.get(row.id, ()))) for row in rows],
        "invite": invite or INVITE.blank(),
    }
    return await page(request, caller, "administration.html", status=status, **context)


@get("/administration")
async def show_administration(request: AnyRequest, caller: CurrentCaller) -> Page:
    """Departments, and inviting another administrator."""
    _check_administrator(caller)
    return await _administration_page(request, caller)


@get("/administration/departments/new")
async def show_new_department(request: AnyRequest, caller: CurrentCaller) -> Page:
    """The form."""
    _check_administrator(caller)
    return await page(request, caller, "organisation_new.html", form=NEW.blank(), kind="department")


@post("/administration/departments/new", opt={"slowapi": "30/minute"})
async def make_department(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """A department; its page then invites its first owner."""
    _check_administrator(caller)
    form = await NEW.read(request)
    if form.is_valid:
        try:
            made = await organisations.create_organisation(
                caller, "department", form.value("slug"), form.value("name_zh"), form.value("name_en")
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/organisations/{made.slug}", flash.put("admin.department_created"))
    return await page(
        request, caller, "organisation_new.html", status=form.status, form=form, kind="department"
    )


@post("/administration/invitations", opt={"slowapi": "10/minute"})
async def invite_administrator(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Mails a link that makes one person administrator."""
    _check_administrator(caller)
    form = await INVITE.read(request)
    if form.is_valid:
        try:
            await people.invite_administrator(caller, form.value("email"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/administration", flash.put("organisation.invited", email=form.value("email")))
    return await _administration_page(request, caller, status=form.status, invite=form)


router = Router(
    "/", route_handlers=[show_administration, show_new_department, make_department, invite_administrator]
)
