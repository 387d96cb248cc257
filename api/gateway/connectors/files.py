"""Connector `files`: tables that a department drops into a folder, CSV or fixed width. Read-only by nature.

A file is read when it has changed, whole and off the event loop, and takes the place of the one before in one
step; while a new one cannot be read, the one before goes on answering. Rows are found by the columns that the
request names. Nothing is read outside the folder.
"""

import asyncio
import time
from pathlib import Path

from api.contract.mapping import MappedOperation, MappingFile
from api.contract.mapping_shapes import ROWS
from api.contract.mapping_table import Table, TableError, table_of
from api.contract.model import JsonObject
from api.core import problem_types, problem_types_upstream
from api.core.logging import log_warning
from api.core.problems import Failure
from api.gateway.connector import Context, Request
from api.gateway.connectors.mapped import Native

LARGEST_FILE = 64 * 1024 * 1024
LOOK_AGAIN_SECONDS = 1.0
READ_ONLY = (
    b"kaimen-state",
    b"read-only",
)  # an app's own state does not reach a file, and the answer says so


class FilesTransport:
    """The drop folder of one department."""

    def __init__(
        self, folder: Path, file: MappingFile, service: str, *, look_again_seconds: float = LOOK_AGAIN_SECONDS
    ) -> None:
        self._look_again_seconds = look_again_seconds
        self._folder = folder
        self._file = file
        self._service = service
        self._tables: dict[str, Table] = {}
        self._looked_at: dict[str, float] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def exchange(
        self, mapped: MappedOperation, tree: JsonObject, request: Request, context: Context
    ) -> Native:
        """Find the rows; the tree is the first row, and all under `rows`."""
        settings = {**self._file.settings["files"], **mapped.settings}
        table = await self._table(settings)
        rows = table.find({name: "" if value is None else str(value) for name, value in tree.items()})
        notes = [READ_ONLY]
        if table.count:
            if self._file.undecodable == "refuse":
                raise Failure(
                    problem_types_upstream.UPSTREAM_UNDECODABLE, service=self._service, encoding=self._file.encoding,
                    offset=table.undecodable[0].offset, count=table.count,
                )  # fmt: skip
            notes.append(
                (
                    b"kaimen-loss",
                    b"undecodable; count=%d; offset=%d" % (table.count, table.undecodable[0].offset),
                )
            )
        return Native({**(rows[0] if rows else {}), ROWS: rows[:10_000]}, notes=notes)

    async def _table(self, settings: JsonObject) -> Table:
        name = str(settings.get("file", ""))
        known = self._tables.get(name)
        now = time.monotonic()
        if known is not None and now - self._looked_at.get(name, 0.0) < self._look_again_seconds:
            return known
        if known is not None and self._is_unchanged(name, known):
            self._looked_at[name] = now
            return known
        async with self._locks.setdefault(name, asyncio.Lock()):
            known = self._tables.get(name)
            try:
                found = await asyncio.to_thread(self._read, name, settings, known)
            except (OSError, TableError, LookupError) as error:
                log_warning(
                    "upstream.file_unusable", service=self._service, file=name, reason=str(error)[:300]
                )
                if known is None:
                    raise Failure(problem_types.UPSTREAM_UNREACHABLE, service=self._service) from error
                found = known
            self._tables[name] = found
            self._looked_at[name] = time.monotonic()
            return found

    def _is_unchanged(self, name: str, known: Table) -> bool:
        try:
            return _stamp(self._folder / name) == known.stamp
        except OSError:
            return False

    def _read(self, name: str, settings: JsonObject, known: Table | None) -> Table:
        path = (self._folder / name).resolve()
        if not path.is_relative_to(self._folder.resolve()):
            raise TableError("the file lies outside the folder")
        stamp = _stamp(path)
        if known is not None and known.stamp == stamp:
            return known
        if stamp[1] > LARGEST_FILE:
            raise TableError(f"more than {LARGEST_FILE} bytes")
        data = path.read_bytes()
        if _stamp(path) != stamp:
            raise TableError("the file changed while it was read")
        return table_of(data, settings, self._file.encoding, stamp)

    async def health(self) -> bool:
        return self._folder.is_dir()

    async def close(self) -> None:
        self._tables.clear()


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return (found.st_ino, found.st_size, found.st_mtime_ns)
