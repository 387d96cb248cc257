"""Signing up, in and out; proving an address; a new password; accepting an invitation; the embedded outbox."""

import base64
from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.datastructures import Cookie

from api.core import problem_types_platform as platform_types
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.models import OutboxMail
from api.core.problems import Refusal
from api.identity import access
from api.identity.outside.citizens import STAFF, providers_for
from api.identity.people import service as people
from api.identity.people import signing_in
from api.identity.people.passwords import MIN_LENGTH
from api.identity.permissions import ROLES
from api.identity.security import passkeys
from api.identity.security.routes import STEP_COOKIE
from portal import flash
from portal.cookies import cookie
from portal.forms import Field, Filled, Form
from portal.frame import page, redirect
from portal.language import language_of
from portal.next_page import safe_next
from portal.view import AnyRequest, Page, is_person, settings_of

EMAIL_COOKIE = "kaimen_email"  # what was typed at sign-up, for the next form; an hour
_EMAIL = Field("email", kind="email", maximum=254)
_NEW_PASSWORD = Field("password", kind="new-password", minimum=MIN_LENGTH)
SIGN_UP = Form(_EMAIL, Field("name", maximum=100), _NEW_PASSWORD)
SIGN_IN = Form(_EMAIL, Field("password", kind="password"), Field("next", required=False, maximum=500))
STEP = Form(Field("code", maximum=40), Field("next", required=False, maximum=500))
RESET = Form(_EMAIL)
NEW_PASSWORD = Form(_NEW_PASSWORD, Field("token", maximum=100))
INVITATION = Form(
    Field("token", maximum=100),
    Field("email", kind="email", maximum=254, required=False),
    Field("name", maximum=100, required=False),
    Field("password", kind="password", required=False),
)

# The same limits as the platform API's own routes, counted together where a password can be guessed.
_MAILED = {"slowapi": "10/minute; 60/hour"}
_GUESSED = {"slowapi": "10/minute; 100/hour", "slowapi_scope": "platform-sign-in"}
_LINKS = {"slowapi": "30/minute"}
SECOND_STEP = {"slowapi": "30/minute; 300/hour", "slowapi_scope": "platform-second-factor"}


def _remember(email: str) -> Cookie:
    return cookie(EMAIL_COOKIE, base64.urlsafe_b64encode(email.encode()).decode(), seconds=3600)


def _remembered(request: AnyRequest) -> str:
    try:
        return base64.urlsafe_b64decode(request.cookies.get(EMAIL_COOKIE, "")).decode()[:254]
    except ValueError:
        return ""


def _token(request: AnyRequest) -> str:
    """The token of a mailed link, cut to what one can be."""
    return str(request.query_params.get("token", ""))[:100]


# --- signing up --------------------------------------------------------------------------------
@get("/sign-up")
async def show_sign_up(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """The form, or the apps for somebody who is in already."""
    if is_person(caller):
        return redirect("/apps")
    return await page(request, caller, "sign_up.html", form=SIGN_UP.blank())


@post("/sign-up", opt=_MAILED)
async def sign_up(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Asks for the mailed link; says the same whether or not the address has an account."""
    form = await SIGN_UP.read(request)
    if form.is_valid:
        try:
            await people.sign_up(
                form.value("email"), form.value("password"), form.value("name"), language_of(request)
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/check-mail", _remember(form.value("email")))
    return await page(request, caller, "sign_up.html", status=form.status, form=form)


@get("/check-mail")
async def check_mail(request: AnyRequest, caller: CurrentCaller) -> Page:
    """Where to go on after a mail was sent."""
    return await page(request, caller, "check_mail.html", email=_remembered(request))


@get("/outbox")
async def outbox(request: AnyRequest, caller: CurrentCaller) -> Page:
    """The mails of a one-machine installation; on any other there is no such page."""
    if not settings_of(request).embedded:
        raise Refusal(platform_types.PAGE_NOT_FOUND)
    mails = await OutboxMail.all().order_by("-at", "-id").limit(30)
    return await page(request, caller, "outbox.html", mails=mails)


@get("/verify")
async def show_verify(request: AnyRequest, caller: CurrentCaller) -> Page:
    """A button, not the deed itself: mail scanners open links."""
    return await page(request, caller, "verify.html", token=_token(request))


@post("/verify", opt=_LINKS)
async def verify(request: AnyRequest) -> Response[None]:
    """Makes the person; the sign-in form follows with the address filled in."""
    token = str((await request.form()).get("token", ""))[:100]
    person = await people.verify_email(token)
    return redirect("/sign-in", flash.put("verify.done"), _remember(person.email))


# --- signing in and out ------------------------------------------------------------------------
@get("/sign-in")
async def show_sign_in(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """The form; `next` is the path to go on to."""
    go_on = safe_next(request.query_params.get("next", ""))
    if is_person(caller):
        return redirect(go_on or "/apps")
    form = SIGN_IN.blank({"next": go_on, "email": _remembered(request)})
    return await _sign_in_page(request, caller, form)


async def _sign_in_page(request: AnyRequest, caller: Caller, form: Filled) -> Page:
    status = 200 if form.is_valid else form.status
    return await page(
        request, caller, "sign_in.html", status=status, form=form, providers=await providers_for(STAFF)
    )


@post("/sign-in", opt=_GUESSED)
async def sign_in(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Opens a session and goes on to `next`, or to the apps."""
    form = await SIGN_IN.read(request)
    if form.is_valid:
        try:
            done = await signing_in.start_sign_in(
                form.value("email"), form.value("password"), request.headers.get("user-agent", "")
            )
        except Refusal as problem:
            form.take(problem)
        else:
            go_on = safe_next(form.value("next"))
            if isinstance(done, signing_in.SecondStep):
                return redirect(f"/sign-in/step?next={quote(go_on)}", _step_cookie(done.ticket))
            return redirect(go_on or "/apps", access.session_cookie(done[0]), _forget_email())
    return await _sign_in_page(request, caller, form)


def _step_cookie(ticket: str) -> Cookie:
    return cookie(STEP_COOKIE, ticket, seconds=signing_in.TICKET_SECONDS if ticket else 0, same_site="strict")


@get("/sign-in/step")
async def show_step(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """The second step, where the password was right a moment ago."""
    return await _step_page(
        request, caller, STEP.blank({"next": safe_next(request.query_params.get("next", ""))})
    )


async def _step_page(request: AnyRequest, caller: Caller, form: Filled) -> Page | Response[None]:
    try:
        person = await signing_in.person_of_ticket(request.cookies.get(STEP_COOKIE, ""))
    except Refusal:
        return redirect("/sign-in", flash.put("step.expired", kind="info"), _step_cookie(""))
    methods = await signing_in.methods_of(person)
    status = 200 if form.is_valid else form.status
    return await page(request, caller, "sign_in_step.html", status=status, form=form, methods=methods)


@post("/sign-in/step", opt=SECOND_STEP)
async def finish_step(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """A code, then the session."""
    form = await STEP.read(request)
    if form.is_valid:
        try:
            value, _ = await signing_in.finish_sign_in(
                request.cookies.get(STEP_COOKIE, ""),
                form.value("code"),
                request.headers.get("user-agent", ""),
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return _signed_in(value, form.value("next"))
    return await _step_page(request, caller, form)


def _signed_in(value: str, go_on: str) -> Response[None]:
    return redirect(
        safe_next(go_on) or "/apps", access.session_cookie(value), _step_cookie(""), _forget_email()
    )


@post("/sign-in/passkey", opt=SECOND_STEP)
async def sign_in_with_passkey(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """With the answer that the page's script got from the browser; also as the second step."""
    sent = await request.form()
    go_on = safe_next(str(sent.get("next", ""))[:500])
    try:
        value, _ = await passkeys.sign_in(
            passkeys.read_credential(str(sent.get("credential", ""))), request.headers.get("user-agent", "")
        )
    except Refusal as problem:
        form = SIGN_IN.blank({"next": go_on, "email": _remembered(request)})
        form.take(problem)
        return await _sign_in_page(request, caller, form)
    return _signed_in(value, go_on)


def _forget_email() -> Cookie:
    return cookie(EMAIL_COOKIE, "", seconds=0)


@post("/sign-out")
async def sign_out(request: AnyRequest) -> Response[None]:
    """Ends the session here."""
    await people.sign_out(access.cookie_value(request))
    return redirect("/", access.session_cookie(""), flash.put("sign_out.done", kind="info"))


# --- a new password ----------------------------------------------------------------------------
@get("/reset")
async def show_reset(request: AnyRequest, caller: CurrentCaller) -> Page:
    """Without a token the form that asks for the mail, with one the form that sets the password."""
    if token := _token(request):
        return await page(request, caller, "reset_new.html", form=NEW_PASSWORD.blank({"token": token}))
    return await page(request, caller, "reset.html", form=RESET.blank())


@post("/reset", opt=_MAILED)
async def reset(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Asks for the mail, or sets the password by the mailed token."""
    if "token" in await request.form():
        return await _set_password(request, caller)
    form = await RESET.read(request)
    if form.is_valid:
        try:
            await people.ask_reset(form.value("email"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/check-mail", _remember(form.value("email")))
    return await page(request, caller, "reset.html", status=form.status, form=form)


async def _set_password(request: AnyRequest, caller: Caller) -> Page | Response[None]:
    form = await NEW_PASSWORD.read(request)
    if form.is_valid:
        try:
            await people.reset_password(form.value("token"), form.value("password"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect("/sign-in", flash.put("reset.done"))
    return await page(request, caller, "reset_new.html", status=form.status, form=form)


# --- invitations -------------------------------------------------------------------------------
@get("/invitation")
async def show_invitation(request: AnyRequest, caller: CurrentCaller) -> Page:
    """What the link invites to, and what is needed to accept it."""
    token = _token(request)
    invitation = await people.preview_invitation(token)
    form = INVITATION.blank({"token": token})
    return await page(request, caller, "invitation.html", form=form, invitation=invitation, roles=ROLES)


@post("/invitation", opt=_GUESSED)
async def accept_invitation(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Accepts as the person signed in, as the one with the address and password, or as a new one."""
    form = await INVITATION.read(request)
    invitation = await people.preview_invitation(form.value("token"))
    if form.is_valid:
        try:
            person = await people.accept_invitation(
                form.value("token"), form.value("name"), form.value("password"), email=form.value("email"),
                locale=language_of(request), caller=caller,
            )  # fmt: skip
        except Refusal as problem:
            form.take(problem)
        else:
            if is_person(caller):
                return redirect("/account", flash.put("invite.done_signed_in"))
            return redirect("/sign-in", flash.put("invite.done"), _remember(person.email))
    return await page(
        request,
        caller,
        "invitation.html",
        status=form.status,
        form=form,
        invitation=invitation,
        roles=ROLES,
    )


router = Router(
    "/",
    route_handlers=[
        show_step, finish_step, sign_in_with_passkey, show_sign_up, sign_up, check_mail, outbox, show_verify, verify, show_sign_in, sign_in, sign_out,
        show_reset, reset, show_invitation, accept_invitation,
    ],
)  # fmt: skip
