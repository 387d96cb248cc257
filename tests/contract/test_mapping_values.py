"""Every value rule of a mapping, both ways: reading what was written gives the value back."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.contract.mapping_values import (
    TEXT,
    TYPED,
    WORDS,
    Chain,
    JsonRule,
    RuleError,
    Scalar,
    parse_rules,
    text_of,
)

CODES = {"sex": {"male": "1", "female": "2"}, "flag": {True: "Y", False: "N"}, "grade": {1: "A", 2: "B"}}
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=40)
dates = st.dates().map(str)
_EARLIEST, _LATEST = datetime(1900, 1, 1), datetime(9998, 1, 1)  # noqa: DTZ001 - hypothesis wants them so
eastern = timezone(timedelta(hours=8))
instants = st.datetimes(_EARLIEST, _LATEST).map(
    lambda at: at.replace(microsecond=0, tzinfo=eastern).isoformat()
)
utc_instants = st.datetimes(_EARLIEST, _LATEST).map(
    lambda at: at.replace(microsecond=0, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
)
months = st.dates().map(lambda day: str(day)[:7])
small = st.integers(-(10**12), 10**12)
cents = st.integers(-(10**12), 10**12).map(lambda n: n / 100)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

RULES: list[tuple[str, str, st.SearchStrategy[Any]]] = [
    ("", "string", texts),
    ("", "integer", small),
    ("", "number", st.floats(-(10.0**12), 10.0**12)),
    ("", "boolean", st.booleans()),
    ("date", "string", dates),
    ("date yyyy年MM月dd日", "string", dates),
    ("date dd/MM/yyyy", "string", dates),
    ("date yyyyMM", "string", months),
    ("datetime", "string", instants),
    ("datetime 'yyyy-MM-dd HH:mm:ss'", "string", instants),
    ("datetime yyyyMMddHHmmss Z", "string", utc_instants),
    ("codes sex", "string", st.sampled_from(["male", "female"])),
    ("codes flag", "boolean", st.booleans()),
    ("codes grade", "integer", st.sampled_from([1, 2])),
    ("codes sex keep", "string", texts.filter(lambda text: text not in {"1", "2"})),
    ("times 100", "integer", small),
    ("times 100", "number", cents),
    ("times 0.001", "integer", small),
    ("bool 是 否", "boolean", st.booleans()),
    ("bool", "boolean", st.booleans()),
    ("prefix KM-", "string", texts),
    ("suffix 号", "string", texts),
    ("join ,", "any", st.lists(texts.filter(lambda text: text and "," not in text), max_size=5)),
    ("json", "any", json_values),
    ("upper", "string", st.from_regex(r"[a-z0-9-]{0,20}", fullmatch=True)),
    ("int", "integer", small),
    ("number", "number", cents),
    ("text", "integer", small),
    ("prefix KM- | suffix 号", "string", texts),
    ("codes sex | prefix X", "string", st.sampled_from(["male", "female"])),
]


@pytest.mark.parametrize("medium", [TEXT, TYPED])
@pytest.mark.parametrize(
    ("rules", "kind", "values"), RULES, ids=[f"{one[0] or 'plain'}-{one[1]}" for one in RULES]
)
def test_a_rule_brings_back_what_it_wrote(rules: str, kind: str, values: Any, medium: str) -> None:
    chain = Chain(parse_rules(rules, CODES) if rules else [], kind, medium)

    @given(values)
    def round_trip(value: Any) -> None:
        native = chain.to_native(value)
        if medium == TEXT:
            assert isinstance(native, str)
        found = chain.from_native(native)
        assert found == value
        assert isinstance(found, bool) == isinstance(value, bool)

    round_trip()


def test_every_rule_is_held_to_it() -> None:
    tried = {word for rules, _, _ in RULES for part in rules.split("|") for word in part.split()[:1]}
    assert tried == set(WORDS)


@pytest.mark.parametrize(
    ("rules", "native"),
    [
        ("date", "2026-13-01"), ("date", "20261301"), ("datetime", "2026"), ("codes sex", "3"), ("bool 是 否", "1"),
        ("prefix KM-", "XX-1"), ("suffix 号", "1"), ("json", "{"), ("times 100", "much"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_no_value(rules: str, native: str) -> None:
    chain = Chain(parse_rules(rules, CODES), "string", TEXT)
    with pytest.raises(RuleError):
        chain.from_native(native)


@pytest.mark.parametrize(
    "rules",
    ["nonsense", "date ddMM", "datetime yyyy", "times 0", "times many", "codes none", "join ''", "bool 1 1", "| date",
     "datetime yyyyMMddHHmm east", "prefix"],
)  # fmt: skip
def test_a_rule_that_means_nothing_is_refused(rules: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_rules(rules, CODES)


def test_two_values_cannot_share_a_code() -> None:
    with pytest.raises(ValueError, match="two values"):
        parse_rules("codes twice", {"twice": {"a": "1", "b": "1"}})


def test_values_are_not_quoted_in_errors() -> None:
    with pytest.raises(RuleError) as error:
        Chain(parse_rules("date", {}), "string", TEXT).from_native("990101199001011234")
    assert "990101" not in str(error.value)


def test_a_text_that_holds_the_separator_cannot_be_joined() -> None:
    with pytest.raises(RuleError):
        parse_rules("join ,", {})[0].to_native(["a,b"])


def test_numbers_of_insane_size_are_none() -> None:
    with pytest.raises(RuleError):
        Scalar("number", TEXT).from_native("1e999999")
    assert text_of(1e-7) == "0.0000001"
    assert JsonRule().gives == "string"
