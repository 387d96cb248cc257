"""Apps: OAuth2 clients with one environment for life. This is the whole of what other packages call.

registration.py makes one, lifecycle.py changes it, secrets.py and keys.py hold its credentials, going_live.py
makes its live twin; rows.py is theirs alone.
"""

from collections.abc import Sequence

from api.catalogue import subscribing
from api.catalogue.models import Subscription
from api.core.caller import Caller, CallerKind
from api.core.paging import Page, page_of
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text
from api.identity.apps.going_live import Checklist, ChecklistItem, checklist_of, go_live
from api.identity.apps.keys import set_keys
from api.identity.apps.lifecycle import delete_app, restore_app, resume_app, suspend_app, update_app
from api.identity.apps.oauth_settings import OAuthChange, set_oauth
from api.identity.apps.registration import NewApp, create_app, read_entry
from api.identity.apps.rows import changing, find_app, get_app, visible_apps
from api.identity.apps.secrets import add_secret, revoke_secret, rotate_secret, secrets_of
from api.identity.inputs import Inputs, check_id, refuse_input
from api.identity.models import App
from api.identity.permissions import PLATFORM_SCOPES, check_can_give_platform_scopes
from api.identity.policies import DELETED, check_can_act_on_app

__all__ = (
    "Checklist",
    "ChecklistItem",
    "NewApp",
    "OAuthChange",
    "add_secret",
    "apps",
    "apps_of",
    "checklist_of",
    "create_app",
    "delete_app",
    "find_app",
    "get_app",
    "go_live",
    "restore_app",
    "resume_app",
    "revoke_secret",
    "rotate_secret",
    "secrets_of",
    "set_keys",
    "set_oauth",
    "set_platform_scopes",
    "subscribe_app",
    "subscriptions_of_app",
    "suspend_app",
    "unsubscribe_app",
    "update_app",
)


async def apps_of(caller: Caller) -> list[App]:
    """All apps of the caller's organisations but the deleted ones, the newest first; every app for the operator."""
    return await visible_apps(caller).exclude(status=DELETED).order_by("-created_at", "-id")


async def apps(
    caller: Caller, *, organisation_id: str = "", environment: str = "", status: str = "", limit: int = 50,
    cursor: str = "",
) -> Page[App]:  # fmt: skip
    """A page of apps that the caller may see; deleted ones only where `status` asks for them.

    Administrators see every organisation's when they name it.
    """
    if organisation_id and caller.kind == CallerKind.PERSON and caller.is_administrator:
        query = App.all()
    else:
        query = visible_apps(caller)
    if organisation_id:
        query = query.filter(organisation_id=check_id(organisation_id, "o", Text("组织", "organisation")))
    if environment:
        query = query.filter(environment=environment)
    query = query.filter(status=status) if status else query.exclude(status=DELETED)
    return await page_of(query, limit=limit, cursor=cursor)


async def set_platform_scopes(caller: Caller, app_id: str, scopes: Sequence[str]) -> App:
    """Say which `platform:` scopes the app may ask a token for. Owners in their browser, and the operator."""
    app = await get_app(caller, app_id)
    check_can_give_platform_scopes(caller, app.organisation_id)
    check_can_act_on_app("change", app.status)
    chosen = sorted(set(scopes))
    unknown = [scope for scope in chosen if scope not in PLATFORM_SCOPES]
    if unknown:
        known = ", ".join(PLATFORM_SCOPES)
        raise refuse_input("/scopes", f"平台权限只有:{known}。", f"The platform scopes are: {known}.")
    async with changing(caller, "app:platform-scopes:set", app, scopes=chosen):
        await App.filter(id=app.id).update(platform_scopes=" ".join(chosen))
    return await App.get(id=app.id)


async def subscribe_app(caller: Caller, app_id: str, text: str) -> Subscription:
    """Subscribe an app to `company@v1` or `company@v1:purpose`; see catalogue.subscribing for what is decided."""
    app = await get_app(caller, app_id)
    check_can_act_on_app("change", app.status)
    inputs = Inputs()
    text = read_entry(inputs, "/service", text)
    inputs.check()
    wanted = subscribing.parse_entry(text)
    return await subscribing.subscribe(
        caller, app_id=app.id, organisation_id=app.organisation_id, environment=app.environment,
        version_id=wanted.version_id, purpose=wanted.purpose,
    )  # fmt: skip


async def subscriptions_of_app(caller: Caller, app_id: str) -> list[Subscription]:
    """All subscriptions of an app, ended ones included, the oldest first. Raises not-found."""
    app = await get_app(caller, app_id)
    return await Subscription.filter(app_id=app.id).order_by("requested_at", "id")


async def unsubscribe_app(caller: Caller, app_id: str, subscription_id: str) -> Subscription:
    """End a subscription of the app. Raises not-found, permission-denied, conflict (held by its department)."""
    app = await get_app(caller, app_id)
    what = Text("订阅", "subscription")
    check_id(subscription_id, "s", what)
    if not await Subscription.filter(id=subscription_id, app_id=app.id).exists():
        raise Refusal(NOT_FOUND, what=what)
    return await subscribing.unsubscribe(caller, subscription_id)
