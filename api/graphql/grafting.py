"""GraftedSchema: the platform's own Strawberry schema with the fields of all services grafted on its roots.

Strawberry has no public way to hang types that are no Python classes on its roots: a class for each type takes a
hundred times as long (docs/decisions/0012). So the core schema that Strawberry made is made once more with both,
through `_schema` and `_strawberry_schema`, and nowhere else. The version of strawberry is pinned, and
tests/graphql/test_graphql_graft.py holds what is relied on.
"""

import inspect
from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLField, GraphQLNamedType, GraphQLObjectType, GraphQLSchema, execute
from graphql.execution import Executor
from strawberry.execution import optimized_is_awaitable
from strawberry.extensions import SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult

from api.graphql import root

_CONFIG = StrawberryConfig(auto_camel_case=False, scalar_map=root.SCALARS)


class ReadDocument(SchemaExtension):
    """Hands Strawberry the document that was read, held against the limits and validated before it came here."""

    def on_parse(self) -> Any:
        context = self.execution_context
        context.graphql_document = context.context.document
        context.pre_execution_errors = []  # validated: with the rules of limits, and once
        yield


class GraftedSchema(strawberry.Schema):
    """A Strawberry schema whose roots hold the services' fields beside the platform's own."""

    def __init__(
        self,
        queries: dict[str, GraphQLField],
        mutations: dict[str, GraphQLField],
        types: list[GraphQLNamedType],
    ) -> None:
        super().__init__(
            query=root.Query, subscription=root.Subscription, extensions=[ReadDocument], config=_CONFIG
        )
        own = self._schema
        assert own.query_type is not None
        self._schema = GraphQLSchema(
            query=GraphQLObjectType(
                "Query", own.query_type.fields | queries, extensions=own.query_type.extensions
            ),
            mutation=GraphQLObjectType("Mutation", mutations) if mutations else None,
            subscription=own.subscription_type,
            types=types,
            directives=own.directives,
            extensions=own.extensions,
        )
        setattr(self._schema, "_strawberry_schema", self)  # noqa: B010 - as Strawberry does

    async def execute(self, query: str | None, *given: Any, **named: Any) -> Any:
        """As Strawberry; a document that was prepared goes to the executor at once.

        Strawberry's runner of extensions and its resolve info have nothing to do for it, and cost a quarter of the
        execution (docs/decisions/0012).
        """
        context = named.get("context_value")
        document = getattr(context, "document", None)
        if document is None:
            return await super().execute(query, *given, **named)
        made = execute(
            self._schema, document, context_value=context, variable_values=named.get("variable_values"),
            operation_name=named.get("operation_name"), max_coercion_errors=5, hide_suggestions=True,
            executor_class=Executor,  # the plain one: the schema has no @defer and no @stream
            is_awaitable=optimized_is_awaitable,  # type: ignore[arg-type]  # says bool
        )  # fmt: skip
        result = await made if inspect.isawaitable(made) else made
        return ExecutionResult(result.data, result.errors)

    @property
    def core(self) -> GraphQLSchema:
        """The whole schema as graphql-core has it."""
        return self._schema

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Nothing: Strawberry would log them, with the text of the query. What is a defect is logged by the face."""
