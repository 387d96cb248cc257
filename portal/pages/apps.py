"""The list of apps, and making one."""

from typing import Any

from litestar import Response, Router, get, post

from api.catalogue.models import Subscription
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal
from api.identity.apps import service as apps
from api.identity.models import App, Organisation
from api.identity.organisations import service as organisations
from api.identity.permissions import can_edit_app
from portal import flash, shown_once
from portal.figures import CHART_DAYS, calls_of
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.language import language_of
from portal.offers import Choice, choices_of
from portal.texts import text
from portal.view import AnyRequest, Page, Words

NEW = Form(
    Field("name", maximum=100),
    Field("organisation", required=False, maximum=40),
    Field("services", kind="choices", required=False, maximum=80),
)


@get("/apps")
async def show_apps(request: AnyRequest, caller: CurrentCaller) -> Page:
    """All apps of the caller's organisations."""
    check_signed_in(caller)
    rows = await apps.apps_of(caller)
    gone = await apps.apps(caller, status="deleted", limit=20)
    calls = await calls_of(rows)
    owners = {one.id: one for one in await organisations.organisations_of(caller)}
    services = await _services_of([row.id for row in rows])
    shown = [
        {"app": row, "calls": calls.get(row.id, 0), "services": services.get(row.id, []), "organisation": owners.get(row.organisation_id)}
        for row in rows
    ]  # fmt: skip
    context: dict[str, Any] = {
        name: [one for one in shown if _environment(one) == name] for name in ("sandbox", "live")
    }
    return await page(request, caller, "apps.html", days=CHART_DAYS, deleted=gone.items, **context)


def _environment(shown: dict[str, Any]) -> str:
    app: App = shown["app"]
    return str(app.environment)


async def _services_of(app_ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    rows = Subscription.filter(app_id__in=app_ids or [""], status="active").order_by("version_id")
    for app_id, version_id in await rows.values_list("app_id", "version_id"):
        found.setdefault(app_id, []).append(version_id)
    return found


@get("/apps/new")
async def show_new_app(request: AnyRequest, caller: CurrentCaller) -> Page:
    """The form; `service` ticks a service beforehand."""
    check_signed_in(caller)
    language = language_of(request)
    ticked = request.query_params.get("service", "")
    is_first = not await apps.apps_of(caller)
    values = {
        "name": text(language, "new_app.name_default") if is_first else "",
        "services": [ticked] if ticked else [],
        "organisation": request.query_params.get("organisation", ""),
    }
    return await _new_app_page(
        request, caller, NEW.blank(values), await choices_of(caller, "sandbox", language)
    )


async def _new_app_page(
    request: AnyRequest, caller: Caller, form: Filled, offers: list[Choice], status: int = 200
) -> Page:
    words = Words(language_of(request))
    owners: list[tuple[str, str]] = [(one.id, words.named(one)) for one in await _owners(caller)]
    return await page(
        request, caller, "app_new.html", status=status, form=form, offers=offers, organisations=owners
    )


async def _owners(caller: Caller) -> list[Organisation]:
    return [one for one in await organisations.organisations_of(caller) if can_edit_app(caller, one.id)]


@post("/apps/new", opt={"slowapi": "20/minute"})
async def make_app(request: AnyRequest, caller: CurrentCaller) -> Page | Response[None]:
    """Makes the app; its page shows the secret once."""
    check_signed_in(caller)
    language = language_of(request)
    offers = await choices_of(caller, "sandbox", language)
    extra = [
        Field(f"purpose:{one.key}", required=False, maximum=64, label=one.title)
        for one in offers
        if one.purposes
    ]
    form = await NEW.read(request, extra)
    entries = _entries(form, offers)
    if form.is_valid:
        try:
            made = await apps.create_app(
                caller, name=form.value("name"), organisation_id=form.value("organisation") or None, subscribe=entries
            )  # fmt: skip
        except Refusal as problem:
            form.take(problem)
        else:
            address = f"/apps/{made.app.id}"
            return redirect(address, shown_once.put(request, address, made.secret), flash.put("app.created"))
    return await _new_app_page(request, caller, form, offers, form.status)


def _entries(form: Filled, offers: list[Choice]) -> list[str]:
    """What was ticked, each with its purpose; a purpose that is missing is marked."""
    by_key = {one.key: one for one in offers}
    entries = []
    for key in form.chosen("services"):
        purpose = form.value(f"purpose:{key}")
        choice = by_key.get(key)
        if choice is not None and choice.needs_purpose and not purpose:
            form.fault(f"purpose:{key}", "new_app.purpose_missing", service=choice.title)
        entries.append(f"{key}:{purpose}" if purpose else key)
    return entries


router = Router("/", route_handlers=[show_apps, show_new_app, make_app])
