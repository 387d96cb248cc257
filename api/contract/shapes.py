"""The shape of OpenAPI documents: which field of which object holds what. One table drives every walk.

A spec is a scalar ("str", "bool", "int", "num", "any"), the name of a kind, `{kind}` (a map of it) or
`[kind]` (a list of it). "object" and "list" are containers that are not looked into.
Source: OpenAPI 2.0, 3.0.3 and 3.1.1; JSON Schema 2020-12.
"""

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

_SCHEMA_MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_SCHEMA_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_SCHEMA_SINGLES = (
    "items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties", "additionalItems", "contentSchema",
)  # fmt: skip

# Maps whose `x-` entries are extensions; everywhere else a name may begin so (a security scheme `x-api-key`)
EXTENSIBLE = frozenset({"pathItem", "response"})

# child fields of a schema, for walks over schemas only
SCHEMA_CHILDREN: dict[str, str] = {
    **dict.fromkeys(_SCHEMA_MAPS, "{schema}"),
    **dict.fromkeys(_SCHEMA_LISTS, "[schema]"),
    **dict.fromkeys(_SCHEMA_SINGLES, "schema"),
}

_PARAMETER = {
    "name": "str", "in": "str", "description": "str", "required": "bool", "deprecated": "bool",
    "allowEmptyValue": "bool", "style": "str", "explode": "bool", "allowReserved": "bool", "schema": "schema",
    "content": "{media}", "examples": "{example}", "example": "example-value", "items": "schema", "type": "any",
    "collectionFormat": "str",
}  # fmt: skip
_DESCRIBED = {"summary": "str", "description": "str"}

KINDS: dict[str, dict[str, str]] = {
    "document": {
        "openapi": "str", "swagger": "str", "info": "info", "jsonSchemaDialect": "str", "servers": "[server]",
        "paths": "{pathItem}", "webhooks": "{pathItem}", "components": "components", "security": "[requirement]",
        "tags": "[tag]", "externalDocs": "externalDocs", "definitions": "{schema}", "parameters": "{parameter}",
        "responses": "{response}", "securityDefinitions": "{securityScheme}", "consumes": "[str]",
        "produces": "[str]", "host": "str", "basePath": "str", "schemes": "[str]",
    },
    "info": {
        "title": "str", **_DESCRIBED, "termsOfService": "str", "contact": "object", "license": "object",
        "version": "str",
    },
    "server": {"url": "str", "description": "str", "variables": "{object}"},
    "tag": {"name": "str", **_DESCRIBED, "externalDocs": "externalDocs"},
    "externalDocs": {"description": "str", "url": "str"},
    "requirement": {},
    "components": {
        "schemas": "{schema}", "responses": "{response}", "parameters": "{parameter}", "examples": "{example}",
        "requestBodies": "{requestBody}", "headers": "{header}", "securitySchemes": "{securityScheme}",
        "links": "{link}", "callbacks": "{callback}", "pathItems": "{pathItem}",
    },
    "pathItem": {
        **_DESCRIBED, **dict.fromkeys(METHODS, "operation"), "servers": "[server]", "parameters": "[parameter]",
    },
    "operation": {
        **_DESCRIBED, "tags": "[str]", "externalDocs": "externalDocs", "operationId": "str",
        "parameters": "[parameter]", "requestBody": "requestBody", "responses": "{response}",
        "callbacks": "{callback}", "deprecated": "bool", "security": "[requirement]", "servers": "[server]",
        "consumes": "[str]", "produces": "[str]", "schemes": "[str]",
    },
    "callback": {"*": "pathItem"},
    "parameter": _PARAMETER,
    "header": _PARAMETER,
    "requestBody": {"description": "str", "content": "{media}", "required": "bool"},
    "media": {
        "schema": "schema", "example": "example-value", "examples": "{example}", "encoding": "{encoding}",
    },
    "encoding": {
        "contentType": "str", "headers": "{header}", "style": "str", "explode": "bool", "allowReserved": "bool",
    },
    "response": {
        **_DESCRIBED, "headers": "{header}", "content": "{media}", "links": "{link}", "schema": "schema",
        "examples": "object",
    },
    "example": {**_DESCRIBED, "value": "example-value", "externalValue": "str"},
    "link": {"operationRef": "str", "operationId": "str", "parameters": "object", "description": "str"},
    "securityScheme": {
        "type": "str", "description": "str", "name": "str", "in": "str", "scheme": "str", "bearerFormat": "str",
        "flows": "object", "flow": "str", "authorizationUrl": "str", "tokenUrl": "str", "scopes": "object",
        "openIdConnectUrl": "str",
    },
    "schema": {
        **SCHEMA_CHILDREN, "title": "str", "description": "str", "format": "str", "pattern": "str",
        "deprecated": "bool", "readOnly": "bool", "writeOnly": "bool", "uniqueItems": "bool",
        "discriminator": "any", "xml": "object", "externalDocs": "object",
    },
}  # fmt: skip

# What stands for something that could not be resolved; None = it is left out
PLACEHOLDERS: dict[str, object] = {
    "schema": {},
    "response": {"description": ""},
    "requestBody": {"content": {"application/json": {"schema": {}}}},
    "header": {"schema": {}},
    "media": {},
}
# Objects whose $ref is data or has no meaning; every other object may stand elsewhere: authors do split
# operations, info and components into files, though the specification allows it for a few kinds only
NOT_REFERABLE = frozenset({"document", "requirement", "object"})
