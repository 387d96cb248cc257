"""A department's workspace: its services, importing a contract, and what was found in it."""

from typing import Any

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from api.catalogue import service as catalogue
from api.catalogue import uploads
from api.catalogue.models import Publication, ServiceRecord, Subscription, VersionRecord
from api.catalogue.permissions import can_import, check_can_see_draft
from api.contract.load import load_files
from api.core import problem_types_platform as platform_types
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problems import Refusal, Text
from api.identity.models import Organisation
from api.identity.organisations import service as organisations
from portal import flash
from portal.forms import Field, Filled, Form
from portal.frame import check_signed_in, page, redirect
from portal.reports import report_view
from portal.view import AnyRequest, Page

IMPORT = Form(
    Field("files", kind="files"),
    Field("entry", required=False, maximum=200),
    Field("service_name", required=False, maximum=40, pattern=r"[a-z][a-z0-9-]*", hint_key="form.slug"),
)


async def find_department(caller: Caller, slug: str) -> Organisation:
    """A department that the caller belongs to, or looks after. Raises NOT_FOUND."""
    check_signed_in(caller)
    department = await organisations.get_organisation(caller, slug)
    if department.kind != "department":
        raise Refusal(platform_types.NOT_FOUND, what=Text(f"部门 {slug}", f"department {slug}"))
    return department


@get("/departments/{slug:str}")
async def show_department(request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]) -> Page:
    """The services of a department, drafts included."""
    department = await find_department(caller, slug)
    check_can_see_draft(caller, department.id)
    names = await ServiceRecord.filter(organisation_id=department.id).values_list("name", flat=True)
    versions = (
        await VersionRecord.filter(service__in=list(names) or [""])
        .order_by("service", "-version")
        .only("id", "service", "version", "release", "title", "status", "operations", "imported_at", "digest")
    )
    publications = await Publication.filter(service__in=list(names) or [""]).only(
        "id", "version_id", "environment", "state", "contract_digest", "upstream", "approval_id"
    )
    by_version: dict[str, dict[str, Publication]] = {}
    for row in publications:
        by_version.setdefault(row.version_id, {})[row.environment] = row
    return await page(
        request, caller, "department.html", department=department, versions=versions, publications=by_version,
        subscribers=await _subscribers([one.id for one in versions]), may_import=can_import(caller, department.id),
    )  # fmt: skip


async def _subscribers(version_ids: list[str]) -> dict[str, int]:
    counts: dict[str, int] = {}
    rows = Subscription.filter(version_id__in=version_ids or [""], status__in=["active", "pending"])
    for version_id in await rows.values_list("version_id", flat=True):
        counts[str(version_id)] = counts.get(str(version_id), 0) + 1
    return counts


@get("/departments/{slug:str}/import")
async def show_import(request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]) -> Page:
    """The form."""
    department = await find_department(caller, slug)
    return await _import_page(request, caller, department, IMPORT.blank())


async def _import_page(
    request: AnyRequest, caller: Caller, department: Organisation, form: Filled, *, report: Any = None, status: int = 200
) -> Page:  # fmt: skip
    return await page(
        request, caller, "import.html", status=status, department=department, form=form, report=report,
        limit=uploads.MAX_BYTES,
    )  # fmt: skip


@post("/departments/{slug:str}/import", opt={"slowapi": "20/minute"})
async def import_contract(
    request: AnyRequest, caller: CurrentCaller, slug: FromPath[str]
) -> Page | Response[None]:
    """Reads the upload; what could be made of it becomes a draft, whose page shows everything that was found."""
    department = await find_department(caller, slug)
    form = await IMPORT.read(request)
    report: catalogue.ImportReport | None = None
    if form.is_valid:
        try:
            report = await _import(caller, department, form)
        except Refusal as problem:
            form.take(problem)
    if report is not None and report.version_id and report.verdicts.get("rest") != "refused":
        address = f"/departments/{slug}/services/{report.version_id}"
        return redirect(address, flash.put("import.imported", version=report.version_id))
    shown = report_view(report.findings, report.losses, report.verdicts, report.reasons) if report else None
    return await _import_page(request, caller, department, form, report=shown, status=422)


async def _import(caller: Caller, department: Organisation, form: Filled) -> catalogue.ImportReport:
    parts = [(_name(file), await file.read()) for file in form.files["files"]]
    upload = uploads.gather(parts, form.value("entry"))
    loaded = load_files(upload.files, upload.entry)
    return await catalogue.import_contract(
        caller, organisation_id=department.id, loaded=loaded, name=form.value("service_name") or None
    )


def _name(file: UploadFile) -> str:
    """The file's own name; a browser may send a path."""
    return file.filename.replace("\\", "/").rpartition("/")[2] or "contract"


router = Router("/", route_handlers=[show_department, show_import, import_contract])
