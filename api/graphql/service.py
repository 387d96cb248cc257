"""Registered documents of apps: registering, listing, removing, and running nothing else.

Who may edit the app may do it. A document is held against the limits when it is registered; the schema is asked
when it runs, for it changes.
"""

from api.core import audit, clock
from api.core.caller import Caller
from api.core.problem_types_platform import CONFLICT, NOT_FOUND
from api.core.problems import Refusal, Text
from api.graphql.documents import AppDocuments, digest_of
from api.graphql.models import GraphqlDocument, GraphqlList
from api.graphql.schemas import DocumentItem, DocumentList
from api.identity.apps.service import get_app
from api.identity.permissions import check_can_edit_app

MAX_DOCUMENTS = 500
_WHAT = Text("登记的查询", "registered document")
_FULL = Text(
    f"一个应用最多登记 {MAX_DOCUMENTS} 个查询。", f"An app registers at most {MAX_DOCUMENTS} documents."
)


async def register(caller: Caller, app_id: str, text: str, label: str, schema_url: str) -> DocumentItem:
    """Register a document; the same text again gives the one there is. Raises what limits.read_document raises."""
    from api.graphql.limits import read_document

    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    read_document(text, schema_url)
    digest = digest_of(text)
    known = await GraphqlDocument.get_or_none(id=f"{app_id}/{digest}")
    if known is not None:
        return _item(known)
    if await GraphqlDocument.filter(app_id=app_id).count() >= MAX_DOCUMENTS:
        raise Refusal(CONFLICT, reason=_FULL)
    async with audit.write(
        caller.id, "graphql.register", app_id, organisation=app.organisation_id, digest=digest
    ):
        made = await GraphqlDocument.create(
            id=f"{app_id}/{digest}", app_id=app_id, digest=digest, label=label, text=text, created_by=caller.id,
            created_at=clock.now(),
        )  # fmt: skip
    return _item(made)


async def documents_of(caller: Caller, app_id: str) -> DocumentList:
    """The documents of an app, the oldest first."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    rows = await GraphqlDocument.filter(app_id=app_id).order_by("created_at", "digest")
    setting = await GraphqlList.get_or_none(app_id=app_id)
    return DocumentList([_item(row) for row in rows], setting is not None and setting.is_exclusive)


async def remove(caller: Caller, app_id: str, digest: str) -> None:
    """Remove a document. Raises not-found."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    async with audit.write(
        caller.id, "graphql.remove", app_id, organisation=app.organisation_id, digest=digest
    ):
        if not await GraphqlDocument.filter(id=f"{app_id}/{digest}").delete():
            raise Refusal(NOT_FOUND, what=_WHAT)


async def set_exclusive(caller: Caller, app_id: str, *, is_exclusive: bool) -> None:
    """Whether the app runs its registered documents alone."""
    app = await get_app(caller, app_id)
    check_can_edit_app(caller, app.organisation_id)
    async with audit.write(
        caller.id,
        "graphql.set_exclusive",
        app_id,
        organisation=app.organisation_id,
        is_exclusive=is_exclusive,
    ):
        await GraphqlList.update_or_create({"is_exclusive": is_exclusive}, app_id=app_id)


async def load(app_id: str) -> AppDocuments:
    """What the face asks: an app's documents as it runs them."""
    rows = await GraphqlDocument.filter(app_id=app_id).values_list("digest", "text")
    setting = await GraphqlList.get_or_none(app_id=app_id)
    return AppDocuments(
        {str(digest): str(text) for digest, text in rows}, setting is not None and setting.is_exclusive
    )


def _item(row: GraphqlDocument) -> DocumentItem:
    return DocumentItem(row.digest, row.label, row.text, clock.to_text(row.created_at))
