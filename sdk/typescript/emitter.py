"""TypeScript packages from the model: index.js and index.d.ts written side by side, so that nobody has to compile.

Members are camelCase and come and go through tables of wire names (core.js, `decoder`), which keep what the contract
does not name. Dates and decimals stay text, bytes are Uint8Array. Source: the TypeScript handbook, "Declaration files".
"""

from functools import cache
from importlib import resources

from sdk.escaping import in_words
from sdk.model import (
    EnumType,
    Kind,
    NamedType,
    ObjectType,
    Resource,
    SdkModel,
    SdkOperation,
    SdkService,
    TypeRef,
    UnionType,
    Words,
)
from sdk.typescript import webhooks
from sdk.typescript.members import (
    about,
    class_of,
    is_multipart,
    method_name,
    object_key,
    optional_params,
    page_names,
    positional,
    resource_member,
    scenarios_of,
    service_member,
    value_of,
)
from sdk.typescript.naming import doc, member, text, type_name, variable

_PLAIN = {
    Kind.STRING: "string", Kind.DATE: "string", Kind.DATE_TIME: "string", Kind.DECIMAL: "string", Kind.INTEGER: "number",
    Kind.LONG: "number", Kind.NUMBER: "number", Kind.BOOLEAN: "boolean", Kind.BYTES: "Uint8Array",
    Kind.BINARY: "Uint8Array", Kind.ANY: "JsonValue",
}  # fmt: skip
_INPUT_BODY = "Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array> | string"


@cache
def runtime(name: str) -> str:
    """A hand-written file of the package."""
    return resources.files("sdk.typescript").joinpath("runtime", name).read_text(encoding="utf-8")


def emit(model: SdkModel, *, name: str, version: str) -> dict[str, str]:
    """The files of the package but for package.json and README: path -> text."""
    writer = _Writer(model, name, version)
    return {
        "index.js": writer.script(),
        "index.d.ts": writer.declarations(),
        "core.js": runtime("core.js").replace('SDK_VERSION = "1.0.0"', f"SDK_VERSION = {text(version)}"),
        "core.d.ts": runtime("core.d.ts"),
    }


class _Writer:
    def __init__(self, model: SdkModel, name: str, version: str) -> None:
        self._model = model
        self._name = name
        self._version = version
        self._kinds: dict[Words, NamedType] = {one.name: one for one in model.types}

    # -- types --------------------------------------------------------------------------------------
    def _type(self, ref: TypeRef) -> str:
        if ref.kind == Kind.ARRAY:
            made = f"Array<{self._type(ref.of) if ref.of else 'JsonValue'}>"
        elif ref.kind == Kind.MAP:
            made = f"Record<string, {self._type(ref.of) if ref.of else 'JsonValue'}>"
        elif ref.kind == Kind.NAMED:
            made = type_name(ref.name)
        else:
            made = _PLAIN[ref.kind]
        return f"{made} | null" if ref.is_nullable and ref.kind != Kind.ANY else made

    def _codec(self, ref: TypeRef | None) -> str:
        """How a value is changed on its way, as core.js reads it."""
        if ref is None:
            return '""'
        if ref.kind in {Kind.ARRAY, Kind.MAP}:
            inner = self._codec(ref.of)
            return '""' if inner == '""' else f'["{"a" if ref.kind == Kind.ARRAY else "m"}", {inner}]'
        if ref.kind == Kind.BYTES:
            return '"b"'
        if ref.kind == Kind.NAMED and not isinstance(self._kinds[ref.name], EnumType):
            return text(type_name(ref.name))
        return '""'

    # -- index.d.ts -----------------------------------------------------------------------------------
    def declarations(self) -> str:
        parts = [
            "// Generated from the contracts. Changes are lost with the next build.\n",
            'import type { CallOptions, ClientOptions, JsonValue, Pages, Raw, Sandbox, UnknownVariant, WebhookEvent, WebhookHeaders } from "./core.js";\n',
            'export * from "./core.js";\n\n',
        ]
        parts += [self._declared(one) for one in self._model.types]
        parts += [
            self._resource_declared(service, one)
            for service in self._model.services
            for one in service.resources
        ]
        parts += [self._service_declared(one) for one in self._model.services]
        parts.append(self._events_declared())
        parts.append(self._client_declared())
        return "".join(parts)

    def _declared(self, one: NamedType) -> str:
        head = doc([in_words(one.text)])
        name = type_name(one.name)
        if isinstance(one, EnumType):
            base = "string" if one.base == Kind.STRING else "number"
            values = " | ".join(text(value.wire) for value in one.values)
            return f"{head}export type {name} = {values} | ({base} & {{}});\n\n"
        if isinstance(one, UnionType):
            variants = " | ".join(self._type(variant.type) for variant in one.variants)
            return f"{head}export type {name} = {variants} | UnknownVariant;\n\n"
        lines = [f"{head}export interface {name} {{\n"]
        for field in one.fields:
            about = [in_words(field.text)]
            if field.is_deprecated:
                about.append("@deprecated")
            optional = "" if field.is_required and not field.is_write_only else "?"
            suffix = "" if not optional else " | undefined"
            read_only = "readonly " if field.is_read_only else ""
            lines.append(doc(about, "  "))
            lines.append(
                f"  {read_only}{object_key(member(field.name))}{optional}: {self._type(field.type)}{suffix};\n"
            )
        lines.append(
            "  /** What the contract does not name yet is kept under its own name. */\n  [unknown: string]: unknown;\n}\n\n"
        )
        return "".join(lines)

    def _resource_declared(self, service: SdkService, resource: Resource) -> str:
        lines = [f"export interface {class_of(service, resource)} {{\n"]
        for operation in resource.operations:
            lines.append(doc(about(operation), "  "))
            lines.append(
                f"  {method_name(operation)}({self._signature(operation)}): {self._returned(operation)};\n"
            )
        return "".join([*lines, "}\n\n"])

    def _signature(self, operation: SdkOperation) -> str:
        parts = [f"{variable(one.name)}: {self._type(one.type)}" for one in positional(operation)]
        if operation.body is not None:
            optional = "" if operation.body.is_required else "?"
            kind = _INPUT_BODY if operation.body.type.kind == Kind.BINARY else self._type(operation.body.type)
            if is_multipart(operation):
                kind = "Record<string, unknown>"
            parts.append(f"body{optional}: {kind}")
        left = optional_params(operation)
        if left:
            members = "".join(
                f" {object_key(member(one.name))}?: {self._type(one.type)} | undefined;" for one in left
            )
            parts.append(f"params?: {{{members} }}")
        parts.append("options?: CallOptions")
        made = []
        seen_optional = False
        for part in parts:  # a required parameter after an optional one is not allowed
            seen_optional = seen_optional or "?:" in part.split(":")[0] + ":"
            made.append(part)
        return ", ".join(made)

    def _returned(self, operation: SdkOperation) -> str:
        if operation.pages is not None:
            return f"Pages<{self._type(operation.pages.item)}>"
        return f"Promise<{self._value(operation)}> & {{ raw(): Promise<Raw<{self._value(operation)}>> }}"

    def _value(self, operation: SdkOperation) -> str:
        answer = operation.answer.type
        if answer is None:
            return "void"
        return "Response" if answer.kind == Kind.BINARY else self._type(answer)

    def _service_declared(self, service: SdkService) -> str:
        own = next((one for one in service.resources if not one.name), None)
        extends = f" extends {class_of(service, own)}" if own is not None else ""
        lines = [doc([in_words(service.title), in_words(service.about)])]
        lines.append(f"export interface {type_name((*service.name, 'service'))}{extends} {{\n")
        lines += [
            f"  readonly {object_key(resource_member(service, one))}: {class_of(service, one)};\n"
            for one in service.resources
            if one.name
        ]
        return "".join([*lines, "}\n\n"])

    def _events_declared(self) -> str:
        lines = ["/** The data of webhook events, by type. */\nexport interface Events {\n"]
        for service in self._model.services:
            lines += [
                f"{doc([in_words(one.text)], '  ')}  {text(one.type)}: {self._type(one.data)};\n"
                for one in service.events
            ]
        return "".join([*lines, "}\n\n", webhooks.DECLARED])

    def _client_declared(self) -> str:
        lines = [
            "/** The client. Give clientId and clientSecret (or privateKey), or set KAIMEN_CLIENT_ID and KAIMEN_CLIENT_SECRET. */\n",
            "export declare class Kaimen {\n  constructor(options?: ClientOptions);\n",
        ]
        lines += [
            f"  readonly {object_key(service_member(one))}: {type_name((*one.name, 'service'))};\n"
            for one in self._model.services
        ]
        lines.append("  readonly sandbox: Sandbox;\n}\n\n")
        lines.append(
            "/** The scenarios that the sandbox plays, by service and operation. */\nexport declare const Scenarios: {\n"
        )
        for service in self._model.services:
            lines.append(f"  readonly {object_key(service_member(service))}: {{\n")
            for operation, values in scenarios_of(service):
                members = "".join(f" readonly {object_key(name)}: {text(value)};" for name, value in values)
                lines.append(f"    readonly {object_key(operation)}: {{{members} }};\n")
            lines.append("  };\n")
        lines.append("};\nexport default Kaimen;\n")
        return "".join(lines)

    # -- index.js -------------------------------------------------------------------------------------
    def script(self) -> str:
        scopes = sorted(
            {
                scope
                for service in self._model.services
                for resource in service.resources
                for operation in resource.operations
                for scope in operation.scopes
            }
        )
        parts = [
            "// Generated from the contracts. Changes are lost with the next build.\n",
            'import { DecodingError, Pages, Sandbox, Transport, address, decoder, encoder_, form, multipart, tables, verifyWebhook as verified } from "./core.js";\n',
            'export * from "./core.js";\n\n',
            f"const FACTS = {{ name: {text(self._name)}, version: {text(self._version)}, scopes: {text(scopes)} }};\n",
            self._tables(),
            "const decode = decoder(T);\nconst encode = encoder_(T);\n\n",
            _SHARED,
            webhooks.script(self._model, self._codec),
        ]
        for service in self._model.services:
            parts += [self._resource_class(service, one) for one in service.resources]
        parts.append(self._client_class())
        parts.append(self._scenario_table())
        return "".join(parts)

    def _tables(self) -> str:
        lines = ["const T = tables({\n"]
        for one in self._model.types:
            name = text(type_name(one.name))
            if isinstance(one, ObjectType):
                fields = ", ".join(
                    f"[{text(member(field.name))}, {text(field.wire)}, {self._codec(field.type)}, {int(field.is_required)}]"
                    for field in one.fields
                )
                others = "" if one.others is None else f", others: {self._codec(one.others)}"
                lines.append(f"  [{name}]: {{ fields: [{fields}]{others} }},\n")
            elif isinstance(one, UnionType):
                variants = ", ".join(
                    f"[{text(type_name(variant.type.name))}, {text(list(variant.tags))}]"
                    for variant in one.variants
                )
                lines.append(
                    f"  [{name}]: {{ union: true, property: {text(one.property)}, member: {text(self._tag_member(one))}, variants: [{variants}] }},\n"
                )
        return "".join([*lines, "});\n"])

    def _tag_member(self, union: UnionType) -> str:
        """The member name that the discriminator has in the variants."""
        for variant in union.variants:
            one = self._kinds.get(variant.type.name)
            if isinstance(one, ObjectType):
                for field in one.fields:
                    if field.wire == union.property:
                        return member(field.name)
        return union.property

    def _resource_class(self, service: SdkService, resource: Resource) -> str:
        lines = [
            f"class {class_of(service, resource)} {{\n  #transport;\n  constructor(transport) {{\n    this.#transport = transport;\n  }}\n"
        ]
        lines += [self._method(service, one) for one in resource.operations]
        return "".join([*lines, "}\n\n"])

    def _method(self, service: SdkService, operation: SdkOperation) -> str:
        names = [variable(one.name) for one in positional(operation)]
        if operation.body is not None:
            names.append("body")
        if optional_params(operation):
            names.append("params = {}")
        names.append("options = {}")
        given = ", ".join(
            f"[{text(one.wire)}, {text(one.location)}, {text(one.style)}, {str(one.explode).lower()}, {str(one.is_json).lower()}, {value_of(one, self._codec(one.type))}]"
            for one in operation.params
        )
        lines = [
            f"  {method_name(operation)}({', '.join(names)}) {{\n",
            f"    const given = [{given}];\n"
            if operation.pages is None
            else f"    const given = (cursor) => [{self._paged(operation)}];\n",
        ]
        call = [f"method: {text(operation.http_method)}"]
        if operation.is_idempotent:
            call.append("idempotent: true")
        answer = operation.answer
        if answer.type is not None and answer.is_json:
            call.append(f"decode: (value) => decode({self._codec(answer.type)}, value)")
        elif answer.media_type:
            call.append(f"accept: {text(answer.media_type)}")
        body = self._body(operation)
        template = text(service.base_path + operation.path)
        if operation.pages is not None:
            lines.append(
                f"    return paged(this.#transport, {template}, {{ {', '.join(call)} }}, given, {text(page_names(operation, self._kinds))}, options);\n  }}\n"
            )
        else:
            kind = (
                "bytes"
                if answer.type is not None and answer.type.kind == Kind.BINARY
                else "text"
                if answer.type is not None and not answer.is_json
                else "json"
            )
            lines.append(
                f"    return {kind}(this.#transport, {template}, {{ {', '.join([*call, *body])} }}, given, options);\n  }}\n"
            )
        return "".join(lines)

    def _paged(self, operation: SdkOperation) -> str:
        pages = operation.pages
        assert pages is not None
        parts = []
        for one in operation.params:
            value = value_of(one, self._codec(one.type))
            if one.wire == pages.cursor:
                value = f"cursor ?? {value}"
            parts.append(
                f"[{text(one.wire)}, {text(one.location)}, {text(one.style)}, {str(one.explode).lower()}, {str(one.is_json).lower()}, {value}]"
            )
        return ", ".join(parts)

    def _body(self, operation: SdkOperation) -> list[str]:
        if operation.body is None:
            return []
        kind = operation.body.media_type.partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return ["body: multipart(body)"]
        headers = f'headers: {{ "content-type": {text(operation.body.media_type)} }}'
        if kind == "application/x-www-form-urlencoded":
            return ["body: form(body)", headers]
        if kind == "application/json" or kind.endswith("+json"):
            encoded = f"JSON.stringify(encode({self._codec(operation.body.type)}, body))"
            return [f"body: body === undefined ? undefined : {encoded}", headers]
        return ["body", headers]

    def _client_class(self) -> str:
        lines = [
            "export class Kaimen {\n  #transport;\n  constructor(options = {}) {\n    this.#transport = new Transport(options, FACTS);\n"
        ]
        for service in self._model.services:
            own = next((one for one in service.resources if not one.name), None)
            made = f"new {class_of(service, own)}(this.#transport)" if own is not None else "{}"
            rest = ", ".join(
                f"{object_key(resource_member(service, one))}: new {class_of(service, one)}(this.#transport)"
                for one in service.resources
                if one.name
            )
            lines.append(
                f"    this[{text(service_member(service))}] = Object.assign({made}, {{ {rest} }});\n"
            )
        lines.append("    this.sandbox = new Sandbox(this.#transport);\n  }\n")
        lines.append("  toJSON() {\n    return this.#transport.toJSON();\n  }\n")
        lines.append(
            '  [Symbol.for("nodejs.util.inspect.custom")]() {\n    return `Kaimen ${JSON.stringify(this.#transport)}`;\n  }\n}\nexport default Kaimen;\n\n'
        )
        return "".join(lines)

    def _scenario_table(self) -> str:
        lines = ["export const Scenarios = Object.freeze({\n"]
        for service in self._model.services:
            lines.append(f"  [{text(service_member(service))}]: Object.freeze({{\n")
            for operation, values in scenarios_of(service):
                members = ", ".join(f"[{text(name)}]: {text(value)}" for name, value in values)
                lines.append(f"    [{text(operation)}]: Object.freeze({{ {members} }}),\n")
            lines.append("  }),\n")
        return "".join([*lines, "});\n"])


_SHARED = """function withRaw(start, value) {
  let running;
  const run = () => (running ??= start());
  return {
    then: (resolve, reject) => run().then(value).then(resolve, reject),
    catch: (reject) => run().then(value).catch(reject),
    finally: (last) => run().then(value).finally(last),
    raw: async () => {
      const found = await run();
      const response = found.response;
      return { value: value(found), status: response.status, headers: response.headers, requestId: response.headers.get("request-id") ?? "" };
    },
    [Symbol.toStringTag]: "Promise",
  };
}
function callOf(template, call, given) {
  const { path, headers } = address(template, given);
  return { ...call, path, headers: { ...call.headers, ...headers } };
}
function json(transport, template, call, given, options) {
  return withRaw(() => transport.json(callOf(template, call, given), options), (found) => found.value);
}
function bytes(transport, template, call, given, options) {
  return withRaw(async () => ({ response: await transport.open(callOf(template, call, given), options) }), (found) => found.response);
}
function text(transport, template, call, given, options) {
  const start = async () => {
    const response = await transport.open(callOf(template, call, given), options);
    return { response, value: await response.text() };
  };
  return withRaw(start, (found) => found.value);
}
function paged(transport, template, call, given, names, options) {
  let offset = 0;
  return new Pages(async (cursor) => {
    const { value, response } = await transport.json(callOf(template, call, given(cursor)), options);
    const items = (names.items === "" ? value : value[names.items]) ?? [];
    let next = names.style === "cursor" ? value[names.next] : undefined;
    if (names.style !== "cursor" && items.length > 0) {
      const sizes = given(cursor).find(([wire]) => wire === names.size)?.[5];
      const start = Number(cursor ?? given(undefined).find(([wire]) => wire === names.cursor)?.[5] ?? (names.style === "page" ? 1 : 0));
      offset = names.style === "page" ? start + 1 : start + items.length;
      if (sizes === undefined || items.length >= Number(sizes)) next = String(offset);
    }
    return { items, nextCursor: next === "" || next === null ? undefined : next, value, status: response.status, headers: response.headers, requestId: response.headers.get("request-id") ?? "" };
  });
}

"""
