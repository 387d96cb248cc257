"""CallPlan: how a field's arguments become the call of an operation, and its answer the field's value.

Made once with the schema; it holds no gateway, no snapshot and no caller.
"""

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from api.contract.model import Batch, Operation, Service

Adapter = Callable[[Any], Any]
BODY = "body"


class Argument(Struct, frozen=True):
    """One argument: where its value goes (path, query, header, cookie or body), under which name, in which form."""

    location: str
    wire: str
    adapt: Adapter | None = None


class BatchPlan(Struct, frozen=True):
    """How many keys are asked for at once: x-batch of the operation that would be called for each."""

    operation_id: str
    parameter: str  # of the batch operation
    key: str  # member of each item that says which key it is for
    most: int
    is_body: bool = False  # the keys go in its JSON body, not in its query


class CallPlan(Struct, frozen=True):
    """An operation as a field."""

    service_key: str  # company@v1
    operation: Operation
    arguments: dict[str, Argument]
    content_type: str = ""  # of the body
    adapt: Adapter | None = None  # of the answer
    answers: str = "json"  # json, text, bytes or nothing: then the field says true


class Nesting(Struct, frozen=True):
    """A field that leads from a value to another operation (x-ref)."""

    plan: CallPlan
    wire: str  # the member that holds the value
    argument: Argument
    is_list: bool
    batch: BatchPlan | None = None


def batch_of(batch: Batch, service: Service) -> BatchPlan | None:
    """The batch operation of an operation in the same service, None where there is none."""
    operation_id = batch.operation.rpartition("/")[2]
    target = service.operation(operation_id)
    if target is None:
        return None
    in_query = any(one.name == batch.parameter and one.location == "query" for one in target.parameters)
    return BatchPlan(operation_id, batch.parameter, batch.key, max(batch.max, 1), is_body=not in_query)
