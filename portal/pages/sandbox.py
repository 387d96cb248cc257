"""An app's sandbox: its clock, how much of the city it has changed, snapshots, beginning anew."""

import re
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.apps import service as apps
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.language import language_of
from portal.view import AnyRequest, Page
from sandbox.city import service
from sandbox.city.connector import CitySide
from sandbox.city.departments import BY_SLUG
from sandbox.city.sandboxes import BEFORE, MOST_SNAPSHOTS
from sandbox.city.schemas_state import ClockRequest, SandboxView

ADVANCES = ("P1D", "P7D", "P30D", "P1Y")
CLOCK = Form(
    Field("now", required=False, maximum=40, hint_key="field.now_hint"),
    Field("advance", required=False, maximum=20),
)
SNAPSHOT = Form(
    Field("snapshot", maximum=40, pattern="[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", hint_key="field.snapshot_hint")
)
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?")


def side_of(request: AnyRequest) -> CitySide:
    """The city's part of this process."""
    side: CitySide = request.app.state.city
    return side


async def glance(request: AnyRequest, app_id: str) -> dict[str, Any]:
    """What the app's own page shows of it: changed records and the clock; the caller may see the app."""
    state = await side_of(request).states.current(app_id)
    return {"records": len(state.rows), "now": None if state.clock_us == 0 else state.now}


async def _sandbox_page(
    request: AnyRequest,
    caller: Caller,
    app_id: str,
    *,
    clock_form: Filled | None = None,
    snapshot_form: Filled | None = None,
    status: int = 200,
) -> Page:
    app = await apps.get_app(caller, app_id)
    seen = await service.look(caller, side_of(request), app.id)
    context: dict[str, Any] = {
        "app": app,
        "seen": seen,
        "departments": _departments(request, seen),
        "advances": ADVANCES,
        "before": BEFORE,
        "limit": MOST_SNAPSHOTS,
        "clock_form": clock_form or CLOCK.blank({"now": seen.clock.now[:16]}),
        "snapshot_form": snapshot_form or SNAPSHOT.blank(),
    }
    return await page(request, caller, "sandbox.html", status=status, **context)


def _departments(request: AnyRequest, seen: SandboxView) -> list[tuple[str, int]]:
    """Names of the departments with changed records; the platform's own are the answers kept for retries."""
    language = language_of(request)
    named = []
    for slug, count in seen.records_by_department.items():
        known = BY_SLUG.get(slug)
        named.append((slug if known is None else known.zh if language == "zh" else known.en, count))
    return named


@get("/apps/{app_id:str}/sandbox")
async def show_sandbox(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """Everything about the app's sandbox, and its controls."""
    check_signed_in(caller)
    return await _sandbox_page(request, caller, app_id)


@post(["/apps/{app_id:str}/sandbox/clock", "/apps/{app_id:str}/sandbox/advance"])
async def move_clock(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """Move the clock forward, or set it to a moment of Beijing time."""
    check_signed_in(caller)
    form = await CLOCK.read(request)
    wanted = ClockRequest(now=_with_zone(form.value("now")), advance=form.value("advance"))
    try:
        moved = await service.move_clock(caller, side_of(request), app_id, wanted)
    except Refusal as problem:
        form.take(problem)
        return await _sandbox_page(request, caller, app_id, clock_form=form, status=form.status)
    return _back(app_id, "sandbox.moved", due=str(moved.events_due))


def _with_zone(text: str) -> str:
    return f"{text}+08:00" if _WITHOUT_ZONE.fullmatch(text) else text


@post("/apps/{app_id:str}/sandbox/clock/real")
async def release_clock(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """Let the clock show the real time."""
    check_signed_in(caller)
    try:
        moved = await service.release_clock(caller, side_of(request), app_id)
    except Refusal as problem:
        form = CLOCK.blank()
        form.take(problem)
        return await _sandbox_page(request, caller, app_id, clock_form=form, status=form.status)
    return _back(app_id, "sandbox.moved", due=str(moved.events_due))


@post("/apps/{app_id:str}/sandbox/reset")
async def reset(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Response[None]:
    """Forget all changes."""
    check_signed_in(caller)
    done = await service.reset(caller, side_of(request), app_id)
    return _back(app_id, "sandbox.reset_done", records=str(done.records))


@post("/apps/{app_id:str}/sandbox/snapshots")
async def keep(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page | Response[None]:
    """Keep the present state under a name."""
    check_signed_in(caller)
    form = await SNAPSHOT.read(request)
    if form.is_valid:
        try:
            kept = await service.keep(caller, side_of(request), app_id, form.value("snapshot"))
        except Refusal as problem:
            form.take(problem)
        else:
            return _back(app_id, "sandbox.kept", name=kept.name)
    return await _sandbox_page(request, caller, app_id, snapshot_form=form, status=form.status)


@post("/apps/{app_id:str}/sandbox/snapshots/{name:str}/restore")
async def restore(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], name: FromPath[str]
) -> Response[None]:
    """Go back to a kept state."""
    check_signed_in(caller)
    await service.restore(caller, side_of(request), app_id, name)
    return _back(app_id, "sandbox.restored", name=name)


@post("/apps/{app_id:str}/sandbox/snapshots/{name:str}/delete")
async def drop(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], name: FromPath[str]
) -> Response[None]:
    """Delete a kept state."""
    check_signed_in(caller)
    await service.drop(caller, side_of(request), app_id, name)
    return _back(app_id, "sandbox.dropped", name=name)


def _back(app_id: str, key: str, **facts: str) -> Response[None]:
    return redirect(f"/apps/{app_id}/sandbox", flash.put(key, **facts))


router = Router("/", route_handlers=[show_sandbox, move_clock, release_clock, reset, keep, restore, drop])
