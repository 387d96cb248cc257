"""Go packages from the model: one package, standard library only, go 1.21.

Objects are structs whose unknown members stay in `Unknown`; optional members are pointers, nullable ones Nullable;
enumerations are open strings; a union holds the variant that came, or its raw JSON.
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources

from sdk.escaping import in_words
from sdk.go.naming import doc, exported, field_name, package_name, tag, text, type_name, variable
from sdk.model import (
    EnumType,
    Field,
    Kind,
    NamedType,
    ObjectType,
    Param,
    Resource,
    SdkModel,
    SdkOperation,
    SdkService,
    TypeRef,
    UnionType,
    Words,
)
from sdk.wording import Names, words_of

_PLAIN = {
    Kind.STRING: "string", Kind.DATE: "Date", Kind.DATE_TIME: "time.Time", Kind.DECIMAL: "Decimal", Kind.INTEGER: "int32",
    Kind.LONG: "int64", Kind.NUMBER: "float64", Kind.BOOLEAN: "bool", Kind.BYTES: "[]byte", Kind.BINARY: "[]byte",
    Kind.ANY: "any",
}  # fmt: skip
_NILABLE = frozenset({Kind.ARRAY, Kind.MAP, Kind.ANY, Kind.BYTES, Kind.BINARY})
_HEADER = "// Code generated from the contracts. DO NOT EDIT.\n\n"
GO_VERSION = "1.21"


@cache
def _runtime() -> str:
    return resources.files("sdk.go").joinpath("runtime", "core.go").read_text(encoding="utf-8")


def emit(model: SdkModel, *, module: str, version: str) -> dict[str, str]:
    """The files of the module but for README: path -> text."""
    package = package_name(module.rpartition("/")[2])
    writer = _Writer(model, module, version)
    return {
        "go.mod": f"module {module}\n\ngo {GO_VERSION}\n",
        "core.go": _HEADER + _runtime().replace("package kaimen\n", f"package {package}\n", 1),
        "types.go": f"{_HEADER}package {package}\n\n{writer.types()}",
        "client.go": f"{_HEADER}package {package}\n\n{writer.client()}",
    }


class _Writer:
    def __init__(self, model: SdkModel, module: str, version: str) -> None:
        self._model = model
        self._module = module
        self._version = version
        self._kinds: dict[Words, NamedType] = {one.name: one for one in model.types}
        taken = Names(one.name for one in model.types)
        self._resource_types = {
            (service.key, resource.name): type_name(taken.take((*service.name, *resource.name, "resource")))
            for service in model.services
            for resource in service.resources
        }
        self._service_types = {
            service.key: type_name(taken.take((*service.name, "service"))) for service in model.services
        }
        self._param_types: dict[tuple[str, str], str] = {}
        for service in model.services:
            for operation in _operations(service):
                if _optional(operation):
                    name = (*service.name, *words_of(operation.id, "call"), "params")
                    self._param_types[service.key, operation.id] = type_name(taken.take(name))
        self._enum_names = Names(one.name for one in model.types)

    # -- types --------------------------------------------------------------------------------------
    def _type(self, ref: TypeRef) -> str:
        """The type of a value that is there and not null."""
        if ref.kind == Kind.ARRAY:
            return "[]" + self._inner(ref.of)
        if ref.kind == Kind.MAP:
            return "map[string]" + self._inner(ref.of)
        return type_name(ref.name) if ref.kind == Kind.NAMED else _PLAIN[ref.kind]

    def _inner(self, ref: TypeRef | None) -> str:
        if ref is None:
            return "any"
        made = self._type(ref)
        return f"*{made}" if ref.is_nullable and ref.kind not in _NILABLE else made

    def _member(self, field: Field, *, owner: Words) -> str:
        """The type of a struct member: pointers for what may be absent, Nullable for what may be null and absent."""
        made = self._type(field.type)
        if field.type.is_nullable and not field.is_required:
            return f"*Nullable[{made}]"
        if field.type.kind in _NILABLE:
            return made
        is_pointer = not field.is_required or field.type.is_nullable or self._is_circular(owner, field.type)
        return f"*{made}" if is_pointer else made

    def _is_circular(self, owner: Words, ref: TypeRef) -> bool:
        """Whether a value of this type would hold one of its owner's directly: Go needs a pointer there."""
        seen: set[Words] = set()
        waiting = [ref]
        while waiting:
            one = waiting.pop()
            if one.kind != Kind.NAMED or one.name in seen:
                continue
            if one.name == owner:
                return True
            seen.add(one.name)
            kind = self._kinds[one.name]
            if isinstance(kind, ObjectType):
                waiting += [
                    field.type for field in kind.fields if field.is_required and not field.type.is_nullable
                ]
        return False

    def types(self) -> str:
        parts = []
        for one in self._model.types:
            if isinstance(one, EnumType):
                parts.append(self._enum(one))
            elif isinstance(one, UnionType):
                parts.append(self._union(one))
            else:
                parts.append(self._object(one))
        body = "".join(parts)
        code = _without_comments(body)
        wanted = {"encoding/json": ("json.RawMessage", "json.Marshal("), "time": ("time.Time",)}
        imports = [name for name, uses in wanted.items() if any(one in code for one in uses)]
        listed = "".join(f"\t{text(name)}\n" for name in imports)
        return (f"import (\n{listed})\n\n" if imports else "") + body

    def _enum(self, one: EnumType) -> str:
        name = type_name(one.name)
        base = "string" if one.base == Kind.STRING else "int64"
        lines = [doc(name, [in_words(one.text) or "an open enumeration."]), f"type {name} {base}\n\n"]
        if one.values:
            lines.append("const (\n")
            for value in one.values:
                made = type_name(self._enum_names.take((*one.name, *value.name)))
                literal = text(value.wire) if isinstance(value.wire, str) else str(value.wire)
                lines.append(f"\t{made} {name} = {literal}\n")
            lines.append(")\n\n")
        return "".join(lines)

    def _object(self, one: ObjectType) -> str:
        name = type_name(one.name)
        lines = [doc(name, [in_words(one.text)]), f"type {name} struct {{\n"]
        known, others = [], []
        for field in one.fields:
            member = field_name(field.name)
            omits = not field.is_required
            made = tag(field.wire, omits=omits)
            about = [in_words(field.text)] + (
                ["Deprecated: see the contract."] if field.is_deprecated else []
            )
            lines.append(doc("", about, "\t"))
            if made is None:
                others.append((field, member))
                lines.append(f'\t{member} {self._member(field, owner=one.name)} `json:"-"`\n')
            else:
                lines.append(f"\t{member} {self._member(field, owner=one.name)} {made}\n")
            known.append(field.wire)
        lines.append("\t// Unknown holds the members that the contract does not name.\n")
        lines.append('\tUnknown map[string]json.RawMessage `json:"-"`\n}\n\n')
        names = ", ".join(f"{text(wire)}: true" for wire in known)
        table = "known" + name
        lines.append(f"var {table} = map[string]bool{{{names}}}\n\n")
        lines.append(self._codec(name, table, others))
        return "".join(lines)

    def _codec(self, name: str, table: str, others: list[tuple[Field, str]]) -> str:
        """UnmarshalJSON and MarshalJSON; members whose names no struct tag can say are read and written by hand."""
        read = "".join(
            f"\tif data, ok := every[{text(field.wire)}]; ok {{\n\t\tif err := json.Unmarshal(data, &v.{member}); err != nil {{\n\t\t\treturn err\n\t\t}}\n\t}}\n"
            for field, member in others
        )
        head = (
            f"// UnmarshalJSON keeps what the contract does not name.\nfunc (v *{name}) UnmarshalJSON(data []byte) error {{\n"
            f"\ttype plain {name}\n\tif err := json.Unmarshal(data, (*plain)(v)); err != nil {{\n\t\treturn err\n\t}}\n"
        )
        if others:
            head += (
                "\tevery := map[string]json.RawMessage{}\n\tif err := json.Unmarshal(data, &every); err != nil {\n\t\treturn err\n\t}\n"
                + read
            )
        head += f"\tunknown, err := readUnknown(data, {table})\n\tv.Unknown = unknown\n\treturn err\n}}\n\n"
        tail = (
            f"// MarshalJSON writes what was kept, too.\nfunc (v {name}) MarshalJSON() ([]byte, error) {{\n\ttype plain {name}\n"
            "\tmade, err := json.Marshal(plain(v))\n\tif err != nil {\n\t\treturn nil, err\n\t}\n"
        )
        if others:
            tail += "\tmore := map[string]json.RawMessage{}\n\tfor key, value := range v.Unknown {\n\t\tmore[key] = value\n\t}\n"
            for field, member in others:
                tail += (
                    f'\tif data, err := json.Marshal(v.{member}); err != nil {{\n\t\treturn nil, err\n\t}} else if string(data) != "null" {{\n'
                    f"\t\tmore[{text(field.wire)}] = data\n\t}}\n"
                )
            return head + tail + "\treturn writeUnknown(made, more)\n}\n\n"
        return head + tail + "\treturn writeUnknown(made, v.Unknown)\n}\n\n"

    def _union(self, one: UnionType) -> str:
        name = type_name(one.name)
        lines = [doc(name, [in_words(one.text) or "one of several objects."]), f"type {name} struct {{\n"]
        variants = [(type_name(variant.type.name), variant) for variant in one.variants]
        members = Names([("raw",)])
        named = [(field_name(members.take(variant.type.name)), made, variant) for made, variant in variants]
        lines += [f"\t{member} *{made}\n" for member, made, _ in named]
        lines.append(
            "\t// Raw is the JSON as it came: all there is of a variant that the contract does not name.\n\tRaw json.RawMessage\n}\n\n"
        )
        lines.append(
            f"// UnmarshalJSON reads the variant that it is.\nfunc (v *{name}) UnmarshalJSON(data []byte) error {{\n\t*v = {name}{{Raw: append(json.RawMessage(nil), data...)}}\n"
        )
        if one.property:
            lines.append(f"\tswitch tagOf(data, {text(one.property)}) {{\n")
            seen: set[str] = set()
            for member, made, variant in named:
                fresh = [value for value in variant.tags if value not in seen]
                seen |= set(fresh)
                if fresh:
                    cases = ", ".join(text(value) for value in fresh)
                    lines.append(
                        f"\tcase {cases}:\n\t\tv.{member} = new({made})\n\t\treturn json.Unmarshal(data, v.{member})\n"
                    )
            lines.append("\t}\n\treturn nil\n}\n\n")
        else:
            for member, made, variant in named:
                kind = self._kinds[variant.type.name]
                needed = (
                    [field.wire for field in kind.fields if field.is_required]
                    if isinstance(kind, ObjectType)
                    else []
                )
                condition = "".join(f", {text(wire)}" for wire in needed)
                lines.append(
                    f"\tif hasMembers(data{condition}) {{\n\t\tfound := new({made})\n\t\tif json.Unmarshal(data, found) == nil {{\n\t\t\tv.{member} = found\n\t\t\treturn nil\n\t\t}}\n\t}}\n"
                )
            lines.append("\treturn nil\n}\n\n")
        lines.append(
            f"// MarshalJSON writes the variant that is there.\nfunc (v {name}) MarshalJSON() ([]byte, error) {{\n\tswitch {{\n"
        )
        lines += [
            f"\tcase v.{member} != nil:\n\t\treturn json.Marshal(v.{member})\n" for member, _, _ in named
        ]
        lines.append('\tcase v.Raw != nil:\n\t\treturn v.Raw, nil\n\t}\n\treturn []byte("null"), nil\n}\n\n')
        return "".join(lines)

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
        code = _without_comments(body)
        listed = "".join(
            f"\t{text(name)}\n" for name in sorted(wanted) if any(one in code for one in wanted[name])
        )
        return f"import (\n{listed})\n\n{body}" if listed else body

    def _client_type(self) -> str:
        scopes = sorted(
            {
                scope
                for service in self._model.services
                for one in _operations(service)
                for scope in one.scopes
            }
        )
        lines = ["// Client of the services of this package.\ntype Client struct {\n\ttransport *transport\n"]
        for service in self._model.services:
            lines.append(doc("", [in_words(service.title)], "\t"))
            lines.append(f"\t{_service_member(service)} *{self._service_types[service.key]}\n")
        lines.append("\t// Sandbox of the app itself.\n\tSandbox *Sandbox\n}\n\n")
        listed = ", ".join(text(one) for one in scopes)
        lines.append(
            "// New makes a client. What Options leaves empty is read from KAIMEN_BASE_URL, KAIMEN_CLIENT_ID and KAIMEN_CLIENT_SECRET.\n"
            "func New(options Options) (*Client, error) {\n"
            f"\tt, err := newTransport(options, facts{{name: {text(self._module)}, version: {text(self._version)}, scopes: []string{{{listed}}}}})\n"
            "\tif err != nil {\n\t\treturn nil, err\n\t}\n\tc := &Client{transport: t, Sandbox: &Sandbox{t}}\n"
        )
        for service in self._model.services:
            member = _service_member(service)
            lines.append(f"\tc.{member} = &{self._service_types[service.key]}{{}}\n")
            for resource in service.resources:
                kind = self._resource_types[service.key, resource.name]
                target = (
                    f"c.{member}.{kind}"
                    if not resource.name
                    else f"c.{member}.{_resource_member(service, resource)}"
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
                f"\t{_resource_member(service, resource)} *{kind}\n" if resource.name else f"\t*{kind}\n"
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
        optional = _optional(operation)
        if not optional:
            return ""
        name = self._param_types[service.key, operation.id]
        lines = [f"// {name} are the optional parameters; nil leaves one out.\ntype {name} struct {{\n"]
        names = Names()
        for one in optional:
            lines.append(doc("", [in_words(one.text)], "\t"))
            made = self._type(one.type)
            lines.append(
                f"\t{field_name(names.take(one.name))} {made if one.type.kind in _NILABLE else '*' + made}\n"
            )
        return "".join([*lines, "}\n\n"])

    def _method(self, service: SdkService, kind: str, operation: SdkOperation) -> str:
        name = exported(operation.name)
        parts = ["ctx context.Context"] if operation.pages is None else []
        parts += [f"{variable(one.name)} {self._type(one.type)}" for one in _positional(operation)]
        body = self._body_type(operation)
        if body:
            parts.append(f"body {body}")
        if _optional(operation):
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
        return made if body.is_required or body.type.kind in _NILABLE else f"*{made}"

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
        if _optional(operation):
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
        optional = {one.wire + one.location: field_name(names.take(one.name)) for one in _optional(operation)}
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


def _without_comments(code: str) -> str:
    return "\n".join(line for line in code.split("\n") if not line.lstrip().startswith("//"))


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


def _service_member(service: SdkService) -> str:
    made = exported(service.name)
    return made + "_" if made in {"Sandbox", "String", "GoString"} else made


def _resource_member(service: SdkService, resource: Resource) -> str:
    own = next((one for one in service.resources if not one.name), None)
    taken = {exported(one.name) for one in own.operations} if own is not None else set()
    made = exported(resource.name)
    return made + "_" if made in taken else made
