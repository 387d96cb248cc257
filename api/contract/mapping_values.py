"""Value rules of a mapping: how one scalar of the contract is written in a department's system, and read back.

A rule stands after a native path: `CSRQ | date yyyyMMdd`. Each has two directions, and reading what was written
gives the value back; `tests/contract/test_mapping_values.py` holds every rule to that. What a rule cannot keep it
says in `loss`.
"""

import re
import shlex
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

import msgspec

TYPED = "typed"  # JSON and SQL: numbers are numbers
TEXT = "text"  # XML, CSV, fixed width: everything is text


class RuleError(ValueError):
    """A value that a rule cannot write or read. The text names the rule, never the value: it may be personal."""


class Rule(Protocol):
    """One step of a chain. `gives` is the kind of the native value: string, integer, number, boolean or list."""

    gives: str
    loss: str

    def to_native(self, value: Any) -> Any: ...
    def from_native(self, value: Any) -> Any: ...


# -- scalars: the end of every chain ---------------------------------------------------------------------
class Scalar:
    """A value of one JSON type, as text or as it is."""

    loss = ""

    def __init__(self, kind: str, medium: str) -> None:
        self.gives = kind
        self._as_text = medium == TEXT
        self._read = _READERS[kind]

    def to_native(self, value: Any) -> Any:
        return text_of(value) if self._as_text else value

    def from_native(self, value: Any) -> Any:
        return self._read(value)


def text_of(value: Any) -> str:
    """A scalar as text: JSON's own words for true and false, numbers without an exponent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | Decimal):
        return format(Decimal(repr(value)) if isinstance(value, float) else value, "f")
    return str(value)


def _string(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("#text", "")
    if isinstance(value, list):
        raise RuleError("a list stands where one value is meant")
    return text_of(value)


def _integer(value: Any) -> int:
    number = _number(value)
    if isinstance(number, float):
        if not number.is_integer():
            raise RuleError("a whole number is meant")
        return int(number)
    return number


def _number(value: Any) -> int | float:
    if isinstance(value, bool):
        raise RuleError("a number is meant")
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return value
    try:
        exact = Decimal(_string(value).strip())
    except InvalidOperation as error:
        raise RuleError("a number is meant") from error
    if not exact.is_finite() or abs(exact.adjusted()) > 400:
        raise RuleError("a number of a sane size is meant")
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    text = _string(value).strip().lower()
    if text not in {"true", "false", "1", "0"}:
        raise RuleError("true or false is meant")
    return text in {"true", "1"}


def _any(value: Any) -> Any:
    return value


_READERS = {"string": _string, "integer": _integer, "number": _number, "boolean": _boolean, "any": _any}


# -- rules ----------------------------------------------------------------------------------------------
class DateRule:
    """`date yyyyMMdd`: an ISO date (or month, with a pattern that has no day) in another pattern."""

    gives = "string"
    loss = ""

    def __init__(self, pattern: str = "yyyyMMdd") -> None:
        self._pattern = Pattern(pattern)
        names = self._pattern.names
        if not {"yyyy"} <= names or names - {"yyyy", "MM", "dd"}:
            raise ValueError(f"date takes a pattern of yyyy, MM and dd, not {pattern}")
        self._iso = Pattern("-".join(name for name in ("yyyy", "MM", "dd") if name in names))

    def to_native(self, value: Any) -> Any:
        return self._pattern.write(self._iso.read(_string(value)))

    def from_native(self, value: Any) -> Any:
        return self._iso.write(self._pattern.read(_string(value)))


class DatetimeRule:
    """`datetime yyyyMMddHHmmss [zone]`: an instant with offset, as the wall clock of a zone (default +08:00)."""

    gives = "string"
    loss = "an instant comes back with the zone of the mapping and in whole seconds (or what the pattern has)"

    def __init__(self, pattern: str = "yyyyMMddHHmmss", zone: str = "+08:00") -> None:
        self._pattern = Pattern(pattern)
        if not {"yyyy", "MM", "dd", "HH", "mm"} <= self._pattern.names:
            raise ValueError(f"datetime takes a pattern with yyyy MM dd HH mm, not {pattern}")
        self._zone = _zone_of(zone)
        self._suffix = "Z" if zone == "Z" else zone

    def to_native(self, value: Any) -> Any:
        try:
            at = datetime.fromisoformat(_string(value)).astimezone(self._zone)
        except (ValueError, OverflowError) as error:
            raise RuleError("an instant in RFC 3339 form is meant") from error
        milli = f"{at.microsecond // 1000:03d}"
        return self._pattern.write(
            {"yyyy": f"{at.year:04d}", "MM": f"{at.month:02d}", "dd": f"{at.day:02d}", "HH": f"{at.hour:02d}",
             "mm": f"{at.minute:02d}", "ss": f"{at.second:02d}", "SSS": milli}
        )  # fmt: skip

    def from_native(self, value: Any) -> Any:
        found = self._pattern.read(_string(value))
        second = found.get("ss", "00")
        milli = f".{found['SSS']}" if "SSS" in found else ""
        return (
            f"{found['yyyy']}-{found['MM']}-{found['dd']}T{found['HH']}:{found['mm']}:{second}{milli}"
            f"{self._suffix}"
        )


class Pattern:
    """A pattern of yyyy MM dd HH mm ss SSS and literal text, read and written by fixed widths."""

    _PARTS = re.compile(r"yyyy|MM|dd|HH|mm|SSS|ss")
    _RANGES: Mapping[str, tuple[int, int]] = {"MM": (1, 12), "dd": (1, 31), "HH": (0, 24), "mm": (0, 59), "ss": (0, 60)}  # fmt: skip

    def __init__(self, text: str) -> None:
        self._pieces = re.split(r"(yyyy|MM|dd|HH|mm|SSS|ss)", text)
        names = self._PARTS.findall(text)
        if len(set(names)) != len(names) or not names:
            raise ValueError(f"{text} is no pattern: each part stands once")
        self.names = frozenset(names)
        self._expression = re.compile(
            "".join(
                f"(?P<{piece}>[0-9]{{{len(piece)}}})" if number % 2 else re.escape(piece)
                for number, piece in enumerate(self._pieces)
            )
        )
        self._text = text

    def read(self, value: str) -> dict[str, str]:
        found = self._expression.fullmatch(value.strip())
        if found is None:
            raise RuleError(f"the pattern {self._text} is meant")
        parts = found.groupdict()
        for name, (low, high) in self._RANGES.items():
            if name in parts and not low <= int(parts[name]) <= high:
                raise RuleError(f"the pattern {self._text} is meant")
        return parts

    def write(self, parts: Mapping[str, str]) -> str:
        return "".join(
            parts.get(piece, "") if number % 2 else piece for number, piece in enumerate(self._pieces)
        )


def _zone_of(text: str) -> timezone:
    if text == "Z":
        return timezone.utc  # noqa: UP017 - one type for all zones here
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", text)
    if found is None:
        raise ValueError(f"a zone is Z or like +08:00, not {text}")
    minutes = int(found[2]) * 60 + int(found[3])
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))


class CodesRule:
    """`codes NAME`: a value of the contract for each code of the department, one to one."""

    gives = "string"
    loss = ""

    def __init__(self, codes: Mapping[Any, Any], *, keeps_others: bool = False) -> None:
        self._native = {text_of(key): text_of(code) for key, code in codes.items()}
        self._contract = {code: key for key, code in self._native.items()}
        if len(self._contract) != len(self._native):
            raise ValueError("two values have one code: it could not be read back")
        self.keeps_others = keeps_others
        self.codes = list(self._contract)

    def to_native(self, value: Any) -> Any:
        found = self._native.get(text_of(value))
        if found is None:
            if self.keeps_others and isinstance(value, str) and value not in self._contract:
                return value
            raise RuleError("the value has no code in the mapping")
        return found

    def from_native(self, value: Any) -> Any:
        text = _string(value)
        if text in self._contract:
            return self._contract[text]
        if self.keeps_others and text not in self._native:
            return text
        raise RuleError(f"the code {text[:20]} is not in the mapping")


class TimesRule:
    """`times 100`: the department counts in a smaller unit (yuan of the contract, fen there)."""

    gives = "number"
    loss = ""

    def __init__(self, factor: str) -> None:
        self._factor = Decimal(factor)
        if not self._factor.is_finite() or self._factor <= 0:
            raise ValueError(f"times takes a number above 0, not {factor}")

    def to_native(self, value: Any) -> Any:
        return _plain(Decimal(text_of(value)) * self._factor)

    def from_native(self, value: Any) -> Any:
        return _plain(Decimal(text_of(_number(value))) / self._factor)


def _plain(exact: Decimal) -> int | float:
    return int(exact) if exact == exact.to_integral_value() else float(exact)


class PrefixRule:
    """`prefix KM-`: the department writes this before the value."""

    gives = "string"
    loss = ""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def to_native(self, value: Any) -> Any:
        return self._prefix + _string(value)

    def from_native(self, value: Any) -> Any:
        text = _string(value)
        if not text.startswith(self._prefix):
            raise RuleError(f"the prefix {self._prefix} is meant")
        return text[len(self._prefix) :]


class SuffixRule:
    """`suffix 号`: the department writes this after the value."""

    gives = "string"
    loss = ""

    def __init__(self, suffix: str) -> None:
        self._suffix = suffix

    def to_native(self, value: Any) -> Any:
        return _string(value) + self._suffix

    def from_native(self, value: Any) -> Any:
        text = _string(value)
        if not text.endswith(self._suffix):
            raise RuleError(f"the suffix {self._suffix} is meant")
        return text[: len(text) - len(self._suffix)]


class JoinRule:
    """`join ,`: a list of texts as one text. A text that holds the separator cannot be written."""

    gives = "string"
    loss = "an empty list and a list of one empty text are the same"

    def __init__(self, separator: str = ",") -> None:
        if not separator:
            raise ValueError("join takes a separator")
        self._separator = separator

    def to_native(self, value: Any) -> Any:
        texts = [_string(one) for one in value]
        if any(self._separator in text for text in texts):
            raise RuleError("a text holds the separator")
        return self._separator.join(texts)

    def from_native(self, value: Any) -> Any:
        text = _string(value)
        return text.split(self._separator) if text else []


class JsonRule:
    """`json`: the value as JSON in a text, as many a system puts it into one element or column."""

    gives = "string"
    loss = ""

    def to_native(self, value: Any) -> Any:
        return msgspec.json.encode(value).decode()

    def from_native(self, value: Any) -> Any:
        try:
            return msgspec.json.decode(_string(value))
        except msgspec.MsgspecError as error:
            raise RuleError("JSON in a text is meant") from error


class WordsRule:
    """`bool 是 否`: the words for true and false."""

    gives = "string"
    loss = ""

    def __init__(self, yes: str = "1", no: str = "0") -> None:
        if yes == no:
            raise ValueError("bool takes two different words")
        self._yes, self._no = yes, no

    def to_native(self, value: Any) -> Any:
        if not isinstance(value, bool):
            raise RuleError("true or false is meant")
        return self._yes if value else self._no

    def from_native(self, value: Any) -> Any:
        text = _string(value)
        if text not in {self._yes, self._no}:
            raise RuleError(f"{self._yes} or {self._no} is meant")
        return text == self._yes


class UpperRule:
    """`upper`: small letters in the contract, capitals in the department's system."""

    gives = "string"
    loss = "capital letters come back small"

    def to_native(self, value: Any) -> Any:
        return _string(value).upper()

    def from_native(self, value: Any) -> Any:
        return _string(value).lower()


class TypeRule:
    """`int`, `number`, `text`: the native value is of this type, whatever the contract's schema says."""

    loss = ""

    def __init__(self, kind: str) -> None:
        self.gives = kind

    def to_native(self, value: Any) -> Any:
        return _READERS[self.gives](value)

    def from_native(self, value: Any) -> Any:
        return value


_RULES: Mapping[str, tuple[type, int, int]] = {  # word -> class, fewest and most arguments
    "date": (DateRule, 0, 1),
    "datetime": (DatetimeRule, 0, 2),
    "times": (TimesRule, 1, 1),
    "prefix": (PrefixRule, 1, 1),
    "suffix": (SuffixRule, 1, 1),
    "join": (JoinRule, 0, 1),
    "json": (JsonRule, 0, 0),
    "bool": (WordsRule, 0, 2),
    "upper": (UpperRule, 0, 0),
}
_TYPES = {"int": "integer", "number": "number", "text": "string"}
WORDS = (*_RULES, "codes", *_TYPES)


def parse_rules(text: str, codes: Mapping[str, Any]) -> list[Rule]:
    """The rules of `word argument … | word …`. Raises ValueError telling what is wrong with it."""
    found: list[Rule] = []
    for part in text.split("|"):
        words = shlex.split(part)
        if not words:
            raise ValueError(f"an empty rule stands in {text!r}")
        word, *arguments = words
        if word == "codes":
            found.append(_codes(arguments, codes))
        elif word in _TYPES and not arguments:
            found.append(TypeRule(_TYPES[word]))
        elif word in _RULES:
            made, fewest, most = _RULES[word]
            if not fewest <= len(arguments) <= most:
                raise ValueError(f"{word} takes {fewest} to {most} words, not {len(arguments)}")
            try:
                found.append(made(*arguments))
            except InvalidOperation as error:
                raise ValueError(f"{word} {arguments[0]}: no number") from error
        else:
            raise ValueError(f"there is no rule {word!r}; there are {', '.join(WORDS)}")
    return found


def _codes(arguments: list[str], codes: Mapping[str, Any]) -> Rule:
    if not arguments or arguments[0] not in codes:
        raise ValueError(
            f"codes takes the name of a list under `codes`: {', '.join(codes) or 'there is none'}"
        )
    if arguments[1:] not in ([], ["keep"]):
        raise ValueError("codes takes a name and, where other values pass as they are, the word keep")
    return CodesRule(codes[arguments[0]], keeps_others=arguments[1:] == ["keep"])


class Chain:
    """The rules of one field and the scalar they end in."""

    __slots__ = ("_forward", "_reverse", "_target", "gives", "losses", "rules")

    def __init__(self, rules: list[Rule], kind: str, medium: str) -> None:
        """`kind`: the contract's JSON type, "any" where the schema leaves it open."""
        self.rules = rules
        native = self.gives = rules[-1].gives if rules else kind  # the kind of the native value
        steps: list[Rule] = [*rules, Scalar(native, medium)]
        self._forward = tuple(step.to_native for step in steps)
        self._reverse = tuple(step.from_native for step in reversed(steps))
        self._target = (
            _READERS[kind] if rules and kind != "any" else None
        )  # what a rule read may be of another type
        self.losses = tuple(rule.loss for rule in rules if rule.loss)

    def to_native(self, value: Any) -> Any:
        """The native value. Raises RuleError."""
        for step in self._forward:
            value = step(value)
        return value

    def from_native(self, value: Any) -> Any:
        """The contract's value. Raises RuleError."""
        for step in self._reverse:
            value = step(value)
        return value if self._target is None else self._target(value)
