"""The fidelity figure: how well the sandbox stands in for the real system, by operation, measured on what that one answered.

Each recorded call is asked of the sandbox again: what was masked is replaced by the contract's example, and of the
plain call and each scenario of the recorded outcome the best answer counts. An answer is compared by its status,
its problem and the shape of its body: which members are there, and of which JSON type. Values are not compared, they
are other people's. What the sandbox made from the schema alone (`Kaimen-Sandbox: synthetic`) does not count.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable

from msgspec import Struct, field

from api.contract.model import Json, Operation, Service
from sandbox.parity.cases import Case, Excluded, case_of
from sandbox.parity.drivers.protocol import Driver, Seen
from sandbox.parity.recordings import Sample

Shape = frozenset[tuple[str, str]]  # (pointer with * for items, JSON type)
_MOST_NAMED = 20


class OperationFidelity(Struct):
    """What was found of one operation. `figure` is None where nothing counts."""

    figure: float | None = None  # mean over the recorded calls, 0 to 1
    recorded: int = 0
    counted: int = 0
    synthetic: int = 0  # calls to which the sandbox answered from the schema alone
    same_outcome: int = 0  # of those that count: status and problem are the recorded ones
    only_upstream: list[str] = []  # "pointer type" that the sandbox never gave
    only_sandbox: list[str] = []  # and the other way round


class Fidelity(Struct):
    """The document of one service version."""

    service: str
    digest: str
    date: str
    figure: float | None
    operations: dict[str, OperationFidelity]
    left_out: list[Excluded] = field(default_factory=list)
    recorded_at: list[str] = field(default_factory=list)  # first and last hour
    environments: list[str] = field(default_factory=list)


def measure(
    service: Service, samples: Iterable[Sample], driver: Driver, *, reset: Callable[[], None], date: str
) -> Fidelity:
    """Ask the sandbox what the upstream was asked, and compare."""
    made = Fidelity(service.key, service.digest, date, None, {})
    asking = _Asking(service, driver, reset)
    sums: dict[str, float] = defaultdict(float)
    wanting: dict[str, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    hours: set[str] = set()
    environments: set[str] = set()
    for sample in samples:
        hours.add(sample.at)
        environments.add(sample.environment)
        operation = service.operation(sample.operation)
        if operation is None:
            made.left_out.append(
                Excluded(f"{service.key}/{sample.operation}", "the contract no longer has it")
            )
            continue
        row = made.operations.setdefault(operation.id, OperationFidelity())
        row.recorded += 1
        answers = asking.answers(operation, sample)
        answers = [one for one in answers if not one.is_synthetic]
        if not answers:
            row.synthetic += 1
            continue
        row.counted += 1
        best = max(answers, key=lambda one: closeness(sample, one))
        sums[operation.id] += closeness(sample, best)
        if _is_same_outcome(sample, best):
            row.same_outcome += 1
            theirs, ours = shape_of(sample.answer), shape_of(best.body)
            wanting[operation.id][0].update(f"{at} {kind}" for at, kind in theirs - ours)
            wanting[operation.id][1].update(f"{at} {kind}" for at, kind in ours - theirs)
    for name, row in made.operations.items():
        row.figure = round(sums[name] / row.counted, 4) if row.counted else None
        row.only_upstream, row.only_sandbox = (sorted(one)[:_MOST_NAMED] for one in wanting[name])
    counted = [row for row in made.operations.values() if row.figure is not None]
    if counted:
        made.figure = round(sum((row.figure or 0.0) for row in counted) / len(counted), 4)
    made.recorded_at = [min(hours), max(hours)] if hours else []
    made.environments = sorted(environments)
    return made


def closeness(sample: Sample, seen: Seen) -> float:
    """0 where the outcome is another one; else the share of (member, type) pairs that both have."""
    if not _is_same_outcome(sample, seen):
        return 0.0
    theirs, ours = shape_of(sample.answer), shape_of(seen.body)
    together = theirs | ours
    return len(theirs & ours) / len(together) if together else 1.0


def _is_same_outcome(sample: Sample, seen: Seen) -> bool:
    return sample.status == seen.status and (not sample.problem or sample.problem == seen.problem)


def shape_of(value: Json, pointer: str = "") -> Shape:
    """Which members there are, and of which type; all items of a list are one."""
    if isinstance(value, dict):
        made = {(pointer, "object")}
        for name, one in value.items():
            made |= shape_of(one, f"{pointer}/{name}")
        return frozenset(made)
    if isinstance(value, list):
        made = {(pointer, "array")}
        for one in value:
            made |= shape_of(one, f"{pointer}/*")
        return frozenset(made)
    return frozenset({(pointer, _type_of(value))})


def _type_of(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    return "number" if isinstance(value, int | float) else "string"


class _Asking:
    """Asks the sandbox each different question once."""

    def __init__(self, service: Service, driver: Driver, reset: Callable[[], None]) -> None:
        self._service, self._driver, self._reset = service, driver, reset
        self._known: dict[str, Seen] = {}

    def answers(self, operation: Operation, sample: Sample) -> list[Seen]:
        """To the plain call, and to each scenario that ends as the recorded one did."""
        fitting = [one.id for one in operation.scenarios if one.then.get("status", 200) == sample.status]
        return [self._answer(operation, sample, scenario) for scenario in ("", *fitting)]

    def _answer(self, operation: Operation, sample: Sample, scenario: str) -> Seen:
        case = self._case(operation, sample, scenario)
        key = f"{case.id}{sorted(case.values.items())!r}"
        if key not in self._known:
            self._known[key] = self._driver.ask(case)
            if not operation.is_safe and self._known[key].status < 400:
                self._reset()
        return self._known[key]

    def _case(self, operation: Operation, sample: Sample, scenario: str) -> Case:
        """The contract's examples, and over them what was recorded and names no record: switches, pages, choices."""
        case = case_of(self._service, operation, scenario)
        cursor = operation.pagination.cursor if operation.pagination else ""
        optional = {one.name: one for one in operation.parameters if not one.required}
        for one in sample.parameters:
            parameter = optional.get(one.name)
            if parameter is None or one.location != "query" or one.name == cursor:
                continue
            if not one.masked:
                case.values["query"][one.name] = one.value
            elif parameter.has_example:
                case.values["query"][one.name] = parameter.example
        return case
