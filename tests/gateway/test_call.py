"""Step `call`: what is forwarded, when it is tried again, when it is held off, when the department is closed."""

import asyncio
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from msgspec import structs

from api.contract.model import Promise
from api.gateway.forwarding import request_headers
from api.gateway.guard import THRESHOLD, Guard
from api.gateway.hours import parse_hours
from api.gateway.metrics import Metrics
from api.gateway.recorder import Recorder
from api.gateway.rest import RestFace
from api.gateway.snapshot import ServiceEntry, Snapshot
from api.settings import Settings
from tests.gateway.made import Body, Media, World, operation, service
from tests.gateway.raw_upstream import Upstream, Visit, always, serving

BODY = b'{"code":"9133","name":"x"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
BROKEN = b"HTTP/1.1 nonsense\r\n\r\n"
TRACE = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
UNWELL = b"HTTP/1.1 503 Unwell\r\nContent-Length: 0\r\n\r\n"
OPERATIONS = (
    operation(),
    operation(
        "createCompany",
        method="POST",
        path="/companies",
        responses=(),
        body=Body(required=False, media=(Media("text/plain", None),)),
    ),
)


class Proxied:
    """A gateway whose service is the upstream of the test."""

    def __init__(
        self, upstream: Upstream, *, promise: Promise | None = None, path: str = "", **settings: object
    ) -> None:
        made = structs.replace(Settings(), flood_per_second=1_000_000, **settings)
        metrics = Metrics()
        self.world = World(settings=made, metrics=metrics, recorder=Recorder(made, metrics))
        self.connector = upstream.connector(path)
        entry = ServiceEntry(service(OPERATIONS, promise=promise or Promise()), self.connector)
        self.world.holder.current = Snapshot.of([entry], self.world.apps)
        self.face = RestFace(self.world.gateway)

    async def ask(
        self, method: str = "GET", path: str = "/companies/9133", **changes: object
    ) -> httpx.Response:
        headers = {"authorization": self.world.bearer().decode(), **changes.pop("headers", {})}
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.face), base_url="http://gateway"
        ) as client:
            return await client.request(method, f"/api/company/v1{path}", headers=headers, **changes)


def problem_of(answer: httpx.Response) -> str:
    return answer.json()["type"].rstrip("/").rpartition("/")[2]


def script(*answers: bytes):
    """A script that gives the answers in turn, the last one for ever; a broken one ends the connection."""
    given = iter(answers)
    last = answers[-1]

    async def run(visit: Visit) -> None:
        while True:
            await visit.head()
            answer = next(given, last)
            await visit.send(answer)
            if answer in (BROKEN, b""):
                return

    return run


# --- forwarding -------------------------------------------------------------------------------------
async def test_what_a_client_sends_and_what_arrives() -> None:
    async with serving(always(OK)) as upstream:
        gateway = Proxied(upstream, path="/base")
        answer = await gateway.ask(
            path="/companies/9133?page=2",
            headers={
                "cookie": "session=1", "proxy-authorization": "Basic x", "x-forwarded-for": "6.6.6.6", "forwarded": "for=6.6.6.6",
                "x-real-ip": "6.6.6.6", "x-original-url": "/admin", "x-http-method-override": "DELETE", "x_forwarded_for": "6.6.6.6",
                "kaimen-app": "a_other", "kaimen-subject": "p_other", "connection": "close, x-hop", "x-hop": "1", "te": "trailers",
                "x-kept": "1", "accept-encoding": "br", "idempotency-key": "k-1", "request-id": "mine", "if-none-match": '"e"',
                "traceparent": TRACE, "tracestate": "k=v",
            },
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        lines = upstream.heads[0].decode().lower().split("\r\n")
    head = dict(line.split(": ", 1) for line in lines[1:] if line)
    assert lines[0] == "get /base/companies/9133?page=2 http/1.1"
    assert head["host"] == f"127.0.0.1:{upstream.port}"
    assert head["request-id"] == answer.headers["request-id"]
    assert (head["traceparent"], head["tracestate"]) == (TRACE, "k=v")
    assert head["kaimen-app"] == gateway.world.app_id
    assert head["x-forwarded-for"] == "127.0.0.1"
    assert head["x-forwarded-host"] == "127.0.0.1:8000"
    assert head["forwarded"] == 'for=127.0.0.1;host="127.0.0.1:8000";proto=http'
    assert head["accept-encoding"] == "identity"  # the sandbox reads the answer to check it
    assert {name: head[name] for name in ("x-kept", "idempotency-key", "if-none-match")} == {
        "x-kept": "1", "idempotency-key": "k-1", "if-none-match": '"e"',
    }  # fmt: skip
    gone = ("authorization", "cookie", "proxy-authorization", "x-real-ip", "x-original-url", "x-http-method-override",
            "x_forwarded_for", "kaimen-subject", "connection", "x-hop", "te")  # fmt: skip
    assert [name for name in gone if name in head] == []
    assert "6.6.6.6" not in str(head)


def test_addresses_of_version_6_and_encodings_that_pass_on_live() -> None:
    headers = request_headers(
        [(b"accept-encoding", b"br, gzip")],
        client_address="2001:db8::1",
        public_origin="https://live.example",
        keeps_encoding=True,
    )
    found = dict(headers)
    assert found[b"forwarded"] == b'for="[2001:db8::1]";host="live.example";proto=https'
    assert found[b"accept-encoding"] == b"br, gzip"


async def test_a_body_arrives_and_its_answer_comes_back() -> None:
    async def echo(visit: Visit) -> None:
        head = (await visit.head()).lower()
        length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await visit.reader.readexactly(length)
        await visit.send(
            b"HTTP/1.1 201 Created\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
            % (length, body)
        )

    async with serving(echo) as upstream:
        gateway = Proxied(upstream)
        text = "一段文字".encode() * 1000
        answer = await gateway.ask(
            "POST", "/companies", content=text, headers={"content-type": "text/plain; charset=utf-8"}
        )
        assert (answer.status_code, answer.content) == (201, text)
        assert b"content-type: text/plain; charset=utf-8" in upstream.heads[0]


# --- trying again -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("answers", "status", "calls"),
    [((BROKEN, OK), 200, 2), ((b"", b"", OK), 200, 3), ((UNWELL, OK), 200, 2), ((BROKEN,), 502, 3), ((UNWELL,), 503, 3)],
)  # fmt: skip
async def test_reads_are_tried_again_and_not_for_ever(
    answers: tuple[bytes, ...], status: int, calls: int
) -> None:
    async with serving(script(*answers)) as upstream:
        answer = await Proxied(upstream).ask()
        assert answer.status_code == status
        assert len(upstream.heads) == calls


async def test_writes_are_not_tried_again() -> None:
    async with serving(script(BROKEN, OK)) as upstream:
        answer = await Proxied(upstream).ask("POST", "/companies")
        assert problem_of(answer) == "upstream-invalid"
        assert len(upstream.heads) == 1


async def test_an_upstream_that_says_when_is_believed() -> None:
    unwell = b"HTTP/1.1 503 Unwell\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
    async with serving(script(unwell, OK)) as upstream:
        answer = await Proxied(upstream).ask()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert len(upstream.heads) == 1


async def test_an_answer_that_has_begun_is_not_asked_for_again() -> None:
    begun = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000000\r\n\r\nbegun"
    async with serving(always(begun, closes=True)) as upstream:
        gateway = Proxied(upstream)
        with pytest.raises(Exception):  # noqa: B017 - what a broken transfer is to this client
            raise_for_short(await gateway.ask("POST", "/companies"))
        assert len(upstream.heads) == 1


def raise_for_short(answer: httpx.Response) -> None:
    if len(answer.content) < 1000000:
        raise ValueError("the body is short")


# --- deadline ---------------------------------------------------------------------------------------
async def test_the_deadline_is_kept_and_told() -> None:
    async def silent(visit: Visit) -> None:
        await visit.head()
        await asyncio.sleep(30)

    async with serving(silent) as upstream:
        answer = await Proxied(upstream, call_deadline_ms=80).ask()
        assert (answer.status_code, problem_of(answer)) == (504, "upstream-timeout")
        assert answer.json()["deadline_ms"] == 80
        assert len(upstream.heads) == 1


async def test_connectors_without_a_clock_of_their_own_keep_it_too() -> None:
    class Sleeping:
        async def call(self, *_: object) -> None:
            await asyncio.sleep(30)

    async with serving(always(OK)) as upstream:
        gateway = Proxied(upstream, call_deadline_ms=50)
        entry = ServiceEntry(service(OPERATIONS), Sleeping())
        gateway.world.holder.current = Snapshot.of([entry], gateway.world.apps)
        assert problem_of(await gateway.ask()) == "upstream-timeout"


# --- the breaker ------------------------------------------------------------------------------------
async def test_a_failing_upstream_is_held_off_and_then_let_in_by_one_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = time.monotonic()
    monkeypatch.setattr("api.gateway.guard.time.monotonic", lambda: now)
    async with serving(script(*[BROKEN] * int(THRESHOLD), OK)) as upstream:
        gateway = Proxied(upstream)
        for _ in range(int(THRESHOLD)):
            assert problem_of(await gateway.ask("POST", "/companies")) == "upstream-invalid"
        held = await gateway.ask()
        assert (held.status_code, problem_of(held)) == (503, "circuit-open")
        assert int(held.headers["retry-after"]) >= 5
        assert len(upstream.heads) == int(THRESHOLD)
        now += 6
        assert (await gateway.ask()).status_code == 200
        assert gateway.connector.guard.state == "closed"


def test_one_probe_at_a_time_and_longer_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("api.gateway.guard.time.monotonic", lambda: now)
    guard = Guard()
    for _ in range(int(THRESHOLD)):
        assert guard.enter() == 0
        guard.fail()
    waits = []
    for _ in range(6):
        waits.append(round(guard.enter()))
        now += guard.enter() + 0.1
        assert guard.state == "half-open"
        assert guard.enter() == 0  # the probe
        assert guard.enter() == 1.0  # everyone else
        guard.fail()
    assert waits == [5, 10, 20, 40, 60, 60]
    now += 61
    assert guard.enter() == 0
    guard.leave()  # the probe's caller went away: the next one probes
    assert guard.enter() == 0
    guard.succeed()
    assert (guard.enter(), guard.state, guard.score) == (0.0, "closed", 0.0)


def test_single_failures_among_successes_do_not_open_it() -> None:
    guard = Guard()
    for number in range(1000):
        if number % 4 == 0:
            guard.fail()
        else:
            guard.succeed()
    assert guard.state == "closed"


async def test_answers_of_the_upstream_are_no_failures() -> None:
    refusal = b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"
    async with serving(always(refusal)) as upstream:
        gateway = Proxied(upstream)
        for _ in range(20):
            assert (await gateway.ask()).status_code == 404
        assert gateway.connector.guard.score == 0


# --- hours ------------------------------------------------------------------------------------------
SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("text", "moment", "wait"),
    [
        ("Mo-Fr 08:30-17:30", datetime(2026, 3, 4, 10, 0, tzinfo=SHANGHAI), 0),  # Wednesday
        ("Mo-Fr 08:30-17:30", datetime(2026, 3, 4, 8, 0, tzinfo=SHANGHAI), 1800),
        ("Mo-Fr 08:30-17:30", datetime(2026, 3, 4, 17, 30, tzinfo=SHANGHAI), 15 * 3600),
        (
            "Mo-Fr 08:30-17:30",
            datetime(2026, 3, 6, 18, 0, tzinfo=SHANGHAI),
            (2 * 24 + 14) * 3600 + 1800,
        ),  # to Monday
        ("Mo-Fr 08:30-17:30", datetime(2026, 3, 4, 1, 0, tzinfo=UTC), 0),  # 09:00 in Shanghai
        (
            "Mo,We 09:00-12:00, 14:00-17:00; Sa 09:00-12:00",
            datetime(2026, 3, 4, 13, 0, tzinfo=SHANGHAI),
            3600,
        ),
        ("Fr-Mo 22:00-02:00", datetime(2026, 3, 3, 1, 0, tzinfo=SHANGHAI), 0),  # Monday night
        ("Su 22:00-02:00", datetime(2026, 3, 2, 1, 0, tzinfo=SHANGHAI), 0),  # past the end of the week
        ("08:00-24:00", datetime(2026, 3, 8, 23, 59, 30, tzinfo=SHANGHAI), 0),
        ("08:00-24:00", datetime(2026, 3, 8, 7, 59, 59, tzinfo=SHANGHAI), 1),
    ],
)
def test_opening_hours(text: str, moment: datetime, wait: int) -> None:
    hours = parse_hours(text, "Asia/Shanghai")
    assert hours is not None
    assert hours.seconds_to_opening(moment) == wait


@pytest.mark.parametrize(
    "text", ["", "always", "Mo-Fr", "Xx 08:00-09:00", "Mo 25:00-26:00", "Mo 08:00-09:75", ";;"]
)
def test_hours_that_nobody_can_read_close_nothing(text: str) -> None:
    assert parse_hours(text, "Asia/Shanghai") is None
    assert parse_hours("Mo 08:00-09:00", "Nowhere/City") is None


@pytest.mark.parametrize(("environment", "status"), [("live", 503), ("sandbox", 200)])
async def test_a_closed_department_answers_when_it_opens(environment: str, status: int) -> None:
    now = datetime.now(SHANGHAI)
    day = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")[(now.weekday() + 3) % 7]
    async with serving(always(OK)) as upstream:
        gateway = Proxied(upstream, promise=Promise(hours=f"{day} 00:00-24:00"), environment=environment)
        answer = await gateway.ask()
        assert answer.status_code == status
        assert len(upstream.heads) == (0 if status == 503 else 1)
    if status == 503:
        assert problem_of(answer) == "department-closed"
        assert 2 * 86400 - 5 <= int(answer.headers["retry-after"]) <= 3 * 86400
        assert day in answer.json()["hours"]
