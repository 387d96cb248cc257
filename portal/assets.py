"""Style, script and pictures: read once at start, named by a hash of their content, cached for a year.

A page asks `asset("kaimen.css")` and gets `/static/kaimen.1f2e3d4c5b6a.css`; another content is another address.
"""

import gzip
import hashlib
from pathlib import Path

from litestar import Request, Response, Router, get
from litestar.params import FromPath
from msgspec import Struct

from api.core import problem_types_platform as platform_types
from api.core.problems import Refusal

FOLDER = Path(__file__).parent / "static"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}
_YEAR = "public, max-age=31536000, immutable"


class Asset(Struct, frozen=True):
    """A static file as served."""

    address: str
    media_type: str
    content: bytes
    packed: bytes


def read_assets(folder: Path = FOLDER) -> dict[str, Asset]:
    """Every static file by its plain name."""
    assets = {}
    for path in sorted(folder.iterdir()):
        if path.suffix not in _TYPES:
            continue
        content = path.read_bytes()
        mark = hashlib.sha256(content).hexdigest()[:12]
        assets[path.name] = Asset(
            address=f"/static/{path.stem}.{mark}{path.suffix}",
            media_type=_TYPES[path.suffix],
            content=content,
            packed=gzip.compress(content, 9, mtime=0),
        )
    return assets


ASSETS = read_assets()
_BY_ADDRESS = {asset.address: asset for asset in ASSETS.values()}


def asset(name: str) -> str:
    """The address of a static file; KeyError for a name that is none, so a misspelling fails in tests."""
    return ASSETS[name].address


def _answer(found: Asset, request: Request, cache: str) -> Response[bytes]:  # type: ignore[type-arg]  # any state
    headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
    packed = "gzip" in request.headers.get("accept-encoding", "")
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(found.packed if packed else found.content, media_type=found.media_type, headers=headers)


@get("/static/{name:str}", include_in_schema=False)
async def static_file(request: Request, name: FromPath[str]) -> Response[bytes]:  # type: ignore[type-arg]  # any state
    """A static file by its hashed address."""
    found = _BY_ADDRESS.get(f"/static/{name}")
    if found is None:
        raise Refusal(platform_types.PAGE_NOT_FOUND)
    return _answer(found, request, _YEAR)


@get("/favicon.ico", include_in_schema=False)
async def favicon(request: Request) -> Response[bytes]:  # type: ignore[type-arg]  # any state
    """The logo, for browsers that ask without being told where it is."""
    return _answer(ASSETS["logo.svg"], request, "public, max-age=86400")


router = Router("/", route_handlers=[static_file, favicon])
