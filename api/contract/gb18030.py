"""Text of Chinese department systems: GB 18030 by the edition that the system was built to, and what could not be read.

The editions agree on all but a few code positions, in which a character of the private use area and the real one
changed places. Python's codec holds the mapping of the year 2000 and is used for all the others.

    2000 → 2005    A8BC and 8135F437 (ḿ, U+1E3F)
    2005 → 2022    ten vertical forms (A6D9 …) and eight ideographs (FE59 …) with their four-byte twins

FE51 FE52 FE53 FE6C FE76 FE91 keep their private characters in all editions, for the real ones lie outside the
BMP, where GB 18030 counts by formula.

Source: GB 18030-2000, GB 18030-2005, GB 18030-2022; L2/23-003R of the Unicode Technical Committee (the table).
"""

import codecs
from collections.abc import Mapping

from msgspec import Struct

# two-byte code, private character of the older edition, character of the newer one
_CHANGED_2005 = ((0xA8BC, 0xE7C7, 0x1E3F),)
_CHANGED_2022 = (
    (0xA6D9, 0xE78D, 0xFE10),
    (0xA6DA, 0xE78E, 0xFE12),
    (0xA6DB, 0xE78F, 0xFE11),
    (0xA6DC, 0xE790, 0xFE13),
    (0xA6DD, 0xE791, 0xFE14),
    (0xA6DE, 0xE792, 0xFE15),
    (0xA6DF, 0xE793, 0xFE16),
    (0xA6EC, 0xE794, 0xFE17),
    (0xA6ED, 0xE795, 0xFE18),
    (0xA6F3, 0xE796, 0xFE19),
    (0xFE59, 0xE81E, 0x9FB4),
    (0xFE61, 0xE826, 0x9FB5),
    (0xFE66, 0xE82B, 0x9FB6),
    (0xFE67, 0xE82C, 0x9FB7),
    (0xFE6D, 0xE832, 0x9FB8),
    (0xFE7E, 0xE843, 0x9FB9),
    (0xFE90, 0xE854, 0x9FBA),
    (0xFEA0, 0xE864, 0x9FBB),
)
CHANGED = {"2005": _CHANGED_2005, "2022": _CHANGED_2005 + _CHANGED_2022}
"""By edition: what changed against the year 2000, as (two-byte code, private character, real character)."""

_SWAPS: Mapping[str, Mapping[int, int]] = {
    edition: {one: other for _, a, b in changed for one, other in ((a, b), (b, a))}
    for edition, changed in CHANGED.items()
} | {"2000": {}}

ENCODINGS = ("utf-8", "gb18030-2022", "gb18030-2005", "gb18030-2000", "gbk")
_PLACES_KEPT = 20


class Undecodable(Struct, frozen=True):
    """Bytes that mean nothing in the encoding: their place in the data, counted from 0, and what they are."""

    offset: int
    data: bytes


class Decoded(Struct, frozen=True):
    """The text, with U+FFFD for what could not be read; the first of those places, and how many there are."""

    text: str
    undecodable: tuple[Undecodable, ...] = ()
    count: int = 0


def _taken_apart(encoding: str) -> tuple[str, Mapping[int, int]]:
    """Python's codec and the swaps over it. Raises LookupError for an encoding that is none of `ENCODINGS`."""
    name = encoding.lower()
    if name == "gb18030":
        name = "gb18030-2022"
    if name not in ENCODINGS:
        raise LookupError(f"the encoding {encoding} is none of {', '.join(ENCODINGS)}")
    if name.startswith("gb18030-"):
        return "gb18030", _SWAPS[name.removeprefix("gb18030-")]
    return name, {}


def decode(data: bytes, encoding: str) -> Decoded:
    """The text of these bytes. A byte order mark of UTF-8 is no part of it. Raises LookupError (encoding)."""
    codec, swaps = _taken_apart(encoding)
    start = 3 if codec == "utf-8" and data.startswith(codecs.BOM_UTF8) else 0
    try:
        text = data[start:].decode(codec)
        return Decoded(text.translate(swaps) if swaps and not text.isascii() else text)
    except UnicodeDecodeError:
        return _decode_with_gaps(data, start, codec, swaps)


def _decode_with_gaps(data: bytes, start: int, codec: str, swaps: Mapping[int, int]) -> Decoded:
    pieces: list[str] = []
    places: list[Undecodable] = []
    count = 0
    at = start
    view = memoryview(data)
    while at < len(data):
        try:
            pieces.append(codecs.decode(view[at:], codec))
            break
        except UnicodeDecodeError as error:
            pieces += (codecs.decode(view[at : at + error.start], codec), "\ufffd")
            wrong = data[at + error.start : at + error.end]
            if len(places) < _PLACES_KEPT:
                places.append(Undecodable(at + error.start, wrong))
            count += 1
            at += max(error.end, error.start + 1)
            if count >= 10_000:  # this is no text at all; the rest would cost the square of its length
                places.append(Undecodable(at, b""))
                break
    return Decoded("".join(pieces).translate(swaps), tuple(places), count)


def encode(text: str, encoding: str) -> bytes:
    """The bytes of a text. Raises LookupError (encoding), UnicodeEncodeError (a character that it cannot write)."""
    codec, swaps = _taken_apart(encoding)
    return (text.translate(swaps) if swaps and not text.isascii() else text).encode(codec)
