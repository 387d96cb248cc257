"""Samples in Python, against the package that sdk.python writes. Bodies are mappings: the SDK takes them as they are."""

from api.contract.model import Json
from sdk.model import Kind, SdkModel, TypeRef
from sdk.python.naming import distinct, member
from sdk.python.views import Views
from sdk.snippets.calls import TOKEN, Call


class Samples:
    """Samples of a model's operations; `package` is the distribution, `kaimen-company`."""

    def __init__(self, model: SdkModel, package: str) -> None:
        views = Views(model)
        self._module = package.replace("-", "_")
        self._views = {
            one.key: views.service(one, {resource.name: "" for resource in one.resources})
            for one in model.services
        }

    def render(self, call: Call) -> str:
        """A program."""
        return _render(call, self._module, self._path(call))

    def _path(self, call: Call) -> str:
        """`company.annual_report.list`."""
        view = self._views[call.service.key]
        names = distinct([member(one.name) for one in call.resource.operations])
        method = names[call.resource.operations.index(call.operation)]
        if not call.resource.name:
            return f"{view.attribute}.{method}"
        nested = [one.name for one in call.service.resources if one.name]
        return f"{view.attribute}.{view.parts[nested.index(call.resource.name)][0]}.{method}"


def _render(call: Call, module: str, path: str) -> str:
    imports = set[str]()
    given = [_value(one.type, call.values[one.wire], imports, 8) for one in call.positional]
    kind = call.body_kind
    operation = call.operation
    if operation.body is not None:
        value = _body(call, imports)
        given.append(value if operation.body.is_required else f"body={value}")
    opened = "with Kaimen() as client:  # KAIMEN_BASE_URL, KAIMEN_CLIENT_ID, KAIMEN_CLIENT_SECRET"
    if operation.needs_consent:
        imports.add("import os")
        opened = (
            f'with Kaimen(access_token=os.environ["{TOKEN}"]) as client:  # the token that came with consent'
        )
    made = f"client.{path}({_listed(given, has_body=bool(kind))})"
    lines = [f"# {call.title}", *sorted(imports), *([""] if imports else [])]
    lines += [f"from {module} import Kaimen", "", opened]
    if operation.pages is not None:
        lines += [f"    for item in {made}:", "        print(item)"]
    elif call.is_download:
        lines += [f"    with {made} as download:", "        print(download.read())"]
    elif operation.answer.type is None:
        lines.append(f"    {made}")
    elif "\n" in made:
        lines += [f"    answer = {made}", "    print(answer)"]
    else:
        lines.append(f"    print({made})")
    return "\n".join(lines) + "\n"


def _listed(given: list[str], *, has_body: bool) -> str:
    if has_body and "\n" in given[-1]:
        return "\n        " + ",\n        ".join(given) + ",\n    "
    return ", ".join(given)


def _body(call: Call, imports: set[str]) -> str:
    body = call.operation.body
    assert body is not None
    if call.body_kind == "binary":
        return 'b"…"'.replace("…", "content")
    if call.body_kind == "text":
        return _literal(call.body if isinstance(call.body, str) else "content", 8)
    if call.body_kind == "multipart" and not isinstance(call.body, dict):
        return "{}"
    return _value(body.type, call.body, imports, 8)


def _value(ref: TypeRef, value: Json, imports: set[str], indent: int) -> str:
    """A literal of what the parameter or body is typed as; mappings hold JSON as it is."""
    if value is not None and isinstance(value, str):
        if ref.kind == Kind.DATE:
            imports.add("import datetime as dt")
            return f"dt.date.fromisoformat({value!r})"
        if ref.kind == Kind.DATE_TIME:
            imports.add("import datetime as dt")
            return f"dt.datetime.fromisoformat({value!r})"
        if ref.kind == Kind.DECIMAL:
            imports.add("from decimal import Decimal")
            return f"Decimal({value!r})"
        if ref.kind in {Kind.BYTES, Kind.BINARY}:
            return 'b"content"'
    if (
        ref.kind == Kind.ARRAY
        and isinstance(value, list)
        and ref.of is not None
        and ref.of.kind != Kind.NAMED
    ):
        return "[" + ", ".join(_value(ref.of, one, imports, indent) for one in value) + "]"
    return _literal(value, indent)


def _literal(value: Json, indent: int) -> str:
    space = " " * (indent + 4)
    if isinstance(value, dict) and value:
        rows = "".join(f"{space}{_text(key)}: {_literal(one, indent + 4)},\n" for key, one in value.items())
        return f"{{\n{rows}{' ' * indent}}}"
    if isinstance(value, list) and value:
        if all(not isinstance(one, dict | list) for one in value):
            return "[" + ", ".join(_literal(one, indent) for one in value) + "]"
        rows = "".join(f"{space}{_literal(one, indent + 4)},\n" for one in value)
        return f"[\n{rows}{' ' * indent}]"
    return _text(value) if isinstance(value, str) else repr(value)


def _text(value: str) -> str:
    plain = value.isprintable() and '"' not in value and "\\" not in value
    return f'"{value}"' if plain else repr(value)
