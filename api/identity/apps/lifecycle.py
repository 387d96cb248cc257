"""The life of an app: changed, suspended, resumed, deleted, restored. policies.py draws its states."""

from api.catalogue import plans
from api.core import clock
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import PERMISSION_DENIED
from api.core.problems import Refusal, Text
from api.identity.apps.rows import changing, check_has_no_live_app, get_app, turn
from api.identity.inputs import Inputs
from api.identity.models import App
from api.identity.permissions import (
    can_edit_app,
    check_can_edit_app,
    check_can_set_plan,
    check_can_suspend_app,
)
from api.identity.policies import ACTIVE, DELETED, check_can_act_on_app, check_can_add_app, check_can_restore


async def update_app(
    caller: Caller, app_id: str, *, name: str | None = None, description: str | None = None, plan: str | None = None
) -> App:  # fmt: skip
    """Change name and description, or (administrators, the operator) the plan; None leaves one.

    Raises not-found, permission-denied, input-invalid, conflict (deleted).
    """
    app = await get_app(caller, app_id)
    if plan is not None:
        check_can_set_plan(caller)
    if plan is None or name is not None or description is not None:
        check_can_edit_app(caller, app.organisation_id)
    check_can_act_on_app("change", app.status)
    inputs = Inputs()
    changes: dict[str, str] = {}
    if name is not None:
        changes["name"] = inputs.name("/name", name)
    if description is not None:
        changes["description"] = inputs.text("/description", description, maximum=500)
    if plan is not None:
        changes["plan"] = inputs.line("/plan", plan, maximum=32)
        if changes["plan"] and await plans.plan(changes["plan"]) is None:
            inputs.fault("/plan", "没有这个套餐。", "There is no such plan.")
    inputs.check()
    async with changing(caller, "app:update", app, fields=sorted(changes)):
        if changes:
            await App.filter(id=app.id).update(**changes)
    return await App.get(id=app.id)


async def suspend_app(caller: Caller, app_id: str) -> App:
    """Stop an app: its tokens are refused from the next poll on. Members of it, or an administrator.

    What an administrator stopped, an administrator resumes. Raises not-found, permission-denied, conflict.
    """
    app = await get_app(caller, app_id)
    check_can_suspend_app(caller, app.organisation_id)
    by = (
        ""
        if can_edit_app(caller, app.organisation_id) and caller.kind != CallerKind.OPERATOR
        else caller.actor
    )
    async with changing(caller, "app:suspend", app) as entry:
        await turn(app, "suspend", suspended_by=by)
        entry.emit(
            "gov.kaimen.app.suspended", f"app/{app.id}", {"app": app.id, "environment": app.environment}
        )
    return await App.get(id=app.id)


async def resume_app(caller: Caller, app_id: str) -> App:
    """Let a suspended app call again. Raises not-found, permission-denied, conflict."""
    app = await get_app(caller, app_id)
    check_can_suspend_app(caller, app.organisation_id)
    if app.suspended_by and not caller.is_administrator:
        raise Refusal(
            PERMISSION_DENIED,
            rule="suspended-by-platform",
            reason=Text("应用由平台管理员停用。", "An administrator of the platform suspended this app."),
            role=Text("平台管理员", "administrator of the platform"),
        )
    async with changing(caller, "app:resume", app):
        await turn(app, "resume", suspended_by="")
    return await App.get(id=app.id)


async def delete_app(caller: Caller, app_id: str) -> App:
    """Delete an app: it stops at once, and can be restored as it was for 30 days. Raises not-found, conflict."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    async with changing(caller, "app:delete", app) as entry:
        fresh = await App.get(id=app.id)
        await turn(fresh, "delete", status_before=fresh.status, deleted_at=clock.now())
        entry.emit("gov.kaimen.app.deleted", f"app/{app.id}", {"app": app.id, "environment": app.environment})
    return await App.get(id=app.id)


async def restore_app(caller: Caller, app_id: str) -> App:
    """Bring a deleted app back as what it was, within 30 days. Raises not-found, permission-denied, conflict."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    async with changing(caller, "app:restore", app):
        fresh = await App.get(id=app.id)
        check_can_act_on_app("restore", fresh.status)
        check_can_restore(fresh.deleted_at, clock.now())
        if fresh.sandbox_app_id:
            await check_has_no_live_app(fresh.sandbox_app_id)
        if caller.kind != CallerKind.OPERATOR:
            count = App.filter(organisation_id=app.organisation_id).exclude(status=DELETED).count()
            check_can_add_app(await count)
        await turn(fresh, "restore", status=fresh.status_before or ACTIVE, status_before="", deleted_at=None)
    return await App.get(id=app.id)
