"""Values to begin with: what a parameter or body of an operation can hold so that a first call succeeds.

Taken from the contract: its examples, else a scenario's, else what sdk.synthesis makes from the schema.
"""

from typing import Any

import msgspec

from api.contract.model import Operation, Parameter, Scenario, Service
from sdk.synthesis import synthesise

_UNSET = object()


def value_of(parameter: Parameter, service: Service) -> str:
    """A value of the parameter as it is typed into a form."""
    value = _example(parameter)
    if value is _UNSET:
        value = made_of(parameter.schema, service, parameter.name)
    return as_text(value)


def made_of(schema: Any, service: Service, seed: str, *, is_request: bool = False) -> Any:
    """A value made from a schema of the service, the same for the same seed."""
    return synthesise(schema, service.schemas, seed=f"{service.key}:{seed}", is_request=is_request)


def _example(parameter: Parameter) -> Any:
    if parameter.has_example:
        return parameter.example
    examples = parameter.schema.get("examples")
    if isinstance(examples, list) and examples:
        return examples[0]
    for word in ("example", "default", "const"):
        if word in parameter.schema:
            return parameter.schema[word]
    return _UNSET


def as_text(value: Any) -> str:
    """A JSON value as the text of an input: strings bare, arrays joined by commas, the rest as JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ",".join(as_text(one) for one in value)
    return "" if value is None else msgspec.json.encode(value).decode()


def beginning_of(service: Service, operation: Operation, scenario: Scenario | None = None) -> dict[str, str]:
    """The form's values before anyone typed: required parameters and those that the contract has examples for.

    A scenario's `when` comes first. Keys are `location.name`, and `body`.
    """
    when = scenario.when if scenario else {}
    values = {}
    for one in operation.parameters:
        key = f"{one.location}.{one.name}"
        if one.name in when:
            values[key] = as_text(when[one.name])
        elif one.required:
            values[key] = value_of(one, service)
    body = body_of(service, operation, when.get("body", _UNSET))
    return values | ({"body": body} if body else {})


def json_media(operation: Operation) -> str:
    """The media type of a JSON body that the operation takes, "" where it takes none."""
    media = operation.body.media if operation.body else ()
    return next((one.content_type for one in media if "json" in one.content_type), "")


def body_of(service: Service, operation: Operation, given: Any = _UNSET) -> str:
    """A JSON body to begin with, set out in lines; "" where the operation takes none."""
    wanted = json_media(operation)
    if not wanted or operation.body is None:
        return ""
    media = next(one for one in operation.body.media if one.content_type == wanted)
    value = given
    if value is _UNSET:
        value = (
            media.example
            if media.has_example
            else made_of(media.schema or {}, service, operation.id, is_request=True)
        )
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def first_operation(operations: list[Operation]) -> Operation | None:
    """The operation that shows most with least: a read without consent, of the lowest level, with the fewest
    required parameters; None where there is no read.
    """
    reads = [
        one
        for one in operations
        if one.method == "GET" and one.basis.value not in {"consent", "separate-consent"} and not one.stream
    ]
    if not reads:
        return None
    return min(
        reads,
        key=lambda one: (one.level, one.verb != "get", sum(1 for parameter in one.parameters if parameter.required)),
    )  # fmt: skip
