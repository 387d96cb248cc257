"""Bytes to JSON: what YAML must not do, what is bounded, what is told."""

import pytest

from api.contract.reading import MAX_BYTES, parse
from api.contract.report import Report


def parsed(text: str | bytes):
    report = Report()
    result = parse(text.encode() if isinstance(text, str) else text, "a.yaml", report)
    return result, {one.rule for one in report.findings}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: yes", {"on": "yes"}),
        ("200: {y: n}", {"200": {"y": "n"}}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: 2024-01-01T00:00:00Z", {"a": "2024-01-01T00:00:00Z"}),
        ("a: 0123", {"a": "0123"}),
        ("a: 0x1F", {"a": 31}),
        ("a: 0o17", {"a": 15}),
        ("a: 1:30", {"a": "1:30"}),
        ("a: 1_000", {"a": "1_000"}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: ~", {"a": None}),
        ("a: 'true'", {"a": "true"}),
        ("a: !!str 12", {"a": "12"}),
        ("null: 1\ntrue: 2", {"null": 1, "true": 2}),
        ("a: &x {b: 1}\nc: *x", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x {b: 1, c: 2}\nd: {<<: *x, c: 3}", {"a": {"b": 1, "c": 2}, "d": {"b": 1, "c": 3}}),
        ("企业: {代码: '91'}", {"企业": {"代码": "91"}}),
        ('{"a": [1, 2.5, null, true]}', {"a": [1, 2.5, None, True]}),
        ('{"a": 1,}', {"a": 1}),  # not JSON, but YAML's flow style
        ("---\na: 1\n", {"a": 1}),
    ],
)
def test_values_are_read_as_they_are_written(text: str, value: object) -> None:
    result, rules = parsed(text)
    assert result.is_read
    assert result.value == value
    assert not rules


def test_versions_keep_their_text() -> None:
    result, _ = parsed("openapi: 3.0\ninfo:\n  version: 1.10\n  x: 1.10")
    assert result.value == {"openapi": "3.0", "info": {"version": "1.10", "x": 1.1}}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("a: !!python/object/apply:os.system ['id']", "yaml-tag"),
        ("a: !!python/name:os.system", "yaml-tag"),
        ("a: !include other.yaml", "yaml-tag"),
        ("a: &x [*x]", "yaml-alias"),
        ("a: *nobody", "yaml-alias"),
        ("? [a]\n: b", "yaml-key"),
        ("a:\n\tb: 1", "yaml-tab"),
        ("a: [1", "not-yaml"),
        ('{"a": ', "not-json"),
        ("", "file-empty"),
        ("  \n \n", "file-empty"),
        ("a: \x00", "character-refused"),
        ('{"a": "\\u0000"}', "character-refused"),
        ('{"a": "\\ud800"}', "character-refused"),
        ('a: "\\0"', "character-refused"),
        ("[" * 5000, "nesting"),
        ("{a: " * 5000, "nesting"),
        ('{"a":' * 100_000, "nesting"),
        (b"\x81\x30\xff", "encoding-unknown"),
        (b"\xff\xfe\x00", "encoding-unknown"),
        (b"x" * (MAX_BYTES + 1), "file-too-large"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_finding(text: str | bytes, rule: str) -> None:
    result, rules = parsed(text)
    assert not result.is_read
    assert rules == {rule}


def test_aliases_expand_within_a_bound() -> None:
    """Source: the "billion laughs" attack, CWE-776."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    result, rules = parsed("\n".join(lines))
    assert not result.is_read
    assert rules == {"expansion"}


def test_merge_bombs_expand_within_a_bound() -> None:
    lines = ["a0: &a0 {" + ", ".join(f"k{n}: [1, 2, 3]" for n in range(50)) + "}"]
    lines += [
        f"a{n}: &a{n} [" + ", ".join([f"{{<<: *a{n - 1}}}" if n == 1 else f"*a{n - 1}"] * 20) + "]"
        for n in range(1, 7)
    ]
    result, rules = parsed("\n".join(lines))
    assert not result.is_read
    assert rules == {"expansion"}


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("a: 1\na: 2", {"a": 2}, "key-twice"),
        ('{"a": 1, "a": 2}', {"a": 2}, "key-twice"),
        (b"\xef\xbb\xbfa: 1", {"a": 1}, "encoding-bom"),
        ("a: 企业".encode("utf-16"), {"a": "企业"}, "encoding-other"),
        ("a: 统一社会信用代码".encode("gb18030"), {"a": "统一社会信用代码"}, "encoding-other"),
        ('{"a": "x\\u0007y"}', {"a": "xy"}, "character-control"),
        ('{"a": NaN}', {"a": None}, "number-not-json"),
        ("a: .inf", {"a": ".inf"}, "number-not-json"),
        ('{"a": 1e999}', {"a": None}, "number-not-json"),
        ("a: 1180591620717411303424", {"a": 2.0**70}, "number-range"),
        ("a: 1\n---\nb: 2", {"a": 1}, "yaml-many-documents"),
    ],
)
def test_what_is_mended_is_told(text: str | bytes, value: object, rule: str) -> None:
    result, rules = parsed(text)
    assert result.is_read
    assert result.value == value
    assert rules == {rule}


def test_a_key_written_twice_is_pointed_at() -> None:
    report = Report()
    parse(b'{"paths": {"/a~b": {"x": 1, "x": 2}}}', "a.json", report)
    assert [one.pointer for one in report.findings] == ["/paths/~1a~0b/x"]


def test_a_header_written_twice_by_nul_is_merged() -> None:
    result, rules = parsed('responses: {"200": {headers: {Set-Cookie: {a: 1}, "\\0Set-Cookie": {a: 2}}}}')
    assert result.value == {"responses": {"200": {"headers": {"Set-Cookie": {"a": 1}}}}}
    assert rules == {"header-twice"}


def test_template_lines_are_read_as_if_every_condition_held() -> None:
    text = "a:\n{{#if x}}\n  b: 1\n{{else}}\n  c: 2\n{{/if}}\n  d: 3\n"
    result, rules = parsed(text)
    assert result.value == {"a": {"b": 1, "d": 3}}
    assert rules == {"template-lines"}


def test_findings_do_not_fill_memory() -> None:
    report = Report()
    parse(("{" + ",".join('"a":1' for _ in range(3000)) + "}").encode(), "a.json", report)
    assert len(report.findings) < 600
    assert "more" in report.findings[-1].message
