"""What people type: addresses, passwords, names. The reading is stable, and nothing invisible gets through."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.core.problems import Refusal
from api.identity.inputs import Inputs, check_id, is_clean
from api.identity.people.addresses import normalise_address
from api.identity.people.common_passwords import COMMON
from api.identity.people.passwords import MIN_LENGTH, check_password, is_common


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("A.B@Example.ORG", "a.b@example.org"),
        (" a@b.example ", "a@b.example"),
        ("用户@例子.中国", "用户@例子.中国"),
        ("用户@XN--FSQU00A.xn--fiqs8s", "用户@例子.中国"),
        ("d@例子。中国", "d@例子.中国"),
        ("jürgen@MÜLLER.example", "jürgen@müller.example"),
        ("ju\u0308rgen@mu\u0308ller.example", "jürgen@müller.example"),
        ("o'brien+tag@b.example", "o'brien+tag@b.example"),
    ],
)
def test_addresses_are_read(typed: str, stored: str) -> None:
    assert normalise_address(typed) == stored


@pytest.mark.parametrize(
    "typed",
    [
        "", "@", "a@", "@b.example", "a@b", "a@localhost", "a b@c.example", "a@b c.example", "a..b@c.example",
        ".a@c.example", "a.@c.example", '"a b"@c.example', "a@[127.0.0.1]", "a@127.0.0.1", "a@-b.example",
        "a@b_c.example", "a@b..example", "a@b.example.", "a\x00@b.example", "a@b.example\n", "a@b.example\r\nBcc: x",
        "a\u200b@b.example", "a\u202e@b.example", "a(comment)@b.example", "<a@b.example>", "a@b.example, c@d.example",
        "x" * 65 + "@b.example", "a@" + "b" * 64 + ".example", "a@" + "b." * 130 + "example", "a@b.xn--zzzzzz--",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(typed: str) -> None:
    if typed.endswith(
        "\n"
    ):  # a line end is trimmed nowhere but at the edge, where it is no part of the address
        typed = typed.replace("\n", "\nx")
    with pytest.raises(ValueError, match=r"."):
        normalise_address(typed)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_and_reading_again_changes_nothing(text: str) -> None:
    try:
        stored = normalise_address(text)
    except ValueError:
        return
    assert normalise_address(stored) == stored
    assert len(stored) <= 254
    assert stored.count("@") >= 1
    assert is_clean(stored)
    assert not any(character.isspace() for character in stored)


@given(
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
    st.sampled_from(["b.example", "例子.中国", "mail.müller.example"]),
)
def test_letters_of_every_script_make_an_address(local: str, domain: str) -> None:
    try:
        stored = normalise_address(f"{local}@{domain}")
    except ValueError:
        assert len(unicodedata.normalize("NFC", local).encode()) > 64 or not is_clean(local)
        return
    assert stored.endswith(f"@{domain}")


def refusals(password: str, email: str = "lin.mei@company.example", name: str = "Lin Mei") -> bool:
    inputs = Inputs()
    check_password(inputs, "/password", password, email=email, name=name)
    try:
        inputs.check()
    except Refusal:
        return True
    return False


@pytest.mark.parametrize(
    "password",
    [
        "", "short", "123456789", "x" * 201, "lin.mei@company.example", "LIN.MEI@COMPANY.EXAMPLE", "lin mei 2024",
        "linmei123456", "companyexample", "aaaaaaaaaaaa", "abababababab", "123412341234", "qwertyuiop", "poiuytrewq",
        "1234567890", "9876543210", "password1234", "Passw0rd!!!!", "PASSWORD12345", "correct horse battery staple",
        "woaini1314520", "我我我我我我我我我我", "tab\there is one", "nul \x00 in here", "bell \x07 in here",
    ],
)  # fmt: skip
def test_passwords_that_are_refused(password: str) -> None:
    assert refusals(password)


@pytest.mark.parametrize(
    "password",
    [
        "four unrelated words here", "春眠不觉晓处处闻啼鸟", "Tr0ub4dor&3-but-longer", "x7#kQ9pLm2", "пароль от почты 7",
        "🦀🐍🦀🐹🦀🐍🐹🐹🦀🐍", " leading and trailing ",
    ],
)  # fmt: skip
def test_passwords_that_are_taken(password: str) -> None:
    assert not refusals(password)


def test_the_list_of_common_passwords_is_in_the_form_it_is_compared_in() -> None:
    for password in COMMON:
        assert password == "".join(password.casefold().split())
        assert is_common(password)
        assert is_common(password.upper() + "2024!")


@given(st.text(max_size=60))
def test_any_password_gets_an_answer(password: str) -> None:
    taken = not refusals(password, email="q@w.example", name="q")
    assert not taken or (len(unicodedata.normalize("NFC", password)) >= MIN_LENGTH and is_clean(password))


@given(st.text(max_size=120), st.integers(1, 100))
def test_lines_are_clean_bounded_and_stable(text: str, maximum: int) -> None:
    inputs = Inputs()
    line = inputs.line("/x", text, maximum=maximum)
    try:
        inputs.check()
    except Refusal:
        return
    assert 1 <= len(line) <= maximum
    assert "\n" not in line
    assert inputs.line("/x", line, maximum=maximum) == line


@pytest.mark.parametrize(
    "identifier", ["", "a", "a_", "b_123", "a_1 2", "a_\x00", "a_%", "a_" + "0" * 41, "A_12", "a_1_2", "a_é"]
)
def test_identifiers_that_cannot_exist_are_not_looked_up(identifier: str) -> None:
    from api.core.problems import Text

    with pytest.raises(Refusal) as refused:
        check_id(identifier, "a", Text("应用", "app"))
    assert refused.value.status == 404


def test_all_faults_are_told_at_once() -> None:
    inputs = Inputs()
    inputs.line("/a", "", maximum=5)
    inputs.text("/b", "x" * 9, maximum=2)
    inputs.choice("/c", "z", ("x", "y"))
    inputs.name("/d", "see www.evil.example")
    with pytest.raises(Refusal) as refused:
        inputs.check()
    assert [error["pointer"] for error in refused.value.errors] == ["/a", "/b", "/c", "/d"]
    assert all(error["message"].zh and error["message"].en for error in refused.value.errors)
