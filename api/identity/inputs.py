"""Reading what people typed: every fault is collected, then told at once. No rule of a feature stands here.

inputs = Inputs()
name = inputs.line("/name", name, maximum=100)
inputs.check()
"""

import re
import unicodedata
from typing import Any

from api.core.problem_types_platform import INPUT_INVALID, NOT_FOUND
from api.core.problems import Refusal, Text

# Control, surrogate and unassigned characters; line and paragraph separators; overrides of the writing
# direction, which make a name read as another one (Unicode TR 36 §2.10).
_REFUSED = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})
_DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
_ADDRESS = re.compile(r"://|www\.|[<>]", re.IGNORECASE)
_ID = re.compile(r"[0-9a-z]{1,40}")
ID_LENGTH = 40  # of every id column: Tortoise raises for a longer value instead of finding nothing


def is_clean(text: str, *, lines: bool = False) -> bool:
    """Whether a text holds nothing invisible that a database, a mail or a reader would trip over."""
    return all(
        unicodedata.category(character) not in _REFUSED or (lines and character in "\n\t")
        for character in text
    ) and not _DIRECTION.intersection(text)


def check_id(identifier: str, prefix: str, what: Text) -> str:
    """The identifier if it has the form of one, else the refusal `not-found`: it can't exist.

    Keeps control characters and endless strings from the database (PostgreSQL fails on NUL).
    """
    head, _, tail = identifier.partition("_")
    if head != prefix or not _ID.fullmatch(tail) or len(identifier) > ID_LENGTH:
        raise Refusal(NOT_FOUND, what=what)
    return identifier


class Inputs:
    """Collects faults with their JSON pointers; `check` raises them together (input-invalid)."""

    def __init__(self) -> None:
        self._errors: list[dict[str, Any]] = []

    def fault(self, pointer: str, zh: str, en: str) -> None:
        """Note a fault of the value at `pointer`."""
        self._errors.append({"pointer": pointer, "message": Text(zh, en)})

    def line(self, pointer: str, value: str, *, maximum: int, minimum: int = 1) -> str:
        """One line of text: NFC, trimmed, without control characters; lengths in characters."""
        return self._text(pointer, value, maximum=maximum, minimum=minimum, lines=False)

    def name(self, pointer: str, value: str, *, maximum: int = 100) -> str:
        """A name of a person, an organisation or an app: one line that is no address of a page.

        Names stand in mails to strangers, an address in one would make us a sender of advertisements.
        """
        value = self.line(pointer, value, maximum=maximum)
        if _ADDRESS.search(value):
            self.fault(
                pointer, "名称中不能有网址或尖括号。", "A name holds no web address and no angle brackets."
            )
        return value

    def text(self, pointer: str, value: str, *, maximum: int, minimum: int = 0) -> str:
        """Text of several lines, each ended by a line feed."""
        return self._text(pointer, value.replace("\r\n", "\n"), maximum=maximum, minimum=minimum, lines=True)

    def _text(self, pointer: str, value: str, *, maximum: int, minimum: int, lines: bool) -> str:
        if len(value) > maximum * 4:  # before any work on it
            self.fault(pointer, f"最多 {maximum} 个字符。", f"At most {maximum} characters.")
            return ""
        if not is_clean(value, lines=lines):
            self.fault(
                pointer,
                "含有控制字符或改变书写方向的字符。",
                "It holds control characters, or characters that change the direction of writing.",
            )
            return ""
        value = unicodedata.normalize("NFC", value).strip()
        if len(value) > maximum:
            self.fault(pointer, f"最多 {maximum} 个字符。", f"At most {maximum} characters.")
        elif not value and minimum:
            self.fault(pointer, "必填。", "It is required.")
        elif len(value) < minimum:
            self.fault(pointer, f"至少 {minimum} 个字符。", f"At least {minimum} characters.")
        return value

    def choice(self, pointer: str, value: str, choices: tuple[str, ...]) -> str:
        """One of the choices."""
        if value not in choices:
            self.fault(pointer, f"须为 {'、'.join(choices)} 之一。", f"It is one of {', '.join(choices)}.")
        return value

    def check(self) -> None:
        """Raises input-invalid when there was any fault."""
        if self._errors:
            raise Refusal(INPUT_INVALID, errors=tuple(self._errors), count=len(self._errors))


def refuse_input(pointer: str, zh: str, en: str) -> Refusal:
    """The refusal for a single faulty input; raise it."""
    return Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": Text(zh, en)},), count=1)
