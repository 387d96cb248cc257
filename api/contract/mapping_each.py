"""A batch that the department does not have: `each: getRating` asks one question for each value, a few at a time.

    listRatingsByCode: {each: getRating}                  # or {each: getRating, at_once: 4}

The contract says what belongs together: `x-batch` of the single operation names the batch and its parameter. What
is found becomes the rows of the batch's answer, in the order asked for; what is not found (404) its `missing`.
"""

from typing import Any

from msgspec import Struct

from api.contract.mapping_schema import Meant, Schemas
from api.contract.mapping_shapes import MappingError
from api.contract.model import JsonObject, Operation

AT_ONCE, MOST_AT_ONCE = 8, 16
_KEYS = {"each", "at_once", "note"}


class FanOut(Struct, frozen=True):
    """How a batch is asked one by one."""

    operation: Operation  # the batch
    single: Operation
    parameter: str  # of the batch: the values
    argument: str  # of the single operation: one value
    rows: str  # property of the batch's answer: what was found
    missing: str  # property of the batch's answer: the values of which nothing was, "" where it has none
    at_once: int


def compile_each(
    operation: Operation, entry: JsonObject, known: dict[str, Operation], answer: Meant, schemas: Schemas
) -> FanOut:
    """Raises MappingError where the contract does not say that one is the batch of the other."""
    pointer = f"/operations/{operation.id}"
    strange = set(entry) - _KEYS
    if strange:
        raise MappingError(
            f"{pointer}/{min(strange)}",
            "beside `each` stand `at_once` and `note` only: nothing is sent for the batch itself",
        )
    single = known.get(str(entry["each"]))
    batch = single.batch if single is not None else None
    if single is None or batch is None or batch.operation.rpartition("/")[2] != operation.id:
        fitting = [
            one.id
            for one in known.values()
            if one.batch and one.batch.operation.rpartition("/")[2] == operation.id
        ]
        raise MappingError(
            f"{pointer}/each",
            f"an operation whose x-batch names {operation.id}: {', '.join(fitting) or 'the contract has none'}",
        )
    at_once = entry.get("at_once", AT_ONCE)
    if not isinstance(at_once, int) or not 1 <= at_once <= MOST_AT_ONCE:
        raise MappingError(f"{pointer}/at_once", f"a number from 1 to {MOST_AT_ONCE}")
    rows, missing = _places(answer, batch.key, schemas)
    if not rows:
        raise MappingError(f"{pointer}/each", f"its answer has no list of rows with {batch.key}")
    argument = _argument(single, batch.key)
    if not argument:
        raise MappingError(f"{pointer}/each", f"{single.id} has no parameter that takes one value")
    return FanOut(operation, single, batch.parameter, argument, rows, missing, at_once)


def _argument(single: Operation, key: str) -> str:
    """The parameter that is named as the key, else the one that is required."""
    names = [one.name for one in single.parameters if one.location in {"path", "query"}]
    needed = [one.name for one in single.parameters if one.location in {"path", "query"} and one.required]
    return key if key in names else needed[0] if len(needed) == 1 else ""


def _places(answer: Meant, key: str, schemas: Schemas) -> tuple[str, str]:
    rows = missing = ""
    for name, schema in answer.properties.items():
        meant = schemas.meant(schema)
        if meant.kind != "list":
            continue
        item: Any = schemas.meant(meant.schema.get("items", {}))
        if item.kind == "object" and key in item.properties:
            rows = rows or name
        elif item.kind in {"string", "integer"}:
            missing = missing or name
    return rows, missing
