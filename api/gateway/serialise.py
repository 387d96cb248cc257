"""Typed values written as a request's path, query, headers and cookies, by the contract's style and explode.

The reverse of `parameters`. Source: OpenAPI 3.1 §4.8.12 (styles), RFC 6570.
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from api.contract.model import Operation, Parameter

_JOINED = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}
_UNRESERVED = "~-._"
# Headers that the platform and HTTP itself set; a contract that lists one describes it, the caller's value is not sent.
NEVER_SENT = frozenset(
    {
        "accept", "authorization", "connection", "content-length", "content-type", "cookie", "dpop", "expect", "host",
        "kaimen-purpose", "kaimen-scenario", "te", "traceparent", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip


class UnsendableError(ValueError):
    """A value that no request can carry. `pointer` says which."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.message = message


def sent_path(operation: Operation, values: Mapping[str, Any]) -> str:
    """The operation's path below the version with these values. Raises UnsendableError for a missing or empty one."""
    path = operation.path
    for parameter in operation.parameters:
        if parameter.location != "path":
            continue
        value = values.get(parameter.name)
        text = "" if value is None else _simple(parameter, value)
        if not text:
            raise UnsendableError(_pointer(parameter), "is required")
        if parameter.style == "label":
            text = "." + text
        elif parameter.style == "matrix":
            text = f";{quote(parameter.name)}={text}"
        path = path.replace("{" + parameter.name + "}", text)
    return quote(path, safe="/%:@!$&'()*+,;=~-._")


def query_of(operation: Operation, values: Mapping[str, Any]) -> bytes:
    """The query string."""
    parts = [
        part
        for parameter in operation.parameters
        if parameter.location == "query" and values.get(parameter.name) is not None
        for part in _query(parameter, values[parameter.name])
    ]
    return "&".join(parts).encode()


def sent_headers(
    operation: Operation, values: Mapping[str, Any], cookies: Mapping[str, Any]
) -> list[tuple[bytes, bytes]]:
    """The contract's header parameters and cookies. Raises UnsendableError for control characters."""
    headers = []
    crumbs = []
    for parameter in operation.parameters:
        if parameter.location == "header" and values.get(parameter.name) is not None:
            if parameter.name.lower() in NEVER_SENT:
                continue
            text = _header_text(parameter, values[parameter.name])
            headers.append((parameter.name.lower().encode(), text))
        elif parameter.location == "cookie" and cookies.get(parameter.name) is not None:
            crumbs.append(f"{quote(parameter.name)}={_simple(parameter, cookies[parameter.name])}")
    if crumbs:
        headers.append((b"cookie", "; ".join(crumbs).encode()))
    return headers


def _header_text(parameter: Parameter, value: Any) -> bytes:
    if parameter.content_type or isinstance(value, dict):
        text = _text(value)
    else:
        text = ",".join(_text(one) for one in value) if isinstance(value, list) else _text(value)
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        raise UnsendableError(_pointer(parameter), "holds a control character")
    return _bytes(parameter, text)


def _bytes(parameter: Parameter, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise UnsendableError(_pointer(parameter), "is no valid Unicode text") from None


def _pointer(parameter: Parameter) -> str:
    return f"/{parameter.location}/{parameter.name.replace('~', '~0').replace('/', '~1')}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode()


def _encoded(parameter: Parameter, value: Any) -> str:
    return quote(_bytes(parameter, _text(value)), safe=_UNRESERVED)


def _is_exploded(parameter: Parameter, style: str) -> bool:
    return parameter.explode if parameter.explode is not None else style == "form"


def _simple(parameter: Parameter, value: Any) -> str:
    if parameter.content_type:
        return _encoded(parameter, msgspec.json.encode(value).decode())
    if isinstance(value, list):
        return ",".join(_encoded(parameter, one) for one in value)
    if isinstance(value, dict):
        joint = "=" if _is_exploded(parameter, parameter.style or "simple") else ","
        return ",".join(
            f"{_encoded(parameter, key)}{joint}{_encoded(parameter, one)}" for key, one in value.items()
        )
    return _encoded(parameter, value)


def _query(parameter: Parameter, value: Any) -> Iterator[str]:
    name = quote(parameter.name, safe=_UNRESERVED + "[]")
    style = parameter.style or "form"
    is_exploded = _is_exploded(parameter, style)
    if parameter.content_type:
        yield f"{name}={_encoded(parameter, msgspec.json.encode(value).decode())}"
    elif isinstance(value, list):
        parts = [_encoded(parameter, one) for one in value]
        if is_exploded:
            yield from (f"{name}={one}" for one in parts)
        else:
            yield f"{name}={_JOINED.get(style, ',').join(parts)}"
    elif isinstance(value, dict):
        pairs = [(_encoded(parameter, key), _encoded(parameter, one)) for key, one in value.items()]
        if style == "deepObject":
            yield from (f"{name}%5B{key}%5D={one}" for key, one in pairs)
        elif is_exploded:
            yield from (f"{key}={one}" for key, one in pairs)
        else:
            yield f"{name}=" + ",".join(f"{key},{one}" for key, one in pairs)
    else:
        yield f"{name}={_encoded(parameter, value)}"
