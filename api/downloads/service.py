"""SDKs of apps: ordering one, asking how far it is, and taking its files."""

import hashlib
from collections.abc import Awaitable
from contextlib import suppress

from litestar import Litestar
from msgspec import Struct

from api.core import clock
from api.core.caller import Caller
from api.core.ids import encode_id
from api.core.problem_types_downloads import SDK_BUILD_FAILED, SDK_NOTHING_OPEN
from api.core.problem_types_platform import NOT_FOUND
from api.core.problems import Problem, Refusal, Text
from api.downloads.builder import Made
from api.downloads.models import SdkAppRelease, SdkRelease
from api.downloads.registries import Edition
from api.downloads.schemas import SdkBuild, files_of, install_of
from api.downloads.selection import Selection, selection_of
from api.downloads.tokens import releases_of_app
from api.downloads.workshop import Ready, Workshop, cause_of, note_for_app
from api.identity.apps.rows import editable_app, get_app
from api.identity.models import App

_WHAT = Text("这个 SDK", "such SDK")


class Ordered(Struct, frozen=True):
    """What an app's order is, worked out anew from its subscriptions."""

    app: App
    selection: Selection
    language: str
    package: str
    key: str

    @property
    def build_id(self) -> str:
        """Of this app, language and selection: it tells nothing, and opens nothing of another app."""
        data = hashlib.sha256(f"{self.app.id}:{self.language}:{self.key}".encode()).digest()[:16]
        return encode_id("sb", data)


def workshop_of(app: Litestar) -> Workshop:
    found: Workshop = app.state.sdk_workshop
    return found


def _ordered(workshop: Workshop, app: App, selection: Selection, language: str) -> Ordered:
    package = workshop.package_of(selection)
    return Ordered(app, selection, language, package, workshop.key_of(selection, language, package))


async def order(workshop: Workshop, caller: Caller, app_id: str, language: str, origin: str) -> SdkBuild:
    """Begin (or join, or find) the build of an app's SDK.

    Raises not-found, permission-denied, sdk-language-unknown, sdk-nothing-open, sdk-busy.
    """
    app = await editable_app(caller, app_id)
    workshop.check_language(language)
    ordered = _ordered(workshop, app, await selection_of(app), language)
    if ordered.selection.is_empty:
        raise Refusal(SDK_NOTHING_OPEN)
    found = await workshop.find(ordered.key, language)
    if found is not None:
        await note_for_app(caller.actor, app.id, app.organisation_id, found)
        return _done(ordered, found, origin)
    task = workshop.start(ordered.selection, language, ordered.package)
    workshop.shelf.note_progress(ordered.build_id, {"key": ordered.key, "language": language})

    async def finish() -> None:
        ready = await task
        await note_for_app(caller.actor, app.id, app.organisation_id, ready)

    workshop.follow(_quietly(finish()))
    return _running(ordered.app, ordered.build_id, language, workshop.progress(ordered.key))


async def _quietly(work: Awaitable[None]) -> None:
    """A build that failed has said so in its progress."""
    with suppress(Problem):
        await work


async def progress(workshop: Workshop, caller: Caller, app_id: str, build_id: str, origin: str) -> SdkBuild:
    """How far a build of the app is. Raises not-found."""
    app = await get_app(caller, app_id)
    selection = await selection_of(app)
    for language in workshop.builder.languages():
        ordered = _ordered(workshop, app, selection, language)
        if ordered.build_id == build_id:
            found = await workshop.find(ordered.key, language)
            if found is not None and await _is_of(app, found):
                return _done(ordered, found, origin)
            state = workshop.progress(ordered.key)
            if not state:
                break
            return _running(app, build_id, language, state)
    raise Refusal(NOT_FOUND, what=_WHAT)


async def _is_of(app: App, ready: Ready) -> bool:
    return await SdkAppRelease.filter(id=f"{app.id}/{ready.release.id}").exists()


def _running(app: App, build_id: str, language: str, state: dict[str, object]) -> SdkBuild:
    step = str(state.get("step", "waiting"))
    if step != "failed":
        return SdkBuild(build_id, app.id, language, "running", "signing" if step == "done" else step)
    cause = cause_of(str(state.get("cause", "")))
    return SdkBuild(
        build_id, app.id, language, "failed", step,
        reason=f"{cause.zh} {cause.en}", next=f"{SDK_BUILD_FAILED.next.zh} {SDK_BUILD_FAILED.next.en}",
    )  # fmt: skip


def _done(ordered: Ordered, ready: Ready, origin: str) -> SdkBuild:
    operations = ordered.selection.choice.operations
    return SdkBuild(
        ordered.build_id, ordered.app.id, ordered.language, "done", "done",
        package=ready.made.name, version=ready.release.version,
        install=install_of(ordered.language, ready.made.name, ready.release.version, origin, is_private=True),
        files=files_of(ready.made), services=sorted(operations),
        operations=sum(len(one) for one in operations.values()), left_out=list(ordered.selection.left_out),
    )  # fmt: skip


async def file_of_build(
    workshop: Workshop, caller: Caller, app_id: str, build_id: str, name: str, origin: str
) -> tuple[bytes, str]:
    """A file of a finished build and its SHA-256. Raises not-found."""
    app = await get_app(caller, app_id)
    selection = await selection_of(app)
    for language in workshop.builder.languages():
        ordered = _ordered(workshop, app, selection, language)
        found = await workshop.find(ordered.key, language) if ordered.build_id == build_id else None
        if found is not None and await _is_of(app, found):
            data = workshop.shelf.read(found.release.id, language, name)
            if data is not None:
                return data, found.made.files[name].sha256
    raise Refusal(NOT_FOUND, what=_WHAT)


async def packages_of_app(
    workshop: Workshop, caller: Caller, app_id: str
) -> list[tuple[SdkRelease, str, Made]]:
    """What was made for an app: release, language, files; the newest first. Raises not-found."""
    app = await get_app(caller, app_id)
    found = [
        (release, language, made)
        for release in await releases_of_app(app.id)
        for language in workshop.builder.languages()
        if (made := workshop.shelf.meta(release.id, language)) is not None
    ]
    return sorted(found, key=lambda one: (one[0].made_at, one[1]), reverse=True)


def editions(workshop: Workshop, releases: list[SdkRelease], language: str) -> list[Edition]:
    """Those of the releases that were made in a language."""
    return [
        Edition(one.id, one.package, one.version, clock.to_text(one.made_at), made)
        for one in releases
        if (made := workshop.shelf.meta(one.id, language)) is not None
    ]
