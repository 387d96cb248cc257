"""Normalising `components.schemas`: legal and distinct names, references that end somewhere, marks for what
generated code cannot say.
"""

import re
import unicodedata
from collections.abc import Iterator

from api.contract import notices_normal as notices
from api.contract.model import JsonObject
from api.contract.naming import pascal
from api.contract.normalise_enums import types_of
from api.contract.pointers import escape, join, split
from api.contract.report import Report
from api.contract.upgrade import schemas_of

PREFIX = "#/components/schemas/"
_LEGAL = re.compile(r"[A-Za-z][A-Za-z0-9._-]*\Z")
RESERVED = frozenset(
    {
        "response", "client", "unset", "file", "errors", "types", "object", "string", "integer", "boolean", "number",
        "array", "map", "list", "set", "date", "class", "type", "enum", "none", "true", "false", "any", "void",
        "null", "self", "record", "function", "promise", "symbol", "error", "exception", "optional", "package",
    }
)  # fmt: skip
_MOST_PARTS = 2_000  # schemas that one value is checked against at once, through references
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WHY = {
    "illegal": (
        "名称只能用 ASCII 字母、数字、点、横线",
        "names are ASCII letters, digits, dot, hyphen and underscore",
    ),
    "reserved": ("与生成代码里的类型重名", "generated code has a type of that name"),
    "double": (
        "与另一个组件只差大小写或标点",
        "it differs from another component by case or punctuation only",
    ),
}


def class_key(name: str) -> str:
    """What two names have in common when generated code gives them one name."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def normalise_names(document: JsonObject, report: Report) -> dict[str, str]:
    """Rename components where needed, rewrite all references; returns old -> new of those renamed."""
    schemas = document["components"]["schemas"]
    renamed: dict[str, str] = {}
    taken: set[str] = set()
    made: JsonObject = {}
    for name, schema in schemas.items():
        new, why = _legal_name(name, taken)
        taken.add(class_key(new))
        if new != name:
            renamed[name] = new
            if isinstance(schema, dict):
                schema.setdefault("x-original-name", name)
            report.lose(
                notices.COMPONENT_RENAMED,
                join("/components/schemas", name),
                old=name,
                new=new,
                why_zh=_WHY[why][0],
                why_en=_WHY[why][1],
            )
        made[new] = schema
    document["components"]["schemas"] = made
    _rewrite_references(document, renamed, report)
    return renamed


def _legal_name(name: str, taken: set[str]) -> tuple[str, str]:
    why = ""
    base = name
    if not _LEGAL.match(name):
        why = "illegal"
        folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
        base = re.sub(r"[^A-Za-z0-9._-]+", "_", folded).strip("_.-") or "Schema"
        base = base if base[0].isalpha() else f"Model{base}"
    if class_key(base) in RESERVED:
        why = why or "reserved"
        base = f"{base}Model"
    new, number = base, 2
    while class_key(new) in taken:
        why = why or "double"
        new, number = f"{base}_{number}", number + 1
    return new, why


def _rewrite_references(document: JsonObject, renamed: dict[str, str], report: Report) -> None:
    schemas = document["components"]["schemas"]
    for schema, pointer in schemas_of(document):
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref.startswith(PREFIX):
            name = split(ref.removeprefix("#"))[-1]
            schema["$ref"] = PREFIX + escape(renamed.get(name, name))
        discriminator = schema.get("discriminator")
        if isinstance(discriminator, dict) and isinstance(discriminator.get("mapping"), dict):
            _rewrite_mapping(discriminator, schemas, renamed, pointer, report)


def _rewrite_mapping(
    discriminator: JsonObject, schemas: JsonObject, renamed: dict[str, str], pointer: str, report: Report
) -> None:
    """Mapping values are names, references, or files that the bundler turned into components."""
    made = {}
    for value, target in discriminator["mapping"].items():
        last = target.rsplit("/", 1)[-1].replace("~1", "/").replace("~0", "~")
        stem = last.rsplit(".", 1)[0]
        name = next((renamed.get(one, one) for one in (last, stem) if renamed.get(one, one) in schemas), None)
        if name is None:
            report.lose(
                notices.DISCRIMINATOR,
                pointer,
                what_zh=f"指向不存在的 {target}",
                what_en=f"maps to {target}, which is not there",
            )
            continue
        made[value] = PREFIX + escape(name)
    if made:
        discriminator["mapping"] = made
    else:
        discriminator.pop("mapping")


# --- endless recursion -----------------------------------------------------------------------------
def break_endless(document: JsonObject, report: Report) -> None:
    """Open every reference by which a component is nothing but itself."""
    schemas = document["components"]["schemas"]
    done: set[str] = set()
    for start in schemas:
        _break_from(start, schemas, done, report)


def _break_from(start: str, schemas: JsonObject, done: set[str], report: Report) -> None:
    """Depth first with an explicit stack: a chain of aliases can be as long as the document."""
    if start in done:
        return
    path = [start]
    walks = [iter(list(_own_references(schemas.get(start))))]
    while walks:
        holder = next(walks[-1], None)
        if holder is None:
            walks.pop()
            done.add(path.pop())
            continue
        name = split(holder["$ref"].removeprefix("#"))[-1]
        if name in path:
            del holder["$ref"]
            report.lose(notices.RECURSION_ENDLESS, join("/components/schemas", path[-1]), name=name)
        elif name not in done and name in schemas:
            path.append(name)
            walks.append(iter(list(_own_references(schemas[name]))))


def open_exploding(document: JsonObject, report: Report) -> None:
    """Open the components that hold themselves together from too many parts: checking one value would take forever.

    `A0: allOf [A1, A1]`, `A1: allOf [A2, A2]` … is 2^n checks of one value. The most that was seen in a real contract is 16.
    """
    schemas = document["components"]["schemas"]
    costs: dict[str, int] = {}
    stack = [(name, False) for name in schemas]
    while stack:
        name, is_ready = stack.pop()
        if name in costs:
            continue
        parts = [split(one["$ref"].removeprefix("#"))[-1] for one in _own_references(schemas.get(name))]
        if not is_ready:
            stack.append((name, True))
            stack.extend((part, False) for part in parts if part not in costs)
            continue
        costs[name] = 1 + sum(costs.get(part, 1) for part in parts)
        if costs[name] > _MOST_PARTS:
            costs[name] = 1
            schemas[name] = {"x-loss": ["composition-explodes"]}
            report.lose(notices.EXPLODES, join("/components/schemas", name), name=name, most=_MOST_PARTS)


def _own_references(schema: object) -> Iterator[JsonObject]:
    """The reference holders that apply to the same instance as the schema itself."""
    stack = [schema]
    while stack:
        one = stack.pop()
        if not isinstance(one, dict):
            continue
        if isinstance(one.get("$ref"), str):
            yield one
        for key in ("allOf", "anyOf", "oneOf"):
            if isinstance(one.get(key), list):
                stack.extend(one[key])
        stack.extend(one[key] for key in ("not", "if", "then", "else") if key in one)


# --- marks -----------------------------------------------------------------------------------------
def mark_schema(schema: JsonObject, pointer: str, schemas: JsonObject, report: Report) -> None:
    """Tell what generated code cannot say about this schema; marks keep it from being told again."""
    if isinstance(schema.get("properties"), dict):
        _name_properties(schema["properties"], pointer, report)
    if isinstance(schema.get("allOf"), list) and "allof-conflict" not in schema.get("x-loss", ()):
        conflict = _conflict_in(schema["allOf"], schemas)
        if conflict:
            schema["x-loss"] = [*schema.get("x-loss", ()), "allof-conflict"]
            report.lose(notices.ALLOF_CONFLICT, pointer, name=conflict)


def _property_key(name: str) -> str:
    snake = _CAMEL.sub("_", name)
    return re.sub(r"[\W_]+", "_", snake.lower()).strip("_")


def _name_properties(properties: JsonObject, pointer: str, report: Report) -> None:
    taken: dict[str, str] = {}
    for name, schema in properties.items():
        given = schema.get("x-sdk-name") if isinstance(schema, dict) else None
        own = given if isinstance(given, str) else name
        key = _property_key(own)
        if key not in taken:
            taken[key] = name
            continue
        if not isinstance(schema, dict):
            continue
        number = 2
        while f"{key or 'field'}_{number}" in taken:
            number += 1
        schema["x-sdk-name"] = f"{key or 'field'}_{number}"
        report.lose(
            notices.PROPERTY_COLLISION,
            join(pointer, "properties", name),
            name=name,
            other=taken[key],
            instead=schema["x-sdk-name"],
        )
        taken[schema["x-sdk-name"]] = name


def _conflict_in(branches: list[JsonObject], schemas: JsonObject) -> str:
    """The first property to which the branches give types that exclude each other; "" when there is none."""
    seen: dict[str, set[str]] = {}
    for branch in branches:
        for name, kinds in _property_types(branch, schemas):
            known = seen.setdefault(name, kinds)
            if not known & kinds:
                return name
    return ""


def _property_types(branch: object, schemas: JsonObject) -> Iterator[tuple[str, set[str]]]:
    """(property, its types) of a branch and of all that it is composed of, each component once."""
    stack, visited = [branch], set[str]()
    while stack:
        schema = stack.pop()
        if not isinstance(schema, dict):
            continue
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in visited:
            visited.add(ref)
            stack.append(schemas.get(split(ref.removeprefix("#"))[-1]))
        stack.extend(schema.get("allOf", ()))
        for name, child in schema.get("properties", {}).items():
            kinds = set(types_of(child)) - {"null"} if isinstance(child, dict) else set()
            if kinds:
                yield name, kinds | ({"integer", "number"} if kinds & {"integer", "number"} else set())


def type_name(text: str) -> str:
    """A class name from any text, "" where it has no ASCII word."""
    name = pascal(text)
    return name if name[:1].isalpha() else f"N{name}" if name else ""
