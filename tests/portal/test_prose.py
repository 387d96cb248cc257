"""Descriptions of contracts: readable, and harmless whatever they hold."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.prose import plain, prose

ALLOWED = re.compile(
    r'</?(?:p|br|ul|ol|li|strong|em|b|i|code|pre|table|thead|tbody|tr|th|td|blockquote|hr|dl|dt|dd|sub|sup|div)>|<div class="scroll">|<table class="data">'
    r'|<a href="https?://[^"<>]*" rel="nofollow noopener">|</a>'
)


def test_marks_and_tables_are_shown():
    html = prose("# Head\n\nA **bold** word and `code`.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- one\n- two")
    assert "<p><strong>Head</strong></p>" in html
    assert "<strong>bold</strong>" in html
    assert "<td>1</td>" in html
    assert "<li>one</li>" in html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>x",
        "<img src=x onerror=alert(1)>",
        '<p onclick="alert(1)" style="color:red">x</p>',
        "[x](javascript:alert(1))",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="https://example.org/&quot; onmouseover=&quot;x">x</a>',
        "<svg><style>*{}</style></svg>",
        "<iframe srcdoc='<b>x</b>'></iframe>",
        "</table></div></main><table><tr><td>x",
        "<p><strong>never closed",
        "<!--><script>alert(1)</script>-->",
        "<![CDATA[<b>x</b>]]>",
    ],
)
def test_hostile_text_is_harmless(text):
    html = str(prose(text))
    assert ALLOWED.sub("", html).count("<") == 0
    assert "alert(1)</script" not in html
    for tag in ("p", "table", "td", "strong", "div", "a"):
        assert len(re.findall(rf"<{tag}[ >]", html)) == html.count(f"</{tag}>")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="<>/\"'=&;!-[]()*_`#| \npabcdtrhef:s", max_size=120))
def test_whatever_is_written_only_harmless_tags_come_out(text):
    assert ALLOWED.sub("", str(prose(text))).count("<") == 0


def test_plain_is_one_line_without_marks():
    assert plain("VAT number. <br> A **nine-digit** number.") == "VAT number. A nine-digit number."
    assert plain("a < b & c") == "a < b & c"
