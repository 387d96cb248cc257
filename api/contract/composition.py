"""Composition: one service that puts several others to work, as its contract's root key `x-composition` declares.

    x-composition:
      start: reportBirth          # POST: begins a case and does what it can
      read: getCase               # GET, path parameter `number`
      resume: resumeCase          # POST: tries again what was not done
      cancel: cancelCase          # POST: undoes what can be undone
      on_failure: keep            # or undo: all or nothing
      steps:
        - id: certificate
          title: {zh-CN: 出生医学证明, en: Birth certificate}
          operation: health@v1/issueBirthCertificate
          given: {body: {mother: {number: $.input.mother.number}}}
          keep: {number: $.answer.number}
          undo: {operation: health@v1/voidBirthCertificate, given: {number: $.answer.number}}

`$.input.…` is the body that began the case, `$.steps.ID.…` what an earlier step kept, `$.answer.…` (in keep and
undo) the step's own answer, `$.case` its number; `?` at the end drops the member where there is nothing. A step
that reads of another waits for it; `when` names a value that must be there for the step to be wanted at all.

Only declarations and their evaluation; the gateway's connector `compose` does the work.
"""

from typing import Any

import msgspec
from msgspec import Struct, field

from api.contract.model import JsonObject, Operation, Service

KEY = "x-composition"
KEEP, UNDO = "keep", "undo"
MOST_STEPS = 20


class _Missing:
    """What an optional reference finds where there is nothing."""


MISSING = _Missing()


class CompositionError(ValueError):
    """The declaration does not hold together; the message names the place."""


class Undo(Struct, frozen=True, forbid_unknown_fields=True):
    """The operation that takes a step back."""

    operation: str
    given: JsonObject = {}


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """One operation of another service, as a part of a case."""

    id: str
    title: dict[str, str]
    operation: str  # health@v1/issueBirthCertificate
    given: JsonObject = {}  # parameters by name, and `body`
    keep: dict[str, str] = {}  # name -> $.answer.…
    when: str = ""  # $.input.…: wanted only where there is something
    needs: tuple[str, ...] = ()  # beside those that it reads of
    undo: Undo | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """The steps that have to be done before this one."""
        read = [name for text in _texts_of([self.given, self.when]) for name in _step_read_by(text)]
        return tuple(dict.fromkeys([*self.needs, *read]))


class Composition(Struct, frozen=True, forbid_unknown_fields=True):
    """A declared composition."""

    start: str
    read: str
    steps: tuple[Step, ...]
    resume: str = ""
    cancel: str = ""
    on_failure: str = KEEP
    scenarios: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # ours -> step -> the step's own scenario

    def step(self, step_id: str) -> Step:
        """The step with this id. Raises KeyError."""
        return next((one for one in self.steps if one.id == step_id), None) or _no_step(step_id)


def _no_step(step_id: str) -> Step:
    raise KeyError(step_id)


def read_composition(service: Service) -> Composition:
    """The composition that a service declares. Raises CompositionError, naming what is wrong with it."""
    declared = service.document.get(KEY)
    if declared is None:
        raise CompositionError(f"{service.key} declares no {KEY}")
    try:
        found = msgspec.convert(declared, Composition)
    except msgspec.ValidationError as error:
        raise CompositionError(f"{KEY}: {error}") from error
    _check(found, service)
    return found


def _check(found: Composition, service: Service) -> None:
    for name, method in (("start", "POST"), ("read", "GET"), ("resume", "POST"), ("cancel", "POST")):
        operation = getattr(found, name)
        if operation and getattr(service.operation(operation), "method", "") != method:
            raise CompositionError(f"{KEY}/{name}: {operation} is no {method} operation of the service")
    if found.on_failure not in {KEEP, UNDO}:
        raise CompositionError(f"{KEY}/on_failure is {KEEP} or {UNDO}")
    if not 1 <= len(found.steps) <= MOST_STEPS:
        raise CompositionError(f"{KEY}/steps holds 1 to {MOST_STEPS} steps")
    known: set[str] = set()
    for step in found.steps:
        _check_step(step, known)
        known.add(step.id)
    if any(not known.issuperset(steps) for steps in found.scenarios.values()):
        raise CompositionError(f"{KEY}/scenarios names a step that there is not")


def _check_step(step: Step, before: set[str]) -> None:
    place = f"{KEY}/steps/{step.id}"
    if step.id in before:
        raise CompositionError(f"{place} is there twice")
    unknown = [one for one in step.required if one not in before]
    if unknown:
        raise CompositionError(f"{place} reads of {unknown[0]}, which is no step before it")
    for text in (step.operation, step.undo.operation if step.undo else step.operation):
        version, slash, name = text.partition("/")
        if not slash or "@" not in version or not name:
            raise CompositionError(f"{place}: {text} is no operation as in health@v1/getHospital")


def _texts_of(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts_of(one)]
    return [text for one in value for text in _texts_of(one)] if isinstance(value, list | tuple) else []


def _step_read_by(text: str) -> list[str]:
    parts = text.removesuffix("?").split(".")
    return [parts[2]] if parts[:2] == ["$", "steps"] and len(parts) > 2 else []


def evaluate(template: Any, known: JsonObject) -> Any:
    """The template with its references replaced; MISSING for an optional one that finds nothing.

    Raises LookupError for a reference that finds nothing and is not optional.
    """
    if isinstance(template, dict):
        made = {name: evaluate(value, known) for name, value in template.items()}
        return {name: value for name, value in made.items() if value is not MISSING}
    if isinstance(template, list):
        return [value for value in (evaluate(one, known) for one in template) if value is not MISSING]
    if not isinstance(template, str) or not template.startswith("$."):
        return template
    is_optional = template.endswith("?")
    found: Any = known
    for part in template.removesuffix("?")[2:].split("."):
        if isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        elif isinstance(found, dict) and part in found:
            found = found[part]
        elif is_optional:
            return MISSING
        else:
            raise LookupError(template)
    return found


def is_wanted(step: Step, known: JsonObject) -> bool:
    """Whether the case asks for the step at all."""
    return not step.when or evaluate(step.when.removesuffix("?") + "?", known) not in (
        MISSING,
        None,
        False,
        "",
        [],
        {},
    )


def split_given(operation: Operation, given: JsonObject) -> tuple[JsonObject, JsonObject, JsonObject, Any]:
    """Path, query and header values and the body of a step's call. Raises CompositionError for an unknown name."""
    places: dict[str, JsonObject] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
    where = {one.name: one.location for one in operation.parameters}
    for name, value in given.items():
        if name == "body":
            continue
        if name not in where:
            raise CompositionError(f"{operation.id} has no parameter {name}")
        places[where[name]][name] = value
    return places["path"], places["query"], places["header"], given.get("body")
