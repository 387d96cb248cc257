"""`/platform/v1`: invitations, and what administrators do with people. Part of the router in routes.py."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import JSONBody
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED

from api.core.dependencies import CurrentCaller
from api.core.paging import next_link
from api.core.problem_responses import problem_responses
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
from api.identity import access
from api.identity.people import service
from api.identity.people.schemas import (
    Acceptance,
    AdministratorInvitation,
    InvitationItem,
    PersonItem,
    PersonList,
    Verification,
    invitation_item,
    person_item,
)
from api.identity.schemas import CHECK_MAIL, Cursor, Limit, Notice, PersonId

AnyRequest = Request[Any, Any, Any]


# --- invitations ----------------------------------------------------------------------------------
@post(
    "/invitations/preview", operation_id="previewInvitation", tags=["people"], summary="查看邀请 Look at an invitation",
    description="What a link invites to, without using it up. 查看邀请内容,不使用它。", opt={"slowapi": "30/minute"}, guards=[access.same_origin_guard],
    status_code=HTTP_200_OK, responses=problem_responses(LINK_SPENT, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def preview_invitation(data: JSONBody[Verification]) -> InvitationItem:
    """What a link invites to."""
    return invitation_item(await service.preview_invitation(data.token))


@post(
    "/invitations/accept", operation_id="acceptInvitation", tags=["people"], summary="接受邀请 Accept an invitation",
    description="As the person signed in, as the one with the address and password, or as a new one with a name and a "
    "password. 以已登录的人、有账户的人或新人身份接受。", opt={"slowapi": "10/minute; 100/hour", "slowapi_scope": "platform-sign-in"}, status_code=HTTP_200_OK,
    responses=problem_responses(LINK_SPENT, SIGN_IN_FAILED, CSRF_FAILED, CONFLICT, is_limited=True),
)  # fmt: skip
async def accept_invitation(caller: CurrentCaller, data: JSONBody[Acceptance]) -> PersonItem:
    """Use an invitation up."""
    person = await service.accept_invitation(
        data.token, data.name, data.password, email=data.email, locale=data.locale, caller=caller
    )
    return person_item(person)


# --- administrators -------------------------------------------------------------------------------
@post(
    "/administrators/invitations", operation_id="inviteAdministrator", tags=["people"],
    summary="邀请平台管理员 Invite an administrator", description="Mails a link that works once, for 24 hours. 发送一次性邀请邮件。",
    status_code=HTTP_202_ACCEPTED, opt={"slowapi": "10/minute; 60/hour"},
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, SESSION_REQUIRED, CSRF_FAILED, is_limited=True),
)  # fmt: skip
async def invite_administrator(caller: CurrentCaller, data: JSONBody[AdministratorInvitation]) -> Notice:
    """Mail an invitation to administer the platform."""
    await service.invite_administrator(caller, data.email)
    return CHECK_MAIL


@get(
    "/people", operation_id="listPeople", tags=["people"], summary="人员列表 List people",
    description="For administrators; the newest first. 供管理员使用。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED),
)  # fmt: skip
async def list_people(
    request: AnyRequest, caller: CurrentCaller, limit: Limit = 50, cursor: Cursor = ""
) -> Response[PersonList]:
    """Everyone, for administrators."""
    page = await service.people(caller, limit=limit, cursor=cursor)
    body = PersonList([person_item(one) for one in page.items], page.next or None)
    return Response(body, headers=next_link(request.url.path, page, limit=limit))


@post(
    "/people/{person_id:str}/disable", operation_id="disablePerson", tags=["people"], summary="禁止登录 Shut a person out",
    description="For administrators: sessions end and tokens open nothing, at once. 停用账户,立即生效。",
    status_code=HTTP_200_OK,
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT),
)  # fmt: skip
async def disable_person(caller: CurrentCaller, person_id: PersonId) -> PersonItem:
    """Shut a person out."""
    return person_item(await service.disable_person(caller, person_id))


@post(
    "/people/{person_id:str}/enable", operation_id="enablePerson", tags=["people"], summary="恢复登录 Let a person in again",
    description="For administrators. 重新启用账户。", status_code=HTTP_200_OK,
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND),
)  # fmt: skip
async def enable_person(caller: CurrentCaller, person_id: PersonId) -> PersonItem:
    """Let a disabled person in again."""
    return person_item(await service.enable_person(caller, person_id))


invitation_handlers = (
    preview_invitation, accept_invitation, invite_administrator, list_people, disable_person, enable_person,
)  # fmt: skip
