"""GraphQL: a query or mutation for each operation, arguments as variables, everything of the answer selected.

The types are those of `GET /graphql/schema` for this token. An operation that it does not show because the app has no
right to it is asked all the same, with its arguments written out: the refusal has to be that of REST.
"""

import base64
import json
import time
from typing import Any

from graphql import GraphQLField, build_schema
from msgspec import Struct
from msgspec.structs import replace

from api.contract.model import Json, Operation, Service
from api.contract.normalise_bodies import is_json
from sandbox.parity.cases import Case
from sandbox.parity.drivers.connection import Connection, decoded
from sandbox.parity.drivers.graphql_names import arguments_of, fields_of, namespace_of
from sandbox.parity.drivers.graphql_values import PLAIN, Selected, TooDeepError, Values
from sandbox.parity.drivers.protocol import TRIES, Keys, Seen, Target, seen_of, takes_key, wait_of

_REFUSED_BY_TYPE = "graphql-variables"
TYPES = (
    "GraphQL's types take no such value: the face refuses it itself (graphql-invalid), and nothing is asked"
)
DEEP = "its answer is deeper than a GraphQL query may be"
STREAMED = "its answer is a stream, which GraphQL does not carry"


class _Field(Struct):
    """One operation as a field. `known` is None where the caller's schema does not show it."""

    space: str
    name: str
    known: GraphQLField | None
    selected: Selected
    values: Values
    obstacle: str = ""


class Graphql:
    """The GraphQL face."""

    name = "graphql"

    def __init__(self, target: Target) -> None:
        self._connection, self._target, self._keys = Connection(target.origin), target, Keys(self.name)
        self._fields: dict[tuple[str, str], _Field] = {}
        status, _, text = self._connection.send("GET", "/graphql/schema", self._headers(), None)
        if status != 200:
            raise OSError(f"GET /graphql/schema → {status}")
        self._schema = build_schema(text.decode(), assume_valid=True)

    def ask(self, case: Case) -> Seen:
        """Ask one case."""
        service = self._target.services[case.service]
        field = self._field(service, case.operation)
        if field.obstacle:
            return Seen(0, unsaid=field.obstacle)
        body = json.dumps(self._request(case, field), ensure_ascii=False).encode()
        headers = self._headers() if case.with_token else self._headers(token="")
        headers["Content-Type"] = "application/json"
        if case.scenario:
            headers["Kaimen-Scenario"] = f"{case.operation.id}={case.scenario}"
        if case.purpose:
            headers["Kaimen-Purpose"] = case.purpose
        for _ in range(TRIES - 1):
            seen, wait = self._send(case, field, headers, body)
            if seen.status != 429:
                return seen
            time.sleep(wait)
        return self._send(case, field, headers, body)[0]

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _headers(self, token: str | None = None) -> dict[str, str]:
        token = self._target.token if token is None else token
        return {"Accept-Language": "en"} | ({"Authorization": f"Bearer {token}"} if token else {})

    # -- the question -------------------------------------------------------------------------------
    def _field(self, service: Service, operation: Operation) -> _Field:
        key = (service.key, operation.id)
        if key not in self._fields:
            self._fields[key] = self._find(service, operation)
        return self._fields[key]

    def _find(self, service: Service, operation: Operation) -> _Field:
        values = Values(service.schemas)
        space = namespace_of(service)
        if operation.stream:
            return _Field(space, "", None, PLAIN, values, STREAMED)
        name = fields_of(service)[operation.id]
        root = self._schema.query_type if operation.is_safe else self._schema.mutation_type
        shown = root.fields.get(space) if root is not None else None
        inner: Any = getattr(shown.type, "of_type", shown.type) if shown is not None else None
        known = inner.fields.get(name) if inner is not None else None
        schemas = _answers(operation)
        if known is None:
            is_object = any(
                isinstance(one, dict) and ("$ref" in one or "properties" in one) for one in schemas
            )
            return _Field(space, name, None, Selected(" { __typename }" if is_object else ""), values)
        try:
            selected = values.select(known.type, schemas)
        except TooDeepError:
            return _Field(space, name, known, PLAIN, values, DEEP)
        return _Field(space, name, known, selected, values)

    def _request(self, case: Case, field: _Field) -> dict[str, Any]:
        given: dict[str, tuple[Json, list[Json]]] = {}
        for name, parameter in arguments_of(case.operation).items():
            if parameter is None:
                if case.has_body and case.operation.body is not None:
                    given[name] = case.body, [_json_body(case.operation)]
            elif parameter.name.lower() == "idempotency-key" and takes_key(case.operation):
                given[name] = self._keys.next(), [parameter.schema]
            elif parameter.name in case.values.get(parameter.location, {}):
                given[name] = case.values[parameter.location][parameter.name], [parameter.schema]
        kind = "query" if case.operation.is_safe else "mutation"
        if field.known is None:
            written = ", ".join(f"{name}: {_literal(value)}" for name, (value, _) in given.items())
            arguments = f"({written})" if written else ""
            return {"query": f"{kind} {{ {field.space} {{ {field.name}{arguments}{field.selected.text} }} }}"}
        types = {name: one.type for name, one in field.known.args.items()}
        declared = ", ".join(f"${name}: {types[name]}" for name in given)
        passed = ", ".join(f"{name}: ${name}" for name in given)
        head, arguments = (f" ({declared})", f"({passed})") if given else ("", "")
        return {
            "query": f"{kind}{head} {{ {field.space} {{ {field.name}{arguments}{field.selected.text} }} }}",
            "variables": {
                name: field.values.variable(value, types[name], schemas)
                for name, (value, schemas) in given.items()
            },
        }

    # -- the answer ---------------------------------------------------------------------------------
    def _send(self, case: Case, field: _Field, headers: dict[str, str], body: bytes) -> tuple[Seen, float]:
        status, _, data = self._connection.send("POST", "/graphql", headers, body)
        answer, _ = decoded(data, "application/json")
        return self._seen(case, field, status, answer if isinstance(answer, dict) else {})

    def _seen(self, case: Case, field: _Field, status: int, answer: dict[str, Any]) -> tuple[Seen, float]:
        errors = answer.get("errors") or []
        about = (answer.get("extensions") or {}).get("kaimen") or {}
        done = (about.get("operations") or [{}])[0]
        cost = done.get("cost", 0)
        data = answer.get("data") or {}
        value = (data.get(field.space) or {}).get(field.name)
        if errors and value is None:
            problem = dict(errors[0].get("extensions") or {})
            told = int(problem.get("status", status))
            seen = seen_of(told, problem, is_json=True, synthetic="", cost=cost)
            if problem.get("rule") == _REFUSED_BY_TYPE:
                seen = replace(seen, unsaid=TYPES)
            return replace(seen, null_is_absent=True), wait_of(problem.get("retry_after"))
        if status != 200:
            return seen_of(status, answer, is_json=True, synthetic=""), 1.0
        synthetic = "synthetic" if done.get("synthetic") else ""
        told = int(done.get("status", 0))
        body, in_json = _whole(case.operation, field, value)
        seen = seen_of(told, body, is_json=in_json, synthetic=synthetic, cost=cost)
        if errors:  # a part of the answer was refused, or is no value of its type
            said = seen_of(500, errors[0].get("extensions"), is_json=True, synthetic="")
            seen = replace(seen, problem=f"{said.problem} at {errors[0].get('path')}", step=said.step)
        return replace(seen, null_is_absent=True), 1.0


def _whole(operation: Operation, field: _Field, value: Any) -> tuple[Json, bool]:
    """The answer as REST gives it."""
    good = [media for one in operation.responses if one.status[:1] == "2" for media in one.media]
    if not good:
        return (None if value is True else value), True
    if any(is_json(one.content_type) for one in good):
        return field.selected.restore(value), True
    if not all(one.content_type.startswith("text/") for one in good) and isinstance(value, str):
        return base64.b64decode(value).decode("utf-8", "replace"), False
    return value, False


def _answers(operation: Operation) -> list[Json]:
    return [
        media.schema
        for one in operation.responses
        if one.status[:1] == "2"
        for media in one.media
        if is_json(media.content_type)
    ]


def _json_body(operation: Operation) -> Json:
    media = operation.body.media if operation.body is not None else ()
    return next((one.schema for one in media if is_json(one.content_type)), {})


def _literal(value: Json) -> str:
    """JSON as GraphQL writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_literal(one) for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)
