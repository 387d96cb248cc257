"""GB 18030 by edition: every code position whose mapping changed, round trips, and bytes that mean nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.contract.gb18030 import CHANGED, ENCODINGS, decode, encode

EDITIONS = ("gb18030-2022", "gb18030-2005", "gb18030-2000")
PLAIN = st.text(st.characters(exclude_categories=("Cs",)))


def changed(edition: str) -> list[tuple[int, int, int]]:
    return list(CHANGED.get(edition.removeprefix("gb18030-"), ()))


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_changed_code_position(edition: str) -> None:
    now = {code for code, _, _ in changed(edition)}
    for code, private, real in CHANGED["2022"]:
        two = code.to_bytes(2, "big")
        meant, other = (real, private) if code in now else (private, real)
        assert decode(two, edition).text == chr(meant), hex(code)
        assert encode(chr(meant), edition) == two
        four = encode(chr(other), edition)
        assert len(four) == 4
        assert decode(four, edition).text == chr(other)


def test_the_table_of_2022() -> None:
    """Source: GB 18030-2022; the four-byte twins as in L2/23-003R."""
    assert len(CHANGED["2022"]) == 19
    facts = {
        "a6d9": 0xFE10, "a6da": 0xFE12, "a6db": 0xFE11, "a6df": 0xFE16, "a6f3": 0xFE19, "fe59": 0x9FB4,
        "fe61": 0x9FB5, "fe66": 0x9FB6, "fe67": 0x9FB7, "fe6d": 0x9FB8, "fe7e": 0x9FB9, "fe90": 0x9FBA,
        "fea0": 0x9FBB, "a8bc": 0x1E3F, "84318236": 0xE78D, "82359037": 0xE81E, "8135f437": 0xE7C7,
        "fe51": 0xE816, "95329031": 0x20087,
    }  # fmt: skip
    for code, point in facts.items():
        assert decode(bytes.fromhex(code), "gb18030-2022").text == chr(point), code
    assert bytes.fromhex("a8bc").decode("gb18030") == chr(0xE7C7)  # Python's own codec: the year 2000


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_character_comes_back(edition: str) -> None:
    text = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x30000)]))
    assert decode(encode(text, edition), edition).text == text


@given(PLAIN, st.sampled_from(EDITIONS))
def test_any_text_comes_back(text: str, edition: str) -> None:
    assert decode(encode(text, edition), edition).text == text


def test_undecodable_bytes_are_told_with_their_place() -> None:
    data = "姓名".encode("gb18030") + b"\xff" + "张".encode("gb18030") + b"\x81"
    found = decode(data, "gb18030-2022")
    assert found.text == "姓名\ufffd张\ufffd"
    assert [one.offset for one in found.undecodable] == [4, 7]
    assert found.count == 2


@given(st.binary(max_size=200), st.sampled_from(ENCODINGS))
def test_no_bytes_break_it(data: bytes, encoding: str) -> None:
    found = decode(data, encoding)
    assert (found.count == 0) == (not found.undecodable)
    assert found.text.count("\ufffd") >= found.count


def test_an_unknown_encoding_is_none() -> None:
    with pytest.raises(LookupError):
        decode(b"", "latin-1")
    assert decode("é".encode(), "utf-8").text == "é"
    assert decode(b"\xef\xbb\xbfx", "utf-8").text == "x"
