"""Is the *thing* in a state that allows it: the life of an app, of its secrets, of a link, of an owner.

Pure functions of states and dates. Who may do it is permissions.py; that two approve is the catalogue's.

    active ──suspend──► suspended        An app. Deleted ones come back, as what they were, for 30 days.
       ▲ ▲                │   │
       │ └────resume──────┘   │
       │                      │
       └─restore─ deleted ◄───┴─delete (also from active)
"""

from datetime import datetime, timedelta

from api.core.problem_types_platform import CONFLICT, LINK_SPENT
from api.core.problems import Refusal, Text

MAX_ACTIVE_SECRETS = 5
MAX_ACTIVE_TOKENS = 20
MAX_APPS = 200  # of one organisation, deleted ones not counted
UNDO_DAYS = 30

ACTIVE, SUSPENDED, DELETED = "active", "suspended", "deleted"
# action: (from which states, to which)
APP_ACTIONS: dict[str, tuple[frozenset[str], str]] = {
    "change": (frozenset({ACTIVE, SUSPENDED}), ""),
    "suspend": (frozenset({ACTIVE}), SUSPENDED),
    "resume": (frozenset({SUSPENDED}), ACTIVE),
    "delete": (frozenset({ACTIVE, SUSPENDED}), DELETED),
    "restore": (frozenset({DELETED}), ""),
    "go-live": (frozenset({ACTIVE}), ""),
}
_FOLLOWING = {
    ACTIVE: Text("应用处于启用状态。", "The app is active."),
    SUSPENDED: Text("先恢复应用(resume)。", "Resume the app first."),
    DELETED: Text(f"删除后 {UNDO_DAYS} 天内可恢复(restore)。", f"Restore it first, within {UNDO_DAYS} days."),
}


def can_act_on_app(action: str, status: str) -> bool:
    """Whether an app of this status allows the action (a key of APP_ACTIONS)."""
    return status in APP_ACTIONS[action][0]


def check_can_act_on_app(action: str, status: str) -> None:
    """Refuses (conflict) an action that the app's status does not allow."""
    if can_act_on_app(action, status):
        return
    raise Refusal(
        CONFLICT,
        rule="app-status",
        status=status,
        reason=Text(f"应用的状态是 {status},不能 {action}。", f"The app is {status}; it allows no {action}."),
        following=_FOLLOWING[status],
    )


def can_restore(deleted_at: datetime | None, now: datetime) -> bool:
    """Whether a deleted app is still within its undo time."""
    return deleted_at is not None and now - deleted_at < timedelta(days=UNDO_DAYS)


def check_can_restore(deleted_at: datetime | None, now: datetime) -> None:
    """Refuses (conflict) to bring back what was deleted too long ago."""
    if not can_restore(deleted_at, now):
        raise Refusal(
            CONFLICT,
            rule="app-undo-time",
            reason=Text(f"删除已超过 {UNDO_DAYS} 天。", f"It was deleted more than {UNDO_DAYS} days ago."),
            following=Text("注册新的应用。", "Register a new app."),
        )


def can_add_app(apps: int) -> bool:
    """Whether an organisation with so many apps may have one more."""
    return apps < MAX_APPS


def check_can_add_app(apps: int) -> None:
    """Refuses (conflict) one app too many."""
    if not can_add_app(apps):
        raise Refusal(
            CONFLICT,
            rule="app-limit",
            limit=MAX_APPS,
            reason=Text(
                f"一个组织最多有 {MAX_APPS} 个应用。", f"An organisation has at most {MAX_APPS} apps."
            ),
            following=Text("删除不再使用的应用。", "Delete those that are no longer used."),
        )


def is_secret_active(expires_at: datetime | None, revoked_at: datetime | None, now: datetime) -> bool:
    """Whether a secret or a personal token still opens anything."""
    return revoked_at is None and (expires_at is None or expires_at > now)


def can_add_secret(active: int) -> bool:
    """Whether an app with so many active secrets may have one more."""
    return active < MAX_ACTIVE_SECRETS


def check_can_add_secret(active: int) -> None:
    """Refuses (conflict) the sixth active secret."""
    if not can_add_secret(active):
        raise Refusal(
            CONFLICT,
            rule="secret-limit",
            limit=MAX_ACTIVE_SECRETS,
            reason=Text(
                f"应用最多有 {MAX_ACTIVE_SECRETS} 个有效密钥。",
                f"An app has at most {MAX_ACTIVE_SECRETS} active secrets.",
            ),
            following=Text("先吊销一个不再使用的密钥。", "Revoke one that is no longer used."),
        )


def can_add_token(active: int) -> bool:
    """Whether a person with so many active personal tokens may have one more."""
    return active < MAX_ACTIVE_TOKENS


def check_can_add_token(active: int) -> None:
    """Refuses (conflict) one personal token too many."""
    if not can_add_token(active):
        raise Refusal(
            CONFLICT,
            rule="token-limit",
            limit=MAX_ACTIVE_TOKENS,
            reason=Text(
                f"每人最多有 {MAX_ACTIVE_TOKENS} 个有效的个人令牌。",
                f"A person has at most {MAX_ACTIVE_TOKENS} active personal tokens.",
            ),
            following=Text("先吊销一个不再使用的令牌。", "Revoke one that is no longer used."),
        )


def can_use_link(used_at: datetime | None, expires_at: datetime, now: datetime) -> bool:
    """Whether a single-use link still works."""
    return used_at is None and now < expires_at


def check_can_use_link(used_at: datetime | None, expires_at: datetime, now: datetime) -> None:
    """Refuses (link-spent) a used or expired link."""
    if not can_use_link(used_at, expires_at, now):
        raise Refusal(LINK_SPENT)


def can_lose_owner(owners_left: int) -> bool:
    """Whether an organisation may go on with so many owners."""
    return owners_left >= 1


def check_can_lose_owner(owners_left: int) -> None:
    """Refuses (conflict) to leave an organisation without an owner."""
    if not can_lose_owner(owners_left):
        raise Refusal(
            CONFLICT,
            rule="last-owner",
            reason=Text("组织至少要有一位所有者。", "An organisation keeps at least one owner."),
            following=Text("先让另一位成员成为所有者。", "Make another member an owner first."),
        )
