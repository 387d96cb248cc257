"""What the sandbox does for an app, beside answering its calls: clock, fresh start, states kept under names.

Every function checks that the caller may change the app. `app_id` "" has been filled in by the route.
"""

from datetime import datetime, timedelta

from api.core import clock as real_clock
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, INPUT_INVALID, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.apps.rows import WHAT, find_app
from sandbox.city.app_clocks import EARLIEST, LATEST, START, advanced
from sandbox.city.base import CityMissing
from sandbox.city.clock import local_text, now_of
from sandbox.city.connector import CitySide
from sandbox.city.permissions import check_can_reset
from sandbox.city.sandboxes import (
    BEFORE,
    MOST_SNAPSHOTS,
    BackwardsError,
    Snapshot,
    TakenError,
    TooManyError,
)
from sandbox.city.schemas_state import (
    CityView,
    Clock,
    ClockRequest,
    ResetReport,
    SandboxView,
    SnapshotList,
    SnapshotView,
)
from sandbox.city.state import MOST_RECORDS

_SNAPSHOT = Text("快照", "snapshot")


async def reset(caller: Caller, side: CitySide, app_id: str) -> ResetReport:
    """Forget all changes of a sandbox app, its clock and its events still to come, in every process at once.

    Errors: not-signed-in, input-invalid (no app named), not-found, permission-denied, conflict (a live app).
    """
    app_id = await _own(caller, app_id)
    had_clock = (await side.states.current(app_id)).clock_us is not None
    records = await side.sandboxes.reset(app_id)
    await side.forget(app_id)
    return ResetReport(app_id, records, BEFORE if records or had_clock else "")


async def look(caller: Caller, side: CitySide, app_id: str) -> SandboxView:
    """The app's sandbox as it is. Errors as `reset`."""
    app_id = await _own(caller, app_id)
    state = await side.states.current(app_id)
    departments: dict[str, int] = {}
    for department, _ in state.rows:
        departments[department] = departments.get(department, 0) + 1
    return SandboxView(
        app_id=app_id,
        clock=_shown_clock(app_id, state.clock_us, 0),
        records=len(state.rows),
        records_by_department=dict(sorted(departments.items())),
        limit=MOST_RECORDS,
        city=_city(side, state.city),
        snapshots=[_shown(one) for one in await side.sandboxes.snapshots(app_id)],
    )


# --- clock ---
async def clock_of(caller: Caller, side: CitySide, app_id: str) -> Clock:
    """What the app's clock shows. Errors as `reset`."""
    app_id = await _own(caller, app_id)
    return _shown_clock(app_id, (await side.states.current(app_id)).clock_us, 0)


async def move_clock(caller: Caller, side: CitySide, app_id: str, wanted: ClockRequest) -> Clock:
    """Set or advance the app's clock; events that fall due are told.

    Errors as `reset`; input-invalid (no instant, no duration, out of range), conflict (back before changes).
    """
    app_id = await _own(caller, app_id)
    state = await side.states.current(app_id)
    moment = _wanted(wanted, state.now)
    if not EARLIEST <= moment <= LATEST:
        raise _invalid(
            "/now" if wanted.now else "/advance",
            f"时钟只能在 {local_text(EARLIEST)} 与 {local_text(LATEST)} 之间:城市的资料从普查那天开始。",
            f"The clock goes from {local_text(EARLIEST)} to {local_text(LATEST)}: the city begins with the day of its count.",
        )
    return await _set_clock(side, app_id, moment)


async def release_clock(caller: Caller, side: CitySide, app_id: str) -> Clock:
    """Let the app's clock show the real time again. Errors as `move_clock`."""
    return await _set_clock(side, await _own(caller, app_id), None)


async def _set_clock(side: CitySide, app_id: str, moment: datetime | None) -> Clock:
    try:
        ahead, due = await side.sandboxes.set_clock(app_id, moment)
    except BackwardsError as error:
        shows = local_text(error.shows)
        raise Refusal(
            CONFLICT,
            rule="clock-backwards",
            reason=Text(
                f"时钟已走到 {shows},沙箱里有在那之前改动的记录,不能往回拨。",
                f"The clock shows {shows} and the sandbox holds changes made until then; it does not go back.",
            ),
            following=Text(
                "先重置沙箱,或恢复一个较早的快照。",
                "Reset the sandbox first, or restore an earlier snapshot.",
            ),
        ) from None
    return _shown_clock(app_id, ahead, due)


def _wanted(wanted: ClockRequest, present: datetime) -> datetime:
    if bool(wanted.now) == bool(wanted.advance):
        raise _invalid("", "now 与 advance 须给其中一个。", "Give exactly one of now and advance.")
    if wanted.advance:
        try:
            return advanced(present, wanted.advance)
        except (ValueError, OverflowError):
            raise _invalid(
                "/advance",
                "advance 是 ISO 8601 时长,如 P30D、P1Y、PT6H。",
                "advance is an ISO 8601 duration such as P30D, P1Y or PT6H.",
            ) from None
    try:
        return now_of(wanted.now)
    except ValueError:
        raise _invalid(
            "/now",
            "now 是带时区的时刻,如 2027-01-01T09:00:00+08:00。",
            "now is an instant with its time zone, such as 2027-01-01T09:00:00+08:00.",
        ) from None


# --- snapshots ---
async def snapshots_of(caller: Caller, side: CitySide, app_id: str) -> SnapshotList:
    """The app's kept states. Errors as `reset`."""
    app_id = await _own(caller, app_id)
    kept = await side.sandboxes.snapshots(app_id)
    return SnapshotList(app_id, [_shown(one) for one in kept], MOST_SNAPSHOTS)


async def keep(caller: Caller, side: CitySide, app_id: str, name: str) -> SnapshotView:
    """Keep the present state under a name. Errors as `reset`; conflict (name taken, too many)."""
    app_id = await _own(caller, app_id)
    try:
        return _shown(await side.sandboxes.keep(app_id, name))
    except TakenError:
        raise Refusal(
            CONFLICT,
            rule="snapshot-exists",
            reason=Text(f"已有名为 {name} 的快照。", f"There is a snapshot named {name}."),
            following=Text("换一个名称,或先删除它。", "Take another name, or delete that one first."),
        ) from None
    except TooManyError:
        raise Refusal(
            CONFLICT,
            rule="too-many-snapshots",
            reason=Text(f"每个应用最多 {MOST_SNAPSHOTS} 个快照。", f"An app keeps {MOST_SNAPSHOTS} snapshots at most."),
            following=Text("先删除一个。", "Delete one first."),
        ) from None  # fmt: skip


async def restore(caller: Caller, side: CitySide, app_id: str, name: str) -> SandboxView:
    """Go back to a kept state, with its clock. Errors as `reset`; not-found (no such snapshot)."""
    app_id = await _own(caller, app_id)
    if await side.sandboxes.restore(app_id, name) is None:
        raise Refusal(NOT_FOUND, what=_SNAPSHOT)
    await side.forget(app_id)
    return await look(caller, side, app_id)


async def drop(caller: Caller, side: CitySide, app_id: str, name: str) -> None:
    """Delete a snapshot. Errors as `reset`; not-found (no such snapshot)."""
    app_id = await _own(caller, app_id)
    if not await side.sandboxes.drop(app_id, name):
        raise Refusal(NOT_FOUND, what=_SNAPSHOT)


# --- what all of them share ---
async def _own(caller: Caller, app_id: str) -> str:
    """The id of the sandbox app that the caller may change."""
    if not app_id:
        raise _invalid("/app_id", "指明是哪个应用的沙箱。", "Name the app whose sandbox it is.")
    app = await find_app(app_id)
    if app is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    check_can_reset(caller, app.id, app.organisation_id)
    if app.environment != "sandbox":
        raise Refusal(
            CONFLICT,
            rule="sandbox-only",
            reason=Text("这是正式环境的应用。", "This is an app of the live environment."),
            following=Text("改用与它相连的沙箱应用。", "Name the sandbox app that it came from."),
        )
    return app.id


def _invalid(pointer: str, zh: str, en: str) -> Refusal:
    return Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": Text(zh, en)},), count=1)


def _shown_clock(app_id: str, clock_us: int | None, due: int) -> Clock:
    real = real_clock.now()
    shown = START if clock_us is None else real + timedelta(microseconds=clock_us)
    return Clock(
        app_id=app_id,
        now=local_text(shown),
        mode="start" if clock_us is None else "own" if clock_us else "real",
        ahead_seconds=int((shown - real).total_seconds()),
        real_now=local_text(real),
        earliest=local_text(EARLIEST),
        latest=local_text(LATEST),
        events_due=due,
    )


def _shown(kept: Snapshot) -> SnapshotView:
    return SnapshotView(
        name=kept.name,
        records=kept.records,
        created_at=real_clock.to_text(kept.created_at),
        now=None if kept.clock_at is None else local_text(kept.clock_at),
        city=kept.city,
        events=len(kept.events),
        is_automatic=kept.name == BEFORE,
    )


def _city(side: CitySide, made_on: str) -> CityView | None:
    try:
        city = side.file.open()
    except CityMissing:
        return None
    return CityView(
        version=city.version,
        made_on=made_on,
        is_current=made_on in {"", city.version},
        as_of=city.meta.get("as_of", ""),
        citizens=int(city.meta.get("citizens", 0)),
        companies=int(city.meta.get("companies", 0)),
        seed=int(city.meta.get("seed", 0)),
    )
