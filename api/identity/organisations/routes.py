"""`/platform/v1/organisations`: departments and companies, their members and invitations."""

from typing import Annotated, Any

from litestar import Request, Response, Router, delete, get, patch, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter
from litestar.status_codes import HTTP_201_CREATED

from api.core.dependencies import CurrentCaller
from api.core.paging import next_link
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
)
from api.core.problems import Refusal
from api.identity.organisations import service
from api.identity.organisations.schemas import (
    InvitationList,
    MemberList,
    MemberRoles,
    NewInvitation,
    NewOrganisation,
    OrganisationChange,
    OrganisationItem,
    OrganisationList,
    RoleChange,
    RoleItem,
    RoleList,
    member_item,
    organisation_item,
)
from api.identity.people.schemas import InvitationItem, invitation_item
from api.identity.permissions import ROLES
from api.identity.schemas import NO_STORE, Cursor, Limit, OrganisationId, OtherId, PersonId

AnyRequest = Request[Any, Any, Any]
IdOrSlug = Annotated[str, PathParameter(max_length=64, description="`o_…`, or the slug")]
_READ = problem_responses(NOT_SIGNED_IN, NOT_FOUND)
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)


@get(
    "/organisations", operation_id="listOrganisations", tags=["organisations"], summary="组织列表 List organisations",
    description="The caller's own; all of them for administrators. 自己所在的组织;管理员可见全部。", responses=_READ,
)  # fmt: skip
async def list_organisations(
    request: AnyRequest,
    caller: CurrentCaller,
    kind: Annotated[str, QueryParameter(pattern="^(department|company|individual)?$")] = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> Response[OrganisationList]:
    """A page of organisations."""
    if caller.kind == "anonymous":
        raise Refusal(NOT_SIGNED_IN)
    page = await service.organisations(caller, kind=kind, limit=limit, cursor=cursor)
    body = OrganisationList([organisation_item(one) for one in page.items], page.next or None)
    return Response(body, headers=next_link(request.url.path, page, kind=kind, limit=limit))


@post(
    "/organisations", operation_id="createOrganisation", tags=["organisations"], summary="创建组织 Create an organisation",
    description="Whoever makes a company owns it. A department starts without members: invite its first owner. "
    "公司由创建者所有;部门创建后,请邀请第一位所有者。",
    opt={"slowapi": "20/minute"},
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, CONFLICT, is_limited=True),
)  # fmt: skip
async def create_organisation(
    caller: CurrentCaller, data: JSONBody[NewOrganisation]
) -> Response[OrganisationItem]:
    """Make a company or a department."""
    made = await service.create_organisation(caller, data.kind, data.slug, data.name_zh, data.name_en)
    return Response(organisation_item(made), headers={"Location": f"/platform/v1/organisations/{made.id}"})


@get(
    "/organisations/{organisation_id:str}", operation_id="getOrganisation", tags=["organisations"],
    summary="查看组织 Get an organisation", description="By id or slug. 按标识或短名查询。", responses=_READ,
)  # fmt: skip
async def get_organisation(caller: CurrentCaller, organisation_id: IdOrSlug) -> OrganisationItem:
    """One organisation."""
    return organisation_item(await service.get_organisation(caller, organisation_id))


@patch(
    "/organisations/{organisation_id:str}", operation_id="updateOrganisation", tags=["organisations"],
    summary="更改组织名称 Change an organisation's names", description="Owners and administrators. 所有者与管理员。", responses=_WRITE,
)  # fmt: skip
async def update_organisation(
    caller: CurrentCaller, organisation_id: OrganisationId, data: JSONBody[OrganisationChange]
) -> OrganisationItem:
    """Change the names."""
    changed = await service.update_organisation(
        caller, organisation_id, name_zh=data.name_zh, name_en=data.name_en
    )
    return organisation_item(changed)


@get(
    "/roles", operation_id="listRoles", tags=["organisations"], summary="角色列表 List the roles",
    description="What each role in an organisation may do. 组织内的角色及其权限。", responses=problem_responses(),
)  # fmt: skip
async def list_roles() -> RoleList:
    """The roles there are."""
    return RoleList([RoleItem(role.name, role.title, role.description) for role in ROLES])


@get(
    "/organisations/{organisation_id:str}/members", operation_id="listMembers", tags=["organisations"],
    summary="成员列表 List the members", description="With their roles, owners first. 成员及角色。", responses=_READ,
)  # fmt: skip
async def list_members(caller: CurrentCaller, organisation_id: OrganisationId) -> MemberList:
    """The members of an organisation."""
    return MemberList([member_item(one) for one in await service.members_of(caller, organisation_id)])


@put(
    "/organisations/{organisation_id:str}/members/{person_id:str}", operation_id="setMemberRoles",
    tags=["organisations"], summary="设置成员角色 Set a member's roles",
    description="Exactly these. An organisation keeps at least one owner. 设为这些角色;至少保留一位所有者。", responses=_WRITE,
)  # fmt: skip
async def set_roles(
    caller: CurrentCaller, organisation_id: OrganisationId, person_id: PersonId, data: JSONBody[RoleChange]
) -> MemberRoles:
    """Give a member exactly these roles."""
    return MemberRoles(
        person_id, await service.set_roles(caller, organisation_id, person_id, list(data.roles))
    )


@delete(
    "/organisations/{organisation_id:str}/members/{person_id:str}", operation_id="removeMember",
    tags=["organisations"], summary="移除成员或退出 Remove a member, or leave",
    description="Everyone may leave but the last owner. 任何人都可退出,最后一位所有者除外。", responses=_WRITE,
)  # fmt: skip
async def remove_member(caller: CurrentCaller, organisation_id: OrganisationId, person_id: PersonId) -> None:
    """Take a member out, or leave."""
    await service.remove_member(caller, organisation_id, person_id)


@get(
    "/organisations/{organisation_id:str}/invitations", operation_id="listInvitations", tags=["organisations"],
    summary="待接受的邀请 List open invitations", description="For owners. 未接受的邀请,所有者可见。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND),
)  # fmt: skip
async def list_invitations(caller: CurrentCaller, organisation_id: OrganisationId) -> InvitationList:
    """The open invitations of an organisation."""
    return InvitationList(
        [invitation_item(one) for one in await service.invitations_of(caller, organisation_id)]
    )


@post(
    "/organisations/{organisation_id:str}/invitations", operation_id="inviteMember", tags=["organisations"],
    summary="邀请成员 Invite a member",
    description="Mails a link that works once, within 7 days; the token is in the mail only. 发送一次性邀请邮件。",
    status_code=HTTP_201_CREATED, opt={"slowapi": "30/minute"},
    responses=problem_responses(
        NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, is_limited=True
    ),
)  # fmt: skip
async def invite_member(
    caller: CurrentCaller, organisation_id: OrganisationId, data: JSONBody[NewInvitation]
) -> Response[InvitationItem]:
    """Mail an invitation."""
    made = await service.invite_member(caller, organisation_id, data.email, list(data.roles))
    location = f"/platform/v1/organisations/{organisation_id}/invitations/{made.id}"
    return Response(invitation_item(made), headers={"Location": location})


@delete(
    "/organisations/{organisation_id:str}/invitations/{invitation_id:str}", operation_id="withdrawInvitation",
    tags=["organisations"], summary="撤回邀请 Withdraw an invitation",
    description="Its link stops working. 撤回邀请,链接随即失效。",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND),
)  # fmt: skip
async def withdraw_invitation(
    caller: CurrentCaller, organisation_id: OrganisationId, invitation_id: OtherId
) -> None:
    """Make an open invitation useless."""
    await service.withdraw_invitation(caller, organisation_id, invitation_id)


router = Router(
    "/platform/v1",
    cache_control=NO_STORE,
    route_handlers=[
        list_organisations, create_organisation, get_organisation, update_organisation, list_roles, list_members,
        set_roles, remove_member, list_invitations, invite_member, withdraw_invitation,
    ],
)  # fmt: skip
