"""Files of packages below KAIMEN_HOME/sdk, by content: a folder for each release and language, put there whole.

contracts/DIGEST.json      documents that releases were made from, for comparing the next one
packages/RELEASE/LANGUAGE  archives, checksums, signature, and `meta.json`
orders/KEY                 which release an order gave, so that the same order needs no build
builds/ID.json             how far a build has come, for every process
"""

import hashlib
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from api.downloads.builder import FileFacts, Made

META = "meta.json"
_HOUR = 3600.0


class Shelf:
    """The folder. Every write is a rename, so that a reader finds all of it or nothing."""

    def __init__(self, home: Path) -> None:
        self.home = home

    # -- packages ------------------------------------------------------------------------------------
    def folder(self, release_id: str, language: str) -> Path:
        return self.home / "packages" / release_id / language

    def meta(self, release_id: str, language: str) -> Made | None:
        """What stands on the shelf for a release in a language; None where it was not made."""
        try:
            return msgspec.json.decode((self.folder(release_id, language) / META).read_bytes(), type=Made)
        except FileNotFoundError:
            return None

    def workplace(self) -> Path:
        """A new empty folder on the same disk."""
        parent = self.home / "work"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=parent))

    def put(self, workplace: Path, release_id: str, language: str, made: Made) -> None:
        """Put what lies in the workplace on the shelf; of two that do so one wins, and both hold the same."""
        (workplace / META).write_bytes(msgspec.json.encode(made))
        target = self.folder(release_id, language)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            workplace.rename(target)
        except OSError:
            if not (target / META).exists():
                raise
            shutil.rmtree(workplace, ignore_errors=True)

    def read(self, release_id: str, language: str, name: str) -> bytes | None:
        """The bytes of a file that `meta` lists; None for any other name."""
        made = self.meta(release_id, language)
        if made is None or name not in made.files:
            return None
        folder = self.folder(release_id, language)
        self.use(folder)
        try:
            return (folder / name).read_bytes()
        except FileNotFoundError:  # it was removed just now
            return None

    def use(self, folder: Path) -> None:
        """Note that a package was asked for, to the hour."""
        if time.time() - self.used_at(folder) > _HOUR:
            with suppress(FileNotFoundError):
                os.utime(folder / META)

    def used_at(self, folder: Path) -> float:
        """When a package was asked for last, or made; Unix seconds, 0 where it is not whole."""
        try:
            return (folder / META).stat().st_mtime
        except FileNotFoundError:
            return 0.0

    # -- contracts, orders, builds -------------------------------------------------------------------
    def keep_document(self, text: str) -> str:
        """Keep a document; its digest."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        path = self.home / "contracts" / f"{digest}.json"
        try:
            os.utime(path)
        except FileNotFoundError:
            _write(path, text.encode())
        return digest

    def document(self, digest: str) -> str | None:
        try:
            return (self.home / "contracts" / f"{digest}.json").read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def release_of(self, order_key: str) -> str:
        """The release that an order gave, "" where nobody ordered it yet."""
        try:
            return (self.home / "orders" / order_key).read_text()
        except FileNotFoundError:
            return ""

    def note_order(self, order_key: str, release_id: str) -> None:
        _write(self.home / "orders" / order_key, release_id.encode())

    def progress(self, build_id: str) -> dict[str, Any]:
        """The state that a build wrote last; {} for an unknown one."""
        try:
            found: dict[str, Any] = msgspec.json.decode(
                (self.home / "builds" / f"{build_id}.json").read_bytes()
            )
        except FileNotFoundError:
            return {}
        return found

    def note_progress(self, build_id: str, state: dict[str, Any]) -> None:
        _write(self.home / "builds" / f"{build_id}.json", msgspec.json.encode(state))

    def lock_file(self, order_key: str) -> Path:
        path = self.home / "locks" / order_key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def facts_of(data: bytes) -> FileFacts:
    """Sizes and digests of a file."""
    return FileFacts(
        len(data), hashlib.sha256(data).hexdigest(), hashlib.sha512(data).hexdigest(),
        hashlib.sha1(data, usedforsecurity=False).hexdigest(), hashlib.md5(data, usedforsecurity=False).hexdigest(),
    )  # fmt: skip


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(name).replace(path)
