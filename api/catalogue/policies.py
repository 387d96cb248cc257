"""Is the *thing* in a state that allows it: life of a version, of a publication, of a subscription, of an approval.

Pure functions of states and dates; who may do it is permissions.py.

A service version (`x-status`)

    alpha ──► beta ──► stable          forward only: a promise is not taken back
      │        │         │
      └────────┴────┬────┘  retire: a sunset at least 6 months away, or a reason
                    ▼
               deprecated ──────────► retired      at the sunset; nothing leads back
                    │
                    └──► alpha, beta or stable     undone before the sunset: what it was

A publication (a version in one environment)

    pending ──► published ◄──► retired             live passes through pending, the sandbox does not
       └──────────────────────────► (no row)       rejected or cancelled before it was ever published

A subscription

    pending ──► active ◄──► suspended
       │ │        │
       │ └► rejected ─► (asked again: pending or active)
       └► cancelled ◄─┘ ─► (asked again)

An approval: pending ──► approved, rejected or cancelled, once.
"""

from datetime import date, datetime, timedelta

from api.contract.model import Status
from api.core.problem_types_platform import CONFLICT, PUBLISH_REFUSED
from api.core.problems import Refusal, Text

NOTICE_DAYS = 183  # six months, as HMRC and most public platforms promise

STATUS_TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.ALPHA: frozenset({Status.BETA, Status.STABLE, Status.DEPRECATED}),
    Status.BETA: frozenset({Status.STABLE, Status.DEPRECATED}),
    Status.STABLE: frozenset({Status.DEPRECATED}),
    Status.DEPRECATED: frozenset({Status.ALPHA, Status.BETA, Status.STABLE, Status.RETIRED}),
    Status.RETIRED: frozenset(),
}
SUBSCRIPTION_TRANSITIONS: dict[str, frozenset[str]] = {
    "pending": frozenset({"active", "rejected", "cancelled"}),
    "active": frozenset({"suspended", "cancelled"}),
    "suspended": frozenset({"active"}),
    "rejected": frozenset({"pending", "active"}),
    "cancelled": frozenset({"pending", "active"}),
}


def can_change_status(old: Status, new: Status, *, before: str = "") -> bool:
    """Whether a version may go from `old` to `new`; `before` is what a deprecated version was."""
    if old == Status.DEPRECATED and new not in {Status.RETIRED, Status.DEPRECATED}:
        return new.value == before
    return new in STATUS_TRANSITIONS[old]


def check_can_change_status(old: Status, new: Status, *, before: str = "") -> None:
    """Refuses (conflict) a status that the diagram does not lead to."""
    if can_change_status(old, new, before=before):
        return
    allowed = [status.value for status in Status if can_change_status(old, status, before=before)]
    raise Refusal(
        CONFLICT,
        rule="status-transition",
        reason=Text(
            f"状态不能从 {old.value} 变为 {new.value}。",
            f"A version does not go from {old.value} to {new.value}.",
        ),
        following=Text(
            f"可变为:{'、'.join(allowed) or '无'}。",
            f"It may become: {', '.join(allowed) or 'nothing else'}.",
        ),
    )


def status_after_import(present: Status, wanted: Status | None) -> Status:
    """The status at the next publish when a new edition of the document says `wanted` (None: it says nothing).

    Only a step forward is taken from a document; deprecating and retiring take `retire`, with its notice.
    """
    forward = {Status.BETA, Status.STABLE}
    is_step = wanted in forward and present != Status.DEPRECATED and can_change_status(present, wanted)
    return wanted if is_step and wanted is not None else present


def check_sunset(sunset: date, today: date, *, reason: str) -> None:
    """Refuses (conflict) a sunset in the past, or without six months' notice where no reason is given."""
    if sunset < today:
        raise Refusal(
            CONFLICT,
            rule="sunset-past",
            reason=Text(f"下线日期 {sunset} 已过。", f"The sunset {sunset} has passed."),
            following=Text("选择今天或以后的日期。", "Choose today or later."),
        )
    earliest = today + timedelta(days=NOTICE_DAYS)
    if sunset < earliest and not reason.strip():
        raise Refusal(
            CONFLICT,
            rule="sunset-notice",
            reason=Text(
                f"下线须提前 6 个月通知,最早 {earliest}。", f"Retiring takes six months' notice: {earliest} at the earliest."
            ),
            following=Text("推迟日期,或写明提前下线的原因。", "Choose a later date, or give a reason for the short notice."),
        )  # fmt: skip


def can_unretire(status: Status, sunset: str, now: datetime) -> bool:
    """Whether a retirement may still be undone: deprecated, and the sunset is not reached."""
    return status == Status.DEPRECATED and (not sunset or now.date() < date.fromisoformat(sunset))


def check_can_publish(status: Status, rest_verdict: str, key: str) -> None:
    """Refuses (publish-refused) a retired version, and a contract that the REST face refused."""
    if status == Status.RETIRED:
        raise Refusal(
            PUBLISH_REFUSED,
            rule="publish-retired",
            service=key,
            reason=Text(f"{key} 已下线。", f"{key} is retired."),
            following=Text("以新的主版本导入契约。", "Import the contract under a new major version."),
        )
    if rest_verdict not in {"ok", "degraded"}:
        raise Refusal(
            PUBLISH_REFUSED,
            rule="publish-verdict",
            service=key,
            reason=Text(f"{key} 的契约未被 REST 接口接受。", f"The REST face refused the contract of {key}."),
            following=Text(
                "按 findings 与 verdicts 的原因改正后重新导入。",
                "Mend what findings and verdicts name, and import it again.",
            ),
        )


def can_become(old: str, new: str) -> bool:
    """Whether a subscription may go from `old` to `new`."""
    return new in SUBSCRIPTION_TRANSITIONS[old]


def check_can_become(old: str, new: str) -> None:
    """Refuses (conflict) a subscription status that the diagram does not lead to."""
    if can_become(old, new):
        return
    following = {
        "suspended": Text("请主管部门恢复。", "Ask the owning department to resume it."),
        "pending": Text("等待审批,或先撤回。", "Wait for the decision, or withdraw it first."),
    }.get(old, Text("刷新后查看现状。", "Look at its present state."))
    raise Refusal(
        CONFLICT,
        rule="subscription-transition",
        reason=Text(
            f"订阅现为 {old},不能变为 {new}。", f"The subscription is {old} and does not become {new}."
        ),
        following=following,
    )
