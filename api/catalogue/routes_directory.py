"""Routes of the directory: the same entries as a workbook, CSV and DCAT-AP, with conditional requests by ETag."""

import asyncio
from collections.abc import Callable
from typing import Any

from litestar import Request, Response, get

from api.catalogue import browsing, outside
from api.catalogue.directory import Entry, entries_for
from api.catalogue.directory_forms import as_csv, as_dcat, as_xlsx
from api.catalogue.documents import Rendered, tag_of
from api.catalogue.routes_services import answer_document
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problem_responses import document_response, problem_responses

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv; charset=utf-8; header=present"  # RFC 7111 §3
_JSONLD = "application/ld+json"


async def _rendered(caller: Caller, form: Callable[[list[Entry]], bytes], media_type: str) -> Rendered:
    listed = await browsing.browse(caller)
    for_department = await browsing.is_of_a_department(caller)
    entries = await entries_for(listed, for_department=for_department)
    body = await asyncio.to_thread(form, entries)
    return Rendered(body, media_type, tag_of(body), is_public=not for_department)


def _file(response: Response[bytes], name: str) -> Response[bytes]:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@get(
    "/catalogue/directory.xlsx", tags=["catalogue"], operation_id="getDirectoryXlsx", summary="政务数据目录(Excel) The directory as a workbook",
    description="An entry for each published service version, and its information items; derived from the contracts.",
    responses=problem_responses() | document_response("ECMA-376", _XLSX),
)  # fmt: skip
async def directory_xlsx(request: Request[Any, Any, Any], caller: CurrentCaller) -> Response[bytes]:
    return _file(answer_document(request, await _rendered(caller, as_xlsx, _XLSX)), "directory.xlsx")


@get(
    "/catalogue/directory.csv", tags=["catalogue"], operation_id="getDirectoryCsv", summary="政务数据目录(CSV) The directory as CSV",
    description="UTF-8 with a byte order mark; cells that a spreadsheet would take for formulas begin with an apostrophe.",
    responses=problem_responses() | document_response("RFC 4180", "text/csv"),
)  # fmt: skip
async def directory_csv(request: Request[Any, Any, Any], caller: CurrentCaller) -> Response[bytes]:
    return _file(answer_document(request, await _rendered(caller, as_csv, _CSV)), "directory.csv")


@get(
    "/catalogue/dcat.jsonld", tags=["catalogue"], operation_id="getDcat", summary="政务数据目录(DCAT-AP) The directory as DCAT-AP",
    description="DCAT 3 in JSON-LD 1.1 with its context inside: a data service and a dataset for each published version.",
    responses=problem_responses() | document_response("DCAT 3", _JSONLD),
)  # fmt: skip
async def dcat(request: Request[Any, Any, Any], caller: CurrentCaller) -> Response[bytes]:
    base = outside.ask().settings.issuer_of("sandbox")
    return answer_document(request, await _rendered(caller, lambda entries: as_dcat(entries, base), _JSONLD))


HANDLERS = [directory_xlsx, directory_csv, dcat]
