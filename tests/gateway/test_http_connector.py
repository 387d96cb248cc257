"""Connector `http` against upstreams that behave, and against each way of misbehaving."""

import asyncio
import ssl
import subprocess
from pathlib import Path

import pytest

from api.core.egress import Egress
from api.core.problems import Failure, Refusal
from api.gateway.connectors.http_stream import BodyStream
from api.gateway.forwarding import request_headers, withhold
from tests.gateway.raw_upstream import Visit, always, context, operation, request, serving

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n" + b'{"a": "bc"}'


async def body_of(result) -> bytes:
    if isinstance(result.body, bytes):
        return result.body
    return b"".join([chunk async for chunk in result.body])


# --- answers that are right ------------------------------------------------------------------------
RIGHT = {
    "content-length": ([OK], 200, b'{"a": "bc"}'),
    "byte by byte": ([bytes([one]) for one in OK], 200, b'{"a": "bc"}'),
    "chunked": ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n3\r\nabc\r\n", b"2;x=y\r\nde\r\n0\r\nTrailer: no\r\n\r\n"], 200, b"abcde"),
    "until close": ([b"HTTP/1.0 200 OK\r\n\r\nto the", b" end"], 200, b"to the end"),
    "no content": ([b"HTTP/1.1 204 No Content\r\n\r\n"], 204, b""),
    "204 with a length": ([b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"], 204, b""),
    "not modified": ([b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 11\r\n\r\n'], 304, b""),
    "informational first": ([b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n" + OK], 200, b'{"a": "bc"}'),
    "empty header value": ([b"HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 2\r\n\r\nok"], 200, b"ok"),
    "an error of its own": ([b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"], 500, b"no"),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
async def test_reads_answers_as_http_says(name: str) -> None:
    pieces, status, body = RIGHT[name]
    async with serving(always(*pieces, closes=name == "until close")) as upstream:
        connector = upstream.connector()
        result = await connector.call(operation(), request(), context())
        assert (result.status, await body_of(result)) == (status, body)
        await connector.close()


# --- answers that are wrong ------------------------------------------------------------------------
WRONG = {
    "garbage": [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "http/2": [b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"],
    "no status": [b"HTTP/1.1 20 OK\r\nContent-Length: 0\r\n\r\n"],
    "status 999": [b"HTTP/1.1 999 OK\r\nContent-Length: 0\r\n\r\n"],
    "two lengths": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk"],
    "length and chunks": [b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    "negative length": [b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"],
    "length overflow": [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n"],
    "gzip transfer coding": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"],
    "folded header": [b"HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: 0\r\n\r\n"],
    "bare CR in a header": [b"HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: c\r\nContent-Length: 0\r\n\r\n"],
    "NUL in a header": [b"HTTP/1.1 200 OK\r\nX-A: b\0c\r\nContent-Length: 0\r\n\r\n"],
    "space in a header name": [b"HTTP/1.1 200 OK\r\nX A: b\r\nContent-Length: 0\r\n\r\n"],
    "switch of protocols": [b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"],
    "huge head": [b"HTTP/1.1 200 OK\r\n", *[b"X-%d: %b\r\n" % (one, b"a" * 8000) for one in range(12)]],
    "too many headers": [b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 300 + b"\r\n"],
    "ends in the head": [b"HTTP/1.1 200 OK\r\nContent-Len"],
    "ends in the body": [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\nhalf"],
    "ends in a chunk": [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"],
    "broken chunk": [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", b"zz\r\nab"],
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
async def test_refuses_nonsense_by_name(name: str) -> None:
    async with serving(always(*WRONG[name], closes=True)) as upstream:
        connector = upstream.connector()
        with pytest.raises(Failure) as caught:
            await connector.call(operation(), request(), context())
        assert caught.value.kind.slug == "upstream-invalid"
        assert caught.value.status == 502
        await connector.close()


async def test_an_early_end_breaks_the_stream_and_never_ends_it_well() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n"
    async with serving(always(head + b"x" * 400000, closes=True)) as upstream:
        connector = upstream.connector()
        result = await connector.call(operation(), request(), context())
        with pytest.raises(Failure) as caught:
            await body_of(result)
        assert caught.value.kind.slug == "upstream-invalid"


async def test_silence_until_the_deadline_is_a_timeout() -> None:
    async def silent(visit: Visit) -> None:
        await visit.head()
        await asyncio.sleep(30)

    async with serving(silent) as upstream:
        connector = upstream.connector()
        with pytest.raises(Failure) as caught:
            await connector.call(operation(), request(), context(seconds=0.1))
        assert (caught.value.kind.slug, caught.value.status) == ("upstream-timeout", 504)
        assert connector.pool.open_connections in {0, 1}
        await connector.close()


async def test_a_stream_that_falls_silent_is_a_timeout() -> None:
    async def stalls(visit: Visit) -> None:
        await visit.head()
        await visit.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 1000)
        await asyncio.sleep(30)

    async with serving(stalls) as upstream:
        connector = upstream.connector(stall_seconds=0.1)
        result = await connector.call(operation(), request(), context(seconds=0.5))
        assert isinstance(result.body, BodyStream)
        with pytest.raises(Failure) as caught:
            await body_of(result)
        assert caught.value.kind.slug == "upstream-timeout"


async def test_nobody_listening_is_unreachable() -> None:
    async with serving(always(OK)) as upstream:
        pass
    connector = upstream.connector()
    with pytest.raises(Failure) as caught:
        await connector.call(operation(), request(), context())
    assert (caught.value.kind.slug, caught.value.status) == ("upstream-unreachable", 502)
    assert await connector.health() is False


# --- connections -----------------------------------------------------------------------------------
async def test_connections_are_used_again() -> None:
    async with serving(always(OK)) as upstream:
        connector = upstream.connector()
        for _ in range(20):
            result = await connector.call(operation(), request(), context())
            assert result.status == 200
        assert upstream.connections == 1
        assert await connector.health() is True
        await connector.close()


async def test_an_answer_nobody_asked_for_never_meets_the_next_request() -> None:
    stray = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen"
    async with serving(always(OK + stray)) as upstream:
        connector = upstream.connector()
        for _ in range(5):
            result = await connector.call(operation(), request(), context())
            assert await body_of(result) == b'{"a": "bc"}'
        assert upstream.connections == 5


async def test_an_answer_that_comes_while_idle_closes_the_connection() -> None:
    async def twice(visit: Visit) -> None:
        while True:
            await visit.head()
            await visit.send(OK, b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen", pause=0.05)

    async with serving(twice) as upstream:
        connector = upstream.connector()
        for _ in range(3):
            result = await connector.call(operation(), request(), context())
            assert await body_of(result) == b'{"a": "bc"}'
            await asyncio.sleep(0.12)
        assert upstream.connections == 3


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_close_is_obeyed(answer: bytes) -> None:
    async with serving(always(answer, closes=True)) as upstream:
        connector = upstream.connector()
        for _ in range(3):
            result = await connector.call(operation(), request(), context())
            assert await body_of(result) == b"ok"
        assert upstream.connections == 3


async def stale(visit: Visit) -> None:
    """Answers once, takes the second request and hangs up without a byte; from the third connection on it is well."""
    await visit.head()
    await visit.send(OK)
    await visit.head()
    if visit.number == 1:
        return
    await visit.send(OK)


async def test_a_read_that_meets_a_closing_connection_is_sent_again() -> None:
    async with serving(stale) as upstream:
        connector = upstream.connector()
        for _ in range(2):
            assert (await connector.call(operation(), request(), context())).status == 200
        assert upstream.connections == 2


async def test_a_write_that_meets_a_closing_connection_is_not_sent_twice() -> None:
    async with serving(stale) as upstream:
        connector = upstream.connector()
        assert (await connector.call(operation(), request(), context())).status == 200
        with pytest.raises(Failure) as caught:
            await connector.call(operation("POST"), request(body=b""), context())
        assert caught.value.kind.slug == "upstream-unreachable"
        assert sum(head.startswith(b"POST") for head in upstream.heads) == 1


async def test_calls_wait_in_line_and_a_full_line_is_busy() -> None:
    gate = asyncio.Event()

    async def slow(visit: Visit) -> None:
        while True:
            await visit.head()
            await gate.wait()
            await visit.send(OK)

    async with serving(slow) as upstream:
        connector = upstream.connector(size=2, queue_size=3)
        calls = [asyncio.create_task(connector.call(operation(), request(), context())) for _ in range(6)]
        done, _ = await asyncio.wait(calls, timeout=2, return_when=asyncio.FIRST_COMPLETED)
        refused = [task.exception() for task in done]
        assert [error.kind.slug for error in refused] == ["upstream-busy"]
        assert refused[0].headers["Retry-After"]
        gate.set()
        results = await asyncio.gather(*(task for task in calls if task not in done))
        assert [one.status for one in results] == [200] * 5
        assert upstream.connections <= 2


async def test_a_caller_who_goes_away_gives_the_connection_up() -> None:
    async def slow(visit: Visit) -> None:
        await visit.head()
        if visit.number == 1:
            await visit.reader.read()  # ends when the client hangs up
            return
        await visit.send(OK)

    async with serving(slow) as upstream:
        connector = upstream.connector()
        task = asyncio.create_task(connector.call(operation(), request(), context()))
        while not upstream.heads:
            await asyncio.sleep(0.01)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert (await connector.call(operation(), request(), context())).status == 200
        assert upstream.connections == 2


# --- heads -----------------------------------------------------------------------------------------
async def head_of(
    connector_path: str = "", method: str = "GET", context_changes: dict | None = None, **changes: object
) -> list[bytes]:
    answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    async with serving(always(answer, closes=True)) as upstream:
        connector = upstream.connector(connector_path)
        await connector.call(operation(method), request(**changes), context(**(context_changes or {})))
        lines = upstream.heads[0].split(b"\r\n")
        return [line.replace(b"%d" % upstream.port, b"PORT") for line in lines]


async def test_the_base_path_goes_before_the_target() -> None:
    lines = await head_of("/base/v2/", target="/companies/9135?page=2")
    assert lines[0] == b"GET /base/v2/companies/9135?page=2 HTTP/1.1"
    assert b"host: 127.0.0.1:PORT" in lines


async def test_chinese_in_a_target_is_encoded() -> None:
    assert (await head_of(target="/企业/a b"))[0] == b"GET /%E4%BC%81%E4%B8%9A/a%20b HTTP/1.1"


async def test_framing_as_given_is_never_forwarded() -> None:
    smuggled = [
        (b"host", b"evil"),
        (b"content-length", b"99"),
        (b"transfer-encoding", b"chunked"),
        (b"connection", b"x"),
        (b"te", b"trailers"),
        (b"x-kept", b"1"),
    ]
    lines = await head_of(method="POST", body=b"abc", content_type="text/plain", forward_headers=smuggled)
    text = b"\n".join(lines)
    assert b"content-length: 3" in lines
    assert b"x-kept: 1" in lines
    for gone in (b"evil", b"99", b"transfer-encoding", b"connection", b"te: "):
        assert gone not in text


async def test_a_header_value_with_a_line_break_is_refused() -> None:
    async with serving(always(OK)) as upstream:
        connector = upstream.connector()
        for value in (b"a\r\nX-Evil: 1", b"a\nb", b"a\0b"):
            with pytest.raises(Refusal) as caught:
                await connector.call(operation(), request(forward_headers=[(b"x-a", value)]), context())
            assert caught.value.kind.slug == "request-malformed"
        assert upstream.heads == []


async def test_what_the_department_is_told() -> None:
    lines = await head_of(
        headers={"X-Kind": ["a", True]},
        context_changes={"purpose": "bank-credit", "trace_parent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"},
    )
    assert b"request-id: rs_test" in lines
    assert b"kaimen-app: a_test" in lines
    assert b"kaimen-environment: sandbox" in lines
    assert b"kaimen-purpose: bank-credit" in lines
    assert b"traceparent: 00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01" in lines
    assert b"x-kind: a,true" in lines


async def test_an_answer_to_head_has_no_body_and_the_connection_lives() -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 427\r\n\r\n"
    async with serving(always(answer)) as upstream:
        connector = upstream.connector()
        for _ in range(3):
            result = await connector.call(operation("HEAD"), request(), context())
            assert (result.status, result.body) == (200, b"")
            assert (b"content-length", b"427") in result.headers
        assert upstream.connections == 1


async def test_what_a_proxy_strips_and_what_it_keeps() -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=20\r\nX-Hop: 1\r\nServer: secret/1\r\nDate: x\r\n"
        b"Set-Cookie: session=1\r\nStrict-Transport-Security: max-age=1\r\nKaimen-Environment: live\r\nX-Kept: 1\r\n"
        b'ETag: "e"\r\nContent-Encoding: gzip\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: 2\r\n\r\nok'
    )
    async with serving(always(answer)) as upstream:
        result = await upstream.connector().call(operation(), request(), context())
    assert dict(result.headers) == {b"x-kept": b"1", b"etag": b'"e"', b"content-encoding": b"gzip"}


async def test_places_are_told_in_our_own_address_space() -> None:
    places = [
        "/base/things/7",
        "http://127.0.0.1:{port}/base/things/7",
        "https://elsewhere.example/x",
        "/other",
    ]
    seen = []
    for place in places:

        async def script(visit: Visit, place: str = place) -> None:
            await visit.head()
            port = visit.writer.get_extra_info("sockname")[1]
            location = place.format(port=port).encode()
            await visit.send(b"HTTP/1.1 201 Created\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % location)

        async with serving(script) as upstream:
            result = await upstream.connector("/base").call(operation("POST"), request(body=b""), context())
            seen.append(dict(result.headers)[b"location"])
    assert seen == [
        b"/api/thing/v1/things/7",
        b"/api/thing/v1/things/7",
        b"https://elsewhere.example/x",
        b"/other",
    ]


async def test_redirects_are_answers_and_are_not_followed() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/latest\r\nContent-Length: 0\r\n\r\n"
    async with serving(always(answer)) as upstream:
        result = await upstream.connector().call(operation(), request(), context())
        assert result.status == 302
        assert len(upstream.heads) == 1


# --- the way out -----------------------------------------------------------------------------------
async def test_an_address_outside_the_allow_list_is_refused_before_a_byte() -> None:
    async with serving(always(OK)) as upstream:
        connector = upstream.connector(egress=Egress())
        with pytest.raises(Failure) as caught:
            await connector.call(operation(), request(), context())
        assert caught.value.kind.slug == "egress-refused"
        assert "127.0.0.1" not in str(caught.value.facts)
        assert upstream.connections == 0


async def test_certificates_are_verified(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate, key)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
            await reader.read()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    from api.core.egress import LOOPBACK, parse_target
    from api.gateway.connectors.http import HttpConnector
    from api.gateway.connectors.http_pool import Pool

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_side)
    port = server.sockets[0].getsockname()[1]
    trusting = ssl.create_default_context(cafile=str(certificate))
    seen = []
    for host, tls in (
        ("localhost", trusting),
        ("127.0.0.1", trusting),
        ("localhost", None),
        ("127.0.0.2", trusting),
    ):
        url = f"https://{host}:{port}"
        connector = HttpConnector(url, None, Pool(parse_target(url), Egress(LOOPBACK), tls=tls))
        try:
            seen.append((await connector.call(operation(), request(), context())).status)
        except Failure as failure:
            seen.append(failure.kind.slug)
        await connector.close()
    server.close()
    assert seen == [200, 200, "upstream-unreachable", "upstream-unreachable"]


def test_the_header_of_a_terminator_reaches_no_department() -> None:
    sent = [(b"x-cert-of-this-proxy", b"MII"), (b"client-cert", b":MII=:"), (b"x-other", b"1")]

    def forwarded() -> set[bytes]:
        made = request_headers(
            sent, client_address="10.0.0.1", public_origin="https://x.example", keeps_encoding=True
        )
        return {name for name, _ in made} & {name for name, _ in sent}

    assert forwarded() == {b"x-cert-of-this-proxy", b"x-other"}
    withhold("X-Cert-Of-This-Proxy")
    withhold("")
    assert forwarded() == {b"x-other"}
