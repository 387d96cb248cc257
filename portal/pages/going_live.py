"""Going live: the checklist of a sandbox app, its answers, and the live app that comes of it."""

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problem_types_platform import CHECKLIST_OPEN
from api.core.problems import Refusal
from api.identity.apps import service as apps
from portal import flash, shown_once
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.view import AnyRequest, Page

ANSWERS = Form(
    Field("privacy_notice_url", maximum=500),
    Field("purpose", kind="area", minimum=20, maximum=2000),
    Field("security_contact", kind="email", maximum=254),
    Field("retention", kind="area", minimum=10, maximum=2000),
    Field("terms_accepted", kind="flag"),
)


async def _checklist_page(
    request: AnyRequest, caller: Caller, app_id: str, form: Filled, status: int = 200
) -> Page:
    app = await apps.get_app(caller, app_id)
    checklist = await apps.checklist_of(app, form.values or None)
    return await page(
        request, caller, "going_live.html", status=status, app=app, form=form, checklist=checklist
    )


@get("/apps/{app_id:str}/go-live")
async def show_checklist(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """What the platform has checked, and what is to be answered."""
    check_signed_in(caller)
    return await _checklist_page(request, caller, app_id, ANSWERS.blank())


@post("/apps/{app_id:str}/go-live", opt={"slowapi": "20/minute"})
async def go_live(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page | Response[None]:
    """Makes the live app; its page shows the secret once."""
    check_signed_in(caller)
    form = await ANSWERS.read(request)
    if form.is_valid:
        try:
            made = await apps.go_live(caller, app_id, form.values)
        except Refusal as problem:
            if problem.kind is CHECKLIST_OPEN:
                _place(form, problem)
            else:
                form.take(problem)
        else:
            address = f"/apps/{made.app.id}"
            return redirect(address, shown_once.put(request, address, made.secret), flash.put("live.created"))
    return await _checklist_page(request, caller, app_id, form, form.status)


def _place(form: Filled, problem: Refusal) -> None:
    """Open answers go to their fields; open checks are shown as a whole, the list says which."""
    for error in problem.errors:
        name = str(error["pointer"]).strip("/")
        if name in form.fields:
            form.say(name, error["message"])
    if any(str(error["pointer"]).strip("/") not in form.fields for error in problem.errors):
        form.problem = problem


router = Router("/", route_handlers=[show_checklist, go_live])
