"""What a lint rule is: an id that never changes, a severity, the reason in two languages, a source, a check.

The modules `rules_*` hold the rules themselves; `api.contract.rules` puts them in order and runs them.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from msgspec import Struct

from api.contract.judge import Judge, without_presence
from api.contract.model import JsonObject, Operation, Response, Service, Severity
from api.contract.normalise_bodies import is_json
from api.contract.pointers import join, split
from api.contract.upgrade import schemas_of

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
_MOST_STEPS = (
    1_000_000  # through schemas, for all rules together; the largest real contract seen takes 36,000
)


class Hit(Struct, frozen=True):
    """One place where a rule is broken; facts fill the braces of the rule's texts."""

    pointer: str
    facts: dict[str, object] = {}


class Subject:
    """What rules look at: the service, its normalised document, and the document as loaded."""

    def __init__(self, service: Service, loaded: JsonObject) -> None:
        self.service = service
        self.document = service.document
        self.loaded = loaded
        self._steps = _MOST_STEPS

    @cached_property
    def is_foreign(self) -> bool:
        """Whether the department's own document does not speak our profile."""
        info = self.loaded.get("info")
        return not (isinstance(info, dict) and isinstance(info.get("x-name"), str))

    @cached_property
    def schemas(self) -> list[tuple[JsonObject, str]]:
        return list(schemas_of(self.document))

    @cached_property
    def properties(self) -> list[tuple[str, JsonObject, str]]:
        """(name, schema, pointer) of every property of every schema."""
        return [
            (name, child, join(pointer, "properties", name))
            for schema, pointer in self.schemas
            for name, child in schema.get("properties", {}).items()
            if isinstance(child, dict)
        ]

    @cached_property
    def judge(self) -> Judge:
        """Tells whether values fit this contract's schemas."""
        return Judge(self.service.schemas)

    @cached_property
    def partial_judge(self) -> Judge:
        """The same for parts of values: nothing is required."""
        return Judge({name: without_presence(schema) for name, schema in self.service.schemas.items()})

    @property
    def operations(self) -> tuple[Operation, ...]:
        return self.service.operations

    def written(self, operation: Operation) -> JsonObject:
        """The operation as the normalised document writes it."""
        _, path, method = split(operation.pointer)
        found: JsonObject = self.document["paths"][path][method]
        return found

    def resolved(self, schema: Any) -> JsonObject:
        """The schema, or what its reference leads to."""
        for _ in range(30):
            ref = schema.get("$ref") if isinstance(schema, dict) else None
            if not isinstance(ref, str):
                break
            schema = self.service.schemas.get(split(ref.removeprefix("#"))[-1])
        return schema if isinstance(schema, dict) else {}

    def reached_properties(self, schema: Any) -> Iterator[tuple[str, JsonObject]]:
        """(name, schema) of every property that an answer of this schema can hold, each component once."""
        seen: set[str] = set()
        stack = [schema]
        while stack and self._steps > 0:
            self._steps -= 1
            one = stack.pop()
            if not isinstance(one, dict):
                continue
            ref = one.get("$ref")
            if isinstance(ref, str) and ref not in seen:
                seen.add(ref)
                stack.append(self.service.schemas.get(split(ref.removeprefix("#"))[-1]))
            for name, child in one.get("properties", {}).items():
                if isinstance(child, dict):
                    yield name, child
                    stack.append(child)
            stack.extend((one.get("items"), one.get("additionalProperties")))
            for key in ("allOf", "anyOf", "oneOf", "prefixItems"):
                stack.extend(one.get(key, ()))


def successes(operation: Operation) -> list[Response]:
    return [one for one in operation.responses if one.status[0] == "2"]


def answer_schema(operation: Operation) -> JsonObject | None:
    """The JSON schema of the first success that has one."""
    for response in successes(operation):
        for media in response.media:
            if is_json(media.content_type) and media.schema is not None:
                return media.schema
    return None


Check = Callable[[Subject], Iterator[Hit]]


class Rule(Struct, frozen=True):
    """A lint rule. `zh` and `en` say what is wrong, with facts in braces; `why` and `hint` are (zh, en)."""

    id: str
    severity: Severity
    zh: str
    en: str
    hint: tuple[str, str]
    reason: tuple[str, str]
    source: str
    check: Check
    own_only: bool = False  # asked of documents that speak our profile only


RULES: list[Rule] = []


def rule(
    id: str,  # noqa: A002 - the field's name
    severity: Severity,
    text: tuple[str, str],
    *,
    hint: tuple[str, str],
    reason: tuple[str, str],
    source: str,
    own_only: bool = False,
) -> Callable[[Check], Check]:
    """Register the decorated check as a rule."""

    def register(check: Check) -> Check:
        RULES.append(Rule(id, severity, text[0], text[1], hint, reason, source, check, own_only))
        return check

    return register
