"""One imported version in its department's workspace: the overlay, publishing, taking it out of an environment."""

from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.catalogue import service as catalogue
from api.catalogue.permissions import can_set_upstream
from api.catalogue.publishing import SYNTHETIC
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from portal import flash
from portal.frame import redirect
from portal.version_page import OVERLAY, PUBLISH, WITHDRAW, find_version, version_page
from portal.view import AnyRequest, Page

_PAGE = "/departments/{slug:str}/services/{version_id:str}"


@get(_PAGE)
async def show_version(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str]
) -> Page:
    """Everything about a version, for its department."""
    return await version_page(request, caller, slug, version_id)


@post(f"{_PAGE}/overlay", opt={"slowapi": "20/minute"})
async def save_overlay(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str]
) -> Page | Response[None]:
    """Puts an edited overlay in place of the proposed one, and checks the contract again."""
    await find_version(caller, slug, version_id)
    form = await OVERLAY.read(request)
    if form.is_valid:
        try:
            document = msgspec.json.decode(form.value("overlay"), type=dict[str, Any])
            await catalogue.edit_overlay(caller, version_id, document)
        except msgspec.DecodeError as error:
            form.fault("overlay", "version.overlay_bad", error=str(error))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/departments/{slug}/services/{version_id}", flash.put("version.overlay_saved"))
    return await version_page(request, caller, slug, version_id, status=form.status, overlay=form)


@post(f"{_PAGE}/publish/{{environment:str}}", opt={"slowapi": "20/minute"})
async def publish(
    request: AnyRequest,
    caller: CurrentCaller,
    slug: FromPath[str],
    version_id: FromPath[str],
    environment: FromPath[str],
) -> Page | Response[None]:
    """Publishes in the sandbox at once, or asks another person of the department for live."""
    await find_version(caller, slug, version_id)
    form = await PUBLISH.read(request)
    if form.is_valid:
        may_set = can_set_upstream(caller)
        upstream = (form.value("upstream") or SYNTHETIC) if may_set else None
        text = form.value("mapping")
        mapping = (f"{text}\n" if text else "") if may_set else None
        try:
            row = await catalogue.publish(
                caller,
                version_id,
                environment,
                upstream,
                mapping=mapping,
                force_reason=form.value("force_reason"),
            )
        except Refusal as problem:
            form.take(problem)
        else:
            key = "version.requested" if row.approval_id else "version.published"
            return redirect(f"/departments/{slug}/services/{version_id}", flash.put(key))
    shown = {"sandbox" if environment == "sandbox" else "live": form}
    return await version_page(request, caller, slug, version_id, status=form.status, **shown)


@post(f"{_PAGE}/withdraw/{{environment:str}}", opt={"slowapi": "20/minute"})
async def withdraw(
    request: AnyRequest,
    caller: CurrentCaller,
    slug: FromPath[str],
    version_id: FromPath[str],
    environment: FromPath[str],
) -> Page | Response[None]:
    """Takes the version out of one environment at once, with a reason."""
    await find_version(caller, slug, version_id)
    form = await WITHDRAW.read(request)
    if form.is_valid:
        try:
            await catalogue.withdraw(caller, version_id, environment, reason=form.value("reason"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/departments/{slug}/services/{version_id}", flash.put("version.retired"))
    return await version_page(request, caller, slug, version_id, status=form.status, withdraw=form)


router = Router("/", route_handlers=[show_version, save_overlay, publish, withdraw])
