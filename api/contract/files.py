"""Where a contract's files come from: a folder, or a mapping in memory. Nothing outside is ever read."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from api.contract.reading import MAX_BYTES

MAX_FILES = 500
MAX_TOTAL_BYTES = 60 * 1024 * 1024


class OutsideError(Exception):
    """The path leads outside the folder."""


class UnreadableError(Exception):
    """The file is not there or cannot be read; the text says why."""


class TooLargeError(Exception):
    """The file has more bytes than may be read; args: its size."""


class Source(Protocol):
    """Reads files by their path relative to the root, with `/` between segments and no `..`."""

    def read(self, path: str) -> bytes:
        """The bytes. Raises OutsideError, UnreadableError or TooLargeError."""
        ...


class FolderSource:
    """Files below one folder. Symbolic links are followed only while they stay inside."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def read(self, path: str) -> bytes:
        try:
            real = (self.root / path).resolve(strict=True)
        except (OSError, RuntimeError, ValueError) as error:
            raise UnreadableError(_reason(error)) from error
        if not real.is_relative_to(self.root):
            raise OutsideError(path)
        try:
            descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise UnreadableError(_reason(error)) from error
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise UnreadableError("not a regular file")
            if found.st_size > MAX_BYTES:
                raise TooLargeError(found.st_size)
            with os.fdopen(descriptor, "rb", closefd=False) as stream:
                return stream.read(MAX_BYTES + 1)
        except OSError as error:
            raise UnreadableError(_reason(error)) from error
        finally:
            os.close(descriptor)


class MappingSource:
    """Files given in memory, by their relative path."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = {normal_path(name) or name: data for name, data in files.items()}

    def read(self, path: str) -> bytes:
        data = self._files.get(path)
        if data is None:
            raise UnreadableError("no such file among those given")
        if len(data) > MAX_BYTES:
            raise TooLargeError(len(data))
        return data


def normal_path(path: str, base: str = "") -> str | None:
    """`path` relative to the folder of the file `base`, dot segments resolved; None when it climbs above the root."""
    segments = base.split("/")[:-1] if base else []
    for segment in path.replace("\\", "/").split("/"):
        if segment in {"", "."}:
            continue
        if segment == "..":
            if not segments:
                return None
            segments.pop()
        else:
            segments.append(segment)
    return "/".join(segments)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
