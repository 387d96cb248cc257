"""Message heads: native code and Python give the same, and what they read is what httptools reads."""

import random
from typing import Any

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import hatch_build
from api.gateway import heads, heads_python

ROUNDS = 4000
REQUEST = (
    b"GET /api/company/v1/companies/9135?x=1&y=%20 HTTP/1.1\r\nHost: gateway:8000\r\nAccept: application/json\r\n"
    b"User-Agent:  curl/8\r\nX-Empty:\r\nConnection: Keep-Alive\r\nAuthorization: Bearer abc\xe4\r\n\r\n"
)
ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: application/json\r\nContent-Length: 9\r\n"
    b'ETag: "a"\r\nConnection: keep-alive\r\nX-Empty: \r\n\r\n{"a": 12}'
)
# What a proxy must not read as one plain message. Source: RFC 9112, and the ways of request smuggling.
NO_PLAIN_REQUESTS = [
    b"POST /api/a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /api/a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/a HTTP/1.0\r\nHost: x\r\n\r\n",
    b"GET /oauth/a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://x/api/a HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/a#b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/a b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/\xe4 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/a  HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nProxy-Connection: close\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\n\r\nGET /api/b HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\n Host: x\r\n\r\n",
    b"GET /api/a HTTP/1.1\nHost: x\n\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\rA: b\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\0\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nH ost: x\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\n: x\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x \r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\t\r\n\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\n",
    b"GET /api/a HTTP/1.1\r\nHost: x\r\nA: " + b"a" * heads_python.MAX_BYTES + b"\r\n\r\n",
    b"\r\n" + REQUEST,
    b"",
]
NO_PLAIN_ANSWERS = [
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2,2\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 00000002\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive, x-secret\r\n\r\nab",
    b"HTTP/1.1 100 Continue\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\nContent-Length: 0\r\nUpgrade: x\r\n\r\n",
    b"HTTP/1.1 204 None\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 304 Not\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 2000 Odd\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 O\nK\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: b\r\n c\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n" + b"A: b\r\n" * 100 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"a" * 300_000,
    b"",
]


class Seen:
    """What httptools makes of a message."""

    def __init__(self, data: bytes, *, is_request: bool) -> None:
        self.url = b""
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.complete = 0
        self.keeps_alive = False
        self.parser: Any = (
            httptools.HttpRequestParser(self) if is_request else httptools.HttpResponseParser(self)
        )
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1
        self.keeps_alive = self.parser.should_keep_alive()  # later it speaks of the next message


def read_both(name: str, data: bytes) -> Any:
    """What both say, which is one thing."""
    here = getattr(heads_python, name)(data)
    assert getattr(heads, name)(data) == here
    return here


def check_request(data: bytes) -> bool:
    found = read_both("read_request", data)
    if found is None:
        return False
    path, query, headers = found
    seen = Seen(data, is_request=True)
    parsed = httptools.parse_url(seen.url)
    assert (seen.complete, seen.headers) == (1, headers)
    assert (parsed.path, parsed.query or b"") == (path, query)
    assert seen.parser.get_method() == b"GET"
    assert seen.keeps_alive
    assert not seen.parser.should_upgrade()
    return True


def check_answer(data: bytes) -> bool:
    found = read_both("read_answer", data)
    if found is None:
        return False
    status, headers, body = found
    seen = Seen(data, is_request=False)
    assert (seen.complete, seen.headers, seen.body) == (1, headers, body)
    assert seen.parser.get_status_code() == status
    assert seen.keeps_alive
    return True


def test_native_code_is_what_runs_where_it_can_be_built() -> None:
    obstacle = hatch_build.build()
    if obstacle:
        pytest.skip(obstacle)
    assert heads.IS_NATIVE


def test_a_plain_request_and_a_plain_answer_are_read() -> None:
    assert check_request(REQUEST)
    assert check_request(b"GET /api/ HTTP/1.1\r\n\r\n")
    assert check_answer(ANSWER)
    assert check_answer(b"HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("data", NO_PLAIN_REQUESTS)
def test_what_is_no_plain_request_is_left_to_httptools(data: bytes) -> None:
    assert read_both("read_request", data) is None


@pytest.mark.parametrize("data", NO_PLAIN_ANSWERS)
def test_what_is_no_plain_answer_is_left_to_httptools(data: bytes) -> None:
    assert read_both("read_answer", data) is None


def changed(data: bytes, chance: random.Random) -> bytes:
    """A message with a few bytes put in, taken out, doubled or replaced."""
    pieces = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b"?", b"#", b"\x7f", b"\xff", b"chunked",
              b"Transfer-Encoding: chunked\r\n", b"Content-Length: 9\r\n", b"Connection: close\r\n", b"-", b"0"]  # fmt: skip
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        span = chance.choice([0, 0, 1, 2, 7])
        data = data[:at] + chance.choice([*pieces, data[at : at + 5], b""]) + data[at + span :]
    return data


def test_changed_messages_are_read_as_httptools_reads_them_or_not_at_all() -> None:
    chance = random.Random(20_261_123)
    plain = sum(check_request(changed(REQUEST, chance)) for _ in range(ROUNDS))
    plain_answers = sum(check_answer(changed(ANSWER, chance)) for _ in range(ROUNDS))
    assert plain > 50
    assert plain_answers > 50


PAIRS = st.lists(st.tuples(st.binary(max_size=12), st.binary(max_size=20)), max_size=5)


@given(st.binary(max_size=20), PAIRS, PAIRS, st.binary(max_size=5))
@example(b"GET / HTTP/1.1\r\n", [(b"a", b"b\r\nc: d")], [], b"\r\n")
@example(b"", [(b"a", b"b\0")], [(b"c", b"d")], b"")
@settings(max_examples=300, deadline=None)
def test_a_head_is_joined_or_refused(first: bytes, headers: Any, more: Any, last: bytes) -> None:
    joined = heads_python.join_head(first, headers, more, last)
    assert heads.join_head(first, headers, more, last) == joined
    broken = any(bad in text for pair in headers + more for text in pair for bad in (b"\r", b"\n", b"\0"))
    assert (joined is None) == broken
    if joined is not None:
        assert joined == first + b"".join(b"%b: %b\r\n" % pair for pair in headers + more) + last
