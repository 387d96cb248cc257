"""What lies below KAIMEN_HOME/sdk for longer than anybody needs it is removed: all of it can be made again.

A package that nobody asked for within the days kept goes, but for the newest of its package and language; where the
rest is larger than the bytes kept, those that were asked for longest ago go too. What is half made, and who was told
how far a build had come, goes after a day. One process at a time does it; builds go on meanwhile.
"""

import asyncio
import fcntl
import shutil
from pathlib import Path

from msgspec import Struct

from api.core import clock
from api.core.jobs import Job
from api.core.logging import log
from api.downloads.models import SdkRelease
from api.downloads.shelf import Shelf
from api.downloads.versions import order_of

SWEEP_SECONDS = 6 * 3600.0
_DAY = 86_400.0
_HALF_MADE_SECONDS = _DAY


class Keep(Struct, frozen=True):
    """How much is kept: days since the last use, and bytes of all packages together."""

    days: float
    most_bytes: int


class Swept(Struct, frozen=True):
    """What a turn removed, and the bytes of packages that are left."""

    packages: tuple[str, ...]  # RELEASE/LANGUAGE
    bytes_left: int


class _Lying(Struct, frozen=True):
    folder: Path
    used_at: float
    size: int
    is_newest: bool


def sweeping(shelf: Shelf, keep: Keep) -> Job:
    """The job that does it."""
    return Job("downloads.retention", SWEEP_SECONDS, lambda: sweep(shelf, keep))


async def sweep(shelf: Shelf, keep: Keep, now: float | None = None) -> Swept:
    """Remove what is not kept; nothing where another process is at it."""
    newest, documents = await _newest()
    at = clock.unix_seconds() if now is None else now
    swept = await asyncio.to_thread(_alone, shelf, keep, newest, documents, at)
    if swept.packages:
        log("sdk.retention", removed=len(swept.packages), bytes_left=swept.bytes_left)
    return swept


async def _newest() -> tuple[set[str], set[str]]:
    """Ids of the newest release of each package, language and line; digests of the documents that they were made of."""
    latest: dict[tuple[str, str, str], SdkRelease] = {}
    for row in await SdkRelease.all():
        key = (row.package, row.language, row.line)
        if key not in latest or order_of(row) > order_of(latest[key]):
            latest[key] = row
    found = latest.values()
    return {one.id for one in found}, {digest for one in found for digest in one.documents.values()}


def _alone(shelf: Shelf, keep: Keep, newest: set[str], documents: set[str], now: float) -> Swept:
    shelf.home.mkdir(parents=True, exist_ok=True)
    with (shelf.home / "retention.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return Swept((), 0)
        lying = _packages(shelf, newest)
        gone = _chosen(lying, keep, now)
        for one in gone:
            shutil.rmtree(one.folder, ignore_errors=True)
            if not any(one.folder.parent.iterdir()):
                one.folder.parent.rmdir()
        _tidy(shelf, documents, now)
    left = sum(one.size for one in lying) - sum(one.size for one in gone)
    return Swept(tuple(f"{one.folder.parent.name}/{one.folder.name}" for one in gone), left)


def _packages(shelf: Shelf, newest: set[str]) -> list[_Lying]:
    """Every package on the shelf, the one used longest ago first."""
    found = [
        _Lying(
            folder, shelf.used_at(folder), sum(file.stat().st_size for file in folder.iterdir()),
            folder.parent.name in newest,
        )
        for folder in (shelf.home / "packages").glob("*/*")
        if folder.is_dir()
    ]  # fmt: skip
    return sorted(found, key=lambda one: one.used_at)


def _chosen(lying: list[_Lying], keep: Keep, now: float) -> list[_Lying]:
    """Which go: first what was not used, then what is too much, of that older versions before the newest."""
    gone = [one for one in lying if not one.is_newest and now - one.used_at > keep.days * _DAY]
    rest = [one for one in lying if one not in gone]
    size = sum(one.size for one in rest)
    for one in sorted(rest, key=lambda one: (one.is_newest, one.used_at)):
        if size <= keep.most_bytes:
            break
        gone.append(one)
        size -= one.size
    return gone


def _tidy(shelf: Shelf, documents: set[str], now: float) -> None:
    """Orders of packages that are gone, progress and half-made packages of yesterday, documents that no newest one has."""
    for order in _files(shelf.home / "orders"):
        if not (shelf.home / "packages" / order.read_text()).is_dir():
            order.unlink(missing_ok=True)
    for name in ("builds", "locks"):
        for file in _files(shelf.home / name):
            if now - file.stat().st_mtime > _HALF_MADE_SECONDS:
                file.unlink(missing_ok=True)
    for document in _files(shelf.home / "contracts"):
        if document.stem not in documents and now - document.stat().st_mtime > _HALF_MADE_SECONDS:
            document.unlink(missing_ok=True)
    work = shelf.home / "work"
    for folder in work.iterdir() if work.is_dir() else ():
        if now - folder.stat().st_mtime > _HALF_MADE_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _files(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if one.is_file()] if folder.is_dir() else []
