"""A package's own OpenAPI document: what openapi-python-client reads. Made from the model, so that it holds only the
chosen operations, the types that these reach, and no field above the level.

Every trap of that generator is out of the way by construction: no boolean schemas, no empty or mixed enumerations, no
wrappers, one tag and one unique id for each operation, names of ASCII letters that are unique and never merge, no text
of a department. What its vocabulary cannot say (wire names, open enumerations, maps, discriminators, styles) the
templates take from the model.
"""

import re
from collections.abc import Iterable

from msgspec import Struct

from api.contract.model import JsonObject
from sdk.model import (
    Answer,
    BodyPart,
    EnumType,
    Kind,
    NamedType,
    ObjectType,
    Resource,
    SdkModel,
    SdkOperation,
    SdkService,
    TypeRef,
    Words,
)

_WORD = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_PLAIN: dict[Kind, JsonObject] = {
    Kind.STRING: {"type": "string"}, Kind.INTEGER: {"type": "integer", "format": "int32"},
    Kind.LONG: {"type": "integer", "format": "int64"}, Kind.NUMBER: {"type": "number"},
    Kind.DECIMAL: {"type": "string", "format": "decimal"}, Kind.BOOLEAN: {"type": "boolean"},
    Kind.DATE: {"type": "string", "format": "date"}, Kind.DATE_TIME: {"type": "string", "format": "date-time"},
    Kind.BYTES: {"type": "string", "format": "byte"}, Kind.BINARY: {"type": "string", "format": "binary"},
}  # fmt: skip
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


class Pruned(Struct, frozen=True):
    """The document, and what its names mean in the model."""

    document: JsonObject
    types: dict[str, NamedType]  # by component
    resources: dict[str, tuple[SdkService, Resource]]  # by tag
    operations: dict[str, SdkOperation]  # by operationId


def pruned(model: SdkModel, *, title: str, version: str) -> Pruned:
    """The document of a package."""
    return _Pruner(model).made(title, version)


class _Pruner:
    def __init__(self, model: SdkModel) -> None:
        self._model = model
        keys = _Keys("Type")
        self._keys = {one.name: keys.take(_pascal(one.name)) for one in model.types}
        self._kinds = {one.name: one for one in model.types}

    def made(self, title: str, version: str) -> Pruned:
        paths: JsonObject = {}
        tags, ids = _Keys("resource"), _Keys("operation")
        resources: dict[str, tuple[SdkService, Resource]] = {}
        operations: dict[str, SdkOperation] = {}
        for service in self._model.services:
            for resource in service.resources:
                tag = tags.take("_".join((*service.name, *resource.name)))
                resources[tag] = (service, resource)
                for operation in resource.operations:
                    own = ids.take("_".join((*service.name, *resource.name, *operation.name)))
                    operations[own] = operation
                    self._place(paths, service, operation, self._operation(operation, own, tag))
        schemas = {
            self._keys[one.name]: self._named(one)
            for one in self._model.types
            if isinstance(one, ObjectType | EnumType)
        }
        document: JsonObject = {
            "openapi": "3.1.0", "info": {"title": title, "version": version},
            "paths": paths, "components": {"schemas": schemas},
        }  # fmt: skip
        types = {self._keys[one.name]: one for one in self._model.types}
        return Pruned(document, types, resources, operations)

    # -- operations ---------------------------------------------------------------------------------
    def _place(
        self, paths: JsonObject, service: SdkService, operation: SdkOperation, written: JsonObject
    ) -> None:
        """Under its path; parameters there have the names that the document gives them."""
        path = service.base_path + operation.path
        for param, made in zip(operation.params, written["parameters"], strict=True):
            if param.location == "path":
                path = path.replace("{" + param.wire + "}", f"<{made['name']}>")
        path = path.replace("{", "%7B").replace("}", "%7D").replace("<", "{").replace(">", "}")
        method = operation.http_method.lower()
        number, key = 1, path
        while method in paths.get(key, {}):  # two templates that differ in a parameter's name alone
            number += 1
            key = f"{path}#{number}"
        paths.setdefault(key, {})[method if method in _METHODS else "trace"] = written

    def _operation(self, operation: SdkOperation, own: str, tag: str) -> JsonObject:
        names = _Keys("parameter")
        made: JsonObject = {
            "operationId": own, "tags": [tag],
            "parameters": [
                {
                    "name": names.take("_".join(one.name)), "in": one.location, "required": one.is_required,
                    "schema": self._schema(one.type),
                }
                for one in operation.params
            ],
            "responses": {_status(operation.answer): self._answer(operation.answer)},
        }  # fmt: skip
        if operation.body is not None:
            made["requestBody"] = self._body(operation.body)
        return made

    def _body(self, body: BodyPart) -> JsonObject:
        media = body.media_type.partition(";")[0].strip().lower()
        is_object = body.type.kind == Kind.NAMED and isinstance(self._kinds[body.type.name], ObjectType)
        if body.type.kind in {Kind.BINARY, Kind.STRING} and not media.endswith("json"):
            kind = "application/octet-stream"
        elif media in {"multipart/form-data", "application/x-www-form-urlencoded"} and is_object:
            kind = media
        else:
            kind = "application/json"
        return {"required": body.is_required, "content": {kind: {"schema": self._schema(body.type)}}}

    def _answer(self, answer: Answer) -> JsonObject:
        if answer.type is None:
            return {"description": ""}
        kind = (
            "application/json"
            if answer.is_json
            else "text/plain"
            if answer.type.kind == Kind.STRING
            else "application/octet-stream"
        )
        return {"description": "", "content": {kind: {"schema": self._schema(answer.type)}}}

    # -- types --------------------------------------------------------------------------------------
    def _named(self, one: ObjectType | EnumType) -> JsonObject:
        if isinstance(one, EnumType):
            if one.base == Kind.LONG:
                return {"type": "integer", "enum": [value.wire for value in one.values]}
            values = _Keys("value")
            return {"type": "string", "enum": [values.take("_".join(value.name)) for value in one.values]}
        names = _Keys("field")
        properties: JsonObject = {}
        required = []
        for field in one.fields:
            name = names.take("_".join(field.name))
            properties[name] = self._schema(field.type)
            if field.is_required:
                required.append(name)
        made: JsonObject = {
            "type": "object", "properties": properties, "additionalProperties": one.others is not None,
        }  # fmt: skip
        return made | ({"required": required} if required else {})

    def _schema(self, ref: TypeRef) -> JsonObject:
        if ref.kind == Kind.ARRAY:
            return {"type": "array", "items": self._schema(ref.of) if ref.of is not None else {}}
        if ref.kind == Kind.NAMED:
            reached = self._objects(ref.name, ())
            found: list[JsonObject] = [{"$ref": f"#/components/schemas/{one}"} for one in reached]
            return found[0] if len(found) == 1 else {"oneOf": found} if found else {}
        return dict(_PLAIN.get(ref.kind, {}))  # a map would become a class of its own

    def _objects(self, name: Words, seen: tuple[Words, ...]) -> list[str]:
        """The components that a name means: of a union those of its variants."""
        one = self._kinds[name]
        if isinstance(one, ObjectType | EnumType):
            return [self._keys[name]]
        if name in seen:
            return []
        found = [key for variant in one.variants for key in self._objects(variant.type.name, (*seen, name))]
        return list(dict.fromkeys(found))


class _Keys:
    """ASCII names that stay apart whatever their case and joints; what has other letters gets a number."""

    def __init__(self, otherwise: str) -> None:
        self._otherwise = otherwise
        self._taken: set[str] = set()

    def take(self, name: str) -> str:
        made, number = name, 1
        is_good = bool(_WORD.fullmatch(name)) or (name.isascii() and name.isalnum() and name[0].isupper())
        while not is_good or made.replace("_", "").lower() in self._taken:
            made, number, is_good = f"{self._otherwise}{len(self._taken) + number}", number + 1, True
        self._taken.add(made.replace("_", "").lower())
        return made


def _pascal(name: Iterable[str]) -> str:
    return "".join(word[:1].upper() + word[1:] for word in name)


def _status(answer: Answer) -> str:
    return answer.status if answer.status.isdigit() and len(answer.status) == 3 else "200"
