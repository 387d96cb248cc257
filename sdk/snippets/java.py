"""Samples in Java, against the package that sdk.java writes: one class, one file."""

import json

from api.contract.model import Json
from sdk.java import naming
from sdk.java.emitter import resource_method
from sdk.java.naming import package_name
from sdk.java.types import IMPORTS, codec, java_type
from sdk.model import EnumType, Kind, ObjectType, SdkModel, TypeRef
from sdk.snippets.calls import TOKEN, Call, Fitting, only_known

_SCALARS = {
    Kind.DATE: "LocalDate.parse({})", Kind.DATE_TIME: "OffsetDateTime.parse({})", Kind.DECIMAL: "new BigDecimal({})",
}  # fmt: skip


class Samples:
    """Samples of a model's operations; `package` is the artifact, `gov.kaimen.sdk:company`."""

    def __init__(self, model: SdkModel, package: str) -> None:
        self._fitting, self._package = Fitting(model), package_name(package)

    def render(self, call: Call) -> str:
        """A program."""
        return _render(call, self._fitting, self._package)


def _render(call: Call, fitting: Fitting, own: str) -> str:
    given = [_value(fitting, one.type, call.values[one.wire], 0) for one in call.positional]
    statements: list[str] = []
    if call.operation.body is not None:
        kind, value = _body(call, fitting)
        statements.append(f"{kind} body = {value};")
        given.append("body")
    made = f"client.{_path(call)}({', '.join(given)})"
    opened = "Kaimen.create(); // KAIMEN_BASE_URL, KAIMEN_CLIENT_ID, KAIMEN_CLIENT_SECRET"
    if call.operation.needs_consent:
        opened = f'Kaimen.builder().accessToken(System.getenv("{TOKEN}")).build(); // the token that came with consent'
    statements.insert(0, f"Kaimen client = {opened}")
    if call.operation.pages is not None:
        statements.append(f"for (var item : {made}) {{\n      System.out.println(item);\n    }}")
    elif call.is_download:
        statements.append(
            f"try (var download = {made}) {{\n      System.out.println(download.readAllBytes().length);\n    }}"
        )
    elif call.operation.answer.type is None:
        statements.append(f"{made};")
    else:
        statements.append(f"System.out.println({made});")
    body = "".join(f"    {one}\n" for one in statements)
    throws = " throws java.io.IOException" if call.is_download else ""
    imports = [
        path
        for name, path in IMPORTS.items()
        if f"{name}." in body or f"{name}<" in body or f" {name}(" in body or f"{name} body" in body
    ]
    imports += ["java.net.http.HttpRequest.BodyPublishers"] if "BodyPublishers." in body else []
    lines = "".join(f"import {one};\n" for one in sorted({f"{own}.*", *imports}))
    return f"// {call.title}\n{lines}\npublic class Sample {{\n  public static void main(String[] args){throws} {{\n{body}  }}\n}}\n"


def _path(call: Call) -> str:
    parts = [naming.service(call.service.name)]
    if call.resource.name:
        parts.append(resource_method(call.service, call.resource))
    parts.append(naming.operation(call.operation.name))
    return "().".join(parts)


def _body(call: Call, fitting: Fitting) -> tuple[str, str]:
    """The type of the body and its value."""
    body = call.operation.body
    assert body is not None
    if call.body_kind == "multipart":
        parts = call.body if isinstance(call.body, dict) else {}
        listed = ", ".join(
            f"Part.value({naming.text(name)}, {naming.text(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False))})"
            for name, one in parts.items()
        )
        return "List<Part>", f"List.of({listed})"
    if call.body_kind == "binary":
        return "BodyPublisher", 'BodyPublishers.ofString("content")'
    if call.body_kind == "text":
        return "String", naming.text(call.body if isinstance(call.body, str) else "content")
    return java_type(body.type), _value(fitting, body.type, call.body, 4)


def _value(fitting: Fitting, ref: TypeRef, value: Json, indent: int) -> str:
    """An expression of the type; what its builders do not take is JSON that is read at run time."""
    value = only_known(fitting, ref, value)
    if not fitting.fits(ref, value):
        return f"{codec(ref)}.read(Json.parse({naming.text(json.dumps(value, ensure_ascii=False))}))"
    return _literal(fitting, ref, value, indent)


def _literal(fitting: Fitting, ref: TypeRef, value: Json, indent: int) -> str:
    if value is None:
        return "null"
    if ref.kind == Kind.ARRAY and isinstance(value, list) and ref.of is not None:
        inner = ref.of
        return "List.of(" + ", ".join(_literal(fitting, inner, one, indent) for one in value) + ")"
    kind = fitting.kinds.get(ref.name) if ref.kind == Kind.NAMED else None
    name = java_type(ref)
    if isinstance(kind, ObjectType) and isinstance(value, dict):
        fields = {field.wire: field for field in kind.fields}
        space = " " * (indent + 8)
        rows = [
            f"\n{space}.{naming.member(fields[wire].name)}({_literal(fitting, fields[wire].type, one, indent + 8)})"
            for wire, one in value.items()
        ]
        return f"{name}.builder(){''.join(rows)}\n{space}.build()" if rows else f"{name}.builder().build()"
    if isinstance(kind, EnumType):
        return f"{name}.of({naming.text(value) if isinstance(value, str) else f'{value}L'})"
    return _scalar(ref, value)


def _scalar(ref: TypeRef, value: Json) -> str:
    if isinstance(value, str):
        return _SCALARS.get(ref.kind, "{}").format(naming.text(value))
    if ref.kind == Kind.LONG:
        return f"{value}L"
    return (
        f"{float(value)!r}"
        if ref.kind == Kind.NUMBER and not isinstance(value, dict | list)
        else json.dumps(value)
    )
