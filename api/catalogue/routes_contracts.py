"""Routes of contracts: upload (files, a zip, or JSON), drafts with their reports, overlays."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, delete, get, post, put
from litestar.datastructures import FormMultiDict, UploadFile
from litestar.params import JSONBody, PathParameter

from api.catalogue import approvals, browsing, drafts, onboarding, publishing, readings, schemas, views
from api.catalogue.drafts import get_version
from api.catalogue.models import ServiceRecord
from api.catalogue.permissions import can_see_draft, check_can_see_draft
from api.catalogue.rights import owner_of
from api.catalogue.upload_openapi import UploadOperation
from api.catalogue.uploads import Upload, from_texts, gather
from api.core.dependencies import CurrentCaller
from api.core.paging import Page
from api.core.problem_responses import document_response, problem_responses
from api.core.problem_types import REQUEST_TOO_LARGE
from api.core.problem_types_platform import (
    CONFLICT,
    CONTRACT_REFUSED,
    CSRF_FAILED,
    INPUT_INVALID,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    UPLOAD_REFUSED,
)
from api.core.problems import Refusal, Text

_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)
_MEMBERS = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND)
VersionId = Annotated[str, PathParameter(description="Service version, `company@v1`.", max_length=80)]
_OPTIONS = ("entry", "organisation", "name", "overlay", "validate_only")


async def read_upload(request: Request[Any, Any, Any]) -> tuple[Upload, schemas.ContractUpload]:
    """The upload of a request and its options; multipart (files or a zip, options as fields) or JSON.

    Errors: input-invalid, upload-refused.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        form = await _form_of(request)
        parts, fields = [], {}
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                parts.append((value.filename, await value.read()))
            else:
                fields[name] = value
        options = _options(fields)
        return gather(parts, options.entry), options
    if kind in {"application/zip", "application/x-zip-compressed"}:
        options = _options(
            {key: request.query_params[key] for key in _OPTIONS if key in request.query_params}
        )
        return gather([("upload.zip", await request.body())], options.entry), options
    options = _decoded(await request.body())
    return from_texts(options.files, options.entry), options


async def _form_of(request: Request[Any, Any, Any]) -> FormMultiDict:
    """The parts of a multipart body. Litestar 2.25's reader lets these out on a field that is not UTF-8 (fuzzed)."""
    try:
        return await request.form()
    except (LookupError, ValueError) as error:
        message = Text(
            "multipart 格式有误,字段须为 UTF-8。", "The multipart body is malformed; fields are UTF-8."
        )
        raise Refusal(INPUT_INVALID, errors=({"pointer": "", "message": message},), count=1) from error


def _options(fields: dict[str, Any]) -> schemas.ContractUpload:
    made: dict[str, Any] = {"files": {}, **{key: fields[key] for key in _OPTIONS if key in fields}}
    if isinstance(made.get("overlay"), str):
        made["overlay"] = _json(made["overlay"].encode(), "/overlay") if made["overlay"].strip() else None
    try:
        return msgspec.convert(made, schemas.ContractUpload, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error


def _decoded(body: bytes) -> schemas.ContractUpload:
    try:
        return msgspec.json.decode(body, type=schemas.ContractUpload)
    except msgspec.ValidationError as error:
        raise _invalid(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(error, "") from error


def _json(text: bytes, pointer: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _not_json(error, pointer) from error


def _not_json(error: Exception, pointer: str) -> Refusal:
    return Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": f"not JSON: {error}"},), count=1)


def _invalid(error: msgspec.ValidationError) -> Refusal:
    message, _, path = str(error).partition(" - at `$")
    pointer = path.rstrip("`").replace(".", "/").replace("[", "/").replace("]", "")
    return Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": message},), count=1)


@post(
    "/platform/v1/contracts", status_code=200, tags=["contracts"], opt={"slowapi": "120/minute"}, operation_class=UploadOperation, operation_id="importContract", summary="导入契约 Import a contract",
    description="Three forms: `multipart/form-data` with files or a ZIP (and `entry`, `organisation`, `name`, `overlay`, "
    "`validate_only` as fields); `application/zip` with those as query parameters; or JSON `{files, entry, …}`. At most 20 MB. "
    "The answer is the report: findings, losses, one verdict for each face. A refused document is stored too, and cannot be "
    "published. `validate_only` stores nothing.",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, CONFLICT, UPLOAD_REFUSED, REQUEST_TOO_LARGE, is_limited=True),
)  # fmt: skip
async def import_contract(request: Request[Any, Any, Any], caller: CurrentCaller) -> schemas.ContractReport:
    approvals.check_is_signed_in(caller)
    upload, options = await read_upload(request)
    loaded = await readings.load_upload(upload)
    if options.validate_only:
        report = await onboarding.lint(loaded, options.overlay)
        return views.contract_report(report, is_stored=False)
    report = await onboarding.import_contract(
        caller, organisation_id=options.organisation, loaded=loaded, overlay=options.overlay, name=options.name or None
    )  # fmt: skip
    return views.contract_report(report, is_stored=True)


@get(
    "/platform/v1/contracts", tags=["contracts"], operation_id="listContractDrafts", summary="本部门的契约 Contracts of one's departments",
    responses=problem_responses(NOT_SIGNED_IN),
)  # fmt: skip
async def list_contracts(caller: CurrentCaller) -> Page[schemas.ContractItem]:
    approvals.check_is_signed_in(caller)
    query = ServiceRecord.all()
    if not caller.is_administrator:
        query = query.filter(
            organisation_id__in=[one for one in caller.organisations if can_see_draft(caller, one)]
        )
    items = []
    for record in await query.order_by("name"):
        items += [views.contract_item(row) for row in await browsing.versions_of(record.name)]
    return Page(items=items)


@get(
    "/platform/v1/contracts/{version_id:str}", tags=["contracts"], operation_id="getContractDraft",
    summary="契约草稿与检查报告 A draft with its report", responses=_MEMBERS,
)  # fmt: skip
async def get_contract(caller: CurrentCaller, version_id: VersionId) -> schemas.ContractDetail:
    row = await get_version(version_id)
    check_can_see_draft(caller, await owner_of(row.service))
    return views.contract_detail(row, await publishing.publications_of(version_id))


@get(
    "/platform/v1/contracts/{version_id:str}/original", tags=["contracts"], operation_id="getContractOriginal",
    summary="原始文件 The files as they came", description="`{entry, files: {path: text}}`, untouched.",
    responses=_MEMBERS | document_response("The files"),
)  # fmt: skip
async def get_original(caller: CurrentCaller, version_id: VersionId) -> Response[bytes]:
    row = await get_version(version_id)
    check_can_see_draft(caller, await owner_of(row.service))
    return Response(row.original.encode(), media_type="application/json")


@get(
    "/platform/v1/contracts/{version_id:str}/document", tags=["contracts"], operation_id="getContractDocument",
    summary="规范化后的草稿 The draft in its normal form",
    responses=_MEMBERS | document_response("OpenAPI 3.1"),
)  # fmt: skip
async def get_document(caller: CurrentCaller, version_id: VersionId) -> Response[bytes]:
    row = await get_version(version_id)
    check_can_see_draft(caller, await owner_of(row.service))
    return Response(row.document.encode(), media_type="application/json")


@put(
    "/platform/v1/contracts/{version_id:str}/overlay", tags=["contracts"], opt={"slowapi": "120/minute"}, operation_id="putContractOverlay",
    summary="编辑叠加文件 Edit the overlay",
    description="An OpenAPI Overlay 1.0 document in place of the proposed one; the draft is built again from the original.",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, CONTRACT_REFUSED, is_limited=True),
)  # fmt: skip
async def put_overlay(
    caller: CurrentCaller, version_id: VersionId, data: JSONBody[dict[str, Any]]
) -> schemas.ContractReport:
    return views.contract_report(await drafts.edit_overlay(caller, version_id, data), is_stored=True)


@delete(
    "/platform/v1/contracts/{version_id:str}", tags=["contracts"], operation_id="deleteContractDraft",
    summary="删除未发布的草稿 Delete a draft that was never published", responses=_WRITE,
)  # fmt: skip
async def delete_contract(caller: CurrentCaller, version_id: VersionId) -> None:
    await drafts.delete_draft(caller, version_id)


HANDLERS = [
    import_contract, list_contracts, get_contract, get_original, get_document, put_overlay, delete_contract,
]  # fmt: skip
