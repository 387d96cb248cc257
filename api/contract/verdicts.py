"""Per face: can it offer the contract? `ok`, `degraded` (why) or `refused` (why). It never stops a server.

A face is refused only when it could offer no operation at all.
"""

from collections import Counter
from collections.abc import Callable, Sequence

from api.contract.model import FaceVerdict, Grade, Level, Loss, Operation, Service
from api.contract.normalise_bodies import is_json

FACES = ("rest", "sandbox")
Reason = tuple[str, str]  # Chinese, English
Judge = Callable[[Service], list[Reason]]  # why the face is degraded, [] where it offers all
_judges: dict[str, Judge] = {}


def register(face: str, judge_of: Judge) -> None:
    """Let a face that is made elsewhere join in judging: api.main says which there are."""
    _judges[face] = judge_of


def judge(service: Service | None, losses: Sequence[Loss] = ()) -> dict[str, FaceVerdict]:
    """The verdict of each face; `service` None means that nothing could be read."""
    if service is None:
        refused = _verdict("refused", [("文档无法读取", "the document could not be read")])
        return dict.fromkeys((*FACES, *_judges), refused)
    rest = _judge_rest(service, losses)
    others = {face: _judge_other(face, service, losses, rest) for face in _judges}
    return {"rest": rest, "sandbox": _judge_sandbox(service, losses, rest), **others}


def _judge_other(face: str, service: Service, losses: Sequence[Loss], rest: FaceVerdict) -> FaceVerdict:
    if rest.verdict == "refused":
        return rest
    reasons = [*_judges[face](service), *_reasons_of(losses, face)]
    return _verdict("degraded" if reasons else "ok", reasons)


def _judge_rest(service: Service, losses: Sequence[Loss]) -> FaceVerdict:
    if not service.operations:
        return _verdict("refused", [("没有操作", "there are no operations")])
    barred = [(operation, barrier_of(operation)) for operation in service.operations]
    shut = [(operation, why) for operation, why in barred if why is not None]
    if len(shut) == len(service.operations):
        return _verdict("refused", _distinct([why for _, why in shut]))
    reasons = [(f"{operation.id}:{why[0]}", f"{operation.id}: {why[1]}") for operation, why in shut]
    reasons += _reasons_of(losses, "rest")
    return _verdict("degraded" if reasons else "ok", reasons)


def barrier_of(operation: Operation) -> Reason | None:
    """Why no face may offer the operation, or None. Source: design §3, GB/T 43697-2024."""
    if operation.grade is not Grade.GENERAL:
        return (
            f"{operation.grade} 级数据不经任何接入面离开",
            f"data of the grade {operation.grade} leave through no face",
        )
    if operation.level is Level.L4:
        return "L4 数据只在洁净室提供", "L4 data are offered in the clean room only"
    if operation.level is Level.L3 and not operation.purposes:
        return "L3 及以上必须写明用途", "L3 and above must name a purpose"
    return None


def _judge_sandbox(service: Service, losses: Sequence[Loss], rest: FaceVerdict) -> FaceVerdict:
    if rest.verdict == "refused":
        return rest
    mute = [operation for operation in service.operations if not _has_success(operation)]
    deaf = [
        operation
        for operation in service.operations
        if _has_success(operation) and not _can_synthesise(operation)
    ]
    reasons: list[Reason] = []
    if mute:
        names = _names(mute)
        reasons.append((f"没有声明成功响应:{names}", f"no success response is declared: {names}"))
    if deaf:
        names = _names(deaf)
        reasons.append(
            (
                f"成功响应没有 JSON schema,沙箱只答空内容:{names}",
                f"the success response has no JSON schema, the sandbox answers without content: {names}",
            )
        )
    reasons += _reasons_of(losses, "sandbox")
    return _verdict("degraded" if reasons else "ok", reasons)


def _has_success(operation: Operation) -> bool:
    return any(one.status[0] in "23" or one.status == "default" for one in operation.responses)


def _can_synthesise(operation: Operation) -> bool:
    successes = [one for one in operation.responses if one.status[0] in "23" or one.status == "default"]
    return any(
        not one.media or any(is_json(media.content_type) and media.schema is not None for media in one.media)
        for one in successes
    )


def _names(operations: list[Operation]) -> str:
    shown = ", ".join(operation.id for operation in operations[:5])
    return shown if len(operations) <= 5 else f"{shown} … ({len(operations)})"


def _reasons_of(losses: Sequence[Loss], face: str) -> list[Reason]:
    """One reason for each rule that cost the face something, with how often and the first place."""
    touching = [loss for loss in losses if not loss.faces or face in loss.faces]
    counts = Counter(loss.rule for loss in touching)
    reasons = []
    for rule, number in counts.items():
        first = next(loss for loss in touching if loss.rule == rule)
        times = f" ×{number}" if number > 1 else ""
        reasons.append((f"{rule}{times}:{first.message_zh}", f"{rule}{times}: {first.message}"))
    return reasons


def _distinct(reasons: list[Reason]) -> list[Reason]:
    return list(dict.fromkeys(reasons))


def _verdict(verdict: str, reasons: list[Reason]) -> FaceVerdict:
    return FaceVerdict(verdict, tuple(one[1] for one in reasons), tuple(one[0] for one in reasons))
