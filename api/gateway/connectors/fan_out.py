"""A batch that the department's system does not have, asked one by one: a few at a time, within the call's deadline.

A value of which the department knows nothing (404) is missing, as the contract's answer has it. Another refusal is
the refusal of the batch, and so is a system that does not answer: half a batch is no answer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec.structs import replace

from api.contract.mapping_each import FanOut
from api.contract.model import Operation
from api.gateway.connector import Context, Request, Result

Ask = Callable[[Operation, Request, Context], Awaitable[Result]]
_JSON = (b"content-type", b"application/json")
_NOT_THERE = 404


async def ask_each(fan: FanOut, request: Request, context: Context, ask: Ask) -> Result:
    """The batch's answer. Raises Failure where one of the questions does."""
    values = _values(fan, request)
    one_context = context
    if context.scenario not in {one.id for one in fan.single.scenarios}:
        one_context = replace(context, scenario="")
    turns = asyncio.Semaphore(fan.at_once)

    async def one(value: Any) -> Result:
        async with turns:
            return await ask(fan.single, _question(fan, value, request), one_context)

    tasks = [asyncio.create_task(one(value)) for value in values]
    try:
        results = await asyncio.gather(*tasks)
    finally:
        for task in tasks:  # one failed, or nobody waits any more
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return _together(fan, values, results)


def _values(fan: FanOut, request: Request) -> list[Any]:
    found = request.query.get(fan.parameter)
    if found is None and isinstance(request.json, dict):
        found = request.json.get(fan.parameter)
    listed = found if isinstance(found, list | tuple) else [] if found is None else [found]
    return list(dict.fromkeys(listed))


def _question(fan: FanOut, value: Any, request: Request) -> Request:
    """The single operation's request for one value."""
    place = next(one.location for one in fan.single.parameters if one.name == fan.argument)
    path = {fan.argument: value} if place == "path" else {}
    query = {fan.argument: value} if place == "query" else {}
    target = fan.single.path
    for name, one in path.items():
        target = target.replace("{" + name + "}", quote(str(one), safe=""))
    if query:
        target += "?" + urlencode(query)
    return Request(
        path=path,
        query=query,
        headers=request.headers,
        target=target,
        forward_headers=request.forward_headers,
    )


def _together(fan: FanOut, values: Sequence[Any], results: Sequence[Result]) -> Result:
    rows, missing = [], []
    for value, result in zip(values, results, strict=True):
        if result.status == _NOT_THERE:
            missing.append(value)
        elif result.status >= 300 or not isinstance(result.body, bytes):
            return result
        else:
            rows.append(msgspec.Raw(result.body))
    body: dict[str, Any] = {fan.rows: rows}
    if fan.missing:
        body[fan.missing] = missing
    return Result(200, [_JSON], msgspec.json.encode(body))
