"""The sandbox's part of the platform API: personas to try things with, and an app's sandbox as a whole."""

from typing import Annotated, Any

from litestar import Request, Router, delete, get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from api.core.caller import Caller, CallerKind
from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import (
    CONFLICT,
    CSRF_FAILED,
    INPUT_INVALID,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
)
from sandbox.city import service
from sandbox.city.casting import cast
from sandbox.city.connector import CitySide
from sandbox.city.population import personas
from sandbox.city.schemas import PersonaList
from sandbox.city.schemas_state import (
    Clock,
    ClockRequest,
    ResetReport,
    ResetRequest,
    SandboxView,
    SnapshotList,
    SnapshotRequest,
    SnapshotTarget,
    SnapshotView,
)

_REFUSALS = problem_responses(INPUT_INVALID, NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND, CONFLICT)
_WRITES = problem_responses(INPUT_INVALID, NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)
AppId = Annotated[
    str,
    QueryParameter(
        max_length=64, description="哪个应用；由应用自己调用时可省略 Which app; an app may leave it out"
    ),
]
SnapshotName = Annotated[str, PathParameter(max_length=40, description="快照名 Name of the kept state")]
_Request = Request[Any, Any, Any]


@get(
    "/platform/v1/sandbox/personas", tags=["sandbox"], operation_id="listPersonas",
    summary="沙箱里的人物与企业 People and companies of the sandbox",
)  # fmt: skip
async def list_personas() -> PersonaList:
    """Named people and companies of the simulated city, with their stories and calls to try. Open to everybody."""
    return PersonaList(personas.VERSION, cast())


@get(
    "/platform/v1/sandbox", tags=["sandbox"], operation_id="getSandbox",
    summary="应用的沙箱概况 An app's sandbox", responses=_REFUSALS,
)  # fmt: skip
async def get_sandbox(request: _Request, caller: CurrentCaller, app_id: AppId = "") -> SandboxView:
    """The app's clock, how many records it has changed, its kept states, and the city that they were made on.

    By the app itself with the scope `platform:sandbox:write` (then `app_id` may be left out), or by owners and
    developers of its organisation; the same holds for everything else here.
    """
    return await service.look(caller, _side(request), _whose(caller, app_id))


@post(
    "/platform/v1/sandbox/reset", status_code=200, tags=["sandbox"], operation_id="resetSandbox",
    summary="重置应用的沙箱数据 Reset an app's sandbox", responses=_WRITES,
)  # fmt: skip
async def reset_sandbox(
    request: _Request, caller: CurrentCaller, data: JSONBody[ResetRequest]
) -> ResetReport:
    """Forget everything that an app has changed in the sandbox: it sees the city as it was generated.

    Its clock stands at the day of the city's count again, and events still to come are taken back. The state before is kept as
    the snapshot `before-reset`; restoring that undoes the reset.
    """
    return await service.reset(caller, _side(request), _whose(caller, data.app_id))


@get(
    "/platform/v1/sandbox/clock", tags=["sandbox"], operation_id="getSandboxClock",
    summary="应用的沙箱时钟 An app's clock in the sandbox", responses=_REFUSALS,
)  # fmt: skip
async def get_clock(request: _Request, caller: CurrentCaller, app_id: AppId = "") -> Clock:
    """What the app's clock shows. It stands at the day of the city's count until the app changes something, then it runs."""
    return await service.clock_of(caller, _side(request), _whose(caller, app_id))


@post(
    "/platform/v1/sandbox/clock", status_code=200, tags=["sandbox"], operation_id="moveSandboxClock",
    summary="拨动沙箱时钟 Move an app's clock in the sandbox", responses=_WRITES,
)  # fmt: skip
async def move_clock(request: _Request, caller: CurrentCaller, data: JSONBody[ClockRequest]) -> Clock:
    """Set the clock (`now`) or advance it (`advance`); it runs on from there, for this app alone.

    Answers are as of that time: a report falls due, a licence expires, a delivery arrives, and events whose
    time has come are told. It goes from the day on which the city was counted to the end of the century, and
    only forward while there are changes made by its time.
    """
    return await service.move_clock(caller, _side(request), _whose(caller, data.app_id), data)


@delete(
    "/platform/v1/sandbox/clock", status_code=200, tags=["sandbox"], operation_id="releaseSandboxClock",
    summary="恢复真实时间 Let an app's clock show the real time", responses=_WRITES,
)  # fmt: skip
async def release_clock(request: _Request, caller: CurrentCaller, app_id: AppId = "") -> Clock:
    """The clock shows the real time from now on; where that is a step back, only without changes made by its time."""
    return await service.release_clock(caller, _side(request), _whose(caller, app_id))


@get(
    "/platform/v1/sandbox/snapshots", tags=["sandbox"], operation_id="listSandboxSnapshots",
    summary="沙箱快照列表 The kept states of an app", responses=_REFUSALS,
)  # fmt: skip
async def list_snapshots(request: _Request, caller: CurrentCaller, app_id: AppId = "") -> SnapshotList:
    """The kept states of the app, the oldest first; `before-reset` is the one before the last reset or restore."""
    return await service.snapshots_of(caller, _side(request), _whose(caller, app_id))


@post(
    "/platform/v1/sandbox/snapshots", status_code=201, tags=["sandbox"], operation_id="createSandboxSnapshot",
    summary="保存沙箱快照 Keep an app's present state", responses=_WRITES,
)  # fmt: skip
async def create_snapshot(
    request: _Request, caller: CurrentCaller, data: JSONBody[SnapshotRequest]
) -> SnapshotView:
    """Keep changes, clock and events still to come under a name. An app keeps 20 at most."""
    return await service.keep(caller, _side(request), _whose(caller, data.app_id), data.name)


@post(
    "/platform/v1/sandbox/snapshots/{name:str}/restore", status_code=200, tags=["sandbox"],
    operation_id="restoreSandboxSnapshot", summary="恢复沙箱快照 Go back to a kept state", responses=_WRITES,
)  # fmt: skip
async def restore_snapshot(
    request: _Request, caller: CurrentCaller, name: SnapshotName, data: JSONBody[SnapshotTarget]
) -> SandboxView:
    """Go back to a kept state with its clock and its events still to come. The present one becomes `before-reset`."""
    return await service.restore(caller, _side(request), _whose(caller, data.app_id), name)


@delete(
    "/platform/v1/sandbox/snapshots/{name:str}", status_code=204, tags=["sandbox"],
    operation_id="deleteSandboxSnapshot", summary="删除沙箱快照 Delete a kept state", responses=_WRITES,
)  # fmt: skip
async def delete_snapshot(
    request: _Request, caller: CurrentCaller, name: SnapshotName, app_id: AppId = ""
) -> None:
    """Delete a kept state; the present one does not change."""
    await service.drop(caller, _side(request), _whose(caller, app_id), name)


def _side(request: _Request) -> CitySide:
    side: CitySide = request.app.state.city
    return side


def _whose(caller: Caller, app_id: str) -> str:
    return app_id or (caller.id if caller.kind == CallerKind.APP else "")


router = Router(
    "/",
    route_handlers=[
        list_personas, get_sandbox, reset_sandbox, get_clock, move_clock, release_clock, list_snapshots,
        create_snapshot, restore_snapshot, delete_snapshot,
    ],
)  # fmt: skip
