"""The systems behind an agent: which address serves which service, and what this process may call.

Addresses, files and database credentials are known here only; the gateway never hears of them.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from api.contract.build import service_of
from api.contract.model import Service
from api.core.egress import Egress, EgressError, parse_target
from api.gateway.agents.letters import Served
from api.gateway.connector import Connector
from api.gateway.connectors.from_mapping import Maker, ways_of
from api.gateway.connectors.http import HttpConnector
from api.gateway.connectors.http_pool import Pool

_FOR_SERVICE = re.compile(r"([a-z][a-z0-9-]{0,63}@v[0-9]{1,9})=(.+)")
_STALL_SECONDS = 60.0


class Ready(Struct, frozen=True):
    """A service that can be called here."""

    service: Service
    connector: Connector


class Upstreams:
    """What `--upstream` and `--allow` say. Raises ValueError for an address that no connector has."""

    def __init__(self, upstreams: Sequence[str], allow: Sequence[str], *, docs_url: str) -> None:
        self._all = ""
        self._by_service: dict[str, str] = {}
        for text in upstreams:
            found = _FOR_SERVICE.fullmatch(text.strip())
            address = found[2] if found else text.strip()
            for one in address.split():
                _check(one)
            if found:
                self._by_service[found[1]] = address
            else:
                self._all = f"{self._all} {address}".strip()
        if not self._all and not self._by_service:
            raise ValueError("--upstream names no system")
        self._egress = _egress(allow, [*self._by_service.values(), self._all])
        self._docs_url = docs_url

    def address_of(self, service: str) -> str:
        """The address for a service, "" where none was given."""
        return self._by_service.get(service, self._all)

    def ready(self, served: Served) -> Ready:
        """The service with its connector. Raises ValueError, LookupError where address and mapping do not fit."""
        service = service_of(served.document)
        address = self.address_of(served.service)
        if not address:
            raise LookupError(f"no --upstream is given for {served.service}")
        if not served.mapping:
            pool = Pool(parse_target(address), self._egress, stall_seconds=_STALL_SECONDS)
            return Ready(service, HttpConnector(address, service, pool))
        maker = Maker(
            self._egress, docs_url=self._docs_url, stall_seconds=_STALL_SECONDS, key_of=_always(served.key),
            drop_path=Path("/"),  # the addresses were typed in on this machine
        )  # fmt: skip
        return Ready(service, maker.make(address, service, served.mapping))


def _always(key: bytes) -> Callable[[str], bytes]:
    return lambda _: key


def _check(address: str) -> None:
    if address.partition(":")[0].lower() in {"http", "https"}:
        parse_target(address)
    else:
        ways_of(address)
        if address.startswith("soap+"):
            parse_target(address.removeprefix("soap+"))


def _egress(allow: Sequence[str], addresses: Sequence[str]) -> Egress:
    """The networks of `--allow`; without it the very hosts that the addresses name by number."""
    if allow:
        return Egress(allow)
    hosts = []
    for one in " ".join(addresses).split():
        host = urlsplit(one).hostname
        if host is None:
            continue
        try:
            hosts.append(f"{host}/{128 if ':' in host else 32}")
            Egress(hosts)
        except EgressError:
            raise ValueError(
                f"{host} is a name: say with --allow CIDR which network it may lie in, such as --allow 10.0.0.0/24"
            ) from None
    return Egress(hosts)
