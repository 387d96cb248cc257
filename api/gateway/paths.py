"""Paths, normalised once: what is matched is what is forwarded.

Percent-encodings are decoded once, an encoded slash is a slash, empty and dot segments go, and what no two
servers read alike is refused. It matches nothing: that is the trie's part.
"""

import re
from urllib.parse import quote, unquote_to_bytes

from api.core.problem_types import REQUEST_MALFORMED
from api.core.problems import Refusal, Text

# Left alone: unreserved characters and the delimiters that mean nothing inside a segment (RFC 3986 §3.3).
_PLAIN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/"
_FORWARD_SAFE = (
    "/-._~!$&'()*+,=:@"  # no `;`: what came encoded must not become the start of a matrix parameter
)
_BROKEN_PERCENT = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_QUERY_CONTROL = re.compile(rb"[\x00-\x20\x7f]|%(?:[01][0-9A-Fa-f]|7[fF])")

_PERCENT_TEXT = Text("路径含错误的百分号编码。", "The path holds a broken percent-encoding.")
_UTF8_TEXT = Text("路径不是 UTF-8。", "The path is not UTF-8.")
_CONTROL_TEXT = Text("路径含控制字符或 NUL。", "The path holds a control character or NUL.")
_ABOVE_TEXT = Text("路径越过了根目录。", "The path climbs above the root.")
_AMBIGUOUS_TEXT = Text(
    "路径含有服务器理解不一的点段(如 ..; 或反斜杠)。",
    "The path holds a dot segment that servers read differently (such as ..; or one after a backslash).",
)
_START_TEXT = Text("路径须以 / 开头。", "The path has to begin with /.")
_QUERY_CONTROL_TEXT = Text(
    "查询参数含控制字符、NUL 或空格;空格写作 %20。",
    "The query holds a control character, NUL or a bare space; write a space as %20.",
)
_QUERY_UTF8_TEXT = Text("查询参数不是 UTF-8。", "The query is not UTF-8.")


def normalise(raw: bytes) -> tuple[str, bool]:
    """The decoded path, and whether it is byte for byte the one that came (then nothing has to be encoded anew).

    `raw` is the path as sent, without the query. A last slash stays. Raises Refusal(REQUEST_MALFORMED).
    """
    if not raw.translate(None, _PLAIN) and b"//" not in raw and b"/." not in raw and raw[:1] == b"/":
        return raw.decode("ascii"), True
    return _normalise_slowly(raw), False


def encode(path: str) -> str:
    """The form in which a normalised path is forwarded."""
    return quote(path, safe=_FORWARD_SAFE)


def check_query(query: bytes) -> None:
    """Refuse a query with control characters or bytes that are not UTF-8. Raises Refusal(REQUEST_MALFORMED).

    A `%` without two digits stands for itself, as browsers read it (WHATWG URL, percent-decode).
    """
    if _QUERY_CONTROL.search(query):
        raise Refusal(REQUEST_MALFORMED, rule="query-control-character", what=_QUERY_CONTROL_TEXT)
    if b"%" in query or not query.isascii():
        try:
            text = unquote_to_bytes(query).decode()
        except UnicodeDecodeError:
            raise Refusal(REQUEST_MALFORMED, rule="query-not-utf-8", what=_QUERY_UTF8_TEXT) from None
        if _CONTROL.search(text):
            raise Refusal(REQUEST_MALFORMED, rule="query-control-character", what=_QUERY_CONTROL_TEXT)


def _normalise_slowly(raw: bytes) -> str:
    if _BROKEN_PERCENT.search(raw):
        raise Refusal(REQUEST_MALFORMED, rule="path-percent", what=_PERCENT_TEXT)
    try:
        path = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Refusal(REQUEST_MALFORMED, rule="path-not-utf-8", what=_UTF8_TEXT) from None
    if _CONTROL.search(path):
        raise Refusal(REQUEST_MALFORMED, rule="path-control-character", what=_CONTROL_TEXT)
    if not path.startswith("/"):
        raise Refusal(REQUEST_MALFORMED, rule="path-start", what=_START_TEXT)
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment in {"", "."}:
            continue
        if segment == "..":
            if not kept:
                raise Refusal(REQUEST_MALFORMED, rule="path-above-root", what=_ABOVE_TEXT)
            kept.pop()
            continue
        if segment[0] == "." or "\\" in segment:
            _check_unambiguous(segment)
        kept.append(segment)
    ends_open = segments[-1] in {"", ".", ".."}
    return "/" + "/".join(kept) + ("/" if ends_open and kept else "")


def _check_unambiguous(segment: str) -> None:
    """Some servers cut `;…` off a segment, others read a backslash as a slash: then it would climb."""
    for part in segment.split("\\"):
        if part.partition(";")[0] in {".", ".."}:
            raise Refusal(REQUEST_MALFORMED, rule="path-ambiguous", what=_AMBIGUOUS_TEXT)
