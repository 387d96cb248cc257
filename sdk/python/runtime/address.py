"""Parameters into paths, queries and headers. Source: OpenAPI 3.1 §4.8.12.2, RFC 6570."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from .values import UNSET, encode


class Param(NamedTuple):
    """A parameter as the contract serialises it."""

    wire: str
    location: str
    style: str
    explode: bool
    is_json: bool = False


def address(template: str, params: Iterable[Param], values: Sequence[Any]) -> tuple[str, dict[str, str]]:
    """Path with query, and headers. Values that are None or UNSET are left out."""
    path, query, headers = template, list[str](), dict[str, str]()
    for param, given in zip(params, values, strict=True):
        if given is None or given is UNSET:
            continue
        value = encode(given)
        if param.location == "path":
            path = path.replace("{" + param.wire + "}", _strict(_joined(value)))
        elif param.location == "header":
            headers[param.wire.lower()] = _header(value, is_json=param.is_json)
        else:
            query += _query(param, value)
    return (f"{path}?{'&'.join(query)}" if query else path), headers


def _query(param: Param, value: Any) -> list[str]:
    name = _strict(param.wire)
    if param.is_json:
        return [f"{name}={_strict(_json(value))}"]
    if isinstance(value, list):
        return _listed(name, param, value)
    if isinstance(value, Mapping):
        return _mapped(name, param, value)
    return [f"{name}={_strict(plain(value))}"]


def _listed(name: str, param: Param, value: Sequence[Any]) -> list[str]:
    parts = [_strict(plain(one)) for one in value]
    if param.explode:
        return [f"{name}={one}" for one in parts]
    joint = {"spaceDelimited": "%20", "pipeDelimited": "%7C"}.get(param.style, ",")
    return [f"{name}={joint.join(parts)}"]


def _mapped(name: str, param: Param, value: Mapping[str, Any]) -> list[str]:
    if param.style == "deepObject":
        return [f"{name}%5B{_strict(str(key))}%5D={_strict(plain(one))}" for key, one in value.items()]
    if param.explode:
        return [f"{_strict(str(key))}={_strict(plain(one))}" for key, one in value.items()]
    return [f"{name}=" + ",".join(_strict(plain(part)) for pair in value.items() for part in pair)]


def plain(value: Any) -> str:
    """A value as text: true, false and numbers as JSON writes them, text as it is."""
    if isinstance(value, str):
        return value
    return _json(value)


def _joined(value: Any) -> str:
    return ",".join(plain(one) for one in value) if isinstance(value, list) else plain(value)


def _header(value: Any, *, is_json: bool) -> str:
    text = _json(value) if is_json else _joined(value)
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        raise ValueError("a header holds no control characters")
    return text if text.isascii() else quote(text, safe=" !#$&'()*+,/:;=?@[]\"<>\\^`{|}~%")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _strict(text: str) -> str:
    return quote(text, safe="")
