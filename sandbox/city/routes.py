"""The sandbox's part of the platform API: personas to try things with, and a fresh start."""

from typing import Any

from litestar import Request, Router, get, post
from litestar.params import JSONBody

from api.core.caller import CallerKind
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
from sandbox.city.casting import cast
from sandbox.city.connector import CitySide
from sandbox.city.population import personas
from sandbox.city.schemas import PersonaList, ResetReport, ResetRequest
from sandbox.city.service import reset


@get(
    "/platform/v1/sandbox/personas", tags=["sandbox"], operation_id="listPersonas",
    summary="沙箱里的人物与企业 People and companies of the sandbox",
)  # fmt: skip
async def list_personas() -> PersonaList:
    """Named people and companies of the simulated city, with their stories and calls to try. Open to everybody."""
    return PersonaList(personas.VERSION, cast())


@post(
    "/platform/v1/sandbox/reset", status_code=200, tags=["sandbox"], operation_id="resetSandbox",
    summary="重置应用的沙箱数据 Reset an app's sandbox",
    responses=problem_responses(INPUT_INVALID, NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT),
)  # fmt: skip
async def reset_sandbox(
    request: Request[Any, Any, Any], caller: CurrentCaller, data: JSONBody[ResetRequest]
) -> ResetReport:
    """Forget everything that an app has changed in the sandbox: it sees the city as it was generated.

    By the app itself with the scope `platform:sandbox:write` (then `app_id` may be left out), or by owners and
    developers of its organisation.
    """
    side: CitySide = request.app.state.city
    app_id = data.app_id or (caller.id if caller.kind == CallerKind.APP else "")
    return await reset(caller, side.states, app_id)


router = Router("/", route_handlers=[list_personas, reset_sandbox])
