"""Whose address counts: the peer's, unless a trusted proxy speaks for another."""

import pytest

from api.core.client_address import address_bucket, client_address, read_networks

PROXIES = read_networks("10.0.0.0/8, ::1, 192.0.2.1")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # not a proxy: not believed
        ("10.1.1.1", "198.51.100.1", "198.51.100.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "1.2.3.4, 198.51.100.1", "198.51.100.1"),  # what the client made up stays unread
        ("10.1.1.1", "198.51.100.1, 10.9.9.9", "198.51.100.1"),  # two proxies
        ("10.1.1.1", "10.8.8.8, 10.9.9.9", "10.8.8.8"),  # proxies only
        ("10.1.1.1", "198.51.100.1, nonsense", "10.1.1.1"),
        ("10.1.1.1", "nonsense, 198.51.100.1", "198.51.100.1"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.1.1.1", "198.51.100.1", "198.51.100.1"),  # a dual-stack socket's IPv4 peer
        (None, "198.51.100.1", "unknown"),
    ],
)
def test_client_address(peer: str | None, forwarded: str, expected: str) -> None:
    headers = [(b"host", b"a"), (b"X-Forwarded-For", forwarded.encode())] if forwarded else []
    assert client_address(peer, headers, PROXIES) == expected


def test_several_headers_read_as_one_list() -> None:
    headers = [(b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-for", b"198.51.100.1, 10.0.0.2")]
    assert client_address("10.0.0.1", headers, PROXIES) == "198.51.100.1"


def test_a_very_long_header_costs_little_and_is_still_right() -> None:
    headers = [(b"x-forwarded-for", b"1.2.3.4," * 100_000 + b"198.51.100.1")]
    assert client_address("10.0.0.1", headers, PROXIES) == "198.51.100.1"


def test_buckets() -> None:
    assert address_bucket("203.0.113.5") == "203.0.113.5"
    assert address_bucket("2001:db8:1:2:3:4:5:6") == address_bucket("2001:db8:1:2::1") == "2001:db8:1:2::/64"
    assert address_bucket("2001:db8:1:3::1") != address_bucket("2001:db8:1:2::1")
    assert address_bucket("") == "unknown"
