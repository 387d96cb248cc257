"""Strings that match a regular expression (ECMA-262, as JSON Schema uses it), deterministic by a random source.

A small parser and sampler of its own: lookarounds are not solved, only respected by trying again; whoever asks
verifies the string with the validator that will judge it.
"""

from collections.abc import Callable
from functools import lru_cache
from random import Random

from msgspec import Struct

_DIGITS = "0123456789"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_UPPER = _LOWER.upper()
_HAN = "示例样本测试甲乙丙丁"
_WORD = _LOWER + _UPPER + _DIGITS + "_"
_ANY = _LOWER + _DIGITS
_PLAIN = _LOWER + _UPPER + _DIGITS + " -_.,:;/@#+*=!?()[]{}<>|~%&$'\"^`\\" + _HAN
_CLASSES = {"d": _DIGITS, "w": _WORD, "s": " "}
_PROPERTIES = {
    "L": _LOWER, "Letter": _LOWER, "Lu": _UPPER, "Uppercase_Letter": _UPPER, "Ll": _LOWER, "N": _DIGITS, "Nd": _DIGITS,
    "P": "-.,", "Z": " ", "Zs": " ", "S": "+=", "Han": _HAN, "IsHan": _HAN, "Script=Han": _HAN, "sc=Han": _HAN,
    "Alphabetic": _LOWER, "IsLatin": _LOWER, "Latin": _LOWER, "M": "\u0301",
}  # fmt: skip
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_MOST_REPEATS = 400
_MOST_LENGTH = 5000


class PatternError(Exception):
    """The pattern has something that the parser does not know."""


class _Node(Struct):
    kind: str  # set, seq, alt, rep, group, ref, nothing
    chars: str = ""
    parts: list["_Node"] = []
    low: int = 0
    high: int = 0


def matching(pattern: str, random: Random, is_fit: Callable[[str], bool], *, tries: int = 60) -> str | None:
    """A string for which `is_fit` holds, sampled from the pattern; None when none was found."""
    try:
        node = parse(pattern)
    except (PatternError, RecursionError):
        return None
    for attempt in range(tries):
        text = sample(node, random, stretch=(0, 1, 2, 4, 8, 16, 40, 120)[min(attempt // 4, 7)])
        if text is None:
            return None
        if is_fit(text):
            return text
    return None


@lru_cache(maxsize=2048)
def parse(pattern: str) -> _Node:
    """The pattern as a tree. Raises PatternError."""
    parser = _Parser(pattern)
    node = parser.alternatives()
    if parser.position != len(pattern):
        raise PatternError(pattern)
    return node


def sample(node: _Node, random: Random, *, stretch: int) -> str | None:
    """One string of the tree; open repetitions go at most `stretch` beyond their least. None: too long."""
    groups: dict[int, str] = {}
    text = _sample(node, random, stretch, groups)
    return text if len(text) <= _MOST_LENGTH else None


def _sample(node: _Node, random: Random, stretch: int, groups: dict[int, str]) -> str:
    if node.kind == "set":
        return random.choice(node.chars) if node.chars else ""
    if node.kind == "seq":
        return "".join(_sample(part, random, stretch, groups) for part in node.parts)
    if node.kind == "alt":
        return _sample(random.choice(node.parts), random, stretch, groups)
    if node.kind == "rep":
        return _repeated(node, random, stretch, groups)
    if node.kind == "group":
        groups[node.low] = _sample(node.parts[0], random, stretch, groups)
    return groups.get(node.low, "") if node.kind in {"group", "ref"} else ""


def _repeated(node: _Node, random: Random, stretch: int, groups: dict[int, str]) -> str:
    high = min(node.high, node.low + stretch, max(node.low, _MOST_REPEATS))
    count = random.randint(node.low, max(node.low, high))
    pieces: list[str] = []
    for _ in range(min(count, _MOST_LENGTH)):
        pieces.append(_sample(node.parts[0], random, stretch, groups))
        if len(pieces) * len(pieces[-1]) > _MOST_LENGTH:
            break
    return "".join(pieces)


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._groups = 0
        self.position = 0

    def alternatives(self) -> _Node:
        parts = [self._sequence()]
        while self._take("|"):
            parts.append(self._sequence())
        return parts[0] if len(parts) == 1 else _Node("alt", parts=parts)

    def _sequence(self) -> _Node:
        parts: list[_Node] = []
        while self.position < len(self._pattern) and self._peek() not in "|)":
            parts.append(self._quantified(self._atom()))
        return _Node("seq", parts=parts)

    def _atom(self) -> _Node:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == "\\":
            return self._escape()
        if char == ".":
            return _Node("set", _ANY)
        if char in "^$":
            return _Node("nothing")
        if char in "*+?":
            raise PatternError(self._pattern)
        return _Node("set", char)

    def _group(self) -> _Node:
        is_look, number = False, 0
        if self._take("?"):
            if self._take(":"):
                pass
            elif self._take("=") or self._take("!"):
                is_look = True
            elif self._take("<") or self._take("P<"):
                is_look = self._take("=") or self._take("!")
                if not is_look:
                    number = self._named_group()
            else:
                raise PatternError(self._pattern)
        else:
            self._groups += 1
            number = self._groups
        inner = self.alternatives()
        if not self._take(")"):
            raise PatternError(self._pattern)
        if is_look:
            return _Node("nothing")
        return _Node("group", parts=[inner], low=number) if number else inner

    def _named_group(self) -> int:
        end = self._pattern.find(">", self.position)
        if end < 0:
            raise PatternError(self._pattern)
        self.position = end + 1
        self._groups += 1
        return self._groups

    def _quantified(self, node: _Node) -> _Node:
        bounds = self._bounds()
        if bounds is None:
            return node
        if not self._take("?"):
            self._take("+")
        return _Node("rep", parts=[node], low=bounds[0], high=bounds[1])

    def _bounds(self) -> tuple[int, int] | None:
        for sign, bounds in (("*", (0, 10**6)), ("+", (1, 10**6)), ("?", (0, 1))):
            if self._take(sign):
                return bounds
        if not self._pattern.startswith("{", self.position):
            return None
        end = self._pattern.find("}", self.position)
        low, comma, high = self._pattern[self.position + 1 : max(end, 0)].partition(",")
        if not low.isdecimal() or (high and not high.isdecimal()):
            return None  # a literal brace
        self.position = end + 1
        least = min(int(low), 10**6)
        most = min(int(high), 10**6) if high else 10**6 if comma else least
        return least, max(least, most)

    def _escape(self) -> _Node:
        char = self._next()
        if char in "bBAZz":
            return _Node("nothing")
        if char.isdecimal() and char != "0":
            return _Node("ref", low=int(char))
        return _Node("set", self._escaped_set(char))

    def _escaped_set(self, char: str) -> str:
        if char.lower() in _CLASSES:
            chars = _CLASSES[char.lower()]
            return chars if char.islower() else _negated(chars)
        if char in "pP":
            name = self._braced()
            chars = _PROPERTIES.get(name.split("=")[-1], _PROPERTIES.get(name, _LOWER))
            return chars if char == "p" else _negated(chars)
        if char in "xu":
            return self._code_point(char)
        return _ESCAPES.get(char, char)

    def _braced(self) -> str:
        if not self._take("{"):
            return self._next()
        end = self._pattern.find("}", self.position)
        if end < 0:
            raise PatternError(self._pattern)
        name = self._pattern[self.position : end]
        self.position = end + 1
        return name

    def _code_point(self, kind: str) -> str:
        if self._pattern.startswith("{", self.position):
            digits = self._braced()
        else:
            width = 2 if kind == "x" else 4
            digits = self._pattern[self.position : self.position + width]
            self.position += width
        try:
            return chr(int(digits, 16))
        except (ValueError, OverflowError) as error:
            raise PatternError(self._pattern) from error

    def _class(self) -> _Node:
        is_negated = self._take("^")
        chars: list[str] = []
        while not self._take("]") or not self._pattern:
            first = self._class_item()
            is_range = self._pattern.startswith("-", self.position) and not self._pattern.startswith(
                "-]", self.position
            )
            if len(first) == 1 and is_range:
                self.position += 1
                last = self._class_item()
                chars.append(_range(first, last) if len(last) == 1 else f"{first}-{last}")
            else:
                chars.append(first)
        every = "".join(chars)
        return _Node("set", _negated(every) if is_negated else _preferred(every))

    def _class_item(self) -> str:
        char = self._next()
        if char == "\\":
            inner = self._next()
            return "\b" if inner == "b" else self._escaped_set(inner)
        return char

    def _peek(self) -> str:
        return self._pattern[self.position]

    def _next(self) -> str:
        if self.position >= len(self._pattern):
            raise PatternError(self._pattern)
        char = self._pattern[self.position]
        self.position += 1
        return char

    def _take(self, text: str) -> bool:
        if self._pattern.startswith(text, self.position):
            self.position += len(text)
            return True
        return False


def _range(first: str, last: str) -> str:
    """The characters from first to last, at most 300 of them, Chinese ones replaced by plain sample words."""
    low, high = ord(first), ord(last)
    if low > high:
        return ""
    if low <= 0x4E00 and high >= 0x9FA5:
        return _HAN if low == 0x4E00 else _HAN + _LOWER
    points = (point for point in range(low, min(high, low + 300) + 1) if not 0xD800 <= point <= 0xDFFF)
    return "".join(chr(point) for point in points)


def _negated(chars: str) -> str:
    excluded = set(chars)
    kept = "".join(char for char in _ANY if char not in excluded)
    return kept or "".join(char for char in _PLAIN if char not in excluded)


def _preferred(chars: str) -> str:
    """Letters and digits where the class has them: readable samples."""
    plain = "".join(char for char in chars if char.isalnum())
    return plain or chars
