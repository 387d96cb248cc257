"""The one way out: what may be called, by address and not by name, and never where secrets lie."""

import socket

import pytest

from api.core.egress import LOOPBACK, Egress, EgressError, parse_networks, parse_target


@pytest.mark.parametrize(
    ("url", "authority", "base_path"),
    [
        ("http://department.example", "department.example", ""),
        ("https://Department.Example:443/base/", "department.example", "/base"),
        ("http://department.example:8080/a/b", "department.example:8080", "/a/b"),
        ("http://[2001:db8::1]:8080/", "[2001:db8::1]:8080", ""),
        ("https://10.0.0.1", "10.0.0.1", ""),
    ],
)
def test_targets_are_taken_apart(url: str, authority: str, base_path: str) -> None:
    target = parse_target(url)
    assert (target.authority, target.base_path) == (authority, base_path)
    assert target.origin == f"{target.scheme}://{authority}"


@pytest.mark.parametrize(
    "url",
    [
        "", "department.example", "ftp://department.example", "file:///etc/passwd", "gopher://x", "http://", "http:///path",
        "http://user:password@department.example", "http://user@department.example", "http://@department.example",
        "http://department.example/?query=1", "http://department.example/#fragment", "http://department.example:0",
        "http://department.example:99999", "http://department.example:port", "http://[::1", "http://depart ment.example",
        "http://department.example/a/../b", "http://department.example\\@evil.example", "http://department.example/\r\nX: 1",
        "http://部门.example", "http://department.example/\0", "javascript:alert(1)", "//department.example",
    ],
)  # fmt: skip
def test_what_is_no_upstream_address(url: str) -> None:
    with pytest.raises(EgressError):
        parse_target(url)


ALLOWED = Egress(["10.0.0.0/8, 192.168.1.0/24", "2001:db8::/32", "169.254.0.0/16", *LOOPBACK])


@pytest.mark.parametrize(
    ("address", "is_allowed"),
    [
        ("10.1.2.3", True), ("192.168.1.9", True), ("192.168.2.9", False), ("8.8.8.8", False), ("127.0.0.1", True),
        ("::1", True), ("2001:db8::5", True), ("2001:db9::5", False), ("::ffff:10.1.2.3", True), ("::ffff:8.8.8.8", False),
        ("169.254.169.254", False), ("169.254.1.1", False), ("::ffff:169.254.169.254", False), ("fe80::1", False),
        ("fe80::1%eth0", False), ("fd00:ec2::254", False), ("0.0.0.0", False), ("::", False), ("224.0.0.1", False),
        ("255.255.255.255", False), ("ff02::1", False), ("100.100.100.200", False), ("168.63.129.16", False),
    ],
)  # fmt: skip
def test_addresses(address: str, *, is_allowed: bool) -> None:
    assert ALLOWED.is_allowed(address) is is_allowed
    assert (ALLOWED.refusal_of(address) == "") is is_allowed


def test_addresses_hidden_in_others() -> None:
    everything = Egress(["0.0.0.0/0", "::/0"])
    assert everything.is_allowed("8.8.8.8")
    assert not everything.is_allowed("64:ff9b::a9fe:a9fe")  # NAT64 of 169.254.169.254
    assert not everything.is_allowed("2002:a9fe:a9fe::1")  # 6to4 of the same
    assert not everything.is_allowed("::ffff:a9fe:a9fe")


def test_an_empty_list_refuses_everything() -> None:
    assert not any(Egress([""]).is_allowed(one) for one in ("127.0.0.1", "10.0.0.1", "8.8.8.8", "::1"))
    with pytest.raises(EgressError, match=r"10\.0\.0\.1/8"):
        parse_networks("10.0.0.1/8")


async def test_names_are_resolved_and_only_allowed_addresses_are_given() -> None:
    assert set(await Egress(LOOPBACK).resolve("localhost", 80)) <= {"127.0.0.1", "::1"}
    for disguised in ("127.1", "2130706433", "0x7f000001", "localhost"):
        with pytest.raises(EgressError):
            await Egress(["10.0.0.0/8"]).resolve(disguised, 80)
    with pytest.raises(OSError, match=r".*"):
        await Egress(LOOPBACK).resolve("nobody.invalid", 80)


async def test_a_name_is_pinned_between_check_and_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    answers = iter(["127.0.0.1", "169.254.169.254"])

    async def rebinding(host: str, port: int, **_: object) -> list:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", rebinding, raising=False)
    egress = Egress(LOOPBACK)
    assert await egress.resolve("rebinding.example", 80) == ["127.0.0.1"]
    assert await egress.resolve("rebinding.example", 80) == ["127.0.0.1"]  # not asked again for a while
    egress.forget("rebinding.example", 80)
    with pytest.raises(EgressError):
        await egress.resolve("rebinding.example", 80)
