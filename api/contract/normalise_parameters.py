"""Normalising the parameters of one operation: complete, unique, named as the path template names them."""

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.pointers import join
from api.contract.report import Report

_PLACES = {"path", "query", "header", "cookie"}
_IGNORED_HEADERS = {"accept", "content-type", "authorization"}
_STYLES = {
    "path": {"simple", "label", "matrix"},
    "query": {"form", "spaceDelimited", "pipeDelimited", "deepObject"},
    "header": {"simple"},
    "cookie": {"form"},
}
Template = tuple[str, dict[str, str], dict[str, str]]  # path, fixed query, renamed parameters


def normalise_parameters(
    parameters: list[JsonObject], template: Template, place: str, report: Report
) -> list[JsonObject]:
    """The parameters that the operation really has; `place` is the operation's pointer."""
    path, fixed, renamed = template
    made: list[JsonObject] = []
    seen: set[tuple[str, str]] = set()
    for index, one in enumerate(parameters):
        spot = f"{place}/parameters/{index}"
        parameter = _complete(one, path, renamed, spot, report)
        if parameter is None:
            continue
        name = parameter["name"]
        key = (parameter["in"], name.lower() if parameter["in"] == "header" else name)
        if key in seen:
            _drop(parameter, ("重复", "it is there already"), spot, report)
            continue
        seen.add(key)
        made.append(_mend(parameter, spot, report))
    made.extend(_missing(path, seen, place, report))
    for name, value in fixed.items():
        if ("query", name) not in seen:
            made.append(
                {"name": name, "in": "query", "required": True, "schema": {"type": "string", "const": value}}
            )
    return made


def _complete(
    one: JsonObject, path: str, renamed: dict[str, str], spot: str, report: Report
) -> JsonObject | None:
    """The parameter with a name and a place that mean something, or None."""
    name, where = str(one.get("name", "")).strip(), str(one.get("in", "")).strip().lower()
    if not name or where not in _PLACES:
        _drop(one, ("缺少 name 或 in", "it lacks name or in"), spot, report)
        return None
    if where == "header" and name.lower() in _IGNORED_HEADERS:
        report.find(notices.PARAMETER_IGNORED, spot, name=name)
        return None
    if where == "path":
        in_path = _name_in(path, renamed.get(name, name))
        if in_path is None:
            _drop(one, ("路径里没有它", "the path does not have it"), spot, report)
            return None
        name = in_path
    for field, value in (("name", name), ("in", where)):
        if one.get(field) != value:
            report.find(notices.PARAMETER_MENDED, spot, name=str(one.get("name")), field=field, value=value)
    return {**one, "name": name, "in": where}


def _name_in(path: str, name: str) -> str | None:
    """The parameter's name as the template writes it, whatever the case."""
    if "{" + name + "}" in path:
        return name
    start = path.lower().find("{" + name.lower() + "}")
    return path[start + 1 : start + 1 + len(name)] if start >= 0 else None


def _mend(parameter: JsonObject, spot: str, report: Report) -> JsonObject:
    def set_(field: str, value: object) -> None:
        report.find(notices.PARAMETER_MENDED, spot, name=parameter["name"], field=field, value=str(value))
        parameter[field] = value

    where = parameter["in"]
    if where == "path" and parameter.get("required") is not True:
        set_("required", value=True)
    style = parameter.get("style")
    if style is not None and style not in _STYLES[where]:
        set_("style", "form" if where in {"query", "cookie"} else "simple")
    content = parameter.get("content")
    if content is not None and len(content) != 1:
        parameter.pop("content")
        set_("schema", parameter.get("schema", {}))
    if "content" in parameter and "schema" in parameter:
        parameter.pop("schema")
    if "content" not in parameter and "schema" not in parameter:
        set_("schema", {"type": "string"})
    for key in ("type", "items", "collectionFormat"):
        if key in parameter:
            value = parameter.pop(key)
            if key == "type" and isinstance(value, str) and not parameter.get("schema"):
                set_("schema", {"type": value})
    return parameter


def _missing(path: str, seen: set[tuple[str, str]], place: str, report: Report) -> list[JsonObject]:
    """A string for each name in the template that nobody declared."""
    names = [piece.split("}", 1)[0] for piece in path.split("{")[1:]]
    made = []
    for name in names:
        if ("path", name) not in seen:
            report.find(notices.PARAMETER_ADDED, join(place, "parameters"), name=name)
            made.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
    return made


def _drop(one: JsonObject, why: tuple[str, str], spot: str, report: Report) -> None:
    report.lose(
        notices.PARAMETER_DROPPED,
        spot,
        name=str(one.get("name", "?")),
        place=str(one.get("in", "?")),
        why_zh=why[0],
        why_en=why[1],
    )
