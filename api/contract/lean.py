"""The lean form of a contract: what it says once, said everywhere it counts (decision 0009).

Expanded are a text's own language in `x-i18n`, the refusals that `x-refusals` names from the root's `x-problems`,
the header of `x-idempotent` and the parameters of `x-pagination`. What a contract writes out itself always stands.
"""

from collections.abc import Iterator
from typing import Any

from api.contract import profile
from api.contract.lean_refusals import PROBLEM, PROBLEM_NAME, add_refusals, refused
from api.contract.model import Json, JsonObject
from api.contract.shapes import EXTENSIBLE, KINDS, METHODS

_UNSAFE = ("post", "put", "patch", "delete")
_REFUSED_REF = "#/components/responses/Refused"
_IDEMPOTENCY_KEY: JsonObject = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "幂等键：24 小时内相同的键得到第一次的答复，不会重复办理。",
    "x-i18n": {
        "en": {
            "description": "Idempotency key: within 24 hours the same key gets the first answer "
            "and nothing is done twice."
        }
    },
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "example": "3f6c1c9e-4b7a-4c1e-9d55-0f2d8a6b7c31",
}
_SIZE: JsonObject = {
    "description": "每页条数。",
    "x-i18n": {"en": {"description": "Items of a page."}},
    "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
    "example": 20,
}
_CURSOR: JsonObject = {
    "description": "上一页答复中的 next；第一页不填。",
    "x-i18n": {"en": {"description": "`next` of the page before; none for the first page."}},
    "schema": {"type": "string", "maxLength": 200},
}


def complete_components(document: Json, text: str) -> None:
    """Give a document with `x-problems` the components `Problem` and `Refused` that it refers to and lacks.

    Works in place on a document as parsed, before its references are followed.
    """
    if not isinstance(document, dict) or not isinstance(document.get("x-problems"), dict):
        return
    components = document.setdefault("components", {})
    if not isinstance(components, dict):
        return
    if _REFUSED_REF in text:
        _complete(components, "responses", "Refused", refused())
    if _REFUSED_REF in text or f"#/components/schemas/{PROBLEM_NAME}" in text:
        _complete(components, "schemas", PROBLEM_NAME, PROBLEM)


def _complete(components: JsonObject, section: str, name: str, part: JsonObject) -> None:
    held = components.setdefault(section, {})
    if isinstance(held, dict):
        held.setdefault(name, copied(part))


def expand(document: JsonObject) -> None:
    """Write out what the lean form left to be understood; in place, on a bundled document with whole parameters.

    Expanding twice is expanding once.
    """
    problems = {
        slug: entry
        for slug, entry in profile.as_object(document.get("x-problems")).items()
        if isinstance(entry, dict)
    }
    for operation, method in _operations(document):
        if operation.get("x-idempotent") is True and method in _UNSAFE:
            _add_parameter(operation, _IDEMPOTENCY_KEY)
        _add_paging(operation)
        if isinstance(operation.get("x-refusals"), list):
            add_refusals(operation, problems)
            _add_problem_schema(document)
    for holder in _objects_of(document):
        if isinstance(holder.get("x-i18n"), dict):
            _add_own_language(holder)


def copied(value: Json) -> Any:
    """A deep copy of a JSON value."""
    if isinstance(value, dict):
        return {key: copied(item) for key, item in value.items()}
    return [copied(item) for item in value] if isinstance(value, list) else value


def _operations(document: JsonObject) -> Iterator[tuple[JsonObject, str]]:
    for path, item in profile.as_object(document.get("paths")).items():
        for method in METHODS if isinstance(item, dict) and not path.startswith("x-") else ():
            if isinstance(item.get(method), dict):
                yield item[method], method


def _add_problem_schema(document: JsonObject) -> None:
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas.setdefault(PROBLEM_NAME, copied(PROBLEM))


def _add_paging(operation: JsonObject) -> None:
    page = profile.pagination_of(operation.get("x-pagination"))
    if page is None or page.style != "cursor":
        return
    _add_parameter(operation, {"name": page.size, "in": "query", **_SIZE})
    _add_parameter(operation, {"name": page.cursor, "in": "query", **_CURSOR})


def _add_parameter(operation: JsonObject, parameter: JsonObject) -> None:
    held = operation.setdefault("parameters", [])
    key = (parameter["in"], parameter["name"].lower())
    if key not in {(one.get("in"), str(one.get("name", "")).lower()) for one in held}:
        held.append(copied(parameter))


def _add_own_language(holder: JsonObject) -> None:
    """`title` and `description` of the object itself, under the language that each seems to be in."""
    texts = holder["x-i18n"]
    title = profile.text(holder.get("title")) or profile.text(holder.get("summary"))
    for field, value in (("title", title), ("description", profile.text(holder.get("description")))):
        if not value:
            continue
        language = profile.language_of(value)
        family = language.split("-", maxsplit=1)[0]
        spoken = (one for key, one in texts.items() if key.split("-", maxsplit=1)[0] == family)
        if not any(isinstance(one, dict) and one.get(field) for one in spoken):
            own = texts.setdefault(language, {})
            if isinstance(own, dict):
                own[field] = value


def _objects_of(document: JsonObject) -> Iterator[JsonObject]:
    """Every object of the specification inside the document; examples, defaults and extensions are data."""
    stack: list[tuple[str, Json]] = [("document", document)]
    while stack:
        spec, value = stack.pop()
        if spec[0] == "{" and isinstance(value, dict):
            kind = spec[1:-1]
            stack.extend(
                (kind, item)
                for key, item in value.items()
                if not (kind in EXTENSIBLE and key.startswith("x-"))
            )
        elif spec[0] == "[" and isinstance(value, list):
            stack.extend((spec[1:-1], item) for item in value)
        elif isinstance(value, dict) and spec in KINDS:
            yield value
            stack.extend(_fields_of(spec, value))


def _fields_of(spec: str, value: JsonObject) -> Iterator[tuple[str, Json]]:
    specs = KINDS[spec]
    every = specs.get("*")
    for key, item in value.items():
        child = specs.get(key) or (None if key.startswith("x-") else every)
        if child is not None and isinstance(item, dict | list):
            yield child, item
