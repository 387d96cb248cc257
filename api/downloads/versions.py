"""Version numbers of packages and the words of their changelog. Source: Semantic Versioning 2.0.0; Keep a Changelog."""

import re

from api.downloads.models import SdkRelease

_SEMVER = re.compile(r"v?(\d{1,6})(?:\.(\d{1,6}))?(?:\.(\d{1,6}))?")
_PARTS = ("breaking", "compatible", "docs")
_WORDS = {"breaking": "不兼容 Breaking", "compatible": "新增 Compatible", "docs": "说明 Documentation"}


def read(text: str) -> tuple[int, int, int]:
    """The three numbers at the beginning of a version; 1.0.0 where there are none."""
    match = _SEMVER.match(text)
    return (int(match[1]), int(match[2] or 0), int(match[3] or 0)) if match else (1, 0, 0)


def next_version(latest: str, part: str, *, floor: str = "1.0.0", keeps_major: bool = False) -> str:
    """The version after `latest` ("" for none) when `part` is to be raised, and never below `floor`.

    `keeps_major`: the number before the first point is the service's own and stays.
    """
    if not latest:
        return _text(read(floor))
    major, minor, patch = read(latest)
    if part == "major" and not keeps_major:
        raised = (major + 1, 0, 0)
    elif part in {"major", "minor"}:
        raised = (major, minor + 1, 0)
    else:
        raised = (major, minor, patch + 1)
    return _text(max(raised, read(floor)))


def order_of(release: SdkRelease) -> tuple[int, int, int]:
    """For sorting releases."""
    return read(release.version)


def _text(numbers: tuple[int, int, int]) -> str:
    return ".".join(str(one) for one in numbers)


def changelog_of(name: str, releases: list[tuple[str, list[dict[str, str]]]]) -> str:
    """CHANGELOG.md of releases, the newest first; each a version and its changes."""
    lines = [f"# {name}", ""]
    for version, changes in releases:
        lines += [f"## {version}", ""]
        if not changes:
            lines += ["- 由生成器重新生成；契约未变。Made anew; the contracts are the same.", ""]
        for severity in _PARTS:
            told = [one for one in changes if one.get("severity") == severity]
            if told:
                lines += [f"### {_WORDS[severity]}", ""]
                lines += [f"- {_line(one['service'])}: {_line(one['zh'])} {_line(one['en'])}" for one in told]
                lines.append("")
    return "\n".join(lines)


def _line(text: str) -> str:
    """A department's text on one line of Markdown, without markup of its own."""
    flat = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>|" else char for char in flat if char.isprintable())
