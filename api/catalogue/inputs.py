"""What people and programs typed, checked before it reaches a database: identifiers, names, lines of text."""

import re
import unicodedata

from api.core.problem_types_platform import INPUT_INVALID, NOT_FOUND
from api.core.problems import Refusal, Text

SERVICE_NAME = re.compile(r"(?=.{1,40}\Z)[a-z][a-z0-9]*(-[a-z0-9]+)*")
_VERSION_ID = re.compile(r"[a-z][a-z0-9-]{0,63}@v[0-9]{1,9}")
_ID = re.compile(r"[0-9a-zA-Z_-]{1,64}")
SLUG_LENGTH = 64
ID_LENGTH = 40  # of every id column: Tortoise raises for a longer value instead of finding nothing
_REFUSED = frozenset({"Cc", "Cs", "Cn", "Co", "Zl", "Zp"})


def is_version_id(text: str) -> bool:
    """Whether a text has the form `company@v1`."""
    return _VERSION_ID.fullmatch(text) is not None


def is_id(text: str) -> bool:
    """Whether a text has the form of an identifier or a slug; PostgreSQL fails on NUL, so others never reach it."""
    return _ID.fullmatch(text) is not None


def check_version_id(version_id: str) -> str:
    """The id where it has the form of one; else not-found, for it cannot exist."""
    if not is_version_id(version_id):
        raise Refusal(NOT_FOUND, what=Text("这个服务版本", "such service version"))
    return version_id


def check_id(identifier: str, what: Text, *, maximum: int = ID_LENGTH) -> str:
    """The identifier where it has the form of one; else not-found, for it cannot exist."""
    if len(identifier) > maximum or not is_id(identifier):
        raise Refusal(NOT_FOUND, what=what)
    return identifier


def clean_text(pointer: str, text: str, *, maximum: int, minimum: int = 0) -> str:
    """A text of people, trimmed; tabs and line breaks may stand in it. Errors: input-invalid at `pointer`."""
    text = text.strip()
    if not minimum <= len(text) <= maximum:
        raise _fault(pointer, f"{minimum} 至 {maximum} 个字符。", f"{minimum} to {maximum} characters")
    if any(unicodedata.category(char) in _REFUSED and char not in "\n\r\t" for char in text):
        raise _fault(pointer, "含控制字符。", "holds control characters")
    return text


def _fault(pointer: str, zh: str, en: str) -> Refusal:
    return Refusal(INPUT_INVALID, errors=({"pointer": pointer, "message": Text(zh, en)},), count=1)
