"""Which operations are tools, for whom, and in which words. It knows no protocol: `server` puts it on the wire.

A tool is listed when the caller's subscription, level, scopes and grant open its operation, by the rules of
`authorise`; calling one that is not listed is answered by `authorise` itself, which says what is missing.
"""

import re
from collections import OrderedDict
from typing import Any

from msgspec import Struct

from api.contract.model import Operation, Service
from api.gateway.compiled import CompiledOperation, ServiceEntry
from api.gateway.exchange import Exchange
from api.gateway.snapshot import Snapshot
from api.mcp.names import tool_name
from api.mcp.schemas import answer_schema, input_schema
from api.mcp.wording import CHANGES

LISTED = 60  # more tools than this are not listed: the agent searches
_KEPT = 256  # lists by rights
_TERM = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class Tool(Struct, frozen=True):
    """One operation as a tool."""

    name: str
    entry: ServiceEntry
    operation: Operation

    @property
    def compiled(self) -> CompiledOperation:
        found = self.entry.compiled(self.operation.id)
        assert found is not None
        return found


class Toolbox:
    """The tools of one snapshot, and for each set of rights the part that it opens."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.by_name: dict[str, Tool] = {}
        for entry in sorted(snapshot.entries(), key=lambda one: one.key):
            if entry.state == "retired":
                continue
            for operation in entry.service.operations:
                name = tool_name(entry.service, operation)
                self.by_name.setdefault(name, Tool(name, entry, operation))
        self._open: OrderedDict[Any, list[Tool]] = OrderedDict()
        self._words: dict[str, str] = {}

    def open_to(self, outer: Exchange) -> list[Tool]:
        """The tools that the caller of this request may use, by name."""
        caller, app = outer.caller, outer.app
        key = (
            caller.scopes, bool(caller.grant), app.organisation_kind, app.organisation_id, id(app.rights), app.id if not app.rights else "",
        )  # fmt: skip
        known = self._open.get(key)
        if known is None:
            known = [tool for tool in self.by_name.values() if is_open(tool, outer)]
            self._open[key] = known
            if len(self._open) > _KEPT:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(key)
        return known

    def search(self, found: list[Tool], query: str, limit: int) -> list[Tool]:
        """Those of the tools that fit the words best; all of them for no words."""
        terms = _terms(query)
        if not terms:
            return found[:limit]
        scored = [(self._score(tool, terms), tool.name, tool) for tool in found]
        return [tool for score, _, tool in sorted(scored, key=lambda one: (-one[0], one[1])) if score][:limit]

    def _score(self, tool: Tool, terms: list[str]) -> int:
        name = tool.name.replace("_", " ")
        words = self._words.get(tool.name)
        if words is None:
            words = self._words[tool.name] = _words_of(tool)
        return sum(4 * (term in name) + (term in words) for term in terms)


def is_open(tool: Tool, outer: Exchange) -> bool:
    """Whether `authorise` would let this caller through, purposes apart."""
    compiled, app, caller = tool.compiled, outer.app, outer.caller
    if compiled.is_closed or compiled.obstacle(app.organisation_kind, app.organisation_id):
        return False
    standing = app.rights.get(tool.entry.key)
    if standing is None or not any(compiled.level <= level for level, _ in standing.purposes.values()):
        return False
    if compiled.needs_consent and not caller.grant:
        return False
    return all(scope in caller.scopes for scope in compiled.scopes)


def title_of(tool: Tool, language: str) -> str:
    """The operation's title in the reader's language."""
    return _said(tool.operation, language, "title") or tool.operation.summary or tool.operation.id


def description_of(tool: Tool, language: str) -> str:
    """What an agent reads to choose: title, description, service, and that it changes data."""
    service = service_title(tool.entry.service, language)
    described = _said(tool.operation, language, "description") or tool.operation.description
    first = f"{title_of(tool, language)} — {service}"
    if not tool.operation.is_safe:
        first += CHANGES.in_language(language)
    return f"{first}\n{described}" if described else first


def service_title(service: Service, language: str) -> str:
    """The service's title in the reader's language."""
    texts = service.texts.get("zh-CN" if language == "zh" else "en", {})
    return texts.get("title") or service.title


def hints_of(operation: Operation, language: str, title: str) -> dict[str, Any]:
    """MCP's annotations, from what the contract and HTTP promise (RFC 9110 §9.2)."""
    is_read = operation.is_safe
    return {
        "title": title,
        "read_only_hint": is_read,
        "destructive_hint": False if is_read else operation.method in {"DELETE", "PUT", "PATCH"},
        "idempotent_hint": is_read or operation.idempotent or operation.method in {"PUT", "DELETE"},
        "open_world_hint": False,
    }


def describe(tool: Tool, language: str, *, is_sandbox: bool) -> dict[str, Any]:
    """Everything that `describe_operation` says."""
    operation, service = tool.operation, tool.entry.service
    return {
        "name": tool.name,
        "operation": operation.id,
        "service": service.key,
        "title": title_of(tool, language),
        "description": _said(operation, language, "description") or operation.description,
        "method": operation.method,
        "path": f"/api/{service.name}/{service.version}{operation.path}",
        "read_only": operation.is_safe,
        "scopes": list(operation.scopes),
        "level": operation.level.value,
        "quota": {"class": operation.quota.value, "units": operation.quota.weight},
        "input_schema": input_schema(service, operation, language, is_sandbox=is_sandbox),
        "output_schema": answer_schema(service, operation),
        "scenarios": [
            {"id": one.id, "title": one.title.get("zh-CN" if language == "zh" else "en", one.id)}
            for one in operation.scenarios
        ]
        if is_sandbox
        else [],
        "documentation": f"kaimen://contracts/{service.key}",
    }


def _said(operation: Operation, language: str, what: str) -> str:
    return operation.texts.get("zh-CN" if language == "zh" else "en", {}).get(what, "")


def _words_of(tool: Tool) -> str:
    operation, service = tool.operation, tool.entry.service
    parts = [
        _CAMEL.sub(" ", operation.id), operation.summary, operation.description, *operation.tags, operation.path,
        service.title, service.department,
    ]  # fmt: skip
    for texts in (*operation.texts.values(), *service.texts.values()):
        parts += texts.values()
    return " ".join(parts).lower()


def _terms(query: str) -> list[str]:
    """Latin words, and Chinese by pairs of characters, which needs no dictionary."""
    terms: list[str] = []
    for found in _TERM.findall(_CAMEL.sub(" ", query[:400]).lower()):
        if found[0] < "\u3400" or len(found) < 3:
            terms.append(found)
        else:
            terms += [found[at : at + 2] for at in range(len(found) - 1)]
    return terms[:64]
