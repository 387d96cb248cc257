"""`allOf` over closed parts: `{allOf: [A, B]}` where A says `additionalProperties: false` refuses every property of B.

Authors mean inheritance, and their servers answer accordingly. The closed part is used in an open copy, and the
whole is closed instead (`unevaluatedProperties: false`), so that right answers pass and strangers still do not.
"""

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.normalise_components import PREFIX
from api.contract.pointers import escape, join, split
from api.contract.report import Report
from api.contract.upgrade import schemas_of


def open_closed_parts(document: JsonObject, report: Report) -> None:
    """Rewrite every allOf whose closed parts exclude what the other parts bring."""
    schemas = document["components"]["schemas"]
    copies: dict[str, str] = {}
    for schema, pointer in list(schemas_of(document)):
        branches = schema.get("allOf")
        if not isinstance(branches, list) or not branches:
            continue
        closed = [
            index for index, branch in enumerate(branches) if _excludes(schema, branches, index, schemas)
        ]
        for index in closed:
            branches[index] = _opened(branches[index], schemas, copies)
        if closed:
            schema.setdefault("unevaluatedProperties", False)
            report.lose(notices.ALLOF_CLOSED, join(pointer, "allOf", closed[0]))


def _target(branch: object, schemas: JsonObject) -> tuple[str, JsonObject]:
    """The component's name ("" when inline) and the schema of a branch."""
    if not isinstance(branch, dict):
        return "", {}
    ref = branch.get("$ref")
    if not isinstance(ref, str):
        return "", branch
    name = split(ref.removeprefix("#"))[-1]
    found = schemas.get(name)
    return name, found if isinstance(found, dict) else {}


def _excludes(schema: JsonObject, branches: list[object], index: int, schemas: JsonObject) -> bool:
    _, part = _target(branches[index], schemas)
    if part.get("additionalProperties") is not False or part.get("patternProperties"):
        return False
    own = set(part.get("properties", {}))
    others = set(schema.get("properties", {}))
    for other, branch in enumerate(branches):
        if other != index:
            others |= _names(branch, schemas)
    return bool(others - own)


def _names(branch: object, schemas: JsonObject) -> set[str]:
    """The properties that a branch brings, its own parts included, each component once."""
    found: set[str] = set()
    visited: set[str] = set()
    stack = [branch]
    while stack:
        name, part = _target(stack.pop(), schemas)
        if name and name in visited:
            continue
        visited.add(name)
        found |= set(part.get("properties", {}))
        for key in ("allOf", "anyOf", "oneOf"):
            stack.extend(part.get(key, ()))
    return found


def _opened(branch: JsonObject, schemas: JsonObject, copies: dict[str, str]) -> JsonObject:
    name, part = _target(branch, schemas)
    opened = {key: value for key, value in part.items() if key != "additionalProperties"}
    if not name:
        return opened
    if name not in copies:
        free, number = f"{name}Part", 2
        while free in schemas:
            free, number = f"{name}Part{number}", number + 1
        copies[name] = free
        schemas[free] = opened
    return {**branch, "$ref": PREFIX + escape(copies[name])}
