"""Message heads in Python: what native/heads.c does where it was built, and what it is held against."""

from collections.abc import Callable

Header = tuple[bytes, bytes]

MAX_BYTES = 16384  # of a request's head
_MAX_ANSWER_BYTES = 262144
_MAX_ANSWER_HEADERS = 100
_KEPT_LINES, _KEPT_LENGTH = 512, 80
_TOKEN = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUE = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
_TARGET = bytes(set(range(0x21, 0x7F)) - {0x23})  # visible, without `#`
_BLANKS = (b" ", b"\t")  # at the end of a value: httptools' reading of them is its own
_START, _END, _BLANK = b"GET /api/", b" HTTP/1.1", b"\r\n\r\n"
# What says where a message ends, or that another one is about to be spoken; httptools' business.
_FRAMING = frozenset({b"content-length", b"transfer-encoding", b"upgrade", b"expect"})
_CONNECTION = frozenset({b"connection", b"proxy-connection"})
_SECRET = frozenset({b"authorization", b"cookie", b"dpop", b"proxy-authorization", b"set-cookie"})


class _Lines(dict[bytes, Header | None]):
    """Header lines as they were read before: most come again and again. None: not a plain one."""

    def __init__(self, read: Callable[[bytes], Header | None]) -> None:
        self._read = read

    def __missing__(self, line: bytes) -> Header | None:
        pair = self._read(line)
        if len(line) <= _KEPT_LENGTH and (pair is None or pair[0] not in _SECRET):
            if len(self) >= _KEPT_LINES:
                self.clear()
            self[line] = pair
        return pair


def _header_of(line: bytes) -> Header | None:
    """Name in lower case and value without the blanks before it; None for a line that is not sound."""
    name, colon, value = line.partition(b":")
    if not colon or not name or name.translate(None, _TOKEN):
        return None
    value = value.lstrip(b" \t")
    if value.translate(None, _VALUE) or value[-1:] in _BLANKS:
        return None
    return name.lower(), value


def _request_header(line: bytes) -> Header | None:
    pair = _header_of(line)
    if pair is None or pair[0] in _FRAMING or (pair[0] in _CONNECTION and pair[1].lower() != b"keep-alive"):
        return None
    return pair


def _answer_header(line: bytes) -> Header | None:
    pair = _header_of(line)
    if pair is None:
        return None
    name, value = pair
    if name == b"content-length":
        return pair if value.isdigit() and len(value) < 8 else None
    if name in _FRAMING or (name in _CONNECTION and value.lower() != b"keep-alive"):
        return None
    return pair


_REQUEST_LINES = _Lines(_request_header)
_ANSWER_LINES = _Lines(_answer_header)
_STATUS_LINES: dict[bytes, int] = {}


def read_request(data: bytes) -> tuple[bytes, bytes, list[Header]] | None:
    """Path, query and headers of a GET below /api/ that is wholly there, and nothing after it."""
    if data[:9] != _START or data[-4:] != _BLANK or len(data) > MAX_BYTES:
        return None
    lines = data[:-4].split(b"\r\n")
    first = lines[0]
    if first[-9:] != _END:
        return None
    target = first[4:-9]
    if target.translate(None, _TARGET):
        return None
    del lines[0]
    known = _REQUEST_LINES
    headers = []
    for line in lines:
        pair = known[line]
        if pair is None:
            return None
        headers.append(pair)
    path, _, query = target.partition(b"?")
    return path, query, headers


def read_answer(data: bytes) -> tuple[int, list[Header], bytes] | None:
    """Status, headers and body of an answer to a GET that is wholly there, and nothing after it."""
    if len(data) > _MAX_ANSWER_BYTES:
        return None
    head, blank, body = data.partition(_BLANK)
    lines = head.split(b"\r\n")
    status = _STATUS_LINES.get(lines[0]) or _read_status(lines[0])
    if not status or not blank or len(lines) > _MAX_ANSWER_HEADERS:
        return None
    del lines[0]
    known = _ANSWER_LINES
    headers = []
    length = b""
    for line in lines:
        pair = known[line]
        if pair is None:
            return None
        if pair[0] == b"content-length":
            if length:
                return None
            length = pair[1]
        headers.append(pair)
    if not length or int(length) != len(body):
        return None
    return status, headers, body


def _read_status(line: bytes) -> int:
    """200 to 599 of an HTTP/1.1 status line; 0 for anything else, and for those without a body."""
    digits = line[9:12]
    if (
        line[:9] != b"HTTP/1.1 "
        or not digits.isdigit()
        or line[12:13] != b" "
        or line.translate(None, _VALUE)
    ):
        return 0
    status = int(digits)
    if not 200 <= status <= 599 or status in {204, 304}:
        return 0
    if len(_STATUS_LINES) < _KEPT_LINES and len(line) <= _KEPT_LENGTH:
        _STATUS_LINES[line] = status
    return status


def join_head(first: bytes, headers: list[Header], more: list[Header], last: bytes) -> bytes | None:
    """`first`, a line for each header, `last`; None where a name or a value would break its line."""
    parts: list[bytes] = []
    for name, value in headers:
        parts += (name, b": ", value, b"\r\n")
    for name, value in more:
        parts += (name, b": ", value, b"\r\n")
    lines = b"".join(parts)
    # One line for each header and no more: no value brings a header of its own.
    count = len(headers) + len(more)
    if lines.count(b"\n") != count or lines.count(b"\r") != count or b"\0" in lines:
        return None
    return first + lines + last
