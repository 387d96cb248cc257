"""Lint rules about schemas: examples that hold, descriptions, bounds, code lists, contradictions."""

from collections.abc import Iterator

from api.contract import profile
from api.contract.model import Json, Parameter
from api.contract.normalise_bodies import is_json
from api.contract.pointers import join
from api.contract.rule import ERROR, INFO, WARNING, Hit, Subject, rule

_BOUNDS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)


@rule(
    "example-missing",
    WARNING,
    ("{operation} 的{what}没有示例。", "The {what} of {operation} has no example."),
    hint=("写 example,用看得出是虚构的数据。", "Write an example, of data that are visibly made up."),
    reason=(
        "示例是文档、沙箱与 SDK 示例代码的来源。",
        "Docs, sandbox and SDK samples are made from examples.",
    ),
    source="design §3, OpenAPI 3.1.1 §4.8.19",
    own_only=True,
)
def _example_missing(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        if operation.body and not any(media.has_example for media in operation.body.media):
            yield Hit(
                join(operation.pointer, "requestBody"),
                {"operation": operation.id, "what": "请求体 request body"},
            )
        for response in operation.responses:
            kinds = [media for media in response.media if is_json(media.content_type)]
            if response.status[0] == "2" and kinds and not any(media.has_example for media in kinds):
                yield Hit(
                    join(operation.pointer, "responses", response.status),
                    {"operation": operation.id, "what": f"响应 response {response.status}"},
                )


@rule(
    "example-invalid",
    WARNING,
    (
        "{operation} 的{what}示例不符合 schema:{error}。",
        "The example of {operation}'s {what} does not fit its schema: {error}.",
    ),
    hint=("改示例,或改 schema。", "Mend the example or the schema."),
    reason=("照抄示例的人会收到 400。", "Whoever copies the example gets a 400."),
    source="OpenAPI 3.1.1 §4.8.19",
)
def _example_invalid(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for index, parameter in enumerate(operation.parameters):
            if parameter.has_example:
                error = subject.judge.error_of(_as_typed(parameter), parameter.schema)
                if error:
                    yield Hit(
                        join(operation.pointer, "parameters", index),
                        {"operation": operation.id, "what": parameter.name, "error": error},
                    )
        holders = [("requestBody", operation.body.media)] if operation.body else []
        holders += [(f"responses/{response.status}", response.media) for response in operation.responses]
        for what, media in holders:
            for one in media:
                if one.has_example and one.schema is not None and is_json(one.content_type):
                    error = subject.judge.error_of(one.example, one.schema)
                    if error:
                        yield Hit(
                            f"{operation.pointer}/{what}" + join("/content", one.content_type),
                            {"operation": operation.id, "what": what, "error": error},
                        )


def _as_typed(parameter: Parameter) -> Json:
    """A parameter's example as its schema types it: examples are often written as the text of the address."""
    value, kind = parameter.example, parameter.schema.get("type")
    if isinstance(value, str) and kind in {"integer", "number"}:
        try:
            return int(value) if kind == "integer" else float(value)
        except ValueError:
            return value
    if isinstance(value, str) and kind == "boolean":
        return {"true": True, "false": False}.get(value.lower(), value)
    if isinstance(value, str) and kind == "array":
        return value.split(",")
    return (
        str(value)
        if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool)
        else value
    )


@rule(
    "property-description",
    INFO,
    ("属性 {name} 没有说明。", "The property {name} has no description."),
    hint=("写 description,注明单位与取值。", "Write a description with unit and values."),
    reason=("说明会进文档、SDK 与 GraphQL。", "Descriptions go into docs, SDKs and GraphQL."),
    source="OpenAPI 3.1.1 §4.8.24",
    own_only=True,
)
def _property_description(subject: Subject) -> Iterator[Hit]:
    for name, schema, pointer in subject.properties:
        if not schema.get("description") and "$ref" not in schema and "x-i18n" not in schema:
            yield Hit(pointer, {"name": name})


@rule(
    "parameter-description",
    INFO,
    ("{operation} 的参数 {name} 没有说明。", "The parameter {name} of {operation} has no description."),
    hint=("写 description。", "Write a description."),
    reason=("说明会进文档与 SDK。", "Descriptions go into docs and SDKs."),
    source="OpenAPI 3.1.1 §4.8.12",
)
def _parameter_description(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for index, parameter in enumerate(operation.parameters):
            if not parameter.description and not parameter.schema.get("description"):
                yield Hit(
                    join(operation.pointer, "parameters", index),
                    {"operation": operation.id, "name": parameter.name},
                )


@rule(
    "string-unbounded",
    INFO,
    (
        "{operation} 的参数 {name} 没有长度上限。",
        "The parameter {name} of {operation} has no bound on its length.",
    ),
    hint=("写 maxLength、enum、format 或 pattern。", "State maxLength, enum, format or pattern."),
    reason=("超长输入应在到达数据库之前被拒绝。", "Over-long input is to be refused before the database."),
    source="OWASP API4:2023, design §6",
    own_only=True,
)
def _string_unbounded(subject: Subject) -> Iterator[Hit]:
    bounds = {"maxLength", "enum", "const", "format", "pattern"}
    for operation in subject.operations:
        for index, parameter in enumerate(operation.parameters):
            schema = subject.resolved(parameter.schema)
            if schema.get("type") == "string" and not bounds & schema.keys():
                yield Hit(
                    join(operation.pointer, "parameters", index),
                    {"operation": operation.id, "name": parameter.name},
                )


@rule(
    "bounds-contradict",
    ERROR,
    ("{low} 大于 {high},没有值能符合。", "{low} is greater than {high}: no value fits."),
    hint=("改正上下限。", "Mend the bounds."),
    reason=("所有请求都会被拒绝。", "Every request would be refused."),
    source="JSON Schema 2020-12 Validation §6",
)
def _bounds(subject: Subject) -> Iterator[Hit]:
    for schema, pointer in subject.schemas:
        for low, high in _BOUNDS:
            least, most = schema.get(low), schema.get(high)
            if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
                yield Hit(pointer, {"low": low, "high": high})


@rule(
    "required-unknown",
    INFO,
    ("required 列出的 {name} 不在 properties 里。", "{name} is required but not among the properties."),
    hint=("补上该属性,或检查拼写。", "Add the property or check the spelling."),
    reason=("多半是拼写错误。", "Mostly it is a spelling mistake."),
    source="JSON Schema 2020-12 Validation §6.5.3",
)
def _required(subject: Subject) -> Iterator[Hit]:
    for schema, pointer in subject.schemas:
        properties = schema.get("properties") or {}
        is_closed = properties and not schema.keys() & {
            "allOf",
            "anyOf",
            "oneOf",
            "$ref",
            "patternProperties",
        }
        for name in schema.get("required", ()) if is_closed else ():
            if name not in properties:
                yield Hit(join(pointer, "required"), {"name": name})


@rule(
    "pattern-delimiters",
    WARNING,
    (
        "正则 {pattern} 带着两端的斜杠,会按字面匹配。",
        "The pattern {pattern} has its delimiting slashes, which match literally.",
    ),
    hint=("去掉两端的 /。", "Remove the slashes at both ends."),
    reason=("JSON Schema 的 pattern 不写分隔符。", "Patterns in JSON Schema have no delimiters."),
    source="JSON Schema 2020-12 Validation §6.3.3",
)
def _delimiters(subject: Subject) -> Iterator[Hit]:
    for schema, pointer in subject.schemas:
        pattern = schema.get("pattern")
        if (
            isinstance(pattern, str)
            and len(pattern) > 3
            and pattern.startswith("/^")
            and pattern.endswith(("$/", "$/i", "$/u"))
        ):
            yield Hit(join(pointer, "pattern"), {"pattern": pattern})


@rule(
    "code-list-undated",
    WARNING,
    ("代码表 {standard} 没有写版本。", "The edition of the code list {standard} is not stated."),
    hint=("在 x-code-list 里写 edition。", "State edition in x-code-list."),
    reason=(
        "代码表会修订,同一个码可能换了意思。",
        "Code lists are revised, and a code may change its meaning.",
    ),
    source="design §3",
    own_only=True,
)
def _code_list(subject: Subject) -> Iterator[Hit]:
    for schema, pointer in subject.schemas:
        code_list = schema.get("x-code-list")
        if isinstance(code_list, dict) and not code_list.get("edition"):
            yield Hit(join(pointer, "x-code-list"), {"standard": str(code_list.get("standard"))})


@rule(
    "reference-parameter",
    ERROR,
    ("{name} 的 x-ref 指向 {operation},但{why}。", "x-ref of {name} leads to {operation}, but {why}."),
    hint=("改正 operation 或 parameter。", "Mend operation or parameter."),
    reason=(
        "GraphQL 的嵌套字段与文档链接由它而来。",
        "GraphQL's nested fields and docs links are made from it.",
    ),
    source="design §3",
)
def _reference(subject: Subject) -> Iterator[Hit]:
    for name, schema, pointer in subject.properties:
        relation = profile.reference_of(schema.get("x-ref"))
        own = f"{subject.service.key}/"
        if relation is None or ("@" in relation.operation and not relation.operation.startswith(own)):
            continue  # another service is looked up when it is published
        target = subject.service.operation(relation.operation.removeprefix(own))
        if target is None:
            why = "没有这个操作 / there is no such operation"
        elif relation.parameter not in {one.name for one in target.parameters}:
            why = f"它没有参数 / it has no parameter {relation.parameter}"
        else:
            continue
        yield Hit(join(pointer, "x-ref"), {"name": name, "operation": relation.operation, "why": why})
