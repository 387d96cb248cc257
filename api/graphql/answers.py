"""What a GraphQL request is answered with: bodies, headers, and each problem as an error of GraphQL."""

from typing import Any

import msgspec
from graphql import GraphQLError

from api.contract.model import QuotaClass
from api.core import problem_types, problems
from api.core.logging import log_failure
from api.core.problems import Failure, Problem, Refusal
from api.gateway.exchange import Exchange, Headers
from api.gateway.plane import Gateway
from api.graphql.running import Running

RESPONSE = b"application/graphql-response+json"


def executed(
    outer: Exchange, gateway: Gateway, data: Any, errors: list[GraphQLError] | None, running: Running,
    cost: dict[QuotaClass, int],
) -> dict[str, Any]:  # fmt: skip
    """The body of a document that ran."""
    body: dict[str, Any] = {"data": data}
    if errors:
        body["errors"] = [told(outer, gateway, one) for one in errors]
    body["extensions"] = {
        "kaimen": {
            "request_id": outer.request_id,
            "cost": {
                "estimated": {one.value: units for one, units in cost.items()},
                "charged": sum(one.cost for one in running.done),
            },
            "operations": running.done,
        }
    }
    return body


def told(outer: Exchange, gateway: Gateway, error: GraphQLError) -> dict[str, Any]:
    """An error as it is told. One that is no problem of ours is a value that the schema does not take."""
    said: dict[str, Any] = {"message": error.message, "path": error.path}
    if error.locations:
        said["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
    if error.extensions and "type" in error.extensions:
        return said | {"extensions": error.extensions}
    origin = error.original_error
    if isinstance(origin, Problem):
        extensions = msgspec.json.decode(rendered(outer, gateway, origin))
        return said | {"message": extensions["detail"], "extensions": extensions}
    if origin is not None and not isinstance(origin, GraphQLError):
        log_failure("graphql.field", origin, request_id=outer.request_id)
    problem = Failure(problem_types.RESPONSE_INVALID, rule="graphql-value", service="", count=1)
    extensions = msgspec.json.decode(rendered(outer, gateway, problem))
    return said | {"message": extensions["detail"], "extensions": extensions}


def refused(
    outer: Exchange, gateway: Gateway, problem: Problem | None, *, is_graphql: bool
) -> tuple[bytes, Headers]:
    """Body and headers of a request that was refused whole; the status is in the exchange."""
    assert problem is not None
    note(outer, problem)
    extra = [
        (name.lower().encode(), value.encode("latin-1", "replace")) for name, value in problem.headers.items()
    ]
    if not is_graphql:
        kind = problems.CONTENT_TYPE.encode()
        return rendered(outer, gateway, problem), headers_of(outer, gateway, kind) + extra
    body = {
        "errors": [error_of(outer, gateway, problem)],
        "extensions": {"kaimen": {"request_id": outer.request_id}},
    }
    return msgspec.json.encode(body), headers_of(outer, gateway, content_type(outer)) + extra


def note(outer: Exchange, problem: Problem) -> None:
    """Put a refusal on record: the rule and the facts, without field errors, which quote the document."""
    if outer.problem is not problem:
        outer.problem = Refusal(problem.kind, rule=problem.rule, **problem.facts)
        outer.verdicts.append((problem.kind.step or "call", "refuse", problem.rule))
    outer.status = problem.kind.status


def error_of(outer: Exchange, gateway: Gateway, problem: Problem) -> dict[str, Any]:
    """A problem as an error that stands for the whole request."""
    said = msgspec.json.decode(rendered(outer, gateway, problem))
    return {"message": said["detail"], "extensions": said}


def rendered(outer: Exchange, gateway: Gateway, problem: Problem) -> bytes:
    """A problem in the caller's language."""
    return problems.render(
        problem, language=outer.locale, docs_url=gateway.docs_url, request_id=outer.request_id
    )


def headers_of(outer: Exchange, gateway: Gateway, kind: bytes) -> Headers:
    """The headers of every answer."""
    return [
        (b"content-type", kind),
        (b"request-id", outer.request_id.encode()),
        (b"kaimen-environment", gateway.environment.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]


def content_type(outer: Exchange) -> bytes:
    """The media type that the caller takes."""
    accept = outer.header_map.get(b"accept", b"")
    return (RESPONSE if RESPONSE in accept else b"application/json") + b"; charset=utf-8"
