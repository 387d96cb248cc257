"""The request log: of all apps, of one, and one request explained."""

from urllib.parse import urlencode

from litestar import Router, get
from litestar.params import FromPath

from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.gateway.request_log import STEPS, explain
from api.identity.apps import service as apps
from api.identity.models import App
from portal.frame import check_signed_in, page
from portal.language import language_of
from portal.request_log import PAGE_ROWS, Filters, rows_of, timing_of
from portal.view import AnyRequest, Page, settings_of


def read_filters(request: AnyRequest) -> Filters:
    """The filters of the address; what can't be read counts as not given."""
    given = {
        name: str(request.query_params.get(name, ""))[:128]
        for name in ("app", "outcome", "step", "operation", "before")
    }
    return Filters(**given)


async def _log_page(request: AnyRequest, caller: Caller, mine: list[App], app: App | None) -> Page:
    filters = read_filters(request)
    chosen = [app] if app else [one for one in mine if filters.app in {"", one.id}]
    rows = await rows_of(chosen, filters, PAGE_ROWS + 1)
    kept = [
        (key, value) for key, value in request.query_params.multi_items() if key not in {"before", "lang"}
    ]
    path = request.url.path
    older = (
        f"{path}?{urlencode([*kept, ('before', rows[PAGE_ROWS - 1].id)])}" if len(rows) > PAGE_ROWS else ""
    )
    return await page(
        request, caller, "requests.html", app=app, rows=rows[:PAGE_ROWS], filters=filters, filtered=filters.is_narrow,
        app_names={one.id: one.name for one in mine}, steps=tuple(STEPS), older=older, newest=f"{path}?{urlencode(kept)}",
    )  # fmt: skip


@get("/requests")
async def show_requests(request: AnyRequest, caller: CurrentCaller) -> Page:
    """The log of all of the caller's apps."""
    check_signed_in(caller)
    return await _log_page(request, caller, await apps.apps_of(caller), None)


@get("/apps/{app_id:str}/requests")
async def show_app_requests(request: AnyRequest, caller: CurrentCaller, app_id: FromPath[str]) -> Page:
    """The log of one app."""
    check_signed_in(caller)
    app = await apps.get_app(caller, app_id)
    return await _log_page(request, caller, [app], app)


@get("/requests/{request_id:str}")
async def show_request(request: AnyRequest, caller: CurrentCaller, request_id: FromPath[str]) -> Page:
    """One request: the verdict of each step, and in the words of the answer why it was refused."""
    check_signed_in(caller)
    found = await explain(
        caller, request_id, language=language_of(request), docs_url=settings_of(request).docs_url
    )
    app = await apps.find_app(found.row.app_id) if found.row.app_id else None
    return await page(
        request, caller, "request.html", found=found, row=found.row, app=app, timing=timing_of(found)
    )


router = Router("/", route_handlers=[show_requests, show_app_requests, show_request])
