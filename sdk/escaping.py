"""Department text on its way into source code: what is inert in every language, before a language's own escaping.

Descriptions, wire names and examples are data of whoever wrote the contract. Control characters and marks that
change the direction of text show as their code point, so that nobody reads another program than the compiler does.
Source: Unicode TR #36, CVE-2021-42574.
"""

import textwrap
import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """The text with every control, format, surrogate and unassigned character shown as `<U+202E>`; tab and newline stay."""
    return "".join(
        char if char in "\n\t" or unicodedata.category(char) not in _HIDDEN else f"<U+{ord(char):04X}>"
        for char in text.replace("\r\n", "\n").replace("\r", "\n")
    )


def comment_lines(text: str, width: int = 100) -> list[str]:
    """Lines for a comment, wrapped; [] for an empty text. The caller still escapes what ends a comment in its language."""
    lines: list[str] = []
    for paragraph in visible(text).replace("\t", " ").split("\n"):
        lines += textwrap.wrap(paragraph, width, break_long_words=False, break_on_hyphens=False) or [""]
    while lines and not lines[0]:
        lines.pop(0)
    while lines and not lines[-1]:
        lines.pop()
    return lines[:60]


def in_words(texts: dict[str, str], *, others: bool = True) -> str:
    """A text in Chinese and English, Chinese first; "" where there is none."""
    zh, en = texts.get("zh-CN") or texts.get("zh", ""), texts.get("en", "")
    found = [one.strip() for one in (zh, en) if one.strip()]
    if not found and others:
        found = [one.strip() for one in texts.values() if one.strip()][:1]
    return "\n".join(dict.fromkeys(found))
