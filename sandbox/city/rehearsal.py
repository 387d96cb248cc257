"""Rehearsal: play every scenario of a service on its connector and compare the answer with what is promised.

Each scenario is played by its magic values where it has some, and by the header; each time in a state of
its own. Tests run it for every contract of the city; it judges answers, it does not make them.
"""

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from api.contract.model import Operation, Parameter, Scenario, Service
from api.core import ids
from api.gateway.connector import Connector, Context, Request
from sandbox.city.state import States
from sandbox.scenarios import differences, merge


class Take(Struct, frozen=True):
    """One playing of a scenario. `wrong` lists where the answer is not what the contract promises."""

    operation: Operation
    scenario: Scenario
    road: str  # "magic" or "header"
    status: int
    headers: dict[str, str]
    body: Any
    wrong: list[str]


async def rehearse(service: Service, connector: Connector, states: States, *, clock: str = "") -> list[Take]:
    """Play all scenarios of the service. `clock` is the time of the calls, "" for now."""
    takes = []
    for operation in service.operations:
        for scenario in operation.scenarios:
            if scenario.when:
                takes.append(await _play(service, operation, scenario, connector, states, "magic", clock))
            takes.append(await _play(service, operation, scenario, connector, states, "header", clock))
    return takes


async def _play(
    service: Service,
    operation: Operation,
    scenario: Scenario,
    connector: Connector,
    states: States,
    road: str,
    clock: str,
) -> Take:
    state_id = ids.random_id("rehearsal", 8)
    context = Context(
        request_id="rs_rehearsal",
        deadline=time.monotonic() + 30,
        environment="sandbox",
        app_id=state_id,
        state_id=state_id,
        clock=clock,
        scenario=scenario.id if road == "header" else "",
        service=service.key,
    )
    values = scenario.when if road == "magic" else {}
    result = await connector.call(operation, example_request(operation, values), context)
    headers = {name.decode(): value.decode() for name, value in result.headers}
    body = msgspec.json.decode(result.body) if isinstance(result.body, bytes) and result.body else None
    state = await states.current(state_id)
    changed = {key.partition("/")[0]: record for (_, key), record in state.rows.items()}
    await states.reset(state_id)
    wrong = differences(scenario, result.status, headers, body, changed)
    if road == "magic" and "kaimen-scenario" not in headers and result.status < 500:
        wrong.append("the magic values did not trigger the scenario")
    return Take(operation, scenario, road, result.status, headers, body, wrong)


def example_request(operation: Operation, values: Mapping[str, Any] | None = None) -> Request:
    """The call that the contract's examples make: required parameters and the body, `values` in their place."""
    values = values or {}
    places: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "cookie": {}}
    for parameter in operation.parameters:
        if parameter.name in values:
            places[parameter.location][parameter.name] = values[parameter.name]
        elif parameter.required:
            places[parameter.location][parameter.name] = _example(operation, parameter)
    body = _example_body(operation)
    if "body" in values:
        body = merge(body, values["body"])
    target = operation.path
    for name, value in places["path"].items():
        target = target.replace("{" + name + "}", quote(str(value), safe=""))
    if places["query"]:
        target += "?" + urlencode({name: _plain(value) for name, value in places["query"].items()}, safe=",")
    return Request(
        path=places["path"],
        query=places["query"],
        headers=places["header"],
        target=target,
        body=None if body is None else msgspec.json.encode(body),
        content_type="" if body is None else "application/json",
        json=body,
    )


def _plain(value: Any) -> str:
    return ",".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _example(operation: Operation, parameter: Parameter) -> Any:
    if not parameter.has_example:
        raise ValueError(f"{operation.id} has no example for its required parameter {parameter.name}")
    return parameter.example


def _example_body(operation: Operation) -> Any:
    if operation.body is None:
        return None
    media = operation.body.media[0]
    if not media.has_example:
        raise ValueError(f"{operation.id} has no example of its body")
    return media.example
