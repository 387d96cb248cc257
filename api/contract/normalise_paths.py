"""Normalising paths: templates a router can hold, one operation for each shape, shared parameters copied down."""

import re
from urllib.parse import parse_qsl, unquote

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.normalise_parameters import normalise_parameters
from api.contract.pointers import join
from api.contract.report import Report
from api.contract.shapes import METHODS

_BRACED = re.compile(r"\{([^{}]*)\}")
_QUERY_EXPANSION = re.compile(r"\{[?&][^{}]*\}")
_ORIGIN = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^/]*")
_NAME_NOISE = re.compile(r"[\s/%?#\x00-\x1f]+")
_ITEM_KEYS = {"summary", "description", "servers", "parameters", *METHODS}


def normalise_paths(document: JsonObject, report: Report) -> None:
    """Rewrite `paths`: legal templates, no two of one shape, parameters complete on every operation."""
    made: JsonObject = {}
    shapes: dict[tuple[str, str], str] = {}
    for key, item in document["paths"].items():
        if key.startswith("x-"):
            made[key] = item
            continue
        place = join("/paths", key)
        template, fixed, renamed = _template_of(key, place, report)
        operations = _operations_of(item, place, report)
        for method, operation in operations.items():
            _complete(operation, item, (template, fixed, renamed), join(place, method), report)
            path = _free_path(template, method, operation, shapes, place, report)
            if path is not None:
                shapes[method, _shape(path)] = path
                made.setdefault(path, {})[method] = operation
    document["paths"] = made


def _shape(path: str) -> str:
    return _BRACED.sub("{}", path)


def _template_of(key: str, place: str, report: Report) -> tuple[str, dict[str, str], dict[str, str]]:
    """The legal template, the query that stood in it, and old -> new names of its parameters."""
    path = _ORIGIN.sub("", key.strip(), count=1) if "://" in key else key.strip()
    path = _QUERY_EXPANSION.sub("", path).split("#", 1)[0]
    path, _, query = path.partition("?") if "?" in _BRACED.sub("", path) else (path, "", "")
    renamed: dict[str, str] = {}
    path = _BRACED.sub(lambda match: "{" + _clean_name(match.group(1), renamed) + "}", path)
    has_slash = path.endswith("/")
    segments = [_clean_segment(segment) for segment in path.split("/")]
    path = "/" + "/".join(one for one in segments if one not in {"", ".", ".."})
    if has_slash and path != "/":
        path += "/"
    fixed = dict(parse_qsl(query, keep_blank_values=True))
    if fixed:
        report.lose(notices.PATH_QUERY, place, old=key)
    elif path != key:
        report.lose(notices.PATH_CHANGED, place, old=key, new=path)
    return path, fixed, {old: new for old, new in renamed.items() if old != new}


def _clean_name(written: str, renamed: dict[str, str]) -> str:
    """`{+path}`, `{id:[0-9]+}`, `{path*}` -> a plain name, unique in the template."""
    base = written.strip().lstrip("+#./;&").split(":", 1)[0].rstrip("*")
    base = _NAME_NOISE.sub("_", base.strip()) or "value"
    name, number = base, 2
    while name in renamed.values():
        name, number = f"{base}_{number}", number + 1
    renamed[written if written not in renamed else f"{written}#{number}"] = name
    return name


def _clean_segment(segment: str) -> str:
    """A segment decoded once, without braces that hold no name."""
    pieces = re.split(r"(\{[^{}]+\})", segment)
    cleaned = []
    for piece in pieces:
        if _BRACED.fullmatch(piece):
            cleaned.append(piece)
            continue
        plain = unquote(piece)
        is_safe = plain.isprintable() and not set(plain) & set("/?#%{}\\\ufffd")
        cleaned.append((plain if is_safe else piece).replace("{", "").replace("}", "").replace("\\", ""))
    return "".join(char for char in "".join(cleaned) if char.isprintable())


def _operations_of(item: JsonObject, place: str, report: Report) -> JsonObject:
    """The operations of a path item by lower-case method; what is no operation is told."""
    found: JsonObject = {}
    for key, value in item.items():
        method = key.lower()
        if method in METHODS and isinstance(value, dict):
            if method == "trace":
                report.lose(notices.METHOD_DROPPED, join(place, key), method=method.upper())
            elif method not in found:
                found[method] = value
        elif key in {"query", "additionalOperations"}:
            report.lose(notices.METHOD_DROPPED, join(place, key), method=key.upper())
        elif key not in _ITEM_KEYS and not key.startswith("x-"):
            report.find(notices.KEY_UNKNOWN, join(place, key), where="path item", key=key)
    return found


def _complete(
    operation: JsonObject,
    item: JsonObject,
    template: tuple[str, dict[str, str], dict[str, str]],
    place: str,
    report: Report,
) -> None:
    """Copy down what the path item says for all its operations, then mend the parameters."""
    own = operation.get("parameters", [])
    declared = {(one.get("name"), one.get("in")) for one in own}
    shared = [one for one in item.get("parameters", []) if (one.get("name"), one.get("in")) not in declared]
    for key in ("summary", "description"):
        if item.get(key) and not operation.get(key):
            operation[key] = item[key]
    for key, value in item.items():
        if key.startswith("x-"):
            operation.setdefault(key, value)
    operation["parameters"] = normalise_parameters([*own, *shared], template, place, report)
    for holder in (operation, item):
        if holder.get("servers"):
            operation["x-servers"] = holder["servers"]
    if operation.pop("servers", None) or item.get("servers"):
        report.lose(notices.SERVERS_IGNORED, place)


def _free_path(
    path: str,
    method: str,
    operation: JsonObject,
    shapes: dict[tuple[str, str], str],
    place: str,
    report: Report,
) -> str | None:
    """The path under which the operation can be reached beside those before it, or None."""
    first = shapes.get((method, _shape(path)))
    if first is None:
        return path
    for parameter in operation["parameters"]:
        value = _only_value(parameter)
        fixed = path.replace("{" + str(parameter["name"]) + "}", value) if value else path
        if fixed != path and (method, _shape(fixed)) not in shapes:
            operation["parameters"].remove(parameter)
            report.lose(notices.PATH_FIXED, place, method=method.upper(), old=path, new=fixed)
            return fixed
    report.lose(notices.PATH_DUPLICATE, join(place, method), method=method.upper(), path=path, first=first)
    return None


def _only_value(parameter: JsonObject) -> str:
    """The one value that a path parameter can or should have, "" where there are many."""
    if parameter.get("in") != "path" or not isinstance(parameter.get("schema"), dict):
        return ""
    schema = parameter["schema"]
    enum = schema.get("enum")
    value = (
        enum[0] if isinstance(enum, list) and len(enum) == 1 else schema.get("const", schema.get("default"))
    )
    is_plain = isinstance(value, str) and re.fullmatch(r"[\w.~-]+", value)
    return str(value) if is_plain and value not in {".", ".."} else ""
