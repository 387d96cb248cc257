"""Paths are normalised once, and what was matched is what is forwarded.

The first list follows api-umbrella's tests of URL special characters (NREL/api-umbrella,
test/proxy/test_url_special_characters.rb and test/proxy/request_rewriting/test_url_encoding.rb).
"""

import string
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.core.problems import Refusal
from api.gateway.paths import check_query, encode, normalise

SPECIAL = [
    # raw, decoded, forwarded
    (b"/info/utf8/%E2%9C%93/", "/info/utf8/✓/", "/info/utf8/%E2%9C%93/"),
    ("/info/utf8/✓/".encode(), "/info/utf8/✓/", "/info/utf8/%E2%9C%93/"),
    ("/企业/阿里".encode(), "/企业/阿里", "/%E4%BC%81%E4%B8%9A/%E9%98%BF%E9%87%8C"),
    (b"/info/extra//slash/", "/info/extra/slash/", "/info/extra/slash/"),
    (b"/info/some\\backslash/", "/info/some\\backslash/", "/info/some%5Cbackslash/"),
    (b"/info/encoded%5Cbackslash/", "/info/encoded\\backslash/", "/info/encoded%5Cbackslash/"),
    (b"/info/encoded%2Fslash/", "/info/encoded/slash/", "/info/encoded/slash/"),
    (b"/info/encoded_space/%20/", "/info/encoded_space/ /", "/info/encoded_space/%20/"),
    (b"/info/plus_space/+/", "/info/plus_space/+/", "/info/plus_space/+/"),
    (b"/info/ampersand/&/", "/info/ampersand/&/", "/info/ampersand/&/"),
    (b"/info/encoded_ampersand/%26/", "/info/encoded_ampersand/&/", "/info/encoded_ampersand/&/"),
    (b"/info/encoded_question/%3F/", "/info/encoded_question/?/", "/info/encoded_question/%3F/"),
    (b"/info/encoded_hash/%23001", "/info/encoded_hash/#001", "/info/encoded_hash/%23001"),
    (b"/info/encoded_percent/%25/", "/info/encoded_percent/%/", "/info/encoded_percent/%25/"),
    (b"/info/test\\backslash", "/info/test\\backslash", "/info/test%5Cbackslash"),
    (b"/-%2D%20;%3B%20+%2B/:%3A", "/-- ;; ++/::", "/--%20%3B%3B%20++/::"),
    (b"/info/matrix;colour=red", "/info/matrix;colour=red", "/info/matrix;colour=red"),
    # dot segments (RFC 3986 §5.2.4), after decoding
    (b"/a/./b", "/a/b", "/a/b"),
    (b"/a/b/../c", "/a/c", "/a/c"),
    (b"/a/b/..", "/a/", "/a/"),
    (b"/a/%2e%2e/c", "/c", "/c"),
    (b"/a/b/%2E%2E%2Fc", "/a/c", "/a/c"),
    (b"/a/.", "/a/", "/a/"),
    (b"/a/...", "/a/...", "/a/..."),
    (b"/.well-known/x", "/.well-known/x", "/.well-known/x"),
    (b"/a//", "/a/", "/a/"),
    (b"/", "/", "/"),
    # decoded once, never twice
    (b"/a/%252e%252e/b", "/a/%2e%2e/b", "/a/%252e%252e/b"),
    (b"/a/%252Fb", "/a/%2Fb", "/a/%252Fb"),
    (b"/a/%2500", "/a/%00", "/a/%2500"),
]

REFUSED = [
    (b"/a/%00", "path-control-character"),
    (b"/a/%0d%0aX-Evil:1", "path-control-character"),
    (b"/a/%7F", "path-control-character"),
    (b"/a/%C2%80", "path-control-character"),
    (b"/a/\x01", "path-control-character"),
    (b"/a/%", "path-percent"),
    (b"/a/%zz", "path-percent"),
    (b"/a/%e", "path-percent"),
    (b"/a/%A3", "path-not-utf-8"),
    (b"/a/%C0%AE%C0%AE/b", "path-not-utf-8"),  # overlong dots
    (b"/a/%ED%A0%80", "path-not-utf-8"),  # a lone surrogate
    (b"/..", "path-above-root"),
    (b"/a/../../b", "path-above-root"),
    (b"/%2e%2e%2fetc/passwd", "path-above-root"),
    (b"/a/..;/b", "path-ambiguous"),
    (b"/a/..;x=1/b", "path-ambiguous"),
    (b"/a/.;/b", "path-ambiguous"),
    (b"/a/..\\..\\b", "path-ambiguous"),
    (b"/a/x%5C..%5Cb", "path-ambiguous"),
    (b"a/b", "path-start"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "decoded", "forwarded"), SPECIAL)
def test_special_characters(raw: bytes, decoded: str, forwarded: str) -> None:
    path, is_exact = normalise(raw)
    assert path == decoded
    assert (raw.decode() if is_exact else encode(path)) == forwarded


@pytest.mark.parametrize(("raw", "rule"), REFUSED)
def test_refused(raw: bytes, rule: str) -> None:
    with pytest.raises(Refusal) as refusal:
        normalise(raw)
    assert refusal.value.rule == rule
    assert refusal.value.kind.slug == "request-malformed"


@pytest.mark.parametrize(
    "query",
    [
        b"utf8=%E2%9C%93",
        "utf8=✓".encode(),
        b"a=%2F&b=/",
        b"percent=%&encoded=%25",
        b"a=+&b=%20",
        b"x[]=1&y=\\",
    ],
)
def test_queries_that_pass(query: bytes) -> None:
    check_query(query)


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        (b"a=%00", "query-control-character"),
        (b"a=%0a", "query-control-character"),
        (b"a=%7f", "query-control-character"),
        (b"a=%C2%85", "query-control-character"),
        (b"space= &foo", "query-control-character"),
        (b"a=\x01", "query-control-character"),
        (b"a=%A3", "query-not-utf-8"),
        (b"a=\xa3", "query-not-utf-8"),
    ],
)
def test_queries_that_are_refused(query: bytes, rule: str) -> None:
    with pytest.raises(Refusal) as refusal:
        check_query(query)
    assert refusal.value.rule == rule


@given(
    st.lists(st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=8), max_size=6)
)
def test_what_is_forwarded_is_read_the_same(segments: list[str]) -> None:
    """Whoever decodes the forwarded path once gets the path that was matched; a second pass changes nothing."""
    raw = "/" + "/".join(quote(segment, safe="") for segment in segments)
    try:
        path, is_exact = normalise(raw.encode())
    except Refusal:
        return
    forwarded = raw if is_exact else encode(path)
    assert unquote(forwarded) == path
    assert normalise(forwarded.encode())[0] == path
    assert "//" not in path
    assert not {".", ".."} & set(path.split("/"))


@given(st.text(st.sampled_from(string.ascii_letters + "./%\\;25eEfF0"), max_size=30))
def test_no_path_climbs(text: str) -> None:
    """Whatever is sent: refused, or no server that decodes once more, or reads backslashes, finds a dot segment."""
    try:
        path, _ = normalise(b"/" + text.encode())
    except Refusal:
        return
    for part in path.replace("\\", "/").split("/"):
        assert part.partition(";")[0] not in {".", ".."}
