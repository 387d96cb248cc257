"""The SDK of an app: choose a language, watch it being built, download it, copy the line that installs it."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.downloads import service as sdks
from api.downloads import tokens
from api.identity.apps import service as apps
from api.identity.permissions import can_edit_app
from portal import flash, shown_once
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.view import AnyRequest, Page, settings_of

BUILD = Form(Field("language", maximum=20))
TOKEN = Form(Field("label", maximum=100))
_NAMES = {"python": "Python", "typescript": "TypeScript", "java": "Java", "go": "Go"}


def _origin(request: AnyRequest) -> str:
    return settings_of(request).sandbox_url.rstrip("/")


async def _sdk_page(
    request: AnyRequest, caller: Caller, app_id: str, *, build_id: str = "", status: int = 200,
    build_form: Filled | None = None, token_form: Filled | None = None,
) -> Page:  # fmt: skip
    app = await apps.get_app(caller, app_id)
    workshop = sdks.workshop_of(request.app)
    token, spent = shown_once.take(request, f"/apps/{app.id}/sdk")
    build = await sdks.progress(workshop, caller, app.id, build_id, _origin(request)) if build_id else None
    made = await sdks.packages_of_app(workshop, caller, app.id)
    context: dict[str, Any] = {
        "app": app,
        "may_change": can_edit_app(caller, app.organisation_id) and app.status == "active",
        "languages": [(one, _NAMES.get(one, one)) for one in workshop.builder.languages()],
        "names": _NAMES,
        "build": build,
        "made": [(_NAMES.get(language, language), release, one) for release, language, one in made][:20],
        "token": token,
        "tokens": await tokens.tokens_of(caller, app.id),
        "key": workshop.builder.public_key().decode(),
        "build_form": build_form or BUILD.blank(),
        "token_form": token_form or TOKEN.blank(),
    }
    return await page(
        request, caller, "app_sdk.html", status=status, cookies=[spent] if spent else [], **context
    )


@get("/apps/{app_id:str}/sdk")
async def show(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """Languages, what was built, and read tokens; a new token is shown here, once."""
    check_signed_in(caller)
    return await _sdk_page(request, caller, app_id)


@get("/apps/{app_id:str}/sdk/{build_id:str}")
async def show_build(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], build_id: FromPath[str]
) -> Page:
    """A build: its step, which renews itself, then its files."""
    check_signed_in(caller)
    return await _sdk_page(request, caller, app_id, build_id=build_id)


@post("/apps/{app_id:str}/sdk", opt={"slowapi": "60/minute"})
async def build(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page | Response[None]:
    """Order an SDK."""
    check_signed_in(caller)
    form = await BUILD.read(request)
    if form.is_valid:
        try:
            made = await sdks.order(
                sdks.workshop_of(request.app), caller, app_id, form.value("language"), _origin(request)
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/apps/{app_id}/sdk/{made.build_id}")
    return await _sdk_page(request, caller, app_id, status=form.status, build_form=form)


@post("/apps/{app_id:str}/sdk-tokens", opt={"slowapi": "20/minute"})
async def add_token(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """One more read token, shown once."""
    check_signed_in(caller)
    form = await TOKEN.read(request)
    if form.is_valid:
        try:
            _, token = await tokens.create_token(caller, app_id, form.value("label"))
        except Refusal as problem:
            form.take(problem)
        else:
            address = f"/apps/{app_id}/sdk"
            return redirect(address, shown_once.put(request, address, token))
    return await _sdk_page(request, caller, app_id, status=form.status, token_form=form)


@post("/apps/{app_id:str}/sdk-tokens/{token_id:str}/revoke")
async def revoke_token(
    caller: CurrentCaller, app_id: FromPath[str], token_id: FromPath[str]
) -> Response[None]:
    """It opens nothing from now on."""
    check_signed_in(caller)
    gone = await tokens.revoke_token(caller, app_id, token_id)
    return redirect(f"/apps/{app_id}/sdk", flash.put("sdk.token_revoked", label=gone.label))


router = Router("/", route_handlers=[show, show_build, build, add_token, revoke_token])
