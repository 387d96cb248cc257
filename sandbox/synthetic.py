"""Answers for services that have no system behind them: made from the contract, in the sandbox only.

An answer fits the schema of the operation's success response and follows from state, operation and parameters
alone: the same question gets the same answer, another app another one. Asked with the parameters of the
contract's examples it is the contract's example. It repeats what the caller said: path parameters and fields
of the body stand in response fields of the same name wherever that is valid. A scenario of the contract
decides status and body instead. It knows nothing of the city.
"""

import hashlib
from typing import Any

import msgspec

from api.contract.model import Json, Media, Operation, Response, Scenario, Service
from api.gateway.connector import Connector, Context, Request, Result
from sandbox.scenarios import merge, pick
from sdk.synthesis import Synthesiser

NO_EXAMPLE: Any = object()
_PROBLEM = b"application/problem+json"
_canonical = msgspec.json.Encoder(order="deterministic")
_NO_BODY = frozenset({204, 205, 304})
_ECHO_DEPTH = 3


class SyntheticConnector:
    """Answers for one service from its contract."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._synthesiser = Synthesiser(service.schemas)

    async def call(self, operation: Operation, request: Request, context: Context) -> Result:
        """The synthetic answer. Raises Refusal SCENARIO_UNKNOWN for a scenario that the contract does not list."""
        seed = _seed(operation, request, context)
        picked = pick(operation, request, context.scenario)
        if picked is not None:
            return self._play(picked[0], operation, request, context.locale, seed)
        status, response = success_of(operation)
        headers = self._headers(response, seed)
        media = media_of(response, status)
        if media is None:
            return Result(status, headers, is_synthetic=True)
        example = media.example if media.has_example and asks_for_example(operation, request) else NO_EXAMPLE
        body = self._body(media, example, request, seed)
        return Result(status, [_content_type(media), *headers], _encode(media, body), is_synthetic=True)

    def _play(
        self, scenario: Scenario, operation: Operation, request: Request, locale: str, seed: str
    ) -> Result:
        """What `then` says, laid over the contract's example of that status, or a synthetic body where it has none."""
        status = int(scenario.then["status"])
        media = media_of(_response_for(operation, status), status)
        body: Json = None
        if media is not None and is_json(media.content_type):
            body = self._body(media, media.example if media.has_example else NO_EXAMPLE, request, seed)
        if "problem" in scenario.then:
            title = scenario.title.get("zh-CN" if locale.startswith("zh") else "en", scenario.id)
            problem = {"type": scenario.then["problem"], "title": title, "status": status, "detail": title}
            body = merge(body if isinstance(body, dict) else {}, problem)
        if "body" in scenario.then:
            body = _laid_over(body, scenario.then["body"])
        headers = [(b"kaimen-scenario", scenario.id.encode())]
        for name, value in scenario.then.get("headers", {}).items():
            headers.append((name.lower().encode(), str(value).encode()))
        if body is None:
            return Result(status, headers, is_synthetic=True)
        kind = (b"content-type", _PROBLEM if "problem" in scenario.then else b"application/json")
        if media is not None:
            kind = _content_type(media)
        return Result(status, [kind, *headers], msgspec.json.encode(body), is_synthetic=True)

    def _body(self, media: Media, example: Json, request: Request, seed: str) -> Json:
        """A body for the media type; what the caller said is repeated as long as the body stays valid."""
        if media.schema is None:
            return media.example if media.has_example else None
        options = {} if example is NO_EXAMPLE else {"example": example}
        made = self._synthesiser.value(media.schema, seed=seed, **options)
        for name, value in _said(request).items():
            echoed = _echo(made, name, value, _ECHO_DEPTH)
            if echoed != made and self._synthesiser.is_valid(echoed, media.schema):
                made = echoed
        return made

    def _headers(self, response: Response | None, seed: str) -> list[tuple[bytes, bytes]]:
        """The response headers that the contract requires."""
        headers = []
        for header in response.headers if response is not None else ():
            if header.required and header.name.lower() != "content-type":
                options = {"example": header.example} if header.has_example else {}
                value = self._synthesiser.value(
                    header.schema, seed=f"{seed}:{header.name}", is_ascii=True, **options
                )
                text = value.encode() if isinstance(value, str) else msgspec.json.encode(value)
                headers.append((header.name.lower().encode(), text))
        return headers

    async def health(self) -> bool:
        """Always: there is nothing behind it."""
        return True

    async def close(self) -> None:
        """Nothing is held."""


def _laid_over(body: Json, part: Json) -> Json:
    """`body` with `part` over it. Items of a list that `part` tells a little of are completed from what stands there."""
    if isinstance(part, list) and isinstance(body, list) and body:
        return [_laid_over(body[min(place, len(body) - 1)], one) for place, one in enumerate(part)]
    if isinstance(part, dict) and isinstance(body, dict):
        return {**body, **{name: _laid_over(body.get(name), value) for name, value in part.items()}}
    return part


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


def media_of(response: Response | None, status: int) -> Media | None:
    """The media type to answer in: JSON where there is one, else the first; None for an answer without a body."""
    if response is None or status in _NO_BODY:
        return None
    found = next((media for media in response.media if is_json(media.content_type)), None)
    return found or (response.media[0] if response.media else None)


def asks_for_example(operation: Operation, request: Request) -> bool:
    """Whether the call is the one of the contract's examples: no parameter of the path says anything else."""
    examples = {one.name: one.example for one in operation.parameters if one.has_example}
    return all(name in examples and str(examples[name]) == str(value) for name, value in request.path.items())


def _content_type(media: Media) -> tuple[bytes, bytes]:
    kind = media.content_type if "*" not in media.content_type else "application/json"
    return b"content-type", kind.encode()


def _encode(media: Media, body: Json) -> bytes:
    if is_json(media.content_type):
        return msgspec.json.encode(body)
    return body.encode() if isinstance(body, str) else b""


def _seed(operation: Operation, request: Request, context: Context) -> str:
    asked = [
        context.state_id or context.app_id, context.service, operation.id, dict(request.path), dict(request.query),
        request.json,
    ]  # fmt: skip
    return hashlib.sha256(_canonical.encode(asked)).hexdigest()


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
