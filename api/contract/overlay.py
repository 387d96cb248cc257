"""OpenAPI Overlay 1.0: reading and applying. The overlay stands beside the untouched original.

Targets are a small part of JSONPath: `$`, `.name`, `['name']`, `[0]`, `.*`, `[*]` and `[?@.key=='value']`.
A target that is not understood or finds nothing is a finding, never an exception.
Source: OpenAPI Overlay Specification 1.0.0 §4.4; RFC 9535.
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from api.contract import notices
from api.contract.model import Finding, Json, JsonObject
from api.contract.proposal import propose
from api.contract.report import Report

__all__ = ["Applied", "applied", "apply", "propose"]

MAX_ACTIONS = 20_000
MAX_MATCHES = 100_000
_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]'"*\s?@()]+)
    |\[\s*'(?P<single>(?:[^'\\]|\\.)*)'\s*\]
    |\[\s*"(?P<double>(?:[^"\\]|\\.)*)"\s*\]
    |\[\s*(?P<index>[0-9]{1,9})\s*\]
    |(?P<every>\.\*|\[\s*\*\s*\])
    |\[\s*\?\s*\(?\s*@\.(?P<key>[\w-]+)\s*==\s*(?P<quote>['"])(?P<value>.*?)(?P=quote)\s*\)?\s*\]""",
    re.VERBOSE,
)
Step = tuple[str, Any]  # ("key", name) | ("index", n) | ("every", None) | ("where", (key, value))
Match = tuple[Any, Any, Json]  # holder, key in it, value


class Applied(Struct, frozen=True):
    """A document with an overlay worked in, and what could not be."""

    document: JsonObject
    findings: tuple[Finding, ...]


def apply(document: JsonObject, overlay: JsonObject) -> JsonObject:
    """The document with the overlay worked in; the arguments stay untouched."""
    return applied(document, overlay).document


def applied(document: JsonObject, overlay: JsonObject) -> Applied:
    """Like `apply`, with a finding for each action that could not be carried out."""
    report = Report()
    made = copy.deepcopy(document)
    actions = overlay.get("actions", [])
    if not isinstance(actions, list) or len(actions) > MAX_ACTIONS:
        report.find(
            notices.OVERLAY_ACTION,
            "/actions",
            why_zh="actions 不是列表或过多",
            why_en="actions is no list, or too long",
        )
        actions = []
    for index, action in enumerate(actions):
        _carry_out(made, action, f"/actions/{index}", report)
    return Applied(made, report.findings)


def _carry_out(document: JsonObject, action: Json, place: str, report: Report) -> None:
    target = action.get("target") if isinstance(action, dict) else None
    steps = parse_target(target) if isinstance(target, str) else None
    if steps is None:
        report.find(notices.OVERLAY_TARGET, place, target=str(target))
        return
    matches = list(select(document, steps))
    if not matches:
        report.find(notices.OVERLAY_NOTHING, place, target=str(target))
        return
    if action.get("remove") is True:
        _remove(matches, place, report)
    elif "update" in action:
        for _, _, value in matches:
            _update(value, action["update"], place, report)
    else:
        report.find(
            notices.OVERLAY_ACTION,
            place,
            why_zh="没有 update 或 remove",
            why_en="it has no update and no remove",
        )


def parse_target(target: str) -> list[Step] | None:
    """The steps of a target, or None when it is not of the part of JSONPath that is understood."""
    text = target.strip()
    if not text.startswith("$"):
        return None
    steps: list[Step] = []
    position = 1
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            return None
        steps.append(_step(found))
        position = found.end()
    return steps


def _step(found: re.Match[str]) -> Step:
    for group in ("name", "single", "double"):
        if found[group] is not None:
            return "key", re.sub(r"\\(.)", r"\1", found[group]) if group != "name" else found[group]
    if found["index"] is not None:
        return "index", int(found["index"])
    if found["key"] is not None:
        return "where", (found["key"], found["value"])
    return "every", None


def select(document: JsonObject, steps: list[Step]) -> Iterator[Match]:
    """What the steps lead to, with the container that holds it."""
    matches: list[Match] = [(None, None, document)]
    for step in steps:
        matches = [found for _, _, value in matches for found in _children(value, step)][:MAX_MATCHES]
    yield from matches


def _children(value: Json, step: Step) -> Iterator[Match]:
    kind, wanted = step
    if kind == "key":
        if isinstance(value, dict) and wanted in value:
            yield value, wanted, value[wanted]
    elif kind == "index":
        if isinstance(value, list) and wanted < len(value):
            yield value, wanted, value[wanted]
    else:
        entries = (
            list(value.items())
            if isinstance(value, dict)
            else list(enumerate(value))
            if isinstance(value, list)
            else []
        )
        for key, item in entries:
            if kind == "every" or (isinstance(item, dict) and item.get(wanted[0]) == wanted[1]):
                yield value, key, item


def _remove(matches: list[Match], place: str, report: Report) -> None:
    for holder, key, _ in reversed(matches):
        if holder is None:
            report.find(
                notices.OVERLAY_ACTION,
                place,
                why_zh="不能移除整个文档",
                why_en="the whole document cannot be removed",
            )
        else:
            del holder[key]


def _update(value: Json, update: Json, place: str, report: Report) -> None:
    if isinstance(value, dict) and isinstance(update, dict):
        _merge(value, update)
    elif isinstance(value, list):
        value.append(copy.deepcopy(update))
    else:
        report.find(
            notices.OVERLAY_ACTION,
            place,
            why_zh="目标既不是对象也不是列表",
            why_en="the target is neither an object nor a list",
        )


def _merge(target: JsonObject, update: JsonObject) -> None:
    """Objects merge, lists are appended to, everything else is replaced."""
    for key, item in update.items():
        held = target.get(key)
        if isinstance(held, dict) and isinstance(item, dict):
            _merge(held, item)
        elif isinstance(held, list) and isinstance(item, list):
            held.extend(copy.deepcopy(item))
        else:
            target[key] = copy.deepcopy(item)
