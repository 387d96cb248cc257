"""Answers for services that have no system behind them: made from the contract, in the sandbox only.

An answer fits the schema of the operation's success response, follows from state, operation and parameters
alone (the same question gets the same answer, another app another one), and repeats what the caller said:
path parameters and fields of the body stand in response fields of the same name wherever that is valid.
A scenario of the contract decides status and body instead. It knows nothing of the city.
"""

import hashlib
from typing import Any

import msgspec
from jsonschema_rs import Draft202012Validator, ReferencingError, Registry
from sdk.synthesis import synthesise

from api.contract.model import Json, JsonObject, Media, Operation, Response, Scenario, Service
from api.contract.validation import registry_of, validator_of
from api.gateway.connector import Connector, Context, Request, Result
from sandbox.scenarios import merge, pick

_encoder = msgspec.json.Encoder(order="deterministic")
_NO_BODY = frozenset({204, 205, 304})
_ECHO_DEPTH = 3


class SyntheticConnector:
    """Answers for one service from its contract."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._registry: Registry | None = None
        self._validators: dict[tuple[str, str], Draft202012Validator | None] = {}

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """The synthetic answer. Raises Refusal SCENARIO_UNKNOWN for a scenario that the contract does not list."""
        picked = pick(operation, request, context.scenario)
        if picked is not None:
            return self._play(picked[0], operation, request, context)
        status, response = success_of(operation)
        media = media_of(response) if response is not None and status not in _NO_BODY else None
        headers = _headers_of(response, self._service.schemas, _seed(operation, request, context))
        if media is None:
            return Result(status, headers, is_synthetic=True)
        body = self._body(operation, str(status), media, request, context)
        return Result(status, [_content_type(media), *headers], self._encode(media, body), is_synthetic=True)

    def _play(self, scenario: Scenario, operation: Operation, request: Request, context: Context) -> Result:
        """What `then` says, over a synthetic body where the contract describes that status."""
        status = int(scenario.then["status"])
        response = _response_for(operation, status)
        media = media_of(response) if response is not None and status not in _NO_BODY else None
        body: Json = None
        if media is not None and is_json(media.content_type):
            body = self._body(operation, str(status), media, request, context)
        if "problem" in scenario.then:
            title = scenario.title.get("zh-CN" if context.locale.startswith("zh") else "en", scenario.id)
            problem = {"type": scenario.then["problem"], "title": title, "status": status, "detail": title}
            body = merge(body if isinstance(body, dict) else {}, problem)
        if "body" in scenario.then:
            body = merge(body, scenario.then["body"])
        headers = [(b"kaimen-scenario", scenario.id.encode())]
        headers += [
            (name.lower().encode(), str(value).encode())
            for name, value in scenario.then.get("headers", {}).items()
        ]
        if body is None:
            return Result(status, headers, is_synthetic=True)
        kind = media.content_type if media is not None else "application/json"
        if media is None and "problem" in scenario.then:
            kind = "application/problem+json"
        return Result(
            status, [(b"content-type", kind.encode()), *headers], _encoder.encode(body), is_synthetic=True
        )

    def _body(
        self, operation: Operation, status: str, media: Media, request: Request, context: Context
    ) -> Json:
        if media.schema is None:
            return media.example if media.has_example else None
        seed = _seed(operation, request, context)
        example = media.example if media.has_example else None
        made = synthesise(media.schema, self._service.schemas, seed=seed, example=example)
        said = _said(request)
        if not said or not isinstance(made, dict | list):
            return made
        validator = self._validator(operation, status, media.schema)
        for name, value in said.items():
            echoed = _echo(made, name, value, _ECHO_DEPTH)
            if echoed != made and (validator is None or validator.is_valid(echoed)):
                made = echoed
        return made

    def _validator(
        self, operation: Operation, status: str, schema: JsonObject
    ) -> Draft202012Validator | None:
        """The validator of a response, None where its schema does not compile."""
        key = (operation.id, status)
        if key not in self._validators:
            try:
                if self._registry is None:
                    self._registry = registry_of(self._service.schemas)
                self._validators[key] = validator_of(schema, self._registry)
            except (ValueError, ReferencingError):
                self._validators[key] = None
        return self._validators[key]

    @staticmethod
    def _encode(media: Media, body: Json) -> bytes:
        if is_json(media.content_type):
            return _encoder.encode(body)
        return body.encode() if isinstance(body, str) else b""

    async def health(self) -> bool:
        """Always: there is nothing behind it."""
        return True

    async def close(self) -> None:
        """Nothing is held."""


def synthetic_connector(upstream: str, service: Service) -> Connector:
    """The factory for an empty upstream."""
    return SyntheticConnector(service)


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON: `application/json`, `…+json`, or any type at all."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind in {"application/json", "text/json", "*/*", "application/*"} or kind.endswith("+json")


def success_of(operation: Operation) -> tuple[int, Response | None]:
    """The status of success and its response: the lowest 2xx, else `2XX` or `default` as 200."""
    by_status = {response.status.upper(): response for response in operation.responses}
    exact = sorted(status for status in by_status if status.isdigit() and status.startswith("2"))
    if exact:
        return int(exact[0]), by_status[exact[0]]
    return 200, by_status.get("2XX", by_status.get("DEFAULT"))


def _response_for(operation: Operation, status: int) -> Response | None:
    by_status = {response.status.upper(): response for response in operation.responses}
    return by_status.get(str(status), by_status.get(f"{status // 100}XX", by_status.get("DEFAULT")))


def media_of(response: Response) -> Media | None:
    """The media type to answer in: JSON where there is one, else the first."""
    found = next((media for media in response.media if is_json(media.content_type)), None)
    return found or (response.media[0] if response.media else None)


def _content_type(media: Media) -> tuple[bytes, bytes]:
    kind = media.content_type if "*" not in media.content_type else "application/json"
    return b"content-type", kind.encode()


def _headers_of(
    response: Response | None, schemas: dict[str, JsonObject], seed: str
) -> list[tuple[bytes, bytes]]:
    """The response headers that the contract requires."""
    headers = []
    for header in response.headers if response is not None else ():
        if header.required and header.name.lower() != "content-type":
            example = header.example if header.has_example else None
            value = synthesise(header.schema, schemas, seed=f"{seed}:{header.name}", example=example)
            text = value if isinstance(value, str) else _encoder.encode(value).decode()
            headers.append((header.name.lower().encode(), text.encode("ascii", "replace")))
    return headers


def _seed(operation: Operation, request: Request, context: Context) -> str:
    asked = [
        context.state_id or context.app_id,
        context.service,
        operation.id,
        dict(request.path),
        dict(request.query),
        request.json,
    ]
    return hashlib.sha256(_encoder.encode(asked)).hexdigest()


def _said(request: Request) -> dict[str, Any]:
    """What the caller said that an answer may repeat; a path parameter outdoes a field of the body."""
    body = request.json if isinstance(request.json, dict) else {}
    plain = {name: value for name, value in body.items() if isinstance(value, str | int | float | bool)}
    return {**plain, **dict(request.path)}


def _echo(value: Json, name: str, said: Any, depth: int) -> Json:
    """`value` with `said` in every field `name`, in the type that stands there now."""
    if depth == 0:
        return value
    if isinstance(value, list):
        return [_echo(item, name, said, depth) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _as_type_of(inner, said) if key == name else _echo(inner, name, said, depth - 1)
        for key, inner in value.items()
    }


def _as_type_of(present: Json, said: Any) -> Json:
    if isinstance(present, bool) or isinstance(said, bool) or type(present) is type(said):
        return said
    try:
        if isinstance(present, int):
            return int(said)
        if isinstance(present, float):
            return float(said)
    except (TypeError, ValueError):
        return present
    return str(said) if isinstance(present, str) else present
