"""What the sandbox does for an app, beside answering its calls: a fresh start."""

from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, INPUT_INVALID, NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.apps.rows import WHAT, find_app
from sandbox.city.permissions import check_can_reset
from sandbox.city.schemas import ResetReport
from sandbox.city.state import States


async def reset(caller: Caller, states: States, app_id: str) -> ResetReport:
    """Forget all changes of a sandbox app. Takes effect for every process at once.

    Errors: not-signed-in, input-invalid (no app named), not-found, permission-denied, conflict (a live app).
    """
    if not app_id:
        message = Text("指明要重置哪个应用。", "Name the app whose sandbox is to be reset.")
        raise Refusal(INPUT_INVALID, errors=({"pointer": "/app_id", "message": message},), count=1)
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
    return ResetReport(app.id, await states.reset(app.id))
