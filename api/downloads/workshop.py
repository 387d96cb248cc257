"""Orders for packages and the builds that serve them: one build for one order, however many ask, and never in a request.

An order is a choice of operations of contracts as published, in a language. Its key opens what was built before;
a new one is built by the SdkBuilder in a process of its own, two at a time, the rest in a bounded queue.
"""

import asyncio
import fcntl
import hashlib
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from tortoise.exceptions import IntegrityError

from api.core import audit, clock, ids
from api.core.logging import log_failure
from api.core.problem_types_downloads import (
    SDK_BUILD_FAILED,
    SDK_BUSY,
    SDK_LANGUAGE_UNKNOWN,
    SDK_NOTHING_OPEN,
)
from api.core.problems import Failure, Refusal, Text
from api.downloads.builder import BuildError, Choice, Decision, Made, Order, Plan, SdkBuilder
from api.downloads.models import SdkAppRelease, SdkRelease
from api.downloads.selection import Selection, documents_of
from api.downloads.shelf import Shelf, facts_of
from api.downloads.versions import changelog_of, next_version, order_of

AT_ONCE = 2
QUEUE = 32
_STALE_SECONDS = 180.0
_LOOK_AGAIN_SECONDS = 0.05
_CAUSES = {
    "timeout": Text("超过了时限", "it took too long"),
    "failed": Text("生成器报错", "the generator failed"),
    "interrupted": Text("服务器重启,任务中断", "the server was restarted meanwhile"),
}


class Ready(msgspec.Struct, frozen=True):
    """A package that can be downloaded."""

    release: SdkRelease
    language: str
    made: Made


class Workshop:
    """Takes orders. `name_key` makes names of app packages that nobody can guess."""

    def __init__(self, shelf: Shelf, builder: SdkBuilder, name_key: Callable[[], bytes]) -> None:
        self.shelf = shelf
        self.builder = builder
        self._name_key = name_key
        self._running: dict[str, asyncio.Task[Ready]] = {}
        self._slots: asyncio.Semaphore | None = None
        self._followers: set[asyncio.Task[None]] = set()

    def check_language(self, language: str) -> None:
        """Raises sdk-language-unknown."""
        known = self.builder.languages()
        if language not in known:
            raise Refusal(SDK_LANGUAGE_UNKNOWN, language=language[:40], languages=", ".join(known))

    def package_of(self, selection: Selection) -> str:
        """`app-` and eight hex digits, the same for the same operations and levels, in this installation only."""
        choice = selection.choice
        written = msgspec.json.encode([choice.operations, choice.levels], order="deterministic")
        return f"app-{hashlib.blake2b(written, key=self._name_key(), digest_size=4).hexdigest()}"

    def key_of(self, selection: Selection, language: str, package: str) -> str:
        """The order's key: everything that decides what comes of it."""
        parts = [
            selection.choice, selection.digests, language, package, self.builder.generator_digest(language),
        ]  # fmt: skip
        return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()

    async def find(self, key: str, language: str) -> Ready | None:
        """What an order gave before; None where it has to be built."""
        release_id = self.shelf.release_of(key)
        made = self.shelf.meta(release_id, language) if release_id else None
        release = await SdkRelease.get_or_none(id=release_id) if made is not None else None
        if release is not None:
            self.shelf.use(self.shelf.folder(release.id, language))
        return Ready(release, language, made) if release is not None and made is not None else None

    async def ready(
        self, selection: Selection, language: str, package: str, *, line: str = "", floor: str = "1.0.0"
    ) -> Ready:
        """The package, built where it has to be. Raises sdk-language-unknown, sdk-nothing-open, sdk-busy, sdk-build-failed."""
        self.check_language(language)
        key = self.key_of(selection, language, package)
        found = await self.find(key, language)
        if found is not None:
            return found
        return await asyncio.shield(self.start(selection, language, package, line=line, floor=floor))

    def start(
        self, selection: Selection, language: str, package: str, *, line: str = "", floor: str = "1.0.0"
    ) -> "asyncio.Task[Ready]":
        """The one build of an order, begun or joined."""
        if selection.is_empty:
            raise Refusal(SDK_NOTHING_OPEN)
        key = self.key_of(selection, language, package)
        task = self._running.get(key)
        if task is None:
            if len(self._running) >= QUEUE:
                raise Refusal(SDK_BUSY, limit=QUEUE, headers={"Retry-After": "5"})
            self.note(key, "waiting", language, package)
            task = asyncio.create_task(
                self._run(key, selection, language, package, line, floor), name=f"sdk {package}"
            )
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key, None))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return task

    def follow(self, work: Any) -> None:
        """Run something that waits for a build, to its end."""
        task = asyncio.create_task(work)
        self._followers.add(task)
        task.add_done_callback(self._followers.discard)

    async def close(self) -> None:
        """End what is under way."""
        tasks = [*self._followers, *self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def note(self, key: str, step: str, language: str, package: str, **more: Any) -> None:
        state = {"step": step, "language": language, "package": package, "at": clock.unix_seconds(), **more}
        self.shelf.note_progress(key, state)

    def progress(self, key: str) -> dict[str, Any]:
        """How far an order has come; a build that nobody works on any more has failed."""
        state = self.shelf.progress(key)
        is_over = state.get("step") in {"done", "failed"}
        if state and not is_over and clock.unix_seconds() - state["at"] > _STALE_SECONDS:
            return state | {"step": "failed", "cause": "interrupted"}
        return state

    # -- one build -----------------------------------------------------------------------------------
    async def _run(
        self, key: str, selection: Selection, language: str, package: str, line: str, floor: str
    ) -> Ready:
        self._slots = self._slots or asyncio.Semaphore(AT_ONCE)
        try:
            async with self._slots, _alone(self.shelf.lock_file(key)):
                found = await self.find(key, language)  # another process may have built it meanwhile
                if found is None:
                    found = await self._build(key, selection, language, package, line, floor)
        except BuildError as error:
            log_failure("sdk.build", error, package=package, language=language)
            self.note(key, "failed", language, package, cause=error.reason)
            raise Failure(
                SDK_BUILD_FAILED, package=package, language=language, cause=cause_of(error.reason)
            ) from error
        except asyncio.CancelledError:
            self.note(key, "failed", language, package, cause="interrupted")
            raise
        self.note(key, "done", language, package)
        return found

    async def _build(
        self, key: str, selection: Selection, language: str, package: str, line: str, floor: str
    ) -> Ready:
        documents = await documents_of(selection)
        latest = await self._latest(package, language, line)
        before = {
            name: self.shelf.document(digest) for name, digest in (latest.documents if latest else {}).items()
        }
        is_known = latest is not None and all(before.values())
        order = Order(
            documents=documents, choice=selection.choice, language=language, package=package,
            documents_before={name: text for name, text in before.items() if text} if is_known else {},
            choice_before=msgspec.convert(latest.choice, Choice) if latest is not None and is_known else None,
        )  # fmt: skip
        chosen: list[SdkRelease] = []

        async def decide(plan: Plan) -> Decision:
            digest = hashlib.sha256(
                f"{plan.digest}:{self.builder.generator_digest(language)}:{language}:{package}".encode()
            ).hexdigest()
            kept = {name: self.shelf.keep_document(text) for name, text in documents.items()}
            release = await self._release(
                (package, language, line), floor, digest, plan, kept, selection.choice
            )
            chosen.append(release)
            if self.shelf.meta(release.id, language) is not None:
                return Decision("")
            name = self.builder.name_of(language, package, release.version)
            return Decision(release.version, changelog_of(name, await self._history(release)))

        workplace = self.shelf.workplace()
        try:
            made = await self.builder.build(
                order, workplace, decide, lambda step: self.note(key, step, language, package)
            )
            if made is not None:
                self.note(key, "signing", language, package)
                await asyncio.to_thread(self._put, workplace, chosen[0].id, language, made)
        finally:
            await asyncio.to_thread(shutil.rmtree, workplace, ignore_errors=True)
        self.shelf.note_order(key, chosen[0].id)
        on_shelf = self.shelf.meta(chosen[0].id, language)
        assert on_shelf is not None
        return Ready(chosen[0], language, on_shelf)

    def _put(self, workplace: Path, release_id: str, language: str, made: Made) -> None:
        names = sorted(made.files)
        sums = self.builder.checksums_of(workplace, names)
        extra = {"SHA256SUMS": sums, "SHA256SUMS.sig": self.builder.sign(sums)}
        for name, data in extra.items():
            (workplace / name).write_bytes(data)
        files = {**made.files, **{name: facts_of(data) for name, data in extra.items()}}
        self.shelf.put(workplace, release_id, language, msgspec.structs.replace(made, files=files))

    # -- releases ------------------------------------------------------------------------------------
    async def _latest(self, package: str, language: str, line: str) -> SdkRelease | None:
        rows = await SdkRelease.filter(package=package, language=language, line=line)
        return max(rows, key=order_of, default=None)

    async def _history(self, release: SdkRelease) -> list[tuple[str, list[dict[str, str]]]]:
        rows = await SdkRelease.filter(package=release.package, language=release.language, line=release.line)
        known = sorted(
            (one for one in rows if order_of(one) <= order_of(release)), key=order_of, reverse=True
        )
        return [(one.version, one.changes) for one in known]

    async def _release(
        self,
        named: tuple[str, str, str],
        floor: str,
        digest: str,
        plan: Plan,
        documents: dict[str, str],
        choice: Choice,
    ) -> SdkRelease:
        """The release with this content, made where it is new. `named`: package, language and line."""
        package, language, line = named
        known = await SdkRelease.get_or_none(package=package, digest=digest)
        if known is not None:
            return known
        release_id = ids.random_id("sdk")
        async with audit.write("system:sdk", "sdk:release:make", f"sdk/{package}") as entry:
            known = await SdkRelease.get_or_none(package=package, digest=digest)
            if known is not None:  # another process was first
                entry.detail["version"] = known.version
                return known
            latest = await self._latest(package, language, line)
            version = next_version(
                latest.version if latest else "", plan.part, floor=floor, keeps_major=bool(line)
            )
            entry.detail |= {"version": version, "digest": digest}
            return await SdkRelease.create(
                id=release_id, package=package, language=language, line=line, version=version, digest=digest,
                documents=documents, choice=msgspec.to_builtins(choice), changes=plan.changes if latest else [], made_at=clock.now(),
            )  # fmt: skip


def cause_of(reason: str) -> Text:
    """Why a build failed, in words."""
    return _CAUSES.get(reason, _CAUSES["failed"])


async def note_for_app(actor: str, app_id: str, organisation_id: str, ready: Ready) -> None:
    """From now on the app's read tokens open this release."""
    row_id = f"{app_id}/{ready.release.id}"
    if await SdkAppRelease.filter(id=row_id).exists():
        return
    try:
        async with audit.write(
            actor, "app:sdk:make", f"app/{app_id}", organisation=organisation_id,
            package=ready.release.package, version=ready.release.version,
        ):  # fmt: skip
            await SdkAppRelease.create(
                id=row_id, app_id=app_id, release_id=ready.release.id, made_at=clock.now()
            )
    except IntegrityError:
        pass  # the same app asked twice at once


@asynccontextmanager
async def _alone(path: Path) -> AsyncIterator[None]:
    """One process at a time for an order; the others wait without holding anybody up."""
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        yield
