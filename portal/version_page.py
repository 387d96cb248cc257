"""The page of one version in its department's workspace, for all the deeds that are done from it.

contracts.py imports and publishes, lifecycle.py retires and holds; each shows this page again with its own form.
"""

from datetime import timedelta
from typing import Any

import msgspec

from api.catalogue import service as catalogue
from api.catalogue.impact import DAYS
from api.catalogue.models import Publication, Subscription, VersionRecord
from api.catalogue.permissions import can_publish, can_set_upstream, can_suspend, check_can_see_draft
from api.catalogue.policies import NOTICE_DAYS, STATUS_TRANSITIONS, can_unretire
from api.contract.model import Status
from api.core import clock
from api.core import problem_types_platform as platform_types
from api.core.caller import Caller
from api.core.problems import Refusal, Text
from api.identity.models import App, Organisation
from portal.forms import Field, Filled, Form
from portal.frame import page
from portal.pages.departments import find_department
from portal.reports import pretty, report_of
from portal.view import AnyRequest, Page

OVERLAY = Form(Field("overlay", kind="area", maximum=2_000_000))
PUBLISH = Form(
    Field("upstream", required=False, maximum=500),
    Field("mapping", kind="area", required=False, maximum=524_288),
    Field("force_reason", required=False, maximum=500),
)
WITHDRAW = Form(Field("reason", minimum=5, maximum=500))
RETIRE = Form(
    Field("sunset", maximum=10, pattern=r"\d{4}-\d{2}-\d{2}"),
    Field("successor", required=False, maximum=80),
    Field("guide", required=False, maximum=500),
    Field("retire_reason", required=False, maximum=500),
)
HOLD = Form(Field("hold_reason", minimum=5, maximum=500))


async def find_version(caller: Caller, slug: str, version_id: str) -> tuple[Organisation, VersionRecord]:
    """A version of this department, for its members. Raises NOT_FOUND, PERMISSION_DENIED."""
    department = await find_department(caller, slug)
    version = await catalogue.get_version(version_id)
    if await catalogue.owner_of(version.service) != department.id:
        raise Refusal(
            platform_types.NOT_FOUND, what=Text(f"服务版本 {version_id}", f"service version {version_id}")
        )
    check_can_see_draft(caller, department.id)
    return department, version


async def version_page(
    request: AnyRequest, caller: Caller, slug: str, version_id: str, *, status: int = 200, **filled: Filled
) -> Page:
    """The page; `filled` puts a form that was sent in the place of its blank: overlay, sandbox, live, withdraw,
    retire, hold.
    """
    department, version = await find_version(caller, slug, version_id)
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
        "may_hold": can_suspend(caller, department.id),
        "checklist": await catalogue.checklist_of(version.id) if is_readable else [],
        "changes": await _changes(version, publications.get("sandbox")),
        "affected_days": DAYS,
        "releases": await catalogue.releases_of(f"{version.id}/sandbox"),
        "subscribers": await _subscribers(version.id),
        "life": _life_of(version),
        "forms_of": _blanks(version, publications) | filled,
    }
    return await page(request, caller, "version.html", status=status, **context)


def _blanks(version: VersionRecord, publications: dict[str, Publication]) -> dict[str, Filled]:
    def upstream(environment: str) -> str:
        row = publications.get(environment)
        return row.upstream if row is not None else ""

    def mapping(environment: str) -> str:
        row = publications.get(environment)
        return row.mapping if row is not None else ""

    sunset = (clock.now().date() + timedelta(days=NOTICE_DAYS)).isoformat()
    return {
        "overlay": OVERLAY.blank({"overlay": pretty(version.overlay)}),
        "sandbox": PUBLISH.blank({"upstream": upstream("sandbox"), "mapping": mapping("sandbox")}),
        "live": PUBLISH.blank({"upstream": upstream("live"), "mapping": mapping("live")}),
        "withdraw": WITHDRAW.blank(),
        "retire": RETIRE.blank({"sunset": sunset}),
        "hold": HOLD.blank(),
    }


def _life_of(version: VersionRecord) -> dict[str, Any]:
    """The next steps that its state allows."""
    status, closed = Status(version.status), {Status.DEPRECATED, Status.RETIRED}
    onward = STATUS_TRANSITIONS[status] - closed if status not in closed else frozenset()
    return {
        "next_statuses": sorted(one.value for one in onward),
        "may_retire": status not in closed,
        "may_unretire": can_unretire(status, str(version.deprecation.get("sunset", "")), clock.now()),
        "notice_days": NOTICE_DAYS,
    }


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


async def _subscribers(version_id: str) -> list[tuple[Subscription, str]]:
    """Subscriptions with the names of their apps."""
    rows = await catalogue.subscribers_of(version_id)
    names = {app.id: app.name for app in await App.filter(id__in=[row.app_id for row in rows] or [""])}
    return [(row, names.get(row.app_id, row.app_id)) for row in rows]
