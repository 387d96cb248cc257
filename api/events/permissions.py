"""Who may read an app's events, who may change its webhooks, and who may tell events of a service."""

from api.catalogue.permissions import PUBLISHERS
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED
from api.core.problems import Refusal, Text
from api.identity.apps.rows import WHAT, editable_app, find_app, get_app
from api.identity.models import App
from api.identity.permissions import EVENTS_READ, EVENTS_WRITE, check_can_edit_app, passes, roles_text


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


def check_can_tell(caller: Caller, owner: str, environment: str) -> None:
    """Publishers of the department that owns the service, the operator, and its apps with `platform:events:write`.

    An app tells in its own environment only.
    """
    if caller.kind == CallerKind.OPERATOR:
        return
    if caller.kind == CallerKind.ANONYMOUS:
        raise Refusal(NOT_SIGNED_IN)
    if caller.kind == CallerKind.APP:
        if (
            owner in caller.organisations
            and EVENTS_WRITE in caller.scopes
            and caller.environment == environment
        ):
            return
    elif caller.has_role(owner, *PUBLISHERS):
        return
    raise Refusal(
        PERMISSION_DENIED,
        reason=Text(
            f"只有主管部门能发布其服务的事件;应用须有 {EVENTS_WRITE} 权限,且只在自己的环境中。",
            f"Only its department tells events of a service; an app needs {EVENTS_WRITE}, in its own environment.",
        ),
        role=roles_text(PUBLISHERS),
    )


def can_tell(caller: Caller, owner: str, environment: str) -> bool:
    return passes(check_can_tell, caller, owner, environment)
