"""Values that tell by their shape and check characters what they are, and visibly made-up ones of each shape.

Made-up identifiers carry a division code that begins with 99, which is assigned to nobody.
Source: GB 11643-1999 §4.3, GB 32100-2015 §4.6, GB 11714-1997 §3.3.
"""

import re
from datetime import date

_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_BASE36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

CREDIT_PATTERN = "^[0-9A-HJ-NP-RTUW-Y]{2}[0-9]{6}[0-9A-HJ-NP-RTUW-Y]{10}$"
CITIZEN_PATTERN = "^[0-9]{17}[0-9X]$"


def is_citizen_number(text: str) -> bool:
    """Whether it is an 18-character citizen identity number with a real birth date and the right check character."""
    if not re.fullmatch(r"[0-9]{17}[0-9X]", text):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return _citizen_check(text[:17]) == text[17]


def is_credit_code(text: str) -> bool:
    """Whether both check characters of a unified social credit code are right."""
    return bool(re.fullmatch(CREDIT_PATTERN[1:-1], text)) and text == _with_checks(text[:16])


def citizen_number(sequence: int = 2) -> str:
    """A made-up citizen identity number with a right check character."""
    body = f"990101199001010{sequence % 100:02d}"
    return body + _citizen_check(body)


def credit_code(number: int = 15) -> str:
    """A made-up unified social credit code with right check characters."""
    return _with_checks(f"91990106MA{number % 1_000_000:06d}")


def with_wrong_check(identifier: str) -> str:
    """The identifier with another last character, so that its shape is right and its check is not."""
    last = next(char for char in "0123456789" if char != identifier[-1])
    return identifier[:-1] + last


def _citizen_check(body: str) -> str:
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return "10X98765432"[total % 11]


def _with_checks(first16: str) -> str:
    organisation = first16[8:16]
    total = sum(
        _BASE36.index(char) * weight for char, weight in zip(organisation, _ORGANISATION_WEIGHTS, strict=True)
    )
    body = first16 + "0123456789X0"[11 - total % 11]
    remainder = sum(_CREDIT.index(char) * pow(3, place, 31) for place, char in enumerate(body)) % 31
    return body + _CREDIT[-remainder % 31]
