"""How many items a call asks for: what its price is multiplied by (design §2).

The page size of a list, or the length of a batch; bounded by `x-max-rows` where the contract states it. A list
called without its page size counts as the default that the contract states, else as all rows it may give.
"""

from collections.abc import Callable

import msgspec

from api.contract.model import Batch, Operation, Parameter
from api.gateway.exchange import Exchange
from api.gateway.parameters import Reader, split_query
from api.gateway.schemas import Schemas


def items_of(operation: Operation, batch: Batch | None, schemas: Schemas) -> Callable[[Exchange], int] | None:
    """A function that counts the items a call asks for; None where it is always one.

    `batch` is the x-batch by which another operation names this one: then the items are those listed.
    """
    if batch is not None:
        reader = _parameter(operation, batch.parameter)
        if reader is None:
            return lambda exchange: _count_body(exchange, batch.parameter)
        separated = Reader(reader, schemas)
        return lambda exchange: _count_listed(separated, exchange.query_string)
    if operation.pagination is not None and operation.pagination.size:
        size = _parameter(operation, operation.pagination.size)
        if size is not None:
            schema = schemas.resolve(size.schema)
            stated = schema.get("default") if isinstance(schema, dict) else None
            absent = stated if isinstance(stated, int) and stated > 0 else operation.max_rows or 1
            most = operation.max_rows
            return lambda exchange: _page_size(exchange.query_string, size.name, absent, most)
    return None


def _parameter(operation: Operation, name: str) -> Parameter | None:
    return next((one for one in operation.parameters if one.name == name and one.location == "query"), None)


def _page_size(query: bytes, name: str, absent: int, most: int) -> int:
    asked = absent
    if query:
        for key, value in split_query(query):
            if key == name:
                asked = int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 1
    asked = max(asked, 1)
    return min(asked, most) if most else asked


def _count_listed(reader: Reader, query: bytes) -> int:
    value = reader.read_pairs(split_query(query), []) if query else None
    return max(len(value), 1) if isinstance(value, list) else 1


def _count_body(exchange: Exchange, name: str) -> int:
    """Items listed in a JSON body; what is no JSON counts as one, `validate` refuses it."""
    if exchange.json is None and exchange.body:
        try:
            exchange.json = msgspec.json.decode(exchange.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return 1
    body = exchange.json
    listed = body.get(name) if isinstance(body, dict) else body
    return max(len(listed), 1) if isinstance(listed, list) else 1
