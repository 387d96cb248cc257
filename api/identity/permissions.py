"""May *this caller* do it. Each rule twice: `check_can_x` raises with the reason, `can_x` is its bool twin.

Roles, in one organisation each: owner (everything), developer (apps), publisher (contracts), approver
(decisions), viewer (sees, changes nothing). Administrators look after organisations and people of the whole
platform, but hold no role in an organisation by that: they cannot act as its members. The operator (local
command line) may do everything here. An app with a `platform:` scope acts for its own organisation within
that scope; it never touches members, sessions or tokens.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from api.catalogue.permissions import CONTRACTS_SCOPE, SUBSCRIPTIONS_SCOPE
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import NOT_SIGNED_IN, PERMISSION_DENIED, SESSION_REQUIRED
from api.core.problems import Refusal, Text
from api.core.second_factor import check_second_factor, is_only_factor_missing


class Role(Struct, frozen=True):
    """A role in an organisation, with the words that people read."""

    name: str
    title: Text
    description: Text


ROLES = (
    Role("owner", Text("所有者", "Owner"),
         Text("可做一切,并管理成员。", "May do everything, and manages the members.")),
    Role("developer", Text("开发者", "Developer"),
         Text("管理应用、密钥与订阅。", "Manages apps, secrets and subscriptions.")),
    Role("publisher", Text("发布者", "Publisher"),
         Text("导入契约、发布与下线服务。", "Imports contracts, publishes and retires services.")),
    Role("approver", Text("审批人", "Approver"),
         Text("审批订阅与上线;不能审批自己的申请。", "Decides subscriptions and going live, never their own request.")),
    Role("viewer", Text("观察者", "Viewer"),
         Text("可查看,不可更改。", "Sees everything, changes nothing.")),
)  # fmt: skip
ROLE_NAMES = tuple(role.name for role in ROLES)
OWNER = frozenset({"owner"})
APP_EDITORS = frozenset({"owner", "developer"})
EVERYBODY = frozenset(ROLE_NAMES)

REQUESTS_READ = "platform:requests:read"
APPS_READ, APPS_WRITE = "platform:apps:read", "platform:apps:write"
ORGANISATIONS_READ = "platform:organisations:read"
SANDBOX_WRITE = "platform:sandbox:write"
EVENTS_READ, EVENTS_WRITE = "platform:events:read", "platform:events:write"
# What an owner may give an app; each scope acts within the app's own organisation only.
PLATFORM_SCOPES = {
    APPS_READ: Text("查看本组织的应用", "See the apps of its organisation"),
    APPS_WRITE: Text("管理本组织的应用与密钥", "Manage the apps and secrets of its organisation"),
    ORGANISATIONS_READ: Text("查看本组织及其成员", "See its organisation and the members"),
    SUBSCRIPTIONS_SCOPE: Text("管理本组织应用的订阅", "Manage the subscriptions of its organisation's apps"),
    CONTRACTS_SCOPE: Text("导入契约、发布到沙箱", "Import contracts and publish them in the sandbox"),
    REQUESTS_READ: Text(
        "查看本组织应用的请求日志与用量", "See the request log and usage of its organisation's apps"
    ),
    SANDBOX_WRITE: Text("重置自己的沙箱数据", "Reset its own data in the sandbox"),
    EVENTS_READ: Text("读取自己的事件;每个应用都可申请", "Read its own events; every app may ask for it"),
    EVENTS_WRITE: Text("以本部门服务的名义发布事件", "Tell events of its department's services"),
}


def roles_text(roles: Iterable[str]) -> Text:
    """`所有者或开发者`, `owner or developer`: for the facts of a refusal."""
    chosen = [role for role in ROLES if role.name in roles]
    return Text(
        "或".join(role.title.zh for role in chosen), " or ".join(role.title.en.lower() for role in chosen)
    )


def passes(check: Callable[..., None], *arguments: object) -> bool:
    """Whether a `check_can_x` lets it through, or would after a second factor: then a page offers it, and asks for that."""
    try:
        check(*arguments)
    except Refusal as refusal:
        return is_only_factor_missing(refusal)
    return True


def _check_role(
    caller: Caller, organisation_id: str, roles: frozenset[str], reason: Text, *, scope: str = ""
) -> None:
    if caller.kind == CallerKind.OPERATOR:
        return
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if caller.kind == CallerKind.APP:
        if scope and scope in caller.scopes and organisation_id in caller.organisations:
            return
        role = (
            Text(f"持有 {scope} 权限的应用", f"an app with the scope {scope}") if scope else roles_text(roles)
        )
        raise Refusal(PERMISSION_DENIED, reason=reason, role=role)
    if not caller.has_role(organisation_id, *roles):
        raise Refusal(PERMISSION_DENIED, reason=reason, role=roles_text(roles))


# --- oneself ------------------------------------------------------------------------------------
def check_is_person(caller: Caller) -> None:
    """A person, by session or personal token: whoever has a name, a password and memberships."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if caller.kind != CallerKind.PERSON:
        raise Refusal(
            PERMISSION_DENIED,
            reason=Text("此操作须由人进行。", "This is done by a person."),
            role=Text("成员", "a member"),
        )


def check_in_browser(caller: Caller, what: Text) -> None:
    """A person with a session; `what` says what a token can't do. Raises session-required."""
    check_is_person(caller)
    if caller.grant != "session":
        raise Refusal(SESSION_REQUIRED, what=what)


# --- organisations ------------------------------------------------------------------------------
def check_can_create_organisation(caller: Caller, kind: str) -> None:
    """A company: everyone signed in. A department: administrators and the operator.

    An individual one: nobody, it comes with the person.
    """
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if kind == "company" and caller.kind != CallerKind.APP:
        return
    if kind == "department" and caller.is_administrator and caller.kind != CallerKind.APP:
        check_second_factor(caller)
        return
    raise Refusal(
        PERMISSION_DENIED,
        reason=Text(f"你不能创建 {kind} 类组织。", f"You cannot create an organisation of kind {kind}."),
        role=Text("平台管理员", "administrator of the platform"),
    )


def can_create_organisation(caller: Caller, kind: str) -> bool:
    return passes(check_can_create_organisation, caller, kind)


def check_can_view_organisation(caller: Caller, organisation_id: str) -> None:
    """Members, administrators, the operator, and apps of it with `platform:organisations:read`."""
    if caller.kind == CallerKind.PERSON and caller.is_administrator:
        return
    reason = Text("组织的资料只对成员可见。", "An organisation is seen by its members.")
    _check_role(caller, organisation_id, EVERYBODY, reason, scope=ORGANISATIONS_READ)


def can_view_organisation(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_view_organisation, caller, organisation_id)


def check_can_manage_members(caller: Caller, organisation_id: str) -> None:
    """Owners; and administrators, who get a department's first owner in."""
    if caller.kind == CallerKind.PERSON and caller.is_administrator:
        if not caller.has_role(organisation_id, *OWNER):
            check_second_factor(caller)
        return
    reason = Text("只有所有者能管理组织与成员。", "Only owners manage an organisation and its members.")
    _check_role(caller, organisation_id, OWNER, reason)


def can_manage_members(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_manage_members, caller, organisation_id)


def check_can_invite_administrator(caller: Caller) -> None:
    """Administrators in their browser, and the operator."""
    if caller.kind == CallerKind.OPERATOR:
        return
    check_in_browser(caller, Text("邀请平台管理员", "invite an administrator"))
    if not caller.is_administrator:
        raise Refusal(
            PERMISSION_DENIED,
            reason=Text("只有管理员能邀请管理员。", "Only administrators invite administrators."),
            role=Text("平台管理员", "administrator of the platform"),
        )
    check_second_factor(caller)


def can_invite_administrator(caller: Caller) -> bool:
    return passes(check_can_invite_administrator, caller)


# --- apps ---------------------------------------------------------------------------------------
def check_can_view_app(caller: Caller, organisation_id: str) -> None:
    """Every member of the owning organisation, the operator, and its apps with `platform:apps:read`."""
    reason = Text("应用只对所属组织的成员可见。", "An app is seen by the members of its organisation.")
    scope = APPS_WRITE if APPS_WRITE in caller.scopes else APPS_READ
    _check_role(caller, organisation_id, EVERYBODY, reason, scope=scope)


def can_view_app(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_view_app, caller, organisation_id)


def check_can_edit_app(caller: Caller, organisation_id: str) -> None:
    """Owners and developers, the operator, and its apps with `platform:apps:write`."""
    reason = Text(
        "只有所有者与开发者能创建和更改应用。", "Only owners and developers create and change apps."
    )
    _check_role(caller, organisation_id, APP_EDITORS, reason, scope=APPS_WRITE)


def can_edit_app(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_edit_app, caller, organisation_id)


def check_can_go_live(caller: Caller, organisation_id: str) -> None:
    """Owners and developers as people, and the operator: somebody answers for the answers given."""
    reason = Text(
        "上线由所有者或开发者本人申请。", "Going live is asked for by an owner or developer in person."
    )
    _check_role(caller, organisation_id, APP_EDITORS, reason)


def can_go_live(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_go_live, caller, organisation_id)


def check_can_suspend_app(caller: Caller, organisation_id: str) -> None:
    """As `check_can_edit_app`; and administrators, who stop an app that does harm."""
    if caller.kind == CallerKind.PERSON and caller.is_administrator:
        if not caller.has_role(organisation_id, *APP_EDITORS):
            check_second_factor(caller)
        return
    check_can_edit_app(caller, organisation_id)


def can_suspend_app(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_suspend_app, caller, organisation_id)


def check_can_set_plan(caller: Caller) -> None:
    """Administrators and the operator: a larger plan is asked for, not taken."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if not caller.is_administrator or caller.kind == CallerKind.APP:
        raise Refusal(
            PERMISSION_DENIED,
            reason=Text(
                "应用的套餐由平台管理员设置。", "Administrators of the platform set the plan of an app."
            ),
            role=Text("平台管理员", "administrator of the platform"),
        )
    check_second_factor(caller)


def can_set_plan(caller: Caller) -> bool:
    return passes(check_can_set_plan, caller)


def check_can_give_platform_scopes(caller: Caller, organisation_id: str) -> None:
    """Owners in their browser, and the operator: an app must not widen its own rights, nor a token them."""
    if caller.kind != CallerKind.OPERATOR:
        check_in_browser(caller, Text("给应用平台权限", "give an app platform scopes"))
    reason = Text("只有所有者能给应用平台权限。", "Only owners give an app platform scopes.")
    _check_role(caller, organisation_id, OWNER, reason)


def can_give_platform_scopes(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_give_platform_scopes, caller, organisation_id)


def check_can_manage_registration(caller: Caller, organisation_id: str) -> None:
    """Owners as people, and the operator: they answer for the clients that register themselves."""
    reason = Text(
        "只有所有者能签发注册令牌。", "Only owners make the tokens with which clients register themselves."
    )
    _check_role(caller, organisation_id, OWNER, reason)


def can_manage_registration(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_manage_registration, caller, organisation_id)


def check_is_administrator(caller: Caller, reason: Text) -> None:
    """An administrator as a person with a second factor, or the operator. `reason` says what only they may do."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if not caller.is_administrator or caller.kind == CallerKind.APP:
        role = Text("平台管理员", "administrator of the platform")
        raise Refusal(PERMISSION_DENIED, reason=reason, role=role)
    check_second_factor(caller)
