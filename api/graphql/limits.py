"""What a document may be: refused before anything is validated or run, in time that its size alone bounds.

Fragments are counted where they are used, each once worked out, so that a document that grows when it is spread
out is never spread out. The text itself goes nowhere but into the parser: no log, no error holds a piece of it.
"""

from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
)

from api.core.problem_types_graphql import GRAPHQL_INTROSPECTION, GRAPHQL_LIMIT, GRAPHQL_SYNTAX
from api.core.problems import Refusal, Text

MAX_BODY_BYTES = 256 * 1024
MAX_DOCUMENT_BYTES = 32 * 1024
MAX_TOKENS = 2000
MAX_COMMENTS = 200
MAX_DEPTH = 15
MAX_ALIASES = 50
MAX_FIELDS = 1000  # with fragments spread out
MAX_SELECTIONS = 200  # of one selection set, fragments not counted
MAX_REPEATS = 3  # of one field under one name in one selection set
MAX_DIRECTIVES = 50
MAX_DEFINITIONS = 50
MAX_SUBSCRIPTIONS = 10  # on one connection
MAX_CONNECTIONS_OF_APP = 20  # in one process
MAX_CONNECTIONS = 1000  # of one process

_WHAT = {
    "graphql-size": Text("文档字节数", "bytes of document"),
    "graphql-tokens": Text("词元数", "tokens"),
    "graphql-depth": Text("嵌套层数", "levels of nesting"),
    "graphql-aliases": Text("别名数", "aliases"),
    "graphql-fields": Text("展开后的字段数", "fields, fragments spread out"),
    "graphql-width": Text("同一层的字段数", "fields in one place"),
    "graphql-repeats": Text("同一字段的重复次数", "repetitions of one field in one place"),
    "graphql-directives": Text("指令数", "directives"),
    "graphql-definitions": Text("操作与片段数", "operations and fragments"),
    "graphql-cycle": Text("片段自身的引用次数", "uses of a fragment in itself"),
}


def read_document(text: str, schema_url: str) -> DocumentNode:
    """The document, within the limits.

    Raises Refusal: graphql-limit (its rule says which), graphql-syntax, graphql-introspection.
    """
    if len(text) > MAX_DOCUMENT_BYTES:
        raise _beyond("graphql-size", MAX_DOCUMENT_BYTES)
    try:
        document = parse(
            text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, allow_empty_selection_sets=False
        )
    except RecursionError:
        raise _beyond("graphql-depth", MAX_DEPTH) from None
    except GraphQLSyntaxError as error:
        if "nested too deeply" in error.message:
            raise _beyond("graphql-depth", MAX_DEPTH) from None
        if "Document contains more than" in error.message:
            raise _beyond("graphql-tokens", MAX_TOKENS) from None
        line, column = (error.locations[0].line, error.locations[0].column) if error.locations else (1, 1)
        raise Refusal(GRAPHQL_SYNTAX, line=line, column=column) from None
    _Walk(document, schema_url).check()
    return document


class _Walk:
    """Counts the document once."""

    def __init__(self, document: DocumentNode, schema_url: str) -> None:
        self._document = document
        self._schema_url = schema_url
        self._fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._worked_out: dict[str, tuple[int, int]] = {}  # fragment -> (depth, fields)
        self._open: set[str] = set()
        self._aliases = self._directives = 0

    def check(self) -> None:
        if len(self._document.definitions) > MAX_DEFINITIONS:
            raise _beyond("graphql-definitions", MAX_DEFINITIONS)
        for definition in self._document.definitions:
            if isinstance(definition, OperationDefinitionNode):
                self._count_directives(definition)
                self._bounded(*self._measure(definition.selection_set, 1))
            elif isinstance(definition, FragmentDefinitionNode):
                self._fragment(definition.name.value, 1)

    def _measure(self, selections: SelectionSetNode | None, level: int) -> tuple[int, int]:
        """(depth, fields) of a selection set."""
        if selections is None:
            return 0, 0
        if level > 2 * MAX_DEPTH:
            raise _beyond("graphql-depth", MAX_DEPTH)
        if len(selections.selections) > MAX_SELECTIONS:
            raise _beyond("graphql-width", MAX_SELECTIONS)
        deepest = fields = 0
        seen: dict[str, int] = {}
        for node in selections.selections:
            self._count_directives(node)
            if isinstance(node, FieldNode):
                self._count_field(node, seen)
                depth, below = self._measure(node.selection_set, level + 1)
                depth, below = depth + 1, below + 1
            elif isinstance(node, InlineFragmentNode):
                depth, below = self._measure(node.selection_set, level + 1)
            elif isinstance(node, FragmentSpreadNode):
                depth, below = self._fragment(node.name.value, level)
            else:
                continue
            deepest, fields = max(deepest, depth), fields + below
            self._bounded(deepest, fields)
        return deepest, fields

    def _fragment(self, name: str, level: int) -> tuple[int, int]:
        known = self._worked_out.get(name)
        if known is not None:
            return known
        definition = self._fragments.get(name)
        if definition is None:
            return 0, 1  # validation says so
        if name in self._open:
            raise _beyond("graphql-cycle", 0)
        self._open.add(name)
        made = self._worked_out[name] = self._measure(definition.selection_set, level + 1)
        self._open.discard(name)
        return made

    def _count_field(self, node: FieldNode, seen: dict[str, int]) -> None:
        name = node.name.value
        if name in {"__schema", "__type"}:
            raise Refusal(GRAPHQL_INTROSPECTION, schema=self._schema_url)
        shown = name
        if node.alias is not None:
            shown = node.alias.value
            self._aliases += 1
            if self._aliases > MAX_ALIASES:
                raise _beyond("graphql-aliases", MAX_ALIASES)
        seen[shown] = seen.get(shown, 0) + 1
        if seen[shown] > MAX_REPEATS:
            raise _beyond("graphql-repeats", MAX_REPEATS)

    def _count_directives(self, node: Any) -> None:
        self._directives += len(node.directives or ())
        if self._directives > MAX_DIRECTIVES:
            raise _beyond("graphql-directives", MAX_DIRECTIVES)

    def _bounded(self, depth: int, fields: int) -> None:
        if depth > MAX_DEPTH:
            raise _beyond("graphql-depth", MAX_DEPTH)
        if fields > MAX_FIELDS:
            raise _beyond("graphql-fields", MAX_FIELDS)


def _beyond(rule: str, limit: int) -> Refusal:
    return Refusal(GRAPHQL_LIMIT, rule=rule, limit=limit, what=_WHAT[rule])
