"""The sandbox's part of the platform API: personas to try things with, and a fresh start."""

from typing import Any

from litestar import Request, Router, get, post

from api.core.caller import Caller, CallerKind
from sandbox.city.casting import cast
from sandbox.city.connector import CitySide
from sandbox.city.population import personas
from sandbox.city.schemas import PersonaList, ResetReport, ResetRequest
from sandbox.city.service import reset


@get("/personas", operation_id="listPersonas", summary="List the personas of the sandbox")
async def list_personas() -> PersonaList:
    """Named people and companies of the simulated city, with their stories and calls to try. Open to everybody."""
    return PersonaList(personas.VERSION, cast())


@post("/reset", operation_id="resetSandbox", summary="Reset an app's sandbox", status_code=200)
async def reset_sandbox(
    request: Request[Any, Any, Any], caller: Caller, data: ResetRequest | None = None
) -> ResetReport:
    """Forget everything that an app has changed in the sandbox: it sees the city as it was generated.

    By the app itself with the scope platform:sandbox:write, or by owners and developers of its organisation.
    """
    side: CitySide = request.app.state.city
    app_id = data.app_id if data else ""
    if not app_id and caller.kind == CallerKind.APP:
        app_id = caller.id
    return await reset(caller, side.states, app_id)


router = Router("/platform/v1/sandbox", route_handlers=[list_personas, reset_sandbox], tags=["sandbox"])
