"""Java packages from the model: one package, Java 17, no dependency but java.base and java.net.http.

Paths are those below a source root: `gov/kaimen/sdk/company/Kaimen.java`.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from urllib.parse import quote

from sdk.escaping import in_words
from sdk.java.naming import constant, doc, member, package_name, text, type_name, variable
from sdk.java.naming import operation as operation_name
from sdk.java.naming import service as service_name
from sdk.java.types import IMPORTS, TypeWriter, codec, java_type, primitive
from sdk.model import BodyPart, Kind, Param, Resource, SdkModel, SdkOperation, SdkService
from sdk.wording import Names, words_of

JAVA_VERSION = "17"
_HEADER = "// Generated from the contracts. Do not edit.\n"
_PATH_SIGNS = "/:@!$&'()*+,;=-._~%"  # RFC 3986 §3.3, and what is escaped already
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"')


@cache
def _runtime() -> dict[str, str]:
    folder = resources.files("sdk.java").joinpath("runtime")
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".java")), key=lambda one: one.name)
    return {one.name: one.read_text(encoding="utf-8") for one in files}


def emit(model: SdkModel, *, artifact: str, version: str) -> dict[str, str]:
    """The source files: path -> text. `artifact` is `gov.kaimen.sdk:company`."""
    package = package_name(artifact)
    folder = package.replace(".", "/")
    writer = _Writer(model)
    made = {name: _packaged(source, package) for name, source in _runtime().items()}
    made["Kaimen.java"] = writer.client(made["Kaimen.java"], artifact, version)
    for name, body in writer.files():
        if f"{name}.java" in made:
            raise ValueError(f"two types have the name {name}")
        made[f"{name}.java"] = f"{_HEADER}package {package};\n\n{_imports(body)}{body}"
    return {f"{folder}/{name}": source for name, source in sorted(made.items())}


def _packaged(source: str, package: str) -> str:
    return source.replace("package kaimen;", f"package {package};", 1)


def _imports(body: str) -> str:
    code = "\n".join(
        _LITERAL.sub('""', line) for line in body.split("\n") if not line.lstrip().startswith(("*", "/*"))
    )
    found = [path for name, path in IMPORTS.items() if re.search(rf"\b{name}\b", code)]
    return "".join(f"import {path};\n" for path in sorted(found)) + ("\n" if found else "")


class _Writer:
    def __init__(self, model: SdkModel) -> None:
        self._model = model
        taken = Names(one.name for one in model.types)
        self._services = {one.key: type_name(taken.take((*one.name, "service"))) for one in model.services}
        self._resources = {
            (service.key, one.name): type_name(taken.take((*service.name, *one.name, "resource")))
            for service in model.services
            for one in service.resources
            if one.name
        }
        self._params = {
            (service.key, operation.id): type_name(
                taken.take((*service.name, *words_of(operation.id, "call"), "params"))
            )
            for service in model.services
            for operation in _operations(service)
            if _optional(operation)
        }

    def files(self) -> Iterator[tuple[str, str]]:
        """(type, declaration) of everything but the runtime."""
        types = TypeWriter(self._model.types)
        for one in self._model.types:
            yield type_name(one.name), types.render(one)
        for service in self._model.services:
            yield self._services[service.key], self._service(service)
            for resource in service.resources:
                if resource.name:
                    name = self._resources[service.key, resource.name]
                    yield name, self._resource(service, resource, name)
            for operation in _operations(service):
                if _optional(operation):
                    yield self._params[service.key, operation.id], self._params_type(service, operation)
        yield "Scenarios", self._scenarios()
        yield "Events", self._events()

    # -- client -------------------------------------------------------------------------------------
    def client(self, template: str, artifact: str, version: str) -> str:
        scopes = sorted(
            {scope for one in self._model.services for each in _operations(one) for scope in each.scopes}
        )
        fields, made, methods = [], [], []
        for service in self._model.services:
            kind, name = self._services[service.key], service_name(service.name)
            fields.append(f"    private final {kind} {name}_;\n")
            made.append(f"        {name}_ = new {kind}(transport);\n")
            methods.append(
                f"{doc([in_words(service.title)], '    ')}    public {kind} {name}() {{\n        return {name}_;\n    }}\n\n"
            )
        return (
            template.replace('VERSION = "0"', f"VERSION = {text(version)}", 1)
            .replace('ARTIFACT = "artifact"', f"ARTIFACT = {text(artifact)}", 1)
            .replace("SCOPES = {}", f"SCOPES = {{{', '.join(text(one) for one in scopes)}}}", 1)
            .replace("    // fields\n", "".join(fields), 1)
            .replace("        // made\n", "".join(made), 1)
            .replace("    // methods\n\n", "".join(methods), 1)
        )

    def _service(self, service: SdkService) -> str:
        name = self._services[service.key]
        own = next((one for one in service.resources if not one.name), Resource((), ()))
        nested = [one for one in service.resources if one.name]
        lines = [doc([in_words(service.title), in_words(service.about)]), f"public final class {name} {{\n"]
        lines.append("    private final Transport transport;\n")
        lines += [
            f"    private final {self._resources[service.key, one.name]} {operation_name(one.name)}_;\n"
            for one in nested
        ]
        lines.append(f"\n    {name}(Transport transport) {{\n        this.transport = transport;\n")
        lines += [
            f"        {operation_name(one.name)}_ = new {self._resources[service.key, one.name]}(transport);\n"
            for one in nested
        ]
        lines.append("    }\n")
        for one in nested:
            made, shown = operation_name(one.name), resource_method(service, one)
            kind = self._resources[service.key, one.name]
            lines.append(
                f"\n    /** Operations that belong together. */\n    public {kind} {shown}() {{\n        return {made}_;\n    }}\n"
            )
        lines += [self._operation(service, one) for one in own.operations]
        return "".join([*lines, _SHOWN, "}\n"])

    def _resource(self, service: SdkService, resource: Resource, name: str) -> str:
        return "".join(
            [
                "/** Operations that belong together. */\n",
                f"public final class {name} {{\n    private final Transport transport;\n\n",
                f"    {name}(Transport transport) {{\n        this.transport = transport;\n    }}\n",
                *(self._operation(service, one) for one in resource.operations),
                _SHOWN,
                "}\n",
            ]
        )

    # -- operations ---------------------------------------------------------------------------------
    def _params_type(self, service: SdkService, operation: SdkOperation) -> str:
        name = self._params[service.key, operation.id]
        lines = [
            f"/** The optional parameters of an operation; each method gives the same object, null leaves one out. */\npublic final class {name} {{\n"
        ]
        names = Names()
        setters = []
        for place, one in enumerate(_optional(operation)):
            words = names.take(one.name)
            value = variable(words)
            kind = java_type(one.type)
            lines.append(f"    Object p{place};\n")
            setters.append(
                f"\n{doc([in_words(one.text)], '    ')}    public {name} {member(words)}({kind} {value}) {{\n"
                f"        this.p{place} = {codec(one.type)}.write({value});\n        return this;\n    }}\n"
            )
        lines.append(f"\n    /** None of them. */\n    public {name}() {{}}\n")
        return "".join([*lines, *setters, "}\n"])

    def _operation(self, service: SdkService, operation: SdkOperation) -> str:
        """The method, and its shorter forms without options and without parameters."""
        name = operation_name(operation.name)
        parts = [(primitive(one.type), variable(one.name)) for one in _positional(operation)]
        if operation.body is not None:
            parts.append((_body_type(operation.body), "body"))
        params = self._params.get((service.key, operation.id), "")
        returned, start, end = self._returned(operation)
        about = [one for one in (in_words(operation.text), in_words(operation.about)) if one]
        if operation.needs_consent:
            about.append("Needs a person's consent; see the documentation of consent.")
        tags = [
            f"@deprecated until {operation.sunset[:40]}"
            if _is_date(operation.sunset)
            else "@deprecated see the contract"
        ]
        head = doc(about or ["See the contract."], "    ", tags if operation.is_deprecated else ())
        head += "    @Deprecated\n" if operation.is_deprecated else ""
        forms = []
        listed = [value for _, value in parts]
        giving = "" if returned == "void" else "return "
        shapes = [(parts, [*listed, *(["null"] if params else []), "null"])]
        if params:
            shapes.append(([*parts, (params, "params")], [*listed, "params", "null"]))
        for given, passed in shapes:
            forms.append(
                f"\n{head}    public {returned} {name}({_declared(given)}) {{\n        {giving}{name}({', '.join(passed)});\n    }}\n"
            )
        last = [*parts, *([(params, "params")] if params else []), ("CallOptions", "options")]
        statements = f"        Call call = new Call({text(operation.http_method)}, {text(_template(service.base_path + operation.path))})"
        for one, value in self._given(operation, has_params=bool(params)):
            statements += (
                f"\n                .given({text(one.wire)}, {text(one.location)}, {text(one.style)}, "
                f"{str(one.explode).lower()}, {str(one.is_json).lower()}, {value})"
            )
        statements += self._more(operation) + ";\n"
        forms.append(
            f"\n{head}    public {returned} {name}({_declared(last)}) {{\n{statements}        {giving}transport.{start}call, options{end});\n    }}\n"
        )
        return "".join(forms)

    def _given(self, operation: SdkOperation, *, has_params: bool) -> Iterator[tuple[Param, str]]:
        places = {id(one): place for place, one in enumerate(_optional(operation))}
        for one in operation.params:
            if one.is_required:
                yield one, f"{codec(one.type)}.write({variable(one.name)})"
            elif has_params:
                yield one, f"params == null ? null : params.p{places[id(one)]}"

    def _more(self, operation: SdkOperation) -> str:
        made = "\n                .idempotent()" if operation.is_idempotent else ""
        if operation.answer.media_type and not operation.answer.is_json:
            made += f"\n                .accept({text(_header(operation.answer.media_type))})"
        body = operation.body
        if body is None:
            return made
        kind = body.media_type.partition(";")[0].strip().lower()
        media = text(_header(body.media_type))
        if kind == "multipart/form-data":
            return made + "\n                .multipart(body)"
        if body.type.kind == Kind.BINARY:
            return made + f"\n                .stream({media}, body)"
        call = "text"
        if kind == "application/x-www-form-urlencoded":
            call = "form"
        elif kind == "application/json" or kind.endswith("+json"):
            call = "json"
        return made + f"\n                .{call}({media}, {codec(body.type)}.write(body))"

    def _returned(self, operation: SdkOperation) -> tuple[str, str, str]:
        """What the method gives, and the call of the transport around `call, options`."""
        answer, pages = operation.answer, operation.pages
        if pages is not None:
            paging = ", ".join(
                text(one) for one in (pages.style, pages.cursor, pages.size, pages.items, pages.next)
            )
            return (
                f"Pages<{java_type(pages.item)}>", "pages(", f", {codec(pages.item)}, new Transport.Paging({paging})",
            )  # fmt: skip
        if answer.type is None:
            return "void", "nothing(", ""
        if answer.type.kind == Kind.BINARY:
            return "InputStream", "stream(", ""
        if not answer.is_json:
            return "String", "text(", ""
        return java_type(answer.type), "value(", f", {codec(answer.type)}"

    # -- constants ----------------------------------------------------------------------------------
    def _scenarios(self) -> str:
        names = Names()
        lines = [
            "/** Scenarios that the sandbox plays, for {@link CallOptions#scenario}. */\npublic final class Scenarios {\n"
        ]
        for service in self._model.services:
            for resource in service.resources:
                for operation in resource.operations:
                    for one in operation.scenarios:
                        words = (*service.name, *resource.name, *operation.name, *words_of(one.id, "one"))
                        lines.append(doc([in_words(dict(one.title))], "    "))
                        lines.append(
                            f"    public static final String {constant(names.take(words))} = {text(one.id)};\n"
                        )
        return "".join([*lines, "\n    private Scenarios() {}\n}\n"])

    def _events(self) -> str:
        names = Names()
        lines = [
            "/** Events that the services send to webhooks, for {@link WebhookEvent#data}. */\npublic final class Events {\n"
        ]
        for service in self._model.services:
            for one in service.events:
                kind = java_type(one.data)
                lines.append(doc([in_words(one.text)], "    "))
                lines.append(
                    f"    public static final EventType<{kind}> {constant(names.take(one.name))} = new EventType<>({text(one.type)}, {codec(one.data)});\n"
                )
        return "".join([*lines, "\n    private Events() {}\n}\n"])


def resource_method(service: SdkService, resource: Resource) -> str:
    """The method of a service that gives a resource."""
    own = next((one for one in service.resources if not one.name), Resource((), ()))
    made = operation_name(resource.name)
    return made + "_" if made in {operation_name(one.name) for one in own.operations} else made


_SHOWN = (
    "\n    /** Shows no secret. */\n    @Override\n    public String toString() {\n"
    '        return getClass().getSimpleName() + " of " + transport;\n    }\n'
)


def _declared(parts: list[tuple[str, str]]) -> str:
    return ", ".join(f"{kind} {name}" for kind, name in parts)


def _body_type(body: BodyPart) -> str:
    if body.media_type.partition(";")[0].strip().lower() == "multipart/form-data":
        return "List<Part>"
    return "BodyPublisher" if body.type.kind == Kind.BINARY else java_type(body.type)


def _template(path: str) -> str:
    """A path as it may stand in an address; what is between braces is replaced later, and stays."""
    parts = re.split(r"(\{[^{}]*\})", path)
    return "".join(
        one if one.startswith("{") else quote(one, safe=_PATH_SIGNS, errors="replace") for one in parts
    )


def _header(media_type: str) -> str:
    """A media type that may stand in a header."""
    return "".join(char for char in media_type if " " <= char <= "~")


def _is_date(text_: str) -> bool:
    return re.fullmatch(r"[0-9A-Za-z:+. -]{4,40}", text_) is not None


def _operations(service: SdkService) -> Iterator[SdkOperation]:
    for resource in service.resources:
        yield from resource.operations


def _optional(operation: SdkOperation) -> list[Param]:
    return [one for one in operation.params if not one.is_required]


def _positional(operation: SdkOperation) -> list[Param]:
    required = [one for one in operation.params if one.is_required]
    return sorted(
        required,
        key=lambda one: operation.path.find("{" + one.wire + "}") if one.location == "path" else 10_000,
    )
