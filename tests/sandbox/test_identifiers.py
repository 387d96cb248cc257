"""Check characters against vectors that others published, and ranges that belong to nobody."""

from datetime import date
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.city.base import City
from sandbox.city.population import identifiers

CREDIT_CODES = ["91350100M000100Y43"]  # GB 32100-2015, example of the calculation; also in common libraries
CITIZEN_NUMBERS = ["11010519491231002X", "440524188001010014"]  # GB 11643-1999, annex A
MAIL_NUMBERS = ["473124829"]  # UPU S10, example RR473124829GB


@pytest.mark.parametrize("code", CREDIT_CODES)
def test_published_credit_codes(code: str) -> None:
    assert identifiers.is_credit_code(code)
    assert identifiers.credit_code(code[2:8], code[8:16]) == code


@pytest.mark.parametrize("number", CITIZEN_NUMBERS)
def test_published_citizen_numbers(number: str) -> None:
    assert identifiers.is_citizen_number(number)
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    assert identifiers.citizen_number(number[:6], born, int(number[14:17])) == number


@pytest.mark.parametrize("digits", MAIL_NUMBERS)
def test_published_mail_numbers(digits: str) -> None:
    assert identifiers.mail_check(digits[:8]) == digits[8]


def independent_credit_check(body: str) -> str:
    """GB 32100 read a second time: weights listed, remainder from 31."""
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    rest = (
        sum(alphabet.index(character) * weight for character, weight in zip(body, weights, strict=True)) % 31
    )
    return alphabet[0 if rest == 0 else 31 - rest]


def independent_citizen_check(body: str) -> str:
    """ISO 7064 MOD 11-2 by its recursion, not by weights."""
    product = 0
    for digit in body:
        product = (product + int(digit)) * 2 % 11
    return "0123456789X"[(12 - product) % 11]


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=17, max_size=17))
def test_credit_check_agrees_with_a_second_reading(body: str) -> None:
    assert identifiers.credit_check(body) == independent_credit_check(body)


@given(st.text("0123456789", min_size=17, max_size=17))
def test_citizen_check_agrees_with_a_second_reading(body: str) -> None:
    assert identifiers.citizen_check(body) == independent_citizen_check(body)


@given(st.integers(0, 31**6 - 1), st.integers(0, 17), st.sampled_from("0123456789ABCDEFGHJKLMNPQRTUWXY"))
def test_one_wrong_character_is_found(number: int, place: int, character: str) -> None:
    code = identifiers.credit_code("990101", identifiers.organisation_body(number))
    assert identifiers.is_credit_code(code)
    changed = code[:place] + character + code[place + 1 :]
    assert identifiers.is_credit_code(changed) == (changed == code)


@pytest.mark.parametrize(
    "text",
    ["", "9" * 18, "91990106MA0000015", "91990106MA0000015I", "９1990106MA0000015L", "91990106ma0000015l"],
)
def test_what_is_no_credit_code(text: str) -> None:
    assert not identifiers.is_credit_code(text)


@pytest.mark.parametrize("text", ["", "11010519491331002X", "110105194912310021", "1101051949123100２X"])
def test_what_is_no_citizen_number(text: str) -> None:
    assert not identifiers.is_citizen_number(text)


def test_bounds() -> None:
    with pytest.raises(ValueError, match="31"):
        identifiers.organisation_body(31**6)
    assert len({identifiers.organisation_body(number) for number in range(5000)}) == 5000
    assert len({identifiers.mail_number(number) for number in range(5000)}) == 5000


# First two digits of GB/T 2260 division codes: provinces, Taiwan, Hong Kong, Macao.
ASSIGNED_PROVINCES = {
    *range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82,
}  # fmt: skip


def test_every_identifier_of_the_city_is_valid_and_nobodys(city: City) -> None:
    numbers = [number for (number,) in city.all("SELECT number FROM citizen")]
    codes = [code for (code,) in city.all("SELECT code FROM company")]
    assert len(set(numbers)) == len(numbers)
    assert len(set(codes)) == len(codes)
    for number in numbers:
        assert identifiers.is_citizen_number(number)
        assert number.startswith(identifiers.UNASSIGNED)
        assert int(number[:2]) not in ASSIGNED_PROVINCES  # no citizen
        assert (
            int(number[1:3]) not in ASSIGNED_PROVINCES
        )  # no holder of a permanent residence card (9 + province)
    for code in codes:
        assert identifiers.is_credit_code(code)
        assert code[2:4] == identifiers.UNASSIGNED
    for (number,) in islice(city.all("SELECT number FROM delivery"), 200):
        assert number[-2:] == "ZZ"
        assert identifiers.mail_check(number[2:10]) == number[10]
