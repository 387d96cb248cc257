"""Lint rules about x-problems and x-refusals: slugs that exist, scenarios that refuse as is promised."""

from collections.abc import Iterator

from api.contract import profile
from api.contract.model import JsonObject
from api.contract.pointers import join
from api.contract.rule import ERROR, WARNING, Hit, Subject, rule
from api.contract.rules_profile import near


def _problems(subject: Subject) -> JsonObject:
    return profile.as_object(subject.document.get("x-problems"))


@rule(
    "refusal-unknown",
    ERROR,
    (
        "{operation} 的 x-refusals 列了 {slug},但 x-problems 里没有它{meant_zh}。",
        "x-refusals of {operation} names {slug}, which x-problems does not have{meant_en}.",
    ),
    hint=(
        "在根的 x-problems 里写明,或改正拼写;平台自己的拒绝不必列出,由 default 涵盖。",
        "State it in x-problems at the root or mend the spelling; `default` covers what the platform refuses.",
    ),
    reason=(
        "没有内容的拒绝无法说明下一步。",
        "A refusal that is nowhere described cannot say what to do next.",
    ),
    source="decision 0009",
)
def _unknown(subject: Subject) -> Iterator[Hit]:
    known = frozenset(_problems(subject))
    for operation in subject.operations:
        written = subject.written(operation).get("x-refusals")
        for index, slug in enumerate(written if isinstance(written, list) else ()):
            if isinstance(slug, str) and slug not in known:
                meant = near(slug, known)
                facts: dict[str, object] = {
                    "operation": operation.id,
                    "slug": slug,
                    "meant_zh": f",是不是 {meant}?" if meant else "",
                    "meant_en": f"; is {meant} meant?" if meant else "",
                }
                yield Hit(join(operation.pointer, "x-refusals", index), facts)


@rule(
    "refusal-unused",
    WARNING,
    ("没有操作给出 {slug} 这种拒绝。", "No operation gives the refusal {slug}."),
    hint=("写进操作的 x-refusals,或删去。", "Name it in an operation's x-refusals, or remove it."),
    reason=("使用者会为永远不会发生的事写代码。", "Users write code for what never happens."),
    source="decision 0009",
)
def _unused(subject: Subject) -> Iterator[Hit]:
    written = [subject.written(operation).get("x-refusals") for operation in subject.operations]
    if not any(isinstance(one, list) for one in written):
        return
    used = {slug for one in written if isinstance(one, list) for slug in one if isinstance(slug, str)}
    for slug in _problems(subject):
        if slug not in used:
            yield Hit(join("/x-problems", slug), {"slug": slug})


@rule(
    "scenario-refusal",
    ERROR,
    (
        "场景 {id} 以 {slug} 拒绝,但 {operation} 的 x-refusals 没有列出它。",
        "The scenario {id} refuses with {slug}, which x-refusals of {operation} does not name.",
    ),
    hint=("把它写进 x-refusals。", "Name it in x-refusals."),
    reason=("场景只能做契约允许的事。", "A scenario can only do what the contract allows."),
    source="decision 0009",
)
def _unlisted(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        listed = subject.written(operation).get("x-refusals")
        for index, scenario in enumerate(operation.scenarios):
            slug = profile.text(scenario.then.get("problem"))
            if isinstance(listed, list) and slug in _problems(subject) and slug not in listed:
                pointer = join(operation.pointer, "x-scenarios", index, "then", "problem")
                yield Hit(pointer, {"id": scenario.id, "slug": slug, "operation": operation.id})


@rule(
    "scenario-refusal-status",
    ERROR,
    (
        "场景 {id} 答 {status},而 {slug} 是 {stated}。",
        "The scenario {id} answers {status}, but {slug} is {stated}.",
    ),
    hint=("写 then.status: {stated}。", "Write then.status: {stated}."),
    reason=("一种拒绝只有一个状态码。", "A refusal has one status."),
    source="decision 0009",
)
def _status(subject: Subject) -> Iterator[Hit]:
    for operation in subject.operations:
        for index, scenario in enumerate(operation.scenarios):
            slug = profile.text(scenario.then.get("problem"))
            stated = profile.as_object(_problems(subject).get(slug)).get("status")
            if stated is not None and stated != scenario.then.get("status"):
                pointer = join(operation.pointer, "x-scenarios", index, "then", "status")
                facts = {"id": scenario.id, "slug": slug, "stated": stated}
                yield Hit(pointer, {**facts, "status": scenario.then.get("status")})
