"""May *this caller* do it. Each rule twice: `check_can_x` raises with the reason, `can_x` is its bool twin.

Roles in the owning organisation: owner (all), publisher (contracts), approver (decisions), developer (apps),
viewer. The operator (local command line) may do everything, except decide what only a second person may.
An app that calls with a `platform:` scope acts for its organisation in what is named here and nothing else:
it never decides, and never asks for live publication, because a person behind it could then approve alone.
"""

from collections.abc import Callable, Iterable

from api.catalogue.models import Approval
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import NOT_SIGNED_IN, OWN_REQUEST, PERMISSION_DENIED
from api.core.problems import Refusal, Text
from api.core.second_factor import check_second_factor, is_only_factor_missing

PUBLISHERS = frozenset({"owner", "publisher"})
DECIDERS = frozenset({"owner", "approver"})
DEVELOPERS = frozenset({"owner", "developer"})

CONTRACTS_SCOPE = "platform:contracts:write"
SUBSCRIPTIONS_SCOPE = "platform:subscriptions:write"
APPS_SCOPE = "platform:apps:write"  # who makes an app may subscribe it
APPS_READ_SCOPE = "platform:apps:read"

PUBLISH_LIVE, SUBSCRIPTION, APP_LIVE = "publish-live", "subscription", "app-live"

_ROLE_NAMES = {
    "owner": ("所有者", "owner"),
    "publisher": ("发布者", "publisher"),
    "approver": ("审批人", "approver"),
    "developer": ("开发者", "developer"),
}


def _roles_text(roles: Iterable[str]) -> Text:
    names = [_ROLE_NAMES[role] for role in sorted(roles)]
    return Text("或".join(zh for zh, _ in names), " or ".join(en for _, en in names))


def _denied(zh: str, en: str, role: Text) -> Refusal:
    return Refusal(PERMISSION_DENIED, reason=Text(zh, en), role=role)


def passes(check: Callable[..., None], *arguments: object) -> bool:
    """Whether a `check_can_x` lets it through, or would after a second factor: then a page offers it, and asks for that."""
    try:
        check(*arguments)
    except Refusal as refusal:
        return is_only_factor_missing(refusal)
    return True


def _app_has(caller: Caller, *scopes: str) -> bool:
    """Whether the caller is no app, or one with one of these scopes: membership alone opens nothing to a token."""
    return caller.kind != CallerKind.APP or bool(caller.scopes & set(scopes))


def requester_of(caller: Caller) -> str:
    """How rows name the caller: a person by id, others as the journal does ("operator:local", "app:a_…")."""
    return caller.id if caller.kind == CallerKind.PERSON else caller.actor


def _check_role(
    caller: Caller, organisation_id: str, roles: frozenset[str], scope: str, zh: str, en: str
) -> None:
    if caller.kind == CallerKind.OPERATOR:
        return
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if caller.kind == CallerKind.APP and scope:
        if organisation_id in caller.organisations and scope in caller.scopes:
            return
        raise _denied(zh, en, Text(f"持有 {scope} 权限的应用", f"an app with the scope {scope}"))
    if not caller.has_role(organisation_id, *roles):
        raise _denied(zh, en, _roles_text(roles))


# --- contracts ----------------------------------------------------------------------------------
def check_can_import(caller: Caller, organisation_id: str) -> None:
    """Owners and publishers of the department, the operator, and its apps with `platform:contracts:write`."""
    _check_role(
        caller, organisation_id, PUBLISHERS, CONTRACTS_SCOPE,
        "只有主管部门的发布者能导入与修改契约。", "Only publishers of the owning department import and edit contracts.",
    )  # fmt: skip


def can_import(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_import, caller, organisation_id)


def check_can_publish(caller: Caller, organisation_id: str, environment: str) -> None:
    """As `check_can_import`; for live a person or the operator, never an app."""
    zh, en = (
        "只有主管部门的发布者能发布与下线服务。",
        "Only publishers of the owning department publish and retire services.",
    )
    scope = CONTRACTS_SCOPE if environment == "sandbox" else ""
    _check_role(caller, organisation_id, PUBLISHERS, scope, zh, en)
    if environment != "sandbox":
        check_second_factor(caller)


def can_publish(caller: Caller, organisation_id: str, environment: str) -> bool:
    return passes(check_can_publish, caller, organisation_id, environment)


def check_can_keep_agents(caller: Caller, organisation_id: str, environment: str) -> None:
    """Owners and publishers of the department and the operator make agents and their credentials; never an app."""
    zh, en = "只有主管部门的发布者能设置代理。", "Only publishers of the owning department keep its agents."
    _check_role(caller, organisation_id, PUBLISHERS, "", zh, en)
    if environment != "sandbox":
        check_second_factor(caller)


def can_keep_agents(caller: Caller, organisation_id: str, environment: str = "sandbox") -> bool:
    return passes(check_can_keep_agents, caller, organisation_id, environment)


def check_can_set_upstream(caller: Caller) -> None:
    """Operators only: an upstream is an address that our servers call (design §6)."""
    if caller.kind != CallerKind.OPERATOR and not (
        caller.kind == CallerKind.PERSON and caller.is_administrator
    ):
        raise _denied(
            "上游地址只由平台运维设置。", "Upstreams are set by operators of the platform only.",
            Text("平台管理员(或在服务器上运行 kaimen contract publish --upstream)",
                 "administrator of the platform (or runs kaimen contract publish --upstream on the server)"),
        )  # fmt: skip
    check_second_factor(caller)


def can_set_upstream(caller: Caller) -> bool:
    return passes(check_can_set_upstream, caller)


def check_can_see_draft(caller: Caller, organisation_id: str) -> None:
    """Members of the owning organisation in any role, its apps with the scope, administrators and the operator."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    is_member = organisation_id in caller.organisations and _app_has(caller, CONTRACTS_SCOPE)
    if not (caller.is_administrator or is_member):
        raise _denied(
            "草稿只对主管部门的成员可见。", "Drafts are seen by members of the owning department only.",
            Text("主管部门的成员", "a member"),
        )  # fmt: skip


def can_see_draft(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_see_draft, caller, organisation_id)


def check_can_set_plan(caller: Caller) -> None:
    """Operators and administrators."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if not caller.is_administrator:
        raise _denied(
            "套餐由平台管理员设置。", "Plans are set by administrators of the platform.",
            Text("平台管理员", "administrator of the platform"),
        )  # fmt: skip
    check_second_factor(caller)


def can_set_plan(caller: Caller) -> bool:
    return passes(check_can_set_plan, caller)


# --- subscriptions ------------------------------------------------------------------------------
def check_can_subscribe(caller: Caller, organisation_id: str) -> None:
    """Owners and developers of the app's organisation, the operator, its apps with one of the two scopes."""
    scope = APPS_SCOPE if APPS_SCOPE in caller.scopes else SUBSCRIPTIONS_SCOPE
    _check_role(
        caller, organisation_id, DEVELOPERS, scope,
        "只有应用所属组织的开发者能管理它的订阅。", "Only developers of the app's organisation manage its subscriptions.",
    )  # fmt: skip


def can_subscribe(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_subscribe, caller, organisation_id)


def check_can_see_subscriptions(caller: Caller, organisation_id: str) -> None:
    """Members of the organisation, its apps with a scope for apps or subscriptions, administrators, the operator."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    is_member = organisation_id in caller.organisations and _app_has(
        caller, SUBSCRIPTIONS_SCOPE, APPS_SCOPE, APPS_READ_SCOPE
    )
    if not (caller.is_administrator or is_member):
        raise _denied(
            "订阅只对所属组织的成员可见。", "Subscriptions are seen by members of the organisation only.",
            Text("组织的成员", "a member"),
        )  # fmt: skip


def can_see_subscriptions(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_see_subscriptions, caller, organisation_id)


def check_can_suspend(caller: Caller, organisation_id: str) -> None:
    """Owners and approvers of the service's department, and the operator."""
    _check_role(
        caller, organisation_id, DECIDERS, "",
        "只有主管部门的审批人能暂停与恢复订阅。", "Only approvers of the owning department suspend and resume subscriptions.",
    )  # fmt: skip
    check_second_factor(caller)


def can_suspend(caller: Caller, organisation_id: str) -> bool:
    return passes(check_can_suspend, caller, organisation_id)


# --- approvals ----------------------------------------------------------------------------------
def check_can_see_approval(caller: Caller, approval: Approval) -> None:
    """The requester, the organisation that asked, the one that decides, administrators and the operator."""
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    scope = CONTRACTS_SCOPE if approval.kind == PUBLISH_LIVE else SUBSCRIPTIONS_SCOPE
    mine = set(caller.organisations) if _app_has(caller, scope) else set()
    concerned = {approval.organisation_id, *approval.payload.get("parties", [])}
    is_own = caller.kind == CallerKind.PERSON and approval.requested_by == caller.id
    if not (caller.is_administrator or is_own or mine & concerned):
        raise _denied("无权查看此申请。", "You may not see this request.", Text("有关组织的成员", "a member"))


def can_see_approval(caller: Caller, approval: Approval) -> bool:
    return passes(check_can_see_approval, caller, approval)


def check_can_decide(
    caller: Caller, approval: Approval, memberships: frozenset[str], requester_now: frozenset[str]
) -> None:
    """Four eyes (design §4, N10): nobody decides what he asked for.

    - Never the requester; never an app; the operator only what it did not request itself.
    - `publish-live`: another person of the owning department, as owner or approver; not the operator.
    - every other kind: an owner or approver of the deciding organisation who shares no organisation with the
      requester. `memberships` are the caller's organisations now, `requester_now` those of the requester now;
      the organisations of the moment of the request are barred too (`requester_organisations`).
    - Where the deciding organisation is itself the requester's, all of its members are barred; then an
      unconnected administrator of the platform decides.
    - Always in a session that showed a second factor (mfa-required).
    """
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if requester_of(caller) == approval.requested_by:
        raise Refusal(OWN_REQUEST, rule="four-eyes-requester")
    role = _roles_text(DECIDERS)
    if caller.kind == CallerKind.APP:
        raise _denied("审批须由人作出。", "A decision is made by a person.", role)
    is_decider = caller.has_role(approval.organisation_id, *DECIDERS)
    if approval.kind == PUBLISH_LIVE:
        if not is_decider:
            raise _denied(
                "正式发布由主管部门的另一位审批人决定。",
                "Going live is decided by another approver of the owning department.",
                role,
            )
        check_second_factor(caller)
        return
    if caller.kind == CallerKind.OPERATOR:
        return
    barred = set(approval.requester_organisations) | requester_now
    if barred & (memberships | set(caller.organisations)):
        raise Refusal(OWN_REQUEST, rule="four-eyes-organisation")
    if is_decider or (caller.is_administrator and approval.organisation_id in barred):
        check_second_factor(caller)
        return
    if approval.organisation_id in barred:
        role = Text("与申请无关的平台管理员", "administrator of the platform, unconnected with the request")
    raise _denied(
        "此申请由主管部门的审批人决定。", "This is decided by approvers of the owning department.", role
    )


def can_decide(
    caller: Caller, approval: Approval, memberships: frozenset[str], requester_now: frozenset[str]
) -> bool:
    return passes(check_can_decide, caller, approval, memberships, requester_now)
