"""Who may read an app's events, and who may change its webhooks."""

from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal
from api.identity.apps.rows import WHAT, editable_app, find_app, get_app
from api.identity.models import App
from api.identity.permissions import EVENTS_READ, check_can_edit_app


async def readable_app(caller: Caller, app_id: str) -> App:
    """An app whose events the caller may read: its owners and developers, for an event holds data.

    And the app itself, with the scope `platform:events:read` that every app may ask for.
    Raises not-found, permission-denied.
    """
    if caller.kind == CallerKind.APP and caller.id == app_id and EVENTS_READ in caller.scopes:
        app = await find_app(app_id)
        if app is None:
            raise Refusal(NOT_FOUND, what=WHAT)
        return app
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    return app


async def changeable_app(caller: Caller, app_id: str) -> App:
    """An app whose webhooks the caller may change: as for every change of an app."""
    return await editable_app(caller, app_id)
