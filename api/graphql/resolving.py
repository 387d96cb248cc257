"""Resolvers: a field of an operation runs it through the pipeline, a nested one joins those that ask for the same.

They find what they work with in the request's context (running.Running) and know no HTTP.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from api.graphql.plans import BODY, Argument, CallPlan, Nesting

if TYPE_CHECKING:
    from api.graphql.running import Running

Resolver = Callable[..., Any]
_LISTED = 1000  # of one nested list


def operation_resolver(plan: CallPlan) -> Resolver:
    """The resolver of an operation's own field."""
    is_safe = plan.operation.is_safe

    def resolve(source: Any, info: Any, **values: Any) -> Any:
        running: Running = info.context
        call = _located(plan.arguments, values)
        path = info.path.as_list()
        return running.call(plan, call, path) if is_safe else running.call_in_turn(plan, call, path)

    return resolve


def nested_resolver(nesting: Nesting) -> Resolver:
    """The resolver of a field that x-ref leads to."""

    def resolve(source: Any, info: Any) -> Any:
        value = source.get(nesting.wire)
        if value is None:
            return None
        running: Running = info.context
        path = info.path.as_list()
        if nesting.is_list:
            listed = value[:_LISTED] if isinstance(value, list) else []
            return [running.load(nesting, one, path) for one in listed]
        return running.load(nesting, value, path)

    return resolve


def _located(arguments: dict[str, Argument], values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The arguments' values by location and wire name."""
    call: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        argument = arguments[name]
        if value is None and argument.location != BODY:
            continue
        made = value if argument.adapt is None or value is None else argument.adapt(value)
        call.setdefault(argument.location, {})[argument.wire] = made
    return call
