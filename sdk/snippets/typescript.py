"""Samples in TypeScript, against the package that sdk.typescript writes; they are JavaScript too."""

import json

from api.contract.model import Json
from sdk.model import Kind, ObjectType, SdkModel, TypeRef
from sdk.snippets.calls import TOKEN, Call, Fitting, only_known
from sdk.typescript.members import method_name, object_key, resource_member, service_member
from sdk.typescript.naming import member


class Samples:
    """Samples of a model's operations; `package` is `@kaimen/company`."""

    def __init__(self, model: SdkModel, package: str) -> None:
        self._fitting, self._package = Fitting(model), package

    def render(self, call: Call) -> str:
        """A program."""
        return _render(call, self._fitting, self._package)


def _render(call: Call, fitting: Fitting, package: str) -> str:
    given = [_value(fitting, one.type, call.values[one.wire], 0) for one in call.positional]
    body = call.operation.body
    if body is not None:
        given.append(_body(call, fitting))
    made = f"client.{_path(call)}({', '.join(given)})"
    opened = "new Kaimen(); // KAIMEN_BASE_URL, KAIMEN_CLIENT_ID, KAIMEN_CLIENT_SECRET"
    if call.operation.needs_consent:
        opened = f'new Kaimen({{ accessToken: process.env["{TOKEN}"] }}); // the token that came with consent'
    lines = [f"// {call.title}", f'import {{ Kaimen }} from "{package}";', "", f"const client = {opened}"]
    if call.operation.pages is not None:
        lines += [f"for await (const item of {made}) {{", "  console.log(item);", "}"]
    elif call.is_download:
        lines += [
            f"const download = await {made};",
            "console.log((await download.arrayBuffer()).byteLength);",
        ]
    elif call.operation.answer.type is None:
        lines.append(f"await {made};")
    else:
        lines.append(f"console.log(await {made});")
    return "\n".join(lines) + "\n"


def _path(call: Call) -> str:
    parts = [service_member(call.service)]
    if call.resource.name:
        parts.append(resource_member(call.service, call.resource))
    parts.append(method_name(call.operation))
    return ".".join(parts)


def _body(call: Call, fitting: Fitting) -> str:
    body = call.operation.body
    assert body is not None
    if call.body_kind == "binary":
        return 'new TextEncoder().encode("content")'
    if call.body_kind == "text":
        return quoted(call.body if isinstance(call.body, str) else "content")
    if call.body_kind == "multipart":
        return _plain(call.body if isinstance(call.body, dict) else {}, 0)
    return _value(fitting, body.type, call.body, 0)


def _value(fitting: Fitting, ref: TypeRef, value: Json, indent: int) -> str:
    """A literal that the type takes; what it does not take is JSON that is read at run time."""
    value = only_known(fitting, ref, value)
    if not fitting.fits(ref, value):
        return f"JSON.parse({quoted(json.dumps(value, ensure_ascii=False))})"
    return _literal(fitting, ref, value, indent)


def _literal(fitting: Fitting, ref: TypeRef, value: Json, indent: int) -> str:
    if ref.kind == Kind.ARRAY and isinstance(value, list) and ref.of is not None:
        inner = ref.of
        return "[" + ", ".join(_literal(fitting, inner, one, indent) for one in value) + "]"
    kind = fitting.kinds.get(ref.name) if ref.kind == Kind.NAMED else None
    if isinstance(kind, ObjectType) and isinstance(value, dict):
        fields = {field.wire: field for field in kind.fields}
        space = " " * (indent + 2)
        rows = [
            f"{space}{object_key(member(fields[name].name))}: {_literal(fitting, fields[name].type, one, indent + 2)},\n"
            for name, one in value.items()
        ]
        return "{\n" + "".join(rows) + " " * indent + "}" if rows else "{}"
    return _plain(value, indent)


def _plain(value: Json, indent: int) -> str:
    """JSON is JavaScript; lines as a person writes them."""
    space = " " * (indent + 2)
    if isinstance(value, dict) and value:
        rows = "".join(f"{space}{quoted(key)}: {_plain(one, indent + 2)},\n" for key, one in value.items())
        return "{\n" + rows + " " * indent + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_plain(one, indent) for one in value) + "]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(value: str) -> str:
    """A string literal: what does not print, or is no character by itself, is an escape."""
    out = []
    for char in value:
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable() and not 0xD800 <= ord(char) <= 0xDFFF:
            out.append(char)
        else:
            pair = char.encode("utf-16-be", "surrogatepass")
            out += [f"\\u{pair[at : at + 2].hex()}" for at in range(0, len(pair), 2)]
    return '"' + "".join(out) + '"'
