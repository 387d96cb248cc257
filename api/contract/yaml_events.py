"""YAML text -> JSON value from libyaml's event stream, with an explicit stack: no recursion, no constructors.

Why not a loader class: PyYAML's loaders resolve YAML 1.1 (`on`, dates, octals), recurse in C over nested input
(a stack overflow, not an exception), and expand aliases without a bound.
"""

import re
from typing import Any

import yaml

from api.contract import notices
from api.contract.model import Json
from api.contract.pointers import join
from api.contract.report import Notice, Report

_PARSER: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_CORE = "tag:yaml.org,2002:"
_CORE_TAGS = {_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp")} | {
    "!"
}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_BASED_INT = re.compile(r"0x[0-9a-fA-F]+\Z|0o[0-7]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)\Z|\.(nan|NaN|NAN)\Z")
_WORDS: dict[str, Json] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_TEXT_AT = {("openapi",), ("swagger",), ("info", "version")}  # `version: 1.10` means "1.10"
_MERGE = "<<"


class YamlRefusedError(Exception):
    """Carried out of the event loop only; `read_yaml`'s caller turns it into a finding."""

    def __init__(self, notice: Notice, pointer: str = "", **facts: object) -> None:
        super().__init__(notice.id)
        self.notice = notice
        self.pointer = pointer
        self.facts = facts

    @property
    def is_syntax(self) -> bool:
        return self.notice is notices.NOT_YAML


class _Frame:
    """A container that is being filled."""

    __slots__ = ("anchor", "height", "key", "merges", "nodes", "value")

    def __init__(self, value: Any, anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: str | None = None
        self.merges: list[dict[str, Json]] = []
        self.nodes = 1
        self.height = 1


def read_yaml(text: str, file: str, report: Report, *, max_nodes: int, max_depth: int) -> Json:
    """The value of the first document in the text. Raises YamlRefusedError."""
    builder = _Builder(file, report, max_nodes, max_depth)
    try:
        for event in yaml.parse(text, Loader=_PARSER):
            if builder.take(event):
                break
    except yaml.YAMLError as error:
        raise _syntax_refusal(error, text) from error
    except UnicodeEncodeError as error:
        raise YamlRefusedError(notices.CHARACTER_REFUSED) from error
    return builder.result


def _syntax_refusal(error: yaml.YAMLError, text: str) -> YamlRefusedError:
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else 0
    problem = str(getattr(error, "problem", "") or getattr(error, "reason", "") or error)
    if "\x00" in text or "control characters" in problem or "special characters" in problem:
        return YamlRefusedError(notices.CHARACTER_REFUSED)
    lines = text.split("\n")
    if mark and line <= len(lines) and "\t" in lines[line - 1]:
        return YamlRefusedError(notices.YAML_TAB, line=line)
    return YamlRefusedError(notices.NOT_YAML, line=line, reason=problem)


class _Builder:
    def __init__(self, file: str, report: Report, max_nodes: int, max_depth: int) -> None:
        self._file = file
        self._report = report
        self._max_nodes = max_nodes
        self._max_depth = max_depth
        self._stack: list[_Frame] = []
        self._anchors: dict[str, tuple[Json, int, int] | None] = {}
        self._total = 0
        self._is_done = False
        self.result: Json = None

    def take(self, event: yaml.Event) -> bool:
        """Work one event in; True when nothing more is wanted."""
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open(event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent) and self._is_done:
            self._report.find(notices.YAML_MANY, "", file=self._file)
            return True
        elif isinstance(event, yaml.DocumentEndEvent):
            self._is_done = self.result is not None
        return False

    # --- events ------------------------------------------------------------------------------------
    def _scalar(self, event: yaml.ScalarEvent) -> None:
        self._check_tag(event.tag)
        if self._expects_key():
            self._set_key(event.value, is_merge=event.value == _MERGE and not event.style)
            return
        value = self._value_of(event)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1, 0)
        self._add(value, 1, 0)

    def _value_of(self, event: yaml.ScalarEvent) -> Json:
        text: str = event.value
        is_plain = not event.style and (event.tag is None or event.tag != _CORE + "str")
        if not is_plain or event.tag == "!" or self._path() in _TEXT_AT:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.match(text):
            return int(text) if len(text) < 400 else text
        if _FLOAT.match(text):
            return float(text)
        if _BASED_INT.match(text):
            return int(text, 0)
        if _NOT_FINITE.match(text):
            self._report.find(notices.NUMBER_NOT_JSON, self._pointer(), file=self._file, value=text)
        return text

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        self._check_tag(event.tag)
        if self._expects_key():
            raise YamlRefusedError(notices.YAML_KEY, self._pointer(), line=_line(event))
        if len(self._stack) >= self._max_depth:
            raise YamlRefusedError(notices.NESTING, self._pointer(), limit=self._max_depth)
        if event.anchor:
            self._anchors[event.anchor] = None  # open: an alias to it now would be a cycle
        container: Json = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._stack.append(_Frame(container, event.anchor))

    def _close(self) -> None:
        frame = self._stack.pop()
        for merged in frame.merges:
            for key, value in merged.items():
                frame.value.setdefault(key, value)
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.value, frame.nodes, frame.height)
        self._add(frame.value, frame.nodes, frame.height)

    def _alias(self, event: yaml.AliasEvent) -> None:
        target = self._anchors.get(event.anchor or "")
        if target is None:
            raise YamlRefusedError(notices.YAML_ALIAS, self._pointer(), anchor=event.anchor)
        value, nodes, height = target
        if self._expects_key():
            if not isinstance(value, str):
                raise YamlRefusedError(notices.YAML_KEY, self._pointer(), line=_line(event))
            self._set_key(value, is_merge=False)
            return
        if len(self._stack) + height > self._max_depth:
            raise YamlRefusedError(notices.NESTING, self._pointer(), limit=self._max_depth)
        self._total += nodes
        self._add(value, nodes, height)

    # --- building ----------------------------------------------------------------------------------
    def _add(self, value: Json, nodes: int, height: int) -> None:
        self._total += 1
        if self._total > self._max_nodes:
            raise YamlRefusedError(notices.EXPANSION, self._pointer(), limit=self._max_nodes)
        if not self._stack:
            self.result = value
            return
        frame = self._stack[-1]
        frame.nodes += nodes
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.value, list):
            frame.value.append(value)
        elif frame.key == _MERGE and self._merge(frame, value):
            frame.key = None
        else:
            frame.value[frame.key] = value
            frame.key = None

    @staticmethod
    def _merge(frame: _Frame, value: Json) -> bool:
        """Source: YAML merge key `<<` (1.1 type repository): keys written in the mapping win."""
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            return False
        frame.merges.extend(sources)
        return True

    def _set_key(self, key: str, *, is_merge: bool) -> None:
        frame = self._stack[-1]
        if key in frame.value and not is_merge:
            self._report.find(notices.KEY_TWICE, join(self._pointer(), key), file=self._file, key=key)
        frame.key = key

    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].value, dict) and self._stack[-1].key is None

    def _check_tag(self, tag: str | None) -> None:
        if tag is not None and tag not in _CORE_TAGS:
            raise YamlRefusedError(notices.YAML_TAG, self._pointer(), tag=tag.replace(_CORE, "!!"))

    def _path(self) -> tuple[str, ...]:
        if len(self._stack) > 2:
            return ()
        return tuple(frame.key or "" for frame in self._stack)

    def _pointer(self) -> str:
        tokens = [
            str(len(frame.value)) if isinstance(frame.value, list) else frame.key
            for frame in self._stack
            if isinstance(frame.value, list) or frame.key is not None
        ]
        return join("", *[token for token in tokens if token is not None])


def _line(event: yaml.Event) -> int:
    mark = event.start_mark
    return mark.line + 1 if mark else 0
