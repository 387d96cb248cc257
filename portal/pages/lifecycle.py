"""The life of a published version: its status, retiring it with notice, undoing that, and holding a subscription."""

from datetime import date

from litestar import Response, Router, post
from litestar.params import FromPath

from api.catalogue import service as catalogue
from api.contract.model import Status
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import redirect
from portal.pages.departments import find_department
from portal.version_page import HOLD, RETIRE, version_page
from portal.view import AnyRequest, Page

STATUS = Form(Field("status", maximum=12))
_PAGE = "/departments/{slug:str}/services/{version_id:str}"


@post(f"{_PAGE}/status")
async def set_status(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str]
) -> Response[None]:
    """One step forward: alpha, beta, stable."""
    await find_department(caller, slug)
    form = await STATUS.read(request)
    wanted = form.value("status")
    if wanted in {one.value for one in Status}:
        await catalogue.set_status(caller, version_id, Status(wanted))
    return redirect(f"/departments/{slug}/services/{version_id}", flash.put("life.status_set"))


@post(f"{_PAGE}/retire", opt={"slowapi": "20/minute"})
async def retire(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str]
) -> Page | Response[None]:
    """Announces the end of a version; its subscribers are told."""
    await find_department(caller, slug)
    form = await RETIRE.read(request)
    if form.is_valid:
        try:
            done = await _retire(caller, version_id, form)
        except ValueError:
            form.fault("sunset", "form.date")
        except Refusal as problem:
            form.take(problem)
        else:
            message = flash.put("life.retiring", sunset=done)
            return redirect(f"/departments/{slug}/services/{version_id}", message)
    return await version_page(request, caller, slug, version_id, status=form.status, retire=form)


async def _retire(caller: Caller, version_id: str, form: Filled) -> str:
    done = await catalogue.retire(
        caller, version_id, sunset=date.fromisoformat(form.value("sunset")), reason=form.value("retire_reason"),
        successor=form.value("successor"), guide=form.value("guide"),
    )  # fmt: skip
    return done.sunset


@post(f"{_PAGE}/unretire")
async def unretire(caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str]) -> Response[None]:
    """Takes an announced end back, before its day."""
    await find_department(caller, slug)
    await catalogue.unretire(caller, version_id)
    return redirect(f"/departments/{slug}/services/{version_id}", flash.put("life.unretired"))


@post(f"{_PAGE}/subscriptions/{{subscription_id:str}}/suspend")
async def suspend(
    request: AnyRequest,
    caller: CurrentCaller,
    slug: FromPath[str],
    version_id: FromPath[str],
    subscription_id: FromPath[str],
) -> Page | Response[None]:
    """Holds an app's subscription, with a reason that its developers read."""
    await find_department(caller, slug)
    form = await HOLD.read(request)
    if form.is_valid:
        try:
            await catalogue.suspend_subscription(caller, subscription_id, reason=form.value("hold_reason"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/departments/{slug}/services/{version_id}", flash.put("life.suspended"))
    return await version_page(request, caller, slug, version_id, status=form.status, hold=form)


@post(f"{_PAGE}/subscriptions/{{subscription_id:str}}/resume")
async def resume(
    caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str], subscription_id: FromPath[str]
) -> Response[None]:
    """Lets a suspended subscription go on."""
    await find_department(caller, slug)
    await catalogue.resume_subscription(caller, subscription_id)
    return redirect(f"/departments/{slug}/services/{version_id}", flash.put("life.resumed"))


router = Router("/", route_handlers=[set_status, retire, unretire, suspend, resume])
