"""`/platform/v1/apps/{id}/graphql`: registered documents of an app."""

from typing import Annotated

from litestar import Router, delete, get, post, put
from litestar.params import JSONBody, PathParameter

from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_graphql import GRAPHQL_INTROSPECTION, GRAPHQL_LIMIT, GRAPHQL_SYNTAX
from api.core.problem_types_platform import CONFLICT, CSRF_FAILED, NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED
from api.graphql import service
from api.graphql.schemas import DocumentItem, DocumentList, ListSetting, NewDocument
from api.identity.installation import current
from api.identity.schemas import AppId

Digest = Annotated[str, PathParameter(pattern="^[0-9a-f]{64}$", description="SHA-256 of the document.")]
_READ = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND)
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND)
_REGISTER = problem_responses(
    NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND, CONFLICT, GRAPHQL_SYNTAX, GRAPHQL_LIMIT, GRAPHQL_INTROSPECTION
)  # fmt: skip


@get(
    "/apps/{app_id:str}/graphql", operation_id="listGraphqlDocuments", tags=["graphql"],
    summary="列出登记的查询 List registered documents", description="Those that the app may run by digest. 可以凭摘要执行的查询。",
    responses=_READ,
)  # fmt: skip
async def list_documents(caller: CurrentCaller, app_id: AppId) -> DocumentList:
    """The documents of an app."""
    return await service.documents_of(caller, app_id)


@post(
    "/apps/{app_id:str}/graphql", operation_id="registerGraphqlDocument", tags=["graphql"],
    summary="登记查询 Register a document", description='It is run by `{"id": digest}`. 登记后凭摘要执行。',
    responses=_REGISTER,
)  # fmt: skip
async def register_document(
    caller: CurrentCaller, app_id: AppId, data: JSONBody[NewDocument]
) -> DocumentItem:
    """Register a document."""
    schema_url = current().settings.sandbox_url.rstrip("/") + "/graphql/schema"
    return await service.register(caller, app_id, data.document, data.label, schema_url)


@put(
    "/apps/{app_id:str}/graphql", operation_id="setGraphqlDocumentsExclusive", tags=["graphql"],
    summary="只执行登记的查询 Run registered documents alone", description="Any other document is refused. 其他查询一律拒绝。",
    responses=_WRITE,
)  # fmt: skip
async def set_exclusive(caller: CurrentCaller, app_id: AppId, data: JSONBody[ListSetting]) -> DocumentList:
    """Whether the app runs nothing else."""
    await service.set_exclusive(caller, app_id, is_exclusive=data.is_exclusive)
    return await service.documents_of(caller, app_id)


@delete(
    "/apps/{app_id:str}/graphql/{digest:str}", operation_id="removeGraphqlDocument", tags=["graphql"],
    summary="删除登记的查询 Remove a document", description="It can no longer be run by its digest. 不再能凭摘要执行。", responses=_WRITE,
)  # fmt: skip
async def remove_document(caller: CurrentCaller, app_id: AppId, digest: Digest) -> None:
    """Remove a document."""
    await service.remove(caller, app_id, digest)


router = Router(
    "/platform/v1", route_handlers=[list_documents, register_document, set_exclusive, remove_document]
)
