"""Lint rule about x-composition: a composed service names operations of its own, and steps that can be worked off."""

from collections.abc import Iterator

from api.contract.composition import KEY, CompositionError, read_composition
from api.contract.rule import ERROR, Hit, Subject, rule


@rule(
    "composition",
    ERROR,
    ("组合声明不成立：{fault}。", "The composition does not hold together: {fault}."),
    hint=(
        "对照 api/contract/composition.py 开头的示例。",
        "Compare with the example at the top of api/contract/composition.py.",
    ),
    reason=(
        "办到一半才发现的错误，要由办事人承担。",
        "A mistake that shows halfway through a case is paid for by the person whose case it is.",
    ),
    source="decision 0010",
)
def _composition(subject: Subject) -> Iterator[Hit]:
    if KEY not in subject.document:
        return
    try:
        read_composition(subject.service)
    except CompositionError as error:
        yield Hit("/" + KEY, {"fault": str(error)})
