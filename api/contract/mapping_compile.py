"""Compiling the shapes of a mapping: what is written in YAML, with the contract's schema, becomes rules that run."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from api.contract.mapping_schema import Meant, Schemas
from api.contract.mapping_shapes import (
    ABSENT,
    ROWS,
    Constant,
    Dropped,
    Each,
    Leaf,
    MappingError,
    Medium,
    Node,
    Shape,
)  # fmt: skip
from api.contract.mapping_values import TEXT, Chain, CodesRule, JsonRule, parse_rules

SAME = "same"
_DEEPEST = 12


class Spot(Struct):
    """What is at hand where something is compiled, and the losses that were met: (pointer, what)."""

    codes: Mapping[str, Any]
    shapes: Mapping[str, Any]
    schemas: Schemas
    medium: Medium
    losses: list[tuple[str, str]] = field(default_factory=list)


def compile_value(spec: Any, meant: Meant, spot: Spot, pointer: str, name: str, depth: int = 0) -> Node:
    """The rule for one value. `spec` is as the mapping writes it: a path with rules, or an object of settings.

    Raises MappingError.
    """
    if depth > _DEEPEST:
        raise MappingError(pointer, "the shapes nest too deep")
    if isinstance(spec, str):
        path, _, rules = spec.partition("|")
        return _at_path(path.strip(), rules.strip(), meant, spot, pointer, depth, ABSENT)
    if not isinstance(spec, dict):
        raise MappingError(
            pointer, "a native path, or an object with at, as, fields, each, const, default or drop"
        )
    unknown = set(spec) - {"at", "as", "fields", "each", "const", "default", "drop", "codes", "others"}
    if unknown:
        raise MappingError(pointer, f"unknown keys: {', '.join(sorted(map(str, unknown)))}")
    path = str(spec.get("at", "")).strip()
    made: Node
    if "drop" in spec:
        spot.losses.append((pointer, f"{name}: {spec['drop']}"))
        made = Dropped("", meant)
    elif "const" in spec:
        made = Constant("", meant, spec["const"])
    elif "each" in spec:
        made = _each(path, spec["each"], meant, spot, pointer, depth)
    elif "fields" in spec:
        made = compile_shape(path, spec["fields"], meant, spot, f"{pointer}/fields", depth)
    elif "codes" in spec:
        made = _with_codes(path, spec, meant, spot, pointer)
    else:
        made = _at_path(
            path, str(spec.get("as", "")), meant, spot, pointer, depth, spec.get("default", ABSENT)
        )
    return made


def _with_codes(path: str, spec: dict[str, Any], meant: Meant, spot: Spot, pointer: str) -> Node:
    codes = spec["codes"]
    if isinstance(codes, str):
        codes = spot.codes.get(codes)
    if not isinstance(codes, dict):
        raise MappingError(f"{pointer}/codes", "an object {contract value: native code}, or the name of one")
    try:
        rule = CodesRule(codes, keeps_others=spec.get("others") == "keep")
    except ValueError as error:
        raise MappingError(f"{pointer}/codes", str(error)) from error
    chain = Chain([rule], _kind(meant), spot.medium.values)
    return Leaf(path, meant, chain, spot.medium, spec.get("default", ABSENT))


def _kind(meant: Meant) -> str:
    return "any" if meant.kind in {"object", "list"} else meant.kind


def _at_path(path: str, rules: str, meant: Meant, spot: Spot, pointer: str, depth: int, default: Any) -> Node:
    if not path:
        raise MappingError(pointer, "no native path")
    if not rules and meant.kind in {"object", "list"}:
        if spot.medium.is_table and path != ROWS:
            return Leaf(path, meant, Chain([JsonRule()], "any", spot.medium.values), spot.medium, default)
        if meant.kind == "list":
            return _each(path, SAME, meant, spot, pointer, depth)
        if meant.properties:
            return compile_shape(path, SAME, meant, spot, pointer, depth)
    try:
        found = parse_rules(rules, spot.codes) if rules else []
    except ValueError as error:
        raise MappingError(pointer, str(error)) from error
    kind = _kind(meant)
    if kind == "any" and not found and spot.medium.values == TEXT:
        if meant.kind != "any" or meant.schema:
            found = [JsonRule()]  # an open value in a text: only JSON brings it back as it was
        else:
            kind = "string"
    chain = Chain(found, kind, spot.medium.values)
    spot.losses.extend((pointer, loss) for loss in chain.losses)
    return Leaf(path, meant, chain, spot.medium, default)


def _each(path: str, spec: Any, meant: Meant, spot: Spot, pointer: str, depth: int) -> Node:
    if not path:
        raise MappingError(pointer, "a list needs a native path")
    items = spot.schemas.items(meant)
    where = f"{pointer}/each"
    item: Node
    if isinstance(spec, str) and spec.startswith("|"):
        item = _at_path("#text", spec[1:].strip(), items, spot, where, depth + 1, ABSENT)
    elif spec == SAME and items.kind not in {"object", "list"}:
        item = _at_path("#text", "", items, spot, where, depth + 1, ABSENT)
    elif items.kind == "list":
        item = Leaf("#text", items, Chain([JsonRule()], "any", spot.medium.values), spot.medium)
    else:
        item = compile_shape("", spec, items, spot, where, depth + 1)
    if spot.medium.repeats and "/" not in path:
        spot.losses.append((pointer, f"{path}: an empty list and no list are the same on the wire"))
    return Each(path, meant, item, spot.medium)


def compile_shape(path: str, spec: Any, meant: Meant, spot: Spot, pointer: str, depth: int = 0) -> Shape:
    """The rule for an object. `spec`: fields by name, the name of a shape, or `same`. Raises MappingError."""
    if depth > _DEEPEST:
        raise MappingError(pointer, "the shapes nest too deep")
    shape_name = ""
    if isinstance(spec, str) and spec != SAME:
        if spec not in spot.shapes:
            known = ", ".join(spot.shapes) or "none"
            raise MappingError(pointer, f"there is no shape {spec}; there are {known}")
        shape_name, spec, pointer = spec, spot.shapes[spec], f"/shapes/{spec}"
    if spec == SAME:
        spec = {"*": SAME}
    if not isinstance(spec, dict):
        raise MappingError(pointer, "fields by name, the name of a shape, or the word same")
    fields = _fields(spec, meant, spot, pointer, depth)
    if spec.get("*") is None:
        _tell_missing(fields, meant, spot, pointer)
    elif spec["*"] != SAME:
        raise MappingError(f"{pointer}/*", "the only thing that * can be is `same`")
    else:
        for name in meant.properties:
            if name not in fields:
                inner = spot.schemas.at(meant, name)
                # in XML a list gets an element around it, so that none and an empty one stay two things
                inside = f"{name}/item" if inner.kind == "list" and spot.medium.repeats else name
                fields[name] = compile_value(inside, inner, spot, f"{pointer}/{name}", name, depth + 1)
    return Shape(path, meant, fields, name=shape_name)


def _fields(spec: dict[str, Any], meant: Meant, spot: Spot, pointer: str, depth: int) -> dict[str, Node]:
    """The fields that are written out, `address.street` as a field of the object `address`."""
    fields: dict[str, Node] = {}
    nested: dict[str, dict[str, Any]] = {}
    for name, one in spec.items():
        first, _, inner = str(name).partition(".")
        if name == "*":
            continue
        if inner:
            nested.setdefault(first, {})[inner] = one
            fields.setdefault(first, Dropped("", meant))  # keeps the place
        else:
            where = f"{pointer}/{first}"
            fields[first] = compile_value(one, spot.schemas.at(meant, first), spot, where, first, depth + 1)
    for first, inner_spec in nested.items():
        fields[first] = compile_shape(
            "", inner_spec, spot.schemas.at(meant, first), spot, f"{pointer}/{first}", depth + 1
        )
    return fields


def _tell_missing(fields: dict[str, Node], meant: Meant, spot: Spot, pointer: str) -> None:
    for name in meant.properties:
        if name not in fields:
            spot.losses.append((f"{pointer}/{name}", f"the contract's {name} is not in the mapping"))
    is_closed = meant.kind == "object" and not meant.schema.get("additionalProperties")
    if meant.properties and is_closed:
        for name in fields:
            if name not in meant.properties:
                spot.losses.append((f"{pointer}/{name}", f"the contract has no {name} here"))
