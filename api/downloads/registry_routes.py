"""`/sdk/…`: packages as pip, npm, Maven and Go ask for them. Public ones for all, an app's with its read token."""

import hashlib
from typing import Any

from litestar import Request, Response, Router, get
from litestar.params import FromPath

from api.core.problem_types_downloads import SDK_TOKEN_NEEDED
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Refusal, Text
from api.downloads import registries
from api.downloads.models import SdkAppRelease, SdkRelease
from api.downloads.public import APP_PACKAGE, ensure_public, public_services
from api.downloads.registries import Edition
from api.downloads.service import editions, workshop_of
from api.downloads.tokens import reader_of, releases_of_app
from api.identity.installation import current

AnyRequest = Request[Any, Any, Any]
Bytes = Response[bytes]
_WHAT = Text("这个包", "such package")
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="kaimen sdk", charset="UTF-8"'}
_IMMUTABLE = "max-age=31536000, immutable"
_DIGESTS = ("sha512", "sha256", "sha1", "md5")
_MAVEN_GROUP = ("gov", "kaimen", "sdk")


def _missing() -> Refusal:
    return Refusal(NOT_FOUND, what=_WHAT)


async def _reader(request: AnyRequest) -> str:
    """The app whose token was sent, "" for none. Raises sdk-token-needed for a token that opens nothing."""
    sent = request.headers.get("authorization", "")
    reader = await reader_of(sent)
    if sent and not reader:
        raise Refusal(SDK_TOKEN_NEEDED, headers=_CHALLENGE)
    return reader


async def _editions(request: AnyRequest, package: str, language: str) -> tuple[list[Edition], bool]:
    """What the caller may have of a package in a language, and whether everybody may. Raises not-found, sdk-token-needed."""
    workshop = workshop_of(request.app)
    workshop.check_language(language)
    reader = await _reader(request)
    if APP_PACKAGE.fullmatch(package):
        if not reader:
            raise Refusal(SDK_TOKEN_NEEDED, headers=_CHALLENGE)
        found = editions(workshop, await releases_of_app(reader, package), language)
    elif await ensure_public(workshop, package, language):
        releases = await SdkRelease.filter(package=package, language=language).exclude(line="")
        found = editions(workshop, releases, language)
    else:
        found = []
    if not found:
        raise _missing()
    return found, not APP_PACKAGE.fullmatch(package)


def _answer(
    request: AnyRequest,
    data: bytes,
    media_type: str,
    *,
    is_public: bool,
    is_fixed: bool = False,
    tag: str = "",
) -> Bytes:
    etag = f'"{tag or hashlib.sha256(data).hexdigest()}"'
    scope = "public" if is_public else "private"
    headers = {
        "ETag": etag, "Cache-Control": f"{scope}, {_IMMUTABLE if is_fixed else 'no-cache'}",
        "Vary": "Authorization", "X-Content-Type-Options": "nosniff",
    }  # fmt: skip
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return Response(data, headers=headers, media_type=media_type)


def _file(
    request: AnyRequest, edition: Edition, language: str, name: str, *, is_public: bool, media_type: str = ""
) -> Bytes:
    data = workshop_of(request.app).shelf.read(edition.release_id, language, name)
    if data is None:
        raise _missing()
    return _answer(
        request, data, media_type or "application/octet-stream", is_public=is_public, is_fixed=True,
        tag=edition.made.files[name].sha256,
    )  # fmt: skip


# --- key and files ----------------------------------------------------------------------------------
@get("/key")
async def key(request: AnyRequest) -> Bytes:
    """The public key of all signatures."""
    data = workshop_of(request.app).builder.public_key()
    return _answer(request, data, "application/x-pem-file", is_public=True)


@get("/files/{release_id:str}/{language:str}/{name:str}")
async def file(
    request: AnyRequest, release_id: FromPath[str], language: FromPath[str], name: FromPath[str]
) -> Bytes:
    """A file of a release; of an app's with its token."""
    reader = await _reader(request)
    release = await SdkRelease.get_or_none(id=release_id[:40])
    if release is None:
        raise _missing()
    is_public = bool(release.line)
    if not is_public and not reader:
        raise Refusal(SDK_TOKEN_NEEDED, headers=_CHALLENGE)
    if not is_public and not await SdkAppRelease.filter(id=f"{reader}/{release.id}").exists():
        raise _missing()
    workshop = workshop_of(request.app)
    workshop.check_language(language)
    found = editions(workshop, [release], language)
    if not found:
        raise _missing()
    return _file(request, found[0], language, name, is_public=is_public)


# --- pip ----------------------------------------------------------------------------------------
@get("/simple")
async def simple_root(request: AnyRequest) -> Bytes:
    """PEP 503: the projects that the caller may have."""
    reader = await _reader(request)
    names = {f"kaimen-{one}" for one in await public_services()}
    if reader:
        names |= {f"kaimen-{one.package}" for one in await releases_of_app(reader)}
    return _answer(
        request, registries.simple_root(sorted(names)), "text/html; charset=utf-8", is_public=not reader
    )


@get("/simple/{project:str}")
async def simple_project(request: AnyRequest, project: FromPath[str]) -> Bytes:
    """PEP 503: the files of a project."""
    if not project.startswith("kaimen-"):
        raise _missing()
    found, is_public = await _editions(request, project.removeprefix("kaimen-"), "python")
    data = registries.simple_project(project, found)
    return _answer(request, data, "text/html; charset=utf-8", is_public=is_public)


# --- npm ----------------------------------------------------------------------------------------
@get("/npm/{path:path}")
async def npm(request: AnyRequest, path: FromPath[str]) -> Bytes:
    """`@kaimen/company` is the packument, `@kaimen/company/-/FILE` a tarball."""
    name, _, tarball = path.strip("/").replace("%2f", "/").replace("%2F", "/").partition("/-/")
    if not name.startswith("@kaimen/"):
        raise _missing()
    found, is_public = await _editions(request, name.removeprefix("@kaimen/"), "typescript")
    if tarball:
        one = next((one for one in found if one.made.facts["tarball"] == tarball), None)
        if one is None:
            raise _missing()
        return _file(request, one, "typescript", tarball, is_public=is_public, media_type="application/gzip")
    data = registries.packument(name, found, f"{current().settings.sandbox_url.rstrip('/')}/sdk/npm")
    return _answer(request, data, "application/json", is_public=is_public)


# --- Maven ----------------------------------------------------------------------------------------
@get("/maven/{path:path}")
async def maven(request: AnyRequest, path: FromPath[str]) -> Bytes:
    """gov/kaimen/sdk/ARTIFACT/maven-metadata.xml and …/VERSION/FILE, each with its checksums beside it."""
    parts = path.strip("/").split("/")
    if tuple(parts[:3]) != _MAVEN_GROUP or len(parts) not in {5, 6}:
        raise _missing()
    artifact, name = parts[3], parts[-1]
    found, is_public = await _editions(request, artifact, "java")
    digest = next((one for one in _DIGESTS if name.endswith(f".{one}")), "")
    plain = name.removesuffix(f".{digest}") if digest else name
    if len(parts) == 5:
        if plain != "maven-metadata.xml":
            raise _missing()
        data = registries.maven_metadata(".".join(_MAVEN_GROUP), artifact, found)
        if digest:
            return _answer(request, _hex(data, digest), "text/plain", is_public=is_public)
        return _answer(request, data, "application/xml", is_public=is_public)
    one = next((one for one in found if one.version == parts[4] and plain in one.made.files), None)
    if one is None:
        raise _missing()
    if digest:
        stated = str(getattr(one.made.files[plain], digest)).encode()
        return _answer(request, stated, "text/plain", is_public=is_public, is_fixed=True)
    return _file(request, one, "java", plain, is_public=is_public)


def _hex(data: bytes, digest: str) -> bytes:
    return hashlib.new(digest, data, usedforsecurity=False).hexdigest().encode()


# --- Go -----------------------------------------------------------------------------------------
@get("/go/{path:path}")
async def go(request: AnyRequest, path: FromPath[str]) -> Bytes:
    """The GOPROXY protocol: MODULE/@v/list, MODULE/@v/vX.Y.Z.info|mod|zip and MODULE/@latest."""
    module, _, wanted = path.strip("/").partition("/@")
    package, _, suffix = module.removeprefix("gov.kaimen/sdk/").partition("/")
    if not module.startswith("gov.kaimen/sdk/") or not package or not wanted:
        raise _missing()
    every, is_public = await _editions(request, package, "go")
    found = [one for one in every if one.made.name == module]
    if not found or (suffix and not suffix.startswith("v")):
        raise _missing()
    if wanted == "v/list":
        return _answer(request, registries.go_list(found), "text/plain; charset=utf-8", is_public=is_public)
    if wanted == "latest":
        newest = registries.sorted_editions(found)[-1]
        name = f"v{newest.version}.info"
        data = workshop_of(request.app).shelf.read(newest.release_id, "go", name)
        return _answer(request, data or b"", "application/json", is_public=is_public)
    name = wanted.removeprefix("v/")
    one = next((one for one in found if name in one.made.files and name.startswith(f"v{one.version}.")), None)
    if one is None:
        raise _missing()
    return _file(request, one, "go", name, is_public=is_public)


registry_router = Router(
    "/sdk", route_handlers=[key, file, simple_root, simple_project, npm, maven, go], include_in_schema=False
)
