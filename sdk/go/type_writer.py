"""The types of a Go package: structs with their unknown members, open enumerations, unions; and how a value is written."""

from collections.abc import Iterator

from sdk.escaping import in_words
from sdk.go.naming import doc, field_name, tag, text, type_name
from sdk.model import (
    EnumType,
    Field,
    Kind,
    NamedType,
    ObjectType,
    Param,
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
NILABLE = frozenset({Kind.ARRAY, Kind.MAP, Kind.ANY, Kind.BYTES, Kind.BINARY})


class TypeWriter:
    """Writes types; what the client is made of shares its names."""

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
            for operation in operations_of(service):
                if optional_params(operation):
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
        return f"*{made}" if ref.is_nullable and ref.kind not in NILABLE else made

    def _member(self, field: Field, *, owner: Words) -> str:
        """The type of a struct member: pointers for what may be absent, Nullable for what may be null and absent."""
        made = self._type(field.type)
        if field.type.is_nullable and not field.is_required:
            return f"*Nullable[{made}]"
        if field.type.kind in NILABLE:
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
        code = without_comments(body)
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


def without_comments(code: str) -> str:
    return "\n".join(line for line in code.split("\n") if not line.lstrip().startswith("//"))


def operations_of(service: SdkService) -> Iterator[SdkOperation]:
    for resource in service.resources:
        yield from resource.operations


def optional_params(operation: SdkOperation) -> list[Param]:
    return [one for one in operation.params if not one.is_required]
