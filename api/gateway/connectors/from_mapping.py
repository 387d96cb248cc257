"""Connectors made from an upstream's address and a mapping. The one place that knows which address goes with which protocol.

    soap+http://host/base  soap+https://…         SOAP
    http://host/base       https://…              HTTP with a mapping
    sql+postgresql://user@host:5432/database      a view; `sql+sqlite:///absolute/path` a file
    files:///absolute/folder                      a drop folder, below KAIMEN_DROP_PATH

A mapping that speaks two protocols (a view to read, an interface to apply) gets two addresses with a blank between.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api.contract.mapping import CompiledMapping, compile_mapping, read_mapping
from api.contract.model import Service
from api.core.egress import Egress, parse_target
from api.gateway.callbacks import Callbacks
from api.gateway.connector import Connector
from api.gateway.connectors.files import LOOK_AGAIN_SECONDS, FilesTransport
from api.gateway.connectors.http_line import HttpLine
from api.gateway.connectors.http_pool import Pool
from api.gateway.connectors.mapped import MappedConnector, Transport
from api.gateway.connectors.mapped_http import HttpTransport
from api.gateway.connectors.soap import SoapTransport
from api.gateway.connectors.sql import Database, PostgresDatabase, SqliteDatabase, SqlTransport

SCHEMES = ("soap+http", "soap+https", "sql+postgresql", "sql+sqlite", "files")
_PROTOCOL_OF = {
    "soap+http": "soap", "soap+https": "soap", "sql+postgresql": "sql", "sql+sqlite": "sql", "files": "files",
    "http": "http", "https": "http",
}  # fmt: skip


def ways_of(upstream: str) -> dict[str, str]:
    """The addresses of an upstream by protocol. Raises ValueError for a scheme that none of them has."""
    found = {}
    for address in upstream.split():
        scheme = address.partition(":")[0].lower()
        if scheme not in _PROTOCOL_OF:
            raise ValueError(f"the scheme {scheme} goes with no mapping; there are {', '.join(_PROTOCOL_OF)}")
        found[_PROTOCOL_OF[scheme]] = address
    return found


class Maker:
    """Makes connectors with a mapping for one process."""

    def __init__(
        self,
        egress: Egress,
        *,
        docs_url: str,
        stall_seconds: float,
        key_of: Callable[[str], bytes],
        drop_path: Path,
        database_path: Path | None = None,
        callbacks: Callbacks | None = None,
        postgresql: Callable[[str, str], Database] | None = None,
        look_again_seconds: float = LOOK_AGAIN_SECONDS,
    ) -> None:
        """`key_of` gives the key that signs what is told to a service's upstream. SQLite files lie below
        `database_path`, drop folders below `drop_path`. `postgresql` opens databases of our own (address, service).
        """
        self._egress = egress
        self._docs_url = docs_url
        self._stall_seconds = stall_seconds
        self._key_of = key_of
        self._drop_path = drop_path
        self._database_path = database_path or drop_path
        self._callbacks = callbacks
        self._postgresql = postgresql
        self._look_again_seconds = look_again_seconds

    def make(self, upstream: str, service: Service, mapping: str) -> Connector:
        """The connector of a publication. Raises ValueError for an address or a mapping that is of no use."""
        return self.connector(compile_mapping(read_mapping(mapping), service), ways_of(upstream))

    def connector(
        self, compiled: CompiledMapping, ways: Mapping[str, str], *, rest: Connector | None = None,
        keeps: frozenset[bytes] = frozenset(),
    ) -> MappedConnector:  # fmt: skip
        """A connector over these addresses (by protocol). Raises ValueError where one is missing."""
        transports: dict[str, Transport] = {}
        for protocol in dict.fromkeys(one.protocol for one in compiled.operations.values()):
            address = ways.get(protocol)
            if address is None:
                raise ValueError(f"the mapping speaks {protocol}, and the upstream has no address for it")
            transports[protocol] = self._transport(protocol, address, compiled)
        return MappedConnector(compiled, transports, docs_url=self._docs_url, rest=rest, keeps=keeps)

    def _transport(self, protocol: str, address: str, compiled: CompiledMapping) -> Transport:
        service = compiled.service.key
        if protocol == "soap":
            return SoapTransport(self._line(address.removeprefix("soap+"), service), compiled.file)
        if protocol == "http":
            return HttpTransport(self._line(address, service), compiled.file, self._callbacks)
        if protocol == "sql":
            return SqlTransport(self._database(address.removeprefix("sql+"), service))
        return FilesTransport(
            _below(address, self._drop_path),
            compiled.file,
            service,
            look_again_seconds=self._look_again_seconds,
        )

    def _line(self, address: str, service: str) -> HttpLine:
        pool = Pool(parse_target(address), self._egress, stall_seconds=self._stall_seconds)
        return HttpLine(pool, self._key_of(service), service)

    def _database(self, address: str, service: str) -> Database:
        if address.startswith("sqlite:"):
            return SqliteDatabase(_below(address, self._database_path), service)
        if self._postgresql is not None:
            return self._postgresql(address, service)
        return PostgresDatabase(address, self._egress, service)


def _below(address: str, root: Path) -> Path:
    """The path of a file address. Raises ValueError where it does not lie below `root`."""
    path = Path(unquote(urlsplit(address).path)).resolve()
    if not path.is_relative_to(root.resolve()):
        raise ValueError(f"{path} does not lie below {root.resolve()}")
    return path
