"""The parity certificate and the fidelity figures of a service version, as `kaimen parity` left them: published, never
changed here.
"""

import base64
import hashlib
import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.params import PathParameter
from msgspec import Struct

from api.catalogue import browsing, outside
from api.core.caller import Caller
from api.core.dependencies import CurrentCaller
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text

FOLDER = "parity"
_FIDELITY = ".fidelity"
FIGURES = Text(
    "保真度（运行 kaimen parity fidelity 后才有）", "fidelity figures (made by `kaimen parity fidelity`)"
)
WHAT = Text("一致性证书（运行 kaimen parity 后才有）", "parity certificate (made by `kaimen parity`)")
_KEY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}@v[0-9]{1,9}")


class Summary(Struct, frozen=True):
    """What the service's page shows of its certificate."""

    cases: int
    agree: int
    faces: list[str]
    date: str
    digest: str

    @property
    def is_whole(self) -> bool:
        return self.cases > 0 and self.agree == self.cases


class OperationFigure(Struct, frozen=True):
    """How well the sandbox stands in for an operation of the real system; `figure` None where nothing counts."""

    figure: float | None
    recorded: int
    counted: int
    synthetic: int


class Figures(Struct, frozen=True):
    """What the service's page shows of the fidelity."""

    figure: float | None
    date: str
    operations: dict[str, OperationFigure]


def certificate(key: str, home: Path | None = None) -> bytes | None:
    """The certificate of `company@v1`, None where none was made."""
    return _read(key, "", home)


def _read(key: str, kind: str, home: Path | None = None) -> bytes | None:
    if not _KEY.fullmatch(key):
        return None
    folder = (home or outside.ask().settings.home_path) / FOLDER
    try:
        return (folder / f"{key}{kind}.json").read_bytes()
    except OSError:
        return None


def summary(key: str) -> Summary | None:
    """Its counts, None where there is none that can be read."""
    text = certificate(key)
    try:
        return None if text is None else msgspec.json.decode(text, type=Summary)
    except msgspec.MsgspecError:
        return None


def figures(key: str) -> Figures | None:
    """The fidelity by operation, None where none was measured."""
    text = _read(key, _FIDELITY)
    try:
        return None if text is None else msgspec.json.decode(text, type=Figures)
    except msgspec.MsgspecError:
        return None


@get("/catalogue/{service:str}/{version:str}/parity.json", include_in_schema=False)
async def show_certificate(
    request: Request[Any, Any, Any], caller: CurrentCaller,
    service: Annotated[str, PathParameter(max_length=64)], version: Annotated[str, PathParameter(max_length=16)],
) -> Response[bytes]:  # fmt: skip
    """Whether all faces of the service said the same, and what was left out for which reason."""
    return await _answer(request, caller, f"{service}@{version}", "", WHAT)


@get("/catalogue/{service:str}/{version:str}/fidelity.json", include_in_schema=False)
async def show_fidelity(
    request: Request[Any, Any, Any], caller: CurrentCaller,
    service: Annotated[str, PathParameter(max_length=64)], version: Annotated[str, PathParameter(max_length=16)],
) -> Response[bytes]:  # fmt: skip
    """How well the sandbox stands in for the real system, by operation."""
    return await _answer(request, caller, f"{service}@{version}", _FIDELITY, FIGURES)


async def _answer(
    request: Request[Any, Any, Any], caller: Caller, key: str, kind: str, what: Text
) -> Response[bytes]:
    listed = {f"{one.card.name}@{one.card.version}" for one in await browsing.browse(caller)}
    text = _read(key, kind) if key in listed else None
    if text is None:
        raise Refusal(NOT_FOUND, what=what)
    digest = hashlib.sha256(text).digest()
    headers = {
        "Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*", "ETag": f'"{digest.hex()[:32]}"',
        "Repr-Digest": f"sha-256=:{base64.b64encode(digest).decode()}:",  # RFC 9530
    }  # fmt: skip
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(text, media_type="application/json", headers=headers)


HANDLERS = [show_certificate, show_fidelity]
