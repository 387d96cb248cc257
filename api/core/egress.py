"""The one way out: which addresses this process may call, checked after resolving and pinned for the connection.

Everything that leaves for an address someone typed in goes through `Egress`: the allow-list of networks is
empty by default and so refuses all. A name is resolved here, each address is checked, and the caller connects
to the *address*, so a second look-up cannot lead elsewhere (DNS rebinding). Link-local addresses and the
metadata services of clouds are refused even where a listed network holds them. Redirects are nobody's to
follow. It opens no connection itself.
"""

import asyncio
import ipaddress
import socket
import time
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from msgspec import Struct

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK = ("127.0.0.0/8", "::1/128")
RESOLVE_SECONDS = 30.0  # how long a checked answer is used for new connections

_ALWAYS_REFUSED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",  # link-local, and most clouds' metadata service
        "100.100.100.200/32",  # metadata, Alibaba Cloud
        "168.63.129.16/32",  # metadata, Azure
        "192.0.0.192/32",  # metadata, Oracle Cloud
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "fe80::/10",
        "fd00:ec2::254/128",  # metadata, AWS
        "fd20:ce::254/128",  # metadata, Google Cloud
        "ff00::/8",
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class EgressError(ValueError):
    """An address that may not be called. The text is for operators, it names the address."""


class Target(Struct, frozen=True):
    """An upstream's base address, taken apart. `base_path` has no trailing slash, "" for the root."""

    scheme: str
    host: str  # lower case, without brackets
    port: int
    base_path: str

    @property
    def authority(self) -> str:
        """The Host header's value: the port stands only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"


_PORTS = {"http": 80, "https": 443}


def parse_target(url: str) -> Target:
    """The parts of an upstream URL. Raises EgressError when it is none that may ever be called.

    Only http and https; no user information, query or fragment; no control characters or spaces.
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise EgressError("the URL holds a space, a backslash, a control or a non-ASCII character")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname
    except ValueError as error:
        raise EgressError(f"{url} is no URL: {error}") from error
    if parts.scheme not in _PORTS:
        raise EgressError(f"the scheme {parts.scheme or '(none)'} is not http or https")
    if not host:
        raise EgressError("the URL names no host")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise EgressError("the URL holds credentials; they belong in no address")
    if parts.query or parts.fragment:
        raise EgressError("a base URL has no query and no fragment")
    if any(segment in {".", ".."} for segment in parts.path.split("/")):
        raise EgressError("the path holds dot segments")
    if port == 0:
        raise EgressError("port 0 cannot be called")
    return Target(parts.scheme, host, port or _PORTS[parts.scheme], parts.path.rstrip("/"))


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks of a comma-separated CIDR list; "" gives none. Raises EgressError naming the wrong entry."""
    networks = []
    for part in text.split(","):
        if not part.strip():
            continue
        try:
            networks.append(ipaddress.ip_network(part.strip()))
        except ValueError as error:
            raise EgressError(f"{part.strip()!r} is no network in CIDR form: {error}") from error
    return tuple(networks)


def effective_addresses(address: Address) -> tuple[Address, ...]:
    """The address and the IPv4 addresses hidden in it (mapped, 6to4, Teredo, NAT64): all must be allowed."""
    found: list[Address] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return (address.ipv4_mapped,)
        if address.sixtofour is not None:
            found.append(address.sixtofour)
        if address.teredo is not None:
            found.extend(address.teredo)
        if address in _NAT64:
            found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return tuple(found)


class Egress:
    """The allow-list of this process, and the resolver behind it.

    `allow` are CIDR networks; the embedded mode and tests add `LOOPBACK` explicitly. `is_public_allowed` adds every
    address of the public internet, for what people outside may ask us to call (webhooks).
    """

    def __init__(self, allow: Iterable[str] = (), *, is_public_allowed: bool = False) -> None:
        self._is_public_allowed = is_public_allowed
        self.networks = tuple(network for text in allow for network in parse_networks(text))
        self._known: dict[tuple[str, int], tuple[float, list[str]]] = {}

    def is_allowed(self, address: str) -> bool:
        """Whether this numeric address may be called."""
        return self.refusal_of(address) == ""

    def refusal_of(self, address: str) -> str:
        """Why a numeric address may not be called, "" when it may."""
        for one in effective_addresses(ipaddress.ip_address(address.partition("%")[0])):
            if any(one in network for network in _ALWAYS_REFUSED if network.version == one.version):
                return f"{address} is link-local, a metadata service or no unicast address"
            if self._is_public_allowed and one.is_global:
                continue
            if not any(one in network for network in self.networks if network.version == one.version):
                return f"{address} is in no network of KAIMEN_EGRESS_ALLOW"
        return ""

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """The allowed addresses of a host, to connect to as they are; never empty.

        Raises EgressError when the name resolves to nothing that is allowed, OSError when it does not
        resolve. An answer is used again for `RESOLVE_SECONDS`.
        """
        known = self._known.get((host, port))
        if known is not None and known[0] > time.monotonic():
            return known[1]
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [address for address in addresses if self.is_allowed(address)]
        if not allowed:
            raise EgressError(self.refusal_of(addresses[0]) if addresses else f"{host} has no address")
        if len(self._known) > 4096:
            self._known.clear()
        self._known[host, port] = (time.monotonic() + RESOLVE_SECONDS, allowed)
        return allowed

    def forget(self, host: str, port: int) -> None:
        """Resolve anew at the next connection: none of the known addresses answered."""
        self._known.pop((host, port), None)
