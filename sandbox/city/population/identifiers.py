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

from datetime import date

UNASSIGNED = "99"  # how every division code of the city begins

_CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # no I, O, S, V, Z
_CREDIT_VALUES = {character: value for value, character in enumerate(_CREDIT_ALPHABET)}
_CREDIT_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_CITIZEN_WEIGHTS = tuple(pow(2, 17 - place, 11) for place in range(17))
_CITIZEN_CHECKS = "10X98765432"
_MAIL_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)


def organisation_check(body: str) -> str:
    """The check character of an eight-character organisation code. Source: GB 11714-1997 §3.3."""
    total = sum(
        int(character, 36) * weight for character, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True)
    )
    value = 11 - total % 11
    return {10: "X", 11: "0"}.get(value, str(value))


def credit_check(body: str) -> str:
    """The check character of the first 17 characters of a unified social credit code. Source: GB 32100-2015 §4.6."""
    total = sum(
        _CREDIT_VALUES[character] * weight for character, weight in zip(body, _CREDIT_WEIGHTS, strict=True)
    )
    return _CREDIT_ALPHABET[-total % 31]


def credit_code(division: str, organisation: str, *, department: str = "9", category: str = "1") -> str:
    """An 18-character unified social credit code; department 9 is market regulation, category 1 an enterprise.

    `organisation` is the eight-character body, its check character is added.
    """
    body = department + category + division + organisation + organisation_check(organisation)
    return body + credit_check(body)


def is_credit_code(text: str) -> bool:
    """Whether both check characters of a unified social credit code are right."""
    return (
        len(text) == 18
        and all(character in _CREDIT_VALUES for character in text)
        and organisation_check(text[8:16]) == text[16]
        and credit_check(text[:17]) == text[17]
    )


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
    total = sum(int(digit) * weight for digit, weight in zip(body, _CITIZEN_WEIGHTS, strict=True))
    return _CITIZEN_CHECKS[total % 11]


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
    total = sum(int(digit) * weight for digit, weight in zip(serial, _MAIL_WEIGHTS, strict=True))
    value = 11 - total % 11
    return {10: "0", 11: "5"}.get(value, str(value))


def mail_number(serial: int) -> str:
    """A 13-character mail item number, service KM and country ZZ: `KM000000015ZZ`."""
    body = f"{serial:08d}"
    return f"KM{body}{mail_check(body)}ZZ"
