"""`/platform/v1`: signing up, in and out, the person's own data, sessions, personal tokens, invitations."""

from typing import Any

from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED, HTTP_204_NO_CONTENT

from api.core.dependencies import CurrentCaller
from api.core.problem_responses import empty_response, problem_responses
from api.core.problem_types_people import (
    SECOND_FACTOR_BLOCKED,
    SECOND_FACTOR_FAILED,
    SECOND_FACTOR_REQUIRED,
)
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    LINK_SPENT,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    SESSION_REQUIRED,
    SIGN_IN_FAILED,
)
from api.core.problems import Refusal
from api.identity import access
from api.identity.models import Person
from api.identity.organisations.service import organisations_of
from api.identity.people import service
from api.identity.people.invitation_routes import invitation_handlers
from api.identity.people.schemas import (
    Credentials,
    EndedSessions,
    Me,
    MyOrganisation,
    NewToken,
    NewTokenRequest,
    PasswordChange,
    PersonChange,
    PersonItem,
    Reset,
    ResetRequest,
    SessionList,
    SignedIn,
    SignUp,
    TokenList,
    Verification,
    new_token,
    person_item,
    session_item,
    token_item,
)
from api.identity.permissions import ROLE_NAMES
from api.identity.schemas import CHECK_MAIL, NO_STORE, Notice, OtherId

AnyRequest = Request[Any, Any, Any]
_MAILED = {"slowapi": "10/minute; 60/hour"}
_GUESSED = {"slowapi": "10/minute; 100/hour", "slowapi_scope": "platform-sign-in"}
_LINKS = {"slowapi": "30/minute"}
# asked for before anyone is signed in, so no session's token protects these
_OWN_PAGES = [access.same_origin_guard]
_SESSION_ONLY = problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED, CSRF_FAILED)


# --- signing up, in and out -----------------------------------------------------------------------
@post(
    "/sign-up", operation_id="signUp", tags=["people"], summary="注册账户 Sign up", opt=_MAILED, guards=_OWN_PAGES,
    description="Mails a link to the address; the account exists once `verify-email` is called with its token. The "
    "answer is the same whether or not the address has an account. 发送验证邮件;无论邮箱是否已有账户,响应相同。",
    status_code=HTTP_202_ACCEPTED, responses=problem_responses(CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def sign_up(data: JSONBody[SignUp]) -> Notice:
    """Mail a verification link."""
    await service.sign_up(data.email, data.password, data.name, data.locale)
    return CHECK_MAIL


@post(
    "/verify-email", operation_id="verifyEmail", tags=["people"], summary="验证电子邮箱 Verify an e-mail address", opt=_LINKS,
    description="Uses the mailed link up and makes the account, with a personal organisation. 使用邮件链接,建立账户与个人组织。",
    guards=_OWN_PAGES, status_code=HTTP_200_OK, responses=problem_responses(LINK_SPENT, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def verify_email(data: JSONBody[Verification]) -> PersonItem:
    """Make the account of a sign-up."""
    return person_item(await service.verify_email(data.token))


@post(
    "/sign-in", operation_id="signIn", tags=["people"], summary="登录 Sign in", opt=_GUESSED,
    description="Opens a session, in an HttpOnly cookie. For programs use a personal token or an app. 建立会话;程序请用个人令牌或应用。",
    guards=_OWN_PAGES, status_code=HTTP_200_OK, responses=problem_responses(SIGN_IN_FAILED, SECOND_FACTOR_REQUIRED, SECOND_FACTOR_FAILED, SECOND_FACTOR_BLOCKED, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def sign_in(request: AnyRequest, data: JSONBody[Credentials]) -> Response[SignedIn]:
    """Open a session; whatever session the browser has now, nobody's rights are needed for it."""
    cookie, session = await service.sign_in(
        data.email, data.password, request.headers.get("user-agent", ""), data.code
    )
    person = await Person.get(id=session.person_id)
    body = SignedIn(person=person_item(person), csrf_token=session.csrf, expires_at=session.expires_at)
    return Response(body, cookies=[access.session_cookie(cookie)])


@post(
    "/sign-out", operation_id="signOut", tags=["people"], summary="退出登录 Sign out",
    description="Ends the session of the cookie. 退出登录。", status_code=HTTP_204_NO_CONTENT,
    responses=problem_responses(CSRF_FAILED) | empty_response("The session has ended"),
)  # fmt: skip
async def sign_out(request: AnyRequest, caller: CurrentCaller) -> Response[None]:
    """End the session."""
    await service.sign_out(access.cookie_value(request))
    return Response(None, cookies=[access.session_cookie("")])


@post(
    "/password-reset", operation_id="askPasswordReset", tags=["people"], summary="申请重设密码 Ask for a new password", opt=_MAILED, guards=_OWN_PAGES,
    description="Mails a link, if the address has an account. The answer is the same if it has none. 若有账户,发送重置邮件。",
    status_code=HTTP_202_ACCEPTED, responses=problem_responses(CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def ask_reset(data: JSONBody[ResetRequest]) -> Notice:
    """Mail a reset link."""
    await service.ask_reset(data.email)
    return CHECK_MAIL


@post(
    "/password-reset/confirm", operation_id="resetPassword", tags=["people"], summary="设置新密码 Set a new password", opt=_LINKS,
    description="Uses the mailed link up. Every session ends, every personal token is revoked. 使用邮件链接;退出所有会话,吊销个人令牌。",
    guards=_OWN_PAGES, status_code=HTTP_204_NO_CONTENT, responses=problem_responses(LINK_SPENT, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def reset_password(data: JSONBody[Reset]) -> None:
    """Set a new password by a mailed link."""
    await service.reset_password(data.token, data.password)


# --- oneself --------------------------------------------------------------------------------------
@get(
    "/me", operation_id="getMe", tags=["people"], summary="当前身份 Who is calling",
    description="The caller behind this credential, with organisations and roles. 当前凭据背后的身份、组织与角色。",
    responses=problem_responses(NOT_SIGNED_IN),
)  # fmt: skip
async def get_me(request: AnyRequest, caller: CurrentCaller) -> Me:
    """The caller, with organisations and roles."""
    if caller.kind == "anonymous":
        raise Refusal(NOT_SIGNED_IN)
    return Me(
        kind=caller.kind.value,
        grant=caller.grant or caller.kind.value,
        person=person_item(await service.get_person(caller)) if caller.kind == "person" else None,
        organisations=[
            MyOrganisation(
                organisation_id=one.id,
                slug=one.slug,
                kind=one.kind,
                name_zh=one.name_zh,
                name_en=one.name_en,
                roles=[role for role in ROLE_NAMES if caller.has_role(one.id, role)],
            )
            for one in (await organisations_of(caller) if caller.organisations else [])
        ],
        csrf_token=str(request.scope["state"].get("csrf", "")),
    )


@patch(
    "/me", operation_id="updateMe", tags=["people"], summary="更改姓名或语言 Change name or language",
    description="What stays away is left as it is. 未给出的保持不变。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED),
)  # fmt: skip
async def update_me(caller: CurrentCaller, data: JSONBody[PersonChange]) -> PersonItem:
    """Change one's own name or language."""
    return person_item(await service.update_person(caller, name=data.name, locale=data.locale))


@post(
    "/me/password", operation_id="changePassword", tags=["people"], summary="更改密码 Change the password", opt=_GUESSED,
    description="In a browser session only. The other sessions end. 仅限浏览器会话;其他会话随即退出。",
    status_code=HTTP_204_NO_CONTENT,
    responses=problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def change_password(caller: CurrentCaller, data: JSONBody[PasswordChange]) -> None:
    """Change one's own password."""
    await service.change_password(caller, data.current_password, data.password)


@get(
    "/sessions", operation_id="listSessions", tags=["people"], summary="我的会话 List my sessions",
    description="Live browser sessions, the newest first. 有效的浏览器会话。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED),
)  # fmt: skip
async def list_sessions(caller: CurrentCaller) -> SessionList:
    """The caller's live sessions."""
    return SessionList([session_item(one, caller.token_id) for one in await service.sessions_of(caller)])


@delete(
    "/sessions", operation_id="endOtherSessions", tags=["people"], summary="结束我的其他会话 End my other sessions",
    description="All but the present one. 退出其他所有会话。", status_code=HTTP_200_OK, responses=_SESSION_ONLY,
)  # fmt: skip
async def end_other_sessions(caller: CurrentCaller) -> EndedSessions:
    """End all sessions but the present one."""
    return EndedSessions(await service.revoke_other_sessions(caller))


@delete(
    "/sessions/{session_id:str}", operation_id="endSession", tags=["people"], summary="结束我的一个会话 End one of my sessions",
    description="The present one too. 退出一个会话。",
    responses=problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED, CSRF_FAILED, NOT_FOUND),
)  # fmt: skip
async def end_session(caller: CurrentCaller, session_id: OtherId) -> None:
    """End one session."""
    await service.revoke_session(caller, session_id)


@get(
    "/tokens", operation_id="listTokens", tags=["people"], summary="我的个人令牌 List my personal tokens",
    description="For the command line; values are shown at creation only. 供命令行使用;只在创建时显示。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED),
)  # fmt: skip
async def list_tokens(caller: CurrentCaller) -> TokenList:
    """The caller's personal tokens."""
    return TokenList([token_item(row) for row in await service.personal_tokens_of(caller)])


@post(
    "/tokens", operation_id="createToken", tags=["people"], summary="签发个人令牌 Make a personal token",
    description="In a browser session only; the token is shown this once. 仅限浏览器会话;令牌只显示这一次。",
    opt={"slowapi": "20/minute"},
    responses=problem_responses(NOT_SIGNED_IN, SESSION_REQUIRED, CSRF_FAILED, CONFLICT, is_limited=True),
)  # fmt: skip
async def create_token(caller: CurrentCaller, data: JSONBody[NewTokenRequest]) -> Response[NewToken]:
    """Make a personal token."""
    row, token = await service.create_personal_token(caller, data.label, data.days)
    return Response(new_token(row, token), headers={"Location": f"/platform/v1/tokens/{row.id}"})


@delete(
    "/tokens/{token_id:str}", operation_id="revokeToken", tags=["people"], summary="吊销个人令牌 Revoke a personal token",
    description="It stops working at once; a token may revoke itself. 立即失效;令牌可吊销自己。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND),
)  # fmt: skip
async def revoke_token(caller: CurrentCaller, token_id: OtherId) -> None:
    """Revoke one of the caller's tokens."""
    await service.revoke_personal_token(caller, token_id)


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[
        sign_up, verify_email, sign_in, sign_out, ask_reset, reset_password, get_me, update_me, change_password,
        list_sessions, end_other_sessions, end_session, list_tokens, create_token, revoke_token,
        *invitation_handlers,
    ],
)  # fmt: skip
