"""Differences of one operation in policy, promises and texts: scopes, levels, bases, quotas, paging."""

from api.contract.diff_change import BREAKING, COMPATIBLE, DOCS, Teller
from api.contract.model import Basis, Grade

_STRICT_BASES = {Basis.CONSENT, Basis.SEPARATE_CONSENT, Basis.STATUTORY_DUTY}
_OPEN = ("open", "conditional", "closed")
_SHARE = ("unconditional", "conditional", "none")
_AUDIENCE = ("public", "third-party", "department")


def tell_policy(teller: Teller) -> None:
    """Everything that is no matter of bytes; stricter is breaking."""
    _scopes(teller)
    _level(teller)
    _purposes(teller)
    _access(teller)
    _features(teller)
    _texts(teller)


def _scopes(teller: Teller) -> None:
    old, new = set(teller.before.scopes), set(teller.after.scopes)
    for scope in sorted(new - old):
        said = (f"新要求权限范围 {scope}。", f"The scope {scope} is asked for now.")
        teller.tell("required", BREAKING, "scope-added", said)
    for scope in sorted(old - new):
        said = (f"不再要求权限范围 {scope}。", f"The scope {scope} is no longer asked for.")
        teller.tell("relaxed", COMPATIBLE, "scope-removed", said)


def _level(teller: Teller) -> None:
    old, new = teller.before, teller.after
    if (old.level, old.grade) != (new.level, new.grade):
        is_graver = new.grade is not old.grade and new.grade is not Grade.GENERAL
        was, now = f"{old.grade}/{old.level}", f"{new.grade}/{new.level}"
        said = (f"分级由 {was} 改为 {now}。", f"The level was {was} and is {now}.")
        teller.policy(is_stricter=new.level > old.level or is_graver, rule="level-changed", said=said)
    if old.basis != new.basis:
        said = (f"依据由 {old.basis} 改为 {new.basis}。", f"The basis was {old.basis} and is {new.basis}.")
        teller.policy(is_stricter=new.basis in _STRICT_BASES, rule="basis-changed", said=said)


def _purposes(teller: Teller) -> None:
    old, new = set(teller.before.purposes), set(teller.after.purposes)
    if old == new:
        return
    shown = ", ".join(teller.after.purposes) or "-"
    is_narrower = bool(new) and (not old or bool(old - new))
    said = (f"允许的用途改为 {shown}。", f"The allowed purposes are {shown} now.")
    teller.policy(is_stricter=is_narrower, rule="purpose-changed", said=said)


def _access(teller: Teller) -> None:
    old, new = teller.before, teller.after
    for rule, was, now, order in (
        ("open-changed", old.open, new.open, _OPEN),
        ("share-changed", old.share, new.share, _SHARE),
        ("audience-changed", old.audience, new.audience, _AUDIENCE),
    ):
        if was != now:
            key = "x-" + rule.removesuffix("-changed")
            said = (f"{key} 由 {was} 改为 {now}。", f"{key} was {was} and is {now}.")
            teller.policy(is_stricter=order.index(now) > order.index(was), rule=rule, said=said)
    if old.assurance != new.assurance:
        shown = new.assurance or "-"
        said = (f"身份保证要求改为 {shown}。", f"The assurance asked for is {shown} now.")
        teller.policy(is_stricter=bool(new.assurance), rule="assurance-changed", said=said)
    if old.quota != new.quota:
        said = (
            f"配额类别由 {old.quota} 改为 {new.quota}。",
            f"The quota class was {old.quota} and is {new.quota}.",
        )
        teller.policy(is_stricter=new.quota.weight > old.quota.weight, rule="quota-changed", said=said)


def _features(teller: Teller) -> None:
    old, new = teller.before, teller.after
    if old.pagination != new.pagination:
        teller.policy(
            is_stricter=True, rule="pagination-changed", said=("分页方式改变。", "The pagination changed.")
        )
    if old.idempotent != new.idempotent:
        said = (f"x-idempotent 改为 {new.idempotent}。", f"x-idempotent is {new.idempotent} now.")
        teller.policy(is_stricter=not new.idempotent, rule="idempotent-changed", said=said)
    if old.max_rows != new.max_rows:
        is_less = new.max_rows != 0 and (old.max_rows == 0 or new.max_rows < old.max_rows)
        said = (
            f"行数上限由 {old.max_rows} 改为 {new.max_rows}。",
            f"The bound on rows was {old.max_rows} and is {new.max_rows}.",
        )
        teller.policy(is_stricter=is_less, rule="max-rows-changed", said=said)
    if old.stream != new.stream:
        said = (f"x-stream 改为 {new.stream}。", f"x-stream is {new.stream} now.")
        teller.policy(is_stricter=not new.stream, rule="stream-changed", said=said)
    for rule, has_changed, said in (
        ("batch-changed", old.batch != new.batch, ("批量方式改变。", "The batching changed.")),
        (
            "cache-changed",
            old.cache_seconds != new.cache_seconds,
            ("缓存时间改变。", "The time in caches changed."),
        ),
        (
            "deprecation-changed",
            old.deprecation != new.deprecation,
            ("弃用信息改变。", "The deprecation changed."),
        ),
    ):
        if has_changed:
            teller.policy(is_stricter=False, rule=rule, said=said)


def _texts(teller: Teller) -> None:
    old, new = teller.before, teller.after
    if (old.summary, old.description, old.texts, old.tags) != (
        new.summary,
        new.description,
        new.texts,
        new.tags,
    ):
        said = ("标题、说明或标签有改动。", "Title, description or tags changed.")
        teller.tell("docs", DOCS, "operation-text", said)
    if old.scenarios != new.scenarios:
        teller.tell("docs", DOCS, "scenarios-changed", ("场景有改动。", "The scenarios changed."))
