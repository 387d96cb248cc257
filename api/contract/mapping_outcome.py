"""Outcomes: what a department's business codes mean. Many systems answer 200 and say in the body how it went.

    outcome:
      at: head/code                 where the code is; `:status` is the HTTP status
      ok: ["0000"]
      empty: {"1001": post-order-not-found}      a problem of the contract, or {body: {items: []}}
      refused: {"2001": post-address-invalid}
      busy: {"9001": 5}             503, Retry-After in seconds
      fault: {"9999": {retryable: true}}         502
      facts: {year: head/nd}        what fills the problem's text, beside the call's own parameters
      facts_at: head/cs             a node with more of them by name; `cs` beside the code where it is left out

A code that is in none of the lists is never success.
"""

from typing import Any

from msgspec import Struct, field

from api.contract.mapping_shapes import MappingError
from api.contract.model import JsonObject

OK, EMPTY, REFUSED, BUSY, FAULT, UNKNOWN = "ok", "empty", "refused", "busy", "fault", "unknown"
STATUS = ":status"
ANYTHING = "*"  # for tables without a code: `at` names a column that every row has, `ok: ["*"]`
_KEYS = {
    "at",
    "ok",
    "empty",
    "refused",
    "busy",
    "fault",
    "facts",
    "message",
    "via",
    "fault_at",
    "fault_status",
    "absent",
}


class Verdict(Struct, frozen=True):
    """What a code means. `slug` names a problem; `body` is the answer of `empty` where it is no problem."""

    kind: str
    code: str = ""
    slug: str = ""
    body: Any = None
    retry_after: int = 0
    is_retryable: bool = False


class Fact(Struct, frozen=True):
    """Where a department says what fills a problem's text: `head/nd`, or `head/nd | int` for a number."""

    at: tuple[str, ...]
    is_number: bool = False

    def read(self, text: str) -> Any:
        """The fact; None where nothing is said."""
        if not text:
            return None
        return int(text) if self.is_number and text.lstrip("-").isdigit() else text


class Outcome(Struct, frozen=True):
    """The outcomes of one operation. Without `at` the HTTP status alone decides."""

    at: tuple[str, ...] = ()
    by_status: bool = False
    verdicts: dict[str, Verdict] = field(default_factory=dict)  # by code
    by_slug: dict[str, Verdict] = field(default_factory=dict)
    facts: dict[str, "Fact"] = field(default_factory=dict)
    facts_at: tuple[str, ...] = ()
    message: tuple[str, ...] = ()
    ok_code: str = ""
    via: str = ""  # `fault`: the department refuses by SOAP Fault
    fault_at: tuple[str, ...] = ("faultcode",)
    fault_status: int = 500
    absent: str = ""  # the code that counts as said where there is none

    @property
    def is_stated(self) -> bool:
        return bool(self.at) or self.by_status

    def verdict_of(self, tree: Any, status: int) -> Verdict:
        """What an answer means. `tree` is the whole native answer."""
        if not self.is_stated:
            return Verdict(OK) if 200 <= status < 300 else Verdict(UNKNOWN, str(status))
        found = str(status) if self.by_status else text_at(tree, self.at)
        if not found:
            found = self.absent
        anything = self.verdicts.get(ANYTHING) if found else None
        return self.verdicts.get(found) or anything or Verdict(UNKNOWN, found[:40])

    def verdict_of_fault(self, fault: Any) -> Verdict:
        """What a SOAP Fault means: by the code at `fault_at`. A code that is not listed is unknown."""
        found = text_at(fault, self.fault_at)
        local = found.rpartition(":")[2]
        return self.verdicts.get(found) or self.verdicts.get(local) or Verdict(UNKNOWN, found[:40])


def text_at(tree: Any, steps: tuple[str, ...]) -> str:
    """The text at a native path, "" where there is none."""
    for step in steps:
        if isinstance(tree, list) and len(tree) == 1:
            tree = tree[0]
        tree = tree.get(step) if isinstance(tree, dict) else None
    if isinstance(tree, dict):
        tree = tree.get("#text")
    return "" if tree is None or isinstance(tree, list) else str(tree).strip()


def node_at(tree: Any, steps: tuple[str, ...]) -> Any:
    """What lies at a native path, None where there is nothing."""
    for step in steps:
        tree = tree.get(step) if isinstance(tree, dict) else None
    return tree


def merge_outcomes(root: JsonObject, own: JsonObject) -> JsonObject:
    """The root's outcome with an operation's own laid over it, list by list."""
    merged = dict(root)
    for key, value in own.items():
        present = merged.get(key)
        if isinstance(present, dict) and isinstance(value, dict):
            merged[key] = {**present, **value}
        else:
            merged[key] = value
    return merged


def compile_outcome(spec: JsonObject, slugs: JsonObject, pointer: str) -> Outcome:
    """The Outcome. Raises MappingError for what means nothing, a slug that the contract lacks, a code used twice."""
    if not spec:
        return Outcome()
    where = f"{pointer}/outcome"
    unknown = set(spec) - _KEYS
    if unknown:
        raise MappingError(
            where, f"unknown keys: {', '.join(sorted(unknown))}; there are {', '.join(sorted(_KEYS))}"
        )
    at = str(spec.get("at", ""))
    if not at and spec.get("via") != "fault":
        raise MappingError(f"{where}/at", "where the code is, as in head/code, or `:status`")
    ok, verdicts = _verdicts(spec, slugs, where)
    by_slug: dict[str, Verdict] = {}
    for one in verdicts.values():
        if one.slug:
            by_slug.setdefault(one.slug, one)
    via = str(spec.get("via", ""))
    if via not in ("", "fault"):
        raise MappingError(f"{where}/via", "fault, or left out")
    return Outcome(
        at=() if at == STATUS else _steps(at),
        by_status=at == STATUS,
        verdicts=verdicts,
        by_slug=by_slug,
        facts={
            str(name): _fact(str(one), f"{where}/facts/{name}")
            for name, one in (spec.get("facts") or {}).items()
        },
        facts_at=_facts_at(spec, at),
        message=_steps(str(spec.get("message", ""))),
        ok_code=next(iter(ok), ""),
        via=via,
        fault_at=_steps(str(spec.get("fault_at", "faultcode"))),
        fault_status=int(spec.get("fault_status", 500)),
        absent=str(spec.get("absent", "")),
    )


def _verdicts(spec: JsonObject, slugs: JsonObject, where: str) -> tuple[dict[str, Any], dict[str, Verdict]]:
    verdicts: dict[str, Verdict] = {}
    ok = _codes(spec.get("ok", []), f"{where}/ok")
    for code in ok:
        verdicts[code] = Verdict(OK, code)
    # an operation's own empty, refused … may say again what the root said of a code: the last word counts
    for kind in (FAULT, BUSY, REFUSED, EMPTY):
        for code, meaning in _codes(spec.get(kind, []), f"{where}/{kind}").items():
            if code in ok:
                raise MappingError(f"{where}/{kind}/{code}", "the code means ok already")
            verdicts[code] = _verdict(kind, code, meaning, slugs, f"{where}/{kind}/{code}")
    return ok, verdicts


def _steps(path: str) -> tuple[str, ...]:
    return tuple(step for step in path.split("/") if step)


def _facts_at(spec: JsonObject, at: str) -> tuple[str, ...]:
    if "facts_at" in spec:
        return _steps(str(spec["facts_at"]))
    if spec.get("via") == "fault":
        return ("detail", "cs")
    return () if at == STATUS else (*_steps(at)[:-1], "cs")


def _fact(written: str, pointer: str) -> Fact:
    path, _, rule = written.partition("|")
    if rule.strip() not in ("", "int"):
        raise MappingError(pointer, "a native path, or a native path and `| int`")
    return Fact(_steps(path.strip()), rule.strip() == "int")


def _codes(written: Any, pointer: str) -> dict[str, Any]:
    """Codes and what each means; a plain list means nothing further. Codes are texts: 0001 in YAML is written "0001"."""
    if isinstance(written, dict):
        return {str(code): meaning for code, meaning in written.items()}
    if isinstance(written, list):
        return {str(code): None for code in written}
    if isinstance(written, str | int):
        return {str(written): None}
    raise MappingError(pointer, "a list of codes, or an object {code: what it means}")


def _verdict(kind: str, code: str, meaning: Any, slugs: JsonObject, pointer: str) -> Verdict:
    if isinstance(meaning, str):
        meaning = {"problem": meaning}
    if kind == BUSY and isinstance(meaning, int):
        meaning = {"retry_after": meaning}
    if meaning is None:
        meaning = {}
    if not isinstance(meaning, dict):
        raise MappingError(pointer, "the slug of a problem of the contract, or an object")
    unknown = set(meaning) - {"problem", "body", "retry_after", "retryable"}
    if unknown:
        raise MappingError(pointer, f"unknown keys: {', '.join(sorted(map(str, unknown)))}")
    slug = str(meaning.get("problem", ""))
    if slug and slug not in slugs:
        raise MappingError(
            pointer, f"the contract's x-problems has no {slug}; it has {', '.join(slugs) or 'none'}"
        )
    if kind == REFUSED and not slug:
        raise MappingError(pointer, "a refusal names a problem of the contract's x-problems")
    if kind == EMPTY and not slug and "body" not in meaning:
        raise MappingError(pointer, "empty means a problem (its slug), or an answer: {body: {items: []}}")
    return Verdict(
        kind,
        code,
        slug,
        meaning.get("body"),
        int(meaning.get("retry_after", 5)),
        bool(meaning.get("retryable", False)),
    )
