"""The parity certificate: every case on every face, compared; what differs is named, what is left out has a reason.

Compared are status, problem type, step, body after the name map, and, for each operation, what the ledger of the
platform says that it cost on each face, and what a face itself tells of it. A case counts when it is a refusal, or when at least 60 % of the fields that
the contract describes are there and not null: an empty answer proves nothing.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from msgspec import Struct, field

from api.contract.model import Json, JsonObject, Operation, Service
from sandbox.parity.cases import Case, Excluded
from sandbox.parity.drivers.protocol import Driver, Seen

FULL = 0.6
_CLOCK_SECONDS = 900  # two faces are asked one after the other: the sandbox's clock has moved on
_DEPTH = 6
_QUORUM = 2  # of other faces, before the first can be outvoted
# What the platform makes anew for each single request cannot be equal on two faces: only its form is compared.
_MINTED = re.compile(r"(rs|rl|case)_[0-9a-z]{20,26}")
BY_FORM = (
    "request ids (rs_…)",
    "case numbers (case_…)",
    f"instants, ±{_CLOCK_SECONDS} s",
    "members that are not there, where the face gives null for them (graphql)",
)

Ledger = Callable[[], dict[str, int]]  # operation (company@v1/getCompany) -> quota units spent so far


class Drift(Struct, frozen=True):
    """Where a face does not say what the first one says; where the others agree against the first, that is `face`."""

    case: str
    face: str
    what: str  # status, problem, step, body, cost, told cost
    pointer: str
    expected: str
    found: str


class Certificate(Struct, frozen=True):
    """What one service version was found to do on all its faces."""

    service: str
    digest: str
    date: str
    faces: list[str]
    cases: int
    agree: int
    drifts: list[Drift]
    excluded: list[Excluded]
    by_form: tuple[str, ...] = BY_FORM  # values of which only the form is compared
    absent: dict[str, str] = field(default_factory=dict)  # faces that were not compared, and why
    asked_again: list[str] = field(default_factory=list)  # cases that differed when asked some time apart
    synthetic: int = 0  # cases whose answers were made from the schema alone
    compared: dict[str, int] = field(
        default_factory=dict
    )  # by face: cases in which it was held against the first

    @property
    def is_whole(self) -> bool:
        return self.cases > 0 and self.agree == self.cases


def certify(
    service: Service,
    cases: Iterable[Case],
    excluded: Iterable[Excluded],
    faces: list[Driver],
    *,
    ledger: Ledger,
    reset: Callable[[], None],
    date: str,
    absent: dict[str, str] | None = None,
) -> Certificate:
    """Ask every face every case, one face after the other, and compare with the first. `reset` gives a fresh city."""
    chosen = list(cases)
    runs = {face.name: _ask_all(face, chosen, ledger, reset) for face in faces}
    first, *others = faces
    left_out, drifts, counted, synthetic = list(excluded), [], [], 0
    again: set[str] = set()
    unequal: set[tuple[str, str]] = set()
    compared = {face.name: 0 for face in others}
    for number, case in enumerate(chosen):
        truth = runs[first.name].seen[number]
        reason = truth.unsaid or _too_thin(case, service, truth)
        if reason:
            left_out.append(Excluded(case.id, reason))
            continue
        counted.append(case)
        synthetic += truth.is_synthetic
        found: dict[str, list[Drift]] = {}
        for face in others:
            seen = runs[face.name].seen[number]
            if seen.unsaid and (not seen.status or truth.status >= 400):
                left_out.append(Excluded(case.id, seen.unsaid, face.name))
                if truth.step not in _FREE_STEPS:
                    unequal.add((_operation_key(case), face.name))
                continue
            compared[face.name] += 1
            found[face.name] = differences(case.id, face.name, truth, seen)
            if found[
                face.name
            ]:  # perhaps an hour has struck in between: both are asked again at once, that counts
                again.add(case.id)
                reset()
                asked = first.ask(case)
                reset()
                found[face.name] = differences(case.id, face.name, asked, face.ask(case))
        drifts += _blamed(first.name, found)
    drifts += _cost_drifts(counted, runs, first.name, unequal)
    wrong = {one.case for one in drifts}
    agree = sum(1 for case in counted if case.id not in wrong and _operation_key(case) not in wrong)
    return Certificate(
        service=service.key, digest=service.digest, date=date, faces=[face.name for face in faces], cases=len(counted),
        agree=agree, drifts=drifts, excluded=left_out, absent=absent or {}, synthetic=synthetic,
        asked_again=sorted(again), compared=compared,
    )  # fmt: skip


# A refusal by one of these costs nothing.
_FREE_STEPS = frozenset({"admit", "route", "authenticate", "authorise", "limit", "validate"})


class _Run(Struct):
    """What one face said, case by case, what the ledger grew by, and what the face says that it cost, by operation.

    `told` is empty where the face says nothing of it.
    """

    seen: list[Seen]
    spent: dict[str, int]
    told: dict[str, int]


def _ask_all(face: Driver, cases: list[Case], ledger: Ledger, reset: Callable[[], None]) -> _Run:
    before = ledger()
    seen = []
    reset()
    for case in cases:
        seen.append(face.ask(case))
        if not case.operation.is_safe and 0 < seen[-1].status < 400:
            reset()
    spent = {key: units - before.get(key, 0) for key, units in ledger().items()}
    told: dict[str, int] = {}
    for case, one in zip(cases, seen, strict=True):
        if one.cost >= 0:
            told[_operation_key(case)] = told.get(_operation_key(case), 0) + one.cost
    return _Run(seen, spent, told)


def _blamed(first: str, found: dict[str, list[Drift]]) -> list[Drift]:
    """The drifts of one case; where all the others say the same against the first, it is the first that drifts."""
    made = [one for drifts in found.values() for one in drifts]
    if len(found) < _QUORUM:
        return made
    by_place: dict[tuple[str, str], list[Drift]] = {}
    for one in made:
        by_place.setdefault((one.what, one.pointer), []).append(one)
    blamed = []
    for same in by_place.values():
        one = same[0]
        if len(same) == len(found) and len({row.found for row in same}) == 1:
            blamed.append(Drift(one.case, first, one.what, one.pointer, one.found, one.expected))
        else:
            blamed += same
    return blamed


def differences(case: str, face: str, truth: Seen, seen: Seen) -> list[Drift]:
    """Where `seen` is not what `truth` is."""
    found = []
    for what in ("status", "problem", "step"):
        one, other = getattr(truth, what), getattr(seen, what)
        if one != other:
            found.append(Drift(case, face, what, "", str(one), str(other)))
    if truth.is_json:
        bodies = truth.body, seen.body
        if truth.null_is_absent or seen.null_is_absent:
            bodies = _without_nulls(truth.body), _without_nulls(seen.body)
        found += [
            Drift(case, face, "body", pointer, _brief(one), _brief(other))
            for pointer, one, other in _unlike(*bodies, "")
        ][:5]
    elif truth.body != seen.body:
        found.append(Drift(case, face, "body", "", _brief(truth.body), _brief(seen.body)))
    return found


_MISSING = "(nothing)"


def _unlike(one: Json, other: Json, pointer: str) -> list[tuple[str, Json, Json]]:
    if isinstance(one, dict) and isinstance(other, dict):
        found = []
        for key in dict.fromkeys([*one, *other]):
            inner = f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}"
            if key not in other:
                found.append((inner, one[key], _MISSING))
            elif key not in one:
                found.append((inner, _MISSING, other[key]))
            else:
                found += _unlike(one[key], other[key], inner)
        return found
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = zip(one, other, strict=True)
        return [row for at, (a, b) in enumerate(pairs) for row in _unlike(a, b, f"{pointer}/{at}")]
    if one == other or _is_same_moment(one, other) or _is_same_form(one, other):
        return []
    return [(pointer, one, other)]


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    return [_without_nulls(one) for one in value] if isinstance(value, list) else value


def _is_same_moment(one: Json, other: Json) -> bool:
    if not (isinstance(one, str) and isinstance(other, str) and "T" in one and "T" in other):
        return False
    try:
        apart = datetime.fromisoformat(one) - datetime.fromisoformat(other)
    except (ValueError, TypeError):
        return False
    return abs(apart.total_seconds()) < _CLOCK_SECONDS


def _is_same_form(one: Json, other: Json) -> bool:
    if not (isinstance(one, str) and isinstance(other, str)):
        return False
    first, second = _MINTED.fullmatch(one), _MINTED.fullmatch(other)
    return first is not None and second is not None and first[1] == second[1] and len(one) == len(other)


def _brief(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= 120 else text[:119] + "…"


def _cost_drifts(
    cases: list[Case], runs: dict[str, _Run], first: str, unequal: set[tuple[str, str]]
) -> list[Drift]:
    """By operation: what a face was charged against the first one, and against what it tells itself.

    `unequal`: (operation, face) of which the face was not asked a case that cost the first one something. The
    ledger does not know cases, so these sums say nothing.
    """
    found = []
    for key in dict.fromkeys(_operation_key(case) for case in cases):
        due = runs[first].spent.get(key, 0)
        differing: dict[str, list[Drift]] = {}
        for face, run in runs.items():
            spent = run.spent.get(key, 0)
            if face != first and (key, face) not in unequal:
                is_other = spent != due
                differing[face] = [Drift(key, face, "cost", "", str(due), str(spent))] if is_other else []
            if run.told and run.told.get(key, 0) != spent:
                found.append(Drift(key, face, "told cost", "", str(spent), str(run.told.get(key, 0))))
        found += _blamed(first, differing)
    return found


def _operation_key(case: Case) -> str:
    return f"{case.service}/{case.operation.id}"


# -- whether an answer is worth comparing ---------------------------------------------------------------
def _too_thin(case: Case, service: Service, seen: Seen) -> str:
    """Why a case does not count, "" when it does."""
    if seen.status >= 400 or seen.status == 204:
        return ""
    if not seen.is_json:
        return "" if seen.body else "the answer is empty"
    schema = _answer_schema(case.operation, seen.status)
    if schema is None:
        return ""
    there, described = _filled(schema, seen.body, service.schemas, _DEPTH)
    if described and there / described < FULL:
        return f"only {there} of the {described} fields of the contract are there and not null"
    return ""


def _answer_schema(operation: Operation, status: int) -> JsonObject | None:
    by_status = {one.status.upper(): one for one in operation.responses}
    response = by_status.get(str(status)) or by_status.get(f"{status // 100}XX") or by_status.get("DEFAULT")
    for media in response.media if response is not None else ():
        if isinstance(media.schema, dict):
            return media.schema
    return None


def _filled(schema: JsonObject, value: Json, schemas: dict[str, JsonObject], depth: int) -> tuple[int, int]:
    """(fields there and not null, fields described) of a value; of a list its first item counts."""
    schema = _resolved(schema, schemas)
    if depth == 0 or value is None:
        return 0, 0
    for branch in schema.get("allOf", ()):
        if isinstance(branch, dict):
            inner = _resolved(branch, schemas)
            schema = {**schema, "properties": {**inner.get("properties", {}), **schema.get("properties", {})}}
    if isinstance(value, list):
        items = schema.get("items")
        if not value or not isinstance(items, dict):
            return (0, 1) if not value else (1, 1)
        return _filled(items, value[0], schemas, depth - 1)
    properties = schema.get("properties")
    if not isinstance(value, dict) or not isinstance(properties, dict):
        return 1, 1
    there = described = 0
    for name, inner in properties.items():
        described += 1
        if value.get(name) is None:
            continue
        there += 1
        if isinstance(inner, dict) and isinstance(value[name], dict | list):
            more, of = _filled(inner, value[name], schemas, depth - 1)
            there, described = there + more, described + of
    return there, described


def _resolved(schema: JsonObject, schemas: dict[str, JsonObject]) -> JsonObject:
    for _ in range(8):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        found = schemas.get(reference.rpartition("/")[2])
        if found is None:
            return schema
        schema = found
    return schema


def totals(certificates: Iterable[Certificate]) -> dict[str, Any]:
    """What `kaimen parity --json` prints."""
    made: dict[str, Any] = {
        "cases": 0, "agree": 0, "faces": [], "drifts": [], "excluded": defaultdict(int), "services": {},
    }  # fmt: skip
    for one in certificates:
        made["cases"] += one.cases
        made["agree"] += one.agree
        made["faces"] = list(dict.fromkeys([*made["faces"], *one.faces]))
        made["drifts"] += [_plain(drift) for drift in one.drifts]
        made["services"][one.service] = {"cases": one.cases, "agree": one.agree, "digest": one.digest}
        for row in one.excluded:
            made["excluded"][row.reason.split(" of the ")[0]] += 1
    made["excluded"] = dict(made["excluded"])
    return made


def _plain(drift: Drift) -> dict[str, str]:
    return {name: getattr(drift, name) for name in drift.__struct_fields__}
