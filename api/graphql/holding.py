"""SchemaHolder: the schema of a plane as it is published now, and the documents that were read against it.

Made when it is first asked for, again in a thread when a publication changed; requests go on with the old one
meanwhile. Documents are remembered with what was found out about them, so that an app's query is parsed and
validated once.
"""

import asyncio
from collections import OrderedDict
from typing import Any

from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    OperationDefinitionNode,
    assert_valid_schema,
    print_schema,
    validate,
)
from msgspec import Struct

from api.contract.model import Level, Operation, Service
from api.core.problem_types_graphql import GRAPHQL_INVALID
from api.core.problems import Refusal
from api.gateway.app_table import AppRow
from api.gateway.compiled import ServiceEntry, obstacle_of_operation
from api.gateway.snapshot import Snapshot
from api.graphql.building import Cut, build
from api.graphql.grafting import GraftedSchema
from api.graphql.limits import read_document
from api.graphql.running import granted_level

_KEPT_DOCUMENTS = 512
_KEPT_TEXT = 8192  # characters: a longer document is read each time
_KEPT_SDL = 64
_MOST_ERRORS = 5


class Known(Struct):
    """A document that may run: it is within the limits and fits the schema."""

    document: DocumentNode
    operations: dict[str, OperationDefinitionNode]
    fragments: dict[str, FragmentDefinitionNode]
    costs: dict[str, Any]  # of operations without variables, once they are worked out


class Face(Struct):
    """One schema, and what was worked out with it."""

    services: dict[str, dict[str, ServiceEntry]]
    by_key: dict[str, Service]
    schema: GraftedSchema
    documents: OrderedDict[str, Known]
    texts: OrderedDict[Any, str]  # the schema as text, by who reads it

    def read(self, text: str, schema_url: str) -> Known:
        """The document, ready to run. Raises Refusal: graphql-limit, -syntax, -introspection, -invalid."""
        known = self.documents.get(text)
        if known is not None:
            self.documents.move_to_end(text)
            return known
        document = read_document(text, schema_url)
        errors = validate(self.schema.core, document, max_errors=_MOST_ERRORS, hide_suggestions=True)
        if errors:
            shown = tuple(
                {"message": one.message, "locations": [list(place) for place in one.locations or ()]}
                for one in errors
            )
            raise Refusal(GRAPHQL_INVALID, errors=shown, count=len(errors), schema=schema_url)
        known = Known(document, {}, {}, {})
        for one in document.definitions:
            if isinstance(one, OperationDefinitionNode):
                known.operations[one.name.value if one.name else ""] = one
            elif isinstance(one, FragmentDefinitionNode):
                known.fragments[one.name.value] = one
        if len(text) <= _KEPT_TEXT:
            self.documents[text] = known
            if len(self.documents) > _KEPT_DOCUMENTS:
                self.documents.popitem(last=False)
        return known


class SchemaHolder:
    """The face of the present snapshot."""

    def __init__(self) -> None:
        self._face: Face | None = None
        self._making: asyncio.Task[Face] | None = None

    async def current(self, snapshot: Snapshot) -> Face:
        """The newest face that is there; where none is, it is waited for."""
        face = self._face
        if face is not None and face.services is snapshot.services:
            return face
        making = self.renew(snapshot)
        return face if face is not None else await asyncio.shield(making)

    async def newest(self, snapshot: Snapshot) -> Face:
        """The face of this very snapshot, waited for: where the older one did not do."""
        face = self._face
        if face is not None and face.services is snapshot.services:
            return face
        return await asyncio.shield(self.renew(snapshot))

    def renew(self, snapshot: Snapshot) -> "asyncio.Task[Face]":
        """Make the face of a snapshot beside what runs; one is made at a time."""
        if self._making is None or self._making.done():
            self._making = asyncio.ensure_future(self._make(snapshot))
        return self._making

    async def _make(self, snapshot: Snapshot) -> Face:
        self._face = made = await asyncio.to_thread(face_of, snapshot)
        return made

    async def text_for(self, snapshot: Snapshot, app: AppRow, scopes: frozenset[str]) -> str:
        """The schema as text, cut to what an app with this token may call and see; kept for each set of rights."""
        face = await self.newest(snapshot)
        key = (
            app.organisation_kind, app.organisation_id, scopes,
            tuple((name, granted_level(app.rights, name)) for name in sorted(app.rights)),
        )  # fmt: skip
        return await _text(face, key, cut_for(snapshot, app, scopes))

    async def public_text(self, snapshot: Snapshot) -> str:
        """The schema that everybody may read: nothing above L2."""
        return await _text(await self.newest(snapshot), None, PUBLIC)


def face_of(snapshot: Snapshot) -> Face:
    """The face of the services that are not retired."""
    services = [one.service for one in snapshot.entries() if one.state != "retired"]
    built = build(services)
    assert_valid_schema(built.schema)  # here, in a thread: the first document would wait for it
    return Face(
        snapshot.services, {one.key: one for one in services}, built.grafted, OrderedDict(), OrderedDict()
    )


async def _text(face: Face, key: Any, cut: Cut) -> str:
    known = face.texts.get(key)
    if known is None:
        known = await asyncio.to_thread(lambda: print_schema(build(face.by_key.values(), cut).schema))
        face.texts[key] = known
        if len(face.texts) > _KEPT_SDL:
            face.texts.popitem(last=False)
    return known


PUBLIC = Cut(has_operation=lambda _, operation: operation.level <= Level.L2, max_level=lambda _: "L2")


def cut_for(snapshot: Snapshot, app: AppRow, scopes: frozenset[str]) -> Cut:
    """What an app with these scopes may call and see."""
    owners = {one.key: one.owner_id for one in snapshot.entries()}

    def has_operation(service: Service, operation: Operation) -> bool:
        standing = app.rights.get(service.key)
        if standing is None or operation.level.value > granted_level(app.rights, service.key):
            return False
        if not standing.purposes or not scopes.issuperset(operation.scopes):
            return False
        is_owner = app.organisation_id == owners[service.key]
        return not obstacle_of_operation(operation, app.organisation_kind, is_owner=is_owner)

    return Cut(has_operation, lambda service: granted_level(app.rights, service.key))
