"""Go packages from the model: one package, standard library only, go 1.21.

Objects are structs whose unknown members stay in `Unknown`; optional members are pointers, nullable ones Nullable;
enumerations are open strings; a union holds the variant that came, or its raw JSON.
"""

import re
from collections.abc import Iterator
from functools import cache
from importlib import resources

from sdk.escaping import in_words
from sdk.go.naming import doc, exported, field_name, package_name, text, variable
from sdk.go.type_writer import NILABLE, TypeWriter, operations_of, optional_params, without_comments
from sdk.model import (
    EnumType,
    Kind,
    ObjectType,
    Param,
    Resource,
    SdkModel,
    SdkOperation,
    SdkService,
    TypeRef,
)
from sdk.wording import Names, words_of

_HEADER = "// Code generated from the contracts. DO NOT EDIT.\n\n"
GO_VERSION = "1.21"
_MAJOR = re.compile(r"/v[0-9]+$")  # of a module path from version 2 on; the package is named without it


@cache
def _runtime() -> str:
    return resources.files("sdk.go").joinpath("runtime", "core.go").read_text(encoding="utf-8")


def emit(model: SdkModel, *, module: str, version: str) -> dict[str, str]:
    """The files of the module but for README: path -> text."""
    package = package_name(_MAJOR.sub("", module).rpartition("/")[2])
    writer = Writer(model, module, version)
    return {
        "go.mod": f"module {module}\n\ngo {GO_VERSION}\n",
        "core.go": _HEADER + _runtime().replace("package kaimen\n", f"package {package}\n", 1),
        "types.go": f"{_HEADER}package {package}\n\n{writer.types()}",
        "client.go": f"{_HEADER}package {package}\n\n{writer.client()}",
    }


class Writer(TypeWriter):
    # -- client -------------------------------------------------------------------------------------
    def client(self) -> str:
        parts = [self._client_type()]
        for service in self._model.services:
            parts.append(self._service_type(service))
            parts += [self._resource(service, one) for one in service.resources]
        parts.append(self._scenarios())
        parts.append(self._events())
        body = "".join(parts)
        wanted = {
            "context": ("context.Context",), "encoding/json": ("json.Marshal(", "json.Unmarshal("),
            "io": ("io.Reader", "io.ReadCloser"), "time": ("time.Time",), "strconv": ("strconv.FormatInt(",),
        }  # fmt: skip
        code = without_comments(body)
        listed = "".join(
            f"\t{text(name)}\n" for name in sorted(wanted) if any(one in code for one in wanted[name])
        )
        return f"import (\n{listed})\n\n{body}" if listed else body

    def _client_type(self) -> str:
        scopes = sorted(
            {
                scope
                for service in self._model.services
                for one in operations_of(service)
                for scope in one.scopes
            }
        )
        lines = ["// Client of the services of this package.\ntype Client struct {\n\ttransport *transport\n"]
        for service in self._model.services:
            lines.append(doc("", [in_words(service.title)], "\t"))
            lines.append(f"\t{service_member(service)} *{self._service_types[service.key]}\n")
        lines.append("\t// Sandbox of the app itself.\n\tSandbox *Sandbox\n}\n\n")
        listed = ", ".join(text(one) for one in scopes)
        lines.append(
            "// New makes a client. What Options leaves empty is read from KAIMEN_BASE_URL, KAIMEN_CLIENT_ID and KAIMEN_CLIENT_SECRET.\n"
            "func New(options Options) (*Client, error) {\n"
            f"\tt, err := newTransport(options, facts{{name: {text(self._module)}, version: {text(self._version)}, scopes: []string{{{listed}}}}})\n"
            "\tif err != nil {\n\t\treturn nil, err\n\t}\n\tc := &Client{transport: t, Sandbox: &Sandbox{t}}\n"
        )
        for service in self._model.services:
            member = service_member(service)
            lines.append(f"\tc.{member} = &{self._service_types[service.key]}{{}}\n")
            for resource in service.resources:
                kind = self._resource_types[service.key, resource.name]
                target = (
                    f"c.{member}.{kind}"
                    if not resource.name
                    else f"c.{member}.{resource_member(service, resource)}"
                )
                lines.append(f"\t{target} = &{kind}{{t}}\n")
        lines.append(
            "\treturn c, nil\n}\n\n// String shows no secret.\nfunc (c *Client) String() string { return c.transport.String() }\n\n"
        )
        lines.append(
            "// GoString shows no secret.\nfunc (c *Client) GoString() string { return c.transport.String() }\n\n"
        )
        return "".join(lines)

    def _service_type(self, service: SdkService) -> str:
        name = self._service_types[service.key]
        lines = [doc(name, [in_words(service.title), in_words(service.about)]), f"type {name} struct {{\n"]
        for resource in service.resources:
            kind = self._resource_types[service.key, resource.name]
            lines.append(
                f"\t{resource_member(service, resource)} *{kind}\n" if resource.name else f"\t*{kind}\n"
            )
        return "".join([*lines, "}\n\n"])

    def _resource(self, service: SdkService, resource: Resource) -> str:
        kind = self._resource_types[service.key, resource.name]
        lines = [
            f"// {kind} holds operations that belong together.\ntype {kind} struct{{ transport *transport }}\n\n"
        ]
        for operation in resource.operations:
            lines.append(self._params_type(service, operation))
            lines.append(self._method(service, kind, operation))
        return "".join(lines)

    def _params_type(self, service: SdkService, operation: SdkOperation) -> str:
        optional = optional_params(operation)
        if not optional:
            return ""
        name = self._param_types[service.key, operation.id]
        lines = [f"// {name} are the optional parameters; nil leaves one out.\ntype {name} struct {{\n"]
        names = Names()
        for one in optional:
            lines.append(doc("", [in_words(one.text)], "\t"))
            made = self._type(one.type)
            lines.append(
                f"\t{field_name(names.take(one.name))} {made if one.type.kind in NILABLE else '*' + made}\n"
            )
        return "".join([*lines, "}\n\n"])

    def _method(self, service: SdkService, kind: str, operation: SdkOperation) -> str:
        name = exported(operation.name)
        parts = ["ctx context.Context"] if operation.pages is None else []
        parts += [f"{variable(one.name)} {self._type(one.type)}" for one in _positional(operation)]
        body = self._body_type(operation)
        if body:
            parts.append(f"body {body}")
        if optional_params(operation):
            parts.append(f"params *{self._param_types[service.key, operation.id]}")
        parts.append("options ...CallOption")
        returned, last = self._returned(operation)
        about = [in_words(operation.text), in_words(operation.about)]
        if operation.needs_consent:
            about.append("Needs a person's consent; see the documentation of consent.")
        if operation.is_deprecated:
            about.append(f"\nDeprecated: until {operation.sunset or 'its sunset'}.")
        return (
            doc(name, [one for one in about if one] or ["see the contract."])
            + f"func (r *{kind}) {name}({', '.join(parts)}) {returned} {{\n{self._statements(service, operation, last)}}}\n\n"
        )

    def _body_type(self, operation: SdkOperation) -> str:
        body = operation.body
        if body is None:
            return ""
        kind = body.media_type.partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return "[]Part"
        if body.type.kind == Kind.BINARY:
            return "io.Reader"
        made = self._type(body.type)
        return made if body.is_required or body.type.kind in NILABLE else f"*{made}"

    def _returned(self, operation: SdkOperation) -> tuple[str, str]:
        """What the method gives, and the last statement(s)."""
        answer = operation.answer
        if operation.pages is not None:
            return f"*Pages[{self._inner(operation.pages.item)}]", ""
        if answer.type is None:
            return "error", "\treturn r.transport.do(ctx, c, nil, options)\n"
        if answer.type.kind == Kind.BINARY:
            return "(io.ReadCloser, error)", "\treturn r.transport.download(ctx, c, options)\n"
        if not answer.is_json:
            return "(string, error)", "\treturn r.transport.text(ctx, c, options)\n"
        made = self._type(answer.type)
        if answer.type.kind == Kind.NAMED and not isinstance(self._kinds[answer.type.name], EnumType):
            return (
                f"(*{made}, error)",
                f"\tout := new({made})\n\tif err := r.transport.do(ctx, c, out, options); err != nil {{\n\t\treturn nil, err\n\t}}\n\treturn out, nil\n",
            )
        return (
            f"({made}, error)",
            f"\tvar out {made}\n\tfailure := r.transport.do(ctx, c, &out, options)\n\treturn out, failure\n",
        )

    def _statements(self, service: SdkService, operation: SdkOperation, last: str) -> str:
        fails = self._zero(operation)
        lines = []
        if optional_params(operation):
            lines.append(
                f"\tif params == nil {{\n\t\tparams = &{self._param_types[service.key, operation.id]}{{}}\n\t}}\n"
            )
        if operation.pages is not None:
            return "".join(lines) + self._paged(service, operation)
        values = ", ".join(self._given(operation))
        used = f"address({text(service.base_path + operation.path)}, []given{{{values}}})"
        lines.append(
            f"\tpath, header := {used}\n\tc := call{{method: {text(operation.http_method)}, path: path, header: header"
        )
        if operation.is_idempotent:
            lines.append(", isIdempotent: true")
        if operation.answer.media_type and not operation.answer.is_json:
            lines.append(f", accept: {text(operation.answer.media_type)}")
        lines.append("}\n")
        lines.append(self._body_statements(operation, fails))
        return "".join([*lines, last])

    def _zero(self, operation: SdkOperation) -> str:
        answer = operation.answer.type
        if answer is None:
            return "err"
        if answer.kind == Kind.BINARY or (
            operation.answer.is_json
            and answer.kind == Kind.NAMED
            and not isinstance(self._kinds[answer.name], EnumType)
        ):
            return "nil, err"
        return '"", err' if not operation.answer.is_json else f"*new({self._type(answer)}), err"

    def _body_statements(self, operation: SdkOperation, fails: str) -> str:
        body = operation.body
        if body is None:
            return ""
        kind = body.media_type.partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return f"\tdata, contentType, err := multipartOf(body)\n\tif err != nil {{\n\t\treturn {fails}\n\t}}\n\tc.body, c.contentType = data, contentType\n"
        media = text(body.media_type)
        if body.type.kind == Kind.BINARY:
            return f"\tc.stream, c.contentType = body, {media}\n"
        if kind == "application/x-www-form-urlencoded":
            made = "formOf(body)"
        elif kind == "application/json" or kind.endswith("+json"):
            made = "json.Marshal(body)"
        else:
            value = "body" if body.is_required else "*body"
            return (
                f"\tc.body, c.contentType = []byte({value}), {media}\n"
                if body.is_required
                else f"\tif body != nil {{\n\t\tc.body, c.contentType = []byte({value}), {media}\n\t}}\n"
            )
        return f"\tdata, err := {made}\n\tif err != nil {{\n\t\treturn {fails}\n\t}}\n\tc.body, c.contentType = data, {media}\n"

    def _given(self, operation: SdkOperation) -> Iterator[str]:
        names = Names()
        optional = {
            one.wire + one.location: field_name(names.take(one.name)) for one in optional_params(operation)
        }
        for one in operation.params:
            value = variable(one.name) if one.is_required else f"params.{optional[one.wire + one.location]}"
            yield (
                f"{{{text(one.wire)}, {text(one.location)}, {text(one.style)}, {str(one.explode).lower()}, "
                f"{str(one.is_json).lower()}, {value}}}"
            )

    def _paged(self, service: SdkService, operation: SdkOperation) -> str:
        pages = operation.pages
        assert pages is not None
        item = self._inner(pages.item)
        every = list(self._given(operation))
        cursor = next(place for place, one in enumerate(operation.params) if one.wire == pages.cursor)
        size = next((place for place, one in enumerate(operation.params) if one.wire == pages.size), -1)
        values = ", ".join(every)
        answer = operation.answer.type
        assert answer is not None
        made = self._type(answer)
        items, following = self._page_members(answer, pages.items, pages.next)
        read = f"out{items}"
        lines = [
            (
                f"\tread := func(ctx context.Context, cursor string) (*Page[{item}], error) {{\n\t\tevery := []given{{{values}}}\n"
                f'\t\tif cursor != "" {{\n\t\t\tevery[{cursor}].value = cursor\n\t\t}}\n'
                f"\t\tpath, header := address({text(service.base_path + operation.path)}, every)\n\t\tvar out {made}\n\t\tpage := &Page[{item}]{{}}\n"
                f"\t\tc := call{{method: {text(operation.http_method)}, path: path, header: header}}\n"
                "\t\tif err := r.transport.do(ctx, c, &out, append([]CallOption{WithRaw(&page.Raw)}, options...)); err != nil {\n\t\t\treturn nil, err\n\t\t}\n"
                f"\t\tpage.Items = {read}\n"
            )
        ]
        if pages.style == "cursor":
            lines.append(following)
        else:
            step = "start + 1" if pages.style == "page" else "start + int64(len(page.Items))"
            first = "1" if pages.style == "page" else "0"
            full = f"sizeOf(every[{size}].value) <= int64(len(page.Items))" if size >= 0 else "true"
            lines.append(
                f"\t\tstart := numberOf(every[{cursor}].value, {first})\n\t\tif len(page.Items) > 0 && {full} {{\n\t\t\tpage.NextCursor = strconv.FormatInt({step}, 10)\n\t\t}}\n"
            )
        lines.append(f"\t\treturn page, nil\n\t}}\n\treturn &Pages[{item}]{{fetch: read}}\n")
        return "".join(lines)

    def _page_members(self, answer: TypeRef, items: str, following: str) -> tuple[str, str]:
        """How the items and the next cursor are read of the page."""
        kind = self._kinds.get(answer.name)
        if not isinstance(kind, ObjectType):
            return "", ""
        by_wire = {field.wire: field for field in kind.fields}
        found = by_wire[items]
        read = f".{field_name(found.name)}"
        if found.type.is_nullable and not found.is_required:
            return f"{read}.Items()", ""
        last = by_wire.get(following)
        if last is None:
            return read, ""
        member = field_name(last.name)
        made = self._member(last, owner=answer.name)
        if made.startswith("*Nullable"):
            return (
                read,
                f"\t\tif out.{member} != nil && out.{member}.Value != nil {{\n\t\t\tpage.NextCursor = textOf(*out.{member}.Value)\n\t\t}}\n",
            )
        if made.startswith("*"):
            return (
                read,
                f"\t\tif out.{member} != nil {{\n\t\t\tpage.NextCursor = textOf(*out.{member})\n\t\t}}\n",
            )
        return read, f"\t\tpage.NextCursor = textOf(out.{member})\n"

    def _scenarios(self) -> str:
        names = Names(self._kinds)
        lines = []
        for service in self._model.services:
            for resource in service.resources:
                for operation in resource.operations:
                    for one in operation.scenarios:
                        name = (
                            "scenario", *service.name, *resource.name, *operation.name, *words_of(one.id, "one"),
                        )  # fmt: skip
                        lines.append(f"\t{exported(names.take(name))} = {text(one.id)}\n")
        if not lines:
            return ""
        return "// Scenarios that the sandbox plays, for WithScenario.\nconst (\n" + "".join(lines) + ")\n\n"

    def _events(self) -> str:
        names = Names(self._kinds)
        lines = []
        for service in self._model.services:
            for one in service.events:
                name = exported(names.take(("event", *one.name)))
                about = doc(name, [in_words(one.text) or "an event."])
                made = self._type(one.data)
                lines.append(
                    f"{about}const {name} = {text(one.type)}\n\n// Data{name} reads the data of the event.\n"
                    f"func Data{name}(event *WebhookEvent) ({made}, error) {{\n\tvar out {made}\n\terr := json.Unmarshal(event.Data, &out)\n\treturn out, err\n}}\n\n"
                )
        return "".join(lines)


def _positional(operation: SdkOperation) -> list[Param]:
    required = [one for one in operation.params if one.is_required]
    return sorted(
        required,
        key=lambda one: operation.path.find("{" + one.wire + "}") if one.location == "path" else 10_000,
    )


def service_member(service: SdkService) -> str:
    made = exported(service.name)
    return made + "_" if made in {"Sandbox", "String", "GoString"} else made


def resource_member(service: SdkService, resource: Resource) -> str:
    own = next((one for one in service.resources if not one.name), None)
    taken = {exported(one.name) for one in own.operations} if own is not None else set()
    made = exported(resource.name)
    return made + "_" if made in taken else made
