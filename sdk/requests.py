"""One example request for an operation, as it goes over the wire: address, headers, body.

Values come from the contract's examples, else from synthesis. Serialised as the contract's `style` and `explode` say.
Source: OpenAPI 3.1.1 §4.8.12.2, RFC 3986, RFC 6570.
"""

import json
from collections.abc import Iterator
from urllib.parse import quote

from msgspec import Struct

from api.contract.model import Json, JsonObject, Media, Operation, Parameter
from api.contract.normalise_bodies import is_json
from sdk.synthesis import synthesise

_BOUNDARY = "kaimen-sample-boundary"
_JOINED = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}


class ExampleRequest(Struct, frozen=True):
    """What a client sends, but for its token. `json` holds the body's value where the body is JSON."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: str | None = None
    is_json: bool = False
    json: Json = None


def example_request(
    operation: Operation,
    *,
    base_url: str,
    schemas: dict[str, JsonObject],
    with_optional: bool = False,
    scenario: str = "",
) -> ExampleRequest:
    """A request that the gateway accepts. `base_url` is the address of the service version, without a final slash.

    `with_optional` also sets the optional parameters that have an example.
    """
    chosen = [one for one in operation.parameters if one.required or (with_optional and one.has_example)]
    values = [(one, _value(one, operation, schemas)) for one in chosen]
    path = operation.path
    for parameter, value in values:
        if parameter.location == "path":
            path = path.replace("{" + parameter.name + "}", _path_value(parameter, value))
    query = "&".join(
        part
        for parameter, value in values
        if parameter.location == "query"
        for part in _query(parameter, value)
    )
    headers = list(_headers(operation, values, scenario))
    body, media, value = _body(operation, schemas)
    if media:
        headers.append(("Content-Type", media))
    url = base_url.rstrip("/") + quote(path, safe="/%:@!$&'()*+,;=~-._") + (f"?{query}" if query else "")
    holds_json = body is not None and is_json(media)
    return ExampleRequest(
        operation.method, url, tuple(headers), body, holds_json, value if holds_json else None
    )


def _value(parameter: Parameter, operation: Operation, schemas: dict[str, JsonObject]) -> Json:
    if parameter.has_example:
        return parameter.example
    is_ascii = parameter.location in {"header", "cookie"}
    schema = parameter.schema or {"type": "string"}
    named = {"type": "object", "properties": {parameter.name: schema}, "required": [parameter.name]}
    made = synthesise(
        named, schemas, seed=f"{operation.id}/{parameter.name}", is_request=True, is_ascii=is_ascii
    )
    return made[parameter.name] if isinstance(made, dict) and parameter.name in made else "sample"


# --- parameters ------------------------------------------------------------------------------------
def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _encoded(value: Json) -> str:
    return quote(_text(value), safe="~-._")


def _is_exploded(parameter: Parameter, style: str) -> bool:
    return parameter.explode if parameter.explode is not None else style == "form"


def _pairs(value: JsonObject, *, is_exploded: bool) -> str:
    if is_exploded:
        return ",".join(f"{_encoded(key)}={_encoded(one)}" for key, one in value.items())
    return ",".join(f"{_encoded(key)},{_encoded(one)}" for key, one in value.items())


def _simple(parameter: Parameter, value: Json) -> str:
    if parameter.content_type:
        return quote(json.dumps(value, ensure_ascii=False), safe="~-._")
    if isinstance(value, list):
        return ",".join(_encoded(one) for one in value)
    if isinstance(value, dict):
        return _pairs(value, is_exploded=_is_exploded(parameter, "simple"))
    return _encoded(value)


def _path_value(parameter: Parameter, value: Json) -> str:
    text = _simple(parameter, value)
    if parameter.style == "label":
        return "." + text
    return f";{quote(parameter.name)}={text}" if parameter.style == "matrix" else text


def _query(parameter: Parameter, value: Json) -> Iterator[str]:
    name = quote(parameter.name, safe="~-._[]")
    style = parameter.style or "form"
    is_exploded = _is_exploded(parameter, style)
    if parameter.content_type:
        yield f"{name}={quote(json.dumps(value, ensure_ascii=False), safe='~-._')}"
    elif isinstance(value, list):
        if is_exploded:
            yield from (f"{name}={_encoded(one)}" for one in value)
        else:
            yield f"{name}={_JOINED.get(style, ',').join(_encoded(one) for one in value)}"
    elif isinstance(value, dict):
        if style == "deepObject":
            yield from (f"{name}%5B{_encoded(key)}%5D={_encoded(one)}" for key, one in value.items())
        elif is_exploded:
            yield from (f"{_encoded(key)}={_encoded(one)}" for key, one in value.items())
        else:
            yield f"{name}={_pairs(value, is_exploded=False)}"
    else:
        yield f"{name}={_encoded(value)}"


def _headers(
    operation: Operation, values: list[tuple[Parameter, Json]], scenario: str
) -> Iterator[tuple[str, str]]:
    accepted = _accepted(operation)
    if accepted:
        yield "Accept", accepted
    for parameter, value in values:
        if parameter.location == "header":
            yield parameter.name, _header_value(parameter, value)
    cookies = [(one, value) for one, value in values if one.location == "cookie"]
    if cookies:
        yield "Cookie", "; ".join(f"{quote(one.name)}={_simple(one, value)}" for one, value in cookies)
    if operation.idempotent and not operation.is_safe and operation.method in {"POST", "PATCH"}:
        yield "Idempotency-Key", "3f0c1e52-7a4d-4b6e-a1c9-5d2e8f7b9a10"
    if scenario:
        yield "Kaimen-Scenario", scenario


def _header_value(parameter: Parameter, value: Json) -> str:
    """A header's text: no encoding, but nothing that a header cannot hold. Source: RFC 9110 §5.5."""
    text = ",".join(_text(one) for one in value) if isinstance(value, list) else _text(value)
    if text.isascii() and text.isprintable():
        return text
    return quote(text, safe=" ,;:=/~-._+")


def _accepted(operation: Operation) -> str:
    kinds = [
        media.content_type.split(";", maxsplit=1)[0]
        for response in operation.responses
        if response.status[0] == "2" or response.status == "default"
        for media in response.media
    ]
    return next((kind for kind in kinds if is_json(kind)), kinds[0] if kinds else "")


# --- body ------------------------------------------------------------------------------------------
def _body(operation: Operation, schemas: dict[str, JsonObject]) -> tuple[str | None, str, Json]:
    """The body's text, its media type and its value; None where the operation takes none."""
    if operation.body is None or not operation.body.media:
        return None, "", None
    media = _preferred(operation.body.media)
    kind = media.content_type
    base = kind.split(";", maxsplit=1)[0].strip()
    value = media.example if media.has_example else _synthetic(operation, media, schemas)
    if is_json(kind):
        return json.dumps(value, ensure_ascii=False, indent=2), kind, value
    if base == "application/x-www-form-urlencoded" and isinstance(value, dict):
        return "&".join(f"{_encoded(key)}={_encoded(one)}" for key, one in value.items()), kind, None
    if base == "multipart/form-data" and isinstance(value, dict):
        return _multipart(value), f"multipart/form-data; boundary={_BOUNDARY}", None
    return _text(value) if value is not None else "", kind, None


def _preferred(media: tuple[Media, ...]) -> Media:
    return next((one for one in media if is_json(one.content_type)), media[0])


def _synthetic(operation: Operation, media: Media, schemas: dict[str, JsonObject]) -> Json:
    if media.schema is None:
        return {} if is_json(media.content_type) else "sample"
    return synthesise(media.schema, schemas, seed=f"{operation.id}/body", is_request=True)


def _multipart(value: JsonObject) -> str:
    """Source: RFC 7578 §4. Names are quoted, their quotes and line ends percent-encoded."""
    parts = []
    for key, one in value.items():
        name = key.replace("%", "%25").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        parts.append(
            f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_text(one)}\r\n'
        )
    return "".join(parts) + f"--{_BOUNDARY}--\r\n"


def example_values(operation: Operation, schemas: dict[str, JsonObject]) -> tuple[JsonObject, Json]:
    """Example values of the required parameters by their names, and of the body (None where there is none)."""
    values = {one.name: _value(one, operation, schemas) for one in operation.parameters if one.required}
    if operation.body is None or not operation.body.media:
        return values, None
    media = _preferred(operation.body.media)
    return values, media.example if media.has_example else _synthetic(operation, media, schemas)
