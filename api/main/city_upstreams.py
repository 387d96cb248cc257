"""Upstreams `city+soap:DEPARTMENT` and its like: the city's own servers, views and folders, through the real connectors.

What they are resolved to lives in this process or below KAIMEN_HOME: the loopback listener of `sandbox.city.native`,
the exchange database (a schema beside the stores in PostgreSQL, else a file), the drop folder. Operations that a department's mapping leaves out are answered in process.
"""

import time
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api.contract.mapping import CompiledMapping, compile_mapping, read_mapping
from api.contract.model import Service
from api.core.egress import LOOPBACK, Egress, EgressError, parse_target
from api.core.logging import log_warning
from api.gateway.callbacks import Callbacks
from api.gateway.connector import Connector
from api.gateway.connectors.from_mapping import Maker
from api.gateway.connectors.http_pool import Pool
from api.gateway.connectors.http_stream import ClientError
from api.gateway.connectors.registry import ConnectorRegistry
from api.gateway.connectors.sql import PostgresDatabase
from api.settings import Settings
from sandbox.city.connector import CitySide
from sandbox.city.departments import DEPARTMENTS
from sandbox.city.inventory import read_services
from sandbox.city.native.exchange import DATABASES, DROPS, Keeper, KeptCurrent
from sandbox.city.native.listener import Said
from sandbox.city.native.side import NativeSide
from sandbox.city.native.tables import tables_in

_KEEPS = frozenset({b"kaimen-scenario"})  # which scenario was played: these servers are ours
_CALLBACK_SECONDS = 5.0
_EVERYWHERE = ("0.0.0.0/0", "::/0")  # the operator's own database, wherever KAIMEN_DATABASE_URL says it is
PROTOCOLS = ("soap", "http", "sql", "files")


def native_side(settings: Settings, side: CitySide) -> NativeSide:
    """The native servers of this process; open them before the plane loads its services."""
    return NativeSide(
        DEPARTMENTS,
        read_services,
        lambda slug: side.connector(f"city:{slug}", None),
        settings.docs_url,
        bring_result,
    )


async def bring_result(address: str, said: Said) -> None:
    """Post the result of a department of the city to the callback that the gateway gave it. A failure is logged:
    the gateway asks for the result all the same.
    """
    parts = urlsplit(address)
    try:
        pool = Pool(parse_target(f"{parts.scheme}://{parts.netloc}"), Egress(LOOPBACK))
    except (EgressError, ValueError) as error:
        log_warning("city.callback_refused", error=str(error)[:200])
        return
    head = (
        f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\ncontent-type: {said.content_type}\r\n"
        f"content-length: {len(said.body)}\r\n"
    )
    head += "".join(f"{name}: {value}\r\n" for name, value in said.headers) + "\r\n"
    try:
        deadline = time.monotonic() + _CALLBACK_SECONDS
        await pool.send(
            head.encode(), said.body, is_safe=False, deadline=deadline, body_length=len(said.body)
        )
    except ClientError as error:
        log_warning("city.callback_failed", kind=error.kind)
    finally:
        await pool.close()


def register_city(
    registry: ConnectorRegistry,
    settings: Settings,
    side: CitySide,
    native: NativeSide,
    callbacks: Callbacks | None = None,
) -> None:
    """Serve upstreams `city:` and `city+PROTOCOL:`."""
    home = settings.home_path.resolve()
    tables = tables_in(home / DATABASES, settings.database_url)
    password = urlsplit(settings.database_url).password

    def own_database(address: str, service: str) -> PostgresDatabase:
        return PostgresDatabase(
            address, Egress(_EVERYWHERE), service, password=None if password is None else unquote(password)
        )

    maker = Maker(
        Egress(LOOPBACK),
        docs_url=settings.docs_url,
        stall_seconds=settings.call_deadline_ms / 1000,
        key_of=native.key_of,
        drop_path=home / DROPS,
        database_path=home / DATABASES,
        callbacks=callbacks,
        postgresql=own_database,
        look_again_seconds=0.0,  # the department may have written a moment ago
    )

    def make(upstream: str, service: Service, mapping: str) -> Connector:
        slug = upstream.partition(":")[2]
        department = side.connector(f"city:{slug}", service)
        compiled = compile_mapping(read_mapping(mapping), service)
        edition = native.use(slug, compiled)
        keeper = Keeper(compiled, department, side.states, side.file, home, tables)
        spoken = {one.protocol for one in compiled.operations.values()}
        made = maker.connector(
            compiled, _ways(compiled, native, edition, keeper), rest=department, keeps=_KEEPS
        )
        return KeptCurrent(made, keeper) if spoken & {"sql", "files"} else made

    registry.register("city", side.connector)
    for protocol in PROTOCOLS:
        registry.register_mapped(f"city+{protocol}", make)


def _ways(compiled: CompiledMapping, native: NativeSide, edition: str, keeper: Keeper) -> dict[str, str]:
    spoken = {one.protocol for one in compiled.operations.values()}
    ways = {"sql": keeper.tables.upstream, "files": f"files://{_url(keeper.folder)}"}
    if spoken & {"soap", "http"}:
        address = native.address(edition)
        ways |= {"soap": f"soap+{address}", "http": address}
    return ways


def _url(path: Path) -> str:
    return path.as_uri().removeprefix("file://")
