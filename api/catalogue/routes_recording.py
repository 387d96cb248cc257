"""Routes of the consent to record an upstream's answers."""

from typing import Annotated

from litestar import delete, get, put
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta, Struct

from api.catalogue import recording
from api.core import clock
from api.core.dependencies import CurrentCaller
from api.core.problem_responses import problem_responses
from api.core.problem_types_platform import CSRF_FAILED, NOT_FOUND, NOT_SIGNED_IN, PERMISSION_DENIED

_PATH = "/platform/v1/services/{service_id:str}/recording"
_READ = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, NOT_FOUND)
_WRITE = problem_responses(NOT_SIGNED_IN, PERMISSION_DENIED, CSRF_FAILED, NOT_FOUND)
ServiceId = Annotated[str, PathParameter(description="Service version, `company@v1`.", max_length=80)]
Environment = Annotated[str, QueryParameter(pattern="^(sandbox|live)$")]


class RecordingRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """For how long, and how many calls at most."""

    environment: Annotated[str, Meta(pattern="^(sandbox|live)$")]
    days: Annotated[int, Meta(ge=1, le=recording.MOST_DAYS)] = 7
    most: Annotated[int, Meta(ge=1, le=recording.MOST_CALLS)] = 500


class RecordingState(Struct, frozen=True):
    """Whether answers are recorded now; `until`, `most` and `by` are empty where they are not."""

    allowed: bool
    until: str = ""
    most: int = 0
    by: str = ""


def _state(made: recording.Recording | None) -> RecordingState:
    if made is None:
        return RecordingState(False)
    return RecordingState(True, clock.to_text(made.until), made.most, made.by)


@get(
    _PATH, tags=["contracts"], operation_id="getRecording", summary="是否同意记录 Whether recording is agreed to",
    description="The department's consent to record its upstream's answers, masked by classification.", responses=_READ,
)  # fmt: skip
async def get_recording(
    caller: CurrentCaller, service_id: ServiceId, environment: Environment = "live"
) -> RecordingState:
    return _state(await recording.standing(caller, service_id, environment))


@put(
    _PATH, tags=["contracts"], operation_id="allowRecording", summary="同意记录 Agree to recording",
    description="The gateway then records what the upstream answers, masked by classification, to measure the sandbox by "
    "it. Live only the department itself may agree.",
    responses=_WRITE,
)  # fmt: skip
async def allow_recording(
    caller: CurrentCaller, service_id: ServiceId, data: JSONBody[RecordingRequest]
) -> RecordingState:
    return _state(await recording.allow(caller, service_id, data.environment, days=data.days, most=data.most))


@delete(
    _PATH, tags=["contracts"], operation_id="stopRecording", summary="停止记录 Take the consent back",
    description="Nothing more is recorded; what was recorded stays with the operator.", responses=_WRITE,
)  # fmt: skip
async def stop_recording(
    caller: CurrentCaller, service_id: ServiceId, environment: Environment = "live"
) -> None:
    await recording.stop(caller, service_id, environment)


HANDLERS = [get_recording, allow_recording, stop_recording]
