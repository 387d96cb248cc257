"""Who is at the other end: the client's address, believing forwarded headers from trusted proxies only."""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
UNKNOWN = "unknown"  # a Unix socket, or a test without a peer
_FORWARDED_BOUND = 4096  # bytes of X-Forwarded-For that are read, from its end


def read_networks(text: str) -> tuple[Network, ...]:
    """Networks of a comma-separated CIDR list; single addresses count as networks. Raises ValueError."""
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def client_address(
    peer: str | None, headers: Iterable[tuple[bytes, bytes]], trusted: Sequence[Network]
) -> str:
    """The client's IP address as text.

    X-Forwarded-For is read from its end and only as far as trusted proxies wrote it, so an entry that the
    client made up is never believed. A name or nonsense there ends the walk at the last good address.
    """
    address = _parse(peer or "")
    if address is None:
        return peer or UNKNOWN
    if not trusted or not _is_in(address, trusted):
        return str(address)
    forwarded = b",".join(value for name, value in headers if name.lower() == b"x-forwarded-for")
    for part in reversed(forwarded[-_FORWARDED_BOUND:].decode("latin-1").split(",")):
        nearer = _parse(part.strip())
        if nearer is None:
            break
        address = nearer
        if not _is_in(address, trusted):
            break
    return str(address)


def address_bucket(address: str) -> str:
    """What limits count by: the IPv4 address, or the /64 of an IPv6 one (one household holds 2^64 of them)."""
    parsed = _parse(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return address or UNKNOWN


def address_of_scope(scope: Any, trusted: Sequence[Network]) -> str:
    """`client_address` of an ASGI HTTP scope."""
    client = scope.get("client")
    return client_address(client[0] if client else None, scope["headers"], trusted)


def _parse(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_in(address: ipaddress.IPv4Address | ipaddress.IPv6Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
