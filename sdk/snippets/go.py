"""Samples in Go, against the module that sdk.go writes: package main."""

import datetime as dt
import json

from api.contract.model import Json
from sdk.go.emitter import Writer, resource_member, service_member
from sdk.go.naming import exported, field_name
from sdk.go.type_writer import NILABLE, optional_params
from sdk.model import EnumType, Field, Kind, ObjectType, SdkModel, TypeRef, Words
from sdk.snippets.calls import TOKEN, Call, Fitting, only_known


class Samples(Writer):
    """Samples of a model's operations; `package` is the module, `gov.kaimen/sdk/company`. Types have the module's names."""

    def __init__(self, model: SdkModel, package: str) -> None:
        super().__init__(model, package, "0.0.0")
        self._fitting = Fitting(model)
        self._imports: set[str] = set()
        self._before: list[str] = []

    def render(self, call: Call) -> str:
        """A program."""
        self._imports, self._before = {"context", "fmt"}, []
        operation = call.operation
        given = [] if operation.pages is not None else ["ctx"]
        given += [
            self._argument(one.type, call.values[one.wire], f"p{at}")
            for at, one in enumerate(call.positional)
        ]
        if operation.body is not None:
            given.append(self._body_value(call))
        if optional_params(operation):
            given.append("nil")
        path = [service_member(call.service)]
        path += [resource_member(call.service, call.resource)] if call.resource.name else []
        made = f"client.{'.'.join([*path, exported(operation.name)])}({', '.join(given)})"
        options = "sdk.Options{}) // KAIMEN_BASE_URL, KAIMEN_CLIENT_ID, KAIMEN_CLIENT_SECRET"
        if operation.needs_consent:
            self._imports.add("os")
            options = f'sdk.Options{{AccessToken: os.Getenv("{TOKEN}")}}) // the token that came with consent'
        body = [
            "ctx := context.Background()",
            f"client, err := sdk.New({options}",
            *_CHECK,
            *self._before,
            *self._used(call, made),
        ]
        listed = "".join(f'\t"{one}"\n' for one in sorted(self._imports))
        inner = "".join(f"\t{one}\n" for one in body)
        return f'// {call.title}\npackage main\n\nimport (\n{listed}\n\tsdk "{self._module}"\n)\n\nfunc main() {{\n{inner}}}\n'

    def _used(self, call: Call, made: str) -> list[str]:
        operation = call.operation
        if operation.pages is not None:
            return [
                f"pages := {made}", "for pages.Next(ctx) {", '\tfmt.Printf("%+v\\n", pages.Item())', "}",
                "if err := pages.Err(); err != nil {", "\tpanic(err)", "}",
            ]  # fmt: skip
        if operation.answer.type is None:
            return [f"if err := {made}; err != nil {{", "\tpanic(err)", "}", 'fmt.Println("done")']
        if call.is_download:
            self._imports.add("io")
            return [
                f"download, err := {made}", *_CHECK, "defer download.Close()", "size, err := io.Copy(io.Discard, download)",
                *_CHECK, "fmt.Println(size)",
            ]  # fmt: skip
        return [f"answer, err := {made}", *_CHECK, 'fmt.Printf("%+v\\n", answer)']

    # -- values --------------------------------------------------------------------------------------
    def _body_value(self, call: Call) -> str:
        body = call.operation.body
        assert body is not None
        if call.body_kind == "multipart":
            parts = call.body if isinstance(call.body, dict) else {}
            rows = [
                f"{{Name: {quoted(name)}, Value: {quoted(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False))}}}"
                for name, one in parts.items()
            ]
            return f"[]sdk.Part{{{', '.join(rows)}}}"
        if call.body_kind == "binary":
            self._imports.add("strings")
            return 'strings.NewReader("content")'
        if call.body_kind == "text":
            value = quoted(call.body if isinstance(call.body, str) else "content")
        else:
            value = self._argument(body.type, call.body, "body")
        is_pointer = not body.is_required and body.type.kind not in NILABLE
        return f"sdk.Ptr({value})" if is_pointer else value

    def _argument(self, ref: TypeRef, value: Json, name: str) -> str:
        """An expression of the type; what its literals do not take is JSON that is read before the call."""
        value = only_known(self._fitting, ref, value)
        if value is not None and self._fitting.fits(ref, value):
            return self._literal(ref, value, 1)
        self._imports.add("encoding/json")
        text = quoted(json.dumps(value, ensure_ascii=False))
        self._before += [
            f"var {name} {self._qualified(ref)}",
            f"if err := json.Unmarshal([]byte({text}), &{name}); err != nil {{", "\tpanic(err)", "}",
        ]  # fmt: skip
        return name

    def _qualified(self, ref: TypeRef | None) -> str:
        """The type as another package writes it."""
        if ref is None or ref.kind == Kind.ANY:
            return "any"
        if ref.kind in {Kind.ARRAY, Kind.MAP}:
            inner = self._qualified(ref.of)
            if ref.of is not None and ref.of.is_nullable and ref.of.kind not in NILABLE:
                inner = "*" + inner
            return ("[]" if ref.kind == Kind.ARRAY else "map[string]") + inner
        made = self._type(ref)
        if made == "time.Time":
            self._imports.add("time")
            return made
        return f"sdk.{made}" if ref.kind in {Kind.NAMED, Kind.DATE, Kind.DECIMAL} else made

    def _literal(self, ref: TypeRef, value: Json, depth: int) -> str:
        kind = self._kinds.get(ref.name) if ref.kind == Kind.NAMED else None
        if ref.kind == Kind.ARRAY and isinstance(value, list) and ref.of is not None:
            inner = ref.of
            is_pointer = inner.is_nullable and inner.kind not in NILABLE
            listed = [
                self._pointed(inner, one, depth) if is_pointer else self._literal(inner, one, depth)
                for one in value
            ]
            return f"{self._qualified(ref)}{{{', '.join(listed)}}}"
        if isinstance(kind, ObjectType) and isinstance(value, dict):
            return self._struct(kind, ref, value, depth)
        if ref.kind == Kind.DATE_TIME:
            return self._moment(str(value))
        return quoted(value) if isinstance(value, str) else json.dumps(value)

    def _struct(self, kind: ObjectType, ref: TypeRef, value: dict[str, Json], depth: int) -> str:
        fields = {field.wire: field for field in kind.fields}
        tabs = "\t" * (depth + 1)
        rows = [
            f"{tabs}{field_name(fields[wire].name)}: {self._member_value(fields[wire], kind.name, one, depth + 1)},\n"
            for wire, one in value.items()
        ]
        end = "\t" * depth
        return f"{self._qualified(ref)}{{\n{''.join(rows)}{end}}}" if rows else f"{self._qualified(ref)}{{}}"

    def _member_value(self, field: Field, owner: Words, value: Json, depth: int) -> str:
        declared = self._member(field, owner=owner)
        if declared.startswith("*Nullable["):
            made = self._qualified(field.type)
            return (
                f"sdk.Null[{made}]()"
                if value is None
                else f"sdk.Some({self._typed(field.type, value, depth)})"
            )
        if not declared.startswith("*"):
            return "nil" if value is None else self._literal(field.type, value, depth)
        return "nil" if value is None else self._pointed(field.type, value, depth)

    def _pointed(self, ref: TypeRef, value: Json, depth: int) -> str:
        if value is None:
            return "nil"
        kind = self._kinds.get(ref.name) if ref.kind == Kind.NAMED else None
        if isinstance(kind, ObjectType):
            return "&" + self._literal(ref, value, depth)
        return f"sdk.Ptr({self._typed(ref, value, depth)})"

    def _typed(self, ref: TypeRef, value: Json, depth: int) -> str:
        """A literal that has its type even where nothing asks for it."""
        made = self._literal(ref, value, depth)
        kind = self._kinds.get(ref.name) if ref.kind == Kind.NAMED else None
        is_plain = ref.kind in {
            Kind.STRING,
            Kind.BOOLEAN,
            Kind.DATE_TIME,
            Kind.ARRAY,
            Kind.MAP,
        } or isinstance(kind, ObjectType)
        return made if is_plain and not isinstance(kind, EnumType) else f"{self._qualified(ref)}({made})"

    def _moment(self, value: str) -> str:
        self._imports.add("time")
        at = dt.datetime.fromisoformat(value)
        offset = at.utcoffset()
        seconds = 0 if offset is None else int(offset.total_seconds())
        zone = "time.UTC" if not seconds else f'time.FixedZone("", {seconds})'
        parts = (at.year, at.month, at.day, at.hour, at.minute, at.second, at.microsecond * 1000)
        return f"time.Date({', '.join(str(one) for one in parts)}, {zone})"


_CHECK = ["if err != nil {", "\tpanic(err)", "}"]


def quoted(value: str) -> str:
    """A string literal that keeps what prints."""
    out = []
    for char in value:
        code = ord(char)
        if char in '"\\':
            out.append("\\" + char)
        elif 0xD800 <= code <= 0xDFFF:
            out.append("\\ufffd")
        elif char.isprintable():
            out.append(char)
        else:
            out.append(f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")
    return '"' + "".join(out) + '"'
