"""A person's second factors: authenticator app, passkeys, recovery codes; and confirming that it is them."""

from urllib.parse import quote

from litestar import Response, Router, get, post
from litestar.datastructures import Cookie
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.outside.citizens import STAFF, providers_for
from api.identity.outside.providers import accounts_of
from api.identity.people import service as people
from api.identity.security import passkeys, service
from portal import flash, shown_once
from portal.cookies import cookie
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.next_page import safe_next
from portal.pages.sign import SECOND_STEP
from portal.qr import qr_code
from portal.view import AnyRequest, Page

HOME = "/account/security"
CODES = "/account/security/recovery"
GO_ON = "kaimen_go_on"  # where somebody was sent from, to set up or confirm
CODE = Form(Field("code", maximum=40))
CONFIRM = Form(
    Field("code", maximum=40, required=False),
    Field("password", kind="password", required=False),
    Field("next", maximum=500, required=False),
)
PASSKEY = Form(Field("label", maximum=100), Field("credential", maximum=passkeys.MAX_ANSWER, required=False))


def _going_on(request: AnyRequest) -> str:
    return safe_next(str(request.query_params.get("next", "")) or request.cookies.get(GO_ON, ""))


def _remember(address: str) -> Cookie:
    return cookie(GO_ON, address, seconds=1800 if address else 0, path=HOME)


async def _security_page(
    request: AnyRequest, caller: Caller, *, status: int = 200, passkey: Filled | None = None
) -> Page:
    state = await service.security_of(caller)
    go_on = _going_on(request)
    accounts = await accounts_of(caller.id)
    linked = {provider.id for _, provider in accounts}
    return await page(
        request, caller, "security.html", status=status, cookies=[_remember(go_on)] if go_on else [],
        state=state, factors=state.factors, go_on=go_on, passkey=passkey or PASSKEY.blank(),
        confirm=f"{HOME}/confirm?next={quote(go_on or HOME)}", accounts=accounts,
        linkable=[one for one in await providers_for(STAFF) if one.id not in linked],
    )  # fmt: skip


@get("/account/security")
async def show_security(request: AnyRequest, caller: CurrentCaller) -> Page:
    """Everything about one's second factors; `next` is where to go on when they are in order."""
    check_signed_in(caller)
    return await _security_page(request, caller)


# --- authenticator app ----------------------------------------------------------------------------
@post("/account/security/totp")
async def begin_totp(caller: CurrentCaller) -> Response[None]:
    """A new secret, shown on the page that follows."""
    check_signed_in(caller)
    await service.begin_totp(caller)
    return redirect(f"{HOME}/totp")


@get("/account/security/totp")
async def show_totp(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """QR code, secret, and the form for the first code; leads back where nothing was begun."""
    check_signed_in(caller)
    return await _totp_page(request, caller, CODE.blank())


async def _totp_page(request: AnyRequest, caller: Caller, form: Filled) -> Page | Response[None]:
    waiting = await service.waiting_totp(caller)
    if waiting is None:
        return redirect(HOME)
    grouped = " ".join(waiting.secret[start : start + 4] for start in range(0, len(waiting.secret), 4))
    return await page(
        request, caller, "totp.html", status=200 if form.is_valid else form.status, form=form, secret=grouped,
        qr=qr_code(waiting.address), address=waiting.address,
    )  # fmt: skip


@post("/account/security/totp/confirm", opt=SECOND_STEP)
async def confirm_totp(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """The first code turns it on."""
    check_signed_in(caller)
    form = await CODE.read(request)
    if form.is_valid:
        try:
            codes = await service.confirm_totp(caller, form.value("code"))
        except Refusal as problem:
            form.take(problem)
        else:
            return _after(request, codes, "totp.added")
    return await _totp_page(request, caller, form)


@post("/account/security/totp/remove")
async def remove_totp(caller: CurrentCaller) -> Response[None]:
    """Take the authenticator app away."""
    check_signed_in(caller)
    await service.remove_totp(caller)
    return redirect(HOME, flash.put("totp.removed"))


def _after(request: AnyRequest, codes: list[str], message: str) -> Response[None]:
    """On to the recovery codes where there are new ones, else back."""
    if codes:
        return redirect(CODES, shown_once.put(request, CODES, "\n".join(codes)), flash.put(message))
    return redirect(HOME, flash.put(message))


# --- recovery codes -------------------------------------------------------------------------------
@post("/account/security/recovery")
async def renew_codes(request: AnyRequest, caller: CurrentCaller) -> Response[None]:
    """Ten new codes, shown on the page that follows."""
    check_signed_in(caller)
    codes = await service.renew_recovery_codes(caller)
    return redirect(CODES, shown_once.put(request, CODES, "\n".join(codes)))


@get("/account/security/recovery")
async def show_codes(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """The codes, this one time; a reload leads back."""
    check_signed_in(caller)
    codes, spent = shown_once.take(request, CODES)
    if not codes:
        return redirect(HOME)
    return await page(
        request, caller, "recovery.html", codes=codes.split("\n"), go_on=_going_on(request),
        cookies=[spent] if spent else [],
    )  # fmt: skip


# --- passkeys -------------------------------------------------------------------------------------
@post("/account/security/passkeys", opt={"slowapi": "30/minute"})
async def add_passkey(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """With the answer that the page's script got from the browser."""
    check_signed_in(caller)
    await service.check_fresh(caller)
    form = await PASSKEY.read(request)
    if form.is_valid:
        try:
            _, codes = await passkeys.add_passkey(
                caller, form.value("label"), passkeys.read_credential(form.value("credential"))
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return _after(request, codes, "passkey.added")
    return await _security_page(request, caller, status=form.status, passkey=form)


@post("/account/security/passkeys/{passkey_id:str}/remove")
async def remove_passkey(caller: CurrentCaller, passkey_id: FromPath[str]) -> Response[None]:
    """Take a passkey away."""
    check_signed_in(caller)
    await passkeys.remove_passkey(caller, passkey_id)
    return redirect(HOME, flash.put("passkey.removed"))


# --- confirming -----------------------------------------------------------------------------------
async def _confirm_page(request: AnyRequest, caller: Caller, form: Filled) -> Page:
    state = await service.security_of(caller)
    person = await people.get_person(caller)
    return await page(
        request, caller, "confirm.html", status=200 if form.is_valid else form.status, form=form,
        factors=state.factors, has_password=bool(person.password_hash), email=person.email,
    )  # fmt: skip


@get("/account/security/confirm")
async def show_confirm(request: AnyRequest, caller: CurrentCaller) -> Page:
    """A code, a passkey, or the password where there is no factor."""
    check_signed_in(caller)
    return await _confirm_page(request, caller, CONFIRM.blank({"next": _going_on(request) or HOME}))


@post("/account/security/confirm", opt=SECOND_STEP)
async def confirm(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Show it, and go on."""
    check_signed_in(caller)
    form = await CONFIRM.read(request)
    if form.is_valid:
        try:
            await service.confirm(caller, code=form.value("code"), password=form.value("password"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(safe_next(form.value("next")) or HOME, _remember(""))
    return await _confirm_page(request, caller, form)


@post("/account/security/confirm/passkey", opt=SECOND_STEP)
async def confirm_with_passkey(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Show a passkey, and go on."""
    check_signed_in(caller)
    sent = await request.form()
    go_on = safe_next(str(sent.get("next", ""))[:500])
    try:
        await passkeys.confirm(caller, passkeys.read_credential(str(sent.get("credential", ""))))
    except Refusal as problem:
        form = CONFIRM.blank({"next": go_on or HOME})
        form.take(problem)
        return await _confirm_page(request, caller, form)
    return redirect(go_on or HOME, _remember(""))


router = Router(
    "/",
    route_handlers=[
        show_security, begin_totp, show_totp, confirm_totp, remove_totp, renew_codes, show_codes, add_passkey,
        remove_passkey, show_confirm, confirm, confirm_with_passkey,
    ],
)  # fmt: skip
