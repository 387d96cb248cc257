"""One imported version in its department's workspace: the report, the overlay, publishing, and what would change."""

from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.status_codes import HTTP_200_OK

from api.catalogue import service as catalogue
from api.catalogue.impact import DAYS
from api.catalogue.models import Publication, VersionRecord
from api.catalogue.permissions import can_publish, can_set_upstream, check_can_see_draft
from api.catalogue.publishing import SYNTHETIC
from api.core import problem_types_platform as platform_types
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal, Text
from api.identity.models import App, Organisation
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import page, redirect
from portal.pages.departments import find_department
from portal.reports import pretty, report_of
from portal.view import AnyRequest, Page

OVERLAY = Form(Field("overlay", kind="area", maximum=2_000_000))
PUBLISH = Form(
    Field("upstream", required=False, maximum=500), Field("force_reason", required=False, maximum=500)
)
RETIRE = Form(Field("reason", minimum=5, maximum=500))
_PAGE = "/departments/{slug:str}/services/{version_id:str}"


async def _find(caller: Caller, slug: str, version_id: str) -> tuple[Organisation, VersionRecord]:
    department = await find_department(caller, slug)
    version = await catalogue.get_version(version_id)
    if await catalogue.owner_of(version.service) != department.id:
        raise Refusal(
            platform_types.NOT_FOUND, what=Text(f"服务版本 {version_id}", f"service version {version_id}")
        )
    check_can_see_draft(caller, department.id)
    return department, version


async def _version_page(
    request: AnyRequest, caller: Caller, slug: str, version_id: str, *, status: int = HTTP_200_OK,
    overlay: Filled | None = None, sandbox: Filled | None = None, live: Filled | None = None,
    retire: Filled | None = None,
) -> Page:  # fmt: skip
    department, version = await _find(caller, slug, version_id)
    publications = {row.environment: row for row in await catalogue.publications_of(version.id)}
    report = report_of(version)
    is_readable = any(face.name == "rest" and face.verdict != "refused" for face in report.faces)
    context: dict[str, Any] = {
        "department": department,
        "version": version,
        "report": report,
        "publications": publications,
        "is_publishable": is_readable and version.status != "retired",
        "may_publish": {name: can_publish(caller, department.id, name) for name in ("sandbox", "live")},
        "may_set_upstream": can_set_upstream(caller),
        "checklist": await catalogue.checklist_of(version.id) if is_readable else [],
        "changes": await _changes(version, publications.get("sandbox")),
        "affected_days": DAYS,
        "releases": await catalogue.releases_of(f"{version.id}/sandbox"),
        "subscribers": await _subscribers(version.id),
        "overlay": overlay or OVERLAY.blank({"overlay": pretty(version.overlay)}),
        "sandbox_form": sandbox or PUBLISH.blank({"upstream": _upstream(publications, "sandbox")}),
        "live_form": live or PUBLISH.blank({"upstream": _upstream(publications, "live")}),
        "retire_form": retire or RETIRE.blank(),
    }
    return await page(request, caller, "version.html", status=status, **context)


def _upstream(publications: dict[str, Publication], environment: str) -> str:
    row = publications.get(environment)
    return row.upstream if row is not None else ""


async def _changes(version: VersionRecord, published: Publication | None) -> list[dict[str, Any]]:
    """What publishing this draft in the sandbox would change, with the apps that would notice, by name."""
    if published is None or published.state != "published" or published.contract_digest == version.digest:
        return []
    found = await catalogue.changes_between(
        published.document, msgspec.json.decode(version.document), version.id
    )
    ids = {user.app_id for one in found for user in one.apps}
    names = {app.id: app.name for app in await App.filter(id__in=list(ids) or [""])}
    return [
        {"change": one.change, "is_breaking": one.is_breaking,
         "apps": [(names.get(user.app_id, user.app_id), user.last_at[:10]) for user in one.apps]}
        for one in found
    ]  # fmt: skip


async def _subscribers(version_id: str) -> list[tuple[str, str, str, str]]:
    rows = await catalogue.subscribers_of(version_id)
    names = {app.id: app.name for app in await App.filter(id__in=[row.app_id for row in rows] or [""])}
    return [(names.get(row.app_id, row.app_id), row.environment, row.purpose, row.status) for row in rows]


@get(_PAGE)
async def show_version(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str]
) -> Page:
    """Everything about a version, for its department."""
    return await _version_page(request, caller, slug, version_id)


@post(f"{_PAGE}/overlay", opt={"slowapi": "20/minute"})
async def save_overlay(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str], version_id: FromPath[str]
) -> Page | Response[None]:
    """Puts an edited overlay in place of the proposed one, and checks the contract again."""
    await _find(caller, slug, version_id)
    form = await OVERLAY.read(request)
    if form.is_valid:
        try:
            document = msgspec.json.decode(form.value("overlay"), type=dict[str, Any])
            await catalogue.edit_overlay(caller, version_id, document)
        except msgspec.DecodeError as error:
            form.fault("overlay", "version.overlay_bad", error=str(error))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/departments/{slug}/services/{version_id}", flash.put("version.overlay_saved"))
    return await _version_page(request, caller, slug, version_id, status=form.status, overlay=form)


@post(f"{_PAGE}/publish/{{environment:str}}", opt={"slowapi": "20/minute"})
async def publish(
    request: AnyRequest,
    caller: CurrentCaller,
    slug: FromPath[str],
    version_id: FromPath[str],
    environment: FromPath[str],
) -> Page | Response[None]:
    """Publishes in the sandbox at once, or asks another person of the department for live."""
    await _find(caller, slug, version_id)
    form = await PUBLISH.read(request)
    if form.is_valid:
        upstream = (form.value("upstream") or SYNTHETIC) if can_set_upstream(caller) else None
        try:
            row = await catalogue.publish(
                caller, version_id, environment, upstream, force_reason=form.value("force_reason")
            )
        except Refusal as problem:
            form.take(problem)
        else:
            key = "version.requested" if row.approval_id else "version.published"
            return redirect(f"/departments/{slug}/services/{version_id}", flash.put(key))
    shown = {"sandbox" if environment == "sandbox" else "live": form}
    return await _version_page(request, caller, slug, version_id, status=form.status, **shown)


@post(f"{_PAGE}/withdraw/{{environment:str}}", opt={"slowapi": "20/minute"})
async def withdraw(
    request: AnyRequest,
    caller: CurrentCaller,
    slug: FromPath[str],
    version_id: FromPath[str],
    environment: FromPath[str],
) -> Page | Response[None]:
    """Takes the version out of one environment at once, with a reason."""
    await _find(caller, slug, version_id)
    form = await RETIRE.read(request)
    if form.is_valid:
        try:
            await catalogue.withdraw(caller, version_id, environment, reason=form.value("reason"))
        except Refusal as problem:
            form.take(problem)
        else:
            return redirect(f"/departments/{slug}/services/{version_id}", flash.put("version.retired"))
    return await _version_page(request, caller, slug, version_id, status=form.status, retire=form)


router = Router("/", route_handlers=[show_version, save_overlay, publish, withdraw])
