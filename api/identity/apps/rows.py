"""Apps as rows: found for a caller, changed under the journal. What may be done to them stands in lifecycle.py."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tortoise.queryset import QuerySet

from api.core import audit
from api.core.caller import Caller, CallerKind
from api.core.problem_types_platform import CONFLICT, NOT_FOUND, PERMISSION_DENIED
from api.core.problems import Refusal, Text
from api.identity.inputs import check_id
from api.identity.models import App
from api.identity.permissions import can_view_app, check_can_edit_app, check_can_view_app
from api.identity.policies import APP_ACTIONS, DELETED, check_can_act_on_app

ENVIRONMENTS = ("sandbox", "live")
WHAT = Text("应用", "app")


async def find_app(app_id: str) -> App | None:
    """An app by id, or None. It decides nothing about who may see it."""
    return await App.get_or_none(id=check_id(app_id, "a", WHAT))


async def get_app(caller: Caller, app_id: str) -> App:
    """An app that the caller may see. Raises not-found, alike for what is hidden and what is not there."""
    app = await find_app(app_id)
    if app is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    if not (caller.kind == CallerKind.PERSON and caller.is_administrator):
        try:
            check_can_view_app(caller, app.organisation_id)
        except Refusal as refusal:
            if refusal.kind is PERMISSION_DENIED:
                raise Refusal(NOT_FOUND, what=WHAT) from None
            raise
    return app


async def editable_app(caller: Caller, app_id: str, action: str = "change") -> App:
    """An app that the caller may change, in a state that allows the action (policies.APP_ACTIONS)."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    check_can_act_on_app(action, app.status)
    return app


def visible_apps(caller: Caller) -> QuerySet[App]:
    if caller.kind == CallerKind.OPERATOR:
        return App.all()
    mine = [one for one in caller.organisations if can_view_app(caller, one)]
    return App.filter(organisation_id__in=mine or [""])


@asynccontextmanager
async def changing(caller: Caller, action: str, app: App, **detail: Any) -> AsyncIterator[audit.Entry]:
    async with audit.write(
        caller.actor, action, f"app/{app.id}", organisation=app.organisation_id, **detail
    ) as entry:
        yield entry
        entry.changed("app", app.id)


async def turn(app: App, action: str, **changes: Any) -> None:
    """One conditional update of the status; of racers one wins, the others read why not."""
    before, after = APP_ACTIONS[action]
    changed = await App.filter(id=app.id, status__in=list(before)).update(
        **({"status": after} if after else {}), **changes
    )
    if changed != 1:
        check_can_act_on_app(action, (await App.get(id=app.id)).status)


async def check_has_no_live_app(sandbox_app_id: str) -> None:
    """Refuses (conflict) a second live app of the same sandbox app; it is sure inside an open `audit.write` only."""
    live = await App.filter(sandbox_app_id=sandbox_app_id).exclude(status=DELETED).first()
    if live is not None:
        raise Refusal(
            CONFLICT,
            rule="live-app-exists",
            live_app_id=live.id,
            reason=Text(f"已有正式应用 {live.id}。", f"There is a live app already: {live.id}."),
            following=Text("使用或先删除它。", "Use it, or delete it first."),
        )
