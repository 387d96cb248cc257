"""`/platform/v1`: second factors of oneself, confirming in a session, signing in with a passkey, another's reset."""

from typing import Any

from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_204_NO_CONTENT

from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_people import (
    CONFIRMATION_REQUIRED,
    MFA_REQUIRED,
    PASSKEY_REFUSED,
    SECOND_FACTOR_BLOCKED,
    SECOND_FACTOR_FAILED,
)
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    SESSION_REQUIRED,
)
from api.identity import access
from api.identity.models import Person
from api.identity.people import signing_in
from api.identity.people.schemas import PersonItem, SignedIn, person_item
from api.identity.schemas import NO_STORE, OtherId, PersonId
from api.identity.security import passkeys, service
from api.identity.security.schemas import (
    CodeGiven,
    Confirmation,
    FactorReset,
    NewPasskey,
    PasskeyAdded,
    PasskeyAnswer,
    PasskeyOptions,
    RecoveryCodes,
    SecurityState,
    TotpBegun,
    passkey_item,
    security_state,
    totp_begun,
)

AnyRequest = Request[Any, Any, Any]
STEP_COOKIE = "kaimen_step"  # the ticket between the two steps of signing in
_GUESSED = {"slowapi": "30/minute; 300/hour", "slowapi_scope": "platform-second-factor"}
_OWN_PAGES = [access.same_origin_guard]
_CHANGES = (NOT_SIGNED_IN, SESSION_REQUIRED, CONFIRMATION_REQUIRED, CSRF_FAILED)


@get(
    "/me/security", operation_id="getSecurity", tags=["security"], summary="我的第二验证 My second factors",
    description="Authenticator app, passkeys, recovery codes left, and whether this session showed one. 两步验证的状态。",
    responses=problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED),
)  # fmt: skip
async def get_security(caller: CurrentCaller) -> SecurityState:
    """The caller's second factors."""
    return security_state(await service.security_of(caller))


@post(
    "/me/confirm", operation_id="confirmSession", tags=["security"], summary="再次确认本人 Confirm that it is me", opt=_GUESSED,
    description="Shows a code in the present session; or the password, where there is no second factor. 在当前会话中再次验证。",
    status_code=HTTP_200_OK,
    responses=problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED, CSRF_FAILED, SECOND_FACTOR_FAILED, SECOND_FACTOR_BLOCKED, is_limited=True),
)  # fmt: skip
async def confirm_session(caller: CurrentCaller, data: JSONBody[Confirmation]) -> SecurityState:
    """Show a factor in the present session."""
    await service.confirm(caller, code=data.code, password=data.password)
    return security_state(await service.security_of(caller))


# --- authenticator app and recovery codes ---------------------------------------------------------
@post(
    "/me/totp", operation_id="beginTotp", tags=["security"], summary="开始添加身份验证器 Begin to add an authenticator app",
    description="A secret for the app (RFC 6238: SHA-1, 6 digits, 30 s); call `confirmTotp` with its first code. 生成密钥,再用首个代码确认。",
    responses=problem_responses(*_CHANGES, CONFLICT),
)  # fmt: skip
async def begin_totp(caller: CurrentCaller) -> TotpBegun:
    """Begin to add an authenticator app."""
    return totp_begun(await service.begin_totp(caller))


@post(
    "/me/totp/confirm", operation_id="confirmTotp", tags=["security"], summary="确认身份验证器 Confirm the authenticator app", opt=_GUESSED,
    description="With the first code. The first factor of an account brings recovery codes, shown this once. 首个代码;第一次启用时给出恢复码。",
    status_code=HTTP_200_OK, responses=problem_responses(*_CHANGES, CONFLICT, is_limited=True),
)  # fmt: skip
async def confirm_totp(caller: CurrentCaller, data: JSONBody[CodeGiven]) -> RecoveryCodes:
    """Confirm the authenticator app."""
    return RecoveryCodes(await service.confirm_totp(caller, data.code))


@delete(
    "/me/totp", operation_id="removeTotp", tags=["security"], summary="移除身份验证器 Remove the authenticator app",
    description="Without any factor left, sessions and tokens lose theirs. 移除身份验证器。", responses=problem_responses(*_CHANGES, NOT_FOUND),
)  # fmt: skip
async def remove_totp(caller: CurrentCaller) -> None:
    """Remove the authenticator app."""
    await service.remove_totp(caller)


@post(
    "/me/recovery-codes", operation_id="renewRecoveryCodes", tags=["security"], summary="重新生成恢复码 Make new recovery codes",
    description="Ten, shown this once; the older ones stop working. 生成十个新恢复码,旧的失效。",
    responses=problem_responses(*_CHANGES, CONFLICT),
)  # fmt: skip
async def renew_recovery_codes(caller: CurrentCaller) -> RecoveryCodes:
    """Make new recovery codes."""
    return RecoveryCodes(await service.renew_recovery_codes(caller))


# --- passkeys -------------------------------------------------------------------------------------
@post(
    "/me/passkeys/options", operation_id="passkeyOptions", tags=["security"], summary="开始添加通行密钥 Begin to add a passkey",
    description="For `navigator.credentials.create`; good for five minutes, once. 供浏览器创建通行密钥。",
    status_code=HTTP_200_OK, opt={"slowapi": "30/minute"}, responses=problem_responses(*_CHANGES, is_limited=True),
)  # fmt: skip
async def passkey_options(caller: CurrentCaller) -> PasskeyOptions:
    """Options for a new passkey."""
    return PasskeyOptions(await passkeys.registration_options(caller))


@post(
    "/me/passkeys", operation_id="addPasskey", tags=["security"], summary="添加通行密钥 Add a passkey",
    description="With the browser's answer. The first factor of an account brings recovery codes. 用浏览器的答复添加。",
    responses=problem_responses(*_CHANGES, PASSKEY_REFUSED, CONFLICT),
)  # fmt: skip
async def add_passkey(caller: CurrentCaller, data: JSONBody[NewPasskey]) -> PasskeyAdded:
    """Add a passkey."""
    row, codes = await passkeys.add_passkey(caller, data.label, data.credential)
    return PasskeyAdded(passkey_item(row), codes)


@delete(
    "/me/passkeys/{passkey_id:str}", operation_id="removePasskey", tags=["security"], summary="移除通行密钥 Remove a passkey",
    description="It opens nothing any more. 移除通行密钥。", responses=problem_responses(*_CHANGES, NOT_FOUND),
)  # fmt: skip
async def remove_passkey(caller: CurrentCaller, passkey_id: OtherId) -> None:
    """Remove a passkey."""
    await passkeys.remove_passkey(caller, passkey_id)


@post(
    "/me/confirm/passkey/options", operation_id="confirmationOptions", tags=["security"], summary="开始以通行密钥确认 Begin to confirm with a passkey",
    description="For `navigator.credentials.get`. 供浏览器使用通行密钥确认。", status_code=HTTP_200_OK, opt={"slowapi": "30/minute"},
    responses=problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def confirmation_options(caller: CurrentCaller) -> PasskeyOptions:
    """Options for showing a passkey in this session."""
    return PasskeyOptions(await passkeys.confirmation_options(caller))


@post(
    "/me/confirm/passkey", operation_id="confirmWithPasskey", tags=["security"], summary="以通行密钥确认 Confirm with a passkey", opt=_GUESSED,
    description="Shows a passkey in the present session. 在当前会话中用通行密钥验证。",
    status_code=HTTP_204_NO_CONTENT,
    responses=problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED, CSRF_FAILED, PASSKEY_REFUSED, is_limited=True),
)  # fmt: skip
async def confirm_with_passkey(caller: CurrentCaller, data: JSONBody[PasskeyAnswer]) -> None:
    """Show a passkey in this session."""
    await passkeys.confirm(caller, data.credential)


@post(
    "/sign-in/passkey/options", operation_id="passkeySignInOptions", tags=["security"], summary="开始以通行密钥登录 Begin to sign in with a passkey",
    description="For `navigator.credentials.get`. Between the two steps of a sign-in the account's own passkeys are named. "
    "供浏览器用通行密钥登录。",
    status_code=HTTP_200_OK, guards=_OWN_PAGES, opt={"slowapi": "30/minute"}, responses=problem_responses(CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def passkey_sign_in_options(request: AnyRequest) -> PasskeyOptions:
    """Options for signing in with a passkey."""
    held = signing_in.read_ticket(request.cookies.get(STEP_COOKIE, ""))
    return PasskeyOptions(await passkeys.sign_in_options(held.person_id if held else ""))


@post(
    "/sign-in/passkey", operation_id="signInWithPasskey", tags=["security"], summary="以通行密钥登录 Sign in with a passkey",
    description="Opens a session that has shown a second factor, in an HttpOnly cookie. 用通行密钥建立会话。",
    status_code=HTTP_200_OK, guards=_OWN_PAGES, opt=_GUESSED, responses=problem_responses(PASSKEY_REFUSED, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def sign_in_with_passkey(request: AnyRequest, data: JSONBody[PasskeyAnswer]) -> Response[SignedIn]:
    """Open a session with a passkey."""
    cookie, session = await passkeys.sign_in(data.credential, request.headers.get("user-agent", ""))
    person = await Person.get(id=session.person_id)
    body = SignedIn(person=person_item(person), csrf_token=session.csrf, expires_at=session.expires_at)
    return Response(body, cookies=[access.session_cookie(cookie)])


# --- another person's -----------------------------------------------------------------------------
@post(
    "/people/{person_id:str}/reset-security", operation_id="resetSecurity", tags=["security"], summary="重置第二验证 Reset a person's second factors",
    description="For another administrator, when phone and codes are lost: factors go, sessions end, a mail tells. "
    "由另一位管理员为丢失设备的人重置两步验证。",
    status_code=HTTP_200_OK,
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, MFA_REQUIRED, CSRF_FAILED, NOT_FOUND, CONFLICT),
)  # fmt: skip
async def reset_security(
    caller: CurrentCaller, person_id: PersonId, data: JSONBody[FactorReset]
) -> PersonItem:
    """Reset a locked-out person's second factors."""
    return person_item(await service.reset_factors(caller, person_id, data.reason))


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[
        get_security, confirm_session, begin_totp, confirm_totp, remove_totp, renew_recovery_codes, passkey_options,
        add_passkey, remove_passkey, confirmation_options, confirm_with_passkey, passkey_sign_in_options,
        sign_in_with_passkey, reset_security,
    ],
)  # fmt: skip
