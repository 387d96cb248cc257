"""The JSON Schema of a tool's arguments, from the contract: `$ref` and `$defs` are kept, never followed through.

A recursive schema therefore stays as small as it was written.
"""

from typing import Any

from api.contract.model import Json, JsonObject, Media, Operation, Service
from api.gateway.compiled import is_json
from api.gateway.serialise import NEVER_SENT
from api.mcp.names import BODY, CONFIRM, PURPOSE, SCENARIO, argument_names
from api.mcp.wording import ARGUMENTS

COMPONENTS = "#/components/schemas/"


def input_schema(service: Service, operation: Operation, language: str, *, is_sandbox: bool) -> JsonObject:
    """What the tool takes: parameters by name, the body as `body`, and the platform's own switches."""
    properties: JsonObject = {}
    required = []
    for name, parameter in argument_names(operation).items():
        if parameter.location == "header" and parameter.name.lower() in NEVER_SENT:
            continue
        schema = dict(parameter.schema)
        if parameter.description:
            schema.setdefault("description", parameter.description)
        if parameter.has_example and "examples" not in schema:
            schema["examples"] = [parameter.example]
        properties[name] = schema
        if parameter.required:
            required.append(name)
    media = body_media(operation)
    if operation.body is not None and media is not None:
        properties[BODY] = _body_schema(media)
        if operation.body.required:
            required.append(BODY)
    properties |= _switches(operation, language, is_sandbox=is_sandbox)
    made: JsonObject = {"type": "object", "properties": properties, "additionalProperties": False}
    if required:
        made["required"] = required
    return closed(made, service.schemas)


def body_media(operation: Operation) -> Media | None:
    """The media type in which the tool sends the body: JSON where there is one."""
    if operation.body is None or not operation.body.media:
        return None
    media = operation.body.media
    return next((one for one in media if is_json(_plain(one.content_type))), media[0])


def answer_schema(service: Service, operation: Operation) -> JsonObject | None:
    """The schema of the answer of success, with its `$defs`; None where the contract describes no JSON."""
    for response in sorted(operation.responses, key=lambda one: one.status):
        if response.status[:1] != "2":
            continue
        for media in response.media:
            if is_json(_plain(media.content_type)) and isinstance(media.schema, dict):
                return closed(media.schema, service.schemas)
    return None


def closed(schema: JsonObject, components: dict[str, JsonObject]) -> JsonObject:
    """The schema with every component that it reaches under `$defs`."""
    wanted: list[str] = []
    made = _moved(schema, wanted)
    definitions: JsonObject = {}
    while wanted:
        name = wanted.pop()
        if name not in definitions and name in components:
            definitions[name] = True  # taken, so that a recursive one ends
            definitions[name] = _moved(components[name], wanted)
    if definitions:
        made = {**made, "$defs": dict(sorted(definitions.items()))}
    return dict(made)


def _moved(value: Json, wanted: list[str]) -> Any:
    if isinstance(value, list):
        return [_moved(one, wanted) for one in value]
    if not isinstance(value, dict):
        return value
    made = {key: _moved(one, wanted) for key, one in value.items() if key == "$ref" or not _is_ours(key)}
    reference = value.get("$ref")
    if isinstance(reference, str) and reference.startswith(COMPONENTS):
        rest = reference.removeprefix(COMPONENTS)
        wanted.append(rest.partition("/")[0].replace("~1", "/").replace("~0", "~"))
        made["$ref"] = "#/$defs/" + rest
    return made


def _is_ours(key: str) -> bool:
    """Extensions say nothing to an agent, and it pays for every word."""
    return key.startswith("x-")


def _body_schema(media: Media) -> JsonObject:
    if isinstance(media.schema, dict) and media.schema:
        return dict(media.schema)
    if is_json(_plain(media.content_type)):
        return {}
    return {"type": "string", "description": media.content_type}


def _switches(operation: Operation, language: str, *, is_sandbox: bool) -> JsonObject:
    made: JsonObject = {}
    if not operation.is_safe:
        made[CONFIRM] = {"type": "boolean", "description": ARGUMENTS[CONFIRM].in_language(language)}
    if operation.purposes:
        made[PURPOSE] = {
            "type": "string", "enum": list(operation.purposes), "description": ARGUMENTS[PURPOSE].in_language(language),
        }  # fmt: skip
    if is_sandbox and operation.scenarios:
        made[SCENARIO] = {
            "type": "string", "enum": [one.id for one in operation.scenarios],
            "description": ARGUMENTS[SCENARIO].in_language(language),
        }  # fmt: skip
    return made


def _plain(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()
