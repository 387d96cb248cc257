"""Finding the target of a `$ref`: within its file, or in another file below the root. Never anywhere else."""

import re
from typing import Any
from urllib.parse import unquote

from msgspec import Struct

from api.contract import notices
from api.contract.files import (
    MAX_FILES,
    MAX_TOTAL_BYTES,
    OutsideError,
    Source,
    TooLargeError,
    UnreadableError,
    normal_path,
)
from api.contract.model import Json, JsonObject
from api.contract.pointers import MISSING, escape, join, resolve, split
from api.contract.reading import MAX_BYTES, parse
from api.contract.report import Notice, Report

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:")
_HTTP = re.compile(r"(https?:|//)", re.IGNORECASE)
_HOLDERS = (
    "/components/schemas",
    "/definitions",
    "/$defs",
    "/components/responses",
    "/components/parameters",
)


class Place(Struct, frozen=True):
    """A file (relative to the root) and a JSON pointer in it."""

    file: str
    pointer: str

    def child(self, token: str | int) -> "Place":
        return Place(
            self.file, f"{self.pointer}/{token}" if isinstance(token, int) else join(self.pointer, token)
        )


class Target(Struct, frozen=True):
    """What a reference points to."""

    place: Place
    value: Json

    @property
    def key(self) -> tuple[str, str]:
        return (self.place.file, self.place.pointer)


class Resolver:
    """Reads and keeps the files of one contract."""

    def __init__(self, root: JsonObject, text: str, source: Source, entry: str, report: Report) -> None:
        self.entry = entry
        self.texts: dict[str, str] = {entry: text}
        self._values: dict[str, Any] = {entry: root}
        self._source = source
        self._report = report
        self._bytes = len(text)
        self._is_full = False
        self._cache: dict[tuple[str, str, str], Target | None] = {}

    def resolve(self, ref: str, place: Place) -> Target | None:
        """The target, or None: the report then has a finding at `place`."""
        url, _, fragment = ref.partition("#")
        defining = place.pointer if fragment.startswith("/$defs/") else ""
        key = (place.file, ref, defining)
        if key in self._cache and self._cache[key] is not None:
            return self._cache[key]
        target = self._resolve(url, unquote(fragment), ref, place)
        self._cache[key] = target
        return target

    def _resolve(self, url: str, fragment: str, ref: str, place: Place) -> Target | None:
        file = place.file
        if url:
            named = self._file_of(url, ref, place)
            if named is None:
                return self._resolve_bare(url, place) if _is_bare(url) else None
            file = named
        document = self._values[file]
        for pointer in _spellings(fragment, place if not url else None):
            value = resolve(document, pointer)
            if value is not MISSING:
                return Target(Place(file, pointer), value)
        self._report.find(notices.REF_MISSING, place.pointer, file=place.file, ref=ref)
        return None

    def _resolve_bare(self, name: str, place: Place) -> Target | None:
        """`$ref: Pet`, as OpenAPI 2.0's early tools wrote it."""
        document = self._values[place.file]
        for holder in _HOLDERS:
            pointer = join(holder, name)
            value = resolve(document, pointer)
            if value is not MISSING:
                return Target(Place(place.file, pointer), value)
        self._report.find(notices.REF_MISSING, place.pointer, file=place.file, ref=name)
        return None

    def _file_of(self, url: str, ref: str, place: Place) -> str | None:
        """The path of the file that the reference names, read and parsed; None when it cannot be had."""
        if _HTTP.match(url):
            self._refuse(notices.REF_HTTP, ref, place)
            return None
        if _SCHEME.match(url) or url.startswith(("/", "\\")):
            self._refuse(notices.REF_SCHEME, ref, place)
            return None
        spellings = [unquote(url.split("?", maxsplit=1)[0]), url]
        for spelling in spellings:
            path = normal_path(spelling, place.file)
            if path is None:
                self._refuse(notices.FILE_OUTSIDE, ref, place)
                return None
            if path in self._values:
                if self._values[path] is not MISSING:
                    return path
                self._missing(url, ref, place)
                return None
        return self._read(normal_path(spellings[0], place.file) or "", url, ref, place)

    def _read(self, path: str, url: str, ref: str, place: Place) -> str | None:
        if self._is_full or len(self._values) >= MAX_FILES or self._bytes > MAX_TOTAL_BYTES:
            if not self._is_full:
                self._report.find(notices.FILES_TOO_MANY, place.pointer, file=place.file, limit=MAX_FILES)
            self._is_full = True
            return None
        try:
            data = self._source.read(path)
        except OutsideError:
            self._refuse(notices.FILE_OUTSIDE, ref, place)
            return None
        except TooLargeError as error:
            self._report.find(notices.FILE_TOO_LARGE, "", file=path, bytes=error.args[0], limit=MAX_BYTES)
            return None
        except UnreadableError:
            self._missing(url, ref, place)
            return None
        self._bytes += len(data)
        parsed = parse(data, path, self._report)
        self._values[path] = parsed.value if parsed.is_read else MISSING
        self.texts[path] = parsed.text
        return path if parsed.is_read else None

    def _missing(self, url: str, ref: str, place: Place) -> None:
        if not _is_bare(url):
            self._report.find(notices.REF_MISSING, place.pointer, file=place.file, ref=ref)

    def _refuse(self, notice: Notice, ref: str, place: Place) -> None:
        self._report.find(notice, place.pointer, file=place.file, ref=ref)


def _is_bare(url: str) -> bool:
    return not _SCHEME.match(url) and not set(url) & set("./\\")


def _spellings(fragment: str, place: Place | None) -> list[str]:
    """The pointer as written, and what authors mean who leave out the slash, the holder or the enclosing schema."""
    if not fragment or fragment == "/":
        return [""]
    if fragment.startswith("/"):
        found = [fragment, "/".join(escape(token) for token in fragment.split("/"))]
        if place is not None and fragment.startswith("/$defs/"):
            found.extend(_enclosing(fragment, place))
        return found
    return ["/" + fragment, *(join(holder, fragment) for holder in _HOLDERS)]


def _enclosing(fragment: str, place: Place) -> list[str]:
    """`#/$defs/X` inside a component means that component's own $defs, for most who write it."""
    tokens = split(place.pointer)
    return [join("", *tokens[:length]) + fragment for length in range(len(tokens), 0, -1)]
