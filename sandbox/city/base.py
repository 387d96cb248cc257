"""The base city: the read-only file that all apps share. What an app changes lies over it (`state`).

A file is replaced as a whole (`population.generate`), never altered, so it is opened as immutable: SQLite
then takes no locks. A process that has it open keeps the old one until it looks again, at most a second.
"""

import sqlite3
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

FILE = "city/city.sqlite3"  # below KAIMEN_HOME
_LOOK_AGAIN_SECONDS = 1.0
_MAPPED_BYTES = 1 << 30  # pages are read from the mapped file, not copied by a system call each


class CityMissing(Exception):  # noqa: N818 - it says what is the matter
    """There is no city file: `kaimen city seed` makes one."""


class City:
    """One city file. Statements are prepared once; a look-up by index takes some microseconds, so no thread is needed."""

    __slots__ = ("_connection", "meta")

    def __init__(self, path: Path) -> None:
        """Open the file. Raises CityMissing when there is none, or it is none of ours."""
        try:
            self._connection = sqlite3.connect(
                f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1",
                uri=True,
                check_same_thread=False,
                cached_statements=512,
                isolation_level=None,
            )
            self._connection.execute(f"PRAGMA mmap_size={_MAPPED_BYTES}").fetchall()
            self.meta: dict[str, str] = dict(
                self._connection.execute("SELECT key, value FROM meta").fetchall()
            )
        except sqlite3.Error as error:
            raise CityMissing(str(path)) from error

    @property
    def version(self) -> str:
        """Names the content: personas' version, rules, sizes and seed. Two files with the same one are the same."""
        meta = self.meta
        return "-".join(
            meta.get(name, "") for name in ("personas", "edition", "citizens", "companies", "seed")
        )

    def one(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        """The first row, or None."""
        row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    def all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows; a statement that may find many carries its LIMIT."""
        return self._connection.execute(statement, values).fetchall()

    def named(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """All rows, their columns by name."""
        cursor = self._connection.execute(statement, values)
        names = [column[0] for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def close(self) -> None:
        self._connection.close()


class CityFile:
    """Where the city file is; gives the present City and notices when another file has taken its place."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._city: City | None = None
        self._stamp: tuple[int, int] = (0, 0)
        self._look_at = 0.0

    def open(self) -> City:
        """The City. Raises CityMissing."""
        now = time.monotonic()
        if self._city is not None and now < self._look_at:
            return self._city
        self._look_at = now + _LOOK_AGAIN_SECONDS
        try:
            found = self.path.stat()
        except OSError as error:
            self.close()
            raise CityMissing(str(self.path)) from error
        stamp = (found.st_ino, found.st_mtime_ns)
        if self._city is None or stamp != self._stamp:
            self.close()
            self._city, self._stamp = City(self.path), stamp
        return self._city

    def close(self) -> None:
        """Give the file back; the next `open` opens it again."""
        if self._city is not None:
            self._city.close()
            self._city = None
