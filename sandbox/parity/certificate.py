"""The parity certificate: every case on every face, compared; what differs is named, what is left out has a reason.

Compared are status, problem type, step, body after the name map, and, for each operation, what the ledger of the
platform says that it cost on each face. A case counts when it is a refusal, or when at least 60 % of the fields that
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
from sandbox.parity.faces import Face, Seen

FULL = 0.6
_CLOCK_SECONDS = 900  # two faces are asked one after the other: the sandbox's clock has moved on
_DEPTH = 6
# What the platform makes anew for each single request cannot be equal on two faces: only its form is compared.
_MINTED = re.compile(r"(rs|rl|case)_[0-9a-z]{20,26}")
BY_FORM = ("request ids (rs_…)", "case numbers (case_…)", f"instants, ±{_CLOCK_SECONDS} s")

Ledger = Callable[[], dict[str, int]]  # operation (company@v1/getCompany) -> quota units spent so far


class Drift(Struct, frozen=True):
    """Where a face does not say what the first one says."""

    case: str
    face: str
    what: str  # status, problem, step, body, cost
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

    @property
    def is_whole(self) -> bool:
        return self.cases > 0 and self.agree == self.cases


def certify(
    service: Service,
    cases: Iterable[Case],
    excluded: Iterable[Excluded],
    faces: list[Face],
    *,
    ledger: Ledger,
    reset: Callable[[], None],
    date: str,
    absent: dict[str, str] | None = None,
) -> Certificate:
    """Ask every face every case, one face after the other, and compare with the first. `reset` gives a fresh city."""
    chosen = list(cases)
    seen: dict[str, list[Seen]] = {}
    costs: dict[str, dict[str, int]] = {}
    for face in faces:
        before = ledger()
        rows = []
        reset()
        for case in chosen:
            rows.append(face.ask(case))
            if not case.operation.is_safe and rows[-1].status < 400:
                reset()
        after = ledger()
        seen[face.name] = rows
        costs[face.name] = {key: units - before.get(key, 0) for key, units in after.items()}
    left_out, drifts, counted, synthetic = list(excluded), [], [], 0
    again: set[str] = set()
    first, *others = faces
    for number, case in enumerate(chosen):
        truth = seen[first.name][number]
        reason = _too_thin(case, service, truth)
        if reason:
            left_out.append(Excluded(case.id, reason))
            continue
        counted.append(case)
        synthetic += truth.is_synthetic
        for face in others:
            found = differences(case.id, face.name, truth, seen[face.name][number])
            if found:  # perhaps an hour has struck in between: both are asked again at once, and that counts
                again.add(case.id)
                reset()
                asked = first.ask(case)
                reset()
                found = differences(case.id, face.name, asked, face.ask(case))
            drifts += found
    drifts += _cost_drifts(counted, costs, first.name, [face.name for face in others])
    wrong = {one.case for one in drifts}
    agree = sum(1 for case in counted if case.id not in wrong and _operation_key(case) not in wrong)
    return Certificate(
        service=service.key, digest=service.digest, date=date, faces=[face.name for face in faces], cases=len(counted),
        agree=agree, drifts=drifts, excluded=left_out, absent=absent or {}, synthetic=synthetic,
        asked_again=sorted(again),
    )  # fmt: skip


def differences(case: str, face: str, truth: Seen, seen: Seen) -> list[Drift]:
    """Where `seen` is not what `truth` is."""
    found = []
    for what in ("status", "problem", "step"):
        one, other = getattr(truth, what), getattr(seen, what)
        if one != other:
            found.append(Drift(case, face, what, "", str(one), str(other)))
    if truth.is_json:
        found += [
            Drift(case, face, "body", pointer, _brief(one), _brief(other))
            for pointer, one, other in _unlike(truth.body, seen.body, "")
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
    cases: list[Case], costs: dict[str, dict[str, int]], first: str, others: list[str]
) -> list[Drift]:
    found = []
    for key in dict.fromkeys(_operation_key(case) for case in cases):
        for face in others:
            one, other = costs[first].get(key, 0), costs[face].get(key, 0)
            if one != other:
                found.append(Drift(key, face, "cost", "", str(one), str(other)))
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
