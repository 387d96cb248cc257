"""What the templates print: code that is escaped already, from the model. No text of a department goes another way."""

from collections.abc import Iterator

from msgspec import Struct

from sdk.escaping import in_words
from sdk.model import (
    BodyPart,
    EnumType,
    Event,
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
from sdk.python.naming import BUILTINS, constant, distinct, doc, member, text, type_name
from sdk.wording import Names, words_of

_PLAIN = {
    Kind.STRING: "str", Kind.INTEGER: "int", Kind.LONG: "int", Kind.NUMBER: "float", Kind.DECIMAL: "_d.Decimal",
    Kind.BOOLEAN: "bool", Kind.DATE: "_dt.date", Kind.DATE_TIME: "_dt.datetime", Kind.BYTES: "bytes",
    Kind.BINARY: "bytes", Kind.ANY: "_v.JsonValue",
}  # fmt: skip
_CODECS = {Kind.DATE: "d", Kind.DATE_TIME: "t", Kind.DECIMAL: "n", Kind.BYTES: "b"}
_MAPPING = "_c.Mapping[str, _t.Any]"


class FieldView(Struct, frozen=True):
    """A member of a dataclass: its declaration, its documentation, its row in the table."""

    declaration: str
    doc: str
    row: str


class TypeView(Struct, frozen=True):
    """A type of models.py."""

    name: str
    doc: str
    fields: tuple[FieldView, ...] = ()
    others: str = ""  # annotation of members that the contract does not name
    others_codec: str = ""
    base: str = ""  # of an enumeration
    values: tuple[tuple[str, str], ...] = ()
    alternatives: str = ""  # of a union
    variants: str = ""


class MethodView(Struct, frozen=True):
    """An operation: the constant that describes it, and its two methods."""

    name: str
    fact: str  # name of the constant
    description: str
    signature: str
    async_signature: str
    returns: str  # of the method for threads
    async_returns: str
    answer: str
    values: str
    body: str
    call: str  # _call, _pages or _download
    doc: str


class ServiceView(Struct, frozen=True):
    """A service as an attribute of the client; `parts` are (attribute, tag, class) of its resources."""

    attribute: str
    name: str
    doc: str
    own: tuple[str, str] | None
    parts: tuple[tuple[str, str, str], ...]


class Views:
    """The views of one model."""

    def __init__(self, model: SdkModel) -> None:
        self._model = model
        self._kinds: dict[Words, NamedType] = {one.name: one for one in model.types}
        every = [one.name for one in model.types]
        self._names = dict(zip(every, distinct([type_name(one) for one in every]), strict=True))
        self._members = {one.name: _members_of(one) for one in model.types if isinstance(one, ObjectType)}

    # -- types --------------------------------------------------------------------------------------
    def annotation(self, ref: TypeRef, *, prefix: str = "", shadowed: frozenset[str] = frozenset()) -> str:
        """The type of a value that comes."""
        made = self._annotation(ref, prefix, shadowed)
        return f"{made} | None" if ref.is_nullable and ref.kind != Kind.ANY else made

    def _annotation(self, ref: TypeRef, prefix: str, shadowed: frozenset[str]) -> str:
        def builtin(name: str) -> str:
            return f"_b.{name}" if name in shadowed else name

        inner = (
            self.annotation(ref.of, prefix=prefix, shadowed=shadowed)
            if ref.of is not None
            else "_v.JsonValue"
        )
        if ref.kind == Kind.ARRAY:
            return f"{builtin('list')}[{inner}]"
        if ref.kind == Kind.MAP:
            return f"{builtin('dict')}[{builtin('str')}, {inner}]"
        if ref.kind == Kind.NAMED:
            return prefix + self._names[ref.name]
        return builtin(_PLAIN[ref.kind])

    def given(self, ref: TypeRef, shadowed: frozenset[str]) -> str:
        """The type of a value that is given: objects also as mappings, enumerations also as their values."""
        inner = self.given(ref.of, shadowed) if ref.of is not None else "_t.Any"
        word = "_b.str" if "str" in shadowed else "str"
        if ref.kind == Kind.ARRAY:
            made = f"_c.Sequence[{inner}]"
        elif ref.kind == Kind.MAP:
            made = f"_c.Mapping[{word}, {inner}]"
        elif ref.kind == Kind.NAMED:
            one = self._kinds[ref.name]
            name = f"_m.{self._names[ref.name]}"
            if isinstance(one, EnumType):
                plain = "str" if one.base == Kind.STRING else "int"
                made = f"{name} | {'_b.' if plain in shadowed else ''}{plain}"
            else:
                made = f"{name} | _c.Mapping[{word}, _t.Any]"
        else:
            made = self._annotation(ref, "_m.", shadowed)
        return f"{made} | None" if ref.is_nullable and ref.kind != Kind.ANY else made

    def codec(self, ref: TypeRef | None) -> object:
        """How values.py changes a value on its way."""
        if ref is None:
            return ""
        if ref.kind in {Kind.ARRAY, Kind.MAP}:
            inner = self.codec(ref.of)
            return ("a" if ref.kind == Kind.ARRAY else "m", inner) if inner else ""
        if ref.kind == Kind.NAMED:
            one = self._kinds[ref.name]
            kind = "e" if isinstance(one, EnumType) else "u" if isinstance(one, UnionType) else "o"
            return (kind, self._names[ref.name])
        return _CODECS.get(ref.kind, "")

    def type(self, one: NamedType) -> TypeView:
        """What models.py says of a type."""
        name, about = self._names[one.name], doc([in_words(one.text)])
        if isinstance(one, EnumType):
            names = distinct([constant(value.name) for value in one.values])
            values = tuple((key, text(value.wire)) for key, value in zip(names, one.values, strict=True))
            base = "_v.OpenStr" if one.base == Kind.STRING else "_v.OpenInt"
            return TypeView(name, about, base=base, values=values)
        if isinstance(one, UnionType):
            inner = [self._names[variant.type.name] for variant in one.variants]
            choices = tuple(
                (self._names[variant.type.name], variant.tags, self._required(variant.type.name))
                for variant in one.variants
            )
            return TypeView(
                name,
                "".join(
                    f"# {line.strip()}\n" for line in about.replace('"""', "").splitlines() if line.strip()
                ),
                alternatives=text(" | ".join([*inner, "_v.UnknownVariant"])),
                variants=f"_v.Variants({text(one.property)}, {text(choices)})",
            )
        return self._object(one, name, about)

    def unions(self) -> list[TypeView]:
        """The unions of the package."""
        return [self.type(one) for one in self._model.types if isinstance(one, UnionType)]

    def _required(self, name: Words) -> tuple[str, ...]:
        one = self._kinds[name]
        if isinstance(one, ObjectType):
            return tuple(field.wire for field in one.fields if field.is_required and not field.is_write_only)
        return ()

    def _object(self, one: ObjectType, name: str, about: str) -> TypeView:
        members = self._members[one.name]
        shadowed = BUILTINS & set(members.values())
        fields = [self._field(field, members[field.wire], shadowed) for field in one.fields]
        inner = self.annotation(one.others, shadowed=shadowed) if one.others is not None else "_v.JsonValue"
        key = "_b.str" if "str" in shadowed else "str"
        others = f"{'_b.' if 'dict' in shadowed else ''}dict[{key}, {inner}]"
        return TypeView(name, about, tuple(fields), others, text(self.codec(one.others)))

    def _field(self, field: Field, name: str, shadowed: frozenset[str]) -> FieldView:
        kind = self.annotation(field.type, shadowed=shadowed)
        if field.is_required and not field.is_write_only:
            declared = f"{name}: {kind}"
        elif field.type.is_nullable and field.type.kind != Kind.ANY:
            declared = f"{name}: {kind} | _v.Unset = _v.UNSET"
        elif field.type.kind == Kind.ANY:
            declared = f"{name}: {kind} = _v.UNSET"
        else:
            declared = f"{name}: {kind} | None = None"
        about = [in_words(field.text)]
        if field.is_deprecated:
            about.append("Deprecated.")
        row = [text(name), text(field.wire), text(self.codec(field.type))]
        is_null_kept = field.type.is_nullable or field.type.kind == Kind.ANY
        if field.is_sensitive or is_null_kept:
            row.append(text(field.is_sensitive))
        if is_null_kept:
            row.append("True")
        return FieldView(declared, doc(about), f"_v.Member({', '.join(row)})")

    # -- operations ---------------------------------------------------------------------------------
    def resource(self, service: SdkService, resource: Resource) -> list[tuple[SdkOperation, MethodView]]:
        """The methods of a resource."""
        names = distinct([member(one.name) for one in resource.operations])
        shadowed = frozenset(BUILTINS & set(names))
        return [
            (one, self._method(service, one, name, shadowed))
            for one, name in zip(resource.operations, names, strict=True)
        ]

    def _method(
        self, service: SdkService, one: SdkOperation, name: str, shadowed: frozenset[str]
    ) -> MethodView:
        params = dict(
            zip(map(id, one.params), distinct([member(param.name) for param in one.params]), strict=True)
        )
        ahead = [f"{params[id(param)]}: {self.given(param.type, shadowed)}" for param in _positional(one)]
        behind = [
            f"{params[id(param)]}: {_optional(self.given(param.type, shadowed))} = None"
            for param in one.params
            if not param.is_required
        ]
        options = "options: _r.CallOptions | None = None"

        def signature(*, is_async: bool) -> str:
            given = list(ahead)
            rest = [*behind, options]
            if one.body is not None:
                kind = self._body_type(one.body, shadowed, is_async=is_async)
                if one.body.is_required:
                    given.append(f"body: {kind}")
                else:
                    rest.insert(0, f"body: {_optional(kind)} = None")
            return ", ".join(["self", *given, "*", *rest])

        answer = one.answer.type
        is_binary = answer is not None and answer.kind == Kind.BINARY and not one.answer.is_json
        kind = self.annotation(answer, prefix="_m.", shadowed=shadowed) if answer is not None else "None"
        item = (
            self.annotation(one.pages.item, prefix="_m.", shadowed=shadowed) if one.pages is not None else ""
        )
        fact = f"OP_{name}"
        values = "".join(f"{params[id(param)]}, " for param in one.params)
        return MethodView(
            name=name,
            fact=fact,
            description=self._description(service, one, is_binary=is_binary),
            signature=signature(is_async=False),
            async_signature=signature(is_async=True),
            returns=f"_r.Page[{item}]" if item else "_r.Download" if is_binary else kind,
            async_returns=f"_r.AsyncPages[{item}]" if item else "_r.AsyncDownload" if is_binary else kind,
            answer=self.annotation(answer, prefix="_m.") if answer is not None else "None",
            values=f"({values.strip()})" if values else "()",
            body="body" if one.body is not None else "None",
            call="_pages" if item else "_download" if is_binary else "_call",
            doc=doc(_about(one), "        "),
        )

    def _body_type(self, body: BodyPart, shadowed: frozenset[str], *, is_async: bool) -> str:
        kind = _body_kind(body)
        if kind == "multipart" or (kind == "form" and body.type.kind != Kind.NAMED):
            return _MAPPING.replace("str", "_b.str" if "str" in shadowed else "str")
        if kind == "raw":
            word = "_b.str" if "str" in shadowed else "str"
            upload = "_r.AsyncUpload" if is_async else "_r.Upload"
            return upload if body.type.kind == Kind.BINARY else f"{word} | {upload}"
        return self.given(body.type, shadowed)

    def _description(self, service: SdkService, one: SdkOperation, *, is_binary: bool) -> str:
        parts = [text(one.http_method), text(service.base_path + one.path)]
        if one.params:
            params = [
                f"_r.Param({', '.join([text(param.wire), text(param.location), text(param.style), text(param.explode), *(['True'] if param.is_json else [])])})"
                for param in one.params
            ]
            parts.append(f"params=({', '.join(params)},)")
        answer = one.answer
        if answer.type is not None:
            if answer.is_json and (codec := self.codec(answer.type)):
                parts.append(f"codec={text(codec)}")
            parts.append(f"answer={text('bytes' if is_binary else 'json' if answer.is_json else 'text')}")
            if not answer.is_json:
                parts.append(f"accept={text(answer.media_type)}")
        if one.body is not None:
            parts += [f"body={text(_body_kind(one.body))}", f"media_type={text(one.body.media_type)}"]
        if one.is_idempotent:
            parts.append("is_idempotent=True")
        if one.pages is not None:
            pages = one.pages
            page = self._members.get(answer.type.name, {}) if answer.type is not None else {}
            names = (
                pages.style,
                pages.cursor,
                pages.size,
                page.get(pages.items, ""),
                page.get(pages.next, ""),
            )
            parts.append(f"pages=_r.PageNames({', '.join(map(text, names))})")
        return f"_r.Operation({', '.join(parts)})"

    # -- services, scenarios, events ----------------------------------------------------------------
    def service(self, service: SdkService, tags: dict[Words, str]) -> ServiceView:
        """The service; `tags` are the modules of its resources."""
        own = next((one for one in service.resources if not one.name), None)
        taken = [member(one.name) for one in own.operations] if own is not None else []
        parts = [one for one in service.resources if one.name]
        names = distinct([*distinct(taken), *(member(one.name) for one in parts)])[len(taken) :]
        return ServiceView(
            attribute=member(service.name),
            name=type_name((*service.name, "service")),
            doc=doc([in_words(service.title), in_words(service.about)]),
            own=(tags[()], class_of(service, own)) if own is not None else None,
            parts=tuple(
                (name, tags[one.name], class_of(service, one)) for name, one in zip(names, parts, strict=True)
            ),
        )

    def scenarios(self, service: SdkService) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """(operation, its scenarios by constant), of operations that have some."""
        for resource in service.resources:
            for operation in resource.operations:
                names = Names()
                found = [
                    (constant(names.take(words_of(one.id, "scenario"))), text(one.id))
                    for one in operation.scenarios
                ]
                if found:
                    yield member((*resource.name, *operation.name)), found

    def events(self) -> list[tuple[str, str, str, str, str]]:
        """(class, type, annotation of the data, codec, documentation) of every event."""
        found: list[Event] = [one for service in self._model.services for one in service.events]
        names = distinct([type_name((*one.name, "event")) for one in found])
        return [
            (
                name,
                text(one.type),
                self.annotation(one.data, prefix="_m."),
                text(self.codec(one.data)),
                doc([in_words(one.text)]),
            )
            for name, one in zip(names, found, strict=True)
        ]

    def scopes(self) -> str:
        """The scopes that the package's operations need, as a literal."""
        return text(
            tuple(
                sorted(
                    {
                        scope
                        for service in self._model.services
                        for resource in service.resources
                        for operation in resource.operations
                        for scope in operation.scopes
                    }
                )
            )
        )


def class_of(service: SdkService, resource: Resource) -> str:
    """`CompanyAnnualReportResource`."""
    return type_name((*service.name, *resource.name, "resource"))


def _members_of(one: ObjectType) -> dict[str, str]:
    names = distinct([member(field.name) for field in one.fields])
    return {field.wire: name for field, name in zip(one.fields, names, strict=True)}


def _positional(operation: SdkOperation) -> list[Param]:
    """Required parameters: those of the path in its order, then the others."""
    required = [one for one in operation.params if one.is_required]
    return sorted(
        required,
        key=lambda one: operation.path.find("{" + one.wire + "}") if one.location == "path" else 10_000,
    )


def _optional(kind: str) -> str:
    return kind if kind.endswith(" | None") or kind == "_v.JsonValue" else f"{kind} | None"


def _body_kind(body: BodyPart) -> str:
    kind = body.media_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return "multipart"
    if kind == "application/x-www-form-urlencoded":
        return "form"
    return "json" if kind == "application/json" or kind.endswith("+json") else "raw"


def _about(operation: SdkOperation) -> list[str]:
    found = [in_words(operation.text), in_words(operation.about)]
    if operation.needs_consent:
        found.append("Needs a person's consent; see the documentation of consent.")
    if operation.is_deprecated:
        found.append(f"Deprecated. {operation.sunset}".strip())
    return found
