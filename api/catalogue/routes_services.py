"""Routes of the public catalogue: contracts as published, the list and search, one service, its history."""

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post, put
from litestar.params import JSONBody, PathParameter, QueryParameter

from api.catalogue import browsing, documents, impact, lifecycle, publishing, schemas, views
from api.catalogue.drafts import get_version
from api.catalogue.inputs import check_id, check_version_id
from api.catalogue.models import Publication, VersionRecord
from api.catalogue.permissions import can_publish, can_see_draft, can_set_upstream, check_can_see_draft
from api.catalogue.readings import load_upload
from api.catalogue.rights import decode_offer, owner_of, subscribers_of
from api.catalogue.routes_contracts import read_upload
from api.catalogue.upload_openapi import UploadOperation
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.paging import Page, next_link
from api.core.problem_responses import document_response, problem_responses
from api.core.problem_types_platform import (
    BREAKING_CHANGE,
    CONFLICT,
    CONTRACT_REFUSED,
    CSRF_FAILED,
    INPUT_INVALID,
    NOT_FOUND,
    NOT_SIGNED_IN,
    PERMISSION_DENIED,
    PUBLISH_REFUSED,
)
from api.core.problems import Refusal, Text, preferred_language

MAX_LIMIT = 200
LEVELS, OPENS, STATUSES = r"^(L[1-4])?$", "^(open|conditional|closed)?$", "^(alpha|beta|stable|deprecated)?$"
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT)
_MEMBERS = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND)
ServiceName = Annotated[str, PathParameter(max_length=64)]
MajorVersion = Annotated[str, PathParameter(max_length=16)]
ServiceId = Annotated[str, PathParameter(description="Service version, `company@v1`.", max_length=80)]


def language_of(request: Request[Any, Any, Any]) -> str:
    """Zh or en, as the reader prefers."""
    return preferred_language(request.headers.get("accept-language", ""))


# --- contracts as published ---------------------------------------------------------------------
def answer_document(request: Request[Any, Any, Any], rendered: documents.Rendered) -> Response[bytes]:
    """The document with its entity tag, 304 where the reader has it already."""
    headers = {
        "ETag": rendered.etag,
        "Cache-Control": "public, no-cache" if rendered.is_public else "private, no-cache",
        "Vary": "Authorization, Cookie",
        "Access-Control-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    if rendered.etag in known or "*" in known:
        return Response(b"", status_code=304, headers=headers)
    return Response(rendered.body, media_type=rendered.media_type, headers=headers)


@get(
    "/catalogue/openapi.json", tags=["catalogue"], operation_id="listContracts", summary="契约目录 Index of contracts",
    description="An OpenAPI document without paths: `x-services` links to the contract of every published service version.",
    responses=problem_responses() | document_response("OpenAPI 3.1"),
)  # fmt: skip
async def index_document(request: Request[Any, Any, Any], caller: CurrentCaller) -> Response[bytes]:
    listed = await browsing.browse(caller)
    return answer_document(request, documents.index(listed))


@get(
    ["/catalogue/{service:str}/{version:str}/openapi.json"], tags=["catalogue"], operation_id="getContract",
    summary="已发布的契约 A contract as published",
    description="OpenAPI 3.1 with this platform's server and security scheme. Conditional requests by ETag.",
    responses=problem_responses(NOT_FOUND) | document_response("OpenAPI 3.1"),
)  # fmt: skip
async def contract_json(
    request: Request[Any, Any, Any], caller: CurrentCaller, service: ServiceName, version: MajorVersion,
    environment: Annotated[str, QueryParameter(pattern="^(sandbox|live)?$", description="Empty: live where published, else sandbox.")] = "",
) -> Response[bytes]:  # fmt: skip
    for_department = await browsing.is_of_a_department(caller)
    return answer_document(
        request,
        await documents.render(f"{service}@{version}", environment, "json", for_department=for_department),
    )


@get(
    ["/catalogue/{service:str}/{version:str}/openapi.yaml"], tags=["catalogue"], operation_id="getContractYaml",
    summary="已发布的契约(YAML) A contract as published, YAML",
    responses=problem_responses(NOT_FOUND) | document_response("OpenAPI 3.1", "application/yaml"),
)  # fmt: skip
async def contract_yaml(
    request: Request[Any, Any, Any], caller: CurrentCaller, service: ServiceName, version: MajorVersion,
    environment: Annotated[str, QueryParameter(pattern="^(sandbox|live)?$")] = "",
) -> Response[bytes]:  # fmt: skip
    for_department = await browsing.is_of_a_department(caller)
    return answer_document(
        request,
        await documents.render(f"{service}@{version}", environment, "yaml", for_department=for_department),
    )


# --- list and search ----------------------------------------------------------------------------
@get(
    "/platform/v1/services", tags=["catalogue"], opt={"slowapi": "600/minute"}, operation_id="listServices", summary="服务列表与检索 List and search services",
    description="Published service versions; with `query` ranked, in Chinese and English, several words narrow it.",
    responses=problem_responses(is_limited=True),
)  # fmt: skip
async def list_services(
    request: Request[Any, Any, Any], caller: CurrentCaller,
    words: Annotated[str, QueryParameter(name="query", max_length=200)] = "",
    department: Annotated[str, QueryParameter(max_length=64, description="Slug or id.")] = "",
    level: Annotated[str, QueryParameter(pattern=LEVELS)] = "",
    open_: Annotated[str, QueryParameter(name="open", pattern=OPENS)] = "",
    status: Annotated[str, QueryParameter(pattern=STATUSES)] = "",
    environment: Annotated[str, QueryParameter(pattern="^(sandbox|live)?$")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[str, QueryParameter(max_length=200)] = "",
) -> Response[Page[schemas.ServiceItem]]:  # fmt: skip
    listed = await browsing.browse(
        caller, query=words, department=department, level=level, open_=open_, status=status, environment=environment
    )  # fmt: skip
    start = _start_of(cursor)
    language = language_of(request)
    items = [views.service_item(one, language) for one in listed[start : start + limit]]
    following = str(start + limit) if start + limit < len(listed) else ""
    page = Page(items=items, next=following)
    filters = {"query": words, "department": department, "level": level, "open": open_, "status": status,
               "environment": environment, "limit": limit}  # fmt: skip
    return Response(page, headers=next_link("/platform/v1/services", page, **filters))


def _start_of(cursor: str) -> int:
    if cursor and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 9):
        message = Text(
            "游标无效;从第一页重新开始。", "It is no cursor of this list; start at the first page."
        )
        raise Refusal(INPUT_INVALID, errors=({"pointer": "/cursor", "message": message},), count=1)
    return int(cursor or 0)


async def visible_version(caller: Caller, service_id: str) -> tuple[VersionRecord, list[Publication], str]:
    """A version that the caller may see (published to him, or his department's draft), its rows and its owner.

    Errors: not-found.
    """
    missing = Refusal(NOT_FOUND, what=Text(f"服务版本 {service_id}", f"service version {service_id}"))
    version = await VersionRecord.get_or_none(id=check_version_id(service_id))
    if version is None:
        raise missing
    owner = await owner_of(version.service)
    rows = await publishing.publications_of(service_id)
    if can_see_draft(caller, owner):
        return version, rows, owner
    rows = [row for row in rows if row.state == "published"]
    listed = rows and browsing.card_in(rows)
    if not listed or (listed.audience == "department" and not await browsing.is_of_a_department(caller)):
        raise missing
    return version, rows, owner


@get(
    "/platform/v1/services/{service_id:str}", tags=["catalogue"], operation_id="getService", summary="服务详情 One service version",
    responses=problem_responses(NOT_FOUND),
)  # fmt: skip
async def get_service(
    request: Request[Any, Any, Any], caller: CurrentCaller, service_id: ServiceId
) -> schemas.ServiceDetail:
    version, rows, owner = await visible_version(caller, service_id)
    card, offer = browsing.card_in(rows), None
    if card is None:
        frozen = await publishing.frozen_draft(version)
        card, offer = browsing.card_of(frozen.service), decode_offer(frozen.offer)
    else:
        offer = decode_offer(rows[0].offer)
    return views.service_detail(
        version, card, offer, rows, await browsing.organisation_texts(owner), language_of(request),
        may_publish=can_publish(caller, owner, "live"),
        shows_upstream=can_set_upstream(caller) or can_see_draft(caller, owner),
        hides_department=not await browsing.is_of_a_department(caller),
    )  # fmt: skip


@get(
    "/platform/v1/services/{name:str}/versions", tags=["catalogue"], operation_id="listVersions",
    summary="服务的全部版本 All versions of a service", responses=problem_responses(NOT_FOUND),
)  # fmt: skip
async def list_versions(
    caller: CurrentCaller,
    name: Annotated[str, PathParameter(description="Service name, `company`.", max_length=80)],
) -> Page[schemas.VersionItem]:
    name = check_id(name.partition("@")[0], Text("这个服务", "such service"))
    owner = await owner_of(name)
    is_owner = can_see_draft(caller, owner)
    items = []
    for row in await browsing.versions_of(name):
        rows = await publishing.publications_of(row.id)
        environments = [one.environment for one in rows if one.state == "published"]
        if is_owner or await _is_listed(caller, rows):
            items.append(views.version_item(row, environments, shows_draft=is_owner))
    if not items:
        raise Refusal(NOT_FOUND, what=Text(f"服务 {name}", f"service {name}"))
    return Page(items=items)


async def _is_listed(caller: Caller, rows: list[Publication]) -> bool:
    card = browsing.card_in([row for row in rows if row.state == "published"])
    return card is not None and (card.audience != "department" or await browsing.is_of_a_department(caller))


@get(
    "/platform/v1/services/{service_id:str}/changes", tags=["catalogue"], operation_id="listChanges",
    summary="变更记录 Releases and their changes",
    description="The releases of a version, newest first, each with its changes. With `against` the differences between "
    "that version and this one as published.",
    responses=problem_responses(NOT_FOUND),
)  # fmt: skip
async def list_changes(
    caller: CurrentCaller, service_id: ServiceId, against: Annotated[str, QueryParameter(max_length=80)] = ""
) -> Page[schemas.ReleaseItem] | schemas.Changes:
    _, rows, _ = await visible_version(caller, service_id)
    rows = [row for row in rows if row.state == "published"]
    if not against:
        releases = [one for row in rows for one in await publishing.releases_of(row.id)]
        return Page(items=[views.release_item(one) for one in releases])
    _, others, _ = await visible_version(caller, against)
    others = [row for row in others if row.state == "published"]
    if not rows or not others:
        raise Refusal(NOT_FOUND, what=Text("两个已发布的版本", "two published versions"))
    found = await impact.changes_between(others[0].document, msgspec.json.decode(rows[0].document), "")
    return views.changes(service_id, against, found)


# --- what a department does with its versions ---------------------------------------------------
@post(
    "/platform/v1/services/{service_id:str}/preview", status_code=200, tags=["contracts"], opt={"slowapi": "120/minute"}, operation_class=UploadOperation, operation_id="previewChange",
    summary="变更影响预览 What a new contract would break, and whom",
    description="The body is an upload as for `POST /platform/v1/contracts`; empty: the stored draft. Each change names the "
    "apps that used the operation or field in the last days, and when last.",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND, CONTRACT_REFUSED, is_limited=True),
)  # fmt: skip
async def preview_change(
    request: Request[Any, Any, Any], caller: CurrentCaller, service_id: ServiceId,
    days: Annotated[int, QueryParameter(ge=1, le=366)] = 30,
) -> schemas.Changes:  # fmt: skip
    version = await get_version(service_id)
    check_can_see_draft(caller, await owner_of(version.service))
    new = None
    if request.headers.get("content-type"):
        upload, _ = await read_upload(request)
        new = await load_upload(upload)
    found = await impact.preview(service_id, new, days=days)
    return views.changes(service_id, "published", found)


@post(
    "/platform/v1/services/{service_id:str}/publish", status_code=200, tags=["contracts"], opt={"slowapi": "120/minute"}, operation_id="publishService",
    summary="发布 Publish a version",
    description="In the sandbox at once; live it is pending until a second person of the department approved it.",
    responses=problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, PUBLISH_REFUSED, BREAKING_CHANGE, is_limited=True),
)  # fmt: skip
async def publish_service(
    caller: CurrentCaller, service_id: ServiceId, data: JSONBody[schemas.PublishRequest]
) -> schemas.Published:
    upstream = data.upstream or None
    row = await publishing.publish(
        caller, service_id, data.environment, upstream, mapping=data.mapping, force_reason=data.force_reason
    )
    return views.published(row)


@get(
    "/platform/v1/services/{service_id:str}/checklist", tags=["contracts"], operation_id="getPublishChecklist",
    summary="正式发布清单 The checklist for going live", responses=_MEMBERS,
)  # fmt: skip
async def get_checklist(
    request: Request[Any, Any, Any], caller: CurrentCaller, service_id: ServiceId
) -> schemas.ChecklistAnswer:
    version = await get_version(service_id)
    check_can_see_draft(caller, await owner_of(version.service))
    return views.checklist(service_id, await publishing.checklist_of(service_id), language_of(request))


@post(
    "/platform/v1/services/{service_id:str}/retire", status_code=200, tags=["contracts"], operation_id="retireService",
    summary="下线 Retire a version, or take it out of an environment",
    description="Without a reason: deprecated now, retired after six months' notice. With a reason and an environment: taken "
    "out of that environment at once.",
    responses=_WRITE,
)  # fmt: skip
async def retire_service(
    caller: CurrentCaller, service_id: ServiceId, data: JSONBody[schemas.RetireRequest]
) -> schemas.Retired:
    made = await lifecycle.retire(
        caller, service_id, data.environment, sunset=data.sunset, reason=data.reason, successor=data.successor, guide=data.guide
    )  # fmt: skip
    return views.retired(made)


@post(
    "/platform/v1/services/{service_id:str}/unretire", status_code=200, tags=["contracts"], operation_id="unretireService",
    summary="撤销下线 Undo a retirement before its sunset", responses=_WRITE,
)  # fmt: skip
async def unretire_service(caller: CurrentCaller, service_id: ServiceId) -> schemas.VersionStatus:
    return views.version_status(await lifecycle.unretire(caller, service_id))


@put(
    "/platform/v1/services/{service_id:str}/status", tags=["contracts"], operation_id="setServiceStatus",
    summary="更改状态 Move a version forward: alpha, beta, stable", responses=_WRITE,
)  # fmt: skip
async def set_service_status(
    caller: CurrentCaller, service_id: ServiceId, data: JSONBody[schemas.StatusRequest]
) -> schemas.VersionStatus:
    return views.version_status(await lifecycle.set_status(caller, service_id, data.status))


@get(
    "/platform/v1/services/{service_id:str}/subscriptions", tags=["contracts"], operation_id="listSubscribers",
    summary="订阅此服务的应用 Who is subscribed to a version", responses=_MEMBERS,
)  # fmt: skip
async def list_subscribers(caller: CurrentCaller, service_id: ServiceId) -> Page[schemas.SubscriptionItem]:
    version = await get_version(service_id)
    check_can_see_draft(caller, await owner_of(version.service))
    return Page(items=[views.subscription(row) for row in await subscribers_of(service_id)])


HANDLERS = [
    index_document, contract_json, contract_yaml, list_services, get_service, list_versions, list_changes, preview_change,
    publish_service, get_checklist, retire_service, unretire_service, set_service_status, list_subscribers,
]  # fmt: skip
