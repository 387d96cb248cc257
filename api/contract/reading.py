"""Bytes of one file -> JSON value, or findings. Safe and bounded; it knows no OpenAPI and opens no file.

YAML is read by the core schema of YAML 1.2 (json-like): dates, `on`, `yes`, `012` and `1:30` stay text, keys
are always text, no tag makes an object. Source: YAML 1.2.2 §10.3.
"""

import json
import math
import re
from typing import Any

from msgspec import Struct

from api.contract import notices
from api.contract.model import Json
from api.contract.pointers import join
from api.contract.report import Notice, Report
from api.contract.yaml_events import YamlRefusedError, read_yaml

MAX_BYTES = 20 * 1024 * 1024  # one file
MAX_NODES = 300_000  # values in one file, aliases expanded; the largest real contract seen has 35,000
MAX_DEPTH = 100  # containers within containers

_REFUSED_CONTROL = re.compile("[\x00\ud800-\udfff]")
# `"\\0Set-Cookie":` is how authors write a response header twice; the NUL is the trick, not the name
_HEADER_TWICE = re.compile("\x00+([!-~]+)\\Z")
_TEMPLATE_LINE = re.compile(r"[ \t]*\{\{([#/^!>]|else\b)[^\n]*\}\}[ \t]*\r?\Z")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_BOMS = (
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


class Parsed(Struct, frozen=True):
    """`value` is meaningless unless `is_read`; `text` is what was read, for keeping."""

    is_read: bool
    value: Json = None
    text: str = ""


def parse(data: bytes, file: str, report: Report) -> Parsed:
    """The JSON value of a JSON or YAML file; what is wrong stands in the report."""
    if len(data) > MAX_BYTES:
        report.find(notices.FILE_TOO_LARGE, "", file=file, bytes=len(data), limit=MAX_BYTES)
        return Parsed(is_read=False)
    text = decode(data, file, report)
    if text is None:
        return Parsed(is_read=False)
    if not text.strip():
        report.find(notices.FILE_EMPTY, "", file=file)
        return Parsed(is_read=False, text=text)
    is_read, value = _parse_text(text, file, report)
    if not is_read:
        return Parsed(is_read=False, text=text)
    inspector = _Inspector(file, report)
    value = inspector.walk(value)
    return Parsed(is_read=not inspector.is_refused, value=value, text=text)


def inspect(value: Json, file: str, report: Report) -> Json:
    """A clean copy of a value that came from elsewhere than `parse`; {} when a bound or a character refuses it."""
    inspector = _Inspector(file, report)
    copied = inspector.walk(value)
    return {} if inspector.is_refused else copied


def decode(data: bytes, file: str, report: Report) -> str | None:
    """The text of a file: UTF-8; other encodings are read where they are certain, and told."""
    if data.startswith(b"\xef\xbb\xbf"):
        report.find(notices.ENCODING_BOM, "", file=file)
        data = data[3:]
    for mark, codec in _BOMS:
        if data.startswith(mark):
            return _decode_foreign(data[len(mark) :], codec, file, report)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        if _looks_like_gb18030(data):
            return _decode_foreign(data, "gb18030", file, report)
        report.find(notices.ENCODING_UNKNOWN, "", file=file, offset=error.start)
        return None


def _decode_foreign(data: bytes, codec: str, file: str, report: Report) -> str | None:
    try:
        text = data.decode(codec)
    except UnicodeDecodeError as error:
        report.find(notices.ENCODING_UNKNOWN, "", file=file, offset=error.start)
        return None
    report.find(notices.ENCODING_OTHER, "", file=file, encoding=codec)
    return text


def _looks_like_gb18030(data: bytes) -> bool:
    """Whether strict GB18030 reads it and nearly all that is not ASCII is Chinese text."""
    try:
        text = data.decode("gb18030")
    except UnicodeDecodeError:
        return False
    foreign = [char for char in text if ord(char) > 127]
    chinese = sum(
        1
        for char in foreign
        if "\u4e00" <= char <= "\u9fff" or "\u3000" <= char <= "\u303f" or "\uff00" <= char <= "\uffef"
    )
    return bool(foreign) and chinese >= 0.9 * len(foreign)


def _parse_text(text: str, file: str, report: Report) -> tuple[bool, Json]:
    json_error = ""
    if text.lstrip()[:1] in {"{", "["}:
        try:
            return True, _parse_json(text)
        except RecursionError:
            report.find(notices.NESTING, "", file=file, limit=MAX_DEPTH)
            return False, None
        except ValueError as error:
            json_error = str(error)
    try:
        return True, read_yaml(text, file, report, max_nodes=MAX_NODES, max_depth=MAX_DEPTH)
    except YamlRefusedError as refusal:
        plain = _without_template_lines(text) if refusal.is_syntax else text
        if plain != text:
            report.find(notices.TEMPLATE_LINES, "", file=file)
            return _parse_text(plain, file, report)
        if json_error and refusal.is_syntax:
            report.find(notices.NOT_JSON, "", file=file, reason=json_error)
        else:
            report.find(refusal.notice, refusal.pointer, file=file, **refusal.facts)
        return False, None


def _without_template_lines(text: str) -> str:
    """The text as its template gives it when every condition holds; line numbers stay."""
    kept: list[str] = []
    skipping: list[bool] = []
    for line in text.split("\n"):
        found = _TEMPLATE_LINE.match(line)
        if found is None:
            kept.append("" if any(skipping) else line)
            continue
        kept.append("")
        if found.group(1) in {"#", "^"}:
            skipping.append(False)
        elif found.group(1) == "else" and skipping:
            skipping[-1] = True
        elif found.group(1) == "/" and skipping:
            skipping.pop()
    return "\n".join(kept)


def _parse_json(text: str) -> Json:
    """Raises ValueError (syntax, numbers of thousands of digits) or RecursionError."""
    return json.loads(text, object_pairs_hook=_Pairs.collect)


class _Pairs(dict[str, Any]):
    """A JSON object that remembers keys written twice; the last one counts."""

    __slots__ = ("repeated",)
    repeated: list[str]

    @staticmethod
    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        plain = dict(pairs)
        if len(plain) == len(pairs):
            return plain
        marked = _Pairs(plain)
        seen: set[str] = set()
        marked.repeated = [key for key, _ in pairs if key in seen or seen.add(key)]  # type: ignore[func-returns-value]  # set.add is None, which is what makes this work
        return marked


class _Inspector:
    """Checks bounds, characters and numbers of a parsed value, and gives back a clean copy."""

    def __init__(self, file: str, report: Report) -> None:
        self._file = file
        self._report = report
        self._nodes = 0
        self.is_refused = False

    def walk(self, value: Json) -> Json:
        return self._copy(value, "", 0)

    def _copy(self, value: Json, pointer: str, depth: int) -> Json:
        self._nodes += 1
        if isinstance(value, str):
            return self._text(value, pointer)
        if isinstance(value, dict | list):
            return self._container(value, pointer, depth)
        if isinstance(value, bool) or value is None:
            return value
        return self._number(value, pointer)

    def _container(self, value: dict[str, Json] | list[Json], pointer: str, depth: int) -> Json:
        if self.is_refused:
            return None
        if depth >= MAX_DEPTH:
            return self._refuse(notices.NESTING, pointer, limit=MAX_DEPTH)
        if self._nodes > MAX_NODES:
            return self._refuse(notices.EXPANSION, pointer, limit=MAX_NODES)
        if isinstance(value, list):
            return [self._copy(item, f"{pointer}/{index}", depth + 1) for index, item in enumerate(value)]
        for key in getattr(value, "repeated", ()):
            self._report.find(notices.KEY_TWICE, join(pointer, key), file=self._file, key=key)
        made: dict[str, Json] = {}
        for key, item in value.items():
            name = self._key(key, pointer)
            if name not in made:
                made[name] = self._copy(item, join(pointer, key), depth + 1)
        return made

    def _key(self, key: str, pointer: str) -> str:
        trick = _HEADER_TWICE.match(key) if pointer.endswith("/headers") else None
        if trick is None:
            return self._text(key, pointer)
        self._report.find(notices.HEADER_TWICE, pointer, file=self._file, name=trick.group(1))
        return trick.group(1)

    def _refuse(self, notice: Notice, pointer: str, **facts: object) -> None:
        if not self.is_refused:
            self._report.find(notice, pointer, file=self._file, **facts)
        self.is_refused = True

    def _text(self, value: str, pointer: str) -> str:
        if value.isprintable():
            return value
        if _REFUSED_CONTROL.search(value):
            self._report.find(notices.CHARACTER_REFUSED, pointer, file=self._file)
            self.is_refused = True
            return ""
        if _CONTROL.search(value):
            self._report.find(notices.CHARACTER_CONTROL, pointer, file=self._file)
            return _CONTROL.sub("", value)
        return value

    def _number(self, value: Json, pointer: str) -> Json:
        if isinstance(value, float) and not math.isfinite(value):
            self._report.find(notices.NUMBER_NOT_JSON, pointer, file=self._file, value=str(value))
            return None
        if not isinstance(value, float) and not -(2**63) <= value < 2**64:
            self._report.find(notices.NUMBER_RANGE, pointer, file=self._file)
            return float(value) if value.bit_length() < 1000 else None
        return value
