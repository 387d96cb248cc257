"""Scenarios: what an entry of `x-scenarios` means, and which one a call has asked for.

    id      named by the header `Kaimen-Scenario`
    when    parameters (and `body`, a part of the JSON body) whose values trigger it without the header
    given   how the city differs for this call:
                company.status: revoked     that field of every record of that kind reads so
                company: absent             there is no record of that kind
                clock: "+P2D"               the time is two days later, or an instant of its own
                department: unavailable     the department's system is down
    then    what comes out: status, body (a part of it), problem (its slug), headers
    state   what it leaves behind: {order.status: cancelled}

A scenario that the header names and that has no `given` is told by its magic values alone: the call then
counts as one with the values of `when` (`substitute`). With a `given`, the call keeps its own parameters.

The answer is computed by the department's behaviour; `then` and `state` are compared with it by
`differences`, never copied. Only the connector of services without a system behind them copies `then`.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from api.contract.model import Operation, Scenario
from api.core.problem_types import SCENARIO_UNKNOWN
from api.core.problems import Refusal
from api.gateway.connector import Request

ABSENT = "absent"
UNAVAILABLE = "unavailable"


class Scene(Struct, frozen=True):
    """A scenario's `given`, compiled."""

    id: str = ""
    clock: str = ""
    is_unavailable: bool = False
    absent: frozenset[str] = frozenset()
    patches: dict[str, tuple[tuple[tuple[str, ...], Any], ...]] = field(default_factory=dict)

    def lay_over(self, kind: str, record: dict[str, Any]) -> dict[str, Any]:
        """The record with what `given` says of its kind; the record itself stays as it is."""
        patches = self.patches.get(kind)
        if not patches:
            return record
        patched = dict(record)
        for path, value in patches:
            place = patched
            for step in path[:-1]:
                inner = place.get(step)
                place[step] = dict(inner) if isinstance(inner, dict) else {}
                place = place[step]
            if value is None:
                place.pop(path[-1], None)
            else:
                place[path[-1]] = value
        return patched


PLAIN = Scene()


def compile_scene(scenario: Scenario) -> Scene:
    """The Scene of a scenario. Raises ValueError for a `given` that means nothing."""
    clock, is_unavailable = "", False
    absent: set[str] = set()
    patches: dict[str, list[tuple[tuple[str, ...], Any]]] = {}
    for key, value in scenario.given.items():
        kind, *path = key.split(".")
        if key == "clock":
            clock = str(value)
        elif key == "department":
            if value != UNAVAILABLE:
                raise ValueError(f"given.department is {UNAVAILABLE} or nothing, not {value!r}")
            is_unavailable = True
        elif path:
            patches.setdefault(kind, []).append((tuple(path), value))
        elif value == ABSENT:
            absent.add(kind)
        else:
            raise ValueError(f"given.{key} needs a field, as in {key}.status, or the value {ABSENT}")
    return Scene(
        id=scenario.id,
        clock=clock,
        is_unavailable=is_unavailable,
        absent=frozenset(absent),
        patches={kind: tuple(found) for kind, found in patches.items()},
    )


class Magic(Struct, frozen=True):
    """A scenario with a `when`, and its place among the operation's scenarios: the first one met is played."""

    place: int
    scenario: Scenario
    scene: Scene


class Compiled(Struct, frozen=True):
    """The scenarios of one operation. Those with a `when` are found by the value of the first parameter in it."""

    operation: Operation
    by_id: dict[str, tuple[Scenario, Scene]]
    by_value: dict[str, dict[str, list[Magic]]]  # parameter -> value as text -> scenarios
    by_body: list[Magic]  # those whose `when` names the body alone


_compiled: dict[int, Compiled] = {}


def compiled_of(operation: Operation) -> Compiled:
    """The compiled scenarios, remembered for as long as the operation is in use."""
    known = _compiled.get(id(operation))
    if known is not None and known.operation is operation:
        return known
    if len(_compiled) > 2000:
        _compiled.clear()
    made = Compiled(operation, {}, {}, [])
    for place, scenario in enumerate(operation.scenarios):
        scene = compile_scene(scenario)
        made.by_id[scenario.id] = (scenario, scene)
        magic = Magic(place, scenario, scene)
        leading = next((key for key in scenario.when if key != "body"), None)
        if leading is not None:
            values = made.by_value.setdefault(leading, {})
            values.setdefault(_text(scenario.when[leading]), []).append(magic)
        elif scenario.when:
            made.by_body.append(magic)
    _compiled[id(operation)] = made
    return made


def _text(value: Any) -> str:
    """How a parameter's value is compared: lists as they stand in a query."""
    if isinstance(value, str):
        return value
    return ",".join(str(item) for item in value) if isinstance(value, list | tuple) else str(value)


def pick(operation: Operation, request: Request, name: str) -> tuple[Scenario, Scene] | None:
    """The scenario that the header names, else the first whose `when` the call meets, else None.

    Raises Refusal SCENARIO_UNKNOWN for a name that the contract does not list.
    """
    compiled = compiled_of(operation)
    if name:
        chosen = compiled.by_id.get(name)
        if chosen is None:
            known = ", ".join(compiled.by_id) or "-"
            raise Refusal(SCENARIO_UNKNOWN, operation=operation.id, scenario=name[:80], known=known)
        return chosen
    best: Magic | None = None
    for key, values in compiled.by_value.items():
        found = _value(request, key)
        for magic in values.get(_text(found), ()) if found is not None else ():
            if (best is None or magic.place < best.place) and _meets(request, magic.scenario.when):
                best = magic
    for magic in compiled.by_body:
        if (best is None or magic.place < best.place) and _meets(request, magic.scenario.when):
            best = magic
    return None if best is None else (best.scenario, best.scene)


def _value(request: Request, name: str) -> Any:
    """A parameter of the call, wherever it stands; None where it is not given."""
    for place in (request.path, request.query, request.headers):
        if name in place:
            return place[name]
    return None


def _meets(request: Request, when: Mapping[str, Any]) -> bool:
    for key, wanted in when.items():
        if key == "body":
            if not is_part(wanted, request.json):
                return False
            continue
        found = _value(request, key)
        if found is None or _text(found) != _text(wanted):
            return False
    return True


def substitute(operation: Operation, request: Request, when: Mapping[str, Any]) -> Request:
    """The request with the values of `when` in the place of its own; of the body, the parts that `when` names."""
    places: dict[str, dict[str, Any]] = {
        "path": dict(request.path), "query": dict(request.query), "header": dict(request.headers),
    }  # fmt: skip
    where = {parameter.name: parameter.location for parameter in operation.parameters}
    for key, value in when.items():
        if where.get(key) in places:
            places[where[key]][key] = value
    return replace(
        request,
        path=places["path"],
        query=places["query"],
        headers=places["header"],
        json=merge(request.json, when["body"]) if "body" in when else request.json,
    )


def merge(body: Any, part: Any) -> Any:
    """`body` with `part` laid over it, object by object; neither is altered."""
    if isinstance(body, dict) and isinstance(part, dict):
        return {**body, **{key: merge(body.get(key), value) for key, value in part.items()}}
    return part


def is_part(wanted: Any, found: Any) -> bool:
    """Whether `found` holds everything of `wanted`: objects by member, lists by place, values by equality."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(
            key in found and is_part(value, found[key]) for key, value in wanted.items()
        )
    if isinstance(wanted, list):
        return (
            isinstance(found, list)
            and len(wanted) == len(found)
            and all(is_part(one, other) for one, other in zip(wanted, found, strict=True))
        )
    return bool(wanted == found) and isinstance(wanted, bool) == isinstance(found, bool)


def differences(
    scenario: Scenario, status: int, headers: Mapping[str, str], body: Any, changed: Mapping[str, Any]
) -> list[str]:
    """Where an answer is not what `then` and `state` promise; [] when it is.

    `headers` have lower-case names; `changed` maps a kind of record to the last one written by the call.
    """
    wrong = []
    then = scenario.then
    if then.get("status", status) != status:
        wrong.append(f"status is {status}, not {then['status']}")
    if "body" in then and not is_part(then["body"], body):
        wrong.append(f"the body does not hold {then['body']!r}")
    if "problem" in then:
        kind = body.get("type", "") if isinstance(body, dict) else ""
        if str(kind).rstrip("/").rpartition("/")[2] != then["problem"]:
            wrong.append(f"the problem is {kind!r}, not {then['problem']}")
    for name, value in then.get("headers", {}).items():
        if headers.get(name.lower()) != str(value):
            wrong.append(f"header {name} is {headers.get(name.lower())!r}, not {value!r}")
    for key, value in scenario.state.items():
        kind, *path = key.split(".")
        found: Any = changed.get(kind)
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        if found != value:
            wrong.append(f"{key} is left as {found!r}, not {value!r}")
    return wrong
