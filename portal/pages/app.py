"""One app: its secrets, subscriptions, usage and quota; changing, stopping and deleting it."""

from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from api.catalogue import plans
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.apps import service as apps
from api.identity.models import App, Organisation
from api.identity.permissions import can_edit_app
from portal import flash, shown_once
from portal.figures import usage_of
from portal.first_call import first_call_of
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.language import language_of
from portal.offers import choices_of, purposes_of
from portal.pages.sandbox import glance
from portal.request_log import rows_of
from portal.view import AnyRequest, Page, Words, settings_of

SETTINGS = Form(Field("name", maximum=100), Field("description", kind="area", required=False, maximum=500))
SECRET = Form(Field("label", maximum=100), Field("days", required=False, maximum=4, pattern="[0-9]+"))
KEYS = Form(Field("jwks", kind="area", required=False, maximum=20_000))
SUBSCRIBE = Form(Field("service", maximum=80), Field("purpose", required=False, maximum=64))
_LATEST = 8


async def _app_page(
    request: AnyRequest, caller: Caller, app_id: str, *, status: int = 200, settings_form: Filled | None = None,
    secret_form: Filled | None = None, subscribe_form: Filled | None = None,
    keys_form: Filled | None = None,
) -> Page:  # fmt: skip
    app = await apps.get_app(caller, app_id)
    settings, words = settings_of(request), Words(language_of(request))
    secret, spent = shown_once.take(request, f"/apps/{app.id}")
    subscriptions = await apps.subscriptions_of_app(caller, app.id)
    may_change = can_edit_app(caller, app.organisation_id)
    choices = await choices_of(caller, app.environment, words.language) if may_change else []
    issuer = settings.issuer_of(app.environment)
    latest = await rows_of([app], limit=_LATEST)
    live = await App.filter(sandbox_app_id=app.id).exclude(status="deleted").first()
    context: dict[str, Any] = {
        "app": app,
        "organisation": await Organisation.get(id=app.organisation_id),
        "may_change": may_change,
        "secret": secret,
        "secrets": await apps.secrets_of(caller, app.id),
        "subscriptions": subscriptions,
        "first_call": await first_call_of(app, subscriptions, secret, settings, words),
        "offers": [(one.key, f"{one.title} ({one.key})") for one in choices],
        "purposes": [(one, one) for one in purposes_of(choices)],
        "usage": await usage_of(app),
        "requests": latest,
        "quota_left": latest[0].quota_left if latest else -1,
        "plan": await plans.plan(app.plan) or plans.DEFAULT_PLANS[1],
        "token_endpoint": f"{issuer}/oauth/token",
        "base": f"{issuer}/api",
        "live_app": live.id if live else "",
        "sandbox": await glance(request, app.id) if app.environment == "sandbox" else None,
        "settings_form": settings_form or SETTINGS.blank({"name": app.name, "description": app.description}),
        "secret_form": secret_form or SECRET.blank(),
        "subscribe_form": subscribe_form or SUBSCRIBE.blank(),
        "keys_form": keys_form or KEYS.blank({"jwks": _shown_keys(app)}),
    }
    return await page(request, caller, "app.html", status=status, cookies=[spent] if spent else [], **context)


def _shown_keys(app: App) -> str:
    """The app's public keys set out in lines, "" for none."""
    keys = app.jwks.get("keys") if isinstance(app.jwks, dict) else None
    return msgspec.json.format(msgspec.json.encode({"keys": keys}), indent=2).decode() if keys else ""


@get("/apps/{app_id:str}")
async def show_app(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """Everything about an app; a new secret is shown here, once."""
    check_signed_in(caller)
    return await _app_page(request, caller, app_id)


@post("/apps/{app_id:str}")
async def change_app(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """Name and description."""
    check_signed_in(caller)
    form = await SETTINGS.read(request)
    if form.is_valid:
        try:
            await apps.update_app(
                caller, app_id, name=form.value("name"), description=form.value("description")
            )
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/apps/{app_id}", flash.put("app.saved"))
    return await _app_page(request, caller, app_id, status=form.status, settings_form=form)


@post("/apps/{app_id:str}/secrets", opt={"slowapi": "20/minute"})
async def add_secret(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """One more secret beside those there are."""
    check_signed_in(caller)
    form = await SECRET.read(request)
    if form.is_valid:
        try:
            days = int(form.value("days")) if form.value("days") else None
            _, secret = await apps.add_secret(caller, app_id, form.value("label"), days)
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/apps/{app_id}", shown_once.put(request, f"/apps/{app_id}", secret))
    return await _app_page(request, caller, app_id, status=form.status, secret_form=form)


@post("/apps/{app_id:str}/secrets/{secret_id:str}/rotate", opt={"slowapi": "20/minute"})
async def rotate_secret(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str], secret_id: FromPath[str]
) -> Response[None]:
    """A successor; the old secret works for a day more."""
    check_signed_in(caller)
    _, secret = await apps.rotate_secret(caller, app_id, secret_id)
    address = f"/apps/{app_id}"
    return redirect(address, shown_once.put(request, address, secret), flash.put("app.secret_rotated"))


@post("/apps/{app_id:str}/secrets/{secret_id:str}/revoke")
async def revoke_secret(
    caller: CurrentCaller, app_id: FromPath[str], secret_id: FromPath[str]
) -> Response[None]:
    """Revoke a secret at once."""
    check_signed_in(caller)
    revoked = await apps.revoke_secret(caller, app_id, secret_id)
    return redirect(f"/apps/{app_id}", flash.put("app.secret_revoked", label=revoked.label))


@post("/apps/{app_id:str}/keys", opt={"slowapi": "20/minute"})
async def set_keys(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """Public keys for private_key_jwt; none takes the app back to secrets."""
    check_signed_in(caller)
    form = await KEYS.read(request)
    if form.is_valid:
        try:
            await apps.set_keys(caller, app_id, msgspec.json.decode(form.value("jwks") or '{"keys":[]}'))
        except msgspec.DecodeError as error:
            form.fault("jwks", "version.overlay_bad", error=str(error))
        except Refusal as problem:
            _say_of_keys(form, problem)
        else:
            return redirect(f"/apps/{app_id}", flash.put("app.keys_set"))
    return await _app_page(request, caller, app_id, status=form.status, keys_form=form)


def _say_of_keys(form: Filled, problem: Refusal) -> None:
    """A fault of a key stands at the one field there is, with its place."""
    if not problem.errors:
        form.take(problem)
    for error in problem.errors[:1]:
        form.say("jwks", error["message"])


@post("/apps/{app_id:str}/subscriptions", opt={"slowapi": "30/minute"})
async def subscribe(
    request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]
) -> Page | Response[None]:
    """One more service."""
    check_signed_in(caller)
    form = await SUBSCRIBE.read(request)
    if form.is_valid:
        service, purpose = form.value("service"), form.value("purpose")
        try:
            made = await apps.subscribe_app(caller, app_id, f"{service}:{purpose}" if purpose else service)
        except Refusal as problem:
            form.take(problem)
        else:
            key = "app.subscribed_pending" if made.status == "pending" else "app.subscribed"
            return redirect(f"/apps/{app_id}", flash.put(key, service=service))
    return await _app_page(request, caller, app_id, status=form.status, subscribe_form=form)


@post("/apps/{app_id:str}/subscriptions/{subscription_id:str}/cancel")
async def unsubscribe(
    caller: CurrentCaller, app_id: FromPath[str], subscription_id: FromPath[str]
) -> Response[None]:
    """End a subscription, or withdraw the request for it."""
    check_signed_in(caller)
    ended = await apps.unsubscribe_app(caller, app_id, subscription_id)
    return redirect(f"/apps/{app_id}", flash.put("app.unsubscribed", service=ended.version_id))


@post("/apps/{app_id:str}/suspend")
async def suspend(caller: CurrentCaller, app_id: FromPath[str]) -> Response[None]:
    """Stop the app; the message that follows can undo it."""
    check_signed_in(caller)
    await apps.suspend_app(caller, app_id)
    return redirect(f"/apps/{app_id}", flash.put("app.suspended", undo="app.unsuspend", id=app_id))


@post("/apps/{app_id:str}/resume")
async def resume(caller: CurrentCaller, app_id: FromPath[str]) -> Response[None]:
    """Let a suspended app call again."""
    check_signed_in(caller)
    await apps.resume_app(caller, app_id)
    return redirect(f"/apps/{app_id}", flash.put("app.resumed"))


@post("/apps/{app_id:str}/delete")
async def delete(caller: CurrentCaller, app_id: FromPath[str]) -> Response[None]:
    """Delete the app; the message that follows, and its page for 30 days, can undo it."""
    check_signed_in(caller)
    gone = await apps.delete_app(caller, app_id)
    return redirect("/apps", flash.put("app.deleted", undo="app.undelete", id=app_id, name=gone.name))


@post("/apps/{app_id:str}/restore")
async def restore(caller: CurrentCaller, app_id: FromPath[str]) -> Response[None]:
    """Bring a deleted app back."""
    check_signed_in(caller)
    await apps.restore_app(caller, app_id)
    return redirect(f"/apps/{app_id}", flash.put("app.restored"))


router = Router(
    "/",
    route_handlers=[
        show_app, change_app, add_secret, rotate_secret, revoke_secret, set_keys, subscribe, unsubscribe, suspend, resume,
        delete, restore,
    ],
)  # fmt: skip
