"""OpenAPI 2.0 (Swagger) -> the structure of 3.x: servers, bodies, content, security schemes. In place."""

from api.contract import notices
from api.contract.model import Json, JsonObject
from api.contract.pointers import join
from api.contract.report import Report
from api.contract.shapes import METHODS

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_SCHEMA_KEYS = (
    "type", "format", "items", "default", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength",
    "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "enum", "multipleOf", "x-nullable",
)  # fmt: skip
_STYLES: dict[str, tuple[str, bool]] = {
    "csv": ("form", False),
    "multi": ("form", True),
    "ssv": ("spaceDelimited", False),
    "pipes": ("pipeDelimited", False),
}
_FLOWS = {
    "implicit": "implicit",
    "password": "password",
    "application": "clientCredentials",
    "accessCode": "authorizationCode",
}


def upgrade_swagger(document: JsonObject, report: Report) -> None:
    """Turn the bundled 2.0 document into one of 3.x structure; schemas are upgraded afterwards."""
    document.pop("swagger", None)
    document["servers"] = _servers(document)
    consumes = document.pop("consumes", None) or [_JSON]
    produces = document.pop("produces", None) or [_JSON]
    for path, item in document.get("paths", {}).items():
        if path.startswith("x-"):
            continue
        shared = item.pop("parameters", [])
        for method in METHODS:
            if method in item:
                place = join("/paths", path, method)
                _upgrade_operation(item[method], shared, (consumes, produces), place, report)
    schemes = document.pop("securityDefinitions", None)
    if schemes:
        made = {
            name: _scheme(value, join("/securityDefinitions", name), report)
            for name, value in schemes.items()
        }
        document.setdefault("components", {})["securitySchemes"] = {
            name: one for name, one in made.items() if one
        }


def _servers(document: JsonObject) -> list[JsonObject]:
    host, base = document.pop("host", ""), document.pop("basePath", "")
    schemes = document.pop("schemes", None) or ["https"]
    if not host:
        return [{"url": base or "/"}]
    return [{"url": f"{scheme}://{host}{base if base != '/' else ''}"} for scheme in schemes]


def _upgrade_operation(
    operation: JsonObject,
    shared: list[JsonObject],
    media: tuple[list[str], list[str]],
    place: str,
    report: Report,
) -> None:
    consumes = operation.pop("consumes", None) or media[0]
    produces = operation.pop("produces", None) or media[1]
    operation.pop("schemes", None)
    own = operation.get("parameters", [])
    declared = {(one.get("name"), one.get("in")) for one in own}
    parameters = [*(dict(one) for one in shared if (one.get("name"), one.get("in")) not in declared), *own]
    bodies = [one for one in parameters if one.get("in") == "body"]
    forms = [one for one in parameters if one.get("in") == "formData"]
    operation["parameters"] = [
        _parameter(one, place, report) for one in parameters if one.get("in") not in {"body", "formData"}
    ]
    if len(bodies) > 1:
        report.lose(notices.PARAMETER_BODY_TWICE, place)
    if bodies:
        operation["requestBody"] = _body(bodies[0], consumes)
    elif forms:
        operation["requestBody"] = _form(forms, consumes)
    for status, response in operation.get("responses", {}).items():
        if not status.startswith("x-"):
            _upgrade_response(response, produces)


def _body(parameter: JsonObject, consumes: list[str]) -> JsonObject:
    schema = parameter.get("schema", {})
    media: JsonObject = {"schema": schema}
    if "x-example" in parameter:
        media["example"] = parameter["x-example"]
    made: JsonObject = {"content": {kind: dict(media) for kind in consumes}}
    for key in ("description", "required"):
        if key in parameter:
            made[key] = parameter[key]
    return made


def _form(parameters: list[JsonObject], consumes: list[str]) -> JsonObject:
    has_file = any(one.get("type") == "file" for one in parameters)
    kinds = [kind for kind in consumes if kind in {_FORM, _MULTIPART}]
    if has_file:
        kinds = [_MULTIPART]
    properties = {}
    for one in parameters:
        schema = _schema_of(one)
        if one.get("description"):
            schema["description"] = one["description"]
        properties[str(one.get("name", ""))] = schema
    schema = {"type": "object", "properties": properties}
    required = [str(one["name"]) for one in parameters if one.get("required") is True and "name" in one]
    if required:
        schema["required"] = required
    return {"content": {kind: {"schema": schema} for kind in kinds or [_FORM]}, "required": bool(required)}


def _schema_of(holder: JsonObject) -> JsonObject:
    schema = {key: holder.pop(key) for key in _SCHEMA_KEYS if key in holder}
    if schema.get("type") == "file":
        schema.update(type="string", format="binary")
    return schema


def _parameter(parameter: JsonObject, place: str, report: Report) -> JsonObject:
    if "schema" in parameter:
        return parameter
    made = dict(parameter)
    written = made.pop("collectionFormat", None)
    schema = _schema_of(made)
    if schema.get("type") == "array":
        _set_style(made, str(written or "csv"), place, report)
    if isinstance(schema.get("items"), dict):
        schema["items"].pop("collectionFormat", None)
    if "x-example" in made:
        made["example"] = made.pop("x-example")
    return {**made, "schema": schema}


def _set_style(parameter: JsonObject, written: str, place: str, report: Report) -> None:
    if written not in _STYLES:
        report.lose(notices.COLLECTION_FORMAT, place, value=written, instead="form")
        written = "csv"
    style, explode = _STYLES[written]
    if parameter.get("in") in {"path", "header"}:
        style = "simple"
    parameter.update(style=style, explode=explode)


def _upgrade_response(response: JsonObject, produces: list[str]) -> None:
    schema = response.pop("schema", None)
    examples = response.pop("examples", None) or {}
    if schema is not None or examples:
        response["content"] = _content(schema, examples, produces)
    for name, header in response.get("headers", {}).items():
        if isinstance(header, dict) and "schema" not in header:
            made = dict(header)
            made.pop("collectionFormat", None)
            kept = _schema_of(made)
            response["headers"][name] = {**made, "schema": kept}


def _content(schema: Json, examples: JsonObject, produces: list[str]) -> JsonObject:
    is_file = isinstance(schema, dict) and schema.get("type") == "file"
    kinds = list(produces)
    if is_file and all("json" in kind for kind in kinds):
        kinds = ["application/octet-stream"]
    content: JsonObject = {}
    for kind in kinds:
        media: JsonObject = {"schema": schema} if schema is not None else {}
        if kind in examples:
            media["example"] = examples[kind]
        content[kind] = media
    for kind, example in examples.items():
        if "/" in kind and kind not in content:
            content[kind] = {**({"schema": schema} if schema is not None else {}), "example": example}
    return content


def _scheme(value: JsonObject, place: str, report: Report) -> JsonObject | None:
    kind = value.get("type")
    made = {key: item for key, item in value.items() if key == "description" or key.startswith("x-")}
    if kind == "basic":
        return {"type": "http", "scheme": "basic", **made}
    if kind == "apiKey":
        return {"type": "apiKey", "name": value.get("name", ""), "in": value.get("in", "header"), **made}
    if kind == "oauth2":
        flow: JsonObject = {key: value[key] for key in ("authorizationUrl", "tokenUrl") if key in value}
        flow["scopes"] = value.get("scopes", {})
        return {
            "type": "oauth2",
            "flows": {_FLOWS.get(str(value.get("flow")), "clientCredentials"): flow},
            **made,
        }
    report.lose(notices.SECURITY_SCHEME, place, value=str(kind))
    return None
