"""The life of a version: status, deprecation with its sunset, retirement, and undoing it in time (policies.py).

A retirement with notice concerns the version as a whole: it is deprecated now, every answer carries
`Deprecation` and `Sunset`, its subscribers are told, and at the sunset `retire_due` takes it out of service.
Taking it out of one environment at once is for emergencies and mistakes: it takes a reason.
"""

from datetime import date, timedelta

from msgspec import Struct

from api.catalogue import approvals, notices
from api.catalogue.drafts import get_version
from api.catalogue.inputs import clean_text
from api.catalogue.models import Publication, Subscription, VersionRecord
from api.catalogue.permissions import PUBLISH_LIVE, check_can_publish, requester_of
from api.catalogue.policies import NOTICE_DAYS, can_unretire, check_can_change_status, check_sunset
from api.catalogue.rights import owner_of
from api.catalogue.stamps import stamp_publications
from api.contract.model import Status
from api.core import audit, clock
from api.core.audit import Entry
from api.core.caller import OPERATOR, Caller
from api.core.problem_types_platform import CONFLICT
from api.core.problems import Refusal, Text

REASON_LIMIT = 500


class Retirement(Struct, frozen=True):
    """The outcome of `retire`. `state` is retiring (until `sunset`) or retired; `told` counts mails."""

    version_id: str
    state: str
    environments: tuple[str, ...]
    sunset: str
    told: int = 0


async def set_status(caller: Caller, version_id: str, status: Status) -> VersionRecord:
    """Move a version forward: alpha, beta, stable. What is published of it says so at once.

    Errors: not-found, permission-denied, conflict (the diagram forbids it; deprecating takes `retire`).
    """
    version = await get_version(version_id)
    owner = await owner_of(version.service)
    check_can_publish(caller, owner, "live" if await _is_live(version_id) else "sandbox")
    if version.status == status:
        return version
    if status in {Status.DEPRECATED, Status.RETIRED} or version.status == Status.DEPRECATED:
        raise Refusal(
            CONFLICT,
            rule="status-transition",
            reason=Text(
                "弃用、下线与恢复不在此处进行。", "Deprecating, retiring and undoing it are not done here."
            ),
            following=Text("使用 retire 或 unretire。", "Use retire or unretire."),
        )
    async with audit.write(
        caller.actor, "version:status", f"version/{version_id}", organisation=owner, old=version.status, new=status.value
    ) as entry:  # fmt: skip
        await _turn(entry, version, status)
    return version


async def _turn(entry: Entry, version: VersionRecord, status: Status) -> None:
    """One conditional update to the status, then the stamps; `version` is brought up to date."""
    fresh = await get_version(version.id)
    check_can_change_status(Status(fresh.status), status, before=fresh.status_before)
    if status == Status.DEPRECATED:
        version.status_before = fresh.status
    elif status != Status.RETIRED:
        version.status_before, version.deprecation = "", {}
    version.status = status.value
    await VersionRecord.filter(id=version.id, status=fresh.status).update(
        status=version.status, status_before=version.status_before, deprecation=version.deprecation
    )
    await stamp_publications(entry, version)
    entry.emit("gov.kaimen.version.status", f"version/{version.id}",
               {"service": version.id, "old": fresh.status, "new": version.status, **version.deprecation})  # fmt: skip


async def _is_live(version_id: str) -> bool:
    return await Publication.exists(id=f"{version_id}/live", state="published")


async def retire(
    caller: Caller, version_id: str, environment: str = "", *, sunset: date | None = None, reason: str = "",
    successor: str = "", guide: str = "",
) -> Retirement:  # fmt: skip
    """Retire a version with six months' notice, or with a reason sooner (also at once, `sunset` None or today).

    Without a reason `sunset` None is the earliest date that keeps the notice. `environment` with a reason takes
    the version out of that environment only, at once (see `withdraw`); without one it must name the only
    environment there is. `successor` (company@v2) and `guide` (a URL) go into the headers and mails.

    Errors: not-found, permission-denied, conflict (notice, status, two environments).
    """
    reason = clean_text("/reason", reason, maximum=REASON_LIMIT)
    successor = clean_text("/successor", successor, maximum=80)
    guide = clean_text("/guide", guide, maximum=300)
    version = await get_version(version_id)
    places = [row.environment for row in await Publication.filter(version_id=version_id, state="published")]
    if environment and reason and sunset is None:
        return await withdraw(caller, version_id, environment, reason=reason)
    if environment and set(places) - {environment}:
        raise Refusal(
            CONFLICT,
            rule="retire-whole-version",
            reason=Text(
                f"{version_id} 发布在 {'、'.join(places)};带通知的下线针对整个版本。",
                f"{version_id} is published in {' and '.join(places)}; retiring with notice is for the version as a whole.",
            ),
            following=Text(
                "去掉 environment,或写明立即从该环境撤下的原因。",
                "Leave the environment out, or give a reason to take it out of that one at once.",
            ),
        )
    owner = await owner_of(version.service)
    check_can_publish(caller, owner, "live" if "live" in places else "sandbox")
    today = clock.now().date()
    end = sunset or (today if reason else today + timedelta(days=NOTICE_DAYS))
    check_sunset(end, today, reason=reason)
    async with audit.write(
        caller.actor, "version:retire", f"version/{version_id}", organisation=owner, sunset=end.isoformat(),
        reason=reason, successor=successor,
    ) as entry:  # fmt: skip
        facts = {
            "at": today.isoformat(),
            "sunset": end.isoformat(),
            "successor": successor,
            "guide": guide,
            "reason": reason,
        }
        version.deprecation = {key: text for key, text in facts.items() if text}
        if version.status == Status.DEPRECATED:  # a new sunset for what is retiring already
            await _move_sunset(entry, version)
        else:
            await _turn(entry, version, Status.DEPRECATED)
        told = await _tell(version, end)
        if end <= today:
            await _end(entry, version)
    state = "retired" if end <= today else "retiring"
    return Retirement(version_id, state, tuple(sorted(places)), end.isoformat(), told)


async def _move_sunset(entry: Entry, version: VersionRecord) -> None:
    """`Sunset` is a promise to subscribers (RFC 8594): it moves later freely, earlier with a reason only."""
    fresh = await get_version(version.id)
    known, wanted = str(fresh.deprecation.get("sunset", "")), str(version.deprecation["sunset"])
    if wanted < known and not version.deprecation.get("reason"):
        raise Refusal(
            CONFLICT,
            rule="sunset-earlier",
            reason=Text(f"已公布的下线日期是 {known},不能无故提前。", f"The announced sunset is {known}; it is not moved earlier without a reason."),
            following=Text("写明原因,或选择更晚的日期。", "Give a reason, or choose a later date."),
        )  # fmt: skip
    version.deprecation = {
        **version.deprecation,
        "at": fresh.deprecation.get("at", version.deprecation["at"]),
    }
    await VersionRecord.filter(id=version.id).update(deprecation=version.deprecation)
    await stamp_publications(entry, version)


async def _tell(version: VersionRecord, end: date) -> int:
    organisations = await Subscription.filter(
        version_id=version.id, status__in=["active", "pending"]
    ).values_list("organisation_id", flat=True)  # fmt: skip
    successor = version.deprecation.get("successor") or "—"
    return await notices.tell_subscribers(
        {str(one) for one in organisations},
        Text(f"{version.id} 将于 {end} 下线", f"{version.id} will be retired on {end}"),
        Text(
            f"{version.id} 将于 {end} 下线,此后的调用返回 410。\n后继版本:{successor}。",
            f"{version.id} will be retired on {end}; calls after that are answered 410.\nSuccessor: {successor}.",
        ),
        f"/services/{version.id}",
    )


async def unretire(caller: Caller, version_id: str) -> VersionRecord:
    """Undo a retirement before its sunset: the version is again what it was. Errors: as `retire`."""
    version = await get_version(version_id)
    owner = await owner_of(version.service)
    check_can_publish(caller, owner, "live" if await _is_live(version_id) else "sandbox")
    sunset = str(version.deprecation.get("sunset", ""))
    if not can_unretire(Status(version.status), sunset, clock.now()):
        raise Refusal(
            CONFLICT,
            rule="unretire",
            reason=Text(
                f"{version_id} 现为 {version.status},下线日期 {sunset or '无'}。",
                f"{version_id} is {version.status}, its sunset is {sunset or 'none'}.",
            ),
            following=Text("只有下线日期之前可以恢复。", "A retirement is undone before its sunset only."),
        )
    before = Status(version.status_before or Status.STABLE.value)
    async with audit.write(
        caller.actor, "version:unretire", f"version/{version_id}", organisation=owner, status=before.value
    ) as entry:
        await _turn(entry, version, before)
    return version


async def withdraw(caller: Caller, version_id: str, environment: str, *, reason: str) -> Retirement:
    """Take a version out of one environment at once; the reason is kept. It may be published there again.

    A release that waits for its approval there is withdrawn too. Errors: not-found, permission-denied,
    input-invalid (no reason), conflict (not published there).
    """
    version = await get_version(version_id)
    owner = await owner_of(version.service)
    check_can_publish(caller, owner, environment)
    reason = clean_text("/reason", reason, minimum=1, maximum=REASON_LIMIT)  # apps stop working
    async with audit.write(
        caller.actor, "publication:withdraw", f"publication/{version_id}/{environment}", organisation=owner, reason=reason
    ) as entry:  # fmt: skip
        await _take_out(entry, version, environment, by=requester_of(caller))
    return Retirement(version_id, "retired", (environment,), clock.now().date().isoformat())


async def _take_out(entry: Entry, version: VersionRecord, environment: str, *, by: str) -> None:
    key = f"{version.id}/{environment}"
    await approvals.withdraw_for(entry, PUBLISH_LIVE, key, by=by)
    changed = await Publication.filter(id=key, state__in=["published", "pending"]).update(
        state="retired", retired_at=clock.now(), approval_id=""
    )
    if not changed:
        raise Refusal(
            CONFLICT,
            rule="not-published",
            reason=Text(
                f"{version.id} 没有发布在 {environment}。", f"{version.id} is not published in {environment}."
            ),
            following=Text("查看它发布在哪里。", "Look where it is published."),
        )
    entry.changed("publication", key)
    entry.emit("gov.kaimen.publication.retired", f"publication/{key}", {"service": version.id, "environment": environment})  # fmt: skip


async def _end(entry: Entry, version: VersionRecord) -> None:
    """Retired: out of every environment, for good."""
    await _turn(entry, version, Status.RETIRED)
    for row in await Publication.filter(version_id=version.id, state__in=["published", "pending"]):
        await _take_out(entry, version, row.environment, by="operator:local")


async def retire_due() -> list[str]:
    """Retire every version whose sunset has come; returns their ids. Run it at start and every minute."""
    today = clock.now().date().isoformat()
    done = []
    for version in await VersionRecord.filter(status=Status.DEPRECATED.value):
        sunset = str(version.deprecation.get("sunset", ""))
        if not sunset or sunset > today:
            continue
        owner = await owner_of(version.service)
        async with audit.write(
            OPERATOR.actor, "version:retired", f"version/{version.id}", organisation=owner, sunset=sunset
        ) as entry:
            fresh = await get_version(version.id)  # another process may have been first, or it was undone
            if fresh.status == Status.DEPRECATED and fresh.deprecation.get("sunset") == sunset:
                await _end(entry, fresh)
                done.append(version.id)
    return done
