"""Descriptions from contracts: CommonMark with some HTML in it, written by anybody, shown as a few harmless tags.

Whatever the text holds, the output is built tag by tag from an allow-list: no attribute survives but the
address of a link to http(s), every text is escaped, and every tag that was opened is closed.
"""

import importlib
import re
from functools import cache, lru_cache
from html import unescape
from html.parser import HTMLParser
from typing import Any

from markupsafe import Markup, escape

LIMIT = 20_000
_TAGS = frozenset(
    [
        "p",
        "br",
        "ul",
        "ol",
        "li",
        "strong",
        "em",
        "b",
        "i",
        "code",
        "pre",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "blockquote",
        "hr",
        "a",
        "dl",
        "dt",
        "dd",
        "sub",
        "sup",
    ]
)
_VOID = frozenset({"br", "hr"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_SILENT = frozenset({"script", "style", "template", "iframe", "object", "svg", "math"})
_LINK = re.compile(r"https?://[^\s\"'<>]{1,500}", re.IGNORECASE)


@cache
def _markdown() -> Any:
    """CommonMark with tables; imported at first use: most processes show no page of prose."""
    return importlib.import_module("markdown_it").MarkdownIt("commonmark", {"html": True}).enable("table")


@lru_cache(maxsize=512)
def prose(text: str) -> Markup:
    """The text as HTML blocks. Headings become bold paragraphs: the page has headings of its own."""
    writer = _Writer()
    writer.feed(_markdown().render(text[:LIMIT]))
    writer.close()
    return Markup(writer.finished())  # noqa: S704 - built from the allow-list above


@lru_cache(maxsize=2048)
def plain(text: str) -> str:
    """The text in one line, without tags and marks: for hints and tiles."""
    rendered = _markdown().render(text[:LIMIT]) if re.search(r"[<`*_#\[|]", text) else text
    words = re.sub(r"<[^>]*>", " ", rendered) if rendered is not text else rendered
    return " ".join(unescape(words).split())


class _Writer(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._open: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if self._silent:
            return
        if tag in _HEADINGS:
            self._start("p")
            self._start("strong")
        elif tag == "a":
            href = dict(attrs).get("href") or ""
            if _LINK.fullmatch(href):
                self._parts.append(f'<a href="{escape(href)}" rel="nofollow noopener">')
                self._open.append("a")
        elif tag in _VOID:
            self._parts.append(f"<{tag}>")
        elif tag in _TAGS:
            self._start(tag)

    def _start(self, tag: str) -> None:
        self._parts.append('<div class="scroll"><table class="data">' if tag == "table" else f"<{tag}>")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif not self._silent:
            for one in ("strong", "p") if tag in _HEADINGS else (tag,):
                self._end(one)

    def _end(self, tag: str) -> None:
        if tag not in self._open:
            return
        while self._open:
            last = self._open.pop()
            self._parts.append("</table></div>" if last == "table" else f"</{last}>")
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(str(escape(data)))

    def finished(self) -> str:
        """Everything, with what is still open closed."""
        for tag in reversed(self._open):
            self._parts.append("</table></div>" if tag == "table" else f"</{tag}>")
        self._open = []
        return "".join(self._parts)
