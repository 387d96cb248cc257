"""Shapes: how a JSON value of the contract lies in the tree of a department's answer or request, both ways.

A native tree is what every wire format is read into: dicts by name, lists, scalars; `@name` an attribute, `#text`
the text of an element that also has attributes. A native path is names with slashes: `JBXX/XM`, `XM/@lang`.
Shapes are compiled once from the mapping and the contract's schema, then run for each call.
"""

from typing import Any

from msgspec import Struct

from api.contract.mapping_schema import Meant
from api.contract.mapping_values import TEXT, Chain, RuleError

ROWS = "rows"  # the name of the list of rows in a tree that came from a table
ABSENT: Any = object()


class Medium(Struct, frozen=True):
    """What a wire format can tell apart."""

    values: str  # TYPED or TEXT
    is_table: bool = False  # rows and columns: no nesting, absent and null are the same
    has_null: bool = True  # JSON null, xsi:nil
    repeats: bool = False  # XML: a list is an element that stands several times
    has_empty_text: bool = True  # "" is something else than nothing


XML = Medium(TEXT, repeats=True)
JSON = Medium("typed")
SQL = Medium("typed", is_table=True)
FILES = Medium(TEXT, is_table=True, has_null=False, has_empty_text=False)


class ShapeError(ValueError):
    """A tree that does not hold what the mapping says. `at` is the native path, `reason` names no value."""

    def __init__(self, at: str, reason: str) -> None:
        super().__init__(f"{at}: {reason}")
        self.at = at
        self.reason = reason


class MappingError(ValueError):
    """A mapping that means nothing. `pointer` into the mapping, with a sentence for its author."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(f"{pointer}: {message}")
        self.pointer = pointer
        self.message = message


def put_at(tree: dict[str, Any], steps: tuple[str, ...], native: Any) -> None:
    """Put a value at a native path, making the nodes on the way."""
    place = tree
    for step in steps[:-1]:
        inner = place.get(step)
        if not isinstance(inner, dict):
            # an element that had text so far, and now gets an attribute or a child beside it
            inner = {} if inner is None else {"#text": inner}
            place[step] = inner
        place = inner
    last = steps[-1]
    present = place.get(last)
    if isinstance(present, dict) and not isinstance(native, dict) and last[:1] != "@":
        present["#text"] = native
    else:
        place[last] = native


class Node:
    """One compiled rule: a value at a native path."""

    __slots__ = ("container", "default", "has_default", "last", "meant", "steps")

    def __init__(self, path: str, meant: Meant, default: Any = ABSENT) -> None:
        self.steps = tuple(step for step in path.split("/") if step)
        self.container = self.steps[:-1]
        self.last = self.steps[-1] if self.steps else ""
        self.meant = meant
        self.has_default = default is not ABSENT
        self.default = default

    def write(self, tree: dict[str, Any], value: Any) -> None:
        raise NotImplementedError

    def read(self, tree: Any) -> Any:
        raise NotImplementedError

    def put(self, tree: dict[str, Any], native: Any) -> None:
        put_at(tree, self.steps, native)

    def find(self, tree: Any) -> Any:
        """The native value, `ABSENT` where there is none."""
        for step in self.steps:
            if isinstance(tree, dict):
                tree = tree.get(step, ABSENT)
            elif isinstance(tree, list) and len(tree) == 1 and isinstance(tree[0], dict):
                tree = tree[0].get(step, ABSENT)
            else:
                return ABSENT
            if tree is ABSENT:
                return ABSENT
        return tree


class Leaf(Node):
    """A scalar, or what its rules make one."""

    __slots__ = ("chain", "medium")

    def __init__(self, path: str, meant: Meant, chain: Chain, medium: Medium, default: Any = ABSENT) -> None:
        super().__init__(path, meant, default)
        self.chain = chain
        self.medium = medium

    def write(self, tree: dict[str, Any], value: Any) -> None:
        if self.has_default and value == self.default:
            return
        if value is None:
            self.put(tree, None)
            return
        try:
            self.put(tree, self.chain.to_native(value))
        except (RuleError, TypeError, ArithmeticError) as fault:
            raise ShapeError("/".join(self.steps), str(fault)) from fault

    def read(self, tree: Any) -> Any:
        found = self.find(tree) if self.steps else tree
        if found is ABSENT or (found == "" and not self.medium.has_empty_text):
            return self._nothing()
        if found is None:
            return None if self.meant.nullable and self.medium.has_null else self._nothing()
        try:
            return self.chain.from_native(found)
        except (RuleError, TypeError, ArithmeticError) as fault:
            raise ShapeError("/".join(self.steps), str(fault)) from fault

    def _nothing(self) -> Any:
        return self.default if self.has_default else ABSENT


class Constant(Node):
    """A value that the contract has and the department does not send."""

    __slots__ = ()

    def write(self, tree: dict[str, Any], value: Any) -> None:
        if value != self.default:
            raise ShapeError("", "the mapping says a constant, the value is another")

    def read(self, tree: Any) -> Any:
        return self.default


class Dropped(Node):
    """A property that the department does not have: a loss that the mapping states."""

    __slots__ = ()

    def write(self, tree: dict[str, Any], value: Any) -> None:
        return

    def read(self, tree: Any) -> Any:
        return ABSENT


class Shape(Node):
    """An object: its fields by name. With a path of its own it lies in that node, without in the one around it."""

    __slots__ = ("fields", "name")

    def __init__(self, path: str, meant: Meant, fields: dict[str, Node], *, name: str = "") -> None:
        super().__init__(path, meant)
        self.fields = fields
        self.name = name

    def write(self, tree: dict[str, Any], value: Any) -> None:
        if not isinstance(value, dict):
            if value is None and self.steps:
                self.put(tree, None)
                return
            raise ShapeError("/".join(self.steps), "an object is meant")
        if self.steps:
            inner: dict[str, Any] = {}
            self.put(tree, inner)
            tree = inner
        for name, node in self.fields.items():
            if name in value:
                node.write(tree, value[name])

    def read(self, tree: Any) -> Any:
        if self.steps:
            tree = self.find(tree)
            if tree is ABSENT:
                return ABSENT
            if tree is None:
                return None if self.meant.nullable else ABSENT
        if isinstance(tree, list) and len(tree) == 1:
            tree = tree[0]
        if not isinstance(tree, dict):
            if tree not in ("", None) and not isinstance(tree, str):
                raise ShapeError("/".join(self.steps), "an object is meant")
            tree = {"#text": tree} if tree else {}
        value = {}
        for name, node in self.fields.items():
            found = node.read(tree)
            if found is not ABSENT:
                value[name] = found
        if not value and not self.steps:
            return ABSENT
        return value


class Each(Node):
    """A list: its items as one native list, or as an element that stands several times."""

    __slots__ = ("item", "medium")

    def __init__(self, path: str, meant: Meant, item: Node, medium: Medium) -> None:
        super().__init__(path, meant)
        self.item = item
        self.medium = medium

    def write(self, tree: dict[str, Any], value: Any) -> None:
        if value is None:
            self.put(tree, None)
            return
        if not isinstance(value, list | tuple):
            raise ShapeError("/".join(self.steps), "a list is meant")
        natives = []
        for one in value:
            box: dict[str, Any] = {}
            self.item.write(box, one)
            natives.append(box.get("#text") if isinstance(self.item, Leaf) else box)
        self.put(tree, natives)

    def read(self, tree: Any) -> Any:
        found = self.find(tree)
        if found is ABSENT:
            if not self.medium.repeats:
                return ABSENT
            around = tree
            for step in self.container:
                around = around.get(step, ABSENT) if isinstance(around, dict) else ABSENT
            return ABSENT if around is ABSENT or around is None else []
        if found is None:
            return None if self.meant.nullable else ABSENT
        if not isinstance(found, list):
            if not self.medium.repeats:
                raise ShapeError("/".join(self.steps), "a list is meant")
            found = [found]
        value = []
        for one in found:
            item = self.item.read({"#text": one} if isinstance(self.item, Leaf) else one)
            if self.medium.is_table and _is_nothing(item):
                continue  # the one row of a list without items: what stands beside the list
            value.append({} if item is ABSENT else item)
        return value


def _is_nothing(item: Any) -> bool:
    return item is ABSENT or (isinstance(item, dict) and all(value is None for value in item.values()))


def to_native(node: Node, value: Any) -> dict[str, Any]:
    """The native tree of a value. Raises ShapeError."""
    tree: dict[str, Any] = {}
    node.write(tree, value)
    return tree


def from_native(node: Node, tree: Any) -> Any:
    """The value of a native tree; {} where there is nothing of it. Raises ShapeError."""
    found = node.read(tree)
    return {} if found is ABSENT else found
