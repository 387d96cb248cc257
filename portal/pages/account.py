"""A person's own account: name, language, password, sessions, tokens for the command line, organisations."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.organisations import service as organisations
from api.identity.people import service as people
from api.identity.people.passwords import MIN_LENGTH
from api.identity.people.sessions import session_id
from portal import flash, shown_once
from portal.devices import device_of
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.view import AnyRequest, Page

PROFILE = Form(Field("name", maximum=100), Field("locale", maximum=2, pattern="zh|en"))
PASSWORD = Form(
    Field("current_password", kind="password"), Field("password", kind="new-password", minimum=MIN_LENGTH)
)
TOKEN = Form(Field("label", maximum=100), Field("days", required=False, maximum=4, pattern="[0-9]+"))


async def _account_page(
    request: AnyRequest,
    caller: Caller,
    *,
    status: int = 200,
    profile: Filled | None = None,
    password: Filled | None = None,
    token_form: Filled | None = None,
) -> Page:
    person = await people.get_person(caller)
    token, spent = shown_once.take(request, "/account")
    context: dict[str, Any] = {
        "person": person,
        "profile": profile or PROFILE.blank({"name": person.name, "locale": person.locale}),
        "password": password or PASSWORD.blank(),
        "token_form": token_form or TOKEN.blank({"days": "90"}),
        "sessions": [
            (session_id(one), device_of(one.user_agent), one) for one in await people.sessions_of(caller)
        ],
        "this_session": caller.token_id,
        "tokens": await people.personal_tokens_of(caller),
        "organisations": await organisations.organisations_of(caller),
        "token": token,
    }
    return await page(
        request, caller, "account.html", status=status, cookies=[spent] if spent else [], **context
    )


@get("/account")
async def show_account(request: AnyRequest, caller: CurrentCaller) -> Page:
    """Everything about oneself."""
    check_signed_in(caller)
    return await _account_page(request, caller)


@post("/account")
async def save_profile(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Name and language of mails."""
    check_signed_in(caller)
    form = await PROFILE.read(request)
    if form.is_valid:
        try:
            await people.update_person(caller, name=form.value("name"), locale=form.value("locale"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/account", flash.put("account.saved"))
    return await _account_page(request, caller, status=form.status, profile=form)


@post("/account/password", opt={"slowapi": "10/minute; 100/hour", "slowapi_scope": "platform-sign-in"})
async def change_password(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """A new password; the other sessions end."""
    check_signed_in(caller)
    form = await PASSWORD.read(request)
    if form.is_valid:
        try:
            await people.change_password(caller, form.value("current_password"), form.value("password"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/account", flash.put("account.password_changed"))
    return await _account_page(request, caller, status=form.status, password=form)


@post("/account/sessions/{identifier:str}/end")
async def end_session(caller: CurrentCaller, identifier: FromPath[str]) -> Response[None]:
    """End one of the other sessions."""
    check_signed_in(caller)
    await people.revoke_session(caller, identifier)
    return redirect("/account", flash.put("account.session_ended"))


@post("/account/sessions/end")
async def end_other_sessions(caller: CurrentCaller) -> Response[None]:
    """End all sessions but this one."""
    check_signed_in(caller)
    await people.revoke_other_sessions(caller)
    return redirect("/account", flash.put("account.sessions_ended"))


@post("/account/tokens")
async def add_token(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """A personal token, shown once on the page that follows."""
    check_signed_in(caller)
    form = await TOKEN.read(request)
    if form.is_valid:
        try:
            days = int(form.value("days")) if form.value("days") else None
            _, token = await people.create_personal_token(caller, form.value("label"), days)
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/account#token", shown_once.put(request, "/account", token))
    return await _account_page(request, caller, status=form.status, token_form=form)


@post("/account/tokens/{token_id:str}/revoke")
async def revoke_token(caller: CurrentCaller, token_id: FromPath[str]) -> Response[None]:
    """Revoke a personal token."""
    check_signed_in(caller)
    await people.revoke_personal_token(caller, token_id)
    return redirect("/account", flash.put("account.token_revoked"))


router = Router(
    "/",
    route_handlers=[
        show_account, save_profile, change_password, end_session, end_other_sessions, add_token, revoke_token,
    ],
)  # fmt: skip
