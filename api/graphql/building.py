"""The GraphQL schema of a set of service versions: a namespace for each service, a field for each operation.

Made when a publication changes, from the IR alone. `Cut` leaves out what a reader has no right to. The same
services in the same order make the same schema, whatever else is going on.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLString,
)
from msgspec import Struct

from api.contract.model import Media, Operation, Parameter, Reference, Service
from api.contract.naming import pascal
from api.graphql.naming import (
    OWN_FIELDS,
    OWN_TYPES,
    Names,
    camel,
    field_of,
    legal_name,
    namespace_of,
    type_prefix,
)
from api.graphql.plans import BODY, Argument, CallPlan, Nesting, batch_of
from api.graphql.resolving import nested_resolver, operation_resolver
from api.graphql.scalars import BYTES, DATE, DATE_TIME, DECIMAL, JSON, LONG
from api.graphql.typist import Typist

if TYPE_CHECKING:
    from api.graphql.grafting import GraftedSchema

PLAN = "kaimen"  # key of a field's extensions: its CallPlan or Nesting
_RESERVED = (
    *OWN_TYPES, "Int", "Float", "String", "Boolean", "ID", "Long", "Date", "DateTime", "Decimal", "JSON", "Bytes",
)  # fmt: skip
_KEY = "Idempotency-Key"
_PURPOSE, _SCENARIO = "kaimen-purpose", "kaimen-scenario"


class Cut(Struct, frozen=True):
    """What of the services a reader sees."""

    has_operation: Callable[[Service, Operation], bool] = lambda *_: True
    max_level: Callable[[Service], str] = lambda _: "L4"


class Roots(Struct, frozen=True):
    """The services' fields, and by service key what of its contract is JSON because no type of GraphQL says it."""

    queries: dict[str, GraphQLField]
    mutations: dict[str, GraphQLField]
    losses: dict[str, list[tuple[str, str]]]


class Built(Struct, frozen=True):
    """A schema, and by service key what of its contract is JSON because no type of GraphQL says it."""

    grafted: "GraftedSchema"
    losses: dict[str, list[tuple[str, str]]]

    @property
    def schema(self) -> GraphQLSchema:
        """The whole schema as graphql-core has it."""
        return self.grafted.core


WHOLE = Cut()


def build(services: Iterable[Service], cut: Cut = WHOLE) -> Built:
    """The schema. Raises TypeError or ValueError only where a name of ours is wrong, which is a defect."""
    from api.graphql.grafting import GraftedSchema  # Strawberry: who judges a contract does without

    roots = roots_of(services, cut)
    grafted = GraftedSchema(roots.queries, roots.mutations, [LONG, DATE, DATE_TIME, DECIMAL, JSON])
    return Built(grafted, roots.losses)


def roots_of(services: Iterable[Service], cut: Cut = WHOLE) -> Roots:
    """The services' fields alone, without a schema."""
    return _Builder(list(services), cut).build()


class _Builder:
    def __init__(self, services: list[Service], cut: Cut) -> None:
        self._services = {one.key: one for one in sorted(services, key=lambda one: (one.name, one.version))}
        self._cut = cut
        self._names = Names(_RESERVED)
        self._typists: dict[str, Typist] = {}
        self._outputs: dict[tuple[str, str], tuple[Any, CallPlan]] = {}

    def build(self) -> Roots:
        queries: dict[str, GraphQLField] = {}
        mutations: dict[str, GraphQLField] = {}
        for service in self._services.values():
            prefix = type_prefix(service)
            self._typists[service.key] = Typist(
                service.schemas, self._names, prefix, service_key=service.key, max_level=self._cut.max_level(service),
                nested=partial(self._nested, service),
            )  # fmt: skip
        for service in self._services.values():
            space = root_field_of(service)
            for roots, kind in ((queries, "Query"), (mutations, "Mutation")):
                fields = self._fields(service, is_safe=kind == "Query")
                if fields:
                    name = self._names.take(type_prefix(service) + kind)
                    roots[space] = GraphQLField(
                        GraphQLNonNull(GraphQLObjectType(name, fields, description=_text(service))),
                        resolve=lambda *_: _NAMESPACE,
                        description=_text(service),
                    )
        return Roots(queries, mutations, {key: one.losses for key, one in self._typists.items()})

    def _fields(self, service: Service, *, is_safe: bool) -> dict[str, GraphQLField]:
        names = Names()
        fields = {}
        for operation in service.operations:
            if operation.is_safe != is_safe or operation.stream:
                continue
            name = names.take(
                field_of(operation)
            )  # taken also where it is cut: names do not depend on who reads
            if self._cut.has_operation(service, operation):
                fields[name] = self._field(service, operation)
        return fields

    def _field(self, service: Service, operation: Operation) -> GraphQLField:
        typist = self._typists[service.key]
        hint = type_prefix(service) + (pascal(operation.id) or "Operation")
        names = Names()
        arguments: dict[str, Argument] = {}
        types: dict[str, GraphQLArgument] = {}
        for parameter in operation.parameters:
            if parameter.location == "header" and parameter.name.lower() in _NOT_ARGUMENTS:
                continue
            name = names.take(_argument_name(parameter))
            made, adapt = typist.input(
                parameter.schema, hint + pascal(name), f"{operation.pointer}/parameters"
            )
            arguments[name] = Argument(parameter.location, parameter.name, adapt)
            is_demanded = parameter.required and "default" not in parameter.schema
            types[name] = GraphQLArgument(
                GraphQLNonNull(made) if is_demanded else made, description=parameter.description or None
            )
        content_type = ""
        media = _json_body(operation)
        if media is not None:
            content_type = media.content_type
            name = names.take("input")
            made, adapt = typist.input(media.schema, hint + "Body", f"{operation.pointer}/requestBody")
            arguments[name] = Argument(BODY, "", adapt)
            is_required = operation.body is not None and operation.body.required
            types[name] = GraphQLArgument(GraphQLNonNull(made) if is_required else made)
        output, plan = self._output(service, operation)
        plan = CallPlan(service.key, operation, arguments, content_type, plan.adapt, plan.answers)
        return GraphQLField(
            output,
            args=types,
            resolve=operation_resolver(plan),
            description=_text(operation),
            deprecation_reason=operation.deprecation.guide or "deprecated" if operation.deprecation else None,
            extensions={PLAN: plan},
        )

    def _output(self, service: Service, operation: Operation) -> tuple[Any, CallPlan]:
        key = (service.key, operation.id)
        if key not in self._outputs:
            hint = type_prefix(service) + (pascal(operation.id) or "Operation") + "Result"
            made, adapt, answers = self._answer(service, operation, hint)
            self._outputs[key] = made, CallPlan(service.key, operation, {}, "", adapt, answers)
        return self._outputs[key]

    def _answer(self, service: Service, operation: Operation, hint: str) -> tuple[Any, Any, str]:
        good = [one for one in operation.responses if one.status[:1] == "2"]
        media = [one for response in good for one in response.media]
        described = [one for one in media if _is_json(one)]
        if described:
            schemas: list[Any] = []
            for one in described:
                if one.schema not in schemas:
                    schemas.append(one.schema)
            schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
            made, adapt = self._typists[service.key].output(schema, hint, f"{operation.pointer}/responses")
            return made, adapt, "json"
        if media:
            is_text = all(one.content_type.startswith("text/") for one in media)
            return (GraphQLString, None, "text") if is_text else (BYTES, None, "bytes")
        if good and all(response.status in {"204", "205"} for response in good):
            return GraphQLBoolean, None, "nothing"
        return JSON, None, "json"

    # -- relations ----------------------------------------------------------------------------------
    def _nested(
        self, service: Service, related: list[tuple[str, str, Reference, bool]], names: Names
    ) -> dict[str, GraphQLField]:
        """Fields that lead from a type's members to the operations that x-ref names."""
        fields = {}
        for member, wire, reference, is_list in related:
            key, _, operation_id = reference.operation.rpartition("/")
            target = self._services.get(key or service.key)
            operation = target.operation(operation_id) if target is not None else None
            if target is None or operation is None or not operation.is_safe:
                continue
            parameter = next((one for one in operation.parameters if one.name == reference.parameter), None)
            others = [one for one in operation.parameters if one.required and one is not parameter]
            if parameter is None or others or not self._cut.has_operation(target, operation):
                continue
            output, plan = self._output(target, operation)
            batch = batch_of(operation.batch, target) if operation.batch else None
            argument = Argument(parameter.location, parameter.name)
            nesting = Nesting(plan, wire, argument, is_list, batch)
            name = _relation_name(target, operation)
            name = name if name not in fields and names.take(name) == name else names.take(f"{member}_{name}")
            fields[name] = GraphQLField(
                GraphQLList(output) if is_list else output,
                resolve=nested_resolver(nesting),
                description=_text(operation),
                extensions={PLAN: nesting},
            )
        return fields


def root_field_of(service: Service) -> str:
    """The root field of a service: its namespace, which never hides a field of the platform's own."""
    space = namespace_of(service)
    return f"{space}_service" if space in OWN_FIELDS else space


_NAMESPACE: dict[str, Any] = {}
_NOT_ARGUMENTS = frozenset({
    "accept", "authorization", "content-length", "content-type", "cookie", "dpop", "host", "traceparent",
})  # fmt: skip


def _argument_name(parameter: Parameter) -> str:
    if parameter.location == "header":
        return legal_name(camel(parameter.name), "header")
    return legal_name(parameter.name, "parameter")


def _relation_name(service: Service, operation: Operation) -> str:
    """`taxRating`, `company`: the service and what of it."""
    resource = operation.resource if operation.resource != service.name else ""
    verb = operation.verb if operation.verb != "get" else ""
    return legal_name(camel(service.name, verb, resource), "related")


def _is_json(media: Media) -> bool:
    kind = media.content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or kind.endswith("+json")


def _json_body(operation: Operation) -> Media | None:
    media = operation.body.media if operation.body else ()
    return next((one for one in media if _is_json(one)), None)


def _text(described: Service | Operation) -> str | None:
    """Title and description, Chinese first, then English."""
    own = described.title if isinstance(described, Service) else described.summary
    parts = [own, described.description]
    for language in ("zh-CN", "en"):
        texts = described.texts.get(language, {})
        parts += [texts.get("title", ""), texts.get("description", "")]
    return "\n\n".join(dict.fromkeys(one for one in parts if one)) or None
