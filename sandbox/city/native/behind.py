"""A department behind its mapping: native requests become calls of its behaviour, its answers become native again.

This is the mapping read backwards. The wire formats (`soap`, `web`) are beside it; tables and files are in
`exchange`.
"""

import time
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from api.contract.mapping import CompiledMapping, MappedOperation, read_request, typed, write_answer
from api.contract.mapping_outcome import Verdict
from api.contract.mapping_shapes import put_at
from api.contract.mapping_values import TEXT, text_of
from api.contract.model import Operation
from api.core.problems import CONTENT_TYPE, Problem, render
from api.core.upstream_headers import Told
from api.gateway.connector import Connector, Context, Request, Result
from sandbox.city.department import BrokenOff

LONGEST_SECONDS = 30.0
_OF_A_PROBLEM = frozenset(
    {"type", "title", "status", "detail", "instance", "step", "rule", "next", "request_id", "errors"}
)


class Native(Struct):
    """What the department says natively. `verdict` None: all is well. `whole`: it has no code for this."""

    tree: dict[str, Any]
    verdict: Verdict | None = None
    facts: dict[str, Any] = {}
    message: str = ""
    whole: Result | None = None
    headers: list[tuple[bytes, bytes]] = []
    status: int = 200


class Behind:
    """One department of the city, asked natively."""

    def __init__(self, compiled: CompiledMapping, department: Connector, docs_url: str) -> None:
        self.compiled = compiled
        self._department = department
        self._docs_url = docs_url

    async def answer(self, mapped: MappedOperation, tree: Any, headers: dict[str, str], told: Told) -> Native:
        """Ask the behaviour. Raises ShapeError for a request that the mapping cannot read."""
        values, body = read_request(mapped, tree)
        request = request_of(mapped.operation, values, body, headers)
        context = context_of(told, self.compiled.service.key)
        try:
            result = await self._department.call(mapped.operation, request, context)
        except Problem as problem:
            if (
                problem.rule == BrokenOff.RULE
            ):  # no answer can be made of it: the listener closes the connection
                raise
            result = self._rendered(problem, told)
        return native_of(mapped, result)

    def _rendered(self, problem: Problem, told: Told) -> Result:
        body = render(problem, language=told.locale, docs_url=self._docs_url, request_id=told.request_id)
        headers = [(b"content-type", CONTENT_TYPE.encode())]
        headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        return Result(problem.status, headers, body)


def context_of(told: Told, service: str) -> Context:
    """The call as the gateway told it."""
    return Context(
        request_id=told.request_id, deadline=time.monotonic() + LONGEST_SECONDS, environment=told.environment,
        app_id=told.app_id, state_id=told.state_id, clock=told.clock, scenario=told.scenario,
        locale=told.locale or "zh", subject=told.subject, purpose=told.purpose, service=service,
    )  # fmt: skip


def request_of(operation: Operation, values: dict[str, Any], body: Any, headers: dict[str, str]) -> Request:
    """The request as the contract sees it, header parameters from the HTTP headers."""
    places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.parameters:
        place = places.get(parameter.location)
        if place is None:
            continue
        value = values.get(parameter.name)
        if value is None and parameter.location == "header":
            value = headers.get(parameter.name.lower())
        if value is not None:
            stated = parameter.schema.get("type")
            place[parameter.name] = typed(value, stated if isinstance(stated, str) else "any")
    target = operation.path
    for name, value in places["path"].items():
        target = target.replace("{" + name + "}", quote(str(value), safe=""))
    if places["query"]:
        target += "?" + urlencode(sorted((k, str(v)) for k, v in places["query"].items()))
    raw = msgspec.json.encode(body) if body is not None else None
    return Request(
        path=places["path"], query=places["query"], headers=places["header"], target=target, body=raw,
        content_type="application/json" if raw is not None else "", json=body,
    )  # fmt: skip


def native_of(mapped: MappedOperation, result: Result) -> Native:
    """The contract's answer in the department's words. Raises ShapeError where the mapping cannot write it."""
    media = next((value for name, value in result.headers if name == b"content-type"), b"")
    data = result.body if isinstance(result.body, bytes) else b""
    others = [pair for pair in result.headers if pair[0] != b"content-type"]
    if media.startswith(CONTENT_TYPE.encode()):
        return _refusal(mapped, result, msgspec.json.decode(data), others)
    if result.status >= 400:
        return Native({}, whole=result)
    body = msgspec.json.decode(data) if data else None
    tree: dict[str, Any] = {}
    if mapped.outcome.at:  # the code comes first, as such systems have it
        put_at(tree, mapped.outcome.at, mapped.outcome.ok_code)
    merge_trees(tree, write_answer(mapped, body))
    if mapped.status_node is not None:
        mapped.status_node.write(tree, result.status)
    said = dict(others)
    for name, node in mapped.header_nodes.items():
        value = said.get(name.encode())
        if value is not None:
            node.write(tree, value.decode("latin-1"))
    return Native(tree, headers=others, status=result.status)


def _refusal(
    mapped: MappedOperation, result: Result, problem: dict[str, Any], others: list[tuple[bytes, bytes]]
) -> Native:
    outcome = mapped.outcome
    slug = str(problem.get("type", "")).rstrip("/").rpartition("/")[2]
    verdict = outcome.by_slug.get(slug)
    if verdict is None:
        return Native({}, whole=result)
    tree: dict[str, Any] = {}
    if outcome.at:
        put_at(tree, outcome.at, verdict.code)
    if outcome.message:
        put_at(tree, outcome.message, problem.get("title", ""))
    facts = {
        name: value
        for name, value in (
            result.facts or {k: v for k, v in problem.items() if k not in _OF_A_PROBLEM}
        ).items()
        if isinstance(value, str | int | float | bool)
    }
    if outcome.via != "fault":
        put_facts(tree, mapped, facts)
    return Native(tree, verdict, facts, str(problem.get("title", "")), headers=others, status=result.status)


def put_facts(tree: dict[str, Any], mapped: MappedOperation, facts: dict[str, Any]) -> None:
    """Write what fills the problem's text where the mapping says."""
    outcome = mapped.outcome
    for name, value in facts.items():
        if name in outcome.facts:
            put_at(tree, outcome.facts[name].at, str(value))
    others = {name: value for name, value in facts.items() if name not in outcome.facts}
    if not outcome.facts_at:
        return
    if mapped.medium.is_table:
        put_at(tree, outcome.facts_at, msgspec.json.encode(others).decode())
    elif others:
        if mapped.medium.values == TEXT:
            others = {name: text_of(value) for name, value in others.items()}
        put_at(tree, outcome.facts_at, others)


def merge_trees(tree: dict[str, Any], other: dict[str, Any]) -> None:
    """Put everything of `other` into `tree`, object by object."""
    for key, value in other.items():
        present = tree.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            merge_trees(present, value)
        else:
            tree[key] = value
