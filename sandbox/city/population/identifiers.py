"""Identifiers with their check digits, in ranges that belong to nobody.

Every identifier of the city carries an administrative division code that begins with 99. Such a code is
assigned to nobody, and so is every identifier that holds one:

- GB/T 2260 assigns first digits 1 to 8 (six regions, Taiwan 71, Hong Kong 81, Macao 82). A citizen identity
  number therefore begins with 1 to 8.
- Since December 2023 a number that begins with 9 is a foreigner's permanent residence card; its second and
  third digit are a provincial code of GB/T 2260, at most 82. After 99 they would read 9x, which is none.
  Source: 国家移民管理局《新版外国人永久居留身份证机读信息规则（2023版）》, items 2 and 3.
- In a unified social credit code the division stands in places 3 to 8 and comes from the same table; no
  registering authority has a code 99xxxx.
- A mail item number ends in ZZ, which ISO 3166-1 leaves to users and so no postal operator has.
"""

from collections.abc import Iterable
from datetime import date
from operator import getitem

UNASSIGNED = "99"  # how every division code of the city begins

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
_ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_CITIZEN_CHECKS = "10X98765432"
_ORGANISATION_CHECKS = "0123456789X0"  # by 11 minus the remainder


def _weighted(alphabet: str, weights: Iterable[int]) -> tuple[dict[str, int], ...]:
    """What each character adds to the sum, place by place: a look-up instead of a product."""
    return tuple(
        {character: value * weight for value, character in enumerate(alphabet)} for weight in weights
    )


_CREDIT = _weighted(_CREDIT_ALPHABET, (pow(3, place, 31) for place in range(17)))
_ORGANISATION = _weighted(_ALPHANUMERIC, (3, 7, 9, 10, 5, 8, 4, 2))
_CITIZEN = _weighted("0123456789", (pow(2, 17 - place, 11) for place in range(17)))
_MAIL = _weighted("0123456789", (8, 6, 4, 2, 3, 5, 9, 7))


def organisation_check(body: str) -> str:
    """The check character of an eight-character organisation code. Source: GB 11714-1997 §3.3."""
    return _ORGANISATION_CHECKS[11 - sum(map(getitem, _ORGANISATION, body)) % 11]


def credit_check(body: str) -> str:
    """The check character of the first 17 characters of a unified social credit code. Source: GB 32100-2015 §4.6."""
    return _CREDIT_ALPHABET[-sum(map(getitem, _CREDIT, body)) % 31]


def credit_code(division: str, organisation: str, *, department: str = "9", category: str = "1") -> str:
    """An 18-character unified social credit code; department 9 is market regulation, category 1 an enterprise.

    `organisation` is the eight-character body, its check character is added.
    """
    body = department + category + division + organisation + organisation_check(organisation)
    return body + credit_check(body)


def is_credit_code(text: str) -> bool:
    """Whether both check characters of a unified social credit code are right."""
    if len(text) != 18:
        return False
    try:
        return credit_check(text) == text[17] and organisation_check(text[8:16]) == text[16]
    except KeyError:  # a character that no code has
        return False


def organisation_body(number: int) -> str:
    """`MA` and a number below 31**6 in the alphabet of GB 32100: the body of an organisation code."""
    digits = []
    for _ in range(6):
        number, rest = divmod(number, 31)
        digits.append(_CREDIT_ALPHABET[rest])
    if number:
        raise ValueError("an organisation number is below 31**6")
    return "MA" + "".join(reversed(digits))


def citizen_check(body: str) -> str:
    """The check character of a 17-digit body. Source: GB 11643-1999 §4.3 (ISO 7064:1983, MOD 11-2)."""
    return _CITIZEN_CHECKS[sum(map(getitem, _CITIZEN, body)) % 11]


def citizen_number(division: str, born: date, sequence: int) -> str:
    """An 18-character citizen identity number; an odd `sequence` (1 to 999) is a man's, an even one a woman's."""
    body = f"{division}{born:%Y%m%d}{sequence:03d}"
    return body + citizen_check(body)


def is_citizen_number(text: str) -> bool:
    """Whether a citizen identity number has a real date of birth and the right check character."""
    if len(text) != 18 or not (text[:17].isascii() and text[:17].isdigit()):
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    return citizen_check(text[:17]) == text[17]


def mail_check(serial: str) -> str:
    """The check digit of an eight-digit serial number of a mail item. Source: UPU S10."""
    value = 11 - sum(map(getitem, _MAIL, serial)) % 11
    return {10: "0", 11: "5"}.get(value, str(value))


def mail_number(serial: int) -> str:
    """A 13-character mail item number, service KM and country ZZ: `KM000000015ZZ`."""
    body = f"{serial:08d}"
    return f"KM{body}{mail_check(body)}ZZ"
