"""Cases of a contract: what each operation is asked, on every face alike. From the contract alone, and repeatable.

example    required parameters and the body, as the contract's examples say
optional   the same, with every optional parameter that has an example
scenario   each scenario, named by the header; and by its magic values where it has some
seeded     values made from the schemas by a seed
refusal    without a token; with a parameter, a body or a value in the body that breaks the contract
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from api.contract.flatten import flatten
from api.contract.model import Json, JsonObject, Operation, Parameter, Service
from api.contract.normalise_bodies import is_json
from sandbox.scenarios import merge
from sdk.synthesis import synthesise

SEEDS = 2
_PLACES = ("path", "query", "header")
_NONE: Any = object()
_NO_TEXT = "\u4e0d" * 300


class Case(Struct, frozen=True):
    """One question. `values` are by location and name, typed as the contract types them; `body` is _NONE-free JSON."""

    id: str  # company@v1/getCompany/scenario/revoked
    service: str
    operation: Operation
    kind: str
    values: dict[str, dict[str, Json]]
    body: Json = None
    has_body: bool = False
    scenario: str = ""
    purpose: str = ""
    with_token: bool = True


class Excluded(Struct, frozen=True):
    """An operation, or a case of it, that is not compared, and why; with `face`, not on that one alone."""

    id: str
    reason: str
    face: str = ""


def cases_of(service: Service, *, seeds: int = SEEDS) -> tuple[list[Case], list[Excluded]]:
    """Every case of a service, and the operations that have none."""
    cases: list[Case] = []
    excluded: list[Excluded] = []
    for operation in service.operations:
        reason = _obstacle(operation)
        if reason:
            excluded.append(Excluded(f"{service.key}/{operation.id}", reason))
            continue
        known: set[str] = set()
        for case in _of(service, operation, seeds):
            if case.id not in known:
                known.add(case.id)
                cases.append(case)
    return cases, excluded


def case_of(service: Service, operation: Operation, scenario: str = "") -> Case:
    """The example of an operation, or one of its scenarios."""
    values, body = _examples(service, operation, with_optional=False)
    return Case(
        id=f"{service.key}/{operation.id}/" + (f"scenario/{scenario}" if scenario else "example"), service=service.key,
        operation=operation, kind="scenario" if scenario else "example", values=values,
        body=None if body is _NONE else body, has_body=body is not _NONE, scenario=scenario,
        purpose=operation.purposes[0] if operation.purposes else "",
    )  # fmt: skip


def _obstacle(operation: Operation) -> str:
    body = operation.body
    if body is not None and body.media and not any(is_json(one.content_type) for one in body.media):
        return f"its body is {body.media[0].content_type}, which MCP and GraphQL do not carry"
    for parameter in operation.parameters:
        if parameter.location == "cookie" and parameter.required:
            return f"it needs the cookie {parameter.name}"
    return ""


def _of(service: Service, operation: Operation, seeds: int) -> Iterator[Case]:
    purpose = operation.purposes[0] if operation.purposes else ""
    values, body = _examples(service, operation, with_optional=False)

    def case(
        kind: str, name: str, values: dict[str, dict[str, Json]], body: Json, *, scenario: str = "", token: bool = True
    ) -> Case:  # fmt: skip
        return Case(
            id=f"{service.key}/{operation.id}/{kind}" + (f"/{name}" if name else ""),
            service=service.key, operation=operation, kind=kind, values=values,
            body=None if body is _NONE else body, has_body=body is not _NONE, scenario=scenario, purpose=purpose,
            with_token=token,
        )  # fmt: skip

    yield case("example", "", values, body)
    more, _ = _examples(service, operation, with_optional=True)
    if more != values:
        yield case("optional", "", more, body)
    for scenario in operation.scenarios:
        yield case("scenario", scenario.id, values, body, scenario=scenario.id)
        if scenario.when:
            yield case("magic", scenario.id, *_laid_over(operation, values, body, scenario.when))
    for number in range(seeds):
        made = _seeded(service, operation, values, body, number)
        if made is not None:
            yield case("seeded", str(number), *made)
    yield case("refusal", "no-token", values, body, token=False)
    broken = _broken(operation, values)
    if broken is not None:
        yield case("refusal", "parameter", broken, body)
    if isinstance(body, dict) and body:
        yield case("refusal", "body", values, {"kaimen": ["not", "of", "this", "contract"]})
        spoilt = _spoilt(service, operation, body)
        if spoilt is not None:
            yield case("refusal", "value", values, spoilt)


def _examples(
    service: Service, operation: Operation, *, with_optional: bool
) -> tuple[dict[str, dict[str, Json]], Json]:
    values: dict[str, dict[str, Json]] = {place: {} for place in _PLACES}
    for one in operation.parameters:
        if one.location not in values or not (one.required or (with_optional and one.has_example)):
            continue
        if one.name.lower() in {"kaimen-purpose", "kaimen-scenario"}:
            continue
        values[one.location][one.name] = one.example if one.has_example else _made(service, operation, one, 0)
    return values, _body_of(service, operation)


def _body_of(service: Service, operation: Operation) -> Json:
    if operation.body is None:
        return _NONE
    media = next((one for one in operation.body.media if is_json(one.content_type)), None)
    if media is None:
        return _NONE
    if media.has_example:
        return media.example
    return synthesise(media.schema or {}, service.schemas, seed=f"{operation.id}/body", is_request=True)


def _laid_over(
    operation: Operation, values: dict[str, dict[str, Json]], body: Json, when: dict[str, Json]
) -> tuple[dict[str, dict[str, Json]], Json]:
    made = {place: dict(inner) for place, inner in values.items()}
    where = {one.name: one.location for one in operation.parameters}
    for name, value in when.items():
        if name == "body":
            body = merge({} if body is _NONE else body, value)
        elif where.get(name) in made:
            made[where[name]][name] = value
    return made, body


def _seeded(
    service: Service, operation: Operation, values: dict[str, dict[str, Json]], body: Json, number: int
) -> tuple[dict[str, dict[str, Json]], Json] | None:
    made = {place: dict(inner) for place, inner in values.items()}
    changed = False
    for one in operation.parameters:
        if one.location in {"path", "query"} and one.required:
            made[one.location][one.name] = _made(service, operation, one, number + 1)
            changed = True
    return (made, body) if changed else None


def _made(service: Service, operation: Operation, parameter: Parameter, number: int) -> Json:
    """A value that a client could mean: never empty, and no slash or dot that would be another path."""
    schema = {
        "type": "object",
        "properties": {parameter.name: parameter.schema},
        "required": [parameter.name],
    }
    seed = f"{operation.id}/{parameter.name}/{number}"
    value = synthesise(schema, service.schemas, seed=seed, is_request=True, is_ascii=True)[parameter.name]
    if isinstance(value, str) and (not value.strip(".") or "/" in value):
        return f"sample-{number}"
    return value


def _broken(operation: Operation, values: dict[str, dict[str, Json]]) -> dict[str, dict[str, Json]] | None:
    """The first parameter whose schema refuses some text, with that text; a plain text rather than a date or the like,
    whose type alone says no on a typed face.
    """
    found = [
        one for one in operation.parameters if one.location in {"path", "query"} and _refuses_text(one.schema)
    ]
    for one in sorted(found, key=lambda one: not _is_plain_text(one.schema)):
        made = {place: dict(inner) for place, inner in values.items()}
        made[one.location][one.name] = _NO_TEXT
        return made
    return None


def _spoilt(service: Service, operation: Operation, body: JsonObject) -> JsonObject | None:
    """The body with its first plain text broken, at any depth of objects."""
    media = next(
        (one for one in (operation.body.media if operation.body else ()) if is_json(one.content_type)), None
    )
    return None if media is None else _spoil(media.schema, body, service.schemas, 6)


def _spoil(schema: Json, value: JsonObject, schemas: dict[str, JsonObject], depth: int) -> JsonObject | None:
    properties = flatten(schema, schemas, {}).get("properties", {})
    for name, inner in properties.items():
        flat = flatten(inner, schemas, {})
        if isinstance(value.get(name), str) and _is_plain_text(flat) and _refuses_text(flat):
            return {**value, name: _NO_TEXT}
        if isinstance(value.get(name), dict) and depth:
            deeper = _spoil(inner, value[name], schemas, depth - 1)
            if deeper is not None:
                return {**value, name: deeper}
    return None


def _refuses_text(schema: JsonObject) -> bool:
    return any(key in schema for key in ("pattern", "enum", "format", "maxLength"))


def _is_plain_text(schema: JsonObject) -> bool:
    return schema.get("type") == "string" and "enum" not in schema and "format" not in schema
