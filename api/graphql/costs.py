"""The cost of a document before it runs, in the quota units of REST: weight of the class × items asked for.

A field of an operation costs what its REST call with these arguments costs; a nested one once for each value that
the lists above it can give. The sum is held against the plan first; each operation is charged when it runs, and
nothing is charged twice.
"""

from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)

from api.contract.model import QuotaClass, Service
from api.graphql.building import PLAN
from api.graphql.plans import BODY, CallPlan, Nesting

_LIST = 10  # items of a list about whose length the contract says nothing
_MOST_ITEMS = 1_000_000


def cost_of(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: dict[str, FragmentDefinitionNode],
    variables: dict[str, Any],
    services: dict[str, Service],
) -> tuple[dict[QuotaClass, int], bool]:
    """Units by quota class, and whether they are the same whatever the variables hold.

    The document is valid and within the limits.
    """
    made = _Sum(fragments, variables, services)
    root = schema.get_root_type(operation.operation)
    made.walk(root, operation.selection_set, 1, 1)
    return made.units, made.is_fixed


class _Sum:
    def __init__(
        self,
        fragments: dict[str, FragmentDefinitionNode],
        variables: dict[str, Any],
        services: dict[str, Service],
    ) -> None:
        self.units: dict[QuotaClass, int] = {}
        self.is_fixed = True  # no variable was looked at
        self._fragments = fragments
        self._variables = variables
        self._services = services

    def walk(self, parent: Any, selections: Any, times: int, size: int) -> None:
        """`times`: how often a value of this type may be there; `size`: what a list below it may hold."""
        for node in selections.selections:
            if isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                self.walk(parent, fragment.selection_set, times, size)
            elif isinstance(node, InlineFragmentNode):
                self.walk(parent, node.selection_set, times, size)
            elif isinstance(node, FieldNode):
                self._field(parent, node, times, size)

    def _field(self, parent: Any, node: FieldNode, times: int, size: int) -> None:
        fields = getattr(parent, "fields", None)
        field = fields.get(node.name.value) if fields is not None else self._member(parent, node.name.value)
        if field is None:
            return
        plan = field.extensions.get(PLAN)
        is_list = isinstance(get_nullable_type(field.type), GraphQLList)
        if isinstance(plan, CallPlan):
            items, size = self._items(plan, node)
            self._add(plan, times * items)
            if is_list:  # the answer is the list itself, not a page that holds it
                times, size = times * size, _LIST
        elif isinstance(plan, Nesting):
            times *= min(size, _LIST) if is_list else 1
            self._add(plan.plan, times)
            size = plan.plan.operation.max_rows or _LIST
        elif is_list:
            times *= size
            size = _LIST
        if node.selection_set is not None:
            self.walk(get_named_type(field.type), node.selection_set, min(times, _MOST_ITEMS), size)

    def _member(self, union: Any, name: str) -> Any:
        found = (one.fields.get(name) for one in getattr(union, "types", ()))
        return next((one for one in found if one is not None), None)

    def _add(self, plan: CallPlan, items: int) -> None:
        quota = plan.operation.quota
        self.units[quota] = self.units.get(quota, 0) + quota.weight * items

    def _items(self, plan: CallPlan, node: FieldNode) -> tuple[int, int]:
        """(items that the call is charged for, items that a list in its answer may hold)."""
        operation = plan.operation
        batch = next(
            (
                one.batch
                for one in self._services[plan.service_key].operations
                if one.batch is not None and one.batch.operation.rpartition("/")[2] == operation.id
            ),
            None,
        )
        if batch is not None:
            values = {argument.wire: self._value(node, name) for name, argument in plan.arguments.items()}
            given = values.get(batch.parameter)
            if given is None and any(one.location == BODY for one in plan.arguments.values()):
                body = values.get("")
                given = body.get(batch.parameter) if isinstance(body, dict) else body
            count = max(len(given), 1) if isinstance(given, list) else 1
            return count, count
        if operation.pagination is None or not operation.pagination.size:
            return 1, operation.max_rows or _LIST
        size = operation.pagination.size
        name = next((name for name, argument in plan.arguments.items() if argument.wire == size), "")
        asked = self._value(node, name)
        if not isinstance(asked, int):
            schema = next((one.schema for one in operation.parameters if one.name == size), {})
            stated = schema.get("default")
            asked = stated if isinstance(stated, int) and stated > 0 else operation.max_rows or 1
        asked = max(asked, 1)
        asked = min(asked, operation.max_rows) if operation.max_rows else asked
        return asked, asked

    def _value(self, node: FieldNode, name: str) -> Any:
        """What an argument comes to, as far as the cost asks: whole numbers and lists."""
        for argument in node.arguments or ():
            if argument.name.value == name:
                return self._plain(argument.value)
        return None

    def _plain(self, value: Any) -> Any:
        if isinstance(value, VariableNode):
            self.is_fixed = False
            return self._variables.get(value.name.value)
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, ListValueNode):
            return [None] * len(value.values)
        fields = getattr(value, "fields", None)
        return {one.name.value: self._plain(one.value) for one in fields} if fields else None
