"""The router of one service version: path templates in a trie of segments.

A literal segment goes before a mixed one (`{name}.{format}`), a mixed one before a parameter; a branch that
leads nowhere is left for the next one. The path decides first, the method second: a literal path that lacks a
method answers 405 and never falls through to a template. A last slash makes another path.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

Match = tuple[
    dict[str, Any], list[str]
]  # (method -> (what was added, parameter names), values in path order)

_PARAMETER = re.compile(r"\{([^{}]*)\}")


class _Mixed:
    """A segment of literals and parameters: `{name}.{format}`, `{id}:cancel`, `v{number}`."""

    __slots__ = ("literal_length", "node", "pattern", "source")

    def __init__(self, source: str, node: "_Node") -> None:
        # The first parameter takes as much as it can: `{name}.{format}` reads a.tar.gz as a.tar and gz.
        pieces = _PARAMETER.split(source)
        literals = [unquote(piece) for piece in pieces[0::2]]
        self.pattern = re.compile("(.+)".join(re.escape(literal) for literal in literals), re.DOTALL)
        self.literal_length = sum(map(len, literals))
        self.source = "{}".join(literals)
        self.node = node


class _Node:
    __slots__ = ("literals", "methods", "mixed", "parameter")

    def __init__(self) -> None:
        self.literals = _NONE
        self.mixed: list[_Mixed] = []
        self.parameter: _Node | None = None
        self.methods: dict[str, Any] | None = None


_NONE: dict[str, _Node] = {}  # shared by all nodes without literals: one less cold line of memory on the way


class Trie:
    """Finds what was added for a path. Not changed once it serves."""

    __slots__ = ("_root", "paths")

    def __init__(self) -> None:
        self._root = _Node()
        self.paths = 0

    def add(self, method: str, template: str, value: Any) -> bool:
        """Add a template such as `/companies/{code}`. False when the same path and method are there already."""
        template = template.partition("?")[0].partition("#")[0]
        node, names = self._root, []
        for segment in template.lstrip("/").split("/"):
            found = _PARAMETER.findall(segment)
            names += found
            node = _descend(node, segment, bool(found))
        if node.methods is None:
            node.methods = {}
            self.paths += 1
        if method in node.methods:
            return False
        node.methods[method] = (value, tuple(names))
        return True

    def find(self, path: str) -> Match | None:
        """The methods at a normalised path (without its first slash), or None when there is no such path.

        The values stand in the order of the path; each method has its own names for them.
        """
        segments = path.split("/")
        values: list[str] = []
        node = self._root
        for segment in segments:  # the way that most paths take: no mixed segment, no turning back
            child = node.literals.get(segment)
            if child is None:
                child = node.parameter
                if child is None or node.mixed or not segment:
                    break
                values.append(segment)
            node = child
        else:
            if node.methods is not None:
                return node.methods, values
        values = []
        methods = _walk(self._root, segments, 0, values)
        return None if methods is None else (methods, values)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        """All (method, value) pairs."""
        stack = [self._root]
        while stack:
            node = stack.pop()
            for method, (value, _) in (node.methods or {}).items():
                yield method, value
            stack += [*node.literals.values(), *(mixed.node for mixed in node.mixed)]
            if node.parameter is not None:
                stack.append(node.parameter)


def _descend(node: _Node, segment: str, has_parameter: bool) -> _Node:
    if not has_parameter:
        if node.literals is _NONE:
            node.literals = {}
        return node.literals.setdefault(unquote(segment), _Node())
    if segment.startswith("{") and segment.endswith("}") and segment.count("{") == 1:
        if node.parameter is None:
            node.parameter = _Node()
        return node.parameter
    made = _Mixed(segment, _Node())
    for mixed in node.mixed:
        if mixed.source == made.source:
            return mixed.node
    node.mixed.append(made)
    node.mixed.sort(key=lambda mixed: -mixed.literal_length)
    return made.node


def _walk(node: _Node, segments: list[str], at: int, values: list[str]) -> dict[str, Any] | None:
    """Depth first, in order of precedence; `values` holds the parameters of the way that is being tried."""
    if at == len(segments):
        return node.methods
    segment = segments[at]
    child = node.literals.get(segment)
    if child is not None:
        found = _walk(child, segments, at + 1, values)
        if found is not None:
            return found
    if not segment:
        return None  # a last slash is no parameter
    for mixed in node.mixed:
        match = mixed.pattern.fullmatch(segment)
        if match is not None:
            values.extend(match.groups())
            found = _walk(mixed.node, segments, at + 1, values)
            if found is not None:
                return found
            del values[len(values) - len(match.groups()) :]
    if node.parameter is not None:
        values.append(segment)
        found = _walk(node.parameter, segments, at + 1, values)
        if found is not None:
            return found
        values.pop()
    return None
