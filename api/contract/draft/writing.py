"""A document as YAML that people read and edit: short parts on one line, long ones by indent."""

from typing import Any

import yaml

_WIDTH = 140
_DEEPEST = 4  # containers within containers that still stand on one line
_OPEN = frozenset({"paths", "info", "components", "schemas", "properties", "x-problems", "parameters", "responses", "x-scenarios", "tags",
                   "operations", "shapes", "outcome"})  # fmt: skip


class _Dumper(yaml.SafeDumper):
    """No anchors: every part stands where it counts."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def to_yaml(document: dict[str, Any], comment: str = "") -> str:
    """The YAML text; `comment` stands before it, line by line."""
    lines = [f"# {line}" for line in comment.splitlines()]
    for key, value in document.items():
        _emit(value, 0, key, f"{_inline(key)}:", lines)
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    text: str = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=10**6, sort_keys=False
    )
    return text.strip().removesuffix("...").strip()


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max((_depth(one) for one in value.values()), default=0)
    return 1 + max((_depth(one) for one in value), default=0) if isinstance(value, list) else 0


def _fits(value: Any, room: int) -> bool:
    return _depth(value) <= _DEEPEST and len(_inline(value)) <= room


def _emit(value: Any, indent: int, key: str, prefix: str, lines: list[str]) -> None:
    must_open = key in _OPEN and _depth(value) > 1
    if (
        not isinstance(value, dict | list)
        or not value
        or (not must_open and _fits(value, _WIDTH - len(prefix)))
    ):
        lines.append(f"{prefix} {_inline(value)}")
        return
    lines.append(prefix)
    pad = " " * (indent + 2)
    if isinstance(value, dict):
        for name, item in value.items():
            _emit(item, indent + 2, str(name), f"{pad}{_inline(name)}:", lines)
        return
    for item in value:
        if not isinstance(item, dict) or not item or _fits(item, _WIDTH - len(pad) - 2):
            lines.append(f"{pad}- {_inline(item)}")
            continue
        inner: list[str] = []
        for name, part in item.items():
            _emit(part, indent + 4, str(name), f"{pad}  {_inline(name)}:", inner)
        lines.append(f"{pad}- {inner[0].lstrip()}")
        lines.extend(inner[1:])
