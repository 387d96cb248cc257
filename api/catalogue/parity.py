"""The parity certificate of a service version, as `kaimen parity` left it: published, never changed here."""

import re
from pathlib import Path
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get
from litestar.params import PathParameter
from msgspec import Struct

from api.catalogue import browsing, outside
from api.core.dependencies import CurrentCaller
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text

FOLDER = "parity"
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


def certificate(key: str, home: Path | None = None) -> bytes | None:
    """The certificate of `company@v1`, None where none was made."""
    if not _KEY.fullmatch(key):
        return None
    folder = (home or outside.ask().settings.home_path) / FOLDER
    try:
        return (folder / f"{key}.json").read_bytes()
    except OSError:
        return None


def summary(key: str) -> Summary | None:
    """Its counts, None where there is none that can be read."""
    text = certificate(key)
    try:
        return None if text is None else msgspec.json.decode(text, type=Summary)
    except msgspec.DecodeError:
        return None


@get("/catalogue/{service:str}/{version:str}/parity.json", include_in_schema=False)
async def show_certificate(
    request: Request[Any, Any, Any], caller: CurrentCaller,
    service: Annotated[str, PathParameter(max_length=64)], version: Annotated[str, PathParameter(max_length=16)],
) -> Response[bytes]:  # fmt: skip
    """Whether all faces of the service said the same, and what was left out for which reason."""
    key = f"{service}@{version}"
    listed = {f"{one.card.name}@{one.card.version}" for one in await browsing.browse(caller)}
    text = certificate(key) if key in listed else None
    if text is None:
        raise Refusal(NOT_FOUND, what=WHAT)
    headers = {"Cache-Control": "public, no-cache", "Access-Control-Allow-Origin": "*"}
    return Response(text, media_type="application/json", headers=headers)


HANDLERS = [show_certificate]
