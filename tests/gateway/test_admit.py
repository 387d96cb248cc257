"""What is refused before anything is looked up."""

from typing import Any

import pytest
from msgspec import structs

from api.core.problems import Refusal
from api.gateway import admit
from api.gateway.exchange import Exchange
from api.gateway.flood import FloodLimit
from api.gateway.plane import Gateway
from api.gateway.request_ids import RequestIds, trace_parent_of
from api.settings import Settings
from tests.gateway.made import World

SECOND = 1_000_000_000
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def gateway_of(**values: Any) -> Gateway:
    return World(settings=structs.replace(Settings(), **values)).gateway


def admitted(
    gateway: Gateway,
    headers: Any = (),
    *,
    peer: str = "192.0.2.1",
    path: bytes = b"/api/a/v1/b",
    query: bytes = b"",
    now: int = 0,
) -> Exchange:
    exchange = Exchange(
        request_id="rs_x", face="rest", method="GET", raw_path=path, query_string=query, headers=list(headers),
        client_address=peer, started_ns=now, started_at_us=0,
    )  # fmt: skip
    admit.apply(exchange, gateway)
    return exchange


def refused(gateway: Gateway, *args: Any, **more: Any) -> Refusal:
    with pytest.raises(Refusal) as refusal:
        admitted(gateway, *args, **more)
    assert refusal.value.kind.step == "admit"
    return refusal.value


def test_headers_and_addresses_have_bounds() -> None:
    gateway = gateway_of()
    assert refused(gateway, [(b"x", b"a" * 40_000)]).status == 431
    assert refused(gateway, [(b"x%d" % number, b"") for number in range(101)]).status == 431
    assert refused(gateway, path=b"/" + b"a" * 9_000).status == 414
    assert refused(gateway, query=b"a=" + b"a" * 17_000).status == 414
    admitted(gateway, [(b"x%d" % number, b"") for number in range(100)], path=b"/" + b"a" * 8_000)


@pytest.mark.parametrize("value", [b"a\x00b", b"a\rb", b"a\nb", b"\x1b[0m", b"a\x7f"])
def test_control_characters_in_headers(value: bytes) -> None:
    assert refused(gateway_of(), [(b"x-anything", value)]).rule == "header-control-character"
    assert refused(gateway_of(), [(b"authorization", b"Bearer " + value)]).rule == "header-control-character"


def test_headers_may_hold_tabs_and_text() -> None:
    admitted(gateway_of(), [(b"x-tab", b"a\tb"), (b"x-text", "企业".encode())])


@pytest.mark.parametrize(
    "name", [b"authorization", b"content-length", b"content-type", b"host", b"kaimen-purpose"]
)
def test_what_stands_once(name: bytes) -> None:
    value = b"1"
    assert refused(gateway_of(), [(name, value), (name, value)]).rule == "header-repeated"
    exchange = admitted(gateway_of(), [(b"accept", b"a/b"), (b"accept", b"c/d")])
    assert exchange.header_map[b"accept"] == b"c/d"


@pytest.mark.parametrize(
    "headers",
    [
        [(b"content-length", b"-1")], [(b"content-length", b"1e3")], [(b"content-length", b"9" * 16)],
        [(b"content-length", b"")], [(b"content-length", b"3"), (b"transfer-encoding", b"chunked")],
    ],
)  # fmt: skip
def test_lengths_that_two_servers_would_read_differently(headers: Any) -> None:
    assert refused(gateway_of(), headers).rule == "content-length"


def test_locale() -> None:
    gateway = gateway_of()
    assert admitted(gateway).locale == "en"
    assert admitted(gateway, [(b"accept-language", b"zh-CN,zh;q=0.9,en;q=0.8")]).locale == "zh"
    assert admitted(gateway, [(b"accept-language", b"en;q=0.9,zh;q=0.1")]).locale == "en"


def test_trace_parent_passes_or_begins() -> None:
    gateway = gateway_of()
    assert admitted(gateway, [(b"traceparent", TRACE)]).trace_parent == TRACE.decode()
    made = admitted(gateway).trace_parent
    assert trace_parent_of(made.encode()) == made
    assert made != admitted(gateway).trace_parent
    assert admitted(gateway, [(b"traceparent", b"nonsense")]).trace_parent.startswith("00-")


@pytest.mark.parametrize(
    ("value", "is_good"),
    [
        (TRACE, True), (b"01" + TRACE[2:] + b"-more", True), (TRACE + b"-more", False), (b"ff" + TRACE[2:], False),
        (TRACE.upper(), False), (b"00-" + b"0" * 32 + TRACE[35:], False), (TRACE[:36] + b"0" * 16 + b"-01", False),
        (b"", False), (TRACE[:-1], False), (b"01" + TRACE[2:] + b"-" + b"x" * 200, False),
    ],
)  # fmt: skip
def test_trace_parents(value: bytes, is_good: bool) -> None:
    assert trace_parent_of(value) == (value.decode() if is_good else "")


def test_request_ids_are_many_and_say_their_plane() -> None:
    for environment, prefix in (("sandbox", "rs_"), ("live", "rl_")):
        made = RequestIds(environment)
        ids = {made.new() for _ in range(5_000)}
        assert len(ids) == 5_000
        assert all(one.startswith(prefix) and len(one) == 29 for one in ids)
        assert len({made.new_trace_parent() for _ in range(1_000)}) == 1_000


def test_client_address_comes_from_trusted_proxies_only() -> None:
    forwarded = [(b"x-forwarded-for", b"203.0.113.9, 198.51.100.7"), (b"x-forwarded-for", b"10.0.0.2")]
    assert admitted(gateway_of(), forwarded).client_address == "192.0.2.1"
    behind = gateway_of(trusted_proxies="192.0.2.0/24,10.0.0.0/8")
    assert admitted(behind, forwarded).client_address == "198.51.100.7"
    assert admitted(behind, [(b"x-forwarded-for", b"nonsense")]).client_address == "192.0.2.1"
    assert admitted(behind, forwarded, peer="203.0.113.1").client_address == "203.0.113.1"


def test_flood_by_address_and_by_credential() -> None:
    gateway = gateway_of(flood_per_second=5)
    for _ in range(5):
        admitted(gateway)
    refusal = refused(gateway)
    assert (refusal.status, refusal.headers["Retry-After"], refusal.facts["per_second"]) == (429, "1", 5)
    admitted(gateway, peer="192.0.2.2")
    # one credential from many addresses is one source too, known or not
    gateway = gateway_of(flood_per_second=5)
    header = [(b"authorization", b"Bearer guess")]
    for number in range(5):
        admitted(gateway, header, peer=f"192.0.2.{number}")
    assert refused(gateway, header, peer="192.0.2.99").kind.slug == "flood-limit"
    admitted(gateway, [(b"authorization", b"Bearer other")], peer="192.0.2.99")


def test_an_ipv6_network_is_one_source() -> None:
    gateway = gateway_of(flood_per_second=3)
    for number in range(3):
        admitted(gateway, peer=f"2001:db8::{number:x}")
    refused(gateway, peer="2001:db8::ffff")
    admitted(gateway, peer="2001:db8:1::1")


def test_flood_limit_is_exact_and_bounded() -> None:
    flood = FloodLimit(100, capacity=1_000)
    now = 0
    admitted_at = []
    for _ in range(5_000):
        now += SECOND // 1_000  # ten times too fast, for five seconds
        if not flood.is_flooding("a", now):
            admitted_at.append(now)
    assert len(admitted_at) == 100 + 499  # a burst of one second, then the rate
    for number in range(200_000):
        flood.is_flooding(f"s{number}", now)
    assert len(flood) <= 2 * (1_000 + 1_024)
    # a source that stays within its rate is let through while the table overflows with others
    assert not flood.is_flooding("a", now + 2 * SECOND)
