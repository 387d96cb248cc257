"""What agents may change through an app: nothing, until somebody who may edit the app says otherwise."""

from api.core import audit
from api.core.caller import Caller
from api.identity.apps.service import get_app
from api.identity.permissions import check_can_edit_app
from api.mcp.models import McpSetting
from api.mcp.writes import OFF


async def writes_of(caller: Caller, app_id: str) -> str:
    """The app's setting: off, confirm or free. Errors: not-found, permission-denied."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    return await load(app_id)


async def set_writes(caller: Caller, app_id: str, writes: str) -> str:
    """Set it; in force after two seconds at most. Errors: not-found, permission-denied."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    async with audit.write(
        caller.actor, "mcp:writes", f"app/{app_id}", organisation=app.organisation_id, writes=writes
    ):
        await McpSetting.update_or_create({"writes": writes}, app_id=app_id)
    return writes


async def load(app_id: str) -> str:
    """What the face asks."""
    row = await McpSetting.get_or_none(app_id=app_id)
    return row.writes if row is not None else OFF
